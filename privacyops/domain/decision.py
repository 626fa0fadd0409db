"""May this be done to this person over this channel now, and why.

`decide` is the only place that decides: check, batch, list cleaning, console and replay all call it. The first
rule that applies answers; nothing after it can turn a no into a yes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Final

from privacyops.domain.consent.projection import LIFTED, StateRow, erased_at
from privacyops.domain.consent.state import GRANTED, UNDECIDED, ConsentState, Grade, RowKind, Strength
from privacyops.domain.consent.suppression import (
    ADVERTISING_ONLY,
    OWNER_LIFTS_FOR_ITSELF,
    TEXT_FAMILY,
    SuppressionReason,
)
from privacyops.domain.purpose import Ground, LegalBasis, OutdatedPolicy, PurposeFlag, PurposeVersion, Regime
from privacyops.kernel.clock import Instant
from privacyops.kernel.record import record


class Answer(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Reason(StrEnum):
    """Why. The first word of the caller's log, and a promise: a reason is never renamed."""

    RETIRED = "RETIRED"
    SUPPRESSED = "SUPPRESSED"
    OBJECTED = "OBJECTED"
    GPC_OPT_OUT = "GPC_OPT_OUT"
    WITHDRAWN = "WITHDRAWN"
    REFUSED = "REFUSED"
    TERMINATED = "TERMINATED"
    INVALIDATED = "INVALIDATED"
    PENDING_CONFIRMATION = "PENDING_CONFIRMATION"
    EXPIRED = "EXPIRED"
    NOTICE_OUTDATED = "NOTICE_OUTDATED"
    GRANTED = "GRANTED"
    NO_CONSENT = "NO_CONSENT"
    NOT_OPTED_OUT = "NOT_OPTED_OUT"
    BASIS_CONTRACT = "BASIS_CONTRACT"
    BASIS_LEGAL_OBLIGATION = "BASIS_LEGAL_OBLIGATION"
    BASIS_VITAL_INTERESTS = "BASIS_VITAL_INTERESTS"
    BASIS_PUBLIC_TASK = "BASIS_PUBLIC_TASK"
    BASIS_LEGITIMATE_INTERESTS = "BASIS_LEGITIMATE_INTERESTS"
    BASIS_SOFT_OPT_IN = "BASIS_SOFT_OPT_IN"
    BASIS_STRICTLY_NECESSARY = "BASIS_STRICTLY_NECESSARY"
    STALE = "STALE"
    UNAVAILABLE = "UNAVAILABLE"


ALLOWING: Final = frozenset(
    {Reason.GRANTED, Reason.NOT_OPTED_OUT, *(reason for reason in Reason if reason.startswith("BASIS_"))}
)
"""Reasons that always mean yes. `NOTICE_OUTDATED` means what the purpose's policy says."""

_REASON_OF_STATE: Final = {
    ConsentState.WITHDRAWN: Reason.WITHDRAWN,
    ConsentState.REFUSED: Reason.REFUSED,
    ConsentState.REVOKED: Reason.TERMINATED,
    ConsentState.INVALIDATED: Reason.INVALIDATED,
}


@record(frozen=True, slots=True)
class Asked:
    """The question. `ground` is the purpose's in the jurisdiction that counts.

    `contacts` are the keyed hashes of the address or number that is to be used, where the caller named one: a grant
    that was given for another address does not count for it.
    `material_purpose` is the latest version of the purpose that was judged a material change; `material_notices`
    the same by notice id.
    """

    purpose: PurposeVersion
    channel: str
    brand: str | None
    ground: Ground
    material_purpose: int = 0
    material_notices: Mapping[str, int] = field(default_factory=dict)
    contacts: frozenset[str] = frozenset()

    def about(self, contacts: frozenset[str]) -> "Asked":
        """The same question about these contacts."""
        return Asked(
            self.purpose, self.channel, self.brand, self.ground, self.material_purpose, self.material_notices, contacts
        )

    @property
    def choice_brand(self) -> str | None:
        """Whose choice counts: the brand's, or the controller's one."""
        return self.brand if self.purpose.scope == "brand" else None


@record(frozen=True, slots=True)
class Decision:
    """The answer; `choice` is the row behind it as it counts now, if there is one."""

    answer: Answer
    reason: Reason
    state: ConsentState
    choice: StateRow | None = None

    @property
    def is_allowed(self) -> bool:
        return self.answer is Answer.ALLOW


