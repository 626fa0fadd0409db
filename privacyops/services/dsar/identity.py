"""Who asks: a code by mail, a fact about an order, or a person's recorded judgement."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.rule import require
from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.kind import RequestClass
from privacyops.domain.dsar.proof import LEVELS, ProofMethod
from privacyops.domain.dsar.record import Dsar, Proof, Requester
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.identity.email import normal_email
from privacyops.domain.letter import LetterKind
from privacyops.domain.secret import CODE_LIFE, CODE_TRIES, LINK_LIFE, LinkKind, mint_code, mint_link, typed_code
from privacyops.kernel.errors import Gone, NotFound, RateLimited, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import mail, sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar import clock
from privacyops.services.dsar.lifecycle import move
from privacyops.services.dsar.link import new_link, opens, spend, spend_all
from privacyops.services.dsar.search import begin_search
from privacyops.services.dsar.wording import letter, local_date, right_of, url
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import token as tokens
from privacyops.store.uow import Tx

MAIL_EVERY: Final = timedelta(minutes=10)
MAILS_PER_DAY: Final = 5
MAILS_TO_PROVEN_PER_DAY: Final = 20


class CodeWrong(Unprocessable):
    """Never says whether the code was wrong, spent, expired or of another request; `tries_left` may be shown."""

    type = "/problems/code-wrong"
    title = "This code is not valid; check the newest mail or ask for a new one"


class LinkSpent(Gone):
    type = "/problems/link-spent"
    title = "This link has been used or has expired; ask for a new one"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a code opened: the request, and the token of the portal's cookie."""

    id: DsarId
    reference: str
    portal: str


def ask_by_mail(ctx: Context, tx: Tx, dsar: Dsar, requester: Requester, *, quietly: bool = False) -> Dsar:
    """Ask for the least proof that is needed: a code to the typed address. The request waits for it.

    `quietly`: where the address has had its mails, write everything but the mail, so that the asker sees no
    difference. Raises: RateLimited: the same, unless quietly.
    """
    _mail_code(ctx, tx, dsar, requester, "identity", quietly=quietly)
    return move(
        ctx, tx, dsar, DsarEvent.ASK_IDENTITY, ClockEventKind.IDENTITY_ASKED, audit={"level": dsar.required_level}
    )


def prove_by_code(ctx: Context, dsar_id: DsarId, code: str) -> Confirmation:
    """The code of the newest mail was typed. The request goes on: its search begins.

    A wrong code costs one of five tries, then a new mail is needed; the request itself is never locked.
    Raises: CodeWrong. NotFound: the browser's cookie belongs to another request.
    """
    return _confirm(ctx, dsar_id, check_code(ctx, dsar_id, "identity", code))


@use_case(Action.DSAR_INTAKE)
def prove_by_link(ctx: Context, tx: Tx, token: str) -> Confirmation:
    """The button on the page of the mailed link was pressed. A GET never comes here. Raises: LinkSpent."""
    dsar_id = spend(tx, token, LinkKind.MAGIC)
    if dsar_id is None:
        raise LinkSpent
    return _proved(ctx, tx, dsars.load_dsar(tx, dsar_id))


def check_code(ctx: Context, dsar_id: DsarId, purpose: str, code: str) -> UUID:
    """The code's id, if it is the right one. The try is spent in a transaction of its own, so that a refusal
    does not give it back. Raises: CodeWrong.
    """
    stored = _take_try(ctx, dsar_id, purpose)
    typed = typed_code(code)
    if stored is None or typed is None or not sealing.is_code(ctx, stored.code_hmac, dsar_id, purpose, typed):
        raise CodeWrong(tries_left=0 if stored is None else stored.tries_left - 1)
    return stored.id


def use_code(tx: Tx, code: UUID) -> None:
    """Spend a code that `check_code` accepted. Raises: CodeWrong: somebody else spent it first."""
    if not tokens.use_code(tx, code):
        raise CodeWrong


