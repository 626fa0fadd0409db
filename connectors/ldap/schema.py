"""What the directory says about its classes and attributes, in the words of the contract."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ldap3.protocol.formatters.formatters import format_time

from privacyops.connector_sdk import Field, FieldType, Value

DN: Final = "dn"
NEVER_READ: Final = frozenset({"userpassword", "unicodepwd", "authpassword", "sambantpassword", "sambalmpassword"})
"""Hashes of passwords are nothing that is handed over; they go with the entry."""
_DN_SYNTAXES: Final = frozenset({"1.3.6.1.4.1.1466.115.121.1.12", "1.3.6.1.4.1.1466.115.121.1.34"})
_TYPES: Final[Mapping[str, FieldType]] = {
    "1.3.6.1.4.1.1466.115.121.1.7": FieldType.BOOLEAN,
    "1.3.6.1.4.1.1466.115.121.1.27": FieldType.INTEGER,
    "1.3.6.1.4.1.1466.115.121.1.24": FieldType.INSTANT,
    "1.3.6.1.4.1.1466.115.121.1.53": FieldType.INSTANT,
    "1.3.6.1.4.1.1466.115.121.1.40": FieldType.BINARY,
    "1.3.6.1.4.1.1466.115.121.1.5": FieldType.BINARY,
    "1.3.6.1.4.1.1466.115.121.1.28": FieldType.BINARY,
    "1.3.6.1.4.1.1466.115.121.1.8": FieldType.BINARY,
    "1.3.6.1.4.1.1466.115.121.1.23": FieldType.BINARY,
    "2.5.5.10": FieldType.BINARY,
}
_FOLDING: Final = frozenset({"caseignorematch", "caseignoreia5match", "telephonenumbermatch"})
_EXACT: Final = frozenset({"caseexactmatch", "caseexactia5match"})


class Directory:
    """The published schema, with the operator's own names for attributes."""

    def __init__(self, schema: Any, names: Mapping[str, str]) -> None:  # ldap3 has no types
        self._classes, self._attributes = schema.object_classes, schema.attribute_types
        self._named = dict(names)
        self._back = {attribute.lower(): name for name, attribute in names.items()}

    def attribute_of(self, field: str) -> str | None:
        """The attribute behind a field, or None: there is none."""
        attribute = self._named.get(field, field)
        return attribute if attribute in self._attributes else None

    def field_of(self, attribute: str) -> str:
        """The field of an attribute, whatever options (`;lang-de`) it comes with."""
        plain = attribute.partition(";")[0]
        if plain.lower() in self._back:
            return self._back[plain.lower()]
        known = self._attributes.get(plain)
        for alias in known.name if known is not None else ():
            if alias.lower() in self._back:
                return self._back[alias.lower()]
        return str(known.name[0]) if known is not None and known.name else plain

    def is_structural(self, name: str) -> bool:
        return name in self._classes and _is_structural(self._classes[name])

    def most_specific(self, classes: Iterable[str]) -> str | None:
        """The structural class of an entry: the one that none of its others descends from."""
        structural = [name for name in classes if self.is_structural(name)]
        parents = {parent.lower() for name in structural for parent in self._line(name)[1:]}
        left = [name for name in structural if name.lower() not in parents]
        return str(self._classes[left[0]].name[0]) if left else None

    def exactly(self, name: str) -> str:
        """A filter for the entries of this class that belong to no class below it."""
        below = [
            each.name[0]
            for key, each in self._classes.items()
            if _is_structural(each) and name.lower() in {parent.lower() for parent in each.superior or ()}
        ]
        excluded = "".join(f"(!(objectClass={each}))" for each in sorted(set(below)))
        return f"(&(objectClass={name}){excluded})" if excluded else f"(objectClass={name})"

    def fields(self, classes: Iterable[str]) -> tuple[Field, ...]:
        """Everything that entries of these classes may hold, `dn` first."""
        must: set[str] = set()
        may: set[str] = set()
        for name in classes:
            for each in self._line(name):
                must |= {self.field_of(attribute) for attribute in self._classes[each].must_contain or ()}
                may |= {self.field_of(attribute) for attribute in self._classes[each].may_contain or ()}
        found = [self.field(name, is_required=name in must) for name in sorted(must | may)]
        key = Field(DN, FieldType.TEXT, "distinguished name", nullable=False, unique=True, indexed=True)
        return (key, *(field for field in found if field is not None))

    def field(self, name: str, *, is_required: bool = False) -> Field | None:
        """None: no such attribute, or one that is never read."""
        attribute = self.attribute_of(name)
        if attribute is None or name.lower() in NEVER_READ or attribute.lower() in NEVER_READ:
            return None
        kind, single = self.type_of(attribute), self.is_single(attribute)
        return Field(
            name,
            kind if single else FieldType.ARRAY,
            attribute,
            nullable=not is_required,
            case_insensitive=self._trait(attribute, "equality").lower() in _FOLDING,
            element=None if single else kind,
        )

    def type_of(self, attribute: str) -> FieldType:
        return _TYPES.get(self._trait(attribute, "syntax").partition("{")[0], FieldType.TEXT)

    def is_single(self, attribute: str) -> bool:
        return attribute in self._attributes and bool(self._attributes[attribute].single_value)

    def is_link(self, attribute: str) -> bool:
        return self._trait(attribute, "syntax").partition("{")[0] in _DN_SYNTAXES

    def link_attributes(self) -> list[str]:
        """Attributes of users that hold the name of another entry."""
        return sorted({each.name[0] for _, each in self._attributes.items() if each.name and self._is_own_link(each)})

    def folds(self, attribute: str) -> bool | None:
        """Whether the server compares this attribute without regard to case; None: do not ask it."""
        rule = self._trait(attribute, "equality").lower()
        return True if rule in _FOLDING else False if rule in _EXACT else None

    def value(self, attribute: str, values: Iterable[bytes]) -> Value:
        """The values of an attribute: one, or several in an order of their own, since a directory promises none."""
        kind = self.type_of(attribute)
        if self.is_single(attribute):
            return next((_decoded(kind, each) for each in values), None)
        return tuple(_decoded(kind, each) for each in sorted(values))

    def values(self, held: Mapping[str, list[bytes]]) -> dict[str, Value]:
        """A row's cells by field; the variants of an attribute in several languages are one cell."""
        merged: dict[str, list[bytes]] = {}
        attributes: dict[str, str] = {}
        for attribute, values in held.items():
            plain = attribute.partition(";")[0]
            name = self.field_of(plain)
            if plain.lower() not in NEVER_READ:
                attributes.setdefault(name, plain)
                merged.setdefault(name, []).extend(values)
        return {name: self.value(attributes[name], values) for name, values in merged.items() if values}

    # --- inside ---------------------------------------------------------------------------------------------

    def _line(self, name: str) -> list[str]:
        """The class and all it descends from."""
        line, todo = [], [name]
        while todo:
            each = todo.pop(0)
            if each in self._classes and each not in line:
                line.append(each)
                todo.extend(self._classes[each].superior or ())
        return line

    def _trait(self, attribute: str, trait: str) -> str:
        """`syntax` or `equality`, its own or inherited."""
        return next((found for each in self._ancestors(attribute) if (found := _first(getattr(each, trait)))), "")

    def _ancestors(self, attribute: str) -> Iterator[Any]:
        seen: set[str] = set()
        while attribute in self._attributes and attribute.lower() not in seen:
            seen.add(attribute.lower())
            each = self._attributes[attribute]
            yield each
            attribute = _first(each.superior)

    def _is_own_link(self, each: Any) -> bool:
        return not each.usage and not each.no_user_modification and self.is_link(each.name[0])


def _is_structural(each: Any) -> bool:
    """A class that does not say is structural (RFC 4512, 4.1.1)."""
    return str(each.kind or "structural").lower() == "structural"


def _first(value: Any) -> str:
    if isinstance(value, list | tuple):
        return str(value[0]) if value else ""
    return str(value) if value else ""


@lru_cache(maxsize=1024)
def _instant(raw: bytes) -> datetime | str:
    found = format_time(raw)
    return found if isinstance(found, datetime) else raw.decode("utf-8", "replace")


def _decoded(kind: FieldType, raw: bytes) -> Value:
    if kind is FieldType.BINARY:
        return raw
    text = raw.decode("utf-8", "replace")
    if kind is FieldType.INTEGER:
        return int(text) if text.lstrip("-").isdecimal() else text
    if kind is FieldType.BOOLEAN:
        return {"TRUE": True, "FALSE": False}.get(text, text)
    return _instant(raw) if kind is FieldType.INSTANT else text
