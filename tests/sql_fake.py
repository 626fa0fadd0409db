"""A driver's connection that answers from a list, so that what the connector would send to a server can be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sql import connector
from connectors.sql.writing import SqlStore
from privacyops.connector_sdk.testing.bench import GivenSecrets

Rows = Sequence[tuple[Any, ...]]

ADDRESSES = {
    "mssql": "mssql+pyodbc://u:secret@db.example.com/shop",
    "oracle": "oracle+oracledb://u:secret@db.example.com/shop",
}
GREETING: dict[str, list[tuple[str, Rows]]] = {
    "mssql": [("SERVERPROPERTY", [("16.0.1000.6", "dbo", 0)])],
    "oracle": [("product_component_version", [("19.0.0.0.0", "SHOP", 0)])],
}
NOW: dict[str, list[tuple[str, Rows]]] = {
    "mssql": [("SYSUTCDATETIME", [("2026-11-22T12:00:00.000000",)])],
    "oracle": [("SYSTIMESTAMP", [("2026-11-22 12:00:00.000000",)])],
}
ALL = (1, 1, 1, 1)
MSSQL_CATALOGUE: list[tuple[str, Rows]] = [
    (
        "temporal_type",
        [
            (1, "Customer", "U", 0, 900_000, 8192, 0, *ALL),
            (2, "Orders", "U", 2, 12, 8192, 1, *ALL),
            (3, "Log", "U", 0, 5, 8192, 0, *ALL),
            (4, "OrdersHistory", "U", 1, 5, 8192, 0, *ALL),
            (5, "Line", "U", 0, 12, 8192, 0, *ALL),
        ],
    ),
    (
        "FROM sys.columns",
        [
            (1, "id", "int", 4, 10, 0, False, None, 1, None),
            (1, "email", "nvarchar", 400, 0, 0, True, "SQL_Latin1_General_CP1_CI_AS", 0, None),
            (1, "code", "char", 8, 0, 0, False, "Turkish_CI_AS", 0, None),
            (1, "notes", "ntext", 16, 0, 0, True, "SQL_Latin1_General_CP1_CI_AS", 0, None),
            (1, "born", "date", 3, 10, 0, True, None, 0, None),
            (1, "seen", "datetime2", 8, 27, 7, True, None, 0, None),
            (1, "old", "datetime", 8, 23, 3, True, None, 0, None),
            (1, "live", "bit", 1, 1, 0, True, None, 0, None),
            (1, "amount", "decimal", 9, 10, 2, True, None, 0, None),
            (1, "uid", "uniqueidentifier", 16, 0, 0, True, None, 0, None),
            (1, "photo", "varbinary", -1, 0, 0, True, None, 0, None),
            (2, "id", "int", 4, 10, 0, False, None, 0, None),
            (2, "customer_id", "int", 4, 10, 0, False, None, 0, None),
            (3, "who", "nvarchar", 100, 0, 0, True, "SQL_Latin1_General_CP1_CI_AS", 0, None),
            (3, "at", "datetime2", 8, 27, 7, True, None, 0, None),
            (4, "id", "int", 4, 10, 0, False, None, 0, None),
            (5, "order_id", "int", 4, 10, 0, False, None, 0, None),
            (5, "at", "int", 4, 10, 0, False, None, 0, None),
        ],
    ),
    (
        "sys.index_columns",
        [
            (1, "PK_Customer", True, True, False, "clustered", "id"),
            (1, "IX_email", False, False, False, "nonclustered", "email"),
            (2, "PK_Orders", True, True, False, "clustered", "id"),
            (5, "PK_Line", True, True, False, "clustered", "order_id"),
            (5, "PK_Line", True, True, False, "clustered", "at"),
        ],
    ),
    ("sys.foreign_keys", [(2, "FK_Orders_Customer", "customer_id", "dbo", "Customer", "id", 1, 0)]),
    ("sys.check_constraints", [(1, "CK_amount", "([amount]>=(0))")]),
    (
        "sys.triggers",
        [(1, "TR_audit", False, "update", "CREATE TRIGGER TR_audit ON Customer AFTER UPDATE AS SELECT 1")],
    ),
    ("sys.sql_expression_dependencies", []),
]
ORACLE_CATALOGUE: list[tuple[str, Rows]] = [
    (
        "FROM all_tables",
        [
            ("CUSTOMER", "TABLE", 900_000, 8192),
            ("ORDERS", "TABLE", 12, 8192),
            ("LOG", "TABLE", 5, 8192),
            ("LINE", "TABLE", 12, 8192),
            ("ATTIC", "TABLE", 2, 8192),
            ("WHO", "VIEW", None, None),
        ],
    ),
    (
        "FROM all_tab_cols",
        [
            ("CUSTOMER", "ID", "NUMBER", 0, 10, 0, "N", None, 0),
            ("CUSTOMER", "EMAIL", "VARCHAR2", 200, None, None, "Y", "USING_NLS_COMP", 0),
            ("CUSTOMER", "CODE", "CHAR", 8, None, None, "N", "BINARY_CI", 0),
            ("CUSTOMER", "NOTES", "CLOB", 0, None, None, "Y", None, 0),
            ("CUSTOMER", "BORN", "DATE", 0, None, None, "Y", None, 0),
            ("CUSTOMER", "SEEN", "TIMESTAMP(6)", 0, None, 6, "Y", None, 0),
            ("CUSTOMER", "AT", "TIMESTAMP(6) WITH TIME ZONE", 0, None, 6, "Y", None, 0),
            ("CUSTOMER", "AMOUNT", "NUMBER", 0, 10, 2, "Y", None, 0),
            ("CUSTOMER", "PHOTO", "BLOB", 0, None, None, "Y", None, 0),
            ("ORDERS", "ID", "NUMBER", 0, 10, 0, "N", None, 0),
            ("ORDERS", "CUSTOMER_ID", "NUMBER", 0, 10, 0, "N", None, 0),
            ("LOG", "WHO", "VARCHAR2", 50, None, None, "Y", None, 0),
            ("LOG", "SAID", "CLOB", 0, None, None, "Y", None, 0),
            ("LINE", "ORDER_ID", "NUMBER", 0, 10, 0, "N", None, 0),
            ("LINE", "AT", "NUMBER", 0, 10, 0, "N", None, 0),
            ("ATTIC", "ID", "NUMBER", 0, 10, 0, "N", None, 0),
            ("ATTIC", "OLD", "LONG", 0, None, None, "Y", None, 0),
            ("WHO", "EMAIL", "VARCHAR2", 200, None, None, "Y", None, 0),
            ("WHO", "NOTES", "CLOB", 0, None, None, "Y", None, 0),
        ],
    ),
    (
        "FROM all_constraints",
        [
            ("CUSTOMER", "CK", "C", "AMOUNT", '"AMOUNT" >= 0', None, "NOT DEFERRABLE", None, None, None),
            ("CUSTOMER", "PK", "P", "ID", None, None, "NOT DEFERRABLE", None, None, None),
            ("ORDERS", "FK", "R", "CUSTOMER_ID", None, "CASCADE", "DEFERRABLE", "SHOP", "CUSTOMER", "ID"),
            ("ORDERS", "PO", "P", "ID", None, None, "NOT DEFERRABLE", None, None, None),
            ("LINE", "PL", "P", "ORDER_ID", None, None, "NOT DEFERRABLE", None, None, None),
            ("LINE", "PL", "P", "AT", None, None, "NOT DEFERRABLE", None, None, None),
            ("ATTIC", "PA", "P", "ID", None, None, "NOT DEFERRABLE", None, None, None),
        ],
    ),
    ("FROM all_indexes", [("CUSTOMER", "IE", "NONUNIQUE", "function-based normal", "SYS_NC1$", 'LOWER("EMAIL")')]),
    ("FROM all_triggers", []),
    ("FROM all_dependencies", [("WHO", "CUSTOMER")]),
    ("FROM all_tab_privs", [("*", "all")]),
    ("FROM all_policies", [("ORDERS",)]),
]
CATALOGUES = {"mssql": MSSQL_CATALOGUE, "oracle": ORACLE_CATALOGUE}


@dataclass
class FakeServer:
    """`answers` are looked through in order: the first whose words stand in the statement gives the rows."""

    answers: list[tuple[str, Rows]]
    sent: list[tuple[str, Any]] = field(default_factory=list)
    rolled_back: int = 0
    fails: dict[str, Exception] = field(default_factory=dict)

    def cursor(self) -> "FakeCursor":
        return FakeCursor(self)

    def rollback(self) -> None:
        self.rolled_back += 1

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class FakeCursor:
    arraysize = prefetchrows = 0
    rowcount = 1

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._rows: list[tuple[Any, ...]] = []
        self.description: object = None

    def execute(self, text: str, bound: Any = None) -> None:
        self._server.sent.append((" ".join(text.split()), bound))
        for words, error in self._server.fails.items():
            if words in text:
                raise error
        found = next((rows for words, rows in self._server.answers if words in text), None)
        self._rows = list(found or [])
        if text.endswith("SELECT @@ROWCOUNT"):
            self._rows = [(1,)]
        self.description = ()

    def fetchone(self) -> tuple[Any, ...]:
        return self._rows.pop(0)

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self._rows))

    def close(self) -> None: ...


def fake_store(brand: str, *answers: tuple[str, Rows], write: bool = False) -> tuple[SqlStore, FakeServer]:
    """A store whose connection is the fake; everything above the driver is the connector's own."""
    server = FakeServer([*answers, *GREETING[brand], *NOW[brand], *CATALOGUES[brand]])
    secrets = GivenSecrets({"url": ADDRESSES[brand], "hash_key": "a-key-of-this-test"})
    store = connector.open({"name": "shop", "write": write}, secrets)
    object.__setattr__(store._address, "connect", lambda seconds: server)
    return store, server
