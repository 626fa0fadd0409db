"""Roles that wait for a second person: shown with the accounts, confirmed or declined there."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action
from privacyops.domain.account.grant import RoleGrant
from privacyops.domain.account.record import Account
from privacyops.kernel.ids import AccountId
from privacyops.services import role
from privacyops.services.role import GrantDecided

router: Final = APIRouter()
ACCOUNTS: Final = "/console/settings/accounts"
_GRANT: Final = "/console/settings/grants/{grant_id}"
_OWN_PROPOSAL: Final = "You proposed it; another person confirms it."
_OWN_ROLE: Final = "It is your own role; another person confirms it."


@router.post(f"{_GRANT}/confirm", **action(Action.ACCOUNT_CONFIRM))
def confirm(desk: Desk, grant_id: UUID) -> Response:
    """Agree to exactly the roles that were seen. A second click finds them confirmed."""
    try:
        role.confirm(desk.context, grant_id, desk.form.get("seen"))
    except GrantDecided as decided:
        if decided.members["state"] != "confirmed":
            raise
    return desk.go(ACCOUNTS, "roles_confirmed")


@router.post(f"{_GRANT}/decline", **action(Action.ACCOUNT_CONFIRM))
def decline(desk: Desk, grant_id: UUID) -> Response:
    """Say no, or take the own proposal back. A second click finds it off."""
    try:
        role.decline(desk.context, grant_id)
    except GrantDecided as decided:
        if decided.members["state"] == "confirmed":
            raise
    return desk.go(ACCOUNTS, "roles_declined")


def waiting(desk: Visit, team: Mapping[AccountId, Account]) -> list[dict[str, Any]]:
    """What waits, with its buttons for this desk."""
    return [_line(desk, one, team) for one in role.open_grants(desk.context)]


def _line(desk: Visit, grant: RoleGrant, team: Mapping[AccountId, Account]) -> dict[str, Any]:
    who, by = team.get(grant.account_id), team.get(grant.proposed_by)
    here = _GRANT.format(grant_id=grant.id)
    own = desk.me.account.id == grant.proposed_by
    why_not = None
    if not role.may_confirm(desk.context.actor, grant) and not (own and desk.context.controller.single_operator):
        why_not = _OWN_PROPOSAL if own else _OWN_ROLE
    return {
        "account_id": str(grant.account_id), "name": who.name if who else "–", "mail": who.email if who else "",
        "roles": ", ".join(words.ROLES[one] for one in sorted(grant.roles)), "by": by.name if by else "–",
        "at": grant.proposed_at, "seen": grant.sha256, "why_not": why_not,
        "confirm_url": f"{here}/confirm" if desk.may(Action.ACCOUNT_CONFIRM) and why_not is None else None,
        "decline_url": f"{here}/decline" if desk.may(Action.ACCOUNT_CONFIRM) else None,
        "decline": "Take back" if own else "Decline",
    }  # fmt: skip
