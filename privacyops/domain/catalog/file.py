"""A catalogue as a file: purposes and notices that an operator keeps under version control beside their code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from privacyops.domain.catalog.plain_yaml import TextMalformed, parse_plain_yaml, write_plain_yaml
from privacyops.domain.notice import NoticeVersion
from privacyops.domain.purpose import PurposeVersion
from privacyops.kernel.errors import Unprocessable

SCHEMA: Final = 1
_MEMBERS: Final = {"schema_version", "channels", "brand", "purposes", "notices"}
_JUDGED: Final = ("version", "material", "material_reason", "judged_by")
V = TypeVar("V", PurposeVersion, NoticeVersion)


class CatalogueMalformed(Unprocessable):
    type = "/problems/catalogue-malformed"
    title = "This is not a catalogue file; the detail names what is wrong"


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What a file asks for. Each entry is as `to_json` writes it; a version number in it is not read."""

    channels: Sequence[str]
    brand: tuple[str, str] | None
    purposes: Sequence[Mapping[str, Any]]
    notices: Sequence[Mapping[str, Any]]


def read_catalogue(text: str) -> CatalogueFile:
    """Raises: CatalogueMalformed."""
    try:
        body = parse_plain_yaml(text)
    except TextMalformed as wrong:
        raise CatalogueMalformed(str(wrong)) from None
    if not isinstance(body, dict) or body.get("schema_version") != SCHEMA:
        raise CatalogueMalformed(f"a catalogue starts with schema_version: {SCHEMA}")
    if unknown := sorted(set(body) - _MEMBERS):
        raise CatalogueMalformed(f"the member {unknown[0]} is not known")
    purposes, notices, channels = (body.get(name) or [] for name in ("purposes", "notices", "channels"))
    if not all(isinstance(entries, list) for entries in (purposes, notices, channels)):
        raise CatalogueMalformed("channels, purposes and notices are lists")
    if not all(isinstance(entry, dict) for entry in (*purposes, *notices)):
        raise CatalogueMalformed("a purpose or notice has members")
    brand = body.get("brand")
    if brand is not None and not (isinstance(brand, dict) and {"key", "title"} <= set(brand)):
        raise CatalogueMalformed("a brand has a key and a title")
    named = [str(entry.get("key")) for entry in purposes], [str(entry.get("id")) for entry in notices]
    if any(len(set(keys)) != len(keys) for keys in named):
        raise CatalogueMalformed("a purpose or notice stands twice in the file")
    return CatalogueFile(
        [str(channel) for channel in channels], (str(brand["key"]), str(brand["title"])) if brand else None,
        [_plain(entry) for entry in purposes], [_plain(entry) for entry in notices],
    )  # fmt: skip


def write_catalogue(
    channels: Sequence[str], purposes: Sequence[PurposeVersion], notices: Sequence[NoticeVersion]
) -> str:
    """The file whose import changes nothing. What a person judged of a version is not part of its text."""
    return write_plain_yaml(
        {
            "schema_version": SCHEMA,
            "channels": list(channels),
            "purposes": [_without_judgement(purpose.to_json()) for purpose in purposes],
            "notices": [_without_judgement(notice.to_json()) for notice in notices],
        }
    )


def wanted(entry: Mapping[str, Any], current: V | None, kind: type[V], by: str) -> tuple[Change, V]:
    """The version that an entry becomes beside the one in force, judged as the entry says, by the person named.

    Raises: PurposeMalformed, NoticeMalformed.
    """
    version = current.version + 1 if current else 1
    new: V = kind.of_json({**entry, "version": version})
    if current is None:
        return Change.NEW, replace(new, is_material=True)
    if _without_judgement(new.to_json()) == _without_judgement(current.to_json()):
        return Change.SAME, current
    return Change.CHANGED, replace(new, judged_by=by)


def _without_judgement(body: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(body))  # enumerations become their words
    return {name: value for name, value in told.items() if name not in _JUDGED}


def _plain(value: Any) -> Any:
    """YAML's true and false as the words that a digest is taken over."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
