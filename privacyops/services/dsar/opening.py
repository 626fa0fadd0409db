"""A request opened by a person: what its page shows, read in one transaction, and the row that says who looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.rule import extent
from privacyops.domain.audit import AuditEntry
from privacyops.domain.classification.columns import category_of
from privacyops.domain.datamap.catalogue import FieldType
from privacyops.domain.deadline.clock import ClockView
from privacyops.domain.deadline.event import ClockEvent
from privacyops.domain.dsar.erasing import StoreErasure
from privacyops.domain.dsar.kind import RequestClass, RequestType
from privacyops.domain.dsar.proof import may_hand_over
from privacyops.domain.dsar.record import Dsar, Proof, Requester, Run, StoredFinding
from privacyops.domain.dsar.run import Decision
from privacyops.domain.fee import fee_grounds
from privacyops.domain.letter import Letter
from privacyops.domain.package.contents import Element, Value
from privacyops.domain.recipient import RecipientNotice
from privacyops.domain.redaction.record import OthersWait, Reading, ReadingState
from privacyops.domain.redaction.texts import texts_of
from privacyops.domain.task import Approval, Task
from privacyops.kernel.errors import Forbidden, NotFound
from privacyops.kernel.ids import DsarId
from privacyops.kernel.pagination import Page
from privacyops.services import sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar import clock
from privacyops.services.dsar.columns import column_of, labelled
from privacyops.services.dsar.hands import hands_of
from privacyops.services.dsar.package import OpenedFinding, assemble, open_finding
from privacyops.services.dsar.people import Person, person_of
from privacyops.services.dsar.reply import Note, talk_of
from privacyops.services.dsar.review import needs_approval
from privacyops.services.dsar.wording import local_date
from privacyops.services.sealing import RequestEmptied
from privacyops.store import audit, correction, store_erasure, stores
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import mail as mails
from privacyops.store import package as packages
from privacyops.store import recipient as recipients
from privacyops.store import redaction as redactions
from privacyops.store import task as tasks
from privacyops.store.package import StoredPackage
from privacyops.store.redaction import GroupCount
from privacyops.store.stores import ConnectedStore
from privacyops.store.uow import Tx

VIEWS: Final = frozenset({"dsar.open", "dsar.view_findings"})
"""Audit actions that only say that somebody looked."""
_TRAIL: Final = 200


@dataclass(slots=True)
class FoundGroup:
    """The findings of one collection of one store, counted; `decisions` and `reasons` with how many records each."""

    store: str
    collection: str
    records: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def undecided(self) -> int:
        return self.decisions.get(Decision.UNDECIDED, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRequest:
    """One request as its page shows it. `requester` and messages only where the role and the masking permit."""

    dsar: Dsar
    sees_content: bool
    person: Person
    requester: Requester | None
    clock: ClockView
    clocks: Sequence[ClockView]
    rule_label: str
    proofs: Sequence[Proof]
    may_hand_over: bool
    needs_approval: bool
    may_cost: bool
    runs: Sequence[Run]
    groups: Sequence[FoundGroup]
    deciders: frozenset[UUID]
    is_answer_on_its_way: bool
    tasks: Sequence[Task]
    approvals: Sequence[Approval]
    package: StoredPackage | None
    events: Sequence[ClockEvent]
    trail: Sequence[AuditEntry]
    messages: Sequence[Note]
    related: Sequence[Dsar]
    stores: Mapping[str, ConnectedStore]
    erasures: Sequence[StoreErasure] = ()
    notices: Sequence[RecipientNotice] = ()
    corrections: int = 0
    """How many pairs of a wrong and a right value somebody wrote."""
    reading: Reading | None = None
    passages: Sequence[GroupCount] = ()

    @property
    def others_wait(self) -> OthersWait | None:
        """Why passages about other people hold the answer back; None where they do not."""
        if not self.dsar.rule.hands_over_data:
            return None
        if self.reading is None:
            return OthersWait.NEVER
        if not self.reading.is_over:
            return OthersWait.UNREADABLE if self.reading.state is ReadingState.FAILED else OthersWait.READING
        given = [one for one in self.passages if one.on_record is not Decision.EXCLUDE]
        if any(one.open for one in given):
            return OthersWait.OPEN
        return OthersWait.UNSEEN if any(one.unseen for one in given) else None

    @property
    def goes_by_plan(self) -> bool:
        """Whether the stores are changed by a plan, and not each by a person."""
        return self.dsar.type is RequestType.ERASURE or bool(self.corrections)

    @property
    def is_planned(self) -> bool:
        """Whether every store that was begun with has its plan; no word on whether it is still fresh."""
        return bool(self.erasures) and all(one.planned_at is not None for one in self.erasures)

    @property
    def undecided(self) -> int:
        return sum(group.undecided for group in self.groups)


@dataclass(frozen=True, slots=True)
class OpenedField:
    """One value of a record. `is_withheld`: the law wants it kept back, so it is not shown here either."""

    label: str
    value: Value
    category: str | None
    is_withheld: bool
    text: int | None = None
    """Which of the record's strings it begins with, where it holds any; for marking by hand."""


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """One finding in clear."""

    finding: StoredFinding
    key: Mapping[str, Value]
    fields: Sequence[OpenedField]


