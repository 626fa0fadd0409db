"""A search cluster as a store: documents in the order of their ids, one changed at a time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from json import dumps, loads
from typing import Any, Final

from connectors.search.documents import Documents
from connectors.search.pushdown import query_of
from connectors.search.session import Absent, Session
from connectors.search.settings import Settings
from connectors.search.shapes import ID, ROUTING, Shape, row_of, shape_of
from privacyops.connector_sdk import (
    Call,
    Collection,
    ConditionalWrite,
    Cursor,
    Health,
    HealthState,
    Mark,
    Misconfigured,
    Page,
    Predicate,
    Rate,
    RowRef,
    Secrets,
    Terminal,
)
from privacyops.connector_sdk.delivering import Seen, catalogued, columns_of
from privacyops.connector_sdk.rowwise.store import RowwiseStore

BATCH: Final = 1000
STREAM_PREFIX: Final = ".ds-"
"""How the indexes behind a data stream begin; all other names with a dot at the front are the cluster's own."""


class SearchStore(RowwiseStore):
    """One cluster. Exactly indexed equality is asked of it, all else matched here."""

    key = ID
    conditional_write = ConditionalWrite.ETAG
    bulk = 500
    read_after = timedelta(seconds=1)
    rate = Rate(per_second=50, burst=50, concurrency=2)

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self._session = Session(settings, secrets)
        self._shapes: dict[str, Shape] = {}
        super().__init__(Documents(self._session, self.shape), secrets, write=settings.write)

    def ping(self, call: Call) -> None:
        self._session.ask(call, "GET", ("",))

    def health(self, call: Call) -> Health:
        """DEGRADED with `red`: some index cannot be read in full."""
        began = time.monotonic()
        about = self._session.ask(call, "GET", ("",)).get("version", {})
        latency = timedelta(seconds=time.monotonic() - began)
        listed = self._session.ask(call, "GET", ("_cat", "indices"), format="json", h="index,health")
        is_red = any(each.get("health") == "red" and self._is_read(each["index"]) for each in listed)
        product = str(about.get("distribution", "elasticsearch"))
        state = HealthState.DEGRADED if is_red else HealthState.OK
        version = str(about.get("number", ""))
        return Health(state, product, version, latency, self.rights(), code="red" if is_red else "")

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """Indexes by name; aliases are other names of them, and data streams their hidden ones."""
        told = self._session.ask(call, "GET", ("*",), expand_wildcards="all")
        listed = self._session.ask(call, "GET", ("_cat", "indices"), format="json", expand_wildcards="all")
        rows = {each["index"]: each.get("docs.count") for each in listed}
        names = [name for name in sorted(told) if self._is_read(name)]

        def described(name: str) -> Collection:
            call.check()
            self._shapes[name] = shape_of(name, told[name])
            number = rows.get(name)
            has_nested = any(field.native == "nested" for field in self._shapes[name].fields)
            # the cluster counts parts of documents as documents where they are nested
            return self._shapes[name].collection(None if number is None or has_nested else int(number))

        yield from catalogued(names, after, described)

    def close(self) -> None:
        self._session.close()

    def scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page) -> Iterator[Seen]:
        """In the order of `_id` (or `order_by`)."""
        self._shapes.pop(collection, None) if not page.after else None
        shape = self.shape(call, collection)
        columns, order = columns_of(where, fields), self.settings.order_by
        size = min(BATCH, max(page.size, 50))
        asked: dict[str, Any] = {"size": size, "sort": [{order: "asc"}], "track_total_hits": False}
        asked["query"] = query_of(where, shape.exact) or {"match_all": {}}
        if columns is not None:
            asked["_source"] = sorted(columns)
        last = _place(page.after) if page.after else None
        while True:
            if last is not None:
                asked["search_after"] = last
            hits = self._page(call, collection, asked)
            for hit in hits:
                if hit["sort"] == last:  # two of one value: the page's border would lose one of them
                    raise Terminal("order_not_unique")
                last = hit["sort"]
                yield self._seen(shape, hit)
            if len(hits) < size:
                return

    # --- inside ---------------------------------------------------------------------------------------------

    def shape(self, call: Call, collection: str) -> Shape:
        """The index's fields. Raises: Terminal: no such index, or one that keeps no documents (`no_source`)."""
        known = self._shapes.get(collection)
        if known is None:
            if not self._is_read(collection) or set(collection) & set("*,/"):
                raise Terminal("unknown_collection")
            try:
                told = self._session.ask(call, "GET", (collection,))
            except Absent:
                raise Terminal("unknown_collection") from None
            if collection not in told:  # an alias: its indexes are read under their own names
                raise Terminal("unknown_collection")
            known = self._shapes[collection] = shape_of(collection, told[collection])
        if not known.has_source:
            raise Terminal("no_source")
        return known

    def _is_read(self, name: str) -> bool:
        if name.startswith(".") and not name.startswith(STREAM_PREFIX):
            return False
        wanted = any(fnmatchcase(name, each) for each in self.settings.indexes) or name.startswith(STREAM_PREFIX)
        return wanted and not any(fnmatchcase(name, each) for each in self.settings.ignore)

    def _page(self, call: Call, collection: str, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        try:
            answer = self._session.ask(
                call, "POST", (collection, "_search"), dict(asked), allow_partial_search_results="false"
            )
        except Absent:
            raise Terminal("unknown_collection") from None
        except Terminal as refusal:
            if refusal.code == "unsorted":
                raise Misconfigured("order_by", "cannot_be_sorted") from None
            raise
        found: list[Mapping[str, Any]] = answer["hits"]["hits"]
        return found

    def _seen(self, shape: Shape, hit: Mapping[str, Any]) -> Seen:
        key: dict[str, Any] = {ID: str(hit[ID])}
        if hit.get(ROUTING) is not None:
            key[ROUTING] = str(hit[ROUTING])
        place = hit["sort"]
        return Seen(lambda: dumps(place), RowRef(self.settings.name, shape.name, key), row_of(shape, hit))


def _place(text: str) -> list[Any]:
    try:
        place = loads(text)
    except ValueError:
        raise Terminal("cursor") from None
    if not isinstance(place, list):
        raise Terminal("cursor")
    return place
