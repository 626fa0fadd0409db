"""The texts of a request are read for other people, a page at a time; what stands out waits for a person's decision.

Nothing is taken out by this: it only puts suggestions before a reviewer (GDPR Art. 15(4)). What detection could not
look through is said as well, and a person has to read it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.detection.span import Detected, Profile
from privacyops.domain.dsar.record import Dsar, StoredFinding
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.job import Job
from privacyops.domain.redaction.keep import KeepList
from privacyops.domain.redaction.record import Reading, ReadingState, StoredRedaction, Unread
from privacyops.domain.redaction.suggest import UNNAMED, Decision, Labels, Marked, SourceText, Suggestion, suggest
from privacyops.domain.redaction.texts import LONGEST, RecordText, is_prose, somebodys, texts_of
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import DataKey, Place
from privacyops.ports.pii import DetectionFailed, Text
from privacyops.services import job as jobs
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.keeping import keep_list
from privacyops.services.dsar.package import open_finding
from privacyops.services.dsar.passages import digest_of
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import redaction as redactions
from privacyops.store.uow import Tx

JOB: Final = "reading"
MOST_TEXTS: Final = 2_000
"""Texts of one request that detection is given; those beyond are listed for a person."""
MOST_PASSAGES: Final = 500
"""Suggestions in one text; a text with more is for a person to read."""
_GONE_ON: Final = frozenset(
    {DsarState.SEARCHING, DsarState.AWAITING_APPROVAL, DsarState.EXECUTING, DsarState.ANSWERING, DsarState.ANSWERED,
     DsarState.CLOSED}
)  # fmt: skip
"""Where a reading that is still under way is not wanted any more: a search that begins again ends with a new one."""
_PAGE: Final = 50
_LETTERS: Final = 60_000
"""Characters of a page, unless its first record has more."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One text of a page: what it holds, and what detection says of it."""

    finding: StoredFinding
    text: RecordText
    digest: bytes
    suggested: tuple[Suggestion, ...] = ()
    unread: frozenset[Unread] = frozenset()


@dataclass(frozen=True, slots=True)
class _Page:
    """Some findings with their texts, opened; `files`: how many documents stand behind them."""

    findings: Sequence[StoredFinding]
    texts: Sequence[tuple[StoredFinding, RecordText]]
    files: int
    is_last: bool


def begin_reading(tx: Tx, dsar: Dsar) -> None:
    """Promise the reading of everything that was found, in the transaction that ends a search."""
    if not dsar.rule.hands_over_data:
        return
    version = redactions.begin_reading(tx, dsar.id)
    jobs.enqueue(tx, JOB, dsar.id, outbox_id=f"reading:{dsar.id}:{version}", version=version)


def read_page(ctx: Context, job: Job) -> str | None:
    """Read one page; None while there is more. Raises: JobLost, RequestEmptied, DetectionFailed."""
    dsar_id = DsarId(UUID(job.object_id))
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        dsar, reading = dsars.load_dsar(tx, dsar_id), redactions.load_reading(tx, dsar_id)
        if not _is_wanted(dsar, reading, job) or reading is None:
            return "superseded"
        key = sealing.key_of(ctx, tx, dsar_id)
        page = _page(ctx, tx, dsar, key, reading)
        keep = keep_list(ctx, tx, dsar, key) if page.texts else KeepList()
    labels = labels_of(ctx, reading, key)
    read, notes = _look(ctx, dsar, reading, key, page, keep, labels)
    crash_point("reading.after_detection")
    return _save(ctx, job, reading, page, read, notes, labels)


def _is_wanted(dsar: Dsar, reading: Reading | None, job: Job) -> bool:
    """Whether this job's reading is the present one, of a request that is still looked at."""
    if reading is None or dsar.state in _GONE_ON:
        return False
    return reading.version == job.arguments["version"] and reading.state in {ReadingState.WAITING, ReadingState.READING}


def _page(ctx: Context, tx: Tx, dsar: Dsar, key: DataKey, reading: Reading) -> _Page:
    rows = findings.page_of_all(tx, dsar.id, reading.after, _PAGE)
    taken: list[StoredFinding] = []
    texts: list[tuple[StoredFinding, RecordText]] = []
    files = letters = 0
    for row in rows:
        opened = open_finding(ctx, key, row)
        mine = [(row, one) for one in texts_of(opened.values, opened.files)]
        size = sum(min(len(one.text), LONGEST) for _, one in mine if is_prose(row.collection, one))
        if taken and letters + size > _LETTERS:
            break
        letters += size
        files += len(opened.files)
        taken.append(row)
        texts += mine
    return _Page(taken, texts, files, is_last=len(taken) == len(rows) and len(rows) < _PAGE)


