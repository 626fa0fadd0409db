"""Documents, mail, and what cannot be read, as collections of one row a file or message."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Final

from connectors.formats.document import Extract, extract, media_type
from connectors.formats.letter_head import LETTER_HEAD
from connectors.formats.mail import Letter, letter_values, mbox_letters
from connectors.formats.shelf import Entry, Gap, Shelf, Stamp, Terms, Unreadable
from connectors.formats.source import Item
from connectors.formats.tables import TABLE_SUFFIXES, Tables
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Certainty,
    Collection,
    CollectionKind,
    Count,
    Field,
    FieldType,
    RowRef,
    Terminal,
    Value,
)
from privacyops.connector_sdk.records import UNKNOWN_COUNT

DOCUMENTS: Final = "documents"
MAIL: Final = "mail"
UNREADABLE: Final = "unreadable"
MAIL_SUFFIXES: Final = frozenset({".eml", ".mbox", ".mbx"})
FILE: Final = "file"
"""The field that stands for the file itself, as a handle."""

_ABOUT_FILE: Final = (
    Field("path", FieldType.TEXT, "path in the folder", nullable=False),
    Field("name", FieldType.TEXT, "file name", nullable=False),
    Field("media_type", FieldType.TEXT, "by the name's ending", nullable=False),
    Field("size", FieldType.INTEGER, "bytes", nullable=False),
    Field("modified", FieldType.INSTANT, "of the file", nullable=False),
)
_CONTENT: Final = (
    Field("title", FieldType.TEXT, "property of the document"),
    Field("author", FieldType.TEXT, "property of the document"),
    Field("text", FieldType.TEXT, "words of the document"),
    Field("problem", FieldType.TEXT, "why it could not be read, or not all of it"),
)
_LETTER: Final = (
    *LETTER_HEAD,
    Field("text", FieldType.TEXT, "body"),
    Field("attachments", FieldType.ARRAY, "file names", element=FieldType.TEXT),
    Field("attachment_text", FieldType.TEXT, "words of the attachments"),
    Field("problem", FieldType.TEXT, "why it could not be read, or not all of it"),
)
_FILE: Final = Field(FILE, FieldType.BINARY, "the file itself")
_NUMBER: Final = Field("number", FieldType.INTEGER, "message in the file", nullable=False)


KEPT_CHARS: Final = 16_000_000
"""What is remembered of documents and mails that were parsed: a search asks several questions in a row."""


@dataclass
class Reading:
    """What all collections of files share: the shelf, and what is known of each file's state."""

    settings: Terms
    shelf: Shelf
    tables: Tables
    gaps: dict[str, tuple[Stamp, Gap | None]] = field(default_factory=dict)
    """Whether a file could be read, by path and state, so that `unreadable` need not parse everything again."""

    _kept: OrderedDict[tuple[str, int], tuple[Stamp, dict[str, Value], int]] = field(default_factory=OrderedDict)
    _kept_chars: int = 0

    def recall(self, entry: Entry, number: int = 0) -> dict[str, Value] | None:
        """The content of this state of a file, if it was parsed lately."""
        known = self._kept.get((entry.path, number))
        if known is None or known[0] != entry.stamp:
            return None
        self._kept.move_to_end((entry.path, number))
        return known[1]

    def keep(self, entry: Entry, content: dict[str, Value], number: int = 0) -> None:
        """Remember the content; the longest unused goes first."""
        self._kept_chars -= self._kept.pop((entry.path, number), (None, None, 0))[2]
        size = 200 + sum(len(value) for value in content.values() if isinstance(value, str))
        self._kept[entry.path, number] = (entry.stamp, content, size)
        self._kept_chars += size
        while self._kept_chars > KEPT_CHARS:
            self._kept_chars -= self._kept.popitem(last=False)[1][2]

    def documents(self) -> list[Entry]:
        return [entry for entry in self.shelf.entries() if entry.suffix not in TABLE_SUFFIXES | MAIL_SUFFIXES]

    def mails(self) -> list[Entry]:
        return [entry for entry in self.shelf.entries() if entry.suffix in MAIL_SUFFIXES and entry.gap is None]

    def note(self, entry: Entry, gap: Gap | None) -> None:
        """Remember whether this state of the file could be read."""
        self.gaps[entry.path] = (entry.stamp, gap)

    def noted(self, entry: Entry) -> tuple[bool, Gap | None]:
        """Whether this state of the file was read, and its gap."""
        if entry.gap is not None:
            return True, entry.gap
        stamp, gap = self.gaps.get(entry.path, (None, None))
        return stamp == entry.stamp, gap


def _about(entry: Entry) -> dict[str, Value]:
    return {
        "path": entry.path,
        "name": entry.name,
        "media_type": media_type(entry.suffix),
        "size": entry.stamp.size,
        "modified": datetime.fromtimestamp(entry.stamp.mtime_ns / 1e9, UTC).replace(microsecond=0),
    }


