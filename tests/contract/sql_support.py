"""Opening stores and asking them, for the SQL connector's own tests."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connectors.sql import connector
from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import EVERY_ROW, Collection, Hit, Json, Predicate
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy, catalogue_of, hits_of


def store_at(url: str, *, write: bool = False, **config: Json) -> SqlStore:
    secrets = GivenSecrets({"url": url, "hash_key": "a-key-of-this-test"})
    return connector.open({"name": "shop", "write": write, **config}, secrets)


def execute(url: str, *statements: str) -> None:
    """Statements past the connector, each as it stands."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def collection_of(store: SqlStore, name: str) -> Collection:
    return catalogue_of(store)[name]


def found(store: SqlStore, name: str, where: Predicate = EVERY_ROW, fields: Sequence[str] = ()) -> list[Hit]:
    return hits_of(store, name, where, fields=fields, spy=Spy(seconds=60))
