"""What a person hands in for a store, and the store whose connector is that person."""

from datetime import date

import pytest

from connectors.manual import connector
from privacyops.connector_sdk import Misconfigured, Right
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from privacyops.domain.dsar.by_hand import RecordsUnreadable, due_on, handed_in, instructions


def test_the_store_answers_no_question_and_never_says_nothing_found() -> None:
    store = connector.open({"name": "cards", "place": "Cabinet B", "steps": ["Look."], "days": 3}, GivenSecrets({}))
    call = Spy().call()
    assert store.health(call).code == "by_hand"
    assert Right.WRITE not in store.health(call).rights
    with pytest.raises(Misconfigured) as refused:
        store.catalogue(call)
    assert (refused.value.setting, refused.value.code) == ("connector", "by_hand")


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"days": True}, {"steps": "look"}, {"place": 1}, {"room": "B"}, {"steps": [""]}]
)
def test_a_setting_that_cannot_be_right_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(Misconfigured) as refused:
        connector.open(wrong, GivenSecrets({}))  # type: ignore[arg-type]  # wrong on purpose
    assert refused.value.setting in wrong


@pytest.mark.parametrize(
    "text",
    [
        "Name,Since\nMia,2019",
        "\ufeffName;Since\r\nMia;2019\r\n",
        "Name\tSince\nMia\t2019\n",
        '"Name","Since"\n"Mia","2019"',
        '{"Name": "Mia", "Since": "2019"}',
    ],
)
def test_a_table_is_read_whatever_program_it_was_copied_from(text: str) -> None:
    [one] = handed_in("cards", text)
    assert dict(one.values) == {"Name": "Mia", "Since": "2019"}
    assert one.fields == ("Name", "Since")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Name",
        "Name,Name\nMia,Brandt",
        "Name,\nMia,2019",
        "Name,Since\nMia",
        "[1, 2",
        "[1, 2]",
        "[{}]",
        '[{"name": {"first": "Mia"}}]',
        "Name\n" + "Mia\n" * 501,
        "Name\n" + "x" * 10_001,
        'Name\n"Mia',
    ],
)
def test_what_is_no_table_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(RecordsUnreadable):
        handed_in("cards", text)


def test_an_empty_cell_is_no_finding_about_anybody() -> None:
    [one] = handed_in("cards", "Name,Phone\nMia,")
    assert one.fields == ("Name",)


def test_the_owners_date_never_lies_behind_the_requests_own() -> None:
    today = date(2026, 11, 22)
    assert due_on(today, 3, date(2026, 12, 16)) == date(2026, 11, 25)
    assert due_on(today, 30, date(2026, 12, 16)) == date(2026, 12, 16)


def test_settings_of_another_form_are_left_out() -> None:
    told = instructions({"place": "Cabinet B", "steps": "look", "days": 99})
    assert (told.place, told.steps, told.days) == ("Cabinet B", (), 7)
