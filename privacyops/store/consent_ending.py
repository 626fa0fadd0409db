"""Grants that ended or end soon: read once a night over the whole projection, which has no index of ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from privacyops.domain.consent.state import GRANTED, RowKind
from privacyops.kernel.clock import Instant
from privacyops.store.consent import instant_at, milliseconds
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentStateRow, SubjectRow
from privacyops.store.uow import Tx

_STATE = table_of(ConsentStateRow)
_SUBJECT = table_of(SubjectRow)
_GRANT = (_STATE.c.kind == str(RowKind.CHOICE), _STATE.c.state.in_([str(state) for state in GRANTED]))


@dataclass(frozen=True, slots=True)
class EndingRow:
    """One grant that ends, by numbers; 0 stands for all brands."""

    public_id: str
    channel_no: int
    brand_no: int
    at: Instant


def list_ended(tx: Tx, after: int, limit: int) -> Sequence[int]:
    """People with a grant that ran out, by number, from the one behind `after` on."""
    query = (
        select(_STATE.c.subject_no)
        .join(_SUBJECT, _SUBJECT.c.no == _STATE.c.subject_no)
        .where(*_GRANT, _STATE.c.valid_until <= milliseconds(tx.now), _STATE.c.subject_no > after)
        .where(_SUBJECT.c.controller == tx.controller)
        .distinct()
        .order_by(_STATE.c.subject_no)
        .limit(limit)
    )
    return tx.run(query).scalars().all()


def count_ending(tx: Tx, until: Instant) -> Sequence[tuple[int, int]]:
    """How many grants of each purpose are valid now and end before `until`: (number of the purpose, how many)."""
    query = (
        select(_STATE.c.purpose_no, func.count().label("many"))
        .join(_SUBJECT, _SUBJECT.c.no == _STATE.c.subject_no)
        .where(*_GRANT, _STATE.c.valid_until > milliseconds(tx.now), _STATE.c.valid_until <= milliseconds(until))
        .where(_SUBJECT.c.controller == tx.controller)
        .group_by(_STATE.c.purpose_no)
    )
    return [(row.purpose_no, row.many) for row in tx.run(query)]


def count_granting(tx: Tx, purpose_no: int) -> int:
    """How many people have a grant for the purpose that is valid now, over whichever channel."""
    query = (
        select(func.count(_STATE.c.subject_no.distinct()))
        .join(_SUBJECT, _SUBJECT.c.no == _STATE.c.subject_no)
        .where(*_GRANT, _STATE.c.purpose_no == purpose_no, _SUBJECT.c.controller == tx.controller)
        .where(or_(_STATE.c.valid_until.is_(None), _STATE.c.valid_until > milliseconds(tx.now)))
    )
    return int(tx.run(query).scalar() or 0)


def list_ending(tx: Tx, purpose_no: int, until: Instant, after: str, limit: int) -> Sequence[EndingRow]:
    """Grants of one purpose that end before `until`, by the person's id, from the one behind `after` on."""
    query = (
        select(_SUBJECT.c.public_id, _STATE.c.channel_no, _STATE.c.brand_no, _STATE.c.valid_until)
        .join(_SUBJECT, _SUBJECT.c.no == _STATE.c.subject_no)
        .where(*_GRANT, _STATE.c.purpose_no == purpose_no, _SUBJECT.c.public_id > after)
        .where(_STATE.c.valid_until > milliseconds(tx.now), _STATE.c.valid_until <= milliseconds(until))
        .where(_SUBJECT.c.controller == tx.controller)
        .order_by(_SUBJECT.c.public_id, _STATE.c.channel_no)
        .limit(limit)
    )
    return [
        EndingRow(row.public_id, row.channel_no, row.brand_no, instant_at(row.valid_until)) for row in tx.run(query)
    ]