def decide(rows: Iterable[StateRow], asked: Asked, now: Instant) -> Decision:
    """The decision on `asked` for the person whose rows these are; rows about other purposes do no harm.

    The caller has already answered 404 for an unknown purpose, channel or brand. A person without rows is no
    error: silence is answered by the regime. For a retired purpose nothing may be done, whatever its basis.
    """
    recorded: StateRow | None = None
    stops: list[StateRow] = []
    for row in rows:
        if not _covers(row, asked):
            continue
        if row.kind is not RowKind.CHOICE:
            stops.append(row)
        elif recorded is None:
            recorded = row
    choice = as_of(recorded, now)
    reason = Reason.RETIRED if asked.purpose.is_retired else None
    stop_all: Instant | None = None
    if stops:
        stop_all = max((row.t for row in stops if row.kind is RowKind.STOP_ALL), default=None)
        reason = (
            reason
            or _suppressed(stops, asked, choice, now)
            or _objected(stops, asked, choice, now)
            or _signalled(stops, asked, choice, now)
        )
    reason = (
        reason
        or _stopped(asked, choice, stop_all)
        or _judged_by_choice(asked, choice, now)
        or _judged_by_silence(asked, choice)
    )
    return _decision(reason, asked, choice)


def of_nobody(decision: Decision) -> Decision:
    """The answer on an id that was given out and leads to nobody: no, under every regime.

    Whoever was erased may have said no to everything; their silence is not one that may be taken for a yes.
    """
    if decision.reason is Reason.SUPPRESSED:
        return decision
    return Decision(Answer.DENY, Reason.NO_CONSENT, ConsentState.UNKNOWN)


def when_stale(decision: Decision, asked: Asked) -> Decision:
    """The answer where what was read is older than asked for: no, but for what is strictly necessary."""
    if decision.is_allowed and asked.purpose.has(PurposeFlag.STRICTLY_NECESSARY):
        return decision
    return Decision(Answer.DENY, Reason.STALE, ConsentState.UNKNOWN)


def as_of(row: StateRow | None, now: Instant) -> StateRow | None:
    """The choice as it counts at `now`: a request that nobody confirmed in time is as if it had not been made."""
    if row is None or row.state != ConsentState.REQUESTED:
        return row
    if row.confirm_until is not None and now < row.confirm_until:
        return row
    if row.prior_state is None or row.prior_t is None:
        return replace(row, state=ConsentState.UNKNOWN)
    return replace(row, state=row.prior_state, t=row.prior_t)


def _covers(row: StateRow, asked: Asked) -> bool:
    if row.kind is RowKind.CHOICE:
        return (row.purpose, row.channel, row.brand) == (asked.purpose.key, asked.channel, asked.choice_brand)
    return (
        row.purpose in (None, asked.purpose.key)
        and row.channel in (None, asked.channel)
        and row.brand in (None, asked.brand)
        and row.state != LIFTED
    )


def _suppressed(stops: Iterable[StateRow], asked: Asked, choice: StateRow | None, now: Instant) -> Reason | None:
    for row in stops:
        if row.kind is not RowKind.SUPPRESSION or (
            row.contact and asked.contacts and row.contact not in asked.contacts
        ):
            continue
        if row.state not in ADVERTISING_ONLY:
            return Reason.SUPPRESSED  # a dead mailbox, or an order: whatever the message
        if asked.purpose.ignores_stops:
            continue
        if row.state == SuppressionReason.STOP_KEYWORD and asked.channel not in TEXT_FAMILY:
            continue
        if row.purpose is not None or asked.purpose.has(PurposeFlag.DIRECT_MARKETING):
            is_lifted = row.state in OWNER_LIFTS_FOR_ITSELF and _is_lifted_by_owner(row, row.t, asked, choice, now)
            if not is_lifted:
                return Reason.SUPPRESSED
        erased = erased_at(row)
        if erased is not None and not _is_lifted_by_owner(row, erased, asked, choice, now):
            return Reason.SUPPRESSED
    return None


def _is_lifted_by_owner(row: StateRow, t: Instant, asked: Asked, choice: StateRow | None, now: Instant) -> bool:
    """Whether the owner of this very contact has confirmed a grant since `t`: it counts for itself only.

    A question by a person's id names no contact: the row has to be about the one that the grant is bound to, and
    where it is about several it is about one that nobody has confirmed.
    """
    if choice is None or choice.contact is None or not _lifts(choice, t, {Strength.CONFIRMED}, now):
        return False
    return choice.contact in asked.contacts if asked.contacts else choice.contact == row.contact


def _objected(stops: Iterable[StateRow], asked: Asked, choice: StateRow | None, now: Instant) -> Reason | None:
    for row in stops:
        if row.kind is not RowKind.OBJECTION:
            continue
        if row.purpose is not None:
            return Reason.OBJECTED  # an objection to this very purpose, until it was weighed and rejected
        if asked.purpose.has(PurposeFlag.DIRECT_MARKETING) and not _lifts(choice, row.t, {Strength.CONFIRMED}, now):
            return Reason.OBJECTED
    return None


