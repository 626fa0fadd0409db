"""What is done with a request: one route a verb. A second click finds the work done and shows the same page."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, store_words, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page, below_heading, field_, once
from privacyops.console.pages.request import PAGE, draw
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Conflict, NotFound, Problem, Unprocessable
from privacyops.kernel.ids import DsarId, RunId
from privacyops.services.dsar import answer, extension, handling, identity, listing, opening, review, search

router: Final = APIRouter()
_S: Final = DsarState
_PAST_REVIEW: Final = frozenset({_S.AWAITING_APPROVAL, _S.EXECUTING, _S.ANSWERING, _S.ANSWERED, _S.CLOSED})


@router.post(f"{PAGE}/assign", **action(Action.DSAR_ASSIGN))
def assign(desk: Desk, reference: str) -> Response:
    """Take the request on."""
    dsar = handling.assign(desk.context, _id(desk, reference), desk.me.account.id)
    return desk.go(shape.url_of(dsar), "assigned")


@router.post(f"{PAGE}/search", **action(Action.DSAR_SEARCH))
def start(desk: Desk, reference: str) -> Response:
    """Search the stores."""
    return once(desk, reference, "searching", handling.start_search, {_S.SEARCHING, _S.IN_REVIEW, *_PAST_REVIEW})


@router.post(f"{PAGE}/finish", **action(Action.DSAR_REVIEW))
def finish(desk: Desk, reference: str, seen: int) -> Response:
    """The review is finished as it was seen."""

    def finish_(ctx: Any, dsar_id: DsarId) -> Dsar:
        return review.finish_review(ctx, dsar_id, seen)

    return once(desk, reference, "finished", finish_, _PAST_REVIEW)


@router.post(f"{PAGE}/submit", **action(Action.DSAR_SUBMIT))
def submit(desk: Desk, reference: str, seen: int) -> Response:
    """Lay the plan before a second person."""

    def submit_(ctx: Any, dsar_id: DsarId) -> Dsar:
        return review.submit_for_approval(ctx, dsar_id, seen)

    return once(desk, reference, "submitted", submit_, _PAST_REVIEW)


@router.post(f"{PAGE}/close", **action(Action.DSAR_CLOSE))
def close(desk: Desk, reference: str) -> Response:
    """The request is done."""
    return once(desk, reference, "closed", answer.close, {_S.CLOSED})


@router.get(f"{PAGE}/identity", **action(Action.DSAR_IDENTITY))
def ask_reason(desk: Desk, reference: str) -> Response:
    """P3a: what is proven, and the form for a colleague's own judgement."""
    return _identity_page(desk, reference)


@router.post(f"{PAGE}/identity", **action(Action.DSAR_IDENTITY))
def accept(desk: Desk, reference: str) -> Response:
    """Accept the identity, with the reason."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        after = identity.accept_identity(desk.context, dsar.id, desk.form.get("reason"))
    except Unprocessable as refusal:
        return _identity_page(desk, reference, refusal)
    return desk.go(shape.url_of(after), "accepted")


@router.get(f"{PAGE}/letter", **action(Action.DSAR_ANSWER))
def see_letter(desk: Desk, reference: str) -> Response:
    """The letter as the customer will read it."""
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    letter = opening.preview_letter(desk.context, opened.dsar.id)
    return act_page(
        desk, opened, "Send the letter", None, None, quote=below_heading(letter), quote_title=letter.subject,
        question="Send it?", fields=[], submit={"label": "Send the letter", "tone": "primary"},
        notices=[{"tone": "inf", "title": "The letter alone is the answer", "text": "It cannot be called back."}],
    )  # fmt: skip


@router.post(f"{PAGE}/letter", **action(Action.DSAR_ANSWER))
def send_letter(desk: Desk, reference: str) -> Response:
    """Answer by letter. A second click finds it on its way."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        answer.send_letter(desk.context, dsar.id)
    except answer.AnswerOnItsWay:
        pass
    except Conflict:
        if listing.by_reference(desk.context, reference).state not in {_S.ANSWERED, _S.CLOSED}:
            raise
    return desk.go(shape.url_of(dsar), "letter_sent")


@router.get(f"{PAGE}/dismiss", **action(Action.DSAR_DISMISS))
def ask_dismissal(desk: Desk, reference: str) -> Response:
    """Why is it no request?"""
    return _dismiss_page(desk, reference)


@router.post(f"{PAGE}/dismiss", **action(Action.DSAR_DISMISS))
def dismiss(desk: Desk, reference: str) -> Response:
    """End what is spam, misdirected or a test."""

    def dismiss_(ctx: Any, dsar_id: DsarId) -> Dsar:
        return handling.dismiss(ctx, dsar_id, desk.form.get("reason"))

    try:
        return once(desk, reference, "dismissed", dismiss_, {_S.CLOSED})
    except Unprocessable as refusal:
        return _dismiss_page(desk, reference, refusal)


@router.get(f"{PAGE}/extend", **action(Action.DSAR_EXTEND))
def ask_extension(desk: Desk, reference: str) -> Response:
    """Dates before and after, and the reasons that the customer will read."""
    return _extend_page(desk, reference)


