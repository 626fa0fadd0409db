"""Plans and erasures on schemas that resist: circles, triggers, CHECKs, unique columns, arrays, rows without a key."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import (
    Act,
    Check,
    Constant,
    Delete,
    DropPath,
    Expectation,
    Finding,
    Generalise,
    GeneralKind,
    Leaf,
    Null,
    Op,
    OpId,
    Outcome,
    Plan,
    PredicateOp,
    RandomToken,
    RedactSpan,
    RemoveElement,
    RowRef,
    Set,
    Terminal,
    Unlink,
)
from privacyops.connector_sdk.testing.bench import Spy, applied
from tests.contract.sql_support import execute, found, rows_of, store_at


def ref(store: SqlStore, table: str, number: int) -> RowRef:
    return found(store, table, Leaf("x", "id", PredicateOp.EQ, number))[0].ref


def plan_of(store: SqlStore, *wanted: tuple[str, int, Act]) -> Plan:
    ops = [Op(OpId(f"{table}-{number}"), ref(store, table, number), act) for table, number, act in wanted]
    return store.plan(Spy().call(), ops)


def codes(plan: Plan) -> set[str]:
    return {blocker.code for blocker in plan.blockers}


@pytest.fixture
def lite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.sqlite'}"


def test_a_person_who_reports_to_a_person_goes_before_that_person(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES staff (id))",
        "INSERT INTO staff VALUES (1, NULL), (2, 1), (3, 2)",
    )
    store = store_at(lite, write=True)
    plan = plan_of(store, *(("staff", number, Delete()) for number in (1, 2, 3)))
    assert [each.op.id for each in plan.ops] == ["staff-3", "staff-2", "staff-1"]
    assert plan.ops[2].after == ("staff-2",)
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    store.close()


CIRCLE = (
    "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER)",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id))",
    "INSERT INTO a VALUES (1, NULL)",
    "INSERT INTO b VALUES (2, 1)",
    "ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES b (id)",
    "UPDATE a SET b = 2",
)


@pytest.mark.postgres
def test_a_circle_is_cut_at_the_link_that_may_be_empty(postgres_url: str) -> None:
    execute(postgres_url, *CIRCLE)
    store = store_at(postgres_url, write=True)
    plan = plan_of(store, ("a", 1, Delete()), ("b", 2, Delete()))
    assert not plan.blockers
    assert "unlink_then_delete:b" in {each.effect for each in plan.ops}
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    assert rows_of(postgres_url, "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)") == [(0, 0)]
    store.close()


@pytest.mark.postgres
def test_a_circle_without_such_a_link_runs_deferred_or_is_blocked(postgres_url: str) -> None:
    execute(postgres_url, *CIRCLE, "ALTER TABLE a ALTER b SET NOT NULL")
    store = store_at(postgres_url, write=True)
    assert codes(plan_of(store, ("a", 1, Delete()), ("b", 2, Delete()))) == {"circle"}
    execute(postgres_url, "ALTER TABLE a ALTER CONSTRAINT to_b DEFERRABLE")
    plan = plan_of(store, ("a", 1, Delete()), ("b", 2, Delete()))
    assert not plan.blockers
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    store.close()


@pytest.mark.postgres
def test_a_cascade_to_a_row_outside_the_plan_is_counted_and_blocks(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p ON DELETE CASCADE)",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO c VALUES (10, 1), (11, 1)",
    )
    store = store_at(postgres_url, write=True)
    plan = plan_of(store, ("p", 1, Delete()), ("c", 10, Delete()))
    assert codes(plan) == {"cascade_outside"}
    assert [(each.rows.n, each.inside) for each in plan.cascades] == [(2, False)]
    assert applied(store, plan)["p-1"].outcome is Outcome.BLOCKED
    whole = plan_of(store, ("p", 1, Delete()), ("c", 11, Delete()))
    assert [(each.rows.n, each.inside) for each in whole.cascades] == [(1, True)]
    execute(postgres_url, "INSERT INTO c VALUES (12, 1)")
    results = applied(store, whole)
    assert results["p-1"].outcome is Outcome.CONFLICT
    assert results["p-1"].code == "new_rows"
    assert rows_of(postgres_url, "SELECT id FROM c ORDER BY id") == [(11,), (12,)]
    store.close()


@pytest.mark.postgres
def test_every_constraint_on_a_cell_is_told_before_anything_is_written(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN plz AS text CHECK (VALUE ~ '^[0-9]{5}$')",
        """CREATE TABLE t (id integer PRIMARY KEY, must text NOT NULL, short varchar(12), mood mood, zip plz, mail text
        CHECK (mail LIKE '%%@%%'), twice text UNIQUE, sum integer, made text GENERATED ALWAYS AS (short || '!') STORED,
        born date)""",
        "INSERT INTO t VALUES (1, 'a', 'b', 'ok', '12345', 'a@example.com', 'one', 5),"
        " (2, 'a', 'b', 'ok', '12345', 'b@example.com', 'two', 5)",
    )
    store = store_at(postgres_url, write=True)

    def blockers(path: str, replacement: Constant | Null | RandomToken) -> set[str]:
        return codes(plan_of(store, ("t", 1, Set({path: replacement}))))

    assert blockers("must", Null()) == {"not_null"}
    assert blockers("short", Constant("x" * 13)) == {"too_long"}
    assert blockers("short", RandomToken("erased-{r}@invalid.example")) == {"too_long"}
    assert blockers("mood", Constant("glad")) == {"enum"}
    assert blockers("mood", RandomToken()) == {"type"}
    assert blockers("zip", Constant("none")) == {"check"}
    assert blockers("mail", Constant("none")) == {"check"}
    assert blockers("mail", RandomToken("{r}")) == {"check"}
    assert blockers("twice", Constant("two")) == {"unique"}
    assert blockers("sum", Constant("much")) == {"type"}
    assert blockers("made", Null()) == {"generated"}
    assert blockers("id", Constant(9)) == {"key_column"}
    assert blockers("nothing", Null()) == {"unknown_field"}
    assert blockers("mail", RandomToken("{r}@invalid.example")) == set()
    assert blockers("zip", Constant("00000")) == set()
    both = plan_of(store, ("t", 1, Set({"twice": Constant("x")})), ("t", 2, Set({"twice": Constant("x")})))
    assert codes(both) == {"unique"}
    store.close()


def test_checks_and_unique_columns_are_seen_on_sqlite_too(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT CHECK (mail LIKE '%@%'), n TEXT NOT NULL, u TEXT UNIQUE)",
        "INSERT INTO t VALUES (1, 'a@example.com', 'x', 'one'), (2, 'b@example.com', 'x', 'two')",
    )
    store = store_at(lite, write=True)
    assert codes(plan_of(store, ("t", 1, Set({"mail": Constant("none")})))) == {"check"}
    assert codes(plan_of(store, ("t", 1, Set({"n": Null()})))) == {"not_null"}
    assert codes(plan_of(store, ("t", 1, Set({"u": Constant("two")})))) == {"unique"}
    store.close()


@pytest.mark.stores
def test_checks_and_unique_columns_are_seen_on_mariadb_too(mariadb_url: str) -> None:
    execute(
        mariadb_url,
        "CREATE TABLE t (id integer PRIMARY KEY, mail varchar(80) CHECK (mail LIKE '%%@%%'), n text NOT NULL,"
        " u varchar(80) UNIQUE, m enum('sad', 'ok'))",
        "INSERT INTO t VALUES (1, 'a@example.com', 'x', 'one', 'ok'), (2, 'b@example.com', 'x', 'two', 'ok')",
    )
    store = store_at(mariadb_url, write=True)
    assert codes(plan_of(store, ("t", 1, Set({"mail": Constant("none")})))) == {"check"}
    assert codes(plan_of(store, ("t", 1, Set({"n": Null()})))) == {"not_null"}
    assert codes(plan_of(store, ("t", 1, Set({"u": Constant("two")})))) == {"unique"}
    assert codes(plan_of(store, ("t", 1, Set({"m": Constant("glad")})))) == {"enum"}
    store.close()


@pytest.mark.stores
def test_a_row_with_cells_of_every_type_is_the_same_row_when_it_is_erased_on_mariadb(mariadb_url: str) -> None:
    execute(
        mariadb_url,
        "CREATE TABLE t (id integer PRIMARY KEY, f bit(1), b bit(12), y year, t time, d date, i datetime(6),"
        " s timestamp NULL, e enum('sad', 'ok'), m set('a', 'b'), g point, h binary(16), v varbinary(9), w double,"
        " n decimal(20, 6), j json, u bigint unsigned, x longtext, z mediumblob, q float, c char(3), o boolean,"
        " l text AS (concat(x, c)) VIRTUAL)",
        "INSERT INTO t VALUES (1, b'1', b'101', 2026, '-838:59:59', '1999-01-02', '2026-11-22 10:00:00.123456',"
        " '2026-11-22 10:00:00', 'ok', 'a,b', point(1, 2), unhex(md5(1)), 'v', 1e300, 1.5, '{}', 18446744073709551615,"
        " 'x', 'z', 0.1, 'c', 1, DEFAULT)",
    )
    store = store_at(mariadb_url, write=True)
    (row,) = found(store, "t", Leaf("x", "f", PredicateOp.EQ, 1))
    assert (row.values["f"], row.values["b"]) == (1, 5)
    assert not found(store, "t", Leaf("x", "b", PredicateOp.EQ, 101))
    plan = plan_of(store, ("t", 1, Delete()))
    assert [result.outcome for result in applied(store, plan).values()] == [Outcome.DONE]
    assert rows_of(mariadb_url, "SELECT id FROM t") == []
    store.close()


@pytest.mark.postgres
def test_documents_and_arrays_lose_the_person_and_nothing_else(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE d (id integer PRIMARY KEY, doc jsonb, raw text, who integer[])",
        """INSERT INTO d VALUES (1, '{"customer": {"mail": "a@example.com", "plan": "x"}, "n": 1}',
        '{"mail":"a@example.com","n":1.50}', ARRAY[17, 32, 17])""",
    )
    store = store_at(postgres_url, write=True)
    ops = [
        Op(OpId("doc"), ref(store, "d", 1), DropPath("doc", "$.customer.mail")),
        Op(OpId("who"), ref(store, "d", 1), RemoveElement("who", 0)),
    ]
    plan = store.plan(Spy().call(), ops)
    assert not plan.blockers
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.ALREADY}
    left = rows_of(postgres_url, "SELECT doc::text, raw, who FROM d")
    assert left == [('{"n": 1, "customer": {"plan": "x"}}', '{"mail":"a@example.com","n":1.50}', [32, 17])]
    spelled = plan_of(store, ("d", 1, DropPath("raw", "$.mail")))
    assert codes(spelled) == {"spelling"}, "1.50 would come back as 1.5"
    store.close()


def test_an_element_of_a_json_text_goes_and_the_spelling_stays(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE d (id INTEGER PRIMARY KEY, who TEXT, doc TEXT)",
        """INSERT INTO d VALUES (1, '[17, 32]', '{"a":1,"b":{"mail":"x@example.com","z":"ü"}}')""",
    )
    store = store_at(lite, write=True)
    ops = [
        Op(OpId("who"), ref(store, "d", 1), RemoveElement("who", 0)),
        Op(OpId("doc"), ref(store, "d", 1), DropPath("doc", "$.b.mail")),
    ]
    plan = store.plan(Spy().call(), ops)
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    assert rows_of(lite, "SELECT who, doc FROM d") == [("[32]", '{"a":1,"b":{"z":"ü"}}')]
    store.close()


def test_rows_without_a_key_are_erased_and_read_back(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE log (mail TEXT, at TEXT)",
        "INSERT INTO log VALUES ('a@example.com', '1'), ('a@example.com', '1'), ('b@example.com', '1')",
    )
    store = store_at(lite, write=True)
    mine = {hit.ref for hit in found(store, "log", Leaf("x", "mail", PredicateOp.EQ, "a@example.com"))}
    assert len(mine) == 1
    plan = store.plan(Spy().call(), [Op(OpId("o"), next(iter(mine)), Set({"mail": Null()}))])
    assert applied(store, plan)["o"].outcome is Outcome.DONE
    assert applied(store, plan)["o"].outcome is Outcome.ALREADY
    assert rows_of(lite, "SELECT mail FROM log ORDER BY 1") == [(None,), (None,), ("b@example.com",)]
    checks = [Check(each.op.ref, Expectation.CHANGED, ("mail",), each.before) for each in plan.ops]
    assert [verdict.outcome for verdict in store.verify(Spy().call(), checks)] == [Finding.GONE]
    store.close()


@pytest.mark.postgres
def test_a_trigger_that_swallows_the_delete_undoes_the_page(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE t (id integer PRIMARY KEY, v text)",
        "CREATE TABLE u (id integer PRIMARY KEY, v text)",
        "INSERT INTO t VALUES (1, 'x')",
        "INSERT INTO u VALUES (1, 'x')",
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
        "CREATE TRIGGER swallow BEFORE DELETE ON u FOR EACH ROW EXECUTE FUNCTION swallow()",
    )
    store = store_at(postgres_url, write=True)
    results = applied(store, plan_of(store, ("t", 1, Delete()), ("u", 1, Delete())))
    assert (results["u-1"].outcome, results["u-1"].code) == (Outcome.BLOCKED, "suppressed")
    assert results["t-1"].outcome is Outcome.RETRIABLE
    assert rows_of(postgres_url, "SELECT count(*) FROM t") == [(1,)]
    store.close()


@pytest.mark.postgres
def test_triggers_that_write_are_warned_of_and_do_not_hide_the_success(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE t (id integer PRIMARY KEY, mail text, last_update timestamptz DEFAULT now())",
        "INSERT INTO t VALUES (1, 'a@example.com')",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.last_update = clock_timestamp(); RETURN NEW; END$$",
        "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()",
    )
    store = store_at(postgres_url, write=True)
    plan = plan_of(store, ("t", 1, Set({"mail": RandomToken("erased-{r}@invalid.example")})))
    assert plan.warnings == ("trigger_writes:t.touch",)
    assert applied(store, plan)["t-1"].outcome is Outcome.DONE
    assert applied(store, plan)["t-1"].outcome is Outcome.ALREADY
    store.close()


@pytest.mark.postgres
def test_rows_of_a_partition_are_changed_through_their_parent(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE TABLE person (id integer PRIMARY KEY)",
        """CREATE TABLE pay (id integer, day date, person integer, note text, PRIMARY KEY (id, day))
        PARTITION BY RANGE (day)""",
        "CREATE TABLE pay_1 PARTITION OF pay FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')",
        "ALTER TABLE pay_1 ADD CONSTRAINT paid_by FOREIGN KEY (person) REFERENCES person (id)",
        "INSERT INTO person VALUES (1), (2)",
        "INSERT INTO pay VALUES (5, '2026-02-01', 1, 'x'), (6, '2026-02-01', 2, 'y')",
    )
    store = store_at(postgres_url, write=True)
    alone = plan_of(store, ("person", 1, Delete()))
    assert [(blocker.code, blocker.collection) for blocker in alone.blockers] == [("restrict", "pay")]
    plan = plan_of(store, ("person", 1, Delete()), ("pay", 5, Delete()), ("pay", 6, Unlink("person")))
    assert not plan.blockers
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    assert rows_of(postgres_url, "SELECT id, person, note FROM pay") == [(6, None, "y")]
    store.close()


def test_values_are_made_coarse_in_the_form_they_had(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, born TEXT, at TEXT, zip TEXT, ip TEXT)",
        "INSERT INTO t VALUES (1, '1984-07-21', '2026-03-04 05:06:07', '10115', '203.0.113.77')",
    )
    store = store_at(lite, write=True)
    kinds = {
        "born": GeneralKind.BIRTH_YEAR,
        "at": GeneralKind.DAY,
        "zip": GeneralKind.POSTCODE_PREFIX,
        "ip": GeneralKind.IP_PREFIX,
    }
    plan = plan_of(store, ("t", 1, Set({path: Generalise(kind) for path, kind in kinds.items()})))
    assert applied(store, plan)["t-1"].outcome is Outcome.DONE
    assert rows_of(lite, "SELECT born, at, zip, ip FROM t") == [
        ("1984-01-01", "2026-03-04 00:00:00", "10", "203.0.113.0")
    ]
    assert applied(store, plan)["t-1"].outcome is Outcome.ALREADY
    store.close()


def test_a_span_outside_the_text_is_a_blocker(lite: str) -> None:
    execute(lite, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'short')")
    store = store_at(lite, write=True)
    wrong: Sequence[tuple[tuple[int, int], ...]] = (((2, 9),), ((3, 3),), ((0, 3), (2, 4)))
    for spans in wrong:
        assert codes(plan_of(store, ("t", 1, RedactSpan("v", spans)))) == {"span"}
    store.close()


def test_an_altered_plan_is_refused(lite: str) -> None:
    from dataclasses import replace

    execute(lite, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    store = store_at(lite, write=True)
    plan = plan_of(store, ("t", 1, Set({"v": Null()})))
    other = replace(plan.ops[0], op=Op(plan.ops[0].op.id, ref(store, "t", 2), Delete()))
    with pytest.raises(Terminal, match="plan_altered"):
        applied(store, replace(plan, ops=(other,)))
    with pytest.raises(Terminal, match="plan_expired"):
        applied(store, replace(plan, expires_at=plan.made_at))
    assert rows_of(lite, "SELECT count(*) FROM t") == [(2,)]
    store.close()


def test_a_view_cannot_be_written(lite: str) -> None:
    execute(
        lite,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
        "INSERT INTO t VALUES (1, 'a')",
        "CREATE VIEW w AS SELECT id, v FROM t",
    )
    store = store_at(lite, write=True)
    assert codes(plan_of(store, ("w", 1, Delete()))) == {"not_writable"}
    store.close()
