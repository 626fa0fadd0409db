"""The reading half. Copy the folder, rename it, replace memory.py by your store."""

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO, Final

from connectors._template.memory import Server, Table, connect
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Capabilities,
    Collection,
    ConditionalWrite,
    Count,
    Cursor,
    Health,
    HealthState,
    Hit,
    Mark,
    Page,
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
    TransactionScope,
    Value,
    WriteAct,
    matched,
    matches,
)
from privacyops.connector_sdk.delivering import catalogued
from privacyops.connector_sdk.predicate import leaves, split_path

INLINE: Final = 4096
"""A longer binary cell comes as a handle."""
MARK_EVERY: Final = 1000


class TemplateStore:
    """The reading half."""

    def __init__(self, name: str, server: str, secrets: Secrets, *, write: bool) -> None:
        self.name = name
        self._address = server
        self._secrets = secrets
        self._may_write = write
        self._connected: Server | None = None

    def capabilities(self, call: Call) -> Capabilities:
        self.server(call)
        acts = {WriteAct.DELETE, WriteAct.SET, WriteAct.UNLINK, WriteAct.REDACT_SPAN}
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            declared_links=True,
            transactions=TransactionScope.STORE,
            writes=frozenset(acts) if self._may_write else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=1000,
            rate=Rate(per_second=100, burst=100, concurrency=4),
        )

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        self.server(call)
        rights = {Right.READ, Right.WRITE} if self._may_write else {Right.READ}
        latency = timedelta(seconds=time.monotonic() - began)
        return Health(HealthState.OK, "memory", "1", latency, frozenset(rights))

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        tables = self.server(call).tables

        def described(name: str) -> Collection:
            call.check()
            table = tables[name]
            return Collection(
                name=name, fields=table.fields, key=("id",), links=table.links, rows=Count(len(table.rows))
            )

        yield from catalogued(sorted(tables), after, described)

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        table = self._table(call, collection)
        for number in sorted(table.rows)[:n]:
            yield self._row(call, collection, number, self._known(table, fields))

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        table = self._table(call, collection)
        self._check(table, where)
        return Count(sum(matches(where, cells) for cells in table.rows.values()))

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        table = self._table(call, collection)
        self._check(table, where)
        wanted = self._known(table, fields)
        last = int(page.after) if page.after else -(2**63)
        hits = scanned = 0
        for number in sorted(number for number in table.rows if number > last):
            cells = table.rows.get(number)
            if cells is None:
                continue  # it went while we were reading
            call.check()
            last, scanned = number, scanned + 1
            if matches(where, cells):
                row = self._row(call, collection, number, wanted)
                hits += 1
                yield Hit(row.ref, row.values, matched(where, cells))
            if hits >= page.size:
                break
            if scanned % MARK_EVERY == 0:
                yield Mark(Cursor(str(last)), scanned, Count(len(table.rows)))
        yield Mark(Cursor(str(last)), scanned, Count(len(table.rows)))

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        for ref in refs:
            table = self._table(call, ref.collection)
            number = number_of(ref)
            if number in table.rows:
                yield self._row(call, ref.collection, number, self._known(table, fields))

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        cells = self._table(call, blob.ref.collection).rows.get(number_of(blob.ref))
        if cells is None:
            raise Terminal("row_gone")
        data = cells.get(blob.field)
        yield io.BytesIO(data if isinstance(data, bytes) else str(data).encode())

    def close(self) -> None:
        self._connected = None

    # --- inside ---------------------------------------------------------------------------------------------

    def server(self, call: Call) -> Server:
        """Every call begins here: it is bounded, and it counts as a request."""
        call.check()
        call.spend(requests=1)
        if self._connected is None:
            self._connected = connect(self._address, self._secrets.get("password").get_secret_value())
        return self._connected

    def ref(self, collection: str, number: int) -> RowRef:
        return RowRef(self.name, collection, {"id": number})

    def _table(self, call: Call, collection: str) -> Table:
        table = self.server(call).tables.get(collection)
        if table is None:
            raise Terminal("unknown_collection")
        return table

    def _known(self, table: Table, fields: Sequence[str]) -> Sequence[str]:
        paths = [field.path for field in table.fields]
        if any(path not in paths for path in fields):
            raise Terminal("unknown_field")
        return fields or paths

    def _check(self, table: Table, where: Predicate) -> None:
        paths = {field.path for field in table.fields}
        if any(leaf.field not in paths and split_path(leaf.field)[0] not in paths for leaf in leaves(where)):
            raise Terminal("unknown_field")

    def _row(self, call: Call, collection: str, number: int, fields: Sequence[str]) -> Row:
        cells = self.server(call).tables[collection].rows[number]
        ref = self.ref(collection, number)
        values: dict[str, Value] = {}
        for path in fields:
            cell = cells.get(path)
            is_long = isinstance(cell, bytes) and len(cell) > INLINE
            values[path] = BlobRef(ref, path, path, "application/octet-stream", len(cell)) if is_long else cell  # type: ignore[arg-type]  # bytes, if long
        call.spend(rows=1)
        return Row(ref, values)


def number_of(ref: RowRef) -> int:
    """The row's key. Raises: Terminal: this reference is not ours."""
    number = ref.key.get("id")
    if not isinstance(number, int):
        raise Terminal("unknown_reference")
    return number
