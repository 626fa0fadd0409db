"""The answer package from beginning to end: collections, files, consents, letter, index, manifest, signature.

Every collection is read three times (JSON, CSV, page), one record at a time, so memory does not grow with it.
"""

import base64
import hashlib
import io
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import BinaryIO, Final

from privacyops.adapters.package.archive import Archive, Steps, T
from privacyops.adapters.package.pages import (
    MOST_ROWS,
    ListedAttachment,
    ListedCollection,
    ListedFile,
    ListedStore,
    PackagePages,
)
from privacyops.adapters.package.pdf import PdfLimits, PdfNotDrawn, draw_pdf
from privacyops.adapters.package.tables import Pass, write_csv, write_json, write_linked_data, write_schema
from privacyops.adapters.package.watch import PageWatch
from privacyops.domain.letter import Letter
from privacyops.domain.package.contents import (
    Collection,
    ColumnUnknown,
    PackageContents,
    PackageKind,
    PackageUnfinished,
    RecordsChanged,
    Store,
    columns_for,
    shown_records,
)
from privacyops.domain.package.manifest import MANIFEST, SIGNATURE, SIGNED_PREFIX, BuiltPackage, Notice, manifest
from privacyops.domain.package.names import attachment_path, folder_name, safe_names
from privacyops.ports.signer import Signer

_PIECE: Final = 256 * 1024
_NOTICES: Final = {
    True: Notice(
        "pdf_missing",
        "The letter is in the package as a page and as text, not as PDF: the PDF software is missing on this "
        "machine. Install the extra privacyops[pdf] and Pango (on Debian: libpango-1.0-0 and libpangoft2-1.0-0).",
    ),
    False: Notice(
        "pdf_refused",
        "The letter is in the package as a page and as text, not as PDF: it could not be drawn within the limits of "
        "time, memory and pages, or it asked for something from outside.",
    ),
}


class ZipPackageBuilder:
    """The package builder of the product (port `PackageBuilder`). `tool` is name and version for the manifest."""

    def __init__(self, signer: Signer, tool: str, pdf_limits: PdfLimits | None = None) -> None:
        self._signer = signer
        self._tool = tool
        self._pdf_limits = pdf_limits

    def build(self, contents: PackageContents, letter: Letter, out: BinaryIO) -> BuiltPackage:
        steps = self._steps(contents, letter, out)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return _returned(done, BuiltPackage)

    def stream(self, contents: PackageContents, letter: Letter) -> "StreamedPackage":
        return StreamedPackage(partial(self._steps, contents, letter))

    def _steps(self, contents: PackageContents, letter: Letter, out: BinaryIO) -> Steps[BuiltPackage]:
        _require_sound(contents)
        pages = PackagePages(contents)
        folder = folder_name(contents.reference, contents.part)
        with ThreadPoolExecutor(1, "letter") as aside, Archive(out, folder) as archive:
            # The letter is drawn by a process of its own, and takes longer than all the tables: both at a time
            drawn = aside.submit(_drawn, letter, self._pdf_limits)
            stores = yield from _write_stores(archive, contents, pages)
            attachments = yield from _write_attachments(archive, contents)
            if contents.consents:
                yield from _write_consents(archive, contents, pages)
            letter_file, notices = _write_letter(archive, letter, drawn)
            with archive.entry("about-this-package.txt", "text/plain; charset=utf-8") as entry:
                entry.write_text(_about(contents, letter, pages))
            yield from _write_page(archive, "START-HERE.html", pages.start(stores, attachments, letter_file))
            counts = [(store.label, one.label, one.records) for store in stores for one in store.collections]
            held = sorted({element for store in stores for one in store.collections for element in one.held})
            body = manifest(contents, counts, held, sorted(archive.files, key=lambda one: one.path), self._tool)
            with archive.entry(MANIFEST, "application/json") as entry:
                entry.write(body)
            with archive.entry(SIGNATURE, "application/json") as entry:
                entry.write(_signed(self._signer, body))
        return BuiltPackage(
            folder=archive.folder,
            size=archive.stream.size,
            sha256=archive.stream.sha256,
            manifest_sha256=hashlib.sha256(body).hexdigest(),
            key_id=self._signer.key_id,
            files=tuple(archive.files),
            notices=notices,
        )


