"""Rows and tables that are not as the textbook has them: no key, twins, giants, dates outside the calendar."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    Cursor,
    Hit,
    Leaf,
    Mark,
    Misconfigured,
    Page,
    PredicateOp,
    Sampling,
    Terminal,
    row_hash,
)
from privacyops.connector_sdk.testing.bench import Spy, hits_of
from tests.contract.sql_support import collection_of, execute, found, rows_of, store_at

ROOT = Path(__file__).parents[2]
GIANT = 60_000_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def read_giant(url: str) -> None:
    """In a process of its own: what other tests left of the heap of this one is no figure of a connector."""
    code = f"from {__name__} import _read_giant; import os; _read_giant(os.environ['STORE_URL'])"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "STORE_URL": url},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]


def _read_giant(url: str) -> None:
    store = store_at(url, statement_timeout=120)
    before = resident()
    rows = found(store, "note")
    grown = resident() - before
    body = next(row.values["body"] for row in rows if row.values["id"] == 1)
    assert isinstance(body, BlobRef)
    assert body.bytes == GIANT
    assert grown < 20_000_000, f"{grown // 1_000_000} MB to look at a giant cell"
    hits = hits_of(store, "note", Leaf("x", "body", PredicateOp.CONTAINS_CI, "NEEDLE"), spy=Spy(seconds=120))
    assert [hit.values["id"] for hit in hits] == [2]
    total = 0
    with store.open_blob(Spy(seconds=120).call(), body) as stream:
        while piece := stream.read(4_000_000):
            total += len(piece)
    assert total == GIANT
    assert resident() - before < 50_000_000
    store.close()


@pytest.mark.slow
def test_a_giant_cell_comes_as_a_handle_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'giant.sqlite'}"
    execute(
        url,
        "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)",
        f"INSERT INTO note SELECT 1, replace(hex(zeroblob({GIANT // 2})), '0', 'x')",
        "INSERT INTO note VALUES (2, 'a needle')",
    )
    read_giant(url)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_giant_cell_comes_as_a_handle_on_postgresql(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE note (id integer PRIMARY KEY, body text)",
        f"INSERT INTO note SELECT 1, repeat('x', {GIANT})",
        "INSERT INTO note VALUES (2, 'a needle')",
    )
    read_giant(postgres_url)


@pytest.mark.slow
@pytest.mark.stores
def test_a_giant_cell_comes_as_a_handle_on_mariadb(mariadb_url: str) -> None:
    execute(
        mariadb_url,
        "CREATE TABLE note (id integer PRIMARY KEY, body longtext)",
        f"INSERT INTO note SELECT 1, repeat('x', {GIANT})",
        "INSERT INTO note VALUES (2, 'a needle')",
    )
    read_giant(mariadb_url)


@pytest.mark.postgres
def test_a_page_of_long_rows_is_read_in_several_small_answers(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE letter (id integer PRIMARY KEY, body text)",
        "INSERT INTO letter SELECT i, repeat(md5(i::text), 28000) FROM generate_series(1, 60) i",
    )
    store = store_at(postgres_url)
    spy = Spy(seconds=60)
    ids = [hit.values["id"] for hit in hits_of(store, "letter", EVERY_ROW, spy=spy)]
    assert ids == list(range(1, 61))
    assert 50_000_000 < spy.bytes < 60_000_000
    refs = [hit.ref for hit in hits_of(store, "letter", EVERY_ROW, fields=("id",))]
    assert sorted(row.values["id"] for row in store.fetch(Spy().call(), refs, ())) == ids  # type: ignore[type-var]  # integers
    store.close()


TWINS = (
    "CREATE TABLE old_mail (email varchar(80), at date)",
    """INSERT INTO old_mail VALUES ('a@example.com', '2020-01-01'), ('a@example.com', '2020-01-01'),
    ('b@example.com', NULL), ('a@example.com', '2021-01-01'), (NULL, NULL)""",
)


def read_twins(url: str) -> None:
    execute(url, *TWINS)
    store = store_at(url)
    collection = collection_of(store, "old_mail")
    assert collection.no_key
    assert collection.key == ()
    everything = found(store, "old_mail")
    one_by_one = hits_of(store, "old_mail", EVERY_ROW, size=1)
    assert [hit.values for hit in one_by_one] == [hit.values for hit in everything]
    assert len(everything) == 5
    mine = found(store, "old_mail", Leaf("x", "email", PredicateOp.EQ_CI, "A@example.com"))
    assert len(mine) == 3
    assert len({hit.ref for hit in mine}) == 2
    assert all(hit.ref.version == row_hash(hit.ref.key) for hit in mine)
    assert {row.ref for row in store.fetch(Spy().call(), [hit.ref for hit in everything], ())} == {
        hit.ref for hit in everything
    }
    store.close()


def test_rows_without_a_key_are_named_by_all_their_cells_on_sqlite(tmp_path: Path) -> None:
    read_twins(f"sqlite:///{tmp_path / 'twins.sqlite'}")


@pytest.mark.postgres
def test_rows_without_a_key_are_named_by_all_their_cells_on_postgresql(postgres_url: str) -> None:
    read_twins(postgres_url)


@pytest.mark.stores
def test_rows_without_a_key_are_named_by_all_their_cells_on_mariadb(mariadb_url: str) -> None:
    read_twins(mariadb_url)


@pytest.mark.postgres
def test_dates_outside_the_calendar_come_as_text(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE era (id integer PRIMARY KEY, day date, at timestamptz, span interval, part numeric)",
        "INSERT INTO era VALUES (1, 'infinity', '-infinity', '1 year 2 mons', 'NaN'),"
        " (2, '0044-03-15 BC', '294276-01-01', '24:00:00', 1.50), (3, '2026-01-02', '2026-01-02 03:04:05+02', NULL, 2)",
    )
    store = store_at(postgres_url)
    days = [str(hit.values["day"]) for hit in found(store, "era")]
    assert days == ["infinity", "0044-03-15 BC", "2026-01-02"]
    assert len(found(store, "era", Leaf("x", "day", PredicateOp.EQ, "2026-01-02"))) == 1
    store.close()


def test_a_document_that_nests_too_deep_comes_as_text(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep.sqlite'}"
    deep = "[" * 50 + "]" * 50
    fill = f"INSERT INTO d VALUES (1, '{deep}'), (2, '[1]')"  # noqa: S608 - brackets
    execute(url, "CREATE TABLE d (id INTEGER PRIMARY KEY, doc JSON)", fill)
    store = store_at(url)
    assert [hit.values["doc"] for hit in found(store, "d")] == [deep, [1]]
    store.close()


def test_names_that_need_quoting_are_quoted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'names.sqlite'}"
    execute(
        url,
        'CREATE TABLE "order; DROP TABLE x" ("a ""b"" %%s" INTEGER PRIMARY KEY, "select" TEXT, "p$.q" TEXT)',
        "INSERT INTO \"order; DROP TABLE x\" VALUES (1, 'it', 'there')",
    )
    store = store_at(url)
    name = "order; DROP TABLE x"
    assert len(found(store, name, Leaf("x", "select", PredicateOp.EQ, "it"))) == 1
    assert len(found(store, name, Leaf("x", "p$.q", PredicateOp.EQ, "there"))) == 1
    store.close()


@pytest.mark.postgres
def test_a_text_key_is_paged_in_the_servers_own_order(postgres_url: str) -> None:
    names = ["b", "B", "ä", "a b", "ab", "'", "%", "z" * 200, "", "A"]
    execute(postgres_url, "CREATE TABLE k (name text PRIMARY KEY)")
    for name in names:
        execute(postgres_url, f"INSERT INTO k VALUES ($q${name.replace('%', '%%')}$q$)")  # noqa: S608 - own names
    store = store_at(postgres_url)
    one_by_one = [hit.values["name"] for hit in hits_of(store, "k", EVERY_ROW, size=1)]
    assert sorted(map(str, one_by_one)) == sorted(names)
    store.close()


@pytest.mark.postgres
def test_the_parts_of_a_key_may_be_of_any_type(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TYPE size AS ENUM ('s', 'm', 'l')",
        "CREATE TABLE k (at timestamptz, size size, u uuid, n numeric, b bytea, PRIMARY KEY (at, size, u, n, b))",
        """INSERT INTO k SELECT '2026-01-01'::timestamptz + i * interval '1 microsecond',
        (ARRAY['s','m','l'])[1 + mod(i, 3)]::size, md5(i::text)::uuid, i / 3.0, decode(md5(i::text), 'hex')
        FROM generate_series(1, 50) i""",
    )
    store = store_at(postgres_url)
    hits = hits_of(store, "k", EVERY_ROW, size=7)
    assert len({hit.ref for hit in hits}) == 50
    assert len(list(store.fetch(Spy().call(), [hit.ref for hit in hits], ()))) == 50
    store.close()


def test_a_strangers_cursor_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    store = store_at(url)
    for text in ("nonsense", "W10x", ""):
        with pytest.raises(Terminal, match="cursor_unreadable"):
            list(store.find(Spy().call(), "t", EVERY_ROW, (), Page(5, Cursor(text))))
    store.close()


@pytest.mark.postgres
def test_an_unindexed_search_in_a_large_table_goes_in_slices_with_marks(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE big (id integer PRIMARY KEY, label varchar(40))",
        "INSERT INTO big SELECT i, 'label ' || i FROM generate_series(1, 120000) i",
        "ANALYZE big",
    )
    store = store_at(postgres_url)
    where = Leaf("x", "label", PredicateOp.EQ_CI, "LABEL 119999")
    items = list(store.find(Spy(seconds=60).call(), "big", where, (), Page(10)))
    assert [item.values["id"] for item in items if isinstance(item, Hit)] == [119999]
    marks = [item for item in items if isinstance(item, Mark)]
    assert len(marks) >= 2
    assert [mark.scanned for mark in marks] == sorted(mark.scanned for mark in marks)
    spy = Spy()
    indexed = list(store.find(spy.call(), "big", Leaf("x", "id", PredicateOp.IN, (5, 7)), (), Page(10)))
    assert sum(isinstance(item, Hit) for item in indexed) == 2
    assert spy.requests == 1
    sample = list(store.sample(Spy().call(), "big", ("id",), 50, Sampling.RANDOM))
    assert 10 <= len(sample) <= 50
    assert len({row.values["id"] for row in sample}) == len(sample)
    store.close()


@pytest.mark.postgres
def test_the_catalogue_of_a_hundred_tables_takes_ten_statements(postgres_url: str) -> None:
    execute(postgres_url, *(f"CREATE TABLE t{at} (id integer PRIMARY KEY, v text)" for at in range(100)))
    store = store_at(postgres_url)
    spy = Spy()
    assert sum(1 for _ in store.catalogue(spy.call())) == 200
    assert spy.requests <= 10
    store.close()


@pytest.mark.postgres
def test_a_schema_that_does_not_exist_is_a_setting_to_correct(postgres_url: str) -> None:
    store = store_at(postgres_url, schema="no_such_schema")
    with pytest.raises(Misconfigured) as caught:
        store.health(Spy().call())
    assert caught.value.setting == "schema"
    store.close()


@pytest.mark.postgres
def test_a_role_that_may_only_read_is_told_apart(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "CREATE ROLE reader_of_shop LOGIN PASSWORD 'reads-only-here'",
        "GRANT SELECT ON t TO reader_of_shop",
    )
    try:
        import sqlalchemy as sa

        url = sa.engine.make_url(postgres_url).set(username="reader_of_shop", password="reads-only-here")
        store = store_at(url.render_as_string(hide_password=False), write=True)
        health = store.health(Spy().call())
        assert {right.value for right in health.rights} == {"read"}
        assert health.code == "no_write_right"
        assert store.capabilities(Spy().call()).writes == frozenset()
        store.close()
    finally:
        execute(postgres_url, "DROP OWNED BY reader_of_shop", "DROP ROLE reader_of_shop")


def test_the_statement_count_is_what_the_call_was_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.sqlite'}"
    execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    store = store_at(url)
    spy = Spy()
    list(store.find(spy.call(), "t", EVERY_ROW, (), Page(5)))
    assert store.statements == spy.requests
    assert json.dumps(spy.logged) == "[]"
    assert rows_of(url, "SELECT count(*) FROM t") == [(0,)]
    store.close()
