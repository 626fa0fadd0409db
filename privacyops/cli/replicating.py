"""The process that keeps a host's copy for its consent checks."""

import signal
import threading

from privacyops.bootstrap import House, make_replica
from privacyops.cli.ending import fail
from privacyops.kernel.errors import Problem
from privacyops.services.consent import copying


def replicate(house: House) -> None:
    """Keep the copy until a signal ends the process; then close it, so that the next one goes on with it."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        replica = make_replica(house)
    except Problem as problem:
        fail(problem.title)
    try:
        copying.keep(house.context, replica, house.settings.check_replica_poll_ms / 1000, stop)
    finally:
        replica.close()
        house.close()