def _look(
    ctx: Context, dsar: Dsar, reading: Reading, key: DataKey, page: _Page, keep: KeepList, labels: Labels
) -> tuple[list[_Read], tuple[str, ...]]:
    """What detection says of the page's texts; and what it lacks."""
    prose = [at for at, (row, one) in enumerate(page.texts) if is_prose(row.collection, one)]
    asked = prose[: max(0, MOST_TEXTS - reading.texts)]
    language = dsar.language.partition("-")[0].lower()
    found, notes = _detected(ctx, [Text(page.texts[at][1].text[:LONGEST], language) for at in asked])
    sources, unread = [], {at: {Unread.OVER_LIMIT} for at in prose[len(asked) :]}
    for at, told in zip(asked, found, strict=True):
        text = page.texts[at][1].text
        sources.append(SourceText(str(at), text, _placed(page.texts[at]), told.spans if told else ()))
        unread[at] = _unread(text, told)
    seen = set(asked)
    others = ((at, _placed(one)) for at, one in enumerate(page.texts) if at not in seen)
    sources += [SourceText(str(at), page.texts[at][1].text, marked) for at, marked in others if marked]
    by_text: dict[str, list[Suggestion]] = {}
    for one in suggest(sources, keep, labels, most=MOST_PASSAGES + 1):
        by_text.setdefault(one.key, []).append(one)
    read = []
    for at, (row, text_) in enumerate(page.texts):
        mine, missing = by_text.get(str(at), []), unread.get(at, set())
        named = [one for one in mine[:MOST_PASSAGES] if one.label != UNNAMED]
        if len(named) < len(mine):
            missing = missing | {Unread.TOO_MANY}
        told_of = (tuple(named), frozenset(missing))
        read.append(_Read(row, text_, digest_of(key, text_), *told_of))
    return read, notes


def _placed(one: tuple[StoredFinding, RecordText]) -> tuple[Marked, ...]:
    """The whole text, where its place in the record says that it is somebody's."""
    finding, text = one
    kind = somebodys(finding.collection, text)
    return () if kind is None else (Marked(0, len(text.text), kind),)


def _detected(ctx: Context, texts: Sequence[Text]) -> tuple[list[Detected | None], tuple[str, ...]]:
    """One answer for each text; None where detection broke down over that text alone.

    Raises: DetectionFailed: over each of several.
    """
    detection = ctx.ports.detection
    try:
        looked = detection.look(texts, Profile.REDACT)
    except DetectionFailed:
        if len(texts) == 1:
            return [None], ()
    else:
        return list(looked.found), looked.degraded
    answers: list[Detected | None] = []
    notes: tuple[str, ...] = ()
    for text in texts:
        one, told = _detected(ctx, [text])
        answers += one
        notes = notes or told
        if len(answers) > 1 and not any(answers):
            raise DetectionFailed
    return answers, notes


def _unread(text: str, told: Detected | None) -> set[Unread]:
    if told is None:
        return {Unread.NO_ANSWER}
    missing = {Unread.NO_MODEL if "no model" in one else Unread.PATTERN_SLOW for one in told.unsearched}
    return missing | {Unread.TOO_LONG} if len(text) > LONGEST else missing


