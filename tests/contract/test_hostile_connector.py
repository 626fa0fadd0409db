"""A connector that breaks each rule of the contract once; the suite must catch every one.

Each hostile store below is the template with one thing wrong. A check that lets its own hostile store through would
let a stranger's through as well.
"""

import logging
import mmap
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from connectors._template.bench import MemoryBench
from connectors._template.card import TemplateConnector
from connectors._template.memory import Cells, Server
from connectors._template.store import number_of
from connectors._template.writing import WritingStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Call,
    Capabilities,
    Check,
    Collection,
    Connector,
    ConnectorSpec,
    Count,
    Cursor,
    Delete,
    Finding,
    Health,
    Hit,
    Json,
    Keep,
    Mark,
    Misconfigured,
    Op,
    OpId,
    OpResult,
    Outcome,
    Page,
    Plan,
    PlannedOp,
    Predicate,
    PredicateOp,
    Rate,
    RedactSpan,
    Row,
    Sampling,
    Secrets,
    Terminal,
    Unlink,
    Verdict,
)
from privacyops.connector_sdk.equality import fold, text_of
from privacyops.connector_sdk.predicate import All, Leaf, leaves, matched
from privacyops.connector_sdk.testing.contract import ConnectorContract, Declared


class Breaks(WritingStore):
    """The template, with short ways to what the hostile ones bend."""

    rule: ClassVar[int]

    def rows(self, call: Call, collection: str) -> dict[int, Cells]:
        return self.server(call).tables[collection].rows


class AnswersWithTheWrongClass(Breaks):
    rule = 3

    def health(self, call: Call) -> Health:
        try:
            return super().health(call)
        except Misconfigured:
            raise Terminal("failed") from None


class DeclaresWhatItRefuses(Breaks):
    rule = 4

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        if any(leaf.op is PredicateOp.DIGITS_END for leaf in leaves(where)):
            raise Terminal("unsupported")
        return super().find(call, collection, where, fields, page)


class ClaimsNoRights(Breaks):
    rule = 5

    def health(self, call: Call) -> Health:
        return replace(super().health(call), rights=frozenset())


class ForgetsItsKeys(Breaks):
    rule = 6

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        for each in super().catalogue(call, after):
            yield replace(each, key=()) if isinstance(each, Collection) else each


class HidesAView(Breaks):
    """Its bench has a view among the tables, and the catalogue calls it a table."""

    rule = 7


class SamplesTooMuch(Breaks):
    rule = 8

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        return super().sample(call, collection, fields, n + 1, how)


class Miscounts(Breaks):
    rule = 9

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        return Count(super().count(call, collection, where).n + 1)


class TakesTheNamesake(Breaks):
    rule = 10

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        if isinstance(where, All) and where.parts:
            where = where.parts[0]
        return super().find(call, collection, where, fields, page)


class SearchesByRegex(Breaks):
    rule = 11

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        if isinstance(where, Leaf) and where.op is PredicateOp.CONTAINS_CI:
            return self._by_regex(call, collection, where, page)
        return super().find(call, collection, where, fields, page)

    def _by_regex(self, call: Call, collection: str, where: Leaf, page: Page) -> Iterator[Hit | Mark]:
        for number, cells in self.rows(call, collection).items():
            if re.search(text_of(where.value), text_of(cells.get(where.field)), re.IGNORECASE):
                yield Hit(self.ref(collection, number), cells, (where.id,))
        yield Mark(Cursor("999999"), 1)


class FoldsCaseInEquality(Breaks):
    rule = 12

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        if isinstance(where, Leaf) and where.op is PredicateOp.EQ and isinstance(where.value, str):
            where = replace(where, op=PredicateOp.EQ_CI, value=fold(where.value).strip())
        return super().find(call, collection, where, fields, page)


class LeavesATrace(Breaks):
    rule = 13

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        self.rows(call, collection)[102]["note"] = "somebody asked"
        return super().find(call, collection, where, fields, page)


