"""`apply`: sends the planned calls, each only if its row is still as the plan saw it. Repeated, it does no more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from connectors.rest.calls import Binding, fill, placed
from connectors.rest.jobs import Work, issued, job_id, work_of
from connectors.rest.paths import condition
from connectors.rest.planning import ERASE, NOTHING, WITH_PARENT, Draft, Planning, plan_hash
from connectors.rest.records import EMPTY, Before, Record, cell_print, read_before, row_print
from connectors.rest.refusals import Answer
from connectors.rest.verifying import Verifying
from privacyops.connector_sdk import (
    Call,
    Delete,
    Keep,
    NothingHeld,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    Terminal,
    Ticket,
    Value,
)
from privacyops.connector_sdk.declarative_acting import Act as Step
from privacyops.connector_sdk.effects import Token

SUCCESS: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT})
GOING: Final = SUCCESS | {Outcome.PENDING, Outcome.REQUESTED}


@dataclass(frozen=True, repr=False)
class Ready:
    """An operation that may be sent: its row as far as it is still there, and the steps that are left."""

    planned: PlannedOp
    values: Mapping[str, Value]
    steps: tuple[Step, ...]


class Applying:
    """One call of `apply`."""

    def __init__(self, planning: Planning, key: bytes) -> None:
        self.planning, self.reader, self.key = planning, planning.reader, key
        self.manifest = planning.manifest
        self.verifying = Verifying(self.reader, self.reader.wire, key)
        self.results: dict[OpId, OpResult] = {}
        self._plan_hash = ""

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId]) -> Iterator[OpResult]:
        """Results as they come. What the service refuses is one operation's failure; a pause or a wrong credential
        ends the page, and what was done before it answers `already` the next time.

        Raises: Terminal: the plan was altered since it was hashed, or is too old.
        """
        if plan_hash(plan.ops, plan.blockers) != plan.hash:
            raise Terminal("plan_altered")
        if self._now() >= plan.expires_at:
            raise Terminal("plan_expired")
        self._plan_hash = plan.hash
        blocked = {blocker.op: blocker.code for blocker in plan.blockers if blocker.op is not None}
        general = next((blocker.code for blocker in plan.blockers if blocker.op is None), None)
        chosen = [each for each in plan.ops if not only or each.op.id in only]
        group: list[Ready] = []
        for each in chosen:
            if group and (each.effect != ERASE or each.op.ref.collection != group[0].planned.op.ref.collection):
                yield from self._sent(call, group)
                group = []
            ready = self._judged(call, each, blocked.get(each.op.id) or (general if each.effect == ERASE else None))
            if isinstance(ready, OpResult):
                yield self._noted(ready)
            elif each.effect == ERASE:
                group.append(ready)
                if len(group) >= _most(ready.steps):
                    yield from self._sent(call, group)
                    group = []
            else:
                yield self._noted(self._changed(call, ready))
        yield from self._sent(call, group)

    # --- before anything is sent ----------------------------------------------------------------------------

    def _judged(self, call: Call, each: PlannedOp, blocked: str | None) -> Ready | OpResult:
        if blocked is not None:
            return self._result(each, Outcome.BLOCKED, blocked)
        if each.effect == WITH_PARENT:
            return self._along(call, each)
        waits_for = [self.results[other] for other in each.after if other in self.results]
        if any(result.outcome not in GOING for result in waits_for):
            return self._result(each, Outcome.BLOCKED, "depends")
        row, before = self.reader.read(call, self.reader.wire, each.op.ref), read_before(each.before)
        if each.effect == ERASE or (row is None and isinstance(each.op.act, Delete)):
            return self._to_erase(call, each, row, before)
        return self._to_change(each, row, before)

    def _to_change(self, each: PlannedOp, row: Record | None, before: Before | None) -> Ready | OpResult:
        if row is None:
            gone = before is None
            return self._result(each, Outcome.ALREADY if gone else Outcome.CONFLICT, "" if gone else "row_gone")
        if before is None:
            return self._result(each, Outcome.CONFLICT, "row_appeared")
        kept = Outcome.KEPT if isinstance(each.op.act, Keep) else Outcome.ALREADY
        if each.effect in {NOTHING, "keep_row"}:
            return self._result(each, kept)
        if row_print(self.key, self.reader.shape(row.ref.collection), row) == before.row:
            return Ready(each, row.values, ())
        if self._is_final(each, row, before):
            return self._result(each, kept)
        return self._result(each, Outcome.CONFLICT, "row_changed")

    def _to_erase(self, call: Call, each: PlannedOp, row: Record | None, before: Before | None) -> Ready | OpResult:
        steps = tuple(self.planning.steps(each.op.ref.collection))
        if row is None:
            # the first step is done, or somebody else did it; what follows it may not be
            left = steps[1:]
            if before is None or not left:
                return self._result(each, Outcome.ALREADY)
            return Ready(each, each.op.ref.key, left)
        if before is None:
            return self._result(each, Outcome.CONFLICT, "row_appeared")
        shape = self.reader.shape(row.ref.collection)
        if row_print(self.key, shape, row) != before.row:
            if shape.resource.deleted is not None and condition(shape.resource.deleted).holds(row.raw):
                return Ready(each, row.values, steps)
            if self.verifying.is_masked(row, before):
                return self._result(each, Outcome.ALREADY)
            return self._result(each, Outcome.CONFLICT, "row_changed")
        draft = Draft(each.op, shape, row)
        self.planning.conditions(call, draft)
        if draft.blockers:
            return self._result(each, Outcome.BLOCKED, draft.blockers[0].code)
        return Ready(each, row.values, steps)

    def _along(self, call: Call, each: PlannedOp) -> OpResult:
        """A row that goes along ends as its parent does."""
        parent = next((self.results[other] for other in each.after if other in self.results), None)
        kept = isinstance(each.op.act, Keep)
        if parent is not None:
            outcome = Outcome.KEPT if kept and parent.outcome in SUCCESS else parent.outcome
            if outcome not in GOING:
                return self._result(each, Outcome.BLOCKED, "depends")
            ticket = parent.ticket and _retold(parent.ticket, each)
            return OpResult(each.op.id, outcome, ticket=ticket, code=parent.code, at=self._now())
        row, before = self.reader.read(call, self.reader.wire, each.op.ref), read_before(each.before)
        if row is None:
            return self._result(each, Outcome.ALREADY)
        if before is not None and row_print(self.key, self.reader.shape(row.ref.collection), row) != before.row:
            return self._result(each, Outcome.KEPT if kept else Outcome.ALREADY)
        return self._result(each, Outcome.RETRIABLE, "parent_first")

    def _is_final(self, each: PlannedOp, row: Record, before: Before) -> bool:
        """Whether every touched cell is already what the operation would make of it."""
        draft = self.planning.drafted(each.op, row)
        for path, (was, wanted) in before.cells.items():
            now = cell_print(self.key, row.values.get(path))
            if wanted:
                if now != wanted:
                    return False
                continue
            token = draft.changes.get(path)
            if now in {was, EMPTY} or not (isinstance(token, Token) and token.fits(row.values.get(path))):
                return False
        return True

    # --- sending --------------------------------------------------------------------------------------------

    def _sent(self, call: Call, group: Sequence[Ready]) -> Iterator[OpResult]:
        """Every step for every row of the group, in batches as the step takes them."""
        going = {ready.planned.op.id: ready for ready in group}
        ends: dict[OpId, OpResult] = {}
        so_far: dict[OpId, OpResult] = {}
        for step in self.planning.steps(group[0].planned.op.ref.collection) if group else ():
            live = [ready for name, ready in going.items() if name not in ends and step in ready.steps]
            size = step.batch.max if step.batch else 1
            for at in range(0, len(live), size):
                for result in self._step(call, step, live[at : at + size]):
                    if result.outcome in SUCCESS:
                        so_far[result.op] = _better(so_far.get(result.op), result)
                    else:
                        ends[result.op] = result
        for name, ready in going.items():
            yield self._noted(ends.get(name) or self._finished(ready, so_far[name]))

    def _finished(self, ready: Ready, last: OpResult) -> OpResult:
        if last.outcome is Outcome.DONE and self.manifest.verify == "impossible":
            return self._result(ready.planned, Outcome.REQUESTED)
        if ready.values is ready.planned.op.ref.key:  # it was gone before: what was sent now only made sure
            return self._result(ready.planned, Outcome.ALREADY)
        fields = tuple(path for path, value in ready.values.items() if value is not None)
        return OpResult(ready.planned.op.id, last.outcome, fields if last.outcome is Outcome.DONE else (), at=last.at)

    def _step(self, call: Call, step: Step, batch: Sequence[Ready]) -> list[OpResult]:
        settings = self.reader.settings
        bind = Binding(None, tuple(ready.values for ready in batch), settings.config, settings.region)
        call.check()
        try:
            headers = self._once(step, batch)
            exchange = fill(step.call, step.body, bind, bucket=step.bucket, headers=headers)
            answer = self.reader.wire.send(call, exchange)
            if answer.ok and step.job is not None:
                return [self._pending(step, ready, answer) for ready in batch]
            if answer.ok and step.then is not None:
                answer = self._then(call, step, bind, answer)
        except NothingHeld:
            return [self._result(ready.planned, Outcome.ALREADY) for ready in batch]
        except Terminal as refused:
            if len(batch) > 1:  # one of them spoils the others: each by itself
                return [result for ready in batch for result in self._step(call, step, [ready])]
            return [self._result(ready.planned, Outcome.FAILED, refused.code) for ready in batch]
        outcome, code = _meaning(step, answer)
        return [self._result(ready.planned, outcome, code) for ready in batch]

    def _then(self, call: Call, step: Step, bind: Binding, first: Answer) -> Answer:
        then = step.then
        if then is None:
            return first
        follow = Binding(None, bind.rows, bind.config, bind.region, first.body)
        answer = self.reader.wire.send(call, fill(then.call, then.body, follow, bucket=step.bucket))
        return first if answer.status in {404, 410} and then.not_found_is == "already" else answer

    def _pending(self, step: Step, ready: Ready, answer: Answer) -> OpResult:
        job = step.job
        if job is None:
            raise Terminal("no_job")
        each, now = ready.planned, self._now()
        before = each.before if job.poll is not None and job.poll.verify else ""
        work = Work(step.id, each.op.id, job_id(job, answer), each.op.ref.collection, each.op.ref.key, before)
        return OpResult(each.op.id, Outcome.PENDING, ticket=issued(job, work, now), code="job_running", at=now)

    def _once(self, step: Step, batch: Sequence[Ready]) -> list[tuple[str, str]]:
        """A key of its own for each request, row and act: the same however often the page is repeated."""
        if step.idempotency is None:
            return []
        parts = "|".join([self._plan_hash, step.id, *(str(ready.planned.op.id) for ready in batch)])
        return [(step.idempotency.header, sha256(parts.encode()).hexdigest()[:32])]

    def _changed(self, call: Call, ready: Ready) -> OpResult:
        each, shape = ready.planned, self.reader.shape(ready.planned.op.ref.collection)
        mask, settings = self.manifest.mask[shape.name], self.reader.settings
        draft = self.planning.drafted(each.op, Record(each.op.ref, ready.values, None))
        drawn = {path: value.draw() if isinstance(value, Token) else value for path, value in draft.changes.items()}
        if drawn:
            bind = Binding(None, (ready.values,), settings.config, settings.region)
            exchange = fill(mask.call, mask.body, bind, bucket=mask.bucket)
            places = {shape.cells[path].at or path: value for path, value in drawn.items()}
            body = placed(exchange.body, mask.at, places)
            call.check()
            try:
                answer = self.reader.wire.send(call, replace(exchange, body=body))
            except Terminal as refused:
                return self._result(each, Outcome.FAILED, refused.code)
            if not answer.ok:
                conflict = answer.said == "conflict" or answer.status in {409, 412}
                code = answer.said or f"status_{answer.status}"
                return self._result(each, Outcome.CONFLICT if conflict else Outcome.FAILED, code)
        outcome = Outcome.KEPT if isinstance(each.op.act, Keep) else Outcome.DONE
        after = row_print(self.key, shape, Record(each.op.ref, {**ready.values, **drawn}, None))
        return OpResult(each.op.id, outcome, tuple(drawn), after, at=self._now())

    # --- results --------------------------------------------------------------------------------------------

    def _noted(self, result: OpResult) -> OpResult:
        self.results[result.op] = result
        return result

    def _result(self, each: PlannedOp, outcome: Outcome, code: str = "") -> OpResult:
        return OpResult(each.op.id, outcome, code=code, at=self._now())

    def _now(self) -> datetime:
        return self.reader.clocks.wall()


def _meaning(step: Step, answer: Answer) -> tuple[Outcome, str]:
    """What the answer to a step says of the operation."""
    if answer.ok:
        return Outcome.DONE, ""
    if answer.said == "already" or (answer.status in {404, 410} and step.not_found_is == "already"):
        return Outcome.ALREADY, ""
    if answer.said == "conflict" or (answer.status in {409, 412} and step.needs_version is not None):
        return Outcome.CONFLICT, "version"
    if answer.said == "blocked":
        return Outcome.BLOCKED, f"status_{answer.status}"
    return Outcome.FAILED, f"status_{answer.status}"


def _better(one: OpResult | None, other: OpResult) -> OpResult:
    """Of two steps that went well, the one that did something."""
    return one if one is not None and one.outcome is Outcome.DONE else other


def _most(steps: Sequence[Step]) -> int:
    return max((step.batch.max for step in steps if step.batch), default=1)


def _retold(ticket: Ticket, each: PlannedOp) -> Ticket:
    """The parent's ticket for a row that goes along: it ends with the same job."""
    return replace(ticket, id=replace(work_of(ticket), op=each.op.id).text())
