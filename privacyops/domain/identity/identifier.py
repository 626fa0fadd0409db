"""What names a person, and how far it may be trusted.

Four tiers decide what a match may do: a VERIFIED or STRONG identifier is followed, a PROBABLE one makes a
candidate that a person confirms, a WEAK one never counts alone.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Final

from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.person_name import fold_name
from privacyops.domain.identity.phone import phone_digits

NORMAL_FORM: Final = "normal_v1"
"""The version of the normal forms; after a change both versions are searched."""


class IdentifierKind(StrEnum):
    """COLUMN is a value of one named column (`orders.number=R-17`); `Identifier.at` holds the name."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    CUSTOMER_ID = "customer_id"
    LOGIN = "login"
    ORDER_NUMBER = "order_number"
    COLUMN = "column"


class Tier(IntEnum):
    """How well an identifier or an edge is proven; smaller is better."""

    VERIFIED = 1
    STRONG = 2
    PROBABLE = 3
    WEAK = 4


@dataclass(frozen=True, repr=False)
class Identifier:
    """One identifier of the subject. `origin` says where it comes from: `given`, or `collection.field`.

    `repr` shows no value: identifiers pass through code that logs.
    """

    kind: IdentifierKind
    value: str
    tier: Tier = Tier.VERIFIED
    origin: str = "given"
    at: str = ""

    @cached_property
    def normal(self) -> str:
        """The value in `normal_v1`; two identifiers of a kind with one normal form are the same."""
        if self.kind is IdentifierKind.EMAIL:
            return normal_email(self.value) or self.value.strip().lower()
        if self.kind is IdentifierKind.PHONE:
            return phone_digits(self.value)
        if self.kind is IdentifierKind.NAME:
            return " ".join(fold_name(self.value))
        return self.value.strip()

    def __repr__(self) -> str:
        return f"Identifier({self.kind.value}, tier {self.tier.name.lower()}, from {self.origin})"
