"""Records of incidents.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from privacyops.domain.catalog.confidence import Confidence, require_note


@dataclass(frozen=True, slots=True)
class Length:
    value: int
    unit: str


@dataclass(frozen=True, slots=True)
class ClockStart:
    """When a controller counts as aware, and which moments an incident records."""

    gdpr: str
    processor: str
    processor_target_hours: int
    timestamps: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class HoursRule:
    hours: int
    strict: str
    legal_latest: str
    no_roll: str
    two_working_days: str
    two_working_days_note: str


@dataclass(frozen=True, slots=True)
class IncidentClock:
    """One duty to notify. Without `value` the law gives words, not a number."""

    id: str
    to: tuple[str, ...]
    value: int | None = None
    unit: str = ""
    start: str = ""
    wording: str = ""
    threshold: str = ""
    late: str = ""
    phased: str = ""
    subjects: str = ""
    exceptions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    assess_within: Length | None = None
    supplement: Length | None = None
    supplement_malicious: Length | None = None
    small_agents: str = ""
    public_notice_days: int | None = None
    register_years: int | None = None
    record_months: int | None = None
    log_retention_years: int | None = None
    applies: str = ""
    in_force: date | None = None
    valid_from: date | None = None
    extra: str = ""
    article: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)
        if (self.value is None) != (not self.unit):
            raise ValueError(f"{self.id}: a number and its unit come together")
        if self.value is None and not self.wording:
            raise ValueError(f"{self.id}: without a number the words of the law are needed")


@dataclass(frozen=True, slots=True)
class StateBreach:
    """Term for telling residents of these states, in days; None: without unreasonable delay."""

    states: tuple[str, ...]
    individuals_days: int | None
    attorney_general: str = ""
    attorney_general_days: int | None = None
    law: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class Route:
    when: str
    route: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    lowest: int
    highest: int
    clamped_to: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeverityExample:
    """A worked case: dpc * ei + cb = se."""

    id: str
    name: str
    dpc: int
    ei: float
    cb: float
    se: float
    level: str


@dataclass(frozen=True, slots=True)
class SeverityLevel:
    """Reached from this score on."""

    level: str
    at_least: float


@dataclass(frozen=True, slots=True)
class Severity:
    """ENISA's score: context times ease of identification, plus circumstances."""

    origin: str
    formula: str
    context: Mapping[str, int]
    context_adjustment: Adjustment
    context_rule: str
    identification: Mapping[str, float]
    circumstances: Mapping[str, Mapping[str, float]]
    circumstances_at_most: float
    levels: tuple[SeverityLevel, ...]
    flags: tuple[str, ...]
    decision_aid: Mapping[str, str]
    decision_aid_note: str
    examples: tuple[SeverityExample, ...]

    def __post_init__(self) -> None:
        bounds = [level.at_least for level in self.levels]
        if bounds != sorted(set(bounds)) or bounds[:1] != [0.0]:
            raise ValueError("the levels of severity do not rise from 0")
        if {level.level for level in self.levels} != set(self.decision_aid):
            raise ValueError("the decision aid does not cover the levels of severity")

    def level_of(self, score: float) -> str:
        """Name of the level that a score reaches."""
        return [level.level for level in self.levels if score >= level.at_least][-1]


@dataclass(frozen=True, slots=True)
class EdpbCase:
    """Every case went into the register; who else was told."""

    case: int
    label: str
    authority: bool
    subjects: bool


@dataclass(frozen=True, slots=True)
class Incidents:
    """The whole of incidents.yaml."""

    as_of: date
    incident_types: tuple[str, ...]
    clock_start: ClockStart
    hours_rule: HoursRule
    clocks: tuple[IncidentClock, ...]
    us_product_default_days: int
    us_state_breach: tuple[StateBreach, ...]
    art33_3_fields: tuple[str, ...]
    art34_2_fields: tuple[str, ...]
    authority_routing: tuple[Route, ...]
    severity: Severity
    edpb_01_2021_confidence: Confidence
    edpb_01_2021_note: str
    edpb_01_2021: tuple[EdpbCase, ...]

    def __post_init__(self) -> None:
        ids = [clock.id for clock in self.clocks]
        if len(set(ids)) != len(ids):
            raise ValueError("a clock occurs twice")
        states = [state for row in self.us_state_breach for state in row.states]
        if len(set(states)) != len(states):
            raise ValueError("a state has two terms for breaches")
