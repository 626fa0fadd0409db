"""Recipients of erased and corrected data hear of it (Art. 19): one task each, an answer with a day, four eyes for an
excuse, and no closing before.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.four_eyes import ApprovedMatterChanged, SamePerson
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.recipient import Excuse, NoticeState, RecipientNotice, Way
from privacyops.domain.task import OPEN_TASKS, Task, TaskKind
from privacyops.kernel.errors import TransitionRefused, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import recipient
from privacyops.services import task as task_service
from privacyops.services.dsar import answer, corrections, erasing, opening, own, recipients, review
from privacyops.services.recipient import Said
from privacyops.settings import Processing, Recipient, Settings
from privacyops.store import audit
from privacyops.store import task as tasks
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.integration import test_rectification_journey as correcting
from tests.integration.test_erasure_journey import approved, planned, shop
from tests.integration.test_portal_journey import come_back
from tests.portal_client import Customer
from tests.shop import ShopClient

__all__ = ["shop"]
CARRIER, LENDER = "Parcels Ltd", "Example Credit"
DAY = timedelta(days=1)
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three recipients; the connected shop reaches one of them itself."""
    told = Processing(
        recipients=(
            Recipient(name=CARRIER, purpose="delivery", country="DE", contact="privacy@parcels.example"),
            Recipient(name=LENDER, purpose="credit checks", country="AT"),
            Recipient(name=f" {CARRIER.upper()} ", purpose="returns", country="DE"),
            Recipient(name="Hosting", purpose="hosting", country="DE", store="shop"),
        )
    )
    return settings.model_copy(update={"controller": settings.controller.model_copy(update={"processing": told})})


def notices(walker: Walker, dsar_id: DsarId) -> dict[str, RecipientNotice]:
    return {one.name: one for one in recipients.all_of(walker.as_staff("Dora", Role.DPO), dsar_id)}


def open_tasks(walker: Walker, dsar_id: DsarId) -> list[Task]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return [one for one in tasks.list_tasks_of(tx, dsar_id) if one.state in OPEN_TASKS]


def swept(walker: Walker) -> None:
    for _ in range(2):
        walker.clock.advance(7 * DAY)
        erasing.sweep_due(walker.context)
        walker.settle()


def seen(walker: Walker, dsar_id: DsarId) -> str:
    """The hash of what is proposed about the one that lends money."""
    return recipient.digest_of(notices(walker, dsar_id)[LENDER])


