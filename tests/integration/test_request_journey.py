"""One access request from the form to the downloaded package, through the use cases, on both databases."""

import io
import sqlite3
import zipfile
from datetime import date
from pathlib import Path

import pytest

from privacyops.adapters.package.verify import verify_package
from privacyops.domain.account.action import Role
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import answer, identity, intake, review, search
from privacyops.store import finding as findings
from privacyops.store import package as packages
from tests.house import Walker

MIA = Requester(email="Mia.Brandt@Example.com", name="Mia Brandt", order_number="LS-1002")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A little shop: two customers of the same name, their orders, and a review that names a neighbour."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, total NUMERIC, placed_at TEXT);
            CREATE TABLE purchase_line (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
              article TEXT, quantity INTEGER);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
              (2, 'Mia Brandt', 'm.brandt@example.net', '+49 30 5550102');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9, '2026-05-02'), (12, 1, 'LS-1002', 7.5, '2026-09-14'),
              (13, 2, 'LS-1003', 99, '2026-10-01');
            INSERT INTO purchase_line VALUES (1, 11, 'Soap', 3), (2, 12, 'Brush', 1), (3, 13, 'Chair', 1);
            """
        )
    return path


def _submit(walker: Walker, requester: Requester = MIA, type_: RequestType = RequestType.ACCESS) -> intake.Receipt:
    submission = intake.Submission(type=type_, requester=requester, channel=Channel.FORM, prefix="203.0.113.0/24")
    return intake.submit(walker.as_subject(), submission)


def _prove(walker: Walker, receipt: intake.Receipt) -> None:
    walker.settle()
    code = walker.code_for("mia.brandt@example.com")
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, code)
    walker.settle()


def _reviewed(walker: Walker, shop: Path) -> DsarId:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    _prove(walker, receipt)
    review.finish_review(walker.as_staff("Ada", Role.ANALYST), receipt.id)
    walker.settle()
    return receipt.id


def _released(walker: Walker, shop: Path) -> DsarId:
    dsar_id = _reviewed(walker, shop)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    assert package.sha256 is not None
    reference = walker.dsar(dsar_id).reference
    marta = walker.as_staff("Marta", Role.APPROVER)
    answer.release(marta, dsar_id, seen_sha256=package.sha256, typed_reference=reference)
    walker.settle()
    return dsar_id


def test_a_submitted_request_waits_for_its_code_with_the_clock_running(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    dsar = walker.dsar(receipt.id)
    assert dsar.state is DsarState.AWAITING_IDENTITY
    assert dsar.safe_due_on == date(2026, 12, 22)
    assert not dsar.is_verified


def test_the_code_starts_the_search_and_its_end_the_review(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    _prove(walker, receipt)
    assert walker.dsar(receipt.id).state is DsarState.IN_REVIEW


def test_only_the_persons_own_rows_are_found(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    _prove(walker, receipt)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        found = {(row.collection, row.records) for row in findings.count_findings(tx, receipt.id)}
        runs = findings.list_runs(tx, receipt.id)
    assert found == {("customer", 1), ("purchase", 2), ("purchase_line", 2)}
    assert [run.state for run in runs] == [RunState.SUCCEEDED]


def test_the_order_fact_joins_the_code(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    _prove(walker, receipt)
    assert walker.dsar(receipt.id).proven_level == 3


def test_without_an_order_fact_data_is_not_handed_over(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker, Requester(email="mia.brandt@example.com"))
    _prove(walker, receipt)
    with pytest.raises(review.IdentityTooWeak):
        review.finish_review(walker.as_staff("Ada", Role.ANALYST), receipt.id)


def test_a_persons_judgement_stands_in_for_the_order_fact(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker, Requester(email="mia.brandt@example.com"))
    _prove(walker, receipt)
    ada = walker.as_staff("Ada", Role.ANALYST)
    identity.accept_identity(ada, receipt.id, "called back on the number on file")
    assert review.finish_review(ada, receipt.id).state is DsarState.ANSWERING


def test_the_reviewer_cannot_release(walker: Walker, shop: Path) -> None:
    dsar_id = _reviewed(walker, shop)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    ada = walker.as_staff("Ada", Role.ANALYST, Role.APPROVER)
    with pytest.raises(SamePerson):
        answer.release(ada, dsar_id, seen_sha256=package.sha256 or "", typed_reference=walker.dsar(dsar_id).reference)


def test_the_released_package_is_announced_and_the_request_answered(walker: Walker, shop: Path) -> None:
    dsar_id = _released(walker, shop)
    dsar = walker.dsar(dsar_id)
    assert dsar.state is DsarState.ANSWERED
    assert dsar.answered_at is not None
    assert walker.mails()[0].to == "mia.brandt@example.com"


def test_the_download_needs_a_fresh_code_and_verifies(walker: Walker, shop: Path) -> None:
    dsar_id = _released(walker, shop)
    me = walker.as_subject(dsar_id)
    identity.resend_code(me, dsar_id, "download")
    walker.settle()
    token = answer.open_download(me, dsar_id, walker.code_for("mia.brandt@example.com"))
    fetched = answer.download(walker.as_subject(), token)
    archive = b"".join(fetched.content)
    assert len(archive) == fetched.size
    verify_package(io.BytesIO(archive), walker.context.ports.signer.public_key)  # type: ignore[attr-defined]  # the adapter's
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert any(name.endswith("START-HERE.html") for name in names)
    assert b"m.brandt@example.net" not in archive


def test_a_download_link_works_once(walker: Walker, shop: Path) -> None:
    dsar_id = _released(walker, shop)
    me = walker.as_subject(dsar_id)
    identity.resend_code(me, dsar_id, "download")
    walker.settle()
    token = answer.open_download(me, dsar_id, walker.code_for("mia.brandt@example.com"))
    b"".join(answer.download(walker.as_subject(), token).content)
    with pytest.raises(answer.NoPackage):
        answer.download(walker.as_subject(), token)


def test_an_answered_request_closes_with_a_computed_outcome(walker: Walker, shop: Path) -> None:
    dsar_id = _released(walker, shop)
    closed = answer.close(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    assert (closed.state, closed.outcome) == (DsarState.CLOSED, Outcome.FULFILLED)


def test_a_withheld_collection_makes_the_answer_partial(walker: Walker, shop: Path) -> None:
    walker.connect("shop", shop)
    receipt = _submit(walker)
    _prove(walker, receipt)
    ada = walker.as_staff("Ada", Role.ANALYST)
    count = review.decide(
        ada, receipt.id, Decision.EXCLUDE, store="shop", collection="purchase_line", reason="THIRD_PARTY_RIGHTS"
    )
    assert count == 2
    review.finish_review(ada, receipt.id)
    walker.settle()
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, receipt.id)
        assert answer.outcome_of(tx, walker.dsar(receipt.id)) is Outcome.FULFILLED_PARTIAL
    assert package is not None
    assert not any("purchase_line" in entry["path"] for entry in package.contents)


def test_one_dead_store_stops_nothing_else(walker: Walker, shop: Path, tmp_path: Path) -> None:
    walker.connect("shop", shop)
    walker.connect("archive", tmp_path / "gone.db")
    receipt = _submit(walker)
    _prove(walker, receipt)
    assert walker.dsar(receipt.id).state is DsarState.IN_REVIEW
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        states = {run.store: run.state for run in findings.list_runs(tx, receipt.id)}
    assert states == {"shop": RunState.SUCCEEDED, "archive": RunState.HANDED_OVER}


def test_a_handed_over_store_can_be_answered_without(walker: Walker, shop: Path, tmp_path: Path) -> None:
    walker.connect("shop", shop)
    walker.connect("archive", tmp_path / "gone.db")
    receipt = _submit(walker)
    _prove(walker, receipt)
    ada = walker.as_staff("Ada", Role.ANALYST)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        run = next(run for run in findings.list_runs(tx, receipt.id) if run.store == "archive")
    search.answer_without(ada, receipt.id, run.id, "decommissioned last year")
    assert review.finish_review(ada, receipt.id).state is DsarState.ANSWERING
