"""What is due once a night is done once, late rather than never, page by page, and each step for itself."""

from datetime import UTC, datetime, timedelta

import pytest

from privacyops.domain.subject import SubjectUnknown
from privacyops.kernel.clock import ManualClock
from privacyops.services.consent import answering, sweeping
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.ledger_shop import LedgerShop

DAY = timedelta(days=1)
BEFORE_THREE = datetime(2027, 1, 10, 1, 59, tzinfo=UTC)
"""In Berlin it is one minute to three."""


@pytest.fixture
def shop(database: Database, clock: ManualClock) -> LedgerShop:
    return LedgerShop.open(database, clock)


def test_before_three_nothing_is_done(shop: LedgerShop) -> None:
    shop.choose(about="analytics", channel="web")
    shop.clock.set(BEFORE_THREE + 300 * DAY)
    assert sweeping.nightly(shop.machine) == 0


def test_a_missed_minute_makes_the_night_late_and_not_lost(shop: LedgerShop) -> None:
    shop.choose(about="analytics", channel="web")
    shop.clock.set(BEFORE_THREE + 300 * DAY + timedelta(hours=9))
    assert sweeping.nightly(shop.machine) == 1
    assert shop.is_good()


def test_a_night_is_done_once_however_often_the_clock_ticks(shop: LedgerShop, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Context] = []

    def turn(ctx: Context) -> int:
        turns.append(ctx)
        return 1

    monkeypatch.setattr(sweeping, "NIGHT", {"turn": turn})
    shop.clock.set(BEFORE_THREE)
    for _ in range(3):
        shop.clock.advance(timedelta(minutes=1))
        sweeping.nightly(shop.machine)
    assert len(turns) == 1
    shop.clock.advance(DAY)
    sweeping.nightly(shop.machine)
    assert len(turns) == 2


def test_who_was_only_asked_is_reached_behind_people_who_stay(
    shop: LedgerShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "PAGE", 2)
    shop.with_double_opt_in()
    for place in range(4):
        whom = shop.whom(f"stays{place}@example.com")
        shop.choose(whom=whom)
        shop.choose(about="analytics", channel="web", whom=whom)
    asked = shop.choose().subject_id
    shop.clock.advance(8 * DAY)
    while sweeping.lapse(shop.machine):
        pass
    shop.clock.advance(30 * DAY)
    assert sweeping.erase_never_confirmed(shop.machine) == 1
    with pytest.raises(SubjectUnknown):
        answering.current(shop.ctx, asked)
