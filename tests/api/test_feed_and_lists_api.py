"""Feed, snapshot, batches and lists over HTTP, as a shop's back end meets them. On both engines."""

import base64
import csv
import hashlib
import io
import json
import threading
import time
import tracemalloc
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from privacyops_client.local import Copy
from privacyops_client.problems import FeedBroken
from privacyops_client.table import SnapshotReader
from sqlalchemy import delete, select

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import api_key, staff
from privacyops.domain.consent.state import Method
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId, ApiKeyId
from privacyops.services import apikey, ledger, purpose
from privacyops.services.consent import erasing, feeding, scrubbing, writing
from privacyops.services.consent.scrubbing import Emit, Form, ScrubQuestion
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Written
from privacyops.services.context import Context
from privacyops.store import change as changes
from privacyops.store.tables.audit import AuditRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.change import ConsentChangeRow, ErasedSubjectRow
from privacyops.store.uow import Database
from tests.small_service import small_service

ALL = (Scope.CONSENT_CHECK, Scope.CONSENT_WRITE, Scope.FEED_READ)


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


class Shop:
    """A back end with a key of its own."""

    def __init__(self, service: Context, *scopes: Scope) -> None:
        admin = staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now())
        key = apikey.create(service.acting_as(admin), "shop", frozenset(scopes or ALL))
        self.headers = {"Authorization": f"Bearer {key}"}
        self.http = TestClient(create_api(service), raise_server_exceptions=False)

    def feed(self, after: int, **query: Any) -> Any:
        return self.http.get("/v1/changes", params={"after": after, **query}, headers=self.headers)

    def snapshot(self) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/changes/snapshot", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def batch(self, *items: dict[str, Any]) -> Any:
        return self.http.post("/v1/check:batch", json={"items": list(items)}, headers=self.headers)

    def scrub(self, content: str, form: str = "application/x-ndjson", **query: str) -> Any:
        about = {"purpose": "newsletter", "channel": "email", **query}
        return self.http.post(
            "/v1/scrub", params=about, content=content.encode(), headers=self.headers | {"Content-Type": form}
        )


@pytest.fixture
def shop(service: Context) -> Shop:
    return Shop(service)


def choose(service: Context, who: str, answer: ChoiceAnswer, purpose: str = "newsletter") -> Written:
    writer = service.acting_as(api_key(ApiKeyId(UUID(int=7)), "shop-group", Scope.CONSENT_WRITE))
    whom = Whom.of(service, None, [(IdentifierType.EMAIL, who)])
    choices = [Choice(purpose, "email", answer)]
    return writing.record_choices(writer, whom, choices, Circumstances(Method.FORM, jurisdiction="US-CA"))


GRANT, REFUSE = ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE


def ref_by(key: str, subject_id: str) -> str:
    """As a client computes it."""
    secret = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    digest = hashlib.blake2b(subject_id.encode(), digest_size=8, key=secret).digest()
    return "r_" + base64.b32encode(digest).decode().rstrip("=").lower()


# --- feed -------------------------------------------------------------------------------------------------------


def test_the_feed_is_dense_and_names_nobody(service: Context, shop: Shop) -> None:
    written = choose(service, "kim@example.com", REFUSE)
    ledger.drain(service, "test")
    page = shop.feed(0).json()
    assert [item["seq"] for item in page["items"]] == list(range(1, page["high_water"] + 1))
    last = page["items"][-1]
    assert (last["type"], last["purpose"], last["channel"]) == ("consent.refused", "newsletter", "email")
    assert last["state_version"] == written.state_version
    assert last["event_id"] == written.events[0]["event_id"]
    assert "kim" not in json.dumps(page)
    assert written.subject_id not in json.dumps(page)


def test_what_is_about_nobody_has_no_reference(service: Context, shop: Shop) -> None:
    ledger.drain(service, "test")
    items = shop.feed(0).json()["items"]
    assert {item["type"] for item in items} == {"purpose.published"}
    assert not any("subject_ref" in item for item in items)