class PagesByOffset(Breaks):
    rule = 14

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        start = int(page.after or 0)
        every = [item for item in super().find(call, collection, where, fields, Page(10**6)) if isinstance(item, Hit)]
        yield from every[start : start + page.size]
        yield Mark(Cursor(str(start + page.size)), len(every))


class MarksTooFar(Breaks):
    rule = 15

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        for item in super().find(call, collection, where, fields, page):
            yield replace(item, after=Cursor(str(int(item.after) + 1))) if isinstance(item, Mark) else item


class IgnoresTheProjection(Breaks):
    rule = 16

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        return super().find(call, collection, where, (), page)


class IsSilentUntilTheEnd(Breaks):
    rule = 17

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        last = None
        for item in super().find(call, collection, where, fields, page):
            if isinstance(item, Mark):
                last = item
            else:
                yield item
        if last is not None:
            yield last


class ReportsNoUse(Breaks):
    rule = 18

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        return super().find(replace(call, spend=_free), collection, where, fields, page)


def _free(rows: int = 0, bytes: int = 0, requests: int = 0) -> None:  # noqa: A002 - the contract's word
    """Takes note of nothing."""


class PlansByTrying(Breaks):
    rule = 19

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        plan = super().plan(call, ops)
        for op in ops:
            self.rows(call, op.ref.collection)[number_of(op.ref)]["note"] = ""
        return plan


class HashesByChance(Breaks):
    rule = 20

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        return replace(super().plan(call, ops), hash=str(random.random()))


class ChangesAnotherCell(Breaks):
    rule = 21

    def _change(self, server: Server, each: PlannedOp, cells: Cells) -> tuple[str, ...]:
        cells["name"] = ""
        return super()._change(server, each, cells)


class NeverRemembers(Breaks):
    rule = 22

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        server.seen.clear()
        return super()._do(server, plan, each)


class OverwritesWhatChanged(Breaks):
    rule = 23

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        cells = server.tables[each.op.ref.collection].rows.get(number_of(each.op.ref))
        now = each if cells is None else replace(each, before=self._before(each.op, cells))
        return super()._do(server, plan, now)


class StopsHalfWay(Breaks):
    """Writes without a transaction and does not know its own work again."""

    rule = 24

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        server = self.server(call)
        for each in plan.ops:
            server.seen.clear()
            yield self._do(server, plan, each)
            call.spend(requests=1)


class DeletesWhatIsPointedAt(Breaks):
    rule = 25

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        if isinstance(each.op.act, Delete):
            server.tables[each.op.ref.collection].rows.pop(number_of(each.op.ref), None)
            return OpResult(each.op.id, Outcome.BLOCKED)
        return super()._do(server, plan, each)


class DropsWhatIsKept(Breaks):
    rule = 26

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        result = super()._do(server, plan, each)
        if isinstance(each.op.act, Keep | Unlink):
            server.tables[each.op.ref.collection].rows.pop(number_of(each.op.ref))
        return result


class BlacksOutTheWholeText(Breaks):
    rule = 27

    def _change(self, server: Server, each: PlannedOp, cells: Cells) -> tuple[str, ...]:
        if isinstance(each.op.act, RedactSpan):
            cells[each.op.act.field] = "***"
            return (each.op.act.field,)
        return super()._change(server, each, cells)


class DerivesItsTokens(Breaks):
    rule = 28

    def _change(self, server: Server, each: PlannedOp, cells: Cells) -> tuple[str, ...]:
        changed = super()._change(server, each, cells)
        cells["email"] = "erased-sameforeverybody@invalid.example"
        return changed


class WritesWithAnOldLease(Breaks):
    rule = 29

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        return super().apply(replace(call, cancelled=lambda: False), plan, only, key)


class TrustsItsUpdateCount(Breaks):
    rule = 30

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        for check in checks:
            yield Verdict(check, Finding(check.expects.value))


class CannotBeRated(Breaks):
    rule = 31

    def capabilities(self, call: Call) -> Capabilities:
        return replace(super().capabilities(call), rate=Rate(0, 0, 0))


