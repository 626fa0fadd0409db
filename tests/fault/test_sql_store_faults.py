"""A shop's database that dies, hangs, locks or loses its answer: the right refusal in time, and no half work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
import sqlalchemy as sa

from connectors.sql.writing import SqlStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Cancelled,
    Hit,
    Leaf,
    Mark,
    Null,
    Op,
    OpId,
    Outcome,
    Page,
    PredicateOp,
    RandomToken,
    Retriable,
    Set,
)
from privacyops.connector_sdk.testing.bench import Spy, applied
from privacyops.connector_sdk.testing.faults import Fault, FaultProxy
from tests.contract.sql_support import execute, found, rows_of, store_at
from tests.servers import Server

PERSON = "CREATE TABLE person (id integer PRIMARY KEY, email text UNIQUE, phone text)"
FILL = "INSERT INTO person SELECT i, 'p' || i || '@example.com', '555' FROM generate_series(1, 3000) i"
ERASE = Set({"email": RandomToken("erased-{r}@invalid.example"), "phone": Null()})


@pytest.fixture
def behind(postgres_url: str) -> Iterator[tuple[FaultProxy, str, str]]:
    """A proxy, the address through it, and the address past it."""
    execute(postgres_url, PERSON, FILL)
    url = sa.engine.make_url(postgres_url)
    assert url.port is not None
    with FaultProxy("127.0.0.1", url.port) as proxy:
        through = url.set(port=proxy.port, query={"sslmode": "disable"})
        yield proxy, through.render_as_string(hide_password=False), postgres_url


def refusal_within(seconds: float, act: Callable[[], object]) -> Retriable:
    """The refusal `act` ends with, and not later than that."""
    began = time.monotonic()
    with pytest.raises(Retriable) as caught:
        act()
    assert time.monotonic() - began < seconds
    return caught.value


def read_everything(store: SqlStore, seconds: float = 20) -> int:
    items = store.find(Spy(seconds=seconds).call(), "person", EVERY_ROW, (), Page(5000))
    return sum(isinstance(item, Hit) for item in items)


@pytest.mark.postgres
def test_a_server_that_refuses_connections_is_tried_again_later(behind: tuple[FaultProxy, str, str]) -> None:
    proxy, through, _ = behind
    proxy.behave(Fault.CUT)
    store = store_at(through)
    assert refusal_within(8, lambda: store.health(Spy(seconds=5).call())).code == "connection"
    store.close()


@pytest.mark.postgres
def test_a_server_that_stops_answering_is_given_up_at_the_deadline(behind: tuple[FaultProxy, str, str]) -> None:
    proxy, through, _ = behind
    store = store_at(through)
    assert read_everything(store) == 3000
    proxy.behave(Fault.SILENT)
    assert refusal_within(5, lambda: read_everything(store, seconds=1)).code == "deadline"
    proxy.behave(Fault.NONE)
    assert read_everything(store) == 3000
    store.close()


@pytest.mark.postgres
def test_a_connection_cut_in_mid_run_is_opened_anew_and_the_scan_goes_on(behind: tuple[FaultProxy, str, str]) -> None:
    proxy, through, _ = behind
    store = store_at(through)
    first = list(store.find(Spy().call(), "person", EVERY_ROW, (), Page(100)))
    mark = first[-1]
    assert isinstance(mark, Mark)
    proxy.behave(Fault.CUT)
    following = Page(5000, mark.after)
    refusal_within(8, lambda: list(store.find(Spy(seconds=5).call(), "person", EVERY_ROW, (), following)))
    proxy.behave(Fault.NONE)
    rest = [hit for hit in store.find(Spy().call(), "person", EVERY_ROW, (), following) if isinstance(hit, Hit)]
    assert len(rest) == 2900
    store.close()


@pytest.mark.postgres
def test_a_lost_answer_is_repeated_without_a_second_effect(behind: tuple[FaultProxy, str, str]) -> None:
    proxy, through, past = behind
    store = store_at(through, write=True)

    def erase(number: int, cut_after: int | None) -> tuple[Outcome, bool]:
        """How the repetition ended, and whether the first attempt had its effect before its answer was lost."""
        ref = found(store, "person", Leaf("x", "id", PredicateOp.EQ, number))[0].ref
        plan = store.plan(Spy().call(), [Op(OpId("o"), ref, ERASE)])
        proxy.behave(Fault.NONE if cut_after is None else Fault.CUT_AFTER, after_bytes=cut_after or 0)
        with suppress(Retriable):
            applied(store, plan, Spy(seconds=5))
        email = rows_of(past, f"SELECT email FROM person WHERE id = {number:d}")[0][0]  # noqa: S608 - a number
        usual = proxy.passed
        proxy.behave(Fault.NONE)
        outcome = applied(store, plan)["o"].outcome
        again = rows_of(past, f"SELECT email FROM person WHERE id = {number:d}")[0][0]  # noqa: S608 - a number
        assert again.startswith("erased-")
        assert email in {f"p{number}@example.com", again}, "the second attempt wrote a second time"
        sizes.append(usual)
        return outcome, email == again

    sizes: list[int] = []
    erase(1, None)
    whole = sizes[0]
    seen = {erase(10 + at, whole - back) for at, back in enumerate((whole, whole // 2, 60, 40, 20, 12, 8, 4, 1))}
    assert seen == {(Outcome.DONE, False), (Outcome.ALREADY, True)}
    store.close()


@contextmanager
def paused(server: Server) -> Iterator[None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


@pytest.mark.stores
@pytest.mark.fault
def test_a_frozen_mariadb_is_given_up_at_the_deadline(mariadb_url: str, mariadb_server: Server) -> None:
    execute(mariadb_url, "CREATE TABLE person (id integer PRIMARY KEY)", "INSERT INTO person VALUES (1)")
    store = store_at(mariadb_url)
    assert read_everything(store) == 1
    with paused(mariadb_server):
        assert refusal_within(5, lambda: read_everything(store, seconds=1)).code == "deadline"
    assert read_everything(store) == 1
    store.close()


@pytest.mark.postgres
def test_a_cancelled_call_ends_its_statement_at_once(postgres_url: str) -> None:
    execute(postgres_url, "CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(20)::text AS wait")
    store = store_at(postgres_url)
    began = time.monotonic()
    spy = Spy(is_cancelled=lambda: time.monotonic() - began > 0.3)
    with pytest.raises(Cancelled):
        list(store.find(spy.call(), "slow", EVERY_ROW, (), Page(1)))
    assert time.monotonic() - began < 5
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        assert connection.execute(asked).fetchone() == (1,)
    store.close()


@pytest.mark.postgres
def test_a_statement_over_its_time_out_is_tried_again_later(postgres_url: str) -> None:
    execute(postgres_url, "CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(20)::text AS wait")
    store = store_at(postgres_url, statement_timeout=0.3)
    refusal = refusal_within(5, lambda: list(store.find(Spy().call(), "slow", EVERY_ROW, (), Page(1))))
    assert refusal.code == "timeout"
    store.close()


@pytest.mark.postgres
def test_a_row_locked_by_the_shop_is_tried_again_later_and_nothing_is_written(postgres_url: str) -> None:
    execute(postgres_url, PERSON, "INSERT INTO person VALUES (1, 'a@example.com', '5'), (2, 'b@example.com', '5')")
    store = store_at(postgres_url, write=True, lock_timeout=0.2)
    refs = [hit.ref for hit in found(store, "person")]
    plan = store.plan(Spy().call(), [Op(OpId(f"o{at}"), ref, ERASE) for at, ref in enumerate(refs)])
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as shop:
        shop.execute("SELECT * FROM person WHERE id = 2 FOR UPDATE")
        assert refusal_within(5, lambda: applied(store, plan)).code == "lock"
        assert shop.execute("SELECT count(*) FROM person WHERE email LIKE 'erased%'").fetchone() == (0,)
        shop.rollback()
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    store.close()


@pytest.mark.postgres
def test_the_reading_role_cannot_write_even_by_accident(postgres_url: str) -> None:
    execute(
        postgres_url,
        PERSON,
        "CREATE FUNCTION sneaky() RETURNS integer LANGUAGE sql AS"
        " $$ INSERT INTO person VALUES (9, 'x@example.com', '') RETURNING id $$",
        "CREATE VIEW trap AS SELECT sneaky() AS id",
    )
    store = store_at(postgres_url)
    with pytest.raises(Exception, match="read_only"):
        list(store.find(Spy().call(), "trap", EVERY_ROW, (), Page(1)))
    assert rows_of(postgres_url, "SELECT count(*) FROM person") == [(0,)]
    store.close()
