"""One person on two sides: what a device's rows and an account's rows are together, and apart again.

A stop of either side crosses, raised to the time of the link, so that only a grant given after it lifts it. A grant
crosses to the account where nothing stands against it, and goes home when the link ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import (
    LIFTED,
    RowKey,
    Rows,
    StateRow,
    apply,
    both_suppressed,
    stop_all_covering,
)
from privacyops.domain.consent.state import GRANTED, STOPPED, UNDECIDED, ConsentState, EventType, RowKind, Strength
from privacyops.kernel.clock import Instant

ACCOUNT: Final = "account"
DEVICE: Final = "device"
"""The side of a link whose chain an event stands in; the leaf's `scope`."""
_DECIDED: Final = 3
_LASTING: Final = GRANTED | {ConsentState.REQUESTED, ConsentState.EXPIRED}


def fold_life(events: Sequence[ConsentEvent], others: Mapping[UUID, Rows]) -> dict[RowKey, StateRow]:
    """The rows after all of one side's events, links included.

    `others` holds, for each link and each end of one, the other side's rows just before it. An end of a link in the
    events makes the account's side as if only stops had ever crossed by that link.
    """
    undone = {event.causes for event in events if event.type is EventType.IDENTITY_UNLINKED}
    rows: dict[RowKey, StateRow] = {}
    for event in events:
        if event.type is EventType.IDENTITY_LINKED:
            takes = event.scope == ACCOUNT and event.id not in undone
            rows = joined(rows, others.get(event.id, {}), event.t, takes_grants=takes)
        elif event.type is EventType.IDENTITY_UNLINKED:
            rows = joined(rows, others.get(event.id, {}), event.t, takes_grants=False)
        else:
            rows |= {row.key: row for row in apply(rows, event)}
    return rows


def joined(own: Rows, other: Rows, at: Instant, *, takes_grants: bool) -> dict[RowKey, StateRow]:
    """`own` rows with what crosses from `other` at `at`."""
    result = dict(own)
    for key, row in other.items():
        if row.kind is not RowKind.CHOICE:
            mine = own.get(key)
            if row.state != LIFTED:
                result[key] = _stronger(mine, replace(row, t=max(row.t, at)))
            continue
        crossing = _crossing(own, own.get(key), _as_of(row, at), at, takes_grants=takes_grants)
        if crossing is not None:
            result[key] = crossing
    return result


def _crossing(own: Rows, mine: StateRow | None, row: StateRow, at: Instant, *, takes_grants: bool) -> StateRow | None:
    """The account's or device's row after the other side's `row` met it; None: it stays as it is."""
    basis = (mine.basis if mine else None) or (row.basis if takes_grants else None)
    if row.state in STOPPED:
        raised = replace(row, t=max(row.t, at), basis=basis)
        return (
            raised if mine is None or mine.state not in STOPPED or mine.t <= row.t else replace(mine, t=max(mine.t, at))
        )
    if (
        row.state == ConsentState.REQUESTED
        and row.prior_state in STOPPED
        and mine is not None
        and mine.state in GRANTED
    ):
        return replace(row, prior_t=max(row.prior_t or at, at), basis=basis)
    if not takes_grants:
        return None
    if mine is not None and mine.state in STOPPED:
        return None
    if row.state in GRANTED and _is_stopped(own, row.key, mine):
        return None
    if mine is None or _rank(mine, at) < _rank(row, at):
        return None if _keeps_pending(mine, row) else replace(_weakened(own, row), basis=basis)
    if _rank(mine, at) == _rank(row, at) == _DECIDED and mine.since < row.since:
        return replace(_weakened(own, row), basis=basis)
    return replace(mine, basis=basis) if basis is not mine.basis else None


def _keeps_pending(mine: StateRow | None, row: StateRow) -> bool:
    """Whether an own request in front of an own stop stands against a grant that comes from the other side."""
    return (
        mine is not None
        and mine.state == ConsentState.REQUESTED
        and mine.prior_state in STOPPED
        and row.state in GRANTED
    )


def _as_of(row: StateRow, at: Instant) -> StateRow:
    """A request that nobody confirmed in time crosses as what stood in front of it."""
    if row.state != ConsentState.REQUESTED or (row.confirm_until is not None and at < row.confirm_until):
        return row
    if row.prior_state is None or row.prior_t is None:
        return replace(row, state=ConsentState.UNKNOWN, confirm_until=None)
    return replace(row, state=row.prior_state, t=row.prior_t, prior_state=None, prior_t=None, confirm_until=None)


def _is_stopped(own: Rows, key: RowKey, mine: StateRow | None) -> bool:
    """Whether an own unsubscribe-all stands at `key`: nothing of the own side has lifted it there."""
    stop_all = stop_all_covering(own, key)
    if stop_all is None:
        return False
    return mine is None or mine.state not in _LASTING or mine.asked_at <= stop_all


def _weakened(own: Rows, row: StateRow) -> StateRow:
    """A grant from the other side lifts no objection and no signal of the own side, however strong it was."""
    against = any(mine.kind in (RowKind.OBJECTION, RowKind.GPC) and mine.state != LIFTED for mine in own.values())
    if row.state not in GRANTED or not against:
        return row
    return replace(row, t=row.asked_at, strength=Strength.IMPORTED, prior_state=None, prior_t=None)


def _rank(row: StateRow, at: Instant) -> int:
    """A decision before a request, a request before an expired grant, that before none."""
    if row.state in GRANTED or row.state in STOPPED or row.state == ConsentState.EXPIRED:
        return _DECIDED
    if row.state == ConsentState.REQUESTED and row.confirm_until is not None and at < row.confirm_until:
        return 2
    return 0 if row.state in UNDECIDED and row.grade is None else 1


def _stronger(mine: StateRow | None, row: StateRow) -> StateRow:
    """Of two rows over all purposes the one in force; of two in force the later, of two suppressions what both say."""
    if mine is None or mine.state == LIFTED:
        return row
    if row.kind is RowKind.SUPPRESSION:
        return both_suppressed(mine, row)
    return row if mine.t <= row.t else mine
