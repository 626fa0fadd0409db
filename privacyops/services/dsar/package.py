"""The answer's package: promised when the review ends, built by a worker page by page, kept in the vault."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.answer import SearchedStore, StoreOutcome, UnreachedStore
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar, Requester, StoredFinding
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.job import Job
from privacyops.domain.letter import Letter, LetterKind, LetterValue
from privacyops.domain.package.contents import (
    ALWAYS_HELD,
    HELD_IN_US,
    Collection,
    Column,
    PackageContents,
    PackageKind,
    Record,
    Store,
    Value,
)
from privacyops.domain.package.release import failed_checks
from privacyops.domain.record import Blob, decode
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Gone
from privacyops.kernel.ids import DsarId, PackageId
from privacyops.ports.keyring import DataKey
from privacyops.ports.vault import VaultRef
from privacyops.services import job as jobs
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.columns import column_of, labelled
from privacyops.services.dsar.exclusions import exclusion_of
from privacyops.services.dsar.wording import (
    authority_of,
    controller_of,
    letter,
    local_date,
    regime_of,
    right_of,
)
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import package as packages
from privacyops.store import stores
from privacyops.store.uow import Tx

JOB: Final = "package"
_PAGE: Final = 500


class NoPackage(Gone):
    type = "/problems/no-package"
    title = "There is no package for this request any more; ask again, free of charge"


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything an answer is made of: contents, and the letter that says what they are."""

    contents: PackageContents
    letter: Letter


def begin_package(ctx: Context, tx: Tx, dsar: Dsar) -> PackageId:
    """Promise the package in the transaction that fixes the answer."""
    package = packages.add_package(tx, dsar.id, dsar.plan_hash or "")
    jobs.enqueue(tx, JOB, dsar.id, outbox_id=str(package), package=str(package))
    return package


def build_package(ctx: Context, job: Job) -> str:
    """Build the package of a job into the vault and register it; its state afterwards.

    Repeatable: a second run after a kill builds the same bytes anew and replaces nothing that was registered.
    Raises: JobLost, VaultFull, RequestEmptied.
    """
    package_id = PackageId(UUID(str(job.arguments["package"])))
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        package = packages.load_package(tx, package_id)
        dsar = dsars.load_dsar(tx, package.dsar_id)
    if package.state != "building" or dsar.state is not DsarState.ANSWERING:
        return package.state
    answer = assemble(ctx, dsar, package.created_at)
    stream = ctx.ports.packages.stream(answer.contents, answer.letter)
    ref = ctx.ports.vault.put(ctx.controller.key, dsar.id, stream)
    crash_point("package.after_vault_before_register")
    return _register(ctx, job, package_id, ref, stream.built, answer)


