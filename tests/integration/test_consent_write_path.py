"""The write path of consent: few statements, one event for one choice however often it is sent. On both engines."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from privacyops.domain.account.action import Scope
from privacyops.domain.account.actor import api_key
from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Reason
from privacyops.domain.log import Log
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import ledger, purpose
from privacyops.services.consent import answering, feeding, replaying, scrubbing, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.scrubbing import Emit, Form, ScrubQuestion
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, DuplicateChoice, Written
from privacyops.services.consent.terms import Scope as StopScope
from privacyops.services.context import Context
from privacyops.services.idempotency import Call, IdempotencyKeyReused
from privacyops.store import sequencer
from privacyops.store.engine import Engines, connect, count_statements
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import EventPrivateRow
from privacyops.store.tables.job import LeaseRow
from privacyops.store.tables.ledger import LedgerLeafRow
from privacyops.store.uow import Database, DatabaseFull
from tests.small_service import small_service
from tests.world import clone

GRANT, REFUSE = ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE
NEWSLETTER = Choice("newsletter", "email", GRANT)
ROUND_TRIPS = 5


@pytest.fixture
def machine(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


@pytest.fixture
def ctx(machine: Context) -> Context:
    return machine.acting_as(
        api_key(ApiKeyId(uuid4()), "shop-group", Scope.CONSENT_WRITE, Scope.CONSENT_CHECK, Scope.FEED_READ)
    )


def kim(ctx: Context, **more: str) -> Whom:
    found = [
        (IdentifierType.EMAIL, "kim@example.com"),
        *((IdentifierType(kind), value) for kind, value in more.items()),
    ]
    return Whom.of(ctx, None, found)


def write(ctx: Context, *choices: Choice, call: Call | None = None, whom: Whom | None = None, **how: Any) -> Written:
    return writing.record_choices(
        ctx, whom or kim(ctx), choices or (NEWSLETTER,), Circumstances(Method.FORM, **how), call
    )


def events(ctx: Context) -> int:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        return len(tx.run(select(table_of(EventPrivateRow).c.event_id)).all())


def every_choice(ctx: Context) -> list[Choice]:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        known = purpose.catalogue(ctx, tx).purposes
    return [Choice(key, channel, REFUSE) for key, one in known.items() for channel in one.current.channels]


# --- statements -------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_write_takes_five_round_trips_at_most_whatever_it_holds(
    postgres_ctx: Context, postgres_engines: Engines
) -> None:
    many, told = every_choice(postgres_ctx), count_statements(postgres_engines)
    many = [Choice(one.purpose, one.channel, GRANT) for one in many]
    assert len(many) > 5
    evidence = {"url": "https://shop.example/checkout"}
    for whom in (kim(postgres_ctx), kim(postgres_ctx), kim(postgres_ctx, customer_id="4711", phone="+4915112345678")):
        before = told()
        write(
            postgres_ctx,
            *many,
            whom=whom,
            call=Call.of(uuid4().hex, b""),
            client_event_id=uuid4().hex,
            evidence=evidence,
        )
        assert told() - before <= ROUND_TRIPS
    before = told()
    writing.withdraw(
        postgres_ctx, kim(postgres_ctx), StopScope(), Circumstances(Method.FORM), Call.of(uuid4().hex, b"")
    )
    assert told() - before <= ROUND_TRIPS


def test_the_number_of_statements_does_not_grow_with_the_choices(ctx: Context, engines: Engines) -> None:
    many, told = every_choice(ctx), count_statements(engines)
    write(ctx)

    def cost(*choices: Choice) -> int:
        before = told()
        write(ctx, *choices, call=Call.of(uuid4().hex, b""))
        return told() - before

    assert cost(*many[:1]) == cost(*many)


@pytest.fixture
def postgres_engines(migrated_postgres: str) -> Iterator[Engines]:
    engines = connect(clone(migrated_postgres, f"t{uuid4().hex[:12]}"))
    yield engines
    engines.dispose()


@pytest.fixture
def postgres_ctx(postgres_engines: Engines, clock: ManualClock) -> Context:
    ctx = small_service(Database(postgres_engines), clock)
    purpose.install_shipped(ctx)
    return ctx


# --- once -------------------------------------------------------------------------------------------------------


def test_the_same_purpose_and_channel_twice_is_refused_and_nothing_written(ctx: Context) -> None:
    """Case 17."""
    with pytest.raises(DuplicateChoice):
        write(ctx, NEWSLETTER, Choice("newsletter", "email", REFUSE), call=Call.of("k", b"x"))
    assert events(ctx) == 0
    assert not write(ctx, call=Call.of("k", b"x")).is_replayed


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """`count` threads that begin together; what each returned or raised."""
    gate, told = threading.Barrier(count), []

    def one(number: int) -> None:
        gate.wait(20)
        try:
            told.append(work(number))
        except Exception as refusal:
            told.append(refusal)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == count
    return told


def test_the_same_call_twenty_times_at_once_is_one_event(ctx: Context) -> None:
    """Case 18."""
    told = at_once(20, lambda _: write(ctx, call=Call.of("one", b"body")))
    answers = [one.to_json() for one in told if isinstance(one, Written)]
    assert len(answers) == 20, told
    assert all(answer == answers[0] for answer in answers)
    assert sum(not one.is_replayed for one in told if isinstance(one, Written)) == 1
    assert events(ctx) == 1


def test_the_same_key_with_another_body_is_refused(ctx: Context) -> None:
    """Case 19."""
    write(ctx, call=Call.of("k", b"one"))
    with pytest.raises(IdempotencyKeyReused):
        write(ctx, call=Call.of("k", b"two"))
    assert events(ctx) == 1


def test_the_callers_own_id_makes_a_choice_unique_for_ever(ctx: Context, clock: ManualClock) -> None:
    """Case 20."""
    first = write(ctx, client_event_id="till-7-0815", call=Call.of("a", b""))
    clock.advance(timedelta(days=8))
    again = write(ctx, client_event_id="till-7-0815", call=Call.of("b", b""))
    assert again.is_replayed
    assert again.events == first.events
    assert events(ctx) == 1


def test_people_who_come_at_once_share_commits_and_stay_whole(ctx: Context, machine: Context) -> None:
    def work(number: int) -> Written:
        whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"p{number % 8}@example.com")])
        return write(ctx, Choice("newsletter", "email", GRANT if number % 2 else REFUSE), whom=whom)

    told = at_once(24, work)
    assert all(isinstance(one, Written) for one in told), told
    ledger.drain(machine, "test")
    report = ledger.examine(machine, Log.CONSENT)
    assert report.is_good
    assert replaying.replay(machine).is_good
    assert events(ctx) == 24


# --- faults -----------------------------------------------------------------------------------------------------


def test_a_second_sequencer_cannot_commit_what_a_deposed_one_began(
    machine: Context, ctx: Context, clock: ManualClock
) -> None:
    """Case 66."""
    write(ctx)
    assert ledger.number(machine, Log.CONSENT, "first") > 0
    write(ctx, Choice("newsletter", "email", REFUSE))
    assert ledger.number(machine, Log.CONSENT, "second") == 0
    if ctx.database.engines.dialect == "sqlite":  # its clock is the test's; PostgreSQL's leases run on the server's own
        clock.advance(sequencer.LEASE_TTL)
        assert ledger.number(machine, Log.CONSENT, "second") == 1
        assert ledger.number(machine, Log.CONSENT, "first") == 0
    found = numbers(ctx)
    assert found == list(range(1, len(found) + 1))


@pytest.fixture
def on_postgres(migrated_postgres: str, clock: ManualClock) -> Iterator[Context]:
    """Several may write at once there; SQLite has one writing transaction, so none is open across another's."""
    engines = connect(clone(migrated_postgres, f"t{uuid4().hex}"))
    ctx = small_service(Database(engines), clock)
    purpose.install_shipped(ctx)
    yield ctx
    engines.dispose()


