"""A bounded look at a collection."""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from connectors.sql.address import Brand
from connectors.sql.reading import Read, Reader
from connectors.sql.schema import Paging
from connectors.sql.speech import Expression, bind
from privacyops.connector_sdk import Call, FieldType, Sampling, Terminal

MOST: Final = 1000
"""A sample never holds more rows."""
SHUFFLE_UP_TO: Final = 20_000
"""Rows a collection may have to be put in random order as a whole."""
STARTS: Final = 10
"""Random places a larger collection is read from."""


def sample_rows(call: Call, reader: Reader, n: int, how: Sampling) -> Iterator[Read]:
    """At most `n` rows and never more than 1,000. RANDOM in a large collection takes runs from ten random places,
    SPREAD from ten places that lie evenly over a numeric key, and the last row; without one it takes the first rows.

    Raises: Terminal: a negative number.
    """
    if n < 0:
        raise Terminal("bad_sample")
    left = min(n, MOST)
    if left == 0:
        return
    if how is Sampling.SPREAD:
        yield from _evenly(call, reader, left)
    elif how is Sampling.FIRST:
        yield from _some(call, reader, sa.true(), left, None)
    elif reader.table.collection.rows.n <= SHUFFLE_UP_TO:
        yield from _some(call, reader, sa.true(), left, [reader.speech.random()])
    else:
        yield from _scattered(call, reader, left)


def _some(call: Call, reader: Reader, where: Expression, left: int, order: list[Expression] | None) -> Iterator[Read]:
    # a byte-bounded answer may be short; what a sample needs is variety, not the exact number
    yield from reader.read(call, where, left, order).rows


def _scattered(call: Call, reader: Reader, left: int) -> Iterator[Read]:
    bounds = _numeric_bounds(call, reader)
    if bounds is None:
        share = max(0.0001, min(1.0, 3 * left / max(1, reader.table.collection.rows.n)))
        yield from _some(call, reader, reader.speech.random() < bind(_share(reader, share)), left, [])
        return
    column, low, high = bounds
    width = max(1, (high - low) // STARTS)

    def somewhere(start: int) -> Expression:
        jump = reader.speech.fraction() if reader.session.brand is not Brand.SQLITE else None
        origin = bind(start) if jump is None else bind(start) + sa.func.floor(jump * bind(width))
        if jump is None:
            origin = bind(start) + sa.func.abs(reader.speech.random() % bind(width))
        return sa.select(origin.label("origin")).scalar_subquery()

    starts = [column >= somewhere(low + (high - low) * at // STARTS) for at in range(STARTS)]
    yield from _runs(call, reader, starts, left)


def _evenly(call: Call, reader: Reader, left: int) -> Iterator[Read]:
    is_small = 0 < reader.table.collection.rows.n <= left  # 0 is also what a store says that does not know
    bounds = None if is_small else _numeric_bounds(call, reader)
    if bounds is None:
        yield from _some(call, reader, sa.true(), left, None)
        return
    column, low, high = bounds
    places = (*(low + (high - low) * at // STARTS for at in range(STARTS)), high)
    starts = [column >= bind(place) for place in places]
    yield from _runs(call, reader, starts, left)


def _runs(call: Call, reader: Reader, starts: list[Expression], left: int) -> Iterator[Read]:
    """About equally many rows from each place on, none of them twice."""
    seen: set[tuple[object, ...]] = set()
    for at, start in enumerate(starts):
        if left <= 0:
            return
        want = -(-left // (len(starts) - at))
        for read in reader.read(call, start, want).rows:
            if read.position not in seen:
                seen.add(read.position)
                left -= 1
                yield read


def _share(reader: Reader, share: float) -> int | float:
    """The bound on the server's random number that lets this share through; SQLite's are signed 64-bit."""
    return round((2 * share - 1) * 2**63) if reader.session.brand is Brand.SQLITE else share


def _numeric_bounds(call: Call, reader: Reader) -> tuple[Expression, int, int] | None:
    table = reader.table
    is_number = table.paging is Paging.ROWID or (
        table.paging is Paging.KEY and table.fields[table.page_by[0]].type is FieldType.INTEGER
    )
    if not is_number:
        return None
    column = reader.speech.page_by(table)[0]
    # two statements, so that each is one step down the index
    ends = []
    for edge in (sa.func.min, sa.func.max):
        value = reader.session.run(call, sa.select(edge(column)).select_from(table.sql))[0][0]
        if not isinstance(value, int):
            return None
        ends.append(value)
    return column, ends[0], ends[1]
