"""May I, and why; what somebody's choices are, and how they came about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import GRANTED, RowKind
from privacyops.domain.decision import Asked, Decision, decide, of_nobody, when_stale
from privacyops.domain.purpose import Ground, PurposeScope
from privacyops.domain.subject import SubjectUnknown
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import BadRequest
from privacyops.kernel.pagination import Page, bounded
from privacyops.kernel.record import record
from privacyops.services import purpose as published
from privacyops.services.consent import life, subjects
from privacyops.services.consent.freshness import DEFAULT, Freshness, Read
from privacyops.services.consent.life import event_of_past
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import brand_named, purpose_named
from privacyops.services.context import Context, reading
from privacyops.store import consent as consents
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import Subject
from privacyops.store.uow import Tx


class BadCursor(BadRequest):
    type = "/problems/bad-cursor"
    title = "The cursor is not the `next` of a page before"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be done, to whom, over which channel, for which brand; `jurisdiction` where the caller knows it."""

    whom: Whom
    purpose: str
    channel: str
    brand: str | None = None
    jurisdiction: str | None = None
    freshness: Freshness = DEFAULT


@record(frozen=True, slots=True)
class CheckAnswer:
    """The decision and everything it was made from. `is_stale`: older than the question asked for."""

    decision: Decision
    asked: Asked
    jurisdiction: str | None
    state_version: int
    as_of: Instant
    age_ms: int = 0
    is_stale: bool = False

    @property
    def granted_at(self) -> Instant | None:
        """When the grant that counts was given; None where none counts."""
        choice = self.decision.choice
        return choice.since if choice is not None and choice.state in GRANTED and self.decision.is_allowed else None


@dataclass(frozen=True, slots=True)
class CurrentChoice:
    """One row of a person's choices and what it answers now."""

    row: StateRow
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One event as it is shown: the leaf's facts, and what followed."""

    event: ConsentEvent
    applied: bool
    state_version: int
    seq: int | None


@reading(Action.CONSENT_CHECK)
def check(ctx: Context, tx: Tx, question: Question) -> CheckAnswer:
    """Whether it may be done now, and why. Reads the database that writes go to, so every answer is strict.

    An unknown person is no error: silence is answered by the regime.
    Raises: UnknownPurpose, UnknownChannel, UnknownBrand, IdentityConflict: never an allow.
    """
    names = published.catalogue(ctx, tx)
    known = purpose_named(names, question.purpose, question.channel)
    brand = names.brands[brand_named(names, question.brand)]
    found = consents.load_known(tx, subjects.refs_of_whom(ctx, question.whom), known.no, names)
    home = found.subject.jurisdiction if found.subject else None
    ground, place = known.current.ground_in(question.jurisdiction, home, brand.jurisdiction)
    asked = Asked(
        purpose=known.current,
        channel=question.channel,
        brand=brand.key,
        ground=ground,
        material_purpose=known.material,
        material_notices=names.material_notices,
        contacts=subjects.contacts_of_whom(ctx, question.whom, question.channel),
    )
    rows = [*found.rows.values()]
    suppression_refs = subjects.suppression_refs(ctx, question.whom, question.channel)
    if suppression_refs:
        rows += consents.list_suppressions(tx, suppression_refs, names)
    decision = decide(rows, asked, tx.now)
    if found.subject is None and subjects.is_own_id(question.whom.subject_id):
        decision = of_nobody(decision)
    read = Read(found.subject.no if found.subject else None, found.state_version)
    if not question.freshness.is_met(ctx.ports.keyring, tx.controller, read):
        decision = when_stale(decision, asked)
        return CheckAnswer(decision, asked, place, found.state_version, tx.now, is_stale=True)
    return CheckAnswer(decision, asked, place, found.state_version, tx.now)


@reading(Action.CONSENT_READ)
def current(ctx: Context, tx: Tx, subject_id: str, at: Instant | None = None) -> Sequence[CurrentChoice]:
    """The person's choices and stops, as they stand, or as they stood at `at`: then folded from the events.

    Raises: SubjectUnknown.
    """
    names = published.catalogue(ctx, tx)
    subject = _known(ctx, tx, subject_id)
    if at is None:
        rows = consents.load_rows(tx, subject.no, names)
    else:
        rows = life.rows_of(ctx, tx, subject.no, names, until=at)
    moment = at or tx.now
    return [
        CurrentChoice(row, _decided(names, rows.values(), row, subject, moment))
        for row in sorted(rows.values(), key=lambda row: tuple(str(part or "") for part in row.key))
    ]


@reading(Action.CONSENT_READ)
def history(ctx: Context, tx: Tx, subject_id: str, before: str | None = None, limit: int = 50) -> Page[HistoryItem]:
    """The person's events, newest first. `before` is the cursor of the page before.

    Raises: SubjectUnknown, BadCursor, BadLimit.
    """
    if before is not None and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise BadCursor
    names = published.catalogue(ctx, tx)
    subject = _known(ctx, tx, subject_id)
    found = consents.list_events(tx, subject.no, int(before) if before else None, bounded(limit) + 1)
    items = [
        HistoryItem(event_of_past(item, names), item.applied, item.state_version, item.seq) for item in found[:limit]
    ]
    return Page(items, str(items[-1].state_version) if len(found) > limit else None)


def _known(ctx: Context, tx: Tx, subject_id: str) -> Subject:
    subject = subjects.find(ctx, tx, Whom(subject_id))
    if subject is None:
        raise SubjectUnknown
    return subject


def _decided(
    names: Catalogue, rows: Iterable[StateRow], row: StateRow, subject: Subject, now: Instant
) -> Decision | None:
    """What a choice answers, among all rows of the person; a row over all purposes answers nothing by itself."""
    known = names.purposes.get(row.purpose or "")
    if row.kind is not RowKind.CHOICE or known is None or row.channel is None:
        return None
    brand = names.brands.get(row.brand or "")
    home = brand.jurisdiction if brand else None
    ground: Ground = known.current.ground_in(row.jurisdiction, subject.jurisdiction, home)[0]
    asked = Asked(
        purpose=known.current,
        channel=row.channel,
        brand=row.brand if known.current.scope is PurposeScope.BRAND else None,
        ground=ground,
        material_purpose=known.material,
        material_notices=names.material_notices,
    )
    return decide(rows, asked, now)
