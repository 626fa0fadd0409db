"""The browser's opt-out signal: taken once for the device and for whoever is signed in on it; shown as honoured."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.gpc import is_duty, is_signal
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.subject import ANONYMOUS
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import begin_write, blank_event, settled, write_events
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import Circumstances
from privacyops.services.context import Context, reading, use_case
from privacyops.services.idempotency import Call, end_call
from privacyops.store import consent as consents
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class SignalTaken:
    """Whether a signal was carried, and the events that were written for it: none where it stood already."""

    signal: bool
    events: Sequence[str]
    is_replayed: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"signal": "yes" if self.signal else "no", "events": list(self.events)}


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """`signal`: carried now or on record; `honoured`: nothing that it covers is allowed; `duty`: by law, here."""

    signal: bool
    honoured: bool
    duty: bool


def receive(
    ctx: Context, whom: Whom, values: Iterable[str], jurisdiction: str | None = None, call: Call | None = None
) -> SignalTaken:
    """Take what a request carried in `Sec-GPC`. Anything but an exact `1` says nothing, and lifts nothing.

    Binds the device and, where the caller names who is signed in, that person too, also if the two are not tied. One
    event each: a thousand page views write one.
    """
    carried = is_signal(values)
    return settled(lambda: _receive(ctx, whom, jurisdiction, call, carried=carried))


@use_case(Action.CONSENT_WRITE)
def _receive(
    ctx: Context, tx: Tx, whom: Whom, jurisdiction: str | None, call: Call | None, *, carried: bool
) -> SignalTaken:
    how = Circumstances(Method.GPC, jurisdiction=jurisdiction)
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return SignalTaken(carried, [str(one["event_id"]) for one in before.events], is_replayed=True)
    events: list[str] = []
    if carried:
        for side in _sides(whom):
            opened = subjects.find_or_prepare(ctx, tx, side, jurisdiction, names)
            events += _bind(ctx, tx, names, opened, how)
    taken = SignalTaken(carried, events)
    if call is not None:
        told = {
            "events": [{"event_id": one} for one in events],
            "subject_id": "",
            "state_version": 0,
            "recorded_at": "",
        }
        end_call(ctx, tx, call, told)
    return taken


def _bind(ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, how: Circumstances) -> list[str]:
    standing = opened.standing.rows if opened.standing else {}
    if any(row.kind is RowKind.GPC and row.state != LIFTED for row in standing.values()):
        return []

    def one(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        yield replace(blank_event(ctx, tx, how), type=EventType.GPC, jurisdiction=how.jurisdiction)

    written = write_events(ctx, tx, names, opened, one, how, None, "signal.received")
    return [str(event["event_id"]) for event in written.events]


def _sides(whom: Whom) -> list[Whom]:
    """The device and the person, who may be two until somebody ties them."""
    devices = tuple(one for one in whom.identifiers if one.type in ANONYMOUS)
    people = tuple(one for one in whom.identifiers if one.type not in ANONYMOUS)
    found = [Whom(None, devices)] if devices else []
    if people or whom.subject_id is not None:
        found.append(Whom(whom.subject_id, people))
    return found


@reading(Action.CONSENT_CHECK)
def status(ctx: Context, tx: Tx, whom: Whom, values: Iterable[str], jurisdiction: str | None = None) -> SignalStatus:
    """What the page may say of the signal. An unknown device with a signal in hand is honoured once it is taken.

    Raises: IdentityConflict.
    """
    names = published.catalogue(ctx, tx)
    subject = subjects.find(ctx, tx, whom)
    rows = consents.load_rows(tx, subject.no, names).values() if subject is not None else ()
    on_record = any(row.kind is RowKind.GPC and row.state != LIFTED for row in rows)
    return SignalStatus(is_signal(values) or on_record, on_record, is_duty(jurisdiction))
