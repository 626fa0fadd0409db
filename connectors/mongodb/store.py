"""A MongoDB database as a store: read in the order of `_id`, one document changed at a time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any, BinaryIO, Final

from connectors.mongodb.documents import Documents
from connectors.mongodb.pushdown import filter_of
from connectors.mongodb.session import Document, Session
from connectors.mongodb.settings import Settings
from connectors.mongodb.shapes import SAMPLE, collection_of
from connectors.mongodb.values import SMALLEST, key_of, place_of, read_place, row_of, value_of
from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    Call,
    Capabilities,
    Check,
    Collection,
    ConditionalWrite,
    Count,
    Cursor,
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
from privacyops.connector_sdk.delivering import Delivery, Seen, blob_bytes, columns_of
from privacyops.connector_sdk.rowwise import Rowwise

BATCH: Final = 1000
ACTS: Final = frozenset(WriteAct) - {WriteAct.TOMBSTONE}


class MongoStore:
    """One database. Opened with the reading role it plans and verifies too, and refuses to apply."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._session = Session(settings, secrets)
        self._documents = Documents(self._session, settings)
        self._writing = Rowwise(self._documents, secrets)

    def capabilities(self, call: Call) -> Capabilities:
        with self._session.asking(call) as database:
            database.command("ping")
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            writes=ACTS if self.settings.write else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=1000,
            rate=Rate(per_second=100, burst=100, concurrency=2),
        )

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        with self._session.asking(call) as database:
            version = str(database.command("buildInfo").get("version", ""))
            database.list_collection_names(filter={"name": "x"})
        rights = {Right.READ, Right.WRITE} if self.settings.write else {Right.READ}
        latency = timedelta(seconds=time.monotonic() - began)
        return Health(HealthState.OK, "mongodb", version, latency, frozenset(rights))

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        listed = self._documents.listed(call)
        for at, (name, each) in enumerate(listed.items(), start=1):
            if after is not None and name <= str(after):
                continue
            with self._session.asking(call) as database:
                sample = list(database[name].find({}, limit=SAMPLE))
                is_view = each.get("type") == "view"
                indexes = {} if is_view else database[name].index_information()
                rows = database[name].estimated_document_count()
            yield collection_of(each, sample, indexes, rows)
            yield Mark(Cursor(name), at, Count(len(listed)))

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        delivery = Delivery(call, fields)
        if n <= 0:
            return
        for at, seen in enumerate(self._scan(call, collection, EVERY_ROW, fields, None), start=1):
            yield delivery.row(seen.ref, seen.values)
            if at >= n:
                return

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        return Count(
            sum(1 for each in self.find(call, collection, where, ("_id",), Page(2**62)) if isinstance(each, Hit))
        )

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """In the order of `_id`. Indexed equality is asked of the server; all else is matched here."""
        seen = self._scan(call, collection, where, fields, page)
        yield from Delivery(call, fields).find(seen, where, page)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        delivery = Delivery(call, fields)
        for ref in refs:
            document = self._documents.document(call, ref)
            if document is not None:
                yield delivery.row(ref, row_of(document))

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        document = self._documents.document(call, blob.ref)
        if document is None or document.get(blob.field) is None:
            raise Terminal("gone")
        yield BytesIO(blob_bytes(value_of(document[blob.field])))

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        return self._writing.plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the documents themselves tell what was done
        if not self.settings.write:
            raise Terminal("unsupported")
        yield from self._writing.apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self._session.close()  # on a new connection
        yield from self._writing.verify(call, checks)

    def close(self) -> None:
        self._session.close()

    # --- inside ---------------------------------------------------------------------------------------------

    def _scan(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page | None
    ) -> Iterator[Seen]:
        """Documents in key order behind the page's cursor, one type of key after the other."""
        pushed = filter_of(where, self._documents.indexed(call, collection))
        columns = columns_of(where, fields)
        shown = None if columns is None else dict.fromkeys(sorted(columns | {"_id"}), 1)
        last = read_place(page.after) if page is not None and page.after else None
        size = BATCH if page is None else min(BATCH, max(page.size, 50))
        for least, kinds in self._kinds(call, collection, last):
            from_here = last if last is not None and _is_of(last, kinds) else None
            while True:
                bound = {"_id": {"$gte": least} if from_here is None else {"$gt": from_here}}
                asked = {"$and": [bound, pushed]} if pushed else bound
                with self._session.asking(call) as database:
                    found = database[collection].find(asked, shown).sort("_id", 1).limit(size)
                    batch = [document for document in found if _is_of(document["_id"], kinds)]
                for document in batch:
                    yield self._seen(collection, document)
                if len(batch) < size:
                    break
                from_here = batch[-1]["_id"]

    def _kinds(self, call: Call, collection: str, last: Any) -> list[tuple[Any, tuple[type, ...]]]:
        """The types of keys that the collection has, from that of the cursor on."""
        found = self._documents.key_types(call, collection, is_new=last is None)
        at = next((at for at, (_, kinds) in enumerate(SMALLEST) if last is not None and _is_of(last, kinds)), 0)
        return [kind for number, kind in enumerate(SMALLEST) if number >= at and number in found]

    def _seen(self, collection: str, document: Document) -> Seen:
        ref = RowRef(self.settings.name, collection, {"_id": key_of(document["_id"])})
        held: Mapping[str, Any] = document
        return Seen(lambda: place_of(held["_id"]), ref, row_of(document))


def _is_of(held: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(held, kinds) and (isinstance(held, bool) == (bool in kinds))
