"""Which cells of another's row name the subject, and what takes the subject out of each: unlink, redact, drop, remove.

Nothing else of the row is touched: not the rest of a text, not the other elements of a list.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.annotate import as_document, values_at
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType
from privacyops.domain.datamap.link import Link
from privacyops.domain.erasure.cells import choices
from privacyops.domain.erasure.operation import Act, Constant, DropPath, RedactSpan, RemoveElement, Set, Unlink
from privacyops.domain.finding.model import Finding, FindingTier, SearchState
from privacyops.domain.finding.subject import StoreSettings, meetings
from privacyops.domain.finding.text import subject_spans
from privacyops.domain.predicate import column_of
from privacyops.domain.record import Value, dashed, spelled

_SHORTEST: Final = 3
"""Letters below which a value is no name to look for in a text."""
_IDENTITY: Final = (Category.EMAIL, Category.EMAIL_DIGEST, Category.PHONE, Category.FULL_NAME, Category.LOGIN)


@dataclass(frozen=True, slots=True)
class Pointed:
    """The ways of each cell, best first; `stuck` are links whose cell cannot be emptied, so their target must stay."""

    ways: Mapping[str, tuple[Act, ...]]
    stuck: tuple[Link, ...]


def pointed(finding: Finding, drawn: DataMap, state: SearchState, settings: StoreSettings) -> Pointed:
    """What can be done about the cells that name the subject in a row that is another's."""
    one = drawn.collection(finding.collection)
    ways: dict[str, tuple[Act, ...]] = {}
    stuck: list[Link] = []
    for cell in finding.fields:
        held, column = finding.values.get(cell), one.field(cell)
        if held is None or column is None:
            continue
        links = [link for link in _links(one, cell, drawn) if _keys(link, state) & _spelled_at(link, finding.values)]
        if isinstance(as_document(held), Mapping | tuple | list):
            found = _in_document(one, column, held, links, finding, state, settings)
        elif links:
            found = _unlink(column, links, stuck)
        else:
            found = _in_text(one, column, held, finding, state, settings)
        if found:
            ways[cell] = found
    return Pointed(ways, tuple(stuck))


def _links(one: Collection, cell: str, drawn: DataMap) -> Iterator[Link]:
    for link in drawn.links:
        if link.collection == one.name and link.usable and not link.by_value and column_of(link.fields[0]) == cell:
            yield link


def _keys(link: Link, state: SearchState) -> frozenset[str]:
    return frozenset(
        spelled(taken.values[link.to_fields[0]])
        for taken in state.taken.values()
        if taken.tier is FindingTier.OWNED
        and taken.ref.collection == link.to
        and taken.values.get(link.to_fields[0]) is not None
    )


