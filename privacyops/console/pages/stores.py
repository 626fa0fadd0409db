"""P8: the connected stores and how they are."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import store_words, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action, Role
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId
from privacyops.services import account, stores

router: Final = APIRouter()
STORES: Final = "/console/stores"
_ANSWERS: Final = frozenset({Role.DPO, Role.ANALYST, Role.STORE_OWNER})
_STATES: Final = {None: "new", "ok": "ok", "degraded": "slow", "down": "failed"}


@router.get(STORES, **action(Action.STORE_SEE))
def show(desk: Desk) -> Response:
    """Every store; secrets are references and never shown."""
    team = account.names(desk.context)
    view = {
        "stores": [_card(desk, one, team) for one in stores.all_stores(desk.context)], "tested": None,
        "owners": _owners(desk),
    }  # fmt: skip
    return desk.page("stores", view, "stores")


@router.post(f"{STORES}/{{name}}/look", **action(Action.STORE_MANAGE))
def look(desk: Desk, name: str) -> Response:
    """Open the store, ask how it is, write it down."""
    health = stores.look_again(desk.context, name)
    return desk.go(f"{STORES}", "looked_bad" if health.state == "down" else "looked")


@router.post(f"{STORES}/{{name}}/owner", **action(Action.STORE_MANAGE))
def own(desk: Desk, name: str) -> Response:
    """Say who answers a store's tasks; blank is nobody in particular."""
    chosen = next((value for field, value in desk.form if field.startswith("owner-")), "")
    known = {str(one) for one in account.names(desk.context)}
    if chosen and chosen not in known:
        raise NotFound
    stores.give_owner(desk.context, name, AccountId(UUID(chosen)) if chosen else None)
    return desk.go(STORES, "owner_given")


def _owners(desk: Visit) -> list[dict[str, str]]:
    """Colleagues who may answer tasks, by name."""
    every = account.names(desk.context).items()
    able = [(one.name, str(id_)) for id_, one in every if one.disabled_at is None and _ANSWERS & one.roles]
    return [{"value": value, "label": name} for name, value in sorted(able)]


def _card(desk: Visit, one: Any, team: Any) -> dict[str, Any]:
    owner = team.get(one.owner_id) if one.owner_id else None
    return {
        "id": str(one.id), "name": one.title, "kind": words.connector(one.connector),
        "owner": owner.name if owner else None,
        "state": _STATES.get(one.health, "failed") if one.is_enabled else "off",
        "note": store_words.blamed(one.health_code, one.health_setting, one.health_allowed),
        "looked_at": one.health_at, "region": one.config.get("region"),
        "map_url": f"{STORES}/{one.name}/map" if desk.may(Action.DATAMAP_SEE) else None,
        "test_url": f"{STORES}/{one.name}/look" if desk.may(Action.STORE_MANAGE) else None,
        "owner_url": f"{STORES}/{one.name}/owner" if desk.may(Action.STORE_MANAGE) else None,
        "owner_id": str(one.owner_id or ""),
    }  # fmt: skip
