"""Own choices by a link in a mail: who gets it, what it opens, and for how long. On both databases."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.services import purpose
from privacyops.services.consent import answering, preference_link, unsubscribing, writing
from privacyops.services.consent.answering import Question, check
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.consent.terms import Scope as Reach
from privacyops.store.tables.base import table_of
from privacyops.store.tables.letter import MailRow
from tests.house import Walker
from tests.portal_client import Customer, customer

__all__ = ["customer"]

MIA = "mia.brandt@example.com"
MAIL = table_of(MailRow)
NEWS = ("newsletter", "email")
ASK = "/privacy/preferences/link"


def whom(address: str = MIA) -> Whom:
    return Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, address),))


@pytest.fixture
def shop(walker: Walker) -> Walker:
    """A shop with the shipped purposes, whose newsletter Mia has subscribed to."""
    purpose.install_shipped(walker.context)
    chosen(walker)
    return walker


def chosen(walker: Walker, address: str = MIA) -> str:
    grant = [Choice(*NEWS, ChoiceAnswer.GRANT)]
    return writing.record_choices(walker.context, whom(address), grant, Circumstances(Method.FORM)).subject_id


def reason(walker: Walker, purpose_: str = "newsletter") -> str:
    return str(check(walker.context, Question(whom(), purpose_, "email")).decision.reason)


def asked(customer: Customer, address: str = MIA) -> str:
    """The page that answers whoever asks for a link."""
    customer.open(ASK)
    customer.press(ASK, email=address)
    return customer.page.text


def mailed(walker: Walker, address: str = MIA) -> list[str]:
    """The links that were mailed to an address, newest first."""
    walker.settle()
    texts = [mail.text for mail in walker.mails() if mail.to == address]
    return [found[0] for text in texts if (found := re.search(r"/p/pop_[0-9A-Za-z]{43}", text))]


def opened(customer: Customer, address: str = MIA) -> Customer:
    """A customer who followed the newest link."""
    asked(customer, address)
    (link, *_) = mailed(customer.walker, address)
    customer.open(link)
    customer.press(link)
    return customer


def ticked(customer: Customer) -> set[str]:
    return set(re.findall(r'name="grant" value="([^"]+)"[^>]* checked', customer.page.text))


def test_a_link_opens_the_choices_of_the_address_it_went_to(shop: Walker, customer: Customer) -> None:
    opened(customer)
    assert ticked(customer) == {"newsletter:email"}
    assert MIA not in customer.page.text


def test_choices_can_be_given_and_taken_back_by_the_link(shop: Walker, customer: Customer) -> None:
    opened(customer).press("/privacy/preferences", choice="save", grant="profiling:email")
    assert (reason(shop), reason(shop, "profiling")) == ("WITHDRAWN", "GRANTED")
    customer.press("/privacy/preferences", choice="reject")
    assert reason(shop, "profiling") == "WITHDRAWN"


def test_stop_everything_stops_everything_and_leaves_the_contract_alone(shop: Walker, customer: Customer) -> None:
    opened(customer).press("/privacy/preferences", choice="stop")
    assert "Everything is stopped." in customer.page.text
    assert ticked(customer) == set()
    assert (reason(shop), reason(shop, "profiling")) == ("WITHDRAWN", "WITHDRAWN")
    assert reason(shop, "service_messages") == "BASIS_CONTRACT"


def test_only_an_address_on_record_gets_a_mail_and_everybody_the_same_answer(shop: Walker, customer: Customer) -> None:
    hidden = re.compile(r"<code>[^<]*</code>|value=\"[^\"]*\"")
    known, unknown = (hidden.sub("·", asked(customer, one)) for one in (MIA, "stranger@example.org"))
    assert known == unknown
    shop.settle()
    assert {mail.to for mail in shop.mails()} == {MIA}


def test_asking_does_the_same_work_whether_the_address_is_known_or_not(shop: Walker, customer: Customer) -> None:
    """A2: not only the same answer, but the same statements in the same order, so that no time tells."""
    suppressed = "lee@example.com"
    chosen(shop, suppressed)
    writing.withdraw(shop.context, whom(suppressed), Reach(), Circumstances(Method.MAIL_UNSUBSCRIBE))
    done: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        done.append(statement)

    engines = shop.context.database.engines
    both = {engines.writer, engines.reader}
    told = []
    for one in both:
        event.listen(one, "before_cursor_execute", note)
    for address in ("stranger@example.org", MIA, suppressed, "another@example.org"):
        customer.open(ASK)
        done.clear()
        customer.press(ASK, email=address)
        told.append(list(done))
    for one in both:
        event.remove(one, "before_cursor_execute", note)
    assert told[0] == told[1] == told[2] == told[3]
    assert any("INSERT INTO mail" in statement for statement in told[0])
    shop.settle()
    assert {mail.to for mail in shop.mails()} == {MIA, suppressed}


def test_the_address_of_who_asked_is_gone_once_it_was_looked_up(shop: Walker, customer: Customer) -> None:
    asked(customer, "stranger@example.org")
    shop.settle()
    with shop.context.database.reading(shop.context.controller.key, shop.clock.now()) as tx:
        [row] = tx.run(select(MAIL).where(MAIL.c.kind == preference_link.JOB)).all()
    assert (row.state, row.sealed) == ("sent", None)
    assert preference_link.answer(shop.context, row.id) == "answered_before"


def test_opening_the_link_spends_nothing_and_pressing_the_button_spends_it(shop: Walker, customer: Customer) -> None:
    asked(customer)
    (link,) = mailed(shop)
    for _ in range(5):
        assert customer.http.get(link).status_code == 200
    customer.open(link)
    assert customer.press(link).headers["location"] == "/privacy/preferences"
    other = Customer(shop)
    other.open(link)
    assert other.press(link).status_code == 410
    assert ASK in other.page.text


def test_a_link_ends_after_a_day_and_the_browser_after_half_an_hour(shop: Walker, customer: Customer) -> None:
    asked(customer)
    (link,) = mailed(shop)
    shop.clock.advance(timedelta(hours=24, minutes=1))
    customer.open(link)
    assert customer.press(link).status_code == 410
    opened(customer)
    shop.clock.advance(timedelta(minutes=29))
    customer.open("/privacy/preferences")
    assert "Save choices" in customer.page.text
    shop.clock.advance(timedelta(minutes=2))
    assert customer.http.get("/privacy/preferences").headers["location"] == ASK
    assert customer.press("/privacy/preferences", choice="stop").status_code == 401
    assert reason(shop) == "GRANTED"


def test_a_token_that_may_only_stop_opens_no_choices(shop: Walker, customer: Customer) -> None:
    """Case 40."""
    stop = unsubscribing.new_unsubscribe_link(shop.context, chosen(shop), *NEWS)
    customer.open(f"/p/{stop}")
    assert customer.press(f"/p/{stop}").status_code == 410
    sent = customer.http.get("/privacy/preferences", headers={"Cookie": f"po_choices={stop}"})
    assert sent.headers["location"] == ASK


def test_an_address_is_written_to_five_times_a_day_at_most(shop: Walker, customer: Customer) -> None:
    for _ in range(8):
        asked(customer)
    assert len(mailed(shop)) == 5


def test_asking_too_often_from_one_place_is_slowed_down(shop: Walker, customer: Customer) -> None:
    for _ in range(20):
        asked(customer, "stranger@example.org")
    customer.open(ASK)
    assert customer.press(ASK, email=MIA).status_code == 429


def test_what_is_no_address_is_asked_for_again(shop: Walker, customer: Customer) -> None:
    customer.open(ASK)
    assert customer.press(ASK, email="mia").status_code == 422
    assert "Enter an e-mail address" in customer.page.text


def test_a_form_of_another_site_changes_nothing(shop: Walker, customer: Customer) -> None:
    opened(customer)
    token = re.search(r'name="csrf" value="([^"]+)"', customer.page.text)
    assert token is not None
    sent = customer.http.post(
        "/privacy/preferences", data={"csrf": token[1], "choice": "stop"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert sent.status_code == 403
    assert customer.http.post("/privacy/preferences", data={"choice": "stop"}).status_code == 403
    assert reason(shop) == "GRANTED"


def test_a_pending_choice_is_shown_as_pending_and_never_as_on(shop: Walker, customer: Customer) -> None:
    with shop.context.database.reading("shop", shop.clock.now()) as tx:
        current = purpose.catalogue(shop.context, tx).purposes["profiling"].current
    asks = replace(current, version=2, confirmed_in={"email": frozenset({"*"})}, material_reason="asked twice now")
    purpose.publish_purpose(shop.context, asks)
    opened(customer).press("/privacy/preferences", choice="accept")
    assert reason(shop, "profiling") == "PENDING_CONFIRMATION"
    assert "waits for you" in customer.page.text
    assert "profiling:email" not in ticked(customer)
    customer.press("/privacy/preferences", choice="save", grant="newsletter:email")
    assert reason(shop, "profiling") == "PENDING_CONFIRMATION", "an open question is not answered by saving the rest"
    customer.press("/privacy/preferences", choice="reject")
    assert reason(shop, "profiling") != "PENDING_CONFIRMATION"
    assert "waits for you" not in customer.page.text


def test_each_past_choice_has_its_receipt_and_nobody_elses_can_be_read(shop: Walker, customer: Customer) -> None:
    opened(customer)
    (path,) = set(re.findall(r"/privacy/preferences/receipt/[0-9a-f-]{36}", customer.page.text))
    receipt = customer.http.get(path)
    assert receipt.status_code == 200
    assert path.rpartition("/")[2] in receipt.text
    assert "default-src 'none'" in receipt.headers["Content-Security-Policy"]
    other = answering.history(shop.as_staff("Dora", Role.DPO), chosen(shop, "jan@example.net")).items[0]
    assert customer.http.get(f"/privacy/preferences/receipt/{other.event.id}").status_code == 404
    assert Customer(shop).http.get(path).status_code == 401


def test_the_pages_speak_german_too(shop: Walker) -> None:
    visitor = Customer(shop, language="de")
    asked(visitor)
    (link,) = mailed(shop)
    assert "Ihre Wahl bei" in next(mail.subject for mail in shop.mails() if mail.to == MIA)
    visitor.open(link)
    assert "Meine Wahl zeigen" in visitor.page.text
    visitor.press(link)
    assert "Alles stoppen" in visitor.page.text
