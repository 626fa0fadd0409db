"""Operations, plans and verdicts between the connector SDK and the domain, in both directions."""

from collections.abc import Mapping
from typing import assert_never

from privacyops import connector_sdk as sdk
from privacyops.adapters.store_translation import from_ref, from_value
from privacyops.domain.erasure import operation as core
from privacyops.ports.connector_host import Asked, Heard


def from_op(op: core.Op) -> sdk.Op:
    """The operation as a connector takes it."""
    return sdk.Op(sdk.OpId(op.id), from_ref(op.ref), _from_act(op.act))


def _from_act(act: core.Act) -> sdk.Act:
    if isinstance(act, core.Delete):
        return sdk.Delete()
    if isinstance(act, core.Set):
        return sdk.Set(_from_cells(act.fields))
    if isinstance(act, core.Unlink):
        return sdk.Unlink(act.field, from_value(act.to))
    if isinstance(act, core.RedactSpan):
        return sdk.RedactSpan(act.field, act.spans)
    if isinstance(act, core.DropPath):
        return sdk.DropPath(act.field, act.path)
    if isinstance(act, core.RemoveElement):
        return sdk.RemoveElement(act.field, act.at)
    if isinstance(act, core.Keep):
        return sdk.Keep(act.code, act.until, _from_cells(act.cut))
    assert_never(act)


def _from_cells(cells: Mapping[str, core.Replacement]) -> dict[str, sdk.Replacement]:
    return {path: _from_replacement(one) for path, one in cells.items()}


def _from_replacement(one: core.Replacement) -> sdk.Replacement:
    if isinstance(one, core.Null):
        return sdk.Null()
    if isinstance(one, core.Constant):
        return sdk.Constant(from_value(one.value))
    if isinstance(one, core.RandomToken):
        return sdk.RandomToken(one.template, one.length)
    if isinstance(one, core.Generalise):
        return sdk.Generalise(sdk.GeneralKind(one.kind))
    if isinstance(one, core.Given):
        return sdk.Given(from_value(one.value))
    assert_never(one)


def to_plan(plan: sdk.Plan, ops: Mapping[str, core.Op]) -> core.StorePlan:
    """The plan as the core keeps it; `ops` are those it was asked for, by id."""
    return core.StorePlan(
        id=plan.id,
        hash=plan.hash,
        made_at=plan.made_at,
        expires_at=plan.expires_at,
        ops=tuple(
            core.PlannedOp(
                ops[each.op.id], each.order, each.after, each.before, each.effect, each.text, each.irreversible
            )
            for each in plan.ops
        ),
        cascades=tuple(
            core.Cascade(each.constraint, each.source, each.target, each.action.value, each.rows.n, each.inside)
            for each in plan.cascades
        ),
        blockers=tuple(
            core.Blocker(each.code, each.collection, each.field, each.constraint, each.remedy, each.op)
            for each in plan.blockers
        ),
        warnings=plan.warnings,
    )


def from_plan(plan: core.StorePlan) -> sdk.Plan:
    """The inverse of `to_plan`, as far as a store needs it to apply: cascades are for people only."""
    return sdk.Plan(
        id=plan.id,
        hash=plan.hash,
        made_at=plan.made_at,
        expires_at=plan.expires_at,
        ops=tuple(
            sdk.PlannedOp(
                from_op(each.op),
                each.order,
                tuple(sdk.OpId(one) for one in each.after),
                each.before,
                each.effect,
                each.text,
                each.irreversible,
            )
            for each in plan.ops
        ),
        blockers=tuple(
            sdk.Blocker(
                each.code,
                each.collection,
                each.field,
                each.constraint,
                each.remedy,
                None if each.op is None else sdk.OpId(each.op),
            )
            for each in plan.blockers
        ),
        warnings=plan.warnings,
    )


def to_heard(heard: sdk.Heard) -> Heard:
    """What a service told."""
    asked = None
    if heard.asked is not None:
        asked = Asked(heard.asked.what, dict(heard.asked.identifiers), heard.asked.delivery)
    return Heard(heard.event, tuple((_ticket(ticket), to_result(result)) for ticket, result in heard.settled), asked)


def _ticket(ticket: sdk.Ticket) -> core.Ticket:
    return core.Ticket(ticket.id, ticket.submitted_at, ticket.poll_after, ticket.give_up_at)


def to_result(result: sdk.OpResult) -> core.OpResult:
    """How one operation ended."""
    ticket = result.ticket
    return core.OpResult(
        op=result.op,
        outcome=core.Outcome(result.outcome.value),
        fields=result.fields,
        after=result.after,
        ticket=None if ticket is None else _ticket(ticket),
        code=result.code,
        at=result.at,
    )


def from_ticket(ticket: core.Ticket) -> sdk.Ticket:
    """A job of the store, to be polled."""
    return sdk.Ticket(ticket.id, ticket.submitted_at, ticket.poll_after, ticket.give_up_at)


def from_check(check: core.Check) -> sdk.Check:
    """One thing to read back."""
    expects = sdk.Expectation.GONE if check.gone else sdk.Expectation.CHANGED
    return sdk.Check(from_ref(check.ref), expects, check.fields, check.before)


def to_verdict(check: core.Check, verdict: sdk.Verdict) -> core.Verdict:
    """What a read-back found. A row that is gone where it was to change is what it says: gone."""
    return core.Verdict(check.op, core.Read(verdict.outcome.value), verdict.fields, verdict.code)
