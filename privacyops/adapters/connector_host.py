"""Loads connectors by entry point, opens stores, and keeps every call inside its bounds.

The only module that imports by name: installed is not enabled, so nothing outside the allow-list is imported. Each
store has one worker thread; errors are classed by what happens next, and no value reaches a log or an error text.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final, TypeVar

from privacyops import connector_sdk as sdk
from privacyops.adapters.store_limits import TRIES, Circuit, TokenBucket, pause_before
from privacyops.adapters.store_paging import Paging
from privacyops.adapters.store_problems import problem_of
from privacyops.adapters.store_secrets import References
from privacyops.adapters.store_translation import (
    from_predicate,
    from_ref,
    from_value,
    to_collection,
    to_row,
    widened,
)
from privacyops.adapters.store_worker import Overrun, StoreWorker, monotonic
from privacyops.adapters.store_writing import (
    from_check,
    from_op,
    from_plan,
    from_ticket,
    to_heard,
    to_plan,
    to_result,
    to_verdict,
)
from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.erasure.operation import Check, Op, OpResult, StorePlan, Ticket, Verdict
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.predicate import Predicate, column_of, fields_of
from privacyops.domain.record import Blob, Row, RowRef
from privacyops.ports.connector_host import (
    Bounds,
    FoundPage,
    Heard,
    StoreBudgetSpent,
    StoreConfig,
    StoreHealth,
    StoreMisconfigured,
    StoreRefused,
    StoreUnreachable,
    Traits,
    Usage,
)

T = TypeVar("T")
GROUP: Final = "privacyops.connectors"
FIRST_PARTY: Final = frozenset(
    {"sql", "files", "s3", "rest", "manual", "mongodb", "mailbox", "ldap", "duckdb", "redis", "search", "gcs"}
)
_log = logging.getLogger("privacyops.stores")


def load_connectors(
    allowed: frozenset[str], pinned: Mapping[str, str] | None = None
) -> dict[str, "sdk.Connector | str"]:
    """The connectors of the allow-list by name; a text in place of one is the code why it is refused.

    `pinned` names the distribution a connector has to come from.
    """
    found: dict[str, sdk.Connector | str] = {}
    for point in metadata.entry_points(group=GROUP):
        if point.name not in allowed:
            continue
        wanted = (pinned or {}).get(point.name)
        if wanted is not None and (point.dist is None or point.dist.name != wanted):
            continue
        found[point.name] = "duplicate_name" if point.name in found else _load(point)
    return found


def _load(point: metadata.EntryPoint) -> "sdk.Connector | str":
    try:
        connector = point.load()
        major, minor = connector.spec().api
    except Exception:
        return "cannot_be_loaded"
    if major != sdk.API_VERSION[0] or minor > sdk.API_VERSION[1]:
        return "other_api_version"
    loaded: sdk.Connector = connector
    return loaded


@dataclass
class _Open:
    """One store in use; `writes`: with the writing role."""

    config: StoreConfig
    writes: bool = False
    circuit: Circuit = field(default_factory=Circuit)
    worker: StoreWorker | None = None
    store: sdk.ReadStore | None = None
    able: sdk.Capabilities | None = None
    bucket: TokenBucket | None = None
    kept: dict[str, int] = field(default_factory=lambda: {"calls": 0, "rows": 0, "bytes": 0, "retries": 0, "before": 0})


class Connectors:
    """The host of ports/connector_host. Safe to use from several threads, one store from one thread at a time.

    `sleep` and `cancelled` are handed in for tests and for workers that lose their lease; `seal` and `unseal` wrap
    cursors before they leave, since a cursor may hold a key.
    """

    def __init__(
        self,
        configs: Sequence[StoreConfig],
        allowed: frozenset[str] = FIRST_PARTY,
        *,
        pinned: Mapping[str, str] | None = None,
        vault: Callable[[str], str] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        seal: Callable[[str], str] = str,
        unseal: Callable[[str], str] = str,
    ) -> None:
        self._stores = {config.name: _Open(config) for config in configs}
        self._writers: dict[str, _Open] = {}
        self._connectors = load_connectors(allowed, pinned)
        self._vault, self._cancelled = vault, cancelled
        self._seal, self._unseal = seal, unseal

    # --- what is configured ---------------------------------------------------------------------------------

    def stores(self) -> tuple[str, ...]:
        return tuple(self._stores)

    def config(self, store: str) -> StoreConfig:
        return self._of(store).config

    def settings(self, store: str) -> StoreSettings:
        config = self._of(store).config
        references = References({}, self._vault)
        try:
            salts = tuple(references.resolve("hash_salts", salt) for salt in config.salts)
        except sdk.Misconfigured as wrong:
            raise StoreMisconfigured(store, wrong.setting, wrong.code) from None
        return StoreSettings(config.region, salts)

    def usage(self, store: str) -> Usage:
        one = self._of(store)
        counted = getattr(one.store, "statements", None) if one.store is not None else None
        statements = one.kept["before"] + counted if isinstance(counted, int) else one.kept["calls"]
        return Usage(statements, one.kept["rows"], one.kept["bytes"], one.kept["retries"])

    # --- what is asked ----------------------------------------------------------------------------------------

    def traits(self, store: str, bounds: Bounds) -> Traits:
        able = self._capabilities(store, bounds)
        return Traits(able.max_in, able.max_page, able.text_search is not sdk.TextSearch.NONE, able.read_after)

    def health(self, store: str, bounds: Bounds) -> StoreHealth:
        found = self._ask(store, bounds, lambda one, call: one.health(call))
        rights = frozenset(right.value for right in found.rights)
        return StoreHealth(found.state.value, found.product, found.version, found.latency, rights, found.code)

    def catalogue(self, store: str, bounds: Bounds) -> tuple[Collection, ...]:
        def work(one: sdk.ReadStore, call: sdk.Call) -> tuple[Collection, ...]:
            return tuple(to_collection(each) for each in one.catalogue(call) if isinstance(each, sdk.Collection))

        return self._ask(store, bounds, work)

    def sample(self, store: str, collection: str, fields: Sequence[str], n: int, bounds: Bounds) -> tuple[Row, ...]:
        able = self._capabilities(store, bounds).sampling
        how = sdk.Sampling.SPREAD if sdk.Sampling.SPREAD in able else sdk.Sampling.FIRST
        return self._ask(
            store, bounds, lambda one, call: tuple(to_row(row) for row in one.sample(call, collection, fields, n, how))
        )

    def count(self, store: str, collection: str, where: Predicate, bounds: Bounds) -> int | None:
        exact = from_predicate(where)
        if widened(exact, self._capabilities(store, bounds).predicates) != exact:
            return None
        found = self._ask(store, bounds, lambda one, call: one.count(call, collection, exact))
        return found.n if found.certainty is sdk.Certainty.EXACT else None

    def fetch(self, store: str, refs: Sequence[RowRef], fields: Sequence[str], bounds: Bounds) -> tuple[Row, ...]:
        wanted = [from_ref(ref) for ref in refs]
        return self._ask(store, bounds, lambda one, call: tuple(to_row(row) for row in one.fetch(call, wanted, fields)))

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
        exact = from_predicate(where)
        sent = widened(exact, self._capabilities(store, bounds).predicates)
        read = tuple(dict.fromkeys((*fields, *(column_of(path) for path in fields_of(where)))))
        page = Paging(collection, exact, sent, read, frozenset(fields), size)
        page.after = sdk.Cursor(self._unseal(after)) if after is not None else None

        def work(one: sdk.ReadStore, call: sdk.Call) -> FoundPage:
            page.read(one, call)
            return page.found(self._seal)

        try:
            return self._ask(store, bounds, work)
        except (StoreBudgetSpent, StoreUnreachable, StoreRefused):
            if page.moved:  # what was read up to the last mark is kept; the next page starts there
                return page.found(self._seal)
            raise

    def read_blob(self, ref: RowRef, blob: Blob, bounds: Bounds) -> Iterator[bytes]:
        handle = sdk.BlobRef(from_ref(ref), blob.field, blob.name, blob.media_type, blob.bytes)
        opened: list[Any] = []

        def start(one: sdk.ReadStore, call: sdk.Call) -> Any:
            manager = one.open_blob(call, handle)
            opened.append(manager)
            return manager.__enter__()

        stream = self._ask(ref.store, bounds, start)
        try:
            while piece := self._ask(ref.store, bounds, lambda one, call: stream.read(262_144), 1):
                yield piece
        finally:
            self._ask(ref.store, bounds, lambda one, call: opened[0].__exit__(None, None, None), 1)

    def plan(self, store: str, ops: Sequence[Op], bounds: Bounds) -> StorePlan:
        wanted, by_id = [from_op(op) for op in ops], {op.id: op for op in ops}
        return to_plan(self._write(store, bounds, lambda one, call: one.plan(call, wanted)), by_id)

    def apply(self, store: str, plan: StorePlan, only: Sequence[str], key: str, bounds: Bounds) -> tuple[OpResult, ...]:
        asked, ids = from_plan(plan), [sdk.OpId(one) for one in only]
        results = self._write(store, bounds, lambda one, call: tuple(one.apply(call, asked, ids, key)))
        return tuple(to_result(result) for result in results)

    def poll(self, store: str, ticket: Ticket, bounds: Bounds) -> OpResult:
        def work(one: sdk.WriteStore, call: sdk.Call) -> sdk.OpResult:
            if not isinstance(one, sdk.JobStore):
                raise sdk.Terminal("unsupported")
            return one.poll(call, from_ticket(ticket))

        return to_result(self._write(store, bounds, work))

    def hear(
        self, store: str, headers: Mapping[str, str], body: bytes, tickets: Sequence[Ticket], bounds: Bounds
    ) -> Heard:
        def work(one: sdk.ReadStore, call: sdk.Call) -> Heard:
            if not isinstance(one, sdk.HookStore):
                raise sdk.Terminal("unsupported")
            return to_heard(one.hear(call, headers, body, [from_ticket(ticket) for ticket in tickets]))

        return self._ask(store, bounds, work)

    def verify(self, store: str, checks: Sequence[Check], bounds: Bounds) -> tuple[Verdict, ...]:
        asked = [from_check(check) for check in checks]
        found = self._write(store, bounds, lambda one, call: tuple(one.verify(call, asked)))
        return tuple(to_verdict(check, verdict) for check, verdict in zip(checks, found, strict=True))

    def version(self, store: str) -> str:
        connector = self._connectors.get(self._of(store).config.connector)
        if connector is None or isinstance(connector, str):
            return ""
        spec = connector.spec()
        return f"{spec.name} {spec.version}"

    def close(self) -> None:
        for one in (*self._stores.values(), *self._writers.values()):
            if one.worker is not None:
                one.worker.stop(one.store.close if one.store is not None else None)
            one.worker = one.store = None

    # --- inside -----------------------------------------------------------------------------------------------

    def _of(self, store: str) -> _Open:
        try:
            return self._stores[store]
        except KeyError:
            raise StoreMisconfigured(store, "name", "unknown_store") from None

    def _write(self, store: str, bounds: Bounds, work: "Callable[[sdk.WriteStore, sdk.Call], T]") -> T:
        """Runs `work` with the writing role, which is opened for this alone."""
        if store not in self._writers:
            self._writers[store] = _Open(self._of(store).config, writes=True)

        def checked(one: sdk.ReadStore, call: sdk.Call) -> T:
            if not isinstance(one, sdk.WriteStore):
                raise sdk.Terminal("unsupported")
            return work(one, call)

        return self._ask(store, bounds, checked, one=self._writers[store])

    def _capabilities(self, store: str, bounds: Bounds) -> sdk.Capabilities:
        one = self._of(store)
        if one.able is None:
            one.able = self._ask(store, bounds, lambda opened, call: opened.capabilities(call))
            rate = min(one.able.rate.per_second, one.config.budget.get("per_second", one.able.rate.per_second))
            one.bucket = TokenBucket(rate, one.able.rate.burst)
        return one.able

    def _ask(
        self,
        store: str,
        bounds: Bounds,
        work: "Callable[[sdk.ReadStore, sdk.Call], T]",
        tries: int = TRIES,
        one: _Open | None = None,
    ) -> T:
        """Runs `work` in the store's thread: repeated while that may help, refused while the circuit is open."""
        one = one or self._of(store)
        deadline = monotonic() + bounds.seconds
        code = "circuit_open"
        for attempt in range(tries):
            if one.circuit.is_open():
                raise StoreUnreachable(store, code if attempt else "circuit_open")
            try:
                result = self._once(one, bounds, deadline, work)
            except sdk.Retriable as later:
                one.circuit.failed()
                code = later.code
                pause = pause_before(attempt + 1, later.after)
                if attempt + 1 == tries or monotonic() + pause >= deadline:
                    break
                one.kept["retries"] += 1
                _wait(pause, self._cancelled)
                continue
            except Exception as error:
                raise problem_of(one.config, one.circuit, error, self._connectors.get(one.config.connector)) from None
            one.circuit.succeeded()
            return result
        raise StoreUnreachable(store, code)

    def _once(self, one: _Open, bounds: Bounds, deadline: float, work: "Callable[[sdk.ReadStore, sdk.Call], T]") -> T:
        if one.bucket is not None:
            _wait(one.bucket.wait_time(), self._cancelled)
        if one.worker is None or one.worker.is_abandoned:
            one.worker, one.store = StoreWorker(one.config.name), None
        call = self._call(one, bounds, deadline)
        one.kept["calls"] += 1

        def inside() -> T:
            if one.store is None:
                one.store = self._open(one)
            return work(one.store, call)

        try:
            return one.worker.run(inside, call.remaining())
        except Overrun:
            before = getattr(one.store, "statements", 0)
            one.kept["before"] += before if isinstance(before, int) else 0
            one.store = None
            raise

    def _open(self, one: _Open) -> sdk.ReadStore:
        connector = self._connectors.get(one.config.connector, "unknown_connector")
        if isinstance(connector, str):
            raise sdk.Misconfigured("connector", connector)
        spec = connector.spec()
        references = {key: value for key, value in one.config.config.items() if key in spec.secret_fields}
        for key, value in references.items():
            if not isinstance(value, str):
                raise sdk.Misconfigured(key, "secret_not_a_reference")
        plain = {key: value for key, value in one.config.config.items() if key not in spec.secret_fields}
        role = {"write": True} if one.writes else {}
        return connector.open({**plain, **role, "name": one.config.name}, References(references, self._vault))

    def _call(self, one: _Open, bounds: Bounds, deadline: float) -> sdk.Call:
        used = {"rows": 0, "bytes": 0}

        def spend(rows: int = 0, bytes: int = 0, requests: int = 0) -> None:  # noqa: A002 - the contract's word
            used["rows"] += rows
            used["bytes"] += bytes
            one.kept["rows"] += rows
            one.kept["bytes"] += bytes
            if bounds.rows is not None and used["rows"] > bounds.rows:
                raise sdk.BudgetSpent("rows_spent")
            if bounds.bytes is not None and used["bytes"] > bounds.bytes:
                raise sdk.BudgetSpent("bytes_spent")

        def log(code: str, counts: Mapping[str, int]) -> None:
            _log.debug("store %s: %s %s", one.config.name, code, dict(counts))

        return sdk.Call(bounds.request, deadline, self._cancelled, spend, 0, log)


def _wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    """Sleeps in small pieces, so that cancelling does not have to wait."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0 and not cancelled():
        time.sleep(min(left, 0.1))


__all__ = ["FIRST_PARTY", "Connectors", "from_value", "load_connectors"]
