"""`privacyops consent export`: the consent ledger, or a part of it, into a file."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from privacyops.bootstrap import House
from privacyops.cli.ending import USAGE, fail
from privacyops.cli.holding import holding
from privacyops.domain.export import Export, ExportFilter, ExportFormat, ExportState
from privacyops.domain.job import Job, Outcome
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.export import ExportKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Problem
from privacyops.services import job as jobs
from privacyops.services import ledger
from privacyops.services.consent import exporting
from privacyops.services.consent.exporting import ExportUnknown
from privacyops.services.context import Context

REFUSED: Final = 1
BROKEN_OFF: Final = 130
_LOOK_S: Final = 0.5
_NO_WORKER_S: Final = 15.0
"""How long no worker may be seen before the command gives up waiting; one that starts beats within ten seconds."""

_out, _err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
_Shown = Callable[[Export], None]


class FileNotFetched(Problem):
    type = "/problems/file-not-fetched"
    title = "What was read is not what was exported; run the command again"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the command was asked for, and the notes that let it go on after it was broken off."""

    file: Path
    form: ExportFormat
    filter: ExportFilter

    @property
    def notes(self) -> Path:
        """Which export is on its way into the file."""
        return self.file.with_name(f"{self.file.name}.export")

    @property
    def part(self) -> Path:
        """What of it has been fetched."""
        return self.file.with_name(f"{self.file.name}.part")

    def told(self) -> dict[str, Any]:
        return {"format": str(self.form), "filter": self.filter.to_json()}


