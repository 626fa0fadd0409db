"""A request comes in: stored, its clock running, its subject answered the same way whether known or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.dsar.kind import TYPE_RULES, Channel, RequestClass, RequestType
from privacyops.domain.dsar.proof import LEVELS, ProofMethod
from privacyops.domain.dsar.record import Dsar, Proof, Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.identity.email import normal_email
from privacyops.domain.secret import LinkKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import RateLimited, Unprocessable
from privacyops.kernel.ids import DsarId, reference, uuid7
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar import clock
from privacyops.services.dsar.identity import ask_by_mail
from privacyops.services.dsar.link import new_link
from privacyops.services.dsar.search import begin_search
from privacyops.services.dsar.stop import apply_stop
from privacyops.services.dsar.wording import language_for
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import token as tokens
from privacyops.store.subject import SubjectRaced
from privacyops.store.uow import Tx

REPEAT_WINDOW: Final = timedelta(minutes=10)
UNVERIFIED_LIFE: Final = timedelta(days=21)
REQUESTS_PER_PREFIX_AND_10_MIN: Final = 20
_PUBLIC: Final = frozenset({Channel.FORM, Channel.WIDGET, Channel.SHOP_SESSION})
_MAX_MESSAGE: Final = 10_000


class EmailMalformed(Unprocessable):
    type = "/problems/email-malformed"
    title = "This is not an e-mail address"


class ReceivedInFuture(Unprocessable):
    type = "/problems/received-in-future"
    title = "A request cannot have been received in the future"


class MessageTooLong(Unprocessable):
    type = "/problems/message-too-long"
    title = f"A message holds at most {_MAX_MESSAGE} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What somebody asks for. `received_at` is when it reached any channel of the controller; None: now.

    `proven_by` is what the channel itself proves: the shop's token, or a back end that vouches for its customer.
    `prefix` is the network prefix of a public form, for the rate limit; it is not stored.
    """

    type: RequestType
    requester: Requester
    channel: Channel
    language: str = "en"
    residence: str | None = None
    received_at: Instant | None = None
    proven_by: ProofMethod | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the submitter is told. `waiting` opens the page that waits for the code; None for other channels."""

    id: DsarId
    reference: str
    state: DsarState
    received_at: Instant
    waiting: str | None = None
    is_replayed: bool = False

    def to_json(self) -> dict[str, str]:
        """What is kept for the same call again; the browser's token is not."""
        return {
            "id": str(self.id), "reference": self.reference, "state": str(self.state),
            "received_at": self.received_at.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The receipt of a call that was answered before."""
        received_at = datetime.fromisoformat(row["received_at"])
        return cls(DsarId(UUID(row["id"])), row["reference"], DsarState(row["state"]), received_at, is_replayed=True)


def submit(ctx: Context, submission: Submission, call: Call | None = None) -> Receipt:
    """Take a request in. With `call`, the same call again gives the same receipt.

    The answer is the same for known and unknown addresses, since nothing is looked up in any store. The same
    right asked for again by the same address within ten minutes gives the same reference and no second mail. An
    address that was written to just now, or five times today, gets no mail either: nobody can have a stranger's
    mailbox flooded, and nobody can use up a stranger's right to ask.

    Raises: EmailMalformed, MessageTooLong, ReceivedInFuture, NoLawApplies, RateLimited, IdempotencyKeyReused.
    """
    try:
        return _submit_once(ctx, submission, call)
    except SubjectRaced:  # two first stops of one address met: the second finds the person
        return _submit_once(ctx, submission, call)


@use_case(Action.DSAR_INTAKE)
def _submit_once(ctx: Context, tx: Tx, submission: Submission, call: Call | None) -> Receipt:
    if call is not None and (answered := begin_call(ctx, tx, call)) is not None:
        return Receipt.from_json(answered)
    receipt = submit_within(ctx, tx, submission)
    if call is not None:
        end_call(ctx, tx, call, receipt.to_json())
    return receipt


def submit_within(ctx: Context, tx: Tx, submission: Submission) -> Receipt:
    """As `submit`, in a transaction that does more."""
    requester = _checked(submission.requester)
    received_at = submission.received_at or tx.now
    if received_at > tx.now:
        raise ReceivedInFuture
    index = sealing.contact_index(ctx, requester.email)
    if submission.channel in _PUBLIC:
        _limit_prefix(ctx, tx, submission.prefix)
        repeated = dsars.find_recent(tx, index, submission.type, tx.now - REPEAT_WINDOW)
        if repeated is not None and repeated.channel in _PUBLIC:
            return _receipt(tx, repeated)
    dsar = _store(ctx, tx, submission, requester, received_at, index)
    return _receipt(tx, _proceed(ctx, tx, dsar, requester, submission))


def _checked(requester: Requester) -> Requester:
    email = normal_email(requester.email)
    if email is None:
        raise EmailMalformed
    if len(requester.message) > _MAX_MESSAGE:
        raise MessageTooLong
    return Requester(
        email=email,
        name=requester.name.strip()[:200],
        phone=requester.phone.strip()[:40],
        customer_id=requester.customer_id.strip()[:64],
        order_number=requester.order_number.strip()[:64],
        message=requester.message,
    )


def _store(
    ctx: Context, tx: Tx, submission: Submission, requester: Requester, received_at: Instant, index: bytes
) -> Dsar:
    dsar_id = DsarId(uuid7(tx.now))
    event = ClockEvent(id=str(uuid7(tx.now)), kind=ClockEventKind.RECEIVED, at=received_at, recorded_at=tx.now)
    snapshots, view = clock.begin(ctx, submission.type, received_at, submission.residence, event)
    is_verified = submission.channel not in _PUBLIC or TYPE_RULES[submission.type].kind is RequestClass.STOP
    dsar = Dsar(
        id=dsar_id, reference=reference("PR"), type=submission.type, state=DsarState.RECEIVED, resume_to=None,
        version=1, channel=submission.channel, language=language_for(ctx, submission.language),
        residence=submission.residence, received_at=received_at, recorded_at=tx.now, contact_index=index, sealed=None,
        is_verified=is_verified, proven_level=0,
        required_level=TYPE_RULES[submission.type].level, assignee_id=None, regime=view.rule_id, clock=snapshots,
        due_on=view.due, safe_due_on=view.safe_due, paused_since=view.paused_since,
    )  # fmt: skip
    dsars.add_dsar(tx, dsar)
    key = sealing.new_key(ctx, tx, dsar_id)
    dsar = dsars.save_dsar(tx, dsar, sealed=sealing.seal_requester(ctx, key, dsar_id, requester))
    dsars.add_clock_event(tx, dsar_id, event)
    clock.arm_reminders(tx, dsar_id, view, ctx.controller.zone)
    record(
        ctx, tx, "dsar.submit", "dsar", dsar_id, type=str(dsar.type), channel=str(dsar.channel), regime=view.rule_id,
        due=view.due.isoformat(), safe_due=view.safe_due.isoformat(),
    )  # fmt: skip
    return dsar


def _proceed(ctx: Context, tx: Tx, dsar: Dsar, requester: Requester, submission: Submission) -> Dsar:
    """What the machine does on its own: stop at once, search what is proven, ask what is not."""
    if submission.proven_by is not None:
        level = LEVELS[submission.proven_by]
        dsars.add_proof(tx, dsar.id, Proof(level, str(submission.proven_by), tx.now, "email"))
        dsar = dsars.save_dsar(tx, dsar, proven_level=level, is_verified=True)
    kind = dsar.rule.kind
    if kind is RequestClass.STOP:
        return apply_stop(ctx, tx, dsar, requester)
    if kind is RequestClass.FIND and dsar.is_proven:
        return begin_search(ctx, tx, dsar)
    if submission.channel in _PUBLIC and not dsar.is_proven:
        deadlines.arm(tx, dsar.id, "unverified_expiry", [("21d", tx.now + UNVERIFIED_LIFE)])
        return ask_by_mail(ctx, tx, dsar, requester, quietly=True)
    return dsar


def _receipt(tx: Tx, dsar: Dsar) -> Receipt:
    waiting = new_link(tx, LinkKind.WAITING, dsar.id) if dsar.channel in _PUBLIC else None
    return Receipt(dsar.id, dsar.reference, dsar.state, dsar.received_at, waiting)


def _limit_prefix(ctx: Context, tx: Tx, prefix: str | None) -> None:
    if prefix is None or ctx.actor.kind is not ActorKind.SUBJECT:
        return
    count = tokens.count_in_window(tx, "intake", sealing.bucket(ctx, "intake", prefix), REPEAT_WINDOW)
    if count > REQUESTS_PER_PREFIX_AND_10_MIN:
        raise RateLimited("too many requests from this network", retry_after_s=int(REPEAT_WINDOW.total_seconds()))
