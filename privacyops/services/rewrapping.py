"""A key-encryption key is replaced: what older ones wrapped is wrapped by the newest, so that they can go.

Nothing notes how far it came: what is left is what still carries an older version, so that a run that was killed
goes on by being started again, beside a service that reads, writes and erases. What a subject's or request's own key
sealed stays as it is; its wrapped key is what is exchanged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacyops.domain.account.action import Action
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Conflict
from privacyops.ports.keyring import Place, SealBroken
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import rewrap as store
from privacyops.store.rewrap import SealedColumn
from privacyops.store.uow import Tx

BATCH: Final = 200
_MOST_ROUNDS: Final = 5
VAULT: Final = "vault"


class KeyStillUsed(Conflict):
    type = "/problems/key-still-used"
    title = "Something still hangs on this key; run `privacyops keys rewrap` first"


class KeyInUse(Conflict):
    type = "/problems/key-in-use"
    title = "New values are sealed with this key; add another one first"


@dataclass(frozen=True, slots=True)
class Uses:
    """How many values of one place each version of the key-encryption key holds."""

    table: str
    column: str
    by_version: Mapping[int, int]

    def older_than(self, newest: int) -> int:
        """How many have to be wrapped anew."""
        return sum(number for version, number in self.by_version.items() if version != newest)


@dataclass(frozen=True, slots=True)
class Unopened:
    """A value that no live key opens: its table, column and row. It stays as it is."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did; `left` is what still hangs on older keys, what could not be opened among it."""

    newest: int
    done: int
    unopened: Sequence[Unopened]
    left: Sequence[Uses]
    older: Sequence[int]
    """The keys of the file besides the newest."""

    @property
    def is_whole(self) -> bool:
        """Whether the older keys can go."""
        return not any(one.older_than(self.newest) for one in self.left)


@dataclass(frozen=True, slots=True)
class _Batch:
    done: int
    unopened: Sequence[Unopened]
    last: Any
    """The primary key of the last row that was looked at; None: there was none."""


def newest(ctx: Context) -> int:
    """The version that new values are sealed with."""
    return ctx.ports.keyring.kek_versions[-1]


def older(ctx: Context) -> Sequence[int]:
    """The versions that the newest one replaces."""
    return ctx.ports.keyring.kek_versions[:-1]


def uses(ctx: Context) -> Sequence[Uses]:
    """What hangs on which key, in the database and in the vault."""
    counted = [Uses(one.table, one.column, _uses_of(ctx, one)) for one in store.ring_columns()]
    return [*counted, Uses(VAULT, "key", ctx.ports.vault.kek_uses())]


def rewrap(ctx: Context, shown: Callable[[int], None] = lambda _: None, batch: int = BATCH) -> Outcome:
    """Wrap everything by the newest key; `shown` is told how many each step brought. Safe to repeat and to kill.

    Goes round again for what somebody wrote under an older key or moved meanwhile.
    """
    to = newest(ctx)
    _note(ctx, "key.rewrap_begun", to, 0, 0)
    done, unopened, left = 0, {}, uses(ctx)
    for _ in range(_MOST_ROUNDS):
        for one in store.ring_columns():
            after: Any = None
            while (step := _rewrap_batch(ctx, one, to, after, batch)).last is not None:
                after = step.last
                done += step.done
                unopened.update({(bad.table, bad.column, bad.row): bad for bad in step.unopened})
                shown(step.done)
                crash_point("keys.after_batch")
        in_vault = ctx.ports.vault.rewrap()
        shown(in_vault)
        done += in_vault
        left = uses(ctx)
        if sum(one.older_than(to) for one in left) <= len(unopened):
            break
    _note(ctx, "key.rewrapped", to, done, sum(one.older_than(to) for one in left))
    return Outcome(to, done, tuple(unopened.values()), left, older(ctx))


def require_unused(ctx: Context, version: int) -> None:
    """Raises: KeyInUse: the newest key. KeyStillUsed: something hangs on it."""
    if version == newest(ctx):
        raise KeyInUse(f"key {version} is the one in use; add another first")
    if any(version in one.by_version for one in uses(ctx)):
        raise KeyStillUsed


@reading(Action.JOB_RUN)
def _uses_of(ctx: Context, tx: Tx, one: SealedColumn) -> Mapping[int, int]:
    return store.count_uses(tx, one)


@use_case(Action.JOB_RUN)
def _rewrap_batch(ctx: Context, tx: Tx, one: SealedColumn, to: int, after: Any, limit: int) -> _Batch:
    done, unopened, last = 0, [], None
    for held in store.list_old(tx, one, to, after, limit):
        last = held.key
        try:
            fresh = ctx.ports.keyring.rewrapped(held.sealed, Place(tx.controller, *one.place, held.row))
        except SealBroken:
            unopened.append(Unopened(one.table, one.column, held.row))
            continue
        if fresh is not None and store.exchange(tx, one, held, fresh):
            done += 1
    return _Batch(done, unopened, last)


@use_case(Action.JOB_RUN)
def _note(ctx: Context, tx: Tx, action: str, to: int, done: int, left: int) -> None:
    record(ctx, tx, action, "kek", str(to), done=done, left=left)
