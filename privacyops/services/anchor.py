"""Anchoring: each day the newest checkpoint of each log goes to somebody outside, who can hold us to it.

Whoever controls this service can rewrite a log and sign it anew. They cannot rewrite what an auditor has in a
mailbox or a bucket with object lock: verification holds every kept checkpoint against the log.
"""

from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.kernel.errors import Conflict
from privacyops.ledger.checkpoint import Checkpoint, SignedNote
from privacyops.ports.telemetry import Counter
from privacyops.services import mail
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.ledger import PATH
from privacyops.store import ledger as ledgers
from privacyops.store.uow import Tx

EVERY: Final = timedelta(days=1)
KIND: Final = "anchor"


def anchor_daily(ctx: Context) -> int:
    """Give out what is due; how many checkpoints. Fired each minute: a place that is away is tried again."""
    return sum(_anchor(ctx, log) for log in Log)


def _anchor(ctx: Context, log: Log) -> bool:
    due = _due(ctx, log)
    if due is None:
        return False
    tree, size, note = due
    try:
        # before the commit: a file written twice is the same file, one that was never written would not be missed
        kept = ctx.ports.anchors.keep(f"{ctx.controller.key}-{PATH[log]}-{tree}-{size:012d}", note)
    except (OSError, Conflict) as error:
        ctx.ports.telemetry.failure("anchor.not_kept", error)
        ctx.ports.telemetry.count(Counter.ALARMS, "anchor_not_kept")
        return False
    if not kept and ctx.controller.auditor_email is None:
        return False  # nobody outside was named
    _given(ctx, log, tree, size, note)
    return True


@reading(Action.JOB_RUN)
def _due(ctx: Context, tx: Tx, log: Log) -> tuple[str, int, str] | None:
    """Tree, size and note of the newest checkpoint, if the last one given out is a day old and the log grew."""
    trees = ledgers.list_trees(tx, log)
    note = ledgers.latest_note(tx, log, trees[-1].name) if trees else None
    last = ledgers.last_anchored(tx, log)
    if note is None or (last is not None and tx.now - last[2] < EVERY):
        return None
    size = Checkpoint.parse(SignedNote.parse(note).text).size
    return None if last is not None and last[:2] == (trees[-1].name, size) else (trees[-1].name, size, note)


@use_case(Action.JOB_RUN)
def _given(ctx: Context, tx: Tx, log: Log, tree: str, size: int, note: str) -> None:
    if not ledgers.add_anchor(tx, log, tree, size):
        return
    if ctx.controller.auditor_email is not None:
        subject = f"{ctx.controller.name}: checkpoint of the {log} log, {tree}, {size} records"
        text = (
            "Keep this mail. It shows later whether the log was changed or cut after today:\n"
            "save the lines below as a file and run `privacyops ledger verify --checkpoint FILE`.\n\n" + note
        )
        mail.promise_text(ctx, tx, ctx.controller.auditor_email, KIND, subject, text)
    record(ctx, tx, "ledger.anchored", "ledger", str(log), tree=tree, size=size)
