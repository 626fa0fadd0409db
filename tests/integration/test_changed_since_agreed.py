"""What changed between the approval and the carrying out is left alone, on every page of a plan and not on the first
alone.
"""

from functools import partial
from pathlib import Path

import pytest

from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.task import TaskKind
from privacyops.services.dsar import erasing_work
from privacyops.services.dsar.corrections import WrittenPair
from privacyops.services.erasure import planning, rectify
from tests.house import Walker
from tests.integration import test_erasure_journey as erasing
from tests.integration import test_rectification_journey as correcting
from tests.integration.test_rectification_journey import change, rows

on_one_engine = correcting.on_one_engine


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The shop of corrections; purchases have a column that says nothing."""
    made: Path = request.getfixturevalue("corrected_shop")
    return made


corrected_shop = correcting.shop


@on_one_engine
def test_a_record_that_somebody_changed_is_corrected_on_no_page(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rectify, "plan_intents", partial(planning.plan_intents, size=1))
    dsar_id = correcting.planned(walker, shop, correcting.STREET)
    change(
        shop,
        "UPDATE customer SET street = 'Deichweg 8' WHERE id = 1; UPDATE purchase SET street = 'Deich 9' WHERE id = 12",
    )
    correcting.approved(walker, dsar_id)
    assert rows(shop, "SELECT street FROM customer WHERE id = 1") == [("Deichweg 8",)]
    assert rows(shop, "SELECT ship_to, street FROM purchase WHERE customer_id = 1") == [
        ("Mia Brandt, Am Wehr 1, 10115 Berlin", None), ("Mia Brandt, Am Wer 12", "Deich 9"),
    ]  # fmt: skip
    assert correcting.only(walker, dsar_id).state is ErasingState.RESIDUAL
    told = {one["code"] for one in correcting.only(walker, dsar_id).report["rows"]}
    assert told == {"", "row_changed"}
    assert (TaskKind.RESIDUAL, "left_after_rectification") in correcting.open_tasks(walker, dsar_id)


@on_one_engine
def test_a_row_that_was_handed_over_to_somebody_else_is_erased_on_no_page(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing_work, "plan_store", partial(planning.plan_store, size=1))
    dsar_id = erasing.planned(walker, shop)
    change(shop, "UPDATE purchase SET customer_id = 2, ship_to = NULL WHERE id IN (11, 12)")
    erasing.approved(walker, dsar_id)
    assert rows(shop, "SELECT id, customer_id FROM purchase") == [(11, 2), (12, 2), (13, 2)]
    assert rows(shop, "SELECT id FROM customer") == [(2,)]


@on_one_engine
def test_a_day_or_a_number_that_was_written_as_a_text_counts_as_corrected(walker: Walker, shop: Path) -> None:
    change(
        shop,
        "ALTER TABLE customer ADD COLUMN birth_date DATE; ALTER TABLE customer ADD COLUMN size INTEGER;"
        "UPDATE customer SET birth_date = '1990-01-02', size = 42",
    )
    born, size = (
        WrittenPair("birth_date", "1990-01-02", "1990-02-01"),
        WrittenPair("column", "42", "43", "customer.size"),
    )
    dsar_id = correcting.planned(walker, shop, born, size)
    correcting.approved(walker, dsar_id)
    assert rows(shop, "SELECT birth_date, size FROM customer ORDER BY id") == [("1990-02-01", 43), ("1990-01-02", 42)]
    assert correcting.only(walker, dsar_id).state is ErasingState.VERIFIED
    assert correcting.receipt_of(walker, dsar_id)["whole"] is True
