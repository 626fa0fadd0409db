"""The reading half: object classes as collections, entries as rows."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from io import BytesIO
from typing import BinaryIO, Final

from connectors.ldap.filters import widened
from connectors.ldap.schema import DN, Directory
from connectors.ldap.session import Entry, Session
from connectors.ldap.settings import Settings
from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    Call,
    Capabilities,
    Certainty,
    Collection,
    CollectionKind,
    ConditionalWrite,
    Count,
    Cursor,
    DeclaredLink,
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
NAMES_AT_ONCE: Final = 200
MARK_SECONDS: Final = 0.5
ALL_ATTRIBUTES: Final = ("*",)
ASSERTION: Final = "1.3.6.1.1.12"
"""The control of RFC 4528: change this entry only if a filter still fits it."""


@dataclass(frozen=True, repr=False)
class _Scan:
    """The entries that matched when a scan began, by position; kept for its next pages."""

    collection: str
    where: Predicate
    places: tuple[tuple[str, str], ...]


class EntriesStore:
    """Reads the entries below one base."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.secrets = secrets
        self.session = Session(settings, secrets, write=settings.write)
        self._directory: Directory | None = None
        self._scan: _Scan | None = None

    def capabilities(self, call: Call) -> Capabilities:
        self.directory(call)
        acts = {WriteAct.DELETE, WriteAct.SET, WriteAct.UNLINK, WriteAct.REDACT_SPAN, WriteAct.REMOVE_ELEMENT}
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            transactions=TransactionScope.NONE,
            writes=frozenset(acts) if self.settings.write else frozenset(),
            conditional_write=ConditionalWrite.ETAG
            if ASSERTION in self.session.controls
            else ConditionalWrite.BEFORE_IMAGE,
            bulk=1000,
            rate=Rate(per_second=50.0, burst=50, concurrency=2),
            sampling=frozenset({Sampling.FIRST}),
        )

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        with self.session.bound(call):
            self.session.read(call, self.settings.base, ())
        rights = {Right.READ, Right.WRITE} if self.settings.write else {Right.READ}
        latency = timedelta(seconds=time.monotonic() - began)
        return Health(HealthState.OK, "LDAP", "3", latency, frozenset(rights))

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """Structural classes that have entries, each with the auxiliary classes met, and where their names lead."""
        found = self._surveyed(call)
        yield from catalogued([each.name for each in found], after, {each.name: each for each in found}.__getitem__)

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        directory = self._checked(call, collection, fields)
        if n < 1:
            return
        with self.session.bound(call):
            where = directory.exactly(collection)
            for entries in self.session.search(call, where, self._attributes(directory, fields), at_most=n):
                for entry in entries:
                    yield self._row(call, directory, collection, entry, fields)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        directory = self._checked(call, collection, _paths(where))
        with self.session.bound(call):
            n = sum(len(places) for places, _ in self._matching(call, directory, collection, where))
        return Count(n, Certainty.EXACT)

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """First the names of all entries that match, then the entries in the order of their names' hashes: a directory
        promises no order of its own, and a name in a cursor would be personal data.
        """
        directory = self._checked(call, collection, (*fields, *_paths(where)))
        asked = () if not fields else tuple(dict.fromkeys((*fields, *_paths(where))))
        start = str(page.after or "")
        with self.session.bound(call):
            scan, scanned = self._known_scan(collection, where, start), 0
            if scan is None:
                places: list[tuple[str, str]] = []
                for found, scanned in self._matching(call, directory, collection, where):
                    places.extend(found)
                    if where != EVERY_ROW:
                        yield Mark(Cursor(start), scanned)
                scan = self._scan = _Scan(collection, where, tuple(sorted(places)))
            left = [place for place in scan.places if place[0] > start]
            if where == EVERY_ROW:
                scanned = 0
            yield from self._hits(call, directory, scan, left, (fields, asked), page.size, start, scanned)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        for ref in refs:
            directory = self._checked(call, ref.collection, fields)
            with self.session.bound(call):
                entry = self.session.read(call, dn_of(ref), self._attributes(directory, fields))
            if entry is not None:
                yield self._row(call, directory, ref.collection, entry, fields)

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        """A long binary value. Raises: Terminal: `gone`."""
        name, steps = split_path(blob.field)
        directory = self._checked(call, blob.ref.collection, (name,))
        with self.session.bound(call):
            entry = self.session.read(call, dn_of(blob.ref), self._attributes(directory, (name,)))
        value = directory.values(entry.held).get(name) if entry is not None else None
        if isinstance(value, tuple) and steps and isinstance(steps[0], int) and steps[0] < len(value):
            value = value[steps[0]]
        if not isinstance(value, bytes):
            raise Terminal("gone")
        yield BytesIO(value)

    def close(self) -> None:
        self._scan = None
        self.session.close()

    def directory(self, call: Call) -> Directory:
        """The schema; read once."""
        if self._directory is None:
            self._directory = Directory(self.session.schema(call), self.settings.names)
        return self._directory

    # --- inside ---------------------------------------------------------------------------------------------

    def _checked(self, call: Call, collection: str, fields: Sequence[str]) -> Directory:
        call.check()
        directory = self.directory(call)
        if not directory.is_structural(collection):
            raise Terminal("unknown_collection")
        for path in fields:
            name = path if directory.attribute_of(path) else split_path(path)[0]
            if name != DN and directory.field(name) is None:
                raise Terminal("unknown_field")
        return directory

    def _attributes(self, directory: Directory, fields: Sequence[str]) -> tuple[str, ...]:
        if not fields:
            return ALL_ATTRIBUTES
        found = [directory.attribute_of(path) or directory.attribute_of(split_path(path)[0]) for path in fields]
        return tuple(dict.fromkeys(attribute for attribute in found if attribute is not None))

    def _known_scan(self, collection: str, where: Predicate, start: str) -> _Scan | None:
        scan = self._scan
        is_same = start and scan is not None and scan.collection == collection and scan.where == where
        return scan if is_same else None

    def _matching(
        self, call: Call, directory: Directory, collection: str, where: Predicate
    ) -> Iterator[tuple[list[tuple[str, str]], int]]:
        """Position and name of matching entries, page by page, with how many were looked at so far."""
        narrowed = widened(where, directory)
        exact = directory.exactly(collection)
        wanted = exact if narrowed is None else f"(&{exact}{narrowed})"
        attributes = self._attributes(directory, paths) if (paths := _paths(where)) else ()
        scanned = 0
        for entries in self.session.search(call, wanted, attributes):
            scanned += len(entries)
            found = [
                (place_of(each.dn), each.dn)
                for each in entries
                if matches(where, {**directory.values(each.held), DN: each.dn})
            ]
            yield found, scanned

    def _hits(
        self,
        call: Call,
        directory: Directory,
        scan: _Scan,
        left: Sequence[tuple[str, str]],
        fields: tuple[Sequence[str], Sequence[str]],
        size: int,
        start: str,
        scanned: int,
    ) -> Iterator[Hit | Mark]:
        last, hits, of = start, 0, Count(len(scan.places))
        counts_here = scan.where == EVERY_ROW
        marked = time.monotonic()
        for begin in range(0, len(left), NAMES_AT_ONCE):
            batch = left[begin : begin + min(NAMES_AT_ONCE, size - hits)]
            entries = self.session.read_all(call, [dn for _, dn in batch], self._attributes(directory, fields[1]))
            for at, (place, dn) in enumerate(batch, start=begin + 1):
                entry = entries.get(dn)
                last, scanned = place, scanned + counts_here
                held = None if entry is None else {**directory.values(entry.held), DN: entry.dn}
                if entry is not None and held is not None and matches(scan.where, held):
                    row = self._row(call, directory, scan.collection, entry, fields[0])
                    yield Hit(row.ref, row.values, matched(scan.where, held))
                    hits += 1
                if at % MARK_EVERY == 0 or time.monotonic() - marked > MARK_SECONDS:
                    yield Mark(Cursor(last), scanned, of)
                    marked = time.monotonic()
            if hits >= size:
                break
        yield Mark(Cursor(last), scanned, of)

    def _row(self, call: Call, directory: Directory, collection: str, entry: Entry, fields: Sequence[str]) -> Row:
        ref = RowRef(self.settings.name, collection, {DN: entry.dn})
        held = {**directory.values(entry.held), DN: entry.dn}
        held.pop("objectClass", None) if not fields else None
        values = {path: _handled(ref, path, held[path]) for path in fields or held if path in held}
        call.spend(rows=1, bytes=sum(len(each) for each in values.values() if isinstance(each, str | bytes)))
        return Row(ref, values)

    def _surveyed(self, call: Call) -> list[Collection]:
        directory = self.directory(call)
        survey = Survey(directory)
        with self.session.bound(call):
            for entries in self.session.search(call, "(objectClass=*)", ("objectClass", *directory.link_attributes())):
                for entry in entries:
                    survey.add(entry)
        return survey.collections()


