"""The client's own copy: it repeats answers, knows how old they are, and stops rather than guess. Against a double."""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from privacyops_client import AsyncClient, Client, CopyState, Reason, Source
from privacyops_client.answer import Answer, Decision
from privacyops_client.local import Copy
from privacyops_client.problems import FeedBroken
from privacyops_client.table import SnapshotReader

from tests.clients.documented_service import KEY, SLOTS, DocumentedService, ref_of, served_double, stamp

KIM, BEA = "s_KIM", "s_BEA"
ASK = ("newsletter", "email")
BASKET = ("basket", "web", "shop")
SHORT = 0.6
"""For tests in which a copy grows old."""
LONG = 2.4
"""For all others: longer, and short enough that no poll rests at the service, for closing waits for it."""


@pytest.fixture
def service() -> Iterator[DocumentedService]:
    with served_double() as held:
        held.decide(KIM, "allow")
        held.decide(BEA, "deny", "REFUSED")
        yield held


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.005)


@contextmanager
def live(
    service: DocumentedService, *, max_age: float = LONG, unknown: Literal["ask", "regime"] = "ask"
) -> Iterator[Client]:
    """A client with a copy that has caught up."""
    with Client(service.url, KEY, local=True, max_age=max_age, unknown=unknown) as client:
        until(lambda: state_of(client) is CopyState.LIVE)
        yield client


def state_of(client: Client) -> CopyState:
    report = client.copy_report
    assert report is not None
    return report.state


def seq_of(client: Client) -> int:
    report = client.copy_report
    assert report is not None
    return report.seq


# --- answering -------------------------------------------------------------------------------------------------


def test_what_the_copy_knows_costs_no_request(service: DocumentedService) -> None:
    with live(service) as client:
        assert client.allowed(KIM, *ASK)
        assert not client.allowed(BEA, *ASK)
        assert client.allowed(KIM, *ASK, "shop").source is Source.COPY
        assert service.checks() == 0


def test_until_the_first_snapshot_the_service_is_asked(service: DocumentedService) -> None:
    service.cuts_snapshot = True
    with Client(service.url, KEY, local=True, max_age=SHORT) as client:
        assert client.allowed(KIM, *ASK).source is Source.SERVICE
        until(lambda: service.paths().count("/v1/changes/snapshot") > 1)
        assert state_of(client) is CopyState.EMPTY


def test_a_change_is_asked_for_once_and_then_known(service: DocumentedService) -> None:
    with live(service) as client:
        service.decide(KIM, "deny", "WITHDRAWN", type_="consent.withdrawn")
        until(lambda: seq_of(client) == 3)
        first, second = client.allowed(KIM, *ASK), client.allowed(KIM, *ASK)
        assert (first.reason, first.source) == ("WITHDRAWN", Source.SERVICE)
        assert (bool(second), second.source, service.checks()) == (False, Source.COPY, 1)


def test_the_answers_of_other_slots_stay_where_a_change_names_its_slot(service: DocumentedService) -> None:
    service.decide(KIM, "allow", slot=("newsletter", "sms", "shop"))
    with live(service) as client:
        service.decide(KIM, "deny", "WITHDRAWN")
        until(lambda: seq_of(client) == 4)
        assert client.allowed(KIM, "newsletter", "sms").source is Source.COPY
        assert not client.allowed(KIM, *ASK)


def test_an_event_of_a_kind_nobody_knows_yet_makes_all_of_a_person_be_asked(service: DocumentedService) -> None:
    service.decide(KIM, "allow", slot=("newsletter", "sms", "shop"))
    with live(service) as client:
        service.tell("stop.novel", KIM)
        until(lambda: seq_of(client) == 4)
        for channel in ("email", "sms"):
            assert client.allowed(KIM, "newsletter", channel).source is Source.SERVICE


def test_a_new_person_is_asked_for_and_an_erased_one_too(service: DocumentedService) -> None:
    with live(service) as client:
        service.decide("s_NEW", "allow")
        service.decide(KIM, "deny", "NO_CONSENT", type_="subject.erased")
        service.versions[KIM] = 0
        until(lambda: seq_of(client) == 4)
        assert client.allowed("s_NEW", *ASK)
        assert client.allowed(KIM, *ASK).reason == "NO_CONSENT"


