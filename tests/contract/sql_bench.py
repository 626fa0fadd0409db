"""The seeded shop in a relational database, and the ways past the connector into it. One class a brand."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.sql import connector
from privacyops.connector_sdk import Connector, Json, Misconfigured, Retriable, Value
from privacyops.connector_sdk.testing.contract import Bench, Broken, Declared, Snapshot
from privacyops.connector_sdk.testing.seed import PERSONS, PURCHASES

DDL: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, phone TEXT, note TEXT,
        photo BLOB, email_length INTEGER GENERATED ALWAYS AS (length(email)) VIRTUAL)""",
        """CREATE TABLE purchase (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id),
        total INTEGER NOT NULL, remark TEXT)""",
        """CREATE TABLE bookmark (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL
        REFERENCES person (id) ON DELETE CASCADE)""",
        "CREATE VIEW buyer AS SELECT p.id, p.name FROM person p JOIN purchase o ON o.person_id = p.id",
        "CREATE TABLE touched (at TEXT)",
        """CREATE TRIGGER bookmark_seen AFTER INSERT ON bookmark BEGIN INSERT INTO touched VALUES ('now'); END""",
    ),
    "postgresql": (
        """CREATE TABLE person (id integer PRIMARY KEY, email text NOT NULL UNIQUE, name text, phone varchar(40),
        note text, photo bytea, email_length integer GENERATED ALWAYS AS (length(email)) STORED)""",
        """CREATE TABLE purchase (id integer PRIMARY KEY, person_id integer REFERENCES person (id),
        total integer NOT NULL, remark text)""",
        """CREATE TABLE bookmark (id integer PRIMARY KEY, person_id integer NOT NULL
        REFERENCES person (id) ON DELETE CASCADE)""",
        "CREATE VIEW buyer AS SELECT p.id, p.name FROM person p JOIN purchase o ON o.person_id = p.id",
        "CREATE TABLE touched (at text)",
        """CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO touched VALUES ('now'); RETURN NEW; END$$""",
        "CREATE TRIGGER bookmark_seen AFTER INSERT ON bookmark FOR EACH ROW EXECUTE FUNCTION seen()",
        "CREATE TABLE visit (id integer NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    "mysql": (
        """CREATE TABLE person (id integer PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, name varchar(200),
        phone varchar(40), note text, photo blob, email_length integer GENERATED ALWAYS AS (length(email)) STORED)""",
        """CREATE TABLE purchase (id integer PRIMARY KEY, person_id integer, total integer NOT NULL, remark text,
        FOREIGN KEY (person_id) REFERENCES person (id))""",
        """CREATE TABLE bookmark (id integer PRIMARY KEY, person_id integer NOT NULL,
        FOREIGN KEY (person_id) REFERENCES person (id) ON DELETE CASCADE)""",
        "CREATE VIEW buyer AS SELECT p.id, p.name FROM person p JOIN purchase o ON o.person_id = p.id",
        "CREATE TABLE touched (at text)",
        "CREATE TRIGGER bookmark_seen AFTER INSERT ON bookmark FOR EACH ROW INSERT INTO touched VALUES ('now')",
    ),
}
RESTORE: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """CREATE TRIGGER restore AFTER UPDATE OF email ON person WHEN NEW.email <> OLD.email
        BEGIN UPDATE person SET email = OLD.email WHERE id = NEW.id; END""",
    ),
    "postgresql": (
        """CREATE FUNCTION restore() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN NEW.email := OLD.email; RETURN NEW; END$$""",
        "CREATE TRIGGER restore BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION restore()",
    ),
    "mysql": ("CREATE TRIGGER restore BEFORE UPDATE ON person FOR EACH ROW SET NEW.email = OLD.email",),
}