def numbers(ctx: Context) -> list[int]:
    leaf = table_of(LedgerLeafRow)
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        return list(tx.run(select(leaf.c.seq).where(leaf.c.log == "consent").order_by(leaf.c.seq)).scalars())


def let_the_lease_run_out(ctx: Context) -> None:
    lease = table_of(LeaseRow)
    with ctx.database.transaction("shop-group", ctx.clock.now()) as tx:
        ran_out = update(lease).where(lease.c.name == sequencer.lease_name("shop-group"))
        assert tx.run(ran_out.values(until=datetime(2000, 1, 1, tzinfo=UTC))).rowcount == 1


@pytest.mark.postgres
def test_a_transaction_that_an_old_holder_opened_before_the_takeover_numbers_nothing(on_postgres: Context) -> None:
    """Case 66: its epoch is over, though its transaction is older than that of who took over."""
    write(on_postgres)
    assert ledger.number(on_postgres, Log.CONSENT, "first") > 0
    write(on_postgres, Choice("newsletter", "email", REFUSE))
    prefix = ledger.prefix_of(on_postgres, Log.CONSENT)
    with on_postgres.database.transaction("shop-group", on_postgres.clock.now()) as old:
        assert sequencer.load_head(old, Log.CONSENT) is not None
        let_the_lease_run_out(on_postgres)
        assert ledger.number(on_postgres, Log.CONSENT, "second") == 1
        write(on_postgres)
        assert sequencer.run_round(old, Log.CONSENT, "first", prefix) is None
    assert ledger.number(on_postgres, Log.CONSENT, "second") == 1
    found = numbers(on_postgres)
    assert found == list(range(1, len(found) + 1))
    ledger.drain(on_postgres, "second")
    assert ledger.examine(on_postgres, Log.CONSENT).is_good