@use_case(Action.DSAR_IDENTITY)
def resend_code(ctx: Context, tx: Tx, dsar_id: DsarId, purpose: str = "identity") -> None:
    """Mail a new code; the codes before stop working.

    Raises: RateLimited: one mail in ten minutes for an unproven address, five a day.
    """
    require(ctx.actor, Action.DSAR_IDENTITY, tx.now, Target(tx.controller, request=dsar_id))
    dsar = dsars.load_dsar(tx, dsar_id)
    before = tokens.newest_code(tx, dsar_id, purpose)
    waits = MAIL_EVERY if not dsar.is_verified else timedelta(seconds=30)
    if before is not None and before.used_at is None and tx.now - before.created_at < waits:
        left = waits - (tx.now - before.created_at)
        raise RateLimited("a code was mailed a short while ago", retry_after_s=int(left.total_seconds()) + 1)
    _mail_code(ctx, tx, dsar, sealing.requester_of(ctx, tx, dsar), purpose)
    record(ctx, tx, "dsar.code_mailed", "dsar", dsar.id, purpose=purpose)


@use_case(Action.DSAR_IDENTITY)
def accept_identity(ctx: Context, tx: Tx, dsar_id: DsarId, reason: str) -> Dsar:
    """A person is satisfied of the requester's identity and says why.

    Raises: Unprocessable: no reason. TransitionRefused: the request does not wait for identity.
    """
    require(ctx.actor, Action.DSAR_IDENTITY, tx.now, Target(tx.controller, request=dsar_id))
    dsar = dsars.load_dsar(tx, dsar_id)
    if not reason.strip():
        raise Unprocessable("say in a few words what convinced you")
    level = LEVELS[ProofMethod.STAFF]
    key = sealing.key_of(ctx, tx, dsar_id)
    sealed = key.seal(reason.strip()[:500].encode(), sealing.place(ctx, "dsar_proof", "sealed", dsar_id))
    dsars.add_proof(tx, dsar_id, Proof(level, str(ProofMethod.STAFF), tx.now, None, sealed))
    if dsar.state is not DsarState.AWAITING_IDENTITY:
        after = dsars.save_dsar(tx, dsar, proven_level=max(level, dsar.proven_level), is_verified=True)
        record(ctx, tx, "dsar.identity_accepted", "dsar", dsar_id, level=level)
        return begin_search(ctx, tx, after) if _should_search(after) else after
    return _resume(ctx, tx, dsar, level)


