"""The console's pages about collection points and kept evidence."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.subject import IdentifierType
from privacyops.services import purpose
from privacyops.services.consent import collecting, erasing, writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker

POINTS = "/console/consent/points"
KEPT = "/console/consent/kept"
PAGE = "https://shop.example"
NOTICE = NoticeVersion("signup", 1, {"en": {part: f"Words about {part}" for part in Part}}, ("newsletter",))
FORM = {
    "key": "footer", "kind": "form", "brand": "shop", "origins": f"{PAGE}\nhttps://www.shop.example/",
    "purposes": "newsletter", "notice": "signup:1", "clock": "client",
}  # fmt: skip


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for forms; what stands behind them is tested on both."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker) -> Office:
    purpose.install_shipped(walker.context)
    purpose.publish_notice(walker.context, NOTICE)
    return Office.open(walker)


def register(browser: Browser, status: int = 200, **more: str) -> str:
    browser.read(f"{POINTS}/new")
    return words_of(browser.send(f"{POINTS}/new", status, once=browser.hidden("once"), **{**FORM, **more}))


def test_a_house_without_points_says_what_they_are_for(office: Office) -> None:
    assert "No point is registered" in words_of(office.at_desk("Dora", Role.DPO).read(POINTS))


def test_a_point_is_registered_and_says_how_a_page_uses_it(office: Office) -> None:
    said = register(office.at_desk("Dora", Role.DPO))
    assert "Registered." in said
    assert "/v1/collection-points/footer:token" in said
    (point,) = collecting.registered(office.walker.as_staff("Dora"))
    assert point.terms.origins == (PAGE, "https://www.shop.example")


def test_a_form_that_is_sent_twice_registers_one_point(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{POINTS}/new")
    once = dora.hidden("once")
    for _ in range(2):
        assert "Registered." in words_of(dora.send(f"{POINTS}/new", once=once, **FORM))


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"key": "Footer!"}, 422, "A key is small letters"),
        ({"kind": "billboard"}, 422, "Choose what it is"),
        ({"purposes": ""}, 422, "Choose at least one purpose"),
        ({"purposes": "profiling"}, 422, "notice"),
        ({"notice": "signup:7"}, 422, "notice"),
        ({"origins": "shop.example"}, 422, "An origin is https://host"),
        ({"clock": "trusted"}, 422, "The clock of a page is its visitor's"),
        ({"brand": "nobody"}, 404, "brand"),
    ],
)
def test_a_point_that_could_write_too_much_comes_back_filled(
    office: Office, more: dict[str, str], status: int, said: str
) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    assert said in register(dora, status, **more)
    assert 'value="signup:1" selected' in dora.page or "notice" in more
    assert collecting.registered(office.walker.as_staff("Dora")) == []


def test_a_newer_text_is_said_where_the_point_shows_the_old_one(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    register(dora)
    purpose.publish_notice(office.walker.context, replace(NOTICE, version=2))
    assert "newer text" in words_of(dora.read(POINTS))
    dora.read(f"{POINTS}/footer/change")
    changed = FORM | {"notice": "signup:2"}
    said = words_of(dora.send(f"{POINTS}/footer/change", once=dora.hidden("once"), **changed))
    assert "Changed." in said
    assert "newer version" not in said


def test_a_point_is_switched_off_and_on_and_a_second_click_is_harmless(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    register(dora)
    for verb, said in (("disable", "This point is switched off"), ("enable", "Its pages fetch new tokens")):
        for _ in range(2):
            assert said in words_of(dora.send(f"{POINTS}/footer/{verb}"))


def test_an_analyst_sees_the_points_and_changes_none(office: Office) -> None:
    register(office.at_desk("Dora", Role.DPO))
    ada = office.at_desk("Ada", Role.ANALYST)
    assert "Switch off" not in ada.read(f"{POINTS}/footer")
    assert ada.post(f"{POINTS}/footer/disable", {"csrf": ada.token}, Origin=ORIGIN).status_code == 403
    ada.read(f"{POINTS}/nothing", 404)


# --- kept evidence -----------------------------------------------------------------------------------------------


def erased(office: Office, kept_for: str = "P5Y") -> str:
    """Kim chose and was erased, in a house that keeps proof; the id of the event. Closes nobody's session."""
    profile = replace(office.walker.context.controller, consent_proof=kept_for)
    ctx = replace(office.walker.context, controller=profile)
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])
    how = Circumstances(Method.FORM, evidence={"url": "https://shop.example/checkout", "variant": "b"})
    written = writing.record_choices(ctx, whom, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], how)
    erasing.erase(ctx, written.subject_id)
    return str(written.events[0]["event_id"])


def test_a_house_that_keeps_no_proof_says_so(office: Office) -> None:
    erased(office, "at_once")
    said = words_of(office.at_desk("Dora", Role.DPO).read(KEPT))
    assert "an erasure destroys the proof at once" in said
    assert 'controller.consent_proof = "P5Y" in the settings file, privacyops.toml' in said


def test_kept_evidence_is_opened_with_a_reason_and_recorded(office: Office) -> None:
    event, dora = erased(office), office.at_desk("Dora", Role.DPO)
    assert "Evidence of 1 event is kept." in words_of(dora.read(KEPT))
    said = words_of(dora.send(KEPT, event=event, reason="claim 17/2026"))
    assert "https://shop.example/checkout" in said
    assert "newsletter v1" in said
    assert "claim 17/2026" in words_of(dora.read("/console/audit?action=ring"))


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"event": "the newsletter one", "reason": "claim 17"}, 422, "Enter the event's id"),
        ({"reason": " "}, 422, "Say why you open it"),
        ({"event": "019c3b2e-7d10-7c44-9a51-2f6f0c1d8e90", "reason": "claim 17"}, 404, "Nothing is kept of this event"),
    ],
)
def test_what_is_not_to_be_opened_stays_shut(office: Office, form: dict[str, str], status: int, said: str) -> None:
    event, dora = erased(office), office.at_desk("Dora", Role.DPO)
    dora.read(KEPT)
    page = words_of(dora.send(KEPT, status, **{"event": event, **form}))
    assert said in page
    assert "shop.example/checkout" not in page


def test_kept_evidence_needs_a_fresh_code(office: Office) -> None:
    event, dora = erased(office), office.at_desk("Dora", Role.DPO)
    office.walker.clock.advance(timedelta(minutes=6))
    dora.read(KEPT)
    assert "Enter the code" in words_of(dora.send(KEPT, 403, event=event, reason="claim 17"))
    assert "checkout" in words_of(dora.send(KEPT, event=event, reason="claim 17", code=dora.code()))


def test_after_its_term_nothing_is_opened(office: Office) -> None:
    event, dora = erased(office, "P1D"), office.at_desk("Dora", Role.DPO)
    office.walker.clock.advance(timedelta(days=1))
    del office.browsers["Dora"]
    dora = office.at_desk("Dora")
    dora.read(KEPT)
    dora.send(KEPT, 404, event=event, reason="claim 17")


def test_nobody_but_the_officer_comes_near(office: Office) -> None:
    for name, role in (("Ada", Role.ANALYST), ("Olga", Role.ADMIN), ("Tom", Role.AUDITOR)):
        office.at_desk(name, role).read(KEPT, 403)
