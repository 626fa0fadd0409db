"""Changing rows of a table file: where each stands now, whether that is what the plan saw, and the file rewritten.

Only CSV, TSV and JSON Lines are rewritten. All other records keep their bytes: line ends, quotes and encoding
come from the file itself, and a file whose bytes would not come back the same is refused when the plan is made.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import BinaryIO, Final

from connectors.formats import delimited
from connectors.formats.effects import is_done, new_value, respelt, touched
from connectors.formats.encoding import codec_of
from connectors.formats.shelf import Stamp
from connectors.formats.table import HASH, RAW, ROW, Record, record_hash
from connectors.formats.tables import TableSource
from privacyops.connector_sdk import Act, Call, Delete, Op, Value
from privacyops.connector_sdk.effects import NotPossible

REWRITABLE: Final = frozenset({".csv", ".tsv", ".tab", ".jsonl", ".ndjson"})
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Before:
    """What ties an operation to the row the plan saw; all hashes are keyed.

    `copies` equal rows stood in the file and this operation is the `nth` of those that concern them, from 0.
    `rest` is the row without the cells that change. `ahead` and `behind` are the nearest rows that the plan leaves
    alone, so that a row that went can be told from one that somebody changed. `cells` are the cells that change, as
    they were; one that is already as wanted is not among them.
    """

    digest: str
    rest: str = ""
    copies: int = 1
    nth: int = 0
    ahead: str = ""
    behind: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps([self.digest, self.rest, self.copies, self.nth, self.ahead, self.behind, dict(self.cells)])


def read_before(text: str) -> Before | None:
    """None: not one of ours, or the row was missing when the plan was made."""
    try:
        digest, rest, copies, nth, ahead, behind, cells = json.loads(text)
        return Before(str(digest), str(rest), int(copies), int(nth), str(ahead), str(behind), dict(cells))
    except (ValueError, TypeError):
        return None


@dataclass
class Found:
    """An operation with its row as it stands now; no record: it is not there."""

    op: Op
    before: Before
    record: Record | None = None


class TableFile:
    """One table file, for planning and rewriting."""

    def __init__(self, source: TableSource, secret: bytes) -> None:
        self.source = source
        self._secret = secret
        if source.suffix not in REWRITABLE:
            raise NotPossible("format", "task")

    def records(self, call: Call) -> Iterator[tuple[Record, str]]:
        """Every record with its hash (empty for headings and blank tails), decoded without loss.

        Raises: NotPossible: the bytes of the file would not come back the same (`encoding`). Terminal, Unreadable:
        as reading does.
        """
        with self.source.opened() as (file, encoding):
            head = file.read(4)
            _, _, errors = codec_of(head, encoding)
            try:
                for at, record in enumerate(self.source.records(file, encoding, errors)):
                    if at % 256 == 0:
                        call.check()
                    clean = Record(record.number, _clean(record.values), record.raw, record.at)
                    yield clean, self.digest(clean.values) if record.number and record.values else ""
            except UnicodeDecodeError:
                raise NotPossible("encoding", "task") from None

    def stamp(self) -> Stamp:
        """The file's present state."""
        with self.source.opened() as (file, _):
            return self.source.stamp_of(file)

    def digest(self, values: Mapping[str, Value]) -> str:
        return record_hash(values, self._secret)

    def rest(self, values: Mapping[str, Value], act: Act) -> str:
        """The row's hash without the cells that the act changes."""
        return self.digest({name: value for name, value in values.items() if name not in touched(act)})

    def cell(self, name: str, value: Value) -> str:
        """Keyed hash of one cell."""
        return self.digest({name: value})

    def _cells(self, record: Record, act: Act) -> dict[str, str]:
        held = {name: record.values[name] for name in touched(act) if name in record.values}
        return {name: self.cell(name, value) for name, value in held.items() if not _is_done(act, name, value)}

    # --- planning -------------------------------------------------------------------------------------------

    def locate(self, call: Call, ops: Sequence[Op]) -> list[Found]:
        """Each operation with its row and what surrounds it, in two passes.

        Raises: NotPossible: `encoding`; `row_named_twice`.
        """
        self._check_lossless(call)
        hashes = {str(op.ref.key.get(HASH)) for op in ops}
        places: dict[str, list[Record]] = {}
        for record, digest in self.records(call):
            if digest in hashes:
                places.setdefault(digest, []).append(record)
        copies = {digest: len(records) for digest, records in places.items()}
        seen: Counter[str] = Counter()
        result = []
        for op in ops:
            digest = str(op.ref.key.get(HASH))
            left = places.get(digest, [])
            if not left and digest in copies:
                raise NotPossible("row_named_twice", "one_operation_a_row")
            taken = next((each for each in left if each.number == op.ref.key.get(ROW)), left[0] if left else None)
            if taken is not None:
                left.remove(taken)
            before = Before(digest, copies=copies.get(digest, 0), nth=seen[digest])
            if taken is not None:
                cells = self._cells(taken, op.act)
                before = replace(before, rest=self.rest(taken.values, op.act), cells=cells)
            result.append(Found(op, before, taken))
            seen[digest] += 1
        return self._surrounded(call, result)

    def _surrounded(self, call: Call, found: list[Found]) -> list[Found]:
        planned = {one.before.digest for one in found}
        numbers = {one.record.number for one in found if one.record}
        ahead: dict[int, str] = {}
        behind: dict[int, str] = {}
        waiting: list[int] = []
        last = ""
        for record, digest in self.records(call):
            if not digest:
                continue
            if record.number in numbers:
                ahead[record.number] = last
                waiting.append(record.number)
            if digest not in planned:
                behind.update(dict.fromkeys(waiting, digest))
                waiting.clear()
                last = digest
        for one in found:
            if one.record:
                number = one.record.number
                one.before = replace(one.before, ahead=ahead.get(number, ""), behind=behind.get(number, ""))
        return found

    def _check_lossless(self, call: Call) -> None:
        with self.source.opened() as (file, encoding):
            original, again = blake2b(), blake2b()
            while chunk := file.read(1 << 18):
                original.update(chunk)
            file.seek(0)
            mark, codec, errors = codec_of(file.read(4), encoding)
        again.update(mark)
        for record, _ in self.records(call):
            try:
                again.update(record.raw.encode(codec, errors))
            except UnicodeEncodeError:
                raise NotPossible("encoding", "task") from None
        if original.digest() != again.digest():
            raise NotPossible("encoding", "task")

    # --- applying -------------------------------------------------------------------------------------------

    def rewrite(self, call: Call, into: BinaryIO, gone: frozenset[int], changed: Mapping[int, str]) -> None:
        """The file into `into` without the records `gone` and with the texts of those `changed`."""
        with self.source.opened() as (file, encoding):
            mark, codec, errors = codec_of(file.read(4), encoding)
        into.write(mark)
        for record, _ in self.records(call):
            if record.number not in gone or not record.values:
                into.write(changed.get(record.number, record.raw).encode(codec, errors))

    def edited(self, record: Record, act: Act) -> tuple[str, dict[str, Value]]:
        """The record's new text and values. Raises: NotPossible: a cell cannot be changed that way."""
        fields = touched(act)
        unknown = [name for name in fields if name not in record.values]
        if unknown or RAW in fields:
            raise NotPossible("unknown_field", "delete")
        changes = {name: new_value(act, name, record.values[name]) for name in fields}
        values = {**record.values, **changes}
        if self.source.suffix in {".jsonl", ".ndjson"}:
            return respelt(record.raw, values), values
        texts: dict[str, Value] = {name: "" if v is None else str(v) for name, v in values.items()}
        return self._delimited(record, texts), texts

    def _delimited(self, record: Record, texts: Mapping[str, Value]) -> str:
        """Cells in their places: the heading's order, or the old row's where cells go beyond it."""
        body = record.raw.lstrip("\r\n")
        ending = body[len(body.rstrip("\r\n")) :]
        with self.source.opened() as (file, encoding):
            head = file.read(1 << 17)
            _, _, errors = codec_of(head, encoding)
            text = head.decode(encoding, "ignore" if errors == "strict" else errors)
        sign = "\t" if self.source.suffix in {".tsv", ".tab"} else delimited.delimiter_of(text[:65_536])
        lead = record.raw[: len(record.raw) - len(body)]
        return lead + delimited.written([str(value) for value in texts.values()], sign, ending)


