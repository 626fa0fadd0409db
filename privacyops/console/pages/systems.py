"""Connected systems: who is told of choices, what they confirmed, what is late; connect, switch off, send again."""

import re
from contextlib import suppress
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.console.pages.consent_tabs import CONSENT, SYSTEMS, consent_page
from privacyops.domain.account.action import Action
from privacyops.domain.webhook.delivery import Delivery, DeliveryState
from privacyops.domain.webhook.subscriber import Scheme, Subscriber, SubscriberMalformed, SubscriberState
from privacyops.kernel.errors import NotFound, Problem, StaleState
from privacyops.ports.webhook_sender import SigningKey
from privacyops.services.idempotency import Call
from privacyops.services.webhook import subscribing
from privacyops.services.webhook.subscribing import NameTaken, SecretShownBefore

router: Final = APIRouter()
SHOWN: Final = 100
_ONE: Final = f"{SYSTEMS}/{{id_}}"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TYPE: Final = re.compile(r"[a-z]+(\.[a-z]+)?(\.\*)?")
_MOST_TYPES: Final = 50
_SCHEMES: Final = {
    Scheme.V1: ("Shared secret", "HMAC-SHA256. Every receiver can check it."),
    Scheme.V1A: ("Public key", "Ed25519. The receiver keeps nothing secret."),
}
_WORDS: Final = {
    Scheme.V1: "with a shared secret (HMAC-SHA256)",
    Scheme.V1A: "with a key pair (Ed25519)",
}
_RULES: Final = {
    "gdpr_7_3": "GDPR Art. 7(3)", "gdpr_21_3": "GDPR Art. 21(3)", "ccpa_7026": "CCPA, 11 CCR 7026",
    "can_spam": "CAN-SPAM", "casl": "CASL", "au_spam_act": "Spam Act", "tcpa": "TCPA",
}  # fmt: skip


@router.get(SYSTEMS, **action(Action.WEBHOOK_SEE))
def show(desk: Desk) -> Response:
    """Every system with its state and how much it has not confirmed."""
    numbers = subscribing.tallies(desk.context)
    rows = []
    for one in subscribing.subscribers(desk.context):
        told = numbers.get(one.id)
        rows.append(
            {"name": one.name, "url": f"{SYSTEMS}/{one.id}", "address": one.url, "is_on": _is_on(one),
             "by_hand": one.code == "by_hand", "open": told.open if told else 0,
             "overdue": told.overdue if told else 0, "failed": told.failed if told else 0,
             "last": told.last if told else None}
        )  # fmt: skip
    new = f"{SYSTEMS}/new" if desk.may(Action.WEBHOOK_MANAGE) else None
    return consent_page(desk, "consent_systems", "systems", rows=rows, new_url=new)


@router.get(f"{SYSTEMS}/new", **action(Action.WEBHOOK_MANAGE))
def ask(desk: Desk) -> Response:
    """Which system, and where it listens."""
    return _new_page(desk)


@router.post(f"{SYSTEMS}/new", **action(Action.WEBHOOK_MANAGE))
def connect(desk: Desk) -> Response:
    """Tell it of everything from now on; its signing key is in this answer and in no other. Sent twice, one is made."""
    form = desk.form
    try:
        name, url, types = _name(form.get("name")), form.get("url") or None, _types(form.get("types"))
        one, key = subscribing.subscribe(desk.context, name, url, types, _scheme(desk), _call(desk, "new"))
    except Refused as refusal:
        return _new_page(desk, refusal, refusal.errors)
    except SecretShownBefore:
        return desk.go(SYSTEMS, "secret_shown_before")
    except (NameTaken, SubscriberMalformed) as refusal:
        field = "name" if isinstance(refusal, NameTaken) else "url"
        return _new_page(desk, refusal, [{"field": field, "text": _said(refusal)}])
    return _page(desk, one, made=key)


@router.get(_ONE, **action(Action.WEBHOOK_SEE))
def read(desk: Desk, id_: UUID, view: str = "all") -> Response:
    """One system: how it is told, and each event with what came of it."""
    return _page(desk, _known(desk, id_), is_open=view == "open")


@router.post(f"{_ONE}/disable", **action(Action.WEBHOOK_MANAGE))
def disable(desk: Desk, id_: UUID) -> Response:
    """Send nothing more there. A second click finds it switched off."""
    with suppress(StaleState):
        subscribing.disable(desk.context, id_)
    return desk.go(f"{SYSTEMS}/{id_}", "system_off")


@router.post(f"{_ONE}/enable", **action(Action.WEBHOOK_MANAGE))
def enable(desk: Desk, id_: UUID) -> Response:
    """Go on where it was left. A second click finds it switched on."""
    with suppress(StaleState):
        subscribing.enable(desk.context, id_)
    return desk.go(f"{SYSTEMS}/{id_}", "system_on")


