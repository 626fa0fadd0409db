"""A customer's whole way over HTTP, without script: ask, prove, watch, write, fetch, on both databases."""

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from privacyops.adapters.package.verify import verify_package
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Outcome
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import TaskKind
from privacyops.services import task as tasks
from privacyops.services.dsar import answer
from tests.house import Walker
from tests.portal_client import MIA, Customer, customer, little_shop, released

__all__ = ["customer", "little_shop"]


@pytest.fixture
def searching(customer: Customer, little_shop: Path) -> Customer:
    """A customer on the status page of a request whose search has begun."""
    customer.ask(order="LS-1002")
    customer.prove()
    return customer


@pytest.fixture
def answered(searching: Customer, walker: Walker) -> Customer:
    """A customer back on the status page after the answer was announced."""
    reference = searching.reference
    released(walker, searching.dsar_id)
    come_back(searching, reference)
    return searching


def come_back(customer: Customer, reference: str, email: str = MIA) -> None:
    """Open a request again by its number and a new code."""
    customer.open("/privacy/return")
    customer.press("/privacy/return", reference=reference, email=email)
    customer.prove(email)


def with_code(customer: Customer, walker: Walker) -> str:
    """Ask for a fresh code on the download page and type it; the path of the one-time link."""
    customer.open("/privacy/download")
    customer.press("/privacy/download/send")
    walker.settle()
    sent = customer.press("/privacy/download", code=walker.code_for(MIA))
    return str(sent.headers["location"])


def test_the_form_leads_to_the_page_that_waits_for_the_code(customer: Customer) -> None:
    sent = customer.ask()
    assert (sent.status_code, sent.headers["location"]) == (303, "/privacy/check")
    assert "m••••@e••••" in customer.page.text
    assert MIA not in customer.page.text


def test_the_code_opens_the_status_page_with_date_and_reason(searching: Customer) -> None:
    assert "22 Dec 2026" in searching.page.text
    assert "GDPR Art. 12(3): one month from receipt" in searching.page.text
    assert "searching our systems" in searching.page.text


def test_the_button_behind_the_mailed_link_opens_it_too(customer: Customer, walker: Walker) -> None:
    customer.ask()
    walker.settle()
    path = f"/privacy/confirm/{walker.link_for(MIA)}"
    elsewhere = Customer(walker, "198.51.100.9")
    elsewhere.open(path)
    assert elsewhere.press(path).headers["location"] == "/privacy/status"
    assert walker.dsar(elsewhere.dsar_id).state is not DsarState.AWAITING_IDENTITY


def test_the_order_number_of_the_form_proves_more_than_the_code(searching: Customer, walker: Walker) -> None:
    walker.settle()
    assert walker.dsar(searching.dsar_id).proven_level == 3


def test_a_message_reaches_the_team_as_a_task(searching: Customer, walker: Walker) -> None:
    searching.press("/privacy/status/message", message="I moved house.\r\nThe old address was Am Ring 1.")
    assert "I moved house.\nThe old address was Am Ring 1." in searching.page.text
    kinds = [task.kind for task in tasks.list_open(walker.as_staff("Ada", Role.ANALYST))]
    assert kinds == [TaskKind.READ_MESSAGE]


def test_two_messages_are_one_task(searching: Customer, walker: Walker) -> None:
    searching.press("/privacy/status/message", message="First")
    searching.press("/privacy/status/message", message="Second")
    assert len(tasks.list_open(walker.as_staff("Ada", Role.ANALYST))) == 1


def test_a_message_of_10001_characters_comes_back_filled(searching: Customer) -> None:
    sent = searching.press("/privacy/status/message", message="x" * 10_001)
    assert sent.status_code == 422
    assert "at most 10,000 characters" in searching.page.text
    assert "x" * 10_001 in searching.page.text


def test_a_message_of_10000_umlauts_is_taken(searching: Customer) -> None:
    assert searching.press("/privacy/status/message", message="ü" * 10_000).status_code == 303


def test_an_empty_message_is_refused_at_its_field(searching: Customer) -> None:
    sent = searching.press("/privacy/status/message", message=" \r\n ")
    assert sent.status_code == 422
    assert "Write your message first" in searching.page.text


def test_withdrawing_ends_the_request(searching: Customer, walker: Walker) -> None:
    searching.press("/privacy/status/withdraw")
    dsar = walker.dsar(searching.dsar_id)
    assert (dsar.state, dsar.outcome) == (DsarState.CLOSED, Outcome.WITHDRAWN)
    assert "You have withdrawn this request" in searching.page.text


def test_the_answered_page_says_what_each_system_gave(answered: Customer) -> None:
    assert "We have answered your request." in answered.page.text
    assert "3 records given" in answered.page.text
    assert "Download my data" in answered.page.text
    assert "/privacy/status/withdraw" not in answered.page.text


