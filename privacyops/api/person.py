"""Around one person: confirm, change a contact, tie a device, a soft opt-in, consents that end soon, suppressions."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from privacyops.api.consent import SubjectId, call_of, circumstances_of, whom_of, written_out
from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.consent import IdentifierIn, WrittenOut
from privacyops.api.schemas.person import (
    BasisIn,
    ConfirmIn,
    ConfirmOut,
    ContactIn,
    ContactLookup,
    EndingList,
    EndingOut,
    LinkIn,
    LinkOut,
    ResendIn,
    SuppressionIn,
    SuppressionList,
    SuppressionOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.subject import SubjectIdentifier
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import basing, confirming, contacts, linking, suppressing, sweeping
from privacyops.services.consent.linking import Linked
from privacyops.services.consent.suppressing import Entry, Reach
from privacyops.services.consent.terms import Circumstances
from privacyops.services.context import Context

router = APIRouter(prefix="/v1", tags=["consent"])


@router.post("/consents:confirm", summary="Confirm by a mailed link", **action(Action.CONSENT_WRITE))
def confirm(ctx: Caller, body: ConfirmIn) -> ConfirmOut:
    """What the page behind the link does. Idempotent by nature: the same token again gives the same event."""
    done = confirming.confirm(ctx, body.token)
    written = done.written
    return ConfirmOut(
        event_id=str(done.event_id), state=done.state, already_confirmed=done.already_confirmed,
        subject_id=done.subject_id, token=written.token if written else None,
        promise=written.promise if written else None,
    )  # fmt: skip


@router.post("/consents:resend", status_code=202, summary="Send the mail once more", **action(Action.CONSENT_WRITE))
def resend(ctx: Caller, body: ResendIn, idempotency_key: IdempotencyKey = None) -> None:
    """At most twice, ten minutes apart. Links that were sent before stay good."""
    call_of(idempotency_key, body)
    confirming.resend(ctx, whom_of(ctx, body.subject), body.purpose, body.channel, body.brand)


@router.post("/consents:establish", status_code=201, summary="Record a soft opt-in", **action(Action.CONSENT_WRITE))
def establish(ctx: Caller, body: BasisIn, response: Response, idempotency_key: IdempotencyKey = None) -> WrittenOut:
    """Put the sale on record that lets similar products be advertised. It lifts no stop."""
    call = call_of(idempotency_key, body)
    whom = whom_of(ctx, body.subject)
    return written_out(basing.establish(ctx, whom, body.purpose, body.channel, circumstances_of(body), call), response)


@router.get("/consents/ending", summary="List consents that end soon", **action(Action.CONSENT_READ))
def ending(
    ctx: Caller,
    purpose: Annotated[str, Query(min_length=1, max_length=63)],
    after: Annotated[str | None, Query(max_length=40, description="the `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> EndingList:
    """Whose consent to a purpose ends within the controller's time of renewal."""
    found = sweeping.ending_soon(ctx, purpose, after, limit)
    items = [
        EndingOut(
            subject_id=one.subject_id, purpose=one.purpose, channel=one.channel, brand=one.brand,
            ends_at=instant_text(one.ends_at),
        )
        for one in found
    ]  # fmt: skip
    return EndingList(items=items, next=items[-1].subject_id if len(items) == limit else None)


@router.post("/subjects/{subject_id}/contacts", summary="Change a contact", **action(Action.CONSENT_WRITE))
def change_contact(
    ctx: Caller, subject_id: SubjectId, body: ContactIn, response: Response, idempotency_key: IdempotencyKey = None
) -> WrittenOut:
    """Consents given for the old contact wait until the owner of the new one has confirmed them."""
    call = call_of(idempotency_key, body)
    change = contacts.ContactChange(_contact(ctx, body.contact), _contact(ctx, body.former) if body.former else None)
    how = Circumstances(body.method, indicated_by=body.indicated_by)
    return written_out(contacts.change_contact(ctx, subject_id, change, how, call), response)


@router.post("/subjects/{subject_id}/links", summary="Tie a device to a person", **action(Action.CONSENT_WRITE))
def link(ctx: Caller, subject_id: SubjectId, body: LinkIn, idempotency_key: IdempotencyKey = None) -> LinkOut:
    """Call it when somebody signed in on a device. A stop of either side counts for both from now on."""
    devices = [_contact(ctx, one) for one in body.identifiers]
    return _link_out(linking.link(ctx, subject_id, devices, call_of(idempotency_key, body)))


@router.delete("/subjects/{subject_id}/links/{linked_id}", summary="Untie a device", **action(Action.CONSENT_WRITE))
def unlink(ctx: Caller, subject_id: SubjectId, linked_id: SubjectId) -> LinkOut:
    """Each side is what its own events say again; stops that crossed stay on both."""
    return _link_out(linking.unlink(ctx, subject_id, linked_id))


@router.post("/suppressions", status_code=201, summary="Suppress a contact", **action(Action.CONSENT_WRITE))
def suppress(ctx: Caller, body: SuppressionIn, idempotency_key: IdempotencyKey = None) -> SuppressionOut:
    """From the next check on; it outlives an erasure. Lifting one takes a person, an order two of them."""
    call = call_of(idempotency_key, body)
    reach = Reach(body.purpose, body.brand)
    return _entry(suppressing.suppress(ctx, _contact(ctx, body.contact), body.reason, reach, call=call))


@router.post("/suppressions:lookup", summary="Look a contact up", **action(Action.CONSENT_READ))
def lookup(ctx: Caller, body: ContactLookup) -> SuppressionList:
    """What stands against one contact."""
    return SuppressionList(items=[_entry(one) for one in suppressing.entries(ctx, _contact(ctx, body.contact))])


def _contact(ctx: Context, one: IdentifierIn) -> SubjectIdentifier:
    return SubjectIdentifier.of(one.type, one.value, ctx.controller.phone_region)


def _link_out(made: Linked) -> LinkOut:
    return LinkOut(
        subject_id=made.subject_id, linked_id=made.device_id, state_version=made.state_version, changed=made.changed
    )


def _entry(one: Entry) -> SuppressionOut:
    return SuppressionOut(
        reason=one.reason, purpose=one.reach.purpose, brand=one.reach.brand, event_id=str(one.event_id)
    )