@router.get(f"{_ONE}/rotate", **action(Action.WEBHOOK_MANAGE))
def ask_rotate(desk: Desk, id_: UUID) -> Response:
    """What a new key means."""
    return _rotate_page(desk, _known(desk, id_))


@router.post(f"{_ONE}/rotate", **action(Action.WEBHOOK_MANAGE))
def rotate(desk: Desk, id_: UUID) -> Response:
    """A new signing key, in this answer and in no other. Sent twice, one is made."""
    try:
        key = subscribing.rotate(desk.context, id_, _scheme(desk), _call(desk, str(id_)))
    except Refused as refusal:
        return _rotate_page(desk, _known(desk, id_), refusal, refusal.errors)
    except SubscriberMalformed as refusal:
        return _rotate_page(desk, _known(desk, id_), refusal, [{"field": None, "text": _said(refusal)}])
    except SecretShownBefore:
        return desk.go(f"{SYSTEMS}/{id_}", "secret_shown_before")
    return _page(desk, _known(desk, id_), made=key)


@router.get(f"{_ONE}/replay", **action(Action.WEBHOOK_MANAGE))
def ask_replay(desk: Desk, id_: UUID) -> Response:
    """From which number on."""
    return _replay_page(desk, _known(desk, id_))


@router.post(f"{_ONE}/replay", **action(Action.WEBHOOK_MANAGE))
def replay(desk: Desk, id_: UUID) -> Response:
    """Send again what was sent from a number on. Sent twice, it is done once."""
    one, text = _known(desk, id_), desk.form.get("from_seq")
    if not re.fullmatch(r"[1-9][0-9]{0,15}", text, re.ASCII):
        refusal = Refused(("from_seq", "Enter a number from the list, such as 41"))
        return _replay_page(desk, one, refusal, refusal.errors)
    count = subscribing.replay(desk.context, id_, int(text), _call(desk, f"{id_} {text}"))
    return desk.go(f"{SYSTEMS}/{id_}", "replayed", count)


@router.post(f"{_ONE}/deliveries/{{delivery_id}}/again", **action(Action.WEBHOOK_MANAGE))
def again(desk: Desk, id_: UUID, delivery_id: UUID) -> Response:
    """Send one event again. A second click finds it on its way."""
    subscribing.send_again(desk.context, id_, delivery_id)
    return desk.go(f"{SYSTEMS}/{id_}", "sent_again")


def _page(desk: Visit, one: Subscriber, *, is_open: bool = False, made: SigningKey | None = None) -> Response:
    here, manages, is_on = f"{SYSTEMS}/{one.id}", desk.may(Action.WEBHOOK_MANAGE), _is_on(one)
    told = subscribing.deliveries(desk.context, one.id, is_open=is_open, limit=SHOWN)
    counts = subscribing.tallies(desk.context).get(one.id)
    others: list[dict[str, Any]] = []
    if manages and one.url is not None:
        others += [{"label": "New signing key", "url": f"{here}/rotate", "method": "get"},
                   {"label": "Send again from…", "url": f"{here}/replay", "method": "get"}]  # fmt: skip
    if manages:
        verb, url, tone = ("Switch off", "disable", "bad") if is_on else ("Switch on", "enable", "plain")
        others.append({"label": verb, "url": f"{here}/{url}", "method": "post", "tone": tone})
    view = {
        "name": one.name, "crumbs_url": SYSTEMS, "is_on": is_on, "by_hand": one.code == "by_hand",
        "code": words.code_text(one.code) if one.code else "", "address": one.url, "types": list(one.types),
        "scheme": _WORDS[one.scheme] if one.url else None, "public_key": one.public_key,
        "previous_until": one.previous_until if one.previous_until and one.previous_until > desk.now else None,
        "since": one.created_at, "cursor": one.cursor, "others": others,
        "made": None if made is None else {"secret": made.secret if made.public is None else made.public,
                                           "is_public": made.public is not None},
        "views": [{"label": "All", "url": here, "current": not is_open, "count": None},
                  {"label": "Not confirmed", "url": f"{here}?view=open", "current": is_open,
                   "count": counts.open if counts else 0}],
        "overdue": counts.overdue if counts else 0, "is_open": is_open,
        "rows": [_row(desk, here, one, delivery) for delivery in told], "is_cut": len(told) == SHOWN,
    }  # fmt: skip
    return desk.page("consent_system", view, "consent")


