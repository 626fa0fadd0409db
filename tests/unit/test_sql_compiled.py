"""What SQL Server and Oracle Database would be asked, statement by statement.

No server of either was there: the vectors in `sql_compiled/` were read by a person against the servers' manuals. A
statement that changes has to be read again.
"""

import base64
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.sql.address import Brand, read_address
from connectors.sql.card import read_settings
from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    All,
    Check,
    Constant,
    Cursor,
    Delete,
    Expectation,
    FieldType,
    Leaf,
    Misconfigured,
    Null,
    Op,
    OpId,
    Outcome,
    Page,
    PredicateOp,
    Retriable,
    RowRef,
    Sampling,
    Set,
    Terminal,
)
from privacyops.connector_sdk.predicate import Any as AnyOf
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from tests.sql_fake import FakeServer, fake_store

FOLDER = Path(__file__).parent / "sql_compiled"
BRANDS = ("mssql", "oracle")
SPY = Spy(seconds=60)
Sent = tuple[str, Any]


def name(brand: str, word: str) -> str:
    """Oracle's catalogue keeps names in capitals."""
    if brand == "oracle":
        return word.upper()
    return {"customer": "Customer", "orders": "Orders", "log": "Log", "line": "Line"}.get(word, word)


def ref(brand: str, table: str, **key: Any) -> RowRef:
    return RowRef("shop", name(brand, table), {name(brand, path): value for path, value in key.items()}, None)


def customer(brand: str, number: int = 7) -> tuple[Any, ...]:
    """One row as the driver gives it: page key, cells, lengths of the long ones."""
    if brand == "mssql":
        cells = (
            number,
            "anna@example.com",
            "A1",
            "note",
            "1990-01-01",
            "2026-01-02T03:04:05.123456",
            None,
            True,
            3,
            None,
            None,
        )
        return (number, *cells, 4, None)
    cells = (
        number,
        "anna@example.com",
        "A1",
        "note",
        "1990-01-01 00:00:00",
        "2026-01-02 03:04:05.123456",
        None,
        3,
        None,
    )
    return (number, *cells, 4, None)


def ask(op: PredicateOp, field: str, value: Any) -> Callable[[str], list[Sent]]:
    def asked(brand: str) -> list[Sent]:
        store, server = fake_store(brand)
        path = name(brand, field.partition("$")[0]) + field[len(field.partition("$")[0]) :]
        list(store.find(SPY.call(), name(brand, "customer"), Leaf("a", path, op, value), [name(brand, "id")], Page(10)))
        return [one for one in reading(server) if "WHERE" in one[0] and "OFFSET" not in one[0]][:1]

    return asked


def reading(server: FakeServer) -> list[Sent]:
    """What was sent, without the greeting and the catalogue."""
    quiet = (
        "sys.",
        "all_",
        "ALTER SESSION",
        "SET NOCOUNT",
        "SERVERPROPERTY",
        "product_component",
        "SYSUTC",
        "SYSTIMESTAMP",
    )
    return [one for one in server.sent if not any(word in one[0] for word in quiet)]


def greeting(brand: str) -> list[Sent]:
    store, server = fake_store(brand)
    store.capabilities(SPY.call())
    return server.sent[:2]


def count(brand: str) -> list[Sent]:
    store, server = fake_store(brand, ("count(*)", [(3,)]))
    store.count(SPY.call(), name(brand, "customer"), EVERY_ROW)
    return reading(server)


def page_by_key(brand: str) -> list[Sent]:
    key = [name(brand, "order_id"), name(brand, "at")]
    store, server = fake_store(brand)
    list(store.find(SPY.call(), name(brand, "line"), EVERY_ROW, key, Page(10, Cursor("WzMsIDRd"))))
    return reading(server)


def page_of_a_large_table(brand: str) -> list[Sent]:
    store, server = fake_store(brand, ("OFFSET", [(5000,)]))
    where = Leaf("a", name(brand, "notes"), PredicateOp.CONTAINS_CI, "Anna")
    found = store.find(SPY.call(), name(brand, "customer"), where, [name(brand, "id")], Page(10))
    next(iter(found))
    return reading(server)


