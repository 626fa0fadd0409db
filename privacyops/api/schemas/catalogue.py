"""Wire models of purposes and notices. They check form; what a purpose or notice has to say is the domain's."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from privacyops.domain.notice import Part
from privacyops.domain.purpose import LegalBasis, OutdatedPolicy, PurposeFlag, PurposeScope, Regime

_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", examples=["newsletter"])]
_NoticeId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["newsletter"])]
_Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?$")]
_Place = Annotated[str, Field(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$", description="ISO 3166, or * for elsewhere")]
_Text = Annotated[str, Field(max_length=20_000)]
_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Period = Annotated[str, Field(max_length=16, description="ISO 8601 in months and days", examples=["P24M"])]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class GroundIn(_Wire):
    """By which right, and what silence means, in one jurisdiction."""

    basis: LegalBasis
    regime: Regime
    gpc_override: bool = False


class HandlingIn(_Wire):
    """How the data is handled, as records of ISO/IEC TS 27560 state it."""

    collected_by: Annotated[str, Field(max_length=60)] = ""
    operations: Annotated[list[_Word], Field(max_length=30)] = []
    stored_in: Annotated[list[_Word], Field(max_length=50)] = []
    processed_in: Annotated[list[_Word], Field(max_length=50)] = []
    restricted_to: Annotated[list[_Word], Field(max_length=50)] = []
    optional: Annotated[list[_Word], Field(max_length=50)] = []
    special: Annotated[list[_Word], Field(max_length=50)] = []


class PurposeIn(_Wire):
    """The next version of a purpose."""

    key: _Key
    titles: Annotated[dict[_Locale, _Word], Field(min_length=1)]
    channels: Annotated[list[_Key], Field(min_length=1, max_length=50)]
    grounds: Annotated[dict[_Place, GroundIn], Field(min_length=1)]
    scope: PurposeScope = PurposeScope.BRAND
    flags: list[PurposeFlag] = []
    confirmed_in: Annotated[
        dict[_Key, list[_Place]], Field(description="Where a channel needs double opt-in", examples=[{"email": ["DE"]}])
    ] = {}
    valid_for: _Period | None = None
    on_notice_outdated: OutdatedPolicy = OutdatedPolicy.DENY
    dpv: Annotated[str | None, Field(max_length=300, description="IRI of the purpose in W3C DPV")] = None
    data_categories: Annotated[list[_Word], Field(max_length=100)] = []
    recipients: Annotated[list[_Word], Field(max_length=100)] = []
    retention: _Period | None = None
    handling: HandlingIn | None = None

    def body(self) -> dict[str, Any]:
        """The members as the domain reads them: it keeps no booleans, so that a digest has one form."""
        told = self.model_dump(mode="json", exclude_none=True)
        told["grounds"] = {
            place: {**ground, "gpc_override": "yes" if ground["gpc_override"] else "no"}
            for place, ground in told["grounds"].items()
        }
        return told


class PurposeOut(BaseModel):
    """A version as it is published, or a draft of one."""

    version: int
    body: dict[str, Any]
    is_draft: bool
    material: bool
    material_reason: str
    judged_by: str


class PurposeList(BaseModel):
    """The versions in force, and the drafts of what follows them."""

    items: list[PurposeOut]
    drafts: list[PurposeOut]


class NoticeDraftIn(_Wire):
    """The next version of a notice: per language the words of each part of ISO/IEC 29184."""

    id: _NoticeId
    texts: Annotated[dict[_Locale, dict[Part, _Text]], Field(max_length=60)]
    purposes: Annotated[list[_Key], Field(max_length=100)]
    bundles: Annotated[list[list[_Key]], Field(max_length=100, description="Purposes behind one switch")] = []
    preselected: Annotated[list[_Key], Field(max_length=100, description="Purposes whose box comes ticked")] = []


class FindingOut(BaseModel):
    """One reason not to publish: `place` is a locale and part, or a purpose."""

    code: str
    place: str


class NoticeText(BaseModel):
    """One language of a version: where people read it, and the digest of exactly that text."""

    locale: str
    sha256: str
    url: str


class NoticeVersionOut(BaseModel):
    """A published version."""

    id: str
    version: int
    purposes: list[str]
    texts: list[NoticeText]
    published_at: str
    material: bool
    material_reason: str
    judged_by: str


class NoticeDraftOut(BaseModel):
    """A draft with everything that still forbids publishing it."""

    id: str
    version: int
    findings: list[FindingOut]


class NoticeList(BaseModel):
    """Every published version, the newest of each notice first, and the drafts."""

    items: list[NoticeVersionOut]
    drafts: list[NoticeDraftOut]


class JudgementIn(_Wire):
    """A person's decision whether older consent still covers the new version; needed from the second version on."""

    material: bool
    reason: Annotated[str, Field(min_length=5, max_length=500)]
    judged_by: Annotated[str, Field(min_length=1, max_length=120, description="The name of the person who decided")]


class PublishIn(_Wire):
    """Publish the draft as the next version."""

    judgement: JudgementIn | None = None


class RetireIn(_Wire):
    """Why nothing is done for the purpose any more, and who decided it."""

    reason: Annotated[str, Field(min_length=5, max_length=500)]
    judged_by: Annotated[str, Field(min_length=1, max_length=120, description="The name of the person who decided")]


class PublishedOut(BaseModel):
    """What was put in force."""

    key: str
    version: int
