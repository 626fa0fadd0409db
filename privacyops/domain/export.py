"""An export of the consent ledger: what may be asked for, and which events it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.state import EventType
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import instant_of, instant_text

WIDE: Final = frozenset(
    {
        EventType.STOP_ALL, EventType.OBJECTION_MADE, EventType.OBJECTION_LIFTED, EventType.GPC,
        EventType.SUPPRESSION_ADDED, EventType.SUPPRESSION_LIFTED,
    }
)  # fmt: skip
"""Events that may bear on a purpose without naming it."""


class ExportFormat(StrEnum):
    """The first two are the records of receipts; the others every event as a row."""

    DPV = "dpv-27560"
    KANTARA = "kantara-1.1"
    NDJSON = "ndjson"
    CSV = "csv"


class Identifiers(StrEnum):
    """Whether people appear as keyed hashes, or with their ids, addresses and numbers."""

    HASHED = "hashed"
    CLEAR = "clear"


class ExportState(StrEnum):
    """`void`: somebody in it was erased. Only a ready one can be fetched."""

    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    VOID = "void"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """What to take; None: all. `since` and `until` bound when an event was recorded, the latter exclusive."""

    purpose: str | None = None
    channel: str | None = None
    brand: str | None = None
    since: Instant | None = None
    until: Instant | None = None

    def takes(self, event: ConsentEvent) -> bool:
        """Whether the event belongs to the export.

        A stop that names no purpose, channel or brand stops all of them: without it the export of one purpose would
        show a consent that no longer counts.
        """
        if self.since is not None and event.recorded_at < self.since:
            return False
        if self.until is not None and event.recorded_at >= self.until:
            return False
        named = event.purpose.key if event.purpose else None
        is_wide = event.type in WIDE
        wanted = ((self.purpose, named), (self.channel, event.channel), (self.brand, event.brand))
        return all(wish is None or have == wish or (is_wide and have is None) for wish, have in wanted)

    def to_json(self) -> dict[str, Any]:
        """As it is stored; absent members are left out."""
        told = {
            "purpose": self.purpose, "channel": self.channel, "brand": self.brand,
            "since": instant_text(self.since) if self.since else None,
            "until": instant_text(self.until) if self.until else None,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "ExportFilter":
        """The filter that was stored."""
        since, until = told.get("since"), told.get("until")
        return cls(
            told.get("purpose"), told.get("channel"), told.get("brand"),
            instant_of(since) if since else None, instant_of(until) if until else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export as it stands. It covers the numbers to `through_seq`, which `checkpoint` signs; `size` in bytes."""

    id: UUID
    state: ExportState
    format: ExportFormat
    identifiers: Identifiers
    filter: ExportFilter
    through_seq: int | None
    after_seq: int
    checkpoint: str | None
    rows: int
    size: int | None
    sha256: str | None
    code: str | None
    created_at: Instant
    expires_at: Instant | None
