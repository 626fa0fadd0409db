"""One row of the audit log: who did what to which object, in codes. Never personal data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AuditId


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`action` is a verb of the law or of an Action, `detail` holds codes, counts, ids and hashes only."""

    id: AuditId
    controller: str
    at: Instant
    actor_kind: str
    actor_id: UUID
    action: str
    object_kind: str
    object_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None

    def leaf(self) -> dict[str, Any]:
        """The members that the log commits to: every column of the row."""
        members: dict[str, Any] = {
            "v": 1,
            "id": str(self.id),
            "controller": self.controller,
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "actor_kind": self.actor_kind,
            "actor_id": str(self.actor_id),
            "action": self.action,
            "object_kind": self.object_kind,
            "object_id": self.object_id,
            "detail": dict(self.detail),
        }
        if self.request_id is not None:
            members["request_id"] = self.request_id
        return members
