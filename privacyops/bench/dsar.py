"""One access request over the demo shop, from the typed letter to the mailed announcement, beside hand-written SQL.

The way goes through the same use cases and job kinds as in the service; the jobs are done in line, so that the figures
hold no waiting for a poll. The person's data is found, reviewed and packed anew in each round.
"""

import resource
import sqlite3
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.bench.result import Row, host, spread
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import Decision
from privacyops.domain.redaction.suggest import Decision as Redaction
from privacyops.kernel.ids import DsarId
from privacyops.services import stores
from privacyops.services.context import Context
from privacyops.services.dsar import answer, identity, intake, listing, opening, review, third_parties

WALL_GOAL_S: Final = 0.3
STATEMENTS_GOAL: Final = 100
LEGS: Final = ("intake", "search", "texts", "review", "package", "release")

BY_HAND: Final = (
    ("customers", "SELECT * FROM customers WHERE customer_id = :id"),
    ("addresses", "SELECT * FROM addresses WHERE customer_id = :id"),
    ("orders", "SELECT * FROM orders WHERE customer_id = :id OR guest_email = :mail"),
    ("order_lines", "SELECT l.* FROM order_lines l JOIN orders o USING (order_id) WHERE o.customer_id = :id"),
    ("payments", "SELECT p.* FROM payments p JOIN orders o USING (order_id) WHERE o.customer_id = :id"),
    ("shipments", "SELECT s.* FROM shipments s JOIN orders o USING (order_id) WHERE o.customer_id = :id"),
    ("returns", "SELECT r.* FROM returns r JOIN orders o USING (order_id) WHERE o.customer_id = :id"),
    ("invoices", "SELECT i.* FROM invoices i JOIN orders o USING (order_id) WHERE o.customer_id = :id"),
    ("carts", "SELECT * FROM carts WHERE customer_id = :id"),
    ("wish_list_items", "SELECT * FROM wish_list_items WHERE customer_id = :id"),
    ("reviews", "SELECT * FROM reviews WHERE customer_id = :id"),
    ("tickets", "SELECT * FROM tickets WHERE customer_id = :id"),
    ("ticket_messages", "SELECT m.* FROM ticket_messages m JOIN tickets t USING (ticket_id) WHERE t.customer_id = :id"),
    ("newsletter_subscribers", "SELECT * FROM newsletter_subscribers WHERE email = :mail"),
    ("sessions", "SELECT * FROM sessions WHERE customer_id = :id"),
    ("loyalty_points", "SELECT * FROM loyalty_points WHERE customer_id = :id"),
)
"""The baseline: what somebody writes who knows this one schema by heart. It seals, logs and explains nothing."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A service with the demo shop's stores connected. `settle` does the waiting jobs; `own` counts the statements on
    the service's own database so far.
    """

    analyst: Context
    approver: Context
    requester: Requester
    customer_id: int
    shop: Path
    settle: Callable[[], object]
    find: Callable[[], object]
    own: Callable[[], int]


@dataclass
class _Seen:
    """What the rounds after the first one measured."""

    legs: dict[str, list[float]]
    cpu: list[float]
    own: list[int]
    by_hand: list[float]
    statements: list[int]
    tables: int = 0
    records: int = 0
    rows_by_hand: int = 0

    def middle(self, leg: str) -> float:
        return statistics.median(self.legs[leg])


def measure(bench: Bench, rounds: int) -> tuple[Mapping[str, object], list[Row]]:
    """Walk `rounds` requests after one that is dropped; the medians."""
    seen = _Seen(defaultdict(list), [], [], [], [])
    for number in range(rounds + 1):
        before, cpu = bench.own(), time.process_time()
        legs, reference = _walk(bench)
        cpu, own = time.process_time() - cpu, bench.own() - before
        by_hand = _by_hand(bench, seen)
        if number == 0:
            continue
        for leg, seconds in legs.items():
            seen.legs[leg].append(seconds)
        seen.legs["whole"].append(sum(legs.values()))
        seen.legs["data"].append(legs["intake"] + legs["search"] + legs["review"])
        seen.cpu.append(cpu)
        seen.own.append(own)
        seen.by_hand.append(by_hand)
        _look(bench, reference, seen)
    about = host(rounds, spread(seen.legs["whole"]))
    return about, _rows(seen)


