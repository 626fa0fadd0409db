"""What the doctor asks of a database: is it there, how durable is it, and whose clock is right."""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from sqlite3 import connect as open_file
from sqlite3 import sqlite_version_info

from sqlalchemy import make_url, text

from privacyops.kernel.clock import Instant
from privacyops.store.engine import Engines, connect

_FIXED_SINCE = (3, 51, 3)
_FIXED_IN = {(3, 50): 7, (3, 44): 6}


def has_wal_reset_fault(version: tuple[int, int, int] = sqlite_version_info[:3]) -> bool:
    """Whether this build of SQLite can lose a commit when two connections checkpoint at the same time.

    Fixed in 3.51.3, and for older lines in 3.50.7 and 3.44.6. Source: sqlite.org/wal.html, section on known faults.
    """
    if version >= _FIXED_SINCE:
        return False
    return version[2] < _FIXED_IN.get(version[:2], version[2] + 1)


def prefer_wal(url: str, version: tuple[int, int, int] = sqlite_version_info[:3]) -> bool:
    """Set the durable engine's SQLite file to write-ahead logging, which doubles its steps per second, unless this
    build has the fault above: the engine opens several connections. True if it was set.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or has_wal_reset_fault(version):
        return False
    with closing(open_file(parsed.database or "")) as file:
        return bool(file.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal")


def durability(engines: Engines) -> Mapping[str, str]:
    """The settings on which a promise of durability rests, as the writing connection has them."""
    wanted = {"journal_mode": "PRAGMA journal_mode", "synchronous": "PRAGMA synchronous"}
    if engines.dialect == "postgresql":
        wanted = {"fsync": "SHOW fsync", "synchronous_commit": "SHOW synchronous_commit"}
    with engines.writer.connect() as connection:
        return {name: str(connection.execute(text(question)).scalar_one()) for name, question in wanted.items()}


def clock_offset(engines: Engines, now: Instant) -> timedelta:
    """How far the database's clock is from `now`; none on SQLite, which has no clock of its own."""
    if engines.dialect == "sqlite":
        return timedelta(0)
    with engines.reader.connect() as connection:
        there: Instant = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return there - now


def answers(url: str) -> None:
    """Connect and ask something. Raises: OperationalError: nobody is there. FileNotFoundError: no such SQLite file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        if not path.is_file():
            raise FileNotFoundError(str(path))
        with closing(open_file(f"file:{path}?mode=ro", uri=True)) as file:
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return
    engines = connect(url)
    try:
        with engines.reader.connect() as connection:
            connection.execute(text("SELECT 1"))
    finally:
        engines.dispose()
