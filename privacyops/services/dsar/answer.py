"""The answer goes out: released by a second person, announced by mail, fetched behind a fresh code, closed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.four_eyes import Matter, second_person
from privacyops.domain.account.rule import require
from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Outcome, RequestClass
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import SETTLED_RUNS, Decision, RunState
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.letter import Letter, LetterKind
from privacyops.domain.secret import LinkKind
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import DsarId
from privacyops.ports.vault import VaultRef
from privacyops.services import mail, sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar.erasing import unswept
from privacyops.services.dsar.identity import check_code, use_code
from privacyops.services.dsar.lifecycle import end, move
from privacyops.services.dsar.link import new_link, spend, spend_all
from privacyops.services.dsar.package import NoPackage, assemble, ref_of
from privacyops.services.dsar.wording import letter, local_date, url
from privacyops.store import audit as audits
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import export as exports
from privacyops.store import finding as findings
from privacyops.store import mail as mails
from privacyops.store import package as packages
from privacyops.store import redaction as redactions
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

_ENDED_RUNS: Final = SETTLED_RUNS - {RunState.HANDED_OVER}
PACKAGE_LIFE: Final = timedelta(days=30)
DOWNLOADS: Final = 5
ORPHAN_AGE: Final = timedelta(days=1)
_PROMISED: Final = (TaskKind.RESIDUAL, TaskKind.STORE_FAILED, TaskKind.NOTIFY_RECIPIENT)
"""What a letter about changed stores names as outstanding: it stays somebody's task, and holds the closing."""


class PackageNotReady(Conflict):
    type = "/problems/package-not-ready"
    title = "The package is still being built, or one of its checks failed"


class AnswerOnItsWay(Conflict):
    type = "/problems/answer-on-its-way"
    title = "The letter was handed over already; it needs a moment to leave"


class WorkOpen(Conflict):
    """`tasks` and `stores` as members: what is still open."""

    type = "/problems/work-open"
    title = "The request cannot be closed while work for it is open"


@dataclass(frozen=True, slots=True)
class Download:
    """One fetch of a package: its name, size, and its bytes, each piece authenticated."""

    name: str
    size: int
    content: Iterator[bytes]


@reading(Action.DSAR_LIST)
def package_hash(ctx: Context, tx: Tx, dsar_id: DsarId) -> str:
    """The SHA-256 that a release binds to. Raises: PackageNotReady."""
    package = packages.newest_package(tx, dsar_id)
    if package is None or package.sha256 is None:
        raise PackageNotReady
    return package.sha256


@use_case(Action.DSAR_RELEASE)
def release(ctx: Context, tx: Tx, dsar_id: DsarId, *, seen_sha256: str, typed_reference: str) -> Dsar:
    """A person other than the reviewer lets the package go, having typed the request's number.

    Raises: PackageNotReady, SamePerson, ApprovedMatterChanged, NumberNotTyped, StepUpNeeded, StaleState.
    """
    require(ctx.actor, Action.DSAR_RELEASE, tx.now, Target(tx.controller, request=dsar_id))
    dsar = dsars.load_dsar(tx, dsar_id)
    package = packages.newest_package(tx, dsar_id)
    blocked = package is None or any(check["blocks"] for check in package.checks)
    if package is None or package.state != "ready" or blocked:
        raise PackageNotReady
    hands = audits.list_hands(tx, dsar_id) | ({dsar.prepared_by} if dsar.prepared_by else set())
    eyes = second_person(
        ctx.actor, Matter(dsar.reference, package.sha256 or "", frozenset(hands), package.created_at), seen_sha256,
        typed_reference, tx.now, single_operator=ctx.controller.single_operator,
    )  # fmt: skip
    expires = tx.now + PACKAGE_LIFE
    packages.move_package(
        tx, package.id, "ready", "released", released_by=ctx.actor.id, released_at=tx.now, expires_at=expires
    )
    after = move(ctx, tx, dsar, DsarEvent.RELEASE, audit={"sha256": package.sha256 or "", "eyes": str(eyes)})
    requester = sealing.requester_of(ctx, tx, dsar)
    announcement = letter(
        ctx, LetterKind.PACKAGE_READY, dsar, requester, tx.now, download_url=url(ctx, "privacy/status"),
        package_until=local_date(ctx, expires), package_downloads=DOWNLOADS,
    )  # fmt: skip
    mail.promise(ctx, tx, requester.email, announcement, dsar_id)
    return after


