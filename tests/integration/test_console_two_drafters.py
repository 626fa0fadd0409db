"""Two people write the same draft: who saves second is told, loses no word, and decides over the newest."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.catalog.purposes import shipped_catalogue
from privacyops.domain.notice import Part
from privacyops.services import drafting, purpose
from tests.consoles import Browser, Office, words_of
from tests.house import Walker

PURPOSE = "/console/consent/purposes/newsletter"
NOTICE = "/console/consent/notices/signup"
WORDS = {str(part): f"Words about {part}" for part in Part}
FORM: dict[str, Any] = {
    "title-en": "Newsletter", "channels": ["email"], "scope": "brand", "place-0": "*", "basis-0": "consent",
    "regime-0": "opt_in", "on_notice_outdated": "deny",
    "data_categories": "\n".join(
        next(one for one in shipped_catalogue().purposes if one.key == "newsletter").data_categories
    ),
}  # fmt: skip


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker) -> Office:
    purpose.install_shipped(walker.context)
    return Office.open(walker)


@pytest.fixture
def dora(office: Office) -> Browser:
    return office.at_desk("Dora", Role.DPO)


@pytest.fixture
def ada(office: Office) -> Browser:
    return office.at_desk("Ada", Role.ANALYST)


def opened(browser: Browser, url: str) -> str:
    """Open a form; what it says that it was filled from."""
    browser.read(url)
    return browser.hidden("seen")


def drafted(office: Office) -> Any:
    (one,) = drafting.purpose_drafts(office.walker.as_staff("Dora"))
    return one.body


def test_the_second_save_of_a_purpose_is_told_who_was_first_and_keeps_its_words(
    office: Office, dora: Browser, ada: Browser
) -> None:
    url = f"{PURPOSE}/draft"
    mine, theirs = opened(dora, url), opened(ada, url)
    ada.send(url, seen=theirs, **FORM, recipients="Ada's Mailer")
    page = dora.send(url, 409, seen=mine, **FORM, recipients="Dora's Mailer")
    said = words_of(page)
    assert "Somebody else saved this meanwhile" in said
    assert "Ada, 11:0" in said
    assert "− recipients: Ada's Mailer + recipients: Dora's Mailer" in said.replace("  ", " ")
    assert "Dora&#39;s Mailer" in page
    assert drafted(office)["recipients"] == ["Ada's Mailer"]
    dora.send(url, seen=dora.hidden("seen"), **FORM, recipients="Dora's Mailer")
    assert drafted(office)["recipients"] == ["Dora's Mailer"]


def test_a_form_that_says_nothing_of_where_it_began_replaces_nothing(office: Office, dora: Browser) -> None:
    dora.read(f"{PURPOSE}/draft")
    dora.send(f"{PURPOSE}/draft", 409, **FORM)
    assert drafting.purpose_drafts(office.walker.as_staff("Dora")) == []


def test_a_draft_that_was_published_meanwhile_is_not_begun_anew_unseen(dora: Browser, ada: Browser) -> None:
    url = f"{PURPOSE}/draft"
    dora.send(url, seen=opened(dora, url), **FORM)
    late = opened(ada, url)
    dora.read(f"{PURPOSE}/publish")
    told = {"once": dora.hidden("once"), "seen": dora.hidden("seen"), "material": "no", "why": "fewer channels"}
    assert "Published." in words_of(dora.send(f"{PURPOSE}/publish", **told, judged_by="Dora"))
    said = words_of(ada.send(url, 409, seen=late, **FORM))
    assert "It was published, or its draft was thrown away." in said
    ada.send(url, seen=ada.hidden("seen"), **FORM)
    assert "version 3" in words_of(ada.page)


def test_a_mistake_in_the_second_save_is_told_after_the_first(dora: Browser, ada: Browser) -> None:
    url = f"{PURPOSE}/draft"
    mine = opened(dora, url)
    ada.send(url, seen=opened(ada, url), **FORM)
    dora.send(url, 409, seen=mine, **FORM | {"channels": []})
    wrong = words_of(dora.send(url, 422, seen=dora.hidden("seen"), **FORM | {"channels": []}))
    assert "Choose at least one channel" in wrong
    dora.send(url, seen=dora.hidden("seen"), **FORM)


def test_nobody_publishes_a_draft_that_they_did_not_read(office: Office, dora: Browser, ada: Browser) -> None:
    url = f"{PURPOSE}/draft"
    dora.send(url, seen=opened(dora, url), **FORM)
    dora.read(f"{PURPOSE}/publish")
    told = {"once": dora.hidden("once"), "seen": dora.hidden("seen"), "material": "no", "why": "fewer channels"}
    ada.send(url, seen=opened(ada, url), **FORM, recipients="Ada's Mailer")
    assert "Somebody else saved the draft" in words_of(dora.send(f"{PURPOSE}/publish", **told, judged_by="Dora"))
    known = drafting.published_purposes(office.walker.as_staff("Dora")).purposes["newsletter"]
    assert known.current.version == 1


def test_two_who_begin_the_same_key_do_not_overwrite_one_another(dora: Browser, ada: Browser) -> None:
    new = "/console/consent/purposes/new"
    for browser in (dora, ada):
        browser.read(new)
    dora.send(new, key="surveys", **FORM)
    assert "There is a purpose of this key already" in words_of(ada.send(new, 422, key="surveys", **FORM))


def test_the_words_of_two_languages_are_written_at_the_same_time(dora: Browser, ada: Browser) -> None:
    dora.read("/console/consent/notices/new")
    dora.send("/console/consent/notices/new", id="signup", locales="en, de", purposes="newsletter")
    english, german = opened(dora, f"{NOTICE}/draft/en"), opened(ada, f"{NOTICE}/draft/de")
    ada.send(f"{NOTICE}/draft/de", seen=german, **WORDS)
    dora.send(f"{NOTICE}/draft/en", seen=english, **WORDS)
    assert "Words about risks" in ada.read(f"{NOTICE}/draft/de")


def test_the_second_save_of_a_language_and_of_the_terms_is_told(dora: Browser, ada: Browser) -> None:
    dora.read("/console/consent/notices/new")
    dora.send("/console/consent/notices/new", id="signup", locales="en, de", purposes="newsletter")
    mine, theirs = opened(dora, f"{NOTICE}/draft/en"), opened(ada, f"{NOTICE}/draft/en")
    ada.send(f"{NOTICE}/draft/en", seen=theirs, **WORDS)
    page = dora.send(f"{NOTICE}/draft/en", 409, seen=mine, **WORDS | {"risks": "None at all"})
    assert "+ risks: None at all" in words_of(page)
    dora.send(f"{NOTICE}/draft/en", seen=dora.hidden("seen"), **WORDS | {"risks": "None at all"})
    assert "None at all" in ada.read(f"{NOTICE}/draft/en")

    mine, theirs = opened(dora, f"{NOTICE}/draft"), opened(ada, f"{NOTICE}/draft")
    ada.send(f"{NOTICE}/draft", seen=theirs, locales="en, de, fr", purposes="newsletter")
    said = words_of(dora.send(f"{NOTICE}/draft", 409, seen=mine, locales="en", purposes="newsletter"))
    assert "− locales: de, en, fr + locales: en" in said
    late = opened(ada, f"{NOTICE}/draft/de")
    dora.send(f"{NOTICE}/draft", seen=dora.hidden("seen"), locales="en", purposes="newsletter")
    ada.send(f"{NOTICE}/draft/de", 404, seen=late, **WORDS)
