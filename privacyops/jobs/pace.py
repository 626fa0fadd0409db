"""How fast a worker's own clockwork runs."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of heartbeat, leases and sweeps. The defaults are the service's; tests run faster.

    A worker beats every `beat_s` seconds; without a beat for `ttl` it is dead to the others, and knows so itself: after
    seven tenths of it, it starts no further step. `stuck_after` is how long a job may show no progress before it is
    handed over anew, which also covers a lost engine database. `poll_s`: how often the engine looks into its queues for
    what another process put there, and `rest_s`: how long the relay rests at most when nothing waits; what this process
    wrote and put there it takes at once.
    """

    beat_s: float = 3.0
    ttl: timedelta = timedelta(seconds=10)
    tick_s: float = 2.0
    stuck_after: timedelta = timedelta(minutes=15)
    poll_s: float = 2.0
    rest_s: float = 0.5
