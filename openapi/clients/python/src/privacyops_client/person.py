"""Whom a question or a choice is about: a person id of the service, or what the shop knows the person by."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from privacyops_client.problems import SubjectMalformed

_ID: Final = re.compile(r"s_[0-9A-Za-z]{1,38}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An address, number or account by which the shop knows a person."""

    type: str
    value: str

    def __repr__(self) -> str:
        return f"Identifier({self.type!r}, ...)"  # an exception that ends in a log must not carry the address


Person: TypeAlias = str | Identifier
"""A person id (`s_...`, from the answer to a write), or one identifier."""


def email(address: str) -> Identifier:
    return Identifier("email", address)


def phone(number: str) -> Identifier:
    """A number in E.164 (`+4930...`), or as it is written in the brand's country."""
    return Identifier("phone", number)


def customer(number: str) -> Identifier:
    """The shop's own customer id."""
    return Identifier("customer_id", number)


def device(id_: str) -> Identifier:
    return Identifier("device_id", id_)


def require_id(person: str) -> str:
    """The id as it is. Raises: SubjectMalformed: it is none, and may be an address."""
    if not _ID.fullmatch(person):
        raise SubjectMalformed("a plain text names a person by its id (s_...); wrap others: email(...), customer(...)")
    return person


def asked_about(person: Person) -> Mapping[str, Any]:
    """The person as a check names it. Raises: SubjectMalformed."""
    if isinstance(person, Identifier):
        return {"identifier": {"type": person.type, "value": person.value}}
    return {"subject": require_id(person)}


def written_about(person: Person | Sequence[Identifier]) -> Mapping[str, Any]:
    """The person as a write names it. Raises: SubjectMalformed."""
    if isinstance(person, str):
        return {"id": require_id(person)}
    named = [person] if isinstance(person, Identifier) else person
    return {"identifiers": [{"type": one.type, "value": one.value} for one in named]}
