"""A worker for test_webhook_kill.py: tells the systems what is new, until it is killed."""

import sys
from ipaddress import ip_network

from small_service import small_service  # type: ignore[import-not-found]  # the test puts its folder on the path

from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.webhook_sender import GuardedWebhookSender
from privacyops.connector_sdk.guard import Guard
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.services.webhook import telling
from privacyops.store.engine import connect
from privacyops.store.uow import Database


def main(url: str, port: int) -> None:
    """Hand out and send what waits."""
    guard = Guard(frozenset({"http"}), frozenset({port}), (ip_network("127.0.0.0/8"),))
    sender = GuardedWebhookSender(lambda: guard)
    ctx = small_service(Database(connect(url)), SystemClock(), webhooks=sender)
    while telling.fan_out(ctx):
        pass
    drive_waiting(ctx, {"webhook": WebhookKind()})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
