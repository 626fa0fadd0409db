"""Moving a request: the table decides, the database compares and sets, one audit row tells."""

from typing import Any, Final

from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.kind import Outcome
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, advance, is_waiting_for_subject
from privacyops.domain.task import TaskKind
from privacyops.kernel.errors import StaleState
from privacyops.services.context import Context, record
from privacyops.services.dsar import clock
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import job as jobs
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

_OWED: Final = (TaskKind.NOTIFY_RECIPIENT,)
"""What was carried out is told to its recipients, also if the request is withdrawn afterwards."""


def move(
    ctx: Context,
    tx: Tx,
    dsar: Dsar,
    event: DsarEvent,
    *ticks: ClockEventKind,
    audit: dict[str, Any] | None = None,
    **changed: Any,
) -> Dsar:
    """Apply `event`, append the clock events in `ticks`, write `changed` fields and one audit row with `audit`.

    Raises: TransitionRefused: the table has no such step. StaleState: somebody moved the request meanwhile.
    """
    target = advance(dsar.state, event, dsar.resume_to)
    if ticks:
        changed |= clock.happen(tx, dsar, *ticks)
    if is_waiting_for_subject(target) and not is_waiting_for_subject(dsar.state):
        changed["resume_to"] = dsar.state
    elif dsar.resume_to is not None and not is_waiting_for_subject(target):
        changed["resume_to"] = None
    after = dsars.save_dsar(tx, dsar, state=target, **changed)
    record(ctx, tx, f"dsar.{event}", "dsar", dsar.id, state=str(target), **(audit or {}))
    return after


def require_seen(dsar: Dsar, seen: int | None) -> None:
    """Raises: StaleState: the page that the decision was made on shows another version; None: no page is known."""
    if seen is not None and dsar.version != seen:
        raise StaleState


def ask_for_review(tx: Tx, dsar: Dsar) -> None:
    """A task for whoever prepares the answer, as long as it is theirs: from the search, or from who sent it back."""
    tasks.add_task(
        tx, TaskKind.REVIEW_FINDINGS, dsar.safe_due_on, owner_role="analyst", owner_id=dsar.assignee_id, dsar_id=dsar.id
    )


def end(ctx: Context, tx: Tx, dsar: Dsar, event: DsarEvent, outcome: Outcome, **audit: Any) -> Dsar:
    """Close the request: what still ran or waited for it is cancelled."""
    jobs.cancel_jobs_of(tx, str(dsar.id))
    tasks.cancel_tasks_of(tx, dsar.id, "request_closed", but=_OWED)
    tasks.void_approvals(tx, dsar.id)
    deadlines.disarm(tx, dsar.id, None, "met")
    return move(ctx, tx, dsar, event, audit={"outcome": str(outcome), **audit}, outcome=outcome, closed_at=tx.now)
