"""The page on which a person decides what other people's passages become, walked without a script."""

import re
from html import unescape
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.ids import DsarId
from tests.consoles import Browser, Office, words_of
from tests.house import Walker
from tests.redacting import ANSWER, NOTE, KnownNames, detects, found, noted_shop, pieces_of


@pytest.fixture
def dsar_id(walker: Walker, tmp_path: Path) -> DsarId:
    detects(walker, KnownNames())
    return found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))


@pytest.fixture
def office(walker: Walker, dsar_id: DsarId) -> Office:
    return Office.open(walker)


def _forms(page: str, verb: str) -> list[tuple[str, dict[str, str]]]:
    """Where each form of a kind goes, and its hidden fields."""
    forms = re.findall(rf'<form[^>]*action="([^"]*/texts/{verb}[^"]*)"[^>]*>(.*?)</form>', page, re.S)
    hidden = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
    return [(unescape(to), {name: unescape(value) for name, value in hidden.findall(body)}) for to, body in forms]


def _send(browser: Browser, verb: str, status: int = 200, /, **fields: str) -> str:
    """Send the first form of a kind."""
    to, hidden = _forms(browser.page, verb)[0]
    return browser.send(to, status, **(hidden | fields))


def _not_done(page: str) -> None:
    assert "Every passage is decided." not in page
    assert "0 undecided" not in page
    assert "not read yet" in page


def test_a_reviewer_decides_marks_takes_back_and_finishes(office: Office, walker: Walker, dsar_id: DsarId) -> None:
    ada, number = office.at_desk("Ada", Role.ANALYST), walker.dsar(dsar_id).reference
    url = f"/console/requests/{number}"
    page = words_of(ada.read(url))
    assert "Passages about other people wait for a decision" in page
    assert f'<a href="{url}/texts">See the texts</a>' in ada.page
    assert "Passages about other people are undecided." in page
    page = ada.read(f"{url}/texts")
    assert "<mark>Peter Novak</mark>" in page
    assert "Suggested, 90%: known name" in words_of(page)
    first = _forms(page, "decide")[0]
    assert "<del>Peter Novak</del>" in _send(ada, "decide", decision="accepted")
    ada.send(first[0], **(first[1] | {"decision": "accepted"}))  # the second click
    assert ada.path == f"{url}/texts"
    ada.send(first[0], 409, **(first[1] | {"decision": "refused"}))  # a page from before
    ada.read(f"{url}/texts")
    assert "<mark>Peter Novak</mark>" in _send(ada, "undo")
    assert "Take out all 3 of [Person A]" in words_of(ada.page)
    _send(ada, "alike", label="[Person A]", decision="refused")
    assert "Undo all 3 of [Person A]" in words_of(ada.page)
    assert _forms(ada.page, "alike")[0][1]["label"] == "[Person A]"
    _send(ada, "alike", before="refused")
    assert "The decisions on 3 passages were taken back." in words_of(ada.page)
    _send(ada, "alike", label="[Person A]", decision="accepted")
    assert "3 passages decided." in words_of(ada.page)
    key = _forms(ada.page, "mark")[0][1]["key"]
    page = _send(ada, "mark", 422, **{f"words-{key}": "no such words", f"kind-{key}": "PERSON"})
    assert f'href="#f-words-{key}"' in page
    assert 'value="no such words"' in page
    page = _send(ada, "mark", 200, **{f"words-{key}": "the parcel", f"kind-{key}": "PERSON"})
    assert "<del>the parcel</del>" in page
    assert "marked by hand · Ada" in words_of(page)
    ada.read(f"{url}/texts?only=open")
    for _ in range(len(_forms(ada.page, "decide"))):
        _send(ada, "decide", decision="refused")
    assert "Every passage is decided." in words_of(ada.page)
    assert "4 taken out" in words_of(ada.page)
    assert "2 left in" in words_of(ada.page)
    ada.read(url)
    finish = re.search(r'action="([^"]*/finish[^"]*)"', ada.page)
    assert finish is not None
    ada.send(finish[1])
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING
    assert _forms(ada.read(f"{url}/texts"), "decide") == []  # what was decided stands there, and nothing to press
    assert "After it, the request is sent back first." in words_of(ada.page)
    marta = office.at_desk("Marta", Role.APPROVER)
    marta.read(f"{url}/texts", 403)
    walker.settle()
    assert "4 taken out, 2 left in; 2 texts read." in words_of(marta.read(f"{url}/release"))


