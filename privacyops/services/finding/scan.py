"""Draws the data map of one store: catalogue, a sample of each collection, and the questions the names raise."""

from collections.abc import Callable, Mapping

from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.build import SAMPLE_ROWS, DataMap, build, prepare, sampled_fields
from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.datamap.configured import MapMalformed, apply_map
from privacyops.domain.datamap.looked_up import Lookup
from privacyops.domain.datamap.pairs import telling_names
from privacyops.domain.datamap.platform import with_platform
from privacyops.domain.predicate import All, Leaf, PredicateOp, any_of
from privacyops.domain.record import Value
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreMisconfigured, StoreRefused

MAX_STATEMENTS = 3
"""Statements that ask one key which values it has."""


def draw_map(
    host: ConnectorHost, store: str, bounds: Bounds | None = None, told: Callable[[int, int], None] | None = None
) -> DataMap:
    """The map of the store with the operator's own map applied. Sampled values are dropped on return.

    `told` hears how many collections were read, of how many.

    Raises: StoreProblem: the catalogue cannot be read, or the operator's map does not fit (StoreMisconfigured).
    """
    within = bounds or Bounds()
    catalogue = host.catalogue(store, within)
    samples: dict[str, Sample] = {}
    searched = [one for one in catalogue if one.searched]
    for at, one in enumerate(searched):
        if told is not None:
            told(at, len(searched))
        try:
            rows = host.sample(store, one.name, sampled_fields(one), SAMPLE_ROWS, within)
        except StoreRefused:  # a table this role may not read: it is linked by name, and the search reports it
            continue
        samples[one.name] = tuple(row.values for row in rows)
    for one in searched:
        rows_of_names = _named(host, store, one, samples.get(one.name, ()), within)
        if rows_of_names:
            samples[one.name] = (*samples[one.name], *rows_of_names)
    limit = host.traits(store, within).max_in
    draft = prepare(store, catalogue, samples, limit * MAX_STATEMENTS)
    answers: dict[tuple[str, str], Sample] = {}
    for lookup in draft.lookups:
        try:
            answers[lookup.collection, lookup.field] = _looked_up(host, store, lookup, limit, within)
        except StoreRefused:
            continue
    for several in draft.together:
        tuples = tuple(
            All(
                tuple(
                    Leaf(path, path, PredicateOp.EQ, value)
                    for path, value in zip(several.to_fields, values, strict=True)
                )
            )
            for values in several.values
        )
        if tuples:
            try:
                page = host.find(store, several.to, any_of(tuples), several.to_fields, len(tuples), None, within)
            except StoreRefused:
                continue
            answers[several.where] = tuple(row.values for row in page.rows)
    return with_written(with_platform(build(draft, answers)), host.config(store).map)


def _named(host: ConnectorHost, store: str, one: Collection, sample: Sample, within: Bounds) -> Sample:
    """More rows of the names that may say whose a row is: of forty names in a table each has few in a sample."""
    found: list[Mapping[str, Value]] = []
    for when in telling_names(one, sample):
        where = Leaf("when", when.field, PredicateOp.EQ, when.value)
        try:
            page = host.find(store, one.name, where, sampled_fields(one), SAMPLE_ROWS, None, within)
        except StoreRefused:
            break
        found.extend(row.values for row in page.rows)
    return found


def _looked_up(host: ConnectorHost, store: str, lookup: Lookup, limit: int, within: Bounds) -> Sample:
    found: list[Mapping[str, Value]] = []
    for start in range(0, len(lookup.values), limit):
        values = lookup.values[start : start + limit]
        where = Leaf("key", lookup.field, PredicateOp.IN, values)
        page = host.find(store, lookup.collection, where, lookup.fields, len(values), None, within)
        found.extend(row.values for row in page.rows)
    return found


def with_written(drawn: DataMap, written: Mapping[str, object] | None) -> DataMap:
    """The map with the operator's file applied. Raises: StoreMisconfigured: the file does not fit the store."""
    if not written:
        return drawn
    try:
        return apply_map(drawn, written)
    except MapMalformed:
        raise StoreMisconfigured(drawn.store, "map", "does_not_fit_the_store") from None
