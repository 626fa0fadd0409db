"""CSV and TSV: records as a stream, with the exact text of each, so that a rewrite leaves all others untouched."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final, TextIO

from connectors.formats.table import MAX_CELL, MAX_LINE, Record, column_names, named
from privacyops.connector_sdk import Terminal

DELIMITERS: Final = (",", ";", "\t", "|")
_LOOK_AT: Final = 20
_HEAD_CHARS: Final = 65_536


class Lines:
    """The lines of a text, each bounded, with a memory of what was handed out since `take`."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._taken: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise Terminal("line_too_long")
        self._taken.append(line)
        return line

    def take(self) -> str:
        """The text since the last call."""
        taken, self._taken = "".join(self._taken), []
        return taken


def delimiter_of(head: str) -> str:
    """The sign that splits the first records into the same number of cells, the most cells first; else a comma."""
    best, cells = ",", 1
    for sign in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(StringIO(head, newline=""), delimiter=sign) if row][:_LOOK_AT]
        except csv.Error:
            continue
        widths = widths[:-1] if len(widths) > 1 else widths  # the head may end in the middle of a record
        if widths and min(widths) == max(widths) > cells:
            best, cells = sign, widths[0]
    return best


def read_head(text: TextIO) -> str:
    """The first 64 Ki characters; the text is left at its start."""
    head = text.read(_HEAD_CHARS)
    text.seek(0)
    return head


def columns_of(text: TextIO, delimiter: str) -> tuple[str, ...]:
    """The columns by the first record; the text is left at its start."""
    csv.field_size_limit(MAX_CELL)
    try:
        first = next((cells for cells in csv.reader(Lines(text), delimiter=delimiter) if cells), [])
    except csv.Error:
        first = []
    text.seek(0)
    return column_names(first) or tuple(f"column_{at}" for at in range(1, len(first) + 1))


def delimited_records(
    text: TextIO, delimiter: str, columns: tuple[str, ...] | None = None, number: int = 0
) -> Iterator[Record]:
    """Every record behind the heading, if there is one; `Record.number` counts from 1 and skips the heading.

    The first item stands for the heading: number 0, no values, the heading's text. A blank line belongs to the
    record behind it. With `columns` the text is one that begins in the middle of the file, behind record `number`.

    Raises: Terminal: a line over 8 million characters (`line_too_long`), a cell over 4 million
    (`cell_too_large`); what stands before was yielded.
    """
    csv.field_size_limit(MAX_CELL)  # of the process; nothing else in it reads CSV with a smaller bound
    lines = Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Terminal("cell_too_large" if "limit" in str(error) else "broken_csv") from None
        if cells is None:
            if rest := lines.take():
                yield Record(number + 1, {}, rest)
            return
        if not cells:
            continue
        if columns is None:
            columns = column_names(cells)
            yield Record(0, {}, lines.take() if columns else "")
            if columns:
                continue
            columns = tuple(f"column_{at}" for at in range(1, len(cells) + 1))
        number += 1
        yield Record(number, named(columns, cells), lines.take())


def written(cells: Sequence[str], delimiter: str, ending: str) -> str:
    """One record as text, quoted where needed."""
    out = StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerow(cells)
    return out.getvalue()
