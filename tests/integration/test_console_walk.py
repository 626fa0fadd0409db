"""The console walked like a colleague walks it: a request from its filing to its release, and each way aside."""

import re
import sqlite3
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from privacyops.console.pages import request as request_page
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import listing, opening
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker


@pytest.fixture
def office(walker: Walker, tmp_path: Path) -> Office:
    """A console over a service with one store."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT, password TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, total NUMERIC, placed_at TEXT);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101', 'made-up-hash'),
              (2, 'Mia Brandt', 'm.brandt@example.net', '+49 30 5550102', 'other-hash');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9, '2026-05-02'), (12, 1, 'LS-1002', 7.5, '2026-09-14'),
              (13, 2, 'LS-1003', 99, '2026-10-01');
            """
        )
    walker.connect("shop", path)
    return Office.open(walker)


def _file(office: Office, **changed: str) -> str:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests/new")
    given = {
        "source": "letter", "type": "access", "received": "2026-11-20", "name": "Mia Brandt", "language": "en",
        "email": "mia.brandt@example.com", "note": "Please send me everything.", **changed,
    }  # fmt: skip
    ada.send("/console/requests/new", once=ada.hidden("once"), **given)
    return ada.path.rpartition("/")[2]


def _in_review(office: Office, **changed: str) -> str:
    number = _file(office, **changed)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(f"{url}/identity")
    ada.send(f"{url}/identity", reason="Signed letter, same signature as on the contract")
    office.walker.settle()
    return number


def _plan(office: Office, url: str) -> None:
    """Ada plans the erasure of a request."""
    ada = office.at_desk("Ada")
    ada.read(f"{url}/plan")
    ada.send(f"{url}/plan")
    office.walker.settle()


def _finished(office: Office) -> str:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(url)
    ada.send(_posts_to(ada, "finish"))
    office.walker.settle()
    return number


def _posts_to(browser: Browser, verb: str) -> str:
    found = re.search(rf'action="([^"]*/{verb}[^"]*)"', browser.page)
    assert found is not None, f"the page offers no {verb}"
    return found[1]


def _groups(page: str) -> list[str]:
    return re.findall(r"\?open=(g[0-9a-f]{12})#preview", page)


def _dsar(office: Office, number: str) -> Dsar:
    return listing.by_reference(office.walker.as_staff("Dora", Role.DPO), number)


