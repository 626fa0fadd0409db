"""Recipients that are told of an erasure, a correction or a restriction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from privacyops.domain.recipient import Excuse, NoticeState, RecipientNotice, Way, advance_notice, name_key
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, DsarId, TaskId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.recipient import RecipientNoticeRow
from privacyops.store.uow import Tx

_NOTICE = table_of(RecipientNoticeRow)


def add_notice(tx: Tx, dsar_id: DsarId, task_id: TaskId, name: str) -> None:
    """A recipient that has to be told; a second one of the same request and name is refused by the table."""
    tx.run(
        insert(_NOTICE),
        {"id": uuid7(tx.now), "controller": tx.controller, "dsar_id": dsar_id, "task_id": task_id,
         "name": name.strip()[:200], "name_key": name_key(name), "state": NoticeState.OPEN},
    )  # fmt: skip


def list_notices(tx: Tx, dsar_id: DsarId) -> Sequence[RecipientNotice]:
    """Every recipient of one request, by name."""
    mine = (_NOTICE.c.dsar_id == dsar_id, _NOTICE.c.controller == tx.controller)
    return [_notice(row) for row in tx.run(select(_NOTICE).where(*mine).order_by(_NOTICE.c.name_key))]


def load_notice(tx: Tx, notice: UUID) -> RecipientNotice:
    """Raises: NotFound: none of this controller."""
    mine = (_NOTICE.c.id == notice, _NOTICE.c.controller == tx.controller)
    row = tx.run(select(_NOTICE).where(*mine)).one_or_none()
    if row is None:
        raise NotFound
    return _notice(row)


def notice_of_task(tx: Tx, task_id: TaskId) -> RecipientNotice:
    """Raises: NotFound: the task is none about a recipient."""
    mine = (_NOTICE.c.task_id == task_id, _NOTICE.c.controller == tx.controller)
    row = tx.run(select(_NOTICE).where(*mine)).one_or_none()
    if row is None:
        raise NotFound
    return _notice(row)


def names_of_tasks(tx: Tx, ids: Sequence[TaskId]) -> dict[TaskId, str]:
    """The recipients that tasks are about."""
    query = select(_NOTICE.c.task_id, _NOTICE.c.name).where(
        _NOTICE.c.controller == tx.controller, _NOTICE.c.task_id.in_(ids)
    )
    return {TaskId(row.task_id): row.name for row in tx.run(query)} if ids else {}


def move_notice(tx: Tx, seen: RecipientNotice, to: NoticeState, **changed: Any) -> None:
    """Compare-and-set. Raises: TransitionRefused, StaleState."""
    advance_notice(seen.state, to)
    mine = (_NOTICE.c.id == seen.id, _NOTICE.c.state == seen.state)
    tx.move(update(_NOTICE).where(*mine).values(state=to, **changed))


def _notice(row: Row[Any]) -> RecipientNotice:
    return RecipientNotice(
        id=row.id, dsar_id=DsarId(row.dsar_id), task_id=TaskId(row.task_id), name=row.name,
        state=NoticeState(row.state), way=Way(row.way) if row.way else None, told_on=row.told_on,
        confirmed_on=row.confirmed_on, excuse=Excuse(row.excuse) if row.excuse else None,
        proposed_by=AccountId(row.proposed_by) if row.proposed_by else None, proposed_at=row.proposed_at,
        decided_by=AccountId(row.decided_by) if row.decided_by else None, note_sealed=row.note_sealed,
    )  # fmt: skip
