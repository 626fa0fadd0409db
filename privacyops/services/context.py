"""What every use case is given, and the frame it runs in: permission, one transaction, one audit row."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Actor
from privacyops.domain.account.rule import refused, require_step_up, wants_step_up
from privacyops.domain.audit import AuditEntry
from privacyops.domain.controller import ControllerProfile
from privacyops.kernel.clock import Clock, Instant
from privacyops.kernel.ids import AuditId, uuid7
from privacyops.services.ports import Ports
from privacyops.store import audit
from privacyops.store.uow import Database, DatabaseUnavailable, Tx, is_contention

P = ParamSpec("P")
R = TypeVar("R")
_TRIES: Final = 3


class ActorOutdated(Exception):
    """Something was changed since the actor's right was looked up; nothing was written, look again."""


@dataclass(frozen=True, slots=True)
class Context:
    """One actor's view of the service. Made by bootstrap for the machine, by the doors for everybody else."""

    clock: Clock
    database: Database
    controller: ControllerProfile
    ports: Ports
    actor: Actor
    request_id: str | None = None
    as_of: int | None = None
    """The control number under which the actor's right was looked up; None: in this call."""

    def acting_as(self, actor: Actor, request_id: str | None = None) -> "Context":
        """The same service for another actor."""
        return replace(self, actor=actor, request_id=request_id or self.request_id, as_of=None)


def use_case(
    action: Action, *, shares_commit: bool = False
) -> Callable[[Callable[Concatenate[Context, Tx, P], R]], Callable[Concatenate[Context, P], R]]:
    """Run the function in one writing transaction, for actors that may take `action`.

    The function gets the open transaction as its second argument; its caller does not pass one. A deadlock or a
    serialisation failure runs it again from the start, which is safe because no effect leaves a transaction.
    Rules about one object (own store, step-up) are asked inside, where the object is known.
    `shares_commit`: on SQLite the function runs in a savepoint of a transaction that it shares with whoever writes at
    the same time, so that many writers wait for the disk once; it may then run on another caller's thread.

    Raises: Forbidden, and whatever the function raises; then nothing was changed.
    """

    def wrap(function: Callable[Concatenate[Context, Tx, P], R]) -> Callable[Concatenate[Context, P], R]:
        @functools.wraps(function)
        def run(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            for attempt in range(1, _TRIES + 1):
                now = _this_moment(ctx)
                _permit(ctx, action, now)
                try:
                    if shares_commit:
                        key = ctx.controller.key
                        return ctx.database.grouped(key, now, lambda tx: function(ctx, tx, *args, **kwargs))
                    with ctx.database.transaction(ctx.controller.key, now) as tx:
                        return function(ctx, tx, *args, **kwargs)
                except DatabaseUnavailable as error:
                    if attempt == _TRIES or not is_contention(error):
                        raise
            raise AssertionError("unreachable: the last attempt returns or raises")

        return run

    return wrap


def reading(
    action: Action,
) -> Callable[[Callable[Concatenate[Context, Tx, P], R]], Callable[Concatenate[Context, P], R]]:
    """Run the function in one transaction that only reads, for actors that may take `action`."""

    def wrap(function: Callable[Concatenate[Context, Tx, P], R]) -> Callable[Concatenate[Context, P], R]:
        @functools.wraps(function)
        def run(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            now = _this_moment(ctx)
            _permit(ctx, action, now)
            with ctx.database.reading(ctx.controller.key, now) as tx:
                return function(ctx, tx, *args, **kwargs)

        return run

    return wrap


def record(ctx: Context, tx: Tx, action: str, object_kind: str, object_id: UUID | str, **detail: Any) -> None:
    """Write the use case's audit row. `detail` holds codes, counts, ids: strings and integers only."""
    audit.add_audit(tx, audit_entry(ctx, tx, action, object_kind, object_id, **detail))


def audit_entry(
    ctx: Context, tx: Tx, action: str, object_kind: str, object_id: UUID | str, **detail: Any
) -> AuditEntry:
    """The row that `record` writes, for a use case that stores it together with everything else."""
    return AuditEntry(
        id=AuditId(uuid7(tx.now)), controller=tx.controller, at=tx.now, actor_kind=str(ctx.actor.kind),
        actor_id=ctx.actor.id, action=action, object_kind=object_kind, object_id=str(object_id),
        detail=detail, request_id=ctx.request_id,
    )  # fmt: skip


def _this_moment(ctx: Context) -> Instant:
    """Milliseconds are what every log, leaf and answer can hold; finer parts would not survive the way."""
    now = ctx.clock.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _permit(ctx: Context, action: Action, now: Instant) -> None:
    """What can be said without the object; `require` with the object is the use case's own call."""
    if (refusal := refused(ctx.actor, ctx.controller.key, action)) is not None:
        raise refusal
    if wants_step_up(ctx.actor, action):
        require_step_up(ctx.actor, now)
