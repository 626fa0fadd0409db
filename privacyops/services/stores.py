"""The shop's stores: connect one, look how it is, tell a worker how to open it."""

from collections.abc import Mapping
from typing import Any

from privacyops.domain.account.action import Action
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import AccountId, StoreId
from privacyops.ports.connector_host import Bounds, StoreConfig, StoreHealth, StoreMisconfigured, StoreProblem
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import account as accounts
from privacyops.store import stores
from privacyops.store.stores import ConnectedStore
from privacyops.store.uow import Tx


class StoreNameTaken(Conflict):
    type = "/problems/store-name-taken"
    title = "A store of this name is connected already"


@use_case(Action.STORE_MANAGE)
def connect(ctx: Context, tx: Tx, title: str, config: StoreConfig) -> StoreId:
    """Connect a store. Secrets stay references; nothing is opened here. Raises: StoreNameTaken."""
    if any(one.name == config.name for one in stores.list_stores(tx)):
        raise StoreNameTaken
    store = stores.add_store(tx, config.name, title, config.connector, _kept(config))
    record(ctx, tx, "store.connect", "store", store, connector=config.connector)
    return store


@use_case(Action.STORE_MANAGE)
def give_owner(ctx: Context, tx: Tx, name: str, account: AccountId | None) -> None:
    """Who answers the tasks of a store; None: the analysts. The same owner again changes nothing.

    Raises: NotFound: no such store or account. Unprocessable: the account is blocked.
    """
    store = stores.load_store(tx, name)
    if account is not None and accounts.load_account(tx, account).disabled_at is not None:
        raise Unprocessable("this account is blocked")
    if store.owner_id == account:
        return
    stores.save_store(tx, name, owner_id=account)
    record(ctx, tx, "store.give_owner", "store", store.id, owner=str(account or ""))


@reading(Action.STORE_SEE)
def all_stores(ctx: Context, tx: Tx) -> tuple[ConnectedStore, ...]:
    """Every store, by name."""
    return tuple(stores.list_stores(tx))


def config_of(ctx: Context, name: str) -> StoreConfig:
    """How a worker opens a store. Raises: NotFound."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return _config(stores.load_store(tx, name))


def look(ctx: Context, name: str) -> StoreHealth:
    """Open a store, ask how it is and write that down; a store that does not answer is down, with its code."""
    host = ctx.ports.connectors([config_of(ctx, name)])
    try:
        health = host.health(name, Bounds(seconds=10.0))
    except StoreMisconfigured as wrong:
        health = StoreHealth("down", code=wrong.code, setting=wrong.setting, allowed=wrong.allowed)
    except StoreProblem as problem:
        health = StoreHealth("down", code=problem.code)
    finally:
        host.close()
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        told = (health.setting[:64] or None, health.allowed[:300] or None)
        stores.save_health(tx, name, health.state, health.code or None, *told)
    return health


@use_case(Action.STORE_MANAGE)
def _looked(ctx: Context, tx: Tx, name: str, state: str) -> None:
    record(ctx, tx, "store.look", "store", stores.load_store(tx, name).id, state=state)


@reading(Action.STORE_MANAGE)
def _require_store(ctx: Context, tx: Tx, name: str) -> None:
    stores.load_store(tx, name)


def look_again(ctx: Context, name: str) -> StoreHealth:
    """As `look`, asked for by a person who may manage stores. Raises: Forbidden, NotFound."""
    _require_store(ctx, name)
    health = look(ctx, name)
    _looked(ctx, name, str(health.state))
    return health


def _kept(config: StoreConfig) -> Mapping[str, Any]:
    return {
        "config": dict(config.config), "budget": dict(config.budget), "region": config.region,
        "salts": list(config.salts), "map": dict(config.map) if config.map else None,
        "distribution": config.distribution, "policy": dict(config.policy) if config.policy else None,
    }  # fmt: skip


def _config(store: ConnectedStore) -> StoreConfig:
    kept = store.config
    return StoreConfig(
        name=store.name, connector=store.connector, config=kept["config"], budget=kept["budget"],
        region=kept["region"], salts=tuple(kept["salts"]), map=kept["map"], distribution=kept["distribution"],
        policy=kept.get("policy"),
    )  # fmt: skip
