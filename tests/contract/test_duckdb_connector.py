"""The DuckDB connector passes the shipped contract on a database file, and on Parquet files as far as they go."""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from connectors.duckdb import connector
from connectors.duckdb.writing import DuckdbStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Connector,
    Constant,
    Delete,
    FieldType,
    Json,
    Leaf,
    Misconfigured,
    Null,
    Op,
    OpId,
    Outcome,
    PredicateOp,
    Set,
    Terminal,
    Value,
)
from privacyops.connector_sdk.testing.bench import GivenSecrets, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, Broken, ConnectorContract, Declared, Snapshot, Spy
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PURCHASE, PURCHASES

PERSON_TABLE = """CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR NOT NULL, name VARCHAR, phone VARCHAR,
    note VARCHAR, photo BLOB)"""
PURCHASE_TABLE = """CREATE TABLE purchase (id INTEGER PRIMARY KEY, person_id INTEGER, total INTEGER NOT NULL,
    remark VARCHAR)"""
DDL = (
    PERSON_TABLE.replace("photo BLOB", "photo BLOB, email_length INTEGER GENERATED ALWAYS AS (length(email))"),
    PURCHASE_TABLE.replace("person_id INTEGER", "person_id INTEGER REFERENCES person (id)"),
    "CREATE VIEW buyer AS SELECT p.id, p.name FROM person p JOIN purchase o ON o.person_id = p.id",
)


class DatabaseBench(Bench):
    """A database file. Its changes past the connector go through the same process: DuckDB has one writer a file."""

    entry = "connectors.duckdb:connector"
    drivers = frozenset({"duckdb"})

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "shop.duckdb"
        self.kept: list[DuckdbStore] = []
        with duckdb.connect(str(self.path)) as connection:
            for statement in DDL:
                connection.execute(statement)
            _insert(connection, "person", PERSONS)
            _insert(connection, "purchase", PURCHASES)

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop", "database": str(self.path)}

    def secrets(self) -> Mapping[str, str]:
        return {"hash_key": "a-key-of-this-test"}

    def open(self) -> DuckdbStore:
        """With the reading role, on a connection that lets this process read and write beside it."""
        return self._kept(connector.open({**self.config(), "write": True}, GivenSecrets(self.secrets())))

    def open_writing(self) -> DuckdbStore:
        return self._kept(connector.open({**self.config(), "write": True}, GivenSecrets(self.secrets())))

    def _kept(self, store: DuckdbStore) -> DuckdbStore:
        self.kept.append(store)
        return store

    def connection(self) -> duckdb.DuckDBPyConnection:
        options = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        return duckdb.connect(str(self.path), config={**options, "enable_external_access": False})

    def snapshot(self) -> Snapshot:
        found: dict[tuple[str, str], dict[str, str | None]] = {}
        with self.connection() as connection:
            for table in (PERSON, PURCHASE):
                answer = connection.execute(f"SELECT * FROM {table}")
                names = [each[0] for each in answer.description or ()]
                for row in answer.fetchall():
                    cells = dict(zip(names, row, strict=True))
                    cells.pop("email_length", None)
                    found[table, str(cells["id"])] = {
                        name: None if cell is None else str(cell) for name, cell in cells.items()
                    }
        return found

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        with self.connection() as connection:
            connection.execute(f"UPDATE {collection} SET {path} = ? WHERE id = ?", [value, number])

    def insert(self, number: int) -> None:
        row: dict[str, Value] = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}"}
        with self.connection() as connection:
            _insert(connection, "person", [row])

    def grow(self, rows: int) -> str:
        with self.connection() as connection:
            connection.execute("CREATE TABLE bulk (id INTEGER PRIMARY KEY, label VARCHAR)")
            connection.execute(f"INSERT INTO bulk SELECT i, 'label ' || i FROM range(1, {rows + 1}) AS t(i)")
        return "bulk"

    def declared(self) -> Declared:
        return Declared(views=frozenset({"buyer"}), generated=frozenset({("person", "email_length")}))

    def broken(self) -> Sequence[Broken]:
        garbage = self.folder / "garbage.duckdb"
        garbage.write_bytes(b"no database " * 1000)
        return (
            Broken("no file", {"database": str(self.folder / "no.duckdb")}, {}, Misconfigured, "database"),
            Broken("no database", {"database": str(garbage)}, {}, Misconfigured, "database"),
            Broken("no folder", {"folder": str(self.folder / "nowhere")}, {}, Misconfigured, "folder"),
        )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Value]]) -> None:
    columns = list(rows[0])
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    connection.executemany(statement, [[row[column] for column in columns] for row in rows])