def _spelled_at(link: Link, row: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(
        form for value in values_at(link.fields[0], row) for form in {spelled(value), dashed(spelled(value))}
    )


def _unlink(column: Field, links: Sequence[Link], stuck: list[Link]) -> tuple[Act, ...]:
    """The cell emptied, or set to the value that a configured link says points at nobody (a guest's 0)."""
    if column.nullable:
        return (Unlink(column.path),)
    guest = [value for link in links for value in link.without]
    if guest:
        return tuple(Unlink(column.path, _typed(column, value)) for value in guest)
    stuck.extend(links)
    return ()


def _typed(column: Field, text: str) -> Value:
    numeric = column.type in {FieldType.INTEGER, FieldType.NUMBER} and text.lstrip("-").isdigit()
    return int(text) if numeric else text


def _in_text(
    one: Collection, column: Field, held: Value, finding: Finding, state: SearchState, settings: StoreSettings
) -> tuple[Act, ...]:
    spans = tuple((span.start, span.end) for span in finding.spans if span.field == column.path and span.end)
    if isinstance(held, str) and column.category not in _IDENTITY:
        every = (*spans, *subject_spans(held, state.identifiers, settings, state.shared_phones))
        if every:
            return (RedactSpan(column.path, joined(every)),)
    return tuple(Set({column.path: choice}) for choice in choices(column))


def joined(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The spans in order, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


# --- documents and lists ------------------------------------------------------------------------------------------


def _in_document(
    one: Collection, column: Field, held: Value, links: Sequence[Link], finding: Finding, state: SearchState,
    settings: StoreSettings,
) -> tuple[Act, ...]:  # fmt: skip
    keys = {(link.fields[0], key) for link in links for key in _keys(link, state)}
    met = {each.field.path for each in meetings(one, finding.values, state.identifiers, settings)}
    document = as_document(held)
    hit: list[tuple[tuple[str | int, ...], Value]] = []
    for steps, leaf in _leaves((), document):
        path = _general(column.path, steps)
        mine = (path, spelled(leaf)) in keys or (column.path, spelled(leaf)) in keys
        text = spelled(leaf)
        if path in met and not mine:
            alone = {path: leaf} if path != column.path else {column.path: (leaf,)}
            mine = bool(meetings(one, alone, state.identifiers, settings))
        if not mine and isinstance(leaf, str):
            mine = bool(subject_spans(text, state.identifiers, settings, state.shared_phones))
        if mine:
            hit.append((steps, leaf))
    if not hit:
        return ()
    if isinstance(held, str):
        return _in_spelled_document(column, held, hit, document)
    if len(hit) == 1:
        steps = hit[0][0]
        if len(steps) == 1 and isinstance(steps[0], int):
            return (RemoveElement(column.path, steps[0]),)
        return (DropPath(column.path, _written(steps)),)
    return (Set({column.path: Constant(_without(document, [steps for steps, _ in hit]))}),)


def _in_spelled_document(
    column: Field, held: str, hit: Sequence[tuple[tuple[str | int, ...], Value]], document: Value
) -> tuple[Act, ...]:
    """A document kept as text: the leaf goes; failing that its letters are blacked out where they stand."""
    ways: list[Act] = []
    if len(hit) == 1:
        ways.append(DropPath(column.path, _written(hit[0][0])))
    spans = []
    for _, leaf in hit:
        text = json.dumps(leaf, ensure_ascii=False)
        text = text[1:-1] if isinstance(leaf, str) else text
        if len(text) >= _SHORTEST:
            at = held.find(text)
            while at >= 0:
                spans.append((at, at + len(text)))
                at = held.find(text, at + len(text))
    if spans:
        ways.append(RedactSpan(column.path, joined(spans)))
    if len(hit) > 1:
        bare = _without(document, [steps for steps, _ in hit])
        ways.append(Set({column.path: Constant(json.dumps(bare, ensure_ascii=False, default=str))}))
    return tuple(ways)


def _leaves(at: tuple[str | int, ...], value: Value) -> Iterator[tuple[tuple[str | int, ...], Value]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves((*at, name), part)
    elif isinstance(value, tuple | list):
        for index, part in enumerate(value):
            yield from _leaves((*at, index), part)
    elif value is not None:
        yield at, value


def _general(column: str, steps: Sequence[str | int]) -> str:
    """The field path of the data map: positions as `[*]`; an element of a plain array is the column itself."""
    if len(steps) == 1 and isinstance(steps[0], int):
        return column
    return f"{column}${''.join('[*]' if isinstance(step, int) else _step(step) for step in steps)}"


def _written(steps: Sequence[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else _step(step) for step in steps)


def _step(name: str) -> str:
    plain = name and not any(sign in name for sign in '.[]"')
    return f".{name}" if plain else f".{json.dumps(name)}"


def _without(document: Value, paths: Sequence[tuple[str | int, ...]]) -> Value:
    """The document without these leaves."""
    gone = set(paths)

    def kept(at: tuple[str | int, ...], value: Value) -> Value:
        if isinstance(value, Mapping):
            return {name: kept((*at, name), part) for name, part in value.items() if (*at, name) not in gone}
        if isinstance(value, tuple | list):
            return tuple(kept((*at, index), part) for index, part in enumerate(value) if (*at, index) not in gone)
        return value

    return kept((), document)
