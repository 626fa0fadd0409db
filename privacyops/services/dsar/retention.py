"""Emptying closed requests: first what was found, in the end who asked. Dates and outcomes stay for the figures."""

from privacyops.domain.account.action import Action
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.dsar.retention import SHORTEST_MONTH, VALUES_KEPT, is_record_due, record_months
from privacyops.services.context import Context, record, use_case
from privacyops.store import retention
from privacyops.store.uow import Tx


@use_case(Action.JOB_RUN)
def empty_closed(ctx: Context, tx: Tx) -> int:
    """Empty the closed requests whose time has come, some at a time; how many were touched. Repeating is harmless."""
    touched = 0
    for dsar_id in retention.list_with_values(tx, tx.now - VALUES_KEPT):
        retention.drop_values(tx, dsar_id)
        record(ctx, tx, "dsar.values_dropped", "dsar", dsar_id)
        touched += 1
    for regime in retention.list_regimes(tx):
        months = record_months(rule_book(), regime)
        for dsar in retention.list_with_key(tx, regime, tx.now - SHORTEST_MONTH * months):
            if dsar.closed_at is None or not is_record_due(dsar.closed_at, months, tx.now):
                break  # the oldest come first
            retention.drop_values(tx, dsar.id)
            retention.empty_record(tx, dsar.id)
            record(ctx, tx, "dsar.emptied", "dsar", dsar.id, months=months)
            touched += 1
    return touched
