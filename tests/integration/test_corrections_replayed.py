"""After a restore: what was corrected is corrected again where the values still open, and a person's task elsewhere."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from privacyops.cli.app import build
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.task import Task, TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreUnreachable
from privacyops.services import by_hand, task
from privacyops.services.context import Context
from privacyops.services.dsar import answer, corrections, erasure_plan, handling, identity, intake, review
from privacyops.services.dsar.corrections import WrittenPair
from privacyops.services.dsar.replaying import Replayed, replay
from privacyops.services.erasure import rectify
from privacyops.store import audit, retention
from privacyops.store import correction as corrected
from privacyops.store import task as tasks
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.integration import test_rectification_journey as journey
from tests.integration.test_rectification_journey import MIA, NAME, STREET, approved, change, planned, rows

on_one_engine = journey.on_one_engine
shop = journey.shop
STREETS = "SELECT street FROM customer UNION ALL SELECT ship_to FROM purchase ORDER BY 1"


@dataclass(frozen=True)
class Copy:
    """What was backed up, and when."""

    walker: Walker
    shop: Path
    file: Path
    since: datetime

    @classmethod
    def of(cls, walker: Walker, shop: Path) -> "Copy":
        file = shop.with_suffix(".backup")
        shutil.copy(shop, file)
        return cls(walker, shop, file, walker.clock.now())

    def again(self, *, restores: bool = True, apply: bool = True) -> Replayed:
        if restores:
            shutil.copy(self.file, self.shop)
        return replay(self.walker.context, "shop", self.since, apply=apply)

    def tasks(self) -> list[Task]:
        with self.walker.context.database.reading("shop", self.walker.clock.now()) as tx:
            return [one for one in tasks.list_open_tasks(tx) if (one.code or "").startswith("restored_")]


def codes(done: Replayed) -> list[tuple[str, str]]:
    return [(one.collection, one.code) for one in done.by_hand]


def test_what_was_corrected_is_corrected_again_in_a_restored_copy_and_nothing_else(walker: Walker, shop: Path) -> None:
    copy = Copy.of(walker, shop)
    approved(walker, planned(walker, shop, STREET, NAME))
    right = rows(shop, "SELECT * FROM customer"), rows(shop, "SELECT * FROM purchase")
    shown = copy.again(apply=False)
    assert (shown.corrections, len(shown.corrected), shown.is_left) == (3, 3, False)
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("am wer 1",)], "a dry run writes nothing"
    done = copy.again()
    assert (done.is_whole, done.by_hand, copy.tasks()) == (True, (), [])
    assert (rows(shop, "SELECT * FROM customer"), rows(shop, "SELECT * FROM purchase")) == right
    twice = copy.again(restores=False)
    assert (twice.corrections, twice.corrected, twice.is_whole) == (3, (), True)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        (kept,) = corrected.list_corrected(tx, "shop", copy.since)
        told = repr([(one.action, one.detail) for one in audit.list_audit(tx, None, 100).items])
    assert kept.sealed is not None
    assert b"Wehr" not in kept.sealed
    assert "erasure.replayed" in told
    assert not {word for word in ("Wehr", "Wer 1", "Brandt") if word in told}
    walker.clock.advance(timedelta(hours=1))
    assert replay(walker.context, "shop", walker.clock.now(), apply=True).corrections == 0


def test_values_that_were_destroyed_are_a_task_for_each_collection_with_the_request(walker: Walker, shop: Path) -> None:
    copy = Copy.of(walker, shop)
    dsar_id = planned(walker, shop, STREET)
    approved(walker, dsar_id)
    answer.send_letter(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    answer.close(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        retention.drop_values(tx, dsar_id)
        retention.empty_record(tx, dsar_id)
        (kept,) = corrected.list_corrected(tx, "shop", copy.since)
        assert (kept.sealed, kept.collections) == (None, ("customer", "purchase"))
    left = [("customer", "destroyed"), ("purchase", "destroyed")]
    assert codes(copy.again(apply=False)) == left
    assert copy.tasks() == [], "a dry run asks nobody"
    for _ in range(2):
        done = copy.again()
        assert (codes(done), done.is_whole) == (left, False)
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("am wer 1",)]
    asked = copy.tasks()
    assert [(one.kind, one.dsar_id, one.store, one.code) for one in asked] == [
        (TaskKind.RESIDUAL, dsar_id, "shop", "restored_rectification:customer"),
        (TaskKind.RESIDUAL, dsar_id, "shop", "restored_rectification:purchase"),
    ]
    ada = Office.open(walker).at_desk("Ada", Role.ANALYST)
    page = words_of(ada.read(f"/console/tasks/{asked[0].id}"))
    assert "The store was restored: correct again" in page
    assert "restored rectification: customer" in page
    assert walker.dsar(dsar_id).reference in page
    assert "what you write is not kept" in page
    for _ in range(2):
        ada.send(f"/console/tasks/{asked[0].id}/answer", answer="Wrote the street once more")
    assert [one.code for one in copy.tasks()] == ["restored_rectification:purchase"]


@on_one_engine
def test_a_cell_that_holds_another_value_or_belongs_to_somebody_else_now_is_left_and_said(
    walker: Walker, shop: Path
) -> None:
    copy = Copy.of(walker, shop)
    approved(walker, planned(walker, shop, STREET))
    shutil.copy(copy.file, shop)
    change(shop, "UPDATE customer SET street = 'Deichweg 9' WHERE id = 1; UPDATE purchase SET customer_id = 2")
    done = copy.again(restores=False)
    assert codes(done) == [("customer", "other_value"), ("purchase", "other_person")]
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("Deichweg 9",)]
    assert rows(shop, "SELECT street FROM purchase WHERE id = 12") == [("Am Wer 1",)]
    assert len(copy.tasks()) == 2


@on_one_engine
def test_records_and_cells_that_the_copy_does_not_have_hold_nothing_wrong(walker: Walker, shop: Path) -> None:
    copy = Copy.of(walker, shop)
    approved(walker, planned(walker, shop, STREET))
    shutil.copy(copy.file, shop)
    change(shop, "UPDATE customer SET street = NULL WHERE id = 1; DELETE FROM purchase")
    done = copy.again(restores=False)
    assert (done.corrections, done.corrected, done.by_hand) == (3, (), ())
    change(shop, "DROP TABLE purchase")
    assert codes(copy.again(restores=False)) == [("purchase", "not_shown")]


def corrected_once_more(walker: Walker, dsar_id: DsarId, pair: WrittenPair) -> None:
    """The answer is called back, and something else is wrong."""
    ada = walker.as_staff("Ada", Role.ANALYST)
    handling.recall(walker.as_staff("Marta", Role.APPROVER), dsar_id, "another number")
    corrections.write(ada, dsar_id, pair)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    approved(walker, dsar_id)


@on_one_engine
@pytest.mark.parametrize("at", ["before both", "between"])
def test_a_cell_that_was_corrected_twice_ends_with_the_later_value(walker: Walker, shop: Path, at: str) -> None:
    copy = Copy.of(walker, shop)
    dsar_id = planned(walker, shop, STREET)
    approved(walker, dsar_id)
    if at == "between":
        shutil.copy(shop, copy.file)
    corrected_once_more(walker, dsar_id, WrittenPair("street", "Am Wehr 1", "Am Wehr 7"))
    right = rows(shop, STREETS)
    assert ("Am Wehr 7",) in right
    assert copy.again().is_whole
    assert rows(shop, STREETS) == right
    assert copy.again(restores=False).by_hand == ()


@on_one_engine
def test_what_people_corrected_or_erased_by_hand_is_asked_for_again(walker: Walker, shop: Path) -> None:
    copy = Copy.of(walker, shop)
    dsar_id = journey.asked(walker, shop)
    ada = walker.as_staff("Ada", Role.ANALYST)
    review.finish_review(ada, dsar_id)
    (open_,) = task.list_open(ada)
    by_hand.change_answered(ada, open_.id, "Corrected the street", "Searched for the street again")
    assert codes(copy.again()) == [("customer", "by_hand"), ("purchase", "by_hand")]
    assert {(one.dsar_id, one.code) for one in copy.tasks()} == {
        (dsar_id, "restored_rectification:customer"), (dsar_id, "restored_rectification:purchase"),
    }  # fmt: skip


@on_one_engine
def test_who_was_corrected_and_then_erased_is_only_erased_again(walker: Walker, shop: Path) -> None:
    copy = Copy.of(walker, shop)
    approved(walker, planned(walker, shop, STREET))
    walker.clock.advance(timedelta(hours=1))
    submission = intake.Submission(
        type=RequestType.ERASURE, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(MIA.email))
    walker.settle()
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), receipt.id)
    walker.settle()
    approved(walker, receipt.id)
    assert rows(shop, "SELECT id FROM customer") == [(2,)]
    for apply in (False, True):
        done = copy.again(apply=apply)
        assert (len(done.ops), done.corrected, done.by_hand) == (3, (), ())
    assert rows(shop, "SELECT id FROM customer") == [(2,)]


@on_one_engine
def test_what_was_written_before_the_store_stopped_is_written_again(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy.of(walker, shop)
    dsar_id = planned(walker, shop, STREET)

    def gone_away(*_: Any) -> None:
        raise StoreUnreachable("shop", "connection")

    with monkeypatch.context() as unplugged:
        unplugged.setattr(rectify, "read_back", gone_away)
        approved(walker, dsar_id)
    right = rows(shop, STREETS)
    assert copy.again().is_whole
    assert rows(shop, STREETS) == right


class _Lent:
    """The house of the test, which the command may not close."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def close(self) -> None:
        """Nothing: the test does."""


