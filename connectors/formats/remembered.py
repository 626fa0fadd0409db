"""Tables that were parsed a moment ago, so that the questions of one search parse a file once and not a dozen times.

Nothing outlives a change of the file: size, time and number of the file are asked before every use. A file that was
written in the last two seconds is not kept, for a further write could leave all three as they are.
"""

import time
from collections import OrderedDict
from typing import Final

from connectors.formats.shelf import Stamp
from connectors.formats.table import Record

LARGEST_FILE: Final = 2_000_000
ALL_FILES: Final = 4_000_000
"""Bytes on disk of what is kept; parsed, they take about ten times as much."""
SETTLED_NS: Final = 2_000_000_000


class Remembered:
    """Records of whole tables by name, the least used forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Stamp, tuple[Record, ...]]] = OrderedDict()

    def records(self, name: str, stamp: Stamp) -> tuple[Record, ...] | None:
        """The table's records, if they were kept from this very state of its file."""
        kept = self._kept.get(name)
        if kept is None:
            return None
        if kept[0] != stamp:
            del self._kept[name]
            return None
        self._kept.move_to_end(name)
        return kept[1]

    def may_keep(self, stamp: Stamp) -> bool:
        """Whether a file of this state may be kept at all."""
        return stamp.size <= LARGEST_FILE and time.time_ns() - stamp.mtime_ns > SETTLED_NS

    def keep(self, name: str, stamp: Stamp, records: list[Record]) -> None:
        """Keep a table that was read to its end, and forget others beyond the bound."""
        self._kept[name] = (stamp, tuple(records))
        self._kept.move_to_end(name)
        while sum(state.size for state, _ in self._kept.values()) > ALL_FILES:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Nothing is kept any more."""
        self._kept.clear()
