"""Maps of known shop platforms: which one a store is, and its map in that store's own table names.

A map holds what the platform's own schema says. What the installed version lacks is left out; what plug-ins add is
inferred as everywhere. The operator's own map is laid over it and outranks it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from privacyops.domain.catalog.plain_yaml import parse_plain_yaml
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.datamap.configured import apply_map
from privacyops.domain.datamap.link import IDENTITY
from privacyops.domain.datamap.pairs import base_of

PREFIX: Final = "{p}"
_FOLDER: Final = "privacyops.domain.catalog.platforms"


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform's map as its file has it; `{p}` stands for the installation's table prefix. `otherwise` are
    tables that tell it where it is set up in another way.
    """

    name: str
    title: str
    checked: str
    tables: tuple[str, ...]
    written: Mapping[str, Any]
    otherwise: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def platforms() -> tuple[Platform, ...]:
    """Every map that is shipped, by name."""
    found = []
    for source in sorted(files(_FOLDER).iterdir(), key=lambda each: each.name):
        if source.name.endswith(".yaml"):
            data = parse_plain_yaml(source.read_text(encoding="utf-8"))
            kept = {key: data[key] for key in ("collections", "links")}
            tables = tuple(data["detect"]["tables"])
            otherwise = tuple(data["detect"].get("or", ()))
            found.append(Platform(data["map"], data["title"], data["checked"], tables, kept, otherwise))
    return tuple(found)


def detected(drawn: DataMap) -> tuple[Platform, str] | None:
    """The platform of a store and its table prefix, if every table it is told by is there. The most telling wins."""
    return of_tables(set(drawn.by_name))


def of_tables(names: set[str]) -> tuple[Platform, str] | None:
    """As `detected`, by the names of a store's tables alone."""
    found = [(one, prefix) for one in platforms() if (prefix := _prefix(one, names)) is not None]
    return max(found, key=lambda each: len(each[0].tables)) if found else None


def _prefix(one: Platform, names: set[str]) -> str | None:
    for tables in filter(None, (one.tables, one.otherwise)):
        prefix = _prefix_of(tables, names)
        if prefix is not None:
            return prefix
    return None


def _prefix_of(tables: tuple[str, ...], names: set[str]) -> str | None:
    first = tables[0]
    if PREFIX not in first:
        return "" if set(tables) <= names else None
    suffix = first.replace(PREFIX, "")
    for name in sorted(names):
        if name.endswith(suffix):
            prefix = name.removesuffix(suffix)
            if {table.replace(PREFIX, prefix) for table in tables} <= names:
                return prefix
    return None


def with_platform(drawn: DataMap) -> DataMap:
    """The map with the platform's classes, identity columns and links, where the store is of a known platform."""
    found = detected(drawn)
    if found is None:
        return drawn
    platform, prefix = found
    return apply_map(drawn, fitted(drawn, platform, prefix), f"map of {platform.name}, {platform.checked}")


def fitted(drawn: DataMap, platform: Platform, prefix: str) -> dict[str, Any]:
    """What the platform's map says of this store: its tables by their names here, and nothing this version lacks."""
    collections: dict[str, Any] = {}
    for pattern, said in platform.written["collections"].items():
        one = drawn.by_name.get(pattern.replace(PREFIX, prefix))
        if one is not None:
            collections[one.name] = _fitting(one, said)
    links = [
        {**link, "from": link["from"].replace(PREFIX, prefix), "to": link["to"].replace(PREFIX, prefix)}
        for link in platform.written["links"]
    ]
    return {"collections": collections, "links": [link for link in links if _holds(drawn, link)]}


def _fitting(one: Collection, said: Mapping[str, Any]) -> dict[str, Any]:
    identity = {}
    for kind, paths in (said.get("identity") or {}).items():
        there = [path for path in _several(paths) if one.field(path) is not None]
        if len(there) == len(_several(paths)):
            identity[kind] = paths
        elif there and kind != "name":
            identity[kind] = there
    text = [path for path in said.get("text") or () if one.field(path) is not None]
    retained = {"retain": said.get("retain", ""), "retain_if": said.get("retain_if", "")}
    return {"class": said["class"], "identity": identity, "text": text, **retained}


def _several(paths: Any) -> Sequence[str]:
    return paths if isinstance(paths, list) else [paths]


def _holds(drawn: DataMap, link: Mapping[str, Any]) -> bool:
    return all(_ends(drawn, link))


def _ends(drawn: DataMap, link: Mapping[str, Any]) -> Iterator[bool]:
    for end in (link["from"], link["to"]):
        name, _, path = end.rpartition(".")
        one = drawn.by_name.get(name)
        yield name == IDENTITY or (one is not None and one.field(base_of(path)) is not None)
