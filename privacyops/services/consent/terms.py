"""What a consent call says and gets back, and the ways in which it can be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from privacyops.domain.consent.collection import PointClock
from privacyops.domain.consent.state import IndicatedBy, Method
from privacyops.domain.notice import NoticeRef
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, NotFound, Unprocessable
from privacyops.ledger.leaf import Json
from privacyops.store.purpose import Catalogue, KnownPurpose


class UnknownPurpose(NotFound):
    type = "/problems/unknown-purpose"
    title = "No such purpose is published"


class PurposeRetired(Conflict):
    """`purposes` names them. Nothing is done for them any more, so nobody is asked; a no and a withdrawal count."""

    type = "/problems/purpose-retired"
    title = "The purpose is retired: nobody is asked for it any more. A no or a withdrawal is still recorded"


class UnknownChannel(NotFound):
    type = "/problems/unknown-channel"
    title = "The purpose does not use such a channel"


class UnknownBrand(NotFound):
    type = "/problems/unknown-brand"
    title = "The controller has no such brand, or has several and none was named"


class DuplicateChoice(Unprocessable):
    type = "/problems/duplicate-choice"
    title = "One purpose and channel stand twice in the request; nothing was written"


class NoticeNotPublished(Unprocessable):
    type = "/problems/notice-not-published"
    title = "No such notice version is published"


class NoticeMismatch(Unprocessable):
    type = "/problems/notice-mismatch"
    title = "The notice has no such text, or does not name the purpose"


class GuardianRequired(Unprocessable):
    type = "/problems/guardian-required"
    title = "Who speaks for somebody else names the mandate in the evidence"


class ExplicitMethodNeeded(Unprocessable):
    type = "/problems/explicit-method-needed"
    title = "The purpose needs explicit consent: a statement of its own, not a banner or a box on the way"


class EvidenceMalformed(Unprocessable):
    type = "/problems/evidence-malformed"
    title = "Evidence holds strings and integers, at most 65,535 bytes of them"


class ChoiceAnswer(StrEnum):
    """ASK is no answer: a prompt was shown. It changes nothing, and is refused where nobody may be asked."""

    GRANT = "grant"
    REFUSE = "refuse"
    DEFER = "defer"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one purpose over one channel."""

    purpose: str
    channel: str
    answer: ChoiceAnswer


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How choices were expressed. `brand` None: the only one; for a stop: all of them.

    `occurred_at` is what the caller's clock said; None: now, by the service's clock. `client_event_id` makes a call
    unique for ever, beyond the life of its Idempotency-Key. `age` in years, where the shop knows it; it is not kept.
    `clock` is that of the collection point which hands the choices over; None: the caller's account decides.
    """

    method: Method
    brand: str | None = None
    jurisdiction: str | None = None
    indicated_by: IndicatedBy = IndicatedBy.SUBJECT
    occurred_at: Instant | None = None
    client_event_id: str | None = None
    notice: NoticeRef | None = None
    evidence: Mapping[str, Json] | None = None
    age: int | None = None
    clock: PointClock | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a stop reaches. Both None: everything."""

    purpose: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write; `events` are members as they go over the wire.

    `promise` is added after the commit (promising.py): a repeated call gets the same one, made from what is stored.
    """

    events: Sequence[Mapping[str, Any]]
    subject_id: str
    state_version: int
    recorded_at: str
    token: str = ""
    is_replayed: bool = False
    promise: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "events": [dict(event) for event in self.events],
            "subject_id": self.subject_id,
            "state_version": self.state_version,
            "recorded_at": self.recorded_at,
            "token": self.token,
        }

    @classmethod
    def replayed(cls, body: Mapping[str, Any]) -> "Written":
        return cls(
            body["events"], body["subject_id"], body["state_version"], body["recorded_at"], body.get("token", ""),
            is_replayed=True,
        )  # fmt: skip


def purpose_named(names: Catalogue, key: str, channel: str) -> KnownPurpose:
    """Raises: UnknownPurpose, UnknownChannel."""
    known = names.purposes.get(key)
    if known is None:
        raise UnknownPurpose
    if channel not in names.channels or channel not in known.current.channels:
        raise UnknownChannel
    return known


def require_offered(names: Catalogue, *keys: str) -> None:
    """Raises: PurposeRetired."""
    retired = sorted({key for key in keys if key in names.purposes and names.purposes[key].current.is_retired})
    if retired:
        raise PurposeRetired(purposes=retired)


def brand_named(names: Catalogue, key: str | None) -> str:
    """The brand, or the only one where none is named. Raises: UnknownBrand."""
    if key is None and len(names.brands) == 1:
        return next(iter(names.brands))
    if key is None or key not in names.brands:
        raise UnknownBrand
    return key
