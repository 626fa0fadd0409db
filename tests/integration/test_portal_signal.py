"""The browser's opt-out signal on the page of one's own choices. On both databases."""

import pytest

from privacyops.domain.decision import Reason
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.services import purpose
from privacyops.services.consent.answering import Question, check
from privacyops.services.consent.subjects import Whom
from tests.house import Walker
from tests.portal_client import MIA, Customer, customer

__all__ = ["customer"]

MIA_WHOM = Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, MIA),))


@pytest.fixture
def shop(walker: Walker) -> Walker:
    purpose.install_shipped(walker.context)
    return walker


def reason(shop: Walker) -> Reason:
    return check(shop.context, Question(MIA_WHOM, "profiling", "email", jurisdiction="US")).decision.reason


def look(customer: Customer, signal: str | None) -> str:
    headers = {} if signal is None else {"Sec-GPC": signal}
    return customer.http.get("/privacy/preferences", headers=headers).text


def test_the_signal_of_the_browser_is_taken_once_and_shown_as_honoured(shop: Walker, customer: Customer) -> None:
    customer.ask()
    customer.prove()
    assert "Your browser asks us not to sell" not in look(customer, None)
    for _ in range(3):
        assert "Your browser asks us not to sell" in look(customer, "1")
    assert reason(shop) is Reason.GPC_OPT_OUT
    assert check(shop.context, Question(MIA_WHOM, "profiling", "email")).state_version == 1
    assert "Your browser asks us not to sell" in look(customer, None)


@pytest.mark.parametrize("value", ["true", "0", "yes"])
def test_any_other_value_is_ignored(shop: Walker, customer: Customer, value: str) -> None:
    customer.ask()
    customer.prove()
    look(customer, value)
    assert reason(shop) is Reason.NOT_OPTED_OUT


def test_a_browser_without_a_proved_mailbox_writes_nothing(shop: Walker, customer: Customer) -> None:
    look(customer, "1")
    assert reason(shop) is Reason.NOT_OPTED_OUT
