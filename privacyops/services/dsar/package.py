"""The answer's package: promised when the review ends, built by a worker page by page, kept in the vault."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.answer import SearchedStore, StoreOutcome, UnreachedStore
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar, Requester, StoredFinding
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.job import MAX_ATTEMPTS, Job
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
from privacyops.domain.package.release import FailedCheck, OpenPoint, failed_checks
from privacyops.domain.record import Blob, decode
from privacyops.domain.redaction.texts import CALLABLE, by_members, text_in
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Gone
from privacyops.kernel.ids import DsarId, PackageId
from privacyops.ports.connector_host import ConnectorHost
from privacyops.ports.keyring import DataKey
from privacyops.ports.vault import VaultRef
from privacyops.services import job as jobs
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.columns import column_of, labelled
from privacyops.services.dsar.erasure_words import CarriedOut, carried_out
from privacyops.services.dsar.exclusions import exclusion_of, passages_exclusion
from privacyops.services.dsar.files import AnswerFiles, HeldFile, WordsOfFiles, attached, held_files, opened_stores
from privacyops.services.dsar.passages import Marked, cuts, file_kept, marked_of, open_points
from privacyops.services.dsar.recipients import Told, told_of
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
from privacyops.store import redaction as redactions
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
    faults: tuple[FailedCheck, ...] = ()
    open_points: tuple[OpenPoint, ...] = ()


def begin_package(ctx: Context, tx: Tx, dsar: Dsar) -> PackageId:
    """Promise the package in the transaction that fixes the answer."""
    package = packages.add_package(tx, dsar.id, dsar.plan_hash or "")
    jobs.enqueue(tx, JOB, dsar.id, outbox_id=str(package), package=str(package))
    return package


def build_package(ctx: Context, job: Job) -> str:
    """Build the package of a job into the vault and register it; its state afterwards.

    Repeatable: a second run after a kill builds the same bytes anew and replaces nothing that was registered.
    Raises: JobLost, VaultFull, RequestEmptied; StoreProblem: a file of the answer could not be read, try again.
    """
    package_id = PackageId(UUID(str(job.arguments["package"])))
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        package = packages.load_package(tx, package_id)
        dsar = dsars.load_dsar(tx, package.dsar_id)
    if package.state != "building" or dsar.state is not DsarState.ANSWERING:
        return package.state
    with opened_stores(ctx, _stores_given(ctx, dsar.id)) as host:
        held = _HeldFiles(host, is_last_try=job.attempts >= MAX_ATTEMPTS - 1)
        answer = assemble(ctx, dsar, package.created_at, held)
        stream = ctx.ports.packages.stream(answer.contents, answer.letter)
        ref = ctx.ports.vault.put(ctx.controller.key, dsar.id, stream)
    crash_point("package.after_vault_before_register")
    return _register(ctx, job, package_id, ref, stream.built, answer)


@dataclass(frozen=True, slots=True)
class _HeldFiles:
    """Where the files of an answer are read from."""

    host: ConnectorHost
    is_last_try: bool


def assemble(ctx: Context, dsar: Dsar, created_at: Any, held: _HeldFiles | None = None) -> Answer:
    """The contents and letter of the answer, as reviewed. Records are read again page by page while writing.

    Without `held`, as for a look at the letter, files are named and not opened.
    """
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        requester = sealing.requester_of(ctx, tx, dsar)
        key = sealing.key_of(ctx, tx, dsar.id)
        runs = findings.list_runs(tx, dsar.id)
        groups = findings.count_findings(tx, dsar.id)
        titles = {store.name: store.title for store in stores.list_stores(tx)}
        carried, told = carried_out(tx, dsar, titles), told_of(tx, dsar.id)
        passages, open_ = redactions.count_groups(tx, dsar.id), open_points(tx, dsar)
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
    ) + tuple(
        passages_exclusion(dsar, group.taken_out, titles.get(group.store, group.store), group.collection)
        for group in passages if group.on_record is Decision.INCLUDE and group.taken_out
    )  # fmt: skip
    given = sorted({(group.store, group.collection) for group in groups if group.decision == Decision.INCLUDE})
    reader = _Reader(ctx, dsar, key)
    files = AnswerFiles()
    if held is not None:
        files = attached(held.host, reader.files(given), is_last_try=held.is_last_try)
        reader = _Reader(ctx, dsar, key, {**files.words, **reader.kept})
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
        facts=ctx.controller.facts, attachments=files.attachments,
        held=HELD_IN_US if regime.startswith("us") else ALWAYS_HELD,
    )  # fmt: skip
    return Answer(contents, answer_letter(ctx, dsar, requester, contents, carried, told), files.faults, open_)


def _stores_given(ctx: Context, dsar_id: DsarId) -> Sequence[str]:
    """The stores whose records are part of the answer."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        groups = findings.count_findings(tx, dsar_id)
    return sorted({group.store for group in groups if group.decision == Decision.INCLUDE})


def answer_letter(
    ctx: Context,
    dsar: Dsar,
    requester: Requester,
    contents: PackageContents,
    carried: CarriedOut | None = None,
    told: Told | None = None,
) -> Letter:
    """The letter that fits what was found, withheld and not reached; of an erasure, what was `carried` out."""
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
    values |= {} if told is None else {"recipients_told": told.done, "recipients_to_tell": told.to_come}
    withheld, outstanding = contents.exclusions, contents.unreached
    if carried is not None:  # a record that a person withheld is kept, and so said once
        values["done"], withheld = carried.done, carried.kept if dsar.type is RequestType.ERASURE else withheld
        outstanding = (*outstanding, *carried.outstanding)
    if withheld or outstanding:
        if withheld:
            values["withheld"] = withheld
        if outstanding:
            values["outstanding"] = outstanding
        return letter(ctx, LetterKind.ANSWER_PARTIAL, dsar, requester, now, **values)
    return letter(ctx, LetterKind.ANSWER_FULL, dsar, requester, now, **values)


