"""The console's pages about connected systems."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.domain.webhook.delivery import DeliveryState
from privacyops.services import ledger, purpose
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.webhook import subscribing, telling
from privacyops.store import webhook as webhooks
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker

SYSTEMS = "/console/consent/systems"
FORM = {"name": "mail-tool", "url": "https://mail.shop.example/hooks", "types": "", "scheme": "v1"}


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for forms; what stands behind them is tested on both in test_webhooks."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker) -> Office:
    purpose.install_shipped(walker.context)
    ledger.drain(walker.context, "a")
    return Office.open(walker)


def connect(browser: Browser, status: int = 200, **more: str) -> str:
    """Fill in the form; what came of it."""
    browser.read(f"{SYSTEMS}/new")
    return browser.send(f"{SYSTEMS}/new", status, once=browser.hidden("once"), **{**FORM, **more})


def page_of(office: Office) -> str:
    """The address of the only system's page."""
    dora = office.walker.as_staff("Dora", Role.DPO)
    return f"{SYSTEMS}/{subscribing.subscribers(dora)[0].id}"


def stop(office: Office) -> None:
    """Kim takes a consent back; the system is promised both events."""
    ctx = office.walker.context
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])
    for choice in (ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE):
        office.walker.clock.advance(timedelta(seconds=1))
        writing.record_choices(ctx, whom, [Choice("newsletter", "email", choice)], Circumstances(Method.FORM))
    ledger.drain(ctx, "a")
    while telling.fan_out(ctx):
        pass


def settle(office: Office, state: DeliveryState, code: str | None) -> None:
    """Every delivery comes to the same end."""
    ctx = office.walker.context
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        for one in webhooks.list_deliveries(tx):
            webhooks.settle_delivery(tx, one.id, state, code)


def test_a_house_without_systems_says_what_they_are_for(office: Office) -> None:
    page = words_of(office.at_desk("Olga", Role.ADMIN).read(SYSTEMS))
    assert "No system is connected" in page
    assert "Connect a system" in page


def test_a_new_system_shows_its_key_once(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    assert re.search(r"whsec_[A-Za-z0-9+/=]{20,}", connect(olga))
    assert "whsec_" not in olga.read(page_of(office))


def test_a_form_that_is_sent_twice_connects_one_system(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read(f"{SYSTEMS}/new")
    once = olga.hidden("once")
    olga.send(f"{SYSTEMS}/new", once=once, **FORM)
    assert "shown once" in words_of(olga.send(f"{SYSTEMS}/new", once=once, **FORM))
    assert len(subscribing.subscribers(office.walker.as_staff("Olga"))) == 1


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"name": "Mail Tool"}, 422, "Small letters"),
        ({"url": "ftp://mail.shop.example/"}, 422, "A system has a short name"),
        ({"types": "consent.*, <b>"}, 422, "Enter types such as"),
        ({"scheme": "rot13"}, 422, "Choose how messages are signed"),
        ({"name": "taken"}, 409, "Another system has this name"),
    ],
)
def test_what_cannot_be_connected_comes_back_filled(
    office: Office, more: dict[str, str], status: int, said: str
) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    connect(olga, name="taken")
    page = connect(olga, status, **more)
    assert said in words_of(page)
    assert 'value="https://mail.shop.example/hooks"' in page or "url" in more


def test_an_open_stop_stands_with_its_clock_and_is_late_after_it(office: Office) -> None:
    connect(office.at_desk("Olga", Role.ADMIN))
    stop(office)
    dora = office.at_desk("Dora", Role.DPO)
    assert "GDPR Art. 7(3)" in words_of(dora.read(page_of(office)))
    office.walker.clock.advance(timedelta(hours=25))
    del office.browsers["Dora"]
    dora = office.at_desk("Dora")
    assert "1 late" in words_of(dora.read(SYSTEMS))
    assert "1 stop is late here" in words_of(dora.read(page_of(office)))


def test_what_was_given_up_is_sent_again_once(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    connect(olga)
    stop(office)
    settle(office, DeliveryState.FAILED, "http_503")
    assert "given up" in words_of(olga.read(page_of(office)))
    urls = re.findall(r'action="(/[^"]+/again)"', olga.page)
    assert len(urls) == 2
    for _ in range(2):
        assert "on its way again" in words_of(olga.send(urls[0]))
    dora = office.walker.as_staff("Dora", Role.DPO)
    told = subscribing.deliveries(dora, subscribing.subscribers(dora)[0].id, is_open=True)
    assert sorted(one.state for one in told) == [DeliveryState.FAILED, DeliveryState.WAITING]
    audit = office.at_desk("Dora").read("/console/audit?action=webhook")
    assert len(re.findall(r"\bwebhook\.replayed\b", audit)) == 1


def test_everything_from_a_number_on_is_sent_again(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    connect(olga)
    stop(office)
    settle(office, DeliveryState.ACKNOWLEDGED, None)
    assert "Everything is confirmed" in words_of(olga.read(f"{page_of(office)}?view=open"))
    olga.read(f"{page_of(office)}/replay")
    assert "Enter a number" in words_of(olga.send(f"{page_of(office)}/replay", 422, from_seq="all"))
    said = words_of(olga.send(f"{page_of(office)}/replay", from_seq="1", once=olga.hidden("once")))
    assert "2 events are on their way again" in said


def test_a_system_is_switched_off_and_on_and_a_second_click_is_harmless(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    connect(olga)
    olga.read(page_of(office))
    for _ in range(2):
        assert "A colleague switched it off" in words_of(olga.send(f"{page_of(office)}/disable"))
    for _ in range(2):
        assert "Switched on" in words_of(olga.send(f"{page_of(office)}/enable"))


def test_a_key_is_changed_and_the_one_before_signs_for_a_day(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    connect(olga)
    olga.read(f"{page_of(office)}/rotate")
    said = olga.send(f"{page_of(office)}/rotate", scheme="v1a", once=olga.hidden("once"))
    assert "whpk_" in said
    assert "whsk_" not in said
    assert "the key before signs too, until" in words_of(olga.read(page_of(office)))


def test_a_system_that_reads_the_feed_has_no_key(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    page = connect(olga, url="")
    assert "reads the change feed" in words_of(page)
    assert "whsec_" not in page
    olga.read(f"{page_of(office)}/rotate")
    refused = olga.send(f"{page_of(office)}/rotate", 422, scheme="v1", once=olga.hidden("once"))
    assert "nothing is signed for it" in words_of(refused)


def test_an_officer_sees_the_systems_and_changes_none(office: Office) -> None:
    connect(office.at_desk("Olga", Role.ADMIN))
    dora = office.at_desk("Dora", Role.DPO)
    page = dora.read(page_of(office))
    assert "Switch off" not in page
    dora.read(f"{SYSTEMS}/new", 403)
    answer = dora.post(f"{page_of(office)}/disable", {"csrf": dora.token}, Origin=ORIGIN)
    assert answer.status_code == 403


def test_an_analyst_sees_no_systems_and_a_stranger_id_is_not_found(office: Office) -> None:
    office.at_desk("Ada", Role.ANALYST).read(SYSTEMS, 403)
    office.at_desk("Olga", Role.ADMIN).read(f"{SYSTEMS}/00000000-0000-7000-8000-000000000000", 404)