def test_any_text_of_a_record_is_marked_from_its_preview(office: Office, walker: Walker, dsar_id: DsarId) -> None:
    ada, url = office.at_desk("Ada", Role.ANALYST), f"/console/requests/{walker.dsar(dsar_id).reference}"
    groups = dict.fromkeys(re.findall(r"\?open=(g[0-9a-f]{12})#preview", ada.read(url)))
    links: list[str] = []
    for group in groups:
        page = ada.read(f"{url}?open={group}")
        links = re.findall(r'<a href="([^"]*/texts\?finding=[^"]*)">Mark', page)
        if "Table cloth" in page:
            break
    ada.read(unescape(links[-1]))
    assert "Table cloth of natural linen" in words_of(ada.page)
    key = _forms(ada.page, "mark")[0][1]["key"]
    fields = {f"start-{key}": "0", f"end-{key}": "5", f"kind-{key}": "LOCATION"}
    assert "<del>Table</del> cloth" in re.sub(r"<a .*?</a>", "", _send(ada, "mark", 200, **fields), flags=re.S)
    assert ("Table", "[Address 1]") in [one[:2] for one in pieces_of(walker, dsar_id)]
    ada.read(f"{url}/texts?finding={'0' * 32}&number=0", 404)
    ada.read(f"{url}/texts?finding=nonsense", 404)
    ada.read(f"{url}/texts?after=nonsense", 400)


def test_where_the_machine_cannot_read_the_page_says_so_and_a_person_vouches(walker: Walker, tmp_path: Path) -> None:
    detection = detects(walker, KnownNames(breaks=lambda _: True))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))
    office = Office.open(walker)
    ada, url = office.at_desk("Ada", Role.ANALYST), f"/console/requests/{walker.dsar(dsar_id).reference}"
    assert "The texts could not be read for other people." in words_of(ada.read(url))
    page = words_of(ada.read(f"{url}/texts?only=open"))
    assert "The machine could not read these texts" in page
    assert "The machine suggests nothing here" in page
    _not_done(page)
    _send(ada, "vouch")
    assert "could not be read for other people" not in words_of(ada.page)
    ada.read(f"{url}/texts")
    detection.breaks = lambda _: False
    detection.unsearched = ("PERSON: no model for en",)
    detection.degraded = ("names and addresses: no model; patterns only.",)
    ada.send(f"{url}/texts/read")
    assert "The texts are read for other people" in words_of(ada.page)
    page = words_of(ada.read(f"{url}/texts?only=open"))
    assert "The texts are still being read" in page
    _not_done(page)
    walker.settle()
    page = words_of(ada.read(f"{url}/texts"))
    assert "names and addresses: no model; patterns only." in page
    assert "Names and addresses were not looked for: there is no model for this language." in page
    assert "2 to read" in page
    _send(ada, "seen")
    assert "1 to read" in words_of(ada.page)
    assert "Read by Ada" in words_of(ada.page)
    _send(ada, "unseen")
    assert "2 to read" in words_of(ada.page)
    assert "Read by Ada" not in words_of(ada.page)


def test_where_nobody_has_looked_the_pages_say_so_and_lead_there(
    office: Office, walker: Walker, dsar_id: DsarId
) -> None:
    ada, url = office.at_desk("Ada", Role.ANALYST), f"/console/requests/{walker.dsar(dsar_id).reference}"
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        for table in ("redaction", "finding_text", "dsar_reading", "outbox"):
            tx.connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - four fixed names
    page = words_of(ada.read(url))
    assert "Nobody has looked for other people in the texts." in page
    assert "A worker is at it" not in page
    assert "Other people…" in page
    page = words_of(ada.read(f"{url}/texts?only=open"))
    assert "Nobody has looked yet" in page
    _not_done(page)
    _send(ada, "read")
    walker.settle()
    assert "5 undecided" in words_of(ada.read(f"{url}/texts"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_all_of_one_label_are_counted_over_every_page(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    notes = [f"Note {number}: Sofia Rossi came by." for number in range(12)]
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", *notes))
    ada = Office.open(walker).at_desk("Ada", Role.ANALYST)
    page = ada.read(f"/console/requests/{walker.dsar(dsar_id).reference}/texts")
    assert page.count("<mark>Sofia Rossi</mark>") == 10
    assert "Take out all 12 of [Person A]" in words_of(page)
    assert "Leave in all 12 of [Person A]" in words_of(page)
    _send(ada, "alike", decision="refused")
    assert "12 passages decided." in words_of(ada.page)
    assert "12 left in" in words_of(ada.page)
