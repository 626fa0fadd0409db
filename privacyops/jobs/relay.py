"""Hands outbox rows to the engine. A crash between hand-over and mark hands the same id over again: a no-op."""

from collections.abc import Mapping

from privacyops.jobs.kind import JobKind
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import JobId
from privacyops.ports.durable import Durable
from privacyops.services import job as jobs
from privacyops.services.context import Context


class Relay:
    """One round takes up to 100 rows. Runs in workers only: web processes hold no right on the engine's database."""

    def __init__(self, ctx: Context, engine: Durable, kinds: Mapping[str, JobKind]) -> None:
        self._ctx = ctx
        self._engine = engine
        self._kinds = kinds

    def round(self) -> bool:
        """Hand over what waits; whether there was anything, for more may have come meanwhile."""
        if not jobs.has_unsent(self._ctx, self._kinds):
            return False
        jobs.relay(self._ctx, self._kinds, self._hand_over)
        return True

    def _hand_over(self, outbox_id: str, kind: str, job: JobId) -> None:
        self._engine.enqueue(outbox_id, self._kinds[kind].queue, kind, job)
        crash_point("relay.after_enqueue")
