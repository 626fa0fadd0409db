"""Histories of writes and checks, and what must hold in them: the recorder and the judge of the never-stale tests.

Each person's choices are written by one writer, one after the other, so every answer has a set of states that it may
show: the one that was acknowledged last before the question was sent, and those of writes that ran meanwhile. A door
that may be behind by its contract may show what was true so many seconds before the question, and nothing older.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Write:
    """A choice. `began` when it was first sent, `ended` when it was acknowledged, by one monotonic clock.

    `allows` is what has to be answered from then on, `version` the state version it was acknowledged with.
    """

    person: int
    began: float
    ended: float
    allows: bool
    version: int


@dataclass(frozen=True, slots=True)
class Check:
    """An answer: what was said, and which version it showed (None: the door does not say). `door` says who answered.

    `behind`: by how many seconds the door may be late; `claimed`: the version whose token went with the question.
    """

    person: int
    began: float
    ended: float
    allowed: bool
    version: int | None
    door: str
    behind: float = 0.0
    claimed: int = 0

    @property
    def since(self) -> float:
        """What was acknowledged before this has to show."""
        return self.began - self.behind


@dataclass
class History:
    """What happened, as the callers saw it. Lists are appended to by several threads."""

    writes: list[Write] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    silences: Counter[str] = field(default_factory=Counter)
    """By door: questions without an answer, or with a no that says that nothing could be told."""

    @property
    def operations(self) -> int:
        """Acknowledged writes and answers; a silence is neither."""
        return len(self.writes) + len(self.checks)

    def save(self, path: Path) -> None:
        """One line an operation, so that a history that shows a fault can be looked at, and judged again."""
        with path.open("w") as file:
            file.write(json.dumps(dict(self.silences)) + "\n")
            for kind, rows in (("w", self.writes), ("c", self.checks)):
                file.writelines(json.dumps([kind, *astuple(row)]) + "\n" for row in rows)

    @classmethod
    def load(cls, path: Path) -> "History":
        """What `save` wrote."""
        with path.open() as file:
            found = cls(silences=Counter(json.loads(file.readline())))
            for kind, *row in map(json.loads, file):
                if kind == "w":
                    found.writes.append(Write(*row))
                else:
                    found.checks.append(Check(*row))
        return found

    def told(self) -> str:
        """The figures, by door: answers, how many were a yes, and how often nothing was told."""
        asked = Counter(one.door for one in self.checks)
        allowed = Counter(one.door for one in self.checks if one.allowed)
        doors = [
            f"{door} {asked[door]} ({allowed[door]} yes, {self.silences[door]} silent)"
            for door in sorted(asked | self.silences)
        ]
        return f"{self.operations} operations: {len(self.writes)} writes; " + ", ".join(doors)


def violations(writes: Iterable[Write], checks: Iterable[Check]) -> list[str]:
    """Every answer that shows less than was acknowledged when it was asked for; empty where all is well."""
    by_person: dict[int, list[Write]] = defaultdict(list)
    for write in writes:
        by_person[write.person].append(write)
    asked: dict[int, list[Check]] = defaultdict(list)
    for check in checks:
        asked[check.person].append(check)
    found: list[str] = []
    for person, mine_asked in asked.items():
        mine = sorted(by_person[person], key=lambda write: write.began)
        ends = [write.ended for write in mine]
        for check in mine_asked:
            found += _judged(mine, ends, check)
        found += _turned_back([one for one in mine_asked if one.version is not None])
    return found


def _judged(mine: Sequence[Write], ends: Sequence[float], check: Check) -> list[str]:
    done = bisect_left(ends, check.since)
    while done < len(mine) and mine[done].version <= check.claimed:
        done += 1  # whoever shows a token is owed that write, however lately it was acknowledged
    last = mine[done - 1] if done else None
    possible = {last.allows if last else False}
    for write in mine[done:]:
        if write.began > check.ended:
            break
        possible.add(write.allows)
    found = []
    if check.allowed not in possible:
        what = "allowed after an acknowledged withdrawal" if check.allowed else "denied after an acknowledged grant"
        found.append(f"{check.door}: person {check.person} was {what} (version {check.version})")
    if last is not None and check.version is not None and check.version < last.version:
        found.append(f"{check.door}: person {check.person} shown at {check.version}, acknowledged {last.version}")
    return found


def _turned_back(mine: Sequence[Check]) -> list[str]:
    """Two answers one after the other: the second never shows less than the first, but for what it may be behind."""
    found, highest, at = [], 0, 0
    by_end = sorted(mine, key=lambda check: check.ended)
    for check in sorted(mine, key=lambda check: check.since):
        while at < len(by_end) and by_end[at].ended < check.since:
            highest = max(highest, by_end[at].version or 0)
            at += 1
        if (check.version or 0) < highest:
            found.append(f"{check.door}: person {check.person} shown at {check.version} after {highest}")
    return found
