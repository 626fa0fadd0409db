"""The file of a host's copy: what the check reads, and the moment at which it was true.

That moment stands in the file itself and is read by the statement that reads the rows: an old file, a frozen one and
one that another has replaced each tell their own age. The copy is a link to a file with a name of its own, so that a
new one comes in one step and without the write-ahead log of the one before.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from privacyops.store.check_rows import STATE
from privacyops.store.tables.consent import HEAD

FORMAT: Final = 1
_BUSY_MS: Final = 2_000
_STATE_COLUMNS: Final = ("subject_no", *STATE)
_TABLES: Final = (
    "CREATE TABLE control (id INTEGER PRIMARY KEY, ver INTEGER NOT NULL)",
    """CREATE TABLE copy (id INTEGER PRIMARY KEY, controller TEXT NOT NULL, tree TEXT NOT NULL, seq INTEGER NOT NULL,
    sent REAL NOT NULL, boot TEXT NOT NULL, is_open INTEGER NOT NULL)""",
    "CREATE TABLE subject (no INTEGER PRIMARY KEY, public_id TEXT NOT NULL, jurisdiction TEXT)",
    "CREATE TABLE subject_identifier (ref BLOB PRIMARY KEY, subject_no INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE suppression (ref BLOB, reason TEXT, purpose_no INTEGER, brand_no INTEGER, order_t INTEGER NOT NULL,
    event_id TEXT NOT NULL, PRIMARY KEY (ref, reason, purpose_no, brand_no)) WITHOUT ROWID""",
    f"""CREATE TABLE consent_state ({", ".join(_STATE_COLUMNS)},
    PRIMARY KEY (subject_no, purpose_no, channel_no, brand_no, kind)) WITHOUT ROWID""",
)
_INDEXES: Final = (
    "CREATE INDEX ix_subject_public ON subject (public_id)",
    "CREATE INDEX ix_identifier_subject ON subject_identifier (subject_no)",
    "CREATE INDEX ix_suppression_event ON suppression (event_id)",
)
_PUT_SUBJECT: Final = "INSERT OR REPLACE INTO subject VALUES (?, ?, ?)"
_PUT_IDENTIFIER: Final = "INSERT OR REPLACE INTO subject_identifier VALUES (?, ?)"
_PUT_SUPPRESSION: Final = "INSERT OR REPLACE INTO suppression VALUES (?, ?, ?, ?, ?, ?)"
_PUT_STATE: Final = f"INSERT OR REPLACE INTO consent_state VALUES ({', '.join('?' for _ in _STATE_COLUMNS)})"  # noqa: S608 - marks

Row = tuple[Any, ...]


class OtherHistory(Exception):
    """The copy holds more than the primary: it must be made anew."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where a copy goes: number `seq` of `tree`, and everything committed at `sent` of the clock of `boot`."""

    tree: str
    seq: int
    sent: float
    ver: int


@dataclass(frozen=True, slots=True)
class Delta:
    """What a poll brought. `touched`: whose rows follow, all of them; who has none is gone. `gone` by public id.

    `lifted` are the events that put suppressions on the list which are off it now.
    """

    touched: Sequence[int] = ()
    subjects: Sequence[Row] = ()
    identifiers: Sequence[Row] = ()
    states: Sequence[Row] = ()
    suppressions: Sequence[Row] = ()
    lifted: Sequence[str] = ()
    gone: Sequence[str] = ()


