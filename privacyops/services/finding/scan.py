"""Draws the data map of one store: catalogue, a sample of each collection, and the questions the names raise."""

from collections.abc import Callable, Mapping

from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.build import SAMPLE_ROWS, DataMap, build, prepare, sampled_fields
from privacyops.domain.datamap.configured import MapMalformed, apply_map
from privacyops.domain.datamap.platform import with_platform
from privacyops.domain.predicate import Leaf, PredicateOp
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreMisconfigured, StoreRefused

MAX_LOOKED_UP = 1000


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
    draft = prepare(store, catalogue, samples)
    limit = host.traits(store, within).max_in
    answers: dict[tuple[str, str], Sample] = {}
    for lookup in draft.lookups:
        where = Leaf("key", lookup.field, PredicateOp.IN, lookup.values[:limit])
        try:
            page = host.find(store, lookup.collection, where, lookup.fields, MAX_LOOKED_UP, None, within)
        except StoreRefused:
            continue
        answers[lookup.collection, lookup.field] = tuple(row.values for row in page.rows)
    return with_written(with_platform(build(draft, answers)), host.config(store).map)


def with_written(drawn: DataMap, written: Mapping[str, object] | None) -> DataMap:
    """The map with the operator's file applied. Raises: StoreMisconfigured: the file does not fit the store."""
    if not written:
        return drawn
    try:
        return apply_map(drawn, written)
    except MapMalformed:
        raise StoreMisconfigured(drawn.store, "map", "does_not_fit_the_store") from None
