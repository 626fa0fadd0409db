"""Table files as collections: a CSV, TSV or JSON Lines file, a member of a JSON file, a sheet of a workbook."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO, Final, TextIO

from connectors.formats import delimited, jsonfile, workbook
from connectors.formats.encoding import as_text, bytes_of, codec_of, encoding_of
from connectors.formats.remembered import Remembered
from connectors.formats.shelf import Entry, Shelf, Stamp, Unreadable
from connectors.formats.source import Item
from connectors.formats.table import HASH, KEY, RAW, ROW, Record, fields_of, record_hash, row_key
from privacyops.connector_sdk import (
    Call,
    Certainty,
    Collection,
    CollectionKind,
    Count,
    Field,
    FieldType,
    Retriable,
    Terminal,
    Value,
)
from privacyops.connector_sdk.records import UNKNOWN_COUNT

TABLE_SUFFIXES: Final = frozenset({".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".xlsx", ".xlsm"})
_BOOKS: Final = frozenset({".xlsx", ".xlsm"})
_LINES: Final = frozenset({".jsonl", ".ndjson"})
_SAMPLE: Final = 200
_CHECK_EVERY: Final = 256
_SMALL: Final = 1_000_000


class Tables:
    """Finds and reads the tables of a shelf. Remembers encodings and sheet names by the file's state."""

    def __init__(self, shelf: Shelf, encoding: str | None, key: Callable[[], bytes]) -> None:
        self.shelf = shelf
        self._key = key
        self._encoding = encoding
        self._encodings: dict[str, tuple[Stamp, str]] = {}
        self._members: dict[str, tuple[Stamp, tuple[str, ...]]] = {}
        self.remembered = Remembered()

    @property
    def secret(self) -> bytes:
        """The key for hashes of rows, asked for when the first is needed."""
        return self._key()

    def of(self, entry: Entry) -> tuple["TableSource", ...]:
        """The tables of one file. Raises: Unreadable: a workbook that cannot be opened."""
        return tuple(TableSource(self, entry.path, member) for member in self._named(entry))

    def find(self, name: str) -> "TableSource | None":
        """The table of that collection name, or None."""
        path, _, member = name.rpartition("#")
        for file, part in ((name, ""), (path, member)):
            entry = self.shelf.entry(file) if file and Entry(file).suffix in TABLE_SUFFIXES else None
            if entry is not None and part in self._named(entry):
                return TableSource(self, file, part)
        return None

    def encoding(self, path: str, file: BinaryIO) -> str:
        """The file's encoding, told once for each state of it."""
        stamp = self.shelf.stamp_of(file)
        known = self._encodings.get(path)
        if known is None or known[0] != stamp:
            known = self._encodings[path] = (stamp, encoding_of(file, self._encoding))
        return known[1]

    def _named(self, entry: Entry) -> tuple[str, ...]:
        if entry.gap is not None:
            return ()
        if entry.suffix not in _BOOKS and entry.suffix != ".json":
            return ("",)
        known = self._members.get(entry.path)
        if known is None or known[0] != entry.stamp:
            known = self._members[entry.path] = (entry.stamp, self._read_members(entry))
        return known[1]

    def _read_members(self, entry: Entry) -> tuple[str, ...]:
        with self.shelf.open(entry.path) as file:
            if entry.suffix in _BOOKS:
                book = workbook.open_workbook(file)
                try:
                    return workbook.sheet_names(book)
                finally:
                    book.close()
            with as_text(file, self.encoding(entry.path, file)) as text:
                if jsonfile.opens_with(text) != "{":
                    return ("",)
                try:
                    return tuple(jsonfile.object_tables(text))
                except Terminal:  # too large to be taken apart; reading it will say so
                    return ("",)


