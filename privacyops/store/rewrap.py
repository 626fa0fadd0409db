"""What hangs on a key-encryption key: counted and exchanged row by row, wherever a table declares it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, exists, func, literal, select, update

from privacyops.ports.keyring import BY_KEK, kek_head, kek_of
from privacyops.store.tables import every
from privacyops.store.tables.base import metadata
from privacyops.store.tables.sealed import INFO, Sealed
from privacyops.store.uow import Tx

_HEAD_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column whose values a key-encryption key may have sealed, and the place they open at but for the row."""

    table: str
    column: str
    place: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """One value and its row's primary key; `row` is the key as the place of the ciphertext spells it."""

    key: Any
    row: str
    sealed: bytes


def ring_columns() -> Sequence[SealedColumn]:
    """Every column to look after when the key-encryption key changes."""
    found = []
    for name in every.TABLES:
        for column in metadata.tables[name].columns:
            told: Sealed | None = column.info.get(INFO)
            if told is not None and told.by.hangs_on_ring:
                found.append(SealedColumn(name, column.name, told.place or (name, column.name)))
    return found


def count_uses(tx: Tx, one: SealedColumn) -> Mapping[int, int]:
    """How many of the controller's values each version of the key-encryption key holds."""
    table = metadata.tables[one.table]
    head = _head(table.c[one.column])
    query = (
        select(head.label("head"), func.count().label("number"))
        .where(_is_by_kek(table, one), _is_of(tx, table))
        .group_by(head)
    )
    return {kek_of(bytes(row.head)) or 0: row.number for row in tx.run(query)}


def list_old(tx: Tx, one: SealedColumn, newest: int, after: Any, limit: int) -> Sequence[Held]:
    """Values of another version than `newest`, in order of the primary key, past the row `after`."""
    table = metadata.tables[one.table]
    key, value = _key(table), table.c[one.column]
    query = select(key.label("key"), value.label("value")).where(
        _is_by_kek(table, one), _head(value) != literal(kek_head(newest), LargeBinary), _is_of(tx, table)
    )
    if after is not None:
        query = query.where(key > after)
    return [Held(row.key, str(row.key), bytes(row.value)) for row in tx.run(query.order_by(key).limit(limit))]


def exchange(tx: Tx, one: SealedColumn, held: Held, fresh: bytes) -> bool:
    """Put the value anew, if it is still what was read; False: it was changed or destroyed meanwhile, and stays so."""
    table = metadata.tables[one.table]
    value = table.c[one.column]
    met = tx.run(update(table).where(_key(table) == held.key, value == held.sealed).values({one.column: fresh}))
    return met.rowcount == 1


def _key(table: Table) -> Column[Any]:
    (key,) = list(
        table.primary_key.columns
    )  # the tests hold that each of these tables has one, and that places name it
    return key


def _head(value: ColumnElement[bytes]) -> ColumnElement[bytes]:
    return func.substr(value, 1, _HEAD_BYTES, type_=LargeBinary)


def _is_by_kek(table: Table, one: SealedColumn) -> ColumnElement[bool]:
    return func.substr(table.c[one.column], 1, 1, type_=LargeBinary) == literal(BY_KEK, LargeBinary)


def _is_of(tx: Tx, table: Table) -> ColumnElement[bool]:
    """Rows of this controller: others have a service and a key file of their own."""
    if "controller" in table.columns:
        return table.c.controller == tx.controller
    (leads,) = _key(table).foreign_keys
    owner = leads.column.table
    return exists().where(leads.column == _key(table), owner.c.controller == tx.controller)
