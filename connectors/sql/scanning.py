"""`find`: hits in key order with marks between them, in one statement where that is quick and in slices elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from connectors.sql.cursors import seal, unseal
from connectors.sql.pushdown import columns_of, compile_predicate, is_indexed
from connectors.sql.reading import Answer, Read, Reader, by_refs
from connectors.sql.schema import Paging, Table
from connectors.sql.session import Session
from connectors.sql.slices import FIRST_BYTES, Pace, Slices, SliceTooLong
from connectors.sql.speech import Expression, Speech
from privacyops.connector_sdk import (
    All,
    BlobRef,
    Call,
    Certainty,
    Count,
    FieldType,
    Hit,
    Leaf,
    Mark,
    Page,
    Predicate,
    Terminal,
    matched,
    matches,
)
from privacyops.connector_sdk.predicate import leaves

MARK_EVERY: Final = 1000
"""Rows between two marks."""
GIANT: Final = 16_000_000
"""Bytes of a cell that no slice looks through: its row is asked for alone, with all the time that is left."""
ONE_STATEMENT: Final = 20_000
"""Rows a collection may have to be searched without an index in one statement, about a second at most."""


@dataclass
class _Place:
    """Where the scan is. `skip` counts rows already seen under the last digest of a keyless collection, `base` the
    rows of the slices that are done, `left` the hits that are still wanted, `chunk` the rows of the next answer.
    """

    last: tuple[Any, ...] | None
    scanned: int = 0
    skip: int = 0
    base: int = 0
    ended: bool = False
    left: int = 0
    chunk: int = 0


class Scan:
    """One call of `find`."""

    def __init__(
        self,
        session: Session,
        speech: Speech,
        table: Table,
        store: str,
        where: Predicate,
        fields: Sequence[str],
        pace: Pace,
    ) -> None:
        self.session, self.speech, self.table = session, speech, table
        self.where = where
        self.clause = compile_predicate(speech, table, where)
        for path in fields:
            if path not in table.fields:
                raise Terminal("unknown_field")
        self.fields = tuple(fields) or tuple(table.fields)
        looked_at = columns_of(table, where)
        self.reader = Reader(session, speech, table, store, (*self.fields, *looked_at))
        self._looked_at = tuple(path for path in looked_at if path in self.reader.wide)
        self._leaves = tuple(leaves(where))
        self._every_row = not self._leaves and matches(where, {})
        every_row = not self._leaves
        size = table.collection.rows
        small = size.certainty is not Certainty.UNKNOWN and size.n <= ONE_STATEMENT
        small = small and (table.collection.bytes or 0) <= FIRST_BYTES
        digest = table.paging is Paging.DIGEST
        is_sliced = not (every_row or small or digest or is_indexed(speech, table, where))
        self._slices = Slices(session, speech, table, pace) if is_sliced else None
        self._selects = self._passing_giants() if is_sliced and speech.is_proven else self.clause.sql

    def find(self, call: Call, page: Page) -> Iterator[Hit | Mark]:
        """Raises: Terminal: the cursor is not ours."""
        start = unseal(page.after) if page.after is not None else ()
        place = _Place(start or None, ended=start is None)
        if self.table.paging is Paging.DIGEST and place.last:
            place.skip, place.last = int(place.last[1]), place.last[:1]
        place.left = page.size
        place.chunk = 256 if self.reader.wide else self.reader.rows_at_once
        while not place.ended and place.left > 0:
            call.check()
            try:
                yield from self._slice(call, place)
            except SliceTooLong:
                continue  # the next is smaller, and begins behind the last row that came
        if place.left <= 0 or (place.ended and page.after is not None and place.scanned == 0):
            yield self._mark(place)

    def count(self, call: Call) -> Count:
        """As many as `find` yields: by the server where it decides exactly, else by finding them."""
        if self.clause.exact:
            counting = sa.select(sa.func.count()).select_from(self.table.sql).where(self.clause.sql)
            return Count(int(self.session.run(call, counting)[0][0]))
        n, after = 0, None
        while True:
            size = 0
            for item in self.find(call, Page(MARK_EVERY, after)):
                size += isinstance(item, Hit)
                after = item.after if isinstance(item, Mark) else after
            n += size
            if size < MARK_EVERY:
                return Count(n)

    # --- inside ---------------------------------------------------------------------------------------------

    def _passing_giants(self) -> Expression:
        """The clause, true of every row with a giant cell without a look into it: what it holds is asked later."""
        giants = [
            self.speech.size(self.table, path) > GIANT
            for path in self._looked_at
            if self.table.fields[path].type in {FieldType.TEXT, FieldType.BINARY}
        ]
        if not giants:
            return self.clause.sql
        return sa.case((sa.or_(*giants), 1), (self.clause.sql, 1), else_=0) == 1

    def _slice(self, call: Call, place: _Place) -> Iterator[Hit | Mark]:
        """The hits up to the next edge, in answers of a bounded size. Raises: SliceTooLong: it took too long."""
        upper = self._slices.begin(call, place.last) if self._slices is not None else None
        full = False
        while not full and place.left > 0:
            limit = min(place.chunk, place.left if self.clause.exact else max(place.left, MARK_EVERY))
            answer = self._read(call, self._bounds(place, upper), limit + place.skip)
            grown = min(2000, place.chunk * 2) if answer.complete else max(8, place.chunk // 2)
            place.chunk = grown if self.reader.wide else self.reader.rows_at_once
            full = answer.complete and len(answer.rows) < limit + place.skip
            yield from self._hits(call, answer.rows, place)
        if place.left > 0:
            self._advance(place)
            yield self._mark(place)

    def _hits(self, call: Call, rows: tuple[Read, ...], place: _Place) -> Iterator[Hit | Mark]:
        skip = place.skip
        for row in rows:
            if skip > 0 and row.position[:1] == place.last:
                skip -= 1
                continue
            skip = 0
            self._step(place, row)
            held = self._matched(call, row)
            if held is not None:
                call.spend(rows=1, bytes=row.bytes)
                chosen = {path: row.values[path] for path in self.fields}
                yield Hit(self.reader.ref(row.values), chosen, held)
                place.left -= 1
                if place.left <= 0:
                    return
            if place.scanned % MARK_EVERY == 0:
                yield self._mark(place)

    def _step(self, place: _Place, row: Read) -> None:
        place.scanned += 1
        if self.table.paging is Paging.DIGEST:
            place.skip = place.skip + 1 if row.position[:1] == place.last else 1
        place.last = row.position

    def _matched(self, call: Call, row: Read) -> tuple[str, ...] | None:
        if not self._leaves:
            return () if self._every_row else None
        if any(isinstance(row.values[path], BlobRef) for path in self._looked_at):
            return self._asked(call, row)
        if not matches(self.where, row.values):
            return None
        return matched(self.where, row.values)

    def _asked(self, call: Call, row: Read) -> tuple[str, ...] | None:
        """Which leaves hold, from the server: the cells are too long to be looked at here. None: the whole does not."""
        named = self._leaves
        clauses = [compile_predicate(self.speech, self.table, leaf).sql for leaf in named]
        flags = [sa.case((clause, 1), else_=0) for clause in clauses]
        ref = self.reader.ref(row.values)
        asked = sa.select(*flags).select_from(self.table.sql).where(by_refs(self.speech, self.table, [ref])).limit(1)
        answer = self.session.run(call, asked)
        held = [bool(flag) for flag in answer[0]] if answer else [False] * len(named)
        if not _holds(self.where, iter(held)):
            return None
        return tuple(leaf.id for leaf, holds in zip(named, held, strict=True) if holds)

    def _bounds(self, place: _Place, upper: list[Expression] | None) -> Expression:
        columns = self.speech.page_by(self.table)
        bounds: list[Expression] = [self._selects]
        if place.last is not None:
            last = [self.speech.page_value(self.table, at, value) for at, value in enumerate(place.last)]
            if self.table.paging is Paging.DIGEST:
                bounds.append(columns[0] >= last[0])
            else:
                bounds.append(self.speech.after(columns, last))
        if upper is not None:
            bounds.append(self.speech.up_to(columns, upper))
        return sa.and_(*bounds)

    def _read(self, call: Call, bounds: Expression, limit: int) -> Answer:
        if self._slices is None:
            return self.reader.read(call, bounds, limit)
        return self._slices.read(call, lambda bounded: self.reader.read(bounded, bounds, limit))

    def _advance(self, place: _Place) -> None:
        """The slice was read to its end: the next begins behind it, or there is none."""
        slices = self._slices
        if slices is None or slices.edge is None:
            place.ended = True
            if slices is not None:  # the rest is less than a slice; how much, the catalogue has to say
                rest = min(self.table.collection.rows.n, place.base + slices.rows)
                place.scanned = max(place.scanned, rest)
            return
        slices.end()
        place.last = slices.edge
        place.base += slices.rows
        place.scanned = place.base

    def _mark(self, place: _Place) -> Mark:
        if place.ended:
            of = self.table.collection.rows
            known = of.certainty is Certainty.EXACT
            return Mark(seal(None), max(place.scanned, of.n if known else 0), of)
        position = place.last
        if position is not None and self.table.paging is Paging.DIGEST:
            position = (*position, place.skip)
        return Mark(seal(position if position is not None else ()), place.scanned, self.table.collection.rows)


def _holds(where: Predicate, flags: Iterator[bool]) -> bool:
    """Whether the predicate holds where its leaves, in their order, hold or do not."""
    if isinstance(where, Leaf):
        return next(flags)
    parts = [_holds(part, flags) for part in where.parts]
    return all(parts) if isinstance(where, All) else any(parts)
