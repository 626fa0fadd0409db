"""The hot read on a real file: what it may do, and what it does when the file is busy, replaced or gone."""

import os
import shutil
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from privacyops.store.check_reader import FileReader, ServerReader, SourceUnreadable, Wanted, source_for, statement

NOBODY = Wanted([b"n"], [], 1, 1, 1)


@pytest.fixture
def path(migrated_sqlite: Path, tmp_path: Path) -> Path:
    target = tmp_path / "privacyops.db"
    shutil.copyfile(migrated_sqlite, target)
    return target


@pytest.fixture
def writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT INTO control (id, ver) VALUES (1, 7)")
    return connection


class Seconds:
    """A double of the machine's clock."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("versions", [1, 2, 3])
def test_the_statement_searches_by_primary_key_and_nothing_else(path: Path, versions: int) -> None:
    with sqlite3.connect(path) as connection:
        sql = f"EXPLAIN QUERY PLAN {statement(versions)}"
        plan = [row[3] for row in connection.execute(sql, Wanted([b"n"] * versions, [], 1, 1, 1).values)]
    connection.close()
    assert len(plan) == 6
    assert all(step.startswith("SEARCH") and "PRIMARY KEY" in step for step in plan), plan


def test_reading_once_leaves_no_cursor_and_sees_each_commit(path: Path, writer: sqlite3.Connection) -> None:
    reader = FileReader(str(path), lambda: 100.0)
    assert reader.patiently(NOBODY)[0][0] == 7
    for ver in range(8, 12):
        writer.execute("UPDATE control SET ver = ?", (ver,))
        assert reader.at_once(NOBODY)[0][0] == ver  # type: ignore[index]  # it was opened just now
    assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    reader.close()
    writer.close()


def test_the_connection_cannot_write(path: Path, writer: sqlite3.Connection) -> None:
    reader = FileReader(str(path), lambda: 100.0)
    reader.patiently(NOBODY)
    for connection in (reader._here, reader._there):
        assert connection is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("UPDATE control SET ver = 9")
    reader.close()
    writer.close()


def test_a_file_put_in_its_place_is_read_within_a_second(path: Path, writer: sqlite3.Connection) -> None:
    seconds = Seconds()
    reader = FileReader(str(path), seconds)
    assert reader.patiently(NOBODY)[0][0] == 7
    assert reader.at_once(NOBODY) is not None
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.close()
    restored = path.with_suffix(".new")
    shutil.copyfile(path, restored)
    with sqlite3.connect(restored) as other:
        other.execute("UPDATE control SET ver = 99")
    other.close()
    os.replace(restored, path)  # noqa: PTH105 - what a restore does
    seconds.now += 1.1
    assert reader.at_once(NOBODY) is None
    assert reader.patiently(NOBODY)[0][0] == 99
    assert reader.at_once(NOBODY)[0][0] == 99  # type: ignore[index]  # it was opened just now
    reader.close()


def test_a_missing_file_is_unreadable_and_never_created(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    reader = FileReader(str(path), lambda: 100.0)
    assert reader.at_once(NOBODY) is None
    with pytest.raises(SourceUnreadable):
        reader.patiently(NOBODY)
    assert not path.exists()
    reader.close()


def test_a_locked_file_is_left_to_the_thread(path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode=DELETE")  # outside WAL a writer locks readers out
    reader = FileReader(str(path), lambda: 100.0)
    reader.patiently(NOBODY)
    writer.execute("BEGIN EXCLUSIVE")
    assert reader.at_once(NOBODY) is None
    with pytest.raises(SourceUnreadable):
        reader.patiently(NOBODY)
    writer.execute("ROLLBACK")
    assert reader.patiently(NOBODY)[0][0] == 7
    reader.close()
    writer.close()


class SlowSeconds:
    """A double of the machine's clock, by which each read takes ten milliseconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def test_a_busy_processor_sends_no_read_to_the_thread_whatever_else_the_loop_has_read_from_the_disk(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads_of_others = [0]
    monkeypatch.setattr(
        "privacyops.store.check_reader.resource.getrusage",
        lambda _: SimpleNamespace(ru_majflt=reads_of_others[0], ru_inblock=0),
    )
    reader = FileReader(str(path), SlowSeconds())
    reader.patiently(NOBODY)
    for _ in range(20):
        reads_of_others[0] += 1
        assert reader.at_once(NOBODY) is not None
    reader.close()
    writer.close()


def test_a_slow_disk_sends_reads_to_the_thread(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter(range(1_000))
    monkeypatch.setattr(
        "privacyops.store.check_reader.resource.getrusage",
        lambda _: SimpleNamespace(ru_majflt=next(faults), ru_inblock=0),
    )
    reader = FileReader(str(path), SlowSeconds())
    reader.patiently(NOBODY)
    answered = [reader.at_once(NOBODY) is not None for _ in range(5)]
    assert answered == [True, True, False, False, False]
    reader.close()
    writer.close()


@pytest.mark.postgres
def test_a_server_is_read_in_threads_only_and_over_again_when_it_dropped_the_connection(migrated_postgres: str) -> None:
    reader = source_for(migrated_postgres, lambda: 100.0)
    assert isinstance(reader, ServerReader)
    assert reader.at_once(NOBODY) is None
    before = reader.patiently(NOBODY)
    reader._own.connection.close()
    assert reader.patiently(NOBODY) == before
    reader.close()


def test_a_server_that_is_not_there_is_unreadable() -> None:
    with pytest.raises(SourceUnreadable):
        ServerReader("postgresql://nobody@127.0.0.1:1/none").patiently(NOBODY)


@pytest.mark.postgres
def test_the_connection_to_a_server_cannot_write_and_waits_for_nothing_long(migrated_postgres: str) -> None:
    reader = ServerReader(as_psycopg(migrated_postgres), statement_timeout_ms=100)
    reader.patiently(NOBODY)
    connection = reader._own.connection
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("UPDATE control SET ver = 9")
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(10)")
    reader.close()


@pytest.mark.postgres
def test_a_table_that_somebody_has_locked_on_a_server_is_unreadable_and_soon(migrated_postgres: str) -> None:
    url = as_psycopg(migrated_postgres)
    reader = ServerReader(url, statement_timeout_ms=100)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE suppression IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(SourceUnreadable):
            reader.patiently(NOBODY)
        assert time.monotonic() - began < 10
        other.rollback()
    assert reader.patiently(NOBODY) == []
    reader.close()


def as_psycopg(url: str) -> str:
    """As psycopg is given it, which knows no name of a driver."""
    return "postgresql://" + url.partition("://")[2]
