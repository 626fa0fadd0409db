"""Single documents: read by id, which is current at once, and written only over the state that was read."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.search.session import Absent, Outdated, Session
from connectors.search.shapes import ID, ROUTING, Shape, row_of, source_of
from privacyops.connector_sdk import Call, Field, RowRef, Terminal, Value
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.predicate import split_path
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field, cell_of, without


class Documents:
    """Documents of one cluster; `shape` tells the fields of an index."""

    def __init__(self, session: Session, shape: Callable[[Call, str], Shape]) -> None:
        self._session, self._shape = session, shape

    def held(self, call: Call, ref: RowRef) -> Held | None:
        name = ref.key.get(ID)
        if not isinstance(name, str) or not set(ref.key) <= {ID, ROUTING}:
            raise Terminal("unknown_reference")
        shape = self._shape(call, ref.collection)
        try:
            found = self._session.ask(call, "GET", (ref.collection, "_doc", name), **_routed(ref))
        except Absent:
            return None
        return Held(ref, row_of(shape, found), (found["_seq_no"], found["_primary_term"]))

    def field(self, call: Call, held: Held, path: str) -> Field:
        if path in {ID, ROUTING}:
            raise NotPossible("key", "delete")
        value = cell_of(held.values, path)
        known = next((each for each in self._shape(call, held.ref.collection).fields if each.path == path), None)
        return a_field(path, value) if known is None or value is not None else known

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        """The whole document anew: a script would need a right of its own, and many clusters run none."""
        row = dict(held.values)
        for path, steps in edit.drops:
            column, above = split_path(path) if path not in row else (path, ())
            row[column] = without(row[column], (*above, *steps))
        for path, value in edit.sets.items():
            column, inner = split_path(path) if path not in row else (path, ())
            row[column] = _with(row.get(column), inner, value) if inner else value
        return self._guarded(call, held, "PUT", source_of(row))

    def delete(self, call: Call, held: Held) -> bool:
        return self._guarded(call, held, "DELETE", None)

    def _guarded(self, call: Call, held: Held, method: str, body: dict[str, Any] | None) -> bool:
        number, term = held.state
        path = (held.ref.collection, "_doc", str(held.ref.key[ID]))
        given: dict[str, str | int] = {"if_seq_no": number, "if_primary_term": term, "refresh": "wait_for"}
        if body is not None:
            given["pipeline"] = "_none"  # what the pipeline made of the document when it came stands in it already
        try:
            self._session.ask(call, method, path, body, **given, **_routed(held.ref))
        except (Outdated, Absent):
            return False
        except Terminal as refusal:
            raise NotPossible(refusal.code, "task") from None
        return True


def _routed(ref: RowRef) -> dict[str, str]:
    return {"routing": str(ref.key[ROUTING])} if ROUTING in ref.key else {}


def _with(held: Value, steps: tuple[str | int, ...], value: Value) -> Value:
    """The document with another value where the steps lead to. Raises: NotPossible: no such place."""
    step, rest = steps[0], steps[1:]
    if isinstance(held, Mapping) and isinstance(step, str):
        return {**held, step: _with(held.get(step), rest, value) if rest else value}
    if isinstance(held, tuple) and isinstance(step, int) and step < len(held):
        return (*held[:step], _with(held[step], rest, value) if rest else value, *held[step + 1 :])
    raise NotPossible("path", "redact_or_delete")