@pytest.mark.postgres
def test_nobody_takes_over_in_the_middle_of_a_round(on_postgres: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 66: the round holds the lease's row until it commits, however long ago the lease ran out."""
    write(on_postgres)
    assert ledger.number(on_postgres, Log.CONSENT, "first") > 0
    write(on_postgres, Choice("newsletter", "email", REFUSE))
    in_the_middle, go, told = threading.Event(), threading.Event(), dict[str, int]()

    def pause(_: str) -> None:
        if threading.current_thread().name == "first":
            in_the_middle.set()
            assert go.wait(30)

    def number(owner: str) -> None:
        told[owner] = ledger.number(on_postgres, Log.CONSENT, owner)

    monkeypatch.setattr("privacyops.store.sequencer.crash_point", pause)
    monkeypatch.setattr("privacyops.store.sequencer.LEASE_TTL", timedelta(0))  # over before the round is
    first, second = (threading.Thread(target=number, args=(name,), name=name) for name in ("first", "second"))
    first.start()
    assert in_the_middle.wait(30)
    second.start()
    second.join(0.3)
    assert second.is_alive(), "it waits for the row of the lease"
    go.set()
    for thread in (first, second):
        thread.join(30)
        assert not thread.is_alive()
    assert told == {"first": 1, "second": 0}
    found = numbers(on_postgres)
    assert found == list(range(1, len(found) + 1))


def test_a_rolled_back_write_shows_nowhere(ctx: Context, machine: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 70: not in the answer, not in the feed, not in the log."""
    ledger.drain(machine, "test")
    before = feeding.changes_after(ctx, 0, 5_000, 0).high_water

    class Died(Exception):
        """In the last moment before the commit."""

    def die(_: str) -> None:
        raise Died

    monkeypatch.setattr("privacyops.services.consent.appending.crash_point", die)
    with pytest.raises(Died):
        write(ctx, call=Call.of("k", b""))
    monkeypatch.undo()
    ledger.drain(machine, "test")
    assert answering.check(ctx, Question(kim(ctx), "newsletter", "email")).decision.reason is Reason.NO_CONSENT
    assert feeding.changes_after(ctx, before, 5_000, 0).items == []
    assert events(ctx) == 0
    assert not write(ctx, call=Call.of("k", b"")).is_replayed


def test_a_full_disk_is_a_clear_refusal_and_loses_nothing(
    tmp_path: Path, migrated_sqlite: Path, clock: ManualClock
) -> None:
    """Case 65, the disk: writes are refused with 503, checks go on, space that comes back needs no restart."""
    path = tmp_path / "full.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engines = connect(f"sqlite:///{path}")
    ctx = small_service(Database(engines), clock)
    purpose.install_shipped(ctx)
    acknowledged = [write(ctx)]

    def allow(pages: int) -> None:
        with engines.writer.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with engines.writer.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        size = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    allow(size + 4)
    refused = None
    for number in range(400):
        whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"p{number}@example.com")])
        try:
            acknowledged.append(write(ctx, whom=whom))
        except DatabaseFull as full:
            refused = full
            break
    assert refused is not None
    assert refused.status == 503
    assert answering.check(ctx, Question(kim(ctx), "newsletter", "email")).decision.reason is Reason.GRANTED
    allow(1_000_000)
    acknowledged.append(write(ctx, Choice("newsletter", "email", REFUSE)))
    ledger.drain(ctx, "test")
    assert ledger.examine(ctx, Log.CONSENT).is_good
    assert replaying.replay(ctx).is_good
    assert events(ctx) == len(acknowledged)
    engines.dispose()


# --- lists and long histories -----------------------------------------------------------------------------------


def test_the_summary_of_a_list_is_its_last_line(ctx: Context) -> None:
    """Case 72."""
    text = b"".join(b'{"row":"%d","email":"p%d@example.com"}\n' % (at, at) for at in range(2_500))
    stream = scrubbing.scrub(ctx, ScrubQuestion("newsletter", "email", emit=Emit.ALL), io.BytesIO(text), Form.NDJSON)
    first = next(stream)
    assert b"summary" not in first
    whole = first + b"".join(stream)
    assert whole.splitlines()[-1].startswith(b'{"summary":{"rows":2500,')


def test_a_list_whose_sender_goes_away_in_the_middle_has_no_summary(ctx: Context) -> None:
    """Case 72: through a real socket, which the sender closes."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        for at in range(1_500):
            ours.sendall(b'{"row":"%d","email":"p%d@example.com"}\n' % (at, at))
        ours.sendall(b'{"row":"1500","email":"p15')  # and no more
        ours.close()

    sender = threading.Thread(target=send)
    sender.start()
    with theirs, theirs.makefile("rb") as source:
        lines = b"".join(scrubbing.scrub(ctx, ScrubQuestion("newsletter", "email", emit=Emit.ALL), source, Form.NDJSON))
    sender.join(10)
    assert b'"summary"' not in lines
    assert lines.splitlines()[-1].startswith(b'{"error":')


def test_a_long_history_does_not_slow_the_check(ctx: Context, clock: ManualClock) -> None:
    """Case 78: a write and a check read what stands, never the 2,000 events behind it."""
    told = count_statements(ctx.database.engines)

    def cost() -> tuple[float, int]:
        times, before = [], told()
        for _ in range(25):
            began = time.perf_counter()
            answering.check(ctx, Question(kim(ctx), "newsletter", "email"))
            times.append(time.perf_counter() - began)
        return min(times), told() - before

    write(ctx)
    fresh, statements = cost()
    many = every_choice(ctx)
    for number in range(2_000 // len(many) + 1):
        clock.advance(timedelta(seconds=1))
        write(ctx, *(Choice(one.purpose, one.channel, GRANT if number % 2 else REFUSE) for one in many))
    assert events(ctx) > 2_000
    old, as_many = cost()
    assert as_many == statements
    assert old < fresh * 3 + 0.001