def test_what_changes_the_meaning_of_answers_makes_the_copy_be_taken_anew(service: DocumentedService) -> None:
    with live(service) as client:
        service.decide(KIM, "deny", "NOTICE_OUTDATED", tells=False)
        service.tell("notice.published")
        until(lambda: service.paths().count("/v1/changes/snapshot") == 2)
        until(lambda: state_of(client) is CopyState.LIVE)
        told = client.allowed(KIM, *ASK)
        assert (bool(told), told.source) == (False, Source.COPY)


@pytest.mark.parametrize("type_", ["void", "ledger.pruned", "suppression.added", "suppression.lifted"])
def test_what_is_about_nobody_changes_nothing(service: DocumentedService, type_: str) -> None:
    with live(service) as client:
        service.tell(type_)
        until(lambda: seq_of(client) == 3)
        assert client.allowed(KIM, *ASK).source is Source.COPY


def test_a_device_that_is_tied_to_a_person_is_always_asked_for(service: DocumentedService) -> None:
    walk = Walk(service)
    service.tell("identity.linked", KIM)
    service.items[-1]["ask"] = True
    walk.poll()
    asked = walk.copy.question(KIM, *ASK, "shop")
    assert walk.copy.settled(asked, answered(1), None, keep=True)
    assert walk.look() is None, "the person's withdrawal would not name the device"


def test_two_people_who_share_a_key_are_always_asked_for(service: DocumentedService) -> None:
    service.pinned = {KIM}
    with live(service) as client:
        for _ in range(2):
            assert client.allowed(KIM, *ASK).source is Source.SERVICE


def test_a_stranger_is_asked_for(service: DocumentedService) -> None:
    with live(service) as client:
        assert client.allowed("s_WHO", *ASK).source is Source.SERVICE


def test_an_id_that_leads_to_nobody_is_a_no_without_a_question_where_that_is_wished(service: DocumentedService) -> None:
    with live(service, unknown="regime") as client:
        for asked in (ASK, ("basket", "web")):
            gone = client.allowed("s_GONE", *asked)
            assert (bool(gone), gone.source) == (False, Source.COPY)


def test_another_jurisdiction_or_an_unknown_slot_is_asked_for(service: DocumentedService) -> None:
    with live(service) as client:
        assert client.allowed(KIM, *ASK, jurisdiction="US-CA").source is Source.SERVICE
        assert client.allowed(KIM, "analytics", "web").source is Source.SERVICE


def test_where_there_are_two_brands_a_question_without_one_is_asked(service: DocumentedService) -> None:
    service.slots = [*SLOTS, {"purpose": "newsletter", "channel": "email", "brand": "other", "default": "deny"}]
    with live(service) as client:
        assert client.allowed(KIM, *ASK, "shop").source is Source.COPY
        assert client.allowed(KIM, *ASK).source is Source.SERVICE


def test_many_are_answered_from_the_copy_without_a_request(service: DocumentedService) -> None:
    with live(service) as client:
        assert [bool(one) for one in client.allowed_many([KIM, BEA], *ASK)] == [True, False]
        assert "/v1/check:batch" not in service.paths()


# --- time ------------------------------------------------------------------------------------------------------


def test_a_client_that_is_cut_off_says_no_within_its_bound(service: DocumentedService) -> None:
    with served_double(service=service):
        cut = Client(service.url, KEY, local=True, max_age=SHORT)
        until(lambda: state_of(cut) is CopyState.LIVE)
    with cut:  # the service is gone now
        until(lambda: state_of(cut) is CopyState.STALE)
        told = cut.allowed(KIM, *ASK)
        assert (bool(told), told.reason) == (False, Reason.STALE)


def test_an_old_copy_asks_the_service_before_it_says_no(service: DocumentedService) -> None:
    with live(service, max_age=SHORT) as client:
        service.holds_feed = True
        until(lambda: state_of(client) is CopyState.STALE)
        assert client.allowed(KIM, *ASK).source is Source.SERVICE
        assert not client.allowed(BEA, *ASK)
        service.holds_feed = False


