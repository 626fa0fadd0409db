"""A long cell as a stream, read from the server piece by piece."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

import sqlalchemy as sa

from connectors.sql.reading import by_refs
from connectors.sql.schema import Table
from connectors.sql.session import Session
from connectors.sql.speech import Speech
from privacyops.connector_sdk import BlobRef, Call, FieldType, Terminal

PIECE: Final = 4_000_000
"""Bytes a statement asks for: a quarter of the packet that MariaDB and MySQL allow by default, and a tenth of what it
takes to read them from PostgreSQL, where bytes come as text. Servers read the whole cell for each piece, so that
smaller pieces of a giant cell would cost more than they save.
"""


class _Cell(io.RawIOBase):
    def __init__(self, session: Session, speech: Speech, table: Table, call: Call, blob: BlobRef) -> None:
        self._session, self._speech, self._table, self._call, self._blob = session, speech, table, call, blob
        self._where = by_refs(speech, table, [blob.ref])
        self._next = 1
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # a writable buffer, as RawIOBase promises
        if not self._held and not self._ended:
            self._held = self._piece()
        taken = self._held[: len(view)]
        view[: len(taken)] = taken
        self._held = self._held[len(taken) :]
        return len(taken)

    def _piece(self) -> bytes:
        piece = self._speech.piece(self._table, self._blob.field, self._next, PIECE)
        found = self._session.run(self._call, sa.select(piece).select_from(self._table.sql).where(self._where).limit(1))
        if not found:
            raise Terminal("row_gone")
        raw = found[0][0]
        self._ended = raw is None or len(raw) < PIECE
        self._next += PIECE
        data = bytes(raw or b"")
        self._call.spend(bytes=len(data))
        return data


@contextmanager
def open_cell(session: Session, speech: Speech, table: Table, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
    """Text comes as UTF-8. Raises: Terminal: no such field, or the row is gone."""
    if blob.field not in table.fields:
        raise Terminal("unknown_field")
    if table.fields[blob.field].type in {FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN}:
        raise Terminal("unsupported")
    stream = io.BufferedReader(_Cell(session, speech, table, call, blob), buffer_size=256 * 1024)
    try:
        yield cast("BinaryIO", stream)
    finally:
        stream.close()