@router.post(f"{PAGE}/extend", **action(Action.DSAR_EXTEND))
def extend(desk: Desk, reference: str) -> Response:
    """Extend the time and tell the customer, in one step. A second click meets the extension that was made."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    seen = int(form.get("seen")) if form.get("seen").isdecimal() else None
    try:
        extension.extend(desk.context, dsar.id, [form.get("reason")], _day(form.get("until")), seen)
    except Unprocessable as refusal:
        return _extend_page(desk, reference, refusal)
    except Conflict:
        opened = opening.open_request(desk.context, reference, masks=True)
        if not opened.clock.extension_valid or form.get("seen") == str(opened.dsar.version):
            raise
    return desk.go(shape.url_of(dsar), "extended")


@router.post(f"{PAGE}/runs/{{run}}/retry", **action(Action.DSAR_SEARCH))
def retry(desk: Desk, reference: str, run: UUID) -> Response:
    """Search a store that failed once more."""

    def again(ctx: Any, dsar_id: DsarId) -> None:
        search.retry_run(ctx, dsar_id, RunId(run))

    return _on_run(desk, reference, run, "retried", again)


@router.get(f"{PAGE}/runs/{{run}}/by-hand", **action(Action.DSAR_SEARCH))
def ask_by_hand(desk: Desk, reference: str, run: UUID) -> Response:
    """What did the person find in the store?"""
    return _by_hand_page(desk, reference, run)


@router.post(f"{PAGE}/runs/{{run}}/by-hand", **action(Action.DSAR_SEARCH))
def by_hand(desk: Desk, reference: str, run: UUID) -> Response:
    """A person searched the store."""

    def done(ctx: Any, dsar_id: DsarId) -> None:
        search.run_done_by_hand(ctx, dsar_id, RunId(run), desk.form.get("note"))

    try:
        return _on_run(desk, reference, run, "by_hand", done)
    except Unprocessable as refusal:
        return _by_hand_page(desk, reference, run, refusal)


@router.post(f"{PAGE}/runs/{{run}}/without", **action(Action.DSAR_SEARCH))
def without(desk: Desk, reference: str, run: UUID) -> Response:
    """Answer without this store."""
    field = f"reason-{run}"

    def leave(ctx: Any, dsar_id: DsarId) -> None:
        search.answer_without(ctx, dsar_id, RunId(run), desk.form.get(field))

    try:
        return _on_run(desk, reference, run, "without", leave)
    except Unprocessable as refusal:
        return draw(desk, reference, "", "", refusal, field)


def _on_run(desk: Visit, reference: str, run: UUID, flash: str, step: Callable[[Any, DsarId], None]) -> Response:
    """A step on one store's run; a run that left its hands already is what the second click finds."""
    opened = opening.open_request(desk.context, reference, masks=True)
    known = next((one for one in opened.runs if one.id == run), None)
    if known is None:
        raise NotFound
    if known.state == "handed_over":
        step(desk.context, opened.dsar.id)
    return desk.go(shape.url_of(opened.dsar), flash)


def _id(desk: Visit, reference: str) -> DsarId:
    return listing.by_reference(desk.context, reference).id


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _identity_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    dsar = opened.dsar
    proofs = [
        {"text": words.PROOFS.get(one.method, one.method), "note": f"level {one.level}", "tag": None}
        for one in opened.proofs
    ]
    return act_page(
        desk, opened, "Accept identity", refusal, "reason",
        facts_title="Level", facts=[{"label": "Needed", "value": str(dsar.required_level)},
                                    {"label": "Proven", "value": str(dsar.proven_level)}],
        list_title="Proofs", list=proofs, question="What convinced you?",
        fields=[field_("area", "reason", "Reason", "Kept, sealed, with the request.")],
        submit={"label": "Accept identity", "tone": "primary"},
    )  # fmt: skip


def _dismiss_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    text = "Spam, misdirected, or a test. A request of somebody who proved who they are is answered instead."
    return act_page(
        desk, opened, "Dismiss", refusal, "reason",
        notices=[{"tone": "warn", "title": "No answer is sent", "text": text}],
        question="Why is this no request?", fields=[field_("area", "reason", "Reason", "Kept with the request.")],
        submit={"label": "Dismiss", "tone": "bad"},
    )  # fmt: skip


def _extend_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    view = opened.clock
    closed = extension.why_closed(view)
    if closed is not None:
        raise extension.ExtensionClosed(why=closed)
    facts = [{"label": "Due now", "value": words.day(view.due)},
             {"label": "Rule", "value": opened.rule_label}]  # fmt: skip
    if view.extended_due is not None:
        facts.insert(1, {"label": "Due afterwards", "value": words.day(view.extended_due)})
    if view.extension_notice_safe_due is not None:
        facts.append({"label": "Notice at the latest", "value": words.day(view.extension_notice_safe_due)})
    fields = [
        field_("area", "reason", "Reasons", "How complex it is, how many requests there are. The customer reads it.")
    ]
    if view.extended_due is None:
        fields.append(field_("date", "until", "New date", "This law lets the notice name it."))
    return act_page(
        desk, opened, "Extend the time", refusal, "reason",
        notices=[{"tone": "inf", "title": "Once only, and the customer is told", "text": "The letter leaves at once."}],
        facts_title="Dates", facts=facts, question="Why does it take longer?", fields=fields,
        hidden={"seen": str(opened.dsar.version)}, submit={"label": "Extend and tell the customer", "tone": "primary"},
    )  # fmt: skip


def _by_hand_page(desk: Visit, reference: str, run: UUID, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    known = next((one for one in opened.runs if one.id == run), None)
    if known is None:
        raise NotFound
    store = opened.stores.get(known.store)
    return act_page(
        desk, opened, "Search by hand", refusal, "note", facts_title="Store",
        facts=[{"label": "Store", "value": store.title if store else known.store},
               {"label": "What failed", "value": store_words.said(known.code or "–")}],
        question="What did you look for, and what did you find?",
        fields=[field_("area", "note", "What you did and found", "Kept, sealed, with the request.")],
        submit={"label": "Done by hand", "tone": "primary"},
    )  # fmt: skip
