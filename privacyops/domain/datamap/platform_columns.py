"""What the map of a known platform says of single columns, beside what their values say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.classification.scoring import FREE_TEXT, Alternative, ColumnType
from privacyops.domain.datamap.platform import PREFIX, of_tables

_TYPES: Final = {"email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "name": "PERSON"}


@dataclass(frozen=True, slots=True)
class Told:
    """A column's type by the map; None: it is free text."""

    type: str | None
    platform: str


def told_columns(tables: Collection[str]) -> Mapping[tuple[str, str], Told]:
    """The columns that the map of these tables' platform names; empty where the platform is not known."""
    found = of_tables(set(tables))
    if found is None:
        return {}
    platform, prefix = found
    told: dict[tuple[str, str], Told] = {}
    for pattern, said in platform.written["collections"].items():
        table = pattern.replace(PREFIX, prefix)
        for kind, paths in (said.get("identity") or {}).items():
            for path in paths if isinstance(paths, list) else [paths]:
                if kind in _TYPES:
                    told[table, path] = Told(_TYPES[kind], platform.title)
        for path in said.get("text") or ():
            told[table, path] = Told(None, platform.title)
    return told


def with_map(found: ColumnType, told: Told | None) -> ColumnType:
    """The map outranks what values suggest; where they contradict it a person is asked."""
    if told is None:
        return found
    why = f"map of {told.platform}"
    if told.type is None:
        return replace(found, type=None, why=f"{why}; {found.why}", category=FREE_TEXT) if not found.type else found
    if found.type in {told.type, None}:
        return replace(found, type=told.type, score=max(found.score, 0.9), why=f"{why}; {found.why}", review=False)
    others = (Alternative(found.type, found.score), *found.alternatives)
    return ColumnType(told.type, 0.6, f"{why}; values say {found.type}: {found.why}", others, review=True)
