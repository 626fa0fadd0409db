"""The runs of a request over its stores, and the records they found."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.dsar.record import Run, StoredFinding
from privacyops.domain.dsar.run import Decision, RunState, advance_run
from privacyops.kernel.errors import BadRequest, NotFound
from privacyops.kernel.ids import AccountId, DsarId, FindingId, JobId, RunId, uuid7
from privacyops.kernel.pagination import Page, bounded
from privacyops.store.tables.base import table_of
from privacyops.store.tables.finding import FindingRow, RunRow
from privacyops.store.uow import Tx

_RUN = table_of(RunRow)
_FINDING = table_of(FindingRow)


def add_run(tx: Tx, dsar_id: DsarId, store: str) -> RunId:
    """A run that waits for its job."""
    run = RunId(uuid7(tx.now))
    tx.run(
        insert(_RUN),
        {"id": run, "dsar_id": dsar_id, "store": store, "state": RunState.QUEUED, "version": 1, "attempts": 0,
         "report": {}},
    )  # fmt: skip
    return run


def load_run(tx: Tx, run: RunId) -> Run:
    """Raises: NotFound."""
    row = tx.run(select(_RUN).where(_RUN.c.id == run)).one_or_none()
    if row is None:
        raise NotFound
    return _run(row)


def list_runs(tx: Tx, dsar_id: DsarId) -> Sequence[Run]:
    """The runs of one request, by store."""
    return [_run(row) for row in tx.run(select(_RUN).where(_RUN.c.dsar_id == dsar_id).order_by(_RUN.c.store))]


def move_run(tx: Tx, seen: Run, to: RunState, **changed: Any) -> None:
    """Compare-and-set. Raises: TransitionRefused, StaleState."""
    advance_run(seen.state, to)
    tx.move(_seen(seen).values(state=to, version=seen.version + 1, **changed))


def save_run(tx: Tx, seen: Run, **changed: Any) -> None:
    """Change a run without moving it. Raises: StaleState."""
    tx.move(_seen(seen).values(version=seen.version + 1, **changed))


def _seen(seen: Run) -> Any:
    return update(_RUN).where(_RUN.c.id == seen.id, _RUN.c.state == seen.state, _RUN.c.version == seen.version)


def save_findings(tx: Tx, findings: Sequence[Mapping[str, Any]]) -> None:
    """Upsert by (request, store, row reference): a page that is repeated after a kill changes nothing.

    A decision that a person made is kept.
    """
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(_FINDING)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[_FINDING.c.dsar_id, _FINDING.c.store, _FINDING.c.row_ref],
        set_={name: new[name] for name in ("collection", "tier", "match", "columns", "via", "sealed", "found_at")},
    )
    if findings:
        tx.run(upsert, list(findings))


def list_findings(
    tx: Tx, dsar_id: DsarId, store: str, collection: str, after: str | None = None, limit: int = 50
) -> Page[StoredFinding]:
    """One page of one collection's findings, in the order in which they were found."""
    query = select(_FINDING).where(
        _FINDING.c.dsar_id == dsar_id, _FINDING.c.store == store, _FINDING.c.collection == collection
    )
    if after:
        try:
            query = query.where(_FINDING.c.id > UUID(after))
        except ValueError:
            raise BadRequest("the cursor is not one that this list gave out") from None
    rows = tx.run(query.order_by(_FINDING.c.id).limit(bounded(limit) + 1)).all()
    items = [_finding(row) for row in rows[:limit]]
    return Page(items, str(items[-1].id) if len(rows) > limit else None)


def page_of_all(tx: Tx, dsar_id: DsarId, after: tuple[str, str, UUID] | None, limit: int) -> Sequence[StoredFinding]:
    """The findings of a request in the order store, collection, id; for the package, page by page."""
    query = select(_FINDING).where(_FINDING.c.dsar_id == dsar_id)
    if after:
        store, collection, key = after
        in_store = and_(_FINDING.c.store == store, _FINDING.c.collection == collection, _FINDING.c.id > key)
        query = query.where(
            or_(
                _FINDING.c.store > store,
                and_(_FINDING.c.store == store, _FINDING.c.collection > collection),
                in_store,
            )
        )
    ordered = query.order_by(_FINDING.c.store, _FINDING.c.collection, _FINDING.c.id).limit(limit)
    return [_finding(row) for row in tx.run(ordered)]


def load_finding(tx: Tx, dsar_id: DsarId, finding: FindingId) -> StoredFinding:
    """Raises: NotFound: no such finding of this request."""
    row = tx.run(select(_FINDING).where(_FINDING.c.id == finding, _FINDING.c.dsar_id == dsar_id)).one_or_none()
    if row is None:
        raise NotFound
    return _finding(row)


def count_findings(tx: Tx, dsar_id: DsarId) -> Sequence[Row[Any]]:
    """(store, collection, tier, decision, reason, records) of each group that has records."""
    group = (_FINDING.c.store, _FINDING.c.collection, _FINDING.c.tier, _FINDING.c.decision, _FINDING.c.reason)
    query = (
        select(*group, func.count().label("records"))
        .where(_FINDING.c.dsar_id == dsar_id)
        .group_by(*group)
        .order_by(*group)
    )
    return tx.run(query).all()


def decide(
    tx: Tx,
    dsar_id: DsarId,
    decision: Decision,
    reason: str | None,
    by: AccountId | None,
    *,
    store: str | None = None,
    collection: str | None = None,
    finding: FindingId | None = None,
    tier: str | None = None,
    only_undecided: bool = False,
) -> int:
    """Set the decision of the findings that match every given condition; how many changed."""
    statement = update(_FINDING).where(_FINDING.c.dsar_id == dsar_id)
    for column, value in ((_FINDING.c.store, store), (_FINDING.c.collection, collection), (_FINDING.c.id, finding)):
        if value is not None:
            statement = statement.where(column == value)
    if tier is not None:
        statement = statement.where(_FINDING.c.tier == tier)
    if only_undecided:
        statement = statement.where(_FINDING.c.decision == Decision.UNDECIDED)
    return tx.run(statement.values(decision=decision, reason=reason, decided_by=by, decided_at=tx.now)).rowcount


def _run(row: Row[Any]) -> Run:
    return Run(
        id=RunId(row.id), dsar_id=DsarId(row.dsar_id), store=row.store, state=RunState(row.state),
        version=row.version, job_id=JobId(row.job_id) if row.job_id else None, attempts=row.attempts,
        started_at=row.started_at, settled_at=row.settled_at, code=row.code, report=row.report,
        state_sealed=row.state_sealed,
    )  # fmt: skip


def _finding(row: Row[Any]) -> StoredFinding:
    return StoredFinding(
        id=FindingId(row.id), dsar_id=DsarId(row.dsar_id), store=row.store, collection=row.collection,
        row_ref=row.row_ref, tier=row.tier, match=row.match, columns=tuple(row.columns), via=tuple(row.via),
        persons_mentioned=row.persons_mentioned, sealed=row.sealed, decision=Decision(row.decision),
        reason=row.reason, decided_by=AccountId(row.decided_by) if row.decided_by else None,
        decided_at=row.decided_at, found_at=row.found_at,
    )  # fmt: skip