def _rows(seen: _Seen) -> list[Row]:
    hand = statistics.median(seen.by_hand)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Row("request answered, whole (with PDF letter)", seen.middle("whole"), "s", WALL_GOAL_S),
        Row("request searched and reviewed", seen.middle("data"), "s", WALL_GOAL_S),
        *(Row(f"  leg {leg}", seen.middle(leg), "s") for leg in LEGS),
        Row("CPU of this process", statistics.median(seen.cpu), "s"),
        Row("statements on the shop's stores", statistics.median(seen.statements), "statements", STATEMENTS_GOAL),
        Row("statements on the own database", statistics.median(seen.own), "statements"),
        Row("tables and folders with records", seen.tables, "tables"),
        Row("records", seen.records, "records"),
        Row("baseline: hand-written SQL, one database", hand, "s"),
        Row("baseline: statements", len(BY_HAND), "statements"),
        Row("baseline: rows", seen.rows_by_hand, "rows"),
        Row("searched and reviewed, times the baseline", seen.middle("data") / hand, "x"),
        Row("peak memory of this process", peak, "MB"),
    ]


def _walk(bench: Bench) -> tuple[dict[str, float], str]:
    legs: dict[str, float] = {}
    began = time.perf_counter()

    def leg(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        legs[name], began = now - began, now

    typed = intake.Submission(type=RequestType.ACCESS, requester=bench.requester, channel=Channel.LETTER)
    dsar_id = intake.submit(bench.analyst, typed).id
    bench.settle()
    leg("intake")
    identity.accept_identity(bench.analyst, dsar_id, "known by telephone")
    bench.find()
    leg("search")
    bench.settle()
    leg("texts")
    for config in stores.all_stores(bench.analyst):
        review.decide(bench.analyst, dsar_id, Decision.INCLUDE, store=config.name, only_undecided=True)
    _decide_passages(bench, dsar_id)
    review.finish_review(bench.analyst, dsar_id)
    leg("review")
    bench.settle()
    leg("package")
    reference = listing.status_of(bench.approver, dsar_id).reference
    sha256 = answer.package_hash(bench.approver, dsar_id)
    answer.release(bench.approver, dsar_id, seen_sha256=sha256, typed_reference=reference)
    bench.settle()
    leg("release")
    return legs, reference


def _decide_passages(bench: Bench, dsar_id: DsarId) -> None:
    while texts := third_parties.open_texts(bench.analyst, dsar_id, limit=100, only_open=True).texts.items:
        for label in dict.fromkeys(one.label for text in texts for one in text.passages):
            third_parties.decide_alike(bench.analyst, dsar_id, label, Redaction.ACCEPTED)
        third_parties.texts_seen(bench.analyst, dsar_id, [text.stored.id for text in texts if text.stored])


def _look(bench: Bench, reference: str, seen: _Seen) -> None:
    opened = opening.open_request(bench.analyst, reference, masks=True)
    seen.statements.append(sum(int(run.report.get("statements", 0)) for run in opened.runs))
    seen.tables = len({(group.store, group.collection) for group in opened.groups})
    seen.records = sum(group.records for group in opened.groups)


def _by_hand(bench: Bench, seen: _Seen) -> float:
    began, rows = time.perf_counter(), 0
    with closing(sqlite3.connect(f"file:{bench.shop}?mode=ro", uri=True)) as file:
        for _, statement in BY_HAND:
            rows += len(file.execute(statement, {"id": bench.customer_id, "mail": bench.requester.email}).fetchall())
    seen.rows_by_hand = rows
    return time.perf_counter() - began
