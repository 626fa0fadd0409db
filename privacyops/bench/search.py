"""One person's rows in a shop of millions, found by the command that users run, beside hand-written SQL.

The made-up shop has 1 customer, 8 orders, 31 order lines and 60 events in every 100 rows. The events hold an address,
a document and a text, so that what is not reached by a key has to be looked for. Each size is measured with indexes on
keys and addresses and without any; and two people by two workers at once against one after the other.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from privacyops.bench.result import Row, host, spread

Tell = Callable[[str], None]
MEMORY_GOAL_MB: Final = 250.0
STATEMENTS_GOAL: Final = 100
_SHARES: Final = {"customers": 1, "orders": 8, "order_lines": 31, "events": 60}
_TABLES: Final = {
    "customers": "id BIGINT PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT, phone TEXT",
    "orders": "id BIGINT PRIMARY KEY, customer_id BIGINT, placed_at TEXT, total NUMERIC",
    "order_lines": "id BIGINT PRIMARY KEY, order_id BIGINT, sku TEXT, quantity INTEGER",
    "events": "id BIGINT PRIMARY KEY, email TEXT, payload TEXT, note TEXT",
}
_INDEXES: Final = ("customers (email)", "orders (customer_id)", "order_lines (order_id)", "events (email)")
_LINKS: Final = (("orders", "customer_id", "customers"), ("order_lines", "order_id", "orders"))
_BY_HAND: Final = (
    "SELECT * FROM customers WHERE email = '{mail}'",
    "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = '{mail}'",
    "SELECT l.* FROM order_lines l WHERE order_id IN "  # noqa: ISC004 - one statement
    "(SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = '{mail}')",
    "SELECT * FROM events WHERE email = '{mail}' OR payload LIKE '%{mail}%' OR note LIKE '%{mail}%'",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A database of the made-up shop. `url` is what a stores file names; `schema` is where on PostgreSQL."""

    engine: str
    rows: int
    indexed: bool
    url: str
    schema: str | None = None

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.rows:,} rows, {'indexed' if self.indexed else 'no index'}"

    @property
    def people(self) -> int:
        return self.rows // 100


@contextmanager
def made(engine: str, rows: int, *, indexed: bool, folder: Path, server: str | None) -> Iterator[Shop]:
    """The shop on SQLite in `folder`, or as tables of its own schema on the PostgreSQL `server`; gone afterwards."""
    if engine == "sqlite":
        path = folder / f"shop-{rows}-{indexed}.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("BEGIN")
            for table in _TABLES:
                db.execute(f"CREATE TABLE {table} ({_TABLES[table]}{_keys(table, indexed=indexed)})")
                marks = ",".join("?" * (_TABLES[table].count(",") + 1))
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", _records(table, rows))
            _index(db.execute, indexed=indexed)
            db.execute("COMMIT")
        yield Shop(engine, rows, indexed, f"sqlite:///{path}")
        path.unlink()
        return
    assert server is not None  # noqa: S101 - the command refuses postgresql without one
    schema = f"bench_{rows}_{'indexed' if indexed else 'bare'}"
    with psycopg.connect(server, autocommit=True) as pg:
        pg.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        pg.execute(f"CREATE SCHEMA {schema}")
        pg.execute(f"SET search_path TO {schema}")
        for table in _TABLES:
            pg.execute(f"CREATE UNLOGGED TABLE {table} ({_TABLES[table]}{_keys(table, indexed=indexed)})")
            with pg.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for record in _records(table, rows):
                    copy.write_row(record)
        _index(pg.execute, indexed=indexed)
        pg.execute("ANALYZE")
        yield Shop(engine, rows, indexed, server, schema)
        pg.execute(f"DROP SCHEMA {schema} CASCADE")


def measure(
    shops: Sequence[Callable[[], Any]], folder: Path, rounds: int, tell: Tell
) -> tuple[Mapping[str, Any], list[Row]]:
    """Each shop is made, searched `rounds` times in turn with its baseline, and dropped; the medians."""
    rows: list[Row] = []
    spreads: list[float] = []
    for number, shop in enumerate(shops):
        tell(f"shop {number + 1} of {len(shops)}")
        with shop() as one:
            tell(f"  {one.name}: filled")
            found, times = _of_shop(one, folder, rounds)
            rows += found
            spreads.append(spread(times))
    return host(rounds, max(spreads)), rows