def test_a_notice_that_is_published_goes_by_in_the_feed(service: Context, shop: Shop) -> None:
    text = NoticeVersion("signup", 1, {"en": {part: f"Words about {part}" for part in Part}}, ("newsletter",))
    purpose.publish_notice(service, text)
    ledger.drain(service, "a")
    answer = shop.feed(0)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][-1]["type"] == "notice.published"


def test_a_person_has_another_reference_for_each_client(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", REFUSE)
    ledger.drain(service, "test")
    mine, theirs = (one.feed(0).json()["items"][-1]["subject_ref"] for one in (shop, Shop(service)))
    assert mine != theirs
    assert mine == shop.feed(0).json()["items"][-1]["subject_ref"]


def test_the_reference_is_the_one_a_client_computes(service: Context, shop: Shop) -> None:
    written = choose(service, "kim@example.com", REFUSE)
    ledger.drain(service, "test")
    key = shop.snapshot()[0]["snapshot"]["hash_key"]
    assert shop.feed(0).json()["items"][-1]["subject_ref"] == ref_by(key, written.subject_id)


def test_a_page_ends_where_the_next_begins(service: Context, shop: Shop) -> None:
    for number in range(5):
        choose(service, f"p{number}@example.com", REFUSE)
    ledger.drain(service, "test")
    seen, after = [], 0
    while items := (page := shop.feed(after, limit=3).json())["items"]:
        seen += [item["seq"] for item in items]
        after = page["next"]
    assert seen == list(range(1, after + 1))
    assert page["next"] == page["high_water"] == after


def test_what_is_committed_and_not_numbered_shows_as_lag(service: Context, shop: Shop, clock: ManualClock) -> None:
    ledger.drain(service, "test")
    at = shop.feed(0).json()
    assert at["lag_ms"] == 0
    choose(service, "kim@example.com", REFUSE)
    clock.advance(timedelta(seconds=3))
    behind = shop.feed(at["next"]).json()
    assert behind["items"] == []
    assert behind["lag_ms"] >= 3_000


def test_a_reader_that_waits_is_answered_when_something_comes(service: Context, shop: Shop) -> None:
    ledger.drain(service, "test")
    after = shop.feed(0).json()["next"]

    def later() -> None:
        time.sleep(0.2)
        choose(service, "kim@example.com", REFUSE)
        ledger.drain(service, "test")

    writer = threading.Thread(target=later)
    began = time.monotonic()
    writer.start()
    page = shop.feed(after, wait=20).json()
    writer.join()
    assert [item["type"] for item in page["items"]] == ["consent.refused"]
    assert time.monotonic() - began < 15


def test_a_reader_that_waits_in_vain_gets_an_empty_page(service: Context, shop: Shop) -> None:
    ledger.drain(service, "test")
    after = shop.feed(0).json()["next"]
    page = shop.feed(after, wait=0.2).json()
    assert (page["items"], page["next"]) == ([], after)


def test_a_reader_from_before_the_feed_takes_a_snapshot(service: Context, shop: Shop, clock: ManualClock) -> None:
    choose(service, "kim@example.com", REFUSE)
    ledger.drain(service, "test")
    clock.advance(timedelta(days=8))
    choose(service, "kim@example.com", GRANT)
    ledger.drain(service, "test")
    with service.database.transaction("shop-group", clock.now()) as tx:
        assert changes.sweep_changes(tx) > 0
    assert shop.feed(0).status_code == 410
    assert shop.feed(0).json()["type"] == "/problems/changes-expired"
    head = shop.snapshot()[0]["snapshot"]
    assert shop.feed(head["high_water"]).json()["items"] == []


def test_a_reader_that_is_ahead_of_the_log_is_sent_back(service: Context, shop: Shop) -> None:
    ledger.drain(service, "test")
    assert shop.feed(10_000).status_code == 410


def test_a_reader_with_the_hashes_of_another_key_is_sent_back(service: Context, shop: Shop) -> None:
    ledger.drain(service, "test")
    key_id = shop.snapshot()[0]["snapshot"]["key_id"]
    assert shop.feed(0, key_id=key_id).status_code == 200
    assert shop.feed(0, key_id="0" * 16).status_code == 410


def test_a_hole_in_the_feed_stops_its_reader(service: Context, shop: Shop) -> None:
    choose(service, "p0@example.com", REFUSE)
    ledger.drain(service, "test")
    snapshot = SnapshotReader()
    for line in shop.snapshot():
        snapshot.line(json.dumps(line))
    for number in range(1, 4):
        choose(service, f"p{number}@example.com", REFUSE)
    ledger.drain(service, "test")

    def copy() -> Copy:
        held = Copy(60)
        held.take(snapshot, time.monotonic())
        return held

    whole, holed = copy(), copy()
    assert whole.apply(shop.feed(whole.seq).json(), time.monotonic())
    assert whole.seq == holed.seq + 3
    table = table_of(ConsentChangeRow)
    with service.database.transaction("shop-group", service.clock.now()) as tx:
        tx.run(delete(table).where(table.c.seq == holed.seq + 2))
    with pytest.raises(FeedBroken):
        holed.apply(shop.feed(holed.seq).json(), time.monotonic())
    assert holed.seq == snapshot.high_water + 1, "nothing behind the hole was taken in"


def test_the_lag_is_that_of_the_oldest_event_without_a_number(service: Context, shop: Shop, clock: ManualClock) -> None:
    ledger.drain(service, "test")
    assert shop.feed(0).json()["lag_ms"] == 0
    choose(service, "kim@example.com", REFUSE)
    clock.advance(timedelta(seconds=40))
    choose(service, "lee@example.com", REFUSE)
    clock.advance(timedelta(seconds=2))
    assert 42_000 <= shop.feed(0).json()["lag_ms"] < 43_000


def test_what_is_a_week_old_to_the_moment_is_told_and_then_it_goes(
    service: Context, shop: Shop, clock: ManualClock
) -> None:
    """The last number stays, for a feed must know where it is; the id of who was erased does not."""
    written = choose(service, "kim@example.com", REFUSE)
    erasing.erase(service, written.subject_id)
    ledger.drain(service, "test")
    key = shop.snapshot()[0]["snapshot"]["hash_key"]
    last = shop.feed(0).json()["high_water"]
    clock.advance(timedelta(days=7))
    assert feeding.sweep(service) == 0
    assert shop.feed(last - 1).json()["items"][0]["subject_ref"] == ref_by(key, written.subject_id)
    assert len(tombstones(service)) == 1
    clock.advance(timedelta(milliseconds=1))
    assert feeding.sweep(service) == last  # every number but the last one, and the tombstone
    assert tombstones(service) == []
    page = shop.feed(last - 1).json()
    assert [item["seq"] for item in page["items"]] == [page["high_water"]] == [last]
    assert "subject_ref" not in page["items"][0]


def test_a_reader_has_missed_nothing_who_stands_right_before_the_first_number(
    service: Context, shop: Shop, clock: ManualClock
) -> None:
    choose(service, "kim@example.com", REFUSE)
    ledger.drain(service, "test")
    clock.advance(timedelta(days=8))
    old = shop.feed(0).json()["high_water"]
    choose(service, "kim@example.com", GRANT)
    ledger.drain(service, "test")
    feeding.sweep(service)
    assert [item["seq"] for item in shop.feed(old).json()["items"]] == [old + 1]
    assert shop.feed(old - 1).status_code == 410
    assert shop.feed(old + 1).json()["items"] == []
    assert shop.feed(old + 2).status_code == 410


def tombstones(service: Context) -> list[bytes]:
    with service.database.reading("shop-group", service.clock.now()) as tx:
        return list(tx.run(select(table_of(ErasedSubjectRow).c.sealed)).scalars())


def test_who_was_erased_leaves_numbers_without_content_and_a_last_word(service: Context, shop: Shop) -> None:
    """Case 56, the feed."""
    written = choose(service, "kim@example.com", GRANT)
    ledger.drain(service, "test")
    key = shop.snapshot()[0]["snapshot"]["hash_key"]
    seen = shop.feed(0).json()["items"][-1]["seq"]
    erasing.erase(service, written.subject_id)
    ledger.drain(service, "test")
    items = {item["seq"]: item for item in shop.feed(0).json()["items"]}
    assert items[seen] == {"seq": seen, "type": "void"}
    last = items[max(items)]
    assert last == {
        "seq": last["seq"], "type": "subject.erased", "subject_ref": ref_by(key, written.subject_id),
    }  # fmt: skip
    assert [line for line in shop.snapshot() if "ref" in line] == []


# --- snapshot ---------------------------------------------------------------------------------------------------


def test_a_snapshot_holds_what_the_check_answers(service: Context, shop: Shop) -> None:
    granted = choose(service, "kim@example.com", GRANT)
    refused = choose(service, "lee@example.com", REFUSE)
    ledger.drain(service, "test")
    head, *rows, end = shop.snapshot()
    assert end == {"end": {"rows": 2}}
    slots, key = head["snapshot"]["slots"], head["snapshot"]["hash_key"]
    bits = {row["ref"]: int(row["allow"], 16) for row in rows}
    place = next(at for at, slot in enumerate(slots) if (slot["purpose"], slot["channel"]) == ("newsletter", "email"))
    assert bits[ref_by(key, granted.subject_id)] >> place & 1 == 1
    assert bits[ref_by(key, refused.subject_id)] >> place & 1 == 0
    assert head["snapshot"]["high_water"] == shop.feed(0).json()["high_water"]


def test_a_snapshot_agrees_with_single_checks_in_every_slot(service: Context, shop: Shop) -> None:
    written = [choose(service, f"p{at}@example.com", GRANT if at % 2 else REFUSE) for at in range(4)]
    head, *rows, _ = shop.snapshot()
    slots, key = head["snapshot"]["slots"], head["snapshot"]["hash_key"]
    bits = {row["ref"]: int(row["allow"], 16) for row in rows}
    for one in written:
        items = [
            {
                "ref": str(at),
                "subject": one.subject_id,
                **{name: slot[name] for name in ("purpose", "channel", "brand")},
            }
            for at, slot in enumerate(slots)
        ]
        answers = shop.batch(*items).json()["items"]
        allowed = [item["decision"] == "allow" for item in answers]
        assert [bool(bits[ref_by(key, one.subject_id)] >> at & 1) for at in range(len(slots))] == allowed


def test_feed_and_snapshot_need_their_own_right(service: Context) -> None:
    other = Shop(service, Scope.CONSENT_CHECK)
    assert (other.feed(0).status_code, other.feed(0).json()["detail"]) == (403, "This key lacks the scope feed:read")
    assert other.http.get("/v1/changes/snapshot", headers=other.headers).status_code == 403


# --- batch ------------------------------------------------------------------------------------------------------


def item(ref: str, email: str, purpose: str = "newsletter", channel: str = "email", **more: str) -> dict[str, Any]:
    return {
        "ref": ref, "identifier": {"type": "email", "value": email}, "purpose": purpose, "channel": channel, **more,
    }  # fmt: skip


def test_a_batch_answers_each_item_in_its_place(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", GRANT)
    choose(service, "lee@example.com", REFUSE)
    answer = shop.batch(
        item("a", "kim@example.com"), item("b", "surprise@example.com", "surprises"), item("c", "lee@example.com"),
        item("d", "nobody@example.com"), item("e", "not an address"), item("f", "kim@example.com", brand="elsewhere"),
        item("g", "kim@example.com", channel="fax"),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    told = {one["ref"]: one.get("reason") or one["problem"]["type"] for one in answer.json()["items"]}
    assert told == {
        "a": "GRANTED", "b": "/problems/unknown-purpose", "c": "REFUSED", "d": "NO_CONSENT",
        "e": "/problems/identifier-malformed", "f": "/problems/unknown-brand", "g": "/problems/unknown-channel",
    }  # fmt: skip
    assert [one["ref"] for one in answer.json()["items"]] == list("abcdefg")


def test_a_batch_takes_a_thousand_items_and_no_more(shop: Shop) -> None:
    some = [item(str(number), f"p{number}@example.com") for number in range(1_001)]
    assert len(shop.batch(*some[:1_000]).json()["items"]) == 1_000
    refused = shop.batch(*some)
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/batch-too-large")


def test_a_batch_item_names_one_person_in_one_way(shop: Shop) -> None:
    assert shop.batch({"ref": "1", "purpose": "newsletter", "channel": "email"}).status_code == 422
    assert shop.batch(item("1", "kim@example.com", subject="s_123")).status_code == 422


def test_an_address_in_the_place_of_an_id_gets_no_answer_of_silence(shop: Shop) -> None:
    about = {"purpose": "newsletter", "channel": "email"}
    answer = shop.batch({"ref": "1", "subject": "kim@example.com", **about}).json()["items"][0]
    assert answer["problem"]["type"] == "/problems/subject-is-contact"
    row = rows_of(shop.scrub(json.dumps({"row": "1", "subject": "kim@example.com"}), emit="all").text)[0][0]
    assert (row["decision"], row["reason"]) == ("deny", "SUBJECT_IS_CONTACT")


# --- scrub ------------------------------------------------------------------------------------------------------


def rows_of(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *rows, last = [json.loads(line) for line in text.splitlines()]
    return rows, last["summary"]


def listed(*addresses: str) -> str:
    return "".join(json.dumps({"row": str(at), "email": one}) + "\n" for at, one in enumerate(addresses, 1))


def test_a_list_comes_back_with_those_who_may_be_written_to(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", GRANT)
    choose(service, "lee@example.com", REFUSE)
    answer = shop.scrub(listed("KIM@example.com", "lee@example.com", "nobody@example.com", "broken"))
    rows, summary = rows_of(answer.text)
    assert rows == [{"row": "1", "decision": "allow", "reason": "GRANTED"}]
    assert (summary["rows"], summary["allowed"]) == (4, 1)
    assert summary["denied"] == {"IDENTIFIER_MALFORMED": 1, "NO_CONSENT": 1, "REFUSED": 1}
    assert summary["as_of"] < summary["use_before"]


def test_the_summary_holds_the_hash_of_what_stands_before_it(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", GRANT)
    text = shop.scrub(listed("kim@example.com", "lee@example.com"), emit="all").text
    body = text[: text.index('{"summary"')]
    assert rows_of(text)[1]["sha256"] == hashlib.sha256(body.encode()).hexdigest()
    assert len(body.splitlines()) == 2


def test_a_list_in_csv_comes_back_in_csv(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", GRANT)
    text = '\ufeffrow,name,email\r\n7,Kim,kim@example.com\r\n8,"Lee, L.",lee@example.com\r\n'
    answer = shop.scrub(text, "text/csv; charset=utf-8", emit="all")
    header, *rows, last = list(csv.reader(io.StringIO(answer.text)))
    assert header == ["row", "decision", "reason"]
    assert rows == [["7", "allow", "GRANTED"], ["8", "deny", "NO_CONSENT"]]
    assert last[0] == "#summary"
    assert json.loads(last[1])["rows"] == 2


@pytest.mark.parametrize(
    ("content", "form", "says"),
    [
        ("name,city\nKim,Ulm\n", "text/csv", "the header names no identifier"),
        ("", "text/csv", "the header names no identifier"),
        ('row,email\n1,"kim@example.com\n', "text/csv", "not CSV"),
        ("row,email\n1,kim@example.com\n", "application/x-ndjson", "line 1 is not JSON"),
        ('["kim@example.com"]\n', "application/x-ndjson", "line 1 is not an object"),
    ],
)
def test_what_is_no_list_is_refused_before_the_answer_begins(
    shop: Shop, caplog: pytest.LogCaptureFixture, content: str, form: str, says: str
) -> None:
    answer = shop.scrub(content, form)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/list-malformed")
    assert says in answer.json()["detail"]
    assert not [one for one in caplog.records if one.levelname in ("ERROR", "CRITICAL")]


def test_a_fault_further_down_is_the_last_line_and_there_is_no_summary(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    text = listed(*(f"p{at}@example.com" for at in range(1_500))) + "{broken"
    answer = shop.scrub(text, emit="all")
    *rows, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (answer.status_code, len(rows)) == (200, 1_000)
    assert last == {
        "error": {
            "type": "/problems/list-malformed",
            "title": scrubbing.ListMalformed.title,
            "detail": "line 1501 is not JSON",
        }
    }
    assert "summary" not in answer.text
    assert not [one for one in caplog.records if one.levelname in ("ERROR", "CRITICAL")]


def test_a_fault_further_down_a_csv_is_its_last_line(shop: Shop) -> None:
    answer = shop.scrub('row,email\n1,kim@example.com\n2,"lee@example.com\n', "text/csv", emit="all")
    last = list(csv.reader(io.StringIO(answer.text)))[-1]
    assert last[0] == "#error"
    assert json.loads(last[1])["type"] == "/problems/list-malformed"
    assert "#summary" not in answer.text


def test_an_unknown_purpose_is_refused_before_the_first_row(shop: Shop) -> None:
    answer = shop.scrub(listed("kim@example.com"), purpose="surprises")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-purpose")


def test_a_list_of_another_kind_is_refused(shop: Shop) -> None:
    answer = shop.scrub(listed("kim@example.com"), "application/json")
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/media-type")


def test_a_list_leaves_one_row_in_the_audit_log_with_its_sums(service: Context, shop: Shop) -> None:
    _, summary = rows_of(shop.scrub(listed("kim@example.com", "lee@example.com")).text)
    audit = table_of(AuditRow)
    with service.database.reading("shop-group", service.clock.now()) as tx:
        rows = tx.run(select(audit.c.detail).where(audit.c.action == "consent.scrubbed")).scalars().all()
    assert [row["sha256"] for row in rows] == [summary["sha256"]]
    assert rows[0]["rows"] == 2
    assert "kim" not in json.dumps(list(rows))


def test_a_long_list_takes_no_more_memory_than_a_short_one(service: Context) -> None:
    question = ScrubQuestion("newsletter", "email", emit=Emit.DENIED)

    def peak(rows: int) -> int:
        source = io.BytesIO(listed(*(f"p{at}@example.com" for at in range(rows))).encode())
        tracemalloc.start()
        try:
            told = sum(1 for part in scrubbing.scrub(service, question, source, Form.NDJSON) for _ in part.splitlines())
            assert told == rows + 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    short, long = peak(2_000), peak(12_000)
    assert long < short * 1.5


def test_batch_scrub_and_single_check_give_the_same_reason(service: Context, shop: Shop) -> None:
    choose(service, "kim@example.com", GRANT)
    choose(service, "lee@example.com", REFUSE)
    people = ["kim@example.com", "lee@example.com", "nobody@example.com"]
    single = [
        shop.http.post(
            "/v1/check", headers=shop.headers,
            json={"identifier": {"type": "email", "value": who}, "purpose": "newsletter", "channel": "email"},
        ).json()["reason"]
        for who in people
    ]  # fmt: skip
    batch = [one["reason"] for one in shop.batch(*(item("x", who) for who in people)).json()["items"]]
    listing = [row["reason"] for row in rows_of(shop.scrub(listed(*people), emit="all").text)[0]]
    assert single == batch == listing == ["GRANTED", "REFUSED", "NO_CONSENT"]
