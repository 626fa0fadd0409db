"""One page of `find`: filtered here where the store cannot, cut by time, kept up to its last mark when a call fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from privacyops import connector_sdk as sdk
from privacyops.adapters.store_translation import to_row
from privacyops.adapters.store_worker import monotonic
from privacyops.ports.connector_host import FoundPage

SLICE_SECONDS: Final = 5.0
"""A page that finds little is handed back after this time, so that its cursor can be kept."""


@dataclass
class Paging:
    """One page as it is read. Survives a retry: what stands before the last mark is not read again."""

    collection: str
    exact: sdk.Predicate
    sent: sdk.Predicate
    fields: tuple[str, ...]
    asked: frozenset[str]
    size: int
    after: sdk.Cursor | None = None
    kept: list[sdk.Hit] = field(default_factory=list)
    scanned: int = 0
    of: int | None = None
    moved: bool = False
    ended: bool = False

    def read(self, store: sdk.ReadStore, call: sdk.Call) -> None:
        """Reads until the page is full, the collection ends, or a slice of time is over."""
        until = monotonic() + SLICE_SECONDS
        while not self.ended and len(self.kept) < self.size and (monotonic() < until or not self.moved):
            wanted = self.size - len(self.kept)
            raw, fresh, base = 0, list[sdk.Hit](), self.scanned
            items = store.find(call, self.collection, self.sent, self.fields, sdk.Page(wanted, self.after))
            try:
                for item in items:
                    if isinstance(item, sdk.Mark):
                        self._mark(item, fresh, base)
                        fresh = []
                        if monotonic() >= until:
                            break
                    else:
                        raw += 1
                        if self.sent is self.exact or sdk.matches(self.exact, item.values):
                            fresh.append(item)
                else:
                    self.kept.extend(fresh)
                    self.ended = raw < wanted
            finally:
                closing = getattr(items, "close", None)
                if closing is not None:
                    closing()

    def _mark(self, mark: sdk.Mark, fresh: list[sdk.Hit], base: int) -> None:
        self.kept.extend(fresh)
        self.after, self.moved = mark.after, True
        self.scanned = base + mark.scanned
        self.of = mark.of.n if mark.of.certainty is not sdk.Certainty.UNKNOWN else None

    def found(self, seal: Callable[[str], str]) -> FoundPage:
        """The page as the core sees it."""
        rows = tuple(to_row(hit, self.asked) for hit in self.kept)
        after = None if self.ended or self.after is None else seal(str(self.after))
        return FoundPage(rows, after, self.scanned, self.of)
