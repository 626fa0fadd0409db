"""A queue folds hundreds of clocks for one page, so one fold stays far below a millisecond."""

from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import perf_counter

from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.regime import Jurisdiction, Place, select_regimes
from privacyops.domain.deadline.snapshot import ClockSnapshot

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
KINDS = ["received", "identity_asked", "identity_proved", "clarification_asked", "clarification_received"]


def test_a_fold_over_a_busy_request_takes_less_than_a_millisecond() -> None:
    where = Jurisdiction(establishment=Place.parse("DE-BY"))
    choice = select_regimes("access", NOON.date(), where)[0]
    snapshot = ClockSnapshot.take(choice, "Europe/Berlin", date(2026, 5, 4))
    events = [
        ClockEvent(id=kind, kind=ClockEventKind(kind), at=NOON + timedelta(days=day))
        for day, kind in enumerate([*KINDS, "extension_notice_sent", "answered"])
    ]
    seconds = []
    for _ in range(300):
        begin = perf_counter()
        snapshot.fold(events, NOON + timedelta(days=30))
        seconds.append(perf_counter() - begin)
    assert median(seconds) < 0.001