@use_case(Action.DSAR_OPEN)
def open_request(ctx: Context, tx: Tx, reference: str, *, masks: bool) -> OpenedRequest:
    """The request of this number, opened; one audit row says by whom, and whether the person was shown in clear.

    An approver sees plan, summary and package, an auditor everything masked. Raises: NotFound.
    """
    dsar = dsars.load_by_reference(tx, reference)
    reach = extent(ctx.actor, Action.DSAR_OPEN)
    sees_content = reach is Extent.CLEAR
    hides = masks or reach is Extent.MASKED
    events = dsars.list_clock_events(tx, dsar.id)
    views = clock.views_of(dsar, events, tx.now)
    view = clock.view_of(dsar, events, tx.now)
    rule = clock.rule_of(dsar, view)
    wanted = correction.find_corrections(tx, dsar.id)
    proofs = dsars.list_proofs(tx, dsar.id)
    record(ctx, tx, "dsar.open", "dsar", dsar.id, person="masked" if hides else "clear")
    return OpenedRequest(
        dsar=dsar, sees_content=sees_content, person=person_of(ctx, tx, dsar, masks=hides),
        requester=_requester(ctx, tx, dsar) if sees_content and not hides else None, clock=view, clocks=views,
        rule_label=rule.article or rule.law, proofs=proofs,
        may_hand_over=dsar.rule.kind is not RequestClass.FIND or may_hand_over(dsar.type, proofs),
        needs_approval=needs_approval(tx, dsar),
        may_cost=bool(fee_grounds(dsar.regime, dsar.type, local_date(ctx, dsar.received_at))),
        runs=findings.list_runs(tx, dsar.id), groups=_groups(tx, dsar.id),
        deciders=hands_of(tx, dsar), tasks=tasks.list_tasks_of(tx, dsar.id),
        approvals=tasks.list_approvals(tx, dsar.id), package=packages.newest_package(tx, dsar.id),
        is_answer_on_its_way=mails.has_answer(tx, dsar.id), events=events,
        trail=[row for row in audit.list_audit_of(tx, "dsar", str(dsar.id), _TRAIL) if row.action not in VIEWS],
        messages=talk_of(ctx, tx, dsar) if sees_content else (), related=dsars.list_related(tx, dsar),
        stores={store.name: store for store in stores.list_stores(tx)},
        corrections=wanted.pairs if wanted else 0, erasures=store_erasure.list_erasures(tx, dsar.id),
        notices=recipients.list_notices(tx, dsar.id),
        reading=redactions.load_reading(tx, dsar.id),
        passages=redactions.count_groups(tx, dsar.id),
    )  # fmt: skip


@reading(Action.DSAR_ANSWER)
def _letter_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    return dsars.load_dsar(tx, dsar_id)


def preview_letter(ctx: Context, dsar_id: DsarId) -> Letter:
    """The letter as `answer.send_letter` would send it now. Raises: Forbidden, NotFound, RequestEmptied."""
    return assemble(ctx, _letter_of(ctx, dsar_id), ctx.clock.now()).letter


@use_case(Action.DSAR_OPEN)
def open_findings(
    ctx: Context, tx: Tx, dsar_id: DsarId, store: str, collection: str, after: str | None = None, limit: int = 20
) -> Page[OpenedRecord]:
    """A page of found records in clear, with an audit row of how many were seen.

    Raises: Forbidden: the role sees summaries only. NotFound. RequestEmptied, BadRequest.
    """
    if extent(ctx.actor, Action.DSAR_OPEN) is not Extent.CLEAR:
        raise Forbidden("this role sees what was decided, not the records themselves")
    dsar = dsars.load_dsar(tx, dsar_id)
    page = findings.list_findings(tx, dsar.id, store, collection, after, limit)
    if not page.items and after is None:
        raise NotFound
    key = sealing.key_of(ctx, tx, dsar.id)
    opened = [_record(one, open_finding(ctx, key, one)) for one in page.items if one.sealed is not None]
    record(
        ctx, tx, "dsar.view_findings", "dsar", dsar.id, store=store, collection=collection, records=len(opened),
    )  # fmt: skip
    return Page(opened, page.next)


def _record(one: StoredFinding, opened: OpenedFinding) -> OpenedRecord:
    first: dict[str, int] = {}
    for number, text in enumerate(texts_of(opened.values, opened.files)):
        first.setdefault(text.field, number)
    fields = [_field(one.collection, name, value, first.get(name)) for name, value in opened.values.items()]
    return OpenedRecord(one, opened.key, fields)


def _field(collection: str, name: str, value: Value, text: int | None) -> OpenedField:
    category = category_of(collection, name, FieldType.TEXT)
    column = column_of(collection, name, value, None)
    withheld = column.element in {Element.PASSWORD, Element.NATIONAL_ID, Element.FINANCIAL_ACCOUNT}
    return OpenedField(labelled(name), value, str(category).replace("_", " ") if category else None, withheld, text)


def _groups(tx: Tx, dsar_id: DsarId) -> Sequence[FoundGroup]:
    groups: dict[tuple[str, str], FoundGroup] = {}
    for row in findings.count_findings(tx, dsar_id):
        group = groups.setdefault((row.store, row.collection), FoundGroup(row.store, row.collection))
        group.records += row.records
        group.decisions[row.decision] = group.decisions.get(row.decision, 0) + row.records
        if row.reason and row.decision == Decision.EXCLUDE:
            group.reasons[row.reason] = group.reasons.get(row.reason, 0) + row.records
    return [groups[name] for name in sorted(groups)]


def _requester(ctx: Context, tx: Tx, dsar: Dsar) -> Requester | None:
    try:
        return sealing.requester_of(ctx, tx, dsar)
    except RequestEmptied:
        return None
