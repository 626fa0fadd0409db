"""The hot read: one constant statement, on connections of its own that cannot write.

`FileReader` reads the SQLite file that writes go to on the caller's thread, as long as the disk lets it: a read that
would wait, and all reads once the disk has become slow, go to a thread; `CopyReader` does so with this host's copy of
PostgreSQL. `ServerReader` reads PostgreSQL and is for threads only. check_rows.py puts the rows into the words of the
domain.

A cursor never outlives its call: an open one would pin its snapshot, and the same connection would keep answering with
the state before a withdrawal.
"""

import functools
import math
import os
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from privacyops.kernel.errors import Unavailable
from privacyops.store.check_rows import BEFORE, JUDGED, Raw
from privacyops.store.tables.consent import HEAD

if TYPE_CHECKING:
    import psycopg

SLOW_S: Final = 0.005
SLOW_WITHIN_S: Final = 1.0
OPEN_S: Final = 10.0
PROBE_EVERY: Final = 100
INODE_EVERY_S: Final = 1.0
THREAD_WAIT_MS: Final = 50
WARM_S: Final = 2.0
UNKNOWN_AGE_MS: Final = 2**31 - 1


class SourceUnreadable(Unavailable):
    type = "/problems/source-unreadable"
    title = "The consent state cannot be read"


@dataclass(slots=True)
class Wanted:
    """What to look up: keyed hashes of the identifier and of its suppressions, and the numbers of what is asked."""

    refs: Sequence[bytes]
    suppression_refs: Sequence[bytes]
    purpose_no: int
    channel_no: int
    brand_no: int

    @property
    def values(self) -> tuple[Any, ...]:
        """Parameters of `statement(len(refs))`; a question without a contact looks up a hash that nobody has."""
        absent = self.suppression_refs or (b"",) * len(self.refs)
        return (*absent, *self.refs, self.purpose_no, self.channel_no, self.brand_no)


class Source(Protocol):
    """Where states are read."""

    @property
    def is_primary(self) -> bool:
        """Whether writes go there, so that nothing read is old."""
        ...

    def age_ms(self, raw: Raw) -> int:
        """How old what was read may be by now, on the reader's own clock; 0 for the primary."""
        ...

    def at_once(self, wanted: Wanted) -> Raw | None:
        """The rows, read on this thread without waiting; None: ask `patiently`, on a thread that may wait."""
        ...

    def patiently(self, wanted: Wanted) -> Raw:
        """The rows. Raises: SourceUnreadable."""
        ...

    def warm_up(self) -> None:
        """Touch what the first reads would have to wait for; bounded to two seconds."""
        ...

    def close(self) -> None: ...


@functools.cache
def statement(versions: int, mark: str = "?", *, of_copy: bool = False) -> str:
    """The statement, for so many live key versions. Nothing but searches by primary key; a test reads its plan.

    The unary plus keeps the filters out of the search: one range over one person's few rows costs less than several.
    The head is searched for by itself: as one more row it would bring every column, most of them empty, once more.
    `of_copy`: two columns before the others say as of when the copy is, so that rows and moment are of one snapshot.
    """
    refs = ",".join([mark] * versions)
    return (
        "SELECT "  # noqa: S608 - own names of columns, and marks
        + ("o.sent, o.boot, " if of_copy else "")
        + ", ".join((*BEFORE, *(f"s.{name}" for name in JUDGED)))
        + " FROM control c"
        + (" JOIN copy o ON o.id = c.id" if of_copy else "")
        + f" LEFT JOIN suppression u ON u.ref IN ({refs})"
        f" LEFT JOIN subject_identifier i ON i.ref IN ({refs}) LEFT JOIN subject p ON p.no = i.subject_no"
        " LEFT JOIN consent_state h ON h.subject_no = p.no AND h.purpose_no = 0 AND h.channel_no = 0"
        f" AND h.brand_no = 0 AND h.kind = '{HEAD}'"
        f" LEFT JOIN consent_state s ON s.subject_no = p.no AND +s.purpose_no IN (0, {mark})"
        f" AND +s.channel_no IN (0, {mark}) AND +s.brand_no IN (0, {mark}) AND s.kind <> '{HEAD}' WHERE c.id = 1"
    )