def page_without_a_key(brand: str) -> list[Sent]:
    store, server = fake_store(brand)
    last = '["ab", 1]' if brand == "mssql" else '["AAAB"]'
    after = Cursor(base64.urlsafe_b64encode(last.encode()).decode().rstrip("="))
    list(store.find(SPY.call(), name(brand, "log"), EVERY_ROW, [name(brand, "who")], Page(10, after)))
    return reading(server)


def fetch_by_key(brand: str) -> list[Sent]:
    store, server = fake_store(brand)
    refs = [ref(brand, "customer", id=7), ref(brand, "customer", id=8)]
    list(store.fetch(SPY.call(), refs, [name(brand, "email"), name(brand, "notes"), name(brand, "photo")]))
    return reading(server)


def fetch_without_a_key(brand: str) -> list[Sent]:
    store, server = fake_store(brand)
    moment = {"at": datetime.fromisoformat("2026-01-02T03:04:05.123456")} if brand == "mssql" else {"said": "hello"}
    list(store.fetch(SPY.call(), [ref(brand, "log", who="Anna ", **moment)], [name(brand, "who")]))
    return reading(server)


def sample(brand: str) -> list[Sent]:
    store, server = fake_store(brand, ("min(", [(1,)]), ("max(", [(900_000,)]))
    list(store.sample(SPY.call(), name(brand, "customer"), [name(brand, "id")], 10, Sampling.RANDOM))
    list(store.sample(SPY.call(), name(brand, "orders"), [name(brand, "id")], 10, Sampling.RANDOM))
    return [*reading(server)[:3], reading(server)[-1]]


def planned(brand: str, *, write: bool = False) -> tuple[SqlStore, FakeServer, Any]:
    store, server = fake_store(
        brand, ("[Customer].[photo]) <=" if brand == "mssql" else '"PHOTO") <=', [customer(brand)]), write=write
    )
    delete = Op(OpId("1"), ref(brand, "customer", id=7), Delete())
    return store, server, store.plan(SPY.call(), [delete])


def plan_of_a_delete(brand: str) -> list[Sent]:
    _, server, _ = planned(brand)
    return reading(server)


def plan_of_a_change(brand: str) -> list[Sent]:
    store, server = fake_store(
        brand, ("[Customer].[photo]) <=" if brand == "mssql" else '"PHOTO") <=', [customer(brand)])
    )
    values = {name(brand, "amount"): Constant(-1), name(brand, "email"): Null()}
    store.plan(SPY.call(), [Op(OpId("1"), ref(brand, "customer", id=7), Set(values))])
    return reading(server)[1:]


def apply_a_delete(brand: str) -> list[Sent]:
    store, server, plan = planned(brand, write=True)
    server.sent.clear()
    assert [one.outcome for one in store.apply(SPY.call(), plan, [], "k")] == [Outcome.DONE]
    return reading(server)


def apply_a_change(brand: str) -> list[Sent]:
    store, server = fake_store(
        brand, ("[Customer].[photo]) <=" if brand == "mssql" else '"PHOTO") <=', [customer(brand)]), write=True
    )
    values = {name(brand, "amount"): Constant(1), name(brand, "email"): Null()}
    plan = store.plan(SPY.call(), [Op(OpId("1"), ref(brand, "customer", id=7), Set(values))])
    server.sent.clear()
    assert [one.outcome for one in store.apply(SPY.call(), plan, [], "k")] == [Outcome.DONE]
    return [one for one in reading(server) if one[0].startswith("UPDATE")]


def verify(brand: str) -> list[Sent]:
    store, server = fake_store(brand)
    verdicts = list(store.verify(SPY.call(), [Check(ref(brand, "customer", id=7), Expectation.GONE, (), "")]))
    assert len(verdicts) == 1
    return reading(server)


def health(brand: str) -> list[Sent]:
    store, server = fake_store(
        brand,
        ("HAS_PERMS_BY_NAME(DB_NAME()" if brand == "mssql" else "session_privs WHERE privilege IN ('CREATE", [(1,)]),
    )
    assert store.health(SPY.call()).code == "compiled_never_run"
    return [one for one in server.sent if one[0].startswith("SELECT 1")]


def clock(brand: str) -> list[Sent]:
    _, server, _ = planned(brand)
    return [one for one in server.sent if "SYSUTC" in one[0] or "SYSTIMESTAMP" in one[0]]


