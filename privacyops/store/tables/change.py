"""What readers follow: a row for each number of the consent log, for a week; imports of older lists."""

from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import BigKey, UtcDateTime


class ConsentChangeRow(SQLModel, table=True):
    """Number `seq` of the consent log and whom it concerns. Dense: a reader that sees a hole stops.

    Without a person it is either about nobody, or about somebody who was erased; the leaf tells which. What happened
    stands in the leaf and is not repeated here.
    """

    __tablename__ = "consent_change"
    __table_args__ = (Index("ix_consent_change_subject", "subject_no"),)

    controller: str = Field(primary_key=True, max_length=64)
    seq: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    entry_id: UUID
    subject_no: int | None = Field(default=None, sa_column=Column(BigKey))
    state_version: int | None = Field(default=None, sa_column=Column(BigKey))
    at: Instant = Field(sa_type=UtcDateTime)


class ErasedSubjectRow(SQLModel, table=True):
    """The id of somebody who was erased, sealed, until every copy has been told; a week at most.

    `event_id` is the leaf `subject.erased`, which itself names nobody.
    """

    __tablename__ = "erased_subject"

    event_id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    sealed: bytes = ciphertext(SealedBy.RING)
    erased_at: Instant = Field(sa_type=UtcDateTime)


class ImportRow(SQLModel, table=True):
    """One import of an older list: what was promised by its dry run, and how far the real run came.

    `digest` is that of the file and of what it is to mean; `line` the last one that is stored.
    """

    __tablename__ = "consent_import"
    __table_args__ = (Index("ix_consent_import_digest", "controller", "digest"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    digest: str = Field(max_length=64)
    state: str = Field(max_length=8)
    line: int = Field(default=0, sa_column=Column(BigKey, nullable=False))
    report: str = Field(default="{}")
    started_by: str = Field(max_length=64)
    started_at: Instant = Field(sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class ImportedRow(SQLModel, table=True):
    """One line that an import stored, by the hash of what it says: the same line is never stored twice."""

    __tablename__ = "consent_imported"
    __table_args__ = ({"sqlite_with_rowid": False},)

    controller: str = Field(primary_key=True, max_length=64)
    row_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    import_id: UUID
