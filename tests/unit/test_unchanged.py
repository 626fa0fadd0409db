"""Whether what was planned still fits a row that is read again."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType
from privacyops.domain.datamap.link import Link, LinkKind, LinkState
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.operation import Null, RedactSpan, Set, Unlink
from privacyops.domain.erasure.unchanged import same_value, without_changed
from privacyops.domain.record import RowRef, Value

NOTE = Collection(
    "note",
    fields=tuple(Field(path, FieldType.TEXT, category=category) for path, category in
                 (("id", None), ("customer_id", None), ("email", Category.EMAIL), ("said", None))),
    key=("id",),
)  # fmt: skip
CUSTOMER = Collection("customer", fields=(Field("id", FieldType.TEXT),), key=("id",))
DRAWN = DataMap(
    "shop", (NOTE, CUSTOMER),
    (Link("note", ("customer_id",), "customer", ("id",), LinkKind.DECLARED_FK, state=LinkState.CONFIRMED),),
)  # fmt: skip
HELD: dict[str, Value] = {"id": "1", "customer_id": "7", "email": "mia@example.com", "said": "Mia rang"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1990-02-01", date(1990, 2, 1), True), (date(1990, 2, 1), "1990-02-01", True),
        ("1990-02-01 10:00", datetime(1990, 2, 1, 10, tzinfo=UTC), True), ("42.50", Decimal("42.5"), True),
        ("43", 43, True), ("01.02.1990", date(1990, 2, 1), False), ("x", 43, False), (None, "", False),
        (None, None, True), ("true", True, False), ("nan", 1.0, False),
    ],
)  # fmt: skip
def test_a_value_is_read_as_what_it_was_written(one: Value, other: Value, *, same: bool) -> None:
    assert same_value(one, other) is same


@pytest.mark.parametrize(
    ("now", "fits"),
    [
        ({}, True), ({"said": "Mia rang again"}, True), ({"customer_id": "8"}, False),
        ({"email": "ole@example.net"}, False), ({"customer_id": None, "email": None}, True),
        ({"customer_id": None, "email": "MIA@example.com"}, True),
    ],
)  # fmt: skip
def test_a_row_that_leads_to_somebody_else_by_now_is_theirs(now: dict[str, Value], *, fits: bool) -> None:
    intent = Intent(RowRef("shop", "note", (("id", "1"),)), Stance.DELETE, HELD)
    assert (without_changed(intent, DRAWN, {**HELD, **now}) is intent) is fits


def test_of_anothers_row_only_the_cells_that_hold_what_they_held_are_touched() -> None:
    ways = {
        "said": (RedactSpan("said", ((0, 3),)),),
        "customer_id": (Unlink("customer_id"), Set({"customer_id": Null()})),
    }
    intent = Intent(RowRef("shop", "note", (("id", "1"),)), Stance.POINT, HELD, ways=ways)
    assert without_changed(intent, DRAWN, HELD) is intent
    after = without_changed(intent, DRAWN, {**HELD, "said": "I hear that Mia rang", "customer_id": None})
    assert after is not None
    assert after.left == {"said": "row_changed"}