KINDS: dict[str, Callable[[str], list[Sent]]] = {
    "greeting": greeting,
    "health": health,
    "clock": clock,
    "count": count,
    "page by key": page_by_key,
    "page of a large table": page_of_a_large_table,
    "page without a key": page_without_a_key,
    "fetch by key": fetch_by_key,
    "fetch without a key": fetch_without_a_key,
    "sample": sample,
    "text equal": ask(PredicateOp.EQ, "email", "Anna@example.com"),
    "text equal without case": ask(PredicateOp.IN_CI, "email", ("Anna@example.com", "b@example.com")),
    "padded text equal": ask(PredicateOp.EQ_CI, "code", "a1"),
    "long text equal": ask(PredicateOp.EQ_CI, "notes", "Anna"),
    "text begins": ask(PredicateOp.PREFIX_CI, "email", "100%_[a]"),
    "text contains": ask(PredicateOp.CONTAINS_CI, "notes", "100%_[a]"),
    "text contains a sigma": ask(PredicateOp.CONTAINS_CI, "email", "ΣΊΣΥΦΟΣ"),
    "phone digits": ask(PredicateOp.DIGITS_END, "email", "+49 30 23125"),
    "number": ask(PredicateOp.IN, "amount", ("3", 4)),
    "number between": ask(PredicateOp.BETWEEN, "amount", (1, 2)),
    "date": ask(PredicateOp.EQ, "born", "1990-01-01"),
    "instant between": ask(PredicateOp.BETWEEN, "seen", ("2026-01-01", "2026-02-01T10:00:00")),
    "inside a document": ask(PredicateOp.JSON_EQ, "notes$.customer.id", 17),
    "bytes": ask(PredicateOp.CONTAINS_CI, "photo", "anna"),
    "nothing to look for": ask(PredicateOp.IN, "email", ()),
    "plan of a delete": plan_of_a_delete,
    "plan of a change": plan_of_a_change,
    "apply a delete": apply_a_delete,
    "apply a change": apply_a_change,
    "verify": verify,
}


def statements_of(brand: str, kind: str) -> list[Sent]:
    return KINDS[kind](brand)


def written(sent: Sent) -> str:
    text, bound = sent
    values = [] if bound is None else list(bound.values()) if isinstance(bound, dict) else list(bound)
    return f"{text};" + (f" -- {values!r}" if values else "")


def vectors(brand: str) -> dict[str, str]:
    text = (FOLDER / f"{brand}.sql").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("\n\n"))
    return {head.removeprefix("-- "): body.strip() for head, _, body in parts}


