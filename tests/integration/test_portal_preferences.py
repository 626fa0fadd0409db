"""Own choices and one-click stops over HTTP, on both databases."""

import re
from datetime import timedelta

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.services import purpose, retiring
from privacyops.services.consent import unsubscribing, writing
from privacyops.services.consent.answering import Question, check, history
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from tests.house import Walker
from tests.portal_client import MIA, Customer, customer

__all__ = ["customer"]

MIA_WHOM = Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, MIA),))
NEWS = ("newsletter", "email")


@pytest.fixture
def shop(walker: Walker) -> Walker:
    """A shop with the shipped purposes, whose newsletter Mia has subscribed to."""
    purpose.install_shipped(walker.context)
    subscribe(walker)
    return walker


def subscribe(walker: Walker) -> str:
    """Mia's newsletter, confirmed; her public id."""
    how = Circumstances(Method.FORM)
    return writing.record_choices(walker.context, MIA_WHOM, [Choice(*NEWS, ChoiceAnswer.GRANT)], how).subject_id


def may_write(walker: Walker, purpose_: str = "newsletter") -> bool:
    return check(walker.context, Question(MIA_WHOM, purpose_, "email")).decision.is_allowed


def events(walker: Walker, subject_id: str) -> int:
    return len(history(walker.as_staff("Dora", Role.DPO), subject_id).items)


def at_choices(customer: Customer) -> Customer:
    """The customer has proved the mailbox and opened the choices."""
    customer.ask()
    customer.prove()
    customer.open("/privacy/preferences")
    return customer


def ticked(customer: Customer) -> set[str]:
    """The boxes that the page shows as ticked."""
    return set(re.findall(r'name="grant" value="([^"]+)"[^>]* checked', customer.page.text))


def test_the_page_shows_what_stands(shop: Walker, customer: Customer) -> None:
    at_choices(customer)
    assert ticked(customer) == {"newsletter:email"}
    assert MIA not in customer.page.text
    assert "Part of our contract with you." in customer.page.text


def test_opening_the_page_writes_nothing(shop: Walker, customer: Customer) -> None:
    before = events(shop, subscribe(shop))
    at_choices(customer)
    assert events(shop, subscribe(shop)) == before + 1  # the subscription of this line alone


def test_reject_all_stops_at_the_next_check(shop: Walker, customer: Customer) -> None:
    at_choices(customer).press("/privacy/preferences", choice="reject")
    assert not may_write(shop)
    assert ticked(customer) == set()
    assert "Your choices are saved." in customer.page.text


def test_accept_all_allows_what_is_offered(shop: Walker, customer: Customer) -> None:
    at_choices(customer).press("/privacy/preferences", choice="accept")
    assert may_write(shop, "profiling")
    assert {"newsletter:email", "profiling:email"} <= ticked(customer)


def test_saving_writes_what_is_ticked_and_nothing_else(shop: Walker, customer: Customer) -> None:
    at_choices(customer).press("/privacy/preferences", choice="save", grant="profiling:email")
    assert (may_write(shop), may_write(shop, "profiling")) == (False, True)


def test_saving_twice_writes_once(shop: Walker, customer: Customer) -> None:
    subject_id = subscribe(shop)
    at_choices(customer).press("/privacy/preferences", choice="reject")
    once = events(shop, subject_id)
    customer.press("/privacy/preferences", choice="reject")
    assert events(shop, subject_id) == once


def test_what_is_not_offered_cannot_be_ticked(shop: Walker, customer: Customer) -> None:
    at_choices(customer).press("/privacy/preferences", choice="save", grant="service_messages:email")
    customer.press("/privacy/preferences", choice="save", grant="../:x")
    assert ticked(customer) == set()


def test_the_yes_to_a_retired_purpose_is_shown_and_can_only_be_taken_back(shop: Walker, customer: Customer) -> None:
    subject_id, officer = subscribe(shop), shop.as_staff("Dora", Role.DPO)
    for key in ("newsletter", "profiling"):
        retiring.retire(officer, key, "given up", "Dora Example")
    at_choices(customer)
    assert ticked(customer) == {"newsletter:email"}
    assert "We do not do this any more." in customer.page.text
    assert "profiling:email" not in customer.page.text
    before = events(shop, subject_id)
    customer.press("/privacy/preferences", choice="save", grant="newsletter:email")
    assert events(shop, subject_id) == before
    assert ticked(customer) == {"newsletter:email"}
    customer.press("/privacy/preferences", choice="save")
    customer.press("/privacy/preferences", choice="save", grant="newsletter:email")
    assert events(shop, subject_id) == before + 1
    assert "newsletter:email" not in customer.page.text


