"""Wire models of systems that are told of choices, and of their acknowledgements."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from privacyops.domain.webhook.subscriber import Scheme

_Type = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)?(\.\*)?$", examples=["consent.withdrawn", "consent.*"])]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class SubscriberIn(_Wire):
    """A system. Without `url` it reads `/v1/changes` and confirms with `/v1/acks`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", examples=["mail-tool"])]
    url: Annotated[str | None, Field(max_length=500, examples=["https://mail.shop.example/hooks/privacy"])] = None
    types: Annotated[list[_Type], Field(max_length=50, description="Which events; empty: all of the log")] = []
    scheme: Annotated[Scheme, Field(description="v1: HMAC-SHA256; v1a: Ed25519")] = Scheme.V1


class SubscriberOut(BaseModel):
    """A system as it stands. `public_key` verifies `v1a` signatures; `cursor` is the last number handed over."""

    id: UUID
    name: str
    url: str | None
    types: list[str]
    scheme: Scheme
    public_key: str | None
    state: str
    code: str | None
    cursor: int
    created_at: str
    previous_secret_until: str | None


class SecretOut(BaseModel):
    """The signing key, shown here and nowhere else; null where nothing is signed."""

    id: UUID
    secret: str | None
    public_key: str | None


class RotateIn(_Wire):
    """A new key, of another scheme where one is named."""

    scheme: Scheme | None = None


class ReplayIn(_Wire):
    """Send again what was sent from this number on."""

    from_seq: Annotated[int, Field(ge=1)]


class ReplayOut(BaseModel):
    """How many events are sent again, at most a thousand a call."""

    replayed: int


class DeliveryOut(BaseModel):
    """One event for one system. `rule` and `due_at`: the clock of a stop; a task is opened when it runs out.

    `limit_at` is the law's own limit, where it gives more time than we do.
    """

    subscriber: str
    event_id: UUID
    seq: int
    type: str
    state: str
    tries: int
    code: str | None
    rule: str | None
    due_at: str | None
    limit_at: str | None
    acknowledged_at: str | None


class DeliveryList(BaseModel):
    """Deliveries, the newest first."""

    items: list[DeliveryOut]


class AcksIn(_Wire):
    """What a system has acted on: single events, or everything up to a number of the feed."""

    subscriber: Annotated[str, Field(min_length=1, max_length=63, description="Its name")]
    event_ids: Annotated[list[UUID], Field(max_length=1000)] = []
    up_to_seq: Annotated[int | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _names_something(self) -> "AcksIn":
        if not self.event_ids and self.up_to_seq is None:
            raise ValueError("name events, or a number up to which everything is done")
        return self


class AcksOut(BaseModel):
    """How many of them were open."""

    acknowledged: int


class SpreadOut(BaseModel):
    """Where one event has arrived. `last_after_s`: seconds from hand-over to the last system, once all have it."""

    event_id: UUID
    is_everywhere: bool
    last_after_s: float | None
    items: list[DeliveryOut]
