"""A person no longer waits for a store that accepted an erasure or a correction: it is not asked again, and the rest is
a task.
"""

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.rule import extent
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.pending import GIVEN_UP
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import TaskKind
from privacyops.kernel.errors import Conflict, NotFound
from privacyops.kernel.ids import DsarId
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.erasing import hand_over, tell_owner
from privacyops.services.dsar.pending import end_reminder
from privacyops.store import dsar as dsars
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store.uow import Tx


class NothingPending(Conflict):
    """`state` as a member: where the store stands."""

    type = "/problems/nothing-pending"
    title = "This store works on nothing that anybody waits for"


@use_case(Action.TASK_ANSWER)
def give_up(ctx: Context, tx: Tx, dsar_id: DsarId, store: str) -> bool:
    """Stop waiting for a store and hand the rest to a person; False: somebody did so before.

    Nothing is said to the store: it may still do what it accepted, and the person with the task finds out. A request
    that was answered meanwhile stays so. Raises: NothingPending, NotFound, StaleState, RequestEmptied.
    """
    dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)
    erasure = next((one for one in erasures.list_erasures(tx, dsar_id) if one.store == store), None)
    if erasure is None or not _is_theirs(ctx, tx, store):
        raise NotFound
    if erasure.poll_at is None and erasure.code == GIVEN_UP:
        return False
    if erasure.poll_at is None or dsar.state is DsarState.CLOSED:
        raise NothingPending(state=str(erasure.state))
    end_reminder(tx, erasure)
    if erasure.state is ErasingState.PENDING:
        hand_over(ctx, tx, erasure, GIVEN_UP)
        return True
    erasures.save_erasure(tx, erasure, code=GIVEN_UP, poll_at=None)
    tell_owner(tx, dsar, store, TaskKind.RESIDUAL, GIVEN_UP)
    record(ctx, tx, f"{dsar.type}.handed_over", "dsar", dsar.id, store=store, code=GIVEN_UP)
    return True


def _is_theirs(ctx: Context, tx: Tx, store: str) -> bool:
    """A store owner gives up their own stores alone."""
    if extent(ctx.actor, Action.TASK_ANSWER) is not Extent.OWN:
        return True
    return any(one.name == store and one.owner_id == ctx.actor.id for one in stores.list_stores(tx))