def export_ledger(
    file: Annotated[Path, typer.Argument(help="Where to write it; readable for you alone.")],
    form: Annotated[ExportFormat, typer.Option("--format", help="The first two are records of receipts.")] = (
        ExportFormat.NDJSON
    ),
    purpose: Annotated[str, typer.Option(help="This purpose, and the stops that bear on it.")] = "",
    channel: Annotated[str, typer.Option(help="This channel.")] = "",
    brand: Annotated[str, typer.Option(help="This brand.")] = "",
    since: Annotated[str, typer.Option("--from", help="Recorded since, such as 2026-01-01; UTC.")] = "",
    until: Annotated[str, typer.Option("--until", help="Recorded before.")] = "",
    replaces: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Export the consent ledger into a file: people appear as keyed hashes, who was erased does not appear.

    Broken off, it goes on when it is started again with the same options. With the embedded database the service must
    not run meanwhile; on PostgreSQL a worker builds it, and the command waits. Identifiers in clear are not exported
    from here: they take a person's or a key's right and a reason (POST /v1/exports). Exit status 0 when the file is
    there and whole; 1 when it was refused or ended, and the reason says why; 2 for options that make no sense; 130 when
    it was broken off.
    """
    wanted = _Wanted(file, form, _filter(purpose, channel, brand, since, until))
    if not file.parent.is_dir():
        fail(f"there is no folder {file.parent}", USAGE)
    if file.exists() and not replaces:
        fail(f"{file} is there already; --force replaces it", REFUSED)
    try:
        with holding() as house, _progress(quiet=as_json) as shown:
            export = _resumed(house.context, wanted) or _asked(house.context, wanted)
            export = _built(house, export, shown)
            if export.state is not ExportState.READY:
                wanted.notes.unlink(missing_ok=True)
                fail(f"the export ended: {export.state} ({export.code or 'start it again'})", REFUSED)
            _fetch(house.context, export, wanted)
    except Problem as problem:
        fail(problem.detail or problem.title, REFUSED)
    except KeyboardInterrupt:
        fail("broken off; the same command goes on where it stopped", BROKEN_OFF)
    _tell(export, file, as_json=as_json)


def _filter(purpose: str, channel: str, brand: str, since: str, until: str) -> ExportFilter:
    start, end = _instant(since), _instant(until)
    if start is not None and end is not None and end <= start:
        fail("the export would end before it begins: --until is not after --from", USAGE)
    return ExportFilter(purpose or None, channel or None, brand or None, start, end)


def _instant(text: str) -> Instant | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no day or time; write it as 2026-01-01 or 2026-01-01T12:00:00Z", USAGE)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _resumed(ctx: Context, wanted: _Wanted) -> Export | None:
    """The export that was broken off; None: there is none, or nothing can be fetched of it any more."""
    if not wanted.notes.exists():
        return None
    try:
        told = json.loads(wanted.notes.read_text(encoding="utf-8"))
        export = UUID(told.pop("id"))
    except (ValueError, KeyError, AttributeError):
        fail(f"{wanted.notes} cannot be read; remove it", USAGE)
    if told != wanted.told():
        fail(f"another export into this file was broken off; give its options, or remove {wanted.notes}", USAGE)
    try:
        found = exporting.status(ctx, export)
    except ExportUnknown:
        return None
    is_over = found.expires_at is not None and ctx.clock.now() >= found.expires_at
    return None if is_over or found.state not in {ExportState.BUILDING, ExportState.READY} else found


def _asked(ctx: Context, wanted: _Wanted) -> Export:
    """A new export. Raises: UnknownPurpose, UnknownChannel, UnknownBrand, ExportNothing."""
    export = exporting.request(ctx, wanted.form, wanted.filter)
    wanted.notes.write_text(json.dumps({"id": str(export.id), **wanted.told()}), encoding="utf-8")
    return export


class _Watched(ExportKind):
    """Builds exports, and shows how far each is after every step."""

    def __init__(self, shown: _Shown) -> None:
        self._shown = shown

    def step(self, ctx: Context, job: Job) -> Outcome:
        outcome = super().step(ctx, job)
        self._shown(exporting.status(ctx, UUID(job.object_id)))
        return outcome


def _built(house: House, export: Export, shown: _Shown) -> Export:
    """The export once it is built, or has ended. Raises: Problem."""
    ctx, kinds = house.context, {exporting.JOB: _Watched(shown)}
    lonely_since = ctx.clock.boot_seconds()
    while True:
        export = exporting.status(ctx, export.id)
        shown(export)
        if export.state is not ExportState.BUILDING:
            return export
        if not house.settings.is_cluster:
            ledger.drain(ctx, "export")
            jobs.drive_again(ctx, timedelta(0))  # nobody else works here: what a killed command held is free
            if drive_waiting(ctx, kinds):
                continue
        elif jobs.workers_alive(ctx):
            lonely_since = ctx.clock.boot_seconds()
        elif ctx.clock.boot_seconds() - lonely_since > _NO_WORKER_S:
            fail("no worker runs (privacyops serve --role worker); start one and the same command goes on", REFUSED)
        time.sleep(_LOOK_S)


def _fetch(ctx: Context, export: Export, wanted: _Wanted) -> None:
    """Write the file beside its place, and put it there once it is whole. Raises: Problem."""
    found = exporting.download(ctx, export.id)
    size, digest = 0, hashlib.sha256()
    descriptor = os.open(wanted.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            for piece in found.content:
                target.write(piece)
                size += len(piece)
                digest.update(piece)
            target.flush()
            os.fsync(target.fileno())
    except OSError as full:
        wanted.part.unlink(missing_ok=True)
        fail(f"{wanted.part}: {full.strerror}; make room and start it again", REFUSED)
    if (size, digest.hexdigest()) != (found.size, found.sha256):
        raise FileNotFetched
    wanted.part.replace(wanted.file)
    wanted.notes.unlink(missing_ok=True)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Shown]:
    """A bar by numbers of the log, which are known; the events that are taken are told beside it."""
    if quiet or not _err.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("waits for its checkpoint", total=None)

        def shown(export: Export) -> None:
            if export.through_seq is not None:
                words = f"{export.rows:,} rows"
                bar.update(task, description=words, total=export.through_seq, completed=export.after_seq)

        yield shown


def _tell(export: Export, file: Path, *, as_json: bool) -> None:
    told: Mapping[str, Any] = {
        "id": str(export.id), "state": str(export.state), "format": str(export.format), "rows": export.rows,
        "size": export.size, "sha256": export.sha256, "checkpoint": export.checkpoint, "file": str(file),
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(told))
        return
    _out.print(f"{export.rows:,} rows, {export.size:,} bytes in {file}", highlight=False)
    _out.print(f"SHA-256 {export.sha256}", highlight=False)
    if export.checkpoint is not None:
        size = export.checkpoint.split("\n")[1]
        _out.print(f"covers the log up to its size {size}; --json prints the signed checkpoint", highlight=False)
