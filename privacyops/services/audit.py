"""The audit log as people read it: filtered pages with each row's number and hash, and its verification."""

from collections.abc import Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.audit import AuditEntry
from privacyops.domain.log import Log
from privacyops.kernel.errors import BadRequest
from privacyops.kernel.ids import DsarId
from privacyops.kernel.pagination import Page
from privacyops.services import ledger
from privacyops.services.context import Context, reading
from privacyops.store import audit
from privacyops.store import dsar as dsars
from privacyops.store.audit import AuditFilter
from privacyops.store.uow import Tx

__all__ = ["AuditFilter", "LoggedEntry", "Verdict", "list_log", "references", "verify_log"]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """A row with its place in the log; None: committed, and not numbered yet."""

    entry: AuditEntry
    seq: int | None
    leaf_hash: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found, in numbers; `flaws` name records by id and what is wrong with each."""

    is_good: bool
    rows: int
    covered: int
    checkpoints: int
    is_waiting: bool
    flaws: Sequence[str]


@reading(Action.AUDIT_SEE)
def list_log(
    ctx: Context, tx: Tx, wanted: AuditFilter, before: str | None = None, limit: int = 50
) -> Page[LoggedEntry]:
    """One page, newest first. Raises: BadRequest: the cursor is not one that this list gave out."""
    try:
        page = audit.list_filtered(tx, wanted, before, limit)
    except ValueError:
        raise BadRequest("the cursor is not one that this list gave out") from None
    placed = audit.places_of(tx, [row.id for row in page.items])
    return Page([LoggedEntry(row, *placed.get(row.id, (None, None))) for row in page.items], page.next)


@reading(Action.AUDIT_SEE)
def references(ctx: Context, tx: Tx, dsars_: Sequence[DsarId]) -> dict[str, str]:
    """The numbers of requests by their ids: what the log's rows are about."""
    return {str(key): number for key, number in dsars.references_of(tx, dsars_).items()}


def verify_log(ctx: Context) -> Verdict:
    """Hold every audit row against the signed checkpoints. Raises: Forbidden."""
    found = ledger.verify(ctx, Log.AUDIT)
    flaws = [f"{one.flaw}: {one.record or one.index}: {one.detail}" for one in found.unlogged]
    for tree in found.trees:
        flaws += [f"{one.flaw}: {one.record or one.index}: {one.detail}" for one in tree.report.mismatches]
    return Verdict(
        found.is_good,
        sum(tree.report.size for tree in found.trees),
        sum(tree.report.covered for tree in found.trees),
        sum(tree.report.checkpoints for tree in found.trees),
        found.waiting,
        flaws[:50],
    )
