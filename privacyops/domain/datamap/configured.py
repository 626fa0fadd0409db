"""What an operator wrote of a store: classes, identity columns and links. It outranks whatever was inferred.

collections:
  members: {class: person, identity: {email: mail, name: full_name}}
  bills: {class: activity, retain: invoice}
links:
  - {from: orders.member, to: members.id, ownership: owned, except: [0]}
  - {from: tickets.sender, to: identity.email, ownership: owned}
  - {from: notes.ref, to: orders.id, kind: polymorphic, when: {ref_type: order}, ownership: owned}
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from privacyops.domain.catalog.refusals_retention import TERMS
from privacyops.domain.datamap.build import DataMap, settle
from privacyops.domain.datamap.catalogue import (
    AMOUNTS,
    Category,
    Collection,
    CollectionClass,
    Field,
    FieldType,
    Role,
    Shape,
)
from privacyops.domain.datamap.link import (
    IDENTITY,
    Condition,
    Evidence,
    Link,
    LinkKind,
    LinkState,
    Outward,
    Ownership,
)
from privacyops.domain.datamap.pairs import pair_of
from privacyops.domain.datamap.values import value_link
from privacyops.kernel.errors import Unprocessable

_IDENTITY: Final = {
    "email": Category.EMAIL,
    "phone": Category.PHONE,
    "name": Category.FULL_NAME,
    "username": Category.LOGIN,
    "login": Category.LOGIN,
    "customer_id": Category.CUSTOMER_NUMBER,
}
_SETTLED: Final = frozenset({LinkKind.CONFIGURED, LinkKind.NAMED_VALUE})
_KEYS: Final = frozenset({"map", "detect", "collections", "links", "repeats", "decisions"})
_SAID_KEYS: Final = frozenset({"class", "identity", "text", "retain", "retain_if"})
_LINK_KEYS: Final = frozenset({"from", "to", "kind", "ownership", "when", "except", "outward"})


class MapMalformed(Unprocessable):
    """The map file names something that does not exist or says something that no map can say."""

    type = "/problems/data-map-malformed"
    title = "The map of the store cannot be applied"


def apply_map(drawn: DataMap, written: Mapping[str, Any], reason: str = "written by the operator") -> DataMap:
    """The map with the classes, identity columns and links of a file in place of those inferred; `reason` is their
    evidence.

    Raises: MapMalformed: an unknown key, collection, field, class or ownership, named in the text.
    """
    unknown = set(written) - _KEYS
    if unknown:
        raise MapMalformed(f"unknown key {sorted(unknown)[0]}; known are {', '.join(sorted(_KEYS))}")
    collections = dict(drawn.by_name)
    fixed: list[str] = []
    for name, said in (written.get("collections") or {}).items():
        if name not in collections:
            raise MapMalformed(f"no collection {name} in this store")
        collections[name] = _said(collections[name], said or {})
        if said and "class" in said:
            fixed.append(name)
    listed = written.get("links") or ()
    if not all(isinstance(one, Mapping) for one in listed):
        raise MapMalformed("a link is a mapping with from and to")
    links = [_link(one, collections, reason) for one in listed]
    for one in links:
        if one.to == IDENTITY:
            collections[one.collection] = _speaking(collections[one.collection], one)
    replaced = {(link.collection, link.fields) for link in links}
    kept = [
        link for link in drawn.links if (link.collection, link.fields) not in replaced and link.collection not in fixed
    ]
    others = [link for link in drawn.links if link.collection in fixed and not link.by_value]
    others = [link for link in others if (link.collection, link.fields) not in replaced]
    valued = [
        link
        for name in fixed
        for field in collections[name].fields
        if (link := value_link(name, field)) is not None and (name, link.fields) not in replaced
    ]
    open_links = [
        link
        if link.by_value or link.kind in _SETTLED  # what an earlier map said stands until this one says else
        else replace(link, ownership=Ownership.UNDECIDED, outward=Outward.NO, owner=False)
        for link in (*kept, *others)
    ]
    return settle(DataMap(drawn.store, tuple(collections.values()), (*open_links, *valued, *links)), fixed)


def _said(one: Collection, said: Mapping[str, Any]) -> Collection:
    unknown = set(said) - _SAID_KEYS
    if unknown:
        raise MapMalformed(f"{one.name}: unknown key {sorted(unknown)[0]}; known are {', '.join(sorted(_SAID_KEYS))}")
    retain = said.get("retain", one.retain)
    if retain and retain not in TERMS:
        raise MapMalformed(f"{one.name}: retain knows {', '.join(sorted(TERMS))}")
    retain_if = said.get("retain_if", one.retain_if if "retain" not in said else "")
    if retain_if and (retain_if != AMOUNTS or not retain):
        raise MapMalformed(f"{one.name}: retain_if knows {AMOUNTS}, and stands beside retain")
    fields = {field.path: field for field in one.fields}
    for kind, paths in (said.get("identity") or {}).items():
        if kind not in _IDENTITY:
            raise MapMalformed(f"{one.name}: identity {kind} is not known")
        for at, path in enumerate(paths if isinstance(paths, list) else [paths]):
            category = _IDENTITY[kind]
            if kind == "name" and isinstance(paths, list) and len(paths) == 2:
                category = (Category.FIRST_NAME, Category.LAST_NAME)[at]
            fields[path] = replace(fields[_known(one, path)], category=category)
    for path in said.get("text") or ():
        fields[path] = replace(fields[_known(one, path)], shape=Shape.FREE_TEXT)
    cls = one.cls
    if "class" in said:
        try:
            cls = CollectionClass(said["class"])
        except ValueError:
            raise MapMalformed(f"{one.name}: class {said['class']} is not known") from None
    return replace(one, fields=tuple(fields.values()), cls=cls, retain=retain, retain_if=retain_if)


def _speaking(one: Collection, link: Link) -> Collection:
    """The collection with what a column of contact data says of its row: a `to` may be the person the row is about."""
    role = {Ownership.OWNED: Role.NEUTRAL, Ownership.POINTER: Role.POINT}.get(link.ownership)
    path = link.fields[0]
    if pair_of(path) is not None and one.field(path) is None:
        named = Field(path, FieldType.TEXT, category=_IDENTITY[link.to_fields[0]], virtual=True)
        one = replace(one, fields=(*one.fields, named))
    fields = (
        replace(field, role=role)
        if role is not None and field.path in link.fields and (role is Role.POINT or field.role is not Role.OWN)
        else field
        for field in one.fields
    )
    return replace(one, fields=tuple(fields))


def _known(one: Collection, path: str) -> str:
    pair = pair_of(path)
    if pair is not None:
        _known(one, pair.value)
        _known(one, pair.name)
    elif one.field(path) is None:
        raise MapMalformed(f"no field {path} in {one.name}")
    return path


def _link(said: Mapping[str, Any], collections: Mapping[str, Collection], reason: str) -> Link:
    if not {"from", "to"} <= set(said) or set(said) - _LINK_KEYS:
        raise MapMalformed("a link has from and to, and may have ownership, kind, when, except, outward")
    name, fields = _end(said["from"], collections)
    to, to_fields = _end(said["to"], collections)
    if len(fields) != len(to_fields):
        raise MapMalformed(f"{said['from']}: both ends need as many fields")
    try:
        ownership = Ownership(said.get("ownership", "owned"))
        outward = Outward(said.get("outward", "no"))
    except ValueError:
        raise MapMalformed(f"{said['from']}: ownership is owned, pointer, shared or context") from None
    when = said.get("when") or {}
    condition = next((Condition(field, str(value)) for field, value in when.items()), None)
    field = collections[name].field(fields[0])
    return Link(
        name,
        fields,
        to,
        to_fields,
        LinkKind.CONFIGURED,
        ownership,
        outward,
        owner=ownership is Ownership.OWNED and to != IDENTITY and _is_person(collections, to),
        element=_holds_several(field),
        condition=condition,
        without=tuple(str(value) for value in said.get("except") or ()),
        evidence=(Evidence(reason, 1.0),),
        confidence=1.0,
        state=LinkState.CONFIRMED,
    )


def _is_person(collections: Mapping[str, Collection], name: str) -> bool:
    return collections[name].cls is CollectionClass.PERSON


def _holds_several(field: Field | None) -> bool:
    return field is not None and (field.type.value == "array" or "[*]" in field.path)


def _end(text: str, collections: Mapping[str, Collection]) -> tuple[str, tuple[str, ...]]:
    """`orders.customer_id` or `orders.(tenant,number)`; the longest collection name that fits wins."""
    if text.startswith(f"{IDENTITY}."):
        kind = text.partition(".")[2]
        if kind not in _IDENTITY:
            raise MapMalformed(f"identity {kind} is not known")
        return IDENTITY, (kind,)
    fits: Sequence[str] = [name for name in collections if text.startswith(f"{name}.")]
    if not fits:
        raise MapMalformed(f"no collection for {text}")
    name = max(fits, key=len)
    rest = text[len(name) + 1 :].strip("()")
    fields = tuple(part.strip() for part in rest.split(",")) if "," in rest else (rest,)
    return name, tuple(_known(collections[name], path) for path in fields)
