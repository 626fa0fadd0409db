"""In which order: children before parents inside a store, and stores by how hard it is to bring their data back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from privacyops.domain.erasure.operation import Op

PAGE: Final = 5000
"""Operations that one plan of a store takes; a row's operations are never parted."""
PHASES: Final[Mapping[str, int]] = {
    "rest": 1, "manual": 1, "sql": 2, "mongodb": 2, "dynamodb": 2, "ldap": 2, "search": 3, "redis": 3, "queue": 3,
    "warehouse": 4, "duckdb": 4, "s3": 5, "gcs": 5, "azure": 5, "files": 5, "mailbox": 5,
}  # fmt: skip
"""By the connector's name: services of others, databases, indexes and caches, warehouses, objects and mail."""
_UNKNOWN_PHASE: Final = 2


def phase_of(connector: str) -> int:
    """When a store's turn comes, smaller is earlier. Its data is what later stores were filled from."""
    return PHASES.get(connector, _UNKNOWN_PHASE)


def levels(names: Iterable[str], points_at: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The collections in groups, children first. Those that point at one another in a circle are one group.

    `points_at` are pairs (child, parent); pairs with a name that is not among `names` are left out.
    """
    known = sorted(set(names))
    parents: dict[str, set[str]] = {name: set() for name in known}
    for child, parent in points_at:
        if child in parents and parent in parents and child != parent:
            parents[child].add(parent)
    circles = _circles(known, parents)
    of = {name: at for at, circle in enumerate(circles) for name in circle}
    waits: list[set[int]] = [set() for _ in circles]
    for child, above in parents.items():
        for parent in above:
            if of[child] != of[parent]:
                waits[of[parent]].add(of[child])
    done: list[tuple[str, ...]] = []
    left = dict(enumerate(circles))
    while left:
        ready = sorted(at for at in left if not waits[at] & left.keys())
        done.extend(left.pop(at) for at in ready)
    return tuple(done)


def _circles(names: Sequence[str], parents: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components (Tarjan), without recursion: schemas may be deep."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in names:
        if start in index:
            continue
        work = [(start, iter(sorted(parents[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            here, rest = work[-1]
            step = next((name for name in rest if name not in index or name in on_stack), None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == index[here]:
                    found.append(_popped(stack, on_stack, here))
            elif step in index:
                low[here] = min(low[here], index[step])
            else:
                index[step] = low[step] = len(index)
                stack.append(step)
                on_stack.add(step)
                work.append((step, iter(sorted(parents[step]))))
    return found


def _popped(stack: list[str], on_stack: set[str], until: str) -> tuple[str, ...]:
    circle = []
    while True:
        name = stack.pop()
        on_stack.discard(name)
        circle.append(name)
        if name == until:
            return tuple(sorted(circle))


def in_pages(ops: Sequence[Op], ordered: Sequence[Sequence[str]], size: int = PAGE) -> tuple[tuple[Op, ...], ...]:
    """The operations in pages, children first; a page may exceed `size` only by the last row's operations."""
    rank = {name: at for at, group in enumerate(ordered) for name in group}
    placed = sorted(ops, key=lambda op: (rank.get(op.ref.collection, len(rank)), op.ref.collection, op.ref.id))
    pages: list[list[Op]] = [[]]
    for op in placed:
        if len(pages[-1]) >= size and pages[-1][-1].ref.id != op.ref.id:
            pages.append([])
        pages[-1].append(op)
    return tuple(tuple(page) for page in pages if page)
