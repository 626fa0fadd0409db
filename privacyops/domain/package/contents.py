"""What goes into the answer package, and what of it may be seen.

Writers never touch a raw value: they read `shown(...)`, which has already removed redacted spans and the values
of elements that are stated as held only. So a value that must not leave cannot be forgotten in one of four formats.

Source: GDPR Art. 15(3), 15(4), 20; Cal. Code Regs. tit. 11 s. 7024(d) for the elements that are never disclosed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from privacyops.domain.answer import Art15Facts, Authority, Controller, Exclusion, SearchedStore, UnreachedStore
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Unprocessable

Value: TypeAlias = (
    bool
    | int
    | float
    | Decimal
    | str
    | bytes
    | datetime
    | date
    | time
    | Sequence["Value"]
    | Mapping[str, "Value"]
    | None
)
Path: TypeAlias = tuple[str | int, ...]


class PackageKind(StrEnum):
    """ACCESS is everything about the person (Art. 15); PORTABILITY what the person provided (Art. 20)."""

    ACCESS = "access"
    PORTABILITY = "portability"


class FieldKind(StrEnum):
    """What a column is declared to hold; the JSON Schema says it, the values prove it."""

    TEXT = "text"
    NUMBER = "number"
    MOMENT = "moment"
    DAY = "day"
    YES_NO = "yes_no"
    BINARY = "binary"
    NESTED = "nested"


class Element(StrEnum):
    """Kinds of value that can do harm when they leak, so that an answer may have to say "held" instead."""

    CARD_NUMBER = "card_number"
    PASSWORD = "password"  # noqa: S105 - the name of an element, not a password
    SECURITY_ANSWER = "security_answer"
    ACCESS_SECRET = "access_secret"  # noqa: S105 - as above: tokens and keys of the person's account
    NATIONAL_ID = "national_id"
    BIOMETRIC = "biometric"
    DRIVER_LICENSE = "driver_license"
    FINANCIAL_ACCOUNT = "financial_account"
    HEALTH_INSURANCE = "health_insurance"


ALWAYS_HELD: Final = frozenset(
    {
        Element.CARD_NUMBER,
        Element.PASSWORD,
        Element.SECURITY_ANSWER,
        Element.ACCESS_SECRET,
        Element.NATIONAL_ID,
        Element.BIOMETRIC,
    }
)
"""Never disclosed under any law."""
HELD_IN_US: Final = ALWAYS_HELD | {Element.DRIVER_LICENSE, Element.FINANCIAL_ACCOUNT, Element.HEALTH_INSURANCE}
"""Cal. Code Regs. tit. 11 s. 7024(d); Minn. Stat. 325M.14."""


class RedactionMissesItsTarget(Unprocessable):
    type = "/problems/redaction-misses-its-target"
    title = "A redaction names a field or a span that the record does not have"


class ColumnUnknown(Unprocessable):
    type = "/problems/package-column-unknown"
    title = "A record has a field that its collection does not declare"


class RecordsChanged(Conflict):
    type = "/problems/package-records-changed"
    title = "The records changed while the package was being built; build it again"


class PackageUnfinished(Conflict):
    type = "/problems/package-unfinished"
    title = "The package has not been read to its end, so nothing is known of it yet"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a collection as the person reads it.

    `codes` explains coded values ("2": "shipped"); `provided` marks what the person provided (Art. 20);
    `term` is its schema.org property; `element` says that the values are of a kind that may be held only.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    meaning: str = ""
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    element: Element | None = None
    provided: bool = False
    term: str = ""


@dataclass(frozen=True, slots=True)
class Redaction:
    """A removal: the span `start` to `end` (characters) of the text at `path` inside `field`.

    Without `end` the whole value goes. `label` stands in its place ("[Person B]"), `code` is its ground.
    """

    field: str
    label: str
    code: str
    start: int = 0
    end: int | None = None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One found record; `key` is its own key in the store."""

    key: str
    values: Mapping[str, Value]
    redactions: tuple[Redaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Records of one table, folder or endpoint. `records` is read several times: each reading starts anew and
    gives the same records in the same order, so a tuple fits and a generator does not. `term` is a schema.org type.
    """

    key: str
    label: str
    columns: tuple[Column, ...]
    records: Iterable[Record]
    about: str = ""
    term: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """One connected system; people read "system"."""

    key: str
    label: str
    collections: tuple[Collection, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was found. `open` starts a new reading in chunks; `name` is shown as text, never as a path."""

    name: str
    media_type: str
    store: str
    open: Callable[[], Iterable[bytes]]
    about: str = ""


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the consent history, for the receipt in the manner of ISO/IEC TS 27560."""

    event_id: str
    purpose: str
    state: str
    at: Instant
    channel: str
    notice: str
    text_shown: str = ""


@dataclass(frozen=True, slots=True)
class PackageContents:
    """All that a package is made of. The same contents give the same bytes, so no clock is read anywhere below.

    `created_at` is the moment the answer was fixed; `zone` the IANA name in which people read times;
    `part` is (number, of how many) where a large answer is cut by store.
    """

    reference: str
    kind: PackageKind
    subject: str
    language: str
    controller: Controller
    authority: Authority
    received_on: date
    created_at: Instant
    zone: str
    stores: tuple[Store, ...]
    searched: tuple[SearchedStore, ...]
    unreached: tuple[UnreachedStore, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    facts: Art15Facts | None = None
    attachments: tuple[Attachment, ...] = ()
    consents: tuple[ConsentEntry, ...] = ()
    held: frozenset[Element] = ALWAYS_HELD
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it may be seen. `held` names the element that stays inside; `codes` say why text is missing."""

    value: Value
    held: Element | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record after redaction; `cells` has the order of the columns."""

    key: str
    cells: tuple[tuple[Column, Cell], ...]


def columns_for(kind: PackageKind, collection: Collection) -> tuple[Column, ...]:
    """The columns that belong into a package of this kind: all of them, or those the person provided."""
    if kind is PackageKind.ACCESS:
        return collection.columns
    return tuple(column for column in collection.columns if column.provided)


def shown(record: Record, columns: Sequence[Column], held: frozenset[Element], known: frozenset[str]) -> ShownRecord:
    """`record` with redacted spans removed and held elements reduced to the statement that they are held.

    `known` are the names of all columns of the collection, of which `columns` may be a part.

    Raises: ColumnUnknown: the record has a field outside `known`, which would vanish in silence.
    Raises: RedactionMissesItsTarget: a redaction fits nowhere, so something meant to go would stay.
    """
    if unknown := record.values.keys() - known:
        raise ColumnUnknown(fields=sorted(unknown))
    by_field: dict[str, list[Redaction]] = {}
    for redaction in record.redactions:
        if redaction.field not in record.values:
            raise RedactionMissesItsTarget(field=redaction.field)
        by_field.setdefault(redaction.field, []).append(redaction)
    cells = []
    for column in columns:
        value = record.values.get(column.name)
        if column.element in held:
            cells.append((column, Cell(None, held=column.element if value not in (None, "") else None)))
            continue
        redactions = by_field.get(column.name, [])
        cell = Cell(redacted(value, redactions), codes=tuple(sorted({one.code for one in redactions})))
        cells.append((column, cell))
    return ShownRecord(record.key, tuple(cells))


def shown_records(contents: PackageContents, collection: Collection) -> Iterator[ShownRecord]:
    """Every record of `collection` as this package may show it, one at a time."""
    columns = columns_for(contents.kind, collection)
    known = frozenset(column.name for column in collection.columns)
    for record in collection.records:
        yield shown(record, columns, contents.held, known)


def redacted(value: Value, redactions: Sequence[Redaction]) -> Value:
    """`value` with every redaction applied; labels stand where content was.

    Spans that overlap are removed as one and carry the label of the first.

    Raises: RedactionMissesItsTarget: a path or a span lies outside the value.
    """
    by_path: dict[Path, list[Redaction]] = {}
    for one in redactions:
        by_path.setdefault(one.path, []).append(one)
    # The deepest path first: a redaction of the whole value must not hide that a deeper one misses its target.
    for path in sorted(by_path, key=len, reverse=True):
        value = _at(value, path, by_path[path])
    return value


def _at(value: Value, path: Path, redactions: Sequence[Redaction]) -> Value:
    if not path:
        return _cut(value, redactions)
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping) and isinstance(step, str) and step in value:
        return {**value, step: _at(value[step], rest, redactions)}
    if isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value):
        return [*value[:step], _at(value[step], rest, redactions), *value[step + 1 :]]
    raise RedactionMissesItsTarget(field=redactions[0].field)


def _cut(value: Value, redactions: Sequence[Redaction]) -> Value:
    for one in redactions:
        if one.end is None:
            return one.label
        if not isinstance(value, str) or not 0 <= one.start < one.end <= len(value):
            raise RedactionMissesItsTarget(field=one.field)
    text, parts, position = str(value), [], 0
    for start, end, label in _merged(redactions):
        parts += [text[position:start], label]
        position = end
    return "".join([*parts, text[position:]])


def _merged(redactions: Sequence[Redaction]) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for one in sorted(redactions, key=lambda each: (each.start, each.end or 0)):
        end = one.end or 0
        if spans and one.start < spans[-1][1]:
            start, last, label = spans[-1]
            spans[-1] = (start, max(last, end), label)
        else:
            spans.append((one.start, end, one.label))
    return spans


def parts_by_store(contents: PackageContents) -> tuple[PackageContents, ...]:
    """The same answer as one package a store, for answers that are too large for one file.

    Every part lists all that was searched and withheld; consents go with the first part, files with their store.
    """
    total = len(contents.stores)
    if total < 2:
        return (contents,)
    first = contents.stores[0].key
    known = {store.key for store in contents.stores}
    return tuple(
        replace(
            contents,
            stores=(store,),
            attachments=tuple(
                one
                for one in contents.attachments
                if one.store == store.key or (store.key == first and one.store not in known)
            ),
            consents=contents.consents if number == 1 else (),
            part=(number, total),
        )
        for number, store in enumerate(contents.stores, start=1)
    )
