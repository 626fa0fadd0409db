"""One transaction's worth of an older list: lines become events, in their order, through the rules of every write."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from privacyops.domain.consent.confirmation import LIFE
from privacyops.domain.consent.event import ConsentEvent, PurposeRef
from privacyops.domain.consent.explicit import is_expressed
from privacyops.domain.consent.grading import Record
from privacyops.domain.consent.order import CLOCK_SLACK
from privacyops.domain.consent.projection import RowKey, StateRow, apply
from privacyops.domain.consent.state import STOPPED, ConsentState, EventType, Method
from privacyops.domain.purpose import PurposeScope
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, SubjectIdentifier
from privacyops.kernel.errors import Problem
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.merkle import leaf_hash
from privacyops.ports.keyring import MacLabel
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import blank_event, sealed_event
from privacyops.services.consent.carrying import as_events, entries_against
from privacyops.services.consent.import_lines import Line, LineRefused, known_method
from privacyops.services.consent.import_tally import Tally
from privacyops.services.consent.judging import Judge
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import Circumstances
from privacyops.services.context import Context
from privacyops.store import consent_import as imports
from privacyops.store import suppression as suppressions
from privacyops.store.check_rows import Found
from privacyops.store.consent import WrittenEvent
from privacyops.store.consent_bulk import load_suppressed
from privacyops.store.consent_import import KnownPerson, PersonWrite
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import NewIdentifier, Subject
from privacyops.store.suppression import Suppression
from privacyops.store.uow import Tx

_TYPES: Final = tuple((one.value, one) for one in IdentifierType)
_WIDENING: Final = frozenset({ConsentState.GIVEN, ConsentState.REQUESTED})


@dataclass(slots=True)
class _Touched:
    """A person of a chunk while its lines are applied one after the other."""

    opened: OpenSubject
    version: int
    rows: dict[RowKey, StateRow]
    previous: bytes | None
    kind: str | None = None
    held: dict[bytes, str] = field(default_factory=dict)
    events: list[WrittenEvent] = field(default_factory=list)
    changed: dict[Any, tuple[StateRow, int]] = field(default_factory=dict)
    identifiers: list[NewIdentifier] = field(default_factory=list)
    asked: list[tuple[Judge, Whom]] = field(default_factory=list)


@dataclass(slots=True)
class _Fit:
    """A line that can be taken over, read once."""

    line: Line
    whom: Whom
    refs: Sequence[bytes]
    record: Record
    judge: Judge
    hashed: bytes


class Chunk:
    """One transaction's worth of lines."""

    def __init__(self, ctx: Context, tx: Tx, tally: Tally, *, is_dry: bool = False) -> None:
        self._ctx, self._tx, self._tally, self._is_dry = ctx, tx, tally, is_dry
        self.names: Catalogue = published.catalogue(ctx, tx)
        self.hashes: list[bytes] = []
        self._people: dict[int, _Touched] = {}
        self._by_ref: dict[bytes, int] = {}
        self._judges: dict[tuple[Any, ...], Judge] = {}
        self._numbers: Iterator[int] = iter(())
        self._entries: Mapping[SubjectIdentifier, Sequence[Suppression]] = {}

    def take(self, lines: Sequence[Line]) -> None:
        """Apply the lines in their order."""
        self._tally.rows += len(lines)
        fits = [fit for line in lines if (fit := self._fit(line)) is not None]
        stored = imports.load_stored(self._tx, [fit.hashed for fit in fits])
        fresh: dict[bytes, _Fit] = {}
        for fit in fits:
            if fit.hashed in stored or fit.hashed in fresh:
                self._tally.duplicates += 1
            else:
                fresh[fit.hashed] = fit
        known = imports.load_people(self._tx, (ref for fit in fresh.values() for ref in fit.refs), self.names)
        unknown = sum(1 for fit in fresh.values() if not any(ref in known for ref in fit.refs))
        self._numbers = iter(range(-unknown, 0) if self._is_dry else imports.next_numbers(self._tx, unknown))
        named = {one for fit in fresh.values() for one in fit.whom.identifiers}
        if not self._is_dry:
            suppressions.give_many(self._tx)
        self._entries = entries_against(self._ctx, self._tx, named)
        for fit in fresh.values():
            try:
                self._apply(fit, self._person(fit, known))
            except LineRefused as refusal:
                self._tally.refuse(fit.line.number, refusal.word)
                continue
            self.hashes.append(fit.hashed)
            self._tally.stored += 1

    def writes(self) -> Sequence[PersonWrite]:
        """What is to be stored of each person."""
        return [
            PersonWrite(
                one.opened.subject, one.version, one.events, one.changed, one.identifiers, one.kind,
                one.opened.fresh_key,
            )
            for one in self._people.values()
            if one.events
        ]  # fmt: skip

    def judge(self) -> None:
        """What a check would answer for every line, after all of them."""
        asked = [(one, judge, whom) for one in self._people.values() for judge, whom in one.asked]
        refs = {whom: subjects.suppression_refs(self._ctx, whom, judge.channel) for _, judge, whom in asked}
        stopped = load_suppressed(self._tx, (ref for some in refs.values() for ref in some), self.names)
        for one, judge, whom in asked:
            found = Found(0, one.opened.subject.no, one.opened.subject.jurisdiction, one.version, [*one.rows.values()])
            suppressed = [row for ref in refs[whom] for row in stopped.get(ref, ())]
            contacts = subjects.contacts_of_whom(self._ctx, whom, judge.channel)
            self._tally.answers[str(judge.decide(found, suppressed, contacts, self._tx.now).reason)] += 1

    def _fit(self, line: Line) -> _Fit | None:
        cells = line.cells
        try:
            told = line.record()
            judge = self._judge_of(
                cells.get("purpose", ""), cells.get("channel", ""), cells.get("brand"), cells.get("jurisdiction")
            )
            named = [(type_, cells[name]) for name, type_ in _TYPES if name in cells]
            whom = Whom.of(self._ctx, None, named)
        except LineRefused as refusal:
            self._tally.refuse(line.number, refusal.word)
            return None
        except Problem as problem:
            self._tally.refuse(line.number, problem.type.rsplit("/", 1)[-1])
            return None
        if told.occurred_at is not None and told.occurred_at - self._tx.now > CLOCK_SLACK:
            self._tally.refuse(line.number, "occurred-in-future")
            return None
        if judge.known.current.is_retired and told.state(needs_confirmation=False) not in STOPPED:
            self._tally.refuse(line.number, "purpose-retired")
            return None
        hashed = self._ctx.ports.keyring.mac(MacLabel.IMPORT, self._ctx.controller.key, line.fingerprint()).digest
        return _Fit(line, whom, subjects.refs_of_whom(self._ctx, whom), told, judge, hashed)

    def _judge_of(self, *about: Any) -> Judge:
        """One for all lines that ask the same. Raises: as `Judge.of`."""
        if about not in self._judges:
            self._judges[about] = Judge.of(self.names, *about)
        return self._judges[about]

    def _person(self, fit: _Fit, known: Mapping[bytes, KnownPerson]) -> _Touched:
        """The person of a line: met before in this chunk, known, or new. Raises: LineRefused."""
        met = {self._by_ref[ref] for ref in fit.refs if ref in self._by_ref}
        met |= {known[ref].locked.subject.no for ref in fit.refs if ref in known}
        if len(met) > 1:
            raise LineRefused("identity-conflict")
        if not met:
            return self._new(fit)
        number = met.pop()
        if number not in self._people:
            found: KnownPerson = next(known[ref] for ref in fit.refs if ref in known)
            if found.locked.wrapped is None:
                raise LineRefused("subject-key-gone")
            opened = subjects.known_person(self._ctx, found.locked.subject, found.locked.wrapped, found.standing)
            self._people[number] = _Touched(
                opened, found.standing.state_version, dict(found.standing.rows), found.standing.previous,
                held=dict(found.standing.held),
            )  # fmt: skip
        person = self._people[number]
        for one in subjects.not_held(self._ctx, person.opened.key, fit.whom, person.held):
            self._attach(person, one)
        self._by_ref |= dict.fromkeys(fit.refs, number)
        return person

    def _new(self, fit: _Fit) -> _Touched:
        subject = Subject(next(self._numbers), subjects.new_id(), fit.line.cells.get("jurisdiction"))
        opened = subjects.fresh_person(self._ctx, subject, fit.whom)
        person = _Touched(opened, 0, {}, None, subjects.kind_of(fit.whom))
        for one in opened.fresh:
            self._attach(person, one)
        self._people[subject.no] = person
        self._by_ref |= dict.fromkeys(fit.refs, subject.no)
        self._tally.new_people += 1
        return person

    def _attach(self, person: _Touched, one: NewIdentifier) -> None:
        """An identifier that is new to the person, and what stands against it if it is a contact."""
        person.identifiers.append(one)
        person.held[one.ref] = one.type
        if one.contact is None:
            return
        how = Circumstances(Method.IMPORT)
        for entry in self._entries.get(one.contact, ()):
            for event in as_events(self._ctx, self.names, one.contact, entry, blank_event(self._ctx, self._tx, how)):
                self._write(person, event, how)

    def _apply(self, fit: _Fit, person: _Touched) -> None:
        event = self._event(fit, person)
        applied = self._write(person, event, Circumstances(Method.IMPORT, evidence=fit.line.evidence()))
        self._count(fit.record, event, applied=applied)
        if self._is_dry:
            person.asked.append((fit.judge, fit.whom))

    def _write(self, person: _Touched, event: ConsentEvent, how: Circumstances) -> bool:
        """Number, apply and, unless this is a dry run, commit to an event; whether it changed the state."""
        after = apply(person.rows, event)
        person.version += 1
        for row in after:
            person.rows[row.key] = row
            person.changed[row.key] = row, person.version
        if not self._is_dry:
            applied = bool(after)
            written = sealed_event(
                self._ctx, person.opened, event, how, person.version, person.previous, applied=applied
            )
            person.previous = leaf_hash(written.leaf)
            person.events.append(written)
        return bool(after)

    def _count(self, told: Record, event: ConsentEvent, *, applied: bool) -> None:
        self._tally.grades[str(told.grade)] += 1
        self._tally.states[str(event.state)] += 1
        self._tally.stops += event.state in STOPPED
        self._tally.overruled += not applied

    def _event(self, fit: _Fit, person: _Touched) -> ConsentEvent:
        told, judge, now = fit.record, fit.judge, self._tx.now
        purpose = judge.known.current
        home = person.opened.subject.jurisdiction
        ground, place = purpose.ground_in(judge.jurisdiction, home, judge.brand.jurisdiction)
        method = known_method(told.method)
        state = told.state(needs_confirmation=purpose.needs_confirmation(judge.channel, place))
        if state in _WIDENING and not is_expressed(ground.basis, method):
            state = ConsentState.UNKNOWN  # a list that does not tell of a statement proves no explicit consent
        return ConsentEvent(
            id=EventId(uuid7(now)), type=EventType.IMPORT, controller=self._tx.controller,
            occurred_at=min(told.occurred_at or now, now), recorded_at=now, method=method,
            actor_kind=str(self._ctx.actor.kind),
            brand=judge.brand.key if purpose.scope is PurposeScope.BRAND else None,
            purpose=PurposeRef(purpose.key, purpose.version), channel=judge.channel, state=state, basis=ground.basis,
            regime=ground.regime, jurisdiction=place, grade=told.grade,
            valid_for=purpose.valid_for if state is ConsentState.GIVEN else None,
            confirm_until=now + LIFE if state is ConsentState.REQUESTED else None, contact=self._contact(fit),
        )  # fmt: skip

    def _contact(self, fit: _Fit) -> str | None:
        """The keyed hash of the address that the line names for its channel."""
        type_ = CONTACT_OF_CHANNEL.get(fit.judge.channel)
        for identifier in fit.whom.identifiers:
            if identifier.type is type_:
                return subjects.refs_of_named(self._ctx, fit.whom, identifier)[0].hex()
        return None
