"""Wire models of the data map: what a store holds, which links are asked about, what changed."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from privacyops.domain.datamap.deciding import Answer


class EvidenceOut(BaseModel):
    """One reason for a link; `n` of `of` sampled values, where it was counted."""

    kind: str
    weight: float
    n: int = 0
    of: int = 0


class LinkOut(BaseModel):
    """A link as the map has it, with the answer that stands laid over it."""

    id: str
    from_: str = Field(serialization_alias="from")
    to: str
    kind: str
    ownership: str
    confidence: float
    state: Literal["proposed", "confirmed", "rejected", "retired"]
    is_question: bool = Field(description="whether a person is asked about it")
    evidence: list[EvidenceOut]


class FieldOut(BaseModel):
    """A column or a path; `category` is what it holds of people, if anything."""

    path: str
    type: str
    category: str | None
    role: str


class CollectionOut(BaseModel):
    """A table, folder, index or resource; `class` says what its rows are to a person."""

    name: str
    kind: str
    class_: str | None = Field(serialization_alias="class")
    rows: int | None
    fields: list[FieldOut]


class DriftOut(BaseModel):
    """One change since the scan before; personal ones open a task."""

    kind: str
    what: str
    is_personal: bool


class StoreMapOut(BaseModel):
    """The map of one store. It holds no value of any row."""

    store: str
    scan: int
    scanned_at: AwareDatetime
    questions: int
    collections: list[CollectionOut]
    drift: list[DriftOut]


class StoreMapList(BaseModel):
    """Every store that was scanned."""

    items: list[StoreMapOut]


class LinkList(BaseModel):
    """The links of one store, questions first."""

    items: list[LinkOut]


class ScanOut(BaseModel):
    """How the newest scan of a store stands."""

    store: str
    state: str = Field(description="queued, running, waiting (for its next attempt), done or dead (given up)")
    read: int = Field(description="collections read so far")
    of: int = Field(description="collections to be read; 0 until they are counted")
    code: str | None = Field(description="why the store could not be scanned")
    setting: str | None = Field(description="the setting that the store's connector refused")
    allowed: str | None = Field(description="what may stand there, in words; never the value that stands there")


class LinkAnswerIn(BaseModel):
    """Yes or no; `ownership` only where it is another than proposed."""

    model_config = ConfigDict(extra="forbid")

    link: Annotated[str, Field(min_length=3, max_length=512, examples=["orders.customer_id>customers.id"])]
    answer: Answer
    ownership: Literal["owned", "pointer", "shared", "context"] | None = None
