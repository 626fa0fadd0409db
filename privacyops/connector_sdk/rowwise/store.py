"""The frame of a store that is read and changed record by record, and answers every predicate in the connector.

Such a store says itself how it is reached (`ping`), how it fares, what it holds, in which order its records come
(`scan`), and what one record is (`Records`). Hits, samples, handles, plans and what is read back are the same for all,
and are here. Nobody has to use this frame: the contract is `connector.WriteStore`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from itertools import islice
from typing import BinaryIO, ClassVar, Final

from privacyops.connector_sdk.capabilities import Capabilities, ConditionalWrite, Rate, TextSearch, WriteAct
from privacyops.connector_sdk.catalogue import Collection, Health, Right
from privacyops.connector_sdk.connector import Call, Secrets
from privacyops.connector_sdk.delivering import Delivery, Seen, blob_bytes
from privacyops.connector_sdk.errors import Terminal
from privacyops.connector_sdk.plan import Check, Op, OpId, OpResult, Plan, Verdict
from privacyops.connector_sdk.predicate import EVERY_ROW, Predicate, PredicateOp, value_at
from privacyops.connector_sdk.records import BlobRef, Count, Cursor, Hit, Mark, Page, Row, RowRef, Sampling
from privacyops.connector_sdk.rowwise.records import Records
from privacyops.connector_sdk.rowwise.writing import Rowwise

ACTS: Final = frozenset(WriteAct) - {WriteAct.TOMBSTONE}
WHOLE: Final = Page(2**62)


class RowwiseStore(ABC):
    """One store. Opened with the reading role it plans and verifies too, and refuses to apply."""

    key: ClassVar[str]
    """A field that every record has: all that is read of it where records are only counted."""
    conditional_write: ClassVar[ConditionalWrite]
    bulk: ClassVar[int]
    rate: ClassVar[Rate]
    read_after: ClassVar[timedelta] = timedelta(0)

    def __init__(self, records: Records, secrets: Secrets, *, write: bool) -> None:
        self._records = records
        self._writing = Rowwise(records, secrets)
        self._may_write = write

    # --- what such a store says itself ------------------------------------------------------------------------

    @abstractmethod
    def ping(self, call: Call) -> None:
        """Asks the store for the least it can answer. Raises: StoreRefusal: it does not."""

    @abstractmethod
    def health(self, call: Call) -> Health:
        """See `ReadStore.health`."""

    @abstractmethod
    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """See `ReadStore.catalogue`."""

    @abstractmethod
    def scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page) -> Iterator[Seen]:
        """Records behind `page.after` in a lasting order, to the collection's end; the caller stops when it has enough.

        At least those that fit `where`, with at least the columns that `where` and `fields` need (`columns_of`).
        Raises: Terminal: no such collection, or at the end: something was passed over, so the collection must not
        pass for searched.
        """

    @abstractmethod
    def close(self) -> None:
        """Frees every socket. May be called twice; the next call connects anew."""

    # --- the same for all -------------------------------------------------------------------------------------

    def capabilities(self, call: Call) -> Capabilities:
        self.ping(call)
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            writes=ACTS if self._may_write else frozenset(),
            conditional_write=self.conditional_write,
            bulk=self.bulk,
            read_after=self.read_after,
            rate=self.rate,
        )

    def rights(self) -> frozenset[Right]:
        """What the role allows that this store was opened with."""
        return frozenset({Right.READ, Right.WRITE} if self._may_write else {Right.READ})

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        delivery = Delivery(call, fields)
        for seen in islice(self.scan(call, collection, EVERY_ROW, fields, Page(max(n, 1))), max(n, 0)):
            yield delivery.row(seen.ref, seen.values)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        found = self.find(call, collection, where, (self.key,), WHOLE)
        return Count(sum(isinstance(each, Hit) for each in found))

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """In the order of `scan`. Raises: Terminal: as `scan`, behind the last mark."""
        yield from Delivery(call, fields).find(self.scan(call, collection, where, fields, page), where, page)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        delivery = Delivery(call, fields)
        for ref in refs:
            held = self._records.held(call, ref)
            if held is not None:
                yield delivery.row(ref, held.values)

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        held = self._records.held(call, blob.ref)
        found = () if held is None else value_at(blob.field, held.values)
        if not found:
            raise Terminal("gone")
        yield BytesIO(blob_bytes(found[0] if len(found) == 1 else found))

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        return self._writing.plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the records themselves tell what was done
        if not self._may_write:
            raise Terminal("unsupported")
        yield from self._writing.apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self.close()  # on a new connection
        yield from self._writing.verify(call, checks)
