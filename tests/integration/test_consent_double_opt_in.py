"""Double opt-in through the services, on both engines: acceptance cases 29 to 35."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import MetaData

from privacyops.domain.account.actor import subject
from privacyops.domain.consent.confirmation import ResendRefused
from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Reason
from privacyops.domain.secret import LinkKind, mint_link
from privacyops.kernel.clock import ManualClock
from privacyops.services.consent import confirming, sweeping, writing
from privacyops.services.consent.terms import Choice, Circumstances, Scope
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.ledger_shop import DAY, GRANT, KIM, MINUTE, REFUSE, LedgerShop

NEWSLETTER = Scope("newsletter", "email")
WEEK = timedelta(days=7)


@pytest.fixture
def shop(database: Database, clock: ManualClock) -> LedgerShop:
    return LedgerShop.open(database, clock).with_double_opt_in()


def test_the_owner_is_asked_by_mail_and_the_answer_waits(shop: LedgerShop) -> None:
    written = shop.choose()
    assert written.events[0]["awaiting"] == "confirmation"
    assert shop.reason() is Reason.PENDING_CONFIRMATION
    assert [to for to, _ in shop.mails()] == [KIM]
    assert shop.is_good()


def test_a_confirmation_grants_from_the_click_on(shop: LedgerShop) -> None:
    shop.choose()
    shop.clock.advance(MINUTE)
    done = shop.confirm()
    assert (done.state, done.already_confirmed) == ("ConsentGiven", False)
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_a_link_used_twice_writes_one_event(shop: LedgerShop) -> None:
    """Case 29."""
    shop.choose()
    token = shop.token()
    first = confirming.confirm(shop.machine, token)
    again = confirming.confirm(shop.machine, token)
    assert (again.event_id, again.already_confirmed) == (first.event_id, True)
    assert shop.events() == 2
    assert shop.is_good()


def test_an_expired_link_writes_nothing(shop: LedgerShop) -> None:
    """Case 30."""
    shop.choose()
    token = shop.token()
    shop.clock.advance(WEEK)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert (shop.events(), shop.reason()) == (1, Reason.NO_CONSENT)
    assert shop.is_good()


@pytest.mark.parametrize(
    "token", ["", "pok_", "x" * 60, mint_link(LinkKind.CONFIRM).text], ids=["empty", "prefix", "long", "unknown"]
)
def test_an_unknown_link_writes_nothing(shop: LedgerShop, token: str) -> None:
    """Case 30."""
    shop.choose()
    with pytest.raises(confirming.TokenUnknown):
        confirming.confirm(shop.machine, token)
    assert shop.events() == 1


def test_another_controllers_link_writes_nothing(shop: LedgerShop) -> None:
    """Case 30."""
    shop.choose()
    token = shop.token()
    profile = shop.machine.controller
    other = Context(
        shop.machine.clock, shop.machine.database, type(profile)(**{**_members(profile), "key": "elsewhere"}),
        shop.machine.ports, subject("elsewhere"),
    )  # fmt: skip
    with pytest.raises(confirming.TokenUnknown):
        confirming.confirm(other, token)
    assert shop.events() == 1


def _members(profile: object) -> dict[str, object]:
    return {name: getattr(profile, name) for name in type(profile).__dataclass_fields__}  # type: ignore[attr-defined]  # a dataclass


def test_one_mail_asks_for_everything_that_one_call_chose(shop: LedgerShop) -> None:
    shop.change_purpose("profiling", confirmed_in={"email": frozenset({"*"})})
    both = [Choice("newsletter", "email", GRANT), Choice("profiling", "email", GRANT)]
    writing.record_choices(shop.ctx, shop.whom(), both, Circumstances(Method.FORM))
    assert len(shop.mails()) == 1
    shop.confirm()
    assert (shop.reason(), shop.reason("profiling")) == (Reason.GRANTED, Reason.GRANTED)
    assert shop.is_good()


def test_at_most_two_further_mails_leave_ten_minutes_apart(shop: LedgerShop) -> None:
    """Case 32."""
    shop.choose()
    with pytest.raises(ResendRefused):
        confirming.resend(shop.ctx, shop.whom(), "newsletter", "email")
    for _ in range(2):
        shop.clock.advance(11 * MINUTE)
        confirming.resend(shop.ctx, shop.whom(), "newsletter", "email")
    shop.clock.advance(11 * MINUTE)
    with pytest.raises(ResendRefused):
        confirming.resend(shop.ctx, shop.whom(), "newsletter", "email")
    assert len(shop.mails()) == 3
    assert shop.is_good()


def test_a_link_sent_before_stays_good_after_another_was_sent(shop: LedgerShop) -> None:
    shop.choose()
    first = shop.token()
    shop.clock.advance(11 * MINUTE)
    confirming.resend(shop.ctx, shop.whom(), "newsletter", "email")
    assert shop.token() != first
    confirming.confirm(shop.machine, first)
    assert shop.reason() is Reason.GRANTED
    assert confirming.confirm(shop.machine, shop.token()).already_confirmed
    assert shop.is_good()


def test_asking_again_while_it_waits_sends_no_second_mail_at_once_and_keeps_the_first_link(shop: LedgerShop) -> None:
    shop.choose()
    first = shop.token()
    shop.clock.advance(MINUTE)
    shop.choose()
    assert len(shop.mails()) == 1
    confirming.confirm(shop.machine, first)
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


@pytest.mark.parametrize("reach", [NEWSLETTER, Scope(), Scope(channel="email")])
def test_a_confirmation_after_a_stop_grants_nothing(shop: LedgerShop, reach: Scope) -> None:
    """Case 33."""
    shop.choose()
    token = shop.token()
    shop.clock.advance(MINUTE)
    shop.stop(reach)
    shop.clock.advance(MINUTE)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_a_refusal_ends_the_waiting(shop: LedgerShop) -> None:
    """Case 33."""
    shop.choose()
    token = shop.token()
    shop.choose(REFUSE)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert shop.reason() is Reason.REFUSED
    assert shop.is_good()


def test_a_stop_of_another_purpose_leaves_the_waiting_alone(shop: LedgerShop) -> None:
    shop.choose()
    shop.stop(Scope("analytics", "web"))
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


@dataclass
class Race:
    """What came of many rounds. In a round either the confirmation came first, or it was told that the link is over."""

    confirmed_first: int = 0
    stopped_first: int = 0
    allowed_afterwards: list[int] = field(default_factory=list)


def _race(shop: LedgerShop, rounds: int) -> Race:
    """Both set off at one moment; who is slower off the mark takes turns, so that either order happens."""
    told = Race()
    for number in range(rounds):
        whom = shop.whom(f"kim{number}@example.com")
        shop.choose(whom=whom)
        token = shop.token(f"kim{number}@example.com")
        shop.clock.advance(timedelta(milliseconds=1))
        outcome: list[object] = []
        mark, head_start = threading.Barrier(2), threading.Event()

        def confirm(
            token: str = token, outcome: list[object] = outcome, mark: threading.Barrier = mark,
            head_start: threading.Event = head_start, waits: float = (0, 0, 0.03)[number % 3],
        ) -> None:  # fmt: skip
            mark.wait(30)
            head_start.wait(waits)
            try:
                outcome.append(confirming.confirm(shop.machine, token))
            except confirming.TokenExpired as ended:
                outcome.append(ended)

        racing = threading.Thread(target=confirm)
        racing.start()
        mark.wait(30)
        head_start.wait((0, 0.03, 0)[number % 3])
        shop.stop(whom=whom)
        head_start.set()
        racing.join(30)
        assert not racing.is_alive()
        [how] = outcome
        told.stopped_first += isinstance(how, confirming.TokenExpired)
        told.confirmed_first += isinstance(how, confirming.Confirmed)
        if shop.check(whom=whom).is_allowed:
            told.allowed_afterwards.append(number)
    return told


def _requires_both_orders(told: Race, rounds: int) -> None:
    assert told.allowed_afterwards == []
    assert told.stopped_first + told.confirmed_first == rounds
    assert min(told.stopped_first, told.confirmed_first) > 0, "only one order happened: this was no race"


def test_unsubscribe_all_racing_a_confirmation_is_never_answered_with_allow_afterwards(shop: LedgerShop) -> None:
    """Case 34, a few rounds; the thousand are marked long."""
    _requires_both_orders(_race(shop, 24), 24)
    assert shop.is_good()


@pytest.mark.long
def test_a_thousand_races_of_unsubscribe_all_against_a_confirmation_allow_nothing(shop: LedgerShop) -> None:
    """Case 34."""
    _requires_both_orders(_race(shop, 1_000), 1_000)
    assert shop.is_good()


@pytest.mark.parametrize("place", ["DE", "US"])
@pytest.mark.parametrize("reach", [NEWSLETTER, Scope()])
def test_a_lapsed_resubscription_stays_withdrawn(shop: LedgerShop, place: str, reach: Scope) -> None:
    """Case 35."""
    shop.choose(jurisdiction=place)
    shop.confirm()
    shop.clock.advance(MINUTE)
    shop.stop(reach)
    shop.clock.advance(DAY)
    shop.choose(jurisdiction=place)
    assert shop.reason(jurisdiction=place) is Reason.PENDING_CONFIRMATION
    shop.clock.advance(WEEK)
    assert shop.reason(jurisdiction=place) is Reason.WITHDRAWN
    assert sweeping.lapse(shop.machine) == 1
    assert shop.reason(jurisdiction=place) is Reason.WITHDRAWN
    assert shop.is_good()


def test_after_a_lapse_the_owner_can_be_asked_anew(shop: LedgerShop) -> None:
    shop.choose()
    shop.clock.advance(WEEK)
    sweeping.lapse(shop.machine)
    shop.choose()
    assert len(shop.mails()) == 2
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_a_renewal_leaves_the_valid_grant_valid_until_its_own_end(shop: LedgerShop) -> None:
    shop.choose()
    shop.confirm()
    shop.clock.advance(DAY)
    shop.choose()
    assert shop.reason() is Reason.GRANTED
    assert len(shop.mails()) == 2
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_a_renewal_that_was_stopped_cannot_be_confirmed(shop: LedgerShop) -> None:
    shop.choose()
    shop.confirm()
    shop.clock.advance(DAY)
    shop.choose()
    token = shop.token()
    shop.clock.advance(MINUTE)
    shop.stop(NEWSLETTER)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_one_address_gets_at_most_five_such_mails_a_day(shop: LedgerShop) -> None:
    for _ in range(8):
        shop.choose()
        shop.clock.advance(11 * MINUTE)
        shop.stop(NEWSLETTER)
        shop.clock.advance(11 * MINUTE)
    assert len(shop.mails()) == 5


def test_no_token_stands_in_clear_in_any_table(shop: LedgerShop) -> None:
    shop.choose()
    token = shop.token()
    with shop.machine.database.engines.reader.connect() as connection:
        every = MetaData()
        every.reflect(connection)
        for table in every.sorted_tables:
            for row in connection.execute(table.select()):
                assert token not in repr(tuple(row)), table.name
