"""Checks 31 to 35: rates, parallel requests, deadlines, memory, and what is never said."""

import logging
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

from privacyops.connector_sdk import (
    EVERY_ROW,
    Cancelled,
    Delete,
    Hit,
    Leaf,
    Mark,
    Page,
    Plan,
    PredicateOp,
    Retriable,
    Set,
    StoreRefusal,
)
from privacyops.connector_sdk.testing.bench import Bench, Spy, applied, hits_of, op_on, pages
from privacyops.connector_sdk.testing.seed import PERSON, PURCHASE, VALUES, A
from privacyops.connector_sdk.testing.writing_checks import CLEAN, SUCCESS, writing

MANY = 200_000
FLAT = 64_000_000
"""Bytes that reading 200,000 short rows may hold at once."""


class MannersChecks:
    """31 to 35."""

    def test_31_the_declared_rate_can_be_obeyed(self, bench: Bench) -> None:
        store = bench.open()
        rate = store.capabilities(Spy().call()).rate
        assert rate.per_second > 0
        assert rate.burst >= 1
        assert rate.concurrency >= 1
        spy = Spy()
        hits_of(store, bench.name_of(PERSON), EVERY_ROW, spy=spy)
        assert spy.requests >= 1, "a find that reports no request cannot be held to a rate"
        store.close()

    def test_32_parallel_requests_and_a_person_twice_end_well(self, bench: Bench) -> None:
        opened = writing(bench, [(PERSON, 102, Set(CLEAN))])
        if opened is None:
            return
        opened[0].close()
        failures: list[str] = []
        threads = [threading.Thread(target=_erase, args=(bench, number, failures)) for number in (102, 103)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failures, failures
        twice = writing(bench, [(PERSON, 102, Set(CLEAN))])
        assert twice is not None
        assert applied(*twice)["person-102"].outcome in SUCCESS
        twice[0].close()

    def test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(self, bench: Bench) -> None:
        name = bench.grow(20_000)
        store = bench.open()
        nothing = Leaf("x", "label", PredicateOp.CONTAINS_CI, "no such label")
        marks = 0

        def cancelled() -> bool:
            return marks > 0

        try:
            for item in store.find(Spy(is_cancelled=cancelled).call(), name, EVERY_ROW, (), Page(100_000)):
                marks += isinstance(item, Mark)
            raise AssertionError("a cancelled scan went on to its end")
        except Cancelled:
            pass
        _refuses(Retriable, lambda: list(store.find(Spy(seconds=0).call(), name, nothing, (), Page(10))))
        scan = store.find(Spy().call(), name, EVERY_ROW, (), Page(100_000))
        assert isinstance(next(iter(scan)), Hit)
        close = getattr(scan, "close", None)
        if close is not None:
            close()
        assert bench.held() == 0, "an iterator closed early left a cursor, lock or transaction"
        assert len(hits_of(store, name, EVERY_ROW, size=5_000)) == 20_000
        store.close()

    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        name = bench.grow(MANY)
        store = bench.open()
        spy = Spy(seconds=300)
        list(store.find(spy.call(), name, EVERY_ROW, (), Page(10)))
        before = peak = _resident()
        seen = 0
        for item in pages(store, name, EVERY_ROW, size=5_000, spy=spy):
            seen += isinstance(item, Hit)
            if isinstance(item, Mark):
                peak = max(peak, _resident())
        assert seen == MANY
        assert peak - before < FLAT, f"{(peak - before) // 1_000_000} MB more for {MANY} rows"
        store.close()
        store.close()
        assert bench.held() == 0, "close left a connection open"

    def test_35_no_value_key_or_secret_in_logs_errors_cursors_or_plans(self, bench: Bench) -> None:
        heard: list[str] = []
        handler = _Ear(heard)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            self._talk(bench, heard)
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        said = "\n".join(heard)
        for value in (*VALUES, *bench.secrets().values()):
            assert value not in said, "a value or secret was said"

    def _talk(self, bench: Bench, heard: list[str]) -> None:
        store, spy = bench.open(), Spy()
        for item in pages(store, bench.name_of(PERSON), EVERY_ROW, size=20, spy=spy):
            heard.append(f"{item!r} {item.after if isinstance(item, Mark) else ''}")
        leaf = Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"]))
        heard.append(repr(leaf))
        for collection, path in ((bench.name_of(PERSON), "no_such_field"), ("no_such_collection", "email")):
            try:
                list(store.find(spy.call(), collection, Leaf("x", path, PredicateOp.EQ, str(A["email"])), (), Page(5)))
            except StoreRefusal as refusal:
                heard.append(f"{refusal!r} {refusal} {refusal.__cause__!r}")
        store.close()
        opened = writing(bench, [(PERSON, 101, Set(CLEAN)), (PURCHASE, 1001, Delete())])
        if opened is not None:
            heard.extend(_said(opened[1]))
            heard.extend(repr(result) for result in applied(*opened, spy).values())
            opened[0].close()
        heard.extend(spy.logged)


def _resident() -> int:
    """Bytes of memory this process holds now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _said(plan: Plan) -> list[str]:
    texts = [f"{each.text} {each.before} {each.effect} {each.op!r}" for each in plan.ops]
    return [*texts, repr(plan.blockers), repr(plan.cascades), repr(plan.warnings), repr(plan)]


def _erase(bench: Bench, number: int, failures: list[str]) -> None:
    try:
        store = bench.open_writing()
        assert store is not None
        for _ in range(5):
            try:
                plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, number, Set(CLEAN))])
                outcome = applied(store, plan)[f"person-{number}"].outcome
            except Retriable:
                time.sleep(0.05)
                continue
            if outcome not in SUCCESS:
                failures.append(f"{number}: {outcome}")
            store.close()
            return
        failures.append(f"{number}: never got through")
    except Exception as error:
        failures.append(f"{number}: {type(error).__name__}")


def _refuses(kind: type[StoreRefusal], act: Callable[[], object]) -> None:
    try:
        act()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was due")


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"{record.getMessage()} {record.exc_info or ''}")
