"""From a predicate to the calls that answer it: by key, under a parent, by an identifier, or by reading everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Any, Final

from connectors.rest.calls import Binding, holes
from connectors.rest.naming import locates, main_resource
from connectors.rest.paths import condition
from connectors.rest.records import Shape
from connectors.rest.settings import Settings
from privacyops.connector_sdk import EVERY_ROW, Leaf, Predicate, PredicateOp, Value
from privacyops.connector_sdk import All as Every
from privacyops.connector_sdk.declarative import Paging

EXACT: Final = frozenset(
    {PredicateOp.EQ, PredicateOp.EQ_CI, PredicateOp.IN, PredicateOp.IN_CI, PredicateOp.JSON_EQ}
)  # fmt: skip
"""What a call that takes one value can answer; the answer is filtered by the exact meaning."""


@dataclass(frozen=True, repr=False)
class Question:
    """One call with its values, and where the rows of its answer lie. `single`: the answer holds one row or none.

    `known` are the fields it asks by. `needs_parent`: the call speaks of more than the parent's key, so its row, named
    by `parent`, is read first.
    """

    call: str
    body: Any
    binding: Binding
    rows: str
    page: Paging | None = None
    bucket: str = "default"
    single: bool = False
    known: Mapping[str, Value] | None = None
    parent: Mapping[str, Value] | None = None
    needs_parent: str = ""
    only: str | None = None
    via: str = ""


class Asking:
    """The calls of one resource."""

    def __init__(self, settings: Settings, shapes: Mapping[str, Shape]) -> None:
        self._settings, self._manifest, self._shapes = settings, settings.manifest, shapes

    def questions(self, resource: str, where: Predicate) -> list[Question] | None:
        """The calls that together answer `where`, or something wider; None: no call can.

        A part of an alternative that cannot be asked makes the whole unanswerable: half an answer is none.
        """
        if where == EVERY_ROW:
            return None
        found = self._answer(resource, where)
        return None if found is None else _once(found)

    def everything(self, resource: str) -> Question | None:
        """The call that lists the whole resource; None: there is none."""
        listed = self._manifest.list.get(resource)
        if listed is None:
            return None
        return Question(
            listed.call, listed.body, self._bind(), listed.rows, listed.page, listed.bucket, only=listed.only,
            via=listed.via,
        )  # fmt: skip

    def by_key(self, resource: str, key: Mapping[str, Value]) -> list[Question]:
        """The calls that read one row; the caller keeps the row with that key."""
        shape, row = self._shapes[resource], dict(key)
        one = self._own(resource, row)
        if one is not None:
            return [one]
        if shape.by and shape.by in shape.resource.keys:
            return self._under(resource, key[shape.by]) or []
        for _, found in locates(self._manifest):
            if found.resource == resource and set(found.match) <= set(key):
                return [self._located(found, key[next(iter(found.match))])]
        return []

    def under(self, resource: str, parent: Mapping[str, Value]) -> list[Question]:
        """The calls that list the rows of `resource` under one row of its parent, given with its fields."""
        value = parent.get(self.pointed(resource))
        return (self._under(resource, value) or []) if value is not None else []

    def pointed(self, resource: str) -> str:
        """The field of the parent that a resource's rows point at."""
        shape = self._shapes[resource]
        owner = shape.resource.belongs_to
        if owner is None:
            return ""
        return shape.to or self._shapes[owner.resource].resource.keys[0]

    def asked(self, resource: str, path: str) -> frozenset[PredicateOp] | None:
        """The operators a find may use on a field; None: all, since everything may be read."""
        if resource in self._manifest.list and self._settings.scan:
            return None
        probe = Leaf("probe", path, PredicateOp.EQ, "0")
        return EXACT if self._answer(resource, probe) is not None else frozenset()

    # --- inside ---------------------------------------------------------------------------------------------

    def _answer(self, resource: str, where: Predicate) -> list[Question] | None:
        if isinstance(where, Leaf):
            return self._leaf(resource, where)
        if isinstance(where, Every):
            whole = self._whole_key(resource, where)
            if whole is not None:
                return whole
            for part in where.parts:
                found = self._answer(resource, part)
                if found is not None:
                    return found
            return None
        found_all: list[Question] = []
        for part in where.parts:
            found = self._answer(resource, part)
            if found is None:
                return None
            found_all.extend(found)
        return found_all

    def _whole_key(self, resource: str, where: Every) -> list[Question] | None:
        keys = self._shapes[resource].resource.keys
        given = {part.field: part.value for part in where.parts if isinstance(part, Leaf) and part.op is PredicateOp.EQ}
        if len(keys) < 2 or not set(keys) <= set(given):
            return None
        return self.by_key(resource, {path: given[path] for path in keys}) or None

    def _leaf(self, resource: str, leaf: Leaf) -> list[Question] | None:
        if leaf.op not in EXACT:
            return None
        values = [value for value in _several(leaf.value) if value is not None]
        found: list[Question] = []
        for value in values:
            asked = self._value(resource, leaf.field, value)
            if asked is None:
                return None
            found.extend(asked)
        return found

    def _value(self, resource: str, path: str, value: Value) -> list[Question] | None:
        shape = self._shapes[resource]
        if shape.resource.keys == (path,):
            own = self._own(resource, {path: value})
            if own is not None:
                return [own]
        if path == shape.by:
            under = self._under(resource, value)
            if under is not None:
                return under
        ways = [
            self._located(found, value)
            for _, found in locates(self._manifest)
            if found.resource == resource and path in found.match and self._holds(found.when)
        ]
        return [*ways, *self._read_back(resource, path, value)] if ways else None

    def _own(self, resource: str, row: Mapping[str, Value]) -> Question | None:
        """The call that reads one row by its key."""
        export = self._manifest.export.get(resource)
        bind = self._bind(row=row)
        if export is not None and export.one is not None:
            one = export.one
            return Question(one.call, one.body, bind, one.row, None, one.bucket, single=True, known=row, via=one.via)
        if export is not None and not export.rows:
            return Question(
                export.call, export.body, bind, export.row, None, export.bucket, single=True, known=row, via=export.via
            )
        verify = self._manifest.verify
        if isinstance(verify, str) or (verify.resource or main_resource(self._manifest)) != resource:
            return None
        spoken = holes(verify.call, verify.body)
        if "value" in spoken or not any(hole.startswith("row.") for hole in spoken):
            return None
        return Question(verify.call, verify.body, bind, verify.row, single=True, known=row, via=verify.via)

    def _under(self, resource: str, value: Value) -> list[Question] | None:
        export, shape = self._manifest.export.get(resource), self._shapes[resource]
        owner = shape.resource.belongs_to
        if export is None or owner is None or not export.rows:
            return None
        parent = {self.pointed(resource): value}
        spoken = {hole.removeprefix("row.") for hole in holes(export.call, export.body)} - self._plain()
        more = owner.resource if spoken - set(parent) else ""
        return [
            Question(
                export.call, export.body, self._bind(row=parent), export.rows, export.page, export.bucket,
                known={owner.by: value}, parent=parent, needs_parent=more, only=export.only, via=export.via,
            )
        ]  # fmt: skip

    def _located(self, found: Any, value: Value) -> Question:
        text = _hashed(found.hash, value)
        return Question(
            found.call, found.body, self._bind(text), found.rows, found.page, found.bucket,
            known={next(iter(found.match)): value}, only=found.only, via=found.via,
        )  # fmt: skip

    def _read_back(self, resource: str, path: str, value: Value) -> Iterator[Question]:
        """The read-back that takes an identifier is asked too: it sees what the ordinary search leaves out."""
        verify = self._manifest.verify
        if isinstance(verify, str) or (verify.resource or main_resource(self._manifest)) != resource:
            return
        first = next(iter(locates(self._manifest)))[1]
        if path in first.match and "value" in holes(verify.call, verify.body):
            rows = first.rows if verify.rows is None else verify.rows
            bind = self._bind(_hashed(first.hash, value))
            yield Question(
                verify.call, verify.body, bind, rows, first.page, known={path: value}, only=first.only, via=verify.via
            )

    def _holds(self, when: str | None) -> bool:
        settings = self._settings
        return when is None or condition(when).holds({"config": settings.config, "region": settings.region})

    def _plain(self) -> set[str]:
        manifest = self._manifest
        return {*manifest.config, *manifest.region, *(f"config.{name}" for name in manifest.config)}

    def _bind(self, value: Value = None, row: Mapping[str, Value] | None = None) -> Binding:
        return Binding(value, (row,) if row else (), self._settings.config, self._settings.region)


def _once(found: Sequence[Question]) -> list[Question]:
    """Without the same call twice, which two spellings of one value make."""
    seen: dict[tuple[str, ...], Question] = {}
    for each in found:
        seen.setdefault((each.call, repr(each.body), str(each.binding.value), repr(each.binding.rows)), each)
    return list(seen.values())


def _several(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _hashed(how: str, value: Value) -> Value:
    if how == "raw":
        return value
    text = str(value).strip().lower().encode()
    return (md5(text, usedforsecurity=False) if how == "md5-lower" else sha256(text)).hexdigest()
