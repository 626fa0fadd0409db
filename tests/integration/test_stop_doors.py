"""Stopping with one click and by text message, on both databases. The numbers are the acceptance cases'."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.domain.task import TaskKind
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.portal.app import create_portal
from privacyops.services import purpose, task
from privacyops.services.consent import answering, erasing, unsubscribing, writing
from privacyops.services.consent.answering import Question, check
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from tests.house import Walker
from tests.portal_client import Customer, customer
from tests.receiver import receiving
from tests.shop import ShopClient

__all__ = ["customer"]

MIA = Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, "mia.brandt@example.com"),))
NUMBER = "+4930123456"
PHONE = Whom(None, (SubjectIdentifier(IdentifierType.PHONE, NUMBER),))
NEWS = ("newsletter", "email")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def shop(walker: Walker) -> Walker:
    purpose.install_shipped(walker.context)
    return walker


@pytest.fixture
def api(shop: Walker) -> ShopClient:
    """A back end of the shop, as reached over TLS."""
    https = replace(shop.context, controller=replace(shop.context.controller, base_url="https://privacy.shop.example"))
    return ShopClient(https, Scope.CONSENT_WRITE, Scope.CONSENT_CHECK)


def chosen(shop: Walker, whom: Whom, *choices: tuple[str, str]) -> str:
    """Yes to these; the person's public id."""
    granted = [Choice(purpose_, channel, ChoiceAnswer.GRANT) for purpose_, channel in choices]
    return writing.record_choices(shop.context, whom, granted, Circumstances(Method.FORM)).subject_id


def reason(shop: Walker, whom: Whom, purpose_: str = "newsletter", channel: str = "email") -> str:
    return str(check(shop.context, Question(whom, purpose_, channel)).decision.reason)


def events(shop: Walker, subject_id: str) -> list[str]:
    found = answering.history(shop.as_staff("Dora", Role.DPO), subject_id, limit=200).items
    return [str(item.event.type) for item in found]


# --- one click --------------------------------------------------------------------------------------------------


def test_the_header_pair_of_a_message_stops_what_the_message_was_for(
    shop: Walker, api: ShopClient, customer: Customer
) -> None:
    """Cases 36 and 37."""
    chosen(shop, MIA, NEWS, ("profiling", "email"))
    body = {"subject": {"identifiers": [{"type": "email", "value": "mia.brandt@example.com"}]}, "purpose": "newsletter"}
    answer = api.post("/v1/mail-headers", body).json()
    assert answer["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert answer["headers"]["List-Unsubscribe"] == f"<{answer['url']}>"
    assert answer["headers"]["List-Unsubscribe"].count("https:") == 1
    path = answer["url"].removeprefix("https://privacy.shop.example")
    assert re.fullmatch(r"/u/pou_[0-9A-Za-z]{43}", path)
    assert customer.http.get(path).status_code == 200
    assert reason(shop, MIA) == "GRANTED"
    sent = customer.http.post(path, data=ONE_CLICK, headers={"Sec-Fetch-Site": "cross-site"})
    assert (sent.status_code, sent.headers.get("location")) == (200, None)
    assert (reason(shop, MIA), reason(shop, MIA, "profiling")) == ("WITHDRAWN", "GRANTED")


def test_headers_can_be_made_for_somebody_who_has_no_choices_yet(
    shop: Walker, api: ShopClient, customer: Customer
) -> None:
    body = {"subject": {"identifiers": [{"type": "email", "value": "new@example.org"}]}, "purpose": "newsletter"}
    path = api.post("/v1/mail-headers", body).json()["url"].removeprefix("https://privacy.shop.example")
    customer.http.post(path, data=ONE_CLICK)
    assert reason(shop, Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, "new@example.org"),))) == "WITHDRAWN"


