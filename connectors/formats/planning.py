"""`plan`: what each operation will do, tied to what stands in the files now, and what stands in its way."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from io import BytesIO
from typing import BinaryIO, Final

from connectors.formats.document import MAX_TEXT
from connectors.formats.effects import is_done, redacted, touched
from connectors.formats.encoding import codec_of, encoding_of, looks_binary
from connectors.formats.papers import DOCUMENTS, MAIL, MAIL_SUFFIXES
from connectors.formats.rows import Found, TableFile
from connectors.formats.shelf import VERSIONS, Entry, Gap, Shelf, Stamp, Unreadable, paper_path
from connectors.formats.tables import TABLE_SUFFIXES, Tables
from privacyops.connector_sdk import (
    Act,
    Blocker,
    Call,
    Delete,
    Keep,
    Op,
    Plan,
    PlannedOp,
    RedactSpan,
    StoreRefusal,
)
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.planning import made_plan, stays

NOTHING: Final = "nothing"
KEEP: Final = "keep_row"
PAPERS: Final = frozenset({DOCUMENTS, MAIL, VERSIONS})
"""Collections whose rows are whole files."""
_MARKUP: Final = frozenset({".pdf", ".docx", ".html", ".htm", ".xhtml", ".xml"})
_CHUNK: Final = 1 << 18


class Planning:
    """One call of `plan`."""

    def __init__(self, shelf: Shelf, tables: Tables, encoding: str | None) -> None:
        self._shelf, self._tables, self._encoding = shelf, tables, encoding
        self._planned: list[PlannedOp] = []
        self._blockers: list[Blocker] = []
        self._warnings: set[str] = set()

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Operations by collection in the given order. Nothing is written, not even a trial."""
        by_collection: dict[str, list[Op]] = {}
        for op in ops:
            by_collection.setdefault(op.ref.collection, []).append(op)
        for name in sorted(by_collection):
            call.check()
            call.spend(requests=1)
            if name in PAPERS:
                for op in by_collection[name]:
                    self._paper(call, op)
            else:
                self._rows(call, name, by_collection[name])
        return made_plan(self._planned, self._blockers, sorted(self._warnings))

    def _add(self, op: Op, before: str, effect: str, text: str, *, irreversible: bool = True) -> None:
        self._planned.append(PlannedOp(op, len(self._planned), (), before, effect, text, irreversible))

    def _block(self, op: Op, why: NotPossible, before: str = "") -> None:
        fields_ = () if isinstance(op.act, Delete) else _fields(op.act)
        self._blockers.append(
            Blocker(why.code, op.ref.collection, fields_[0] if fields_ else None, remedy=why.remedy, op=op.id)
        )
        self._add(op, before, "blocked", "This cannot be done in this file.", irreversible=False)

    # --- rows -----------------------------------------------------------------------------------------------

    def _rows(self, call: Call, name: str, ops: list[Op]) -> None:
        try:
            table = self._table(name)
            doable = [op for op in ops if self._takes(op)]
            for found in table.locate(call, doable):
                self._row(table, found)
        except NotPossible as why:
            for op in ops:
                self._block_once(op, why)
        except Unreadable as error:
            for op in ops:
                self._block_once(op, NotPossible(error.gap.value, "task"))
        except StoreRefusal as refusal:
            if refusal.code in {"cancelled", "deadline", "budget_spent"}:
                raise
            for op in ops:
                self._block_once(op, NotPossible(refusal.code, "task"))

    def _table(self, name: str) -> TableFile:
        source = self._tables.find(name)
        if source is None:
            raise NotPossible("unknown_collection")
        return TableFile(source, self._tables.secret)

    def _block_once(self, op: Op, why: NotPossible) -> None:
        if any(each.op.id == op.id for each in self._planned):
            return
        if stays(op):
            self._stay(op)
        else:
            self._block(op, why)

    def _stay(self, op: Op) -> None:
        """What is kept as it is needs nothing of the file, not even that it can be read."""
        self._add(op, "", KEEP, "The record stays as it is.", irreversible=False)

    def _takes(self, op: Op) -> bool:
        try:
            touched(op.act)
        except NotPossible as why:
            self._block(op, why)
            return False
        return True

    def _row(self, table: TableFile, found: Found) -> None:
        op, record = found.op, found.record
        if record is None:
            self._add(op, "", NOTHING, "The record is not there any more.", irreversible=False)
            return
        if isinstance(op.act, Delete):
            self._add(op, found.before.text(), "delete_row", "Delete one record of the file.")
            return
        try:
            table.edited(record, op.act)
        except NotPossible as why:
            self._block(op, why, found.before.text())
            return
        names = touched(op.act)
        if all(is_done(op.act, name, record.values.get(name)) for name in names):
            self._add(op, found.before.text(), NOTHING, "The cells are so already.", irreversible=False)
        else:
            effect = KEEP if isinstance(op.act, Keep) else "change_cells"
            self._add(op, found.before.text(), effect, f"Change {len(names)} cells of one record of the file.")

    # --- documents and mail -----------------------------------------------------------------------------------

    def _paper(self, call: Call, op: Op) -> None:
        if stays(op):
            self._stay(op)
            return
        try:
            paper = Paper(self._shelf, op, self._encoding)
            state = paper.state(call, self._tables.secret)
        except NotPossible as why:
            self._block(op, why)
            return
        except Unreadable as error:
            self._block(op, NotPossible(error.gap.value, "task"))
            return
        if state is None:
            self._add(op, "", NOTHING, "The file is not there any more.", irreversible=False)
        elif isinstance(op.act, Delete):
            self._add(op, state.text(), "delete_file", "Delete the file.")
        elif state.digest == state.wanted:
            self._add(op, state.text(), NOTHING, "The text is so already.", irreversible=False)
        else:
            self._add(op, state.text(), "redact_file", "Black out parts of the file's text.")


