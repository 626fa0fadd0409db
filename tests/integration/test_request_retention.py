"""A closed request is emptied in two steps; what stays says when and how it ended, and nothing about anybody."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from privacyops.domain.account.action import Role
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.retention import record_months
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import answer, identity, intake, opening, retention
from privacyops.services.sealing import RequestEmptied
from privacyops.store import finding as findings
from tests.house import Walker

ADDRESS = "mia.brandt@example.com"


@pytest.fixture
def closed(walker: Walker, tmp_path: Path) -> DsarId:
    """A request that was searched, then withdrawn: it holds findings, and is closed."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT)")
        database.execute("INSERT INTO customer VALUES (1, ?)", (ADDRESS,))
    walker.connect("shop", tmp_path / "shop.db")
    requester = Requester(email=ADDRESS, name="Mia Brandt", message="Please hurry.")
    receipt = intake.submit(
        walker.as_subject(), intake.Submission(type=RequestType.ACCESS, requester=requester, channel=Channel.FORM)
    )
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(ADDRESS))
    walker.settle()
    walker_closes(walker, receipt.id)
    return receipt.id


def walker_closes(walker: Walker, dsar_id: DsarId) -> None:
    answer.withdraw(walker.as_subject(dsar_id), dsar_id)
    walker.settle()
    assert walker.dsar(dsar_id).state is DsarState.CLOSED


def swept(walker: Walker, days: int) -> int:
    walker.clock.advance(timedelta(days=days))
    return retention.empty_closed(walker.context)


def sealed_values(walker: Walker, dsar_id: DsarId) -> int:
    query = text("SELECT count(*) FROM finding WHERE dsar_id = :id AND sealed IS NOT NULL")
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        key = dsar_id if tx.dialect == "postgresql" else dsar_id.hex
        return int(tx.run(query, {"id": key}).scalar_one())


def counted(walker: Walker, dsar_id: DsarId) -> int:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return sum(int(row.records) for row in findings.count_findings(tx, dsar_id))


def test_in_its_first_month_nothing_goes(walker: Walker, closed: DsarId) -> None:
    before = sealed_values(walker, closed)
    assert swept(walker, 29) == 0
    assert sealed_values(walker, closed) == before == 1


def test_after_a_month_the_found_values_go_and_the_counts_stay(walker: Walker, closed: DsarId) -> None:
    assert swept(walker, 30) == 1
    assert sealed_values(walker, closed) == 0
    assert counted(walker, closed) == 1
    opened = opening.open_findings(walker.as_staff("Ada", Role.DPO), closed, "shop", "customer")
    assert list(opened.items) == []


def test_after_three_years_nobody_can_say_who_asked_and_the_outcome_stays(walker: Walker, closed: DsarId) -> None:
    swept(walker, 30)
    assert swept(walker, 3 * 366) == 1
    dsar = walker.dsar(closed)
    assert (dsar.outcome, dsar.type, dsar.sealed) == (Outcome.WITHDRAWN, RequestType.ACCESS, None)
    assert dsar.contact_index == b""
    with pytest.raises(RequestEmptied):
        opening.open_findings(walker.as_staff("Ada", Role.DPO), closed, "shop", "customer")


def test_a_second_sweep_finds_nothing_to_do(walker: Walker, closed: DsarId) -> None:
    swept(walker, 4 * 366)
    assert swept(walker, 0) == 0


def test_an_open_request_is_never_emptied(walker: Walker) -> None:
    submission = intake.Submission(
        type=RequestType.RECTIFICATION, requester=Requester(email=ADDRESS), channel=Channel.FORM
    )
    intake.submit(walker.as_subject(), submission)
    assert swept(walker, 10 * 366) == 0


def test_the_term_is_that_of_the_law(walker: Walker) -> None:
    book = rule_book()
    terms = {regime: record_months(book, regime) for regime in ("eu_gdpr", "us_ca_ccpa", "nowhere")}
    assert terms == {"eu_gdpr": 36, "us_ca_ccpa": 24, "nowhere": 36}
