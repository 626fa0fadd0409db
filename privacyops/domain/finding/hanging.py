"""Whether a row is part of something that is not the subject's: the history of another's order, which names the subject
in a remark. Asked of texts alone, and they are read last, when everything of the subject's is known.
"""

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import CollectionClass
from privacyops.domain.datamap.link import Link, Outward, Ownership
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding.judge import fits
from privacyops.domain.finding.model import FindingTier, SearchState
from privacyops.domain.record import Row, spelled

_WHOLES = frozenset({CollectionClass.ACTIVITY, CollectionClass.DETAIL})


def is_part_of_anothers(row: Row, state: SearchState, drawn: DataMap) -> bool:
    """Whether the row belongs to rows none of which is the subject's, or other rows have to say whose it is."""
    name = row.ref.collection
    if any(link.to == name and link.condition and link.outward is Outward.SAME_PERSON for link in drawn.links):
        return True
    led = [link for link in drawn.links if link.collection == name and _is_to_whole(link, drawn)]
    pointing = [(link, key) for link in led if (key := _key(link, row)) is not None and fits(link, row.values)]
    return bool(pointing) and not any(_is_subjects(link, key, state) for link, key in pointing)


def _is_to_whole(link: Link, drawn: DataMap) -> bool:
    aim = drawn.by_name.get(link.to)
    plain = not link.element and link.to != link.collection and link.is_followed
    return plain and link.ownership is Ownership.OWNED and aim is not None and aim.cls in _WHOLES


def _key(link: Link, row: Row) -> tuple[str, ...] | None:
    values = [row.values.get(path) for path in link.fields]
    if any(value is None for value in values):
        return None
    key = tuple(spelled(value) for value in values)
    return None if key[0] in NOBODY or key[0] in link.without else key


def _is_subjects(link: Link, key: tuple[str, ...], state: SearchState) -> bool:
    return any(
        one.tier is FindingTier.OWNED
        and one.ref.collection == link.to
        and tuple(spelled(one.values.get(path)) for path in link.to_fields) == key
        for one in state.taken.values()
    )
