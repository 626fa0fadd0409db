"""What a store's blockers change: each remedy makes an intent milder, so that planning comes to an end.

RESTRICT from a stranger's row turns a delete into keep-and-unlink; a cell that refuses a value gets the next choice;
what has no remedy stays blocked and is said so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.intent import NEEDED, Intent, Stance, choices_of, is_only_a_key, operations
from privacyops.domain.erasure.operation import Blocker, Op

_ROW_STAYS: Final = frozenset({"restrict", "cascade_outside", "circle", "stays"})
_NEXT_CHOICE: Final = frozenset(
    {"not_null", "check", "check_unproven", "enum", "too_long", "type", "unique", "no_such_parent", "template",
     "unsupported_replacement", "bad_value", "spelling", "span", "path", "element", "format", "earlier_state"}
)  # fmt: skip
_CELL_STAYS: Final = frozenset({"generated", "unknown_field", "not_settable"})


@dataclass(frozen=True, slots=True)
class Remedied:
    """The intents after the blockers; `open` are blockers without a remedy; `changed`: it has to be planned again."""

    intents: tuple[Intent, ...]
    open: tuple[Blocker, ...]
    changed: bool


def remedied(intents: Sequence[Intent], blockers: Iterable[Blocker], drawn: DataMap) -> Remedied:
    """Applies what helps against each blocker. Deterministic; the order of the blockers does not matter."""
    by_op: dict[str, int] = {op.id: at for at, one in enumerate(intents) for op in operations([one], drawn)}
    after = list(intents)
    unresolved: list[Blocker] = []
    moved: dict[int, set[str]] = {}
    for blocker in sorted(blockers, key=_order):
        at = by_op.get(blocker.op or "")
        if at is None:
            unresolved.append(blocker)
            continue
        new = _milder(after[at], intents[at], blocker, drawn, moved.setdefault(at, set()))
        if new is None:
            unresolved.append(blocker)
        else:
            after[at] = new
    return Remedied(tuple(after), tuple(unresolved), tuple(after) != tuple(intents))


def _milder(now: Intent, then: Intent, blocker: Blocker, drawn: DataMap, moved: set[str]) -> Intent | None:
    """The intent after one blocker; None: there is no remedy. A cell moves on once a round, however many object."""
    if blocker.code in _ROW_STAYS:
        if then.stance is not Stance.DELETE:
            return None
        return replace(now, stance=Stance.STAY, why=NEEDED) if now.stance is Stance.DELETE else now
    cell = blocker.field or (next(iter(then.ways), None) if len(then.ways) == 1 else None)
    if then.stance is Stance.DELETE or cell is None:
        return None
    if cell in moved:
        return now
    if blocker.code in _CELL_STAYS:
        moved.add(cell)
        return replace(now, left={**now.left, cell: blocker.code})
    if blocker.code not in _NEXT_CHOICE:
        return None
    moved.add(cell)
    at = now.tries.get(cell, 0) + 1
    if at >= _ways(now, cell, drawn):
        return None if cell in now.left else replace(now, left={**now.left, cell: blocker.code})
    return replace(now, tries={**now.tries, cell: at})


def _ways(one: Intent, cell: str, drawn: DataMap) -> int:
    if one.stance is Stance.POINT:
        return len(one.ways.get(cell, ()))
    field = drawn.collection(one.ref.collection).field(cell)
    return len(choices_of(one, field, drawn)) if field is not None else 0


def _order(blocker: Blocker) -> tuple[str, str, str, str]:
    return blocker.op or "", blocker.code, blocker.field or "", blocker.constraint or ""


def left_cells(intents: Iterable[Intent], drawn: DataMap) -> Mapping[str, Mapping[str, str]]:
    """By row id the cells of rows that stay which were to be emptied and cannot be, with the code why."""
    found = {}
    for one in intents:
        left = {path: code for path, code in one.left.items() if not is_only_a_key(one, path, drawn)}
        if left and one.stance is not Stance.POINT:
            found[one.ref.id] = left
    return found


def given_up(intents: Iterable[Intent]) -> tuple[tuple[Op, str], ...]:
    """What was to be done to cells of rows and is refused in every way: the last way, and the code why."""
    return tuple(
        (Op(f"{one.ref.id}:refused:{cell}", one.ref, one.ways[cell][-1], one.why), code)
        for one in intents
        if one.stance is Stance.POINT
        for cell, code in one.left.items()
        if one.ways.get(cell)
    )