def _is_done(act: Act, name: str, value: Value) -> bool:
    try:
        return is_done(act, name, value)
    except NotPossible:
        return False


def _clean(values: Mapping[str, Value]) -> dict[str, Value]:
    """Undecodable bytes as U+FFFD, as the reading half delivers them, so that both see the same row."""
    return {
        name: _SURROGATES.sub("\ufffd", value) if isinstance(value, str) and not value.isascii() else value
        for name, value in values.items()
    }


@dataclass
class Now:
    """What a file looks like when operations are applied to it."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[Record]] = field(default_factory=dict)
    strangers: dict[str, list[Record]] = field(default_factory=dict)
    """By operation: rows between its neighbours that the plan does not name."""
    whole: set[str] = field(default_factory=set)
    """Operations whose neighbours both stand in the file."""


def look(call: Call, table: TableFile, found: Sequence[Found]) -> Now:
    """One pass: where the planned rows are, and for those that are not, what stands in their place."""
    now = Now()
    planned = {one.before.digest for one in found}
    inside: dict[str, Found] = {one.op.id: one for one in found if not one.before.ahead}
    starts: dict[str, list[Found]] = {}
    for one in found:
        starts.setdefault(one.before.ahead, []).append(one)
    for record, digest in table.records(call):
        if not digest:
            continue
        if digest in planned:
            now.counts[digest] += 1
            now.places.setdefault(digest, []).append(record)
        else:
            for id_, one in tuple(inside.items()):
                if one.before.behind == digest:
                    now.whole.add(id_)
                    del inside[id_]
                else:
                    now.strangers.setdefault(id_, []).append(record)
            for one in starts.get(digest, ()) if digest else ():
                if one.op.id not in now.whole:
                    inside[one.op.id] = one
                    now.strangers.pop(one.op.id, None)
    now.whole.update(id_ for id_, one in inside.items() if not one.before.behind)
    return now


def is_settled(table: TableFile, one: Found, now: Now, others: Sequence[Found]) -> bool:
    """Whether a row that is not there any more is as the operation wanted it: gone, or changed that way.

    `others` are the plan's operations on this file: the rows they changed stand in the same place and are not
    signs of somebody else's hand.
    """
    if one.op.id not in now.whole:
        return False
    strangers = now.strangers.get(one.op.id, [])
    if isinstance(one.op.act, Delete):
        changes = [each for each in others if not isinstance(each.op.act, Delete)]
        return all(any(_is_result_of(table, each, record) for each in changes) for record in strangers)
    return any(_is_result_of(table, one, record) for record in strangers)


def _is_result_of(table: TableFile, one: Found, record: Record) -> bool:
    act = one.op.act
    same_rest = table.rest(record.values, act) == one.before.rest
    return same_rest and all(is_done(act, name, record.values.get(name)) for name in touched(act))
