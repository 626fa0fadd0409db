"""What is intended for each row, and the operations that follow from it. An intent only ever gets milder.

DELETE: the row goes. STAY: something else needs it, so it stays without the person. KEEP: a policy retains it. POINT:
it is another's row, of which some cells go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import EXPANDS, Collection, Field
from privacyops.domain.erasure.cells import choices, is_telling, telling_cells
from privacyops.domain.erasure.operation import Act, Delete, Keep, Null, Op, Replacement, Set, act_name, touched
from privacyops.domain.record import RowRef, Value, is_empty

NEEDED: Final = "needed_by_another"
"""Why a row stays that the person does not own alone: another's row points at it."""


class Stance(StrEnum):
    """See the module."""

    DELETE = "delete"
    STAY = "stay"
    KEEP = "keep"
    POINT = "point"


@dataclass(frozen=True, slots=True, repr=False)
class Intent:
    """One row. `values` are its filled cells as they were found.

    `tries` counts for each cell the choices that the store refused; `left` are cells that cannot be changed, with the
    code why. `ways` are the acts a pointing cell may take, best first. `kept` are the cells a policy keeps (None: those
    that say nothing of a person). `ties` are the keys of rows of the same dealing that are kept too.
    """

    ref: RowRef
    stance: Stance
    values: Mapping[str, Value]
    why: str = "by_default"
    until: date | None = None
    kept: frozenset[str] | None = None
    repeats: tuple[str, ...] = ()
    ties: frozenset[str] = frozenset()
    ways: Mapping[str, tuple[Act, ...]] = field(default_factory=dict)
    tries: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Intent({self.ref!r}, {self.stance.value})"


def operations(intents: Iterable[Intent], drawn: DataMap) -> tuple[Op, ...]:
    """The operations of all intents. A row with several acts that only set cells gets one operation."""
    return tuple(op for one in intents for op in _operations(one, drawn))


def _operations(one: Intent, drawn: DataMap) -> Iterator[Op]:
    if one.stance is Stance.DELETE:
        yield _op(one, Delete())
    elif one.stance is Stance.KEEP:
        yield _op(one, Keep(one.why, one.until, dict(_cut(one, drawn))))
    elif one.stance is Stance.STAY:
        cut = dict(_cut(one, drawn))
        yield _op(one, Set(cut) if cut else Keep(NEEDED))
    else:
        acts = [act for act in (_way(one, cell) for cell in one.ways) if act is not None]
        if any(isinstance(act, Delete) for act in acts):
            yield _op(one, Delete())
            return
        plain = {cell: value for act in acts if isinstance(act, Set) for cell, value in act.fields.items()}
        if plain:
            yield _op(one, Set(plain))
        yield from (_op(one, act) for act in acts if not isinstance(act, Set))


def _op(one: Intent, act: Act) -> Op:
    where = ".".join(sorted(touched(act))) if one.stance is Stance.POINT else ""
    return Op(f"{one.ref.id}:{act_name(act)}{':' if where else ''}{where}", one.ref, act, one.why)


def _way(one: Intent, cell: str) -> Act | None:
    ways, at = one.ways[cell], one.tries.get(cell, 0)
    return None if cell in one.left or at >= len(ways) else ways[at]


def _cut(one: Intent, drawn: DataMap) -> Iterator[tuple[str, Replacement]]:
    for cell in cut_cells(one, drawn):
        possible, at = choices_of(one, cell, drawn), one.tries.get(cell.path, 0)
        if cell.path not in one.left and at < len(possible):
            yield cell.path, possible[at]


def choices_of(one: Intent, cell: Field, drawn: DataMap) -> tuple[Replacement, ...]:
    """What a cell of a row that stays may become. A key of another row is emptied or left, never made up."""
    if cell.path in link_cells(drawn.collection(one.ref.collection), drawn):
        return (Null(),)
    return choices(cell)


def is_only_a_key(one: Intent, path: str, drawn: DataMap) -> bool:
    """Whether the cell says nothing but which other row belongs to this one: where it has to stay, it leads to a row
    that stays without the person too.
    """
    collection = drawn.collection(one.ref.collection)
    cell = collection.field(path)
    return path in link_cells(collection, drawn) and cell is not None and not is_telling(cell)


def cut_cells(one: Intent, drawn: DataMap) -> Iterator[Field]:
    """The filled cells of a row that stays which have to go, whether or not the store lets them."""
    collection = drawn.collection(one.ref.collection)
    wanted = {each.path for each in telling_cells(collection)} | set(one.repeats)
    keys = link_cells(collection, drawn)
    for each in collection.fields:
        if each.virtual or each.generated or each.path in collection.key or is_empty(one.values.get(each.path)):
            continue
        if each.path in one.ties:
            continue
        if each.path in keys:
            if each.nullable and (keys[each.path] or one.kept is not None) and not _is_kept(one, each):
                yield each
        elif one.kept is not None:
            optional = each.nullable and each.path != collection.soft_delete
            if not _is_kept(one, each) and (optional or is_telling(each) or each.path in one.repeats):
                yield each
        elif each.path in wanted:
            yield each


def _is_kept(one: Intent, cell: Field) -> bool:
    return one.kept is not None and cell.path in one.kept


def link_cells(one: Collection, drawn: DataMap) -> dict[str, bool]:
    """The columns that hold keys of other rows, and whether what they lead to may be a person's."""
    found: dict[str, bool] = {}
    for link in drawn.links:
        if link.collection == one.name and not link.by_value and link.usable:
            personal = drawn.collection(link.to).cls in EXPANDS
            for path in link.fields:
                found[path] = found.get(path, False) or personal
    valued = one.named[1:]  # a column of named values holds a key in some of its rows only
    return {
        path: personal
        for path, personal in found.items()
        if path not in valued and (held := one.field(path)) and not held.virtual
    }
