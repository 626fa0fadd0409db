"""Recipients: who got data from the house, and what became of telling them that data were changed (Art. 19 GDPR)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.dsar.kind import RequestType
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import TransitionRefused
from privacyops.kernel.ids import AccountId, DsarId, TaskId

TOLD_OF: Final = frozenset({RequestType.ERASURE, RequestType.RECTIFICATION, RequestType.RESTRICTION})
"""After which requests recipients are told."""
TELLS: Final = "analyst"
"""The role whose task it is to tell a recipient."""
AGREES: Final = "approver"
"""The role that the task goes to while it waits for a second person to agree that the recipient is not told."""


@dataclass(frozen=True, slots=True)
class KnownRecipient:
    """Whom the house gives data. `store` names the connected store by which it is reached, `contact` where a person
    reaches it; both may be blank.
    """

    name: str
    purpose: str = ""
    country: str = ""
    store: str = ""
    contact: str = ""

    @property
    def key(self) -> str:
        """One recipient under every spelling of its name."""
        return name_key(self.name)


def name_key(name: str) -> str:
    """A name without regard to case and blanks; 200 characters at most."""
    return " ".join(name.casefold().split())[:200]


class NoticeState(StrEnum):
    """OPEN: nobody told it yet. TOLD: told, and it has not confirmed. CONFIRMED: it confirmed. NOT_DISCLOSED: it never
    got data of this person. PROPOSED: somebody says why it is not told, and a second person has to agree. EXCUSED: they
    agreed.
    """

    OPEN = "open"
    TOLD = "told"
    CONFIRMED = "confirmed"
    NOT_DISCLOSED = "not_disclosed"
    PROPOSED = "proposed"
    EXCUSED = "excused"


class Excuse(StrEnum):
    """Why a recipient is not told, or no longer waited for. The first two are the law's own."""

    IMPOSSIBLE = "impossible"
    DISPROPORTIONATE = "disproportionate"
    UNANSWERED = "unanswered"


class Way(StrEnum):
    """How a recipient was told."""

    MAIL = "mail"
    LETTER = "letter"
    PHONE = "phone"
    SERVICE = "service"


_S = NoticeState
NOTICE_TRANSITIONS: Final[Mapping[NoticeState, frozenset[NoticeState]]] = {
    _S.OPEN: frozenset({_S.TOLD, _S.CONFIRMED, _S.NOT_DISCLOSED, _S.PROPOSED}),
    _S.TOLD: frozenset({_S.CONFIRMED, _S.PROPOSED}),
    _S.PROPOSED: frozenset({_S.EXCUSED, _S.OPEN, _S.TOLD}),
    _S.CONFIRMED: frozenset(),
    _S.NOT_DISCLOSED: frozenset(),
    _S.EXCUSED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientNotice:
    """One recipient to be told of one request; its task is open until it ends."""

    id: UUID
    dsar_id: DsarId
    task_id: TaskId
    name: str
    state: NoticeState
    way: Way | None = None
    told_on: date | None = None
    confirmed_on: date | None = None
    excuse: Excuse | None = None
    proposed_by: AccountId | None = None
    proposed_at: Instant | None = None
    decided_by: AccountId | None = None
    note_sealed: bytes | None = None

    @property
    def was_told(self) -> bool:
        """Whether it heard of it, confirmed or not."""
        return self.told_on is not None


def advance_notice(state: NoticeState, target: NoticeState) -> NoticeState:
    """`target`, if a notice may go there from `state`. Raises: TransitionRefused."""
    if target not in NOTICE_TRANSITIONS[state]:
        allowed = sorted(str(known) for known in NOTICE_TRANSITIONS[state])
        raise TransitionRefused(f"a notice cannot go from {state} to {target}", state=str(state), allowed=allowed)
    return target