@pytest.mark.parametrize("brand", BRANDS)
def test_no_vector_is_without_a_statement(brand: str) -> None:
    assert list(vectors(brand)) == list(KINDS)
    assert all(body for body in vectors(brand).values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("brand", BRANDS)
def test_a_statement_is_the_one_that_was_read(brand: str, kind: str) -> None:
    assert "\n".join(written(one) for one in statements_of(brand, kind)) == vectors(brand)[kind]


FOREIGN = {
    "mssql": r"\bLIMIT\b|\bFETCH NEXT\b|::|\bILIKE\b|\bstrpos\b|\binstr\(|THEN true|WHERE 1\b|WHEN [01] THEN|AS TEXT\)",
    "oracle": r"\bLIMIT\b|\bTOP \d|::|\bILIKE\b|\bstrpos\b|\bcharindex\(|WHERE 1\b|WHEN [01] THEN|AS TEXT\)|\) AS w",
}


@pytest.mark.parametrize("brand", BRANDS)
def test_no_statement_speaks_another_servers_language(brand: str) -> None:
    for kind in KINDS:
        for text, bound in statements_of(brand, kind):
            assert not re.search(FOREIGN[brand], text), kind
            assert "anna" not in text.lower(), "a value is bound, never written into a statement"
            assert not ("FOR UPDATE" in text and "FETCH FIRST" in text), "ORA-02014"
            given = len(bound or ())
            assert (
                text.count("?") == given
                if brand == "mssql"
                else len(set(re.findall(r":\"?\w+", re.sub(r"'[^']*'", "", text)))) == given
            )


@pytest.mark.parametrize("brand", BRANDS)
def test_the_catalogue_is_read_with_the_schema_as_a_value(brand: str) -> None:
    store, server = fake_store(brand)
    list(store.catalogue(SPY.call()))
    asked = [(text, bound) for text, bound in server.sent if "SELECT" in text and (" sys." in text or " all_" in text)]
    assert len(asked) == (7 if brand == "mssql" else 8)
    schema = {"mssql": "dbo", "oracle": "SHOP"}[brand]
    assert all(schema in (bound.values() if isinstance(bound, dict) else bound) for _, bound in asked)
    assert all(text.count("?") == len(bound) for text, bound in asked if brand == "mssql")
    assert store.capabilities(SPY.call()).max_in == {"mssql": 400, "oracle": 1000}[brand]


@pytest.mark.parametrize("brand", BRANDS)
def test_the_catalogue_becomes_collections(brand: str) -> None:
    store, _ = fake_store(brand)
    found = {one.name: one for one in store.catalogue(SPY.call()) if hasattr(one, "fields")}
    shop = found[name(brand, "customer")]
    kinds = {field.path.lower(): field.type for field in shop.fields}
    assert shop.key == (name(brand, "id"),)
    assert kinds["seen"] is FieldType.INSTANT
    assert kinds["amount"] is FieldType.NUMBER
    assert kinds["id"] is FieldType.INTEGER
    # Oracle's DATE has a time of day
    assert kinds["born"] is (FieldType.DATE if brand == "mssql" else FieldType.INSTANT)
    assert found[name(brand, "log")].no_key
    assert found[name(brand, "line")].key == (name(brand, "order_id"), name(brand, "at"))
    link = found[name(brand, "orders")].links[0]
    assert (link.fields, link.to, link.on_delete.value) == (
        (name(brand, "customer_id"),),
        name(brand, "customer"),
        "cascade",
    )
    assert link.deferrable is (brand == "oracle")


def test_a_collation_whose_small_i_is_another_letter_narrows_nothing() -> None:
    store, _ = fake_store("mssql")
    fields = {
        field.path: field for field in next(one for one in store.catalogue(SPY.call()) if one.name == "Customer").fields
    }
    assert fields["email"].case_insensitive
    assert not fields["code"].case_insensitive


def test_a_history_table_takes_no_change_and_its_table_keeps_versions() -> None:
    store, _ = fake_store("mssql")
    found = {one.name: one for one in store.catalogue(SPY.call()) if hasattr(one, "fields")}
    assert found["Orders"].versions
    assert "delete" in found["OrdersHistory"].refuses
    store, _ = fake_store("mssql", ("[Orders].[customer_id] AS c1", [(5, 5, 7)]))
    plan = store.plan(SPY.call(), [Op(OpId("1"), ref("mssql", "orders", id=5), Delete())])
    assert [(one.code, one.remedy) for one in plan.blockers] == [("versioned", "purge_history")]


@pytest.mark.parametrize("brand", BRANDS)
def test_more_values_than_a_leaf_takes_are_refused(brand: str) -> None:
    store, _ = fake_store(brand)
    many = tuple(f"{at}@example.com" for at in range({"mssql": 401, "oracle": 1001}[brand]))
    with pytest.raises(Terminal, match="too_many_values"):
        list(
            store.find(
                SPY.call(), name(brand, "customer"), Leaf("a", name(brand, "email"), PredicateOp.IN, many), [], Page(10)
            )
        )


def test_a_statement_of_too_many_values_is_refused_before_it_is_sent() -> None:
    store, server = fake_store("mssql")
    many = tuple(f"{at}@example.com" for at in range(400))
    leaves = tuple(Leaf(str(at), "email", PredicateOp.IN, many) for at in range(3))
    with pytest.raises(Terminal, match="too_many_values"):
        list(store.find(SPY.call(), "Customer", AnyOf(leaves), ["id"], Page(10)))
    assert not reading(server)


def test_rows_without_a_key_are_named_in_as_many_statements_as_the_server_needs() -> None:
    store, server = fake_store("mssql")
    wide = [(9, f"c{at}", "int", 4, 10, 0, True, None, 0, None) for at in range(150)]
    server.answers = [
        ("temporal_type", [(9, "Wide", "U", 0, 5, 1, 0, 1, 1, 1, 1)]),
        ("FROM sys.columns", wide),
        *[one for one in server.answers if "SERVERPROPERTY" in one[0]],
    ]
    refs = [RowRef("shop", "Wide", {f"c{at}": row for at in range(150)}, None) for row in range(40)]
    list(store.fetch(SPY.call(), refs, ["c0"]))
    sent = reading(server)
    assert len(sent) == 4
    assert max(len(bound) for _, bound in sent) <= 2000


@pytest.mark.parametrize("brand", BRANDS)
def test_the_server_decides_nothing_alone_that_was_never_seen_to_decide(brand: str) -> None:
    store, server = fake_store(brand, ("count(*)", [(99,)]))
    where = All((Leaf("a", name(brand, "email"), PredicateOp.EQ, "anna@example.com"),))
    assert store.count(SPY.call(), name(brand, "customer"), where).n == 0
    assert not [text for text, _ in server.sent if "count(*)" in text]


def test_an_empty_text_is_null_to_oracle() -> None:
    store, server = fake_store("oracle", ('"PHOTO") <=', [customer("oracle")]))
    plan = store.plan(SPY.call(), [Op(OpId("1"), ref("oracle", "customer", id=7), Set({"CODE": Constant("")}))])
    assert [one.code for one in plan.blockers] == ["not_null"]
    server.sent.clear()
    list(store.find(SPY.call(), "CUSTOMER", Leaf("a", "EMAIL", PredicateOp.EQ, ""), ["ID"], Page(10)))
    list(store.find(SPY.call(), "CUSTOMER", Leaf("a", "EMAIL", PredicateOp.CONTAINS_CI, ""), ["ID"], Page(10)))
    empty, any_text = (text for text, _ in reading(server) if "OFFSET" not in text and '"EMAIL" AS c1' in text)
    assert "(0 = 1)" in empty
    assert 'lower("SHOP"."CUSTOMER"."EMAIL") IS NOT NULL' in any_text


def test_a_collation_of_oracles_own_is_overruled() -> None:
    assert '"CODE" COLLATE BINARY' in vectors("oracle")["padded text equal"]
    assert "COLLATE" not in vectors("oracle")["text equal"]


def test_what_no_statement_can_look_into_is_refused() -> None:
    store, _ = fake_store("oracle")
    with pytest.raises(Terminal, match="unsupported"):
        list(store.find(SPY.call(), "ATTIC", EVERY_ROW, [], Page(10)))
    with pytest.raises(Terminal, match="key_too_long"):
        list(store.fetch(SPY.call(), [ref("oracle", "log", who="A", said="x" * 1001)], ["WHO"]))


@pytest.mark.parametrize("brand", BRANDS)
def test_a_reading_role_changes_nothing_even_where_the_server_would_let_it(brand: str) -> None:
    store, server, plan = planned(brand)
    server.sent.clear()
    with pytest.raises(Terminal, match="unsupported"):
        list(store.apply(SPY.call(), plan, [], "k"))
    with pytest.raises(Terminal, match="read_only"), store._session.transaction(SPY.call()):
        pass
    assert not server.sent


class Error(Exception):
    """As the drivers' own are called."""


Error.__module__ = "oracledb.exceptions"


@pytest.mark.parametrize("brand", BRANDS)
def test_a_change_that_fails_is_undone_as_a_whole(brand: str) -> None:
    store, server, plan = planned(brand, write=True)
    # ODBC tells state and number, Oracle its own number
    told = (
        ("23000", "[23000] conflicted with REFERENCE (547) (SQLExecDirectW)") if brand == "mssql" else ("ORA-02292: x",)
    )
    server.fails["DELETE FROM"] = Error(*told)
    server.sent.clear()
    assert [(one.outcome, one.code) for one in store.apply(SPY.call(), plan, [], "k")] == [
        (Outcome.BLOCKED, "constraint")
    ]
    assert not [text for text, _ in server.sent if text.startswith("COMMIT")]
    if brand == "mssql":
        assert server.sent[-1][0] == "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
    else:
        assert server.rolled_back == 1


@pytest.mark.parametrize(
    ("brand", "told", "kind", "code"),
    [
        ("mssql", ("40001", "[40001] deadlocked (1205) (SQLExecDirectW)"), Retriable, "deadlock"),
        ("mssql", ("42000", "[42000] Lock request time out (1222) (SQLExecDirectW)"), Retriable, "lock"),
        ("mssql", ("HYT00", "[HYT00] Query timeout expired (0) (SQLExecDirectW)"), Retriable, "timeout"),
        ("mssql", ("08S01", "[08S01] Communication link failure (0) (SQLExecDirectW)"), Retriable, "connection"),
        ("mssql", ("42000", "[42000] The DELETE permission was denied (229) (SQLExecDirectW)"), Terminal, "denied"),
        ("mssql", ((208, b"Invalid object name"),), Terminal, "schema_changed"),
        ("oracle", ("ORA-30006: resource busy; acquire with WAIT timeout expired",), Retriable, "lock"),
        ("oracle", ("ORA-02091: transaction rolled back\nORA-02292: child record found",), Terminal, "constraint"),
        ("oracle", ("DPY-4024: call timeout of 20000 ms exceeded",), Retriable, "timeout"),
        ("oracle", ("DPY-4011: the database or network closed the connection",), Retriable, "connection"),
        ("oracle", ("ORA-00942: table or view does not exist",), Terminal, "schema_changed"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_number(brand: str, told: tuple[Any, ...], kind: type, code: str) -> None:
    store, server = fake_store(brand)
    server.fails["count(*)"] = Error(*told)
    with pytest.raises(kind) as caught:
        store.count(SPY.call(), name(brand, "customer"), EVERY_ROW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mssql://u:secret@db.example.com/shop?driver=/tmp/evil.so", "option_not_allowed"),
        ("mssql://u:secret@db.example.com/shop?encrypt=maybe", "option_not_allowed"),
        ("mssql://u:secret@db.example.com/shop?TrustServerCertificate=yes", "option_not_allowed"),
        ("mssql://u:secret@db.example.com/shop?odbc_connect=x", "option_not_allowed"),
        ("mssql+pymssql://u:secret@db.example.com/shop?driver=x", "option_not_allowed"),
        ("mssql+aioodbc://u:secret@db.example.com/shop", "unknown_driver"),
        ("mssql://u:secret@db.example.com", "database_missing"),
        ("mssql://u:secret@db%7D;DRIVER=x/shop", "host_malformed"),
        ("oracle+cx_oracle://u:secret@db.example.com/shop", "unknown_driver"),
        ("oracle://u:secret@db.example.com/shop?config_dir=/tmp", "option_not_allowed"),
        ("oracle://u:secret@db.example.com/shop?wallet_location=/tmp", "option_not_allowed"),
        ("oracle://u:secret@db.example.com/shop?protocol=ipc", "option_not_allowed"),
        ("oracle://u:secret@db.example.com", "database_missing"),
    ],
)
def test_an_address_that_names_files_or_other_drivers_is_refused(url: str, code: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_address(read_settings({}), GivenSecrets({"url": url}))
    assert caught.value.code == code
    assert "secret" not in repr(caught.value)


@pytest.mark.parametrize(
    ("url", "brand", "driver"),
    [
        ("mssql://u:s@db.example.com/shop", Brand.MSSQL, "pyodbc"),
        ("mssql+pymssql://u:s@db.example.com:1444/shop?encrypt=yes", Brand.MSSQL, "pymssql"),
        ("oracle+oracledb://u:s@db.example.com/SHOPPDB?protocol=tcps", Brand.ORACLE, "oracledb"),
    ],
)
def test_an_address_names_its_driver_which_is_asked_for_when_it_connects(
    url: str, brand: Brand, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = read_address(read_settings({}), GivenSecrets({"url": url}))
    assert (address.brand, address.driver) == (brand, driver)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(Misconfigured) as caught:
        address.connect(1)
    assert caught.value.code == f"missing_{driver}"


def test_a_password_cannot_add_to_an_odbc_string(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    class Pyodbc:
        @staticmethod
        def connect(text: str, **options: object) -> Any:
            given.append(text)
            return Pyodbc()

    monkeypatch.setitem(sys.modules, "pyodbc", Pyodbc)
    url = "mssql://u:p%7D%3BTrustServerCertificate%3Dyes@db.example.com/shop"
    read_address(read_settings({}), GivenSecrets({"url": url})).connect(1)
    assert "PWD={p}};TrustServerCertificate=yes}" in given[0]
    assert given[0].endswith("TrustServerCertificate={no};ApplicationIntent={ReadOnly}")
