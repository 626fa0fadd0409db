"""The queue: open requests by what they wait for, soonest safe date first, in keyset pages."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import BadRequest
from privacyops.kernel.ids import AccountId
from privacyops.kernel.pagination import Page, bounded
from privacyops.store.dsar import DSAR, as_dsar
from privacyops.store.tables.base import table_of
from privacyops.store.tables.finding import RunRow
from privacyops.store.uow import Tx

_RUN = table_of(RunRow)
VIEWS: Final = ("all", "mine", "soon", "identity", "approval", "failed", "unverified", "closed")


class UnknownView(BadRequest):
    type = "/problems/unknown-view"
    title = "There is no such view of the queue"


def list_queue(
    tx: Tx, view: str, me: AccountId | None, today: date, after: str | None = None, limit: int = 50
) -> Page[Dsar]:
    """One page of a view. `after` is the cursor of the page before; `mine` needs `me`.

    Unverified submissions stand in their own view and in no other. Raises: UnknownView, BadLimit, BadRequest.
    """
    query = select(DSAR).where(_in_view(view, me, today), DSAR.c.controller == tx.controller)
    if after:
        due, key = _cursor(after)
        query = query.where(or_(DSAR.c.safe_due_on > due, and_(DSAR.c.safe_due_on == due, DSAR.c.id > key)))
    rows = tx.run(query.order_by(DSAR.c.safe_due_on, DSAR.c.id).limit(bounded(limit) + 1)).all()
    items = [as_dsar(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, f"{items[-1].safe_due_on.isoformat()}_{items[-1].id}" if more else None)


def list_by_contact(tx: Tx, contact_index: bytes, limit: int) -> Sequence[Dsar]:
    """Requests of one contact by its keyed hash, open or closed, newest first."""
    query = (
        select(DSAR)
        .where(DSAR.c.controller == tx.controller, DSAR.c.contact_index == contact_index)
        .order_by(DSAR.c.received_at.desc(), DSAR.c.id.desc())
        .limit(bounded(limit))
    )
    return [as_dsar(row) for row in tx.run(query)]


def count_views(tx: Tx, me: AccountId | None, today: date) -> Mapping[str, int]:
    """How many requests stand in each view."""
    columns = [func.count().filter(_in_view(view, me, today)).label(view) for view in VIEWS]
    row = tx.run(select(*columns).select_from(DSAR).where(DSAR.c.controller == tx.controller)).one()
    return dict(zip(VIEWS, row, strict=True))


def count_overdue(tx: Tx, today: date) -> int:
    """How many open requests are past their legal date."""
    late = and_(_in_view("all", None, today), DSAR.c.controller == tx.controller, DSAR.c.due_on < today)
    return int(tx.run(select(func.count()).select_from(DSAR).where(late)).scalar_one())


def _in_view(view: str, me: AccountId | None, today: date) -> ColumnElement[bool]:
    is_open = and_(DSAR.c.state != DsarState.CLOSED, DSAR.c.is_verified)
    failed = select(_RUN.c.id).where(_RUN.c.dsar_id == DSAR.c.id, _RUN.c.state.in_(["failed", "handed_over"])).exists()
    conditions: dict[str, ColumnElement[bool]] = {
        "all": true(),
        "mine": DSAR.c.assignee_id == me,
        "soon": DSAR.c.safe_due_on <= today + timedelta(days=7),
        "identity": DSAR.c.state == DsarState.AWAITING_IDENTITY,
        "approval": or_(DSAR.c.state == DsarState.AWAITING_APPROVAL, DSAR.c.state == DsarState.ANSWERING),
        "failed": failed,
    }
    if view == "closed":
        return DSAR.c.state == DsarState.CLOSED
    if view == "unverified":
        return and_(DSAR.c.state != DsarState.CLOSED, DSAR.c.is_verified.is_(False))
    if view not in conditions:
        raise UnknownView
    return and_(is_open, conditions[view])


def _cursor(after: str) -> tuple[date, UUID]:
    due, _, key = after.partition("_")
    try:
        return date.fromisoformat(due), UUID(key)
    except ValueError:
        raise BadRequest("the cursor is not one that this list gave out") from None
