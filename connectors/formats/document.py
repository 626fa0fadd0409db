"""Text, title and author out of one document. What cannot be read says why; nothing is followed, fetched or run."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, BinaryIO, Final

from connectors.formats.encoding import as_text, encoding_of, looks_binary
from connectors.formats.package import member_chunks, open_package, parse_xml
from connectors.formats.shelf import Gap, Unreadable
from connectors.formats.workbook import open_workbook, sheet_names, sheet_records
from privacyops.connector_sdk import Misconfigured, StoreRefusal

MAX_TEXT: Final = 8_000_000
"""Characters of one document that are read; of a longer one the rest is a gap (`text_cut`)."""
MAX_PAGES: Final = 5_000
_HEAD: Final = 4096
MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".json": "application/json",
    ".eml": "message/rfc822",
    ".txt": "text/plain",
}


@dataclass(frozen=True, repr=False)
class Extract:
    """What a document says. `gap` with an empty text: nothing was read; with a text: a part is missing."""

    text: str = ""
    title: str = ""
    author: str = ""
    gap: Gap | None = None


class _Text:
    """Collects pieces of text up to the bound."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self.is_cut = False

    def add(self, piece: str) -> None:
        if self.is_cut:
            return
        room = MAX_TEXT - self._size
        if len(piece) > room:
            piece, self.is_cut = piece[:room], True
        self._pieces.append(piece)
        self._size += len(piece)

    def done(self) -> str:
        return "".join(self._pieces).strip()

    @property
    def gap(self) -> Gap | None:
        return Gap.TEXT_CUT if self.is_cut else None


def media_type(suffix: str) -> str:
    """The media type of a file name's ending; `application/octet-stream` if it is not known."""
    return MEDIA_TYPES.get(suffix, "application/octet-stream")


def extract(
    file: BinaryIO, suffix: str, size: int, *, limit: int, encoding: str | None, tick: Callable[[], None]
) -> Extract:
    """The document's words. `tick` is called between pages, so that a long one can be stopped.

    Raises: what `tick` raises; Misconfigured: the extra for this format is missing. Everything else that is wrong
    with the file comes back as the extract's `gap`.
    """
    try:
        if suffix not in _READERS:
            return _plain(file, encoding)
        return Extract(gap=Gap.TOO_LARGE) if size > limit else _READERS[suffix](file, encoding, tick)
    except Unreadable as error:
        return Extract(gap=error.gap)
    except OSError:
        return Extract(gap=Gap.IO)


def _plain(file: BinaryIO, encoding: str | None) -> Extract:
    file.seek(0)
    if looks_binary(file.read(_HEAD)):
        return Extract(gap=Gap.UNKNOWN_FORMAT)
    with as_text(file, encoding_of(file, encoding)) as text:
        words = text.read(MAX_TEXT)
        return Extract(words, gap=Gap.TEXT_CUT if text.read(1) else None)


def _html(file: BinaryIO, encoding: str | None, _tick: Callable[[], None]) -> Extract:
    with as_text(file, encoding_of(file, encoding)) as text:
        return html_extract(text.read())


def html_extract(markup: str) -> Extract:
    """The words of a page, without scripts and styles, with the addresses in its links."""
    reader = _Page()
    reader.feed(markup)
    reader.close()
    return Extract(reader.words.done(), reader.title.strip(), reader.author, reader.words.gap)


