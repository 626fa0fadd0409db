"""A store whose connector is a person: a task with a form and a date, and what is handed in joins the request."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.by_hand import Statement
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import Task, TaskKind, TaskState
from privacyops.kernel.errors import NotFound, TransitionRefused, Unprocessable
from privacyops.kernel.ids import AccountId, DsarId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import by_hand, stores, task
from privacyops.services.dsar import erasure_plan, identity, intake
from privacyops.store import finding as findings
from privacyops.store import store_erasure
from privacyops.store import task as tasks
from tests.consoles import Office
from tests.house import Walker

ADDRESS = "mia.brandt@example.com"
PAPERS = {"place": "Cabinet B in the workshop", "steps": ["Look under the surname.", "Copy the card."], "days": 3}

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""No SQL of its own is in these stories; two of them are told on both engines."""


@pytest.fixture
def cabinet(walker: Walker, tmp_path: Path) -> AccountId:
    """A database, and a cabinet of cards that Ola looks after."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com');
            """
        )
    walker.connect("shop", path)
    stores.connect(walker.as_staff("Olga", Role.ADMIN), "Card cabinet", StoreConfig("cards", "manual", PAPERS))
    ola = AccountId(walker.as_staff("Ola", Role.STORE_OWNER).actor.id)
    stores.give_owner(walker.as_staff("Olga", Role.ADMIN), "cards", ola)
    return ola


def searched(walker: Walker, kind: RequestType = RequestType.ACCESS) -> DsarId:
    """A verified request whose every run has ended."""
    asked = Requester(email=ADDRESS, name="Mia Brandt", phone="+49 30 5550101")
    receipt = intake.submit(
        walker.as_subject(),
        intake.Submission(type=kind, requester=asked, channel=Channel.FORM, prefix="203.0.113.0/24"),
    )
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(ADDRESS))
    walker.settle()
    return receipt.id


def task_of(walker: Walker, dsar_id: DsarId, state: TaskState = TaskState.OPEN) -> Task:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        found = [one for one in tasks.list_tasks_of(tx, dsar_id) if one.store == "cards" and one.state is state]
    assert len(found) == 1, found
    return found[0]


def run_of(walker: Walker, dsar_id: DsarId) -> Any:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return next(run for run in findings.list_runs(tx, dsar_id) if run.store == "cards")


def found_in(walker: Walker, dsar_id: DsarId) -> dict[tuple[str, str], int]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return {(row.store, row.collection): int(row.records) for row in findings.count_findings(tx, dsar_id)}


def as_owner(walker: Walker) -> Any:
    return walker.as_staff("Ola", Role.STORE_OWNER)


@on_one_engine
def test_the_search_becomes_a_task_for_the_owner_with_a_date_of_its_own(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker)
    found, run = task_of(walker, dsar_id), run_of(walker, dsar_id)
    assert found.code == "connector:by_hand"
    assert (found.kind, found.owner_id, found.owner_role) == (TaskKind.MANUAL_STORE, cabinet, "store_owner")
    assert (found.due_on - found.created_at.date()).days == 3
    assert found.due_on < walker.dsar(dsar_id).safe_due_on
    assert run.state is RunState.HANDED_OVER
    assert found_in(walker, dsar_id) == {("shop", "customer"): 1}, "the other store was searched all the same"


@on_one_engine
def test_the_owner_is_told_whom_to_look_for_where_and_how(walker: Walker, cabinet: AccountId) -> None:
    found = task_of(walker, searched(walker))
    whom = dict(by_hand.asked(as_owner(walker), found.id))
    assert whom == {"Name": "Mia Brandt", "Mail address": ADDRESS, "Phone": "+49 30 5550101"}
    told = by_hand.told(as_owner(walker), found.id)
    assert (told.place, told.steps) == ("Cabinet B in the workshop", ("Look under the surname.", "Copy the card."))


@on_one_engine
def test_another_store_owner_sees_nothing_of_it(walker: Walker, cabinet: AccountId) -> None:
    found = task_of(walker, searched(walker))
    other = walker.as_staff("Otto", Role.STORE_OWNER)
    for look in (by_hand.asked, by_hand.told, task.read):
        with pytest.raises(NotFound):
            look(other, found.id)
    with pytest.raises(NotFound):
        by_hand.search_answered(other, found.id, Statement.NOTHING, "Looked.", "")


def test_what_was_found_is_handed_in_as_a_table_and_reviewed_like_any_record(
    walker: Walker, cabinet: AccountId
) -> None:
    dsar_id = searched(walker)
    found = task_of(walker, dsar_id)
    table = "Name;Since;Note\nMia Brandt;2019;prefers lavender\nM. Brandt;;returned a soap"
    assert by_hand.search_answered(as_owner(walker), found.id, Statement.FOUND, "Cards A to C.", table) == 2
    assert found_in(walker, dsar_id) == {("shop", "customer"): 1, ("cards", "handed_in"): 2}
    run = run_of(walker, dsar_id)
    assert (run.state, run.report["found"], run.report["by_hand"]) == (RunState.DONE_BY_HAND, 2, "found")
    assert task.note(as_owner(walker), found.id) == "Cards A to C."
    assert walker.dsar(dsar_id).state is DsarState.IN_REVIEW


