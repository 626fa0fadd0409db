"""P14: own settings, colleagues and their roles, keys of shop back ends."""

import hashlib
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages import grants
from privacyops.console.pages.act_page import blank_act
from privacyops.console.pages.release import fresh_factor, needs_code
from privacyops.console.pages.sign_in import codes_view
from privacyops.domain.account.action import SENIOR_ROLES, Action, Role, Scope
from privacyops.domain.account.four_eyes import SINGLE_OPERATOR_WAIT
from privacyops.domain.account.grant import key_matter
from privacyops.domain.account.record import Account, ApiKey
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.domain.catalog.models import models as known_models
from privacyops.kernel.errors import NotFound, Problem, RateLimited, StaleState, Unprocessable
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import account, apikey, invitation, role
from privacyops.services.account import AddressTaken, FactorWrong
from privacyops.services.apikey import Hindrance, KeyMadeBefore, MakerBlocked, ScopesDecided
from privacyops.services.idempotency import Call
from privacyops.services.webhook import subscribing

router: Final = APIRouter()
SETTINGS: Final = "/console/settings"
_NOBODY_YET: Final[dict[str, Any]] = {
    "me": {}, "accounts": [], "waiting": [], "invite": None, "invited": None, "api_keys": [], "create": None,
    "made": None, "about": None, "values": {}, "errors": [],
}  # fmt: skip
_WHY_NOT: Final = {
    Hindrance.MAKER_BLOCKED: "Whoever made this key is blocked; revoke it and make another one.",
    Hindrance.OWN: "You made this key; another officer confirms it.",
    Hindrance.TOO_EARLY: "You made this key; a lone operator confirms it 24 hours later, from",
}
_LICENCES: Final = {
    "CC-BY-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "MIT": ("MIT", "https://opensource.org/license/mit"),
}


@router.get(SETTINGS, **action(Action.ACCOUNT_SELF))
def me(desk: Desk) -> Response:
    """The own account."""
    mine = desk.me.account
    shown = {
        "name": mine.name, "mail": mine.email, "role": _roles(mine), "masked": mine.masks_people,
        "keys": desk.request.cookies.get(desk.door.cookie("keys"), "on") == "on",
        "second_factor": mine.totp_sealed is not None, "recovery_left": account.recovery_codes_left(desk.context),
        "url": f"{SETTINGS}/me", "codes_url": f"{SETTINGS}/recovery-codes",
    }  # fmt: skip
    return _page(desk, "me", me=shown)


@router.post(f"{SETTINGS}/me", **action(Action.ACCOUNT_SELF))
def save_me(desk: Desk) -> Response:
    """Masking with the account, single-key shortcuts with the browser."""
    account.mask_people(desk.context, desk.form.get("masked") == "yes")
    desk.keep("keys", "on" if desk.form.get("keys") == "yes" else "off", days=365)
    return desk.go(SETTINGS, "saved")


@router.get(f"{SETTINGS}/recovery-codes", **action(Action.ACCOUNT_SELF))
def ask_codes(desk: Desk) -> Response:
    """New recovery codes: the old ones stop working."""
    return _codes_page(desk)