def test_the_file_comes_as_a_locked_down_attachment(answered: Customer, walker: Walker) -> None:
    path = with_code(answered, walker)
    sent = answered.press(path)
    assert sent.status_code == 200
    assert sent.headers["content-disposition"].startswith('attachment; filename="your-data-PR-')
    assert sent.headers["content-type"] == "application/zip"
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in sent.headers["content-security-policy"]
    assert int(sent.headers["content-length"]) == len(sent.content)


def test_the_file_holds_the_persons_data_and_verifies(answered: Customer, walker: Walker) -> None:
    archive = answered.press(with_code(answered, walker)).content
    verify_package(io.BytesIO(archive), walker.context.ports.signer.public_key)  # type: ignore[attr-defined]  # the adapter's
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
    assert b"LS-1002" in everything
    assert b"LS-1003" not in everything


def test_the_link_gives_the_file_once(answered: Customer, walker: Walker) -> None:
    path = with_code(answered, walker)
    page = answered.page
    assert answered.press(path).status_code == 200
    answered.page = page
    again = answered.press(path)
    assert again.status_code == 410
    assert "This link has been used" in again.text
    assert again.headers["content-type"].startswith("text/html")


def test_the_page_counts_the_downloads_that_are_left(answered: Customer, walker: Walker) -> None:
    answered.press(with_code(answered, walker))
    answered.open("/privacy/download")
    assert "<dt>Downloads left</dt><dd>4</dd>" in answered.page.text


def test_the_link_ends_after_ten_minutes(answered: Customer, walker: Walker) -> None:
    path = with_code(answered, walker)
    walker.clock.advance(timedelta(minutes=10, seconds=1))
    assert answered.press(path).status_code == 410


def test_the_nightly_sweep_keeps_what_can_still_be_fetched(answered: Customer, walker: Walker) -> None:
    reference = answered.reference
    walker.clock.advance(timedelta(days=2))
    assert answer.sweep_vault(walker.context) == 0
    come_back(answered, reference)
    assert answered.press(with_code(answered, walker)).status_code == 200


def test_the_nightly_sweep_deletes_what_no_package_names(answered: Customer, walker: Walker) -> None:
    vault = walker.house.settings.data / "vault"
    package = next(path for path in vault.rglob("*.blob"))
    orphan = package.with_name(f"{'0' * 32}.blob")
    orphan.write_bytes(b"left behind")
    walker.clock.advance(timedelta(days=2))
    assert answer.sweep_vault(walker.context) == 1
    assert package.exists()
    assert not orphan.exists()


def test_the_download_page_names_systems_and_their_parts_in_plain_words(answered: Customer) -> None:
    answered.open("/privacy/download")
    assert "<strong>Shop</strong>" in answered.page.text
    assert re.search(r"<li>Customer <span[^>]*>\(1\)", answered.page.text)
    assert re.search(r"<li>Purchase <span[^>]*>\(2\)", answered.page.text)


def test_the_bare_address_leads_to_the_form(customer: Customer) -> None:
    assert "Send request" in customer.open("/").text


def test_a_sixth_download_is_refused(answered: Customer, walker: Walker) -> None:
    reference = answered.reference
    for _ in range(5):
        come_back(answered, reference)
        assert answered.press(with_code(answered, walker)).status_code == 200
        walker.clock.advance(timedelta(hours=5))
    come_back(answered, reference)
    answered.open("/privacy/download")
    assert "This download has ended" in answered.page.text
    assert "Ask again" in answered.page.text


def test_after_thirty_days_the_package_is_gone_and_its_key_destroyed(answered: Customer, walker: Walker) -> None:
    reference = answered.reference
    walker.clock.advance(timedelta(days=30, minutes=1))
    assert answer.expire_packages(walker.context) == 1
    come_back(answered, reference)
    answered.open("/privacy/download")
    assert "This download has ended" in answered.page.text
    vault = walker.house.settings.data / "vault"
    left = [path for path in vault.rglob("*") if path.is_file() and path.parent.name != "destroyed"]
    assert left == []


def test_everything_is_said_in_german_too(walker: Walker, little_shop: Path) -> None:
    mia = Customer(walker, language="de-DE,de;q=0.9,en;q=0.1")
    mia.ask(order="LS-1002")
    assert '<html lang="de"' in mia.page.text
    mia.prove()
    assert "Art. 12 Abs. 3 DSGVO: ein Monat ab Eingang" in mia.page.text
    assert "Ihr Code" in walker.mails()[0].subject or "Code" in walker.mails()[0].subject


def test_the_language_switch_holds_over_the_next_pages(customer: Customer) -> None:
    customer.open("/privacy?lang=de")
    customer.open("/privacy/return")
    assert '<html lang="de"' in customer.page.text


def test_a_stop_takes_effect_at_once_and_asks_for_nothing(customer: Customer, walker: Walker) -> None:
    sent = customer.ask(type_="objection_direct_marketing")
    assert sent.headers["location"] == "/privacy/done"
    assert "That is done" in customer.page.text
    walker.settle()
    assert [mail.to for mail in walker.mails()] == [MIA]
    assert "/privacy/confirm/" not in walker.mails()[0].text