@use_case(Action.DSAR_RUN)
def _save(
    ctx: Context, tx: Tx, job: Job, seen: Reading, page: _Page, read: Sequence[_Read], notes: tuple[str, ...],
    labels: Labels,
) -> str | None:  # fmt: skip
    """Commit a page: its texts, passages, labels and how far the reading is, together."""
    job_store.assert_owned(tx, job)
    dsar = dsars.load_dsar(tx, seen.dsar_id, is_locked=True)
    if not _is_wanted(dsar, redactions.load_reading(tx, dsar.id), job):
        return "superseded"
    key = sealing.key_of(ctx, tx, dsar.id)
    known = redactions.texts_of(tx, [one.id for one in page.findings])
    places: set[tuple[UUID, str, int]] = set()
    lost = new = 0
    for one in read:
        place: tuple[UUID, str, int] = (one.finding.id, one.text.name, one.text.at)
        places.add(place)
        more, gone = _save_text(tx, dsar, one, known.get(place))
        new, lost = new + more, lost + gone
    for there, stored in known.items():
        if there not in places:
            redactions.drop_text(tx, stored.id)
    for finding in page.findings:
        redactions.set_mentions(tx, finding.id, _people(one for one in read if one.finding.id == finding.id))
    crash_point("reading.after_passages_before_cursor")
    state = ReadingState.READ if page.is_last else ReadingState.READING
    last = page.findings[-1] if page.findings else None
    texts = seen.texts + sum(1 for one in read if is_prose(one.finding.collection, one.text))
    redactions.save_reading(
        tx, seen, state=state, texts=texts, files=seen.files + page.files,
        after=[last.store, last.collection, str(last.id)] if last else None,
        notes=list(dict.fromkeys([*seen.notes, *notes])), labels_sealed=sealed_labels(ctx, key, dsar.id, labels),
        settled_at=tx.now if page.is_last else None,
    )  # fmt: skip
    if lost:
        record(ctx, tx, "dsar.passages_dropped", "dsar", dsar.id, decisions=lost)
    if not page.is_last:
        return None
    counts = redactions.count_groups(tx, dsar.id)
    record(
        ctx, tx, "dsar.texts_read", "dsar", dsar.id, texts=texts, open=sum(group.open for group in counts),
        to_read=sum(group.unseen for group in counts),
    )  # fmt: skip
    return "read"


def _save_text(tx: Tx, dsar: Dsar, one: _Read, stored: Any) -> tuple[int, int]:
    """How many passages are new, and how many decisions were lost because the text is another one."""
    if stored is None and not one.suggested and not one.unread:
        return 0, 0
    lost = 0
    if stored is None:
        text = redactions.add_text(tx, dsar.id, one.finding.id, one.text.name, one.text.at, one.digest)
    else:
        text = stored.id
        lost = redactions.renew_text(tx, text, one.digest) if stored.digest != one.digest else 0
    redactions.set_unread(tx, text, one.unread)
    redactions.drop_open(tx, text, {(each.start, each.end) for each in one.suggested})
    decided = [each for each in redactions.passages_of(tx, [text])[text] if each.decision is not Decision.OPEN]
    return redactions.add_passages(tx, dsar.id, [_row(text, each) for each in _fresh(one.suggested, decided)]), lost


def _fresh(suggested: Iterable[Suggestion], decided: Sequence[StoredRedaction]) -> list[Suggestion]:
    """What no decision covers yet."""
    return [one for one in suggested if not any(has.start <= one.start and one.end <= has.end for has in decided)]


def _row(text: Any, one: Suggestion) -> Mapping[str, Any]:
    return {
        "text_id": text, "start": one.start, "end": one.end, "type": one.type, "label": one.label,
        "score": one.score, "why": one.why[:400], "is_certain": one.is_certain,
        "doubts": [str(doubt) for doubt in one.doubts], "decision": Decision.OPEN, "is_by_hand": False,
    }  # fmt: skip


def _people(read: Iterable[_Read]) -> int:
    return len({each.label for one in read for each in one.suggested if each.type == "PERSON"})


@use_case(Action.DSAR_RUN)
def reading_failed(ctx: Context, tx: Tx, dsar_id: DsarId, version: int) -> None:
    """Detection cannot be brought to read this request: a person does, and says so. Repeating changes nothing."""
    seen = redactions.load_reading(tx, dsar_id)
    if seen is None or seen.version != version or seen.state in {ReadingState.READ, ReadingState.FAILED}:
        return
    redactions.save_reading(tx, seen, state=ReadingState.FAILED, settled_at=tx.now)
    record(ctx, tx, "dsar.texts_unread", "dsar", dsar_id)


def labels_of(ctx: Context, reading: Reading, key: DataKey) -> Labels:
    if reading.labels_sealed is None:
        return Labels()
    return Labels(dict(json.loads(key.open(reading.labels_sealed, _labels_place(ctx, reading.dsar_id)))))


def sealed_labels(ctx: Context, key: DataKey, dsar_id: DsarId, labels: Labels) -> bytes:
    return key.seal(json.dumps(labels.of).encode(), _labels_place(ctx, dsar_id))


def _labels_place(ctx: Context, dsar_id: DsarId) -> Place:
    return sealing.place(ctx, "dsar_reading", "labels_sealed", dsar_id)
