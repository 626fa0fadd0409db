"""JSON and JSON Lines as tables.

A top-level array is a table of its elements, read as a stream. Of a top-level object, each member that is an
array of objects is a table of its own (`export.json#customers`), and the rest is a table of one row.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TextIO

from connectors.formats.table import MAX_CELL, MAX_LINE, RAW, Record
from privacyops.connector_sdk import Terminal, Value
from privacyops.connector_sdk.records import MAX_JSON_DEPTH

MAX_OBJECT: Final = 16_000_000
"""Characters of a file whose top level is an object: it is parsed as a whole."""
_CHUNK: Final = 65_536
_BLANK: Final = " \t\r\n"


class BrokenJson(ValueError):
    """The text is no JSON."""


def as_value(parsed: Any, depth: int = 0) -> Value:
    """Parsed JSON as an SDK value; what lies deeper than 32 levels stays text."""
    if isinstance(parsed, dict):
        if depth >= MAX_JSON_DEPTH:
            return json.dumps(parsed, ensure_ascii=False)
        return {name: as_value(part, depth + 1) for name, part in parsed.items()}
    if isinstance(parsed, list):
        if depth >= MAX_JSON_DEPTH:
            return json.dumps(parsed, ensure_ascii=False)
        return tuple(as_value(part, depth + 1) for part in parsed)
    if isinstance(parsed, int) and not isinstance(parsed, bool) and parsed.bit_length() > 1000:
        return str(parsed)  # numbers without an end are not computed with
    scalar: bool | int | float | str | None = parsed  # JSON has no other types
    return scalar


def _row(parsed: Any) -> dict[str, Value]:
    value = as_value(parsed)
    return dict(value) if isinstance(value, Mapping) else {"value": value}


def parse(text: str) -> Any:
    """Raises: BrokenJson: no JSON, or nested too deeply to be read at all."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BrokenJson from None


def line_records(text: TextIO, number: int = 0) -> Iterator[Record]:
    """One record a line, counted on from `number`. A line that is no JSON is a record with its text in `_raw`, so
    that it is searched too.

    Raises: Terminal: a line over 8 million characters.
    """
    before = ""
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise Terminal("line_too_long")
        if not line.strip():
            before += line
            continue
        number += 1
        try:
            values = _row(parse(line))
        except BrokenJson:
            values = {RAW: line.rstrip("\r\n")}
        yield Record(number, values, before + line)
        before = ""
    if before:
        yield Record(number + 1, {}, before)


def opens_with(text: TextIO) -> str:
    """The first sign that is not blank, or an empty text; the text is left at its start."""
    head = text.read(_CHUNK).lstrip(_BLANK + "\ufeff")
    text.seek(0)
    return head[:1]


def array_records(text: TextIO) -> Iterator[Record]:
    """The elements of a top-level array, one after the other, without holding the file.

    Where the text is no JSON any more, its rest is one record in `_raw`, so that it is searched too.

    Raises: Terminal: one element is over 8 million characters (`element_too_large`), or the rest after a break
    is over 4 million (`broken_json`); what stands before was yielded.
    """
    decoder = json.JSONDecoder()
    stream = _Stream(text)
    number = 0
    try:
        stream.expect("[")
        while stream.sign() != "]":
            if number:
                stream.expect(",")
            parsed = stream.element(decoder)
            number += 1
            yield Record(number, _row(parsed))
        stream.expect("]")
    except BrokenJson:
        yield Record(number + 1, {RAW: stream.rest()})
        if not stream.is_over:
            raise Terminal("broken_json") from None


class _Stream:
    """A window on the text that grows only as far as one element needs."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._window = ""
        self._at = 0
        self._is_over = False

    def _more(self, chars: int = _CHUNK) -> bool:
        if self._is_over:
            return False
        chunk = self._text.read(chars)
        self._is_over = not chunk
        self._window = self._window[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def sign(self) -> str:
        """The next sign that is not blank; empty at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in _BLANK + "\ufeff":
                self._at += 1
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    @property
    def is_over(self) -> bool:
        """Whether the text was read to its end."""
        return self._is_over

    def expect(self, sign: str) -> None:
        """Step over that sign. Raises: BrokenJson: another one, or none, stands there."""
        if self.sign() != sign:
            raise BrokenJson
        self._at += 1

    def rest(self) -> str:
        """What was not understood, at most 4 million characters of it."""
        rest = self._window[self._at :] + self._text.read(MAX_CELL)
        self._is_over = not self._text.read(1)
        return rest[:MAX_CELL]

    def element(self, decoder: json.JSONDecoder) -> Any:
        """The next value. It counts only once a sign stands behind it: `12` may be the start of `123`."""
        self.sign()
        while True:
            try:
                parsed, end = decoder.raw_decode(self._window, self._at)
            except RecursionError:
                raise BrokenJson from None
            except ValueError:
                parsed, end = None, -1
            if 0 <= end < len(self._window):
                self._at = end
                return parsed
            if len(self._window) - self._at > MAX_LINE:
                raise Terminal("element_too_large")
            if not self._more(max(_CHUNK, len(self._window) - self._at)):  # doubling keeps the repeated parsing linear
                if end >= 0:
                    self._at = end
                    return parsed
                raise BrokenJson


def object_tables(text: TextIO) -> dict[str, list[dict[str, Value]]]:
    """The tables of a top-level object: the member's name, or an empty name for the one row of all the rest.

    Text that is no JSON is one row with the text in `_raw`.

    Raises: Terminal: over 16 million characters.
    """
    whole = text.read(MAX_OBJECT + 1)
    if len(whole) > MAX_OBJECT:
        raise Terminal("object_too_large")
    try:
        parsed = parse(whole.lstrip("\ufeff"))
    except BrokenJson:
        return {"": [{RAW: whole}]}
    if not isinstance(parsed, dict):
        return {"": [_row(parsed)]}
    tables: dict[str, list[dict[str, Value]]] = {}
    rest: dict[str, Value] = {}
    for name, member in parsed.items():
        if isinstance(member, list) and member and all(isinstance(each, dict) for each in member):
            tables[name] = [_row(each) for each in member]
        else:
            rest[name] = as_value(member)
    return {"": [rest], **tables} if rest or not tables else tables
