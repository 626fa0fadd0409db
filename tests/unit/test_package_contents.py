"""What of a record may be seen."""

from dataclasses import replace
from typing import Any

import pytest

from privacyops.domain.package.contents import (
    ALWAYS_HELD,
    HELD_IN_US,
    Column,
    ColumnUnknown,
    Element,
    PackageKind,
    Record,
    Redaction,
    RedactionMissesItsTarget,
    columns_for,
    parts_by_store,
    redacted,
    shown,
    shown_records,
)
from tests.made_up_answer import NEIGHBOUR, PASSWORD_HASH, account, contents, tickets


def cut(start: int, end: int | None, label: str = "[X]", **more: Any) -> Redaction:
    return Redaction("text", label, "THIRD_PARTY_RIGHTS", start, end, **more)


def test_a_redacted_span_is_gone_and_its_label_stands_there() -> None:
    record = next(iter(shown_records(contents(), tickets())))
    text = {column.name: cell.value for column, cell in record.cells}["text"]
    assert text == "My parcel went to [Person B], phone [phone of Person B], please change it."
    assert NEIGHBOUR not in repr(record)


def test_a_redacted_cell_says_its_ground() -> None:
    record = next(iter(shown_records(contents(), tickets())))
    assert record.cells[1][1].codes == ("THIRD_PARTY_RIGHTS",)


def test_overlapping_spans_go_as_one() -> None:
    assert redacted("0123456789", [cut(2, 5), cut(4, 8, "[Y]")]) == "01[X]89"


def test_touching_spans_keep_both_labels() -> None:
    assert redacted("0123456789", [cut(2, 5), cut(5, 8, "[Y]")]) == "01[X][Y]89"


def test_the_whole_value_goes_where_no_end_is_given() -> None:
    assert redacted({"name": "x"}, [cut(0, None)]) == "[X]"


def test_a_redaction_reaches_into_a_nested_document() -> None:
    value = {"from": {"name": "Maria Nowak"}, "lines": ["a", "call Maria"]}
    done = redacted(value, [cut(0, None, path=("from", "name")), cut(5, 10, path=("lines", 1))])
    assert done == {"from": {"name": "[X]"}, "lines": ["a", "call [X]"]}
    assert value["from"] == {"name": "Maria Nowak"}


@pytest.mark.parametrize(
    "redaction", [cut(2, 99), cut(5, 5), cut(-1, 3), cut(0, 1, path=("a",)), replace(cut(0, 1), field="other")]
)
def test_a_redaction_that_fits_nowhere_stops_the_package(redaction: Redaction) -> None:
    record = Record("1", {"text": "0123456789"}, (redaction,))
    with pytest.raises(RedactionMissesItsTarget):
        shown(record, (Column("text", "Text"),), ALWAYS_HELD, frozenset({"text"}))


def test_a_redaction_of_a_number_by_span_stops_the_package() -> None:
    with pytest.raises(RedactionMissesItsTarget):
        redacted(12345, [cut(1, 2)])


def test_a_password_is_stated_as_held_and_its_value_is_nowhere() -> None:
    record = next(iter(shown_records(contents(), account())))
    cells = {column.name: cell for column, cell in record.cells}
    assert cells["password_hash"].held is Element.PASSWORD
    assert PASSWORD_HASH not in repr(record)


def test_an_element_that_is_not_there_is_not_called_held() -> None:
    column = Column("card", "Card", element=Element.CARD_NUMBER)
    for nothing in (None, ""):
        made = shown(Record("1", {"card": nothing}), (column,), ALWAYS_HELD, frozenset({"card"}))
        assert made.cells[0][1].held is None


def test_a_driving_licence_is_held_back_only_where_the_law_says_so() -> None:
    column = Column("licence", "Licence", element=Element.DRIVER_LICENSE)
    record = Record("1", {"licence": "D-1"})
    assert shown(record, (column,), ALWAYS_HELD, frozenset({"licence"})).cells[0][1].value == "D-1"
    assert shown(record, (column,), HELD_IN_US, frozenset({"licence"})).cells[0][1].value is None


def test_a_field_that_no_column_declares_stops_the_package() -> None:
    with pytest.raises(ColumnUnknown):
        shown(Record("1", {"new": 1}), (), ALWAYS_HELD, frozenset())


def test_portability_holds_only_what_the_person_provided() -> None:
    names = [column.name for column in columns_for(PackageKind.PORTABILITY, account())]
    assert names == ["first_name", "email", "phone", "birthday"]


def test_a_large_answer_is_cut_by_store_and_nothing_is_lost() -> None:
    whole = contents()
    parts = parts_by_store(whole)
    assert [part.part for part in parts] == [(1, 2), (2, 2)]
    assert [store.key for part in parts for store in part.stores] == [store.key for store in whole.stores]
    assert sum(len(part.attachments) for part in parts) == len(whole.attachments)
    assert [len(part.consents) for part in parts] == [1, 0]
