"""Plans the erasure in one store: intents, what the store says against them, remedies, until the plan stands still.

Reads only. What the plan shows is what will be done; what it cannot do, it names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.deciding import Decided, Rules, Undecided, decide
from privacyops.domain.erasure.intent import Intent, operations
from privacyops.domain.erasure.named import described_dealings
from privacyops.domain.erasure.operation import Blocker, Delete, Op, StorePlan, touched
from privacyops.domain.erasure.order import PAGE, in_pages, levels
from privacyops.domain.erasure.policy import holds_dealings
from privacyops.domain.erasure.remedy import given_up, remedied
from privacyops.domain.finding.asking import fields_of_ask, where_of
from privacyops.domain.finding.model import Ask, AskKind, Finding, FindingTier, Match, SearchState
from privacyops.domain.record import Value, spelled
from privacyops.ports.connector_host import Bounds, ConnectorHost
from privacyops.services.finding.search import StoreRun

MAX_ROUNDS: Final = 40
"""How often a store is asked again; each round makes some intent milder, so real plans need a handful."""
MOST_POINTERS: Final = 20_000
"""Rows pointing at the subject that are unlinked one by one; with more, what they point at stays without the person."""
CALL_SECONDS: Final = 120.0
_FROM_CHILDREN: Final = frozenset({"restrict", "cascade_outside"})


@dataclass(frozen=True, slots=True)
class Planned:
    """The erasure in one store, page by page, children first. `open` are blockers that nothing helps against."""

    store: str
    drawn: DataMap
    intents: tuple[Intent, ...] = ()
    pages: tuple[StorePlan, ...] = ()
    open: tuple[Blocker, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    corrected: tuple[tuple[str, int], ...] = ()
    """Of a correction: what each pair is about, and how many cells hold its old value."""

    @property
    def ops(self) -> tuple[Op, ...]:
        """Every operation, in the order in which it will be done."""
        return tuple(each.op for page in self.pages for each in page.ops)

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """Everything that stands in the way and that nothing helps against."""
        refused = (
            Blocker(code, op.ref.collection, touched(op.act)[0], op=op.id) for op, code in given_up(self.intents)
        )
        return (*self.open, *refused)

    @property
    def unretained(self) -> tuple[str, ...]:
        """Collections of dealings with amounts of which rows go as a whole: neither policy nor map keeps them."""
        going = {op.ref.collection for op in self.ops if isinstance(op.act, Delete)}
        told = going & set(described_dealings(self.intents, self.drawn))
        return tuple(sorted(name for name in going if name in told or holds_dealings(self.drawn.collection(name))))

    @property
    def issued(self) -> tuple[str, ...]:
        """Collections of dealings with amounts, or that the map retains, in which a correction writes: papers that were
        issued mostly stay as they were issued.
        """
        written = {op.ref.collection for op in self.ops} if self.corrected else set()
        every = (self.drawn.collection(name) for name in sorted(written))
        return tuple(one.name for one in every if one.retain or holds_dealings(one))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the store will do by itself."""
        return tuple(dict.fromkeys(warning for page in self.pages for warning in page.warnings))


def plan_store(host: ConnectorHost, run: StoreRun, rules: Rules, request: str, size: int = PAGE) -> Planned:
    """The plan for what a search found in one store. Raises: StoreProblem."""
    assert run.drawn is not None  # noqa: S101 - a store without a map has no findings
    found = with_all_pointers(host, run, request)
    decided = decide(found, run.drawn, run.state, rules)
    return plan_intents(host, run.drawn, decided, request, size)


