"""The durable engine behind five verbs. What a job is and how far it is stands in our own tables (store/job.py)."""

from typing import Protocol

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import JobId


class Durable(Protocol):
    """Runs the drive of a job at least once, on some worker, and goes on with it after a worker died."""

    def enqueue(self, workflow_id: str, queue: str, kind: str, job: JobId) -> None:
        """Start driving `job`. The same `workflow_id` again changes nothing."""
        ...

    def status(self, workflow_id: str) -> str | None:
        """`queued`, `running`, `ended` or `cancelled`; None: unknown to the engine."""
        ...

    def cancel(self, workflow_id: str) -> None:
        """Start no further step of this drive."""
        ...

    def reap(self, executor_id: str) -> int:
        """Hand the running drives of a dead executor to the living; the number handed over. Repeatable."""
        ...

    def forget(self, before: Instant) -> int:
        """Delete the engine's records of drives that ended before this instant; how many."""
        ...
