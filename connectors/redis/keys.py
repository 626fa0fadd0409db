"""The keys of a pattern in order. The server gives keys in no order and now and then twice, so they are sorted here, as
many at a time as may be held in memory; further ones take a further pass.
"""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from connectors.redis.patterns import Patterns, glob_of, text_of_key
from connectors.redis.session import Session
from connectors.redis.settings import Settings
from privacyops.connector_sdk import Call, Terminal

SCAN_COUNT: Final = 5000
MOST_PATTERNS: Final = 2000
FRESH_SECONDS: Final = 60.0


@dataclass(frozen=True, repr=False)
class Chunk:
    """The keys of a pattern behind `low`, in order, up to the last of `keys`; with `is_last` there are no further."""

    name: str
    low: bytes
    keys: tuple[bytes, ...]
    is_last: bool
    made: float


class Keys:
    """All keys of one database."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session, self._most = session, settings.keys_in_memory
        self.patterns = Patterns(settings.patterns, settings.ignore)
        self._chunk: Chunk | None = None

    def counted(self, call: Call) -> dict[str, tuple[int, list[bytes]]]:
        """Every pattern with the number of its keys and a few of them. Raises: Terminal: `too_many_patterns`."""
        counts: Counter[str] = Counter()
        samples: dict[str, list[bytes]] = {}
        for key in self._all(call, "*"):
            name = self.patterns.of(text_of_key(key))
            if name is None:
                continue
            counts[name] += 1
            if len(some := samples.setdefault(name, [])) < 200:
                some.append(key)
            if len(counts) > MOST_PATTERNS:
                raise Terminal("too_many_patterns")
        return {name: (counts[name], samples[name]) for name in sorted(counts)}

    def after(self, call: Call, name: str, last: bytes, *, is_new: bool) -> Iterator[bytes]:
        """Keys of a pattern behind `last`, in order. A scan that begins looks at the server anew."""
        if not self.patterns.is_one(name):
            raise Terminal("unknown_collection")
        known = self._chunk
        if is_new or known is None or not _serves(known, name, last):
            known = self._chunk = self._collected(call, name, last)
        while True:
            yield from known.keys[bisect_right(known.keys, last) :]
            if known.is_last:
                return
            last = known.keys[-1]
            known = self._chunk = self._collected(call, name, last)

    def _collected(self, call: Call, name: str, low: bytes) -> Chunk:
        found: set[bytes] = set()
        is_last = True
        high: bytes | None = None
        for key in self._all(call, glob_of(name)):
            if key <= low or (high is not None and key >= high) or self.patterns.of(text_of_key(key)) != name:
                continue
            found.add(key)
            if len(found) > self._most * 2:
                found = set(sorted(found)[: self._most])
                high, is_last = max(found), False
        keys = sorted(found)
        if len(keys) > self._most:
            keys, is_last = keys[: self._most], False
        return Chunk(name, low, tuple(keys), is_last, time.monotonic())

    def _all(self, call: Call, glob: str) -> Iterator[bytes]:
        cursor: Any = 0
        while True:
            with self._session.asking(call) as client:
                found: Any = client.scan(cursor, match=glob, count=SCAN_COUNT)
            cursor, keys = found
            yield from keys
            if cursor == 0:
                return


def _serves(chunk: Chunk, name: str, last: bytes) -> bool:
    is_inside = chunk.low <= last and (chunk.is_last or (bool(chunk.keys) and last < chunk.keys[-1]))
    return chunk.name == name and is_inside and time.monotonic() - chunk.made < FRESH_SECONDS