def send_letter(ctx: Context, dsar_id: DsarId) -> Dsar:
    """Answer by letter alone: nothing was found, or nothing is handed over by this right.

    Raises: PackageNotReady: there is a package, which is released and not sent. TransitionRefused, StaleState.
    """
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        dsar = dsars.load_dsar(tx, dsar_id)
    return _send_letter(ctx, dsar_id, assemble(ctx, dsar, ctx.clock.now()).letter)


@use_case(Action.DSAR_ANSWER)
def _send_letter(ctx: Context, tx: Tx, dsar_id: DsarId, text: Letter) -> Dsar:
    dsar = dsars.load_dsar(tx, dsar_id)
    package = packages.newest_package(tx, dsar_id)
    if package is not None and package.state != "destroyed":
        raise PackageNotReady("this answer has a package; release it")
    if mails.has_answer(tx, dsar_id):
        raise AnswerOnItsWay
    after = move(ctx, tx, dsar, DsarEvent.RELEASE, audit={"letter": text.template})
    mail.promise(ctx, tx, sealing.requester_of(ctx, tx, dsar).email, text, dsar_id)
    return after


@use_case(Action.DSAR_ANSWER)
def answer_sent(ctx: Context, tx: Tx, dsar_id: DsarId, kind: str) -> Dsar | None:
    """The mail server took a mail of this kind. None: it was not the answer, or the request has moved on already.

    An acknowledgement is the answer of a request that takes effect at once, and of no other; a package is answered
    by its announcement once it is released.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    is_stop = dsar.rule.kind is RequestClass.STOP
    package = packages.newest_package(tx, dsar_id)
    waits = package is not None and package.state in {"building", "ready"}
    if dsar.state is not DsarState.ANSWERING or waits or (kind == LetterKind.ACK) is not is_stop:
        return None
    after = move(ctx, tx, dsar, DsarEvent.ANSWER_SENT, ClockEventKind.ANSWERED, answered_at=tx.now)
    deadlines.disarm(tx, dsar_id, None, "met")
    tasks.cancel_tasks_of(tx, dsar_id, "answered", but=_PROMISED if dsar.rule.changes_stores else ())
    if dsar.rule.kind is RequestClass.STOP:
        return end(ctx, tx, after, DsarEvent.CLOSE, Outcome.FULFILLED)
    if package is not None and package.expires_at is not None:
        deadlines.arm(tx, dsar_id, "package_expiry", [("0d", package.expires_at)])
    return after


def open_download(ctx: Context, dsar_id: DsarId, code: str) -> str:
    """A token for one fetch within ten minutes, for a fresh code. Raises: CodeWrong, NoPackage."""
    return _grant(ctx, dsar_id, check_code(ctx, dsar_id, "download", code))


@use_case(Action.DSAR_DOWNLOAD)
def _grant(ctx: Context, tx: Tx, dsar_id: DsarId, code: UUID) -> str:
    require(ctx.actor, Action.DSAR_DOWNLOAD, tx.now, Target(tx.controller, request=dsar_id))
    package = packages.newest_package(tx, dsar_id)
    if package is None or package.state != "released" or package.downloads_left < 1:
        raise NoPackage
    use_code(tx, code)
    return new_link(tx, LinkKind.DOWNLOAD, dsar_id)


def download(ctx: Context, token: str) -> Download:
    """The package behind a one-time token. Every fetch is counted and logged; a refusal too. Raises: NoPackage."""
    try:
        name, ref, size = _take(ctx, token)
    except NoPackage:
        refuse_download(ctx, None)
        raise
    return Download(name, size, ctx.ports.vault.open(ref))


@use_case(Action.DSAR_INTAKE)
def _take(ctx: Context, tx: Tx, token: str) -> tuple[str, VaultRef, int]:
    dsar_id = spend(tx, token, LinkKind.DOWNLOAD)
    package = packages.newest_package(tx, dsar_id) if dsar_id is not None else None
    if dsar_id is None or package is None or package.vault_ref is None or not packages.take_download(tx, package.id):
        raise NoPackage
    dsar = dsars.load_dsar(tx, dsar_id)
    record(ctx, tx, "dsar.download", "dsar", dsar_id, package=str(package.id), left=package.downloads_left - 1)
    return f"your-data-{dsar.reference}.zip", ref_of(ctx, dsar_id, package.vault_ref), package.size or 0


@use_case(Action.DSAR_INTAKE)
def refuse_download(ctx: Context, tx: Tx, dsar_id: DsarId | None) -> None:
    """Write down that somebody tried to fetch a package with a link that is spent, expired or another person's."""
    record(ctx, tx, "dsar.download_refused", "dsar", dsar_id or ctx.actor.request or "unknown")


