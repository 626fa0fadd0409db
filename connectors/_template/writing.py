"""The template's writing half: plan reads, apply is one transaction, verify reads again."""

import json
from collections.abc import Iterator, Mapping, Sequence

from connectors._template.memory import Cells, Server, pointing
from connectors._template.store import TemplateStore, number_of
from privacyops.connector_sdk import (
    Blocker,
    Call,
    Check,
    Delete,
    DropPath,
    Expectation,
    Finding,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RemoveElement,
    Terminal,
    Tombstone,
    Value,
    Verdict,
)
from privacyops.connector_sdk.effects import NotPossible, Token, new_value, touched
from privacyops.connector_sdk.planning import hash_key, kept_or, keyed_hash, made_plan, refuse_stale, result_of


class WritingStore(TemplateStore):
    """The whole store. Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        server = self.server(call)
        if any(isinstance(op.act, Tombstone | DropPath | RemoveElement) for op in ops):
            raise Terminal("unsupported")
        going = {(op.ref.collection, number_of(op.ref)) for op in ops if isinstance(op.act, Delete)}
        blockers: list[Blocker] = []
        for op in ops:
            blockers.extend(self._blockers(server, op, going))
        # a child's collection has links, its parent's has fewer: enough for a template, a real store sorts by rows
        ordered = sorted(ops, key=lambda op: (isinstance(op.act, Delete), -len(self._links(server, op)), op.id))
        planned = tuple(self._planned(server, op, at) for at, op in enumerate(ordered))
        return made_plan(planned, blockers)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the plan's hash and the operation name a write for good; the page does not matter here
        if not self._may_write:
            raise Terminal("unsupported")
        refuse_stale(plan)
        server = self.server(call)
        results: list[OpResult] = []
        with server.transaction():
            for each in plan.ops:
                if not only or each.op.id in only:
                    call.check()
                    call.spend(requests=1)
                    results.append(self._do(server, plan, each))
            call.check()  # a worker that lost its lease must not commit
        yield from results

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        server = self.server(call)
        for check in checks:
            cells = server.tables[check.ref.collection].rows.get(number_of(check.ref))
            if cells is None:
                yield Verdict(check, Finding.GONE)
            elif check.expects is Expectation.GONE:
                yield Verdict(check, Finding.STILL_THERE, tuple(cells))
            else:
                before: dict[str, str] = json.loads(check.before)["cells"] if check.before else {}
                same = tuple(path for path in check.fields if self._print(cells[path]) == before.get(path) != "-")
                yield Verdict(check, Finding.STILL_THERE if same else Finding.CHANGED, same)

    # --- inside ---------------------------------------------------------------------------------------------

    def _blockers(self, server: Server, op: Op, going: set[tuple[str, int]]) -> Iterator[Blocker]:
        name, table = op.ref.collection, server.tables[op.ref.collection]
        cells = table.rows.get(number_of(op.ref))
        if cells is None:
            return
        if isinstance(op.act, Delete):
            for source, number, link in pointing(server, name, cells):
                if (source, number) not in going:
                    yield Blocker("restrict", source, link.fields[0], link.name, "keep_and_unlink", op.id)
        for path in touched(op.act):
            field = next(field for field in table.fields if field.path == path)
            try:
                value = new_value(op.act, field, cells[path])
            except NotPossible as reason:
                yield Blocker(reason.code, name, path, None, reason.remedy, op.id)
                continue
            if value is None and not field.nullable:
                yield Blocker("not_null", name, path, None, "use_constant_or_token", op.id)

    def _planned(self, server: Server, op: Op, order: int) -> PlannedOp:
        cells = server.tables[op.ref.collection].rows.get(number_of(op.ref))
        before = "" if cells is None else self._before(op, cells)
        effect = "delete_row" if isinstance(op.act, Delete) else "change_cells"
        text = f"{op.ref.collection} {{id}}: {effect} {', '.join(touched(op.act))}"
        return PlannedOp(op, order, (), before, effect, text, irreversible=True)

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        name = f"{plan.hash}:{each.op.id}"
        blocker = next((blocker for blocker in plan.blockers if blocker.op == each.op.id), None)
        cells = server.tables[each.op.ref.collection].rows.get(number_of(each.op.ref))
        if blocker is not None:
            return result_of(each, Outcome.BLOCKED, code=blocker.code)
        if name in server.seen or (cells is None and isinstance(each.op.act, Delete)):
            return result_of(each, Outcome.ALREADY)
        if cells is None or self._before(each.op, cells) != each.before:
            return result_of(each, Outcome.CONFLICT, code="row_changed")
        server.seen.add(name)
        if isinstance(each.op.act, Delete):
            del server.tables[each.op.ref.collection].rows[number_of(each.op.ref)]
            return result_of(each, Outcome.DONE, tuple(cells))
        changed = self._change(server, each, cells)
        return result_of(each, kept_or(Outcome.DONE, each), changed)

    def _change(self, server: Server, each: PlannedOp, cells: Cells) -> tuple[str, ...]:
        table = server.tables[each.op.ref.collection]
        changed = []
        for field in table.fields:
            if field.path in touched(each.op.act):
                value = new_value(each.op.act, field, cells[field.path])
                drawn = value.draw() if isinstance(value, Token) else value
                if drawn != cells[field.path]:
                    cells[field.path] = drawn
                    changed.append(field.path)
        return tuple(changed)

    def _links(self, server: Server, op: Op) -> Sequence[object]:
        return server.tables[op.ref.collection].links

    def _before(self, op: Op, cells: Mapping[str, Value]) -> str:
        prints = {path: self._print(cells[path]) for path in touched(op.act)}
        return json.dumps({"row": self._print(tuple(cells.items())), "cells": prints}, sort_keys=True)

    def _print(self, value: Value) -> str:
        """An empty cell needs no secret. The host gives `hash_key` where the card has it among the secret fields."""
        return "-" if value is None else keyed_hash(hash_key(self._secrets), value)
