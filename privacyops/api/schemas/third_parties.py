"""Wire models of passages about other people: places, reasons and decisions, never a piece of a text."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from privacyops.api.schemas.dsar import Wire
from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.record import ReadingState
from privacyops.domain.redaction.suggest import Decision

_Place = Annotated[int, Field(ge=0, le=2**31 - 1)]


class PassageKind(StrEnum):
    """What a passage marked by hand is."""

    PERSON = "PERSON"
    LOCATION = "LOCATION"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    PHONE_NUMBER = "PHONE_NUMBER"
    IBAN_CODE = "IBAN_CODE"
    CREDIT_CARD = "CREDIT_CARD"


class PassageIn(Wire):
    """A passage to take out: code points `start` to `end` (exclusive) of a text of a record."""

    finding: UUID
    field: Annotated[str, Field(max_length=255, description="The column of the record")]
    at: Annotated[_Place, Field(description="Which string inside the column it is, depth first; 0 for plain text")] = 0
    start: _Place
    end: _Place
    kind: PassageKind

    @model_validator(mode="after")
    def _ends_behind_its_start(self) -> "PassageIn":
        if self.end <= self.start:
            raise ValueError("end lies behind start")
        return self


class PassageDecisionIn(Wire):
    """What becomes of a passage; `open` takes a decision back."""

    decision: Literal["accepted", "refused", "open"]
    seen: Annotated[Decision | None, Field(description="The decision that was looked at; another one is refused")] = (
        None
    )


class PassageOut(BaseModel):
    """A passage without its text."""

    id: str
    finding: str
    store: str
    collection: str
    field: str
    at: int
    start: Annotated[int, Field(description="First code point of the text")]
    end: Annotated[int, Field(description="Code point behind the last")]
    type: Annotated[str, Field(examples=["PERSON"])]
    label: Annotated[str, Field(examples=["[Person B]"], description="One person keeps one label over all texts")]
    why: str
    score: float
    doubts: list[Doubt]
    decision: Decision
    is_by_hand: bool
    decided_at: datetime | None


class ReadingOut(BaseModel):
    """How far the texts are read, and what still holds the answer back."""

    state: ReadingState | None
    texts: int
    files: Annotated[int, Field(description="Documents behind records, which nothing looks into")]
    open: Annotated[int, Field(description="Passages without a decision, in records that are not left out")]
    unseen: Annotated[
        int, Field(description="Texts that a person has to read; only the console shows them and takes the word for it")
    ]
    vouched_at: Annotated[
        datetime | None,
        Field(description="When a person said, in the console, to have read every text where the machine could not"),
    ]
    degraded: Annotated[list[str], Field(description="What detection lacks, each with what mends it")]


class PassagePage(BaseModel):
    """One page of passages; `next` is the cursor of the page after it."""

    reading: ReadingOut
    items: list[PassageOut]
    next: str | None