def test_headers_for_an_unknown_purpose_or_without_tls_are_refused(shop: Walker, api: ShopClient) -> None:
    body = {"subject": {"identifiers": [{"type": "email", "value": "mia@example.com"}]}, "purpose": "absent"}
    assert api.post("/v1/mail-headers", body).json()["type"] == "/problems/unknown-purpose"
    plain = ShopClient(shop.context, Scope.CONSENT_WRITE)
    answer = plain.post("/v1/mail-headers", body | {"purpose": "newsletter"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/address-not-https")


@pytest.mark.long
def test_a_thousand_posts_at_once_leave_one_event(shop: Walker) -> None:
    """Case 38."""
    subject_id = chosen(shop, MIA, NEWS)
    link = unsubscribing.new_unsubscribe_link(shop.context, subject_id, *NEWS)
    portal = create_portal(shop.context, JinjaPages())

    def click(_: int) -> int:
        return TestClient(portal).post(f"/u/{link}", data=ONE_CLICK).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(click, range(1_000))) == {200}
    assert events(shop, subject_id) == ["consent.withdrawn", "consent.given"]


def test_clicks_that_race_leave_one_event(shop: Walker) -> None:
    """Case 38, in small."""
    subject_id = chosen(shop, MIA, NEWS)
    link = unsubscribing.new_unsubscribe_link(shop.context, subject_id, *NEWS)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: unsubscribing.unsubscribe(shop.context, link), range(64)))
    assert events(shop, subject_id) == ["consent.withdrawn", "consent.given"]


def test_an_unknown_a_spent_and_an_erased_token_get_the_same_page(shop: Walker, customer: Customer) -> None:
    """Case 39."""
    spent = unsubscribing.new_unsubscribe_link(shop.context, chosen(shop, MIA, NEWS), *NEWS)
    customer.http.post(f"/u/{spent}")
    gone = chosen(shop, PHONE, ("newsletter", "sms"))
    erased = unsubscribing.new_unsubscribe_link(shop.context, gone, "newsletter", "sms")
    erasing.erase(shop.as_staff("Dora", Role.DPO), gone)
    live = unsubscribing.new_unsubscribe_link(
        shop.context, chosen(shop, MIA, ("profiling", "email")), "profiling", "email"
    )
    pages = set()
    for token in (spent, erased, "pou_" + "a" * 43, live):
        sent = customer.http.post(f"/u/{token}", data=ONE_CLICK)
        hidden = re.sub(re.escape(token) + r"|<code>[^<]*</code>|value=\"[^\"]*\"", "·", sent.text)
        pages.add((sent.status_code, hidden))
    assert len(pages) == 1


def test_a_click_also_ends_what_was_only_asked_for(shop: Walker) -> None:
    with shop.context.database.reading("shop", shop.clock.now()) as tx:
        current = purpose.catalogue(shop.context, tx).purposes["newsletter"].current
    purpose.publish_purpose(shop.context, replace(current, version=2, confirmed_in={"email": frozenset({"*"})}))
    subject_id = chosen(shop, MIA, NEWS)
    assert reason(shop, MIA) == "PENDING_CONFIRMATION"
    unsubscribing.unsubscribe(shop.context, unsubscribing.new_unsubscribe_link(shop.context, subject_id, *NEWS))
    assert reason(shop, MIA) == "WITHDRAWN"


def test_a_link_works_for_two_years(shop: Walker) -> None:
    subject_id = chosen(shop, MIA, ("profiling", "email"))
    link = unsubscribing.new_unsubscribe_link(shop.context, subject_id, "profiling", "email")
    shop.clock.advance(timedelta(days=729))
    unsubscribing.unsubscribe(shop.context, link)
    assert reason(shop, MIA, "profiling") == "WITHDRAWN"


# --- text messages ----------------------------------------------------------------------------------------------


def text(api: ShopClient, words: str, language: str = "en", key: str | None = None, **more: Any) -> Any:
    body = {"from": NUMBER, "text": words, "message_id": "m-1", "language": language, **more}
    return api.post("/v1/inbound/sms", body, key)


