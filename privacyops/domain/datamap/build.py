"""From a catalogue and a sample to the data map of one store. Two steps, so that the store can be asked between them.

draft = prepare(...)      what the names and the sample say, and what to look up
build(draft, answers)     links with their confidence, classes, ownership
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from privacyops.domain.datamap.annotate import Sample, annotate
from privacyops.domain.datamap.catalogue import Collection, CollectionKind, FieldType
from privacyops.domain.datamap.classes import classify
from privacyops.domain.datamap.composite import Together, together, together_links
from privacyops.domain.datamap.contacts import ContactTable, contact_tables
from privacyops.domain.datamap.copies import copy_links
from privacyops.domain.datamap.declared import declared_links
from privacyops.domain.datamap.link import REFUTED, Link, LinkKind
from privacyops.domain.datamap.looked_up import MAX_ASKED, Answers, Known, Lookup, lookups
from privacyops.domain.datamap.ownership import deeds, with_ownership
from privacyops.domain.datamap.pairs import vouching
from privacyops.domain.datamap.proposed import Proposal, proposals
from privacyops.domain.datamap.receivers import with_receivers
from privacyops.domain.datamap.values import value_links
from privacyops.domain.datamap.weighed import weighed

SAMPLE_ROWS: Final = 200
VERSION: Final = 1


@dataclass(frozen=True)
class DataMap:
    """Collections with classes, and links with ownership, of one store. Holds no value of any row."""

    store: str
    collections: tuple[Collection, ...]
    links: tuple[Link, ...]

    def collection(self, name: str) -> Collection:
        """Raises: KeyError: the store has none of that name."""
        return self.by_name[name]

    @cached_property
    def by_name(self) -> Mapping[str, Collection]:
        """The collections by name."""
        return {one.name: one for one in self.collections}

    @cached_property
    def by_link(self) -> Mapping[str, Link]:
        """The links by id."""
        return {link.id: link for link in self.links}

    @cached_property
    def owner_links(self) -> Mapping[str, tuple[Link, ...]]:
        """For each collection, the links that say whose its rows are."""
        found: dict[str, list[Link]] = {}
        for link in self.links:
            single = len(link.fields) == 1  # of several columns only a constraint says that they belong together
            if link.owner and link.is_followed and (single or link.kind is LinkKind.DECLARED_FK):
                found.setdefault(link.collection, []).append(link)
        return {name: tuple(links) for name, links in found.items()}

    @cached_property
    def contacts(self) -> Mapping[str, ContactTable]:
        """The tables that hold contact data of people whose own rows have none, by name."""
        return contact_tables(self.by_name, self.owner_links)

    @cached_property
    def deeds(self) -> Mapping[str, frozenset[str]]:
        """Owner links of logs that only say who did something where one of these columns is filled, by id."""
        return deeds(self.by_name, self.links)

    def searched(self) -> tuple[Collection, ...]:
        """The collections whose rows are their own: no views, no slices."""
        return tuple(one for one in self.collections if one.searched)


@dataclass(frozen=True, slots=True)
class Draft:
    """A map whose proposed links have not been asked of the values yet."""

    store: str
    collections: Mapping[str, Collection]
    declared: tuple[Link, ...]
    proposals: tuple[Proposal, ...]
    lookups: tuple[Lookup, ...]
    samples: Mapping[str, Sample]
    together: tuple[Together, ...] = ()


def sampled_fields(one: Collection) -> tuple[str, ...]:
    """The fields a sample reads: all of them. Long cells come as handles."""
    return tuple(field.path for field in one.fields)


def prepare(store: str, catalogue: Iterable[Collection], samples: Mapping[str, Sample], most: int = MAX_ASKED) -> Draft:
    """What names and samples say. `samples` may lack collections: an empty one is linked by name. At most `most` values
    are asked of one key.
    """
    plain = tuple(catalogue)
    annotated = {one.name: annotate(one, samples.get(one.name, ())) for one in plain}
    samples = {one.name: _without_bytes(one, samples[one.name]) for one in plain if one.name in samples}
    declared = declared_links(annotated)
    taken = {(link.collection, path) for link in declared for path in link.fields}
    proposed = tuple(
        proposal
        for proposal in proposals(annotated, samples)
        if (proposal.collection, proposal.field.path) not in taken
    )
    return Draft(
        store, annotated, declared, proposed, lookups(proposed, annotated, samples, most), samples,
        together(annotated, samples),
    )  # fmt: skip


def _without_bytes(one: Collection, sample: Sample) -> Sample:
    """Bytes say what a column is for, and nothing about which key another one holds."""
    binary = {field.path for field in one.fields if field.type is FieldType.BINARY}
    if not binary:
        return sample
    return tuple({path: value for path, value in row.items() if path not in binary} for row in sample)


def build(draft: Draft, answers: Answers) -> DataMap:
    """The map: proposals weighed against the answers, copies, value links, then classes and ownership."""
    known = Known(answers, draft.lookups, draft.samples)
    found = weighed(draft.proposals, draft.collections, draft.samples, known)
    collections = with_receivers(draft.collections, (*draft.declared, *found), draft.samples)
    copies = copy_links(collections)
    copied = {(link.collection, link.fields) for link in copies}
    links = (
        *draft.declared,
        *copies,
        *(link for link in found if (link.collection, link.fields) not in copied),
        *(link for link in together_links(draft.together, answers) if (link.collection, link.fields) not in copied),
    )
    told = vouching(collections, (*links, *value_links(collections.values())))
    return settle(DataMap(draft.store, tuple(collections.values()), told))


def settle(drawn: DataMap, keep: Sequence[str] = ()) -> DataMap:
    """The map with classes and ownership worked out anew; classes of the collections in `keep` stay."""
    collections = drawn.by_name
    strong = [link for link in drawn.links if link.usable and not link.by_value and link.confidence > REFUTED]
    classes = classify(collections, strong)
    settled = {name: one if name in keep else replace(one, cls=classes.get(name)) for name, one in collections.items()}
    return DataMap(drawn.store, tuple(settled.values()), with_ownership(settled, drawn.links))


def derived_of(drawn: DataMap) -> tuple[Collection, ...]:
    """Views and the like: they repeat rows of their sources and are to be refreshed after an erasure."""
    kinds = {CollectionKind.VIEW, CollectionKind.MATERIALIZED_VIEW}
    return tuple(one for one in drawn.collections if one.kind in kinds)