class PaperState:
    """The file as the plan saw it, and as a redaction will leave it, as keyed hashes."""

    def __init__(self, digest: str, wanted: str, stamp: Stamp) -> None:
        self.digest, self.wanted, self.stamp = digest, wanted, stamp

    def text(self) -> str:
        return json.dumps([self.digest, self.wanted])


def read_paper(text: str) -> tuple[str, str] | None:
    """Hashes before and after, or None: the file was missing when the plan was made."""
    try:
        digest, wanted = json.loads(text)
        return str(digest), str(wanted)
    except (ValueError, TypeError):
        return None


class Paper:
    """One operation on one file that is not a table."""

    def __init__(self, shelf: Shelf, op: Op, encoding: str | None) -> None:
        """Raises: NotPossible: an act or a kind of file that this connector does not change."""
        self.path = paper_path(op.ref)
        self.act: Act = op.act
        self._shelf, self._encoding = shelf, encoding
        suffix = Entry(self.path).suffix
        if op.ref.collection == VERSIONS:
            if not isinstance(op.act, Delete):
                raise NotPossible("earlier_state", "delete")
            return
        is_mail = op.ref.collection == MAIL
        if is_mail != (suffix in MAIL_SUFFIXES) or suffix in TABLE_SUFFIXES:
            raise NotPossible("unknown_collection")
        if is_mail and suffix != ".eml":
            raise NotPossible("many_in_one_file", "task")
        if isinstance(op.act, RedactSpan) and not is_mail and suffix not in _MARKUP:
            if op.act.field != "text":
                raise NotPossible("unknown_field", "delete")
        elif not isinstance(op.act, Delete):
            raise NotPossible("format", "delete")

    def state(self, call: Call, secret: bytes) -> PaperState | None:
        """The file's hashes, or None: it is gone. Raises: Unreadable; NotPossible: it is no text to redact."""
        try:
            with self._shelf.open(self.path) as file:
                stamp = self._shelf.stamp_of(file)
                digest = file_digest(call, file, secret)
                if not isinstance(self.act, RedactSpan):
                    return PaperState(digest, "", stamp)
                wanted = file_digest(call, BytesIO(self.blackened(file, self.act)), secret)
                return PaperState(digest, wanted, stamp)
        except Unreadable as error:
            if error.gap is Gap.VANISHED:
                return None
            raise

    def blackened(self, file: BinaryIO, act: RedactSpan) -> bytes:
        """The file's bytes with the spans blacked out and everything else as it was.

        Raises: NotPossible: binary, too long, a span outside the text, or bytes that would not come back the same.
        """
        file.seek(0)
        if looks_binary(file.read(4096)):
            raise NotPossible("format", "delete")
        encoding = encoding_of(file, self._encoding)
        data = file.read(MAX_TEXT * 4 + 4)
        mark, codec, errors = codec_of(data[:4], encoding)
        try:
            text = data[len(mark) :].decode(codec, errors)
            if len(text) > MAX_TEXT or mark + text.encode(codec, errors) != data:
                raise NotPossible("encoding", "delete")
            return mark + redacted(text, act.spans).encode(codec, errors)
        except UnicodeError:
            raise NotPossible("encoding", "delete") from None


def file_digest(call: Call, file: BinaryIO, secret: bytes) -> str:
    """Keyed hash of a file's bytes."""
    found = blake2b(key=secret[:64], digest_size=16)
    file.seek(0)
    while chunk := file.read(_CHUNK):
        call.check()
        found.update(chunk)
    return found.hexdigest()


def _fields(act: Act) -> tuple[str, ...]:
    try:
        return touched(act)
    except NotPossible:
        return ()