def _signalled(stops: Iterable[StateRow], asked: Asked, choice: StateRow | None, now: Instant) -> Reason | None:
    if not asked.purpose.has(PurposeFlag.GPC_COVERED):
        return None
    strong = {Strength.EXPRESSED, Strength.CONFIRMED}
    for row in stops:
        if row.kind is RowKind.GPC and not (asked.ground.gpc_override and _lifts(choice, row.t, strong, now)):
            return Reason.GPC_OPT_OUT
    return None


def _lifts(choice: StateRow | None, t: Instant, strengths: set[Strength], now: Instant) -> bool:
    return choice is not None and choice.is_valid_grant(now) and choice.asked_at > t and choice.strength in strengths


def _stopped(asked: Asked, choice: StateRow | None, stop_all: Instant | None) -> Reason | None:
    if asked.purpose.ignores_stops:
        return None
    own = _REASON_OF_STATE.get(_said(asked, choice)) if choice else None
    reason = own if own and (stop_all is None or choice is None or choice.t > stop_all) else None
    if reason is None and stop_all is not None and not _outlives(asked, choice, stop_all):
        reason = Reason.WITHDRAWN
    if reason in (Reason.WITHDRAWN, Reason.REFUSED) and asked.ground.regime is Regime.NONE:
        return Reason.OBJECTED  # without consent there is nothing to withdraw: a stop is an objection
    return reason


def _said(asked: Asked, choice: StateRow) -> ConsentState:
    """What stands as said. Where the basis is not consent a request waits for nothing: the stop behind it stands."""
    if asked.ground.regime is Regime.NONE and choice.state == ConsentState.REQUESTED and choice.prior_state is not None:
        return choice.prior_state
    return ConsentState(choice.state)


def _outlives(asked: Asked, choice: StateRow | None, stop_all: Instant) -> bool:
    """Only a later grant, or a later request for one, lifts an unsubscribe-all; a closed banner does not.

    The request is then answered as pending, which it is nowhere but where the basis is consent.
    """
    if choice is None or choice.asked_at <= stop_all:
        return False
    if choice.state == ConsentState.REQUESTED:
        return asked.ground.regime is not Regime.NONE
    return choice.state in GRANTED | {ConsentState.EXPIRED}


def _judged_by_choice(asked: Asked, choice: StateRow | None, now: Instant) -> Reason | None:
    if choice is None or asked.ground.regime is Regime.NONE:
        return None
    if choice.state == ConsentState.REQUESTED:
        return Reason.PENDING_CONFIRMATION
    if choice.state == ConsentState.EXPIRED or (choice.valid_until is not None and now >= choice.valid_until):
        return Reason.EXPIRED
    if choice.state not in GRANTED:
        return None
    if choice.contact is not None and asked.contacts and choice.contact not in asked.contacts:
        return Reason.NO_CONSENT
    return Reason.NOTICE_OUTDATED if _is_outdated(asked, choice) else Reason.GRANTED


def _is_outdated(asked: Asked, choice: StateRow) -> bool:
    if (choice.purpose_version or 0) < asked.material_purpose:
        return True
    seen = choice.notice
    return seen is not None and seen.version < asked.material_notices.get(seen.id, 0)


def _judged_by_silence(asked: Asked, choice: StateRow | None) -> Reason:
    if choice is not None and choice.state in UNDECIDED and choice.grade is Grade.D:
        return Reason.NO_CONSENT
    match asked.ground.regime:
        case Regime.NONE:
            return _basis_reason(asked, choice)
        case Regime.OPT_OUT if choice is None or choice.state in UNDECIDED:
            return Reason.NOT_OPTED_OUT
        case _:
            return Reason.NO_CONSENT


def _basis_reason(asked: Asked, choice: StateRow | None) -> Reason:
    basis = asked.ground.basis
    if basis is LegalBasis.SOFT_OPT_IN and (choice is None or choice.basis is not LegalBasis.SOFT_OPT_IN):
        return Reason.NO_CONSENT
    return Reason(f"BASIS_{basis.name}")


def _decision(reason: Reason, asked: Asked, choice: StateRow | None) -> Decision:
    keeps = reason is Reason.NOTICE_OUTDATED and asked.purpose.on_notice_outdated is OutdatedPolicy.ALLOW
    answer = Answer.ALLOW if reason in ALLOWING or keeps else Answer.DENY
    state = ConsentState(choice.state) if choice else ConsentState.UNKNOWN
    if reason is Reason.WITHDRAWN:
        state = ConsentState.WITHDRAWN
    elif reason is Reason.EXPIRED:
        state = ConsentState.EXPIRED
    return Decision(answer, reason, state, choice)