class StreamedPackage:
    """The archive as an iterable of bytes, built while it is read, once; `built` is there when it has ended."""

    def __init__(self, start: Callable[[BinaryIO], Steps[BuiltPackage]]) -> None:
        self._sink = io.BytesIO()
        self._steps = start(self._sink)
        self._built: BuiltPackage | None = None

    def __iter__(self) -> Iterator[bytes]:
        while self._built is None:
            try:
                next(self._steps)
            except StopIteration as done:
                self._built = _returned(done, BuiltPackage)
            if self._sink.tell() >= _PIECE or self._built:
                yield self._sink.getvalue()
                self._sink.seek(0)
                self._sink.truncate()

    @property
    def built(self) -> BuiltPackage:
        """What was written. Raises: PackageUnfinished: the iteration has not come to its end."""
        if self._built is None:
            raise PackageUnfinished
        return self._built


def _returned(done: StopIteration, of: type[T]) -> T:
    value = done.value
    if not isinstance(value, of):
        raise TypeError("the steps ended without a result")
    return value


def _require_sound(contents: PackageContents) -> None:
    """Refuse what would go wrong half-way: twin columns, and records that can be read only once."""
    for store in contents.stores:
        for collection in store.collections:
            names = [column.name for column in collection.columns]
            if len(set(names)) != len(names):
                raise ColumnUnknown("a collection declares a column twice")
            if isinstance(collection.records, Iterator):
                raise RecordsChanged("records are read three times; an iterator gives them once")


def _write_stores(archive: Archive, contents: PackageContents, pages: PackagePages) -> Steps[list[ListedStore]]:
    stores = []
    for store, store_name in zip(contents.stores, safe_names(one.key for one in contents.stores), strict=True):
        wanted = [one for one in store.collections if columns_for(contents.kind, one)]
        names = safe_names(one.key for one in wanted)
        listed = []
        for one, name in zip(wanted, names, strict=True):
            path = f"{store_name}/{name}"
            listed.append((yield from _write_collection(archive, contents, pages, store, one, path)))
        stores.append(ListedStore(store.label, store.about, tuple(listed)))
    return stores


def _write_collection(
    archive: Archive, contents: PackageContents, pages: PackagePages, store: Store, collection: Collection, name: str
) -> Steps[ListedCollection]:
    columns = columns_for(contents.kind, collection)
    read = partial(shown_records, contents, collection)
    paths = {
        "json": f"json/{name}.json",
        "schema": f"json/schema/{name}.json",
        "csv": f"csv/{name}.csv",
        "html": f"html/{name}.html",
    }
    first = Pass(read())
    observed = yield from write_json(archive, paths["json"], contents, store, collection, first)
    write_schema(archive, paths["schema"], columns, observed)
    second = Pass(read())
    yield from write_csv(archive, paths["csv"], columns, second, str(pages.words["held"]))
    if first.seen != second.seen:
        raise RecordsChanged
    page = pages.collection(store, collection, columns, islice(read(), MOST_ROWS), first.count, paths)
    yield from _write_page(archive, paths["html"], page, min(first.count, MOST_ROWS))
    listed = [
        ListedFile(paths["html"], str(pages.words["read"])),
        ListedFile(paths["csv"], "CSV"),
        ListedFile(paths["json"], "JSON"),
    ]
    if contents.kind is PackageKind.PORTABILITY:
        path = f"portability/{name}.jsonld"
        third = Pass(read())
        yield from write_linked_data(archive, path, collection, third)
        if first.seen != third.seen:
            raise RecordsChanged
        listed.append(ListedFile(path, str(pages.words["linked_data"])))
    return ListedCollection(collection.label, collection.about, first.count, tuple(listed), frozenset(observed.held))


