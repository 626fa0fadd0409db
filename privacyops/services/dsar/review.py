"""Review: what goes to the customer, what is left out and why, and the second person where the law wants one."""

import hashlib
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import Matter, second_person
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.catalog.refusals_retention import RefusalCode
from privacyops.domain.dsar.kind import Approval, RequestClass
from privacyops.domain.dsar.proof import may_hand_over
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import SETTLED_RUNS, Decision, RunState
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import ApprovalState, TaskKind
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import AccountId, DsarId, FindingId
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar import erasing
from privacyops.services.dsar.erasure_plan import is_planned_by_machine, plan_lines, require_planned
from privacyops.services.dsar.execution import hand_out, settle_if_done
from privacyops.services.dsar.hands import hands_of
from privacyops.services.dsar.lifecycle import ask_for_review, move, require_seen
from privacyops.services.dsar.package import begin_package
from privacyops.services.dsar.passages import require_decided
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import redaction as redactions
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

_DECIDABLE: Final = frozenset({DsarState.IN_REVIEW})


class ReviewNotOpen(Conflict):
    type = "/problems/review-not-open"
    title = "Decisions can be changed while the request is in review; return it first"


class FindingsUndecided(Conflict):
    """`count` as a member."""

    type = "/problems/findings-undecided"
    title = "Some records are not decided yet"


class SearchUnsettled(Conflict):
    type = "/problems/search-unsettled"
    title = "A store has not been searched to the end; retry it, do it by hand, or answer without it"


class IdentityTooWeak(Conflict):
    type = "/problems/identity-too-weak"
    title = "Data may not be handed over yet: an order fact, the shop's login or a person's judgement is missing"


class ReasonUnknown(Unprocessable):
    type = "/problems/reason-unknown"
    title = "This is not a reason that the law gives for this kind of request"


class ApprovalNeeded(Conflict):
    type = "/problems/approval-needed"
    title = "A second person has to agree first; send the request for approval"


def reasons_for(dsar: Dsar) -> tuple[RefusalCode, ...]:
    """The codes that may withhold a part of the answer to this type of request, in the order of the catalog."""
    return tuple(
        code for code in refusals_retention().refusal_codes if code.partial and code.applies_to(str(dsar.type))
    )


@use_case(Action.DSAR_REVIEW)
def decide(
    ctx: Context,
    tx: Tx,
    dsar_id: DsarId,
    decision: Decision,
    *,
    store: str | None = None,
    collection: str | None = None,
    finding: FindingId | None = None,
    reason: str | None = None,
    only_undecided: bool = False,
) -> int:
    """Include or leave out records: one, a collection, a store. Leaving out needs a code of the catalog.

    Each decision is logged with who, when, how many. The number of records that the decision covers.
    Raises: ReviewNotOpen, ReasonUnknown, Unprocessable: nothing was named.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    if dsar.state not in _DECIDABLE:
        raise ReviewNotOpen
    if store is None and finding is None:
        raise Unprocessable("name a record, or a store and a collection")
    if decision is Decision.EXCLUDE and reason not in {code.code for code in reasons_for(dsar)}:
        raise ReasonUnknown
    count = findings.decide(
        tx, dsar_id, decision, reason if decision is Decision.EXCLUDE else None, AccountId(ctx.actor.id),
        store=store, collection=collection, finding=finding, only_undecided=only_undecided,
    )  # fmt: skip
    dsars.save_dsar(tx, dsar, plan_hash=None)
    record(
        ctx, tx, "dsar.decide", "dsar", dsar_id, decision=str(decision), reason=reason or "", records=count,
        store=store or "", collection=collection or "", finding=str(finding or ""),
    )  # fmt: skip
    return count


@use_case(Action.DSAR_REVIEW)
def finish_review(ctx: Context, tx: Tx, dsar_id: DsarId, seen: int | None = None) -> Dsar:
    """Everything is decided and nobody else has to agree: the answer is made. `seen`: the version that was looked at.

    Raises: StaleState, FindingsUndecided, SearchUnsettled, IdentityTooWeak, ApprovalNeeded, TransitionRefused.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    require_seen(dsar, seen)
    plan = _complete(tx, dsar)
    if needs_approval(tx, dsar):
        raise ApprovalNeeded
    event = DsarEvent.START_EXECUTION if dsar.rule.changes_stores else DsarEvent.FINISH_REVIEW
    prepared = move(ctx, tx, dsar, event, audit={"plan": plan}, plan_hash=plan, prepared_by=ctx.actor.id)
    return _go_on(ctx, tx, prepared)


@use_case(Action.DSAR_SUBMIT)
def submit_for_approval(ctx: Context, tx: Tx, dsar_id: DsarId, seen: int | None = None) -> Dsar:
    """Lay the reviewed answer before a second person. Raises: as `finish_review`."""
    dsar = dsars.load_dsar(tx, dsar_id)
    require_seen(dsar, seen)
    require_planned(tx, dsar)
    plan = _complete(tx, dsar)
    tasks.request_approval(tx, dsar_id, "answer", plan, AccountId(ctx.actor.id))
    tasks.cancel_tasks_of(tx, dsar_id, "submitted", TaskKind.REVIEW_FINDINGS)
    tasks.add_task(tx, TaskKind.APPROVE, dsar.safe_due_on, owner_role="approver", dsar_id=dsar_id)
    return move(
        ctx, tx, dsar, DsarEvent.SUBMIT_FOR_APPROVAL, audit={"plan": plan}, plan_hash=plan, prepared_by=ctx.actor.id
    )


