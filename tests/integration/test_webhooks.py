"""Systems are told of choices until they acknowledge, and a person hears of those that do not. On both engines."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from privacyops_client.webhook import WebhookRejected, WebhookVerifier
from sqlalchemy import select

from privacyops.adapters.webhook_sender import GuardedWebhookSender
from privacyops.connector_sdk.guard import Guard
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.task import TaskKind
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.kernel.errors import Unprocessable
from privacyops.services import job as jobs
from privacyops.services import ledger, purpose, task
from privacyops.services.context import Context
from privacyops.services.webhook import acknowledging, subscribing, telling
from privacyops.store.tables.base import table_of
from privacyops.store.tables.webhook import SubscriberRow
from privacyops.store.webhook import Tally
from tests.house import Walker
from tests.receiver import Receiver, receiving
from tests.shop import KIM, ShopClient

NEWS = {"purpose": "newsletter", "channel": "email"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def ctx(walker: Walker, receiver: Receiver) -> Context:
    """The service, whose settings open the loopback address of the receiver."""
    purpose.install_shipped(walker.context)
    ledger.drain(walker.context, "a")
    guard = Guard(frozenset({"http", "https"}), frozenset({receiver.port, 443}), (ip_network("127.0.0.0/8"),))
    ports = replace(walker.context.ports, webhooks=GuardedWebhookSender(lambda: guard))
    return replace(walker.context, ports=ports)


@pytest.fixture
def shop(ctx: Context) -> ShopClient:
    return ShopClient(ctx, Scope.WEBHOOK_MANAGE, Scope.CONSENT_WRITE, Scope.FEED_READ)


def connected(shop: ShopClient, url: str | None, **more: Any) -> Any:
    answer = shop.post("/v1/webhooks", {"name": "mail-tool", "url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def grant(shop: ShopClient) -> str:
    body = {"subject": KIM, "method": "form", "choices": [NEWS | {"choice": "grant"}]}
    return str(shop.post("/v1/consents", body).json()["events"][0]["event_id"])


def stop(shop: ShopClient, **more: Any) -> str:
    body = {"subject": KIM, "method": "preference_centre", "scope": NEWS, **more}
    return str(shop.post("/v1/consents:withdraw", body).json()["events"][0]["event_id"])


def hand_out(ctx: Context) -> list[tuple[str, str]]:
    """Number what is new, promise it to the systems and send what is due; what ended."""
    ledger.drain(ctx, "a")
    while telling.fan_out(ctx):
        pass
    jobs.drive_again(ctx)
    return drive_waiting(ctx, {"webhook": WebhookKind()})


def is_good(ctx: Context, secret: str, receiver: Receiver, at: int = -1, seconds: float = 0) -> bool:
    """Whether a receiver that holds `secret` takes a message, so long after it was sent."""
    one = receiver.got[at]
    try:
        WebhookVerifier(secret, clock=lambda: ctx.clock.now().timestamp() + seconds).verify(one.headers, one.body)
    except WebhookRejected:
        return False
    return True


# --- what is sent -----------------------------------------------------------------------------------------------


def test_a_withdrawal_reaches_a_system_as_a_signed_cloud_event(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    secret = connected(shop, receiver.url)["secret"]
    grant(shop)
    event = stop(shop)
    assert hand_out(ctx) == [("webhook", "acknowledged")] * 2
    sent = receiver.got[1]
    body = json.loads(sent.body)
    assert sent.headers["webhook-id"] == body["id"] == event
    assert body["specversion"] == "1.0"
    assert body["type"] == "org.privacyops.consent.withdrawn.v1"
    assert body["source"] == "/controllers/shop"
    assert body["data"]["purpose"] == "newsletter"
    assert body["data"]["state"] == "ConsentWithdrawn"
    assert body["subject"].startswith("r_")
    assert b"kim" not in sent.body
    assert is_good(ctx, secret, receiver)


def test_one_person_has_the_same_reference_in_all_messages_to_a_system_and_another_elsewhere(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    connected(shop, receiver.url, name="other-tool")
    grant(shop)
    stop(shop)
    hand_out(ctx)
    references = [json.loads(one.body)["subject"] for one in receiver.got]
    assert len(references) == 4
    assert len(set(references)) == 2


def test_the_asymmetric_scheme_is_verified_with_the_public_key(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    key = connected(shop, receiver.url, scheme="v1a")
    grant(shop)
    hand_out(ctx)
    assert key["public_key"].startswith("whpk_")
    assert is_good(ctx, key["public_key"], receiver)
    other = connected(shop, receiver.url, name="other", scheme="v1a")
    assert not is_good(ctx, other["public_key"], receiver)


def test_a_message_that_is_altered_replayed_or_older_than_five_minutes_is_rejected(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    """Case 73."""
    secret = connected(shop, receiver.url)["secret"]
    grant(shop)
    hand_out(ctx)
    assert is_good(ctx, secret, receiver, seconds=290)
    assert not is_good(ctx, secret, receiver, seconds=360)
    once = WebhookVerifier(secret, clock=lambda: ctx.clock.now().timestamp())
    once.verify(receiver.got[-1].headers, receiver.got[-1].body)
    with pytest.raises(WebhookRejected, match="repeated"):
        once.verify(receiver.got[-1].headers, receiver.got[-1].body)
    receiver.got.append(replace(receiver.got[-1], body=receiver.got[-1].body.replace(b"newsletter", b"profiling")))
    assert not is_good(ctx, secret, receiver)


def test_during_a_rotation_the_old_and_the_new_secret_are_good_and_then_the_new_one_alone(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    """Case 73."""
    one = connected(shop, receiver.url)
    new = shop.post(f"/v1/webhooks/{one['id']}:rotate", {}).json()["secret"]
    grant(shop)
    hand_out(ctx)
    assert is_good(ctx, one["secret"], receiver)
    assert is_good(ctx, new, receiver)
    walker.clock.advance(timedelta(hours=25))
    stop(shop)
    hand_out(ctx)
    assert is_good(ctx, new, receiver)
    assert not is_good(ctx, one["secret"], receiver)


def test_a_notice_that_is_published_is_told_and_holds_nobody_up(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    text = NoticeVersion("signup", 1, {"en": {part: f"Words about {part}" for part in Part}}, ("newsletter",))
    purpose.publish_notice(ctx, text)
    grant(shop)
    assert hand_out(ctx) == [("webhook", "acknowledged")] * 2
    assert [json.loads(one.body)["type"] for one in receiver.got] == [
        "org.privacyops.notice.published.v1", "org.privacyops.consent.given.v1",
    ]  # fmt: skip


def test_one_event_is_sent_again_alone(ctx: Context, walker: Walker, shop: ShopClient, receiver: Receiver) -> None:
    one = UUID(connected(shop, receiver.url)["id"])
    grant(shop)
    stop(shop)
    hand_out(ctx)
    olga = replace(ctx, actor=walker.as_staff("Olga", Role.ADMIN).actor)
    newest = subscribing.deliveries(olga, one, is_open=False)[0]
    assert subscribing.tallies(olga)[one].open == 0
    assert [subscribing.send_again(olga, one, newest.id) for _ in range(2)] == [True, False]
    walker.clock.advance(timedelta(hours=25))
    assert subscribing.tallies(walker.as_staff("Olga"))[one] == Tally(1, 0, 1, newest.acknowledged_at)
    assert hand_out(ctx) == [("webhook", "acknowledged")]
    assert receiver.got[2].body == receiver.got[1].body


def test_a_system_gets_the_types_it_asked_for(ctx: Context, shop: ShopClient, receiver: Receiver) -> None:
    connected(shop, receiver.url, types=["consent.withdrawn", "objection.*"])
    grant(shop)
    stop(shop)
    hand_out(ctx)
    assert [json.loads(one.body)["type"] for one in receiver.got] == ["org.privacyops.consent.withdrawn.v1"]


def test_what_happened_before_a_system_was_connected_is_not_sent(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    grant(shop)
    ledger.drain(ctx, "a")
    connected(shop, receiver.url)
    hand_out(ctx)
    assert receiver.got == []


# --- when it does not arrive ------------------------------------------------------------------------------------


def test_a_message_is_sent_again_with_longer_waits_and_the_same_bytes_until_it_is_acknowledged(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    receiver.status = 503
    grant(shop)
    hand_out(ctx)
    for minutes in (1, 5, 30):
        walker.clock.advance(timedelta(minutes=minutes))
        hand_out(ctx)
    assert len(receiver.got) == 4
    receiver.status = 200
    walker.clock.advance(timedelta(hours=1))
    assert hand_out(ctx) == [("webhook", "acknowledged")]
    assert len({(one.headers["webhook-id"], one.body) for one in receiver.got}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.got}) == 5


def test_a_receiver_that_asks_for_time_gets_it(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    receiver.status, receiver.answer_headers = 429, {"Retry-After": "3600"}
    grant(shop)
    hand_out(ctx)
    walker.clock.advance(timedelta(minutes=50))
    hand_out(ctx)
    assert len(receiver.got) == 1
    walker.clock.advance(timedelta(minutes=11))
    hand_out(ctx)
    assert len(receiver.got) == 2


def test_after_three_days_a_message_is_given_up_and_can_be_sent_again_by_hand(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    one = connected(shop, receiver.url)
    receiver.status = 500
    grant(shop)
    for _ in range(30):
        hand_out(ctx)
        walker.clock.advance(timedelta(hours=5))
    tries = len(receiver.got)
    assert 10 <= tries <= 25
    assert [item["state"] for item in shop.get("/v1/acks").json()["items"]] == ["failed"]
    receiver.status = 200
    assert shop.post(f"/v1/webhooks/{one['id']}:replay", {"from_seq": 1}).json() == {"replayed": 1}
    assert hand_out(ctx) == [("webhook", "acknowledged")]
    assert receiver.got[-1].body == receiver.got[0].body
    assert shop.get("/v1/acks").json()["items"] == []


def test_a_receiver_that_answers_410_gets_nothing_more_until_a_person_switches_it_on(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    """Case 73."""
    one = connected(shop, receiver.url)
    receiver.status = 410
    grant(shop)
    hand_out(ctx)
    (told,) = shop.get("/v1/webhooks").json()
    assert (told["state"], told["code"]) == ("disabled", "http_410")
    stop(shop)
    hand_out(ctx)
    assert len(receiver.got) == 1
    receiver.status = 200
    assert shop.post(f"/v1/webhooks/{one['id']}:enable", {}).status_code == 204
    hand_out(ctx)
    assert len(receiver.got) == 2, "what happened meanwhile is made up for"


def test_a_receiver_that_is_down_loses_nothing(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, f"http://127.0.0.1:{receiver.port}/hooks/privacy")
    closed = replace(ctx, ports=replace(ctx.ports, webhooks=GuardedWebhookSender(Guard)))
    grant(shop)
    hand_out(closed)
    assert shop.get("/v1/acks").json()["items"][0]["code"] == "scheme"
    walker.clock.advance(timedelta(minutes=1))
    assert hand_out(ctx) == [("webhook", "acknowledged")]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "https://user@shop.example/", "ftp://shop.example/", "https://shop.example:22/", "x"]
)
def test_an_address_that_is_never_connected_to_is_refused_at_once(shop: ShopClient, url: str) -> None:
    answer = shop.post("/v1/webhooks", {"name": "mail-tool", "url": url})
    assert answer.status_code == 422
    assert shop.get("/v1/webhooks").json() == []


def test_an_internal_address_that_passed_the_form_is_not_connected_to(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    ports = frozenset({receiver.port})
    closed = Guard(frozenset({"http"}), ports)
    grant(shop)
    hand_out(replace(ctx, ports=replace(ctx.ports, webhooks=GuardedWebhookSender(lambda: closed))))
    assert receiver.got == []
    assert shop.get("/v1/acks").json()["items"][0]["code"] == "not_public"


# --- acknowledgements -------------------------------------------------------------------------------------------


def overdue(walker: Walker) -> list[str | None]:
    found = task.list_open(walker.as_staff("Dora", Role.DPO))
    return [one.code for one in found if one.kind is TaskKind.ACK_OVERDUE]


def test_a_stop_that_a_system_has_not_acknowledged_in_a_day_becomes_one_task(
    walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    connected(shop, receiver.url)
    receiver.status = 500
    for _ in range(3):
        grant(shop)
        walker.clock.advance(timedelta(minutes=1))
        stop(shop)
        walker.clock.advance(timedelta(minutes=1))
    hand_out(ctx)
    assert acknowledging.watch(ctx) == 0
    walker.clock.advance(timedelta(hours=23, minutes=50))
    assert acknowledging.watch(ctx) == 0
    walker.clock.advance(timedelta(minutes=15))
    assert acknowledging.watch(ctx) == 3
    assert acknowledging.watch(ctx) == 0
    assert overdue(walker) == ["mail-tool"]


def test_a_grant_has_no_clock(walker: Walker, ctx: Context, shop: ShopClient, receiver: Receiver) -> None:
    connected(shop, receiver.url)
    receiver.status = 500
    grant(shop)
    hand_out(ctx)
    walker.clock.advance(timedelta(days=30))
    assert acknowledging.watch(ctx) == 0


def test_a_system_that_reads_the_feed_acknowledges_by_itself(walker: Walker, ctx: Context, shop: ShopClient) -> None:
    connected(shop, None)
    tool = ShopClient(ctx, Scope.FEED_READ, systems=["mail-tool"])
    grant(shop)
    event = stop(shop)
    assert hand_out(ctx) == []
    told = shop.get(f"/v1/acks/{event}").json()
    assert (told["is_everywhere"], told["items"][0]["rule"]) == (False, "gdpr_7_3")
    walker.clock.advance(timedelta(minutes=3))
    assert tool.post("/v1/acks", {"subscriber": "mail-tool", "event_ids": [event]}).json() == {"acknowledged": 1}
    told = shop.get(f"/v1/acks/{event}").json()
    assert (told["is_everywhere"], told["last_after_s"]) == (True, 180.0)
    seq = told["items"][0]["seq"]
    assert tool.post("/v1/acks", {"subscriber": "mail-tool", "up_to_seq": seq}).json() == {"acknowledged": 1}
    assert tool.post("/v1/acks", {"subscriber": "mail-tool", "up_to_seq": seq}).json() == {"acknowledged": 0}


def test_another_systems_key_does_not_acknowledge_for_it(ctx: Context, shop: ShopClient) -> None:
    connected(shop, None)
    shop.post("/v1/webhooks", {"name": "call-centre"})
    grant(shop)
    event = stop(shop)
    hand_out(ctx)
    other = ShopClient(ctx, Scope.FEED_READ, systems=["call-centre"])
    for stranger in (shop, other):
        answer = stranger.post("/v1/acks", {"subscriber": "mail-tool", "event_ids": [event], "up_to_seq": 9_000})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/system-not-yours")
    assert other.post("/v1/acks", {"subscriber": "call-centre", "event_ids": [event]}).json() == {"acknowledged": 1}
    told = shop.get(f"/v1/acks/{event}").json()
    assert {one["subscriber"]: one["state"] for one in told["items"]} == {
        "mail-tool": "waiting", "call-centre": "acknowledged",
    }  # fmt: skip
    assert not told["is_everywhere"]


def test_a_key_is_made_for_connected_systems_and_with_the_scope_to_confirm(ctx: Context, shop: ShopClient) -> None:
    with pytest.raises(Unprocessable, match="connect the system first"):
        ShopClient(ctx, Scope.FEED_READ, systems=["mail-tool"])
    connected(shop, None)
    with pytest.raises(Unprocessable, match="feed:read"):
        ShopClient(ctx, Scope.CONSENT_CHECK, systems=["mail-tool"])


def test_acknowledging_for_an_unknown_system_or_nothing_is_refused(shop: ShopClient) -> None:
    assert shop.post("/v1/acks", {"subscriber": "nobody", "up_to_seq": 1}).status_code == 404
    assert shop.post("/v1/acks", {"subscriber": "nobody"}).status_code == 422
    assert shop.get(f"/v1/acks/{UUID(int=7)}").status_code == 404


# --- the rest ---------------------------------------------------------------------------------------------------


def test_a_secret_is_shown_once_and_stands_nowhere_in_the_clear(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    body = {"name": "mail-tool", "url": receiver.url}
    first = shop.post("/v1/webhooks", body, key="once")
    again = shop.post("/v1/webhooks", body, key="once")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/secret-shown-before")
    assert "secret" not in shop.get("/v1/webhooks").text.replace("previous_secret_until", "")
    taken = shop.post("/v1/webhooks", body)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/name-taken")
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        rows = [tuple(row) for row in tx.run(select(table_of(SubscriberRow)))]
    assert len(rows) == 1
    assert first.json()["secret"].removeprefix("whsec_") not in repr(rows)


def test_two_processes_hand_out_each_event_once(ctx: Context, shop: ShopClient, receiver: Receiver) -> None:
    connected(shop, receiver.url)
    for _ in range(5):
        grant(shop)
    ledger.drain(ctx, "a")
    told: list[bool] = []
    off = threading.Barrier(2)

    def hand() -> None:
        off.wait(30)
        told.append(telling.fan_out(ctx))

    threads = [threading.Thread(target=hand) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == [False, False]
    drive_waiting(ctx, {"webhook": WebhookKind()})
    assert len(receiver.got) == len({one.headers["webhook-id"] for one in receiver.got}) == 5


def test_a_key_without_the_scope_neither_sees_nor_changes_systems(ctx: Context, receiver: Receiver) -> None:
    other = ShopClient(ctx, Scope.CONSENT_WRITE)
    calls: list[Callable[[], Any]] = [
        lambda: other.get("/v1/webhooks"), lambda: other.get("/v1/acks"),
        lambda: other.post("/v1/webhooks", {"name": "x", "url": receiver.url}),
        lambda: other.post("/v1/acks", {"subscriber": "x", "up_to_seq": 1}),
    ]  # fmt: skip
    assert [call().status_code for call in calls] == [403] * 4
