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
    if any(link.to == name and _is_voice(link) for link in drawn.links):
        return True
    led = [link for link in drawn.links if link.collection == name and _is_to_whole(link, drawn)]
    pointing = [(link, key) for link in led if (key := _key(link, row)) is not None and fits(link, row.values)]
    return bool(pointing) and not any(_is_subjects(link, key, state) for link, key in pointing)


def belongs_elsewhere(row: Row, link: Link, state: SearchState, drawn: DataMap) -> bool:
    """Whether a row that hangs on what named values gave to the subject is part of something else as well that is not
    the subject's: the line of another's order, for goods that the subject offers.
    """
    if not any(_is_voice(each) and each.to == link.to for each in drawn.links):
        return False
    others = [
        each
        for each in drawn.links
        if each.collection == row.ref.collection and each.start != link.start and each.to != link.to
    ]
    keys = [(each, _key(each, row)) for each in others if _is_to_whole(each, drawn) and fits(each, row.values)]
    return any(key is not None and not _is_subjects(each, key, state) for each, key in keys)


def _is_voice(link: Link) -> bool:
    return link.condition is not None and link.outward is Outward.SAME_PERSON


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
