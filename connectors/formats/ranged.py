"""One state of an object as a file with any position, fetched block by block and never as a whole."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from connectors.formats.shelf import Stamp

BLOCK: Final = 4_000_000
_KEPT_BLOCKS: Final = 2


class _Blocks(io.RawIOBase):
    """Bytes by position; the last two blocks stay at hand, so that a small object is fetched once."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._fetch = size, fetch
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the narrower type suffices
        if self._at >= self._size:
            return 0
        number, inside = divmod(self._at, BLOCK)
        piece = self._block(number)[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        known = self._blocks.get(number)
        if known is None:
            start = number * BLOCK
            known = self._blocks[number] = self._fetch(start, min(BLOCK, self._size - start))
            while len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return known


class ObjectFile(io.BufferedReader):
    """The bytes of one state; `stamp` tells which."""

    def __init__(self, stamp: Stamp, fetch: Callable[[int, int], bytes]) -> None:
        """`fetch` gives the bytes of this very state from a position on, in the length asked for."""
        super().__init__(_Blocks(stamp.size, fetch), 262_144)
        self.stamp = stamp