class TableSource:
    """One table."""

    costly: frozenset[str] = frozenset()

    def __init__(self, tables: Tables, path: str, member: str) -> None:
        self.name = f"{path}#{member}" if member else path
        self.path, self.member = path, member
        self._tables = tables
        self.suffix = Entry(path).suffix

    def collection(self, call: Call) -> Collection:
        """Fields and an estimate of the rows, from the first 200 of them."""
        call.check()
        entry = self._tables.shelf.entry(self.path)
        size = entry.stamp.size if entry else 0
        sample: list[Record] = []
        is_whole = True
        try:
            sample.extend(islice(self._rows(), _SAMPLE + 1))
        except (Unreadable, Terminal, Retriable):  # reading says why; what stands before it is listed
            is_whole = False
        is_known = is_whole and len(sample) <= _SAMPLE
        count = Count(len(sample)) if is_known else self._estimate(sample, size)
        return Collection(self.name, CollectionKind.TABLE, self._fields(sample), KEY, rows=count, bytes=size)

    def _fields(self, sample: list[Record]) -> tuple[Field, ...]:
        found = fields_of(sample)
        if self.suffix in _LINES or self.suffix == ".json":
            has_raw = any(field.path == RAW for field in found)
            return found if has_raw else (*found, Field(RAW, FieldType.TEXT, "text of a record that is no JSON"))
        return found

    def _estimate(self, sample: list[Record], size: int) -> Count:
        if not sample or self.suffix in _BOOKS or not all(record.raw for record in sample):
            return UNKNOWN_COUNT
        length = sum(len(record.raw.encode("utf-8", "replace")) for record in sample)
        return Count(round(size * len(sample) / max(length, 1)), Certainty.ESTIMATE)

    def items(self, call: Call, after: str) -> Iterator[Item]:
        """A position is a record's number, hash and first byte. The byte leads straight there; if another record
        stands there by now, the hash finds it again.
        """
        number, digest, at_byte = json.loads(after) if after else (0, "", -1)
        if at_byte >= 0:
            resumed = self._rows((number - 1, at_byte))
            first = next(resumed, None)
            if first is not None and record_hash(first.values, self._tables.secret) == digest:
                yield from self._checked(call, resumed)
                return
        is_moved = bool(after) and not self._stands(call, number, digest)
        waiting = is_moved
        for at, record in enumerate(self._rows()):
            if at % _CHECK_EVERY == 0:
                call.check()
            if is_moved:
                if not waiting:
                    yield self._item(record)
                elif record_hash(record.values, self._tables.secret) == digest:
                    waiting = False
            elif record.number > number:
                yield self._item(record)
        if waiting:
            raise Terminal("file_changed")

    def _checked(self, call: Call, records: Iterator[Record]) -> Iterator[Item]:
        for at, record in enumerate(records):
            if at % _CHECK_EVERY == 0:
                call.check()
            yield self._item(record)

    def _stands(self, call: Call, number: int, digest: str) -> bool:
        for at, record in enumerate(self._rows()):
            if at % _CHECK_EVERY == 0:
                call.check()
            if record.number >= number:
                return record.number == number and record_hash(record.values, self._tables.secret) == digest
        return False

    def _item(self, record: Record) -> Item:
        secret = self._tables.secret

        def place() -> str:
            return json.dumps([record.number, record_hash(record.values, secret), record.at])

        def values(_costly: bool) -> Mapping[str, Value]:
            return record.values

        return Item(place, lambda: row_key(record, secret), values)

    def has_gaps(self, call: Call) -> bool:
        """A table ends with a refusal where it cannot be read; it has no other gaps."""
        call.check()
        return False

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        """By number first, which needs one hash a key; rows that moved are then looked for by hash alone."""
        wanted = {(key.get(ROW), key.get(HASH)): key for key in keys}
        numbers = {number for number, _ in wanted}
        for at, record in enumerate(self._rows()):
            if at % _CHECK_EVERY == 0:
                call.check()
            if record.number in numbers:
                place = (record.number, record_hash(record.values, self._tables.secret))
                if place in wanted:
                    yield wanted.pop(place), self._item(record)
        if not wanted:
            return
        hashes = {digest: place for place in wanted for digest in (place[1],)}
        for at, record in enumerate(self._rows()):
            if at % _CHECK_EVERY == 0:
                call.check()
            found = hashes.pop(record_hash(record.values, self._tables.secret), None)
            if found is not None:
                yield wanted[found], self._item(record)
            if not hashes:
                return

    def _rows(self, start: tuple[int, int] = (0, 0)) -> Iterator[Record]:
        """Records with values, without headings and blank tails; from a record's number and byte on, if given.

        Raises: Unreadable: gone or damaged. Retriable: the file was changed in place while it was read; one that
        only grew was read to its new end. Terminal: as the parsers say.
        """
        with self.opened() as (file, encoding):
            before, kept = self.stamp_of(file), self._tables.remembered
            known = kept.records(self.name, before) if start == (0, 0) else None
            if known is not None:
                yield from known
                return
            keeps, seen = start == (0, 0) and kept.may_keep(before), list[Record]()
            for record in self.records(file, encoding, start=start):
                if record.number and record.values:
                    if keeps:
                        seen.append(record)
                    yield record
            after = self.stamp_of(file) if not file.closed else before
            if after != before and after.size <= before.size:
                raise Retriable(None, "file_changed")
            if keeps and after == before and not file.closed:
                kept.keep(self.name, before, seen)

    def stamp_of(self, file: BinaryIO) -> Stamp:
        """The present state of the open file."""
        return self._tables.shelf.stamp_of(file)

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, str]]:
        """The file and its encoding."""
        with self._tables.shelf.open(self.path) as file:
            yield file, "" if self.suffix in _BOOKS else self._tables.encoding(self.path, file)

    def records(
        self, file: BinaryIO, encoding: str, errors: str = "replace", start: tuple[int, int] = (0, 0)
    ) -> Iterator[Record]:
        """All records, headings (number 0) and blank tails (no values) too, so that texts add up to the file's.

        `start`: the number of the record before and the byte to begin at; only where records know their bytes.
        """
        if self.suffix in _BOOKS:
            book = workbook.open_workbook(file)
            try:
                yield from workbook.sheet_records(book, self.member)
            finally:
                book.close()
            return
        text = as_text(file, encoding, errors)
        try:
            if self.suffix == ".json":
                yield from self._json(text)
                return
            sign, columns = "", None
            if self.suffix not in _LINES:
                sign = self.delimiter(text)
                columns = delimited.columns_of(text, sign) if start[1] else None
            text.detach()
            text = as_text(file, encoding, errors, start[1])
            if self.suffix in _LINES:
                parsed = jsonfile.line_records(text, start[0])
            else:
                parsed = delimited.delimited_records(text, sign, columns, start[0])
            yield from self._placed(parsed, file, encoding, start[1])
        finally:
            text.detach()  # the file is closed by whoever opened it

    def _placed(self, parsed: Iterator[Record], file: BinaryIO, encoding: str, at: int) -> Iterator[Record]:
        here = file.tell()
        file.seek(0)
        mark, codec, _ = codec_of(file.read(4), encoding)
        file.seek(here)
        at = at or len(mark)
        for record in parsed:
            yield Record(record.number, record.values, record.raw, at)
            at += bytes_of(record.raw, codec)

    def delimiter(self, text: TextIO) -> str:
        """The sign between two cells; the text is left at its start."""
        return "\t" if self.suffix in {".tsv", ".tab"} else delimited.delimiter_of(delimited.read_head(text))

    def _json(self, text: TextIO) -> Iterator[Record]:
        if jsonfile.opens_with(text) == "{":
            rows = jsonfile.object_tables(text).get(self.member, [])
            yield from (Record(at, values) for at, values in enumerate(rows, start=1))
        else:
            yield from jsonfile.array_records(text)
