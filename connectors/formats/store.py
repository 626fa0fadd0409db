"""The reading half of a store of files, whatever they lie on."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from io import BytesIO
from time import monotonic
from typing import BinaryIO

from pydantic import SecretStr

from connectors.formats.papers import (
    DOCUMENTS,
    FILE,
    MAIL,
    UNREADABLE,
    DocumentSource,
    GapSource,
    MailSource,
    Reading,
)
from connectors.formats.scan import Scan, blob_bytes
from connectors.formats.shelf import VERSIONS, Shelf, Terms, Unreadable, paper_path
from connectors.formats.source import Source
from connectors.formats.tables import TABLE_SUFFIXES, Tables
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Capabilities,
    Certainty,
    Collection,
    Count,
    Cursor,
    Health,
    HealthState,
    Hit,
    Mark,
    Misconfigured,
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
)


class ShelfStore:
    """Reads one shelf. Every predicate is answered here, by reading everything."""

    product: str
    """What `health` says the store is."""
    rate: Rate = Rate(per_second=1000.0, burst=1000, concurrency=1)

    def __init__(self, settings: Terms, shelf: Shelf, secrets: Secrets) -> None:
        self.settings = settings
        self._secrets = secrets
        self._known_key: SecretStr | None = None
        self.shelf = shelf
        self.tables = Tables(self.shelf, settings.encoding, self.hash_key)
        self._reading = Reading(settings, self.shelf, self.tables)
        self._documents = DocumentSource(self._reading)
        self._mail = MailSource(self._reading)
        self._gaps = GapSource(self._reading, self._documents, self._mail)

    def capabilities(self, call: Call) -> Capabilities:
        call.check()
        self.shelf.serve(call)
        self.shelf.check()
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            rate=self.rate,
            sampling=frozenset({Sampling.FIRST}),
        )

    def health(self, call: Call) -> Health:
        """DEGRADED with `unreadable_files` once a search met some."""
        began = monotonic()
        call.check()
        self.shelf.serve(call)
        self.shelf.check()
        rights = {Right.READ} | ({Right.WRITE} if self.may_write() else set())
        has_gaps = any(gap is not None for _, gap in self._reading.gaps.values())
        return Health(
            HealthState.DEGRADED if has_gaps else HealthState.OK,
            product=self.product,
            latency=timedelta(seconds=monotonic() - began),
            rights=frozenset(rights),
            code="unreadable_files" if has_gaps else "",
        )

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """Tables, `documents`, `mail` and `unreadable`, by name, each followed by its mark."""
        call.check()
        self.shelf.serve(call)
        call.spend(requests=1)
        sources = sorted(self._sources(), key=lambda source: source.name)
        left = [source for source in sources if after is None or source.name > after]
        of = Count(len(sources))
        for done, source in enumerate(left, start=len(sources) - len(left) + 1):
            call.check()
            with suppress(Unreadable):  # it vanished since it was listed
                yield source.collection(call)
            yield Mark(Cursor(source.name), done, of)

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        self.shelf.serve(call)
        yield from Scan(self.settings.name, self.source(collection), fields).first(call, n)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        self.shelf.serve(call)
        return Count(Scan(self.settings.name, self.source(collection), ()).count(call, where), Certainty.EXACT)

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """Raises: Terminal: besides what reading raises, `unreadable_files` where content was asked of files that
        cannot be read; all hits in the others were yielded before.
        """
        self.shelf.serve(call)
        scan = Scan(self.settings.name, self.source(collection), fields)
        try:
            yield from scan.find(call, where, page)
        except Terminal as refusal:
            call.log(refusal.code, {"collections": 1})
            raise

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        self.shelf.serve(call)
        by_collection: dict[str, list[RowRef]] = {}
        for ref in refs:
            by_collection.setdefault(ref.collection, []).append(ref)
        for name, group in by_collection.items():
            source = self.source(name)
            yield from Scan(self.settings.name, source, fields).fetch(call, [ref.key for ref in group])

    def open_blob(self, call: Call, blob: BlobRef) -> AbstractContextManager[BinaryIO]:
        """A document's file, a message's bytes, or a long cell in UTF-8. Raises: Terminal: `gone`."""
        call.check()
        self.shelf.serve(call)
        if blob.field == FILE and blob.ref.collection in {DOCUMENTS, VERSIONS}:
            return self._file(paper_path(blob.ref))
        return self._held(call, blob)

    @contextmanager
    def _file(self, path: str) -> Iterator[BinaryIO]:
        try:
            with self.shelf.open(path) as file:
                yield file
        except Unreadable as error:
            raise Terminal(error.gap.value) from None

    @contextmanager
    def _held(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        source = self.source(blob.ref.collection)
        for _, item in source.by_keys(call, [blob.ref.key]):
            if blob.field == FILE and blob.ref.collection == MAIL:
                yield BytesIO(self._mail.bytes_of(call, blob.ref.key))
                return
            value = item.values(True).get(blob.field)
            if value is not None and not isinstance(value, BlobRef):
                yield BytesIO(blob_bytes(value))
                return
        raise Terminal("gone")

    def close(self) -> None:
        """Nothing is held open between two calls; what was parsed is forgotten."""
        self.tables.remembered.forget()

    def hash_key(self) -> bytes:
        """The installation's key for hashes of rows; without one they are plain hashes, as on the command line."""
        if self._known_key is None:
            try:
                self._known_key = self._secrets.get("hash_key")
            except Misconfigured:
                self._known_key = SecretStr("")
        return self._known_key.get_secret_value().encode()

    def may_write(self) -> bool:
        """Whether this role and this system let files be exchanged."""
        return self.settings.write and self.shelf.may_write()

    # --- inside ---------------------------------------------------------------------------------------------

    def extra_sources(self) -> Iterator[Source]:
        """Further collections of this kind of shelf."""
        yield from ()

    def _sources(self) -> Iterator[Source]:
        yield from (self._documents, self._mail, self._gaps)
        yield from self.extra_sources()
        for entry in self.shelf.entries():
            if entry.suffix in TABLE_SUFFIXES and entry.gap is None:
                try:
                    yield from self.tables.of(entry)
                except Unreadable as error:
                    self._reading.note(entry, error.gap)

    def source(self, name: str) -> Source:
        """Raises: Terminal: no collection of that name. Misconfigured, Retriable: no shelf."""
        fixed: dict[str, Source] = {DOCUMENTS: self._documents, MAIL: self._mail, UNREADABLE: self._gaps}
        fixed |= {source.name: source for source in self.extra_sources()}
        if name in fixed:
            return fixed[name]
        try:
            found = self.tables.find(name)
        except Unreadable as error:
            raise Terminal(error.gap.value) from None
        if found is None:
            self.shelf.check()
            raise Terminal("unknown_collection")
        return found