def test_a_letter_is_filed_searched_reviewed_and_released_by_another_person(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    assert "START-HERE.html" in marta.read(f"{url}/release")
    marta.send(f"{url}/release", sha256=marta.hidden("sha256"), reference=number)
    office.walker.settle()
    assert _dsar(office, number).state is DsarState.ANSWERED
    ada = office.at_desk("Ada")
    ada.read(url)
    ada.send(f"{url}/close")
    assert _dsar(office, number).state is DsarState.CLOSED


def test_the_clock_starts_on_the_day_of_receipt(office: Office) -> None:
    number = _file(office, received="2026-11-03")
    assert _dsar(office, number).due_on.isoformat() == "2026-12-03"


def test_the_same_form_sent_twice_files_one_request(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests/new")
    given = {"once": ada.hidden("once"), "source": "phone", "type": "access", "received": "2026-11-20",
             "email": "mia.brandt@example.com", "language": "en", "csrf": ada.token}  # fmt: skip
    first = ada.post("/console/requests/new", given, Origin=ORIGIN)
    again = ada.post("/console/requests/new", given, Origin=ORIGIN)
    assert first.headers["location"] == again.headers["location"]


@pytest.mark.parametrize(
    ("field", "value"), [("email", "no address"), ("received", "2026-11-25"), ("received", "soon"), ("type", "wishes")]
)
def test_a_refused_form_comes_back_filled_with_a_link_to_the_field(office: Office, field: str, value: str) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests/new")
    given = {"source": "phone", "type": "access", "received": "2026-11-20", "email": "mia.brandt@example.com",
             "language": "en", "note": "Tell me all", field: value}  # fmt: skip
    page = ada.send("/console/requests/new", 422, **given)
    assert f'href="#f-{field}"' in page
    assert "Tell me all" in page


def test_a_preview_shows_values_hides_passwords_and_is_recorded(office: Office) -> None:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    groups = _groups(ada.read(url))
    pages = [ada.read(f"{url}?open={group}") for group in groups]
    assert any("+49 30 5550101" in page for page in pages)
    assert not any("made-up-hash" in page for page in pages)
    dora = office.at_desk("Dora", Role.DPO)
    assert "dsar.view_findings" in dora.read("/console/audit?action=dsar")


def test_records_are_left_out_with_a_reason_and_given_again(office: Office) -> None:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    group = _groups(ada.read(url))[0]
    page = ada.send(f"{url}/decide?group={group}", decision="exclude", reason="THIRD_PARTY_RIGHTS")
    assert "left out" in words_of(page)
    assert "Rights of other people" in page
    assert "will be given" in words_of(ada.send(f"{url}/decide?group={group}", decision="include"))


def test_a_decision_on_a_later_page_leads_back_to_that_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_page, "_RECORDS", 1)
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    purchase = next(one for one in _groups(ada.read(url)) if "LS-1001" in ada.read(f"{url}?open={one}"))
    onward = re.search(r'href="([^"]+after=[^"]+)"', ada.read(f"{url}?open={purchase}"))
    assert onward is not None
    ada.read(unescape(onward[1]))
    assert "LS-1002" in ada.page
    for decision in ({"finding": ada.hidden("finding")}, {}):  # one record, then all of a group decided before
        page = ada.send(unescape(_posts_to(ada, "decide")), decision="include", **decision)
        assert "LS-1002" in page
        assert "LS-1001" not in page
    ada.send(unescape(_posts_to(ada, "decide")).replace("after=", "after=x"), 400, decision="include")


def test_codes_are_told_in_words_and_the_letter_names_its_subject_once(office: Office) -> None:
    number = _in_review(office, email="nobody.here@example.com", language="de")
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    page = words_of(ada.read(url))
    assert "Came by a letter" in page
    assert "Language German" in page
    letter = opening.preview_letter(office.walker.as_staff("Dora", Role.DPO), _dsar(office, number).id)
    assert words_of(ada.read(f"{url}/letter")).count(letter.subject) == 1
    assert letter.text.rstrip().rpartition("\n\n")[2] in ada.page


def test_a_page_says_when_the_stores_have_ended(office: Office) -> None:
    number = _file(office, type="erasure")
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"

    def asked(path: str) -> tuple[int, str]:
        answer = ada.client.get(unescape(path), headers={"HX-Request": "true"})
        return answer.status_code, answer.text

    def watched() -> str:
        return re.findall(r'hx-get="([^"]+/watch[^"]*)"', ada.page)[0]

    ada.read(f"{url}/identity")
    assert "The stores are being searched" in ada.send(f"{url}/identity", reason="Called back, same voice as before")
    search = watched()
    assert asked(search) == (204, "")
    office.walker.settle()
    assert f'href="{url}"' in asked(search)[1]
    assert "hx-get" not in asked(search)[1]
    ada.read(f"{url}/plan")
    assert "The stores are being looked at" in ada.send(f"{url}/plan")
    plan = watched()
    assert asked(plan) == (204, "")
    office.walker.settle()
    assert f'href="{url}/plan"' in asked(plan)[1]
    assert asked(f"{url}/watch?seen=nonsense") == (204, "")
    assert "/watch" not in ada.read(f"{url}/plan")


def test_leaving_out_needs_a_reason_that_the_law_knows(office: Office) -> None:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    group = _groups(ada.read(url))[0]
    assert "not a reason" in words_of(ada.send(f"{url}/decide?group={group}", 422, decision="exclude", reason="WHIM"))


def test_a_decision_on_a_finding_of_another_request_is_not_found(office: Office) -> None:
    first, second = _in_review(office), _in_review(office, email="m.brandt@example.net")
    ada = office.at_desk("Ada")
    group = _groups(ada.read(f"/console/requests/{first}"))[0]
    page = ada.read(f"/console/requests/{first}?open={group}")
    finding = re.findall(r'name="finding" value="([^"]+)"', page)[0]
    other = _groups(ada.read(f"/console/requests/{second}"))[0]
    ada.send(f"/console/requests/{second}/decide?group={other}", 404, decision="include", finding=finding)


def test_a_second_click_on_finish_shows_the_request_and_no_error(office: Office) -> None:
    number = _in_review(office)
    ada = office.at_desk("Ada")
    ada.read(f"/console/requests/{number}")
    action = _posts_to(ada, "finish")
    ada.send(action)
    ada.send(action)
    assert _dsar(office, number).state is DsarState.ANSWERING


def test_what_changed_under_a_page_is_seen_before_it_is_decided(office: Office) -> None:
    number = _in_review(office)
    ada, dora, url = office.at_desk("Ada"), office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    ada.read(url)
    action, token = _posts_to(ada, "finish"), ada.token
    group = _groups(dora.read(url))[0]
    dora.send(f"{url}/decide?group={group}", decision="exclude", reason="THIRD_PARTY_RIGHTS")
    ada.token = token
    page = ada.send(action, 409)
    assert "changed this in the meantime" in page
    assert f'href="{url}"' in page
    assert "Reload" in page


def test_whoever_reviewed_cannot_release_by_any_route(office: Office) -> None:
    number = _in_review(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    dora.read(url)
    dora.send(_posts_to(dora, "finish"))
    office.walker.settle()
    page = dora.read(f"{url}/release")
    assert "You reviewed this request" in page
    dora.send(f"{url}/release", 403, sha256=dora.hidden("sha256"), reference=number)
    assert _dsar(office, number).state is DsarState.ANSWERING


def test_whoever_decided_on_one_record_cannot_release_either(office: Office) -> None:
    number = _in_review(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    group = _groups(dora.read(url))[0]
    dora.send(f"{url}/decide?group={group}", decision="include")
    ada = office.at_desk("Ada")
    ada.read(url)
    ada.send(_posts_to(ada, "finish"))
    office.walker.settle()
    dora.read(f"{url}/release")
    dora.send(f"{url}/release", 403, sha256=dora.hidden("sha256"), reference=number)


def test_a_release_wants_the_number_typed_and_keeps_what_was_typed(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    marta.read(f"{url}/release")
    page = marta.send(f"{url}/release", 422, sha256=marta.hidden("sha256"), reference="PR-WRONG1")
    assert 'href="#f-reference"' in page
    assert 'value="PR-WRONG1"' in page


def test_the_checks_say_what_they_rest_on_and_do_not_block(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    page = marta.read(f"{url}/release")
    assert re.search(r'class="tag ok"[^>]*>(?:(?!</span>).)*Third parties are decided', page)
    assert re.search(r'class="tag ok"[^>]*>(?:(?!</span>).)*Everything is decided', page)
    assert "0 taken out, 0 left in" in words_of(page)
    marta.send(f"{url}/release", sha256=marta.hidden("sha256"), reference=number)
    assert "Released." in words_of(marta.page)


def test_an_old_second_factor_asks_for_a_fresh_code_in_the_same_form(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    office.walker.clock.advance(timedelta(minutes=6))
    assert 'id="f-code"' in marta.read(f"{url}/release")
    sha256 = marta.hidden("sha256")
    marta.send(f"{url}/release", 403, sha256=sha256, reference=number)
    marta.send(f"{url}/release", sha256=sha256, reference=number, code=marta.code())
    assert marta.path == url


def test_a_package_that_changed_after_it_was_seen_is_not_released(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    marta.read(f"{url}/release")
    marta.send(f"{url}/release", 409, sha256="0" * 64, reference=number)


def test_a_second_click_on_release_sends_one_announcement(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    marta.read(f"{url}/release")
    sha256 = marta.hidden("sha256")
    marta.send(f"{url}/release", sha256=sha256, reference=number)
    marta.send(f"{url}/release", sha256=sha256, reference=number)
    office.walker.settle()
    ready = [mail for mail in office.walker.mails() if mail.to == "mia.brandt@example.com" and "ready" in mail.text]
    assert len(ready) == 1


def test_a_package_sent_back_is_void_and_the_review_goes_on(office: Office) -> None:
    number = _finished(office)
    marta, url = office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    marta.read(f"{url}/return")
    marta.send(f"{url}/return", 422, reason="")
    marta.send(f"{url}/return", reason="The second order is missing")
    assert _dsar(office, number).state is DsarState.IN_REVIEW
    assert "The second order is missing" in office.at_desk("Ada").read(url)
    marta.read(url)
    marta.send(f"{url}/release", 409, sha256="0" * 64, reference=number)


def test_an_erasure_needs_a_second_person_who_sees_the_plan(office: Office) -> None:
    number = _in_review(office, type="erasure")
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    page = ada.read(url)
    assert "/finish" not in page
    assert "/submit" not in page
    _plan(office, url)
    ada.read(url)
    ada.send(_posts_to(ada, "submit"))
    ada.read(f"{url}/approve", 403)
    marta = office.at_desk("Marta", Role.APPROVER)
    page = words_of(marta.read(f"{url}/approve"))
    assert "purchase: delete 2 records" in page
    assert "Delete 3 records" in page  # the sum stands above the lines
    assert "What the review decided" not in page  # the plan says it, and says it of each record
    plan = marta.hidden("plan")
    marta.send(f"{url}/approve", 422, plan=plan, reference="PR-OTHER1")
    marta.send(f"{url}/approve", 409, plan="0" * 64, reference=number)
    marta.send(f"{url}/approve", plan=plan, reference=number)
    marta.send(f"{url}/approve", plan=plan, reference=number)
    assert _dsar(office, number).state is DsarState.EXECUTING


def test_an_approved_erasure_is_carried_out_read_back_and_answered_by_letter(office: Office, tmp_path: Path) -> None:
    number = _in_review(office, type="erasure")
    ada, marta, url = office.at_desk("Ada"), office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    _plan(office, url)
    ada.read(url)
    ada.send(_posts_to(ada, "submit"))
    marta.read(f"{url}/approve")
    marta.send(f"{url}/approve", plan=marta.hidden("plan"), reference=number)
    office.walker.settle()
    assert _dsar(office, number).state is DsarState.ANSWERING
    with sqlite3.connect(tmp_path / "shop.db") as database:
        assert database.execute("SELECT id FROM customer").fetchall() == [(2,)]
    database.close()
    assert "erased and read back" in words_of(ada.read(f"{url}/plan"))
    receipt = re.search(rf'href="({url}/plan/receipts/[0-9a-f]{{64}})"', ada.page)
    assert receipt is not None
    assert ada.read(receipt[1]).count(".") == 2  # a signed file, to be checked without us
    ada.read(f"{url}/plan/receipts/{'0' * 64}", 404)
    assert "3 records deleted" in words_of(ada.read(f"{url}/letter"))
    ada.send(f"{url}/letter")
    ada.send(f"{url}/letter")
    office.walker.settle()
    assert _dsar(office, number).state is DsarState.ANSWERED


def test_a_store_that_no_machine_can_plan_is_erased_by_a_person(office: Office, tmp_path: Path) -> None:
    number = _in_review(office, type="erasure")
    ada, marta, url = office.at_desk("Ada"), office.at_desk("Marta", Role.APPROVER), f"/console/requests/{number}"
    (tmp_path / "shop.db").rename(tmp_path / "away.db")
    _plan(office, url)
    assert "done by a person" in words_of(ada.read(f"{url}/plan"))
    ada.read(url)
    ada.send(_posts_to(ada, "submit"))
    marta.read(f"{url}/approve")
    marta.send(f"{url}/approve", plan=marta.hidden("plan"), reference=number)
    task = re.search(r'href="(/console/tasks/[0-9a-f-]{36})">Erasure: do it in the store \(Shop\)', ada.read(url))
    assert task is not None
    ada.read(task[1])
    ada.send(f"{task[1]}/answer", answer="Deleted one customer and two purchases.", checked="Looked again: nothing.")
    assert _dsar(office, number).state is DsarState.ANSWERING
    assert number in words_of(ada.read(f"{url}/letter"))


def test_a_question_to_the_customer_waits_and_is_kept_with_the_request(office: Office) -> None:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(f"{url}/clarify")
    ada.send(f"{url}/clarify", 422, question=" ")
    ada.send(f"{url}/clarify", question="Which of the two accounts?")
    ada.send(f"{url}/clarify", question="Which of the two accounts?")
    assert _dsar(office, number).state is DsarState.AWAITING_CLARIFICATION
    assert ada.read(url).count("Which of the two accounts?") == 1


_FEE = {
    "code_of_ground": "excessive", "ground": "This is the ninth copy this year.", "amount": "12.50 EUR",
    "calculation": "Half an hour of work at 25 EUR.",
}  # fmt: skip


def _assigned_to_ada(office: Office) -> str:
    number = _in_review(office)
    ada = office.at_desk("Ada")
    ada.read(f"/console/requests/{number}")
    ada.send(f"/console/requests/{number}/assign")
    return number


def test_a_fee_is_signed_by_another_person_and_its_letter_leaves_with_it(office: Office) -> None:
    number = _assigned_to_ada(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    assert f"{url}/fee" in dora.read(url)
    dora.read(f"{url}/fee")
    for _ in range(2):
        page = dora.send(f"{url}/fee", reference=number.lower(), **_FEE)
    assert "waits for the fee" in words_of(page)
    assert _dsar(office, number).state is DsarState.AWAITING_FEE
    office.walker.settle()
    letters = [mail.text for mail in office.walker.mails() if "12.50 EUR" in mail.text]
    assert len(letters) == 1
    assert "This is the ninth copy this year." in letters[0]
    assert "There is a way without a fee" in letters[0]


def test_a_fee_that_is_settled_lets_the_request_go_on(office: Office) -> None:
    number = _assigned_to_ada(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    dora.read(f"{url}/fee")
    dora.send(f"{url}/fee", reference=number, **_FEE)
    for _ in range(2):
        dora.send(f"{url}/fee-settled")
    assert _dsar(office, number).state is DsarState.IN_REVIEW


def test_whoever_prepared_a_request_cannot_sign_its_fee(office: Office) -> None:
    number = _in_review(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    dora.read(url)
    dora.send(f"{url}/assign")
    assert "You prepared this request" in words_of(dora.read(f"{url}/fee"))
    dora.send(f"{url}/fee", 403, reference=number, **_FEE)
    assert _dsar(office, number).state is DsarState.IN_REVIEW


def test_an_analyst_is_offered_no_fee_and_cannot_send_one(office: Office) -> None:
    number = _assigned_to_ada(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    assert f"{url}/fee" not in ada.read(url)
    ada.send(f"{url}/fee", 403, reference=number, **_FEE)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ground": " "}, "A fee needs its ground"), ({"amount": ""}, "A fee needs its ground"),
        ({"code_of_ground": "because"}, "permits no fee on this ground"),
        ({"reference": "PR-WRONG1"}, "This is not the number of the request"),
    ],
)  # fmt: skip
def test_a_refused_fee_comes_back_filled(office: Office, changed: dict[str, str], said: str) -> None:
    number = _assigned_to_ada(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    dora.read(f"{url}/fee")
    page = dora.send(f"{url}/fee", 422, **{"reference": number, **_FEE, **changed})
    assert said in words_of(page)
    assert "Half an hour of work at 25 EUR." in page
    assert 'value="excessive" selected' in page or "code_of_ground" in changed


def test_no_words_of_a_fee_reach_the_audit_log(office: Office) -> None:
    number = _assigned_to_ada(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    dora.read(f"{url}/fee")
    dora.send(f"{url}/fee", reference=number, **_FEE)
    page = words_of(dora.read("/console/audit"))
    assert "dsar.demand_fee" in page
    assert "ninth copy" not in page


def test_a_fee_for_which_nobody_is_responsible_finds_no_second_person(office: Office) -> None:
    number = _file(office)
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    office.walker.settle()
    assert "Assign the request" in words_of(dora.read(f"{url}/fee"))
    dora.send(f"{url}/fee", 409, reference=number, **_FEE)


def test_who_prepared_a_plan_finds_the_button_closed_and_the_route_too(office: Office) -> None:
    number = _in_review(office, type="erasure")
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    _plan(office, url)
    dora.read(url)
    dora.send(_posts_to(dora, "submit"))
    page = dora.read(f"{url}/approve")
    assert "You prepared this plan" in page
    dora.send(f"{url}/approve", 403, plan=dora.hidden("plan"), reference=number)


def test_a_store_that_fails_is_done_by_hand_with_a_note_that_stays_inside(office: Office, tmp_path: Path) -> None:
    office.walker.connect("archive", tmp_path / "missing" / "archive.db")
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    page = ada.read(url)
    by_hand = re.search(r'href="([^"]*/by-hand)"', page)
    assert by_hand is not None
    ada.read(by_hand[1])
    ada.send(by_hand[1], 422, note="")
    page = ada.send(by_hand[1], note="Looked in the paper archive, two letters, scanned")
    assert "searched by hand" in page
    assert "Note of the team" in page
    ada.send(by_hand[1], note="again")


def test_a_failed_store_can_be_left_out_with_a_reason_or_tried_again(office: Office, tmp_path: Path) -> None:
    office.walker.connect("archive", tmp_path / "missing" / "archive.db")
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(url)
    ada.send(_posts_to(ada, "retry"))
    office.walker.settle()
    ada.read(url)
    without = _posts_to(ada, "without")
    run = without.rpartition("/runs/")[2].partition("/")[0]
    page = ada.send(without, 422, **{f"reason-{run}": ""})
    assert f"f-reason-{run}" in page
    assert "answered without" in ada.send(without, **{f"reason-{run}": "The archive burnt down"})


def test_more_time_comes_once_with_its_letter(office: Office) -> None:
    number = _file(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    before = _dsar(office, number).due_on
    ada.read(f"{url}/extend")
    ada.send(f"{url}/extend", 422, reason="", seen=ada.hidden("seen"))
    ada.read(f"{url}/extend")
    seen = ada.hidden("seen")
    ada.send(f"{url}/extend", reason="Nine archives have to be searched", seen=seen)
    ada.send(f"{url}/extend", reason="Nine archives have to be searched", seen=seen)
    office.walker.settle()
    assert _dsar(office, number).due_on > before
    letters = [mail for mail in office.walker.mails() if "Nine archives" in mail.text]
    assert len(letters) == 1
    ada.read(f"{url}/extend", 409)


def test_after_the_notice_date_no_more_time_is_offered(office: Office) -> None:
    number = _file(office)
    office.walker.clock.advance(timedelta(days=40))
    dora, url = office.at_desk("Dora", Role.DPO), f"/console/requests/{number}"
    assert "its notice date has passed" in dora.read(url)
    assert "cannot be extended" in dora.read(f"{url}/extend", 409)


def test_asking_for_proof_mails_a_code_and_waits(office: Office) -> None:
    number = _file(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(url)
    ada.send(f"{url}/ask-identity")
    ada.send(f"{url}/ask-identity")
    office.walker.settle()
    assert _dsar(office, number).state is DsarState.AWAITING_IDENTITY
    assert office.walker.code_for("mia.brandt@example.com")


def test_a_message_reaches_the_customer_once_and_the_mail_does_not_quote_it(office: Office) -> None:
    number = _in_review(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(url)
    given = {"csrf": ada.token, "once": ada.hidden("once"), "message": "Which of the two accounts do you mean?"}
    for _ in range(2):
        assert ada.post(f"{url}/message", given, Origin=ORIGIN).status_code == 303
    office.walker.settle()
    assert ada.read(url).count("Which of the two accounts") == 1
    assert not any("two accounts" in mail.text for mail in office.walker.mails())


def test_spam_is_dismissed_with_a_reason_and_proven_people_are_not(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    number = _file(office)
    ada.read(f"/console/requests/{number}/dismiss")
    ada.send(f"/console/requests/{number}/dismiss", 422, reason=" ")
    ada.send(f"/console/requests/{number}/dismiss", reason="An advertisement")
    assert _dsar(office, number).state is DsarState.CLOSED
    proven = _in_review(office)
    ada.read(f"/console/requests/{proven}")
    ada.send(f"/console/requests/{proven}/dismiss", 409, reason="No")


def test_several_requests_are_taken_on_at_once_and_each_counts_for_itself(office: Office) -> None:
    first, second = _file(office), _file(office, type="portability")
    ada = office.at_desk("Ada")
    ada.read("/console/requests")
    page = ada.send("/console/requests/bulk", action="assign", chosen=[first, second, "PR-NOSUCH"], view="all")
    assert "2 assigned to you" in words_of(page)
    assert _dsar(office, first).assignee_id == office.walker.staff_accounts["Ada"].id


def test_a_task_is_taken_on_and_answered_once(office: Office) -> None:
    number = _in_review(office)
    ada = office.at_desk("Ada")
    page = ada.read("/console/tasks")
    found = re.search(r'href="(/console/tasks/[0-9a-f-]{36})"', page)
    assert found is not None
    task = ada.read(found[1])
    assert number in task
    assert "Decide on the records" in task
    assert "Mark done" not in task  # a note would end the task and leave the records undecided
    ada.send(f"{found[1]}/claim")
    ada.send(f"{found[1]}/claim")
    ada.send(f"{found[1]}/answer", 422, answer="")
    ada.send(f"{found[1]}/answer", answer="Looked at every record")
    ada.send(f"{found[1]}/answer", answer="Looked at every record")
    assert "Done by Ada" in ada.read(found[1])
