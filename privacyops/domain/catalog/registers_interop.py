"""Records of registers_interop.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from privacyops.domain.catalog.confidence import Confidence, require_note


@dataclass(frozen=True, slots=True)
class Register:
    """Fields that the law names, fields beside them, and fields of one row where a register has rows inside."""

    legal: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    row: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DpiaScreening:
    criteria: int
    assess_from: int
    source: str
    rule: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    version: str
    use: str
    data_categories: int | None = None
    data_uses: int | None = None
    data_subjects: int | None = None
    license: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way in which other systems ask or are asked. Each is off until an administrator turns it on."""

    name: str
    use: str
    license: str = ""
    transport: str = ""
    endpoints: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    request: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    exercise: tuple[str, ...] = ()
    regulation: tuple[str, ...] = ()
    status: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    validation_order: tuple[str, ...] = ()
    identity_fields: tuple[str, ...] = ()
    identity_types: tuple[str, ...] = ()
    identity_formats: tuple[str, ...] = ()
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    result_codes: Mapping[str, str] = field(default_factory=dict)
    http_status: Mapping[str, int] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    hash: str = ""
    maintenance: str = ""


@dataclass(frozen=True, slots=True)
class Gpc:
    name: str
    header: str
    dom: str
    resource: str
    applies_to: tuple[str, ...]
    must_honour: tuple[str, ...]
    certain: tuple[str, ...]
    confidence: Confidence
    note: str

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)
        if not set(self.certain) <= set(self.must_honour):
            raise ValueError("a certain state is missing from must_honour")


@dataclass(frozen=True, slots=True)
class ForeignStatus:
    """What other protocols call a public status of privacyops."""

    drp: str
    opendsr: str


@dataclass(frozen=True, slots=True)
class ComplaintClock:
    """A term of the complaints module; a product default unless `is_legal`."""

    value: int
    unit: str
    is_legal: bool
    complex_value: int | None = None
    start: str = "receipt"
    rolls: bool = False
    safe_count_includes_start: bool = False
    in_force: date | None = None
    applies_from: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class Complaints:
    case_types: tuple[str, ...]
    fields: tuple[str, ...]
    topic: tuple[str, ...]
    remedy_sought: tuple[str, ...]
    states: tuple[str, ...]
    evidence_kinds: tuple[str, ...]
    clocks: Mapping[str, ComplaintClock]
    prevention: tuple[str, ...]
    kpis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegistersInterop:
    """The whole of registers_interop.yaml."""

    as_of: date
    registers: Mapping[str, Register]
    dpia_screening: DpiaScreening
    transfer_mechanisms: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    vocabulary_rule: str
    protocols: Mapping[str, Protocol]
    gpc: Gpc
    status_map: Mapping[str, ForeignStatus]
    public_status: Mapping[str, str]
    public_status_of_outcome: Mapping[str, str]
    complaints: Complaints

    def __post_init__(self) -> None:
        named = {*self.public_status.values(), *self.public_status_of_outcome.values()}
        unmapped = sorted(named - set(self.status_map) - {"follow_canonical"})
        if unmapped:
            raise ValueError(f"status_map lacks the public status {unmapped[0]!r}")
