"""P3, one request: its page, the preview of what was found, decisions on records, what is written to the customer."""

import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from privacyops.console import shape
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.request_view import RequestFace, group_id, group_of
from privacyops.console.pages.watching import watch_of
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.run import Decision
from privacyops.kernel.errors import NotFound, Problem, Unprocessable
from privacyops.kernel.ids import FindingId
from privacyops.services import account
from privacyops.services.dsar import listing, opening, reply, review
from privacyops.services.dsar.opening import FoundGroup, OpenedRequest
from privacyops.services.idempotency import Call

router: Final = APIRouter()
PAGE: Final = f"{shape.REQUESTS}/{{reference}}"
_RECORDS: Final = 20
_CAN: Final = {
    "assign": Action.DSAR_ASSIGN, "identity": Action.DSAR_IDENTITY, "ask": Action.DSAR_ASK,
    "search": Action.DSAR_SEARCH, "review": Action.DSAR_REVIEW, "letter": Action.DSAR_LETTER,
    "approve": Action.DSAR_APPROVE, "release": Action.DSAR_RELEASE, "close": Action.DSAR_CLOSE,
    "task": Action.TASK_LIST, "answer": Action.DSAR_ANSWER,
    "extend": Action.DSAR_EXTEND, "dismiss": Action.DSAR_DISMISS, "return": Action.DSAR_RETURN,
    "fee": Action.DSAR_COUNTERSIGN, "redact": Action.DSAR_REDACT,
}  # fmt: skip


@router.get(PAGE, **action(Action.DSAR_OPEN))
def show(desk: Desk, reference: str, open: str = "", after: str = "") -> Response:  # noqa: A002 - the name in the address
    """The request. `open` names the group whose records are shown; each opening is recorded."""
    return draw(desk, reference, open, after)


@router.post(f"{PAGE}/show-person", **action(Action.DSAR_OPEN))
def show_person(desk: Desk, reference: str) -> Response:
    """Show a masked person once, on the next page; that page records it."""
    return desk.go(f"{shape.REQUESTS}/{listing.by_reference(desk.context, reference).reference}", "shown")


@router.post(f"{PAGE}/decide", **action(Action.DSAR_REVIEW))
def decide(desk: Desk, reference: str, group: str, after: str = "") -> Response:
    """Give or leave out one record, or all of a group. `after` names the page of the preview, to come back to it."""
    form = desk.form
    if form.get("decision") not in {Decision.INCLUDE, Decision.EXCLUDE}:
        raise Unprocessable("choose to give or to leave out")
    decision = Decision(form.get("decision"))
    opened = opening.open_request(desk.context, reference, masks=True)
    found = group_of(opened.groups, group)
    if found is None:
        raise NotFound
    one = _finding_id(form.get("finding"))
    count = review.decide(
        desk.context, opened.dsar.id, decision, store=found.store, collection=found.collection, finding=one,
        reason=form.get("reason") or None,
    )  # fmt: skip
    if count == 0:
        raise NotFound
    changes, gives = opened.dsar.rule.changes_stores, decision is Decision.INCLUDE
    flash = ("planned" if gives else "kept_out") if changes else ("given" if gives else "left_out")
    here = f"?{urlencode({'open': group, 'after': after} if after else {'open': group})}"
    place = f"{here}#finding-{one}" if one else next_place(opened.groups, found, f"{here}#preview")
    return desk.go(f"{shape.url_of(opened.dsar)}{place}", flash, count)


@router.post(f"{PAGE}/message", **action(Action.DSAR_LETTER))
def message(desk: Desk, reference: str) -> Response:
    """Write to the customer. Sent twice, it is written once."""
    dsar, once = listing.by_reference(desk.context, reference), desk.form.get("once") or str(uuid4())
    text = desk.form.get("message")
    call = Call.of(f"message:{once}"[:128], hashlib.sha256(text.encode()).digest())
    try:
        reply.write_to_customer(desk.context, dsar.id, text, call)
    except Unprocessable as refusal:
        return draw(desk, reference, "", "", refusal, "message")
    return desk.go(f"{shape.url_of(dsar)}", "sent")


def next_place(groups: Sequence[FoundGroup], decided: FoundGroup, here: str) -> str:
    """Where the reviewer goes on after all of a group: the next undecided group; the list when that was the last;
    the page as it was, `here`, where all had been decided before.
    """
    if not decided.undecided:
        return here
    at = groups.index(decided)
    rest = [one for one in (*groups[at + 1 :], *groups[:at]) if one.undecided]
    return f"?open={group_id(rest[0].store, rest[0].collection)}#preview" if rest else "#found"


def draw(
    desk: Visit, reference: str, open_: str, after: str, refusal: Problem | None = None, field: str | None = None
) -> Response:
    """The page, with a refused form filled again where there is one."""
    flash = desk.flash()
    masks = desk.masks and not (flash is not None and flash[0] == "shown")
    opened = opening.open_request(desk.context, reference, masks=masks)
    group = group_of(opened.groups, open_) if open_ else None
    page = None
    if group is not None:
        page = opening.open_findings(
            desk.context, opened.dsar.id, group.store, group.collection, after or None, _RECORDS
        )
    view = face_of(desk, opened).view(group, page, str(uuid4()), after) | {"watch": watch_of(desk, opened.dsar)}
    if refusal is not None:
        text = refusal.detail or refusal.title
        view |= {"values": desk.form.values(), "errors": [{"field": field, "text": text.capitalize()}]}
    return desk.page("request", view, "requests", 200 if refusal is None else refusal.status)


def face_of(desk: Visit, opened: OpenedRequest) -> RequestFace:
    """What draws an opened request for this desk."""
    can = {name: desk.may(which) for name, which in _CAN.items()}
    zone = desk.context.controller.zone
    return RequestFace(opened, account.names(desk.context), desk.me.account.id, can, desk.now, zone)


def _finding_id(text: str) -> FindingId | None:
    if not text:
        return None
    try:
        return FindingId(UUID(text))
    except ValueError:
        raise NotFound from None
