"""What a person decides about passages on other people: take out, leave in, mark by hand, take back.

Every text is shown whole with what was suggested, and why. Nothing leaves the house on a score alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.account.rule import extent
from privacyops.domain.dsar.record import Dsar, StoredFinding
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.job import ENDED
from privacyops.domain.redaction.record import Reading, ReadingState, StoredRedaction, StoredText
from privacyops.domain.redaction.suggest import REDACTED, Decision
from privacyops.domain.redaction.texts import RecordText, places_of, texts_of
from privacyops.domain.redaction.titles import title_of
from privacyops.kernel.errors import Conflict, Forbidden, NotFound, StaleState, Unprocessable
from privacyops.kernel.ids import DsarId, FindingId
from privacyops.kernel.pagination import Page
from privacyops.ports.keyring import DataKey
from privacyops.services import sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar.columns import labelled
from privacyops.services.dsar.package import open_finding
from privacyops.services.dsar.passages import TextsNotRead, digest_of
from privacyops.services.dsar.reading import JOB, MOST_PASSAGES, begin_reading, labels_of, sealed_labels
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import redaction as redactions
from privacyops.store.redaction import GroupCount
from privacyops.store.uow import Tx

BY_HAND: Final = "marked by hand"
_CERTAIN: Final = 1.0
Alike = Mapping[tuple[str, Decision], int]


class RedactionsClosed(Conflict):
    type = "/problems/review-not-open"
    title = "Decisions can be changed while the request is in review; return it first"


class WordsNotInText(Unprocessable):
    type = "/problems/words-not-in-text"
    title = "These words do not stand in the text"


@dataclass(frozen=True, slots=True)
class OpenedText:
    """One text in clear, with its passages. `stored` is None where nothing is known of it yet."""

    finding: StoredFinding
    number: int
    record: str
    label: str
    text: str
    stored: StoredText | None
    passages: Sequence[StoredRedaction]


@dataclass(frozen=True, slots=True)
class OpenedTexts:
    """A page of texts, how far the reading is, what is open in each collection, and how many of the whole request
    have the same label and decision.
    """

    reading: Reading | None
    counts: Sequence[GroupCount]
    alike: Alike
    texts: Page[OpenedText]


@dataclass(frozen=True, slots=True)
class Listed:
    """A passage by its place, without a piece of its text."""

    passage: StoredRedaction
    text: StoredText
    store: str
    collection: str


@use_case(Action.DSAR_OPEN)
def open_texts(
    ctx: Context, tx: Tx, dsar_id: DsarId, after: str | None = None, limit: int = 10, *, only_open: bool = False
) -> OpenedTexts:
    """Texts in clear, with an audit row of how many were seen. Raises: Forbidden, NotFound, RequestEmptied."""
    dsar = _readable(ctx, tx, dsar_id)
    key = sealing.key_of(ctx, tx, dsar_id)
    page = redactions.page_of_texts(tx, dsar_id, after, limit, only_open=only_open)
    passages = redactions.passages_of(tx, [one.id for one in page.items])
    opened: list[OpenedText] = []
    rows: dict[UUID, tuple[StoredFinding, str, Sequence[RecordText]]] = {}
    for one in page.items:
        finding, name, texts = rows.get(one.finding_id) or _opened(ctx, tx, dsar_id, key, one.finding_id)
        rows[one.finding_id] = finding, name, texts
        number = next((at for at, text in enumerate(texts) if (text.name, text.at) == (one.field, one.at)), None)
        if number is not None and digest_of(key, texts[number]) == one.digest:
            label, text = labelled(texts[number].field), texts[number].text
            opened.append(OpenedText(finding, number, name, label, text, one, passages[one.id]))
    record(ctx, tx, "dsar.view_findings", "dsar", dsar.id, texts=len(opened))
    return _page(tx, dsar_id, Page(opened, page.next))


@use_case(Action.DSAR_OPEN)
def open_text(ctx: Context, tx: Tx, dsar_id: DsarId, finding: FindingId, number: int) -> OpenedTexts:
    """Any one text of a record, the `number`th of its strings: to mark by hand. Raises: Forbidden, NotFound."""
    dsar = _readable(ctx, tx, dsar_id)
    key = sealing.key_of(ctx, tx, dsar_id)
    row, name, texts = _opened(ctx, tx, dsar_id, key, finding)
    if not 0 <= number < len(texts):
        raise NotFound
    text = texts[number]
    stored = redactions.texts_of(tx, [finding]).get((finding, text.name, text.at))
    passages = redactions.passages_of(tx, [stored.id])[stored.id] if stored is not None else ()
    opened = OpenedText(row, number, name, labelled(text.field), text.text, stored, passages)
    record(ctx, tx, "dsar.view_findings", "dsar", dsar.id, texts=1)
    return _page(tx, dsar_id, Page([opened], None))


@reading(Action.DSAR_STATUS)
def list_passages(
    ctx: Context, tx: Tx, dsar_id: DsarId, after: str | None = None, limit: int = 50
) -> tuple[Reading | None, tuple[int, int], Page[Listed]]:
    """How far the reading is; how many passages are open and texts unseen, of records that are not left out; and a
    page of passages by their places, without content. Raises: NotFound.
    """
    dsars.load_dsar(tx, dsar_id)
    page = redactions.page_of_passages(tx, dsar_id, after, limit)
    listed = Page([Listed(*one) for one in page.items], page.next)
    given = [one for one in redactions.count_groups(tx, dsar_id) if one.on_record is not OnRecord.EXCLUDE]
    waiting = sum(one.open for one in given), sum(one.unseen for one in given)
    return redactions.load_reading(tx, dsar_id), waiting, listed


@reading(Action.DSAR_STATUS)
def one_passage(ctx: Context, tx: Tx, dsar_id: DsarId, passage: UUID) -> Listed:
    """A passage by its place. Raises: NotFound."""
    one = redactions.load_passage(tx, dsar_id, passage)
    text = redactions.load_text(tx, dsar_id, one.text_id)
    finding = findings.load_finding(tx, dsar_id, text.finding_id)
    return Listed(one, text, finding.store, finding.collection)


@use_case(Action.DSAR_REDACT)
def decide(
    ctx: Context, tx: Tx, dsar_id: DsarId, passage: UUID, decision: Decision, seen: Decision | None = None
) -> StoredRedaction | None:
    """Take a passage out, leave it in, or take the decision back (OPEN); None: one marked by hand was taken back.

    The same decision again changes nothing. `seen`: the decision that was looked at.
    Raises: RedactionsClosed, NotFound, StaleState, Unprocessable: what was marked by hand is only taken back.
    """
    dsar = _in_review(tx, dsar_id)
    one = redactions.load_passage(tx, dsar_id, passage)
    if one.decision is decision:
        return one
    if seen is not None and one.decision is not seen:
        raise StaleState
    if decision is Decision.ADDED or (one.is_by_hand and decision is not Decision.OPEN):
        raise Unprocessable("accept, refuse, or take the decision back")
    if one.is_by_hand:
        redactions.remove(tx, one)
    else:
        redactions.decide(tx, one, decision, None if decision is Decision.OPEN else ctx.actor.id)
    _changed(ctx, tx, dsar, one, "taken_back" if decision is Decision.OPEN else str(decision))
    return None if one.is_by_hand else redactions.load_passage(tx, dsar_id, passage)


@use_case(Action.DSAR_REDACT)
def decide_alike(
    ctx: Context, tx: Tx, dsar_id: DsarId, label: str, decision: Decision, before: Decision = Decision.OPEN
) -> int:
    """The same decision for every passage that has this label, one person, address or number, and was decided as
    `before`; OPEN takes them back. How many. Raises: RedactionsClosed, Unprocessable: marked by hand, or no change.
    """
    if Decision.ADDED in {decision, before} or decision is before:
        raise Unprocessable("accept, refuse, or take the decisions back")
    dsar = _in_review(tx, dsar_id)
    alike = redactions.list_alike(tx, dsar_id, label, before)
    for one in alike:
        redactions.decide(tx, one, decision, None if decision is Decision.OPEN else ctx.actor.id)
    if alike:
        dsars.save_dsar(tx, dsar, plan_hash=None)
        said = "taken_back" if decision is Decision.OPEN else str(decision)
        record(ctx, tx, "dsar.redact", "dsar", dsar_id, decision=said, label=label, passages=len(alike))
    return len(alike)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is marked by hand: code points `start` to `end` of a text, or `words` as they stand there.

    The text is the `number`th of the record's strings, or that `at` the place in `field`. `everywhere`: each time
    that the words stand in it.
    """

    finding: FindingId
    number: int | None = None
    field: str = ""
    at: int = 0
    start: int | None = None
    end: int | None = None
    words: str = ""
    everywhere: bool = False


@use_case(Action.DSAR_REDACT)
def mark(ctx: Context, tx: Tx, dsar_id: DsarId, spot: Spot, kind: str) -> tuple[StoredRedaction, ...]:
    """Take out what nobody suggested. What stands marked already stays; a suggestion that is the same is accepted.

    Raises: RedactionsClosed, TextsNotRead, NotFound, WordsNotInText, Unprocessable: no such kind, or no such place.
    """
    if kind not in REDACTED:
        raise Unprocessable("say what it is: a person, an address, a phone number")
    dsar, seen = _in_review(tx, dsar_id), redactions.load_reading(tx, dsar_id)
    if seen is None or seen.state not in {ReadingState.READ, ReadingState.FAILED}:
        raise TextsNotRead
    key = sealing.key_of(ctx, tx, dsar_id)
    _, _, texts = _opened(ctx, tx, dsar_id, key, spot.finding)
    text = _text_at(texts, spot)
    places = _places(text.text, spot)
    stored = redactions.texts_of(tx, [spot.finding]).get((spot.finding, text.name, text.at))
    digest = digest_of(key, text)
    where = stored.id if stored else redactions.add_text(tx, dsar_id, spot.finding, text.name, text.at, digest)
    if stored is not None and stored.digest != digest:
        redactions.renew_text(tx, where, digest)
    labels = labels_of(ctx, seen, key)
    known = {(one.start, one.end): one for one in redactions.passages_of(tx, [where])[where]}
    for start, end in places:
        label = labels.label(text.text[start:end], kind)
        _mark_one(ctx, tx, dsar_id, known.get((start, end)), _by_hand(ctx, tx, where, start, end, kind, label))
    redactions.save_reading(tx, seen, labels_sealed=sealed_labels(ctx, key, dsar_id, labels))
    dsars.save_dsar(tx, dsar, plan_hash=None)
    record(
        ctx, tx, "dsar.redact", "dsar", dsar_id, decision=str(Decision.ADDED), kind=kind, text=str(where),
        passages=len(places), start=places[0][0], end=places[0][1],
    )  # fmt: skip
    now = {(one.start, one.end): one for one in redactions.passages_of(tx, [where])[where]}
    return tuple(now[place] for place in places)


@use_case(Action.DSAR_REDACT)
def texts_seen(ctx: Context, tx: Tx, dsar_id: DsarId, texts: Sequence[UUID]) -> int:
    """A person has read these texts, which the machine could not look through; how many.

    Nothing else says so: one decision inside a text is not the reading of it. Raises: RedactionsClosed, Forbidden.
    """
    _require_person(ctx)
    dsar = _in_review(tx, dsar_id)
    waiting = [one for key in texts if (one := redactions.load_text(tx, dsar_id, key)).is_unseen]
    for one in waiting:
        redactions.mark_seen(tx, one.id, ctx.actor.id)
    if waiting:
        dsars.save_dsar(tx, dsar, plan_hash=None)
        record(ctx, tx, "dsar.texts_seen", "dsar", dsar_id, texts=len(waiting))
    return len(waiting)


@use_case(Action.DSAR_REDACT)
def text_unseen(ctx: Context, tx: Tx, dsar_id: DsarId, text: UUID) -> None:
    """It was not read after all. Again changes nothing. Raises: RedactionsClosed, NotFound."""
    dsar = _in_review(tx, dsar_id)
    if redactions.load_text(tx, dsar_id, text).seen_at is not None:
        redactions.mark_unseen(tx, text)
        dsars.save_dsar(tx, dsar, plan_hash=None)
        record(ctx, tx, "dsar.text_unseen", "dsar", dsar_id, text=str(text))


