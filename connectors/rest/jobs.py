"""Work that a service does later: tickets, asking how it goes, starting what was only validated, and calling it off.

A ticket holds the names of the step and the operation, the job's id, the row's key and keyed hashes; no value.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.rest.calls import Binding, fill
from connectors.rest.paths import one
from connectors.rest.refusals import Answer
from connectors.rest.store import RestReader
from privacyops.connector_sdk import Call, OpId, OpResult, Outcome, RowRef, Terminal, Ticket
from privacyops.connector_sdk.declarative_acting import Act as Step
from privacyops.connector_sdk.declarative_acting import Job
from privacyops.connector_sdk.errors import safe_code

LONGEST_PAUSE: Final = timedelta(days=1)


@dataclass(frozen=True, repr=False)
class Work:
    """What a ticket stands for. `asked` counts the polls so far."""

    step: str
    op: OpId
    job: str
    collection: str
    key: Mapping[str, Any]
    before: str
    asked: int = 0

    def text(self) -> str:
        """As the ticket's id."""
        parts = [self.step, self.op, self.job, self.collection, dict(self.key), self.before, self.asked]
        return json.dumps(parts, separators=(",", ":"))


def work_of(ticket: Ticket) -> Work:
    """Raises: Terminal: this ticket is not one of ours."""
    try:
        step, op, job, collection, key, before, asked = json.loads(ticket.id)
        return Work(str(step), OpId(str(op)), str(job), str(collection), dict(key), str(before), int(asked))
    except (ValueError, TypeError):
        raise Terminal("unknown_ticket") from None


def job_id(job: Job, answer: Answer) -> str:
    """The id the service gave the job; empty: it gives none. Raises: Terminal: it should have and did not."""
    if job.id == "none":
        return ""
    found = one(job.id, answer.body)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Terminal("no_job_id")
    return str(found)


def issued(job: Job, work: Work, now: datetime) -> Ticket:
    """The ticket of a job that was just accepted."""
    longest = timedelta(0)
    for part in (job.poll, job.run, job.callback):
        longest += part.timeout if part is not None else timedelta(0)
    return Ticket(work.text(), now, now + _pause(job, 0), now + longest)


class Jobs:
    """Asks after the jobs of one store."""

    def __init__(self, reader: RestReader) -> None:
        self.reader = reader

    def poll(self, call: Call, ticket: Ticket) -> OpResult:
        """How the job stands: PENDING with the next ticket, or how it ended.

        Raises: Terminal: an unknown ticket. Retriable, Misconfigured: the question could not be asked.
        """
        work = work_of(ticket)
        job = self.job(work)
        if job.poll is None:
            return self.waiting(ticket, work, job)
        answer = self.reader.wire.send(call, fill(job.poll.call or "", None, self._bind(work)))
        if answer.status in {404, 410}:
            return self._ended(work, Outcome.FAILED, "job_gone")
        if not answer.ok:
            raise Terminal(answer.said or f"status_{answer.status}")
        status = str(one(job.poll.path or "", answer.body))
        return self._judged(call, ticket, work, job, status)

    def cancel(self, call: Call, ticket: Ticket) -> OpResult:
        """Raises: Terminal: this service takes no job back."""
        work = work_of(ticket)
        job = self.job(work)
        if job.cancel is None:
            raise Terminal("unsupported")
        text, body = (job.cancel, None) if isinstance(job.cancel, str) else (job.cancel.call, job.cancel.body)
        answer = self.reader.wire.send(call, fill(text, body, self._bind(work)))
        if not answer.ok:
            raise Terminal("too_late")
        return self._ended(work, Outcome.FAILED, "cancelled")

    def job(self, work: Work) -> Job:
        """The job a ticket is about. Raises: Terminal: the manifest has it no longer."""
        steps: tuple[Step, ...] = self.reader.settings.manifest.act
        found = next((step.job for step in steps if step.id == work.step), None)
        if found is None:
            raise Terminal("unknown_ticket")
        return found

    def waiting(self, ticket: Ticket, work: Work, job: Job) -> OpResult:
        """Still at it; given up once its time is over. A job without an id can only have been requested."""
        now = self.reader.clocks.wall()
        if now >= ticket.give_up_at:
            known = bool(work.job)
            return self._ended(work, Outcome.FAILED if known else Outcome.REQUESTED, "job_never_ended")
        later = Work(work.step, work.op, work.job, work.collection, work.key, work.before, work.asked + 1)
        again = Ticket(later.text(), ticket.submitted_at, now + _pause(job, later.asked), ticket.give_up_at)
        return OpResult(work.op, Outcome.PENDING, ticket=again, code="job_running", at=now)

    def done(self, work: Work) -> OpResult:
        """The service says that it is done; the read-back is what proves it."""
        impossible = self.reader.settings.manifest.verify == "impossible"
        return self._ended(work, Outcome.REQUESTED if impossible else Outcome.DONE, "")

    # --- inside ---------------------------------------------------------------------------------------------

    def _judged(self, call: Call, ticket: Ticket, work: Work, job: Job, status: str) -> OpResult:
        poll, run = job.poll, job.run
        if poll is None:
            raise Terminal("unknown_ticket")
        if run is not None and status in run.until:
            return self.done(work)
        if status in poll.fail_on or (run is not None and status in run.fail_on):
            return self._ended(work, Outcome.FAILED, f"job_{safe_code(status.lower())}")
        if status in poll.partial_on:
            return self._ended(work, Outcome.FAILED, "job_ended_partly")
        if status not in poll.until:
            return self.waiting(ticket, work, job)
        if run is None:
            return self.done(work)
        call.check()
        started = self.reader.wire.send(call, fill(run.call, None, self._bind(work)))
        if not started.ok and started.status not in {409, 412}:
            return self._ended(work, Outcome.FAILED, "job_not_started")
        return self.waiting(ticket, work, job)

    def _bind(self, work: Work) -> Binding:
        settings = self.reader.settings
        return Binding(None, (work.key,), settings.config, settings.region, {"id": work.job})

    def _ended(self, work: Work, outcome: Outcome, code: str) -> OpResult:
        return OpResult(work.op, outcome, code=code, at=self.reader.clocks.wall())


def _pause(job: Job, asked: int) -> timedelta:
    if job.poll is None:
        return LONGEST_PAUSE
    seconds = job.poll.every.total_seconds() * job.poll.backoff ** min(asked, 40)
    return timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds()))


def ref_of(store: str, work: Work) -> RowRef:
    """The row a job is about."""
    return RowRef(store, work.collection, work.key)