class Circuit:
    """Whether reads may run where waiting is forbidden: two slow ones within a second send all to the thread for ten
    seconds, and then one in a hundred finds out whether that is over. `seconds` never jumps.
    """

    __slots__ = ("_asked", "_last_slow", "_open_until", "_seconds")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._last_slow: float | None = None
        self._open_until: float | None = None
        self._asked = 0

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def lets_pass(self) -> bool:
        if self._open_until is None:
            return True
        if self._seconds() < self._open_until:
            return False
        self._asked += 1
        return self._asked % PROBE_EVERY == 1

    def took(self, seconds: float) -> None:
        """Say how long a read that was let pass has taken."""
        if seconds < SLOW_S:
            self._open_until = None
            return
        now = self._seconds()
        if self._open_until is not None or (self._last_slow is not None and now - self._last_slow <= SLOW_WITHIN_S):
            self._open_until = now + OPEN_S
        self._last_slow = now


class FileReader:
    """Reads the SQLite file that writes go to.

    Raises nothing when made: the file may come later, and a missing one is unreadable, never a yes.
    """

    def __init__(self, path: str, seconds: Callable[[], float]) -> None:
        self._path, self._seconds = path, seconds
        self._circuit = Circuit(seconds)
        self._here: sqlite3.Connection | None = None
        self._there: sqlite3.Connection | None = None
        self._retired: list[sqlite3.Connection] = []
        self._inode: tuple[int, int] | None = None
        self._looked = -INODE_EVERY_S
        self._watch_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_primary(self) -> bool:
        return True

    def age_ms(self, raw: Raw) -> int:
        return 0

    def at_once(self, wanted: Wanted) -> Raw | None:
        began = self._seconds()
        if began - self._looked >= INODE_EVERY_S and not self._is_same_file(began):
            return None
        while self._retired:
            self._retired.pop().close()
        if self._here is None or not self._circuit.lets_pass():
            return None
        before = self._disk_reads() if began < self._watch_until or self._circuit.is_open else None
        try:
            rows = self._read(self._here, wanted)
        except sqlite3.Error:  # busy, or worse: the thread waits a little, opens anew, and then says which
            self._looked = -INODE_EVERY_S
            return None
        took = self._seconds() - began
        if took < SLOW_S and not self._circuit.is_open:
            return rows
        if took >= SLOW_S:
            self._watch_until = began + took + SLOW_WITHIN_S  # to ask costs as much as a part of the read
            if before is not None and self._disk_reads() == before:
                took = 0.0  # another process had the processor, or another thread the interpreter: so would a thread
        self._circuit.took(took)
        return rows

    def patiently(self, wanted: Wanted) -> Raw:
        with self._lock, _readable():
            self._reopen_if_replaced()
            if self._there is None:
                self._there = _opened(self._path, THREAD_WAIT_MS)
            return self._read(self._there, wanted)

    def warm_up(self) -> None:
        end = self._seconds() + WARM_S
        with self._lock, _readable():
            self._reopen_if_replaced()
            connection = _opened(self._path, THREAD_WAIT_MS)
            try:
                for table in ("consent_state", "subject_identifier", "subject", "suppression"):
                    for _ in connection.execute(f"SELECT 1 FROM {table}"):  # noqa: S608 - own names of tables
                        if self._seconds() > end:
                            return
            finally:
                connection.close()

    def close(self) -> None:
        with self._lock:
            for connection in (self._here, self._there, *self._retired):
                if connection is not None:
                    connection.close()
            self._here = self._there = self._inode = None
            self._retired.clear()

    def _read(self, connection: sqlite3.Connection, wanted: Wanted) -> Raw:
        return connection.execute(statement(len(wanted.refs)), wanted.values).fetchall()

    def _disk_reads(self) -> int | None:
        """How often this thread has read from the disk so far; None where that cannot be told (not Linux)."""
        if not hasattr(resource, "RUSAGE_THREAD"):
            return None
        used = resource.getrusage(resource.RUSAGE_THREAD)
        return used.ru_majflt + used.ru_inblock

    def _is_same_file(self, now: float) -> bool:
        """Look once a second whether the path still leads to the file that is open; a restore puts another there."""
        self._looked = now
        return self._inode is not None and self._inode == _inode(self._path)

    def _reopen_if_replaced(self) -> None:
        inode = _inode(self._path)
        if inode is not None and inode == self._inode and self._here is not None:
            return
        if self._there is not None:
            self._there.close()
        if self._here is not None:
            self._retired.append(self._here)  # whoever reads `at_once` may be in the middle of it, and closes it there
        self._here = self._there = None
        self._here, self._inode = _opened(self._path, 0), inode