def test_an_erasure_makes_one_task_a_recipient_and_closes_when_each_is_settled(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    assert not notices(walker, dsar_id), "nothing was erased yet"
    approved(walker, dsar_id)
    found = notices(walker, dsar_id)
    assert set(found) == {CARRIER, LENDER}, "the connected store was erased itself, and one name is one recipient"
    assert [one.kind for one in open_tasks(walker, dsar_id)] == [TaskKind.NOTIFY_RECIPIENT] * 2
    ada = walker.as_staff("Ada", Role.ANALYST)
    carrier, lender = found[CARRIER].task_id, found[LENDER].task_id
    with pytest.raises(Unprocessable):
        task_service.answer(ada, carrier, "told them")
    today = walker.clock.now().date()
    recipient.say(ada, carrier, Said(NoticeState.TOLD, today, Way.MAIL))
    letter = opening.preview_letter(ada, dsar_id).text
    assert letter.index("We also told") < letter.index(CARRIER) < letter.index("still telling") < letter.index(LENDER)
    answer.send_letter(ada, dsar_id)
    walker.settle()
    assert walker.dsar(dsar_id).state is DsarState.ANSWERED
    assert len(open_tasks(walker, dsar_id)) == 2, "the answer went out; the recipients stay owed"
    swept(walker)
    with pytest.raises(answer.WorkOpen):
        answer.close(ada, dsar_id)
    customer = Customer(walker, language="de")
    come_back(customer, walker.dsar(dsar_id).reference)
    page = words_of(customer.page.text)
    assert re.search(rf"Wer Ihre Daten noch von uns bekam .*{LENDER} wird unterrichtet .*{CARRIER} unterrichtet", page)
    recipient.say(ada, carrier, Said(NoticeState.CONFIRMED, today, Way.LETTER, note="answered by Kim Doe"))
    with pytest.raises(TransitionRefused):
        recipient.say(ada, carrier, Said(NoticeState.CONFIRMED, today, Way.LETTER))
    assert notices(walker, dsar_id)[CARRIER].way is Way.MAIL
    why = Said(NoticeState.PROPOSED, excuse=Excuse.IMPOSSIBLE, note="Dissolved in 2024, no successor.")
    recipient.say(ada, lender, why)
    with pytest.raises(answer.WorkOpen):
        answer.close(ada, dsar_id)
    with pytest.raises(SamePerson):
        recipient.agree(walker.as_staff("Ada", Role.ANALYST, Role.APPROVER), found[LENDER].id, seen(walker, dsar_id))
    marta = walker.as_staff("Marta", Role.APPROVER)
    first = seen(walker, dsar_id)
    recipient.send_back(marta, found[LENDER].id)
    assert notices(walker, dsar_id)[LENDER].state is NoticeState.OPEN
    recipient.say(ada, lender, why)
    with pytest.raises(ApprovedMatterChanged):  # she still has the page with the proposal that was sent back
        recipient.agree(marta, found[LENDER].id, first)
    recipient.agree(marta, found[LENDER].id, seen(walker, dsar_id))
    with pytest.raises(TransitionRefused):
        recipient.agree(marta, found[LENDER].id, seen(walker, dsar_id))
    assert answer.close(ada, dsar_id).state is DsarState.CLOSED
    told = own.read_own(walker.as_subject(dsar_id), dsar_id).recipients
    assert [(one.name, one.state) for one in told] == [
        (LENDER, NoticeState.EXCUSED),
        (CARRIER, NoticeState.CONFIRMED),
    ]
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        trail = json.dumps([[one.action, one.detail] for one in audit.list_audit_of(tx, "dsar", str(dsar_id))])
    assert "recipient.confirmed" in trail
    assert "recipient.excused" in trail
    assert not [word for word in ("Kim", "Dissolved", "mia", CARRIER) if word in trail]


@on_one_engine
def test_an_answer_without_its_day_way_or_reason_changes_nothing(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    ada, before = walker.as_staff("Ada", Role.ANALYST), notices(walker, dsar_id)
    today = walker.clock.now().date()
    wrong = [
        Said(NoticeState.TOLD),
        Said(NoticeState.TOLD, way=Way.MAIL),
        Said(NoticeState.TOLD, today + DAY, Way.MAIL),
        Said(NoticeState.TOLD, today - 400 * DAY, Way.MAIL),
        Said(NoticeState.PROPOSED, note="Dissolved in 2024."),
        Said(NoticeState.PROPOSED, excuse=Excuse.DISPROPORTIONATE, note=" "),
        Said(NoticeState.NOT_DISCLOSED),
        Said(NoticeState.EXCUSED, note="Nobody has to agree to this."),
        Said(NoticeState.OPEN, note="It begins anew, for no reason."),
    ]
    for said in wrong:
        with pytest.raises(Unprocessable):
            recipient.say(ada, before[CARRIER].task_id, said)
    assert notices(walker, dsar_id) == before


@on_one_engine
def test_a_correction_by_hand_tells_recipients_once_it_was_made(walker: Walker, tmp_path: Path) -> None:
    shop = correcting.shop.__wrapped__(tmp_path)  # type: ignore[attr-defined]  # the fixture's own function
    dsar_id = correcting.planned(walker, shop, correcting.STREET)
    ada = walker.as_staff("Ada", Role.ANALYST)
    ((name, _),) = corrections.open_corrections(ada, dsar_id)
    corrections.write(ada, dsar_id, None, [name])
    review.finish_review(ada, dsar_id)
    walker.settle()
    assert not notices(walker, dsar_id)
    (by_hand,) = open_tasks(walker, dsar_id)
    task_service.answer(walker.as_staff("Dora", Role.DPO), by_hand.id, "corrected in the shop's back office")
    assert set(notices(walker, dsar_id)) == {CARRIER, LENDER}
    client = ShopClient(walker.context, Scope.DSAR_READ)
    listed = client.get(f"/v1/dsars/{dsar_id}/rectification").json()["recipients"]
    assert [(one["name"], one["state"]) for one in listed] == [(LENDER, "open"), (CARRIER, "open")]
    text = recipient.opened(ada, notices(walker, dsar_id)[CARRIER].task_id).text
    assert text is not None
    assert "correct the data" in text.text
    assert "Mia Brandt" in text.text
    recipient.say(
        ada, notices(walker, dsar_id)[LENDER].task_id, Said(NoticeState.NOT_DISCLOSED, note="Paid in advance.")
    )
    assert len(open_tasks(walker, dsar_id)) == 1


@on_one_engine
def test_who_takes_the_request_back_after_the_erasure_does_not_take_back_the_telling(
    walker: Walker, shop: Path
) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    assert answer.withdraw(walker.as_subject(dsar_id), dsar_id).state is DsarState.CLOSED
    left = open_tasks(walker, dsar_id)
    assert [one.kind for one in left] == [TaskKind.NOTIFY_RECIPIENT] * 2
    recipient.say(
        walker.as_staff("Ada", Role.ANALYST), left[0].id,
        Said(NoticeState.CONFIRMED, walker.clock.now().date(), Way.PHONE),
    )  # fmt: skip
    assert len(open_tasks(walker, dsar_id)) == 1


@on_one_engine
def test_on_the_console_with_every_click_twice(walker: Walker, shop: Path) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    found, office = notices(walker, dsar_id), Office.open(walker)
    ada = office.at_desk("Ada", Role.ANALYST)
    assert CARRIER in ada.read("/console/tasks?view=all")
    url = f"/console/tasks/{found[CARRIER].task_id}"
    assert "Say who was told…" in ada.read(url)
    page = words_of(ada.read(f"{url}/recipient"))
    assert "privacy@parcels.example" in page
    assert "mia.brandt@example.com" in page
    wrong: list[tuple[Mapping[str, Any], str]] = [
        ({}, "Say what came of it"),
        ({"outcome": "told", "way": "mail", "on": "tomorrow"}, "Enter a date"),
        ({"outcome": "told", "way": "owl", "on": "2026-11-22"}, "Say how the recipient was told"),
        ({"outcome": "impossible", "note": "no"}, "Say in a sentence why"),
    ]
    for fields, told in wrong:
        assert told in words_of(ada.send(f"{url}/recipient", 422, **fields))
    today = walker.clock.now().date().isoformat()
    for _ in range(2):
        page = ada.send(f"{url}/recipient", outcome="told", way="mail", on=today)
    ada.read(f"{url}/recipient")
    for _ in range(2):
        page = words_of(ada.send(f"{url}/recipient", outcome="unanswered", note="Reminded on three days, no answer."))
        assert "A second person has to agree; the task is theirs now." in page
    request = f"/console/requests/{walker.dsar(dsar_id).reference}"
    assert "A colleague proposes not to tell: Parcel" in words_of(ada.read(request))
    assert "Agree that a recipient is not told" in ada.read("/console/tasks?view=all")
    assert "Agree that a recipient is not told" not in ada.read("/console/tasks")
    pia = office.at_desk("Pia", Role.DPO, Role.APPROVER)
    assert "Agree that a recipient is not told" in pia.read("/console/tasks")
    assert f'href="{request}/recipients"' in pia.read(url)
    assert "See the recipients" in ada.read(request)
    assert "waits for a second person" in words_of(ada.read(f"{request}/recipients"))
    assert "Do you agree?" not in words_of(ada.page)
    marta = office.at_desk("Marta", Role.APPROVER)
    assert "Reminded on three days" in words_of(marta.read(f"{request}/recipients"))
    notice, read = marta.hidden("notice"), marta.hidden("seen")
    assert "Choose whether you agree" in words_of(marta.send(f"{request}/recipients", 422, notice=notice))
    for _ in range(2):
        page = words_of(marta.send(f"{request}/recipients", notice=notice, seen=read, decision="agree"))
    assert "not told, agreed by two" in page
    assert "Told on" in page
    assert "unanswered: Reminded on three days" in words_of(ada.read(url))
    marta.send(f"{request}/recipients", 404, notice="0190a000-0000-7000-8000-000000000000", decision="agree")
    ada.read(f"/console/tasks/{open_tasks(walker, dsar_id)[0].id}/recipient")
    auditor = office.at_desk("Aude", Role.AUDITOR)
    auditor.read(f"{url}/recipient", 403)