def _write_attachments(archive: Archive, contents: PackageContents) -> Steps[list[ListedAttachment]]:
    labels = {store.key: store.label for store in contents.stores}
    listed = []
    for place, one in enumerate(contents.attachments, start=1):
        path = attachment_path(place, one.media_type)
        with archive.entry(path, one.media_type) as entry:
            for chunk in one.open():
                entry.write(chunk)
                yield
        size = archive.files[-1].size
        listed.append(ListedAttachment(path, one.name, one.about, labels.get(one.store, one.store), size))
    return listed


def _write_consents(archive: Archive, contents: PackageContents, pages: PackagePages) -> Steps[None]:
    receipt = {
        "schema_version": "ISO/IEC TS 27560 (field names follow it)",
        "record_id": contents.reference,
        "pii_controllers": [{"name": contents.controller.name, "contact": contents.controller.contact}],
        "language": contents.language,
        "events": [
            {
                "event_id": one.event_id,
                "purpose": one.purpose,
                "event_state": one.state,
                "event_time": one.at.isoformat(),
                "collection_method": one.channel,
                "privacy_notice": one.notice,
                "text_shown": one.text_shown,
            }
            for one in contents.consents
        ],
    }
    with archive.entry("consent/receipt.json", "application/json") as entry:
        entry.write_text(json.dumps(receipt, indent=2) + "\n")
        entry.rows = len(contents.consents)
    yield from _write_page(archive, "consent/receipt.html", pages.receipt())


def _write_page(archive: Archive, path: str, pieces: Iterable[str], rows: int | None = None) -> Steps[None]:
    with archive.entry(path, "text/html; charset=utf-8", PageWatch(path)) as entry:
        for piece in pieces:
            entry.write_text(piece)
            yield
        entry.rows = rows


def _drawn(letter: Letter, limits: PdfLimits | None) -> bytes:
    """Raises: PdfNotDrawn."""
    return draw_pdf(letter.page, hashlib.sha256(letter.page.encode("utf-8", "replace")).digest()[:16], limits)


def _write_letter(archive: Archive, letter: Letter, drawn: Future[bytes]) -> tuple[str, tuple[Notice, ...]]:
    """letter.pdf, or letter.html with a notice where no PDF can be drawn."""
    try:
        pdf = drawn.result()
    except PdfNotDrawn as refused:
        with archive.entry("letter.html", "text/html; charset=utf-8", PageWatch("letter.html")) as entry:
            entry.write_text(letter.page)
        return "letter.html", (_NOTICES[bool(refused.members["missing"])],)
    with archive.entry("letter.pdf", "application/pdf") as entry:
        entry.write(pdf)
    return "letter.pdf", ()


def _about(contents: PackageContents, letter: Letter, pages: PackagePages) -> str:
    """The letter in plain text, then how to open each kind of file."""
    said: dict[str, str] = pages.words["about"]
    wanted = ["start", "html", "csv", "json"]
    wanted += ["portability"] if contents.kind is PackageKind.PORTABILITY else []
    wanted += ["files"] if contents.attachments else []
    wanted += ["consent"] if contents.consents else []
    lines = [said[name].format(most=MOST_ROWS) for name in [*wanted, "removed", "manifest"]]
    return (
        "\r\n".join(_wrapped([letter.text, "=" * 76, said["heading"], "", *(f"- {line}" for line in lines)])) + "\r\n"
    )


def _wrapped(blocks: Iterable[str]) -> Iterator[str]:
    for block in blocks:
        if block.startswith("- "):
            yield textwrap.fill(block, 76, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        else:
            yield from block.splitlines() or [""]


def _signed(signer: Signer, body: bytes) -> bytes:
    signature = base64.b64encode(signer.sign(SIGNED_PREFIX + body)).decode()
    envelope = {"algorithm": "Ed25519", "key_id": signer.key_id, "signature": signature}
    return (json.dumps(envelope, indent=2, sort_keys=True) + "\n").encode()
