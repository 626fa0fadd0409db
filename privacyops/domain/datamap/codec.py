"""A data map as JSON and back. It holds names, types and confidences, and no value of any row."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import (
    Category,
    Collection,
    CollectionClass,
    CollectionKind,
    DeclaredLink,
    Field,
    FieldType,
    Role,
    Shape,
)
from privacyops.domain.datamap.link import Condition, Evidence, Link, LinkKind, LinkState, Outward, Ownership
from privacyops.kernel.errors import Unprocessable

VERSION: Final = 1


class MapUnreadable(Unprocessable):
    """The map was written by another version, or is none; the store has to be scanned anew."""

    type = "/problems/data-map-unreadable"
    title = "The data map cannot be read"


def map_to_json(drawn: DataMap) -> dict[str, Any]:
    """The map as plain JSON values; what equals its default is left out."""
    return {
        "version": VERSION,
        "store": drawn.store,
        "collections": [_plain(one) for one in drawn.collections],
        "links": [_plain(one) for one in drawn.links],
    }


def map_from_json(data: Mapping[str, Any]) -> DataMap:
    """The inverse of `map_to_json`. Raises: MapUnreadable."""
    if data.get("version") != VERSION:
        raise MapUnreadable
    try:
        collections = tuple(_collection(one) for one in data["collections"])
        return DataMap(data["store"], collections, tuple(_link(one) for one in data["links"]))
    except (KeyError, TypeError, ValueError):
        raise MapUnreadable from None


def _plain(one: Any) -> Any:
    if hasattr(one, "__dataclass_fields__"):
        held = {field.name: (getattr(one, field.name), field.default) for field in fields(one)}
        return {name: _plain(value) for name, (value, default) in held.items() if value != default}
    return [_plain(part) for part in one] if isinstance(one, tuple) else one


def _collection(data: Mapping[str, Any]) -> Collection:
    plain = dict(data)
    for name in ("key", "derived_from", "named"):
        plain[name] = tuple(plain.get(name, ()))
    plain["unique"] = tuple(tuple(one) for one in plain.get("unique", ()))
    plain["fields"] = tuple(_field(one) for one in plain.get("fields", ()))
    plain["links"] = tuple(
        DeclaredLink(one["name"], tuple(one["fields"]), one["to"], tuple(one["to_fields"]), one.get("ownership", ""))
        for one in plain.get("links", ())
    )
    return Collection(**{**plain, **_enums(plain, kind=CollectionKind, cls=CollectionClass)})


def _field(data: Mapping[str, Any]) -> Field:
    enums = _enums(data, type=FieldType, element=FieldType, category=Category, role=Role, shape=Shape)
    asked = {"asked": tuple(data["asked"])} if "asked" in data else {}
    listed = {name: tuple(data.get(name, ())) for name in ("digests", "enum")}
    return Field(**{**data, **listed, **asked, **enums})


def _link(data: Mapping[str, Any]) -> Link:
    plain = dict(data)
    for name in ("fields", "to_fields", "without"):
        plain[name] = tuple(plain.get(name, ()))
    plain["evidence"] = tuple(Evidence(**one) for one in plain.get("evidence", ()))
    if plain.get("condition"):
        plain["condition"] = Condition(**plain["condition"])
    enums = _enums(plain, kind=LinkKind, ownership=Ownership, outward=Outward, state=LinkState)
    return Link(**{**plain, **enums})


def _enums(data: Mapping[str, Any], **kinds: Any) -> dict[str, Any]:
    return {name: kind(data[name]) for name, kind in kinds.items() if data.get(name) is not None}
