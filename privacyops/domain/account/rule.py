"""The one place that answers whether an actor may: services ask it with actor, action, time and object.

Doors and templates never decide; they declare the `Action` of a route and may ask `may` to grey out a button.
"""

from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action, Extent, Role
from privacyops.domain.account.actor import Actor, ActorKind, Target
from privacyops.domain.account.table import (
    BY_KEY_ALONE,
    ON_OWN_REQUEST,
    SCOPES,
    STAFF,
    STEP_UP,
    SUBJECT,
    SYSTEM,
    WIDEST_FIRST,
)
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Forbidden, NotFound, Unprocessable

STEP_UP_LIFE: Final = timedelta(minutes=5)


class StepUpNeeded(Forbidden):
    type = "/problems/step-up-needed"
    title = "Confirm with your second factor first"


class ReasonNeeded(Unprocessable):
    type = "/problems/reason-needed"
    title = "This view is recorded with a reason; give one"


def extent(actor: Actor, action: Action) -> Extent | None:
    """How far `actor` may take `action` by role, scope or kind alone; None where it may not at all.

    Looks at no object and no time: `require` does.
    """
    match actor.kind:
        case ActorKind.STAFF:
            return _extent_of_staff(actor, action)
        case ActorKind.API_KEY:
            found = [SCOPES[scope].get(action) for scope in actor.scopes]
            return _widest(found)
        case ActorKind.SUBJECT:
            return Extent.CLEAR if action in SUBJECT else None
        case ActorKind.SYSTEM:
            return Extent.CLEAR if action in SYSTEM else None
        case ActorKind.COLLECTION_POINT:
            return Extent.CLEAR if action is Action.CONSENT_WRITE else None


def _extent_of_staff(actor: Actor, action: Action) -> Extent | None:
    if action is Action.ACCOUNT_SELF:
        return Extent.CLEAR  # also for an account whose first role still waits for a second person
    row = STAFF.get(action)
    if row is None or (action is Action.DSAR_JUDGE and not actor.is_counsel):
        return None
    return _widest([cell for role, cell in zip(Role, row, strict=True) if role in actor.roles])


def _widest(found: list[Extent | None]) -> Extent | None:
    return min((cell for cell in found if cell), key=WIDEST_FIRST.index, default=None)


def may(actor: Actor, action: Action) -> bool:
    """Whether the table lists `action` for `actor` at all: for menus and buttons; services ask `require`."""
    return extent(actor, action) is not None


def refused(actor: Actor, controller: str, action: Action) -> Forbidden | None:
    """What `actor` is told who may not take `action` for `controller`; None: as far as the table says it may."""
    if actor.controller != controller:
        return Forbidden()
    return None if may(actor, action) else refusal(actor, action)


def refusal(actor: Actor, action: Action) -> Forbidden:
    """What an actor is told whom the table does not let; a key, the scope it lacks: its owner can have it given."""
    if actor.kind is not ActorKind.API_KEY:
        return Forbidden()
    giving = [str(scope) for scope, actions in SCOPES.items() if action in actions]
    if not giving:
        return Forbidden("No key may do this; a person signs in for it")
    return Forbidden(f"This key lacks the scope {' or '.join(giving)}")


def require(actor: Actor, action: Action, now: Instant, on: Target | None = None, *, reason: str = "") -> Extent:
    """How far `actor` may take `action` on `on` now.

    A foreign object does not exist for the actor, so it answers like an unknown id. A grant that reaches only
    own stores or the own request needs the object; in `task.list` the caller filters by `actor.stores`.

    Raises: Forbidden: not in the table, engagement ended, or the own account is meant.
            NotFound: the object belongs to another controller, store or request.
            StepUpNeeded: the action wants a second factor within the last five minutes.
            ReasonNeeded: the view is recorded with a reason and `reason` is blank.
    """
    reach = extent(actor, action)
    if reach is None:
        raise refusal(actor, action)
    if actor.ends_at is not None and now >= actor.ends_at:
        raise Forbidden
    if on is not None and on.controller != actor.controller:
        raise NotFound
    _require_own(actor, action, reach, on)
    if action is Action.ACCOUNT_MANAGE and on is not None and on.account == actor.id:
        raise Forbidden("another administrator changes this account")
    if wants_step_up(actor, action):
        require_step_up(actor, now)
    if reach is Extent.REASONED and not reason.strip():
        raise ReasonNeeded
    return reach


def _require_own(actor: Actor, action: Action, reach: Extent, on: Target | None) -> None:
    if (
        reach is Extent.OWN
        and action is not Action.TASK_LIST
        and (on is None or on.store is None or on.store not in actor.stores)
    ):
        raise NotFound
    if (
        actor.kind is ActorKind.SUBJECT
        and action in ON_OWN_REQUEST
        and (actor.request is None or on is None or on.request != actor.request)
    ):
        raise NotFound


def wants_step_up(actor: Actor, action: Action) -> bool:
    """Whether the action waits for a second factor. A key has none, and is let off BY_KEY_ALONE, which says why."""
    return action in STEP_UP and not (actor.kind is ActorKind.API_KEY and action in BY_KEY_ALONE)


def require_step_up(actor: Actor, now: Instant) -> None:
    """Raises: StepUpNeeded: no second factor within the last five minutes, or one dated in the future."""
    if actor.step_up_at is None or not timedelta(0) <= now - actor.step_up_at <= STEP_UP_LIFE:
        raise StepUpNeeded
