"""Wire models of batches and of the feed."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from privacyops.api.schemas.consent import IdentifierIn

_Key = Annotated[str, Field(min_length=1, max_length=63)]


class BatchItemIn(BaseModel):
    """One question; `ref` is the caller's own mark and comes back."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    ref: Annotated[str, Field(min_length=1, max_length=64)]
    subject: Annotated[str | None, Field(min_length=3, max_length=40)] = None
    identifier: IdentifierIn | None = None
    purpose: _Key
    channel: _Key
    brand: _Key | None = None
    jurisdiction: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None

    @model_validator(mode="after")
    def _is_about_somebody(self) -> "BatchItemIn":
        if (self.subject is None) == (self.identifier is None):
            raise ValueError("name the person by subject or by identifier, and by one of them only")
        return self


class BatchIn(BaseModel):
    """At most 1,000 questions."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[BatchItemIn], Field(min_length=1)]


class ProblemOut(BaseModel):
    """Why an item has no answer; to be taken as a no."""

    type: str
    title: str
    status: int


class BatchItemOut(BaseModel):
    """The answer to one item: `decision` and `reason`, or a `problem`."""

    ref: str
    decision: Literal["allow", "deny"] | None = None
    reason: str | None = None
    problem: ProblemOut | None = None


class BatchOut(BaseModel):
    """The answers in the order of the questions."""

    as_of: str
    items: list[BatchItemOut]


class ChangesOut(BaseModel):
    """A page of the feed. Items are dense by `seq`: a hole means that something was missed."""

    items: list[dict[str, Any]]
    next: int
    high_water: int
    as_of: str
    lag_ms: Annotated[int, Field(description="age of what is committed and has no number yet")]


class ImportOut(BaseModel):
    """An import: `fresh` after its dry run, then `running` and `done`."""

    id: str
    digest: str
    state: str
    line: int
    counts: dict[str, Any]


class GroupOut(BaseModel):
    """How many people stand in one state. `people` null: fewer than 20, or withheld to protect such a group."""

    purpose: str | None
    channel: str | None
    brand: str | None
    kind: str
    state: str
    people: int | None


class StatisticsOut(BaseModel):
    """Every group of choices and stops."""

    as_of: str
    groups: list[GroupOut]