@pytest.mark.parametrize(("words", "language"), [("STOP.", "en"), (" stop ", "en"), ("Stopp", "de")])
def test_a_stop_word_stops_and_is_confirmed_once_within_five_minutes(
    shop: Walker, api: ShopClient, words: str, language: str
) -> None:
    """Case 42."""
    chosen(shop, PHONE, ("newsletter", "sms"))
    answer = text(api, words, language).json()
    assert (answer["stopped"], answer["reading"]) == (True, "whole")
    assert answer["reply"]
    assert answer["reply_before"] == "2026-11-22T10:05:00.000Z"
    assert reason(shop, PHONE, channel="sms") == "SUPPRESSED"
    again = text(api, words, language).json()
    assert (again["stopped"], again["reply"]) == (True, None)
    assert task.list_open(shop.as_staff("Dora", Role.DPO)) == ()


def test_a_stop_among_other_words_stops_and_becomes_a_task(shop: Walker, api: ShopClient) -> None:
    """Case 43."""
    answer = text(api, "please stop texting me").json()
    assert (answer["stopped"], answer["reading"]) == (True, "part")
    assert reason(shop, PHONE, channel="sms") == "SUPPRESSED"
    (open_task,) = task.list_open(shop.as_staff("Dora", Role.DPO))
    assert (open_task.kind, open_task.code) == (TaskKind.READ_STOP, answer["event_id"])


def test_a_stop_leaves_messages_of_the_contract_alone(shop: Walker, api: ShopClient) -> None:
    text(api, "STOP")
    assert reason(shop, PHONE, "service_messages", "sms") == "BASIS_CONTRACT"


def test_another_text_changes_nothing(shop: Walker, api: ShopClient) -> None:
    chosen(shop, PHONE, ("newsletter", "sms"))
    answer = text(api, "When does my parcel come?").json()
    assert (answer["stopped"], answer["reading"], answer["event_id"], answer["reply"]) == (False, "none", None, None)
    assert reason(shop, PHONE, channel="sms") == "GRANTED"


def test_a_gateway_that_repeats_its_call_gets_the_same_answer(api: ShopClient) -> None:
    first, again = text(api, "STOP", key="once").json(), text(api, "STOP", key="once").json()
    assert first == again
    assert first["reply"]
    assert text(api, "STOP now", key="once").status_code == 422


def test_a_number_that_is_none_and_an_unknown_brand_are_refused(api: ShopClient) -> None:
    assert text(api, "STOP", brand="elsewhere").json()["type"] == "/problems/unknown-brand"
    answer = api.post("/v1/inbound/sms", {"from": "hello", "text": "STOP", "message_id": "m"})
    assert (answer.status_code, "hello" in answer.text) == (422, False)


@pytest.fixture
def gateway(shop: Walker) -> Iterator[tuple[Context, Any]]:
    """A connected system that sends text messages."""
    with receiving() as receiver:
        from ipaddress import ip_network

        from privacyops.adapters.webhook_sender import GuardedWebhookSender
        from privacyops.connector_sdk.guard import Guard

        guard = Guard(frozenset({"http"}), frozenset({receiver.port}), (ip_network("127.0.0.0/8"),))
        ports = replace(shop.context.ports, webhooks=GuardedWebhookSender(lambda: guard))
        ctx = replace(shop.context, ports=ports)
        manager = ShopClient(ctx, Scope.WEBHOOK_MANAGE)
        manager.post("/v1/webhooks", {"name": "sms-gateway", "url": receiver.url, "types": ["sms.confirmation"]})
        yield ctx, receiver


def test_a_gateway_that_asks_for_confirmations_gets_one_event_instead(gateway: tuple[Context, Any]) -> None:
    """Case 42."""
    ctx, receiver = gateway
    api = ShopClient(ctx, Scope.CONSENT_WRITE)
    assert [text(api, "STOP").json()["reply"] for _ in range(2)] == [None, None]
    assert drive_waiting(ctx, {"webhook": WebhookKind()}) == [("webhook", "acknowledged")]
    (sent,) = receiver.got
    assert b"org.privacyops.sms.confirmation.v1" in sent.body
    assert b'"in_reply_to":"m-1"' in sent.body
    assert b'"send_before":"2026-11-22T10:05:00.000Z"' in sent.body
    assert NUMBER.encode() not in sent.body
    assert UUID(sent.headers["webhook-id"])
