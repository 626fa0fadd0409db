"""Whom a choice belongs to: the identifiers a shop knows a person or device by, each in one normal form."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.phone import e164, is_phone
from privacyops.kernel.errors import Conflict, NotFound, Unprocessable
from privacyops.kernel.record import record

MAX_VALUE: Final = 254
_NUMBER: Final = re.compile(r"[+(\s\d][\d\s()./-]{5,}")


class IdentifierMalformed(Unprocessable):
    """The member `type` says which identifier; the value is never repeated."""

    type = "/problems/identifier-malformed"
    title = "An identifier is not what its type says"


class IdentityConflict(Conflict):
    type = "/problems/identity-conflict"
    title = "The identifiers belong to different people"


class SubjectUnknown(NotFound):
    type = "/problems/subject-unknown"
    title = "Nobody is known under this id"


class IdentifierType(StrEnum):
    """What a person or device is known by. DEVICE_ID and PUSH_TOKEN alone make an anonymous subject."""

    CUSTOMER_ID = "customer_id"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device_id"
    PUSH_TOKEN = "push_token"  # noqa: S105 - the name of a kind of identifier


def is_contact(text: str) -> bool:
    """Whether this has the form of an address or a telephone number, so that it must not stand where an id belongs."""
    return "@" in text or _NUMBER.fullmatch(text) is not None


ANONYMOUS: Final = frozenset({IdentifierType.DEVICE_ID, IdentifierType.PUSH_TOKEN})

CONTACT_OF_CHANNEL: Final[Mapping[str, IdentifierType]] = {
    "email": IdentifierType.EMAIL,
    "sms": IdentifierType.PHONE,
    "phone": IdentifierType.PHONE,
    "messenger": IdentifierType.PHONE,
    "push": IdentifierType.PUSH_TOKEN,
    "web": IdentifierType.DEVICE_ID,
}
"""The identifier that a choice over a channel is bound to; the post goes to whoever the customer is."""


@record(frozen=True, slots=True, repr=False)
class SubjectIdentifier:
    """One identifier in its normal form. `repr` shows no value: identifiers pass through code that logs."""

    type: IdentifierType
    value: str

    def __repr__(self) -> str:
        return f"SubjectIdentifier({self.type.value})"

    @classmethod
    def of(cls, type_: IdentifierType, text: str, phone_region: str | None = None) -> "SubjectIdentifier":
        """The normal form: an address in lower case with its domain as A-label, a number in E.164.

        Dots and plus tags stay: two addresses that differ by them are two contacts. `phone_region` (ISO 3166) reads
        numbers without a country code. Raises: IdentifierMalformed.
        """
        value: str | None = text.strip()
        if type_ is IdentifierType.EMAIL:
            value = normal_email(text)
        elif type_ is IdentifierType.PHONE:
            value = e164(text, phone_region) if is_phone(text, phone_region) else None
        if not value or len(value) > MAX_VALUE or not value.isprintable():
            raise IdentifierMalformed(type=type_.value)
        return cls(type_, value)
