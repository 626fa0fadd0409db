"""The stores that the shop connected: how to open them, never their secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, StoreId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.finding import ConnectedStoreRow
from privacyops.store.uow import Tx

_STORE = table_of(ConnectedStoreRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedStore:
    """One store. `config` names secrets by reference (`env:`, `file:`); workers resolve them when they open it.

    `health_setting` is the setting that was refused at the last look, `health_allowed` in words what may stand there.
    """

    id: StoreId
    name: str
    title: str
    connector: str
    config: Mapping[str, Any]
    owner_id: AccountId | None
    is_enabled: bool
    health: str | None
    health_code: str | None
    health_setting: str | None
    health_allowed: str | None
    health_at: Instant | None
    created_at: Instant


def add_store(tx: Tx, name: str, title: str, connector: str, config: Mapping[str, Any]) -> StoreId:
    """Connect a store. Raises: IntegrityError: the name is taken."""
    store = StoreId(uuid7(tx.now))
    tx.run(
        insert(_STORE),
        {"id": store, "controller": tx.controller, "name": name, "title": title, "connector": connector,
         "config": dict(config), "is_enabled": True, "created_at": tx.now},
    )  # fmt: skip
    return store


def list_stores(tx: Tx, *, only_enabled: bool = False) -> Sequence[ConnectedStore]:
    """The controller's stores, by name."""
    query = select(_STORE).where(_STORE.c.controller == tx.controller).order_by(_STORE.c.name).limit(500)
    if only_enabled:
        query = query.where(_STORE.c.is_enabled)
    return [_store(row) for row in tx.run(query)]


def load_store(tx: Tx, name: str) -> ConnectedStore:
    """Raises: NotFound: no store of this name."""
    query = select(_STORE).where(_STORE.c.name == name, _STORE.c.controller == tx.controller)
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return _store(row)


def save_health(
    tx: Tx, name: str, health: str, code: str | None, setting: str | None = None, allowed: str | None = None
) -> None:
    """What the last look at a store said; of a refused setting, which one it was and what is allowed there."""
    statement = update(_STORE).where(_STORE.c.name == name, _STORE.c.controller == tx.controller)
    told = {"health": health, "health_code": code, "health_setting": setting, "health_allowed": allowed}
    tx.run(statement.values(health_at=tx.now, **told))


def save_store(tx: Tx, name: str, **changed: Any) -> None:
    """Change a store. Raises: StaleState: no such store."""
    tx.move(update(_STORE).where(_STORE.c.name == name, _STORE.c.controller == tx.controller).values(**changed))


def _store(row: Row[Any]) -> ConnectedStore:
    return ConnectedStore(
        id=StoreId(row.id), name=row.name, title=row.title, connector=row.connector, config=row.config,
        owner_id=AccountId(row.owner_id) if row.owner_id else None, is_enabled=row.is_enabled, health=row.health,
        health_code=row.health_code, health_setting=row.health_setting, health_allowed=row.health_allowed,
        health_at=row.health_at, created_at=row.created_at,
    )  # fmt: skip
