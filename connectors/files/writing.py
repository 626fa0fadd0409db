"""The whole store: the reading half, and plan, apply and verify beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from connectors.files.applying import Applying, read_back
from connectors.files.planning import Planning
from connectors.files.store import FolderStore
from privacyops.connector_sdk import (
    Call,
    Capabilities,
    Check,
    ConditionalWrite,
    Op,
    OpId,
    OpResult,
    Plan,
    Terminal,
    TransactionScope,
    Verdict,
    WriteAct,
)

BULK: Final = 5000
WRITES: Final = frozenset({WriteAct.DELETE, WriteAct.SET, WriteAct.UNLINK, WriteAct.REDACT_SPAN})


class FilesStore(FolderStore):
    """One folder. A store opened with the reading role plans and verifies too, and refuses to apply."""

    def capabilities(self, call: Call) -> Capabilities:
        can = super().capabilities(call)
        if not self.may_write():
            return can
        return replace(
            can,
            writes=WRITES,
            transactions=TransactionScope.COLLECTION,
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=BULK,
        )

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        self.folder.check()
        return Planning(self.folder, self.tables, self.settings.encoding).plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the files themselves tell what was done
        if not self.may_write():
            raise Terminal("unsupported")
        self.folder.check()
        yield from Applying(self.folder, self.tables, self.settings.encoding).apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self.folder.check()
        yield from read_back(call, self.folder, self.tables, checks)
