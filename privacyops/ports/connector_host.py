"""Stores, as services see them: opened, bounded, retried, and speaking the domain's types.

A call returns or raises within its `seconds` and a short grace, whatever the store does. What a failure means for
the request is in its class; its text names the store and a setting or a code, never a value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.erasure.operation import Check, Op, OpResult, StorePlan, Ticket, Verdict
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.predicate import Predicate
from privacyops.domain.record import Blob, Row, RowRef
from privacyops.kernel.errors import Problem, Unavailable, Unprocessable


class StoreProblem(Problem):
    """Base of what goes wrong with one store; the others go on. `store` and `code` are safe to show and log."""

    def __init__(self, store: str, code: str, detail: str = "") -> None:
        super().__init__(detail or f"Store {store}: {code}", store=store, code=code)
        self.store = store
        self.code = code


class StoreUnreachable(Unavailable, StoreProblem):
    """Out of retries, or the circuit is open: ask again later. Never the same as "nothing found"."""

    type = "/problems/store-unreachable"
    title = "The store does not answer"


class StoreMisconfigured(Unprocessable, StoreProblem):
    """A setting is wrong: no retry; the store's owner has to change `setting`. `allowed` says in words what may stand
    there, where the connector's card tells; it holds no value that was given.
    """

    type = "/problems/store-misconfigured"
    title = "The store's configuration is wrong"

    def __init__(self, store: str, setting: str, code: str, allowed: str = "") -> None:
        super().__init__(store, code, f"Store {store}: setting {setting}: {code}")
        self.setting = setting
        self.allowed = allowed
        self.members = {**self.members, "setting": setting, **({"allowed": allowed} if allowed else {})}


class StoreRefused(Unprocessable, StoreProblem):
    """The store refuses this call and will refuse it again; other calls may work."""

    type = "/problems/store-refused"
    title = "The store refuses"


class StoreBudgetSpent(Unprocessable, StoreProblem):
    """Our own limit of rows, bytes, requests or seconds was reached."""

    type = "/problems/store-budget-spent"
    title = "The budget for this store is spent"


class StoreCancelled(Unprocessable, StoreProblem):
    """The request was cancelled, or its worker lost the lease."""

    type = "/problems/store-cancelled"
    title = "The search was cancelled"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may use. `seconds` is its deadline; None leaves rows or bytes unbounded."""

    request: str = ""
    seconds: float = 30.0
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """What matters to the search of a store's capabilities."""

    max_in: int = 500
    max_page: int = 1000
    searches_text: bool = True
    read_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """A store today: `state` is ok, degraded or down; `rights` of read, write, ddl. `setting` and `allowed` as in
    StoreMisconfigured.
    """

    state: str
    product: str = ""
    version: str = ""
    latency: timedelta = timedelta(0)
    rights: frozenset[str] = frozenset()
    code: str = ""
    setting: str = ""
    allowed: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class FoundPage:
    """Rows of one page. `after`: where the next one begins, None at the end; `scanned` of `of` rows were looked at."""

    rows: tuple[Row, ...]
    after: str | None = None
    scanned: int = 0
    of: int | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A request that a platform passes on. `what` is the manifest's word for it (`access`, `erasure`, `uninstalled`),
    `identifiers` are by kind (`email`, `phone`). `delivery` is the same for a message delivered twice; it may be blank.
    """

    what: str
    identifiers: Mapping[str, str]
    delivery: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """What a service told by webhook, proven. `event` is the same for a word that is told twice; `settled` are tickets
    with how their jobs ended; `asked` is a request that it passes on instead.
    """

    event: str
    settled: tuple[tuple[Ticket, OpResult], ...] = ()
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked of a store since it was opened. `statements` is what its own count says, else calls."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class StoreConfig:
    """One connected store. `config` holds settings; values of the form env:, file: or vault: are secrets.

    `budget` may bound rows, scan_rows, bytes, seconds, per_second, concurrency; `map` is what an operator wrote of
    its collections and links; `salts` are references to salts of digests; `policy` says by collection what an erasure
    keeps, in the form that domain/erasure/policy reads.
    """

    name: str
    connector: str
    config: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, float] = field(default_factory=dict)
    region: str | None = None
    salts: tuple[str, ...] = ()
    map: Mapping[str, Any] | None = None
    distribution: str | None = None
    policy: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"StoreConfig({self.name!r}, {self.connector!r})"


class ConnectorHost(Protocol):
    """Opens stores by name and asks them. Every method raises a `StoreProblem`, and nothing else."""

    def stores(self) -> tuple[str, ...]:
        """The names of the configured stores, in the order of their configuration."""
        ...

    def settings(self, store: str) -> StoreSettings:
        """Region and salts of a store, resolved."""
        ...

    def config(self, store: str) -> StoreConfig:
        """The configuration, with references in place of secrets."""
        ...

    def traits(self, store: str, bounds: Bounds) -> Traits:
        """What this server can do, asked once."""
        ...

    def health(self, store: str, bounds: Bounds) -> StoreHealth:
        """How the store is today."""
        ...

    def catalogue(self, store: str, bounds: Bounds) -> tuple[Collection, ...]:
        """Every collection."""
        ...

    def sample(self, store: str, collection: str, fields: Sequence[str], n: int, bounds: Bounds) -> tuple[Row, ...]:
        """At most `n` rows, from all over the collection where the store can, and the same ones each time."""
        ...

    def find(
        self,
        store: str,
        collection: str,
        where: Predicate,
        fields: Sequence[str],
        size: int,
        after: str | None,
        bounds: Bounds,
    ) -> FoundPage:
        """One page of rows that fit, in key order; filtered here where the store cannot."""
        ...

    def count(self, store: str, collection: str, where: Predicate, bounds: Bounds) -> int | None:
        """How many rows fit; None where the store can only guess."""
        ...

    def fetch(self, store: str, refs: Sequence[RowRef], fields: Sequence[str], bounds: Bounds) -> tuple[Row, ...]:
        """The rows that still exist."""
        ...

    def read_blob(self, ref: RowRef, blob: Blob, bounds: Bounds) -> Iterator[bytes]:
        """The bytes behind a handle, piece by piece; closing the iterator frees the stream."""
        ...

    def plan(self, store: str, ops: Sequence[Op], bounds: Bounds) -> StorePlan:
        """Order, cascades and blockers of at most `order.PAGE` operations. Reads only, with the writing role, since
        its rights are what counts.
        """
        ...

    def apply(self, store: str, plan: StorePlan, only: Sequence[str], key: str, bounds: Bounds) -> tuple[OpResult, ...]:
        """Does the operations of `plan` named in `only` (all, if empty) once: repeated, each is `already`."""
        ...

    def poll(self, store: str, ticket: Ticket, bounds: Bounds) -> OpResult:
        """How a job of the store stands."""
        ...

    def hear(
        self, store: str, headers: Mapping[str, str], body: bytes, tickets: Sequence[Ticket], bounds: Bounds
    ) -> Heard:
        """What a service tells by webhook of these jobs, or asks for somebody. Calls nothing.

        Raises: StoreRefused: `not_proven`, or a store that is told nothing.
        """
        ...

    def verify(self, store: str, checks: Sequence[Check], bounds: Bounds) -> tuple[Verdict, ...]:
        """Reads back on a connection of its own, one verdict a check."""
        ...

    def version(self, store: str) -> str:
        """Name and version of the store's connector."""
        ...

    def usage(self, store: str) -> Usage:
        """What was asked of the store so far."""
        ...

    def close(self) -> None:
        """Closes every store; may be called twice."""
        ...


class OpensStores(Protocol):
    """Makes a host over some stores. Opening does not connect yet."""

    def __call__(self, stores: Sequence[StoreConfig]) -> ConnectorHost: ...
