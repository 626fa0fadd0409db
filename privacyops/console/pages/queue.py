"""P2: the queue, its views, finding a request, taking several on; and filing what came by phone or letter."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.domain.identity.email import normal_email
from privacyops.kernel.errors import NotFound, Problem, Unprocessable
from privacyops.kernel.ids import AccountId
from privacyops.services import account
from privacyops.services.dsar import handling, intake, listing, people
from privacyops.services.idempotency import Call

router: Final = APIRouter()
REQUESTS: Final = shape.REQUESTS
_PAGE: Final = 50
_MOST_AT_ONCE: Final = 100
_CHANNELS: Final = {str(channel): words.CHANNELS[channel] for channel in words.TYPED_CHANNELS}
_RESIDENCES: Final = {
    "DE": "Germany", "AT": "Austria", "CH": "Switzerland", "FR": "France", "NL": "Netherlands", "BE": "Belgium",
    "IT": "Italy", "ES": "Spain", "PL": "Poland", "SE": "Sweden", "DK": "Denmark", "IE": "Ireland",
    "GB": "United Kingdom", "US-CA": "California", "US": "another US state", "BR": "Brazil",
}  # fmt: skip


@router.get(REQUESTS, **action(Action.DSAR_LIST))
def show(desk: Desk, view: str = "all", after: str | None = None) -> Response:
    """One page of one view; view and page are in the address, people never are."""
    page = listing.list_view(desk.context, view, after, _PAGE)
    next_url = f"{REQUESTS}?view={view}&after={page.next}" if page.next else None
    drawn = _view(desk, view, page.items) | {
        "page": shape.one_page(len(page.items), after, next_url, f"{REQUESTS}?view={view}")
    }
    if desk.is_fragment:
        return desk.part("queue", "list", drawn)
    return desk.page("queue", drawn, "requests")


@router.post(f"{REQUESTS}/search", **action(Action.DSAR_LIST))
def search(desk: Desk) -> Response:
    """By number or e-mail address. What was typed stays out of every address."""
    wanted = desk.form.get("q")
    if "@" in wanted:
        found = people.find_by_address(desk.context, wanted)
        if len(found) == 1:
            return desk.go(shape.url_of(found[0]))
    else:
        try:
            return desk.go(shape.url_of(listing.by_reference(desk.context, wanted)))
        except NotFound:
            found = ()
    drawn = _view(desk, "", found) | {
        "search": wanted, "page": shape.one_page(len(found), None, None, REQUESTS), "bulk": None,
        "filters": [{"label": "Search", "remove_url": REQUESTS}], "clear_url": REQUESTS,
        "empty": {"title": "Nothing found", "text": "Numbers and e-mail addresses are compared exactly.",
                  "action": {"label": "Show all open requests", "url": REQUESTS}},
    }  # fmt: skip
    return desk.page("queue", drawn, "requests")


@router.post(f"{REQUESTS}/bulk", **action(Action.DSAR_ASSIGN))
def bulk(desk: Desk) -> Response:
    """Assign, or dismiss what is unverified; never a decision. Each request counts for itself, some may stay."""
    chosen = desk.form.all("chosen")[:_MOST_AT_ONCE]
    back = f"{REQUESTS}?view={_view_key(desk.form.get('view'))}"
    if not chosen:
        return desk.go(back, "none_chosen")
    if desk.form.get("action") == "dismiss":
        return desk.go(back, "dismissed_some", sum(_dismissed(desk, one) for one in chosen))
    return desk.go(back, "assigned_some", sum(_assigned(desk, one) for one in chosen))


@router.get(f"{REQUESTS}/new", **action(Action.DSAR_INTAKE))
def new(desk: Desk) -> Response:
    """The form for what reached the company on another way."""
    today = shape.today_of(desk.now, desk.context.controller.zone).isoformat()
    return _new_page(desk, {"received": today, "source": "email", "type": "access"}, str(uuid4()))


@router.post(f"{REQUESTS}/new", **action(Action.DSAR_INTAKE))
def file(desk: Desk) -> Response:
    """File it. The clock starts on the day of receipt. Sent twice, it is filed once."""
    once = desk.form.get("once") or str(uuid4())
    try:
        submission = _submission(desk)
        receipt = intake.submit(desk.context, submission, Call.of(f"console:{once}"[:128], _hashed(desk)))
    except Unprocessable as refusal:
        return _new_page(desk, desk.form.values(), once, refusal)
    return desk.go(f"{REQUESTS}/{receipt.reference}", "filed")


def _view(desk: Visit, view: str, dsars: Sequence[Dsar]) -> dict[str, Any]:
    ctx, zone = desk.context, desk.context.controller.zone
    counts = listing.count_views(ctx)
    shown = people.people_of(ctx, dsars, masks=desk.masks)
    team = account.names(ctx)
    may_assign = desk.may(Action.DSAR_ASSIGN)
    _, title, text = words.VIEWS.get(view, words.VIEWS["all"])
    return {
        "views": [
            {"label": words.VIEWS[key][0], "count": None if key == "closed" else counts[key], "current": key == view,
             "url": REQUESTS if key == "all" else f"{REQUESTS}?view={key}"}
            for key in words.VIEWS
        ],
        "filters": [], "clear_url": None, "sorted_by": "Sorted by safe date, soonest first", "search": "",
        "rows": [shape.line(one, shown.get(one.id), team, desk.now, zone, may_assign=may_assign) for one in dsars],
        "bulk": _bulk(view) if may_assign and view != "closed" else None,
        "empty": {"title": title, "text": text,
                  "action": None if view == "all" else {"label": "Show all open requests", "url": REQUESTS}},
        "as_of": None,
    }  # fmt: skip


def _bulk(view: str) -> dict[str, Any]:
    actions = [{"label": "Assign to me", "value": "assign", "tone": "plain"}]
    if view == "unverified":
        actions.append({"label": "Dismiss as spam", "value": "dismiss", "tone": "bad"})
    return {"url": f"{REQUESTS}/bulk", "view": view, "actions": actions}


def _view_key(text: str) -> str:
    return text if text in words.VIEWS else "all"


def _assigned(desk: Visit, reference: str) -> bool:
    try:
        handling.assign(desk.context, listing.by_reference(desk.context, reference).id, _me(desk))
    except Problem:
        return False
    return True


def _dismissed(desk: Visit, reference: str) -> bool:
    try:
        handling.dismiss(desk.context, listing.by_reference(desk.context, reference).id, "dismissed as spam in bulk")
    except Problem:
        return False
    return True


def _me(desk: Visit) -> AccountId:
    return desk.me.account.id


def _hashed(desk: Visit) -> bytes:
    told = sorted(f"{name}={value}" for name, value in desk.form if name not in {"csrf", "once"})
    return hashlib.sha256("\n".join(told).encode()).digest()


def _submission(desk: Visit) -> intake.Submission:
    form, wrong = desk.form, []
    email = normal_email(form.get("email"))
    if email is None:
        wrong.append(("email", "Enter an e-mail address such as name@example.com; the answer is announced there"))
    if form.get("source") not in _CHANNELS:
        wrong.append(("source", "Choose how it came"))
    if form.get("type") not in set(RequestType):
        wrong.append(("type", "Choose what is asked for"))
    received = _day(form.get("received"))
    today = shape.today_of(desk.now, desk.context.controller.zone)
    if received is None:
        wrong.append(("received", "Enter the day it reached the company"))
    elif received > today:
        wrong.append(("received", "This day lies in the future"))
    if wrong or received is None:
        raise Refused(*wrong)
    return intake.Submission(
        type=RequestType(form.get("type")), channel=Channel(form.get("source")), language=form.get("language") or "en",
        residence=form.get("residence") if form.get("residence") in _RESIDENCES else None,
        received_at=_moment(desk, received, today),
        requester=Requester(
            email=form.get("email"), name=form.get("name"), order_number=form.get("other"), message=_told(desk),
        ),
    )  # fmt: skip


def _told(desk: Visit) -> str:
    behalf = desk.form.get("on_behalf")
    return f"{desk.form.get('note')}\n\nOn behalf of: {behalf}".strip() if behalf else desk.form.get("note")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _moment(desk: Visit, received: date, today: date) -> datetime | None:
    """The day's first second at the establishment: the cautious reading; today means now."""
    if received == today:
        return None
    zone = ZoneInfo(desk.context.controller.zone)
    return datetime.combine(received, time(0, 0, 1), tzinfo=zone).astimezone(ZoneInfo("UTC"))


def _new_page(desk: Visit, values: dict[str, str], once: str, refusal: Problem | None = None) -> Response:
    errors = refusal.errors if isinstance(refusal, Refused) else []
    if refusal is not None and not errors:
        errors = [{"field": None, "text": refusal.detail if refusal.detail else refusal.title}]
    languages = {tag: words.LANGUAGES.get(tag, tag) for tag in desk.context.controller.languages}
    view = {
        "action": f"{REQUESTS}/new", "once": once, "sources": shape.options(_CHANNELS),
        "types": shape.options(words.TYPES), "residences": shape.options(_RESIDENCES),
        "languages": shape.options(languages), "values": values, "errors": errors,
        "today": shape.today_of(desk.now, desk.context.controller.zone).isoformat(),
    }  # fmt: skip
    return desk.page("new_request", view, "requests", 200 if refusal is None else refusal.status)