@pytest.mark.slow
def test_an_idle_feed_never_makes_the_copy_stale(service: DocumentedService) -> None:
    with live(service, max_age=2.6) as client:  # polls rest 1 s at the service
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert client.allowed(KIM, *ASK).source is Source.COPY
            time.sleep(0.05)


class Walk:
    """A copy by hand, with a boot clock that stands still."""

    def __init__(self, service: DocumentedService, max_age: float = 5.0, **more: Any) -> None:
        self.now = 1000.0
        self.copy = Copy(max_age, clock=lambda: self.now, **more)
        self.service = service
        self.take()

    def take(self, sent: float | None = None) -> None:
        snapshot = SnapshotReader()
        for line in self.service.snapshot().decode().splitlines():
            snapshot.line(line)
        self.copy.take(snapshot, self.now if sent is None else sent)

    def poll(self, sent: float | None = None) -> bool:
        return self.copy.apply(self.service.page(self.copy.seq, 1000, 0), self.now if sent is None else sent)

    def look(self, subject: str = KIM, slot: tuple[str, str, str] = (*ASK, "shop")) -> Answer | None:
        return self.copy.look(subject, *slot, None)


@pytest.mark.parametrize("first", [50, 90])
def test_of_two_ends_kept_in_one_row_the_earlier_one_counts(service: DocumentedService, first: int) -> None:
    service.tell("consent.requested", KIM)
    walk = Walk(service, max_age=1e9)
    walk.poll()
    for slot, seconds in ((ASK, first), (("newsletter", "sms"), 140 - first)):
        asked = walk.copy.question(KIM, *slot, "shop")
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        answer = replace(answered(9), facts={"state_version": 9, "expires_at": stamp(end.timestamp())})
        assert walk.copy.settled(asked, answer, None, keep=True)
    both = [(*ASK, "shop"), ("newsletter", "sms", "shop")]
    assert all(walk.look(slot=slot) for slot in both)
    walk.now += 60
    assert [walk.look(slot=slot) for slot in both] == [None, None], "the later end would let the other yes live on"


@pytest.mark.parametrize("type_", ["subject.erased", "identity.linked", "identity.unlinked"])
def test_after_an_event_that_numbers_a_person_anew_a_lower_version_is_believed(
    service: DocumentedService, type_: str
) -> None:
    walk = Walk(service)
    service.versions[KIM] = 7
    service.tell("consent.given", KIM)
    service.versions[KIM] = 2
    service.tell(type_, KIM)
    walk.poll()
    asked = walk.copy.question(KIM, *ASK, "shop")
    assert walk.copy.settled(asked, answered(2), None, keep=True)
    assert walk.look()


def test_age_is_counted_from_the_moment_the_poll_was_sent(service: DocumentedService) -> None:
    walk = Walk(service)
    walk.now = 1010
    assert walk.look() is None
    walk.poll(sent=1006)
    walk.now = 1011
    assert walk.look()
    walk.now = 1011.001
    assert walk.look() is None


def test_what_the_service_has_not_numbered_yet_makes_the_copy_older(service: DocumentedService) -> None:
    walk = Walk(service)
    service.lag_ms = 4000
    walk.poll()
    walk.now += 1
    assert walk.look()
    walk.now += 0.001
    assert walk.look() is None


def test_a_page_that_is_not_the_last_one_confirms_nothing(service: DocumentedService) -> None:
    walk = Walk(service)
    walk.now += 4
    for _ in range(3):
        service.tell("void")
    assert walk.copy.apply(service.page(walk.copy.seq, 2, 0), walk.now) is False
    walk.now += 2
    assert walk.look() is None
    assert walk.poll()
    assert walk.look()


def test_a_grant_ends_by_the_clock_of_the_service_and_never_late(service: DocumentedService) -> None:
    service.decide(KIM, "allow", until=time.time() + 2)
    walk = Walk(service, max_age=60)
    assert walk.look()
    walk.now += 2.1
    assert walk.look() is None
    assert walk.look(BEA) is not None, "a no does not end"


def test_a_far_end_is_rounded_to_its_day_and_never_up(service: DocumentedService) -> None:
    service.decide(KIM, "allow", until=time.time() + 30 * 86_400)
    walk = Walk(service, max_age=1e9)
    walk.now += 29 * 86_400 - 60
    assert walk.look()
    walk.now += 86_400 + 61
    assert walk.look() is None


