"""A host's own copy of what the consent check reads: PostgreSQL polled into a SQLite file.

Each poll is one read-only transaction over one snapshot: the numbers of the consent log behind the last one, and
everything committed that has no number yet. Numbers come without a gap, so nothing is missed; with what is pending, a
poll covers every write that was acknowledged before it was sent, even while nobody numbers.
"""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import psycopg

from privacyops.domain.consent.state import EventType
from privacyops.domain.log import Log
from privacyops.kernel.errors import Unavailable
from privacyops.ledger.leaf import parse
from privacyops.store.check_rows import STATE
from privacyops.store.replica_file import CopyFile, Delta, Mark, OtherHistory, Row

PAGE: Final = 10_000
_BATCH: Final = 5_000
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 2, "application_name": "privacyops-replica", "keepalives_idle": 1, "keepalives_interval": 1,
    "keepalives_count": 3, "tcp_user_timeout": 3_000,
    "options": "-c statement_timeout=30s -c timezone=UTC -c idle_in_transaction_session_timeout=60s",
}  # fmt: skip
_STATES: Final = ", ".join(f"s.{name}" for name in ("subject_no", *STATE))
_LIFT: Final = f'"type":"{EventType.SUPPRESSION_LIFTED}"'.encode()

_WHERE: Final = """SELECT c.ver, coalesce(h.tree, ''), coalesce((SELECT min(seq) FROM consent_change
    WHERE controller = %(c)s), 0), coalesce((SELECT max(seq) FROM consent_change WHERE controller = %(c)s), 0)
    FROM control c LEFT JOIN ledger_head h ON h.controller = %(c)s AND h.log = %(log)s WHERE c.id = 1"""
_TOUCHED: Final = """(SELECT seq, entry_id, subject_no FROM consent_change
    WHERE controller = %(c)s AND seq > %(have)s ORDER BY seq LIMIT %(page)s)
    UNION ALL SELECT NULL, p.entry_id, e.subject_no FROM ledger_pending p
    LEFT JOIN event_private e ON e.event_id = p.entry_id WHERE p.controller = %(c)s AND p.log = %(log)s"""
_SUBJECTS: Final = "SELECT p.no, p.public_id, p.jurisdiction FROM subject p"
_IDENTIFIERS: Final = "SELECT i.ref, i.subject_no FROM subject_identifier i"
_STATE_ROWS: Final = f"SELECT {_STATES} FROM consent_state s"  # noqa: S608 - names of our own columns
_STOPS: Final = "SELECT u.ref, u.reason, u.purpose_no, u.brand_no, u.order_t, u.event_id FROM suppression u"
_LIFTS: Final = "SELECT leaf FROM consent_event WHERE id = ANY(%s) AND position(%s::bytea IN leaf) > 0"
_ERASED: Final = "SELECT event_id, sealed FROM erased_subject WHERE event_id = ANY(%s)"


class PrimaryUnreachable(Unavailable):
    type = "/problems/primary-unreachable"
    title = "The database that writes go to cannot be read"


class CopyInUse(Unavailable):
    type = "/problems/copy-in-use"
    title = "Another process keeps this copy; give each host one, under a path of its own"


class CopyUnwritable(Unavailable):
    type = "/problems/copy-unwritable"
    title = "The copy cannot be written"


class BootUnknown(Unavailable):
    type = "/problems/boot-unknown"
    title = "This system does not tell one start from the next; the copy needs Linux"


