"""Wire models of erasures: counts, codes and dates."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.recipient import Excuse, NoticeState


class PlannedOut(BaseModel):
    """What is planned for some rows of one collection. `until` says until when they are kept, where they are."""

    collection: str
    op: Annotated[str, Field(examples=["delete"])]
    why: str
    until: str
    rows: int
    columns: list[str]


class BlockedOut(BaseModel):
    """What stands in the way of a part of the plan, and what helps against it."""

    collection: str
    column: str
    code: str
    remedy: str


class BecameOut(BaseModel):
    """What became of some rows: settled, waiting (the store works on them), residual, unknown or open."""

    collection: str
    op: str
    standing: str
    code: str
    rows: int


class StoreErasureOut(BaseModel):
    """One store. `pending`: it has accepted the work and does it later; `asked_next_at` is when it is asked again."""

    store: str
    state: ErasingState
    code: str | None
    plan_hash: str | None
    planned_at: datetime | None
    ended_at: datetime | None
    asked_next_at: datetime | None
    searched_again: Annotated[int, Field(description="How often it was searched again after the erasure")]
    searched_next_at: datetime | None
    operations: int
    irreversible: int
    waiting_for_a_decision: int
    plan: list[PlannedOut]
    blockers: list[BlockedOut]
    result: list[BecameOut]
    residue: Annotated[int, Field(description="Rows that a search after the erasure still found")]


class ErasureReceiptOut(BaseModel):
    """A signed receipt; a later one supplements it."""

    sha256: str
    made_at: datetime


class RecipientOut(BaseModel):
    """Somebody who got data of the person, and what came of telling them (Art. 19). `excused`: two agreed why not."""

    name: str
    state: NoticeState
    told_on: date | None
    confirmed_on: date | None
    excuse: Excuse | None


class HandedOverOut(BaseModel):
    """`changed` false: somebody did so before."""

    store: str
    changed: bool


class ErasureOut(BaseModel):
    """`whole`: every planned store was erased by machine, read back, and nothing was left."""

    whole: bool
    stores: list[StoreErasureOut]
    receipts: list[ErasureReceiptOut]
    recipients: list[RecipientOut]
