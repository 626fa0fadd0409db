"""`apply`: the planned operations in one transaction, each only if its row is still as the plan saw it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.sql.address import Brand
from connectors.sql.fingerprints import EMPTY, cell_print, read_before, row_print
from connectors.sql.obstacles import SELF_ACTING
from connectors.sql.ordering import inbound
from connectors.sql.planning import MOST, clock, plan_hash, read_rows, row_name
from connectors.sql.reading import Reader, by_refs
from connectors.sql.refusals_never_run import CONSTRAINT
from connectors.sql.schema import Schema, Table
from connectors.sql.session import Session
from connectors.sql.speech import Expression, Speech
from privacyops.connector_sdk import (
    Call,
    Delete,
    FieldType,
    Keep,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    Terminal,
    Value,
)
from privacyops.connector_sdk.effects import NotPossible, Token, new_value, touched

SUCCESS: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT})
_SAID_WHEN_TRIED: Final = frozenset({CONSTRAINT, "statement"})
"""What no catalogue foretells: a deferred constraint, a trigger that raises."""
TOGETHER: Final = 200
"""Rows one DELETE takes."""


class Applying:
    """One call of `apply`."""

    def __init__(self, session: Session, speech: Speech, schema: Schema, store: str, key: bytes) -> None:
        self.session, self.speech, self.schema, self.store, self.key = session, speech, schema, store, key
        self.results: dict[OpId, OpResult] = {}
        self._at: datetime | None = None
        self._chosen: list[PlannedOp] = []
        self._rows: dict[str, Mapping[str, Value]] = {}

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId]) -> Iterator[OpResult]:
        """Results in the plan's order, once everything is committed.

        Raises: Terminal: the plan was altered since it was hashed, or is too old.
        """
        if plan_hash(plan.ops, plan.blockers) != plan.hash:
            raise Terminal("plan_altered")
        chosen = [each for each in plan.ops if not only or each.op.id in only]
        self._chosen = chosen
        blocked = {blocker.op: blocker.code for blocker in plan.blockers if blocker.op is not None}
        self._at = clock(self.session, call)
        if self._at >= plan.expires_at:
            raise Terminal("plan_expired")
        for together in (TOGETHER, 1):  # a group that is refused is tried again row by row, to name the row
            if self._attempt(call, chosen, blocked, together):
                break
        for each in chosen:
            yield self.results[each.op.id]

    def _attempt(self, call: Call, chosen: Sequence[PlannedOp], blocked: Mapping[OpId, str], together: int) -> bool:
        """One transaction. False: a group of several rows was refused, nobody knows for which of them."""
        current: list[PlannedOp] = []
        try:
            with self.session.transaction(call):
                todo = self._judge(call, chosen, blocked)
                if any(each.effect == "delete_row_deferred" for each in todo):
                    self._defer(call)
                self._cut(call, todo)
                for group in _groups(todo, together):
                    call.check()
                    current = group
                    self._group(call, group)
        except _Refused as refused:
            if len(current) > 1 and refused.op == current[0].op.id and refused.code == "suppressed":
                return False
            self._undone(refused.op, refused.code, refused.outcome)
        except Terminal as refusal:
            if not current or refusal.code not in _SAID_WHEN_TRIED:
                raise
            if len(current) > 1:
                return False
            self._undone(current[0].op.id, refusal.code)
        return True

    # --- before anything is written -------------------------------------------------------------------------

    def _judge(self, call: Call, chosen: Sequence[PlannedOp], blocked: Mapping[OpId, str]) -> list[PlannedOp]:
        """The operations that are still to be done; the others get their result here."""
        self._rows = read_rows(
            call,
            self.session,
            self.speech,
            self.schema,
            self.store,
            [each.op.ref for each in chosen if each.op.id not in blocked],
            lock=True,
        )
        todo: list[PlannedOp] = []
        for each in chosen:
            verdict = self._verdict(each, blocked)
            if verdict is None and not self._is_told_apart(call, each):
                verdict = Outcome.BLOCKED, "row_named_twice"
            if verdict is None:
                todo.append(each)
            else:
                self._note(each, *verdict)
        return todo

    def _is_told_apart(self, call: Call, each: PlannedOp) -> bool:
        """Whether a reference without a key means equal rows only: one that a document tells apart may be another's."""
        table = self.schema[each.op.ref.collection]
        if not table.collection.no_key or len(table.identity) == len(table.fields):
            return True
        reader = Reader(self.session, self.speech, table, self.store, table.fields)
        answer = reader.read(call, by_refs(self.speech, table, [each.op.ref]), MOST, order=())
        return answer.complete and len({row_print(self.key, read.values) for read in answer.rows}) <= 1

    def _verdict(self, each: PlannedOp, blocked: Mapping[OpId, str]) -> tuple[Outcome, str] | None:
        if each.op.id in blocked:
            return Outcome.BLOCKED, blocked[each.op.id]
        waits_for = [self.results[other] for other in each.after if other in self.results]
        if any(result.outcome not in SUCCESS for result in waits_for):
            return Outcome.BLOCKED, "depends"
        return self._state(each)

    def _state(self, each: PlannedOp) -> tuple[Outcome, str] | None:
        before, held = read_before(each.before), self._rows.get(row_name(each.op.ref))
        is_keep = isinstance(each.op.act, Keep)
        if held is None:
            if isinstance(each.op.act, Delete) or before is None:
                return Outcome.ALREADY, ""
            # a row without a key takes its changed cells along in its name: it is changed, not gone
            keyless = self.schema[each.op.ref.collection].collection.no_key
            return (Outcome.ALREADY, "") if keyless else (Outcome.CONFLICT, "row_gone")
        if before is None:
            return Outcome.CONFLICT, "row_appeared"
        done = Outcome.KEPT if is_keep else Outcome.ALREADY
        if row_print(self.key, held) == before.row:
            return (done, "") if each.effect in {"nothing", "keep_row"} else None
        if not isinstance(each.op.act, Delete) and self._is_final(each, held, before.cells):
            return done, ""
        return Outcome.CONFLICT, "row_changed"

    def _is_final(self, each: PlannedOp, held: Mapping[str, Value], cells: Mapping[str, tuple[str, str]]) -> bool:
        """Whether every touched cell is already what the operation would make of it."""
        fields = self.schema[each.op.ref.collection].fields
        for path in touched(each.op.act):
            was, wanted = cells.get(path, ("", ""))
            now = cell_print(self.key, held.get(path))
            if wanted:
                if now != wanted:
                    return False
                continue
            try:
                token = new_value(each.op.act, fields[path], held.get(path))
            except NotPossible:
                return False
            if now in {was, EMPTY} or not (isinstance(token, Token) and token.fits(held.get(path))):
                return False
        return True

    # --- writing --------------------------------------------------------------------------------------------

    def _defer(self, call: Call) -> None:
        if self.session.brand in {Brand.POSTGRESQL, Brand.ORACLE}:
            self.session.change(call, sa.text("SET CONSTRAINTS ALL DEFERRED"))
        elif self.session.brand is Brand.SQLITE:
            self.session.change(call, sa.text("PRAGMA defer_foreign_keys = ON"))

    def _cut(self, call: Call, todo: Sequence[PlannedOp]) -> None:
        for each in todo:
            name, _, paths = each.effect.partition(":")
            if name == "unlink_then_delete":
                table = self.schema[each.op.ref.collection]
                self._update(call, table, each, dict.fromkeys(paths.split(",")))

    def _group(self, call: Call, group: Sequence[PlannedOp]) -> None:
        table = self.schema[group[0].op.ref.collection]
        if not isinstance(group[0].op.act, Delete):
            for each in group:
                self._change(call, table, each)
            return
        for source, link in inbound(self.schema, table):
            if link.on_delete in SELF_ACTING:
                self._nobody_left(call, group, source, link.fields, link.to_fields)
        where = by_refs(self.speech, table, [each.op.ref for each in group])
        if any(each.effect.startswith("unlink_then_delete") for each in group) and table.collection.no_key:
            raise _Refused(group[0].op.id, "circle")
        gone = self.session.change(call, sa.delete(table.sql).where(where))
        if gone < len(group) or (gone > len(group) and not table.collection.no_key):
            raise _Refused(group[0].op.id, "suppressed")
        for each in group:
            self._note(each, Outcome.DONE, "", tuple(table.fields))

    def _nobody_left(
        self, call: Call, group: Sequence[PlannedOp], source: Table, fields: Sequence[str], to_fields: Sequence[str]
    ) -> None:
        """The store would touch what still points here; the plan knew of nothing, so somebody wrote it since."""
        for each in group:
            held = self._rows[row_name(each.op.ref)]
            same = [
                self.speech.is_same_cell(source, mine, held[theirs])
                for mine, theirs in zip(fields, to_fields, strict=True)
                if held.get(theirs) is not None
            ]
            if len(same) < len(fields):
                continue
            asked = sa.select(sa.literal(1)).select_from(source.sql).where(sa.and_(*same)).limit(1)
            if self.session.run(call, asked):
                raise _Refused(each.op.id, "new_rows", Outcome.CONFLICT)

    def _change(self, call: Call, table: Table, each: PlannedOp) -> None:
        held = self._rows[row_name(each.op.ref)]
        values: dict[str, Value] = {}
        for path in touched(each.op.act):
            value = new_value(each.op.act, table.fields[path], held[path])
            drawn = value.draw() if isinstance(value, Token) else self.speech.stored(value)
            if cell_print(self.key, drawn) != cell_print(self.key, held[path]):
                values[path] = drawn
        if values:
            self._update(call, table, each, values)
        outcome = Outcome.KEPT if isinstance(each.op.act, Keep) else Outcome.DONE
        after = row_print(self.key, {**held, **values})
        self._note(each, outcome, "", tuple(values), after)

    def _update(self, call: Call, table: Table, each: PlannedOp, values: Mapping[str, Value]) -> None:
        sent: dict[Any, Any] = {table.column(path): self._sent(table, path, value) for path, value in values.items()}
        where = by_refs(self.speech, table, [each.op.ref])
        try:
            changed = self.session.change(call, sa.update(table.sql).where(where).values(sent))
        except Terminal as refusal:
            if refusal.code not in {*_SAID_WHEN_TRIED, "bad_value"}:
                raise
            raise _Refused(each.op.id, refusal.code) from None
        if changed < 1 or (changed > 1 and not table.collection.no_key):
            raise _Refused(each.op.id, "suppressed")

    def _sent(self, table: Table, path: str, value: Value) -> Expression:
        field = table.fields[path]
        if value is None:
            return sa.null()
        if field.type is FieldType.ARRAY and self.session.brand is Brand.POSTGRESQL and isinstance(value, list | tuple):
            return self.speech.array(field, value)
        typed = self.speech.typed(field, value)
        return sa.null() if typed is None else typed

    # --- results --------------------------------------------------------------------------------------------

    def _note(
        self, each: PlannedOp, outcome: Outcome, code: str, fields: tuple[str, ...] = (), after: str = ""
    ) -> None:
        self.results[each.op.id] = OpResult(each.op.id, outcome, fields, after, None, code, self._at)

    def _undone(self, culprit: OpId, code: str, outcome: Outcome = Outcome.BLOCKED) -> None:
        """The transaction was rolled back: who broke it is named, the rest may be tried again without it."""
        for each in self._chosen:
            result = self.results.get(each.op.id)
            if each.op.id == culprit:
                self._note(each, outcome, code)
            elif result is None or result.fields:
                self._note(each, Outcome.RETRIABLE, "rolled_back")


class _Refused(Exception):
    """An operation that would break the transaction; all of it is undone."""

    def __init__(self, op: OpId, code: str, outcome: Outcome = Outcome.BLOCKED) -> None:
        super().__init__(code)
        self.op, self.code, self.outcome = op, code, outcome


def _groups(todo: Iterable[PlannedOp], together: int) -> Iterator[list[PlannedOp]]:
    """Runs of deletes in one collection, none of which waits for another of its run; every other operation alone."""
    group: list[PlannedOp] = []
    for each in todo:
        is_delete = isinstance(each.op.act, Delete)
        joins = (
            group
            and is_delete
            and isinstance(group[0].op.act, Delete)
            and group[0].op.ref.collection == each.op.ref.collection
            and len(group) < together
            and not {member.op.id for member in group} & set(each.after)
        )
        if not joins and group:
            yield group
            group = []
        group.append(each)
    if group:
        yield group
