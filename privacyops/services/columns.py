"""What the columns of a store hold: a sample of each is looked at and dropped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from privacyops.domain.classification.kinds import FieldType
from privacyops.domain.classification.scoring import FREE_TEXT, ColumnType, classify
from privacyops.domain.datamap.catalogue import Collection, Field
from privacyops.domain.datamap.platform_columns import told_columns, with_map
from privacyops.domain.record import Value
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreRefused

SAMPLE: Final = 300
_ROWS_A_VALUE: Final = 3
_NEVER: Final = frozenset({FieldType.BOOLEAN, FieldType.BINARY, FieldType.UUID, FieldType.DURATION})


@dataclass(frozen=True, slots=True)
class Typed:
    """One column and what it holds."""

    table: str
    column: str
    found: ColumnType
    texts: tuple[str, ...] = field(default=(), repr=False)
    """Its sampled values where it is free text, to be searched as such and dropped."""


def classify_columns(
    host: ConnectorHost, store: str, regions: tuple[str, ...], sample: int = SAMPLE, *, uses_maps: bool = True,
    bounds: Bounds | None = None,
) -> Iterator[Typed]:  # fmt: skip
    """Every column of every collection, in the catalogue's order. `uses_maps`: the map of a known platform outranks
    what its columns look like. Raises: StoreProblem.
    """
    within = bounds or Bounds()
    catalogue = host.catalogue(store, within)
    told = told_columns([one.name for one in catalogue]) if uses_maps else {}
    for one in catalogue:
        names = [each.path for each in _columns(one)]
        try:
            rows = host.sample(store, one.name, names, sample * _ROWS_A_VALUE, within)
        except StoreRefused:
            for each in _columns(one):
                yield Typed(one.name, each.path, ColumnType(None, 0.0, "not searched: the store refuses to be read"))
            continue
        for each in _columns(one):
            texts = _texts(each, [row.values.get(each.path) for row in rows])[:sample]
            found = with_map(_one(one.name, each, texts, regions), told.get((one.name, each.path)))
            yield Typed(one.name, each.path, found, tuple(texts) if found.category == FREE_TEXT else ())


def _columns(one: Collection) -> Sequence[Field]:
    return [each for each in one.fields if not each.virtual]


def _texts(column: Field, values: Sequence[Value]) -> list[str]:
    if column.type in _NEVER:
        return []
    return list(dict.fromkeys(text for value in values if (text := as_text(value))))


def _one(table: str, column: Field, texts: Sequence[str], regions: tuple[str, ...]) -> ColumnType:
    if column.type in _NEVER:
        return ColumnType(None, 0.0, f"gate: {column.type}")
    return classify(table, column.path, texts, regions)


def as_text(value: Value) -> str | None:
    """A value as it would stand in a file; None where it has no text."""
    if value is None or isinstance(value, bytes | bool):
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
