"""The page behind a confirmation mail, as a browser or a mail scanner meets it. On both engines."""

import pytest

from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Reason
from privacyops.domain.secret import LinkKind, mint_link
from privacyops.domain.subject import IdentifierType
from privacyops.services import purpose
from privacyops.services.consent import answering, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from tests.house import Walker
from tests.portal_client import Customer

KIM = "kim@example.com"


@pytest.fixture
def shop(walker: Walker) -> Walker:
    purpose.install_shipped(walker.context)
    with walker.context.database.reading(walker.context.controller.key, walker.clock.now()) as tx:
        current = purpose.catalogue(walker.context, tx).purposes["newsletter"].current
    body = current.to_json() | {
        "version": current.version + 1, "confirmed_in": {"email": ["*"]}, "material": "no", "material_reason": "same",
    }  # fmt: skip
    purpose.publish_purpose(walker.context, type(current).of_json(body))
    return walker


@pytest.fixture
def customer(shop: Walker) -> Customer:
    return Customer(shop)


def whom(shop: Walker) -> Whom:
    return Whom.of(shop.context, None, [(IdentifierType.EMAIL, KIM)])


def subscribed(shop: Walker) -> str:
    """Somebody signs up; the token of the link in the mail that left."""
    choices = [Choice("newsletter", "email", ChoiceAnswer.GRANT)]
    writing.record_choices(shop.context, whom(shop), choices, Circumstances(Method.FORM))
    shop.settle()
    mail = next(mail for mail in shop.mails() if mail.to == KIM)
    return str(mail.text).split("/c/")[1].split()[0].rstrip(".)>")


def reason(shop: Walker) -> Reason:
    return answering.check(shop.context, Question(whom(shop), "newsletter", "email")).decision.reason


def test_opening_the_link_confirms_nothing(shop: Walker, customer: Customer) -> None:
    """Case 31."""
    token = subscribed(shop)
    page = customer.open(f"/c/{token}")
    assert page.status_code == 200
    assert reason(shop) is Reason.PENDING_CONFIRMATION


def test_pressing_the_button_confirms_without_a_cookie_and_twice_is_once(shop: Walker, customer: Customer) -> None:
    """Case 29."""
    token = subscribed(shop)
    answers = [customer.http.post(f"/c/{token}", data={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert reason(shop) is Reason.GRANTED


def test_the_button_of_a_made_up_link_says_that_it_has_ended(shop: Walker, customer: Customer) -> None:
    """Case 30."""
    subscribed(shop)
    made_up = mint_link(LinkKind.CONFIRM).text
    good = customer.open(f"/c/{made_up}")
    assert good.status_code == 200
    answer = customer.http.post(f"/c/{made_up}", data={})
    assert answer.status_code == 200
    assert "This link has ended" in answer.text
    assert reason(shop) is Reason.PENDING_CONFIRMATION
