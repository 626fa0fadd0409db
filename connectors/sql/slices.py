"""How far a search without an index reads at once: slices that grow until one takes about a second.

The server is asked for no more than a slice, so its statements stay short however large the table is, and there is a
place to go on from after each.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from connectors.sql.schema import Paging, Table
from connectors.sql.session import Session
from connectors.sql.speech import Expression, Speech
from privacyops.connector_sdk import Call, Retriable

T = TypeVar("T")
Position = tuple[Any, ...]

FIRST_SLICE: Final = 20_000
FIRST_BYTES: Final = 100_000_000
"""What the first slice of a table may have to read, where the catalogue knows its size."""
AIM_SECONDS: Final = 1.0
"""What a slice is to take; a mark stands after each, and is due every second."""
LONGEST: Final = 4.0
"""Times the aim: a statement of a slice that takes longer is ended, and a smaller one is sent."""
SHARE_OF_LIMIT: Final = 0.2
"""Of the time that the server gives a statement, the part that a slice may aim at."""
MOST_GROWTH, MOST_SHRINKING, AFTER_FAILURE = 8.0, 0.25, 1 / 32
"""What is slow has to be come down to in a part of one call's time: so failing shrinks by more than growing."""
EDGES_AHEAD: Final = 4
_ENDED_BY_TIME: Final = frozenset({"timeout", "deadline"})


class SliceTooLong(Exception):
    """The slice was ended by its time. What it gave up to then stands."""


@dataclass
class Pace:
    """Rows in the next slice of one table. Kept while its store is open, so that a search goes on as fast as it was."""

    aim_seconds: float = AIM_SECONDS
    rows: int = FIRST_SLICE
    is_steady: bool = False

    def took(self, rows: int, seconds: float) -> None:
        """A slice of `rows` was read in `seconds`."""
        factor = min(MOST_GROWTH, max(MOST_SHRINKING, self.aim_seconds / max(seconds, 1e-6)))
        self.rows = max(1, int(rows * factor))
        self.is_steady = 0.5 < factor < 2

    def failed(self) -> None:
        """A slice was ended by its time: the next is much smaller, down to a single row."""
        self.rows, self.is_steady = max(1, int(self.rows * AFTER_FAILURE)), False


@dataclass
class Paces:
    """The pace of each table of a store. `statement_timeout` in seconds, as the server was told."""

    statement_timeout: float
    known: dict[str, Pace] = field(default_factory=dict)

    def of(self, table: Table) -> Pace:
        """The table's pace, as the last search left it."""
        aim = min(AIM_SECONDS, self.statement_timeout * SHARE_OF_LIMIT)
        one, first = table.collection, FIRST_SLICE
        if one.bytes and one.rows.n > 0:
            first = min(first, max(1, FIRST_BYTES * one.rows.n // one.bytes))
        return self.known.setdefault(table.name, Pace(aim, first))


@dataclass
class _Edges:
    """Ends of the slices ahead, `rows` apart; `is_last`: behind them there is less than one slice."""

    rows: int = 0
    ahead: list[Position] = field(default_factory=list)
    is_last: bool = False


class Slices:
    """The slices of one scan, one after the other: `begin`, then `read` as often as wanted, then `end`."""

    def __init__(self, session: Session, speech: Speech, table: Table, pace: Pace) -> None:
        self._session, self._speech, self._table = session, speech, table
        self._pace = pace
        self._columns = speech.page_by(table)
        self._edges = _Edges()
        self._seconds = 0.0
        self.edge: Position | None = None
        self.rows = 0

    def begin(self, call: Call, last: Position | None) -> list[Expression] | None:
        """The last key of the next slice as it is compared with `page_by`; None: the slice has no end but the table's.

        `last` is the key that the slice begins behind. Raises: SliceTooLong: even the end took too long to find.
        """
        self._seconds = 0.0
        edges = self._edges
        if edges.ahead and not 0.5 <= self._pace.rows / edges.rows <= 2:
            edges = _Edges()
        if not edges.ahead and not edges.is_last:
            edges = self._timed(call, lambda bounded: self._ask(bounded, last))
        self._edges = edges
        self.rows = edges.rows
        self.edge = edges.ahead.pop(0) if edges.ahead else None
        if self.edge is None:
            return None
        return [self._speech.page_value(self._table, at, value) for at, value in enumerate(self.edge)]

    def read(self, call: Call, work: Callable[[Call], T]) -> T:
        """What `work` gives; its time counts for the pace.

        Raises: SliceTooLong: it took too long, and less can be asked for.
        """
        return self._timed(call, work)

    def end(self) -> None:
        """The slice was read to its end."""
        if self.edge is not None:  # the rest of a table says little of how long a whole slice takes
            self._pace.took(self.rows, self._seconds)

    # --- inside ---------------------------------------------------------------------------------------------

    def _timed(self, call: Call, work: Callable[[Call], T]) -> T:
        pace, began = self._pace, time.monotonic()
        until = min(call.deadline, began + LONGEST * pace.aim_seconds) if pace.rows > 1 else call.deadline
        try:
            return work(replace(call, deadline=until))
        except Retriable as late:
            if late.code not in _ENDED_BY_TIME or pace.rows <= 1:
                raise
            pace.failed()
            self._edges = _Edges()
            if call.remaining() <= 0:
                raise
            raise SliceTooLong from None
        finally:
            self._seconds += time.monotonic() - began

    def _ask(self, call: Call, last: Position | None) -> _Edges:
        rows = self._pace.rows
        wanted = EDGES_AHEAD if self._pace.is_steady and self._may_look_ahead() else 1
        statement = self._several(last, rows, wanted) if wanted > 1 else self._one(last, rows)
        found = self._session.run(call, statement)
        return _Edges(rows, list(found), len(found) < wanted)

    def _may_look_ahead(self) -> bool:
        """One column, compared as it is read, on a server that was seen to walk so."""
        table, speech = self._table, self._speech
        if not speech.is_proven or len(self._columns) != 1:
            return False
        if table.paging is Paging.KEY:
            return speech.readable(table, table.page_by[0]) is table.column(table.page_by[0])
        return table.paging is Paging.ROWID

    def _behind(self, last: Position | None) -> sa.ColumnElement[bool]:
        if last is None:
            return sa.true()
        values = [self._speech.page_value(self._table, at, value) for at, value in enumerate(last)]
        return self._speech.after(self._columns, values)

    def _one(self, last: Position | None, rows: int) -> sa.Select[Any]:
        edge = sa.select(*self._speech.page_readable(self._table)).select_from(self._table.sql)
        edge = edge if last is None else edge.where(self._behind(last))
        return edge.order_by(*self._columns).offset(rows - 1).limit(1)

    def _several(self, last: Position | None, rows: int, wanted: int) -> sa.Select[Any]:
        """The keys `rows`, 2 * `rows`, ... behind `last`: each is looked for from the one before."""
        column = self._columns[0]
        one = sa.select(column).select_from(self._table.sql).order_by(column).offset(rows - 1).limit(1)
        first = (one if last is None else one.where(self._behind(last))).scalar_subquery()
        edges = sa.select(sa.literal_column("1").label("n"), first.label("edge")).cte("edges", recursive=True)
        following = one.where(column > edges.c.edge).correlate(edges).scalar_subquery()
        more = sa.select(edges.c.n + sa.literal_column("1"), following)
        more = more.where(edges.c.n < sa.literal_column(str(wanted)), edges.c.edge.is_not(None))
        edges = edges.union_all(more)
        return sa.select(edges.c.edge).where(edges.c.edge.is_not(None)).order_by(edges.c.n)