class TestDuckdbConnector(ConnectorContract):
    """All 35 checks."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> DatabaseBench:
        return DatabaseBench(tmp_path)

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


class ParquetBench(DatabaseBench):
    """The same rows in two Parquet files, without links."""

    names: Mapping[str, str] = {PERSON: "people/person.parquet", PURCHASE: "orders/purchase.parquet"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = []
        with duckdb.connect() as connection:
            connection.execute(PERSON_TABLE)
            connection.execute(PURCHASE_TABLE)
            _insert(connection, "person", PERSONS)
            _insert(connection, "purchase", PURCHASES)
            for table, name in self.names.items():
                (folder / name).parent.mkdir()
                connection.execute(f"COPY (SELECT * FROM {table} ORDER BY id) TO '{folder / name}' (FORMAT parquet)")

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop", "folder": str(self.folder)}

    def connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        for table, name in self.names.items():
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{self.folder / name}')")
        return connection

    def _save(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        path = self.folder / self.names[table]
        beside = path.with_suffix(".new")
        connection.execute(f"COPY {table} TO '{beside}' (FORMAT parquet)")
        beside.replace(path)

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        with self.connection() as connection:
            connection.execute(f"UPDATE {collection} SET {path} = ? WHERE id = ?", [value, number])
            self._save(connection, collection)

    def insert(self, number: int) -> None:
        row: dict[str, Value] = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}"}
        with self.connection() as connection:
            _insert(connection, "person", [row])
            self._save(connection, "person")

    def grow(self, rows: int) -> str:
        with duckdb.connect() as connection:
            query = f"SELECT i AS id, 'label ' || i AS label FROM range(1, {rows + 1}) AS t(i)"
            connection.execute(f"COPY ({query}) TO '{self.folder / 'bulk.parquet'}' (FORMAT parquet)")
        return "bulk.parquet"

    def declared(self) -> Declared:
        return Declared()


@pytest.mark.long
class TestDuckdbConnectorOnParquet(ConnectorContract):
    """All 35 once more."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> ParquetBench:
        return ParquetBench(tmp_path)


def _store(path: Path, *, write: bool = False) -> DuckdbStore:
    key = "database" if path.is_file() else "folder"
    return connector.open({"name": "shop", key: str(path), "write": write}, GivenSecrets({"hash_key": "k"}))


