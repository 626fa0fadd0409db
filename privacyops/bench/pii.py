"""Detection beside plain Presidio in the same run: processor time, and whether the results are the same.

Absolute rates are for the reader; only the ratio within one run counts. The two runners take turns, so that neither
meets colder caches than the other; the medians of the rounds are compared.
"""

import hashlib
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from privacyops.bench.result import Row, host, spread

WARM_UP: Final = 64
TEXTS_GOAL: Final = 2.5
CELLS_GOAL: Final = 4.0
FAST_EQUAL: Final = 99.5
Result = tuple[int, int, str, float]
Runner = Callable[[Sequence[str]], list[list[Result]]]


@dataclass(frozen=True, slots=True)
class Runners:
    """What is measured; each returns (start, end, type, score) for each text. `batch`: Presidio's own batch engine."""

    plain: Runner
    batch: Runner
    exact: Runner
    fast: Runner
    patterns_plain: Runner
    patterns: Runner
    redact: Runner
    search: Runner
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Taken:
    cpu_s: list[float]
    wall_s: list[float]
    results: list[list[Result]]

    @property
    def middle(self) -> float:
        return statistics.median(self.cpu_s)


def measure(
    runners: Runners, texts: Sequence[tuple[str, str]], cells: Sequence[tuple[str, str]], rounds: int,
    *, is_quick: bool, say: Callable[[str], None],
) -> tuple[Mapping[str, Any], list[Row]]:  # fmt: skip
    """Texts and cells as (id, content). With `is_quick` the profiles with Rampart are left out."""
    rows: list[Row] = []
    spreads: list[float] = []
    for name, some, goal in (("texts", texts, TEXTS_GOAL), ("cells", cells, CELLS_GOAL)):
        if not some:
            continue
        say(f"{name}: {len(some)}, {rounds} rounds")
        pairs: dict[str, tuple[Runner, Runner]] = {"names": (runners.plain, runners.exact)}
        if name == "texts":
            pairs["patterns"] = (runners.patterns_plain, runners.patterns)
        for what, (plain, ours) in pairs.items():
            taken = _turns({"plain": plain, "exact": ours}, some, rounds)
            spreads.append(spread(taken["exact"].cpu_s))
            rows += _compared(f"{name}, {what}", taken, some, goal if what == "names" else None)
            if differing := first_differences(taken["plain"].results, taken["exact"].results, [key for key, _ in some]):
                say(f"{name}, {what}: results differ for {', '.join(differing)}")
        others = {"fast": runners.fast, "batch engine of Presidio": runners.batch}
        base = _turns({"plain": runners.plain, **others}, some, 1)
        rows += _others(name, base, some)
        if not is_quick and name == "texts":
            say("texts: the profiles with every model")
            rows += _profiles(name, base["plain"].middle, runners, some)
    rows.append(Row("largest memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"))
    return _about(rounds, max(spreads, default=0.0), texts, cells, runners.versions), rows


def _turns(runners: Mapping[str, Runner], some: Sequence[tuple[str, str]], rounds: int) -> dict[str, _Taken]:
    contents = [content for _, content in some]
    for runner in runners.values():
        runner(contents[:WARM_UP])
    taken = {name: _Taken([], [], []) for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            cpu, wall = time.process_time(), time.perf_counter()
            results = runner(contents)
            taken[name].cpu_s.append(time.process_time() - cpu)
            taken[name].wall_s.append(time.perf_counter() - wall)
            taken[name].results[:] = results
    return taken


def _compared(
    name: str, taken: Mapping[str, _Taken], some: Sequence[tuple[str, str]], goal: float | None
) -> Iterator[Row]:
    plain, ours = taken["plain"], taken["exact"]
    equal = sum(sorted(one) == sorted(other) for one, other in zip(plain.results, ours.results, strict=True))
    letters = sum(len(content) for _, content in some)
    yield Row(f"{name}: exact, times as fast as plain", plain.middle / ours.middle, "x CPU", goal, at_least=True)
    yield Row(f"{name}: exact, texts with the same results", equal * 100 / len(some), "%", 100.0, at_least=True)
    for which, one in (("plain", plain), ("exact", ours)):
        yield Row(f"{name}: {which}", len(some) / one.middle, "texts/CPU s")
        yield Row(f"{name}: {which}, characters", letters / one.middle, "char/CPU s")
        yield Row(f"{name}: {which}, wall", statistics.median(one.wall_s), "s")


def _others(name: str, base: Mapping[str, _Taken], some: Sequence[tuple[str, str]]) -> Iterator[Row]:
    plain = base["plain"]
    for which, one in base.items():
        if which == "plain":
            continue
        equal = sum(sorted(a) == sorted(b) for a, b in zip(plain.results, one.results, strict=True)) * 100 / len(some)
        yield Row(f"{name}, names: {which}, times as fast as plain", plain.middle / one.middle, "x CPU")
        goal = FAST_EQUAL if which == "fast" else None
        yield Row(f"{name}, names: {which}, texts with the same results", equal, "%", goal, at_least=True)


def _profiles(name: str, plain_s: float, runners: Runners, some: Sequence[tuple[str, str]]) -> Iterator[Row]:
    for which, runner in (("search", runners.search), ("redact", runners.redact)):
        taken = _turns({which: runner}, some, 1)[which]
        yield Row(f"{name}: {which}, times as fast as plain", plain_s / taken.middle, "x CPU")
        found = Counter(kind for results in taken.results for _, _, kind, _ in results)
        yield Row(f"{name}: {which}, spans", float(sum(found.values())), "")


def first_differences(plain: Sequence[list[Result]], ours: Sequence[list[Result]], ids: Sequence[str]) -> list[str]:
    """The ids of the first texts whose results differ; never the texts."""
    differing = [key for key, one, other in zip(ids, plain, ours, strict=True) if sorted(one) != sorted(other)]
    return differing[:10]


def _about(
    rounds: int,
    widest: float,
    texts: Sequence[tuple[str, str]],
    cells: Sequence[tuple[str, str]],
    versions: Mapping[str, str],
) -> Mapping[str, Any]:
    about = dict(host(rounds, widest))
    for name, some in (("texts", texts), ("cells", cells)):
        about[name] = len(some)
        about[f"distinct_{name}"] = len({content for _, content in some})
    about["processor"] = _processor()
    about["versions"] = dict(versions)
    about["input_sha256"] = hashlib.sha256("\0".join(content for _, content in (*texts, *cells)).encode()).hexdigest()[
        :16
    ]
    return about


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    wide = [flag for flag in ("avx", "avx2", "avx512f") if flag in named.get("flags", "").split()]
    return f"{named.get('model name', 'unknown')} {' '.join(wide)}"
