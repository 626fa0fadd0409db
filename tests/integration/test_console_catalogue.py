"""The console's pages about purposes and notices."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.notice import Part
from privacyops.domain.purpose import LegalBasis, Regime
from privacyops.services import drafting, purpose
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker

PURPOSES = "/console/consent/purposes"
NOTICES = "/console/consent/notices"
WORDS = {str(part): f"Words about {part}" for part in Part}
SURVEYS: dict[str, Any] = {
    "key": "surveys", "title-en": "Surveys", "title-de": "Umfragen", "channels": ["email", "sms"], "scope": "brand",
    "place-0": "*", "basis-0": "consent", "regime-0": "opt_in",
    "place-1": "us", "basis-1": "consent", "regime-1": "opt_out", "override-1": "yes",
    "confirmed_in": "email: de at", "valid_for": "P24M", "on_notice_outdated": "deny",
    "data_categories": "e-mail address\nanswers", "recipients": "Example Research",
}  # fmt: skip


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for forms; what they store is tested on both in test_catalogue."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker) -> Office:
    purpose.install_shipped(walker.context)
    return Office.open(walker)


def in_force(office: Office, key: str) -> Any:
    known = drafting.published_purposes(office.walker.as_staff("Dora", Role.DPO)).purposes.get(key)
    return known.current if known else None


def publish(browser: Browser, url: str, status: int = 200, **form: str) -> str:
    browser.read(f"{url}/publish")
    told = {"once": browser.hidden("once"), "seen": browser.hidden("seen")}
    return words_of(browser.send(f"{url}/publish", status, **told, **form))


# --- purposes ----------------------------------------------------------------------------------------------------


def test_a_purpose_goes_from_draft_to_force(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{PURPOSES}/new")
    assert "This purpose is a draft" in words_of(dora.send(f"{PURPOSES}/new", **SURVEYS))
    assert in_force(office, "surveys") is None
    assert "Published." in publish(dora, f"{PURPOSES}/surveys")
    one = in_force(office, "surveys")
    assert (one.version, one.titles["de"], one.channels) == (1, "Umfragen", {"email", "sms"})
    assert one.grounds["*"].basis is LegalBasis.CONSENT
    assert (one.grounds["US"].regime, one.grounds["US"].gpc_override) == (Regime.OPT_OUT, True)
    assert one.confirmed_in == {"email": {"DE", "AT"}}
    assert one.data_categories == ("e-mail address", "answers")


def test_the_form_of_the_next_version_leaves_what_nobody_touched(office: Office) -> None:
    dora, before = office.at_desk("Dora", Role.DPO), in_force(office, "newsletter")
    page = dora.read(f"{PURPOSES}/newsletter/draft")
    dora.send(f"{PURPOSES}/newsletter/draft", **drawn(page))
    assert "The draft says what is in force already." in words_of(dora.page)
    (draft,) = drafting.purpose_drafts(office.walker.as_staff("Dora"))
    kept = {name: value for name, value in before.to_json().items() if name != "version"}
    assert {name: value for name, value in draft.body.items() if name != "version"} == kept


def test_how_long_a_consent_lasts_is_told_and_typed_in_words(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{PURPOSES}/new")
    page = dora.send(f"{PURPOSES}/new", **{**SURVEYS, "valid_for": "18 months", "retention": "P6M"})
    assert "Consent lasts 18 months" in words_of(page)
    assert "Kept for 6 months" in words_of(page)
    assert "P18M" not in page
    (draft,) = drafting.purpose_drafts(office.walker.as_staff("Dora"))
    assert (draft.body["valid_for"], draft.body["retention"]) == ("P18M", "P6M")
    assert 'value="18 months"' in dora.read(f"{PURPOSES}/surveys/draft")
    assert "18 months" in words_of(dora.read(PURPOSES))


def drawn(page: str) -> dict[str, Any]:
    """The fields of the form in `main` as a browser would send them untouched."""
    form = re.search(r'<form class="stack" method="post".*?</form>', page, re.S)
    assert form is not None
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        at = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if at.get("type") in {"checkbox", "radio"} and " checked" not in tag:
            continue
        fields.setdefault(at["name"], []).append(at.get("value", ""))
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)".*?>(.*?)</select>', form[0], re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
        fields[name] = [chosen[1]] if chosen else []
    for name, inside in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.S):
        fields[name] = [inside]
    return fields


def test_a_second_version_says_whether_older_consent_covers_it(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    changed = drawn(dora.read(f"{PURPOSES}/newsletter/draft")) | {"recipients": ["Example Mailer"]}
    said = words_of(dora.send(f"{PURPOSES}/newsletter/draft", **changed))
    assert "+ recipients: Example Mailer" in said
    url = f"{PURPOSES}/newsletter"
    assert "older consent still covers" in publish(dora, url, 422, judged_by="Dora")
    assert "Choose whether" in publish(dora, url, 422, why="another mailer", judged_by="Dora")
    assert "Published." in publish(dora, url, material="no", why="another mailer", judged_by="Dora")
    one = in_force(office, "newsletter")
    assert (one.version, one.is_material, one.judged_by) == (2, False, "Dora")
    assert "another mailer" in words_of(dora.read(url))


def test_a_second_click_on_publish_publishes_once(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{PURPOSES}/new")
    dora.send(f"{PURPOSES}/new", **SURVEYS)
    dora.read(f"{PURPOSES}/surveys/publish")
    once, seen = dora.hidden("once"), dora.hidden("seen")
    for _ in range(2):
        dora.send(f"{PURPOSES}/surveys/publish", once=once, seen=seen)
    assert in_force(office, "surveys").version == 1
    assert "no draft any more" in words_of(dora.send(f"{PURPOSES}/surveys/publish", once="another"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "Surveys!"}, "A purpose has a key in small letters"),
        ({"key": "newsletter"}, "There is a purpose of this key already"),
        ({"title-en": "", "title-de": ""}, "at least one language"),
        ({"channels": []}, "Choose at least one channel"),
        ({"place-0": "Germany"}, "Enter each place once"),
        ({"place-0": "", "place-1": ""}, "Name the legal basis"),
        ({"basis-0": "contract"}, "the basis is consent"),
        ({"confirmed_in": "email"}, "such as email: DE AT"),
        ({"confirmed_in": "phone: DE"}, "a channel that the purpose does not use"),
        ({"valid_for": "two years"}, "A period is written as in P24M"),
        ({"on_notice_outdated": "maybe"}, "not allowed there"),
    ],
)
def test_a_purpose_that_is_none_comes_back_filled(office: Office, change: dict[str, Any], said: str) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{PURPOSES}/new")
    page = dora.send(f"{PURPOSES}/new", 422, **{**SURVEYS, **change})
    assert said in words_of(page)
    assert "Example Research" in page
    assert drafting.purpose_drafts(office.walker.as_staff("Dora")) == []


def test_a_draft_is_thrown_away_and_what_is_in_force_stays(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.send(f"{PURPOSES}/newsletter/draft", **drawn(dora.read(f"{PURPOSES}/newsletter/draft")))
    for _ in range(2):
        assert "The draft is gone" in words_of(dora.send(f"{PURPOSES}/newsletter/discard"))
    assert in_force(office, "newsletter").version == 1


def test_an_analyst_drafts_and_does_not_publish(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read(f"{PURPOSES}/new")
    page = ada.send(f"{PURPOSES}/new", **SURVEYS)
    assert "/publish" not in page
    answer = ada.post(f"{PURPOSES}/surveys/publish", {"csrf": ada.token, "once": "1"}, Origin=ORIGIN)
    assert answer.status_code == 403


# --- notices -----------------------------------------------------------------------------------------------------


def draft_notice(browser: Browser, *locales: str) -> str:
    """A notice about the newsletter, its words written in these languages."""
    browser.read(f"{NOTICES}/new")
    page = browser.send(f"{NOTICES}/new", id="signup", locales="en, de", purposes="newsletter")
    for locale in locales:
        page = write(browser, f"{NOTICES}/signup/draft/{locale}", **WORDS)
    return words_of(page)


def write(browser: Browser, url: str, **fields: str) -> str:
    """Open a form of a draft and send it, filled with other words."""
    browser.read(url)
    return browser.send(url, seen=browser.hidden("seen"), **fields)


def test_a_house_without_notices_says_what_they_are_for(office: Office) -> None:
    assert "No notice is published" in words_of(office.at_desk("Dora", Role.DPO).read(NOTICES))


def test_a_notice_goes_from_draft_to_a_text_that_people_read(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en", "de")
    assert "Published." in publish(dora, f"{NOTICES}/signup")
    assert 'href="/notices/signup/1/de"' in dora.page
    ((notice, _),) = [(one.notice, one) for one in _notices(office).values()]
    assert notice.digest("de")[:12] in dora.page


def test_the_day_of_a_notice_is_shown_on_that_day_too(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en", "de")
    said = publish(dora, f"{NOTICES}/signup")
    day = office.walker.context.clock.now().strftime("%Y")
    assert re.search(rf"\w{{3}} \d+ \w{{3}} {day} \d\d:\d\d", said)
    assert re.search(rf"\w{{3}} \d+ \w{{3}} {day} \d\d:\d\d", words_of(dora.read(NOTICES)))


def test_a_first_version_says_once_that_it_is_the_first(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en", "de")
    said = publish(dora, f"{NOTICES}/signup", material="no", why="first version", judged_by="Dora")
    assert "first version (Dora)" in said
    assert said.count("first") == 1


def _notices(office: Office) -> Any:
    return drafting.published_notices(office.walker.as_staff("Dora", Role.DPO)).notices


def test_a_draft_says_what_it_lacks_and_leads_there(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    said = draft_notice(dora, "en")
    assert "14 things missing" in said
    assert "Risks is empty in Deutsch (ISO/IEC 29184, 5.3.16)" in said
    assert f'href="{NOTICES}/signup/draft/de#f-risks"' in dora.page
    assert 'id="f-risks"' in dora.read(f"{NOTICES}/signup/draft/de")


def test_a_draft_that_lacks_something_is_not_published(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en")
    assert "still lacks something (14)" in words_of(dora.read(f"{NOTICES}/signup/publish"))
    publish(dora, f"{NOTICES}/signup", 422)
    assert _notices(office) == {}


def test_the_words_of_one_language_leave_the_others(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en", "de")
    write(dora, f"{NOTICES}/signup/draft/de", **(WORDS | {"risks": "Keine"}))
    assert "Words about risks" in dora.read(f"{NOTICES}/signup/draft/en")
    assert "Keine" in dora.page  # beside it, to translate from


def test_the_next_version_begins_with_the_words_of_the_one_before(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora, "en", "de")
    publish(dora, f"{NOTICES}/signup")
    write(dora, f"{NOTICES}/signup/draft/en", **(WORDS | {"recipients": "", "transfer": "Example Mailer"}))
    assert "The draft of version 2 complete" in words_of(dora.page)
    said = publish(dora, f"{NOTICES}/signup", material="yes", why="another recipient", judged_by="Dora")
    assert "does not cover it another recipient (Dora)" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "Sign Up"}, "Small letters"),
        ({"id": "new"}, "Small letters"),
        ({"locales": "English"}, "Enter languages such as"),
        ({"purposes": ""}, "Choose at least one purpose"),
        ({"bundles": "newsletter + wishes"}, "Enter keys of purposes"),
    ],
)
def test_a_notice_that_is_none_comes_back_filled(office: Office, change: dict[str, str], said: str) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"{NOTICES}/new")
    form = {"id": "signup", "locales": "en, de", "purposes": "newsletter"} | change
    assert said in words_of(dora.send(f"{NOTICES}/new", 422, **form))
    assert drafting.notice_drafts(office.walker.as_staff("Dora")) == []


def test_a_language_that_is_not_in_the_draft_is_not_found(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    draft_notice(dora)
    dora.read(f"{NOTICES}/signup/draft/fr", 404)
    dora.read(f"{NOTICES}/nothing", 404)


def test_an_auditor_reads_the_catalogue_and_drafts_nothing(office: Office) -> None:
    draft_notice(office.at_desk("Dora", Role.DPO), "en")
    tom = office.at_desk("Tom", Role.AUDITOR)
    assert "things missing" in words_of(tom.read(f"{NOTICES}/signup"))
    assert "/draft" not in tom.page
    tom.read(f"{NOTICES}/signup/draft", 403)
    tom.read(f"{PURPOSES}/newsletter")
    assert "/draft" not in tom.page
