"""How old an answer may be: three modes, decided once, for the gate and the documented route alike.

A source that reads the file or the server that writes go to is never old, so every mode is met there; what a token of
a lost write asks for is met nowhere, and then the answer is no.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import Unavailable, Unprocessable
from privacyops.ports.keyring import KeyRing
from privacyops.services.consent.token import Claim, claim_of, refs_of

BOUND_MS: Final = 1_000
LONGEST_BOUND_MS: Final = 60_000


class Mode(StrEnum):
    """BOUNDED: not older than a bound. AT_LEAST: shows the write of a token, or a later one. STRICT: as of now."""

    BOUNDED = "bounded"
    AT_LEAST = "at_least"
    STRICT = "strict"


class FreshnessMalformed(Unprocessable):
    type = "/problems/freshness-malformed"
    title = "at_least needs a token, a token needs at_least, and max_staleness_ms belongs to bounded"


class DecisionUnavailable(Unavailable):
    """Nothing could be read; whoever gets this takes it as a no."""

    type = "/problems/decision-unavailable"
    title = "The state cannot be read now; this is a no"

    def __init__(self) -> None:
        super().__init__(decision="deny", reason="UNAVAILABLE")


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a question asks for. `claim` only with AT_LEAST, which is bounded too: what came after its write counts.

    A caller sets `bound_ms` with BOUNDED only.
    """

    mode: Mode = Mode.BOUNDED
    bound_ms: int = BOUND_MS
    claim: Claim | None = None

    def is_met(self, keyring: KeyRing, controller: str, read: "Read") -> bool:
        """Whether what was read is new enough."""
        match self.mode:
            case Mode.STRICT:
                return read.is_primary
            case Mode.BOUNDED:
                return read.is_primary or read.age_ms <= self.bound_ms
            case Mode.AT_LEAST:
                return self._shows(keyring, controller, read)

    def _shows(self, keyring: KeyRing, controller: str, read: "Read") -> bool:
        assert self.claim is not None  # noqa: S101 - `freshness_of` makes no AT_LEAST without one
        if read.subject_no is None or self.claim.ref not in refs_of(keyring, controller, read.subject_no):
            return read.is_primary  # another person's write, or of one who was erased since: what is now counts
        return read.state_version >= self.claim.state_version and (read.is_primary or read.age_ms <= self.bound_ms)


@dataclass(frozen=True, slots=True)
class Read:
    """Where a state was read and how it stood: `is_primary` where writes go to, else `age_ms` on the reader's clock."""

    subject_no: int | None
    state_version: int
    is_primary: bool = True
    age_ms: int = 0


DEFAULT: Final = Freshness()


def freshness_of(
    keyring: KeyRing, controller: str, mode: Mode | None, token: str | None, bound_ms: int | None
) -> Freshness:
    """What the caller asked for. Raises: FreshnessMalformed, TokenMalformed."""
    mode = mode or Mode.BOUNDED
    if (token is None) == (mode is Mode.AT_LEAST) or (bound_ms is not None and mode is not Mode.BOUNDED):
        raise FreshnessMalformed
    claim = claim_of(keyring, controller, token) if token is not None else None
    return Freshness(mode, BOUND_MS if bound_ms is None else bound_ms, claim)