@router.post(f"{SETTINGS}/recovery-codes", **action(Action.ACCOUNT_SELF))
def new_codes(desk: Desk) -> Response:
    """The new codes are in this answer and in no other."""
    try:
        fresh_factor(desk)
        codes = account.renew_recovery_codes(desk.context)
    except (FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _codes_page(desk, refusal)
    return desk.page("enrol_totp", codes_view(codes))


@router.get(f"{SETTINGS}/accounts", **action(Action.ACCOUNT_SEE))
def accounts(desk: Desk) -> Response:
    """Everybody who works here."""
    return _accounts_page(desk)


@router.post(f"{SETTINGS}/accounts/invite", **action(Action.ACCOUNT_MANAGE))
def invite(desk: Desk) -> Response:
    """Invite a colleague; the link is in this answer and in no other."""
    form = desk.form
    try:
        roles = frozenset({_role(form.get("role"))})
        added, link = invitation.invite(desk.context, form.get("name"), form.get("mail"), roles)
    except (Unprocessable, AddressTaken) as refusal:
        return _accounts_page(desk, refusal=refusal)
    return _accounts_page(desk, invited={"name": added.name, "url": link})


@router.get(f"{SETTINGS}/accounts/{{account_id}}", **action(Action.ACCOUNT_MANAGE))
def change(desk: Desk, account_id: UUID) -> Response:
    """The roles of one colleague."""
    return _roles_page(desk, _known(desk, account_id))


@router.post(f"{SETTINGS}/accounts/{{account_id}}", **action(Action.ACCOUNT_MANAGE))
def set_roles(desk: Desk, account_id: UUID) -> Response:
    """Change roles; the colleague signs in anew."""
    found = _known(desk, account_id)
    try:
        waits = role.set_roles(desk.context, found.id, _chosen_roles(desk))
    except Unprocessable as refusal:
        return _roles_page(desk, found, refusal)
    return desk.go(f"{SETTINGS}/accounts", "roles_proposed" if waits else "roles_set")


@router.post(f"{SETTINGS}/accounts/{{account_id}}/block", **action(Action.ACCOUNT_MANAGE))
def block(desk: Desk, account_id: UUID) -> Response:
    """The account opens nothing any more."""
    account.disable(desk.context, _known(desk, account_id).id)
    return desk.go(f"{SETTINGS}/accounts", "blocked")


@router.post(f"{SETTINGS}/accounts/{{account_id}}/invitation", **action(Action.ACCOUNT_MANAGE))
def invite_again(desk: Desk, account_id: UUID) -> Response:
    """A new link; the one before stops working."""
    found = _known(desk, account_id)
    link = invitation.renew_invitation(desk.context, found.id)
    return _accounts_page(desk, invited={"name": found.name, "url": link})


@router.get(f"{SETTINGS}/keys", **action(Action.APIKEY_SEE))
def keys(desk: Desk) -> Response:
    """Keys of shop back ends, without their secrets."""
    return _keys_page(desk)


@router.post(f"{SETTINGS}/keys", **action(Action.APIKEY_MANAGE))
def create(desk: Desk) -> Response:
    """A new key; its text is in this answer and in no other. Sent twice, one key is made."""
    form, once = desk.form, desk.form.get("once") or str(uuid4())
    call = Call.of(f"key:{once}"[:128], hashlib.sha256(form.get("name").encode()).digest())
    try:
        fresh_factor(desk)
        scopes = frozenset(_scope(one) for one in form.all("scopes"))
        systems = frozenset(form.all("systems"))
        text = apikey.create(
            desk.context, form.get("name"), scopes, systems=systems, is_live=form.get("test") != "yes", call=call
        )
    except KeyMadeBefore:
        return desk.go(f"{SETTINGS}/keys", "key_made_before")
    except (Unprocessable, FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _keys_page(desk, refusal=refusal)
    waits = next((one.waiting for one in apikey.all_keys(desk.context) if one.public_id in text), frozenset())
    return _keys_page(desk, made={"name": form.get("name"), "secret": text, "waits": ", ".join(sorted(waits))})


@router.post(f"{SETTINGS}/keys/{{key_id}}/revoke", **action(Action.APIKEY_MANAGE))
def revoke(desk: Desk, key_id: UUID) -> Response:
    """The key opens nothing from the next call on. Once revoked, it stays so."""
    try:
        apikey.revoke(desk.context, ApiKeyId(key_id))
    except StaleState:
        known = {one.id: one for one in apikey.all_keys(desk.context)}
        if ApiKeyId(key_id) not in known:
            raise NotFound from None
    return desk.go(f"{SETTINGS}/keys", "revoked")


@router.post(f"{SETTINGS}/keys/{{key_id}}/confirm", **action(Action.APIKEY_CONFIRM))
def confirm_key(desk: Desk, key_id: UUID) -> Response:
    """Agree to exactly what of the key waits. A second click finds it decided."""
    try:
        apikey.confirm(desk.context, ApiKeyId(key_id), desk.form.get("seen"))
    except ScopesDecided:
        return desk.go(f"{SETTINGS}/keys", "key_decided")
    except MakerBlocked:
        return desk.go(f"{SETTINGS}/keys", "key_maker_blocked")
    return desk.go(f"{SETTINGS}/keys", "key_confirmed")


@router.post(f"{SETTINGS}/keys/{{key_id}}/decline", **action(Action.APIKEY_CONFIRM))
def decline_key(desk: Desk, key_id: UUID) -> Response:
    """Say no to what waits. A second click finds it decided."""
    try:
        apikey.decline(desk.context, ApiKeyId(key_id))
    except ScopesDecided:
        return desk.go(f"{SETTINGS}/keys", "key_decided")
    except MakerBlocked:
        return desk.go(f"{SETTINGS}/keys", "key_maker_blocked")
    return desk.go(f"{SETTINGS}/keys", "key_declined")


@router.get(f"{SETTINGS}/about", **action(Action.ACCOUNT_SELF))
def about(desk: Desk) -> Response:
    """What this service is, and whose models it may find names and addresses with."""
    models = [
        {"name": one.name, "note": one.note, "licence": _LICENCES[one.license][0], "url": _LICENCES[one.license][1],
         "extra": one.extra}
        for one in known_models().values()
    ]  # fmt: skip
    return _page(desk, "about", about={"models": models})


def _page(desk: Visit, section: str, status: int = 200, **view: Any) -> Response:
    tabs = [{"label": "Me", "url": SETTINGS, "current": section == "me", "count": None}]
    if desk.may(Action.ACCOUNT_SEE):
        tabs.append({"label": "Accounts", "url": f"{SETTINGS}/accounts", "current": section == "accounts",
                     "count": None})  # fmt: skip
    if desk.may(Action.APIKEY_SEE):
        tabs.append({"label": "API keys", "url": f"{SETTINGS}/keys", "current": section == "keys", "count": None})
    tabs.append({"label": "About", "url": f"{SETTINGS}/about", "current": section == "about", "count": None})
    drawn = {**_NOBODY_YET, "sections": tabs, "section": section, **view}
    return desk.page("settings", drawn, "settings", status)


def _accounts_page(desk: Visit, *, invited: dict[str, str] | None = None, refusal: Problem | None = None) -> Response:
    seen, may_manage = account.last_seen(desk.context), desk.may(Action.ACCOUNT_MANAGE)
    everybody = account.all_accounts(desk.context)
    waiting = grants.waiting(desk, {one.id: one for one in everybody})
    rows = [
        {"id": str(one.id), "name": one.name, "initials": one.initials, "mail": one.email, "role": _roles(one),
         "state": _state(one, one.id in seen), "last_seen": seen.get(one.id), "is_me": one.id == desk.me.account.id,
         "second_factor": one.totp_sealed is not None,
         "change_url": f"{SETTINGS}/accounts/{one.id}" if may_manage and one.id != desk.me.account.id
         and one.disabled_at is None else None}
        for one in everybody
    ]  # fmt: skip
    form = {"url": f"{SETTINGS}/accounts/invite", "roles": shape.options(words.ROLES)} if may_manage else None
    return _page(
        desk, "accounts", _status(refusal), accounts=rows, waiting=waiting, invite=form, invited=invited,
        values=desk.form.values() if refusal else {"role": "analyst"}, errors=_errors(refusal),
    )  # fmt: skip


def _keys_page(desk: Visit, *, made: dict[str, str] | None = None, refusal: Problem | None = None) -> Response:
    may_manage, waiting = desk.may(Action.APIKEY_MANAGE), apikey.waiting(desk.context)
    rows = []
    for one in apikey.all_keys(desk.context):
        over = one.revoked_at is not None or one.expires_at <= desk.now
        rows.append(
            {"id": str(one.id), "name": one.name, "prefix": f"po_{'live' if one.is_live else 'test'}_{one.public_id}",
             "scopes": sorted(one.scopes), "systems": sorted(one.systems),
             "is_live": one.is_live, "made_at": one.created_at, "is_over": over,
             "expires_at": one.expires_at, "waits": _waits(desk, one, waiting[one.id]) if one.id in waiting else None,
             "revoke_url": f"{SETTINGS}/keys/{one.id}/revoke" if may_manage and not over else None}
        )  # fmt: skip
    form = None
    if may_manage:
        form = {"url": f"{SETTINGS}/keys", "once": str(uuid4()), "needs_code": needs_code(desk),
                "scopes": [{"value": str(scope), "label": str(scope), "hint": hint}
                           for scope, hint in words.SCOPES.items()],
                "systems": [one.name for one in subscribing.subscribers(desk.context)]}  # fmt: skip
    many = {name: desk.form.all(name) for name in ("scopes", "systems")}
    values = {**desk.form.values("code"), **many} if refusal else {}
    return _page(
        desk, "keys", _status(refusal), api_keys=rows, create=form, made=made, values=values, errors=_errors(refusal)
    )


def _waits(desk: Visit, key: ApiKey, hindrance: Hindrance | None) -> dict[str, Any]:
    """What of a key waits for an officer, with the buttons of this desk."""
    here, may_confirm = f"{SETTINGS}/keys/{key.id}", desk.may(Action.APIKEY_CONFIRM)
    is_blocked = hindrance is Hindrance.MAKER_BLOCKED
    return {
        "scopes": sorted(key.waiting), "seen": key_matter(key).sha256,
        "why_not": _WHY_NOT[hindrance] if hindrance and (may_confirm or is_blocked) else None,
        "from": key.created_at + SINGLE_OPERATOR_WAIT if hindrance is Hindrance.TOO_EARLY and may_confirm else None,
        "confirm_url": f"{here}/confirm" if may_confirm and hindrance is None else None,
        "decline_url": f"{here}/decline" if may_confirm and not is_blocked else None,
    }  # fmt: skip


def _codes_page(desk: Visit, refusal: Problem | None = None) -> Response:
    fields: list[dict[str, Any]] = []
    if needs_code(desk):
        fields.append({"kind": "code", "name": "code", "label": "Code from your authenticator", "hint": None,
                       "options": [], "optional": False})  # fmt: skip
    view = blank_act("New recovery codes", SETTINGS, f"{SETTINGS}/recovery-codes", [("Settings", SETTINGS)]) | {
        "notices": [{"tone": "warn", "title": "The old codes stop working", "text": "The new ones are shown once."}],
        "question": "Make ten new codes?", "fields": fields, "submit": {"label": "Make new codes", "tone": "primary"},
        "errors": _errors(refusal),
    }  # fmt: skip
    return desk.page("act", view, "settings", _status(refusal))


def _roles_page(desk: Visit, found: Account, refusal: Problem | None = None) -> Response:
    here = f"{SETTINGS}/accounts/{found.id}"
    waits = {key for one in role.open_grants(desk.context) if one.account_id == found.id for key in one.roles}
    chosen = set(desk.form.all("roles")) if refusal else {str(key) for key in found.roles | waits}
    boxes = [{"value": str(key), "label": words.ROLES[key] + (" (waits)" if key in waits else ""),
              "checked": str(key) in chosen} for key in Role]  # fmt: skip
    others = [{"label": "Block account", "url": f"{here}/block", "method": "post", "tone": "bad"}]
    if found.totp_sealed is None:
        others.insert(0, {"label": "New invitation link", "url": f"{here}/invitation", "method": "post"})
    senior = ", ".join(words.ROLES[key] for key in Role if key in SENIOR_ROLES)
    view = blank_act(found.name, f"{SETTINGS}/accounts", here, [("Settings", f"{SETTINGS}/accounts")]) | {
        "notices": [{"tone": "inf", "title": "Some roles need a second person",
                     "text": f"To become {senior}, another administrator or officer confirms it."}],
        "facts_title": "Account", "facts": [{"label": "E-mail", "value": found.email}],
        "question": "What may this colleague do?", "submit": {"label": "Save roles", "tone": "primary"},
        "fields": [{"kind": "checks", "name": "roles", "label": "Roles", "hint": None, "options": boxes,
                    "optional": False}],
        "others": others, "errors": _errors(refusal),
    }  # fmt: skip
    return desk.page("act", view, "settings", _status(refusal))


def _known(desk: Visit, account_id: UUID) -> Account:
    found = next((one for one in account.all_accounts(desk.context) if one.id == account_id), None)
    if found is None:
        raise NotFound
    return found


def _chosen_roles(desk: Visit) -> frozenset[Role]:
    roles = frozenset(_role(one) for one in desk.form.all("roles"))
    if not roles:
        raise Unprocessable("choose at least one role, or block the account")
    return roles


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Unprocessable("choose a role") from None


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise Unprocessable("there is no such scope") from None


def _roles(one: Account) -> str:
    return ", ".join(words.ROLES[key] for key in sorted(one.roles)) or "no role yet"


def _state(one: Account, was_here: bool) -> str:
    if one.disabled_at is not None:
        return "blocked"
    return "active" if was_here or one.totp_sealed is not None else "invited"


def _errors(refusal: Problem | None) -> list[dict[str, str | None]]:
    if refusal is None:
        return []
    if isinstance(refusal, (FactorWrong, StepUpNeeded)):
        text = "Enter the code of your authenticator" if isinstance(refusal, StepUpNeeded) else refusal.title
        return [{"field": "code", "text": text}]
    field = "mail" if isinstance(refusal, AddressTaken) else None
    text = refusal.detail or refusal.title
    return [{"field": field, "text": text[:1].upper() + text[1:]}]


def _status(refusal: Problem | None) -> int:
    return 200 if refusal is None else refusal.status
