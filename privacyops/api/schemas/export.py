"""Wire models of exports."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from privacyops.domain.export import ExportFormat, ExportState, Identifiers


class ExportFilterIn(BaseModel):
    """What to take; without a member all. A stop that names no purpose, channel or brand is always taken."""

    model_config = ConfigDict(extra="forbid")

    purpose: str | None = Field(default=None, min_length=1, max_length=63)
    channel: str | None = Field(default=None, min_length=1, max_length=63)
    brand: str | None = Field(default=None, min_length=1, max_length=63)
    since: datetime | None = Field(
        default=None, alias="from", description="recorded at or after; an instant, or a day in UTC"
    )
    until: datetime | None = Field(default=None, description="recorded before; an instant, or a day in UTC")


class ExportIn(BaseModel):
    """An export to build. Identifiers in clear take the scope `consent:export_clear` and a reason."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat
    filter: ExportFilterIn = Field(default_factory=ExportFilterIn)
    identifiers: Identifiers = Identifiers.HASHED
    reason: str = Field(default="", max_length=200, description="for identifiers in clear; goes to the audit log")


class ExportOut(BaseModel):
    """An export as it stands; `code` says why it failed or is void."""

    id: str
    state: ExportState
    format: ExportFormat
    identifiers: Identifiers
    rows: int
    size: int | None = None
    sha256: str | None = None
    checkpoint: str | None = Field(default=None, description="the signed note of the log that the export covers")
    created_at: str
    expires_at: str | None = None
    code: str | None = None
