"""Wire models of consent. They check form; meaning is the services'."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from privacyops.domain.consent.state import IndicatedBy, Method
from privacyops.domain.subject import IdentifierType
from privacyops.services.consent.freshness import LONGEST_BOUND_MS, Mode
from privacyops.services.consent.terms import ChoiceAnswer

_Key = Annotated[str, Field(min_length=1, max_length=63)]
_Place = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166, such as DE or US-CA")]
_SubjectId = Annotated[str, Field(min_length=3, max_length=40, examples=["s_7QM0Z6K3N8XV4T1R5BCD9EFGHJ"])]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class IdentifierIn(_Wire):
    """What the shop knows the person or device by."""

    type: IdentifierType
    value: Annotated[str, Field(min_length=1, max_length=254, examples=["kim@example.com"])]


class SubjectIn(_Wire):
    """A person by the id from an earlier answer, or by identifiers."""

    id: _SubjectId | None = None
    identifiers: Annotated[list[IdentifierIn], Field(max_length=10)] = []

    @model_validator(mode="after")
    def _is_named(self) -> "SubjectIn":
        if self.id is None and not self.identifiers:
            raise ValueError("name the person by id or by at least one identifier")
        return self


class NoticeIn(_Wire):
    """The text the person saw."""

    id: _Key
    version: Annotated[int, Field(ge=1)]
    locale: Annotated[str, Field(min_length=2, max_length=35, examples=["de-DE"])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ChoiceIn(_Wire):
    """What was chosen for one purpose over one channel."""

    purpose: _Key
    channel: _Key
    choice: ChoiceAnswer


class CircumstancesIn(_Wire):
    """Whom a choice is about, and how it was expressed."""

    subject: SubjectIn
    brand: _Key | None = None
    jurisdiction: _Place | None = None
    method: Method
    indicated_by: IndicatedBy = IndicatedBy.SUBJECT
    occurred_at: Annotated[
        AwareDatetime | None, Field(description="When the person chose, by the caller's clock; default now")
    ] = None
    client_event_id: Annotated[
        str | None,
        Field(pattern=r"^[!-~]{1,128}$", description="The caller's own id of this event, unique for ever; ASCII"),
    ] = None
    evidence: Annotated[
        dict[str, Any] | None, Field(description="Strings and integers; kept sealed under the person's key")
    ] = None
    age: Annotated[
        int | None, Field(ge=0, le=130, description="In years, where it is known; judged at once and not kept")
    ] = None


class ConsentIn(CircumstancesIn):
    """Choices of one person, made together."""

    notice: NoticeIn | None = None
    choices: Annotated[list[ChoiceIn], Field(min_length=1, max_length=100)]


class ScopeIn(_Wire):
    """What is stopped: a purpose, a channel, or one over the other."""

    purpose: _Key | None = None
    channel: _Key | None = None

    @model_validator(mode="after")
    def _is_narrower_than_all(self) -> "ScopeIn":
        if self.purpose is None and self.channel is None:
            raise ValueError('name a purpose or a channel, or send "all"')
        return self


class WithdrawIn(CircumstancesIn):
    """A stop. `"all"` stops everything, also what is published later; a later grant lifts it for itself only."""

    scope: Literal["all"] | ScopeIn


class EventOut(BaseModel):
    """One event that was written. `applied` false: recorded, but something as late or later stands against it."""

    event_id: str
    leaf_hash: Annotated[str, Field(description="SHA-256(0x00 || leaf) in hex: what the promise and the log hold")]
    type: str
    purpose: str | None
    channel: str | None
    brand: str | None
    state: str | None
    applied: bool
    awaiting: str | None = None


class WrittenOut(BaseModel):
    """The answer to a write."""

    events: list[EventOut]
    subject_id: str
    state_version: int
    recorded_at: str
    token: Annotated[
        str | None, Field(description="Send it with `mode: at_least`: the answer then shows this write, or a later one")
    ] = None
    promise: Annotated[
        str | None, Field(description="Signed (JWS, EdDSA): these events stand in the log by `include_by`, or we lied")
    ] = None


class CheckQuery(BaseModel):
    """The check as a URL. Nothing else may stand in it: what a caller adds is mostly an address."""

    model_config = ConfigDict(extra="forbid")

    subject: _SubjectId
    purpose: _Key
    channel: _Key
    brand: _Key | None = None
    jurisdiction: _Place | None = None
    mode: Mode | None = None
    token: Annotated[str | None, Field(min_length=4, max_length=400)] = None
    max_staleness_ms: Annotated[int | None, Field(ge=0, le=LONGEST_BOUND_MS)] = None


class CheckIn(_Wire):
    """May this be done to this person over this channel now? Addresses travel in the body, never in a URL."""

    subject: _SubjectId | None = None
    identifier: IdentifierIn | None = None
    purpose: _Key
    channel: _Key
    brand: _Key | None = None
    jurisdiction: _Place | None = None
    mode: Mode | None = None
    token: Annotated[str | None, Field(min_length=4, max_length=400)] = None
    max_staleness_ms: Annotated[int | None, Field(ge=0, le=LONGEST_BOUND_MS)] = None

    @model_validator(mode="after")
    def _is_about_somebody(self) -> "CheckIn":
        if (self.subject is None) == (self.identifier is None):
            raise ValueError("name the person by subject or by identifier, and by one of them only")
        return self


class NoticeOut(BaseModel):
    """The text that the grant was given under."""

    id: str
    version: int
    locale: str
    sha256: str


class CheckOut(BaseModel):
    """The decision with its reason; 200 for a yes and a no alike. Anything else is to be taken as a no."""

    decision: Literal["allow", "deny"]
    reason: str
    basis: str
    regime: str
    jurisdiction: str | None
    purpose: str
    purpose_version: int
    channel: str
    brand: str | None
    state: str
    granted_at: str | None
    expires_at: str | None
    notice: NoticeOut | None
    event_id: str | None
    state_version: int
    as_of: str
    age_ms: int
    ttl_s: int
    stale: Annotated[bool, Field(description="True: older than asked for; only what is strictly necessary is allowed")]


class CurrentOut(BaseModel):
    """One choice, or one stop over many (`kind` other than choice), and what it answers."""

    kind: str
    purpose: str | None
    channel: str | None
    brand: str | None
    state: str
    decision: str | None
    reason: str | None
    since: str
    expires_at: str | None
    notice: NoticeOut | None
    purpose_version: int | None
    event_id: str


class CurrentList(BaseModel):
    """What one person chose, as of a moment."""

    subject_id: str
    as_of: str
    items: list[CurrentOut]


class ActorOut(BaseModel):
    """Who wrote it down."""

    kind: str


class HistoryOut(BaseModel):
    """One event of a person's history; `seq` is its number in the log, once it has one."""

    event_id: str
    type: str
    purpose: str | None
    purpose_version: int | None
    channel: str | None
    brand: str | None
    state: str | None
    occurred_at: str
    recorded_at: str
    actor: ActorOut
    indicated_by: str
    method: str
    notice: NoticeOut | None
    applied: bool
    state_version: int
    seq: int | None


class HistoryPage(BaseModel):
    """A page of history, newest first; `next` is the cursor of the page after it."""

    items: list[HistoryOut]
    next: str | None


At = Annotated[datetime | None, Field(description="RFC 3339 with a zone: the state of that moment")]
