"""A MongoDB database as a store: read in the order of `_id`, one document changed at a time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from connectors.mongodb.documents import Documents
from connectors.mongodb.pushdown import filter_of
from connectors.mongodb.session import Document, Session
from connectors.mongodb.settings import Settings
from connectors.mongodb.shapes import SAMPLE, collection_of
from connectors.mongodb.values import SMALLEST, key_of, place_of, read_place, row_of
from privacyops.connector_sdk import (
    Call,
    Collection,
    ConditionalWrite,
    Cursor,
    Health,
    HealthState,
    Mark,
    Page,
    Predicate,
    Rate,
    RowRef,
    Secrets,
)
from privacyops.connector_sdk.delivering import Seen, catalogued, columns_of
from privacyops.connector_sdk.rowwise.store import RowwiseStore

BATCH: Final = 1000


class MongoStore(RowwiseStore):
    """One database. Indexed equality is asked of the server; all else is matched here."""

    key = "_id"
    conditional_write = ConditionalWrite.BEFORE_IMAGE
    bulk = 1000
    rate = Rate(per_second=100, burst=100, concurrency=2)

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._session = Session(settings, secrets)
        self._documents = Documents(self._session, settings)
        super().__init__(self._documents, secrets, write=settings.write)

    def ping(self, call: Call) -> None:
        with self._session.asking(call) as database:
            database.command("ping")

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        with self._session.asking(call) as database:
            version = str(database.command("buildInfo").get("version", ""))
            database.list_collection_names(filter={"name": "x"})
        latency = timedelta(seconds=time.monotonic() - began)
        return Health(HealthState.OK, "mongodb", version, latency, self.rights())

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        listed = self._documents.listed(call)

        def described(name: str) -> Collection:
            with self._session.asking(call) as database:
                sample = list(database[name].find({}, limit=SAMPLE))
                is_view = listed[name].get("type") == "view"
                indexes = {} if is_view else database[name].index_information()
                rows = database[name].estimated_document_count()
            return collection_of(listed[name], sample, indexes, rows)

        yield from catalogued(list(listed), after, described)

    def close(self) -> None:
        self._session.close()

    def scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page) -> Iterator[Seen]:
        """Documents in the order of `_id` behind the page's cursor, one type of key after the other."""
        pushed = filter_of(where, self._documents.indexed(call, collection))
        columns = columns_of(where, fields)
        shown = None if columns is None else dict.fromkeys(sorted(columns | {"_id"}), 1)
        last = read_place(page.after) if page.after else None
        size = min(BATCH, max(page.size, 50))
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

    # --- inside ---------------------------------------------------------------------------------------------

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
