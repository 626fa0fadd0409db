"""Rows without a key that only bytes or a document tell apart: none goes in place of another's."""

from pathlib import Path

import pytest

from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import Delete, Leaf, Op, OpId, Outcome, PredicateOp
from privacyops.connector_sdk.testing.bench import Spy, applied
from tests.contract.sql_support import execute, found, rows_of, store_at


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


def _deleted(store: SqlStore, table: str, leaf: Leaf) -> dict[OpId, Outcome]:
    refs = {hit.ref for hit in found(store, table, leaf)}
    ops = [Op(OpId(f"op-{at}"), ref, Delete()) for at, ref in enumerate(sorted(refs, key=repr))]
    return {name: result.outcome for name, result in applied(store, store.plan(Spy().call(), ops)).items()}


def test_of_two_that_bytes_tell_apart_one_goes(url: str) -> None:
    binary = "BLOB" if url.startswith("sqlite") else "bytea"
    one, other = ("X'0a'", "X'0b'") if binary == "BLOB" else (r"'\x0a'", r"'\x0b'")
    execute(
        url,
        f"CREATE TABLE uses (code VARCHAR(9), who {binary})",
        f"INSERT INTO uses VALUES ('A', {one}), ('A', {other}), ('A', {other})",  # noqa: S608 - no value from outside
    )
    store = store_at(url, write=True)
    assert _deleted(store, "uses", Leaf("x", "who", PredicateOp.EQ, b"\x0b")) == {OpId("op-0"): Outcome.DONE}
    assert [bytes(who) for (who,) in rows_of(url, "SELECT who FROM uses")] == [b"\x0a"]
    store.close()


def test_of_two_that_a_document_alone_tells_apart_none_goes(url: str) -> None:
    execute(
        url,
        "CREATE TABLE log (day VARCHAR(9), said JSON)",
        """INSERT INTO log VALUES ('mon', '{"by": 1}'), ('mon', '{"by": 2}'), ('tue', '{"by": 1}')""",
    )
    store = store_at(url, write=True)
    assert _deleted(store, "log", Leaf("x", "day", PredicateOp.EQ, "mon")) == {OpId("op-0"): Outcome.BLOCKED}
    assert _deleted(store, "log", Leaf("x", "day", PredicateOp.EQ, "tue")) == {OpId("op-0"): Outcome.DONE}
    assert rows_of(url, "SELECT day FROM log") == [("mon",), ("mon",)]
    store.close()
