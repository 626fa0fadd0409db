"""Plan, apply and verify for stores that change one record at a time, each only if it is still as it was read.

What such a store has to offer is `Records`: read one record, write it, delete it, each write tied to what was read.
All the rest is here: blockers, hashes, what was done already, what somebody else changed, and the read-back. There
are no links and no transactions in such a store, so operations stand for themselves.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from privacyops.connector_sdk.connector import Call, Secrets
from privacyops.connector_sdk.effects import NotPossible, Token, new_value, touched
from privacyops.connector_sdk.plan import (
    Act,
    Blocker,
    Check,
    Delete,
    DropPath,
    Expectation,
    Finding,
    Keep,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RemoveElement,
    Tombstone,
    Verdict,
)
from privacyops.connector_sdk.planning import hash_key, kept_or, keyed_hash, made_plan, refuse_stale, result_of
from privacyops.connector_sdk.predicate import split_path
from privacyops.connector_sdk.records import BlobRef, Value
from privacyops.connector_sdk.rowwise.records import Edit, Held, Records, cell_of, without

EMPTY: Final = "-"
DRAWN: Final = "token"
NOTHING: Final = "nothing"


@dataclass(frozen=True)
class Before:
    """`PlannedOp.before`: keyed hashes of the row, of the row without the touched cells, and of each touched cell as it
    was and as it will be (`token`: a value that is drawn when it is written; `-`: empty).
    """

    row: str
    rest: str = ""
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps([self.row, self.rest, self.cells], sort_keys=True, separators=(",", ":"))


def read_before(text: str) -> Before | None:
    """None: not one of ours, or the row was missing when the plan was made."""
    try:
        row, rest, cells = json.loads(text)
        return Before(str(row), str(rest), {name: (str(was), str(then)) for name, (was, then) in cells.items()})
    except (ValueError, TypeError, AttributeError):
        return None


class Rowwise:
    """Planning, applying and reading back over `records`."""

    def __init__(self, records: Records, secrets: Secrets) -> None:
        self._records, self._secrets = records, secrets

    # --- plan -------------------------------------------------------------------------------------------------

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Operations by collection, in the given order. Reads only."""
        key = hash_key(self._secrets)
        planned: list[PlannedOp] = []
        blockers: list[Blocker] = []
        for op in sorted(ops, key=lambda each: each.ref.collection):
            call.check()
            held = self._records.held(call, op.ref)
            before, effect = "", NOTHING
            if held is not None:
                try:
                    seen = self._before(call, key, op.act, held)
                    before, effect = seen.text(), _effect(op.act, seen)
                except NotPossible as why:
                    path = next(iter(touched(op.act)), None)
                    blockers.append(Blocker(why.code, op.ref.collection, path, remedy=why.remedy, op=op.id))
                    effect = "blocked"
            is_final = effect not in {NOTHING, "blocked"}
            planned.append(PlannedOp(op, len(planned), (), before, effect, _TEXTS[effect], is_final))
        return made_plan(planned, blockers)

    def _before(self, call: Call, key: bytes, act: Act, held: Held) -> Before:
        """Raises: NotPossible: the act has no meaning for this record."""
        if isinstance(act, Tombstone):
            raise NotPossible("unsupported", "delete")
        if isinstance(act, Delete):
            return Before(_print(key, held.values))
        cells: dict[str, tuple[str, str]] = {}
        for path in touched(act):
            value = cell_of(held.values, path)
            wanted = self._wanted(call, act, path, held)
            then = DRAWN if isinstance(wanted, Token) else _print(key, wanted)
            if isinstance(wanted, Token) and wanted.fits(value):
                then = _print(key, value)
            cells[path] = (_print(key, value), then)
        return Before(_print(key, held.values), _print(key, _rest(held.values, cells)), cells)

    def _wanted(self, call: Call, act: Act, path: str, held: Held) -> Value | Token:
        value = cell_of(held.values, path)
        if isinstance(value, BlobRef):
            raise NotPossible("too_long", "delete")
        known = self._records.field(call, held, path)
        steps = _steps(act)
        if steps and not isinstance(value, str):
            return without(value, steps)
        wanted = new_value(act, known, value)
        if isinstance(wanted, BlobRef):
            raise NotPossible("type", "use_a_value")
        if wanted is None and not known.nullable:
            raise NotPossible("not_null", "use_constant_or_token")
        return wanted

    # --- apply ------------------------------------------------------------------------------------------------

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId]) -> Iterator[OpResult]:
        """One record after the other, each result once the record stands changed.

        Raises: Terminal: the plan was altered since it was hashed, or is too old.
        """
        refuse_stale(plan)
        key = hash_key(self._secrets)
        blocked = {blocker.op: blocker.code for blocker in plan.blockers if blocker.op is not None}
        for each in plan.ops:
            if only and each.op.id not in only:
                continue
            call.check()
            if each.op.id in blocked:
                yield result_of(each, Outcome.BLOCKED, code=blocked[each.op.id])
                continue
            try:
                yield self._apply(call, key, each)
            except NotPossible as why:
                yield result_of(each, Outcome.FAILED, code=why.code)

    def _apply(self, call: Call, key: bytes, each: PlannedOp) -> OpResult:
        held, seen = self._records.held(call, each.op.ref), read_before(each.before)
        is_delete = isinstance(each.op.act, Delete)
        if held is None:
            is_settled = is_delete or seen is None
            return (
                result_of(each, Outcome.ALREADY) if is_settled else result_of(each, Outcome.CONFLICT, code="row_gone")
            )
        if seen is None:
            return result_of(each, Outcome.CONFLICT, code="row_appeared")
        if not is_delete and self._is_done(call, key, each, seen, held):
            return result_of(each, kept_or(Outcome.ALREADY, each))
        if _print(key, held.values) != seen.row:
            return result_of(each, Outcome.CONFLICT, code="row_changed")
        call.check()
        if is_delete:
            gone = self._records.delete(call, held)
            return result_of(each, Outcome.DONE, tuple(held.values)) if gone else _conflict(each)
        edit = self._edit(call, each.op.act, seen, held)
        if not self._records.write(call, held, edit):
            return _conflict(each)
        changed = tuple(path for path, (was, then) in seen.cells.items() if was != then)
        return result_of(each, kept_or(Outcome.DONE, each), changed)

    def _is_done(self, call: Call, key: bytes, each: PlannedOp, seen: Before, held: Held) -> bool:
        """Whether the record is the planned one with every touched cell as the act leaves it."""
        if _print(key, _rest(held.values, seen.cells)) != seen.rest:
            return False
        for path, (_, then) in seen.cells.items():
            value = cell_of(held.values, path)
            if then != DRAWN:
                if _print(key, value) != then:
                    return False
                continue
            token = new_value(each.op.act, self._records.field(call, held, path), value)
            if not isinstance(token, Token) or not token.fits(value):
                return False
        return True

    def _edit(self, call: Call, act: Act, seen: Before, held: Held) -> Edit:
        sets: dict[str, Value] = {}
        drops: list[tuple[str, tuple[str | int, ...]]] = []
        for path, (was, then) in seen.cells.items():
            if was == then:
                continue
            steps = _steps(act)
            if steps and not isinstance(cell_of(held.values, path), str):
                drops.append((path, steps))
                continue
            wanted = self._wanted(call, act, path, held)
            sets[path] = wanted.draw() if isinstance(wanted, Token) else wanted
        return Edit(sets, tuple(drops))

    # --- verify -----------------------------------------------------------------------------------------------

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """Every check against the record as it stands now."""
        key = hash_key(self._secrets)
        for check in checks:
            call.check()
            held, seen = self._records.held(call, check.ref), read_before(check.before)
            if held is None:
                yield Verdict(check, Finding.GONE)
            elif check.expects is Expectation.GONE:
                yield Verdict(check, Finding.STILL_THERE, tuple(held.values))
            elif seen is None:
                yield Verdict(check, Finding.UNKNOWN, code="no_before")
            else:
                left = tuple(path for path in check.fields or seen.cells if _is_left(key, path, seen, held))
                yield Verdict(check, Finding.STILL_THERE if left else Finding.CHANGED, left)


