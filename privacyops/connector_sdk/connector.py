"""The contract: what a connector is asked, and by whom it is bounded.

Synchronous throughout. The host runs each open store in one worker thread at a time; a connector that needs
an async client runs its own loop inside the call. Every iterator may be closed early and must then free its
cursor.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol, TypeAlias, runtime_checkable

from pydantic import SecretStr

from privacyops.connector_sdk.capabilities import Capabilities
from privacyops.connector_sdk.catalogue import Collection, Health
from privacyops.connector_sdk.errors import Cancelled, Retriable
from privacyops.connector_sdk.plan import Check, Heard, Op, OpId, OpResult, Plan, Ticket, Verdict
from privacyops.connector_sdk.predicate import Predicate
from privacyops.connector_sdk.records import (
    BlobRef,
    Count,
    Cursor,
    Hit,
    Mark,
    Page,
    Row,
    RowRef,
    Sampling,
)

API_VERSION: Final = (1, 0)
"""Another major or a newer minor is refused by the host."""

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonSchema: TypeAlias = Mapping[str, Json]


class Secrets(Protocol):
    """Credentials by field name, resolved at call time from env:, file: or vault: references."""

    def get(self, field: str) -> SecretStr:
        """Raises: Misconfigured: nothing is configured under `field`."""
        ...


class Spend(Protocol):
    """Reports use to the host. Raises: BudgetSpent."""

    def __call__(
        self,
        rows: int = 0,
        bytes: int = 0,  # noqa: A002 - the contract's word; nothing here needs the builtin
        requests: int = 0,
    ) -> None: ...


class Log(Protocol):
    """Takes a code and counts, never a value, a key or a message of a driver."""

    def __call__(self, code: str, counts: Mapping[str, int]) -> None: ...


@dataclass(frozen=True)
class Call:
    """The bounds of one call.

    `deadline` is a moment of `time.monotonic()`. `cancelled` turns true when the request is cancelled or the
    worker's `epoch` is no longer the current one; a connector asks by `check()` between pages and again right
    before it commits. It may be asked from a connector's other threads, so it has to be cheap and safe there.
    """

    request: str
    deadline: float
    cancelled: Callable[[], bool]
    spend: Spend
    epoch: int
    log: Log

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Raises: Cancelled: see `cancelled`. Retriable: the deadline has passed (code `deadline`)."""
        if self.cancelled():
            raise Cancelled
        if time.monotonic() >= self.deadline:
            raise Retriable(None, "deadline")


@dataclass(frozen=True)
class ConnectorSpec:
    """The connector's card. `config_schema` is a JSON schema that refuses unknown keys; `secret_fields` are
    asked of `Secrets`, never of the configuration; `extra` is the pip extra with the drivers.
    """

    name: str
    title: str
    version: str
    api: tuple[int, int]
    config_schema: JsonSchema
    secret_fields: tuple[str, ...] = ()
    extra: str = ""
    docs: str = ""


@runtime_checkable
class ReadStore(Protocol):
    """The reading half. Raises what `errors` lists and nothing else; anything else is a bug."""

    def capabilities(self, call: Call) -> Capabilities:
        """Of this server, version and role, not of the brand."""
        ...

    def health(self, call: Call) -> Health:
        """Reading apart from writing rights. A store that is down raises `Retriable`."""
        ...

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """Every collection, ordered by name, with marks to resume at."""
        ...

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        """At most `n` rows; writes nothing."""
        ...

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        """As many rows as `find` would yield, or an estimate that says so."""
        ...

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """Up to `page.size` hits after `page.after`, in key order, and a `Mark` at least every 1,000 scanned
        rows or every second, hits or not. `fields` empty: every field.

        The last item is a mark. Fewer hits than `page.size` mean that the collection was read to its end.
        """
        ...

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        """The rows that still exist, in any order. `fields` empty: every field."""
        ...

    def open_blob(self, call: Call, blob: BlobRef) -> AbstractContextManager[BinaryIO]:
        """The bytes behind a handle, as a stream."""
        ...

    def close(self) -> None:
        """Frees every socket. May be called twice."""
        ...


@runtime_checkable
class WriteStore(ReadStore, Protocol):
    """The writing half, opened for an approved plan only."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Order, cascades and blockers. Reads only, never a trial write."""
        ...

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        """Does the operations of `plan` named in `only` (all, if empty), once: repeated, each is `already`.

        `key` is plan:step:page, for stores that take an idempotency key.
        """
        ...

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """Reads back on a new connection."""
        ...


@runtime_checkable
class JobStore(WriteStore, Protocol):
    """A store that answers "accepted" and works later."""

    def poll(self, call: Call, ticket: Ticket) -> OpResult: ...

    def cancel(self, call: Call, ticket: Ticket) -> OpResult: ...


@runtime_checkable
class HookStore(JobStore, Protocol):
    """A store that tells by itself how its jobs ended, or that a person asks for something."""

    def hear(self, call: Call, headers: Mapping[str, str], body: bytes, tickets: Sequence[Ticket]) -> Heard:
        """What a call from outside says of the jobs of `tickets`, or asks for somebody. Reads only what it is given.

        Raises: Terminal: nobody proved who speaks (`not_proven`), this store is told nothing (`unsupported`), or a
        proven word is about something else (`unknown_topic`, `garbled`).
        """
        ...


@runtime_checkable
class Connector(Protocol):
    """The object behind an entry point of `privacyops.connectors`. Stateless; importing it imports no
    driver.
    """

    def spec(self) -> ConnectorSpec: ...

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> ReadStore | WriteStore | JobStore:
        """A store, without any network yet.

        `config` holds what `spec().config_schema` lists. The host adds `name`, the store's name, which every
        `RowRef` repeats, and `write: true` for the writing role. Where a field `hash_key` is among the secret
        fields, the host gives the installation's key for hashes of rows under it.

        Raises: Misconfigured: an unknown key or a value that cannot be right.
        """
        ...
