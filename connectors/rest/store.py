"""The reading half: finds persons by the ways the manifest knows, and filters every answer by its exact meaning."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO, Final

from connectors.rest.asking import Asking, Question
from connectors.rest.calls import Binding, fill
from connectors.rest.describing import capabilities_of, collection_of
from connectors.rest.paging import Place, pages, read_place
from connectors.rest.paths import one
from connectors.rest.rates import Clocks
from connectors.rest.records import BEYOND, FILES, Record, Shape, file_address, key_digest, record, shapes_of
from connectors.rest.settings import Settings
from connectors.rest.wire import Transport, Wire
from privacyops.connector_sdk import (
    UNKNOWN_COUNT,
    BlobRef,
    Call,
    Capabilities,
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
    Right,
    Row,
    RowRef,
    Sampling,
    Secrets,
    Terminal,
    Value,
    canonical,
    matched,
    matches,
)
from privacyops.connector_sdk.predicate import leaves, split_path

MARK_EVERY: Final = 1000


class RestReader:
    """One service, read."""

    def __init__(self, settings: Settings, secrets: Secrets, transport: Transport, clocks: Clocks) -> None:
        self.settings, self.clocks = settings, clocks
        self._secrets, self._transport = secrets, transport
        self.shapes = shapes_of(settings.manifest)
        self.asking = Asking(settings, self.shapes)
        self.wire = self.new_wire()

    def new_wire(self) -> Wire:
        """A connection of its own."""
        return Wire(self.settings, self._secrets, self._transport, self.clocks)

    def capabilities(self, call: Call) -> Capabilities:
        call.check()
        return capabilities_of(self.settings)

    def health(self, call: Call) -> Health:
        """Raises: Misconfigured: the credential is refused, or is not what the manifest expects of it."""
        began, test = self.clocks.steady(), self.settings.manifest.test
        bind = Binding(config=self.settings.config, region=self.settings.region)
        answer = self.wire.send(call, fill(test.read, test.body, bind))
        if not answer.ok:
            raise Misconfigured("address", f"status_{answer.status}")
        for path, wanted in test.expect.items():
            if one(path, answer.body) != wanted:
                raise Misconfigured("scopes", "expected_otherwise")
        rights, state, code = {Right.READ}, HealthState.OK, ""
        if self.settings.write and capabilities_of(self.settings).writes:
            if self._may_write(call, bind):
                rights.add(Right.WRITE)
            else:
                state, code = HealthState.DEGRADED, "no_right_to_write"
        latency = timedelta(seconds=self.clocks.steady() - began)
        manifest = self.settings.manifest
        return Health(state, manifest.title or manifest.id, f"manifest {manifest.version}", latency, frozenset(rights),
                      code=code)  # fmt: skip

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        names = sorted(self.shapes)
        for at, name in enumerate(names, start=1):
            if after is not None and name <= str(after):
                continue
            call.check()
            yield collection_of(self.settings, self.shapes[name], self.shapes, self.asking)
            yield Mark(Cursor(name), at, Count(len(names)))

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        shape = self.shape(collection)
        question = self.asking.everything(collection)
        if how is not Sampling.FIRST or question is None:
            raise Terminal("unsupported")
        wanted, left = self._known(shape, fields), n
        for page in pages(call, self.wire, question, "") if n > 0 else ():
            for raw in page.rows[:left]:
                call.spend(rows=1)
                found = record(self.settings.name, shape, raw)
                left -= 1
                yield Row(found.ref, {path: found.values.get(path) for path in wanted})
            if left <= 0:
                return

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        """Unknown: a service counts nothing that could be trusted."""
        call.check()
        self._check(self.shape(collection), where)
        return UNKNOWN_COUNT

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """Raises: Terminal: no call of the manifest answers this question (code `not_askable`)."""
        shape = self.shape(collection)
        self._check(shape, where)
        wanted, questions = self._known(shape, fields), self._questions(collection, where)
        place, scanned = read_place(page.after), 0
        hits, seen = 0, dict.fromkeys(place.seen, True)
        several = len(questions) > 1
        for at in range(place.question, len(questions)):
            here = place if at == place.question else Place(at)
            for listed in pages(call, self.wire, self._ready(call, questions[at]), here.page):
                rows = [record(self.settings.name, shape, raw, questions[at].known) for raw in listed.rows]
                for row in _after(rows, here.row if listed.here == here.page else ""):
                    call.check()
                    call.spend(rows=1)
                    scanned, digest = scanned + 1, key_digest(row.ref)
                    if digest not in seen and matches(where, row.values):
                        hits += 1
                        yield Hit(row.ref, {path: row.values.get(path) for path in wanted}, matched(where, row.values))
                        if several:
                            seen[digest] = True
                    if hits >= page.size or scanned % MARK_EVERY == 0:
                        yield Mark(Place(at, listed.here, digest, tuple(seen)).cursor(), scanned)
                    if hits >= page.size:
                        return
                follows = Place(at + 1) if listed.next is None else Place(at, listed.next)
                yield Mark(replace(follows, seen=tuple(seen)).cursor(), scanned)
        yield Mark(Place(len(questions)).cursor(), scanned)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        for ref in refs:
            wanted = self._known(self.shape(ref.collection), fields)
            found = self.read(call, self.wire, ref)
            if found is not None:
                call.spend(rows=1)
                yield Row(found.ref, {path: found.values.get(path) for path in wanted})

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        row = self.read(call, self.wire, blob.ref)
        if row is None:
            raise Terminal("row_gone")
        address = file_address(self.shape(blob.ref.collection), row, blob)
        yield io.BytesIO(self.wire.download(call, address))

    def close(self) -> None:
        self.wire.close()

    # --- for the writing half -------------------------------------------------------------------------------

    def shape(self, collection: str) -> Shape:
        """Raises: Terminal: the manifest has no such resource."""
        if collection not in self.shapes:
            raise Terminal("unknown_collection")
        return self.shapes[collection]

    def read(self, call: Call, wire: Wire, ref: RowRef) -> Record | None:
        """The row as it is now; None: it is gone."""
        shape, wanted = self.shape(ref.collection), canonical(ref.key)
        for question in self.asking.by_key(ref.collection, ref.key):
            for listed in pages(call, wire, self._ready(call, question), ""):
                for raw in listed.rows:
                    found = record(self.settings.name, shape, {**raw}, question.known)
                    if canonical(found.ref.key) == wanted:
                        return found
        return None

    def under(self, call: Call, wire: Wire, resource: str, parent: Mapping[str, Value]) -> Iterator[Record]:
        """The rows of `resource` under one row of its parent."""
        for question in self.asking.under(resource, parent):
            for listed in pages(call, wire, self._ready(call, question), ""):
                for raw in listed.rows:
                    yield record(self.settings.name, self.shape(resource), raw, question.known)

    # --- inside ---------------------------------------------------------------------------------------------

    def _may_write(self, call: Call, bind: Binding) -> bool:
        write = self.settings.manifest.test.write
        if write == "none":
            return True
        try:
            return self.wire.send(call, fill(write, None, bind)).ok
        except Misconfigured as refused:
            if refused.setting != "scopes":
                raise
            return False

    def _questions(self, collection: str, where: Predicate) -> list[Question]:
        questions = self.asking.questions(collection, where)
        if questions is not None:
            return questions
        everything = self.asking.everything(collection)
        if everything is None or not self.settings.scan:
            raise Terminal("not_askable")
        return [everything]

    def _ready(self, call: Call, question: Question) -> Question:
        """With the parent's whole row, where the call speaks of more than its key."""
        if not question.needs_parent or question.parent is None:
            return question
        parent = self.read(call, self.wire, RowRef(self.settings.name, question.needs_parent, question.parent))
        row = parent.values if parent is not None else question.parent
        bind = question.binding
        return replace(question, binding=replace(bind, rows=(row,)), needs_parent="")

    def _known(self, shape: Shape, fields: Sequence[str]) -> Sequence[str]:
        paths = [*shape.cells, *((*FILES, BEYOND) if shape.files else ())]
        if any(path not in paths for path in fields):
            raise Terminal("unknown_field")
        return list(fields) or paths

    def _check(self, shape: Shape, where: Predicate) -> None:
        paths = {*shape.cells, *FILES, BEYOND}
        if any(leaf.field not in paths and split_path(leaf.field)[0] not in paths for leaf in leaves(where)):
            raise Terminal("unknown_field")


def _after(rows: Sequence[Record], digest: str) -> Sequence[Record]:
    """The rows behind the one with this digest; all of them, where it is no longer there."""
    if digest:
        for at, row in enumerate(rows):
            if key_digest(row.ref) == digest:
                return rows[at + 1 :]
    return rows