@use_case(Action.DSAR_ASK)
def ask_identity(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """A handler asks for proof: the customer gets a code and the request waits. Raises: TransitionRefused."""
    dsar = dsars.load_dsar(tx, dsar_id)
    return ask_by_mail(ctx, tx, dsar, sealing.requester_of(ctx, tx, dsar))


def _proved(ctx: Context, tx: Tx, dsar: Dsar) -> Confirmation:
    if dsar.state is DsarState.AWAITING_IDENTITY:
        level = LEVELS[ProofMethod.MAIL_CODE]
        dsars.add_proof(tx, dsar.id, Proof(level, str(ProofMethod.MAIL_CODE), tx.now, "email"))
        _resume(ctx, tx, dsar, level)
    spend_all(tx, LinkKind.WAITING, dsar.id)
    return Confirmation(dsar.id, dsar.reference, new_link(tx, LinkKind.PORTAL, dsar.id))


def _resume(ctx: Context, tx: Tx, dsar: Dsar, level: int) -> Dsar:
    deadlines.disarm(tx, dsar.id, "unverified_expiry", "met")
    spend_all(tx, LinkKind.MAGIC, dsar.id)
    after = move(
        ctx, tx, dsar, DsarEvent.IDENTITY_PROVED, ClockEventKind.IDENTITY_PROVED, audit={"level": level},
        proven_level=max(level, dsar.proven_level), is_verified=True,
    )  # fmt: skip
    _acknowledge(ctx, tx, after)
    after = dsars.load_dsar(tx, dsar.id)
    return begin_search(ctx, tx, after) if _should_search(after) else after


def _acknowledge(ctx: Context, tx: Tx, dsar: Dsar) -> None:
    """Confirm the receipt with its due date, once the address is known to be read by somebody."""
    events = dsars.list_clock_events(tx, dsar.id)
    if any(event.kind is ClockEventKind.ACK_SENT for event in events):
        return
    dsars.save_dsar(tx, dsar, **clock.happen(tx, dsar, ClockEventKind.ACK_SENT))
    requester = sealing.requester_of(ctx, tx, dsar)
    text = letter(
        ctx, LetterKind.ACK, dsar, requester, tx.now, right=right_of(dsar.type),
        received_on=local_date(ctx, dsar.received_at), due_on=dsar.due_on, rule=dsar.regime,
        status_url=url(ctx, "privacy/status"),
    )  # fmt: skip
    mail.promise(ctx, tx, requester.email, text, dsar.id)


def _should_search(dsar: Dsar) -> bool:
    """The mailed code is enough to search under that address; what may be handed over is decided before release."""
    is_find = dsar.rule.kind is RequestClass.FIND
    return is_find and dsar.state is DsarState.RECEIVED and dsar.proven_level >= LEVELS[ProofMethod.MAIL_CODE]


def _admits_mail(ctx: Context, tx: Tx, dsar: Dsar, email: str) -> bool:
    """Count one more mail to an address. Before its owner has answered once it gets one in ten minutes, five a day."""
    windows = [("mail.proven", timedelta(days=1), MAILS_TO_PROVEN_PER_DAY)]
    if not dsar.is_verified:
        windows = [("mail.day", timedelta(days=1), MAILS_PER_DAY), ("mail.now", MAIL_EVERY, 1)]
    counts = [tokens.count_in_window(tx, name, sealing.bucket(ctx, name, email), span) for name, span, _ in windows]
    return all(count <= most for count, (_, _, most) in zip(counts, windows, strict=True))


def _mail_code(ctx: Context, tx: Tx, dsar: Dsar, requester: Requester, purpose: str, *, quietly: bool = False) -> None:
    is_admitted = _admits_mail(ctx, tx, dsar, requester.email)
    if not is_admitted and not quietly:
        raise RateLimited("too many mails to this address today", retry_after_s=86_400)
    code = mint_code()
    stored = code if is_admitted else secrets.token_hex(16)  # a code that nobody was told must not be guessable
    tokens.add_code(
        tx,
        dsar.id,
        purpose,
        sealing.code_mac(ctx, dsar.id, purpose, stored),
        CODE_LIFE,
        CODE_TRIES,
    )
    path = f"privacy/confirm/{new_link(tx, LinkKind.MAGIC, dsar.id)}" if purpose == "identity" else "privacy/status"
    text = letter(
        ctx, LetterKind.CODE, dsar, None, tx.now, link=url(ctx, path), code=code,
        code_minutes=int(CODE_LIFE.total_seconds() // 60),
        link_minutes=int(LINK_LIFE[LinkKind.MAGIC].total_seconds() // 60),
    )  # fmt: skip
    if is_admitted:
        mail.promise(ctx, tx, requester.email, text, dsar.id)


@use_case(Action.DSAR_IDENTITY)
def _confirm(ctx: Context, tx: Tx, dsar_id: DsarId, code: UUID) -> Confirmation:
    use_code(tx, code)
    return _proved(ctx, tx, dsars.load_dsar(tx, dsar_id))


@use_case(Action.DSAR_IDENTITY)
def _take_try(ctx: Context, tx: Tx, dsar_id: DsarId, purpose: str) -> tokens.MailedCode | None:
    require(ctx.actor, Action.DSAR_IDENTITY, tx.now, Target(tx.controller, request=dsar_id))
    code = tokens.newest_code(tx, dsar_id, purpose)
    return code if code is not None and tokens.spend_try(tx, code.id) else None


@use_case(Action.DSAR_INTAKE)
def ask_return(ctx: Context, tx: Tx, reference: str, email: str) -> str:
    """Somebody wants to see a request again: a code goes to its address if number and address belong together.

    Always gives a token of the same form, so that the answer tells nothing; one that opens nothing is worth nothing.
    """
    nothing = mint_link(LinkKind.WAITING).text
    normal = normal_email(email)
    try:
        dsar = dsars.load_by_reference(tx, reference)
    except NotFound:
        return nothing
    if normal is None or not hmac.compare_digest(dsar.contact_index, sealing.contact_index(ctx, normal)):
        return nothing
    before = tokens.newest_code(tx, dsar.id, "identity")
    if before is None or before.used_at is not None or tx.now - before.created_at >= MAIL_EVERY:
        _mail_code(ctx, tx, dsar, sealing.requester_of(ctx, tx, dsar), "identity", quietly=True)
    return new_link(tx, LinkKind.WAITING, dsar.id)


def request_behind(ctx: Context, token: str | None, kind: LinkKind) -> DsarId | None:
    """The request that a browser's cookie or a link belongs to."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return opens(tx, token, kind)
