"""Where an event that is being told now stands in time among what the person has said before."""

from dataclasses import replace

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import Rows
from privacyops.domain.consent.state import ClockTrust


def told_live(rows: Rows, event: ConsentEvent) -> ConsentEvent:
    """The event with its time moved behind everything the person has said, if it is a stop that is being said now.

    Machines' clocks differ and are set back; whoever stops after a grant has stopped it, whatever the clocks say.
    A stop of a claimed past keeps that time, and a grant keeps its own: both only make the answer stricter.
    """
    is_claimed = event.clock is ClockTrust.TRUSTED and event.occurred_at != event.recorded_at
    if not rows or is_claimed or not event.is_stop:
        return event
    latest = max([row.t for row in rows.values()])
    if latest <= event.recorded_at:
        return event
    occurred_at = latest if event.occurred_at == event.recorded_at else event.occurred_at
    return replace(event, recorded_at=latest, occurred_at=occurred_at)
