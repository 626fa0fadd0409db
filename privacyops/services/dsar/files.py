"""The files of an answer: documents and long cells, read from their stores while the package is written.

A found record holds only a handle on such a cell. A file that is gone by now is named in its record and on the
release page and takes nothing with it; a store that does not answer makes the build try again later.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from privacyops.domain.dsar.record import StoredFinding
from privacyops.domain.package.contents import Attachment
from privacyops.domain.package.names import attachment_path
from privacyops.domain.package.release import Check, FailedCheck
from privacyops.domain.record import Blob, RowRef, Value
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreProblem, StoreUnreachable
from privacyops.services import stores
from privacyops.services.context import Context

WordsOfFiles: TypeAlias = Mapping[tuple[UUID, str], str]
"""What a record shows for a file, by finding and column."""
READING: Final = Bounds(seconds=60.0)
"""For one piece of a file, not for the whole."""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file behind a record: `ref` and `blob` say where it lies, `about` says it to people."""

    finding: UUID
    column: str
    ref: RowRef
    blob: Blob
    about: str


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """The files that go into a package, and what stands in the records in place of each."""

    attachments: tuple[Attachment, ...] = ()
    words: WordsOfFiles = field(default_factory=dict)
    faults: tuple[FailedCheck, ...] = ()


@contextmanager
def opened_stores(ctx: Context, names: Iterable[str]) -> Iterator[ConnectorHost]:
    """The stores whose files may be read; connecting waits until one is."""
    host = ctx.ports.connectors([stores.config_of(ctx, name) for name in names])
    try:
        yield host
    finally:
        host.close()


def held_files(
    finding: StoredFinding, key: Mapping[str, Value], values: Mapping[str, Value], about: str
) -> list[HeldFile]:
    """The files behind one record, in the order of its columns."""
    ref = RowRef(finding.store, finding.collection, tuple(key.items()))
    return [
        HeldFile(finding.id, column, ref, value, about) for column, value in values.items() if isinstance(value, Blob)
    ]


def attached(host: ConnectorHost, held: Iterable[HeldFile], *, is_last_try: bool) -> AnswerFiles:
    """Those of `held` that can be read, as attachments; the others as faults that do not block the release.

    Raises: StoreUnreachable: a store does not answer, and this is not the last try.
    """
    found: list[Attachment] = []
    words: dict[tuple[UUID, str], str] = {}
    faults: list[FailedCheck] = []
    for one in held:
        place = one.finding, one.column
        code = _code_of(host, one, is_last_try=is_last_try)
        if code is None:
            path = attachment_path(len(found) + 1, one.blob.media_type)
            words[place] = path
            name = one.blob.name or one.blob.field
            opening = partial(host.read_blob, one.ref, one.blob, READING)
            found.append(Attachment(name, one.blob.media_type, one.ref.store, opening, one.about))
        else:
            words[place] = f"[{one.blob.media_type}, not readable any more]"
            faults.append(FailedCheck(Check.FILES_INSIDE, one.about, code, blocks=False))
    return AnswerFiles(tuple(found), words, tuple(faults))


def _code_of(host: ConnectorHost, one: HeldFile, *, is_last_try: bool) -> str | None:
    """Why the file cannot be read; None if its first piece came."""
    pieces = iter(host.read_blob(one.ref, one.blob, READING))
    try:
        next(pieces, b"")
    except StoreUnreachable as silent:
        if not is_last_try:
            raise
        return silent.code
    except StoreProblem as refused:
        return refused.code
    finally:
        _close(pieces)
    return None


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