def told(walker: Walker, monkeypatch: pytest.MonkeyPatch, since: datetime, *more: str) -> tuple[int, str, str]:
    monkeypatch.setattr("privacyops.cli.store_replay.open_house", lambda: _Lent(walker.context))
    words = ["store", "replay-erasures", "--store", "shop", "--since", since.isoformat(), *more]
    done = CliRunner().invoke(build(words), words)
    return done.exit_code, done.stdout, done.stderr


@on_one_engine
def test_the_command_says_both_and_its_status_is_that_of_erasures(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy.of(walker, shop)
    dsar_id = planned(walker, shop, STREET)
    approved(walker, dsar_id)
    assert told(walker, monkeypatch, copy.since, "--apply")[0] == 4
    shutil.copy(copy.file, shop)
    assert told(walker, monkeypatch, copy.since, "--plan-only")[0] == 0
    status, said, _ = told(walker, monkeypatch, copy.since, "--apply", "--json")
    assert status == 0
    lines = [json.loads(line) for line in said.splitlines()]
    assert {(one["again"], one["op"], one["outcome"], one["verdict"]) for one in lines} == {
        ("corrected", "set", "done", "changed")
    }
    assert "Wehr" not in said
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        retention.drop_values(tx, dsar_id)
    shutil.copy(copy.file, shop)
    status, _, said = told(walker, monkeypatch, copy.since, "--apply")
    reference = walker.dsar(dsar_id).reference
    wanted = f"store shop: request {reference}: customer: correct again by hand: its values have been destroyed"
    assert (status, wanted in said, said.count("it is a task")) == (3, True, 2)


@pytest.mark.postgres
@on_one_engine
def test_a_restored_postgresql_shop_is_corrected_again(
    walker: Walker, new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    here, there = new_postgres_database(), new_postgres_database()
    plain = here.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute(
            """
            CREATE TABLE customer (id integer PRIMARY KEY, name text, email text UNIQUE, phone text, street text,
              birth_date date, extra jsonb);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101', 'Am Wer 1',
                '1990-01-02', '{"ship": "Mia Brandt, Am Wer 1"}'),
              (2, 'Ole Brandt', 'o.brandt@example.net', '+49 30 5550102', 'Am Wer 1', '1990-01-02', '{}');
            """
        )
    walker.connect("shop", tmp_path / "unused")
    secret = walker.house.settings.data / "shop.url"
    secret.write_text(here)
    since = walker.clock.now()
    dump = subprocess.run(["pg_dump", plain], check=True, capture_output=True)
    born = WrittenPair("birth_date", "1990-01-02", "1990-02-01")
    dsar_id = planned_in(walker, STREET, born)
    approved(walker, dsar_id)
    query = "SELECT street, birth_date::text, extra->>'ship' FROM customer ORDER BY id"
    right = [("Am Wehr 1", "1990-02-01", "Mia Brandt, Am Wehr 1"), ("Am Wer 1", "1990-01-02", None)]
    with psycopg.connect(plain) as connection:
        assert connection.execute(query).fetchall() == right
    copy = there.replace("+psycopg", "")
    subprocess.run(["psql", "-q", copy], input=dump.stdout, check=True, capture_output=True)
    secret.write_text(there)
    done = replay(walker.context, "shop", since, apply=True)
    assert (done.is_whole, done.by_hand, len(done.corrected)) == (True, (), 1)
    with psycopg.connect(copy) as connection:
        assert connection.execute(query).fetchall() == right
    assert replay(walker.context, "shop", since, apply=True).corrected == ()


def planned_in(walker: Walker, *pairs: WrittenPair) -> DsarId:
    """As `planned`, in a store that is connected."""
    submission = intake.Submission(
        type=RequestType.RECTIFICATION, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(MIA.email))
    walker.settle()
    ada = walker.as_staff("Ada", Role.ANALYST)
    for pair in pairs:
        corrections.write(ada, receipt.id, pair)
    erasure_plan.plan(ada, receipt.id)
    walker.settle()
    return receipt.id
