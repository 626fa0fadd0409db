"""What a request for rectification corrects: the pairs of wrong and right values, sealed."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import UtcDateTime


class CorrectionRow(SQLModel, table=True):
    """All pairs of one request. `id` is another one each time they are written: plans and approvals bind to it."""

    __tablename__ = "dsar_correction"

    dsar_id: UUID = Field(primary_key=True, foreign_key="dsar.id")
    controller: str = Field(max_length=64)
    id: UUID
    pairs: int
    sealed: bytes = ciphertext(SealedBy.REQUEST)
    written_at: Instant = Field(sa_type=UtcDateTime)
