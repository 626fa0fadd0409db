"""The lines of an older list: a CSV file with a header, and what its cells mean."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Final

from privacyops.domain.consent.grading import Record, claim_named
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable
from privacyops.ledger.leaf import to_milliseconds

MOST_BYTES: Final = 16_384
_METHODS: Final = {one.value: one for one in Method}
IDENTIFIERS: Final = tuple(str(one) for one in IdentifierType)
COLUMNS: Final = (
    *IDENTIFIERS, "purpose", "channel", "brand", "jurisdiction", "choice", "occurred_at", "source", "wording", "method",
    "confirmed_at",
)  # fmt: skip


class ImportMalformed(Unprocessable):
    type = "/problems/import-malformed"
    title = "An import is CSV in UTF-8 with a header of known columns"


class LineRefused(Unprocessable):
    """One line that cannot be taken over; `word` says why, never with its content."""

    type = "/problems/line-refused"
    title = "A line cannot be taken over"

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for lines that do not say it themselves."""

    purpose: str | None = None
    channel: str | None = None
    brand: str | None = None
    jurisdiction: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `number` counts from 1 behind the header."""

    number: int
    cells: Mapping[str, str]

    def record(self) -> Record:
        """What it says. Raises: LineRefused."""
        try:
            claim = claim_named(self.cells.get("choice", ""))
        except ValueError:
            raise LineRefused("choice-unknown") from None
        return Record(
            claim=claim,
            occurred_at=_instant(self.cells.get("occurred_at")),
            source=self.cells.get("source"),
            wording=self.cells.get("wording"),
            method=self.cells.get("method"),
            confirmed_at=_instant(self.cells.get("confirmed_at")),
        )

    def evidence(self) -> dict[str, str]:
        """What is sealed with the event: everything the line says of the circumstances."""
        names = ("source", "wording", "method", "occurred_at", "confirmed_at")
        return {name: self.cells[name] for name in names if self.cells.get(name)}

    def fingerprint(self) -> bytes:
        """What makes two lines the same, wherever they stand."""
        return json.dumps(sorted(self.cells.items()), ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(source: IO[bytes], defaults: Defaults) -> str:
    """SHA-256 over the file and what it is to mean; reads the file to its end and goes back to its beginning."""
    digest = hashlib.sha256()
    source.seek(0)
    while block := source.read(1 << 20):
        digest.update(block)
    source.seek(0)
    digest.update(json.dumps(asdict(defaults), sort_keys=True).encode())
    return digest.hexdigest()


def lines_of(source: IO[bytes], defaults: Defaults) -> Iterator[Line]:
    """Line by line; empty cells take the defaults. Raises: ImportMalformed."""
    reader = csv.reader(_texts(source), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        unknown = sorted(set(header) - set(COLUMNS))
        if not set(header) & set(IDENTIFIERS) or unknown or len(set(header)) != len(header):
            raise ImportMalformed("the header needs an identifier, and each column once: " + ", ".join(COLUMNS))
        given = {name: value for name, value in asdict(defaults).items() if value}
        for number, row in enumerate(reader, 1):
            if not any(row):
                continue
            if len(row) != len(header):
                raise ImportMalformed(f"line {number} has {len(row)} cells, the header {len(header)}")
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=True) if cell.strip()}
            yield Line(number, given | cells)
    except csv.Error as error:
        raise ImportMalformed(f"not CSV: {error}") from None


def known_method(text: str | None) -> Method:
    """The method where the list uses our word for it; else that it was imported."""
    return _METHODS.get(text or "", Method.IMPORT)


def _texts(source: IO[bytes]) -> Iterator[str]:
    number = 0
    while line := source.readline(MOST_BYTES + 1):
        number += 1
        if len(line) > MOST_BYTES:
            raise ImportMalformed(f"line {number} has more than {MOST_BYTES} bytes")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise ImportMalformed(f"line {number} is not UTF-8") from None


def _instant(text: str | None) -> Instant | None:
    """RFC 3339, or a day; without a zone it is UTC. Raises: LineRefused."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return to_milliseconds(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    except (ValueError, OverflowError):
        raise LineRefused("time-unreadable") from None
