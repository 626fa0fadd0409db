"""Building an export: a page of the log a step, its piece in the vault first, then its place in one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import event_of
from privacyops.domain.export import Export, ExportFormat, ExportState, Identifiers
from privacyops.domain.job import Again, Done, Job, Later, Outcome
from privacyops.domain.log import Log
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import DsarId
from privacyops.ledger.checkpoint import VerifierKey
from privacyops.ledger.leaf import parse
from privacyops.ports.keyring import DataKey, MacLabel, Place
from privacyops.services import purpose as published
from privacyops.services import receipt as receipts
from privacyops.services.consent import subjects
from privacyops.services.consent.export_form import RECORDS, Entry, head, tail, text_of
from privacyops.services.consent.exporting import LIFE, refs_of
from privacyops.services.consent.feeding import subject_ref
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.promise import RETRY_AFTER_S
from privacyops.store import export as exports
from privacyops.store import job as job_store
from privacyops.store import ledger as ledgers
from privacyops.store import sequencer
from privacyops.store.export import NumberedEvent, Part
from privacyops.store.uow import Tx

PAGE: Final = 500
"""Events of a page: what one step holds in memory."""
SCANNED: Final = 20
"""Pages that one step looks through for an export that takes few of them, so that its pieces do not get too small."""
_TICK: Final = timedelta(milliseconds=1)
_A_MOMENT: Final = timedelta(seconds=RETRY_AFTER_S)


def build_step(ctx: Context, job: Job) -> Outcome:
    """One step of an export: fix what it covers, add a page, or finish.

    A step that was killed is done again and leaves nothing behind but a piece that the vault sweeps away.
    Raises: JobLost, VaultFull.
    """
    export = UUID(job.object_id)
    found = _current(ctx, export)
    if found is None or found.state is not ExportState.BUILDING:
        return Done(str(found.state) if found else "unknown")
    if found.through_seq is None:
        return _begin(ctx, job, export)
    if found.after_seq < found.through_seq or found.after_seq == 0:
        _add_page(ctx, job, found)
        return Again()
    return Done(_finish(ctx, job, found, *_sum(ctx, export)))


def fail(ctx: Context, export: UUID, code: str) -> None:
    """Nobody tries it again: whoever asks sees the code. A second call changes nothing."""
    _fail(ctx, export, code)


@use_case(Action.JOB_RUN)
def _fail(ctx: Context, tx: Tx, export: UUID, code: str) -> None:
    found = exports.find_export(tx, export, locks=True)
    if found is not None and found.state is ExportState.BUILDING:
        exports.move_export(tx, export, ExportState.BUILDING, ExportState.FAILED, code=code[:64])
        record(ctx, tx, "consent.export_failed", "export", export, code=code)


@reading(Action.JOB_RUN)
def _current(ctx: Context, tx: Tx, export: UUID) -> Export | None:
    return exports.find_export(tx, export)


@use_case(Action.JOB_RUN)
def _begin(ctx: Context, tx: Tx, job: Job, export: UUID) -> Outcome:
    """Fix the checkpoint that the export is held against; waits until it covers what was recorded before."""
    found = exports.find_export(tx, export, locks=True)
    if found is None or found.state is not ExportState.BUILDING:
        return Again()
    if ledgers.count_unsigned(tx, Log.CONSENT, found.created_at + _TICK):
        return Later(tx.now + _A_MOMENT)
    standing = sequencer.load_head(tx, Log.CONSENT)
    through = standing.first_seq + standing.signed_size - 1 if standing is not None else 0
    note = ledgers.latest_note(tx, Log.CONSENT, standing.tree) if standing is not None else None
    job_store.save_page(tx, job, None, {"rows": 0})
    state = ExportState.BUILDING
    exports.move_export(tx, export, state, state, through_seq=through, checkpoint=note)
    return Again()


def _add_page(ctx: Context, job: Job, export: Export) -> None:
    after, entries, owned = export.after_seq, list[Entry](), list[UUID]()
    through = export.through_seq or 0
    for _ in range(SCANNED):
        last, taken = _read_page(ctx, export, after, PAGE - len(entries))
        after = last
        entries += taken
        owned += [entry.event.id for entry in taken]
        if after >= through or len(entries) >= PAGE:
            break
    text = head(export.format, is_clear=export.identifiers is Identifiers.CLEAR) if export.after_seq == 0 else ""
    text += text_of(export.format, entries, _verifier_key(ctx, export), is_first=export.rows == 0)
    if after >= through:
        text += tail(export.format)
    part = None
    if text:
        ref = ctx.ports.vault.put(ctx.controller.key, DsarId(export.id), [text.encode()])
        part = Part(export.after_seq + 1, after, ref.blob, ref.size, ref.sha256)
        crash_point("export.after_vault_before_register")
    _keep_page(ctx, job, export, max(after, 1), part, owned)
    crash_point("export.after_page")


@use_case(Action.JOB_RUN)
def _keep_page(
    ctx: Context, tx: Tx, job: Job, seen: Export, after: int, part: Part | None, owned: Sequence[UUID]
) -> None:
    """Register the piece, unless somebody in it was erased since it was read: then the page is made anew.

    The export is locked before the owners are counted; an erasure locks it after it took them away.
    """
    job_store.save_page(tx, job, None, {"rows": seen.rows + len(owned)})
    found = exports.find_export(tx, seen.id, locks=True)
    if found is None or found.state is not ExportState.BUILDING or found.after_seq != seen.after_seq:
        return
    if owned and exports.count_owned(tx, owned) != len(owned):
        return
    if part is not None:
        exports.add_part(tx, seen.id, part)
    state = ExportState.BUILDING
    exports.move_export(tx, seen.id, state, state, after_seq=after, rows=seen.rows + len(owned))


def _sum(ctx: Context, export: UUID) -> tuple[int, str]:
    """Size and SHA-256 of the whole, as it will be read."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        refs = refs_of(ctx, tx, export)
    size, digest = 0, hashlib.sha256()
    for ref in refs:
        for piece in ctx.ports.vault.open(ref):
            size += len(piece)
            digest.update(piece)
    return size, digest.hexdigest()


