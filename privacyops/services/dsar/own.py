"""What the person behind a request sees of it: where it stands, what was written, what each system gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.rule import require
from privacyops.domain.deadline.clock import ClockView
from privacyops.domain.dsar.record import Dsar, Run
from privacyops.domain.dsar.run import SETTLED_RUNS, Decision, RunState
from privacyops.domain.dsar.state import DsarEvent, DsarState, allowed_events
from privacyops.domain.recipient import NoticeState, RecipientNotice
from privacyops.domain.secret import LinkKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context, reading
from privacyops.services.dsar.clock import view_of
from privacyops.services.dsar.columns import labelled
from privacyops.services.dsar.link import opens
from privacyops.services.dsar.message import Message, messages_of
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import package as packages
from privacyops.store import recipient as recipients
from privacyops.store import stores
from privacyops.store.uow import Tx

_TOLD: Final = frozenset({DsarState.ANSWERED, DsarState.CLOSED})


class SystemAnswer(StrEnum):
    """What one system gave, in the end."""

    GIVEN = "given"
    GIVEN_IN_PART = "given_in_part"
    LEFT_OUT = "left_out"
    NOTHING_HELD = "nothing_held"
    OUTSTANDING = "outstanding"


@dataclass(frozen=True, slots=True)
class SystemOutcome:
    """One system by the name the shop gave it, and how many records of it are in the answer or left out."""

    title: str
    answer: SystemAnswer
    given: int
    left_out: int


@dataclass(frozen=True, slots=True)
class OwnPackage:
    """The answer's package as far as it concerns whoever fetches it. `state`: building, ready, released, destroyed.

    `contents`: the system by the name the shop gave it, what it holds in plain words, and how many records.
    """

    state: str
    size: int | None
    sha256: str | None
    expires_at: Instant | None
    downloads_left: int
    contents: tuple[tuple[str, str, int], ...]

    def is_open(self, now: Instant) -> bool:
        """Whether it can be fetched."""
        in_time = self.expires_at is not None and now < self.expires_at
        return self.state == "released" and self.downloads_left > 0 and in_time


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """Everything that the status page says. `contact` is None once the personal data is destroyed.

    `systems` (how many are done, of how many) tells the progress of the search; `outcomes` stay empty until the
    answer is out, because nothing is decided before. `recipients` are those who got data of the person and were, are or
    could not be told; who never got any is left out.
    """

    dsar: Dsar
    contact: str | None
    clock: ClockView
    messages: tuple[Message, ...]
    systems: tuple[int, int]
    outcomes: tuple[SystemOutcome, ...]
    package: OwnPackage | None
    recipients: tuple[RecipientNotice, ...] = ()

    @property
    def can_withdraw(self) -> bool:
        return DsarEvent.WITHDRAW in allowed_events(self.dsar.state)


@reading(Action.DSAR_STATUS)
def read_own(ctx: Context, tx: Tx, dsar_id: DsarId) -> OwnRequest:
    """The request behind the actor's cookie. Raises: NotFound: not the actor's own."""
    require(ctx.actor, Action.DSAR_STATUS, tx.now, Target(tx.controller, request=dsar_id))
    dsar = dsars.load_dsar(tx, dsar_id)
    runs = findings.list_runs(tx, dsar_id)
    done = sum(run.state in SETTLED_RUNS for run in runs)
    is_told = dsar.state in _TOLD and dsar.answered_at is not None
    return OwnRequest(
        dsar,
        None if dsar.sealed is None else sealing.requester_of(ctx, tx, dsar).email,
        view_of(dsar, dsars.list_clock_events(tx, dsar_id), tx.now),
        messages_of(ctx, tx, dsar_id),
        (done, len(runs)),
        _outcomes(tx, dsar, runs) if is_told else (),
        _package(tx, dsar_id),
        _recipients(tx, dsar_id) if is_told else (),
    )


@reading(Action.DSAR_INTAKE)
def behind_link(ctx: Context, tx: Tx, token: str) -> Dsar | None:
    """The request that a mailed link would confirm, without using the link; None: unknown, used or expired."""
    found = opens(tx, token, LinkKind.MAGIC)
    return None if found is None else dsars.load_dsar(tx, found)


def _package(tx: Tx, dsar_id: DsarId) -> OwnPackage | None:
    found = packages.newest_package(tx, dsar_id)
    if found is None:
        return None
    titles = {store.name: store.title for store in stores.list_stores(tx)}
    given: dict[tuple[str, str], int] = {}
    for group in findings.count_findings(tx, dsar_id):
        if group.decision == Decision.INCLUDE:
            part = titles.get(group.store, labelled(group.store)), labelled(group.collection)
            given[part] = given.get(part, 0) + int(group.records)
    contents = tuple((system, label, count) for (system, label), count in sorted(given.items()))
    return OwnPackage(found.state, found.size, found.sha256, found.expires_at, found.downloads_left, contents)


def _recipients(tx: Tx, dsar_id: DsarId) -> tuple[RecipientNotice, ...]:
    every = recipients.list_notices(tx, dsar_id)
    return tuple(one for one in every if one.state is not NoticeState.NOT_DISCLOSED)


def _outcomes(tx: Tx, dsar: Dsar, runs: Sequence[Run]) -> tuple[SystemOutcome, ...]:
    titles = {store.name: store.title for store in stores.list_stores(tx)}
    counts: dict[str, dict[str, int]] = {}
    for group in findings.count_findings(tx, dsar.id):
        of_store = counts.setdefault(group.store, {})
        of_store[group.decision] = of_store.get(group.decision, 0) + int(group.records)
    return tuple(_outcome(run, titles.get(run.store, labelled(run.store)), counts.get(run.store, {})) for run in runs)


def _outcome(run: Run, title: str, counts: dict[str, int]) -> SystemOutcome:
    given, left_out = counts.get(Decision.INCLUDE, 0), counts.get(Decision.EXCLUDE, 0)
    if run.state in {RunState.HANDED_OVER, RunState.ANSWERED_WITHOUT}:
        answer = SystemAnswer.OUTSTANDING
    elif given and left_out:
        answer = SystemAnswer.GIVEN_IN_PART
    elif given:
        answer = SystemAnswer.GIVEN
    else:
        answer = SystemAnswer.LEFT_OUT if left_out else SystemAnswer.NOTHING_HELD
    return SystemOutcome(title, answer, given, left_out)
