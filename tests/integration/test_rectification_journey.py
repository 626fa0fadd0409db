"""A request for rectification: pairs, dry run, four eyes, corrected in each store, read back, told, receipted."""

import json
import sqlite3
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.services import job as jobs
from privacyops.services.dsar import answer, corrections, erasing, erasure_plan, identity, intake, review
from privacyops.services.dsar.corrections import WrittenPair
from privacyops.services.erasure import applying
from privacyops.store import audit, retention
from privacyops.store import correction as stored
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.shop import ShopClient

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""No SQL of its own is in these stories; the first two and a killed worker are told on both engines."""
MIA = Requester(email="mia.brandt@example.com", name="Mia Brandt", order_number="LS-1002")
STREET = WrittenPair("street", "Am Wer 1", "Am Wehr 1")
NAME = WrittenPair("name", "Mia Brandt", "Mia Brandt-Ohm")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT, street TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, ship_to TEXT, street VARCHAR(9), total NUMERIC);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101', 'am wer 1'),
              (2, 'Ole Brandt', 'o.brandt@example.net', '+49 30 5550102', 'Am Wer 1');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 'Mia Brandt, Am Wer 1, 10115 Berlin', NULL, 19.9),
              (12, 1, 'LS-1002', 'Mia Brandt, Am Wer 12', 'Am Wer 1', 7.5),
              (13, 2, 'LS-1003', 'Ole Brandt, Am Wer 1', NULL, 99);
            """
        )
    return path