def _row(desk: Visit, here: str, one: Subscriber, it: Delivery) -> dict[str, Any]:
    is_settled = it.state is DeliveryState.ACKNOWLEDGED
    may_again = desk.may(Action.WEBHOOK_MANAGE) and one.url is not None and _is_on(one)
    return {
        "seq": it.seq or None, "type": it.type, "since": it.since, "state": str(it.state), "tries": it.tries,
        "why": words.code_text(it.code) if it.code else "", "acknowledged_at": it.acknowledged_at,
        "due_at": it.due_at, "limit_at": it.limit_at, "rule": _RULES.get(it.rule or "", it.rule or ""),
        "is_late": not is_settled and it.due_at is not None and it.due_at <= desk.now,
        "again_url": f"{here}/deliveries/{it.id}/again"
        if may_again and it.seq and it.state is not DeliveryState.WAITING else None,
    }  # fmt: skip


def _new_page(desk: Visit, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None) -> Response:
    fields = [
        field_("field", "name", "Name", "As your team calls it: small letters, such as mail-tool."),
        field_("field", "url", "Address", "Where it listens, over https. A system without one reads the change feed "
               "and confirms by itself.", optional=True),
        field_("field", "types", "Which events", "Such as consent.withdrawn or consent.*, apart by commas. Left "
               "empty: everything in the log.", optional=True),
        _scheme_field(),
    ]  # fmt: skip
    values = desk.form.values() if refusal else {"scheme": str(Scheme.V1)}
    view = blank_act("Connect a system", SYSTEMS, f"{SYSTEMS}/new", [("Consent", CONSENT), ("Systems", SYSTEMS)]) | {
        "question": "Which system has to know of choices?", "fields": fields, "values": values,
        "hidden": {"once": desk.form.get("once") or str(uuid4())}, "errors": errors or [],
        "submit": {"label": "Connect", "tone": "primary"},
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _rotate_page(
    desk: Visit, one: Subscriber, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    here = f"{SYSTEMS}/{one.id}"
    crumbs = [("Consent", CONSENT), ("Systems", SYSTEMS), (one.name, here)]
    view = blank_act("New signing key", here, f"{here}/rotate", crumbs) | {
        "notices": [{"tone": "inf", "title": "Both keys sign for a day",
                     "text": "Give the new one to the system within this time. Then the old one ends."}],
        "question": "Make a new signing key?", "fields": [_scheme_field()], "errors": errors or [],
        "values": desk.form.values() if refusal else {"scheme": str(one.scheme)},
        "hidden": {"once": desk.form.get("once") or str(uuid4())},
        "submit": {"label": "Make a new key", "tone": "primary"},
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _replay_page(
    desk: Visit, one: Subscriber, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    here = f"{SYSTEMS}/{one.id}"
    crumbs = [("Consent", CONSENT), ("Systems", SYSTEMS), (one.name, here)]
    hint = "The number stands in the first column of the list. At most a thousand events are sent."
    view = blank_act("Send again", here, f"{here}/replay", crumbs) | {
        "notices": [{"tone": "inf", "title": "The same ids and bodies as before",
                     "text": "A receiver that keeps the ids it has seen loses nothing by it. What is older than a "
                             "week is in the snapshot of the change feed."}],
        "question": "From which number on?", "fields": [field_("field", "from_seq", "Number", hint)],
        "values": desk.form.values(), "hidden": {"once": desk.form.get("once") or str(uuid4())},
        "errors": errors or [], "submit": {"label": "Send again", "tone": "primary"},
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _known(desk: Visit, id_: UUID) -> Subscriber:
    found = next((one for one in subscribing.subscribers(desk.context) if one.id == id_), None)
    if found is None:
        raise NotFound
    return found


def _is_on(one: Subscriber) -> bool:
    return one.state is SubscriberState.ACTIVE


def _scheme_field() -> dict[str, Any]:
    chosen = field_("choices", "scheme", "How messages are signed")
    chosen["options"] = [{"value": str(key), "label": label, "hint": hint} for key, (label, hint) in _SCHEMES.items()]
    return chosen


def _scheme(desk: Visit) -> Scheme:
    try:
        return Scheme(desk.form.get("scheme"))
    except ValueError:
        raise Refused(("scheme", "Choose how messages are signed")) from None


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise Refused(("name", "Small letters, digits, dots, dashes and underscores, such as mail-tool"))
    return text


def _types(text: str) -> list[str]:
    types = [one for one in re.split(r"[\s,;]+", text) if one]
    if len(types) > _MOST_TYPES or not all(_TYPE.fullmatch(one) for one in types):
        raise Refused(("types", "Enter types such as consent.withdrawn or consent.*, apart by commas"))
    return list(dict.fromkeys(types))


def _call(desk: Visit, about: str) -> Call:
    """The form that was drawn, as an idempotency key: sent twice, it counts once."""
    fields = sorted((name, value) for name, value in desk.form.values().items() if name != "once")
    return Call.of(f"console:{desk.form.get('once') or uuid4()}"[:128], repr((about, fields)).encode())


def _said(refusal: Problem) -> str:
    text = words.code_text(refusal.detail or refusal.title)
    return text[:1].upper() + text[1:]
