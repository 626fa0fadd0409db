"""How an export is written: records as receipts hold them, or every event as a row."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.export import ExportFormat
from privacyops.domain.package.hostile_text import formula_safe
from privacyops.domain.receipt import dpv, kantara
from privacyops.domain.receipt.facts import ReceiptFacts
from privacyops.domain.subject import IdentifierType
from privacyops.ledger.leaf import instant_text

MEDIA_TYPE: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.DPV: "application/ld+json",
    ExportFormat.KANTARA: "application/json",
    ExportFormat.NDJSON: "application/x-ndjson",
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
}
ENDING: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.DPV: "jsonld",
    ExportFormat.KANTARA: "json",
    ExportFormat.NDJSON: "ndjson",
    ExportFormat.CSV: "csv",
}
RECORDS: Final = frozenset({ExportFormat.DPV, ExportFormat.KANTARA})
_EVENT_COLUMNS: Final = (
    "seq", "event_id", "type", "state", "applied", "subject", "purpose", "purpose_version", "channel", "brand",
    "basis", "regime", "jurisdiction", "method", "indicated_by", "occurred_at", "recorded_at", "valid_until", "grade",
    "scope", "causes", "notice_id", "notice_version", "notice_locale", "notice_sha256",
)  # fmt: skip
_FIRST_CHOICE: Final = (IdentifierType.CUSTOMER_ID, IdentifierType.EMAIL, IdentifierType.PHONE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that goes out. `subject` is a keyed hash, or the person's id where `identifiers` are in clear.

    `facts` is None where the format needs none.
    """

    seq: int
    event: ConsentEvent
    basis: str | None
    applied: bool
    subject: str
    facts: ReceiptFacts | None = None
    identifiers: Sequence[tuple[str, str]] | None = None


def head(format_: ExportFormat, *, is_clear: bool) -> str:
    """What stands in front of the first record."""
    match format_:
        case ExportFormat.DPV:
            return '{"@context":' + _json(dpv.CONTEXT) + ',\n"@graph":['
        case ExportFormat.KANTARA:
            return "["
        case ExportFormat.NDJSON:
            return ""
        case ExportFormat.CSV:
            return "\ufeff" + _csv_line([*_EVENT_COLUMNS, *(IdentifierType if is_clear else ())])


def tail(format_: ExportFormat) -> str:
    """What stands behind the last record."""
    return {ExportFormat.DPV: "\n]}\n", ExportFormat.KANTARA: "\n]\n"}.get(format_, "")


def text_of(format_: ExportFormat, entries: Sequence[Entry], verifier_key: str, *, is_first: bool) -> str:
    """The records, one a line. `is_first`: none was written before, so that no comma goes in front."""
    match format_:
        case ExportFormat.CSV:
            return "".join(_csv_row(entry) for entry in entries)
        case ExportFormat.NDJSON:
            return "".join(_json(_row(entry)) + "\n" for entry in entries)
        case _:
            make = _dpv if format_ is ExportFormat.DPV else _kantara
            lines = [_json(make(entry, verifier_key)) for entry in entries]
            return "".join(f"{'' if is_first and not place else ','}\n{line}" for place, line in enumerate(lines))


def _dpv(entry: Entry, _key: str) -> dict[str, Any]:
    record = dpv.record(_facts(entry))
    del record["@context"]
    if entry.identifiers is not None:
        person = record["dpv:hasDataSubject"]
        person["dpv:hasIdentifier"] = [
            {"@type": "dpv:Identifier", "dct:type": type_, "dct:identifier": value}
            for type_, value in entry.identifiers
        ]
    return record


def _kantara(entry: Entry, verifier_key: str) -> dict[str, Any]:
    made = kantara.receipt(_facts(entry), verifier_key)
    if entry.identifiers is not None:
        known = dict(reversed(entry.identifiers))
        made["piiPrincipalId"] = next((known[one] for one in _FIRST_CHOICE if one in known), entry.subject)
    return made


def _facts(entry: Entry) -> ReceiptFacts:
    if entry.facts is None:
        raise AssertionError("a record is made from facts")
    return entry.facts


def _row(entry: Entry) -> dict[str, Any]:
    event, notice = entry.event, entry.event.notice
    told: dict[str, Any] = {
        "seq": entry.seq, "event_id": str(event.id), "type": str(event.type),
        "state": str(event.state) if event.state else None, "applied": entry.applied, "subject": entry.subject,
        "purpose": event.purpose.key if event.purpose else None,
        "purpose_version": event.purpose.version if event.purpose else None,
        "channel": event.channel, "brand": event.brand, "basis": entry.basis,
        "regime": str(event.regime) if event.regime else None, "jurisdiction": event.jurisdiction,
        "method": str(event.method), "indicated_by": str(event.indicated_by),
        "occurred_at": instant_text(event.occurred_at), "recorded_at": instant_text(event.recorded_at),
        "valid_until": instant_text(event.valid_until) if event.valid_until else None,
        "grade": str(event.grade) if event.grade else None, "scope": event.scope,
        "causes": str(event.causes) if event.causes else None,
        "notice_id": notice.id if notice else None, "notice_version": notice.version if notice else None,
        "notice_locale": notice.locale if notice else None, "notice_sha256": notice.sha256 if notice else None,
    }  # fmt: skip
    if entry.identifiers is not None:
        told["identifiers"] = [{"type": type_, "value": value} for type_, value in entry.identifiers]
    return told


def _csv_row(entry: Entry) -> str:
    told = _row(entry)
    cells = [_cell(told[name]) for name in _EVENT_COLUMNS]
    if entry.identifiers is not None:
        for type_ in IdentifierType:
            cells.append(formula_safe(" ".join(value for name, value in entry.identifiers if name == type_)))
    return _csv_line(cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else formula_safe(str(value))


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
