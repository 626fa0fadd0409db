"""The whole store of files: the reading half, and plan, apply and verify beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from connectors.formats.applying import Applying, read_back
from connectors.formats.planning import Planning
from connectors.formats.store import ShelfStore
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


class WritingShelfStore(ShelfStore):
    """One shelf. A store opened with the reading role plans and verifies too, and refuses to apply."""

    conditional_write: ConditionalWrite = ConditionalWrite.BEFORE_IMAGE

    def capabilities(self, call: Call) -> Capabilities:
        can = super().capabilities(call)
        if not self.may_write():
            return can
        return replace(
            can,
            writes=WRITES,
            transactions=TransactionScope.COLLECTION,
            conditional_write=self.conditional_write,
            bulk=BULK,
        )

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        self.shelf.serve(call)
        self.shelf.check()
        return Planning(self.shelf, self.tables, self.settings.encoding).plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the files themselves tell what was done
        if not self.may_write():
            raise Terminal("unsupported")
        self.shelf.serve(call)
        self.shelf.check()
        yield from Applying(self.shelf, self.tables, self.settings.encoding).apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self.shelf.serve(call)
        self.shelf.check()
        yield from read_back(call, self.shelf, self.tables, checks)