class Survey:
    """Which classes have entries, and which attributes of them name entries of which class."""

    MOST: Final = 200_000
    """Entries whose names are remembered, to tell where a link leads."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._counts: dict[str, int] = {}
        self._helpers: dict[str, set[str]] = {}
        self._classes: dict[str, str] = {}
        self._targets: dict[tuple[str, str], set[str]] = {}

    def add(self, entry: Entry) -> None:
        """One entry, with its object classes and the attributes that name others."""
        classes = [each.decode("utf-8", "replace") for each in _held(entry, "objectclass")]
        name = self._directory.most_specific(classes)
        if name is None:
            return
        self._counts[name] = self._counts.get(name, 0) + 1
        self._helpers.setdefault(name, set()).update(
            each for each in classes if not self._directory.is_structural(each)
        )
        if len(self._classes) < self.MOST:
            self._classes[entry.dn.lower()] = name
        for attribute, values in entry.held.items():
            if attribute.lower() != "objectclass":
                found = self._targets.setdefault((name, self._directory.field_of(attribute)), set())
                found.update(each.decode("utf-8", "replace").lower() for each in values[: 1000 - len(found)])

    def collections(self) -> list[Collection]:
        """By name."""
        return [self._collection(name) for name in sorted(self._counts)]

    def _collection(self, name: str) -> Collection:
        fields = self._directory.fields((name, *sorted(self._helpers[name])))
        links = []
        for (source, field), targets in sorted(self._targets.items()):
            reached = {self._classes[each] for each in targets if each in self._classes}
            if source == name:
                links += [DeclaredLink(f"{field}_{to}", (field,), to, (DN,)) for to in sorted(reached)]
        shown = tuple(field for field in fields if field.path != "objectClass")
        return Collection(
            name,
            CollectionKind.RESOURCE,
            tuple(replace(field, indexed=True) if field.path == DN else field for field in shown),
            (DN,),
            links=tuple(links),
            rows=Count(self._counts[name]),
        )


def dn_of(ref: RowRef) -> str:
    """The entry's name. Raises: Terminal: this reference is not ours."""
    dn = ref.key.get(DN)
    if not isinstance(dn, str) or not dn:
        raise Terminal("unknown_reference")
    return dn


def place_of(dn: str) -> str:
    """An entry's place in the order of a scan."""
    return blake2b(dn.encode(), digest_size=16).hexdigest()


def _held(entry: Entry, attribute: str) -> list[bytes]:
    return next((values for name, values in entry.held.items() if name.lower() == attribute), [])


def _paths(where: Predicate) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leaf.field for leaf in leaves(where)))


def _handled(ref: RowRef, path: str, value: Value) -> Value:
    if isinstance(value, bytes) and len(value) > INLINE:
        return BlobRef(ref, path, path, "application/octet-stream", len(value))
    if isinstance(value, tuple):
        return tuple(_handled(ref, f"{path}$[{at}]", each) for at, each in enumerate(value))
    return value
