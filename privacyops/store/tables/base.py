"""The metadata that every table joins, with constraint names fixed before the first of them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, Table
from sqlmodel import SQLModel

metadata: Final = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

APPEND_ONLY: Final[set[str]] = set()
"""Names of the tables that only grow; store/guards.py puts triggers on each."""


def append_only(model: type[SQLModel]) -> type[SQLModel]:
    """Class decorator: the table of `model` accepts INSERT and nothing else."""
    APPEND_ONLY.add(table_of(model).name)
    return model


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a `table=True` class: statements are built on it, rows never become ORM objects."""
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table=True classes
    assert isinstance(table, Table)  # noqa: S101 - narrows the type; a class without a table is a bug here
    return table


def one_of(column: str, values: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """CHECK that `column` holds one of the enum's values: truth stands in the database, not in the mapper.

    Spelled with OR, because SQLite builds a table in memory for an IN, again for every row that is written: six of
    them doubled the time of a row of `consent_state`.
    """
    allowed = " OR ".join(f"{column} = '{value}'" for value in values)
    return CheckConstraint(allowed, name=column)