def test_the_page_tells_what_was_chosen_before(shop: Walker, customer: Customer) -> None:
    at_choices(customer).press("/privacy/preferences", choice="reject")
    assert "News and offers by e-mail and text message, by e-mail: no" in customer.page.text
    assert "News and offers by e-mail and text message, by e-mail: yes" in customer.page.text


def test_without_a_proved_mailbox_a_link_and_a_stop_are_offered(shop: Walker, customer: Customer) -> None:
    sent = customer.http.get("/privacy/preferences")
    assert sent.headers["location"] == "/privacy/preferences/link"
    customer.open("/privacy/preferences")
    assert "/privacy?type=objection_direct_marketing" in customer.page.text


def test_a_stop_from_the_form_counts_at_the_next_check(shop: Walker, customer: Customer) -> None:
    assert may_write(shop)
    customer.ask(type_="objection_direct_marketing")
    assert not may_write(shop)
    assert may_write(shop, "service_messages")


def test_a_stop_for_somebody_unknown_is_taken_too(shop: Walker, customer: Customer) -> None:
    assert customer.ask("new.person@example.org", "objection_direct_marketing").status_code == 303


def test_opening_the_unsubscribe_link_changes_nothing(shop: Walker, customer: Customer) -> None:
    """A50, in small."""
    link = unsubscribing.new_unsubscribe_link(shop.context, subscribe(shop), *NEWS)
    for _ in range(20):
        assert customer.http.get(f"/u/{link}").status_code == 200
    assert may_write(shop)


def test_one_click_stops_and_a_hundred_write_once(shop: Walker, customer: Customer) -> None:
    """A50, in small: RFC 8058, without cookie, from another site, whatever the body."""
    subject_id = subscribe(shop)
    link = unsubscribing.new_unsubscribe_link(shop.context, subject_id, *NEWS)
    before = events(shop, subject_id)
    for _ in range(100):
        sent = customer.http.post(
            f"/u/{link}", data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert sent.status_code == 200
    assert not may_write(shop)
    assert events(shop, subject_id) == before + 1


def test_the_one_click_body_may_be_multipart(shop: Walker, customer: Customer) -> None:
    link = unsubscribing.new_unsubscribe_link(shop.context, subscribe(shop), *NEWS)
    sent = customer.http.post(f"/u/{link}", files={"List-Unsubscribe": (None, "One-Click")})
    assert "If this link was whole, you get no more mail of this kind" in sent.text
    assert not may_write(shop)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "If this link was whole"), ("de", "Wenn dieser Link vollständig war")]
)
def test_a_broken_link_is_not_told_that_it_stopped_anything(customer: Customer, language: str, said: str) -> None:
    sent = customer.http.post("/u/nonsense", headers={"Accept-Language": language})
    assert said in sent.text
    assert "You are unsubscribed" not in sent.text
    assert "Sie sind abgemeldet" not in sent.text
    assert 'href="/privacy/preferences"' in sent.text


def test_an_old_link_stops_again_after_a_new_subscription(shop: Walker, customer: Customer) -> None:
    link = unsubscribing.new_unsubscribe_link(shop.context, subscribe(shop), *NEWS)
    customer.http.post(f"/u/{link}")
    shop.clock.advance(timedelta(minutes=1))
    subscribe(shop)
    assert may_write(shop)
    customer.http.post(f"/u/{link}")
    assert not may_write(shop)


def test_an_unknown_link_gets_the_same_pages(shop: Walker, customer: Customer) -> None:
    link = unsubscribing.new_unsubscribe_link(shop.context, subscribe(shop), *NEWS)
    pages = []
    for token in (link, "pou_" + "a" * 43, "x"):
        shown, done = customer.http.get(f"/u/{token}"), customer.http.post(f"/u/{token}")
        hidden = re.compile(re.escape(token) + r"|<code>[^<]*</code>")
        pages.append((shown.status_code, done.status_code, hidden.sub("·", shown.text), hidden.sub("·", done.text)))
    assert pages[0][:2] == pages[1][:2] == pages[2][:2] == (200, 200)
    assert pages[0] == pages[1]


def test_the_link_of_one_kind_opens_no_other_door(shop: Walker, customer: Customer) -> None:
    """A51."""
    link = unsubscribing.new_unsubscribe_link(shop.context, subscribe(shop), *NEWS)
    assert customer.http.get(f"/privacy/confirm/{link}").status_code == 410
    sent = customer.http.get("/privacy/status", headers={"Cookie": f"po_portal={link}"})
    assert sent.headers["location"] == "/privacy/return"