def boot_id() -> str:
    """Which start of the machine this is: clocks since boot are compared within one only. Raises: BootUnknown."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        raise BootUnknown from None


class Replica:
    """Keeps the copy at `link`. For one thread. `seconds` is the clock since boot; `opened` unseals whom an erasure
    was about: (event, sealed) to the person's public id.

    Raises when made: CopyInUse, BootUnknown.
    """

    def __init__(
        self, url: str, link: Path, controller: str, seconds: Callable[[], float], opened: Callable[[UUID, bytes], str]
    ) -> None:
        self._url, self._link, self._controller = _plain(url), link, controller
        self._seconds, self._opened, self._boot = seconds, opened, boot_id()
        self._lock = _locked(link)
        self._file = CopyFile.reopened(link, controller, self._boot)
        self._line: psycopg.Connection[Row] | None = None
        self._seen: frozenset[UUID] = frozenset()
        self.copies = 0
        """How often the whole was copied."""

    def poll(self) -> bool:
        """Take over what is new; False where more waits already. The first one, or one after a break, copies it all.

        Raises: PrimaryUnreachable, CopyUnwritable. After either the next poll goes on, or begins anew.
        """
        try:
            if self._file is not None and (behind := self._polled(self._file)) is not None:
                return not behind
            self._copy()
        except (psycopg.Error, OSError) as error:
            self._hang_up()
            problem = PrimaryUnreachable if isinstance(error, psycopg.Error) else CopyUnwritable
            raise problem from error
        except sqlite3.Error as error:
            self._drop_file()
            raise CopyUnwritable from error
        return True

    def mark(self) -> Mark | None:
        """Up to where the copy goes; None before there is one."""
        return self._file.mark() if self._file is not None else None

    def close(self) -> None:
        """End in order: the next process goes on with the file."""
        self._hang_up()
        if self._file is not None:
            self._file.close(in_order=True)
            self._file = None
        self._lock.close()

    # --- a poll ------------------------------------------------------------------------------------------------

    def _polled(self, file: CopyFile) -> bool | None:
        """Whether more waits; None: the copy must be made anew."""
        have, sent = file.mark(), self._seconds()
        with self._snapshot() as line:
            ver, tree, first, last = self._where(line)
            if last < have.seq or first > have.seq + 1 or (have.tree and tree != have.tree):
                return None
            about = {"c": self._controller, "log": str(Log.CONSENT), "have": have.seq, "page": PAGE}
            rows = line.execute(_TOUCHED, about).fetchall()
            new = [row for row in rows if row[1] not in self._seen]
            delta = self._delta(line, new) if new else Delta()
        numbered = [row[0] for row in rows if row[0] is not None]
        is_full = len(numbered) == PAGE
        mark = Mark(tree, max(numbered, default=have.seq), have.sent if is_full else sent, ver)
        try:
            file.apply(delta, mark)
        except OtherHistory:
            return None
        self._seen = frozenset(row[1] for row in rows if row[0] is None)
        return is_full

    def _delta(self, line: "psycopg.Connection[Row]", new: Sequence[Row]) -> Delta:
        """The rows of everybody whom the new entries concern, as they stand in this snapshot."""
        entries = [row[1] for row in new]
        people = sorted({row[2] for row in new if row[2] is not None})
        with line.pipeline():
            subjects = line.execute(f"{_SUBJECTS} WHERE p.no = ANY(%s)", (people,))
            identifiers = line.execute(f"{_IDENTIFIERS} WHERE i.subject_no = ANY(%s)", (people,))
            states = line.execute(f"{_STATE_ROWS} WHERE s.subject_no = ANY(%s)", (people,))
            stops = line.execute(f"{_STOPS} WHERE u.event_id = ANY(%s)", (entries,))
            lifts = line.execute(_LIFTS, (entries, _LIFT))
            erased = line.execute(_ERASED, (entries,))
        return Delta(
            people,
            subjects.fetchall(),
            identifiers.fetchall(),
            [_plain_row(row) for row in states.fetchall()],
            [_plain_row(row) for row in stops.fetchall()],
            [UUID(str(parse(bytes(leaf))["causes"])).hex for (leaf,) in lifts.fetchall()],
            [self._opened(event, bytes(sealed)) for event, sealed in erased.fetchall()],
        )

    # --- the whole -----------------------------------------------------------------------------------------------

    def _copy(self) -> None:
        """Copy everything of one snapshot into a new file, and let the link lead there."""
        sent = self._seconds()
        fresh = CopyFile.fresh(self._link)
        try:
            with self._snapshot() as line:
                ver, tree, _, last = self._where(line)
                mine = (self._controller,)
                of_subject = "JOIN subject p ON p.no = {}.subject_no WHERE p.controller = %s ORDER BY {}"
                fresh.fill(
                    _streamed(line, f"{_SUBJECTS} WHERE p.controller = %s ORDER BY p.no", mine),
                    _streamed(line, f"{_IDENTIFIERS} {of_subject.format('i', 'i.ref')}", mine),
                    _streamed(line, f"{_STATE_ROWS} {of_subject.format('s', 's.subject_no')}", mine),
                    _streamed(line, f"{_STOPS} WHERE u.controller = %s ORDER BY u.ref", mine),
                )
            fresh.put_in_place(self._link, self._controller, self._boot, Mark(tree, last, sent, ver))
        except BaseException:
            fresh.discard()
            raise
        self._drop_file()
        self._file, self._seen = fresh, frozenset()
        self.copies += 1

    def _where(self, line: "psycopg.Connection[Row]") -> Row:
        row = line.execute(_WHERE, {"c": self._controller, "log": str(Log.CONSENT)}).fetchone()
        if row is None:
            raise psycopg.DataError("the database has no schema of this release")
        return row

    @contextmanager
    def _snapshot(self) -> "Iterator[psycopg.Connection[Row]]":
        if self._line is None or self._line.closed:
            self._line = psycopg.connect(self._url, **_CONNECT)
            self._line.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._line.read_only = True
        with self._line.transaction():
            yield self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _drop_file(self) -> None:
        if self._file is not None:
            self._file.close(in_order=False)
            self._file = None


def _streamed(line: "psycopg.Connection[Row]", query: str, values: Row) -> Iterator[Row]:
    with line.cursor(name="copy") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(query, values)
        for row in cursor:
            yield _plain_row(row)


def _plain_row(row: Row) -> Row:
    return tuple(value.hex if isinstance(value, UUID) else value for value in row)


def _plain(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]


def _locked(link: Path) -> IO[str]:
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = link.with_name(f"{link.name}.lock").open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise CopyInUse from None
    return held
