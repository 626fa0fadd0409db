"""A search without an index reads a large table in slices: few statements, each short, and none of them twice."""

import resource
import time
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sql import functions, slices
from connectors.sql.schema import Paging, Table
from connectors.sql.slices import FIRST_SLICE, Pace, Paces
from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import (
    All,
    Cancelled,
    Collection,
    CollectionKind,
    Count,
    Cursor,
    Hit,
    Leaf,
    Mark,
    Page,
    Predicate,
    PredicateOp,
    Retriable,
)
from privacyops.connector_sdk.testing.bench import Spy
from tests.contract.sql_support import execute, store_at

ROWS = 30_000
WANTED = [1, 777, 20_000, 29_999]


class Steady(Pace):
    """A pace that never changes: slices of 700 rows, their ends asked for several at once."""

    def __init__(self) -> None:
        super().__init__(60.0, 700, is_steady=True)

    def took(self, rows: int, seconds: float) -> None:
        pass


def steady(store: SqlStore) -> SqlStore:
    store._paces.known.update({name: Steady() for name in ("whole", "word", "pair")})
    return store


def told(
    store: SqlStore, name: str, where: Predicate, after: Cursor | None = None
) -> tuple[list[object], list[Mark], Spy]:
    spy = Spy(seconds=60)
    items = list(store.find(spy.call(), name, where, (), Page(1000, after)))
    marks = [item for item in items if isinstance(item, Mark)]
    return [item.values["n"] for item in items if isinstance(item, Hit)], marks, spy


def fill(url: str, number: str, series: str) -> None:
    """The same rows by a number, by a text and by two columns. `number` is the text of row `i`, in its order."""
    label = f"CASE WHEN i IN ({', '.join(map(str, WANTED))}) THEN 'wanted' ELSE 'other' END"
    execute(
        url,
        "CREATE TABLE whole (id integer PRIMARY KEY, n integer, label varchar(40))",
        "CREATE TABLE word (id varchar(20) PRIMARY KEY, n integer, label varchar(40))",
        "CREATE TABLE pair (a integer, b integer, n integer, label varchar(40), PRIMARY KEY (a, b))",
        f"INSERT INTO whole SELECT i * 3, i, {label} FROM {series}",  # noqa: S608 - own words
        f"INSERT INTO word SELECT {number}, i, {label} FROM {series}",  # noqa: S608 - own words
        f"INSERT INTO pair SELECT CASE WHEN i < 9000 THEN 1 ELSE 2 END, i, i, {label} FROM {series}",  # noqa: S608 - own words
    )


