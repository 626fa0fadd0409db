"""A worker that dies between sending a message and noting it: it comes again under its id, and none is lost."""

import os
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.webhook_sender import GuardedWebhookSender
from privacyops.connector_sdk.guard import Guard
from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.domain.webhook.delivery import DeliveryState
from privacyops.domain.webhook.subscriber import Scheme
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.kernel.crash_point import VARIABLE
from privacyops.kernel.ids import AccountId, uuid7
from privacyops.services import job as jobs
from privacyops.services import ledger, purpose
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.webhook import subscribing
from privacyops.store.uow import Database
from tests.receiver import receiving
from tests.small_service import small_service

pytestmark = pytest.mark.fault
ROOT = Path(__file__).parents[2]


def test_a_worker_killed_after_sending_sends_again_under_the_same_id(database_url: str, database: Database) -> None:
    with receiving() as receiver:
        guard = Guard(frozenset({"http"}), frozenset({receiver.port}), (ip_network("127.0.0.0/8"),))
        ctx = small_service(database, SystemClock(), webhooks=GuardedWebhookSender(lambda: guard))
        purpose.install_shipped(ctx)
        ledger.drain(ctx, "a")
        admin = ctx.acting_as(staff(AccountId(uuid7(ctx.clock.now())), ctx.controller.key, Role.ADMIN))
        one, _ = subscribing.subscribe(admin, "mail-tool", receiver.url, (), Scheme.V1)
        for number in range(3):
            whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"p{number}@example.com")])
            grant = [Choice("newsletter", "email", ChoiceAnswer.GRANT)]
            writing.record_choices(ctx, whom, grant, Circumstances(Method.FORM))
        ledger.drain(ctx, "a")
        environment = os.environ | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", VARIABLE: "webhook.after_send_before_mark@2",
        }  # fmt: skip
        child = [sys.executable, str(ROOT / "tests/fault/webhook_child.py"), database_url, str(receiver.port)]
        assert subprocess.run(child, env=environment, timeout=60, check=False).returncode == 9
        assert len(receiver.got) == 2
        jobs.drive_again(ctx, timedelta(0))
        drive_waiting(ctx, {"webhook": WebhookKind()})
        ids = [got.headers["webhook-id"] for got in receiver.got]
        assert (len(ids), len(set(ids))) == (4, 3)
        assert len({got.body for got in receiver.got}) == 3
        states = {delivery.state for delivery in subscribing.deliveries(admin, one.id, is_open=False)}
        assert states == {DeliveryState.ACKNOWLEDGED}
