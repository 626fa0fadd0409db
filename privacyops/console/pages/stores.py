"""P8: the connected stores and how they are."""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action
from privacyops.services import account, stores

router: Final = APIRouter()
STORES: Final = "/console/stores"
_STATES: Final = {None: "new", "ok": "ok", "degraded": "slow", "down": "failed"}


@router.get(STORES, **action(Action.STORE_SEE))
def show(desk: Desk) -> Response:
    """Every store; secrets are references and never shown."""
    team = account.names(desk.context)
    view = {
        "stores": [_card(desk, one, team) for one in stores.all_stores(desk.context)], "tested": None,
        "settings_file": "stores.toml",
    }  # fmt: skip
    return desk.page("stores", view, "stores")


@router.post(f"{STORES}/{{name}}/look", **action(Action.STORE_MANAGE))
def look(desk: Desk, name: str) -> Response:
    """Open the store, ask how it is, write it down."""
    health = stores.look_again(desk.context, name)
    return desk.go(f"{STORES}", "looked_bad" if health.state == "down" else "looked")


def _card(desk: Visit, one: Any, team: Any) -> dict[str, Any]:
    owner = team.get(one.owner_id) if one.owner_id else None
    return {
        "id": str(one.id), "name": one.title, "kind": one.connector, "owner": owner.name if owner else None,
        "state": _STATES.get(one.health, "failed") if one.is_enabled else "off",
        "note": words.code_text(one.health_code) if one.health_code else "",
        "looked_at": one.health_at, "region": one.config.get("region"),
        "test_url": f"{STORES}/{one.name}/look" if desk.may(Action.STORE_MANAGE) else None,
    }  # fmt: skip