@on_one_engine
def test_nothing_found_is_a_statement_with_a_name_under_it(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker)
    found = task_of(walker, dsar_id)
    by_hand.search_answered(as_owner(walker), found.id, Statement.NOTHING, "All cards from A to C, none.", "")
    assert run_of(walker, dsar_id).report["by_hand"] == "nothing"
    assert task_of(walker, dsar_id, TaskState.DONE).ended_by == cabinet


@on_one_engine
def test_a_statement_that_contradicts_itself_or_cannot_be_read_changes_nothing(
    walker: Walker, cabinet: AccountId
) -> None:
    dsar_id = searched(walker)
    found = task_of(walker, dsar_id)
    for statement, note, table in (
        (Statement.NOTHING, "  ", ""),
        (Statement.NOTHING, "Looked.", "Name\nMia"),
        (Statement.FOUND, "Looked.", ""),
        (Statement.FOUND, "Looked.", "Name,Since\nMia"),
    ):
        with pytest.raises(Unprocessable):
            by_hand.search_answered(as_owner(walker), found.id, statement, note, table)
    assert task_of(walker, dsar_id).id == found.id
    assert run_of(walker, dsar_id).state is RunState.HANDED_OVER
    assert ("cards", "handed_in") not in found_in(walker, dsar_id)


@on_one_engine
def test_a_second_click_hands_nothing_in_twice(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker)
    found = task_of(walker, dsar_id)
    by_hand.search_answered(as_owner(walker), found.id, Statement.FOUND, "Cards.", '[{"name": "Mia Brandt"}]')
    with pytest.raises(TransitionRefused):
        by_hand.search_answered(as_owner(walker), found.id, Statement.FOUND, "Cards.", '[{"name": "Mia Brandt"}]')
    assert found_in(walker, dsar_id)["cards", "handed_in"] == 1
    assert by_hand.asked(as_owner(walker), found.id) == (), "whom it was about is not shown after the end"


@on_one_engine
def test_a_change_by_hand_needs_what_was_done_and_how_it_was_checked(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker, RequestType.RECTIFICATION)
    by_hand.search_answered(
        as_owner(walker), task_of(walker, dsar_id).id, Statement.FOUND, "Cards.", '[{"name": "Mia Brandt"}]'
    )
    due = walker.dsar(dsar_id).safe_due_on
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        tasks.add_task(
            tx, TaskKind.MANUAL_STORE, due, owner_role="store_owner", owner_id=cabinet, dsar_id=dsar_id, store="cards",
            code="rectification",
        )  # fmt: skip
    change = task_of(walker, dsar_id)
    for did, checked in (("", "Read the card again."), ("Wrote a new card.", ""), ("Wrote a new card.", "ok")):
        with pytest.raises(Unprocessable):
            by_hand.change_answered(as_owner(walker), change.id, did, checked)
    by_hand.change_answered(as_owner(walker), change.id, "Wrote a new card.", "Read the card again.")
    said = task.note(as_owner(walker), change.id)
    assert said == "Done: Wrote a new card.\n\nChecked: Read the card again."


@on_one_engine
def test_the_form_on_the_task_page_asks_reads_and_refuses(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker)
    found = task_of(walker, dsar_id)
    office = Office.open(walker)
    ola, url = office.at_desk("Ola", Role.STORE_OWNER), f"/console/tasks/{found.id}"
    page = ola.read(url)
    for shown in ("Search a store by hand", "Cabinet B in the workshop", "Look under the surname.", ADDRESS):
        assert shown in page
    answer, table = f"{url}/answer", "Name,Since\nMia Brandt,2019"
    assert "Line 2 has 1 cells" in ola.send(answer, 422, outcome="found", answer="Cards.", records="Name,Since\nMia")
    assert "Say whether something was found." in ola.send(answer, 422, answer="Cards.", records=table)
    ola.send(answer, outcome="found", answer="Cards A to C.", records=table)
    assert found_in(walker, dsar_id)["cards", "handed_in"] == 1
    ola.send(answer, outcome="found", answer="Cards A to C.", records=table)  # a second click
    assert found_in(walker, dsar_id)["cards", "handed_in"] == 1
    assert ADDRESS not in ola.read(url)


def test_an_erasure_there_is_a_change_by_hand_and_no_machine_tries(walker: Walker, cabinet: AccountId) -> None:
    dsar_id = searched(walker, RequestType.ERASURE)
    found = task_of(walker, dsar_id)
    by_hand.search_answered(as_owner(walker), found.id, Statement.FOUND, "Cards.", '[{"name": "Mia Brandt"}]')
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        planned = {one.store: (one.state, one.code) for one in store_erasure.list_erasures(tx, dsar_id)}
    assert planned["cards"] == (ErasingState.BY_HAND, "by_hand")
    assert planned["shop"][0] is ErasingState.PLANNED


@on_one_engine
def test_an_administrator_says_who_answers_the_tasks_of_a_store(walker: Walker, cabinet: AccountId) -> None:
    office = Office.open(walker)
    olga = office.at_desk("Olga", Role.ADMIN)
    page = olga.read("/console/stores")
    [card] = [one.id for one in stores.all_stores(walker.as_staff("Olga", Role.ADMIN)) if one.name == "cards"]
    assert f'name="owner-{card}"' in page
    olga.send("/console/stores/cards/owner", **{f"owner-{card}": ""})
    assert task_of(walker, searched(walker)).owner_role == "analyst"
    olga.send("/console/stores/cards/owner", 404, **{f"owner-{card}": "01a202b2-c500-77bb-b75e-deb8c5442a33"})