def test_only_what_is_strictly_necessary_goes_on_by_an_old_copy_and_says_so(service: DocumentedService) -> None:
    service.decide(KIM, "allow", "BASIS_STRICTLY_NECESSARY", slot=BASKET)
    with served_double(service=service):
        client = Client(service.url, KEY, local=True, max_age=SHORT)
        until(lambda: state_of(client) is CopyState.LIVE)
    with client:
        until(lambda: state_of(client) is CopyState.STALE)
        basket, letter = client.allowed(KIM, "basket", "web"), client.allowed(KIM, *ASK)
        assert (bool(basket), basket.stale) == (True, True)
        assert (bool(letter), letter.stale) == (False, False)


# --- the feed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [1, 2, 4, 99])
def test_a_hole_or_a_repeat_stops_the_reader(service: DocumentedService, seq: int) -> None:
    walk = Walk(service)
    item = {"seq": seq, "type": "void"}
    page = {"items": [item], "next": seq, "high_water": max(seq, 2), "as_of": stamp()}
    with pytest.raises(FeedBroken):
        walk.copy.apply(page, walk.now)
    assert walk.copy.seq == 2


def test_a_feed_that_runs_backwards_stops_the_reader(service: DocumentedService) -> None:
    walk = Walk(service)
    service.items.clear()
    with pytest.raises(FeedBroken):
        walk.poll()


def test_after_a_hole_every_check_goes_to_the_service_and_the_client_says_why(
    service: DocumentedService, caplog: pytest.LogCaptureFixture
) -> None:
    with live(service) as client:
        service.decide(KIM, "deny", "WITHDRAWN")
        with service.changed:
            service.items[-1]["seq"] = 4
            service.changed.notify_all()
        until(lambda: state_of(client) is CopyState.BROKEN)
        assert client.allowed(KIM, *ASK).reason == "WITHDRAWN"
        report = client.copy_report
        assert report is not None
        assert report.trouble == "after 2 the feed goes on with 4"
        polls = service.paths().count("/v1/changes")
        time.sleep(0.3)
        assert service.paths().count("/v1/changes") == polls, "the reader has stopped for good"
    assert "broken" in caplog.text


def test_a_feed_that_no_longer_reaches_back_is_begun_anew(service: DocumentedService) -> None:
    with live(service) as client:
        service.answers["/v1/changes"] = (410, {"content-type": "application/problem+json"}, b'{"type":"/problems/x"}')
        until(lambda: service.paths().count("/v1/changes/snapshot") > 1)
        service.answers.clear()
        until(lambda: state_of(client) is CopyState.LIVE)


# --- races -----------------------------------------------------------------------------------------------------


def answered(version: int, decision: Decision = Decision.ALLOW) -> Answer:
    return Answer(decision, "GRANTED", Source.SERVICE, facts={"state_version": version})


def test_an_answer_that_was_overtaken_by_the_feed_is_not_kept(service: DocumentedService) -> None:
    walk = Walk(service)
    service.tell("consent.requested", KIM, ("newsletter", "email", "shop"))
    walk.poll()
    asked = walk.copy.question(KIM, *ASK, "shop")
    service.decide(KIM, "deny", "WITHDRAWN")
    walk.poll()
    late = walk.copy.settled(asked, answered(1), None, keep=True)
    assert (bool(late), late.reason) == (False, Reason.STALE), "the feed had told of version 2"
    assert walk.look() is None, "it is asked for again"


def test_an_answer_during_which_the_feed_moved_is_given_and_not_kept(service: DocumentedService) -> None:
    walk = Walk(service)
    asked = walk.copy.question(KIM, *ASK, "shop")
    service.tell("consent.withdrawn", KIM, (*ASK, "shop"))
    walk.poll()
    assert walk.copy.settled(asked, answered(1), None, keep=True)
    assert walk.look() is None, "nobody knows which of the two was first: it is asked for again"


def test_an_event_about_a_slot_the_copy_does_not_have_is_about_all_of_a_person(service: DocumentedService) -> None:
    walk = Walk(service)
    service.tell("consent.withdrawn", KIM, ("novelties", "email", "shop"))
    walk.poll()
    assert walk.look() is None