def test_values_of_every_type_come_as_the_contract_has_them(tmp_path: Path) -> None:
    path = tmp_path / "types.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """CREATE TABLE t (id INTEGER PRIMARY KEY, tags VARCHAR[], who STRUCT(email VARCHAR, age INTEGER),
            mood ENUM('ok', 'bad'), amount DECIMAL(8, 2), data BLOB)"""
        )
        connection.execute("INSERT INTO t VALUES (1, ['a', 'b'], {'email': 'x@example.com', 'age': 3}, 'ok', 1.50, '')")
    store = _store(path)
    fields = {field.path: field for field in catalogue_of(store)["t"].fields}
    assert (fields["tags"].type, fields["tags"].element) == (FieldType.ARRAY, FieldType.TEXT)
    assert (fields["who"].type, fields["mood"].enum) == (FieldType.JSON, ("ok", "bad"))
    where = Leaf("x", "who$.email", PredicateOp.JSON_EQ, "X@example.com")
    [hit] = hits_of(store, "t", where)
    assert hit.values["tags"] == ("a", "b")
    assert hit.values["who"] == {"email": "x@example.com", "age": 3}
    assert hits_of(store, "t", Leaf("x", "tags", PredicateOp.ARRAY_HAS, "B"))
    store.close()


def test_case_beyond_ascii_is_folded_as_the_contract_says_and_not_as_the_engine_does(tmp_path: Path) -> None:
    path = tmp_path / "case.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [[1, "ΟΔΟΣ"], [2, "Kelvin \u212a"]])
    store = _store(path)
    assert len(hits_of(store, "t", Leaf("x", "name", PredicateOp.EQ_CI, "οδος"))) == 1
    assert len(hits_of(store, "t", Leaf("x", "name", PredicateOp.EQ_CI, "kelvin k"))) == 1
    store.close()


def test_an_indexed_cell_of_a_row_that_others_point_at_is_a_blocker_of_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "indexed.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, email VARCHAR UNIQUE, name VARCHAR)")
        connection.execute("CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id))")
        connection.execute("INSERT INTO a VALUES (1, 'x@example.com', 'X')")
        connection.execute("INSERT INTO b VALUES (1, 1)")
    store = _store(path, write=True)
    [hit] = hits_of(store, "a", EVERY_ROW)
    ops = [Op(OpId("mail"), hit.ref, Set({"email": Null()})), Op(OpId("name"), hit.ref, Set({"name": Null()}))]
    results = applied(store, store.plan(Spy().call(), ops))
    assert (results["mail"].outcome, results["mail"].code) == (Outcome.BLOCKED, "indexed_and_referenced")
    assert results["name"].outcome is Outcome.DONE
    store.close()


def test_a_keyless_table_is_read_and_refuses_writes(tmp_path: Path) -> None:
    path = tmp_path / "keyless.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE log (email VARCHAR, day INTEGER)")
        connection.execute("INSERT INTO log VALUES ('x@example.com', 1), ('y@example.com', NULL)")
    store = _store(path, write=True)
    assert catalogue_of(store)["log"].no_key
    hits = hits_of(store, "log", EVERY_ROW, size=1)
    assert [hit.ref.key for hit in hits] == [
        {"email": "x@example.com", "day": 1},
        {"email": "y@example.com", "day": None},
    ]
    assert len(list(store.fetch(Spy().call(), [hit.ref for hit in hits], ()))) == 2
    plan = store.plan(Spy().call(), [Op(OpId("a"), hits[0].ref, Delete())])
    assert applied(store, plan)["a"].code == "no_key"
    store.close()


def test_a_rewritten_parquet_file_keeps_its_types_other_rows_and_rights(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with duckdb.connect() as connection:
        query = (
            "SELECT i AS id, 'n' || i AS name, CAST(i AS DECIMAL(9, 2)) AS amount, [i, i] AS pair FROM range(9) t(i)"
        )
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        before = connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()
        kinds = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    path.chmod(0o640)
    store = _store(tmp_path, write=True)
    hits = hits_of(store, "t.parquet", Leaf("x", "id", PredicateOp.IN, (2, 5)))
    ops = [Op(OpId("cut"), hits[0].ref, Set({"name": Constant("")})), Op(OpId("gone"), hits[1].ref, Delete())]
    plan = store.plan(Spy().call(), ops)
    assert {each.outcome for each in applied(store, plan).values()} == {Outcome.DONE}
    assert {each.outcome for each in applied(store, plan).values()} == {Outcome.ALREADY}
    with duckdb.connect() as connection:
        after = connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()
        assert connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall() == kinds
    assert after == [(*row[:1], "", *row[2:]) if row[0] == 2 else row for row in before if row[0] != 5]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["t.parquet"]
    store.close()


def _parquet(path: Path, name: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS id, ? AS name", [name])
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def test_a_file_whose_name_reads_like_a_pattern_is_read_and_written_as_itself(tmp_path: Path) -> None:
    names = {"orders[1].parquet": "first", "orders1.parquet": "other", "[.parquet": "opened", "a?.parquet": "asked"}
    for name, held in names.items():
        _parquet(tmp_path / name, held)
    _parquet(tmp_path / "*.parquet", "every")
    store = _store(tmp_path, write=True)
    for name, held in {**names, "*.parquet": "every"}.items():
        assert [hit.values["name"] for hit in hits_of(store, name, EVERY_ROW)] == [held]
    [hit] = hits_of(store, "orders[1].parquet", EVERY_ROW)
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    assert applied(store, plan)["gone"].outcome is Outcome.DONE
    assert hits_of(store, "orders[1].parquet", EVERY_ROW) == []
    assert [hit.values["name"] for hit in hits_of(store, "orders1.parquet", EVERY_ROW)] == ["other"]
    store.close()


def test_what_a_killed_worker_left_beside_a_file_stops_nothing_and_goes_with_the_next_write(tmp_path: Path) -> None:
    _parquet(tmp_path / "t.parquet", "Jane")
    left = tmp_path / ".privacyops-4711-t.parquet"
    left.write_bytes(b"PAR1 cut short")
    store = _store(tmp_path, write=True)
    assert list(catalogue_of(store)) == ["t.parquet"]
    [hit] = hits_of(store, "t.parquet", EVERY_ROW)
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    assert applied(store, plan)["gone"].outcome is Outcome.DONE
    assert [each.name for each in tmp_path.iterdir()] == ["t.parquet"]
    store.close()


def test_a_link_that_leads_out_of_the_folder_is_refused_and_one_inside_is_no_second_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    _parquet(folder / "t.parquet", "Jane")
    (folder / "same.parquet").symlink_to(folder / "t.parquet")
    store = _store(folder)
    assert list(catalogue_of(store)) == ["t.parquet"]
    store.close()
    _parquet(tmp_path / "outside.parquet", "John")
    (folder / "out.parquet").symlink_to(tmp_path / "outside.parquet")
    with pytest.raises(Misconfigured, match="link_leads_out"):
        catalogue_of(_store(folder))


def test_the_reading_and_the_writing_role_work_side_by_side(tmp_path: Path) -> None:
    path = DatabaseBench(tmp_path).path
    reading, writing = _store(path), _store(path, write=True)
    [hit] = hits_of(reading, "purchase", Leaf("x", "id", PredicateOp.EQ, 1001))
    plan = writing.plan(Spy().call(), [Op(OpId("a"), hit.ref, Delete())])
    assert applied(writing, plan)["a"].outcome is Outcome.DONE
    assert hits_of(reading, "purchase", Leaf("x", "id", PredicateOp.EQ, 1001)) == []
    with pytest.raises(Terminal, match="unsupported"):
        applied(reading, plan)
    reading.close()
    writing.close()


def test_a_statement_reaches_no_file_beside_the_database(tmp_path: Path) -> None:
    path, secret = tmp_path / "view.duckdb", tmp_path / "secret.csv"
    secret.write_text("word\nplum\n")
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE VIEW leak AS SELECT * FROM read_csv('{secret}')")
    store = _store(path)
    with pytest.raises(Terminal):
        hits_of(store, "leak", EVERY_ROW)
    store.close()


@pytest.mark.parametrize(
    "config", [{}, {"database": "/a.duckdb", "folder": "/b"}, {"database": "relative.duckdb"}, {"folder": 7}]
)
def test_a_configuration_that_cannot_be_right_is_refused(config: Mapping[str, Json]) -> None:
    with pytest.raises(Misconfigured):
        connector.open(config, GivenSecrets({}))