@use_case(Action.DSAR_CLOSE)
def close(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """The request is done: nothing is open for it. Its outcome is computed, not chosen. Raises: WorkOpen."""
    dsar = dsars.load_dsar(tx, dsar_id)
    open_tasks = [task for task in tasks.list_tasks_of(tx, dsar_id) if task.state in OPEN_TASKS]
    late = [run.store for run in findings.list_runs(tx, dsar_id) if run.state not in _ENDED_RUNS]
    late += unswept(tx, dsar_id)
    if open_tasks or late:
        raise WorkOpen(tasks=len(open_tasks), stores=late)
    return end(ctx, tx, dsar, DsarEvent.CLOSE, outcome_of(tx, dsar))


@use_case(Action.DSAR_WITHDRAW)
def withdraw(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """The customer takes the request back. Raises: TransitionRefused: it has been answered or is being carried out."""
    require(ctx.actor, Action.DSAR_WITHDRAW, tx.now, Target(tx.controller, request=dsar_id))
    closed = end(ctx, tx, dsars.load_dsar(tx, dsar_id), DsarEvent.WITHDRAW, Outcome.WITHDRAWN)
    packages.void_packages(tx, dsar_id)
    mails.void_mails(tx, dsar_id, "request_withdrawn")
    spend_all(tx, LinkKind.DOWNLOAD, dsar_id)
    return closed


def expire_packages(ctx: Context) -> int:
    """End packages whose time is over, then destroy what lies in the vault for ended ones; how many were destroyed.

    The row is ended first and the bytes go after its commit, one request at a time: a full stop in between leaves a
    package that nobody can fetch, and the next round destroys it.
    """
    _end_expired(ctx)
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        ended = packages.list_to_destroy(tx)
    for package in ended:
        ctx.ports.vault.destroy(package.dsar_id)
        _destroyed(ctx, package)
    return len(ended)


@use_case(Action.JOB_RUN)
def _end_expired(ctx: Context, tx: Tx) -> None:
    for package in packages.list_expired(tx):
        packages.move_package(tx, package.id, "released", "destroyed", destroyed_at=tx.now)
        spend_all(tx, LinkKind.DOWNLOAD, package.dsar_id)


@use_case(Action.JOB_RUN)
def _destroyed(ctx: Context, tx: Tx, package: packages.StoredPackage) -> None:
    packages.forget_bytes(tx, package.id)
    record(ctx, tx, "dsar.package_destroyed", "dsar", package.dsar_id, package=str(package.id))


def sweep_vault(ctx: Context) -> int:
    """Delete what no package or export refers to: recalled ones, and pieces that a kill left behind; how many files."""
    now = ctx.clock.now()
    with ctx.database.reading(ctx.controller.key, now) as tx:
        known = packages.known_blobs(tx) | exports.known_blobs(tx)
    return ctx.ports.vault.sweep(known, now - ORPHAN_AGE)


def outcome_of(tx: Tx, dsar: Dsar) -> Outcome:
    """What became of the request, from its findings, runs and erasures."""
    groups = findings.count_findings(tx, dsar.id)
    included = any(group.decision == Decision.INCLUDE for group in groups)
    excluded = any(group.decision == Decision.EXCLUDE for group in groups)
    runs = findings.list_runs(tx, dsar.id)
    without = any(run.state is RunState.ANSWERED_WITHOUT for run in runs)
    if not groups and runs:
        return Outcome.FULFILLED_PARTIAL if without else Outcome.NO_DATA_FOUND
    if excluded and not included:
        return Outcome.REFUSED
    erased = erasures.list_erasures(tx, dsar.id)
    less = any(one.state is not ErasingState.VERIFIED or one.report.get("kept") for one in erased)
    cut = any(
        group.taken_out for group in redactions.count_groups(tx, dsar.id) if group.on_record is Decision.INCLUDE
    )  # fmt: skip
    return Outcome.FULFILLED_PARTIAL if excluded or without or less or cut else Outcome.FULFILLED
