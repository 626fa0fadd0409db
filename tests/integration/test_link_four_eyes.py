"""Whoever confirms a link by which an open erasure reaches its records is not the one who approves that erasure."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.datamap.deciding import Answer
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.kernel.ids import DsarId
from privacyops.services import datamap
from privacyops.services.context import Context
from privacyops.services.dsar import erasure_plan, identity, intake, review
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.integration.test_erasure_journey import MIA, asked, only, rows

LINK, UNUSED = "purchase.customer_id>customer.id", "note.customer_id>customer.id"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Nothing declares whose purchase it is."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER, order_number TEXT, ship_to TEXT);
            CREATE TABLE note (id INTEGER PRIMARY KEY, customer_id INTEGER, said TEXT);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
              (2, 'Ole Brandt', 'o.brandt@example.net', '+49 30 5550102');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 'Am Wehr 1'), (12, 1, 'LS-1002', 'Am Wehr 1'),
              (13, 2, 'LS-1003', NULL);
            INSERT INTO note VALUES (1, 2, 'rang twice');
            """
        )
    database.close()
    return path


def approve(ctx: Context, walker: Walker, dsar_id: DsarId) -> None:
    dsar = walker.dsar(dsar_id)
    review.approve_answer(ctx, dsar_id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)


def submitted(walker: Walker, dsar_id: DsarId) -> None:
    ada = walker.as_staff("Ada", Role.ANALYST)
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    review.submit_for_approval(ada, dsar_id)


def test_who_confirmed_the_link_of_an_open_erasure_does_not_approve_it(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    ada, dora = walker.as_staff("Ada", Role.ANALYST), walker.as_staff("Dora", Role.DPO)
    datamap.scan(dora, "shop")
    erasure_plan.plan(ada, dsar_id)
    walker.settle()
    with pytest.raises(erasure_plan.ErasureUndecided):
        review.submit_for_approval(ada, dsar_id)
    datamap.answer(dora, "shop", LINK, Answer.YES)
    # somebody else says something else and takes it back: hers is not the answer that stands, and she had a hand in it
    olga = walker.as_staff("Olga", Role.ADMIN)
    datamap.answer(olga, "shop", LINK, Answer.NO)
    datamap.answer(olga, "shop", LINK, Answer.YES)
    submitted(walker, dsar_id)
    with pytest.raises(SamePerson):
        approve(dora, walker, dsar_id)
    desk = Office.open(walker).at_desk("Dora", Role.DPO)
    page = words_of(desk.read(f"/console/requests/{walker.dsar(dsar_id).reference}/approve"))
    assert "or answered about a link" in page
    approve(walker.as_staff("Marta", Role.APPROVER), walker, dsar_id)
    walker.settle()
    assert only(walker, dsar_id).state is ErasingState.VERIFIED
    assert rows(shop, "SELECT id FROM purchase") == [(13,)]


def test_an_answer_from_before_the_request_or_about_another_link_is_no_hand_in_it(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    dora = walker.as_staff("Dora", Role.DPO)
    datamap.scan(dora, "shop")
    datamap.answer(dora, "shop", LINK, Answer.YES)
    walker.clock.advance(timedelta(minutes=1))
    dsar_id = asked_in(walker)
    dora = walker.as_staff("Dora", Role.DPO)
    datamap.answer(dora, "shop", UNUSED, Answer.YES)
    submitted(walker, dsar_id)
    approve(walker.as_staff("Dora", Role.DPO), walker, dsar_id)
    walker.settle()
    assert rows(shop, "SELECT id FROM purchase") == [(13,)]


def asked_in(walker: Walker) -> DsarId:
    """Mia's request, in a store that is connected."""
    submission = intake.Submission(
        type=RequestType.ERASURE, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(MIA.email))
    walker.settle()
    return receipt.id
