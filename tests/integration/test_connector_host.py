"""The host around stores that misbehave. The connector here is a double, scripted by each test."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops import connector_sdk as sdk
from privacyops.adapters import store_worker
from privacyops.adapters.connector_host import Connectors
from privacyops.adapters.store_limits import Circuit, TokenBucket, pause_before
from privacyops.adapters.store_secrets import References
from privacyops.adapters.store_translation import widened
from privacyops.domain.predicate import All, Leaf, PredicateOp
from privacyops.ports.connector_host import (
    Bounds,
    StoreBudgetSpent,
    StoreCancelled,
    StoreConfig,
    StoreMisconfigured,
    StoreRefused,
    StoreUnreachable,
)

QUICK = Bounds(seconds=3.0)
EVERYBODY = All(())


@dataclass
class Script:
    """What the double does: each call takes the next step, the last one for ever."""

    steps: list[Callable[[], None]] = field(default_factory=list)
    rows: Sequence[Mapping[str, Any]] = ()
    able: frozenset[sdk.PredicateOp] = frozenset(sdk.PredicateOp)
    asked: list[sdk.Predicate] = field(default_factory=list)
    closed: int = 0
    mark_every: int = 2

    def step(self) -> None:
        if self.steps:
            (self.steps.pop(0) if len(self.steps) > 1 else self.steps[0])()


@dataclass
class StoreDouble:
    """A store in memory that does what its script says."""

    script: Script

    def capabilities(self, call: sdk.Call) -> sdk.Capabilities:
        return sdk.Capabilities(predicates=self.script.able, rate=sdk.Rate(1000, 1000))

    def health(self, call: sdk.Call) -> sdk.Health:
        self.script.step()
        return sdk.Health(sdk.HealthState.OK, "double", "1")

    def catalogue(self, call: sdk.Call, after: sdk.Cursor | None = None) -> Iterator[sdk.Collection | sdk.Mark]:
        self.script.step()
        yield sdk.Collection("people")

    def find(
        self, call: sdk.Call, collection: str, where: sdk.Predicate, fields: Sequence[str], page: sdk.Page
    ) -> Iterator[sdk.Hit | sdk.Mark]:
        self.script.asked.append(where)
        left = page.size
        for at, row in enumerate(self.script.rows):
            if page.after is not None and at <= int(page.after):
                continue
            if left == 0:
                return
            self.script.step()
            call.check()
            call.spend(rows=1)
            if sdk.matches(where, row):
                left -= 1
                yield sdk.Hit(sdk.RowRef("double", collection, {"id": row["id"]}), row)
            if at % self.script.mark_every == self.script.mark_every - 1 or left == 0:
                yield sdk.Mark(sdk.Cursor(str(at)), at + 1)

    def close(self) -> None:
        self.script.closed += 1


@dataclass
class ConnectorDouble:
    script: Script

    def spec(self) -> sdk.ConnectorSpec:
        return sdk.ConnectorSpec("double", "Double", "1", (1, 0), {}, ("token",))

    def open(self, config: Mapping[str, sdk.Json], secrets: sdk.Secrets) -> StoreDouble:
        if "token" in config:
            raise AssertionError("a secret came in clear")
        return StoreDouble(self.script)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def host(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connectors]:
    monkeypatch.setattr("privacyops.adapters.store_limits.FIRST_PAUSE", 0.005)
    made = Connectors([StoreConfig("double", "double", {"token": "env:X"})])
    made._connectors["double"] = ConnectorDouble(script)  # type: ignore[assignment] # a double of the reading half
    yield made
    made.close()


def raising(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


def nothing() -> None:
    return None


def test_a_call_that_may_succeed_later_is_repeated(host: Connectors, script: Script) -> None:
    script.steps = [raising(sdk.Retriable(None, "lock")), raising(sdk.Retriable(None, "lock")), nothing]
    assert host.health("double", QUICK).state == "ok"
    assert host.usage("double").retries == 2


def test_out_of_retries_is_unreachable_and_names_store_and_code(host: Connectors, script: Script) -> None:
    script.steps = [raising(sdk.Retriable(None, "lost_connection"))]
    with pytest.raises(StoreUnreachable, match="double: lost_connection"):
        host.health("double", QUICK)


def test_five_failures_in_a_row_open_the_circuit(host: Connectors, script: Script) -> None:
    script.steps = [raising(sdk.Retriable(None, "lost_connection"))]
    for _ in range(2):
        with pytest.raises(StoreUnreachable):
            host.health("double", QUICK)
    began = time.monotonic()
    with pytest.raises(StoreUnreachable, match="circuit_open"):
        host.health("double", QUICK)
    assert time.monotonic() - began < 0.1


def test_a_wrong_setting_is_not_tried_again(host: Connectors, script: Script) -> None:
    script.steps = [raising(sdk.Misconfigured("token", "credentials")), nothing]
    with pytest.raises(StoreMisconfigured, match="setting token: credentials"):
        host.health("double", QUICK)
    assert host.usage("double").retries == 0


def test_a_refusal_is_that_of_one_call(host: Connectors, script: Script) -> None:
    script.steps = [raising(sdk.Terminal("permission")), nothing]
    with pytest.raises(StoreRefused, match="permission"):
        host.health("double", QUICK)
    assert host.health("double", QUICK).state == "ok"


def test_a_bug_shows_no_value_and_three_of_them_pause_the_store(
    host: Connectors, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.steps = [raising(ValueError("ann@example.org is not valid"))]
    for _ in range(3):
        with pytest.raises(StoreRefused, match="bug"):
            host.health("double", QUICK)
    with pytest.raises(StoreUnreachable, match="circuit_open"):
        host.health("double", QUICK)
    assert "ann@example.org" not in caplog.text


def test_a_missing_driver_is_a_matter_of_installation(host: Connectors, script: Script) -> None:
    script.steps = [raising(ModuleNotFoundError("No module named 'driver'"))]
    with pytest.raises(StoreMisconfigured, match="driver_not_installed"):
        host.health("double", QUICK)


def test_a_store_that_stops_answering_is_left_behind_and_the_host_ends(
    host: Connectors, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_worker, "GRACE_SECONDS", 0.1)
    script.steps = [lambda: time.sleep(1.5), nothing]
    began = time.monotonic()
    with pytest.raises(StoreUnreachable, match="overran_its_deadline"):
        host.health("double", Bounds(seconds=0.2))
    assert time.monotonic() - began < 1.0


def test_after_an_overrun_the_circuit_is_open(
    host: Connectors, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_worker, "GRACE_SECONDS", 0.1)
    script.steps = [lambda: time.sleep(1.0), nothing]
    with pytest.raises(StoreUnreachable):
        host.health("double", Bounds(seconds=0.1))
    with pytest.raises(StoreUnreachable, match="circuit_open"):
        host.health("double", QUICK)


def people(n: int) -> list[dict[str, Any]]:
    return [{"id": at, "mail": f"p{at}@example.org"} for at in range(n)]


def test_pages_follow_each_other_without_loss_or_repeat(host: Connectors, script: Script) -> None:
    script.rows = people(11)
    seen: list[Any] = []
    after: str | None = None
    for _ in range(20):
        page = host.find("double", "people", EVERYBODY, ("id", "mail"), 3, after, QUICK)
        seen += [row.values["id"] for row in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == list(range(11))


def test_what_a_store_cannot_do_is_asked_wider_and_filtered_here(host: Connectors, script: Script) -> None:
    script.rows = [{"id": 1, "mail": "ANN@example.org"}, {"id": 2, "mail": "joann@example.org"}]
    script.able = frozenset({sdk.PredicateOp.CONTAINS_CI})
    where = Leaf("x", "mail", PredicateOp.EQ_CI, "ann@example.org")
    page = host.find("double", "people", where, ("id",), 10, None, QUICK)
    assert [row.values for row in page.rows] == [{"id": 1}]
    assert script.asked == [sdk.Leaf("x", "mail", sdk.PredicateOp.CONTAINS_CI, "ann@example.org")]


def test_what_nothing_wider_can_express_reads_every_row() -> None:
    leaf = sdk.Leaf("x", "phone", sdk.PredicateOp.DIGITS_END, "5550143")
    assert widened(sdk.Any((leaf,)), frozenset({sdk.PredicateOp.EQ})) == sdk.EVERY_ROW


def test_what_a_store_can_answer_is_asked_as_it_stands_so_that_its_word_counts_on_handles() -> None:
    leaf = sdk.Leaf("x", "text", sdk.PredicateOp.CONTAINS_CI, "ann")
    where = sdk.Any((leaf, sdk.All((leaf,))))
    assert widened(where, frozenset({sdk.PredicateOp.CONTAINS_CI})) is where


def test_one_unanswerable_part_of_a_conjunction_is_left_to_the_host() -> None:
    able = sdk.Leaf("a", "kind", sdk.PredicateOp.EQ, "order")
    leaf = sdk.Leaf("x", "phone", sdk.PredicateOp.DIGITS_END, "5550143")
    assert widened(sdk.All((able, leaf)), frozenset({sdk.PredicateOp.EQ})) == able


def test_a_lost_connection_in_a_page_goes_on_at_the_last_mark(host: Connectors, script: Script) -> None:
    script.rows = people(8)
    script.steps = [*[nothing] * 5, raising(sdk.Retriable(None, "lost_connection")), nothing]
    page = host.find("double", "people", EVERYBODY, ("id",), 100, None, QUICK)
    assert [row.values["id"] for row in page.rows] == list(range(8))


def test_a_store_that_dies_in_a_page_keeps_what_was_read_to_the_last_mark(host: Connectors, script: Script) -> None:
    script.rows = people(8)
    script.steps = [*[nothing] * 5, raising(sdk.Retriable(None, "lost_connection"))]
    page = host.find("double", "people", EVERYBODY, ("id",), 100, None, QUICK)
    assert [row.values["id"] for row in page.rows] == [0, 1, 2, 3]
    assert page.after == "3"


def test_a_spent_budget_keeps_the_last_mark(host: Connectors, script: Script) -> None:
    script.rows = people(8)
    page = host.find("double", "people", EVERYBODY, ("id",), 100, None, Bounds(seconds=3, rows=5))
    assert page.after == "3"


def test_a_budget_spent_before_any_mark_is_said(host: Connectors, script: Script) -> None:
    script.rows = people(8)
    with pytest.raises(StoreBudgetSpent, match="rows_spent"):
        host.find("double", "people", EVERYBODY, ("id",), 100, None, Bounds(seconds=3, rows=1))


def test_a_cancelled_request_stops(script: Script) -> None:
    script.rows = people(3)
    host = Connectors([StoreConfig("double", "double")], cancelled=lambda: True)
    host._connectors["double"] = ConnectorDouble(script)  # type: ignore[assignment] # as in the fixture
    with pytest.raises(StoreCancelled):
        host.find("double", "people", EVERYBODY, ("id",), 10, None, QUICK)
    host.close()


def test_cursors_leave_sealed_and_come_back_open(script: Script) -> None:
    script.rows = people(5)
    host = Connectors(
        [StoreConfig("double", "double")], seal=lambda text: text[::-1] + "!", unseal=lambda text: text[-2::-1]
    )
    host._connectors["double"] = ConnectorDouble(script)  # type: ignore[assignment] # as in the fixture
    first = host.find("double", "people", EVERYBODY, ("id",), 2, None, QUICK)
    assert first.after == "1!"
    second = host.find("double", "people", EVERYBODY, ("id",), 2, first.after, QUICK)
    assert [row.values["id"] for row in second.rows] == [2, 3]
    host.close()


def test_closing_twice_closes_once(host: Connectors, script: Script) -> None:
    host.health("double", QUICK)
    host.close()
    host.close()
    assert script.closed == 1


def test_a_connector_outside_the_allow_list_is_not_loaded() -> None:
    host = Connectors([StoreConfig("shop", "sql", {"url": "env:NOWHERE"})], allowed=frozenset({"files"}))
    with pytest.raises(StoreMisconfigured, match="setting connector: unknown_connector"):
        host.health("shop", QUICK)
    host.close()


def test_a_connector_pinned_to_another_distribution_is_not_loaded() -> None:
    host = Connectors([StoreConfig("shop", "sql", {})], pinned={"sql": "somebody-elses"})
    with pytest.raises(StoreMisconfigured, match="unknown_connector"):
        host.health("shop", QUICK)
    host.close()


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("postgresql://shop:secret@127.0.0.1/x", "secret_not_a_reference"),
        ("env:PRIVACYOPS_TEST_ABSENT", "environment_variable_missing"),
        ("file:/absent/password", "secret_file_unreadable"),
        ("vault:x", "secret_not_a_reference"),
    ],
)
def test_a_secret_that_cannot_be_had_names_the_setting_and_never_itself(reference: str, code: str) -> None:
    with pytest.raises(sdk.Misconfigured) as refused:
        References({"url": reference}).get("url")
    assert (refused.value.setting, refused.value.code) == ("url", code)
    assert "secret@" not in str(refused.value)


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("sqlite:///x.db\n")
    assert References({"url": f"file:{tmp_path / 'url'}"}).get("url").get_secret_value() == "sqlite:///x.db"


def test_what_the_store_asks_for_wins_over_our_own_pause() -> None:
    assert pause_before(1, timedelta(seconds=7)) == 7.0


def test_pauses_grow_and_have_chance_in_them() -> None:
    assert pause_before(1, None, lambda: 0.0) < pause_before(2, None, lambda: 0.0) < pause_before(2, None, lambda: 1.0)


def test_an_open_circuit_closes_after_a_while() -> None:
    now = [0.0]
    circuit = Circuit(now=lambda: now[0])
    for _ in range(5):
        circuit.failed()
    assert circuit.is_open()
    now[0] = 31.0
    assert not circuit.is_open()


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(2.0, 3, now=lambda: now[0])
    assert [bucket.wait_time() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