def _of_shop(shop: Shop, folder: Path, rounds: int) -> tuple[list[Row], list[float]]:
    stores = folder / "stores.toml"
    lines = ['region = "DE"', "[[store]]", 'name = "shop"', 'connector = "sql"', 'url = "env:BENCH_SHOP"']
    lines.append(f"budget = {{rows = 100000, scan_rows = {shop.rows * 10}, seconds = 3600}}")
    lines += [f'schema = "{shop.schema}"'] if shop.schema else []
    stores.write_text("\n".join(lines))
    told: list[dict[str, Any]] = []
    hand: list[float] = []
    for number in range(rounds):
        told.append(_finished(_find(shop, stores, number), folder / f"summary-{number}"))
        hand.append(_by_hand(shop, number))
    seconds = [one["stores"][0]["seconds"] for one in told]
    one = told[-1]["stores"][0]
    middle = statistics.median(seconds)
    return [
        Row(f"{shop.name}: scan and search", middle, "s"),
        Row(f"{shop.name}: rows in the store for each second", shop.rows / middle, "rows/s"),
        Row(f"{shop.name}: records found", sum(one["rows"].values()), "records"),
        Row(f"{shop.name}: SQL statements", one["statements"], "statements", STATEMENTS_GOAL),
        Row(f"{shop.name}: peak memory", max(one["peak_memory_mb"] for one in told), "MB", MEMORY_GOAL_MB),
        Row(f"{shop.name}: baseline, hand-written SQL", statistics.median(hand), "s"),
        Row(f"{shop.name}: times the baseline", middle / statistics.median(hand), "x"),
        Row(f"{shop.name}: two workers, times one", _two(shop, stores, folder), "x"),
    ], seconds


def _two(shop: Shop, stores: Path, folder: Path) -> float:
    """How much faster two people are searched by two processes at once than one after the other."""
    began = time.perf_counter()
    for number in range(2):
        _finished(_find(shop, stores, number), folder / f"summary-{number}")
    in_turn, began = time.perf_counter() - began, time.perf_counter()
    for number, process in [(number, _find(shop, stores, number)) for number in range(2)]:
        _finished(process, folder / f"summary-{number}")
    return in_turn / (time.perf_counter() - began)


def _find(shop: Shop, stores: Path, number: int) -> "subprocess.Popen[bytes]":
    summary = stores.parent / f"summary-{number}"
    return subprocess.Popen(
        [sys.executable, "-m", "privacyops", "dsar", "find", "--stores", str(stores), "--json", "--email",
         _mail(_asked(shop, number)), "--summary", str(summary)],
        env={**os.environ, "BENCH_SHOP": shop.url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _finished(process: "subprocess.Popen[bytes]", summary: Path) -> dict[str, Any]:
    """The summary of a search. Raises: RuntimeError: it did not find the person, or not in every table."""
    code = process.wait()
    if code != 0:
        raise RuntimeError(f"`dsar find` ended with {code}")
    told: dict[str, Any] = json.loads(summary.read_text())
    return told


def _by_hand(shop: Shop, number: int) -> float:
    statements = [text.format(mail=_mail(_asked(shop, number))) for text in _BY_HAND]
    began = time.perf_counter()
    if shop.engine == "sqlite":
        with closing(sqlite3.connect(shop.url.removeprefix("sqlite:///"))) as db:
            found = sum(len(db.execute(text).fetchall()) for text in statements)
    else:
        with psycopg.connect(shop.url, options=f"-c search_path={shop.schema}") as pg:
            found = sum(len(pg.execute(text.replace("%", "%%"), ()).fetchall()) for text in statements)
    assert found > 0  # noqa: S101 - a baseline that finds nothing measures nothing
    return time.perf_counter() - began


def _asked(shop: Shop, number: int) -> int:
    return (number + 1) * (shop.people // 7)


def _mail(person: int) -> str:
    return f"person{person}@example.com"


def _keys(table: str, *, indexed: bool) -> str:
    return "".join(
        f", FOREIGN KEY ({column}) REFERENCES {to} (id)" for name, column, to in _LINKS if name == table and indexed
    )


def _index(run: Callable[[str], object], *, indexed: bool) -> None:
    for at in _INDEXES if indexed else ():
        run(f"CREATE INDEX bench_{at.split()[0]} ON {at}")


def _records(table: str, rows: int) -> Iterator[tuple[object, ...]]:
    people = rows // 100
    for number in range(1, people * _SHARES[table] + 1):
        person = number % people + 1
        yield _record(table, number, person, people * _SHARES["orders"])


def _record(table: str, number: int, person: int, orders: int) -> tuple[object, ...]:
    if table == "customers":
        return person, _mail(person), f"First{person % 997}", f"Last{person}", f"+49 30 {person:08d}"
    if table == "orders":
        return 10_000_000 + number, person, f"2026-{number % 12 + 1:02d}-01", number % 500
    if table == "order_lines":
        return 50_000_000 + number, 10_000_001 + number % orders, f"SKU-{number % 9000}", number % 5 + 1
    named = _mail(person) if number % 20 == 0 else "somebody"
    return (
        number,
        _mail(person),
        f'{{"by": "{named}", "page": {number % 300}}}',
        f"The parcel of {named} is on its way.",
    )
