"""What stands in the way of a plan: constraints on the cells, references to the rows, rights, triggers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from connectors.sql.address import Brand
from connectors.sql.drafts import Draft
from connectors.sql.ordering import inbound
from connectors.sql.reading import by_refs
from connectors.sql.refusals_never_run import CONSTRAINT
from connectors.sql.schema import Schema, Table
from connectors.sql.session import Session
from connectors.sql.speech import Expression, Speech
from privacyops.connector_sdk import (
    Blocker,
    Call,
    Cascade,
    Count,
    DeclaredLink,
    FieldType,
    LinkAction,
    Terminal,
    Value,
    canonical,
)
from privacyops.connector_sdk.effects import Token, touched

LISTED: Final = 20_000
"""Referencing rows that are looked at one by one; more are counted as outside the plan."""
SELF_ACTING: Final = frozenset({LinkAction.CASCADE, LinkAction.SET_NULL, LinkAction.SET_DEFAULT})


class Obstacles:
    """Adds blockers to drafts."""

    def __init__(self, session: Session, speech: Speech, schema: Schema, store: str) -> None:
        self.session, self.speech, self.schema, self.store = session, speech, schema, store

    # --- cells ----------------------------------------------------------------------------------------------

    def check_cells(self, call: Call, drafts: Sequence[Draft]) -> None:
        """Rights, NOT NULL, generated, key, type, length, ENUM, UNIQUE, CHECK and foreign keys of changed cells."""
        constants = Counter(
            (draft.table.name, path, canonical(value))
            for draft in drafts
            for path, value in draft.changes.items()
            if not isinstance(value, Token) and value is not None
        )
        for draft in drafts:
            if draft.values is None or draft.table.collection.refuses:
                continue
            right = "delete" if draft.deletes else "update"
            if right not in draft.table.rights and (draft.deletes or draft.changes):
                self._block(draft, "denied", None, None, "grant_right")
            for path, value in draft.changes.items():
                self._cell(call, draft, path, value)
                if draft.table.fields[path].unique and constants[draft.table.name, path, canonical_or_none(value)] > 1:
                    self._block(draft, "unique", path, None, "use_random_token")
            self._check(call, draft)

    def _cell(self, call: Call, draft: Draft, path: str, value: Value | Token) -> None:
        table, field = draft.table, draft.table.fields[path]
        plain = "a" * 8 if isinstance(value, Token) else value
        if field.generated:
            self._block(draft, "generated", path, None, "change_the_source")
        if path in table.collection.key:
            self._block(draft, "key_column", path, None, "delete_row")
        if value is None:
            if not field.nullable:
                self._block(draft, "not_null", path, None, "use_constant_or_token")
            return
        if not _fits_type(field.type, plain) or self.speech.typed(field, plain) is None:
            self._block(draft, "type", path, None, "use_null_or_constant")
        elif field.enum and plain not in field.enum:
            self._block(draft, "enum", path, None, "use_listed_value")
        elif field.max_length and isinstance(plain, str) and len(plain) > field.max_length:
            self._block(draft, "too_long", path, None, "use_shorter_value")
        elif not isinstance(value, Token):
            self._constant(call, draft, path, value)

    def _constant(self, call: Call, draft: Draft, path: str, value: Value) -> None:
        table = draft.table
        typed = self.speech.typed(table.fields[path], value)
        if table.fields[path].unique and self._count(call, table, table.column(path) == typed):
            self._block(draft, "unique", path, None, "use_random_token")
        for link in table.collection.links:
            parent = self.schema.get(link.to)
            if link.fields == (path,) and parent is not None and link.to_fields[0] in parent.fields:
                wanted = self.speech.typed(parent.fields[link.to_fields[0]], value)
                if not self._count(call, parent, parent.column(link.to_fields[0]) == wanted):
                    self._block(draft, "no_such_parent", path, link.name, "use_null_or_existing")

    def _count(self, call: Call, table: Table, where: Expression) -> int:
        counting = sa.select(sa.func.count()).select_from(table.sql).where(where)
        return int(self.session.run(call, counting)[0][0])

    def _check(self, call: Call, draft: Draft) -> None:
        """Evaluates the CHECK constraints of the changed cells over the row as it would be."""
        table = draft.table
        texts = {table.fields[path].check: path for path in draft.changes if table.fields[path].check}
        for text, path in texts.items():
            if any(blocker.field == path for blocker in draft.blockers):
                continue
            cells = [self._as_it_would_be(draft, each) for each in table.fields]
            row = (
                sa.select(*cells).select_from(table.sql).where(by_refs(self.speech, table, [draft.op.ref])).limit(1)
            ).subquery("would_be")
            condition: Expression = sa.literal_column(f"({check_condition(str(text), path, self.session.brand)})")
            asked = sa.select(sa.case((condition, 1), else_=0), sa.case((sa.not_(condition), 1), else_=0))
            try:
                found = self.session.run(call, asked.select_from(row))
            except Terminal as refusal:
                # a domain's own CHECK refuses the value before ours is asked
                code = "check" if refusal.code == CONSTRAINT else "check_unproven"
                self._block(draft, code, path, None, "use_allowed_value")
                continue
            if found and found[0][1]:
                self._block(draft, "check", path, None, "use_allowed_value")

    def _as_it_would_be(self, draft: Draft, path: str) -> Expression:
        field = draft.table.fields[path]
        if path not in draft.changes:
            return draft.table.column(path).label(quoted_name(path, True))
        value = draft.changes[path]
        plain = value.draw() if isinstance(value, Token) else value
        typed = None if plain is None else self.speech.typed(field, plain)
        if self.session.brand not in {Brand.SQLITE, Brand.MYSQL}:
            # an untyped literal would take the type of whatever it meets first
            shown = sa.null() if typed is None else typed
            return sa.case((sa.true(), shown), else_=draft.table.column(path)).label(quoted_name(path, True))
        return (sa.null() if typed is None else typed).label(quoted_name(path, True))

    # --- links ----------------------------------------------------------------------------------------------

    def check_links(self, call: Call, drafts: Sequence[Draft]) -> tuple[Cascade, ...]:
        """Counts what points at rows that go. Rows outside the plan block, whatever the store would do to them."""
        going = {(d.table.name, canonical(d.op.ref.key)) for d in drafts if d.deletes and d.values is not None}
        freed = {(draft.table.name, canonical(draft.op.ref.key), path) for draft in drafts for path in draft.changes}
        cascades = []
        for table in {draft.table.name: draft.table for draft in drafts if draft.deletes}.values():
            mine = [d for d in drafts if d.deletes and d.table.name == table.name and d.values is not None]
            for source, link in inbound(self.schema, table):
                cascade = self._link(call, mine, source, link, going, freed)
                if cascade is not None:
                    cascades.append(cascade)
        return tuple(sorted(cascades, key=lambda each: (each.target, each.source, each.constraint)))

    def _link(
        self,
        call: Call,
        mine: Sequence[Draft],
        source: Table,
        link: DeclaredLink,
        going: set[tuple[str, str]],
        freed: set[tuple[str, str, str]],
    ) -> Cascade | None:
        parents: dict[str, Draft] = {}
        for draft in mine:
            assert draft.values is not None  # noqa: S101 - callers pass rows that exist
            held = tuple(draft.values.get(path) for path in link.to_fields)
            if None not in held:
                parents[canonical(held)] = draft
        inside = outside = 0
        owner = source.collection.parent or source.name
        blocked: dict[str, Draft] = {}
        for key, pointing in self._referencing(call, source, link, [parents[name] for name in sorted(parents)]):
            if any((owner, key, path) in freed for path in link.fields):
                continue
            if (owner, key) in going:
                inside += 1
                continue
            outside += 1
            if (parent := parents.get(pointing)) is not None:
                blocked[parent.op.id] = parent
        code = "cascade_outside" if link.on_delete in SELF_ACTING else "restrict"
        for draft in blocked.values():
            self._block(draft, code, link.fields[0], link.name, "keep_and_unlink", collection=owner)
        if link.on_delete not in SELF_ACTING or not inside + outside:
            return None
        return Cascade(link.name, owner, link.to, link.on_delete, Count(inside + outside), outside == 0)

    def _referencing(
        self, call: Call, source: Table, link: DeclaredLink, parents: Sequence[Draft]
    ) -> Iterable[tuple[str, str]]:
        """Key and pointing cells of every row that points at the parents, canonical."""
        owner = self.schema.get(source.collection.parent or "") or source
        paths = list(dict.fromkeys((*owner.identity, *link.fields)))
        paths = [path for path in paths if path in source.fields]
        step = max(1, min(200, self.speech.max_binds // max(1, len(link.fields))))
        for start in range(0, len(parents), step):
            ways = []
            for parent in parents[start : start + step]:
                values: Mapping[str, Value] = parent.values or {}
                ways.append(
                    sa.and_(
                        *(
                            self.speech.is_same_cell(source, mine, values[theirs])
                            for mine, theirs in zip(link.fields, link.to_fields, strict=True)
                        )
                    )
                )
            cells = [self.speech.readable(source, path).label(f"c{at}") for at, path in enumerate(paths)]
            asked = sa.select(*cells).select_from(source.sql).where(sa.or_(sa.false(), *ways)).limit(LISTED)
            for record in self.session.run(call, asked):
                row = {
                    path: self.speech.decode(source.fields[path], raw) for path, raw in zip(paths, record, strict=True)
                }
                key = canonical({path: row[path] for path in owner.identity if path in row})
                yield key, canonical(tuple(row[path] for path in link.fields))

    # --- warnings -------------------------------------------------------------------------------------------

    def warnings(self, drafts: Sequence[Draft]) -> set[str]:
        """Triggers that write, and rows that row-level security may hide."""
        found = set()
        for draft in drafts:
            event = "delete" if draft.deletes else "update"
            if not draft.deletes and not touched(draft.op.act):
                continue
            for trigger in draft.table.collection.triggers:
                if trigger.writes and event in trigger.event:
                    found.add(f"trigger_writes:{draft.table.name}.{trigger.name}")
            if draft.table.row_security:
                found.add(f"row_security:{draft.table.name}")
        return found

    def _block(
        self,
        draft: Draft,
        code: str,
        path: str | None,
        constraint: str | None,
        remedy: str,
        collection: str | None = None,
    ) -> None:
        blocker = Blocker(code, collection or draft.table.name, path, constraint, remedy, draft.op.id)
        if blocker not in draft.blockers:
            draft.blockers.append(blocker)


def canonical_or_none(value: Any) -> str:
    """The canonical text of a fixed value; a token has none."""
    return "" if isinstance(value, Token) else canonical(value)


def check_condition(text: str, path: str, brand: Brand) -> str:
    """The condition inside the catalogue's CHECK text, over the cells of one row."""
    condition = re.sub(r"\bCHECK\s*(?=\()", "", text, flags=re.IGNORECASE)
    condition = re.sub(r"\)\s+NOT VALID\b", ")", condition)
    if brand is Brand.POSTGRESQL:
        quoted = '"' + path.replace('"', '""') + '"'
        condition = re.sub(r"\bVALUE\b", lambda _: quoted, condition)
    return condition


_WORDS: Final = frozenset({FieldType.TEXT, FieldType.OTHER, FieldType.ADDRESS, FieldType.JSON, FieldType.ARRAY})


def _fits_type(kind: FieldType, value: Value) -> bool:
    """Whether a column of that type can hold the value; servers convert more than is safe to rely on."""
    if kind in _WORDS:
        return True
    if kind in {FieldType.INTEGER, FieldType.NUMBER}:
        return not isinstance(value, str | bytes) or re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None
    if kind is FieldType.BOOLEAN:
        return value in (0, 1, "0", "1")
    if kind is FieldType.BINARY:
        return isinstance(value, bytes | str)
    if isinstance(value, str):
        return re.fullmatch(r"[0-9A-Fa-f:. T+-]{4,40}", value) is not None
    return not isinstance(value, int | float | bytes | bool)
