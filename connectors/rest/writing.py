"""The whole store: reads, plans, applies, asks after jobs, reads back."""

from collections.abc import Iterator, Mapping, Sequence

from connectors.rest.applying import Applying
from connectors.rest.inbound import NotProven, read_event, settled_by
from connectors.rest.jobs import Jobs, work_of
from connectors.rest.planning import Planning, hash_key
from connectors.rest.store import RestReader
from connectors.rest.verifying import Verifying
from privacyops.connector_sdk import (
    Asked,
    Call,
    Check,
    Expectation,
    Finding,
    Heard,
    Op,
    OpId,
    OpResult,
    Plan,
    RowRef,
    Terminal,
    Ticket,
    Verdict,
)


class RestStore(RestReader):
    """Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        call.check()
        return Planning(self, hash_key(self._secrets, call)).plan(call, ops)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        del key  # the plan's hash, the operation and the step name a call for good; the page does not matter here
        call.check()
        if not self.settings.write:
            raise Terminal("unsupported")
        secret = hash_key(self._secrets, call)
        yield from Applying(Planning(self, secret), secret).apply(call, plan, only)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        call.check()
        wire = self.new_wire()
        try:
            yield from Verifying(self, wire, hash_key(self._secrets, call)).verdicts(call, checks)
        finally:
            wire.close()

    def poll(self, call: Call, ticket: Ticket) -> OpResult:
        """A job without an id is asked after by reading back."""
        if not self.settings.write:
            raise Terminal("unsupported")
        jobs, work = Jobs(self), work_of(ticket)
        job = jobs.job(work)
        if job.poll is None or not job.poll.verify:
            return jobs.poll(call, ticket)
        check = Check(RowRef(self.settings.name, work.collection, work.key), Expectation.GONE, (), work.before)
        verdict = next(iter(self.verify(call, [check])))
        if verdict.outcome in {Finding.GONE, Finding.CHANGED}:
            return jobs.done(work)
        return jobs.waiting(ticket, work, job)

    def hear(self, call: Call, headers: Mapping[str, str], body: bytes, tickets: Sequence[Ticket]) -> Heard:
        """What the service tells by webhook of these jobs, or asks for somebody; calls nothing."""
        call.check()
        try:
            event = read_event(self.settings.manifest, self._secrets, headers, body, self.clocks.wall())
        except NotProven:
            raise Terminal("not_proven") from None
        if event.asks != "job":
            return Heard(event.name, asked=Asked(event.asks, event.identifiers, event.delivery))
        jobs = [step.job for step in self.settings.manifest.act if step.job is not None]
        if not any(job.callback is not None and job.callback.topic == event.topic for job in jobs):
            raise Terminal("unknown_topic")
        found = [(ticket, settled_by(Jobs(self), ticket, event)) for ticket in tickets]
        return Heard(event.name, tuple((ticket, result) for ticket, result in found if result is not None))

    def cancel(self, call: Call, ticket: Ticket) -> OpResult:
        if not self.settings.write:
            raise Terminal("unsupported")
        return Jobs(self).cancel(call, ticket)
