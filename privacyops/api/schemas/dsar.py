"""Wire models of requests. They check form; meaning is the services'."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.state import DsarState

_Short = Annotated[str, Field(max_length=200)]


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class RequesterIn(Wire):
    """Who asks. The e-mail address is where the answer is announced."""

    email: Annotated[str, Field(min_length=3, max_length=254, examples=["kim@example.com"])]
    name: _Short = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    customer_id: Annotated[str, Field(max_length=64)] = ""
    order_number: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=10_000)] = ""


class DsarIn(Wire):
    """A request that a back end or a member of staff hands in."""

    type: RequestType
    requester: RequesterIn
    channel: Channel = Channel.API
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    residence: Annotated[
        str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166, such as DE or US-CA")
    ] = None
    received_at: Annotated[
        AwareDatetime | None, Field(description="When it reached any channel of the controller; default now")
    ] = None
    identity_asserted: Annotated[
        bool, Field(description="The caller vouches that its signed-in customer asks; recorded as asserted")
    ] = False


class ReceiptOut(BaseModel):
    """What was taken in."""

    id: str
    reference: Annotated[str, Field(examples=["PR-7MK4Q2"])]
    state: DsarState
    received_at: datetime


class DsarOut(BaseModel):
    """A request without personal data."""

    id: str
    reference: str
    type: RequestType
    state: DsarState
    channel: Channel
    regime: str
    language: str
    received_at: datetime
    recorded_at: datetime
    due_on: Annotated[date, Field(description="Last date in time; the on-time KPI is measured on it")]
    safe_due_on: Annotated[date, Field(description="Earliest date that every reading accepts; plan on it")]
    paused_since: date | None
    is_verified: bool
    outcome: str | None
    answered_at: datetime | None
    closed_at: datetime | None


class DsarPage(BaseModel):
    """One page of requests; `next` is the cursor of the page after it."""

    items: list[DsarOut]
    next: str | None
