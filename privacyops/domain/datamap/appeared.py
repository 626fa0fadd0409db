"""Collections that were empty, or nearly, when a map was drawn, and whose rows tell now what they are."""

from collections.abc import Set as AbstractSet

from privacyops.domain.datamap.build import DataMap, settle


def with_appeared(known: DataMap, fresh: DataMap, names: AbstractSet[str]) -> DataMap:
    """The known map with these collections, and the links that lead from them, as the fresh map has them.

    Links that the known map has stay as they are, for a person may have answered them.
    """
    seen = {name: fresh.by_name[name] for name in names if name in fresh.by_name}
    had = {link.id for link in known.links}
    links = tuple(link for link in fresh.links if link.collection in seen and link.id not in had)
    collections = tuple(seen.get(one.name, one) for one in known.collections)
    kept = [one.name for one in known.collections if one.name not in seen]
    return settle(DataMap(known.store, collections, (*known.links, *links)), kept)
