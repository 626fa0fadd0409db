"""Which identifiers a column's name promises, and what in it says that it holds none. General words, no schema."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, table_words


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


CARD: Final = _set(
    "creditcard cardnumber cardno ccn ccnumber ccno pan kreditkarte kartennummer cartebancaire tarjeta debitcard "
    "cardnum creditcardnumber"
)
IBAN: Final = frozenset({"iban"})
BIC: Final = frozenset({"bic", "swift", "swiftcode"})
VIN: Final = frozenset({"vin", "fahrgestellnummer", "chassisnumber"})
SSN: Final = frozenset({"ssn", "socialsecurity", "socialsecuritynumber", "socsec"})
AGE: Final = frozenset({"age", "alter", "edad", "eta", "leeftijd"})
GENDER: Final = frozenset({"gender", "sex", "geschlecht", "sexe", "sexo", "sesso", "geslacht", "anrede", "salutation"})
IP: Final = w.IP | {
    "ipv4", "ipv6", "srcip", "dstip", "srcaddr", "dstaddr", "ipaddr", "remoteaddr", "clientaddr", "sourceip",
}  # fmt: skip
LICENCE: Final = _set(
    "driverlicense driverslicense driverlicence drivinglicense drivinglicence driverlic drivinglic dllic dlnumber dlno "
    "dlnum licensenumber licencenumber licnum licno fuehrerschein fuehrerscheinnummer"
)
STREET: Final = (w.STREET - {"by", "gate", "via"}) | {"add1", "add2", "addr", "addr1", "addr2", "line1", "line2"}
CITY: Final = w.CITY - {"by", "ort"} | {"ort", "wohnort"}
OFFICE: Final = _set(
    "ceo cfo coo cto director owner advisor adviser athlete author patient manager salesperson agent "
    "contact person holder payer recipient"
)
_THINGS: Final = _set(
    "product item file image model category brand host server table column database domain event campaign shop "
    "store company order plan group role method class template theme module currency country state tax shipping "
    "payment attribute option type status code page site menu tag list display artikel produkt kategorie"
)
_COUNTERS: Final = w.NOT_A_VALUE - {"id", "valid", "confirmed", "at", "on", "date"}
_TAIL_COUNTERS: Final = frozenset({"id", "ids", "type", "at", "on", "hash", "md5", "sha1", "sha256", "digest", "token"})
_ELSEWHERE: Final = frozenset({"web", "mac", "url", "http", "wallet", "bitcoin", "crypto", "memory", "host"})


def hints(table: str, column: str) -> Mapping[str, str]:
    """Types the name promises, each with the word that does. Empty where the name says nothing or says otherwise."""
    parts = w.words(column.replace("$", "_").replace("[*]", ""))
    if not parts or parts[-1] in _TAIL_COUNTERS or any(part in _COUNTERS for part in parts):
        return {}
    said = _spoken(parts)
    found: dict[str, str] = {}
    for name, vocabulary in _STRICT:
        if hit := next((word for word in said if word in vocabulary), None):
            found[name] = hit
    found.update({name: why for name, why in _loose(table, parts, said).items() if name not in found})
    if "US_DRIVER_LICENSE" in found:
        return {"US_DRIVER_LICENSE": found["US_DRIVER_LICENSE"]}
    if found.keys() & {"EMAIL_ADDRESS", "IP_ADDRESS"} or _ELSEWHERE & set(parts):  # an address, but none of a house
        found.pop("LOCATION", None)
    if "CREDIT_CARD" in found and {"holder", "owner", "name"} & set(parts):
        return {"PERSON": "card holder"}
    return found


def _spoken(parts: tuple[str, ...]) -> list[str]:
    """Single words first, then what two and three neighbours read as one word."""
    triples = ["".join(three) for three in zip(parts, parts[1:], parts[2:], strict=False)]
    return [*parts, *("".join(pair) for pair in pairwise(parts)), *triples]


_STRICT: Final = (
    ("EMAIL_ADDRESS", w.EMAIL),
    ("IBAN_CODE", IBAN),
    ("CREDIT_CARD", CARD),
    ("SWIFT_CODE", BIC),
    ("VIN", VIN),
    ("US_SSN", SSN),
    ("IP_ADDRESS", IP),
    ("US_DRIVER_LICENSE", LICENCE),
    ("PHONE_NUMBER", w.PHONE),
    ("GENDER", GENDER),
    ("AGE", AGE),
    ("DATE_TIME", w.BIRTH),
)


def _loose(table: str, parts: tuple[str, ...], said: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, endings in (("EMAIL_ADDRESS", ("email", "mailadresse")), ("PHONE_NUMBER", ("phone", "telefon"))):
        if any(part.endswith(endings) for part in parts):
            found[name] = endings[0]
    if "dl" in parts and set(parts) & {"no", "num", "number", "lic", "license", "licence"}:
        found["US_DRIVER_LICENSE"] = "dl"
    if set(parts) & {"driver", "driving", "drivers"} and any(part.startswith("lic") for part in parts):
        found["US_DRIVER_LICENSE"] = "driver"
    place = next((word for word in said if word in STREET or word in CITY or word in w.POSTCODE), None)
    if place is not None or any(part.endswith(("strasse", "street", "address", "adresse")) for part in parts):
        found["LOCATION"] = place or "address"
    if person := _person(table, parts, said):
        found["PERSON"] = person
    return found


def _person(table: str, parts: tuple[str, ...], said: list[str]) -> str | None:
    whole = w.FIRST_NAME | w.LAST_NAME | w.FULL_NAME | {"middlename"}
    if hit := next((word for word in said if word in whole), None):
        return hit
    people = w.PERSON_TABLE | OFFICE | w.OWN
    if parts[-1] in w.NAME:
        before = parts[:-1]
        if not before:
            kinds = table_words(table)
            is_other = kinds & {TableWord.ORGANISATION, TableWord.ACTIVITY}
            return "name" if not (is_other or w.holds_any(w.words(table), _THINGS)) else None
        return "name" if w.holds_any(before, people | {"first", "last", "middle", "full"}) else None
    office = any(part in OFFICE for part in parts) and not w.holds_any(parts, _THINGS)
    return next((part for part in parts if part in OFFICE), None) if office else None
