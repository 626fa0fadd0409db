"""Reduce a list to those who may be written to: read a row, answer a row, keep nothing.

The answer ends with a summary. A list without one was cut off, and nothing of it may be used; where the list itself was
at fault, the last line says so instead. Pages of the list are judged one after the other, each against the state of its
moment: the later ones are fresher, never staler.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any, Final

from privacyops.domain.account.action import Action
from privacyops.domain.decision import Decision
from privacyops.domain.package.hostile_text import formula_safe
from privacyops.domain.subject import IdentifierMalformed, IdentifierType
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import BadRequest, Problem
from privacyops.ledger.leaf import instant_text
from privacyops.services import purpose as published
from privacyops.services.consent.judging import Judge, in_pages, judge_all
from privacyops.services.consent.subjects import SubjectIsContact, SubjectNotNamed, Whom
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store.uow import Tx

PAGE: Final = 1_000
MOST_BYTES: Final = 4_096
USABLE: Final = timedelta(hours=1)
_NAMES: Final = {str(one): one for one in IdentifierType}
_WHO: Final = ("subject", *_NAMES)


class ListMalformed(BadRequest):
    type = "/problems/list-malformed"
    title = "A list is NDJSON with one object a line, or CSV with a header"


class Emit(StrEnum):
    """Which rows come back; the summary counts all of them."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ALL = "all"


class Form(StrEnum):
    """How rows are written, both ways."""

    NDJSON = "application/x-ndjson"
    CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class ScrubQuestion:
    """What the list is for."""

    purpose: str
    channel: str
    brand: str | None = None
    jurisdiction: str | None = None
    emit: Emit = Emit.ALLOWED


@dataclass(slots=True)
class _Sums:
    """What the summary will say."""

    as_of: Instant
    rows: int = 0
    allowed: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "allowed": self.allowed, "denied": dict(sorted(self.denied.items())),
            "as_of": instant_text(self.as_of), "use_before": instant_text(self.as_of + USABLE),
            "sha256": self.digest.hexdigest(),
        }  # fmt: skip


Row = tuple[str, Mapping[str, str]]
"""The caller's mark of a row, and its identifiers by name."""


def scrub(ctx: Context, question: ScrubQuestion, source: IO[bytes], form: Form) -> Iterator[bytes]:
    """The list's rows with their answers, then the summary; one audit row holds the same sums.

    The question is asked and the first row is read at once, so that an unknown purpose or another kind of file is
    refused before a byte goes out; the rest is read while it is answered. A fault further down, or whatever else is
    refused by then, ends the answer with a line of its own in place of the summary.

    Raises: UnknownPurpose, UnknownChannel, UnknownBrand, ListMalformed; nothing from the iterator but bugs.
    """
    judge, now = _prepared(ctx, question)
    rows = _rows_of_csv(source) if form is Form.CSV else _rows_of_json(source)
    first = list(islice(rows, 1))
    return _told(_answered(ctx, question, judge, _Sums(now), chain(first, rows), form), form)


def _told(parts: Iterator[bytes], form: Form) -> Iterator[bytes]:
    """The answer, also where it cannot end well: its status has gone out, so a torn connection would say nothing."""
    try:
        yield from parts
    except Problem as problem:
        yield _last_line("error", {"type": problem.type, "title": problem.title, "detail": problem.detail}, form)


@reading(Action.CONSENT_CHECK)
def _prepared(ctx: Context, tx: Tx, question: ScrubQuestion) -> tuple[Judge, Instant]:
    return _judge(ctx, tx, question), tx.now


def _judge(ctx: Context, tx: Tx, question: ScrubQuestion) -> Judge:
    names = published.catalogue(ctx, tx)
    return Judge.of(names, question.purpose, question.channel, question.brand, question.jurisdiction)


def _answered(
    ctx: Context, question: ScrubQuestion, judge: Judge, sums: _Sums, rows: Iterable[Row], form: Form
) -> Iterator[bytes]:
    write = _csv_lines if form is Form.CSV else _json_lines
    if form is Form.CSV:
        yield _added(sums, b"row,decision,reason\r\n")
    for page in in_pages(rows, PAGE):
        told = []
        for (mark, _), result in zip(page, _page(ctx, question, [who for _, who in page]), strict=True):
            sums.rows += 1
            is_allowed = isinstance(result, Decision) and result.is_allowed
            reason = str(result.reason) if isinstance(result, Decision) else _word_of(result)
            if is_allowed:
                sums.allowed += 1
            else:
                sums.denied[reason] += 1
            if question.emit is Emit.ALL or is_allowed is (question.emit is Emit.ALLOWED):
                told.append((mark, "allow" if is_allowed else "deny", reason))
        if told:
            yield _added(sums, write(told))
    summary = sums.to_json()
    _note(ctx, question, judge.brand.key, summary)
    yield _last_line("summary", summary, form)


