"""Take over an older list honestly: each line as what it proves, and never over what was chosen here since.

A dry run says what would happen and gives the digest that the real run has to name. The real run stores chunk after
chunk; whoever kills it starts it again, and it goes on behind the last chunk that was stored. A line that some import
stored before is not stored again.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import NotFound, TooLarge, Unprocessable
from privacyops.kernel.ids import uuid7
from privacyops.services.consent.appending import settled
from privacyops.services.consent.import_chunk import Chunk
from privacyops.services.consent.import_lines import Defaults, Line, digest_of, lines_of
from privacyops.services.consent.import_tally import Tally
from privacyops.services.consent.judging import in_pages
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import consent_import as imports
from privacyops.store.uow import Tx

CHUNK: Final = 500
MOST_OVER_HTTP: Final = 50_000
Progress = Callable[[int], None]


class ImportDigestMismatch(Unprocessable):
    type = "/problems/import-digest-mismatch"
    title = "This is not the file, or not the meaning, of the dry run that was named"


class ImportUnknown(NotFound):
    type = "/problems/import-unknown"
    title = "No such import"


class ImportTooLong(TooLarge):
    type = "/problems/import-too-long"
    title = "Over HTTP an import has at most 50,000 lines; use the command for more"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """An import as it stands; `state` is fresh (dry run), running or done."""

    id: UUID
    digest: str
    state: str
    line: int
    tally: dict[str, Any]


def dry_run(
    ctx: Context, source: IO[bytes], defaults: Defaults, progress: Progress | None = None, most: int | None = None
) -> ImportReport:
    """What importing the file would do; nothing of it is stored but these counts and the digest.

    Lines of one file are judged against what is stored, each chunk by itself. Raises: ImportMalformed, ImportTooLong.
    """
    tally, digest = Tally(), digest_of(source, defaults)
    for chunk in _chunks(source, defaults, most):
        _try_chunk(ctx, tally, chunk)
        if progress is not None:
            progress(tally.rows)
    return _remember(ctx, digest, tally)


def run(
    ctx: Context,
    source: IO[bytes],
    defaults: Defaults,
    digest: str,
    progress: Progress | None = None,
    most: int | None = None,
) -> ImportReport:
    """Store the file of the dry run with this digest, from where an earlier run of it ended.

    Raises: ImportDigestMismatch: another file, other defaults, or no dry run. ImportMalformed, ImportTooLong.
    StaleState: another process runs the same import.
    """
    if digest_of(source, defaults) != digest:
        raise ImportDigestMismatch
    job, tally = _begun(ctx, digest)
    if job.state == "done":
        return ImportReport(job.id, digest, "done", job.line, tally.to_json())
    line = job.line
    for chunk in _chunks(source, defaults, most):
        if chunk[-1].number <= line:
            continue
        seen, fresh = line, [one for one in chunk if one.number > line]
        before = json.dumps(tally.to_json())

        def store(seen: int = seen, fresh: Sequence[Line] = fresh, before: str = before) -> Tally:
            return _store_chunk(ctx, job.id, seen, Tally.of_json(json.loads(before)), fresh)

        tally, line = settled(store), chunk[-1].number
        crash_point("import.after_chunk")
        if progress is not None:
            progress(tally.rows)
    _finish(ctx, job.id, line, tally)
    return ImportReport(job.id, digest, "done", line, tally.to_json())


@reading(Action.CONSENT_IMPORT)
def status(ctx: Context, tx: Tx, import_id: UUID) -> ImportReport:
    """How an import stands. Raises: ImportUnknown."""
    found = imports.load_import(tx, import_id)
    if found is None:
        raise ImportUnknown
    return ImportReport(found.id, found.digest, found.state, found.line, json.loads(found.report))


def _chunks(source: IO[bytes], defaults: Defaults, most: int | None) -> Iterator[list[Line]]:
    source.seek(0)
    for chunk in in_pages(lines_of(source, defaults), CHUNK):
        if most is not None and chunk[-1].number > most:
            raise ImportTooLong
        yield chunk


@use_case(Action.CONSENT_IMPORT)
def _remember(ctx: Context, tx: Tx, digest: str, tally: Tally) -> ImportReport:
    import_id = uuid7(tx.now)
    imports.add_import(tx, import_id, digest, json.dumps(tally.to_json()), str(ctx.actor.id))
    record(ctx, tx, "import.tried", "import", import_id, rows=tally.rows, digest=digest)
    return ImportReport(import_id, digest, "fresh", 0, tally.to_json())


@use_case(Action.CONSENT_IMPORT)
def _begun(ctx: Context, tx: Tx, digest: str) -> tuple[imports.Import, Tally]:
    job = imports.find_import(tx, digest)
    if job is None:
        raise ImportDigestMismatch
    if job.state == "fresh":
        record(ctx, tx, "import.started", "import", job.id, digest=digest)
        return job, Tally()
    return job, Tally.of_json(json.loads(job.report))


@use_case(Action.CONSENT_IMPORT)
def _finish(ctx: Context, tx: Tx, import_id: UUID, line: int, tally: Tally) -> None:
    imports.move_import(tx, import_id, line, line, json.dumps(tally.to_json()), is_done=True)
    grades = {f"grade_{grade.lower()}": count for grade, count in tally.grades.items()}
    record(ctx, tx, "import.finished", "import", import_id, rows=tally.rows, stored=tally.stored, **grades)


@reading(Action.CONSENT_IMPORT)
def _try_chunk(ctx: Context, tx: Tx, tally: Tally, lines: Sequence[Line]) -> None:
    chunk = Chunk(ctx, tx, tally, is_dry=True)
    chunk.take(lines)
    chunk.judge()


@use_case(Action.CONSENT_IMPORT)
def _store_chunk(ctx: Context, tx: Tx, import_id: UUID, seen: int, tally: Tally, lines: Sequence[Line]) -> Tally:
    chunk = Chunk(ctx, tx, tally)
    chunk.take(lines)
    imports.add_chunk(tx, import_id, chunk.hashes, chunk.writes(), chunk.names)
    imports.move_import(tx, import_id, seen, lines[-1].number, json.dumps(tally.to_json()))
    return tally
