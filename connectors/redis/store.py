"""A Redis database as a store: read key by key in their order, one key changed at a time."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from connectors.redis.keys import Keys
from connectors.redis.patterns import key_of_text, text_of_key
from connectors.redis.records import KEY, TYPE, Records, Thing, read_things
from connectors.redis.session import Session
from connectors.redis.settings import Settings
from privacyops.connector_sdk import (
    Call,
    Collection,
    CollectionKind,
    ConditionalWrite,
    Count,
    Cursor,
    Field,
    FieldType,
    Health,
    HealthState,
    Mark,
    Page,
    Predicate,
    Rate,
    Right,
    RowRef,
    Secrets,
    Terminal,
)
from privacyops.connector_sdk.delivering import Seen, catalogued
from privacyops.connector_sdk.rowwise.records import a_field
from privacyops.connector_sdk.rowwise.store import RowwiseStore

BATCH: Final = 500
WHOLE: Final = "="
GAP: Final = "!"
"""How a cursor begins: whether every key up to it was read. A scan that goes on elsewhere knows it by that."""


class RedisStore(RowwiseStore):
    """One database. Every predicate is matched here."""

    key = KEY
    conditional_write = ConditionalWrite.BEFORE_IMAGE
    bulk = 1000
    rate = Rate(per_second=200, burst=200, concurrency=2)

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._session = Session(settings, secrets)
        self._keys = Keys(self._session, settings)
        super().__init__(Records(self._session, settings), secrets, write=settings.write)

    def ping(self, call: Call) -> None:
        with self._session.asking(call) as client:
            client.dbsize()

    def health(self, call: Call) -> Health:
        """DEGRADED with `replica`: the writing role was pointed at a server that takes no writes."""
        began = time.monotonic()
        with self._session.asking(call) as client:
            about: dict[str, Any] = dict(client.info())
            client.dbsize()
        is_lame = self.settings.write and about.get("role") == "slave"
        return Health(
            HealthState.DEGRADED if is_lame else HealthState.OK,
            str(about.get("server_name", "redis")),
            str(about.get("valkey_version") or about.get("redis_version", "")),
            timedelta(seconds=time.monotonic() - began),
            frozenset({Right.READ}) if is_lame else self.rights(),
            code="replica" if is_lame else "",
        )

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """One collection a pattern of keys, with the fields that a sample of its keys has."""
        counted = self._keys.counted(call)

        def described(name: str) -> Collection:
            number, keys = counted[name]
            with self._session.asking(call) as client:
                fields = _fields(list(read_things(client, sorted(keys))))
            return Collection(name, CollectionKind.KEYSPACE, fields, (KEY,), rows=Count(number))

        yield from catalogued(list(counted), after, described)

    def close(self) -> None:
        self._session.close()

    def scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page) -> Iterator[Seen]:
        """In the order of the keys, whole.

        Raises: Terminal: `keys_not_read` at the end: some key is too large or of an unknown type, so the pattern must
        not pass for searched.
        """
        after = str(page.after or "")
        last, has_gap = key_of_text(after[1:]), after[:1] == GAP
        if last is None:
            raise Terminal("cursor")
        size = min(BATCH, max(page.size, 20))
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