@reading(Action.CONSENT_CHECK)
def _page(
    ctx: Context, tx: Tx, question: ScrubQuestion, people: Sequence[Mapping[str, str]]
) -> Sequence[Decision | Problem]:
    """The answers of one page, against a catalogue and a state of now."""
    judge = _judge(ctx, tx, question)
    named = [_whom(ctx, one) for one in people]
    judged = judge_all(ctx, tx, [(judge, whom) for whom in named if isinstance(whom, Whom)])
    return [next(judged) if isinstance(whom, Whom) else whom for whom in named]


def _whom(ctx: Context, found: Mapping[str, str]) -> Whom | Problem:
    try:
        return Whom.of(ctx, found.get("subject"), [(_NAMES[name], found[name]) for name in found if name != "subject"])
    except (IdentifierMalformed, SubjectNotNamed, SubjectIsContact) as problem:
        return problem


@use_case(Action.CONSENT_CHECK)
def _note(ctx: Context, tx: Tx, question: ScrubQuestion, brand: str, summary: Mapping[str, Any]) -> None:
    record(
        ctx, tx, "consent.scrubbed", "purpose", question.purpose, channel=question.channel, brand=brand,
        rows=summary["rows"], allowed=summary["allowed"], denied=summary["denied"], sha256=summary["sha256"],
    )  # fmt: skip


def _rows_of_json(source: IO[bytes]) -> Iterator[Row]:
    for number, line in enumerate(_lines(source), 1):
        if not line.strip():
            continue
        try:
            value = _decode(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError):
            raise ListMalformed(f"line {number} is not JSON") from None
        if not isinstance(value, dict):
            raise ListMalformed(f"line {number} is not an object")
        found = {name: str(value[name]) for name in _WHO if value.get(name)}
        yield str(value.get("row", number)), found


def _rows_of_csv(source: IO[bytes]) -> Iterator[Row]:
    lines = (_decoded(line, number) for number, line in enumerate(_lines(source), 1))
    try:
        reader = csv.DictReader(lines, strict=True)
        header = reader.fieldnames or ()
        if not set(header) & set(_WHO):
            raise ListMalformed("the header names no identifier: subject, " + ", ".join(IdentifierType))
        for number, line in enumerate(reader, 1):
            yield line.get("row") or str(number), {name: line[name] for name in _WHO if line.get(name)}
    except csv.Error as error:
        raise ListMalformed(f"not CSV: {error}") from None


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """Lines of a bounded length: a list without line ends must not fill the memory."""
    while line := source.readline(MOST_BYTES + 1):
        if len(line) > MOST_BYTES:
            raise ListMalformed(f"a line of more than {MOST_BYTES} bytes")
        yield line


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise ListMalformed(f"line {number} is not UTF-8") from None


_decode: Final = json.JSONDecoder().decode
_quoted: Final = json.encoder.encode_basestring_ascii
Told = Iterable[tuple[str, str, str]]


def _json_lines(told: Told) -> bytes:
    rows = [f'{{"row":{_quoted(mark)},"decision":"{answer}","reason":"{reason}"}}\n' for mark, answer, reason in told]
    return "".join(rows).encode()


def _csv_lines(told: Told) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows((formula_safe(mark), answer, reason) for mark, answer, reason in told)
    return text.getvalue().encode()


def _last_line(kind: str, told: Mapping[str, Any], form: Form) -> bytes:
    if form is Form.NDJSON:
        return json.dumps({kind: told}, separators=(",", ":")).encode() + b"\n"
    text = io.StringIO()
    csv.writer(text).writerow((f"#{kind}", json.dumps(told, separators=(",", ":")), ""))
    return text.getvalue().encode()


def _added(sums: _Sums, part: bytes) -> bytes:
    sums.digest.update(part)
    return part


def _word_of(problem: Problem) -> str:
    """A refusal as a reason: `/problems/identifier-malformed` is IDENTIFIER_MALFORMED."""
    return problem.type.rsplit("/", 1)[-1].replace("-", "_").upper()
