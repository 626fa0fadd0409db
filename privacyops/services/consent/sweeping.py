"""What the clock does to consents: writes down what ran out, ends what nobody confirmed, offers what ends soon.

Nothing here decides an answer: every check compares the times itself, also with these sweeps switched off.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from privacyops.domain.account.action import Action
from privacyops.domain.consent.confirmation import ConfirmationEvent
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, state_after
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import GRANTED, ConsentState, EventType, Method, RowKind
from privacyops.domain.task import TaskKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import EventId, uuid7
from privacyops.services import purpose as published
from privacyops.services.consent import erasing, subjects
from privacyops.services.consent.appending import blank_event, write_events
from privacyops.services.consent.terms import Circumstances, UnknownPurpose
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import confirmation as confirmations
from privacyops.store import consent as consents
from privacyops.store import consent_ending as endings
from privacyops.store import erasure
from privacyops.store import subject as people
from privacyops.store import task as tasks
from privacyops.store.lease import use_slot
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

PAGE: Final = 200
NIGHT_HOUR: Final = 3
NEVER_CONFIRMED: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ending:
    """A grant that ends soon: whose, for what, and when. `subject_id` is the person's random id."""

    subject_id: str
    purpose: str
    channel: str
    brand: str | None
    ends_at: Instant


@use_case(Action.JOB_RUN)
def lapse(ctx: Context, tx: Tx) -> int:
    """End confirmations whose seven days are over; how many. The answer has counted them as over already."""
    over = confirmations.list_lapsed(tx, PAGE)
    for one in over:
        confirmations.end_confirmation(tx, one, ConfirmationEvent.TIME)
    if over:
        record(ctx, tx, "consent.lapsed", "confirmation", "sweep", count=len(over))
    return len(over)


def nightly(ctx: Context) -> int:
    """Once a day, with the first tick at or after three o'clock at the establishment: what is due once a night.

    A minute that was missed makes it late and never lost. A step that fails is told, and keeps no other from its turn.
    """
    local = ctx.clock.now().astimezone(ZoneInfo(ctx.controller.zone))
    if local.hour < NIGHT_HOUR:
        return 0
    count = 0
    for name, step in NIGHT.items():
        if not _begin(ctx, name, local.date()):
            continue
        try:
            count += step(ctx)
        except Exception as error:
            ctx.ports.telemetry.failure("night.failed", error, step=name)
    return count


@use_case(Action.JOB_RUN)
def _begin(ctx: Context, tx: Tx, name: str, day: date) -> bool:
    return use_slot(tx, f"night:{name}", f"{tx.controller}:{day.isoformat()}")


def expire_all(ctx: Context) -> int:
    """Write down every grant that ran out; how many."""
    count, after = 0, 0
    while True:
        found, last = expire(ctx, after)
        count += found
        if last is None:
            return count
        after = last


@use_case(Action.JOB_RUN)
def expire(ctx: Context, tx: Tx, after: int = 0) -> tuple[int, int | None]:
    """Write `consent.expired` for a page of people; how many, and the number to go on behind (None: the last page)."""
    names = published.catalogue(ctx, tx)
    numbers = endings.list_ended(tx, after, PAGE)
    count = sum(_expire_one(ctx, tx, names, number) for number in numbers)
    return count, numbers[-1] if len(numbers) == PAGE else None