class ServesOnePersonOnly(Breaks):
    rule = 32
    served: ClassVar[set[int]] = set()

    def _do(self, server: Server, plan: Plan, each: PlannedOp) -> OpResult:
        self.served.add(number_of(each.op.ref))
        if len(self.served) > 1:
            return OpResult(each.op.id, Outcome.FAILED, code="busy")
        return super()._do(server, plan, each)


class CannotBeStopped(Breaks):
    rule = 33

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        return super().find(replace(call, cancelled=lambda: False), collection, where, fields, page)


class KeepsEverything(Breaks):
    rule = 34
    kept: ClassVar[list[mmap.mmap]] = []

    def _row(self, call: Call, collection: str, number: int, fields: Sequence[str]) -> Row:
        if number % 1_000 == 0:  # in new pages: a list of bytes might fit into what other tests have given back
            self.kept.append(mmap.mmap(-1, 600_000))
            self.kept[-1].write(b"x" * 600_000)
        return super()._row(call, collection, number, fields)

    def close(self) -> None:
        self.kept.clear()
        super().close()


class TalksAboutPeople(Breaks):
    rule = 35

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        for leaf in leaves(where):
            logging.getLogger("hostile").debug("looking for %s", leaf.value)
        return super().find(call, collection, where, fields, page)


class HostileConnector(TemplateConnector):
    """Opens one hostile store; `strict` is False for the one that takes any setting."""

    def __init__(self, store: type[WritingStore], *, strict: bool = True) -> None:
        self._store, self._strict = store, strict

    def spec(self) -> ConnectorSpec:
        return super().spec()

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> WritingStore:
        if self._strict:
            super().open(config, secrets)
        may_write = config.get("write", False) is True
        return self._store(str(config.get("name")), str(config.get("server")), secrets, write=may_write)


class HostileBench(MemoryBench):
    def __init__(self, hostile: Connector) -> None:
        super().__init__()
        self._hostile = hostile

    def connector(self) -> Connector:
        return self._hostile

    def declared(self) -> Declared:
        return Declared(views=frozenset({"person"}))


class EagerBench(MemoryBench):
    entry = "tests.contract.eager_connector:connector"
    drivers = frozenset({"sqlite3"})


HOSTILE: Sequence[type[Breaks]] = tuple(sorted(Breaks.__subclasses__(), key=lambda each: each.rule))


def check(number: int) -> Any:
    """The contract's check of that number, as a function of a bench."""
    suite = ConnectorContract()
    return getattr(suite, next(name for name in dir(suite) if name.startswith(f"test_{number:02d}_")))


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: f"{each.rule:02d}-{each.__name__}")
def test_the_suite_catches_a_store_that_breaks_the_rule(hostile: type[Breaks]) -> None:
    bench = HostileBench(HostileConnector(hostile))
    with pytest.raises((AssertionError, StopIteration, re.error, Terminal)):
        check(hostile.rule)(bench)


def test_the_suite_catches_a_connector_that_takes_any_setting() -> None:
    with pytest.raises(AssertionError, match="unknown setting"):
        check(1)(HostileBench(HostileConnector(WritingStore, strict=False)))


def test_the_suite_catches_a_connector_that_loads_its_driver_on_import() -> None:
    with pytest.raises(AssertionError, match="sqlite3"):
        check(2)(EagerBench())


def test_every_rule_has_its_hostile_store() -> None:
    assert {1, 2, *(each.rule for each in HOSTILE)} == set(range(1, 36))


def test_an_honest_store_passes_where_the_hostile_ones_fail() -> None:
    bench = HostileBench(HostileConnector(WritingStore))
    for number in (9, 10, 21, 30):
        check(number)(bench)
        bench = HostileBench(HostileConnector(WritingStore))


def test_the_reference_for_a_hit_is_the_predicate_itself() -> None:
    assert matched(EVERY_ROW, {"id": 1}) == ()
