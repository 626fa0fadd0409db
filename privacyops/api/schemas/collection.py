"""Wire models of collection points: for those who register them, and for the pages and tills that use them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from privacyops.api.schemas.consent import ChoiceIn, IdentifierIn
from privacyops.domain.consent.collection import MOST_ORIGINS, MOST_PURPOSES, PointClock, PointKind
from privacyops.services.consent.terms import ChoiceAnswer

_Key = Annotated[str, Field(min_length=1, max_length=63)]
_Origin = Annotated[str, Field(min_length=8, max_length=270, examples=["https://shop.example"])]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NoticeVersionIn(_Wire):
    """The published text that stands there."""

    id: _Key
    version: Annotated[int, Field(ge=1)]


class PointTermsIn(_Wire):
    """What may be written there. Without an origin it is a till or a server, and no page may use it."""

    kind: PointKind
    brand: _Key
    origins: Annotated[list[_Origin], Field(max_length=MOST_ORIGINS)] = []
    purposes: Annotated[list[_Key], Field(min_length=1, max_length=MOST_PURPOSES)]
    notice: NoticeVersionIn
    clock: PointClock = PointClock.CLIENT


class PointIn(PointTermsIn):
    """A new collection point."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class PointOut(BaseModel):
    """A collection point as it stands."""

    id: UUID
    key: str
    kind: str
    brand: str
    origins: list[str]
    purposes: list[str]
    notice: NoticeVersionIn
    clock: str
    enabled: bool
    version: int


class TokenIn(_Wire):
    """For which page the token is. `purposes` narrows it to what that page asks for."""

    origin: _Origin | None = None
    purposes: Annotated[list[_Key] | None, Field(min_length=1, max_length=MOST_PURPOSES)] = None


class TokenOut(BaseModel):
    """Put it into the page. It opens nothing but this form, from this origin, until it ends."""

    token: str
    expires_at: str


class ShownIn(_Wire):
    """The text that the person saw, of the notice that the point is registered with."""

    locale: Annotated[str, Field(min_length=2, max_length=35, examples=["de-DE"])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OfferedPurpose(BaseModel):
    """One purpose to choose on, over each of its channels."""

    key: str
    title: str
    channels: list[str]


class OfferOut(BaseModel):
    """What a page asks. `shown` goes back with the choice; `notice_url` is where the text is read."""

    purposes: list[OfferedPurpose]
    shown: ShownIn
    notice_url: str
    is_anonymous: bool


class CollectedChoiceIn(ChoiceIn):
    """What was chosen for one purpose over one channel."""

    choice: Literal[ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE, ChoiceAnswer.DEFER]


class CollectIn(_Wire):
    """Choices from a page or till. Brand, method and notice are the point's own and cannot be sent."""

    client_event_id: Annotated[
        str, Field(pattern=r"^[!-~]{16,128}$", description="Random, such as a UUID; unique at this point for ever")
    ]
    identifiers: Annotated[list[IdentifierIn], Field(max_length=5)] = []
    consent_id: Annotated[
        str | None, Field(pattern=r"^c_[0-9A-HJKMNP-TV-Z]{26}$", description="Of a banner: from its first answer")
    ] = None
    notice: ShownIn
    choices: Annotated[list[CollectedChoiceIn], Field(min_length=1, max_length=50)]
    occurred_at: AwareDatetime | None = None
    jurisdiction: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None
    evidence: Annotated[dict[str, Any] | None, Field(max_length=30)] = None
    age: Annotated[int | None, Field(ge=0, le=130)] = None


class CollectedOut(BaseModel):
    """That it was taken in. A page learns nothing about the owner of an address; a till and a banner get the events."""

    received: bool = True
    consent_id: str | None = None
    event_ids: list[str] | None = None