def _expire_one(ctx: Context, tx: Tx, names: Catalogue, number: int) -> int:
    opened = subjects.opened(ctx, tx, people.load_subject(tx, number))
    how = Circumstances(Method.SYSTEM)

    def events(rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        for row in list(rows.values()):
            if row.kind is RowKind.CHOICE and row.state in GRANTED and not row.is_valid_grant(tx.now):
                yield replace(
                    blank_event(ctx, tx, how), id=EventId(uuid7(tx.now)), type=EventType.EXPIRED,
                    state=state_after(EventType.EXPIRED), channel=row.channel, brand=row.brand, causes=row.event_id,
                    purpose=PurposeRef(row.purpose or "", row.purpose_version or 1), jurisdiction=row.jurisdiction,
                    regime=row.regime,
                )  # fmt: skip

    rows = consents.load_rows(tx, number, names)
    if not any(True for _ in events(rows)):
        return 0
    return len(write_events(ctx, tx, names, opened, events, how, None, "consent.expired").events)


@use_case(Action.JOB_RUN)
def offer_renewals(ctx: Context, tx: Tx) -> int:
    """One open task for each purpose of which consents end soon; how many were opened."""
    names = published.catalogue(ctx, tx)
    until = tx.now + timedelta(days=ctx.controller.consent_renewal_days)
    due = until.astimezone(ZoneInfo(ctx.controller.zone)).date()
    opened = 0
    for purpose, count in endings.count_ending(tx, until):
        key = names.purpose_of(purpose)
        if (
            key is None
            or names.purposes[key].current.is_retired
            or tasks.find_open_task(tx, TaskKind.RENEW_CONSENT, key) is not None
        ):
            continue
        tasks.add_task(tx, TaskKind.RENEW_CONSENT, due, owner_role="analyst", code=key)
        record(ctx, tx, "consent.renewal_due", "purpose", key, count=count)
        opened += 1
    return opened


@reading(Action.CONSENT_READ)
def ending_soon(ctx: Context, tx: Tx, purpose: str, after: str | None = None, limit: int = 100) -> Sequence[Ending]:
    """Whose grants for a purpose end within the time of renewal, in pages by id. Raises: UnknownPurpose."""
    names = published.catalogue(ctx, tx)
    if purpose not in names.purposes:
        raise UnknownPurpose
    until = tx.now + timedelta(days=ctx.controller.consent_renewal_days)
    return [
        Ending(one.public_id, purpose, names.channel_of(one.channel_no) or "", names.brand_of(one.brand_no), one.at)
        for one in endings.list_ending(tx, names.purposes[purpose].no, until, after or "", limit)
    ]


def erase_never_confirmed(ctx: Context) -> int:
    """Erase who was asked, never answered for 30 days after the lapse, and left no other record; how many."""
    count, after = 0, 0
    while True:
        erased, last = _erase_never_confirmed(ctx, after)
        count += erased
        if last is None:
            break
        after = last
    if count:
        ctx.ports.keyring.forget()
    return count


@use_case(Action.SUBJECT_ERASE)
def _erase_never_confirmed(ctx: Context, tx: Tx, after: int) -> tuple[int, int | None]:
    """A page of people behind the number `after`: how many were erased, and the number to go on behind."""
    names = published.catalogue(ctx, tx)
    count = 0
    numbers = erasure.list_never_confirmed(tx, tx.now - NEVER_CONFIRMED, after, PAGE)
    for number in numbers:
        consents.lock_subject(tx, number)
        rows = consents.load_rows(tx, number, names).values()
        if all(_was_only_asked(row, tx.now) for row in rows):
            erasing.erase_within(ctx, tx, number)
            count += 1
    return count, numbers[-1] if len(numbers) == PAGE else None


def _was_only_asked(row: StateRow, now: Instant) -> bool:
    lapsed = row.confirm_until is None or row.confirm_until <= now
    return row.kind is RowKind.CHOICE and row.state == ConsentState.REQUESTED and row.prior_state is None and lapsed


def sweep_rings(ctx: Context) -> int:
    """Destroy every kept key whose term is over; how many people's."""
    count = 0
    while swept := erasing.sweep_ring(ctx):
        count += swept
    return count


NIGHT: Final[Mapping[str, Callable[[Context], int]]] = {
    "expiry": expire_all,
    "renewals": offer_renewals,
    "never_confirmed": erase_never_confirmed,
    "ring": sweep_rings,
}
"""What is done once a night, each on its own."""
