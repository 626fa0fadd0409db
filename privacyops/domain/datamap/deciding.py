"""What people said of proposed links: yes, no, or whose the rows are. Laid over each new scan of the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.datamap.build import DataMap, settle
from privacyops.domain.datamap.catalogue import EXPANDS
from privacyops.domain.datamap.link import CANDIDATES, CERTAIN, Link, LinkState, Outward, Ownership
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

ANSWERABLE: Final = (Ownership.OWNED, Ownership.POINTER, Ownership.SHARED, Ownership.CONTEXT)
"""What a person may say of a link's rows."""


class Answer(StrEnum):
    """Yes, this link is real; no, it is none."""

    YES = "yes"
    NO = "no"


class OwnershipUnknown(Unprocessable):
    """A link's rows are owned, pointer, shared or context; undecided is no answer."""

    type = "/problems/link-ownership-unknown"
    title = "That is no answer to whose the rows are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One person's answer about one link of one store. `ownership` None: as the scan proposes."""

    link: str
    answer: Answer
    ownership: Ownership | None
    decided_by: UUID
    decided_at: Instant


def decided(drawn: DataMap, decisions: Mapping[str, Decision]) -> DataMap:
    """The map with the answers laid over it. Links nobody was asked about stay as they are."""
    if not decisions:
        return drawn
    told = replace(drawn, links=tuple(_decided(link, decisions.get(link.id)) for link in drawn.links))
    return _about_people(told)


def _about_people(drawn: DataMap) -> DataMap:
    """The map where a person said of rows that seemed to be about nobody whose they are: what hangs on those is too."""
    classes = {one.name: one.cls for one in drawn.collections}
    said = [
        link for link in drawn.links
        if link.state is LinkState.CONFIRMED and link.kind not in CERTAIN and link.ownership is Ownership.OWNED
        and classes[link.collection] not in EXPANDS
    ]  # fmt: skip
    if not said:
        return drawn
    links = tuple(
        replace(link, ownership=Ownership.UNDECIDED)
        if link.ownership is Ownership.CONTEXT and link.state is LinkState.PROPOSED and link.kind not in CERTAIN
        else link
        for link in drawn.links
    )
    return settle(replace(drawn, links=links), [name for name, cls in classes.items() if cls in EXPANDS])


def _decided(link: Link, decision: Decision | None) -> Link:
    if decision is None:
        return link
    if decision.answer is Answer.NO:
        return replace(link, state=LinkState.REJECTED)
    ownership = decision.ownership or link.ownership
    is_moved = ownership is not link.ownership
    return replace(
        link,
        state=LinkState.CONFIRMED,
        ownership=ownership,
        owner=ownership is Ownership.OWNED if is_moved else link.owner,
        outward=Outward.NO if is_moved and ownership is not Ownership.OWNED else link.outward,
    )


def open_questions(drawn: DataMap) -> Sequence[Link]:
    """Links that a person is asked about: likely enough, not certain, not answered. The most rows first."""
    rows = {one.name: one.rows or 0 for one in drawn.collections}
    asked = [
        link
        for link in drawn.links
        if link.state is LinkState.PROPOSED and link.kind not in CERTAIN and link.confidence >= CANDIDATES - 1e-9
    ]
    return sorted(asked, key=lambda link: (-rows.get(link.collection, 0), link.id))


def require_answerable(ownership: Ownership | None) -> None:
    """Raises: OwnershipUnknown."""
    if ownership is not None and ownership not in ANSWERABLE:
        raise OwnershipUnknown


def by_link(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The answers by the link they are about."""
    return {one.link: one for one in decisions}
