"""Wire models around one person: contacts, devices, confirmations, objections, signals, suppressions."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from privacyops.api.schemas.consent import CircumstancesIn, IdentifierIn, SubjectIn, WrittenOut
from privacyops.domain.consent.state import IndicatedBy, Method
from privacyops.domain.consent.suppression import SuppressionReason

_Key = Annotated[str, Field(min_length=1, max_length=63)]
_Place = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166, such as DE or US-CA")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ConfirmIn(_Wire):
    """The token of a mailed link."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class ConfirmOut(BaseModel):
    """What the link confirmed. The same link again writes nothing and says so."""

    event_id: str
    state: str
    already_confirmed: bool
    subject_id: str
    token: str | None = None
    promise: str | None = None


class ResendIn(_Wire):
    """Which mail is sent once more."""

    subject: SubjectIn
    purpose: _Key
    channel: _Key = "email"
    brand: _Key | None = None


class ContactIn(_Wire):
    """The new address or number; `former` where the person has several of the kind."""

    contact: IdentifierIn
    former: IdentifierIn | None = None
    method: Method
    indicated_by: IndicatedBy = IndicatedBy.SUBJECT


class LinkIn(_Wire):
    """The device that somebody signed in on, by its own identifiers."""

    identifiers: Annotated[list[IdentifierIn], Field(min_length=1, max_length=5)]


class LinkOut(BaseModel):
    """A tie. `linked_id` is the device's own id, by which it is untied."""

    subject_id: str
    linked_id: str
    state_version: int
    changed: bool


class BasisIn(CircumstancesIn):
    """A sale that lets similar products be advertised; the evidence names `sale`, `similar_products` and
    `opt_out_offered`."""

    purpose: _Key
    channel: _Key


class ObjectionIn(CircumstancesIn):
    """Without a purpose: to all advertising, over every channel."""

    purpose: _Key | None = None


class ObjectionOut(WrittenOut):
    """`reference` is the request that weighs an objection to a legitimate interest, where one was opened."""

    reference: str | None = None


class SignalIn(_Wire):
    """The values of the `Sec-GPC` fields of one request, as they came, and whose request it was."""

    subject: SubjectIn
    sec_gpc: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10)]
    jurisdiction: _Place | None = None


class SignalOut(BaseModel):
    """Whether the request carried the signal, and what was written: nothing where it stood already."""

    signal: bool
    events: list[str]


class SignalStatusOut(BaseModel):
    """What a page may say. `label` is there while a signal is honoured; `duty`: the law here asks for it."""

    signal: bool
    honoured: bool
    duty: bool
    label: str | None


class GpcSupport(BaseModel):
    """`/.well-known/gpc.json`: the service is aware of the signal, since when."""

    gpc: Literal[True] = True
    lastUpdate: str | None = None  # noqa: N815 - the name that the specification gives


class SuppressionIn(_Wire):
    """A contact that must not be written to. A purpose only for an order, or for what was stopped at an erasure."""

    contact: IdentifierIn
    reason: SuppressionReason
    purpose: _Key | None = None
    brand: _Key | None = None


class ContactLookup(_Wire):
    """A contact to look up; it travels in the body, so that no log of URLs holds it."""

    contact: IdentifierIn


class SuppressionOut(BaseModel):
    """One entry of the list."""

    reason: SuppressionReason
    purpose: str | None
    brand: str | None
    event_id: str


class SuppressionList(BaseModel):
    """What stands against one contact."""

    items: list[SuppressionOut]


class EndingOut(BaseModel):
    """A grant that ends soon."""

    subject_id: str
    purpose: str
    channel: str
    brand: str | None
    ends_at: str


class EndingList(BaseModel):
    """Grants to be renewed; `next` is the id to go on behind."""

    items: list[EndingOut]
    next: str | None