def goes_in_slices(url: str) -> None:
    store = steady(store_at(url))
    assert list(store.catalogue(Spy(seconds=60).call()))  # its statements are not counted below
    where = Leaf("x", "label", PredicateOp.EQ_CI, "WANTED")
    for name in ("whole", "word", "pair"):
        found, marks, spy = told(store, name, where)
        assert sorted(found) == WANTED, name  # type: ignore[type-var]  # integers
        scanned = [mark.scanned for mark in marks]
        assert len(marks) >= ROWS // 700
        assert scanned == sorted(scanned)
        assert scanned[-1] >= ROWS - 700
        # a read for each slice; and for each slice, or four of them, one that finds where it ends
        at_once = 1 if name == "pair" and not url.startswith("sqlite") else 4  # SQLite goes by its own row numbers
        least = len(marks) + len(marks) / at_once
        assert least <= spy.requests <= least + 3, name
        for mark in (marks[0], marks[len(marks) // 2]):
            later, _, _ = told(store, name, where, mark.after)
            place = found.index(later[0]) if later else len(found)
            assert later == found[place:], "a search that goes on finds the rest, once"
        assert told(store, name, where, marks[-1].after)[0] == []
    store.close()


def test_slices_leave_nothing_out_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'big.sqlite'}"
    series = f"(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {ROWS}) SELECT i FROM s)"  # noqa: S608 - own words
    fill(url, "printf('k%08d', i)", series)
    goes_in_slices(url)


@pytest.mark.postgres
def test_slices_leave_nothing_out_on_postgresql(postgres_url: str) -> None:
    fill(postgres_url, "'k' || lpad(i::text, 8, '0')", f"generate_series(1, {ROWS}) AS s(i)")
    execute(postgres_url, "ANALYZE")
    goes_in_slices(postgres_url)


@pytest.mark.stores
def test_slices_leave_nothing_out_on_mariadb(mariadb_url: str) -> None:
    execute(mariadb_url, "CREATE TABLE s (i integer PRIMARY KEY)", f"INSERT INTO s SELECT seq FROM seq_1_to_{ROWS}")  # noqa: S608 - own words
    fill(mariadb_url, "concat('k', lpad(i, 8, '0'))", "s")
    execute(mariadb_url, "ANALYZE TABLE whole, word, pair")
    goes_in_slices(mariadb_url)


def filled(tmp_path: Path, table: str, rows: int, text: str) -> str:
    """A SQLite file with a table of numbers `n` and a text in each row."""
    url = f"sqlite:///{tmp_path / 'filled.sqlite'}"
    series = (
        f"WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) SELECT i, '{text}' FROM s"  # noqa: S608 - own words
    )
    execute(url, f"CREATE TABLE {table} (n integer PRIMARY KEY, body text)", f"INSERT INTO {table} {series}")
    return url


@pytest.fixture
def slow_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for digits takes 40 microseconds a row."""

    def digits(value: bytes | None, pattern: str) -> int:
        until = time.perf_counter() + 0.00004
        while time.perf_counter() < until:
            pass
        return functions._digits(value, pattern)

    monkeypatch.setattr(functions, "FUNCTIONS", {**functions.FUNCTIONS, "privacyops_digits": (2, digits)})


@pytest.mark.usefixtures("slow_digits")
def test_a_slow_slice_is_ended_and_a_smaller_one_finds_the_row(tmp_path: Path) -> None:
    url = filled(tmp_path, "call", 25_000, "none")
    execute(url, "UPDATE call SET body = '+49 30 5550123' WHERE n = 24000")
    store = store_at(url, statement_timeout=0.25)  # so slices aim at 50 ms, and end after a quarter of a second
    found, marks, spy = told(store, "call", Leaf("x", "body", PredicateOp.DIGITS_END, "305550123"))
    assert found == [24000]
    assert len(marks) >= 5, "each slice leaves a place to go on from"
    assert spy.requests < 200
    assert store._paces.known["call"].rows < 10_000
    store.close()


@pytest.mark.usefixtures("slow_digits")
def test_a_search_of_slices_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    store = store_at(filled(tmp_path, "call", 60_000, "none"))
    began = time.monotonic()
    spy = Spy(seconds=60, is_cancelled=lambda: time.monotonic() - began > 0.4)
    with pytest.raises(Cancelled):
        list(store.find(spy.call(), "call", Leaf("x", "body", PredicateOp.DIGITS_END, "305550123"), (), Page(10)))
    assert time.monotonic() - began < 1.5
    store.close()


def test_the_pace_grows_while_slices_are_quick_and_shrinks_faster_than_it_grew() -> None:
    pace = Pace(1.0, 20_000)
    pace.took(20_000, 0.01)
    assert (pace.rows, pace.is_steady) == (160_000, False)
    pace.took(160_000, 0.4)
    assert (pace.rows, pace.is_steady) == (400_000, False)
    pace.took(400_000, 0.9)
    assert (pace.rows, pace.is_steady) == (444_444, True)
    pace.took(400_000, 60.0)
    assert pace.rows == 100_000
    for _ in range(9):
        pace.failed()
    assert (pace.rows, pace.is_steady) == (1, False)


def test_a_slice_aims_at_a_fifth_of_what_the_server_allows_and_at_few_bytes() -> None:
    table = Table(Collection("t", CollectionKind.TABLE, (), rows=Count(1_000_000)), None, Paging.KEY)
    assert Paces(20.0).of(table) == Pace(1.0, FIRST_SLICE)
    assert Paces(2.0).of(table).aim_seconds == pytest.approx(0.4)
    of_documents = replace(table, collection=replace(table.collection, bytes=10**12))
    assert Paces(20.0).of(of_documents).rows == 100
    paces = Paces(20.0)
    paces.of(table).took(20_000, 0.01)
    assert paces.of(table).rows == 160_000, "the next search goes on as fast"


@pytest.mark.slow
def test_a_giant_cell_among_many_rows_is_passed_in_bounded_time(tmp_path: Path) -> None:
    url = filled(tmp_path, "note", 40_000, "none")
    execute(
        url,
        "UPDATE note SET body = replace(hex(zeroblob(30000000)), '0', 'x') || 'needle' WHERE n = 20000",
        "UPDATE note SET body = 'a needle' WHERE n IN (3, 39999)",
    )
    store = store_at(url)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, marks, spy = told(store, "note", Leaf("x", "body", PredicateOp.CONTAINS_CI, "NEEDLE"))
    assert found == [3, 20_000, 39_999]
    assert len(marks) >= 2
    assert told(store, "note", Leaf("x", "body", PredicateOp.CONTAINS_CI, "nobody"))[0] == []
    assert told(
        store, "note", All((Leaf("x", "body", PredicateOp.CONTAINS_CI, "needle"), Leaf("y", "n", PredicateOp.EQ, 3)))
    )[0] == [3]
    assert spy.requests < 40
    # SQLite itself holds the cell, and once more in small letters; nothing of it is kept here
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    store.close()


def test_a_single_row_that_takes_too_long_is_the_hosts_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(1.0, 1)
    one = slices.Slices.__new__(slices.Slices)
    one._pace, one._seconds = pace, 0.0

    def late(_: object) -> None:
        raise Retriable(None, "timeout")

    with pytest.raises(Retriable, match="timeout"):
        one.read(Spy().call(), late)