def test_an_answer_from_a_replica_behind_the_feed_is_not_believed(service: DocumentedService) -> None:
    with live(service) as client:
        service.decide(KIM, "deny", "WITHDRAWN")
        until(lambda: seq_of(client) == 3)
        service.old_version = 1
        service.state[KIM, *ASK, "shop"] = ("allow", "GRANTED", None)
        told = client.allowed(KIM, *ASK)
        assert (bool(told), told.reason) == (False, Reason.STALE)
        assert client.allowed(KIM, *ASK).reason == Reason.STALE, "and not kept either"


def test_an_own_write_is_seen_at_once_and_outlives_a_snapshot_that_was_under_way(service: DocumentedService) -> None:
    walk = Walk(service)
    walk.copy.wrote(KIM, 2, "ct1.two")
    assert walk.look() is None
    walk.copy.snapshot_begins()
    before = service.snapshot()
    walk.copy.wrote(BEA, 2, "ct1.three")
    snapshot = SnapshotReader()
    for line in before.decode().splitlines():
        snapshot.line(line)
    walk.copy.take(snapshot, walk.now)
    assert walk.look(BEA) is None
    assert walk.look(KIM)


def test_a_token_is_met_by_the_copy_only_once_its_write_was_seen(service: DocumentedService) -> None:
    with live(service) as client:
        assert client.allowed(KIM, *ASK, at_least="ct1.w").source is Source.SERVICE
        assert client.allowed(KIM, *ASK, at_least="ct1.w").source is Source.COPY
        assert client.allowed(BEA, *ASK, at_least="ct1.w").source is Source.SERVICE, "a token of another person"


def test_checks_and_changes_from_many_threads_never_end_in_an_old_yes(service: DocumentedService) -> None:
    wrong: list[str] = []
    with live(service, max_age=2.6) as client:
        stop = threading.Event()

        def asks() -> None:
            while not stop.wait(0.0005):
                client.allowed(KIM, *ASK)

        threads = [threading.Thread(target=asks) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(24):
            service.decide(KIM, "deny" if number % 2 else "allow", "WITHDRAWN" if number % 2 else "GRANTED")
            until(lambda: seq_of(client) == len(service.items))
            if number % 2 and client.allowed(KIM, *ASK):
                wrong.append(f"allowed after change {number}")
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


# --- processes and twins ---------------------------------------------------------------------------------------


def _in_child(client: Client, told: Any) -> None:
    told.send([str(client.allowed(KIM, *ASK).decision)])
    until(lambda: state_of(client) is not CopyState.LIVE)
    until(lambda: client.allowed(KIM, *ASK).source is Source.COPY)
    told.send([str(Source.COPY)])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_reader_of_its_own(service: DocumentedService) -> None:
    with live(service, max_age=SHORT) as client:
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=_in_child, args=(client, theirs))
        child.start()
        try:
            assert ours.poll(30)
            assert ours.recv() == ["allow"]
            assert ours.poll(30)
            assert ours.recv() == ["copy"]
        finally:
            child.kill()
            child.join()


def test_the_asynchronous_twin_holds_a_copy_too(service: DocumentedService) -> None:
    async def walk() -> None:
        async with AsyncClient(service.url, KEY, local=True, max_age=LONG) as client:
            for _ in range(500):
                report = client.copy_report
                assert report is not None
                if report.state is CopyState.LIVE:
                    break
                await asyncio.sleep(0.01)
            assert (await client.allowed(KIM, *ASK)).source is Source.COPY
            service.decide(KIM, "deny", "WITHDRAWN")
            for _ in range(500):
                told = await client.allowed(KIM, *ASK)
                if not told:
                    break
                await asyncio.sleep(0.01)
            assert told.reason in {"WITHDRAWN", Reason.COPIED}

    asyncio.run(walk())


def test_the_key_of_a_person_is_the_one_of_the_wire_format(service: DocumentedService) -> None:
    walk = Walk(service)
    row = walk.copy.report()
    assert row.people == 2
    assert ref_of(KIM).startswith("r_")
    assert walk.look(KIM)
    assert not walk.look(BEA)