def assemble(ctx: Context, dsar: Dsar, created_at: Any) -> Answer:
    """The contents and letter of the answer, as reviewed. Records are read again page by page while writing."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        requester = sealing.requester_of(ctx, tx, dsar)
        key = sealing.key_of(ctx, tx, dsar.id)
        runs = findings.list_runs(tx, dsar.id)
        groups = findings.count_findings(tx, dsar.id)
        titles = {store.name: store.title for store in stores.list_stores(tx)}
    searched = tuple(
        SearchedStore(run.store, titles.get(run.store, run.store), tuple(run.report.get("identifiers", ())),
                      int(run.report.get("found", 0)), run.settled_at or created_at)
        for run in runs if run.state in {RunState.SUCCEEDED, RunState.NO_MATCH, RunState.DONE_BY_HAND}
    )  # fmt: skip
    unreached = tuple(
        UnreachedStore(run.store, titles.get(run.store, run.store), run.code or "unreachable")
        for run in runs if run.state in {RunState.HANDED_OVER, RunState.ANSWERED_WITHOUT}
    )  # fmt: skip
    exclusions = tuple(
        exclusion_of(dsar, group.reason, int(group.records), titles.get(group.store, group.store), group.collection)
        for group in groups if group.decision == Decision.EXCLUDE
    )  # fmt: skip
    given = sorted({(group.store, group.collection) for group in groups if group.decision == Decision.INCLUDE})
    reader = _Reader(ctx, dsar.id, key)
    packed = tuple(
        Store(name, titles.get(name, name), tuple(reader.collection(name, c) for s, c in given if s == name))
        for name in sorted({store for store, _ in given})
    )
    regime = regime_of(dsar.regime)
    contents = PackageContents(
        reference=dsar.reference,
        kind=PackageKind.PORTABILITY if dsar.type is RequestType.PORTABILITY else PackageKind.ACCESS,
        subject=requester.name or requester.email, language=dsar.language, controller=controller_of(ctx),
        authority=authority_of(ctx), received_on=local_date(ctx, dsar.received_at), created_at=created_at,
        zone=ctx.controller.zone, stores=packed, searched=searched, unreached=unreached, exclusions=exclusions,
        facts=ctx.controller.facts, held=HELD_IN_US if regime.startswith("us") else ALWAYS_HELD,
    )  # fmt: skip
    return Answer(contents, answer_letter(ctx, dsar, requester, contents))


def answer_letter(ctx: Context, dsar: Dsar, requester: Requester, contents: PackageContents) -> Letter:
    """The letter that fits what was found, withheld and not reached."""
    common: dict[str, LetterValue] = {
        "authority": contents.authority, "regime": regime_of(dsar.regime), "right": right_of(dsar.type),
        "received_on": contents.received_on,
    }  # fmt: skip
    now = ctx.clock.now()
    if not contents.stores and not contents.exclusions and not contents.unreached:
        help_texts = ("another address you used here", "an order number", "your customer number")
        return letter(
            ctx, LetterKind.NO_DATA, dsar, requester, now, searched=contents.searched, could_help=help_texts,
            answer_url=f"{ctx.controller.base_url.rstrip('/')}/privacy", **common,
        )  # fmt: skip
    done = tuple(
        StoreOutcome(one.label, f"{one.found} records found") for one in contents.searched
    )  # fmt: skip
    values: dict[str, LetterValue] = {**common, "done": done, "searched": contents.searched}
    if contents.facts is not None:
        values["facts"] = contents.facts
    if contents.exclusions or contents.unreached:
        if contents.exclusions:
            values["withheld"] = contents.exclusions
        if contents.unreached:
            values["outstanding"] = contents.unreached
        return letter(ctx, LetterKind.ANSWER_PARTIAL, dsar, requester, now, **values)
    return letter(ctx, LetterKind.ANSWER_FULL, dsar, requester, now, **values)


@use_case(Action.DSAR_RUN)
def _register(ctx: Context, tx: Tx, job: Job, package_id: PackageId, ref: VaultRef, built: Any, answer: Answer) -> str:
    job_store.assert_owned(tx, job)
    package = packages.load_package(tx, package_id)
    checks = [
        {"check": str(one.check), "file": one.file, "fault": one.fault, "blocks": one.blocks}
        for one in failed_checks(built)
    ]
    packages.move_package(
        tx, package_id, "building", "ready", vault_ref=_ref_text(ref), sha256=built.sha256, size=built.size,
        contents=[{"path": one.path, "size": one.size, "rows": one.rows} for one in built.files],
        checks=checks, notes=[notice.text for notice in built.notices],
    )  # fmt: skip
    record(
        ctx, tx, "dsar.package_built", "dsar", package.dsar_id, package=str(package_id), sha256=built.sha256,
        size=built.size, files=len(built.files), failed_checks=len(checks), letter=answer.letter.template,
    )  # fmt: skip
    return "ready"


class _Reader:
    """Reads the included records of a request again, opened, in pages; each reading gives the same."""

    def __init__(self, ctx: Context, dsar_id: DsarId, key: DataKey) -> None:
        self._ctx = ctx
        self._dsar_id = dsar_id
        self._key = key

    def collection(self, store: str, name: str) -> Collection:
        """One collection with the columns that its records have."""
        seen: dict[str, Column] = {}
        for record_ in self._records(store, name):
            for column, value in record_.values.items():
                seen[column] = column_of(name, column, value, seen.get(column))
        return Collection(name, labelled(name), tuple(seen.values()), _Again(self, store, name))

    def _records(self, store: str, name: str) -> Iterator[Record]:
        after: str | None = None
        while True:
            with self._ctx.database.reading(self._ctx.controller.key, self._ctx.clock.now()) as tx:
                page = findings.list_findings(tx, self._dsar_id, store, name, after, 200)
            for finding in page.items:
                if finding.decision is Decision.INCLUDE:
                    yield self._opened(finding)
            if page.next is None:
                return
            after = page.next

    def _opened(self, finding: StoredFinding) -> Record:
        opened = open_finding(self._ctx, self._key, finding)
        return Record(" ".join(str(value) for value in opened.key.values()), opened.values)


@dataclass(frozen=True, slots=True)
class _Again:
    """An iterable that begins anew each time it is asked."""

    reader: _Reader
    store: str
    name: str

    def __iter__(self) -> Iterator[Record]:
        return self.reader._records(self.store, self.name)  # noqa: SLF001 - one class in two parts


@dataclass(frozen=True, slots=True)
class OpenedFinding:
    """A finding's key and values in clear: only for review by permitted people and for the package."""

    key: Mapping[str, Value]
    values: Mapping[str, Value]


def open_finding(ctx: Context, key: DataKey, finding: StoredFinding) -> OpenedFinding:
    """Raises: NoPackage: the values were destroyed. SealBroken."""
    if finding.sealed is None:
        raise NoPackage
    opened = json.loads(key.open(finding.sealed, sealing.place(ctx, "finding", "sealed", finding.row_ref.hex())))
    return OpenedFinding(
        {name: _given(decode(value)) for name, value in opened["key"].items()},
        {name: _given(decode(value)) for name, value in opened["values"].items()},
    )


def _given(value: Any) -> Value:
    """A stored value as the package may hold it."""
    if isinstance(value, Mapping):
        return {str(name): _given(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_given(part) for part in value]
    if isinstance(value, Blob):
        size = "" if value.bytes is None else f", {value.bytes} bytes"
        return f"[{value.media_type}{size}]"
    known = (bool, int, float, str, bytes)
    return value if value is None or isinstance(value, known) or hasattr(value, "isoformat") else str(value)


def _ref_text(ref: VaultRef) -> str:
    """At most 113 characters for blobs up to a petabyte; the column holds 128."""
    return f"{ref.blob.hex}:{ref.size}:{ref.sha256}"


def ref_of(ctx: Context, dsar_id: DsarId, text: str) -> VaultRef:
    """The vault's reference of a registered package."""
    blob, size, sha256 = text.split(":")
    return VaultRef(ctx.controller.key, dsar_id, UUID(blob), int(size), sha256)
