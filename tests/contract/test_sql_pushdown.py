"""What a server selects is what `predicate.matches` selects, whatever the column, the operator and the value."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from privacyops.connector_sdk import EVERY_ROW, All, Leaf, PredicateOp, Value, matches
from privacyops.connector_sdk.predicate import Any as AnyOf
from privacyops.connector_sdk.testing.bench import Spy
from tests.contract.sql_support import execute, found, store_at

CREATE: Mapping[str, str] = {
    "sqlite": """CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT, nick TEXT COLLATE NOCASE, code VARCHAR(20),
        amount NUMERIC(10, 2), ratio REAL, live BOOLEAN, born DATE, seen DATETIME, doc JSON, tags JSON, raw BLOB)""",
    "postgresql": """CREATE TABLE odd (id integer PRIMARY KEY, name text, nick varchar(60), code char(20),
        amount numeric(10, 2), ratio float8, live boolean, born date, seen timestamp, doc jsonb, tags text[],
        raw bytea, mood mood, home inet, made uuid, old json, counts integer[], at timestamptz)""",
    "mysql": """CREATE TABLE odd (id integer PRIMARY KEY, name text, nick varchar(60) COLLATE utf8mb4_bin,
        code char(20), amount decimal(10, 2), ratio double, live boolean, born date, seen datetime, doc json,
        tags json, raw blob,
        mood enum('sad', 'ok'), old longtext)""",
}
TEXTS = (
    "Anna",
    "anna ",
    "ÄNNA",
    "änna",
    "o'b\\r%_i",
    "",
    "İstanbul",
    "ΣΊΣΥΦΟΣ",
    "17",
    "017",
    "ß",
    "😀x",
    "+49 (30) 23125-000",
    "tel 030/23125 999",
    "tel 030\u00a023125\u00a0999",
)
DOCUMENTS = (
    '{"customer": {"id": 17, "email": "Anna@example.com"}, "items": [{"sku": "A/1"}, {"sku": "b\\"2"}], "ok": true}',
    '{"customer": {"id": "17"}, "note": "Zoë"}',
    '["anna", "BEN", 17, 42]',
    '{"items": []}',
)


def rows(brand: str) -> list[str]:
    """INSERT statements; every column takes turns at being empty."""
    made = []
    for at in range(28):
        text = TEXTS[at % len(TEXTS)].replace("'", "''")
        text = text.replace("\\", "\\\\").replace("%", "%%") if brand == "mysql" else text
        text = text.replace("%", "%%") if brand == "postgresql" else text
        document = DOCUMENTS[at % len(DOCUMENTS)].replace("'", "''")
        document = document.replace("\\", "\\\\") if brand == "mysql" else document
        common = [
            str(at),
            f"'{text}'" if at % 9 else "NULL",
            f"'{text.upper()}'",
            f"'C{at % 5}'",
            f"{at}.50" if at % 2 else f"{at}.00",
            f"{at / 4}",
            ("true" if at % 2 else "false") if brand == "postgresql" else str(at % 2),
            f"'2001-0{at % 9 + 1}-15'",
            f"'2026-01-{at + 1:02d} 10:20:30'",
            f"'{document}'",
            "ARRAY['anna', 'Ben', '17']" if brand == "postgresql" else f"'{document}'",
            f"'\\x{at:02x}ff'" if brand == "postgresql" else f"x'{at:02x}ff'",
        ]
        if brand != "sqlite":
            common.append("'ok'" if at % 2 else "'sad'")
        if brand == "postgresql":
            common.append(f"'10.0.0.{at}'")
            common.append(f"'00000000-0000-4000-8000-0000000000{at:02x}'")
            common += [f"'{document}'", f"ARRAY[{at}, 17]", f"'2026-01-{at + 1:02d} 10:20:30+02'"]
        if brand == "mysql":
            common.append(f"'{document}'")
        made.append(f"INSERT INTO odd VALUES ({', '.join(common)})")  # noqa: S608 - the test's own literals
    return made


VALUES: Sequence[Value] = (
    *TEXTS, "C1", "c1", 17, 17.5, "17.5", "17.50", 3, True, False, "1", "2001-01-15", "2001-03-15",
    "2026-01-05 10:20:30", "2026-01-05T10:20:30", "ok", "OK", "10.0.0.5", "00000000-0000-4000-8000-000000000005",
    "anna@EXAMPLE.com", "A/1", 'b"2', "zoë", b"\x05\xff", "\0", "2312 5000", "4930 23125000", "x" * 3000, "\ud800",
)  # fmt: skip
THIRDS = 3
"""Each column meets every third value under each operator, and every value under some."""
PATHS = ("doc$.customer.id", "doc$.customer.email", "doc$.items[*].sku", "doc$.note", "doc$[0]", "doc$.ok")


@pytest.fixture
def make_odd(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    def make(brand: str) -> str:
        fixtures = {"postgresql": "postgres_url", "mysql": "mariadb_url"}
        url = f"sqlite:///{tmp_path / 'odd.sqlite'}" if brand == "sqlite" else request.getfixturevalue(fixtures[brand])
        if brand == "postgresql":
            execute(url, "CREATE TYPE mood AS ENUM ('sad', 'ok')")
        execute(url, CREATE[brand], *rows(brand))
        return str(url)

    return make


BRANDS = (
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mysql", marks=pytest.mark.stores),
)


def questions(columns: Sequence[str]) -> Iterator[Leaf]:
    several: dict[PredicateOp, Any] = {
        PredicateOp.IN: ("Anna", "17", 17, "ok", "2001-01-15"),
        PredicateOp.IN_CI: ("ANNA", "c1", "OK", "x"),
        PredicateOp.BETWEEN: (3, 9),
    }
    for turn, column in enumerate(columns):
        for at, op in enumerate((PredicateOp.EQ, PredicateOp.EQ_CI, PredicateOp.CONTAINS_CI, PredicateOp.DIGITS_END)):
            for value in VALUES[(turn + at) % THIRDS :: THIRDS]:
                yield Leaf("x", column, op, value)
        for op, value in several.items():
            yield Leaf("x", column, op, value)
        yield Leaf("x", column, PredicateOp.BETWEEN, ("2001-02-01", "2001-05-01"))
        yield Leaf("x", column, PredicateOp.BETWEEN, ("2026-01-03", "2026-01-09 23:59:59"))
        yield Leaf("x", column, PredicateOp.BETWEEN, ("A", "b"))
    for path in PATHS:
        for value in VALUES:
            yield Leaf("x", path, PredicateOp.JSON_EQ, value)
    for column in {"doc", "tags", "old", "counts"} & set(columns):
        for value in VALUES:
            yield Leaf("x", column, PredicateOp.JSON_ANY, value)
            yield Leaf("x", column, PredicateOp.ARRAY_HAS, value)


@pytest.mark.parametrize("nth", [11, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.slow
def test_a_server_selects_what_the_reference_selects(brand: str, nth: int, make_odd: Callable[[str], str]) -> None:
    """Asked every nth question."""
    store = store_at(make_odd(brand))
    every = [hit.values for hit in found(store, "odd")]
    assert len(every) == 28
    differences = []
    for leaf in list(questions(tuple(every[0])))[::nth]:
        expected = sorted(str(row["id"]) for row in every if matches(leaf, row))
        got = sorted(str(hit.values["id"]) for hit in found(store, "odd", leaf))
        counted = store.count(Spy().call(), "odd", leaf).n
        if got != expected or counted != len(expected):
            differences.append((leaf.field, leaf.op.value, str(leaf.value)[:40], expected, got, counted))
    store.close()
    assert not differences, "\n".join(map(str, differences))


@pytest.mark.parametrize("brand", BRANDS)
def test_parts_are_joined_as_the_reference_joins_them(brand: str, make_odd: Callable[[str], str]) -> None:
    store = store_at(make_odd(brand))
    every = [hit.values for hit in found(store, "odd")]
    one, two = Leaf("a", "code", PredicateOp.EQ, "C1"), Leaf("b", "nick", PredicateOp.CONTAINS_CI, "ann")
    for where in (All((one, two)), AnyOf((one, two)), AnyOf(()), All((AnyOf((one, two)), EVERY_ROW))):
        expected = sorted(str(row["id"]) for row in every if matches(where, row))
        assert sorted(str(hit.values["id"]) for hit in found(store, "odd", where)) == expected
    assert {hit.matched for hit in found(store, "odd", All((one,)))} == {("a",)}
    store.close()
