"""The demo's front door and the switch between its two people. In production both answer that they know nothing."""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import PUBLIC, Visit, Visitor, action, own_path
from privacyops.domain.account.action import Role
from privacyops.domain.account.record import Account
from privacyops.kernel.errors import NotFound
from privacyops.services import account

router: Final = APIRouter()
SWITCH: Final = "/console/demo/switch"
_WHAT: Final = {
    Role.ANALYST: "Takes requests in, proves identity, decides on records.",
    Role.APPROVER: "Looks at what others prepared and lets it go.",
    Role.DPO: "May do both, but never on the same request.",
    Role.ADMIN: "Connects stores and manages accounts; sees no customer.",
}


@router.get("/console/demo", **action(PUBLIC))
def enter(visit: Visitor) -> Response:
    """Who to be."""
    view = {
        "users": [_user(one) for one in _people(visit)], "switch_url": SWITCH, "portal_url": "/privacy",
        "inbox_url": "/demo/inbox",
    }  # fmt: skip
    return visit.page("demo", view)


@router.post(SWITCH, **action(PUBLIC))
def switch(visit: Visitor) -> Response:
    """Become one of the demo's people, without factors. The service refuses outside of a demo."""
    chosen = next((one.email for one in _people(visit) if str(one.id) == visit.form.get("user")), "")
    before = visit.signed_in
    signed_in = account.switch_demo_user(visit.context, chosen)
    if before is not None:
        account.sign_out(visit.context, before)
    visit.adopt(signed_in)
    return visit.go(own_path(visit.form.get("back")))


def _people(visit: Visit) -> list[Account]:
    if not visit.context.controller.is_demo:
        raise NotFound
    known = account.names(visit.context).values()
    return [one for one in known if one.is_demo and one.disabled_at is None]


def _user(one: Account) -> dict[str, Any]:
    what = next((text for role, text in _WHAT.items() if role in one.roles), "")
    role = ", ".join(words.ROLES[role] for role in sorted(one.roles))
    return {"id": str(one.id), "name": one.name, "initials": one.initials, "role": role, "what": what}
