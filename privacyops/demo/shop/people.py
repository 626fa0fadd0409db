"""Customers and guests of the demo shop: the hand-written cast among some twelve hundred drawn ones."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from privacyops.demo.shop.cast import CAST, Role
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.names import BY_CODE, COUNTRIES, MAIL_DOMAINS, Country

CUSTOMERS: Final = 1200
GUESTS: Final = 160
_SPELT_OUT: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "ł": "l"}
)


@dataclass(frozen=True, slots=True)
class Address:
    address_id: int
    kind: str
    recipient: str
    street: str
    postcode: str
    town: str
    country: str

    @property
    def one_line(self) -> str:
        return f"{self.street}, {self.postcode} {self.town}, {self.country}"


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, or a guest when `customer_id` is None. `joined` counts days before today."""

    key: str
    customer_id: int | None
    given: str
    family: str
    country: Country
    email: str
    former_email: str | None
    phone: str | None
    addresses: tuple[Address, ...]
    joined: int
    orders: int

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def customer_no(self) -> str | None:
        return None if self.customer_id is None else f"K-{self.customer_id}"

    @property
    def home(self) -> Address:
        return self.addresses[0]


def mail_name(text: str) -> str:
    """`text` as people write it in a mail address: accents off, umlauts spelt out, no blanks."""
    spelt = unicodedata.normalize("NFD", text.lower().translate(_SPELT_OUT))
    return "".join(letter for letter in spelt if letter.isascii() and letter.isalnum())


def people(dice: Dice) -> tuple[Person, ...]:
    """All customers in order of their number, then all guests. The cast stands at fixed places among them."""
    drawn = dice.weighted(COUNTRIES, [country.weight for country in COUNTRIES], CUSTOMERS + GUESTS)
    members = {17 + 71 * at: role for at, role in enumerate(role for role in CAST if not role.guest)}
    guests = [role for role in CAST if role.guest]
    crowd = _Crowd(dice)
    result = [
        crowd.from_cast(members[at], 10_001 + at) if at in members else crowd.drawn(drawn[at], 10_001 + at)
        for at in range(CUSTOMERS)
    ]
    result += [crowd.from_cast(role, None) for role in guests]
    result += [crowd.drawn(country, None) for country in drawn[CUSTOMERS : CUSTOMERS + GUESTS - len(guests)]]
    return tuple(result)


class _Crowd:
    """Draws people so that no mail address comes twice and address numbers run on."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._taken = {mail for role in CAST for mail in (role.email, role.former_email) if mail}
        self._last_address = 0
        self._last: Person | None = None

    def from_cast(self, role: Role, customer_id: int | None) -> Person:
        country = BY_CODE[role.country]
        home = self._address("billing", f"{role.given} {role.family}", role.street, role.town, country.code)
        addresses = [home]
        if role.orders > 5:  # regular customers of the cast also have parcels sent to their office
            addresses.append(
                self._address("shipping", f"{role.given} {role.family}", *self._place(country), country.code)
            )
        return Person(
            key=role.key,
            customer_id=customer_id,
            given=role.given,
            family=role.family,
            country=country,
            email=role.email,
            former_email=role.former_email,
            phone=role.phone or self._dice.phone(country.phones),
            addresses=tuple(addresses),
            joined=self._dice.between(620, 820),
            orders=role.orders,
        )

    def drawn(self, country: Country, customer_id: int | None) -> Person:
        dice = self._dice
        given = dice.pick(country.women if dice.chance(0.56) else country.men)
        family = dice.pick(country.families)
        phone = dice.phone(country.phones) if dice.chance(0.82) else None
        street, town = self._place(country)
        if self._last and self._last.country is country and customer_id and dice.chance(0.12):
            # households: the next customer moves in with the one before and has the same telephone
            family, phone = self._last.family, self._last.phone
            street, town = self._last.home.street, f"{self._last.home.postcode}|{self._last.home.town}"
        addresses = [self._address("billing", f"{given} {family}", street, town, country.code)]
        if dice.chance(0.38):
            recipient = (
                f"{given} {family}" if dice.chance(0.7) else f"{dice.pick(country.men)} {dice.pick(country.families)}"
            )
            addresses.append(self._address("shipping", recipient, *self._place(country), country.code))
        joined = dice.between(3, 900)
        person = Person(
            key="",
            customer_id=customer_id,
            given=given,
            family=family,
            country=country,
            email=self._mail(given, family),
            former_email=self._mail(given, family) if joined > 400 and dice.chance(0.05) else None,
            phone=phone,
            addresses=tuple(addresses),
            joined=joined,
            orders=0,
        )
        self._last = person
        return person

    def _mail(self, given: str, family: str) -> str:
        first, last, dice = mail_name(given), mail_name(family), self._dice
        while True:
            local = dice.pick(
                (f"{first}.{last}", f"{first[0]}.{last}", f"{first}{last}", f"{last}.{first}", f"{first}_{last}")
            )
            if dice.chance(0.3):
                local += str(dice.between(2, 99))
            mail = f"{local}@{dice.pick(MAIL_DOMAINS)}"
            if mail not in self._taken:
                self._taken.add(mail)
                return mail

    def _place(self, country: Country) -> tuple[str, str]:
        number, street = self._dice.between(1, 120), self._dice.pick(country.streets)
        return (f"{number} {street}" if country.number_first else f"{street} {number}"), self._dice.pick(country.towns)

    def _address(self, kind: str, recipient: str, street: str, town: str, country: str) -> Address:
        self._last_address += 1
        postcode, _, name = town.partition("|")
        return Address(self._last_address, kind, recipient, street, postcode, name, country)
