"""A kind of durable work: its name, its queue, and the one function that does the next page of it."""

from datetime import timedelta
from typing import Protocol

from privacyops.domain.job import Job, Outcome
from privacyops.services.context import Context


class StepFailed(Exception):
    """A step that may be tried again. `code` goes to the record; `after` is what the other side asked for."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class JobKind(Protocol):
    """What the engine drives. `step` commits its own results and its cursor in one transaction."""

    name: str
    queue: str

    def step(self, ctx: Context, job: Job) -> Outcome:
        """Do one page and say whether there is more. Raises: StepFailed, JobLost; anything else is a bug."""
        ...

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        """The last attempt failed: tell a person. Comes before the job is marked dead, so that a kill in between
        loses nobody; a second call must change nothing.
        """
        ...
