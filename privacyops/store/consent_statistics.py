"""Counts of choices, for reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from privacyops.store.tables.consent import HEAD
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class Count:
    """How many people stand in one state, by numbers of purpose, channel and brand; 0 stands for all.

    `ended` are those whose grant has run out, although nothing was written about that yet.
    """

    purpose_no: int
    channel_no: int
    brand_no: int
    kind: str
    state: str
    people: int
    ended: int


def count_states(tx: Tx, now_ms: int) -> Sequence[Count]:
    """One count for each purpose, channel, brand and state."""
    rows = tx.raw(
        """SELECT c.purpose_no, c.channel_no, c.brand_no, c.kind, c.state, count(*),
            count(CASE WHEN c.valid_until <= :now AND c.state IN ('ConsentGiven', 'RenewedConsentGiven') THEN 1 END)
        FROM consent_state c JOIN subject s ON s.no = c.subject_no
        WHERE s.controller = :controller AND c.kind <> :head
        GROUP BY c.purpose_no, c.channel_no, c.brand_no, c.kind, c.state
        ORDER BY c.purpose_no, c.channel_no, c.brand_no, c.kind, c.state""",
        {"controller": tx.controller, "now": now_ms, "head": HEAD},
    )
    return [Count(*row) for row in rows]