@use_case(Action.JOB_RUN)
def _finish(ctx: Context, tx: Tx, job: Job, seen: Export, size: int, sha256: str) -> str:
    job_store.assert_owned(tx, job)
    found = exports.find_export(tx, seen.id, locks=True)
    if found is None or found.state is not ExportState.BUILDING:
        return str(found.state) if found else "unknown"
    exports.move_export(
        tx, seen.id, ExportState.BUILDING, ExportState.READY, size=size, sha256=sha256, expires_at=tx.now + LIFE
    )
    record(
        ctx, tx, "consent.exported", "export", seen.id, format=str(seen.format), identifiers=str(seen.identifiers),
        rows=seen.rows, sha256=sha256,
    )  # fmt: skip
    return str(ExportState.READY)


@reading(Action.JOB_RUN)
def _read_page(ctx: Context, tx: Tx, export: Export, after: int, most: int) -> tuple[int, list[Entry]]:
    """The next events that the export takes, and the number up to which the log was read for them."""
    names = published.catalogue(ctx, tx)
    found = exports.list_numbered(tx, after, export.through_seq or 0, most)
    last = found[-1].seq if len(found) == most else export.through_seq or 0
    is_record = export.format in RECORDS
    key = ctx.ports.keyring.mac(MacLabel.EXPORT, ctx.controller.key, export.id.bytes).digest
    taken, people = list[tuple[NumberedEvent, Entry]](), set[int]()
    for one in found:
        members = parse(one.leaf)
        event = event_of(members)
        if not export.filter.takes(event):
            continue
        facts = receipts.facts_of(ctx, names, members) if is_record else None
        if is_record and facts is None:
            continue
        basis = members.get("basis")
        entry = Entry(
            one.seq, event, str(basis) if basis else None, one.applied, subject_ref(key, one.subject_id), facts
        )
        taken.append((one, entry))
        people.add(one.subject_no)
    if export.identifiers is Identifiers.CLEAR:
        return last, _in_clear(ctx, tx, taken, people)
    return last, [entry for _, entry in taken]


def _in_clear(ctx: Context, tx: Tx, taken: Sequence[tuple[NumberedEvent, Entry]], people: set[int]) -> list[Entry]:
    known = _opened(ctx, tx, people)
    return [
        Entry(entry.seq, entry.event, entry.basis, entry.applied, one.subject_id, entry.facts,
              known.get(one.subject_no, ()))
        for one, entry in taken
    ]  # fmt: skip


def _opened(ctx: Context, tx: Tx, people: set[int]) -> Mapping[int, Sequence[tuple[str, str]]]:
    """The identifiers of these people in clear. One that a device lends is sealed under the device's key."""
    held = exports.identifiers_of(tx, people)
    owners = people | {one.lent_by for them in held.values() for one in them if one.lent_by}
    keys: dict[int, DataKey] = {
        number: ctx.ports.keyring.data_key(wrapped, subjects.key_place(ctx, number))
        for number, wrapped in exports.keys_of(tx, owners).items()
    }
    return {
        number: [
            (one.type, keys[one.lent_by or number].open(one.sealed, _place(ctx, one.ref)).decode())
            for one in them
            if one.sealed is not None and (one.lent_by or number) in keys
        ]
        for number, them in held.items()
    }


def _place(ctx: Context, ref: bytes) -> Place:
    return Place(ctx.controller.key, "subject_identifier", "sealed", ref.hex())


def _verifier_key(ctx: Context, export: Export) -> str:
    """What the log is checked with; an empty log has none."""
    if export.format is not ExportFormat.KANTARA or export.checkpoint is None:
        return ""
    return str(VerifierKey(export.checkpoint.partition("\n")[0], ctx.ports.signer.public_key))
