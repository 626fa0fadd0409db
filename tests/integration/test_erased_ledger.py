"""The ledger of erased records knows what a restored copy may bring back: each time, and by whatever way it went."""

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.ports.connector_host import StoreUnreachable
from privacyops.services.dsar import erasure_plan, handling
from privacyops.services.dsar.replaying import replay
from privacyops.services.erasure import erase
from tests.house import Walker
from tests.integration.test_erasure_journey import approved, asked, keep, only, planned, rows
from tests.integration.test_erasure_journey import shop as erased_shop

shop = erased_shop
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def change(shop: Path, script: str) -> None:
    with sqlite3.connect(shop) as database:
        database.executescript(script)
    database.close()


def test_a_record_that_came_back_and_was_erased_anew_is_listed_from_then_on_too(
    walker: Walker, shop: Path, tmp_path: Path
) -> None:
    dsar_id = planned(walker, shop)
    approved(walker, dsar_id)
    walker.clock.advance(timedelta(days=1))
    change(shop, "INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', NULL)")
    backup, since = tmp_path / "backup.db", walker.clock.now()
    shutil.copy(shop, backup)
    handling.recall(walker.as_staff("Marta", Role.APPROVER), dsar_id, "she is there again")
    walker.clock.advance(timedelta(hours=1))
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    approved(walker, dsar_id)
    assert rows(shop, "SELECT id FROM customer") == [(2,)]
    shutil.copy(backup, shop)
    assert replay(walker.context, "shop", since, apply=True).is_whole
    assert rows(shop, "SELECT id FROM customer") == [(2,)]


@on_one_engine
def test_a_row_that_the_store_let_only_be_emptied_is_listed_though_the_store_went_away(
    walker: Walker, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(shop, "CREATE TRIGGER stay BEFORE DELETE ON customer BEGIN SELECT RAISE(ABORT, 'no'); END;")
    backup, since = tmp_path / "backup.db", walker.clock.now()
    shutil.copy(shop, backup)
    dsar_id = planned(walker, shop)

    def gone_away(*_: Any) -> None:
        raise StoreUnreachable("shop", "connection")

    with monkeypatch.context() as unplugged:
        unplugged.setattr(erase, "read_back", gone_away)
        approved(walker, dsar_id)
    assert only(walker, dsar_id).state is ErasingState.HANDED_OVER
    emptied = rows(shop, "SELECT id, name, email FROM customer")
    assert emptied[0][:2] == (1, None)
    shutil.copy(backup, shop)
    assert replay(walker.context, "shop", since, apply=True).is_whole
    assert rows(shop, "SELECT id, name, email FROM customer") == emptied


@on_one_engine
def test_the_key_of_a_kept_record_that_somebody_else_has_now_is_left_for_a_person(walker: Walker, shop: Path) -> None:
    dsar_id = asked(walker, shop)
    keep(walker, {"customer": {"keep": ["id", "email"], "until": "2030-12-31"}})
    erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    since = walker.clock.now()
    approved(walker, dsar_id)
    assert rows(shop, "SELECT name, phone FROM customer WHERE id = 1") == [(None, None)]
    change(shop, "UPDATE customer SET name = 'Uta Neu', email = 'uta.neu@example.org' WHERE id = 1")
    done = replay(walker.context, "shop", since, apply=True)
    assert (done.other_person, done.is_whole) == (("customer",), False)
    assert rows(shop, "SELECT name FROM customer WHERE id = 1") == [("Uta Neu",)]