@use_case(Action.DSAR_RUN)
def _register(ctx: Context, tx: Tx, job: Job, package_id: PackageId, ref: VaultRef, built: Any, answer: Answer) -> str:
    job_store.assert_owned(tx, job)
    package = packages.load_package(tx, package_id)
    checks = [
        {"check": str(one.check), "file": one.file, "fault": one.fault, "blocks": one.blocks}
        for one in (*answer.faults, *failed_checks(built, answer.open_points))
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

    def __init__(self, ctx: Context, dsar: Dsar, key: DataKey, words: WordsOfFiles | None = None) -> None:
        self._ctx = ctx
        self._dsar = dsar
        self._key = key
        self._words = words or {}
        self.kept: dict[tuple[UUID, str], str] = {}

    def collection(self, store: str, name: str) -> Collection:
        """One collection with the columns that its records have."""
        seen: dict[str, Column] = {}
        for record_ in self._records(store, name):
            for column, value in record_.values.items():
                seen[column] = column_of(name, column, value, seen.get(column))
        return Collection(name, labelled(name), tuple(seen.values()), _Again(self, store, name))

    def files(self, given: Iterable[tuple[str, str]]) -> Iterator[HeldFile]:
        """The files behind the included records of these stores and collections, in the order of the package.

        A file of a record with passages taken out would bring them back: it stays, and `kept` says so.
        """
        for store, name in given:
            for page, marked in self._pages(store, name):
                cut = {place[0] for place in marked}
                for finding in page:
                    key, values = _unsealed(self._ctx, self._key, finding)
                    held = held_files(finding, key, values, f"{labelled(name)} {_spelled(key)}")
                    if finding.id not in cut:
                        yield from held
                        continue
                    self.kept |= {(one.finding, one.column): file_kept(self._dsar.language) for one in held}

    def _records(self, store: str, name: str) -> Iterator[Record]:
        for page, marked in self._pages(store, name):
            for finding in page:
                opened = open_finding(self._ctx, self._key, finding, self._words)
                gone = cuts(self._key, self._dsar.language, finding, opened.values, opened.files, marked)
                yield Record(_key_shown(finding, opened.key, is_cut=bool(gone)), opened.values, gone)

    def _pages(
        self, store: str, name: str
    ) -> Iterator[tuple[Sequence[StoredFinding], Mapping[tuple[object, str, int], Marked]]]:
        after: str | None = None
        while True:
            with self._ctx.database.reading(self._ctx.controller.key, self._ctx.clock.now()) as tx:
                page = findings.list_findings(tx, self._dsar.id, store, name, after, 200)
                given = [finding for finding in page.items if finding.decision is Decision.INCLUDE]
                marked = marked_of(tx, given)
            yield given, marked
            if page.next is None:
                return
            after = page.next


def _spelled(key: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in key.values())


def _key_shown(finding: StoredFinding, key: Mapping[str, Any], *, is_cut: bool) -> str:
    """How a record is named in the package: by its own key, which of one that something was taken out of might bring
    it back (an address as a key, a path with a name in it), so that only a number stays that nobody can be called by.
    """
    is_plain = all(isinstance(value, int) and value not in CALLABLE for value in key.values())
    return str(finding.id) if is_cut and not is_plain else _spelled(key)


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
    files: frozenset[str] = frozenset()
    """Fields that hold a handle on a file."""


def open_finding(
    ctx: Context, key: DataKey, finding: StoredFinding, words: WordsOfFiles | None = None
) -> OpenedFinding:
    """The finding in clear. `words` stand in place of the files behind it, by finding and column.

    Raises: NoPackage: the values were destroyed. SealBroken.
    """
    row_key, values = _unsealed(ctx, key, finding)
    told = words or {}
    return OpenedFinding(
        {name: _given(value) for name, value in row_key.items()},
        {name: told.get((finding.id, name)) or _given(value) for name, value in values.items()},
        frozenset(name for name, value in values.items() if isinstance(value, Blob)),
    )


def _unsealed(ctx: Context, key: DataKey, finding: StoredFinding) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Key and values as they came from the store. Raises: NoPackage, SealBroken."""
    if finding.sealed is None:
        raise NoPackage
    opened = json.loads(key.open(finding.sealed, sealing.place(ctx, "finding", "sealed", finding.row_ref.hex())))
    return (
        {name: decode(value) for name, value in opened["key"].items()},
        {name: decode(value) for name, value in opened["values"].items()},
    )


def _given(value: Any) -> Value:
    """A stored value as the package may hold it."""
    if isinstance(value, Mapping):
        return by_members({str(name): _given(part) for name, part in value.items()})
    if isinstance(value, bytes):
        return text_in(value) or value
    if isinstance(value, tuple):
        return [_given(part) for part in value]
    if isinstance(value, Blob):
        size = "" if value.bytes is None else f", {value.bytes} bytes"
        return f"[{value.media_type}{size}]"
    known = (bool, int, float, str)
    return value if value is None or isinstance(value, known) or hasattr(value, "isoformat") else str(value)


def _ref_text(ref: VaultRef) -> str:
    """At most 113 characters for blobs up to a petabyte; the column holds 128."""
    return f"{ref.blob.hex}:{ref.size}:{ref.sha256}"


def ref_of(ctx: Context, dsar_id: DsarId, text: str) -> VaultRef:
    """The vault's reference of a registered package."""
    blob, size, sha256 = text.split(":")
    return VaultRef(ctx.controller.key, dsar_id, UUID(blob), int(size), sha256)
