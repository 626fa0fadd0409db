"""The frame for stores that change one record at a time: what is planned, done, done already, and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from privacyops.connector_sdk import (
    Act,
    Call,
    Check,
    Constant,
    Delete,
    DropPath,
    Expectation,
    Field,
    Finding,
    Keep,
    Null,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    RandomToken,
    RedactSpan,
    RemoveElement,
    RowRef,
    Set,
    Terminal,
    Tombstone,
    Unlink,
    Value,
)
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field, cell_of, without
from privacyops.connector_sdk.rowwise.writing import Rowwise
from privacyops.connector_sdk.testing.contract import GivenSecrets, Spy

REF = RowRef("shop", "people", {"_id": 1})
ANNA: Mapping[str, Value] = {
    "_id": 1,
    "email": "anna@example.com",
    "phone": None,
    "note": "Ring Anna",
    "born": date(1980, 5, 17),
    "address": {"city": "Ulm", "lines": ("c/o Anna", "Hafenweg 1")},
    "tags": ("vip", "Anna"),
}


@dataclass
class Table:
    """A store of records in this process; `busy` makes the next write come too late."""

    rows: dict[int, dict[str, Value]] = field(default_factory=lambda: {1: dict(ANNA)})
    busy: bool = False
    writes: int = 0

    def held(self, call: Call, ref: RowRef) -> Held | None:
        call.spend(requests=1)
        row = self.rows.get(int(str(ref.key["_id"])))
        return None if row is None else Held(ref, dict(row))

    def field(self, call: Call, held: Held, path: str) -> Field:
        known = a_field(path, cell_of(held.values, path))
        return replace(known, nullable=path != "email")

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        if self.busy:
            return False
        row = self.rows[int(str(held.ref.key["_id"]))]
        for path, value in edit.sets.items():
            row[path] = value
        for path, steps in edit.drops:
            row[path] = without(row[path], steps)
        self.writes += 1
        return True

    def delete(self, call: Call, held: Held) -> bool:
        if self.busy:
            return False
        del self.rows[int(str(held.ref.key["_id"]))]
        return True


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def frame(table: Table) -> Rowwise:
    return Rowwise(table, GivenSecrets({"hash_key": "k"}))


def planned(frame: Rowwise, act: Act) -> Plan:
    return frame.plan(Spy().call(), [Op(OpId("1"), REF, act)])


def done(frame: Rowwise, plan: Plan) -> OpResult:
    [result] = frame.apply(Spy().call(), plan, ())
    return result


ACTS: Mapping[str, Act] = {
    "delete": Delete(),
    "token": Set({"email": RandomToken("erased-{r}@invalid.example")}),
    "several cells": Set({"email": Constant(""), "note": Null()}),
    "unlink": Unlink("note"),
    "keep": Keep("LEGAL_OBLIGATION", None, {"note": Null()}),
    "span": RedactSpan("note", ((5, 9),)),
    "path": DropPath("address", "$.lines[*]"),
    "element": RemoveElement("tags", 1),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_an_act_is_done_once_and_is_done_already_when_it_is_repeated(table: Table, frame: Rowwise, act: Act) -> None:
    plan = planned(frame, act)
    assert table.rows == {1: dict(ANNA)}
    kept = isinstance(act, Keep)
    assert done(frame, plan).outcome is (Outcome.KEPT if kept else Outcome.DONE)
    after, writes = {number: dict(row) for number, row in table.rows.items()}, table.writes
    assert done(frame, plan).outcome is (Outcome.KEPT if kept else Outcome.ALREADY)
    assert (table.rows, table.writes) == (after, writes)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_a_record_that_somebody_changed_since_the_plan_is_a_conflict(table: Table, frame: Rowwise, act: Act) -> None:
    plan = planned(frame, act)
    table.rows[1]["name"] = "somebody else"
    before = dict(table.rows[1])
    assert done(frame, plan).outcome is Outcome.CONFLICT
    assert table.rows[1] == before


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_a_write_that_comes_too_late_is_a_conflict_and_not_done(table: Table, frame: Rowwise, act: Act) -> None:
    plan = planned(frame, act)
    table.busy = True
    assert done(frame, plan).outcome is Outcome.CONFLICT


def test_what_is_dropped_leaves_the_types_of_all_else(table: Table, frame: Rowwise) -> None:
    table.rows[1]["address"] = {"since": date(2020, 1, 2), "lines": ({"to": "Anna", "zip": "89073"}, {"zip": "1"})}
    assert done(frame, planned(frame, DropPath("address", "$.lines[*].to"))).outcome is Outcome.DONE
    assert table.rows[1]["address"] == {"since": date(2020, 1, 2), "lines": ({"zip": "89073"}, {"zip": "1"})}


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Set({"email": Null()}), "not_null"),
        (RemoveElement("tags", 7), "element"),
        (DropPath("address", "$.street"), "path"),
        (RedactSpan("note", ((0, 99),)), "span"),
        (RedactSpan("tags", ((0, 1),)), "type"),
        (Set({"address$.lines[*]": Constant("")}), "several_values"),
        (Tombstone(), "unsupported"),
    ],
)
def test_what_cannot_be_done_is_blocked_when_it_is_planned(table: Table, frame: Rowwise, act: Act, code: str) -> None:
    plan = planned(frame, act)
    assert [blocker.code for blocker in plan.blockers] == [code]
    assert done(frame, plan).outcome is Outcome.BLOCKED
    assert table.rows == {1: dict(ANNA)}


def test_a_record_that_went_is_done_for_a_deletion_and_a_conflict_for_a_change(table: Table, frame: Rowwise) -> None:
    gone, changed = planned(frame, Delete()), planned(frame, ACTS["token"])
    table.rows.clear()
    assert done(frame, gone).outcome is Outcome.ALREADY
    assert done(frame, changed).code == "row_gone"


def test_a_record_that_came_after_the_plan_is_not_touched(table: Table, frame: Rowwise) -> None:
    row = table.rows.pop(1)
    plan = planned(frame, Delete())
    table.rows[1] = row
    assert done(frame, plan).code == "row_appeared"
    assert 1 in table.rows


def test_an_altered_plan_and_an_old_one_are_refused(frame: Rowwise) -> None:
    plan = planned(frame, ACTS["span"])
    with pytest.raises(Terminal, match="plan_altered"):
        done(frame, replace(plan, ops=tuple(replace(each, op=replace(each.op, act=Delete())) for each in plan.ops)))
    with pytest.raises(Terminal, match="plan_expired"):
        done(frame, replace(plan, expires_at=plan.made_at - timedelta(seconds=1)))


def test_reading_back_names_the_cells_that_are_as_they_were(table: Table, frame: Rowwise) -> None:
    plan = planned(frame, Set({"email": Constant(""), "note": Null(), "phone": Null()}))
    check = Check(REF, Expectation.CHANGED, ("email", "note", "phone"), plan.ops[0].before)
    [before] = frame.verify(Spy().call(), [check])
    assert (before.outcome, before.fields) == (Finding.STILL_THERE, ("email", "note"))
    done(frame, plan)
    [after] = frame.verify(Spy().call(), [check])
    assert after.outcome is Finding.CHANGED
    table.rows[1]["note"] = ANNA["note"]
    [restored] = frame.verify(Spy().call(), [check])
    assert (restored.outcome, restored.fields) == (Finding.STILL_THERE, ("note",))


def test_nothing_of_the_record_stands_in_the_plan(frame: Rowwise) -> None:
    plan = planned(frame, ACTS["several cells"])
    assert all(str(value) not in repr(plan) for value in (ANNA["email"], ANNA["note"]))


def test_a_place_that_is_missing_is_refused_unless_it_may_be() -> None:
    assert without({"a": 1}, ("b",), missing_is_fine=True) == {"a": 1}
    with pytest.raises(NotPossible):
        without({"a": 1}, ("b",))
