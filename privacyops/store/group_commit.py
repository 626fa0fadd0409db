"""Many writers, one commit: what arrives while a commit is under way shares the next one.

A commit that reaches the disk costs the same for one write and for a hundred. There is no timer and no thread of its
own: the first caller leads, does the work of everybody who queued up meanwhile, each in a savepoint, commits once
and hands the lead to the next who waits. A refused write is rolled back alone; if the commit itself fails, nobody is
told that anything was written.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection

R = TypeVar("R")
MOST: Final = 128


class GroupLost(Exception):
    """The database gave up the whole transaction in the middle; `__cause__` says why."""


@dataclass(slots=True)
class _Waiting:
    """One caller's work. `gate` opens when it is done, or when its caller is to lead."""

    work: Callable[[Connection], Any]
    gate: threading.Lock = field(default_factory=threading.Lock)
    is_done: bool = False
    result: Any = None
    refusal: BaseException | None = None


class GroupCommit:
    """`begin` opens a writing transaction that commits when its block ends; it is entered once a group."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._queue: deque[_Waiting] = deque()
        self._mutex = threading.Lock()
        self._is_led = False

    def run(self, work: Callable[[Connection], R]) -> R:
        """Do `work` in a group's transaction; returns after the commit, with its own result.

        Raises: whatever `work` raised; then its own changes, and no others, were rolled back. GroupLost, and what
        `begin` raises: nothing of the group was written.
        """
        mine = _Waiting(work)
        mine.gate.acquire()
        with self._mutex:
            self._queue.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.gate.acquire()  # until a leader is through with it, or hands the lead over
        if not mine.is_done:
            self._lead()
        refusal, mine.refusal = mine.refusal, None
        if refusal is not None:
            try:
                raise refusal
            finally:
                del refusal  # its trace leads here: a circle would keep all that the work held until the next search
        return cast("R", mine.result)

    def _lead(self) -> None:
        """Do one group, which the caller heads, and pass the lead on."""
        with self._mutex:
            group = [self._queue.popleft() for _ in range(min(MOST, len(self._queue)))]
        try:
            self._do(group)
        finally:
            for one in group:
                one.is_done = True
            with self._mutex:
                following = self._queue[0] if self._queue else None
                self._is_led = following is not None
            if following is not None:
                following.gate.release()
            for one in group[1:]:
                one.gate.release()

    def _do(self, group: list[_Waiting]) -> None:
        try:
            with self._begin() as connection:
                driver: Any = connection.connection.driver_connection
                for one in group:
                    _attempt(one, connection, driver)
        except BaseException as failure:
            for one in group:
                one.refusal = failure
            if not isinstance(failure, Exception):
                raise


def _attempt(one: _Waiting, connection: Connection, driver: Any) -> None:
    """Raises: GroupLost: SQLite ended the transaction by itself, as it does when the disk is full."""
    driver.execute("SAVEPOINT one")
    try:
        one.result = one.work(connection)
    except Exception as refusal:
        if not driver.in_transaction:
            raise GroupLost from refusal
        driver.execute("ROLLBACK TO one")
        one.refusal = refusal
    driver.execute("RELEASE one")