class _Page(HTMLParser):
    _HIDDEN: Final = {"script", "style", "template"}
    _BREAKS: Final = {"p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "td", "th", "table", "section", "title"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words = _Text()
        self.title = ""
        self.author = ""
        self._hidden = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._hidden += tag in self._HIDDEN
        self._in_title = self._in_title or tag == "title"
        if tag == "meta" and (given.get("name") or "").lower() == "author":
            self.author = given.get("content") or ""
        if tag in self._BREAKS:
            self.words.add("\n")
        for name in ("alt", "title", "value", "placeholder"):
            if given.get(name):
                self.words.add(f" {given[name]} ")
        if (given.get("href") or "").lower().startswith(("mailto:", "tel:")):
            self.words.add(f" {given['href']} ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN and self._hidden > 0
        if tag == "title":
            self._in_title = False
        if tag in self._BREAKS:
            self.words.add("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden:
            self.words.add(data)

    def handle_comment(self, data: str) -> None:
        self.words.add(f" {data} ")  # comments hold names and notes often enough


def _xml(file: BinaryIO, encoding: str | None, _tick: Callable[[], None]) -> Extract:
    """Character data and attribute values. With a document type or broken, the raw text takes their place: it is
    searched as it stands, and no entity is ever expanded.
    """
    words = _Text()

    def started(_name: str, attributes: dict[str, str]) -> None:
        words.add("\n")
        for value in attributes.values():
            words.add(f"{value} ")

    file.seek(0)
    try:
        parse_xml(iter(lambda: file.read(65_536), b""), started=started, ended=lambda _: None, text=words.add)
    except Unreadable:
        return _plain(file, encoding)
    return Extract(words.done(), gap=words.gap)


_NO_WORDS: Final = ("styles", "settings", "theme", "fontTable", "numbering", "webSettings", "stylesWithEffects")


def _docx(file: BinaryIO, _encoding: str | None, tick: Callable[[], None]) -> Extract:
    """Body, headers, footers, notes, comments, and what tracked changes deleted but keep."""
    package = open_package(file)
    names = [name for name in package.namelist() if name.startswith("word/") and name.endswith(".xml")]
    if "word/document.xml" not in names:
        raise Unreadable(Gap.BROKEN)
    names.sort(key=lambda name: (name != "word/document.xml", name))
    words = _Text()
    for name in names:
        if not name.removeprefix("word/").startswith(_NO_WORDS):
            tick()
            _runs(member_chunks(package, name), words)
    about: dict[str, str] = {}
    if "docProps/core.xml" in package.namelist():
        about = _properties(member_chunks(package, "docProps/core.xml"))
    return Extract(words.done(), about.get("title", ""), about.get("creator", ""), words.gap)


def _runs(chunks: Iterator[bytes], words: _Text) -> None:
    depth = 0

    def started(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        local = name.rpartition(":")[2]
        depth += local in {"t", "delText", "instrText"}
        if local in {"tab", "br", "cr"}:
            words.add("\t" if local == "tab" else "\n")

    def ended(name: str) -> None:
        nonlocal depth
        local = name.rpartition(":")[2]
        depth -= local in {"t", "delText", "instrText"}
        if local == "p":
            words.add("\n")

    parse_xml(chunks, started=started, ended=ended, text=lambda data: words.add(data) if depth else None)


def _properties(chunks: Iterator[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    open_names: list[str] = []

    def text(data: str) -> None:
        if open_names and len(data) < 1000:
            found[open_names[-1]] = found.get(open_names[-1], "") + data

    parse_xml(
        chunks,
        started=lambda name, _: open_names.append(name.rpartition(":")[2]),
        ended=lambda _: (open_names.pop(), None)[1],
        text=text,
    )
    return found


def _xlsx(file: BinaryIO, _encoding: str | None, tick: Callable[[], None]) -> Extract:
    """All cells as text: for workbooks attached to a mail; on the shelf itself each sheet is a table."""
    words = _Text()
    book = open_workbook(file)
    try:
        for name in sheet_names(book):
            tick()
            for record in sheet_records(book, name):
                words.add("\t".join(str(value) for value in record.values.values()) + "\n")
    finally:
        book.close()
    return Extract(words.done(), gap=words.gap)


def _pdf(file: BinaryIO, _encoding: str | None, tick: Callable[[], None]) -> Extract:
    try:
        import pypdf  # noqa: PLC0415 - an extra, needed for this format only
    except ImportError:
        raise Misconfigured("extra:files", "missing_pypdf") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its messages may quote the document
    try:
        reader = pypdf.PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            return Extract(gap=Gap.ENCRYPTED)
        return _pages(reader, tick)
    except (StoreRefusal, MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        encrypted = type(error).__name__ in {"FileNotDecryptedError", "WrongPasswordError", "DependencyError"}
        raise Unreadable(Gap.ENCRYPTED if encrypted else Gap.BROKEN) from None


def _pages(reader: Any, tick: Callable[[], None]) -> Extract:
    words = _Text()
    for at, page in enumerate(reader.pages):
        tick()
        if at >= MAX_PAGES or words.is_cut:
            words.is_cut = True
            break
        words.add(page.extract_text() + "\n")
    for value in (reader.get_form_text_fields() or {}).values():
        words.add(f"{value or ''}\n")
    about = reader.metadata or {}
    text = words.done()
    gap = words.gap or (None if text else Gap.NO_TEXT)  # a scan holds a picture of words, which nobody read
    return Extract(text, str(about.get("/Title") or ""), str(about.get("/Author") or ""), gap)


_READERS: Final = {
    ".pdf": _pdf,
    ".docx": _docx,
    ".xlsx": _xlsx,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".xml": _xml,
}


def extract_bytes(data: bytes, suffix: str, *, limit: int, encoding: str | None, tick: Callable[[], None]) -> Extract:
    """As `extract`, for an attachment."""
    return extract(BytesIO(data), suffix, len(data), limit=limit, encoding=encoding, tick=tick)