class Dated(list[tuple[Any, ...]]):
    """Rows of a copy, which holds whatever was committed at `sent`; None: at a moment that this clock does not know."""

    sent: float | None = None


class CopyReader(FileReader):
    """Reads the copy of this host that a replica process keeps (replica.py)."""

    def __init__(self, path: str, seconds: Callable[[], float], boot: str) -> None:
        super().__init__(path, seconds)
        self._boot = boot

    @property
    def is_primary(self) -> bool:
        return False

    def age_ms(self, raw: Raw) -> int:
        sent = raw.sent if isinstance(raw, Dated) else None
        if sent is None or (age := self._seconds() - sent) < 0:  # from another boot, or from the future
            return UNKNOWN_AGE_MS
        return min(math.ceil(age * 1000), UNKNOWN_AGE_MS)

    def _read(self, connection: sqlite3.Connection, wanted: Wanted) -> Raw:
        rows = connection.execute(statement(len(wanted.refs), of_copy=True), wanted.values).fetchall()
        read = Dated(row[2:] for row in rows)
        if rows and rows[0][1] == self._boot:
            read.sent = rows[0][0]
        return read


class ServerReader:
    """Reads PostgreSQL over one connection a thread. Every answer is the primary's, so none is old."""

    is_primary: Final = True

    def __init__(self, url: str, *, statement_timeout_ms: int = 1_000) -> None:
        import psycopg  # noqa: PLC0415 - only where there is a server: a twentieth of a start

        self._driver = psycopg
        self._url, self._timeout_ms = url, statement_timeout_ms
        self._own = threading.local()
        self._lock = threading.Lock()
        self._all: list[psycopg.Connection[tuple[Any, ...]]] = []

    def age_ms(self, raw: Raw) -> int:
        return 0

    def at_once(self, wanted: Wanted) -> Raw | None:
        return None

    def patiently(self, wanted: Wanted) -> Raw:
        try:
            return self._read(wanted)
        except self._driver.OperationalError:
            self._own.connection = None  # the server went away meanwhile: once more, over a new connection
        except self._driver.Error:
            raise SourceUnreadable from None
        try:
            return self._read(wanted)
        except self._driver.Error:
            self._own.connection = None
            raise SourceUnreadable from None

    def _read(self, wanted: Wanted) -> Raw:
        sql = statement(len(wanted.refs), "%s")
        return self._connection().execute(sql, wanted.values, prepare=True).fetchall()

    def warm_up(self) -> None:
        """Nothing: the server keeps its own memory warm."""

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        held: psycopg.Connection[tuple[Any, ...]] | None = getattr(self._own, "connection", None)
        if held is None or held.closed:
            options = f"-c statement_timeout={self._timeout_ms} -c default_transaction_read_only=on -c timezone=UTC"
            try:
                held = self._driver.connect(
                    self._url, autocommit=True, connect_timeout=2, options=options, application_name="privacyops-check"
                )
            except self._driver.Error:
                raise SourceUnreadable from None
            self._own.connection = held
            with self._lock:
                self._all = [one for one in self._all if not one.closed] + [held]
        return held


def source_for(url: str, seconds: Callable[[], float]) -> FileReader | ServerReader:
    """The reader of the database that writes go to."""
    if url.startswith("sqlite"):
        return FileReader(url.partition(":///")[2], seconds)
    return ServerReader("postgresql://" + url.partition("://")[2])


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path is made anew for each call, and this is the hot path
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _opened(path: str, busy_ms: int) -> sqlite3.Connection:
    """Read-only, and never `immutable`: that would ignore the write-ahead log and answer from the past."""
    connection = sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=busy_ms / 1000
    )
    for pragma in ("query_only=1", "trusted_schema=0", "mmap_size=268435456", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error:
        raise SourceUnreadable from None
