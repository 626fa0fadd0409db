"""Suppression: an address or number that must not be written to, whoever it belongs to, and what lifts it again.

It is kept by keyed hash alone, so that it outlives an erasure and stops a later import.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privacyops.domain.subject import IdentifierType
from privacyops.kernel.errors import Conflict, Unprocessable


class SuppressionReason(StrEnum):
    """HARD_BOUNCE: the mailbox is dead. COMPLAINT: its owner reported advertising. ERASED_OPT_OUT: what was stopped
    when its owner was erased or moved away. STOP_KEYWORD: a text message that said stop. LEGAL: an order.
    """

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    ERASED_OPT_OUT = "erased_opt_out"
    STOP_KEYWORD = "stop_keyword"
    LEGAL = "legal"


STRENGTH: Final[Mapping[str, int]] = {
    SuppressionReason.STOP_KEYWORD: 1,
    SuppressionReason.ERASED_OPT_OUT: 2,
    SuppressionReason.COMPLAINT: 3,
    SuppressionReason.HARD_BOUNCE: 4,
    SuppressionReason.LEGAL: 5,
}
"""Where several stand against one contact, a row of the state shows the strongest; the others stay in the list."""
ADVERTISING_ONLY: Final = frozenset(
    {SuppressionReason.COMPLAINT, SuppressionReason.STOP_KEYWORD, SuppressionReason.ERASED_OPT_OUT}
)
"""Reasons that stop advertising and never a message that the contract needs."""
OWNER_LIFTS_FOR_ITSELF: Final = frozenset({SuppressionReason.ERASED_OPT_OUT, SuppressionReason.STOP_KEYWORD})
"""What a later grant lifts for its own purpose and channel, once the contact's owner has confirmed it."""
REFUSES_GRANTS: Final = frozenset({SuppressionReason.COMPLAINT, SuppressionReason.LEGAL})
"""What no grant gets past: a person lifts it first."""
NEEDS_TWO: Final = frozenset({SuppressionReason.LEGAL})

TEXT_FAMILY: Final = frozenset({"sms", "phone"})


class ContactSuppressed(Conflict):
    type = "/problems/suppressed"
    title = "This contact asked not to be written to, or an order says so; a person has to lift that first"


class NotAContact(Unprocessable):
    type = "/problems/not-a-contact"
    title = "An address, a number or a device can be suppressed; a customer's number cannot be written to"


class SuppressionMalformed(Unprocessable):
    type = "/problems/suppression-malformed"
    title = "Only what was ordered, or stopped before an erasure, is narrower than all purposes of a contact"


SCOPED: Final = frozenset({SuppressionReason.LEGAL, SuppressionReason.ERASED_OPT_OUT})


def channels_of(reason: SuppressionReason, type_: IdentifierType, used: Mapping[str, IdentifierType]) -> list[str]:
    """The channels that a suppression of this kind of contact reaches; `used` are those that write to contacts."""
    family = sorted(channel for channel, kind in used.items() if kind is type_)
    if reason is SuppressionReason.STOP_KEYWORD:
        return [channel for channel in family if channel in TEXT_FAMILY]
    return family