def _handle(store: str, collection: str, key: Mapping[str, Value], entry: Entry, size: int | None) -> BlobRef:
    return BlobRef(RowRef(store, collection, key), FILE, entry.name, media_type(entry.suffix), size)


class DocumentSource:
    """One row a document. A file that cannot be read is a row without text and with a `problem`."""

    name: str = DOCUMENTS
    costly: frozenset[str] = frozenset(field.path for field in _CONTENT)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collection(self, call: Call) -> Collection:
        call.check()
        entries = self._reading.documents()
        return Collection(
            DOCUMENTS,
            CollectionKind.FOLDER,
            (*_ABOUT_FILE, *_CONTENT, _FILE),
            ("path",),
            rows=Count(len(entries)),
            bytes=sum(entry.stamp.size for entry in entries),
        )

    def items(self, call: Call, after: str) -> Iterator[Item]:
        for entry in self._reading.documents():
            if entry.path > after or not after:
                call.check()
                yield self._item(call, entry)

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        for key in keys:
            call.check()
            entry = self._reading.shelf.entry(str(key.get("path")))
            if entry is not None and entry.suffix not in TABLE_SUFFIXES | MAIL_SUFFIXES:
                yield key, self._item(call, entry)

    def _item(self, call: Call, entry: Entry) -> Item:
        key: dict[str, Value] = {"path": entry.path}
        handle = _handle(self._reading.settings.name, DOCUMENTS, key, entry, entry.stamp.size)

        def values(costly: bool) -> Mapping[str, Value]:
            content = self.content(call, entry) if costly else {}
            return {**_about(entry), **content, **({} if entry.gap else {FILE: handle})}

        return Item(lambda: entry.path, lambda: key, values)

    def content(self, call: Call, entry: Entry) -> dict[str, Value]:
        """The fields that need the file to be opened; absent where they are empty."""
        known = self._reading.recall(entry)
        if known is not None:
            return known
        found = self._extract(call, entry)
        self._reading.note(entry, found.gap)
        named = {
            "title": found.title,
            "author": found.author,
            "text": found.text,
            "problem": found.gap and found.gap.value,
        }
        content: dict[str, Value] = {name: value for name, value in named.items() if value}
        self._reading.keep(entry, content)
        return content

    def has_gaps(self, call: Call) -> bool:
        """Workbooks and other tables that cannot even be opened count here, since they are no collections."""
        entries = [entry for entry in self._reading.shelf.entries() if entry.suffix not in MAIL_SUFFIXES]
        return any(self.gap(call, entry) for entry in entries)

    def gap(self, call: Call, entry: Entry) -> Gap | None:
        """Why the file cannot be read; read anew if this state of it was not read yet."""
        is_known, gap = self._reading.noted(entry)
        if is_known:
            return None if gap is Gap.VANISHED else gap
        call.check()
        if entry.suffix not in TABLE_SUFFIXES:
            self.content(call, entry)
            return self._reading.noted(entry)[1]
        try:
            self._reading.tables.of(entry)
        except Unreadable as error:
            self._reading.note(entry, error.gap)
            return error.gap
        self._reading.note(entry, None)
        return None

    def _extract(self, call: Call, entry: Entry) -> Extract:
        if entry.gap is not None:
            return Extract(gap=entry.gap)
        settings = self._reading.settings
        try:
            with self._reading.shelf.open(entry.path) as file:
                return extract(
                    file,
                    entry.suffix,
                    entry.stamp.size,
                    limit=settings.max_file_bytes,
                    encoding=settings.encoding,
                    tick=call.check,
                )
        except Unreadable as error:
            return Extract(gap=error.gap)


