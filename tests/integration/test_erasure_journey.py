"""An erasure request from the form to the letter: dry run, four eyes, carried out, read back, looked at again."""

import json
import shutil
import sqlite3
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from privacyops.adapters.key_file import MasterKeys
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.console.pages.plan_view import lists_of
from privacyops.domain.account.action import Role
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.record import canonical
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreUnreachable
from privacyops.ports.keyring import MacLabel
from privacyops.services import datamap
from privacyops.services import job as jobs
from privacyops.services import task as task_service
from privacyops.services.dsar import answer, erasing, erasing_work, erasure_plan, identity, intake, opening, review
from privacyops.services.dsar.replaying import replay
from privacyops.services.erasure import applying, erase
from privacyops.services.finding.search import Budget, search_store
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store import task as tasks
from tests.consoles import Office, words_of
from tests.house import Walker

MIA = Requester(email="mia.brandt@example.com", name="Mia Brandt", order_number="LS-1002")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, ship_to TEXT, total NUMERIC, placed_at TEXT);
            CREATE TABLE purchase_line (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
              article TEXT, quantity INTEGER);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
              (2, 'Ole Brandt', 'o.brandt@example.net', '+49 30 5550102');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 'Mia Brandt, Am Wehr 1', 19.9, '2026-05-02'),
              (12, 1, 'LS-1002', 'Mia Brandt, Am Wehr 1', 7.5, '2026-09-14'),
              (13, 2, 'LS-1003', NULL, 99, '2026-10-01');
            INSERT INTO purchase_line VALUES (1, 11, 'Soap', 3), (2, 12, 'Brush', 1), (3, 13, 'Chair', 1);
            """
        )
    return path


def rows(shop: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(shop)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def asked(walker: Walker, shop: Path, **store: Any) -> DsarId:
    """Mia's request for erasure, proven and searched."""
    walker.connect("shop", shop, **store)
    submission = intake.Submission(
        type=RequestType.ERASURE, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    code = walker.code_for("mia.brandt@example.com")
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, code)
    walker.settle()
    assert walker.dsar(receipt.id).state is DsarState.IN_REVIEW
    return receipt.id


def planned(walker: Walker, shop: Path, **store: Any) -> DsarId:
    dsar_id = asked(walker, shop, **store)
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    return dsar_id


def approved(walker: Walker, dsar_id: DsarId) -> None:
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    approved_by_marta(walker, dsar_id)


def approved_by_marta(walker: Walker, dsar_id: DsarId) -> None:
    dsar = walker.dsar(dsar_id)
    marta = walker.as_staff("Marta", Role.APPROVER)
    review.approve_answer(marta, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)
    walker.settle()


def only(walker: Walker, dsar_id: DsarId) -> Any:
    (one,) = erasing.all_of(walker.as_staff("Dora", Role.DPO), dsar_id)
    return one


def receipts(walker: Walker, dsar_id: DsarId) -> list[dict[str, Any]]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        jws = [text for _, text, _ in erasures.list_receipts(tx, dsar_id)]
    return [json.loads(urlsafe_b64decode(text.split(".")[1] + "==")) for text in jws]


