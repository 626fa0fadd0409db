"""Records of deadlines.yaml. They hold what the file says; domain/deadline/book.py turns them into rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from privacyops.domain.catalog.confidence import Confidence, require_note

PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class TermRow:
    """A length: `value` of `unit` from `start`. `wording` is what the law says beside the number."""

    value: int
    unit: str
    start: str = "receipt"
    rolls: bool = False
    safe_count_includes_start: bool = False
    wording: str = ""
    article: str = ""
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.value < 1:
            raise ValueError("a term has at least one unit")


@dataclass(frozen=True, slots=True)
class AcknowledgeRow:
    """A legal duty to confirm the receipt, for some types of request or, without `only_for`, for all."""

    value: int
    unit: str
    only_for: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    article: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecialRow:
    """What differs for some types of request. Without `value` the term of the regime holds.

    `extends`: the extension of the regime applies as well. `extend_total`: an extension of its own, same unit.
    """

    requests: tuple[str, ...]
    value: int | None = None
    unit: str | None = None
    duty: str = "answer"
    target_hours: int | None = None
    safe_count_includes_start: bool = False
    extends: bool = False
    extend_total: int | None = None
    valid_from: date | None = None
    wording: str = ""
    day_count_note: str = ""
    article: str = ""
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.value is None) != (self.unit is None):
            raise ValueError("value and unit come together")


@dataclass(frozen=True, slots=True)
class PauseRow:
    """How waiting for the requester counts. `ask_at_once`: only if asked within the product's `ask_within`."""

    method: str
    condition: str = ""
    only_for: tuple[str, ...] = ()
    ask_at_once: bool = False
    safe_due_ignores: bool = False
    statutory_since: date | None = None
    article: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class ExtendRow:
    """One extension; `total` counts from the start date, null where the notice names the date."""

    total: int | None
    unit: str
    conditions: tuple[str, ...] = ()
    notice_contents: tuple[str, ...] = ()
    wording: str = ""
    article: str = ""
    confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True)
class RefuseNotice:
    contents: tuple[str, ...]
    due: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True)
class FeeRow:
    """Free by default; when and how much may be charged."""

    may_charge: tuple[str, ...] = ()
    amount: str = ""
    burden_of_proof: str = ""
    free_per_12_months: int | None = None
    free_for: tuple[str, ...] = ()
    article: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class RecordRetention:
    """How long the request's own record is kept; a product default unless `is_statutory`."""

    months: int
    is_statutory: bool
    start: str = "closed"
    fields: tuple[str, ...] = ()
    use_limit: str = ""
    article: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A law on its way: shown, never applied."""

    name: str
    proposed: date
    adopted: bool
    effect: str
    note: str


@dataclass(frozen=True, slots=True)
class RegimeRow:
    """One version of one law. `role`: only for that kind of business, off by default. `facts`: for the reader."""

    id: str
    law: str
    applies: tuple[str, ...]
    requests: Mapping[str, str] | tuple[str, ...]
    version: int = 1
    valid_from: date | None = None
    role: str = ""
    calendar: str = "place_of_action"
    acknowledge: AcknowledgeRow | None = None
    respond: TermRow | None = None
    special: tuple[SpecialRow, ...] = ()
    pause: Mapping[str, PauseRow] = field(default_factory=dict)
    extend: ExtendRow | None = None
    cycles: Mapping[str, TermRow] = field(default_factory=dict)
    refuse_notice: RefuseNotice | None = None
    fee: FeeRow | None = None
    response_must_state: tuple[str, ...] = ()
    never_disclose: tuple[str, ...] = ()
    silence_is_refusal: bool = False
    record_retention: RecordRetention | None = None
    pending_change: PendingChange | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)
        for place in self.applies:
            require_place(place)


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state of the United States, as it deviates from `us_state_common`. Days; extensions are added."""

    id: str
    applies: str
    law: str
    valid_from: date
    respond_days: int
    extend_days: int
    appeal_days: int | None
    free_per_12_months: int | None
    universal_opt_out: bool | None
    version: int = 1
    appeal_extend_days: int | None = None
    extra_requests: tuple[str, ...] = ()
    never_disclose: tuple[str, ...] = ()
    consent_revocation_days: int | None = None
    record_retention_months: int | None = None
    record_note: str = ""
    appeal_record_months: int | None = None
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)
        require_place(self.applies)


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """Whose holidays count. Without `country`, those of the place of establishment.

    `by_part`: an establishment in that country counts the holidays of its own part of it.
    """

    basis: str
    country: str | None = None
    by_part: bool = False
    subdivision: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarNote:
    text: str
    confidence: Confidence
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class ConsumerClock:
    """A term of consumer law that a shop meets beside requests."""

    id: str
    law: str
    value: int | None = None
    unit: str = ""
    complex_value: int | None = None
    start: str = ""
    rolls: bool = False
    duty: str = ""
    in_force: date | None = None
    applies_from: str = ""
    closed: date | None = None
    silence_is_refusal: bool = False
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class ProductDefaults:
    acknowledge: TermRow
    ask_within: TermRow


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The whole of deadlines.yaml."""

    as_of: date
    request_types: tuple[str, ...]
    same_right: Mapping[str, tuple[str, ...]]
    product_defaults: ProductDefaults
    sources: Mapping[str, str]
    calendars: Mapping[str, CalendarRow]
    calendar_notes: tuple[CalendarNote, ...]
    regimes: tuple[RegimeRow, ...]
    us_states: tuple[StateRow, ...]
    consumer_law_clocks: tuple[ConsumerClock, ...]

    def __post_init__(self) -> None:
        known = set(self.request_types)
        versions = [(row.id, row.version) for row in self.regimes]
        versions += [(row.id, row.version) for row in self.us_states]
        if len(set(versions)) != len(versions):
            raise ValueError("a version of a rule occurs twice")
        for regime in self.regimes:
            self._check(regime, known)
        for name, others in self.same_right.items():
            _require_known({name, *others}, known, "same_right")

    def _check(self, regime: RegimeRow, known: set[str]) -> None:
        used = set(regime.requests).union(*(special.requests for special in regime.special))
        for pause in regime.pause.values():
            used.update(pause.only_for)
        _require_known(used, known, regime.id)
        if regime.calendar not in self.calendars:
            raise ValueError(f"{regime.id}: no calendar is called {regime.calendar!r}")
        cited = set(() if regime.respond is None else regime.respond.sources)
        _require_known(cited, set(self.sources), f"{regime.id}: sources")


def _require_known(used: set[str], known: set[str], where: str) -> None:
    unknown = sorted(used - known)
    if unknown:
        raise ValueError(f"{where}: {unknown[0]!r} is not in the list")


def require_place(code: str) -> str:
    """The same code. Raises: ValueError: not of the form DE or US-CA."""
    if PLACE.fullmatch(code) is None:
        raise ValueError(f"{code!r} is no code of a country or subdivision")
    return code