def plan_intents(host: ConnectorHost, drawn: DataMap, decided: Decided, request: str, size: int = PAGE) -> Planned:
    """The plan for intents. Raises: StoreProblem."""
    now = decided.intents
    bounds = Bounds(request, CALL_SECONDS)
    pages: tuple[StorePlan, ...] = ()
    unresolved: tuple[Blocker, ...] = ()
    for _ in range(MAX_ROUNDS):
        pages = tuple(host.plan(drawn.store, page, bounds) for page in pages_of(now, drawn, size))
        after = remedied(now, _in_the_way(pages), drawn)
        unresolved = after.open
        if not after.changed:
            break
        now = after.intents
    return Planned(drawn.store, drawn, now, pages, unresolved, decided.undecided)


def pages_of(intents: Sequence[Intent], drawn: DataMap, size: int = PAGE) -> tuple[tuple[Op, ...], ...]:
    """The operations of the intents in pages, children before parents by every link of the map."""
    ops = operations(intents, drawn)
    if len(ops) <= size:
        return (ops,) if ops else ()
    return in_pages(ops, _levels({op.ref.collection for op in ops}, drawn), size)


def _levels(names: Iterable[str], drawn: DataMap) -> tuple[tuple[str, ...], ...]:
    return levels(names, [(link.collection, link.to) for link in drawn.links if not link.by_value and link.usable])


def ranks(names: Iterable[str], drawn: DataMap) -> dict[str, int]:
    """How late each collection's turn comes, children first, by every link of the map."""
    return {name: at for at, group in enumerate(_levels(names, drawn)) for name in group}


def _in_the_way(pages: Sequence[StorePlan]) -> list[Blocker]:
    """The blockers, without those that rows of an earlier page make: they are gone when this page's turn comes."""
    found: list[Blocker] = []
    earlier: set[str] = set()
    for page in pages:
        found.extend(one for one in page.blockers if one.code not in _FROM_CHILDREN or one.collection not in earlier)
        earlier |= {each.op.ref.collection for each in page.ops}
    return found


def with_all_pointers(host: ConnectorHost, run: StoreRun, request: str) -> tuple[Finding, ...]:
    """The findings with every row that points at the subject, where the search had only counted them and the pointing
    cell may be empty.
    """
    assert run.drawn is not None  # noqa: S101 - as in plan_store
    found = {one.ref.id: one for one in run.findings}
    for name, n in run.state.counts.items():
        link = run.drawn.by_link.get(name)
        cell = run.drawn.collection(link.collection).field(link.fields[0]) if link is not None else None
        if link is None or cell is None or not cell.nullable or n > MOST_POINTERS:
            continue
        keys = _keys(run.state, link.to, link.to_fields)
        ask = Ask(AskKind.POINTER, link.collection, name, keys, identifiers=len(run.state.identifiers))
        for one in _pointing(host, run.state, run.drawn, ask, link.start, request):
            found.setdefault(one.ref.id, one)
    return tuple(found.values())


def _keys(state: SearchState, collection: str, fields: tuple[str, ...]) -> tuple[tuple[Value, ...], ...]:
    keys = {
        tuple(spelled(one.values[path]) for path in fields): tuple(one.values[path] for path in fields)
        for one in state.owned()
        if one.ref.collection == collection and all(one.values.get(path) is not None for path in fields)
    }
    return tuple(keys.values())


def _pointing(
    host: ConnectorHost, state: SearchState, drawn: DataMap, ask: Ask, via: str, request: str
) -> list[Finding]:
    bounds = Bounds(request, CALL_SECONDS)
    where = where_of(ask, state, drawn, host.settings(drawn.store))
    fields = fields_of_ask(ask, drawn)
    cells = tuple(path.partition("$")[0] for path in drawn.by_link[ask.link].fields)
    found: list[Finding] = []
    while where is not None:
        page = host.find(drawn.store, ask.collection, where, fields, 1000, ask.after, bounds)
        for row in page.rows:
            values = {cell: row.values[cell] for cell in cells if row.values.get(cell) is not None}
            found.append(Finding(row.ref, FindingTier.POINTER, Match.LINKED, (via,), tuple(values), values))
        if page.after is None:
            break
        ask = replace(ask, after=page.after)
    return found
