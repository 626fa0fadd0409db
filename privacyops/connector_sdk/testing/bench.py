"""What a connector brings to the contract suite: its object, a seeded store, and ways past the connector into it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import SecretStr

from privacyops.connector_sdk import (
    BudgetSpent,
    Call,
    Collection,
    Connector,
    Cursor,
    Hit,
    Json,
    Leaf,
    Mark,
    Misconfigured,
    Op,
    OpId,
    OpResult,
    Page,
    Plan,
    Predicate,
    PredicateOp,
    ReadStore,
    RowRef,
    StoreRefusal,
    Value,
    WriteStore,
)
from privacyops.connector_sdk.plan import Act

Snapshot: TypeAlias = Mapping[tuple[str, str], Mapping[str, str | None]]
"""(collection of the seed, id) to the row's cells as text."""


class GivenSecrets:
    """Secrets out of a mapping."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def get(self, field: str) -> SecretStr:
        if field not in self._values:
            raise Misconfigured(field)
        return SecretStr(self._values[field])


@dataclass
class Spy:
    """A call's surroundings, with what was reported to them. `kill_at` ends the call at its n-th request."""

    seconds: float = 30.0
    kill_at: int | None = None
    rows_allowed: int | None = None
    is_cancelled: Callable[[], bool] = lambda: False
    rows: int = 0
    bytes: int = 0
    requests: int = 0
    logged: list[str] = field(default_factory=list)

    def call(self, request: str = "contract") -> Call:
        """A call whose time begins now."""
        deadline = time.monotonic() + self.seconds
        return Call(request, deadline, self.is_cancelled, self._spend, 1, self._log)

    def _spend(self, rows: int = 0, bytes: int = 0, requests: int = 0) -> None:  # noqa: A002 - the contract's word
        self.rows += rows
        self.bytes += bytes
        self.requests += requests
        if self.kill_at is not None and self.requests > self.kill_at:
            raise BudgetSpent("killed")
        if self.rows_allowed is not None and self.rows > self.rows_allowed:
            raise BudgetSpent

    def _log(self, code: str, counts: Mapping[str, int]) -> None:
        self.logged.append(f"{code} {dict(counts)}")


@dataclass(frozen=True)
class Broken:
    """A store that cannot answer: how to open it, and the class (and setting) of the refusal that is due."""

    label: str
    config: Mapping[str, Json]
    secrets: Mapping[str, str]
    refusal: type[StoreRefusal]
    setting: str = ""
    seconds: float = 10.0


@dataclass(frozen=True)
class Declared:
    """What the catalogue must say about things that exist in this store; names are the store's own."""

    views: frozenset[str] = frozenset()
    partitions: Mapping[str, str] = field(default_factory=dict)
    generated: frozenset[tuple[str, str]] = frozenset()
    triggers: frozenset[tuple[str, str]] = frozenset()
    cascades: frozenset[tuple[str, str]] = frozenset()
    """(collection, collection it points at)."""


class Bench(ABC):
    """One seeded store. A check gets a fresh one. `entry` is the entry point, `drivers` what importing it must
    spare.
    """

    entry: str
    drivers: frozenset[str] = frozenset()
    names: Mapping[str, str] = {}
    """The seed's collection to the store's own name, where they differ."""

    @abstractmethod
    def connector(self) -> Connector: ...

    @abstractmethod
    def config(self) -> Mapping[str, Json]:
        """The valid configuration, without `write`."""

    @abstractmethod
    def secrets(self) -> Mapping[str, str]: ...

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The seeded rows, read past the connector."""

    @abstractmethod
    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        """Change one cell past the connector."""

    @abstractmethod
    def insert(self, number: int) -> None:
        """Add a person of that id past the connector."""

    @abstractmethod
    def grow(self, rows: int) -> str:
        """A collection of the store's own name with so many rows, fields id and label; none of them has label `x`."""

    def broken(self) -> Sequence[Broken]:
        """Stores that are down, refuse the password, do not exist."""
        return ()

    def declared(self) -> Declared:
        return Declared()

    def held(self) -> int:
        """Connections, cursors, locks and transactions that the store still holds for the connector."""
        return 0

    def restore_after_write(self) -> bool:
        """Make the store restore a person's e-mail after each change (a trigger); False: it cannot."""
        return False

    # --- for the checks -------------------------------------------------------------------------------------

    def name_of(self, collection: str) -> str:
        return self.names.get(collection, collection)

    def open(self) -> ReadStore:
        """With the reading role."""
        return self.connector().open(self.config(), GivenSecrets(self.secrets()))

    def open_writing(self) -> WriteStore | None:
        """With the writing role; None: the connector has no writing half."""
        store = self.connector().open({**self.config(), "write": True}, GivenSecrets(self.secrets()))
        return store if isinstance(store, WriteStore) else None


def catalogue_of(store: ReadStore, spy: Spy | None = None) -> dict[str, Collection]:
    """Every collection by name."""
    call = (spy or Spy()).call()
    return {each.name: each for each in store.catalogue(call) if isinstance(each, Collection)}


def pages(
    store: ReadStore,
    collection: str,
    where: Predicate,
    *,
    size: int = 500,
    fields: Sequence[str] = (),
    spy: Spy | None = None,
) -> Iterator[Hit | Mark]:
    """Every item of a find, page after page."""
    after: Cursor | None = None
    spy = spy or Spy()
    while True:
        hits = 0
        for item in store.find(spy.call(), collection, where, fields, Page(size, after)):
            if isinstance(item, Mark):
                after = item.after
            else:
                hits += 1
            yield item
        if hits < size:
            return


def hits_of(
    store: ReadStore,
    collection: str,
    where: Predicate,
    *,
    size: int = 500,
    fields: Sequence[str] = (),
    spy: Spy | None = None,
) -> list[Hit]:
    """Every hit of a find."""
    return [
        item for item in pages(store, collection, where, size=size, fields=fields, spy=spy) if isinstance(item, Hit)
    ]


def ids(hits: Sequence[Hit]) -> list[str]:
    """The seed's ids of hits, as text, in the order they came."""
    return [str(hit.values["id"]) for hit in hits]


def ref_of(bench: Bench, store: ReadStore, collection: str, number: int) -> RowRef:
    """The reference of one seeded row."""
    found = hits_of(store, bench.name_of(collection), Leaf("id", "id", PredicateOp.EQ, number), fields=("id",))
    assert len(found) == 1, f"{collection} {number} is not found by its id"
    return found[0].ref


def op_on(bench: Bench, store: ReadStore, collection: str, number: int, act: Act) -> Op:
    """An operation on one seeded row."""
    return Op(OpId(f"{collection}-{number}"), ref_of(bench, store, collection, number), act)


def applied(store: WriteStore, plan: Plan, spy: Spy | None = None) -> dict[str, OpResult]:
    """The results by operation id."""
    return {str(each.op): each for each in store.apply((spy or Spy()).call(), plan, (), f"{plan.id}:1:1")}


def difference(before: Snapshot, after: Snapshot) -> set[tuple[str, str, str]]:
    """(collection, id, cell) of everything that changed; a row that came or went counts as cell `*`."""
    found = set()
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            found.add((*name, "*"))
            continue
        found.update((*name, path) for path in one if one[path] != other.get(path))
    return found