class CopyFile:
    """One file, opened to write. Nothing is synchronised to the disk: after a crash of the machine it is made anew."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self._connection = path, connection

    @classmethod
    def reopened(cls, link: Path, controller: str, boot: str) -> Self | None:
        """The file behind the link, if it was closed in order, since this boot, by this format; else None."""
        connection = None
        try:
            path = link.resolve(strict=True)
            connection = _connected(path)
            row = connection.execute("SELECT controller, boot, is_open FROM copy WHERE id = 1").fetchone()
            known = connection.execute("PRAGMA user_version").fetchone()[0]
            if known == FORMAT and row == (controller, boot, 0):
                connection.execute("UPDATE copy SET is_open = 1")
                return cls(path, connection)
        except (OSError, sqlite3.Error):
            pass
        if connection is not None:
            connection.close()
        return None

    @classmethod
    def fresh(cls, link: Path) -> Self:
        """An empty file beside the link, which does not lead there yet."""
        path = link.with_name(f"{link.name}.{secrets.token_hex(4)}")
        connection = _connected(path)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        for table in _TABLES:
            connection.execute(table)
        return cls(path, connection)

    def fill(
        self, subjects: Iterable[Row], identifiers: Iterable[Row], states: Iterable[Row], stops: Iterable[Row]
    ) -> None:
        """Everything there is, in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in (
            (_PUT_SUBJECT, subjects), (_PUT_IDENTIFIER, identifiers), (_PUT_STATE, states), (_PUT_SUPPRESSION, stops),
        ):  # fmt: skip
            self._connection.executemany(statement, rows)
        for index in _INDEXES:
            self._connection.execute(index)
        self._connection.execute("COMMIT")

    def put_in_place(self, link: Path, controller: str, boot: str, mark: Mark) -> None:
        """Let the link lead here, in one step, and drop every other file of its name."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO control VALUES (1, ?)", (mark.ver,))
        self._connection.execute(
            "INSERT INTO copy VALUES (1, ?, ?, ?, ?, ?, 1)", (controller, mark.tree, mark.seq, mark.sent, boot)
        )
        self._connection.execute("COMMIT")
        step = link.with_name(f"{self.path.name}.link")
        step.symlink_to(self.path.name)
        step.replace(link)
        sweep(link, self.path.name)

    def mark(self) -> Mark:
        """Up to where it goes."""
        query = "SELECT tree, seq, sent, (SELECT ver FROM control) FROM copy WHERE id = 1"
        return Mark(*self._connection.execute(query).fetchone())

    def apply(self, delta: Delta, mark: Mark) -> None:
        """Take over what a poll brought, together with the moment it was true. Raises: OtherHistory."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            self._refuse_older(delta.states)
            numbers = [(number,) for number in delta.touched]
            for public_id in delta.gone:
                numbers += run("SELECT no FROM subject WHERE public_id = ?", (public_id,)).fetchall()
            for table, column in (
                ("subject", "no"),
                ("subject_identifier", "subject_no"),
                ("consent_state", "subject_no"),
            ):
                self._connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", numbers)  # noqa: S608 - own names
            self._connection.executemany(_PUT_SUBJECT, delta.subjects)
            self._connection.executemany(_PUT_IDENTIFIER, delta.identifiers)
            self._connection.executemany(_PUT_STATE, delta.states)
            self._connection.executemany("DELETE FROM suppression WHERE event_id = ?", [(one,) for one in delta.lifted])
            self._connection.executemany(_PUT_SUPPRESSION, delta.suppressions)
            run("UPDATE control SET ver = ?", (mark.ver,))
            run("UPDATE copy SET tree = ?, seq = ?, sent = ?", (mark.tree, mark.seq, mark.sent))
            run("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                run("ROLLBACK")
            raise

    def close(self, *, in_order: bool) -> None:
        """`in_order`: it may be gone on with."""
        with suppress(sqlite3.Error):
            if in_order:
                self._connection.execute("UPDATE copy SET is_open = 0")
        self._connection.close()

    def discard(self) -> None:
        """Close and delete a file that no link leads to."""
        self._connection.close()
        for end in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def _refuse_older(self, states: Sequence[Row]) -> None:
        version = _STATE_COLUMNS.index("state_version")
        kind = _STATE_COLUMNS.index("kind")
        for row in states:
            if row[kind] != HEAD:
                continue
            held = self._connection.execute(
                "SELECT state_version FROM consent_state WHERE subject_no = ? AND purpose_no = 0 AND channel_no = 0"
                " AND brand_no = 0 AND kind = ?", (row[0], HEAD),
            ).fetchone()  # fmt: skip
            if held is not None and held[0] > row[version]:
                raise OtherHistory


def sweep(link: Path, keep: str) -> None:
    """Delete what earlier copies left beside the link. Who reads one of them still can, and sees it grow old."""
    for path in link.parent.glob(f"{link.name}.*"):
        if not path.name.startswith(keep) and path.suffix != ".lock":
            path.unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        f"file:{path}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY_MS / 1000, check_same_thread=False
    )
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "trusted_schema=0", "cache_size=-32768"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection
