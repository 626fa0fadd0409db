"""The reading of a request's texts, the texts that matter, and the passages in them that are about other people."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.record import (
    TAKEN_OUT,
    Reading,
    ReadingState,
    StoredRedaction,
    StoredText,
    Unread,
)
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import BadRequest, NotFound
from privacyops.kernel.ids import DsarId, FindingId, uuid7
from privacyops.kernel.pagination import Page, bounded
from privacyops.store.tables.base import table_of
from privacyops.store.tables.finding import FindingRow
from privacyops.store.tables.redaction import FindingTextRow, ReadingRow, RedactionRow
from privacyops.store.uow import Tx

_READING = table_of(ReadingRow)
_TEXT = table_of(FindingTextRow)
_PASSAGE = table_of(RedactionRow)
_FINDING = table_of(FindingRow)
_UNSEEN = (_TEXT.c.is_unread.is_(True), _TEXT.c.seen_at.is_(None))


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Passages and texts of the records of one collection that have one decision."""

    store: str
    collection: str
    on_record: OnRecord
    open: int
    taken_out: int
    left_in: int
    unseen: int


def load_reading(tx: Tx, dsar_id: DsarId) -> Reading | None:
    """How far the texts of a request are read; None: nobody asked for it."""
    row = tx.run(select(_READING).where(_READING.c.dsar_id == dsar_id)).one_or_none()
    return None if row is None else _reading(row)


def begin_reading(tx: Tx, dsar_id: DsarId) -> int:
    """Read from the first record, again where it was read before; the version of this reading. Labels stay."""
    seen = load_reading(tx, dsar_id)
    fresh: dict[str, Any] = {
        "state": ReadingState.WAITING, "after": None, "texts": 0, "files": 0, "notes": [], "settled_at": None,
        "vouched_by": None, "vouched_at": None,
    }  # fmt: skip
    if seen is None:
        tx.run(insert(_READING), {"dsar_id": dsar_id, "version": 1, **fresh})
        return 1
    save_reading(tx, seen, version=seen.version + 1, **fresh)
    return seen.version + 1


def save_reading(tx: Tx, seen: Reading, **changed: Any) -> None:
    """Compare-and-set on the version and the state. Raises: StaleState."""
    here = (_READING.c.dsar_id == seen.dsar_id, _READING.c.version == seen.version, _READING.c.state == seen.state)
    tx.move(update(_READING).where(*here).values(**changed))


def texts_of(tx: Tx, findings: Collection[FindingId]) -> Mapping[tuple[UUID, str, int], StoredText]:
    """The texts of these findings, by finding, field and place."""
    rows = tx.run(select(_TEXT).where(_TEXT.c.finding_id.in_(list(findings))))
    return {(row.finding_id, row.field, row.at): _text(row) for row in rows}


def has_later(tx: Tx, dsar_id: DsarId, ended: Instant) -> bool:
    """Whether a record that is given came after a reading that `ended` then."""
    given = (_FINDING.c.dsar_id == dsar_id, _FINDING.c.decision == OnRecord.INCLUDE, _FINDING.c.found_at > ended)
    return bool(tx.run(select(exists().where(*given))).scalar_one())


def add_text(tx: Tx, dsar_id: DsarId, finding: FindingId, field: str, at: int, digest: bytes) -> UUID:
    """A text that matters."""
    key = uuid7(tx.now)
    tx.run(
        insert(_TEXT),
        {"id": key, "dsar_id": dsar_id, "finding_id": finding, "field": field, "at": at, "digest": digest,
         "unread": [], "is_unread": False},
    )  # fmt: skip
    return key


def renew_text(tx: Tx, text: UUID, digest: bytes) -> int:
    """The text is another one by now: what was said of the old one is dropped; how many decisions went with it."""
    decided = tx.run(
        select(func.count()).where(_PASSAGE.c.text_id == text, _PASSAGE.c.decision != Decision.OPEN)
    ).scalar_one()
    tx.run(delete(_PASSAGE).where(_PASSAGE.c.text_id == text))
    tx.run(update(_TEXT).where(_TEXT.c.id == text).values(digest=digest, seen_by=None, seen_at=None))
    return int(decided)


def drop_text(tx: Tx, text: UUID) -> None:
    """The record holds no such text any more."""
    tx.run(delete(_PASSAGE).where(_PASSAGE.c.text_id == text))
    tx.run(delete(_TEXT).where(_TEXT.c.id == text))


def set_unread(tx: Tx, text: UUID, why: Collection[Unread]) -> None:
    """What of the text the machine did not look through."""
    values = {"unread": sorted(map(str, why)), "is_unread": bool(why)}
    tx.run(update(_TEXT).where(_TEXT.c.id == text).values(**values))


def add_passages(tx: Tx, dsar_id: DsarId, passages: Sequence[Mapping[str, Any]]) -> int:
    """Passages with their `text_id`; one that stands there already, whoever put it there, stays. How many are new."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(_PASSAGE).on_conflict_do_nothing(
        index_elements=[_PASSAGE.c.text_id, _PASSAGE.c.start, _PASSAGE.c.end]
    )
    new = 0
    for one in passages:
        new += max(0, tx.run(statement, {"id": uuid7(tx.now), "dsar_id": dsar_id, **one}).rowcount)
    return new


def drop_open(tx: Tx, text: UUID, kept: Collection[tuple[int, int]]) -> None:
    """Suggestions that nobody decided and that a later reading does not make any more."""
    rows = tx.run(select(_PASSAGE).where(_PASSAGE.c.text_id == text, _PASSAGE.c.decision == Decision.OPEN)).all()
    gone = [row.id for row in rows if (row.start, row.end) not in kept]
    if gone:
        tx.run(delete(_PASSAGE).where(_PASSAGE.c.id.in_(gone)))


def set_mentions(tx: Tx, finding: FindingId, people: int) -> None:
    """How many other people a record names, as far as detection sees."""
    tx.run(update(_FINDING).where(_FINDING.c.id == finding).values(persons_mentioned=people))


def page_of_texts(tx: Tx, dsar_id: DsarId, after: str | None, limit: int, *, only_open: bool) -> Page[StoredText]:
    """Texts with passages, and those a person has to read, in the order of reading; of records that are given."""
    waits = exists().where(_PASSAGE.c.text_id == _TEXT.c.id, _PASSAGE.c.decision == Decision.OPEN)
    any_ = exists().where(_PASSAGE.c.text_id == _TEXT.c.id)
    query = (
        select(_TEXT)
        .join(_FINDING, _FINDING.c.id == _TEXT.c.finding_id)
        .where(_TEXT.c.dsar_id == dsar_id, _FINDING.c.decision != OnRecord.EXCLUDE, _FINDING.c.sealed.is_not(None))
    )
    unseen = _TEXT.c.is_unread & _TEXT.c.seen_at.is_(None)
    query = query.where(waits | unseen if only_open else any_ | _TEXT.c.is_unread)
    if after:
        query = query.where(_TEXT.c.id > _cursor(after))
    rows = tx.run(query.order_by(_TEXT.c.id).limit(bounded(limit) + 1)).all()
    items = [_text(row) for row in rows[:limit]]
    return Page(items, str(items[-1].id) if len(rows) > limit else None)


def load_text(tx: Tx, dsar_id: DsarId, text: UUID) -> StoredText:
    """Raises: NotFound: no such text of this request."""
    row = tx.run(select(_TEXT).where(_TEXT.c.id == text, _TEXT.c.dsar_id == dsar_id)).one_or_none()
    if row is None:
        raise NotFound
    return _text(row)


def mark_seen(tx: Tx, text: UUID, by: UUID) -> None:
    """A person has read the text; the first one stays named."""
    tx.run(update(_TEXT).where(_TEXT.c.id == text, _TEXT.c.seen_at.is_(None)).values(seen_by=by, seen_at=tx.now))


def passages_of(tx: Tx, texts: Collection[UUID]) -> Mapping[UUID, Sequence[StoredRedaction]]:
    """The passages of these texts, by text, in order of place."""
    query = select(_PASSAGE).where(_PASSAGE.c.text_id.in_(list(texts)))
    found: dict[UUID, list[StoredRedaction]] = {text: [] for text in texts}
    for row in tx.run(query.order_by(_PASSAGE.c.start, _PASSAGE.c.end)):
        found[row.text_id].append(_passage(row))
    return found


def load_passage(tx: Tx, dsar_id: DsarId, passage: UUID) -> StoredRedaction:
    """Raises: NotFound: no such passage of this request."""
    row = tx.run(select(_PASSAGE).where(_PASSAGE.c.id == passage, _PASSAGE.c.dsar_id == dsar_id)).one_or_none()
    if row is None:
        raise NotFound
    return _passage(row)


def decide(tx: Tx, seen: StoredRedaction, decision: Decision, by: UUID | None) -> None:
    """Compare-and-set on the decision. Raises: StaleState."""
    changed = {"decision": decision, "decided_by": by, "decided_at": tx.now if by is not None else None}
    tx.move(update(_PASSAGE).where(_PASSAGE.c.id == seen.id, _PASSAGE.c.decision == seen.decision).values(**changed))


def list_alike(
    tx: Tx, dsar_id: DsarId, label: str, decision: Decision, limit: int = 5_000
) -> Sequence[StoredRedaction]:
    """The passages of a request that have this label and this decision."""
    here = (_PASSAGE.c.dsar_id == dsar_id, _PASSAGE.c.label == label, _PASSAGE.c.decision == decision)
    return [_passage(row) for row in tx.run(select(_PASSAGE).where(*here).order_by(_PASSAGE.c.id).limit(limit))]


def count_alike(tx: Tx, dsar_id: DsarId) -> Mapping[tuple[str, Decision], int]:
    """How many passages of the whole request have each label and decision."""
    both = (_PASSAGE.c.label, _PASSAGE.c.decision)
    rows = tx.run(select(*both, func.count().label("n")).where(_PASSAGE.c.dsar_id == dsar_id).group_by(*both))
    return {(row.label, Decision(row.decision)): row.n for row in rows}


def mark_unseen(tx: Tx, text: UUID) -> None:
    """Nobody has read the text after all."""
    tx.run(update(_TEXT).where(_TEXT.c.id == text).values(seen_by=None, seen_at=None))


def remove(tx: Tx, seen: StoredRedaction) -> None:
    """Take back a passage that was added by hand. Raises: StaleState."""
    tx.move(delete(_PASSAGE).where(_PASSAGE.c.id == seen.id, _PASSAGE.c.decision == seen.decision))


def page_of_passages(
    tx: Tx, dsar_id: DsarId, after: str | None, limit: int
) -> Page[tuple[StoredRedaction, StoredText, str, str]]:
    """Passages with their text, store and collection, in the order in which they were made."""
    query = select(_PASSAGE).where(_PASSAGE.c.dsar_id == dsar_id)
    if after:
        query = query.where(_PASSAGE.c.id > _cursor(after))
    rows = tx.run(query.order_by(_PASSAGE.c.id).limit(bounded(limit) + 1)).all()
    passages = [_passage(row) for row in rows[:limit]]
    beside = select(_TEXT, _FINDING.c.store, _FINDING.c.collection).join(_FINDING, _FINDING.c.id == _TEXT.c.finding_id)
    keys = sorted({one.text_id for one in passages})
    texts = {row.id: (_text(row), row.store, row.collection) for row in tx.run(beside.where(_TEXT.c.id.in_(keys)))}
    items = [(one, *texts[one.text_id]) for one in passages]
    return Page(items, str(passages[-1].id) if len(rows) > limit else None)


def count_groups(tx: Tx, dsar_id: DsarId) -> Sequence[GroupCount]:
    """What is open and decided in each collection."""
    where = (_FINDING.c.store, _FINDING.c.collection, _FINDING.c.decision)

    def how_many(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    passages = (
        select(
            *where,
            how_many(_PASSAGE.c.decision == Decision.OPEN).label("open"),
            how_many(_PASSAGE.c.decision.in_(sorted(TAKEN_OUT))).label("taken_out"),
            how_many(_PASSAGE.c.decision == Decision.REFUSED).label("left_in"),
        )
        .join(_TEXT, _TEXT.c.finding_id == _FINDING.c.id)
        .join(_PASSAGE, _PASSAGE.c.text_id == _TEXT.c.id)
        .where(_FINDING.c.dsar_id == dsar_id)
        .group_by(*where)
    )
    unseen = (
        select(*where, func.count().label("unseen"))
        .join(_TEXT, _TEXT.c.finding_id == _FINDING.c.id)
        .where(_FINDING.c.dsar_id == dsar_id, *_UNSEEN)
        .group_by(*where)
    )
    waiting = {tuple(row[:3]): row.unseen for row in tx.run(unseen)}
    counted = {tuple(row[:3]): row for row in tx.run(passages)}
    groups = []
    for key in sorted({*counted, *waiting}):
        row = counted.get(key)
        numbers = (int(row.open), int(row.taken_out), int(row.left_in)) if row is not None else (0, 0, 0)
        groups.append(GroupCount(key[0], key[1], OnRecord(key[2]), *numbers, unseen=int(waiting.get(key, 0))))
    return groups


def plan_lines(tx: Tx, dsar_id: DsarId) -> Iterator[str]:
    """What is taken out of the answer, a line a passage: what an approval binds to."""
    query = (
        select(_TEXT.c.finding_id, _TEXT.c.field, _TEXT.c.at, _PASSAGE.c.start, _PASSAGE.c.end, _PASSAGE.c.label)
        .join(_TEXT, _TEXT.c.id == _PASSAGE.c.text_id)
        .where(_PASSAGE.c.dsar_id == dsar_id, _PASSAGE.c.decision.in_(sorted(TAKEN_OUT)))
        .order_by(_TEXT.c.finding_id, _TEXT.c.field, _TEXT.c.at, _PASSAGE.c.start, _PASSAGE.c.end)
    )
    for row in tx.run(query):
        yield "\t".join(("redact", *map(str, row)))


def _cursor(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        raise BadRequest("the cursor is not one that this list gave out") from None


def _reading(row: Row[Any]) -> Reading:
    return Reading(
        dsar_id=DsarId(row.dsar_id), state=ReadingState(row.state), version=row.version,
        after=(row.after[0], row.after[1], UUID(row.after[2])) if row.after else None, texts=row.texts,
        files=row.files, notes=tuple(row.notes), labels_sealed=row.labels_sealed, settled_at=row.settled_at,
        vouched_by=row.vouched_by, vouched_at=row.vouched_at,
    )  # fmt: skip


def _text(row: Row[Any]) -> StoredText:
    return StoredText(
        id=row.id, dsar_id=DsarId(row.dsar_id), finding_id=FindingId(row.finding_id), field=row.field, at=row.at,
        digest=row.digest, unread=tuple(map(Unread, row.unread)), seen_by=row.seen_by, seen_at=row.seen_at,
    )  # fmt: skip


def _passage(row: Row[Any]) -> StoredRedaction:
    return StoredRedaction(
        id=row.id, text_id=row.text_id, start=row.start, end=row.end, type=row.type, label=row.label,
        score=row.score, why=row.why, is_certain=row.is_certain, doubts=tuple(map(Doubt, row.doubts)),
        decision=Decision(row.decision), is_by_hand=row.is_by_hand, decided_by=row.decided_by,
        decided_at=row.decided_at,
    )  # fmt: skip
