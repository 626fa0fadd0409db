"""The words of consent: states, events, how a choice was expressed and by whom.

Source: ISO/IEC TS 27560:2023 with the names of the W3C Data Privacy Vocabulary.
"""

from enum import StrEnum
from typing import Final


class ConsentState(StrEnum):
    """What one person's choice for one purpose over one channel is."""

    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    EXPIRED = "ConsentExpired"
    REVOKED = "ConsentRevoked"
    INVALIDATED = "ConsentInvalidated"


GRANTED: Final = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})
STOPPED: Final = frozenset(
    {ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.REVOKED, ConsentState.INVALIDATED}
)
UNDECIDED: Final = frozenset({ConsentState.UNKNOWN, ConsentState.DEFERRED})

_ALIASES: Final = {"ConsentTerminated": ConsentState.REVOKED}


def state_named(name: str) -> ConsentState:
    """The state of a name; the guide's `ConsentTerminated` is read as `ConsentRevoked` and never written.

    Raises: ValueError: no such state.
    """
    return _ALIASES.get(name) or ConsentState(name)


class EventType(StrEnum):
    """What happened. Past tense, as in the log and in the events that leave the house."""

    REQUESTED = "consent.requested"
    DEFERRED = "consent.deferred"
    GIVEN = "consent.given"
    CONFIRMED = "consent.confirmed"
    RENEWED = "consent.renewed"
    REFUSED = "consent.refused"
    WITHDRAWN = "consent.withdrawn"
    EXPIRED = "consent.expired"
    TERMINATED = "consent.terminated"
    INVALIDATED = "consent.invalidated"
    BASIS_ESTABLISHED = "basis.established"
    OBJECTION_MADE = "objection.made"
    OBJECTION_LIFTED = "objection.lifted"
    GPC = "signal.gpc"
    STOP_ALL = "stop.all"
    SUPPRESSION_ADDED = "suppression.added"
    SUPPRESSION_LIFTED = "suppression.lifted"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    CONTACT_CHANGED = "contact.changed"
    IMPORT = "import"
    STATE_CARRIED = "state.carried"
    NOTICE_PUBLISHED = "notice.published"
    PURPOSE_PUBLISHED = "purpose.published"
    SUBJECT_ERASED = "subject.erased"
    LEDGER_PRUNED = "ledger.pruned"


STATE_AFTER: Final = {
    EventType.REQUESTED: ConsentState.REQUESTED,
    EventType.DEFERRED: ConsentState.DEFERRED,
    EventType.GIVEN: ConsentState.GIVEN,
    EventType.CONFIRMED: ConsentState.GIVEN,
    EventType.RENEWED: ConsentState.RENEWED,
    EventType.REFUSED: ConsentState.REFUSED,
    EventType.WITHDRAWN: ConsentState.WITHDRAWN,
    EventType.EXPIRED: ConsentState.EXPIRED,
    EventType.TERMINATED: ConsentState.REVOKED,
    EventType.INVALIDATED: ConsentState.INVALIDATED,
}
"""The state that an event on one purpose and channel leads to, when it is applied."""

GRANTING: Final = frozenset(
    {EventType.REQUESTED, EventType.DEFERRED, EventType.GIVEN, EventType.CONFIRMED, EventType.RENEWED}
)
"""Events that can only widen what is allowed; every other one can only narrow it or changes nothing."""


class Method(StrEnum):
    """How a choice was expressed."""

    CHECKOUT_CHECKBOX = "checkout_checkbox"
    FORM = "form"
    BANNER = "banner"
    PREFERENCE_CENTRE = "preference_centre"
    DOI_CLICK = "doi_click"
    ONE_CLICK_POST = "one_click_post"
    MAIL_UNSUBSCRIBE = "mail_unsubscribe"
    GPC = "gpc"
    SMS_STOP = "sms_stop"
    PHONE = "phone"
    POST = "post"
    IN_PERSON = "in_person"
    GUARDIAN_FORM = "guardian_form"
    AGENT = "agent"
    IMPORT = "import"
    API = "api"
    SYSTEM = "system"


class IndicatedBy(StrEnum):
    """Who expressed the choice; a guardian or agent with a mandate in the evidence."""

    SUBJECT = "subject"
    GUARDIAN = "guardian"
    AGENT = "agent"


class ClockTrust(StrEnum):
    """Whose clock `occurred_at` comes from: the service's or a trusted account's, or a foreign one."""

    TRUSTED = "trusted"
    CLIENT = "client"


class Grade(StrEnum):
    """What the source of an imported record proves: A everything, B no confirmation, C who and when, D a flag."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Strength(StrEnum):
    """How a grant came about, weakest first: taken over, expressed, confirmed by the contact's owner."""

    IMPORTED = "imported"
    EXPRESSED = "expressed"
    CONFIRMED = "confirmed"


class RowKind(StrEnum):
    """What a row of the projection answers."""

    CHOICE = "choice"
    STOP_ALL = "stop_all"
    OBJECTION = "objection"
    GPC = "gpc"
    SUPPRESSION = "suppression"