def rows(shop: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(shop)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def change(shop: Path, script: str) -> None:
    with sqlite3.connect(shop) as database:
        database.executescript(script)
    database.close()


def asked(walker: Walker, shop: Path) -> DsarId:
    """Mia's request for rectification, proven and searched."""
    walker.connect("shop", shop)
    submission = intake.Submission(
        type=RequestType.RECTIFICATION, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    code = walker.code_for("mia.brandt@example.com")
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, code)
    walker.settle()
    assert walker.dsar(receipt.id).state is DsarState.IN_REVIEW
    return receipt.id


def planned(walker: Walker, shop: Path, *pairs: WrittenPair) -> DsarId:
    dsar_id = asked(walker, shop)
    ada = walker.as_staff("Ada", Role.ANALYST)
    for pair in pairs:
        corrections.write(ada, dsar_id, pair)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    return dsar_id


def approved(walker: Walker, dsar_id: DsarId, *, settles: bool = True) -> None:
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    dsar = walker.dsar(dsar_id)
    marta = walker.as_staff("Marta", Role.APPROVER)
    review.approve_answer(marta, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)
    if settles:
        walker.settle()


def only(walker: Walker, dsar_id: DsarId) -> Any:
    (one,) = erasing.all_of(walker.as_staff("Dora", Role.DPO), dsar_id)
    return one


def open_tasks(walker: Walker, dsar_id: DsarId) -> set[tuple[TaskKind, str | None]]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return {(one.kind, one.code) for one in tasks.list_tasks_of(tx, dsar_id) if one.state in OPEN_TASKS}


def receipt_of(walker: Walker, dsar_id: DsarId) -> dict[str, Any]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        ((_, jws, _),) = erasures.list_receipts(tx, dsar_id)
    body: dict[str, Any] = json.loads(urlsafe_b64decode(jws.split(".")[1] + "=="))
    return body


def trail(walker: Walker, dsar_id: DsarId) -> str:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return repr([(one.action, one.detail) for one in audit.list_audit_of(tx, "dsar", str(dsar_id), 200)])


def test_two_pairs_go_by_a_plan_into_the_persons_own_rows_and_nobody_elses(walker: Walker, shop: Path) -> None:
    before = rows(shop, "SELECT * FROM customer WHERE id = 2"), rows(shop, "SELECT * FROM purchase WHERE id = 13")
    dsar_id = planned(walker, shop, STREET, NAME)
    plan = only(walker, dsar_id).plan
    assert plan["corrected"] == [{"kind": "street", "cells": 3}, {"kind": "name", "cells": 3}]
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("am wer 1",)], "a dry run writes nothing"
    approved(walker, dsar_id)
    assert rows(shop, "SELECT name, street FROM customer WHERE id = 1") == [("Mia Brandt-Ohm", "Am Wehr 1")]
    assert rows(shop, "SELECT ship_to, street FROM purchase WHERE customer_id = 1") == [
        ("Mia Brandt-Ohm, Am Wehr 1, 10115 Berlin", None), ("Mia Brandt-Ohm, Am Wer 12", "Am Wehr 1"),
    ]  # fmt: skip
    assert before == (
        rows(shop, "SELECT * FROM customer WHERE id = 2"), rows(shop, "SELECT * FROM purchase WHERE id = 13"),
    )  # fmt: skip
    assert only(walker, dsar_id).state is ErasingState.VERIFIED
    receipt = receipt_of(walker, dsar_id)
    assert (receipt["type"], receipt["whole"]) == ("rectification", True)
    answer.send_letter(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    text = " ".join(walker.mails()[0].text.split())
    assert "corrected: street, name (3 records); every one was read again afterwards" in text
    answer.close(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    assert walker.dsar(dsar_id).outcome is Outcome.FULFILLED
    told = trail(walker, dsar_id)
    assert "rectification.ended" in told
    for value in ("Wer", "Wehr", "Brandt"):
        assert value not in told + json.dumps(receipt) + json.dumps(plan)
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        kept = stored.find_corrections(tx, dsar_id)
        assert kept is not None
        assert b"Wehr" not in kept.sealed
        retention.drop_values(tx, dsar_id)
        assert stored.find_corrections(tx, dsar_id) is None
        assert erasures.list_erasures(tx, dsar_id)[0].plan_sealed is None


@on_one_engine
def test_a_value_that_no_store_holds_is_said_and_sent_to_nobody(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop, WrittenPair("street", "Deichweg 9", "Deichweg 6"))
    ada = walker.as_staff("Ada", Role.ANALYST)
    page = words_of(
        Office.open(walker)
        .at_desk("Ada", Role.ANALYST)
        .read(f"/console/requests/{walker.dsar(dsar_id).reference}/plan")
    )
    assert "Not found anywhere as it was written: street" in page
    assert "Deichweg" not in page
    with pytest.raises(erasure_plan.NothingToCorrect):
        review.submit_for_approval(ada, dsar_id)
    corrections.write(ada, dsar_id, STREET)
    with pytest.raises(erasure_plan.ErasureNotPlanned):
        review.submit_for_approval(ada, dsar_id)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    assert review.submit_for_approval(ada, dsar_id).state is DsarState.AWAITING_APPROVAL


@on_one_engine
def test_what_was_typed_in_place_of_a_column_is_on_no_plan(walker: Walker, shop: Path) -> None:
    typed = WrittenPair("column", "x", "y", "Mia Brandt, Am Wer 1")
    plan = only(walker, planned(walker, shop, STREET, typed)).plan
    assert plan["corrected"] == [{"kind": "street", "cells": 3}, {"kind": "column", "cells": 0}]


@on_one_engine
def test_without_pairs_people_correct_by_hand_as_before(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop, STREET)
    ada = walker.as_staff("Ada", Role.ANALYST)
    ((name, _),) = corrections.open_corrections(ada, dsar_id)
    assert corrections.write(ada, dsar_id, None, [name]) == 0
    review.finish_review(ada, dsar_id)
    walker.settle()
    assert open_tasks(walker, dsar_id) == {(TaskKind.MANUAL_STORE, "rectification")}
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("am wer 1",)]


@on_one_engine
def test_a_cell_that_cannot_take_the_value_is_shown_before_and_a_task_afterwards(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop, STREET, WrittenPair("email", "mia.brandt@example.com", "o.brandt@example.net"))
    blocked = [(each["collection"], each["column"], each["code"]) for each in only(walker, dsar_id).plan["blockers"]]
    assert blocked == [("customer", "email", "unique")]
    approved(walker, dsar_id)
    assert rows(shop, "SELECT street, email FROM customer WHERE id = 1") == [("Am Wehr 1", "mia.brandt@example.com")]
    assert only(walker, dsar_id).state is ErasingState.RESIDUAL
    assert (TaskKind.RESIDUAL, "left_after_rectification") in open_tasks(walker, dsar_id)
    assert receipt_of(walker, dsar_id)["whole"] is False
    page = Office.open(walker).at_desk("Ada", Role.ANALYST).read("/console/tasks?view=all")
    assert "Correct what was left" in page


@on_one_engine
def test_what_was_left_as_it_is_and_what_changed_since_the_search_is_not_overwritten(
    walker: Walker, shop: Path
) -> None:
    dsar_id = asked(walker, shop)
    ada = walker.as_staff("Ada", Role.ANALYST)
    review.decide(ada, dsar_id, Decision.EXCLUDE, store="shop", collection="purchase", reason="DATA_ACCURATE")
    change(shop, "UPDATE customer SET street = 'Deichweg 9' WHERE id = 1")
    corrections.write(ada, dsar_id, STREET)
    corrections.write(ada, dsar_id, WrittenPair("column", "+49 30 5550101", "+49 30 5550109", "customer.phone"))
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    assert only(walker, dsar_id).plan["corrected"] == [
        {"kind": "street", "cells": 0}, {"kind": "customer.phone", "cells": 1},
    ]  # fmt: skip
    change(shop, "UPDATE customer SET phone = '+49 30 5550107' WHERE id = 1")
    approved(walker, dsar_id)
    assert rows(shop, "SELECT street, phone FROM customer WHERE id = 1") == [("Deichweg 9", "+49 30 5550107")]
    assert "Am Wer 1," in rows(shop, "SELECT ship_to FROM purchase WHERE id = 11")[0][0]
    answer.send_letter(ada, dsar_id)
    walker.settle()
    text = " ".join(walker.mails()[0].text.split())
    assert "not corrected yet, as said below" in text
    assert "2 records of Purchase (Shop) The records are right as they stand" in text
    assert (TaskKind.RESIDUAL, "left_after_rectification") in open_tasks(walker, dsar_id)


@on_one_engine
def test_a_store_that_is_away_is_handed_over(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop, STREET)
    shop.rename(shop.with_suffix(".away"))
    approved(walker, dsar_id)
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING
    assert only(walker, dsar_id).state is ErasingState.HANDED_OVER
    assert TaskKind.STORE_FAILED in {kind for kind, _ in open_tasks(walker, dsar_id)}
    assert receipt_of(walker, dsar_id)["whole"] is False


@on_one_engine
def test_a_store_that_is_away_at_the_dry_run_is_corrected_by_a_person(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    shop.rename(shop.with_suffix(".away"))
    ada = walker.as_staff("Ada", Role.ANALYST)
    corrections.write(ada, dsar_id, STREET)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    assert only(walker, dsar_id).state is ErasingState.BY_HAND
    approved(walker, dsar_id)
    assert walker.dsar(dsar_id).state is DsarState.EXECUTING
    assert (TaskKind.MANUAL_STORE, "rectification") in open_tasks(walker, dsar_id)


class Stopped(BaseException):
    """The worker ends here, as if it had been killed: nothing catches it."""


def test_a_worker_that_stops_halfway_leaves_a_plan_that_the_next_one_ends(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsar_id = planned(walker, shop, WrittenPair("street", "Am Wer 1", "Am Wer 1 c/o Am Wer 1"))
    approved(walker, dsar_id, settles=False)

    def stop(name: str) -> None:
        if name == "erasure.after_apply_before_record":
            raise Stopped

    with monkeypatch.context() as armed:
        armed.setattr(applying, "crash_point", stop)
        with pytest.raises(Stopped):
            walker.settle()
    assert only(walker, dsar_id).state is ErasingState.ERASING
    jobs.drive_again(walker.context, timedelta(0))
    walker.settle()
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("Am Wer 1 c/o Am Wer 1",)]
    report = receipt_of(walker, dsar_id)["stores"][0]["rows"]
    assert {each["standing"] for each in report} == {"settled"}


@on_one_engine
def test_from_the_page_to_the_store_with_every_click_twice(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    office = Office.open(walker)
    ada = office.at_desk("Ada", Role.ANALYST)
    url = f"/console/requests/{walker.dsar(dsar_id).reference}"
    assert "Say what is corrected…" in ada.read(url)
    ada.read(f"{url}/corrections")
    refused = ada.send(f"{url}/corrections", 422, kind="email", old="mia.brandt@example.com", new="mia@")
    assert "This is no mail address" in refused
    assert 'value="mia@"' in refused
    for _ in range(2):
        written = ada.send(f"{url}/corrections", kind="street", old="Am Wer 1", new="Am Wehr 1")
    assert (written.count("Street: A•••• → A••••"), "Wer 1" in written) == (1, False)
    shown = ada.send(f"{url}/corrections/show")
    assert (shown.count("Street: Am Wer 1 → Am Wehr 1"), "The values are shown once" in shown) == (1, True)
    assert "Wer 1" not in ada.read(f"{url}/corrections")
    assert ("'values': 'clear'" in trail(walker, dsar_id), "Wer" in trail(walker, dsar_id)) == (True, False)
    for _ in range(2):
        ada.send(f"{url}/plan")
    walker.settle()
    plan = words_of(ada.read(f"{url}/plan"))
    assert "Correction plan" in plan
    assert "purchase: write the right value" in plan
    assert "Wehr" not in plan
    page = ada.read(url)
    assert "Send to second approver" in page
    seen = f"seen={walker.dsar(dsar_id).version}"
    for _ in range(2):
        ada.send(f"{url}/submit?{seen}")
    assert ada.send(f"{url}/corrections", 409, kind="street", old="Am Wer 12", new="Am Wehr 12")
    dsar, both = walker.dsar(dsar_id), walker.as_staff("Ada", Role.ANALYST, Role.APPROVER)
    with pytest.raises(SamePerson):
        review.approve_answer(both, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)
    marta = office.at_desk("Marta", Role.APPROVER)
    assert "purchase: write the right value" in words_of(marta.read(f"{url}/approve"))
    fields = {"plan": marta.hidden("plan"), "reference": walker.dsar(dsar_id).reference}
    for _ in range(2):
        marta.send(f"{url}/approve", **fields)
    walker.settle()
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("Am Wehr 1",)]
    assert "See the correction" in ada.read(url)
    assert "corrected and read back" in words_of(ada.read(f"{url}/plan"))
    client = ShopClient(walker.context, Scope.DSAR_READ)
    told = client.get(f"/v1/dsars/{dsar_id}/rectification").json()
    assert (told["whole"], told["stores"][0]["corrected"]) == (True, [{"kind": "street", "cells": 3}])
    assert "Wehr" not in json.dumps(told)
    assert client.get(f"/v1/dsars/{dsar_id}/erasure").json()["stores"] == []