def test_an_erasure_is_approved_by_its_plan_and_not_by_the_list_of_records(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    ada = walker.as_staff("Ada", Role.ANALYST)
    with pytest.raises(erasure_plan.ErasureNotPlanned):
        review.submit_for_approval(ada, dsar_id)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    assert only(walker, dsar_id).plan["operations"] == 5
    assert rows(shop, "SELECT count(*) FROM purchase") == [(3,)]
    assert review.submit_for_approval(ada, dsar_id).state is DsarState.AWAITING_APPROVAL


def test_a_plan_says_that_dealings_with_amounts_would_go_and_not_what_the_map_keeps(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    assert only(walker, dsar_id).plan["unretained"] == ["purchase"]
    ada = Office.open(walker).at_desk("Ada", Role.ANALYST)
    page = words_of(ada.read(f"/console/requests/{walker.dsar(dsar_id).reference}/plan"))
    assert "Records with amounts would be deleted: purchase" in page


def test_rows_that_the_map_retains_stay_without_the_person_and_nobody_is_warned(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop, written={"collections": {"purchase": {"retain": "invoice"}}}, region="DE")
    assert only(walker, dsar_id).plan["unretained"] == []
    said = "purchase: keep, without what is not needed"
    note = "A law obliges us to keep it; until Sun 31 Dec 2034; emptied: customer_id, ship_to"
    assert purchases_said(walker, dsar_id) == (said, note)
    approved(walker, dsar_id)
    assert rows(shop, "SELECT id FROM customer") == [(2,)]
    kept = rows(shop, "SELECT id, customer_id, ship_to, total FROM purchase WHERE id < 13")
    assert kept == [(11, None, None, 19.9), (12, None, None, 7.5)]
    (receipt,) = receipts(walker, dsar_id)
    assert receipt["whole"] is True
    assert purchases_said(walker, dsar_id) == (said, f"{note}; done and read back")


def purchases_said(walker: Walker, dsar_id: DsarId) -> tuple[str, str]:
    """What the plan page says of the purchases, before and after."""
    opened = opening.open_request(walker.as_staff("Ada", Role.ANALYST), walker.dsar(dsar_id).reference, masks=True)
    (line,) = [one for store in lists_of(opened) for one in store["lines"] if "purchase:" in one["text"]]
    return line["text"], line["note"]


def test_a_new_column_about_people_that_nobody_answered_for_stops_the_approval(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    dora = walker.as_staff("Dora", Role.DPO)
    datamap.scan(dora, "shop")
    with sqlite3.connect(shop) as database:
        database.execute("ALTER TABLE customer ADD COLUMN second_email TEXT")
    datamap.scan(dora, "shop")
    with pytest.raises(erasure_plan.StoreChanged):
        approved_by_marta(walker, dsar_id)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        task = tasks.find_open_task(tx, TaskKind.STORE_DRIFT, "shop")
    assert task is not None
    task_service.answer(dora, task, "a second address of the customer, erased with the row")
    approved_by_marta(walker, dsar_id)
    assert only(walker, dsar_id).state is ErasingState.VERIFIED


def test_what_was_approved_is_erased_read_back_and_receipted(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING
    assert only(walker, dsar_id).state is ErasingState.VERIFIED
    assert rows(shop, "SELECT id FROM customer") == [(2,)]
    assert rows(shop, "SELECT id FROM purchase") == [(13,)]
    assert rows(shop, "SELECT id FROM purchase_line") == [(3,)]
    (receipt,) = receipts(walker, dsar_id)
    assert receipt["whole"] is True
    assert receipt["approved_by"] == [str(walker.staff_accounts["Marta"].id)]
    assert "brandt" not in json.dumps(receipt).lower()


def test_who_prepared_the_plan_never_approves_it(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    both = walker.as_staff("Ada", Role.ANALYST, Role.APPROVER)
    review.submit_for_approval(both, dsar_id)
    dsar = walker.dsar(dsar_id)
    with pytest.raises(SamePerson):
        review.approve_answer(both, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)
    assert rows(shop, "SELECT count(*) FROM purchase") == [(3,)]


def test_the_review_is_a_task_of_who_prepares_until_it_is_handed_in_and_again_when_it_comes_back(
    walker: Walker, shop: Path
) -> None:
    def open_kinds() -> list[TaskKind]:
        with walker.context.database.reading("shop", walker.clock.now()) as tx:
            return [one.kind for one in tasks.list_tasks_of(tx, dsar_id) if one.state in OPEN_TASKS]

    dsar_id = planned(walker, shop)
    ada, marta = walker.as_staff("Ada", Role.ANALYST), walker.as_staff("Marta", Role.APPROVER)
    assert open_kinds() == [TaskKind.REVIEW_FINDINGS]
    review.submit_for_approval(ada, dsar_id)
    assert open_kinds() == [TaskKind.APPROVE]
    review.send_back(marta, dsar_id, "one order is another's")
    assert open_kinds() == [TaskKind.REVIEW_FINDINGS]
    review.submit_for_approval(ada, dsar_id)
    assert open_kinds() == [TaskKind.APPROVE]


def test_a_decision_after_the_dry_run_asks_for_another_one(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    ada = walker.as_staff("Ada", Role.ANALYST)
    review.decide(ada, dsar_id, Decision.EXCLUDE, store="shop", collection="purchase", reason="LEGAL_CLAIMS")
    with pytest.raises(erasure_plan.ErasureNotPlanned):
        review.submit_for_approval(ada, dsar_id)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    approved(walker, dsar_id)
    assert rows(shop, "SELECT id, ship_to FROM purchase WHERE customer_id = 1") == [
        (11, "Mia Brandt, Am Wehr 1"), (12, "Mia Brandt, Am Wehr 1"),
    ]  # fmt: skip
    assert rows(shop, "SELECT name, email, phone FROM customer WHERE id = 1") == [(None, None, None)]


def test_a_dry_run_of_yesterday_is_approved_by_nobody(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.clock.advance(timedelta(hours=25))
    dsar = walker.dsar(dsar_id)
    with pytest.raises(erasure_plan.ErasureNotPlanned):
        review.approve_answer(
            walker.as_staff("Marta", Role.APPROVER), dsar_id, seen_plan=dsar.plan_hash or "",
            typed_reference=dsar.reference,
        )  # fmt: skip


def test_what_a_policy_keeps_is_named_in_the_letter_with_its_law_and_its_end(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    policy = {"purchase": {"keep": ["id", "order_number", "total", "placed_at"], "until": "rule:invoice"}}
    keep(walker, policy)
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    approved(walker, dsar_id)
    assert rows(shop, "SELECT order_number, ship_to FROM purchase WHERE id IN (11, 12)") == [
        ("LS-1001", None), ("LS-1002", None),
    ]  # fmt: skip
    answer.send_letter(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    text = walker.mails()[0].text
    assert "2034" in text
    assert "17(3)(b)" in text


def test_what_was_erased_is_erased_again_in_a_restored_copy_and_nothing_else(
    walker: Walker, shop: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    shutil.copy(shop, backup)
    dsar_id = planned(walker, shop)
    since = walker.clock.now()
    approved(walker, dsar_id)
    gone = rows(shop, "SELECT * FROM customer")
    shutil.copy(backup, shop)
    shown = replay(walker.context, "shop", since, apply=False)
    assert (len(shown.ops), len(rows(shop, "SELECT * FROM customer"))) == (5, 2)
    done = replay(walker.context, "shop", since, apply=True)
    assert done.is_whole
    assert rows(shop, "SELECT * FROM customer") == gone
    assert rows(shop, "SELECT id FROM purchase") == [(13,)]
    assert replay(walker.context, "shop", since, apply=True).ops == ()
    assert replay(walker.context, "shop", walker.clock.now() + timedelta(hours=1), apply=True).listed == 0


def test_a_key_that_somebody_else_has_now_is_left_for_a_person(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    since = walker.clock.now()
    approved(walker, dsar_id)
    with sqlite3.connect(shop) as database:
        database.execute("INSERT INTO customer VALUES (1, 'Uta Neu', 'uta.neu@example.org', NULL)")
    database.close()
    done = replay(walker.context, "shop", since, apply=True)
    assert (done.other_person, done.is_whole) == (("customer",), False)
    assert rows(shop, "SELECT name FROM customer WHERE id = 1") == [("Uta Neu",)]


class Stopped(BaseException):
    """The worker ends here, as if it had been killed: nothing catches it."""


@pytest.mark.parametrize(
    ("module", "point"),
    [(applying, "erasure.after_apply_before_record"), (applying, "erasure.after_step"),
     (erasing, "erasure.before_settling")],
)  # fmt: skip
def test_a_worker_that_stops_halfway_leaves_a_plan_that_the_next_one_ends(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, point: str
) -> None:
    dsar_id = planned(walker, shop)
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    dsar = walker.dsar(dsar_id)
    marta = walker.as_staff("Marta", Role.APPROVER)
    review.approve_answer(marta, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)

    def stop(name: str) -> None:
        if name == point:
            raise Stopped

    with monkeypatch.context() as armed:
        armed.setattr(module, "crash_point", stop)
        with pytest.raises(Stopped):
            walker.settle()
    assert only(walker, dsar_id).state is ErasingState.ERASING
    jobs.drive_again(walker.context, timedelta(0))
    walker.settle()
    assert only(walker, dsar_id).state is ErasingState.VERIFIED
    assert rows(shop, "SELECT id FROM customer") == [(2,)]
    (receipt,) = receipts(walker, dsar_id)
    told = receipt["stores"][0]["rows"]
    assert (receipt["whole"], sum(each["rows"] for each in told)) == (True, 5)
    assert {each["standing"] for each in told} == {"settled"}


def keep(walker: Walker, policy: dict[str, Any]) -> None:

    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        config = dict(stores.load_store(tx, "shop").config)
        stores.save_store(tx, "shop", config={**config, "policy": policy, "region": "DE"})


def test_a_store_that_is_down_is_handed_over_and_the_request_goes_on(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    shop.rename(shop.with_suffix(".away"))
    dsar = walker.dsar(dsar_id)
    marta = walker.as_staff("Marta", Role.APPROVER)
    review.approve_answer(marta, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)
    walker.settle()
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING
    assert only(walker, dsar_id).state is ErasingState.HANDED_OVER
    assert open_kinds(walker, dsar_id) >= {TaskKind.STORE_FAILED}
    assert receipts(walker, dsar_id)[0]["whole"] is False


def residual(walker: Walker, dsar_id: DsarId) -> list[Any]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return [one for one in tasks.list_tasks_of(tx, dsar_id) if one.kind is TaskKind.RESIDUAL]


def open_kinds(walker: Walker, dsar_id: DsarId) -> set[TaskKind]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return {one.kind for one in tasks.list_tasks_of(tx, dsar_id) if one.state in OPEN_TASKS}


def test_somebody_who_comes_back_by_an_import_is_a_task_and_holds_the_closing_up(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    ada = walker.as_staff("Ada", Role.ANALYST)
    answer.send_letter(ada, dsar_id)
    walker.settle()
    with pytest.raises(answer.WorkOpen):
        answer.close(ada, dsar_id)
    walker.clock.advance(timedelta(hours=25))
    erasing.sweep_due(walker.context)
    walker.settle()
    assert TaskKind.RESIDUAL not in open_kinds(walker, dsar_id)
    with sqlite3.connect(shop) as database:
        database.execute("INSERT INTO customer VALUES (7, 'Mia Brandt', 'mia.brandt@example.com', NULL)")
    database.close()
    walker.clock.advance(timedelta(days=7))
    erasing.sweep_due(walker.context)
    walker.settle()
    assert TaskKind.RESIDUAL in open_kinds(walker, dsar_id)
    assert only(walker, dsar_id).sweep_at is None


def swept_later(walker: Walker) -> None:
    walker.clock.advance(timedelta(hours=25))
    erasing.sweep_due(walker.context)
    walker.settle()


def test_a_later_search_that_could_not_read_everything_is_a_task_and_not_a_clean_store(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    with monkeypatch.context() as poor:
        poor.setattr(erasing_work, "search_store", partial(search_store, budget=Budget(statements=0)))
        swept_later(walker)
    assert {one.code for one in residual(walker, dsar_id)} == {"not_all_read"}


def test_a_later_search_in_doubt_goes_on_without_the_phone_that_somebody_else_has_now(
    walker: Walker, shop: Path
) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    with sqlite3.connect(shop) as database:
        database.executescript(
            """INSERT INTO customer VALUES (7, 'Mia Brandt', 'mia.brandt@example.com', NULL);
            INSERT INTO customer VALUES (8, 'Uta Neu', 'uta.neu@example.org', '+49 30 5550101');"""
        )
    database.close()
    swept_later(walker)
    assert {one.code for one in residual(walker, dsar_id)} == {"came_back"}


def test_who_made_the_dry_run_never_approves_it_though_another_submits_it(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    erasure_plan.plan(walker.as_staff("Dora", Role.DPO), dsar_id)
    walker.settle()
    review.submit_for_approval(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    dsar = walker.dsar(dsar_id)
    with pytest.raises(SamePerson):
        review.approve_answer(
            walker.as_staff("Dora", Role.DPO), dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference
        )


def test_what_a_store_erased_before_it_stopped_is_erased_again_after_a_restore(
    walker: Walker, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup.db"
    shutil.copy(shop, backup)
    dsar_id = planned(walker, shop)
    since = walker.clock.now()

    def gone_away(*_: Any) -> None:
        raise StoreUnreachable("shop", "connection")

    with monkeypatch.context() as unplugged:
        unplugged.setattr(erase, "read_back", gone_away)
        approved(walker, dsar_id)
    assert only(walker, dsar_id).state is ErasingState.HANDED_OVER
    shutil.copy(backup, shop)
    done = replay(walker.context, "shop", since, apply=True)
    assert (done.listed, done.is_whole) == (5, True)
    assert rows(shop, "SELECT id FROM customer") == [(2,)]


def test_a_record_that_lost_two_cells_loses_both_again_after_a_restore(
    walker: Walker, shop: Path, tmp_path: Path
) -> None:
    with sqlite3.connect(shop) as database:
        database.executescript(
            """ALTER TABLE customer ADD COLUMN referred_by INTEGER REFERENCES customer(id);
            ALTER TABLE customer ADD COLUMN invited_by INTEGER REFERENCES customer(id);
            UPDATE customer SET referred_by = 1, invited_by = 1 WHERE id = 2;"""
        )
    database.close()
    backup = tmp_path / "backup.db"
    shutil.copy(shop, backup)
    dsar_id = planned(walker, shop)
    since = walker.clock.now()
    approved(walker, dsar_id)
    held = rows(shop, "SELECT * FROM customer")
    assert [row[-2:] for row in held] == [(None, None)]
    shutil.copy(backup, shop)
    assert replay(walker.context, "shop", since, apply=True).is_whole
    assert rows(shop, "SELECT * FROM customer") == held


def test_a_listed_collection_that_the_restored_store_does_not_show_is_unread(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    since = walker.clock.now()
    approved(walker, dsar_id)
    with sqlite3.connect(shop) as database:
        database.execute("DROP TABLE purchase_line")
    database.close()
    done = replay(walker.context, "shop", since, apply=True)
    assert (done.unread, done.is_whole) == (("purchase_line", "purchase_line"), False)


def test_entries_under_each_version_of_a_key_are_carried_out_on_one_record(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    since = walker.clock.now()
    ctx = walker.context
    old = ctx.ports.keyring._keys  # type: ignore[attr-defined]  # the ring of the house is the real one
    ring = MasterKeyRing(MasterKeys(old.keks, {**old.roots, 2: bytes(32)}))
    ctx = replace(ctx, ports=replace(ctx.ports, keyring=ring))
    key = canonical((("id", 2),))
    newer, older = ring.macs(MacLabel.ERASED, ctx.controller.key, b"row", b"shop", b"customer", key.encode())
    with ctx.database.transaction(ctx.controller.key, since) as tx:
        for mac, column in ((newer, "name"), (older, "phone")):
            entry = {"collection": "customer", "row_mac": mac.digest, "person_mac": b"", "key_version": mac.version,
                     "act": "unlink", "columns": [column], "policy": ""}  # fmt: skip
            erasures.add_erased(tx, uuid4(), "shop", [entry])
    replay(ctx, "shop", since, apply=True)
    assert rows(shop, "SELECT name, phone FROM customer WHERE id = 2") == [(None, None)]


def test_a_second_plan_that_cuts_other_columns_of_a_record_is_replayed_too(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    since = walker.clock.now()
    ctx, erasure = walker.context, uuid4()
    key = canonical((("id", 2),))
    mac = ctx.ports.keyring.mac(MacLabel.ERASED, ctx.controller.key, b"row", b"shop", b"customer", key.encode())
    entry = {"collection": "customer", "row_mac": mac.digest, "person_mac": b"", "key_version": mac.version,
             "act": "unlink", "policy": ""}  # fmt: skip
    for columns in (["name"], ["phone"], ["phone"]):
        with ctx.database.transaction(ctx.controller.key, since) as tx:
            erasures.add_erased(tx, erasure, "shop", [{**entry, "columns": columns}])
    done = replay(ctx, "shop", since, apply=True)
    assert (done.listed, done.is_whole) == (1, True)
    assert rows(shop, "SELECT name, phone FROM customer WHERE id = 2") == [(None, None)]


@pytest.mark.parametrize("is_planned_again", [True, False])
def test_a_store_of_which_everything_was_withheld_after_its_dry_run_is_left_as_it_is(
    walker: Walker, shop: Path, *, is_planned_again: bool
) -> None:
    dsar_id = planned(walker, shop)
    held = rows(shop, "SELECT * FROM customer")
    ada = walker.as_staff("Ada", Role.ANALYST)
    review.decide(ada, dsar_id, Decision.EXCLUDE, store="shop", reason="LEGAL_CLAIMS")
    if is_planned_again:
        erasure_plan.plan(ada, dsar_id)
        walker.settle()
    approved(walker, dsar_id)
    assert rows(shop, "SELECT * FROM customer") == held
    assert rows(shop, "SELECT count(*) FROM purchase") == [(3,)]
    assert erasing.all_of(walker.as_staff("Dora", Role.DPO), dsar_id) == ()
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING


def test_a_store_that_nobody_searched_is_named_in_the_receipt_which_is_not_whole(
    walker: Walker, shop: Path, tmp_path: Path
) -> None:
    walker.connect("attic", tmp_path / "nowhere.db")
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    (receipt,) = receipts(walker, dsar_id)
    assert [one["state"] for one in receipt["stores"]] == ["verified"]
    assert (receipt["whole"], receipt["not_searched"]) == (False, ["attic"])