_TEXTS: Final = {
    NOTHING: "Nothing is left to do to this record.",
    "blocked": "This cannot be done to this record.",
    "delete_row": "Delete the record.",
    "keep_row": "Keep the record, and empty or change some of its cells.",
    "change_cells": "Change cells of the record.",
}


def _effect(act: Act, seen: Before) -> str:
    if isinstance(act, Delete):
        return "delete_row"
    if isinstance(act, Keep):
        return "keep_row"
    return "change_cells" if any(was != then for was, then in seen.cells.values()) else NOTHING


def _is_left(key: bytes, path: str, seen: Before, held: Held) -> bool:
    was, then = seen.cells.get(path, (EMPTY, EMPTY))
    return was not in {then, EMPTY} and _print(key, cell_of(held.values, path)) == was


def _rest(values: Mapping[str, Value], paths: Mapping[str, object]) -> Mapping[str, Value]:
    rest = {name: value for name, value in values.items() if name not in paths}
    for path in paths:
        column, steps = split_path(path)
        if path not in values and steps and rest.get(column) is not None:
            rest[column] = without(rest[column], steps, missing_is_fine=True)
    return {name: value for name, value in rest.items() if value is not None}


def _steps(act: Act) -> tuple[str | int, ...]:
    if isinstance(act, RemoveElement):
        return (act.at,)
    if isinstance(act, DropPath):
        return split_path("_" + act.path if act.path.startswith("$") else f"_$.{act.path}")[1]
    return ()


def _print(key: bytes, value: Value) -> str:
    """An empty cell needs no secret."""
    return EMPTY if value is None else keyed_hash(key, value)[:32]


def _conflict(each: PlannedOp) -> OpResult:
    return result_of(each, Outcome.CONFLICT, code="row_changed")
