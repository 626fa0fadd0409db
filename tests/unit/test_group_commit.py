"""One commit for many writers, on a real SQLite file: nobody pays for a neighbour's refusal."""

import contextlib
import gc
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from privacyops.kernel.clock import Instant, ManualClock
from privacyops.store.engine import Engines, connect
from privacyops.store.group_commit import GroupCommit
from privacyops.store.uow import Database, DatabaseFull, Tx

WRITERS = 24


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    opened = connect(f"sqlite:///{tmp_path / 'group.db'}")
    with opened.writer.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)")
        connection.exec_driver_sql("COMMIT")
    yield opened
    opened.dispose()


class Watched(Database):
    """A database that counts its commits."""

    commits = 0

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with super()._writing() as connection:
            yield connection
        self.commits += 1


def write(number: int) -> Any:
    def work(tx: Tx) -> int:
        tx.run(text("INSERT INTO note (id, body) VALUES (:id, 'x')"), {"id": number})
        if number % 5 == 0:
            raise LookupError(number)
        return number

    return work


def together(database: Database, now: Instant, numbers: range, hold: threading.Barrier) -> dict[int, object]:
    """Each number written by a thread of its own; its result or its refusal."""
    told: dict[int, object] = {}

    def one(number: int) -> None:
        hold.wait()
        try:
            told[number] = database.grouped("shop", now, write(number))
        except Exception as refusal:
            told[number] = refusal

    threads = [threading.Thread(target=one, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return told


def held(database: Database, now: Instant) -> set[int]:
    with database.reading("shop", now) as tx:
        return set(tx.run(text("SELECT id FROM note")).scalars())


def test_a_refused_write_is_rolled_back_alone(engines: Engines, clock: ManualClock) -> None:
    database = Watched(engines)
    told = together(database, clock.now(), range(WRITERS), threading.Barrier(WRITERS))
    for number, result in told.items():
        assert isinstance(result, LookupError) if number % 5 == 0 else result == number
    assert held(database, clock.now()) == {number for number in range(WRITERS) if number % 5}


def test_who_arrives_during_a_commit_shares_the_next_one(engines: Engines, clock: ManualClock) -> None:
    database, entered, go = Watched(engines), threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        entered.set()
        go.wait(10)

    first = threading.Thread(target=database.grouped, args=("shop", clock.now(), slow))
    first.start()
    entered.wait(10)
    queue = database._groups._queue
    others = [
        threading.Thread(target=database.grouped, args=("shop", clock.now(), write(number))) for number in (1, 2, 3, 4)
    ]
    for thread in others:
        thread.start()
    while len(queue) < len(others):
        threading.Event().wait(0.001)
    go.set()
    for thread in [first, *others]:
        thread.join(10)
    assert database.commits == 2
    assert held(database, clock.now()) == {1, 2, 3, 4}


def test_a_full_disk_is_told_to_everybody_and_nothing_is_half_written(engines: Engines, clock: ManualClock) -> None:
    database = Database(engines)
    with engines.writer.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def fill(tx: Tx) -> None:
        for _ in range(40):
            tx.run(text("INSERT INTO note (body) VALUES (zeroblob(4000))"))

    with pytest.raises(DatabaseFull):
        database.grouped("shop", clock.now(), fill)
    assert held(database, clock.now()) == set()
    assert database.grouped("shop", clock.now(), write(1)) == 1
    with engines.writer.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    database.grouped("shop", clock.now(), fill)
    assert len(held(database, clock.now())) == 41


def test_where_the_commit_fails_nobody_is_told_that_it_succeeded() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)

    class Holder:
        """What the group needs of a connection: the driver's own."""

        class connection:  # noqa: N801 - an attribute's name
            driver_connection = connection

    class Broken(Exception):
        """The disk is gone."""

    @contextmanager
    def begin() -> Iterator[Any]:
        connection.execute("BEGIN")
        yield Holder
        raise Broken

    with pytest.raises(Broken):
        GroupCommit(begin).run(lambda _: "written")
    connection.close()


def test_everybody_of_a_commit_that_failed_is_refused_and_nothing_of_it_is_kept(
    engines: Engines, clock: ManualClock
) -> None:
    class Broken(Exception):
        """The disk is gone."""

    class Breaking(Database):
        """A database whose second commit fails."""

        commits = 0

        @contextmanager
        def _writing(self) -> Iterator[Connection]:
            with super()._writing() as connection:
                yield connection
                self.commits += 1
                if self.commits == 2:
                    raise Broken

    database, entered, go = Breaking(engines), threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        entered.set()
        go.wait(10)

    first = threading.Thread(target=database.grouped, args=("shop", clock.now(), slow))
    first.start()
    assert entered.wait(10)
    told: dict[int, object] = {}

    def one(number: int) -> None:
        try:
            told[number] = database.grouped("shop", clock.now(), write(number))
        except Exception as refusal:
            told[number] = refusal

    numbers = [number for number in range(WRITERS) if number % 5]  # each of them would have succeeded
    others = [threading.Thread(target=one, args=(number,)) for number in numbers]
    for thread in others:
        thread.start()
    while len(database._groups._queue) < len(others):
        threading.Event().wait(0.001)
    go.set()
    for thread in [first, *others]:
        thread.join(10)
        assert not thread.is_alive()
    assert database.commits == 2, "all of them shared one commit"
    assert {number: type(result) for number, result in told.items()} == dict.fromkeys(numbers, Broken)
    assert held(database, clock.now()) == set()
    assert database.grouped("shop", clock.now(), write(1)) == 1


def test_after_a_failed_group_the_next_one_writes(engines: Engines, clock: ManualClock) -> None:
    database = Database(engines)
    with pytest.raises(LookupError):
        database.grouped("shop", clock.now(), write(5))
    assert database.grouped("shop", clock.now(), write(6)) == 6


class Large:
    """Stands for what a write holds."""


def test_a_refused_write_leaves_nothing_to_the_search_for_garbage(engines: Engines, clock: ManualClock) -> None:
    database, seen = Database(engines), list[weakref.ref[Large]]()

    def refused(tx: Tx) -> None:
        large = Large()
        seen.append(weakref.ref(large))
        raise LookupError

    gc.disable()
    try:
        with contextlib.suppress(LookupError):
            database.grouped("shop", clock.now(), refused)
        assert [one() for one in seen] == [None]
    finally:
        gc.enable()
