"""Two stores of one erasure that end in the same moment: the request goes on, whichever commits first."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import erasing, erasure_plan, identity, intake, review
from tests.house import Walker

MIA = Requester(email="mia.brandt@example.com", name="Mia Brandt", order_number="LS-1002")


def shop_at(path: Path) -> Path:
    with sqlite3.connect(path) as database:
        database.executescript(
            """CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com');"""
        )
    database.close()
    return path


def test_of_two_stores_that_end_at_once_one_ends_the_request(
    walker: Walker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("east", "west"):
        walker.connect(name, shop_at(tmp_path / f"{name}.db"))
    submission = intake.Submission(
        type=RequestType.ERASURE, requester=MIA, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for("mia.brandt@example.com"))
    walker.settle()
    ada, marta = walker.as_staff("Ada", Role.ANALYST), walker.as_staff("Marta", Role.APPROVER)
    erasure_plan.plan(ada, receipt.id)
    walker.settle()
    review.submit_for_approval(ada, receipt.id)
    dsar = walker.dsar(receipt.id)
    review.approve_answer(marta, receipt.id, seen_plan=dsar.plan_hash or "", typed_reference=dsar.reference)

    both = threading.Barrier(2)
    looked = erasing.erasures.list_erasures

    def looked_together(*given: Any) -> Any:
        with suppress(threading.BrokenBarrierError):  # the other waits for this one's commit, as it should
            both.wait(timeout=0.7)
        return looked(*given)

    stores = erasing.all_of(walker.as_staff("Dora", Role.DPO), receipt.id)
    assert [one.state for one in stores] == [ErasingState.QUEUED] * 2
    monkeypatch.setattr(erasing.erasures, "list_erasures", looked_together)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: erasing.failed(walker.context, one.id, "connection"), stores))
    assert walker.dsar(receipt.id).state is DsarState.ANSWERING
