"""Reminders of dates as tasks: one a date, and none any more once it has passed, moved, or was met."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.services.dsar import intake, sweep
from tests.consoles import Browser, Office, words_of
from tests.house import Walker


@pytest.fixture
def office(walker: Walker) -> Office:
    """A console with two requests."""
    for email in ("c.rossi@example.com", "anna@example.com"):
        submission = intake.Submission(
            type=RequestType.ACCESS, channel=Channel.PHONE, requester=Requester(email=email, name="A name")
        )
        intake.submit(walker.as_staff("Ada", Role.ANALYST), submission)
    return Office.open(walker)


def test_several_reminders_of_one_date_are_one_task(office: Office) -> None:
    until = datetime(2026, 12, 22, 9, tzinfo=UTC)
    office.walker.clock.advance(until - office.walker.clock.now())
    sweep.fire_deadlines(office.walker.context)
    sweep.fire_deadlines(office.walker.context)
    ada = office.at_desk("Ada", Role.ANALYST)
    page = ada.read("/console/tasks?view=all")
    due = "Tue 22 Dec 2026"  # two requests, each with one task for its answer and one for the extension
    assert page.count(f">The answer is due on {due}<") == page.count(f">More time can be announced until {due}<") == 2
    numbers = re.findall(r">(PR-[0-9A-Z]{6})</a>", page)
    assert set(numbers) == set(re.findall(r">(PR-[0-9A-Z]{6})</a>", ada.read("/console/requests")))
    told = words_of(ada.read(re.findall(r'href="(/console/tasks/[^"]+)">The answer is due', page)[0]))
    assert f"The answer to the request has to leave by {due}" in told
    assert "Open the request" in told
    assert "any data protection officer" in told
    asked = re.findall(r'href="(/console/tasks/[^"]+)">More time can be announced', page)
    office.walker.clock.advance(timedelta(days=1))
    for _ in range(2):  # a day later nobody can announce anything: the question ends, the answer is still owed
        sweep.fire_deadlines(office.walker.context)
    office.browsers.clear()  # the session of yesterday is over
    ada = office.at_desk("Ada")
    page = ada.read("/console/tasks?view=all")
    assert "More time can be announced" not in page
    assert page.count(f">The answer is due on {due}<") == 2
    assert "the date has passed, and nothing can be announced any more" in words_of(ada.read(asked[0]))
    assert "the last day on which more time could be announced is over" in words_of(
        ada.read(_request_of(ada, asked[0]))
    )


def test_a_reminder_ends_when_its_date_moves_and_when_more_time_was_announced(office: Office) -> None:
    office.walker.clock.advance(datetime(2026, 12, 20, 9, tzinfo=UTC) - office.walker.clock.now())
    sweep.fire_deadlines(office.walker.context)
    dora = office.at_desk("Dora", Role.DPO)
    page = dora.read("/console/tasks?view=all")
    asked = re.findall(r'href="(/console/tasks/[^"]+)">More time can be announced', page)[0]
    request = _request_of(dora, asked)
    dora.read(f"{request}/extend")
    dora.send(f"{request}/extend", reason="Two systems were moved.", seen=dora.hidden("seen"))
    assert "Ended by itself: more time was announced." in words_of(dora.read(asked))
    shown = words_of(dora.read(request))
    assert "The answer is due on" not in shown
    assert "More time can be announced" not in shown
    assert dora.read("/console/tasks?view=all").count(">The answer is due on Tue 22 Dec 2026<") == 1


def _request_of(browser: Browser, task: str) -> str:
    return next(iter(re.findall(r'href="(/console/requests/PR-[0-9A-Z]{6})"', browser.read(task))))
