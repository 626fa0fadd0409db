"""Keeping a host's copy of the consent state up to date, for as long as the process lives.

The copy is never told that it is right: each poll writes down when it was sent, and readers judge by that. So nothing
here has to notice a database that is gone for the answers to be right; it is told to the operator.
"""

import threading
from collections.abc import Callable
from typing import Final
from uuid import UUID

from privacyops.services.consent.feeding import tombstone_place
from privacyops.services.context import Context
from privacyops.store.replica import CopyUnwritable, PrimaryUnreachable, Replica

_LONGEST_PAUSE_S: Final = 1.0


def unsealing(ctx: Context) -> Callable[[UUID, bytes], str]:
    """How a copy learns whom an erasure was about: (event, sealed) to the person's public id."""

    def opened(event: UUID, sealed: bytes) -> str:
        return ctx.ports.keyring.open(sealed, tombstone_place(ctx.controller.key, str(event))).decode()

    return opened


def keep(ctx: Context, replica: Replica, pause_s: float, stop: threading.Event) -> None:
    """Poll until `stop` is set, every `pause_s` seconds; at once where more waits, seldom while it fails."""
    wait, is_down, copies = pause_s, False, replica.copies
    while not stop.is_set():
        try:
            is_even = replica.poll()
        except (PrimaryUnreachable, CopyUnwritable) as problem:
            if not is_down:
                ctx.ports.telemetry.failure("replica.cut_off", problem)
            is_down, wait = True, min(max(wait * 2, pause_s), _LONGEST_PAUSE_S)
        else:
            if is_down or replica.copies != copies:
                ctx.ports.telemetry.event("replica.follows", count=replica.copies)
            is_down, copies, wait = False, replica.copies, pause_s if is_even else 0.0
        stop.wait(wait)
