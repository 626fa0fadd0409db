"""What the clock does to requests: reminders before a date, the end of submissions nobody ever confirmed."""

from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import Outcome
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import TaskKind
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.clock import PAST
from privacyops.services.dsar.lifecycle import end
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import task as tasks
from privacyops.store import token as tokens
from privacyops.store.deadline import DueDeadline
from privacyops.store.uow import Tx

LAST_SLOTS: Final = ("-0d", "0d")


@use_case(Action.JOB_RUN)
def fire_deadlines(ctx: Context, tx: Tx) -> int:
    """Fire every deadline whose moment has come, oldest first; how many did.

    Each fires once, whichever process sweeps and however often: a fired row is no longer armed.
    """
    return sum(_fire(ctx, tx, due) for due in deadlines.list_due(tx))


@use_case(Action.JOB_RUN)
def forget_spent_tokens(ctx: Context, tx: Tx) -> int:
    """Delete links, buckets and answered calls that have run out; how many rows."""
    return tokens.sweep_tokens(tx)


def _fire(ctx: Context, tx: Tx, due: DueDeadline) -> bool:
    if not deadlines.fire(tx, due):
        return False
    dsar = dsars.load_dsar(tx, due.dsar_id)
    if due.kind == "unverified_expiry":
        _expire_unverified(ctx, tx, dsar)
    elif due.slot == PAST:
        # From now on nobody can do what the reminder asks for: an open question would only be in the way.
        if tasks.cancel_reminders(tx, dsar.id, due.kind, "date_passed"):
            record(ctx, tx, "deadline.fired", "dsar", dsar.id, kind=due.kind, slot=due.slot)
    elif dsar.is_open and dsar.is_verified and dsar.state is not DsarState.ANSWERED:
        # A later reminder of the same date stands for the earlier ones: nobody needs five tasks to hear of one day.
        tasks.cancel_reminders(tx, dsar.id, due.kind, "reminded_again")
        role = "dpo" if due.slot in LAST_SLOTS else "analyst"
        day = _day_of(due, ctx.controller.zone)
        tasks.add_task(
            tx, TaskKind.DUE_SOON, day, owner_role=role, owner_id=dsar.assignee_id, dsar_id=dsar.id,
            code=f"{due.kind}{due.slot}",
        )  # fmt: skip
        record(ctx, tx, "deadline.fired", "dsar", dsar.id, kind=due.kind, slot=due.slot)
    return True


def _day_of(due: DueDeadline, zone: str) -> date:
    """The date that a reminder is about: a slot such as `-5d` fires five days before it."""
    return due.due_at.astimezone(ZoneInfo(zone)).date() + timedelta(days=int(due.slot.strip("-d")))


def _expire_unverified(ctx: Context, tx: Tx, dsar: Dsar) -> None:
    """The first mail announced it; no further mail goes to an address that never answered."""
    if not dsar.is_verified and dsar.state is DsarState.AWAITING_IDENTITY:
        end(ctx, tx, dsar, DsarEvent.EXPIRE_UNVERIFIED, Outcome.NOT_IDENTIFIED)