@use_case(Action.DSAR_APPROVE)
def approve_answer(ctx: Context, tx: Tx, dsar_id: DsarId, *, seen_plan: str, typed_reference: str) -> Dsar:
    """A second person agrees to exactly the plan they saw.

    Raises: SamePerson, ApprovedMatterChanged, NumberNotTyped, StepUpNeeded, TransitionRefused, ErasureNotPlanned: the
    dry run is older than a day.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    require_planned(tx, dsar)
    asked = tasks.open_approval(tx, dsar_id)
    hands = hands_of(tx, dsar) | {asked.requested_by}
    matter = Matter(dsar.reference, plan_of(tx, dsar), hands, asked.requested_at)
    eyes = second_person(
        ctx.actor, matter, seen_plan, typed_reference, tx.now, single_operator=ctx.controller.single_operator
    )
    tasks.decide_approval(tx, asked, ApprovalState.GIVEN, AccountId(ctx.actor.id))
    tasks.cancel_tasks_of(tx, dsar_id, "approved", TaskKind.APPROVE)
    event = DsarEvent.APPROVE_PLAN if dsar.rule.changes_stores else DsarEvent.APPROVE_ANSWER
    approved = move(ctx, tx, dsar, event, audit={"plan": asked.plan_hash, "eyes": str(eyes)})
    return _go_on(ctx, tx, approved)


@use_case(Action.DSAR_RETURN)
def send_back(ctx: Context, tx: Tx, dsar_id: DsarId, reason: str) -> Dsar:
    """The second person does not agree; the reason goes to the preparer. Raises: Unprocessable: no reason."""
    if not reason.strip():
        raise Unprocessable("say what should be changed")
    dsar = dsars.load_dsar(tx, dsar_id)
    asked = tasks.open_approval(tx, dsar_id)
    tasks.decide_approval(tx, asked, ApprovalState.RETURNED, AccountId(ctx.actor.id), reason.strip()[:200])
    tasks.cancel_tasks_of(tx, dsar_id, "returned", TaskKind.APPROVE)
    ask_for_review(tx, dsar)
    return move(ctx, tx, dsar, DsarEvent.RETURN)


def needs_approval(tx: Tx, dsar: Dsar) -> bool:
    """Whether the type, or a reason that was used, wants a second person before the answer is made."""
    if dsar.rule.approval is Approval.ALWAYS or is_planned_by_machine(tx, dsar):
        return True
    strict = {code.code for code in refusals_retention().refusal_codes if code.second_person}
    return any(group.reason in strict for group in findings.count_findings(tx, dsar.id) if group.reason)


def plan_of(tx: Tx, dsar: Dsar) -> str:
    """SHA-256 over every decision and every store's state: what an approval binds to."""
    digest = hashlib.sha256(f"{dsar.id}\n{dsar.type}\n".encode())
    for run in findings.list_runs(tx, dsar.id):
        digest.update(f"{run.store}\t{run.state}\n".encode())
    after = None
    while page := findings.page_of_all(tx, dsar.id, after, 1000):
        for one in page:
            digest.update(f"{one.id}\t{one.decision}\t{one.reason or ''}\n".encode())
        after = (page[-1].store, page[-1].collection, page[-1].id)
    for line in (*redactions.plan_lines(tx, dsar.id), *plan_lines(tx, dsar.id)):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _complete(tx: Tx, dsar: Dsar) -> str:
    """The plan of a review with nothing open. Raises: FindingsUndecided, SearchUnsettled, TextsNotRead,
    ThirdPartiesOpen, IdentityTooWeak.
    """
    undecided = sum(row.records for row in findings.count_findings(tx, dsar.id) if row.decision == Decision.UNDECIDED)
    if undecided:
        raise FindingsUndecided(count=undecided)
    runs = findings.list_runs(tx, dsar.id)
    if any(run.state not in SETTLED_RUNS or run.state is RunState.WAITING_REMOTE for run in runs):
        raise SearchUnsettled
    require_decided(tx, dsar)
    is_find = dsar.rule.kind is RequestClass.FIND
    if is_find and not may_hand_over(dsar.type, dsars.list_proofs(tx, dsar.id)):
        raise IdentityTooWeak
    return plan_of(tx, dsar)


def _go_on(ctx: Context, tx: Tx, dsar: Dsar) -> Dsar:
    """The package for data that is handed over, the tasks for stores that are changed, else nothing but the letter."""
    tasks.cancel_tasks_of(tx, dsar.id, "reviewed", TaskKind.REVIEW_FINDINGS)
    if dsar.state is DsarState.EXECUTING:
        if not (is_planned_by_machine(tx, dsar) and erasing.begin(ctx, tx, dsar)):
            hand_out(tx, dsar)
        settle_if_done(ctx, tx, dsar.id)
        return dsars.load_dsar(tx, dsar.id)
    if dsar.rule.hands_over_data and has_something_to_give(tx, dsar):
        begin_package(ctx, tx, dsar)
    return dsar


def has_something_to_give(tx: Tx, dsar: Dsar) -> bool:
    """Whether any record goes to the customer; without one the letter alone is the answer."""
    return any(group.decision == Decision.INCLUDE for group in findings.count_findings(tx, dsar.id))
