"""Links that lead from the person's rows to others and that nobody confirmed. What they lead to is shown as candidates,
and what hangs on those was not looked at: an answer with such links is not whole.
"""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.link import Link
from privacyops.domain.finding.model import Finding, FindingTier

LINK_UNCONFIRMED: Final = "link_unconfirmed"
OWNERSHIP_UNDECIDED: Final = "ownership_undecided"
OPEN: Final = frozenset({LINK_UNCONFIRMED, OWNERSHIP_UNDECIDED})


@dataclass(frozen=True, slots=True)
class OpenLink:
    """`rows` rows of one collection are the person's, if `link` is one. `code`: is it one, or whose are they?"""

    link: Link
    code: str
    rows: int

    def __str__(self) -> str:
        reasons = "; ".join(str(piece) for piece in self.link.evidence)
        asked = "is unconfirmed" if self.code == LINK_UNCONFIRMED else "does not say whose they are"
        return f"{self.rows} rows of {self.link.collection}: the link {self.link.id} {asked} ({reasons})"


def open_links(findings: Iterable[Finding], drawn: DataMap, judged: Container[str] = ()) -> tuple[OpenLink, ...]:
    """The open links with their rows, the most rows first. Rows whose id is in `judged` were decided by a person."""
    counted = Counter(
        (one.via[-1], one.reason)
        for one in findings
        if one.tier is FindingTier.CANDIDATE and one.reason in OPEN and one.via and one.ref.id not in judged
    )
    found = []
    for (start, code), rows in counted.items():
        fits = [link for link in drawn.links if link.start == start and link.usable and not link.by_value]
        fits = [link for link in fits if link.is_followed is (code == OWNERSHIP_UNDECIDED)] or fits
        if fits:
            found.append(OpenLink(max(fits, key=lambda link: link.confidence), code, rows))
    return tuple(sorted(found, key=lambda one: (-one.rows, one.link.id)))
