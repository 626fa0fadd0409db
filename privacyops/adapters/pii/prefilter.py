"""Which patterns can match a text at all, told by one pass over it for all of them.

The automaton matches a superset of what the expressions match, so leaving out the others changes no result. It reads
bytes and knows no Unicode classes: a text with anything beyond ASCII gets no answer, and every pattern is run.
"""

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from privacyops.adapters.pii.patterns import Pattern

try:
    import hyperscan
except ImportError:  # no wheel for this platform, or the extra is not installed: same results, slower
    hyperscan = None

IS_INSTALLED: Final = hyperscan is not None
_LARGEST: Final = 64_000_000


class Prefilter:
    """A compiled set of expressions. One a thread: it owns one scratch."""

    def __init__(self, patterns: Sequence[Pattern], folder: Path | None = None) -> None:
        """Load from `folder`, else compile (seconds of CPU) and leave the result there for the next process."""
        loaded = _load(folder, patterns)
        self._database, numbers = loaded or _compile(patterns)
        if loaded is None and folder is not None:
            _keep(folder, patterns, hyperscan.dumpb(self._database), numbers)
        self._always = frozenset(range(len(patterns))) - set(numbers)
        self._scratch = hyperscan.Scratch(self._database)
        self._database.scratch = self._scratch
        self._seen: set[int] = set()

    def possible(self, text: str) -> set[int] | None:
        """The numbers of the patterns that may match; None: cannot be told, run them all."""
        if not text.isascii():
            return None
        self._seen = set(self._always)
        self._database.scan(text.encode("ascii"), match_event_handler=self._hit, scratch=self._scratch)
        return self._seen

    def _hit(self, number: int, _start: int, _end: int, _flags: int, _context: Any) -> None:
        self._seen.add(number)


def is_kept(patterns: Sequence[Pattern], folder: Path | None) -> bool:
    """Whether a compiled set for exactly these patterns lies in the folder."""
    return hyperscan is not None and folder is not None and _path(folder, patterns).is_file()


def _compile(patterns: Sequence[Pattern]) -> tuple[Any, list[int]]:
    """The automaton, and the numbers of the patterns in it. What it cannot be built for is left out and always run."""
    numbers = list(range(len(patterns)))
    try:
        return _built(patterns, numbers), numbers
    except hyperscan.HyperscanError:
        numbers = [number for number in numbers if _is_buildable(patterns, number)]
        return _built(patterns, numbers), numbers


def _built(patterns: Sequence[Pattern], numbers: Sequence[int]) -> Any:
    flags = (
        hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_PREFILTER
        | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY | hyperscan.HS_FLAG_CASELESS
    )  # fmt: skip
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[patterns[number].expression.encode() for number in numbers], ids=list(numbers),
        elements=len(numbers), flags=[flags] * len(numbers),
    )  # fmt: skip
    return database


def _is_buildable(patterns: Sequence[Pattern], number: int) -> bool:
    try:
        _built(patterns, [number])
    except hyperscan.HyperscanError:
        return False
    return True


def _path(folder: Path, patterns: Sequence[Pattern]) -> Path:
    told = [hyperscan.__version__, platform.machine(), [[one.expression, one.flags] for one in patterns]]
    return folder / f"patterns-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]}.hs"


def _load(folder: Path | None, patterns: Sequence[Pattern]) -> tuple[Any, list[int]] | None:
    """What an earlier process left. The engine trusts its input, so only a file that is ours alone is read; one that
    it does not take (another processor, a cut file) is built anew.
    """
    if folder is None:
        return None
    path = _path(folder, patterns)
    try:
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            if told.st_uid != os.geteuid() or told.st_mode & 0o022 or told.st_size > _LARGEST:
                return None
            head, _, body = file.read().partition(b"\n")
        about = json.loads(head)
        if about["sha256"] != hashlib.sha256(body).hexdigest():
            return None
        return hyperscan.loadb(body, mode=hyperscan.HS_MODE_BLOCK), [int(number) for number in about["numbers"]]
    except (OSError, ValueError, KeyError, TypeError, hyperscan.HyperscanError):
        return None


def _keep(folder: Path, patterns: Sequence[Pattern], body: bytes, numbers: Sequence[int]) -> None:
    """Leave it whole or not at all. A folder that cannot be written to costs the next process its time, no more."""
    head = json.dumps({"sha256": hashlib.sha256(body).hexdigest(), "numbers": list(numbers)}).encode()
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(head + b"\n" + body)
        Path(file.name).replace(_path(folder, patterns))
