"""What an older record proves, and what it may therefore be taken over as.

Grade A proves who, when, which text, how, and the confirmation; B the same without the confirmation; C who, and a
time or a source; D is a mark in a list. A stop needs no proof.
"""

from dataclasses import dataclass
from enum import StrEnum

from privacyops.domain.consent.state import ConsentState, Grade, state_named
from privacyops.kernel.clock import Instant


class Claim(StrEnum):
    """What a list says of a person."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of an older list, without whom it is about."""

    claim: Claim
    occurred_at: Instant | None = None
    source: str | None = None
    wording: str | None = None
    method: str | None = None
    confirmed_at: Instant | None = None

    @property
    def grade(self) -> Grade:
        """What the line proves."""
        if self.occurred_at is not None and self.wording and self.method:
            return Grade.A if self.confirmed_at is not None else Grade.B
        return Grade.C if self.occurred_at is not None or self.source else Grade.D

    def state(self, *, needs_confirmation: bool) -> ConsentState:
        """What the line is taken over as. Stops count whatever their grade; a grant counts from grade B on."""
        match self.claim:
            case Claim.REFUSED:
                return ConsentState.REFUSED
            case Claim.WITHDRAWN:
                return ConsentState.WITHDRAWN
            case Claim.GRANTED if self.grade is Grade.A or (self.grade is Grade.B and not needs_confirmation):
                return ConsentState.GIVEN
            case Claim.GRANTED if self.grade is Grade.B:
                return ConsentState.REQUESTED
            case _:
                return ConsentState.UNKNOWN


_WORDS = {
    **dict.fromkeys(
        ("granted", "grant", "given", "yes", "y", "true", "1", "subscribed", "opt-in", "opted_in"), Claim.GRANTED
    ),
    **dict.fromkeys(("refused", "refuse", "no", "n", "false", "0"), Claim.REFUSED),
    **dict.fromkeys(("withdrawn", "withdraw", "unsubscribed", "opt-out", "opted_out"), Claim.WITHDRAWN),
    **dict.fromkeys(("unknown", ""), Claim.UNKNOWN),
}
_OF_STATE = {
    ConsentState.GIVEN: Claim.GRANTED, ConsentState.RENEWED: Claim.GRANTED, ConsentState.REFUSED: Claim.REFUSED,
    ConsentState.WITHDRAWN: Claim.WITHDRAWN, ConsentState.REVOKED: Claim.WITHDRAWN,
    ConsentState.INVALIDATED: Claim.WITHDRAWN,
}  # fmt: skip


def claim_named(word: str) -> Claim:
    """What a cell says: a plain word, or the name of a state. Raises: ValueError: neither."""
    known = _WORDS.get(word.strip().lower())
    if known is not None:
        return known
    return _OF_STATE.get(state_named(word.strip()), Claim.UNKNOWN)
