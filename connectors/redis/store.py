"""A Redis database as a store: read key by key in their order, one key changed at a time."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, Final

from connectors.redis.keys import Keys
from connectors.redis.patterns import key_of_text, text_of_key
from connectors.redis.records import KEY, TYPE, Records, Thing, read_things
from connectors.redis.session import Session
from connectors.redis.settings import Settings
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Capabilities,
    Check,
    Collection,
    CollectionKind,
    ConditionalWrite,
    Count,
    Cursor,
    Field,
    FieldType,
    Health,
    HealthState,
    Hit,
    Mark,
    Op,
    OpId,
    OpResult,
    Page,
    Plan,
    Predicate,
    PredicateOp,
    Rate,
    Right,
    Row,
    RowRef,
    Sampling,
    Secrets,
    Terminal,
    TextSearch,
    Verdict,
    WriteAct,
)
from privacyops.connector_sdk.delivering import Delivery, Seen, blob_bytes
from privacyops.connector_sdk.rowwise import Rowwise, a_field

BATCH: Final = 500
WHOLE: Final = "="
GAP: Final = "!"
"""How a cursor begins: whether every key up to it was read. A scan that goes on elsewhere knows it by that."""
ACTS: Final = frozenset(WriteAct) - {WriteAct.TOMBSTONE}


class RedisStore:
    """One database. Opened with the reading role it plans and verifies too, and refuses to apply."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._session = Session(settings, secrets)
        self._keys = Keys(self._session, settings)
        self._records = Records(self._session, settings)
        self._writing = Rowwise(self._records, secrets)

    def capabilities(self, call: Call) -> Capabilities:
        with self._session.asking(call) as client:
            client.dbsize()
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            writes=ACTS if self.settings.write else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=1000,
            rate=Rate(per_second=200, burst=200, concurrency=2),
        )

    def health(self, call: Call) -> Health:
        """DEGRADED with `replica`: the writing role was pointed at a server that takes no writes."""
        began = time.monotonic()
        with self._session.asking(call) as client:
            about: dict[str, Any] = dict(client.info())
            client.dbsize()
        is_replica = about.get("role") == "slave"
        can_write = self.settings.write and not is_replica
        return Health(
            HealthState.DEGRADED if self.settings.write and is_replica else HealthState.OK,
            str(about.get("server_name", "redis")),
            str(about.get("valkey_version") or about.get("redis_version", "")),
            timedelta(seconds=time.monotonic() - began),
            frozenset({Right.READ, Right.WRITE} if can_write else {Right.READ}),
            code="replica" if self.settings.write and is_replica else "",
        )

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """One collection a pattern of keys, with the fields that a sample of its keys has."""
        counted = self._keys.counted(call)
        for at, (name, (number, keys)) in enumerate(counted.items(), start=1):
            if after is not None and name <= str(after):
                continue
            with self._session.asking(call) as client:
                fields = _fields(list(read_things(client, sorted(keys))))
            yield Collection(name, CollectionKind.KEYSPACE, fields, (KEY,), rows=Count(number))
            yield Mark(Cursor(name), at, Count(len(counted)))

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        delivery = Delivery(call, fields)
        for seen in islice(self._scan(call, collection, None), max(n, 0)):
            yield delivery.row(seen.ref, seen.values)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        found = self.find(call, collection, where, (KEY,), Page(2**62))
        return Count(sum(isinstance(each, Hit) for each in found))

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """In the order of the keys, matched here.

        Raises: Terminal: `keys_not_read` at the end: some key is too large or of an unknown type, so the pattern must
        not pass for searched.
        """
        yield from Delivery(call, fields).find(self._scan(call, collection, page), where, page)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        delivery = Delivery(call, fields)
        for ref in refs:
            held = self._records.held(call, ref)
            if held is not None:
                yield delivery.row(ref, held.values)

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        held = self._records.held(call, blob.ref)
        value = None if held is None else held.values.get(blob.field)
        if value is None:
            raise Terminal("gone")
        yield BytesIO(blob_bytes(value))

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        return self._writing.plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the keys themselves tell what was done
        if not self.settings.write:
            raise Terminal("unsupported")
        yield from self._writing.apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self._session.close()  # on a new connection
        yield from self._writing.verify(call, checks)

    def close(self) -> None:
        self._session.close()

    # --- inside ---------------------------------------------------------------------------------------------

    def _scan(self, call: Call, collection: str, page: Page | None) -> Iterator[Seen]:
        after = str(page.after) if page is not None and page.after else ""
        last, has_gap = key_of_text(after[1:]), after[:1] == GAP
        if last is None:
            raise Terminal("cursor")
        size = BATCH if page is None else min(BATCH, max(page.size, 20))
        keys = self._keys.after(call, collection, last, is_new=not after)
        while batch := list(islice(keys, size)):
            with self._session.asking(call) as client:
                things = list(read_things(client, batch))
            for thing in things:
                has_gap = has_gap or thing.values is None
                if thing.values is not None:
                    yield self._seen(collection, thing, GAP if has_gap else WHOLE)
        if has_gap:
            raise Terminal("keys_not_read")

    def _seen(self, collection: str, thing: Thing, state: str) -> Seen:
        text = text_of_key(thing.key)
        return Seen(lambda: state + text, RowRef(self.settings.name, collection, {KEY: text}), thing.values or {})


def _fields(things: Sequence[Thing]) -> tuple[Field, ...]:
    """Columns of a pattern; a field that some key lacks may be empty."""
    seen: dict[str, Counter[FieldType]] = {}
    for thing in things:
        for name, value in (thing.values or {}).items():
            seen.setdefault(name, Counter())[a_field(name, value).type] += 1
    found = [
        Field(name, types.most_common(1)[0][0], nullable=name not in {KEY, TYPE})
        for name, types in seen.items()
        if name not in {KEY, TYPE}
    ]
    key = Field(KEY, FieldType.TEXT, "key", nullable=False, unique=True, indexed=True)
    return (key, Field(TYPE, FieldType.TEXT, "type of the key", nullable=False, generated=True), *found)