class MailSource:
    """One row a message; the key is the file's path and the message's number in it."""

    name: str = MAIL
    costly: frozenset[str] = frozenset(field.path for field in _LETTER)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collection(self, call: Call) -> Collection:
        call.check()
        entries = self._reading.mails()
        is_known = all(entry.suffix == ".eml" for entry in entries)
        return Collection(
            MAIL,
            CollectionKind.MAILBOX,
            (_ABOUT_FILE[0], _NUMBER, *_ABOUT_FILE[1:], *_LETTER, _FILE),
            ("path", "number"),
            rows=Count(len(entries)) if is_known else Count(len(entries), Certainty.ESTIMATE),
            bytes=sum(entry.stamp.size for entry in entries),
        )

    def items(self, call: Call, after: str) -> Iterator[Item]:
        path, number = json.loads(after) if after else ("", 0)
        for entry in self._reading.mails():
            if entry.path >= path:
                for letter in self._letters(call, entry):
                    if entry.path > path or letter.number > number:
                        yield self._item(call, entry, letter)

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        numbers: dict[str, dict[int, Mapping[str, Value]]] = {}
        for key in keys:
            number = key.get("number")
            numbers.setdefault(str(key.get("path")), {})[number if isinstance(number, int) else 0] = key
        for path, wanted in numbers.items():
            entry = self._reading.shelf.entry(path)
            if entry is not None and entry.suffix in MAIL_SUFFIXES and entry.gap is None:
                for letter in self._letters(call, entry):
                    if letter.number in wanted:
                        yield wanted[letter.number], self._item(call, entry, letter)

    def _letters(self, call: Call, entry: Entry) -> Iterator[Letter]:
        limit = self._reading.settings.max_file_bytes
        call.check()
        try:
            with self._reading.shelf.open(entry.path) as file:
                if entry.suffix == ".eml":
                    yield _whole(file, entry.stamp.size, limit)
                    return
                for letter in mbox_letters(file, limit):
                    call.check()
                    yield letter
        except Unreadable as error:
            self._reading.note(entry, error.gap)

    def _item(self, call: Call, entry: Entry, letter: Letter) -> Item:
        key: dict[str, Value] = {"path": entry.path, "number": letter.number}
        handle = _handle(self._reading.settings.name, MAIL, key, entry, letter.size)

        def values(costly: bool) -> Mapping[str, Value]:
            about = {**_about(entry), "number": letter.number, "media_type": "message/rfc822", "size": letter.size}
            return {**about, **(self.content(call, entry, letter) if costly else {}), FILE: handle}

        return Item(lambda: json.dumps([entry.path, letter.number]), lambda: key, values)

    def has_gaps(self, call: Call) -> bool:
        return any(self.gap(call, entry) for entry in self._reading.mails())

    def gap(self, call: Call, entry: Entry) -> Gap | None:
        """Why a message of the file cannot be read; read anew if this state of it was not read to its end yet."""
        is_known, gap = self._reading.noted(entry)
        if not is_known:
            call.check()
            self.read_all(call, entry)
            gap = self._reading.noted(entry)[1]
        return gap

    def bytes_of(self, call: Call, key: Mapping[str, Value]) -> bytes:
        """The message itself. Raises: Terminal: it is gone or too large."""
        entry = self._reading.shelf.entry(str(key.get("path")))
        for letter in self._letters(call, entry) if entry else ():
            if letter.number == key.get("number") and letter.data is not None:
                return letter.data
        raise Terminal("gone")

    def read_all(self, call: Call, entry: Entry) -> None:
        """Parse every message, to learn whether all of it can be read."""
        self._reading.note(entry, None)
        for letter in self._letters(call, entry):
            self.content(call, entry, letter)

    def content(self, call: Call, entry: Entry, letter: Letter) -> dict[str, Value]:
        """The message's fields; absent where they are empty."""
        known = self._reading.recall(entry, letter.number)
        if known is not None:
            return known
        found: dict[str, Value] = {}
        gap: Gap | None = Gap.TOO_LARGE
        if letter.data is not None:
            settings = self._reading.settings
            found, gap = letter_values(
                letter.data, limit=settings.max_file_bytes, encoding=settings.encoding, tick=call.check
            )
        if gap:
            self._reading.note(entry, gap)
        problem: dict[str, Value] = {"problem": gap and gap.value}
        content: dict[str, Value] = {name: value for name, value in (found | problem).items() if value}
        self._reading.keep(entry, content, letter.number)
        return content


def _whole(file: BinaryIO, size: int, limit: int) -> Letter:
    return Letter(1, file.read(limit + 1) if size <= limit else None, size)


class GapSource:
    """The files of which nothing, or not all, could be read, for the one who has to look at them."""

    name: str = UNREADABLE
    costly: frozenset[str] = frozenset()

    def __init__(self, reading: Reading, documents: DocumentSource, mail: MailSource) -> None:
        self._reading, self._documents, self._mail = reading, documents, mail

    def collection(self, call: Call) -> Collection:
        call.check()
        fields = (_ABOUT_FILE[0], Field("problem", FieldType.TEXT, "why", nullable=False), _ABOUT_FILE[3])
        return Collection(UNREADABLE, CollectionKind.FOLDER, fields, ("path",), rows=UNKNOWN_COUNT)

    def items(self, call: Call, after: str) -> Iterator[Item]:
        for entry in self._reading.shelf.entries():
            if entry.path <= after and after:
                continue
            call.check()
            source = self._mail if entry.suffix in MAIL_SUFFIXES and entry.gap is None else self._documents
            gap = source.gap(call, entry)
            if gap is not None:
                yield _gap_item(entry, gap)

    def has_gaps(self, call: Call) -> bool:
        """All there is to say of these files stands in the rows."""
        call.check()
        return False

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        wanted = {str(key.get("path")): key for key in keys}
        for item in self.items(call, ""):
            path = item.place()
            if path in wanted:
                yield wanted[path], item


def _gap_item(entry: Entry, gap: Gap) -> Item:
    values: dict[str, Value] = {"path": entry.path, "problem": gap.value, "size": entry.stamp.size}
    key: dict[str, Value] = {"path": entry.path}

    def read(_costly: bool) -> Mapping[str, Value]:
        return values

    return Item(lambda: entry.path, lambda: key, read)
