"""`apply` and `verify`: each file is exchanged once for all its operations, and only if it is what the plan saw.

Where the shelf keeps earlier states of a file, they go with the change: a row is not gone while they stand.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from connectors.formats.effects import touched
from connectors.formats.planning import NOTHING, PAPERS, Paper, PaperState, file_digest, read_paper
from connectors.formats.rows import Before, Found, Now, TableFile, is_settled, look, read_before
from connectors.formats.shelf import Changed, Gap, NotWritten, Shelf, Unreadable, paper_path
from connectors.formats.table import Record
from connectors.formats.tables import Tables, TableSource
from privacyops.connector_sdk import (
    Call,
    Check,
    Delete,
    Expectation,
    Finding,
    Keep,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RedactSpan,
    Retriable,
    Verdict,
)
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.planning import kept_or, refuse_stale, result_of, stays

OLDER: Final = "older_versions"
"""The code of what an earlier state of the file still holds."""
_SETTLED: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT})


class Applying:
    """One call of `apply`."""

    def __init__(self, shelf: Shelf, tables: Tables, encoding: str | None) -> None:
        self._shelf, self._tables, self._encoding = shelf, tables, encoding

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId]) -> Iterator[OpResult]:
        """Results file by file, each once its file stands changed on the disk.

        Raises: Terminal: the plan was altered since it was hashed, or is too old.
        """
        refuse_stale(plan)
        blocked = {blocker.op: blocker.code for blocker in plan.blockers if blocker.op is not None}
        everybody: dict[str, list[PlannedOp]] = {}
        for each in plan.ops:
            everybody.setdefault(each.op.ref.collection, []).append(each)
        for name, group in everybody.items():
            chosen = [each for each in group if not only or each.op.id in only]
            for each in [each for each in chosen if each.op.id in blocked]:
                yield result_of(each, Outcome.BLOCKED, code=blocked[each.op.id])
            untouched = {each.op.id for each in chosen if stays(each.op) and not each.before}
            yield from (result_of(each, Outcome.KEPT) for each in chosen if each.op.id in untouched)
            todo = [each for each in chosen if each.op.id not in blocked and each.op.id not in untouched]
            call.check()
            if name in PAPERS:
                for each in todo:
                    call.spend(requests=1)
                    yield self._paper(call, each)
            elif todo:
                yield from self._rows(call, name, [each for each in group if each.op.id not in blocked], todo)

    # --- documents and mail -----------------------------------------------------------------------------------

    def _paper(self, call: Call, each: PlannedOp) -> OpResult:
        try:
            paper = Paper(self._shelf, each.op, self._encoding)
            seen = read_paper(each.before)
            state = paper.state(call, self._tables.secret)
            if state is None:
                return self._without_paper(call, each, paper.path)
            if seen is None:
                return result_of(each, Outcome.CONFLICT, code="row_appeared")
            if isinstance(each.op.act, RedactSpan) and state.digest == seen[1]:
                self._shelf.settle(call, paper.path)
                return result_of(each, Outcome.ALREADY)
            if state.digest != seen[0]:
                return result_of(each, Outcome.CONFLICT, code="row_changed")
            return self._changed_paper(call, each, paper, state)
        except NotPossible as why:
            return result_of(each, Outcome.CONFLICT, code=why.code)
        except (OSError, Unreadable, Changed, NotWritten) as error:
            return _failed(each, error)

    def _without_paper(self, call: Call, each: PlannedOp, path: str) -> OpResult:
        if each.effect == NOTHING:
            return result_of(each, Outcome.ALREADY)
        if not isinstance(each.op.act, Delete):
            return result_of(each, Outcome.CONFLICT, code="row_gone")
        return result_of(each, Outcome.DONE if self._shelf.settle(call, path) else Outcome.ALREADY)

    def _changed_paper(self, call: Call, each: PlannedOp, paper: Paper, state: PaperState) -> OpResult:
        if isinstance(each.op.act, RedactSpan):
            with self._shelf.open(paper.path) as file:
                data = paper.blackened(file, each.op.act)
            self._shelf.replace(call, paper.path, state.stamp, lambda into: _pour(into, data))
            self._shelf.settle(call, paper.path)
            return result_of(each, Outcome.DONE, ("text",), after=state.wanted)
        self._shelf.remove(call, paper.path, state.stamp)
        self._shelf.settle(call, paper.path)
        return result_of(each, Outcome.DONE, ("path", "text", "file"))

    # --- rows -----------------------------------------------------------------------------------------------

    def _rows(self, call: Call, name: str, group: list[PlannedOp], todo: list[PlannedOp]) -> Iterator[OpResult]:
        """`group` are all operations of the plan on this file: they tell which rows the plan leaves alone."""
        try:
            source = self._tables.find(name)
        except Unreadable as error:
            yield from (_failed(each, error) for each in todo)
            return
        if source is None:
            yield from (result_of(each, Outcome.CONFLICT, code="file_gone") for each in todo)
            return
        call.spend(requests=1)
        try:
            table = TableFile(source, self._tables.secret)
            with self._shelf.exclusive(call, source.path):
                results = self._exchanged(call, table, group, todo)
                if _has_changes(results, todo):
                    self._shelf.settle(call, source.path)
            yield from results
        except NotPossible as why:
            yield from (result_of(each, Outcome.CONFLICT, code=why.code) for each in todo)
        except (OSError, Unreadable, Changed, NotWritten) as error:
            yield from (_failed(each, error) for each in todo)

    def _exchanged(self, call: Call, table: TableFile, group: list[PlannedOp], todo: list[PlannedOp]) -> list[OpResult]:
        """Raises: Changed: the file was written by others each time that it was tried."""
        for _ in range(self._shelf.attempts - 1):
            try:
                return self._exchange(call, table, group, todo)
            except Changed:
                call.check()
            except Retriable as refusal:
                if refusal.code != "file_changed":
                    raise
                call.check()
        return self._exchange(call, table, group, todo)

    def _exchange(self, call: Call, table: TableFile, group: list[PlannedOp], todo: list[PlannedOp]) -> list[OpResult]:
        stamp = table.stamp()
        found = {each.op.id: Found(each.op, read_before(each.before) or Before("")) for each in group}
        now = look(call, table, [one for one in found.values() if one.before.digest])
        gone: set[int] = set()
        texts: dict[int, str] = {}
        results: list[OpResult] = []
        for each in todo:
            one = found[each.op.id]
            record = _standing(one, now)
            if record is None or each.effect == NOTHING:
                results.append(_without_row(table, each, one, now, record, tuple(found.values())))
            elif isinstance(each.op.act, Delete):
                gone.add(record.number)
                results.append(result_of(each, Outcome.DONE, tuple(record.values)))
            else:
                texts[record.number], values = table.edited(record, each.op.act)
                changed = tuple(name for name in touched(each.op.act) if values[name] != record.values[name])
                results.append(result_of(each, kept_or(Outcome.DONE, each), changed, after=table.digest(values)))
        if gone or texts:
            path = table.source.path

            def write(into: BinaryIO) -> None:
                table.rewrite(call, into, frozenset(gone), texts)

            self._shelf.replace(call, path, stamp, write)
        return results


def _standing(one: Found, now: Now) -> Record | None:
    """The row of an operation that is still to be done; equal rows are told apart by their number alone."""
    before = one.before
    places = now.places.get(before.digest, [])
    if not before.digest or now.counts[before.digest] <= before.copies - 1 - before.nth:
        return None
    return places.pop(0) if places else None


def _without_row(
    table: TableFile, each: PlannedOp, one: Found, now: Now, record: Record | None, others: Sequence[Found]
) -> OpResult:
    if each.effect == NOTHING:
        is_kept = isinstance(each.op.act, Keep) and record is not None
        return result_of(each, Outcome.KEPT if is_kept else Outcome.ALREADY)
    if now.counts[one.before.digest] or is_settled(table, one, now, others):
        return result_of(each, kept_or(Outcome.ALREADY, each))
    return result_of(each, Outcome.CONFLICT, code="row_changed")


def _pour(into: BinaryIO, data: bytes) -> None:
    into.write(data)


def _has_changes(results: Sequence[OpResult], todo: Sequence[PlannedOp]) -> bool:
    real = {each.op.id for each in todo if each.effect != NOTHING}
    return any(result.op in real and result.outcome in _SETTLED for result in results)


def _failed(each: PlannedOp, error: OSError | Unreadable | Changed | NotWritten) -> OpResult:
    if isinstance(error, NotWritten):
        return result_of(each, Outcome.RETRIABLE if error.may_pass else Outcome.FAILED, code=error.code)
    if isinstance(error, Unreadable) and error.gap is not Gap.IO:
        return result_of(each, Outcome.FAILED, code=error.gap.value)
    return result_of(each, Outcome.RETRIABLE, code="file_changed" if isinstance(error, Changed) else "io")


def read_back(call: Call, shelf: Shelf, tables: Tables, checks: Sequence[Check]) -> Iterator[Verdict]:
    """Every check against the files as they stand now. What cannot be read is unknown, never gone."""
    for check in checks:
        call.check()
        call.spend(requests=1)
        try:
            yield _with_older(shelf, _verdict(call, shelf, tables, check))
        except Unreadable as error:
            yield Verdict(check, Finding.UNKNOWN, code=error.gap.value)
        except NotPossible as why:
            yield Verdict(check, Finding.UNKNOWN, code=why.code)


def _with_older(shelf: Shelf, verdict: Verdict) -> Verdict:
    """What is gone or changed is still there while an earlier state of its file stands."""
    ref = verdict.check.ref
    path = paper_path(ref) if ref.collection in PAPERS else ref.collection.rpartition("#")[0] or ref.collection
    if verdict.outcome not in {Finding.GONE, Finding.CHANGED} or not shelf.keeps_older(path):
        return verdict
    return Verdict(verdict.check, Finding.STILL_THERE, verdict.check.fields, OLDER)


def _verdict(call: Call, shelf: Shelf, tables: Tables, check: Check) -> Verdict:
    wants_gone = check.expects is Expectation.GONE
    if check.ref.collection in PAPERS:
        return _paper_verdict(call, shelf, tables, check)
    source = tables.find(check.ref.collection)
    if source is None:
        return Verdict(check, Finding.GONE if wants_gone else Finding.CHANGED)
    stands = any(True for _ in source.by_keys(call, [check.ref.key])) and not _is_used_up(call, tables, check)
    if stands:
        return Verdict(check, Finding.STILL_THERE, check.fields)
    left = () if wants_gone else _left_cells(call, tables, source, check)
    if left:
        return Verdict(check, Finding.STILL_THERE, left)
    return Verdict(check, Finding.GONE if wants_gone else Finding.CHANGED)


def _left_cells(call: Call, tables: Tables, source: TableSource, check: Check) -> tuple[str, ...]:
    """Cells that are as they were before, in the rows that agree with the changed one in everything else."""
    before = read_before(check.before)
    if before is None or not before.cells:
        return ()
    table = TableFile(source, tables.secret)
    left: set[str] = set()
    for record, digest in table.records(call):
        rest = {name: value for name, value in record.values.items() if name not in before.cells}
        if digest and table.digest(rest) == before.rest:
            left.update(name for name, was in before.cells.items() if table.cell(name, record.values.get(name)) == was)
    return tuple(name for name in before.cells if name in left)


def _is_used_up(call: Call, tables: Tables, check: Check) -> bool:
    """Of several equal rows, whether as many went as operations up to this one wanted."""
    before = read_before(check.before)
    source = tables.find(check.ref.collection)
    if before is None or before.copies < 2 or source is None:
        return False
    table = TableFile(source, tables.secret)
    count = sum(digest == before.digest for _, digest in table.records(call))
    return count <= before.copies - 1 - before.nth


def _paper_verdict(call: Call, shelf: Shelf, tables: Tables, check: Check) -> Verdict:
    path = paper_path(check.ref)
    wants_gone = check.expects is Expectation.GONE
    try:
        with shelf.open(path) as file:
            digest = file_digest(call, file, tables.secret)
    except Unreadable as error:
        if error.gap is Gap.VANISHED:
            return Verdict(check, Finding.GONE)
        raise
    seen = read_paper(check.before)
    if wants_gone or seen is None:
        is_there = Verdict(check, Finding.STILL_THERE, check.fields)
        return is_there if wants_gone else Verdict(check, Finding.UNKNOWN, code="no_before")
    return Verdict(
        check, Finding.STILL_THERE if digest == seen[0] else Finding.CHANGED, check.fields if digest == seen[0] else ()
    )