@use_case(Action.DSAR_REDACT)
def vouch(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """A person has read every text, where the machine could not. Again changes nothing. Raises: RedactionsClosed,
    TextsNotRead: the machine is still at it, or has done it. Forbidden.
    """
    _require_person(ctx)
    dsar, seen = _in_review(tx, dsar_id), redactions.load_reading(tx, dsar_id)
    if seen is None or seen.state is not ReadingState.FAILED:
        raise TextsNotRead
    if seen.vouched_by is None:
        redactions.save_reading(tx, seen, vouched_by=ctx.actor.id, vouched_at=tx.now)
        dsars.save_dsar(tx, dsar, plan_hash=None)
        record(ctx, tx, "dsar.texts_vouched", "dsar", dsar_id)


@use_case(Action.DSAR_REDACT)
def read_again(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """Let the machine read once more, after it failed or where it never did. Decisions stay. While a reading is under
    way nothing changes; one whose job has ended begins anew. Raises: RedactionsClosed.
    """
    dsar, seen = _in_review(tx, dsar_id), redactions.load_reading(tx, dsar_id)
    if seen is None or not _is_under_way(tx, seen):
        begin_reading(tx, dsars.save_dsar(tx, dsar, plan_hash=None))  # a review that ends meanwhile is told of it
        record(ctx, tx, "dsar.read_again", "dsar", dsar_id)


def _page(tx: Tx, dsar_id: DsarId, texts: Page[OpenedText]) -> OpenedTexts:
    counts, alike = redactions.count_groups(tx, dsar_id), redactions.count_alike(tx, dsar_id)
    return OpenedTexts(redactions.load_reading(tx, dsar_id), counts, alike, texts)


def _readable(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    if extent(ctx.actor, Action.DSAR_OPEN) is not Extent.CLEAR:
        raise Forbidden("this role sees what was decided, not the records themselves")
    return dsars.load_dsar(tx, dsar_id)


def _in_review(tx: Tx, dsar_id: DsarId) -> Dsar:
    dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)
    if dsar.state is not DsarState.IN_REVIEW:
        raise RedactionsClosed
    return dsar


def _require_person(ctx: Context) -> None:
    """Raises: Forbidden: a key reads nothing, so it cannot say that it did."""
    if ctx.actor.kind is not ActorKind.STAFF:
        raise Forbidden("only a person can say that a text was read")


def _is_under_way(tx: Tx, seen: Reading) -> bool:
    """Whether a job is still to work on this reading."""
    if seen.state in {ReadingState.FAILED, ReadingState.READ}:
        return False
    mine = [one for one in job_store.list_jobs_of(tx, str(seen.dsar_id)) if one.kind == JOB]
    return any(one.state not in ENDED and one.arguments["version"] == seen.version for one in mine)


def _opened(
    ctx: Context, tx: Tx, dsar_id: DsarId, key: DataKey, finding: UUID
) -> tuple[StoredFinding, str, Sequence[RecordText]]:
    """A finding, what people call its record, and its texts."""
    row = findings.load_finding(tx, dsar_id, FindingId(finding))
    opened = open_finding(ctx, key, row)
    return row, title_of(row.collection, opened.key), tuple(texts_of(opened.values, opened.files))


def _text_at(texts: Sequence[RecordText], spot: Spot) -> RecordText:
    for number, text in enumerate(texts):
        if number == spot.number or (spot.number is None and (text.name, text.at) == (spot.field, spot.at)):
            return text
    raise NotFound


def _places(text: str, spot: Spot) -> list[tuple[int, int]]:
    if spot.words.strip():
        found = places_of(text, spot.words, MOST_PASSAGES if spot.everywhere else 1)
        if not found:
            raise WordsNotInText
        return found
    if spot.start is None or spot.end is None or not 0 <= spot.start < spot.end <= len(text):
        raise Unprocessable(f"give the words, or a beginning and an end between 0 and {len(text)}")
    return [(spot.start, spot.end)]


def _by_hand(ctx: Context, tx: Tx, text: UUID, start: int, end: int, kind: str, label: str) -> Mapping[str, Any]:
    return {
        "text_id": text, "start": start, "end": end, "type": kind, "label": label, "score": _CERTAIN, "why": BY_HAND,
        "is_certain": True, "doubts": [], "decision": Decision.ADDED, "is_by_hand": True, "decided_by": ctx.actor.id,
        "decided_at": tx.now,
    }  # fmt: skip


def _mark_one(ctx: Context, tx: Tx, dsar_id: DsarId, known: StoredRedaction | None, new: Mapping[str, Any]) -> None:
    if known is None:
        redactions.add_passages(tx, dsar_id, [new])
    elif known.decision in {Decision.OPEN, Decision.REFUSED}:
        redactions.decide(tx, known, Decision.ACCEPTED, ctx.actor.id)


def _changed(ctx: Context, tx: Tx, dsar: Dsar, one: StoredRedaction, decision: str) -> None:
    dsars.save_dsar(tx, dsar, plan_hash=None)
    record(
        ctx, tx, "dsar.redact", "dsar", dsar.id, decision=decision, before=str(one.decision), passage=str(one.id),
        text=str(one.text_id), kind=one.type, label=one.label, start=one.start, end=one.end,
    )  # fmt: skip
