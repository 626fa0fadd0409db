"""One side's rows from its events: folded anew, across every link to the other side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from privacyops.domain.consent.event import ConsentEvent, event_of
from privacyops.domain.consent.linking import fold_life
from privacyops.domain.consent.projection import RowKey, Rows, StateRow
from privacyops.domain.consent.state import EventType
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import parse
from privacyops.services.context import Context
from privacyops.store import consent as consents
from privacyops.store import identity_link as links
from privacyops.store.consent import PastEvent
from privacyops.store.identity_link import IdentityLink
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

_BETWEEN = frozenset({EventType.IDENTITY_LINKED, EventType.IDENTITY_UNLINKED})


def rows_of(
    ctx: Context, tx: Tx, subject_no: int, names: Catalogue, until: Instant | None = None
) -> dict[RowKey, StateRow]:
    """What the events say the rows are, now or as they stood at `until`. Raises: LeafNotCanonical."""
    events = events_of(tx, subject_no, names)
    return folded(tx, names, [event for event in events if until is None or event.recorded_at <= until], subject_no)


def folded(
    tx: Tx, names: Catalogue, events: Sequence[ConsentEvent], subject_no: int,
    known: Mapping[UUID, Rows] | None = None,
) -> dict[RowKey, StateRow]:  # fmt: skip
    """The fold of some of one side's events, oldest first. `known` are the other side's rows at events not yet stored.

    Ends because each step looks at what was written before the event that it is needed for.
    """
    others: dict[UUID, Rows] = dict(known or {})
    wanted = [event.id for event in events if event.type in _BETWEEN and event.id not in others]
    if wanted:
        ties = links.list_links(tx, subject_no)
        for event_id in wanted:
            others[event_id] = _other_side(tx, names, ties, event_id)
    return fold_life(events, others)


def events_of(tx: Tx, subject_no: int, names: Catalogue) -> list[ConsentEvent]:
    """One side's events, oldest first."""
    return [event_of_past(item, names) for item in reversed(consents.list_events(tx, subject_no, None, None))]


def event_of_past(past: PastEvent, names: Catalogue) -> ConsentEvent:
    """The event of a leaf, with what the leaf only commits to or leaves to be looked up."""
    event = event_of(parse(past.leaf))
    shown = names.notices.get((event.notice.id, event.notice.version)) if event.notice else None
    return replace(
        event,
        contact=past.contact.hex() if past.contact else None,
        former_contact=past.former_contact.hex() if past.former_contact else None,
        notice_published_at=shown.published_at if shown else None,
    )


def _other_side(tx: Tx, names: Catalogue, ties: Sequence[IdentityLink], event_id: UUID) -> Rows:
    """The rows of the side across from an event, just before its own event of the same act."""
    for tie in ties:
        pairs: Mapping[UUID | None, tuple[int, UUID | None]] = {
            tie.account_event: (tie.device_no, tie.device_event),
            tie.device_event: (tie.account_no, tie.account_event),
            tie.device_unlink_event: (tie.account_no, tie.account_unlink_event),
        }
        if event_id in pairs:
            across, twin = pairs[event_id]
            events = events_of(tx, across, names)
            place = next(place for place, event in enumerate(events) if event.id == twin)
            return folded(tx, names, events[:place], across)
    return {}
