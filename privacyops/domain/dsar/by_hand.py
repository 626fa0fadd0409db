"""A store that a person handles: what its owner hands in, read strictly."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from privacyops.domain.finding.model import Finding, FindingTier, Match
from privacyops.domain.record import RowRef, Value
from privacyops.kernel.errors import Unprocessable

CONNECTOR: Final = "manual"
HANDED_IN: Final = "handed_in"
"""The collection of records that a person handed in."""
CODE: Final = "connector:by_hand"
"""Why a run of such a store is handed over."""
USUAL_DAYS: Final = 7
MOST_RECORDS: Final = 500
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 10_000


class Statement(StrEnum):
    """What the owner says of the search."""

    FOUND = "found"
    NOTHING = "nothing"


class RecordsUnreadable(Unprocessable):
    """What was handed in is no table."""

    type = "/problems/records-unreadable"
    title = "The records cannot be read as a table"


@dataclass(frozen=True, slots=True)
class Instructions:
    """What the store's settings tell its owner."""

    place: str = ""
    steps: tuple[str, ...] = ()
    days: int = USUAL_DAYS


def instructions(config: Mapping[str, Any]) -> Instructions:
    """Out of a store's settings; what is missing or of another form is left out."""
    steps = config.get("steps", ())
    days = config.get("days", USUAL_DAYS)
    return Instructions(
        place=str(config.get("place", "")),
        steps=tuple(str(step) for step in steps) if isinstance(steps, list | tuple) else (),
        days=days if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= 30 else USUAL_DAYS,
    )


def due_on(today: date, days: int, safe: date) -> date:
    """The owner's date: so many days from today, and never later than the request's own safe date."""
    return min(today + timedelta(days=days), safe)


def handed_in(store: str, text: str) -> tuple[Finding, ...]:
    """The records in a pasted table: CSV with a heading (comma, semicolon or tab), or a JSON list of objects.

    Raises: RecordsUnreadable: no heading, a row that does not fit it, no record, or more than 500 of them.
    """
    rows = _json_rows(text) if text.lstrip()[:1] in {"[", "{"} else _csv_rows(text)
    if not rows:
        raise RecordsUnreadable("there is no record below the heading")
    if len(rows) > MOST_RECORDS:
        raise RecordsUnreadable(f"at most {MOST_RECORDS} records at once")
    return tuple(_finding(store, at, row) for at, row in enumerate(rows, start=1))


def _csv_rows(text: str) -> list[dict[str, Value]]:
    first = text.lstrip("\ufeff\n ").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [
            line for line in csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter, strict=True) if line
        ]
    except csv.Error:
        raise RecordsUnreadable("a quotation mark is not closed") from None
    if not lines:
        raise RecordsUnreadable("nothing was pasted")
    heading = [name.strip() for name in lines[0]]
    if not all(heading) or len(set(heading)) != len(heading) or len(heading) > MOST_COLUMNS:
        raise RecordsUnreadable("the first line names the columns, each once")
    for at, line in enumerate(lines[1:], start=2):
        if len(line) != len(heading):
            raise RecordsUnreadable(f"line {at} has {len(line)} cells, the heading has {len(heading)}")
    return [dict(zip(heading, (_cell(part) for part in line), strict=True)) for line in lines[1:]]


def _json_rows(text: str) -> list[dict[str, Value]]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise RecordsUnreadable("this is no JSON") from None
    listed: Sequence[Any] = told if isinstance(told, list) else [told]
    rows: list[dict[str, Value]] = []
    for one in listed:
        if not isinstance(one, dict) or not one or len(one) > MOST_COLUMNS:
            raise RecordsUnreadable("each record is an object with named cells")
        if any(isinstance(part, dict | list) for part in one.values()):
            raise RecordsUnreadable("a cell is a text, a number, true, false or null")
        rows.append({str(name): _cell(part) for name, part in one.items()})
    return rows


def _cell(value: Any) -> Value:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]  # what JSON has besides text
    if len(value) > LONGEST_CELL:
        raise RecordsUnreadable(f"a cell holds at most {LONGEST_CELL} characters")
    return value.strip() or None


def _finding(store: str, at: int, row: Mapping[str, Value]) -> Finding:
    filled = tuple(name for name, value in row.items() if value is not None)
    ref = RowRef(store, HANDED_IN, (("record", at),), None)
    return Finding(ref, FindingTier.OWNED, Match.EXACT, (HANDED_IN,), filled, dict(row))