class SqlBench(Bench):
    """A fresh database at `url`, which must be empty."""

    entry = "connectors.sql:connector"
    drivers = frozenset({"psycopg", "pymysql", "sqlite3", "sqlalchemy"})

    def __init__(self, url: str) -> None:
        self.url = sa.engine.make_url(url)
        self.brand = self.url.get_backend_name()
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.run(*DDL[self.brand])
        self.add("person", PERSONS)
        self.add("purchase", PURCHASES)

    def run(self, *statements: str) -> None:
        """DDL or other statements, each as it stands."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%") if self.brand == "mysql" else statement)

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = list(rows[0])
        target = sa.table(table, *map(sa.column, columns))
        with self.engine.begin() as connection:
            connection.execute(sa.insert(target), [dict(row) for row in rows])

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop"}

    def secrets(self) -> Mapping[str, str]:
        return {"url": self.url.render_as_string(hide_password=False), "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        found: dict[tuple[str, str], dict[str, str | None]] = {}
        with self.engine.connect() as connection:
            for table in ("person", "purchase"):
                everything: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(sa.table(table))
                for row in connection.execute(everything).mappings():
                    cells = {
                        path: None if cell is None else str(cell)
                        for path, cell in row.items()
                        if path not in {"email_length"}
                    }
                    found[table, str(row["id"])] = cells
        return found

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        target = sa.table(collection, sa.column("id"), sa.column(path))
        with self.engine.begin() as connection:
            connection.execute(sa.update(target).where(target.c.id == number).values({path: value}))

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.add("person", [row])

    def grow(self, rows: int) -> str:
        series = {
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
            " INSERT INTO bulk SELECT i, 'label ' || i FROM n",
            "postgresql": "INSERT INTO bulk SELECT i, 'label ' || i FROM generate_series(1, {rows}) i",
            "mysql": "INSERT INTO bulk SELECT seq, concat('label ', seq) FROM seq_1_to_{rows}",
        }
        self.run("CREATE TABLE bulk (id integer PRIMARY KEY, label varchar(40))")
        self.run(series[self.brand].format(rows=rows))
        if self.brand == "postgresql":
            self.run("ANALYZE bulk")
        return "bulk"

    def declared(self) -> Declared:
        return Declared(
            views=frozenset({"buyer"}),
            partitions={"visit_2026": "visit"} if self.brand == "postgresql" else {},
            generated=frozenset({("person", "email_length")}),
            triggers=frozenset({("bookmark", "bookmark_seen")}),
            cascades=frozenset({("bookmark", "person")}),
        )

    def restore_after_write(self) -> bool:
        self.run(*RESTORE[self.brand])
        return True

    def broken(self) -> Sequence[Broken]:
        def at(**parts: Any) -> dict[str, str]:
            return {"url": self.url.set(**parts).render_as_string(hide_password=False)}

        return (
            Broken("wrong password", self.config(), at(password="not-the-password"), Misconfigured, "url"),
            Broken("wrong host", self.config(), at(host="no-such-host.invalid"), Misconfigured, "url"),
            Broken("wrong database", self.config(), at(database="no_such_database"), Misconfigured, "url"),
            Broken("server down", self.config(), at(port=1), Retriable),
        )


class SqliteBench(SqlBench):
    drivers = frozenset({"sqlite3", "sqlalchemy"})

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"sqlite:///{path}")

    def broken(self) -> Sequence[Broken]:
        nowhere = self.path.with_name("missing.sqlite")
        scrap = self.path.with_name("scrap.sqlite")
        scrap.write_bytes(b"this is no database, it only looks like a file" * 100)
        return (
            Broken("no such file", self.config(), {"url": f"sqlite:///{nowhere}"}, Misconfigured, "url"),
            Broken("no database", self.config(), {"url": f"sqlite:///{scrap}"}, Misconfigured, "url"),
            Broken("no path", self.config(), {"url": "sqlite://"}, Misconfigured, "url"),
        )

    def held(self) -> int:
        """Whether anybody keeps a lock: an exclusive one is taken at once, or it is not."""
        with sqlite3.connect(self.path, timeout=0) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return 1
            connection.rollback()
        connection.close()
        return 0


class PostgresqlBench(SqlBench):
    def held(self) -> int:
        with self.engine.connect() as connection:
            return int(
                connection.execute(
                    sa.text(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name = 'privacyops' AND state <> 'idle'"
                    )
                ).scalar_one()
            )


class MysqlBench(SqlBench):
    def held(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM information_schema.innodb_trx")).scalar_one())
