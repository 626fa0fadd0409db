"""Lists of requests: the queue's views and their counts, and one request by its id."""

from collections.abc import Mapping

from privacyops.domain.account.action import Action, Role
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.dsar.record import Dsar
from privacyops.kernel.ids import AccountId, DsarId
from privacyops.kernel.pagination import Page
from privacyops.services.context import Context, reading
from privacyops.services.dsar.wording import local_date
from privacyops.store import dsar as dsars
from privacyops.store import queue
from privacyops.store.uow import Tx


@reading(Action.DSAR_LIST)
def list_view(ctx: Context, tx: Tx, view: str = "all", after: str | None = None, limit: int = 50) -> Page[Dsar]:
    """One page of a view, soonest safe date first. Raises: UnknownView, BadLimit, BadRequest."""
    return queue.list_queue(tx, view, _me(ctx), local_date(ctx, tx.now), after, limit)


@reading(Action.DSAR_LIST)
def count_views(ctx: Context, tx: Tx) -> Mapping[str, int]:
    """How many requests stand in each view."""
    return queue.count_views(tx, _me(ctx), local_date(ctx, tx.now))


@reading(Action.DSAR_STATUS)
def status_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """One request without its content. Raises: NotFound."""
    return dsars.load_dsar(tx, dsar_id)


@reading(Action.DSAR_STATUS)
def by_reference(ctx: Context, tx: Tx, reference: str) -> Dsar:
    """One request without its content, by the number that people read aloud. Raises: NotFound."""
    return dsars.load_by_reference(tx, reference)


def sees_people(ctx: Context) -> bool:
    """Whether names and addresses may be shown to the actor at all."""
    return bool(ctx.actor.roles & {Role.DPO, Role.ANALYST, Role.APPROVER})


def _me(ctx: Context) -> AccountId | None:
    return AccountId(ctx.actor.id) if ctx.actor.kind is ActorKind.STAFF else None
