"""Wire models of corrections: counts, codes and dates, and what each pair is about; never a value."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from privacyops.api.schemas.erasure import BecameOut, BlockedOut, ErasureReceiptOut, PlannedOut, RecipientOut
from privacyops.domain.dsar.erasing import ErasingState


class CorrectedOut(BaseModel):
    """One pair of a wrong and a right value: what it is about, and how many cells of the store hold the wrong one."""

    kind: Annotated[str, Field(examples=["street"])]
    cells: int


class StoreRectificationOut(BaseModel):
    """One store. `erasing` as a state: it is being carried out; `verified`: done and read back."""

    store: str
    state: ErasingState
    code: str | None
    plan_hash: str | None
    planned_at: datetime | None
    ended_at: datetime | None
    asked_next_at: datetime | None
    corrected: list[CorrectedOut]
    operations: int
    plan: list[PlannedOut]
    blockers: list[BlockedOut]
    result: list[BecameOut]
    residue: Annotated[int, Field(description="Rows that did not hold the right value when they were read again")]


class RectificationOut(BaseModel):
    """`whole`: every planned store was corrected by machine, read back, and nothing was left."""

    whole: bool
    stores: list[StoreRectificationOut]
    receipts: list[ErasureReceiptOut]
    recipients: list[RecipientOut]
