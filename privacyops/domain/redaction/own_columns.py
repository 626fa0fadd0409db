"""Which columns of somebody's own record hold their own data: those whose name says nobody else.

The row of a customer has names and phones of others as well: `emergency_contact_name`, `partner_phone`. What a column
of another name holds is not proven to be anybody's, and stays a suggestion.
"""

from typing import Final

from privacyops.domain.classification import words as w


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN: Final = _set(
    "first last given family middle full display real legal birth e my own self home house work office business "
    "private personal mobile main primary preferred default day daytime evening line second extra alternative post "
    "postal mailing residence residential invoice area dial code prefix haus wohn privat rechnung rechnungs "
    "geschaeftlich dienstlich mobil festnetz"
)
_NOT_OWN: Final = _set("from sender author passenger guest tenant student owner holder")
_HELD: Final = (
    w.FIRST_NAME | w.LAST_NAME | w.FULL_NAME | w.NAME | w.PHONE | w.STREET | w.CITY | w.STATE | w.POSTCODE | w.COUNTRY
    | w.NUMBER
) - {"contactname", "ansprechpartner"}  # fmt: skip
_SAID: Final = (_HELD | _PLAIN | w.OWN) - _NOT_OWN
_GLUED: Final = ("rechnungs", "wohn", "haus", "privat", "kunden", "home", "billing", "customer", "user")


def is_own(collection: str, column: str) -> bool:
    """Whether each word of the column's name says what it holds, or that it is of whom the record is about."""
    table = {w.stem(part) for part in w.words(collection)}
    return all(part.isdigit() or w.stem(part) in table or _is_said(part) for part in w.words(column.replace("$", "_")))


def _is_said(part: str) -> bool:
    return part in _SAID or any(part.startswith(one) and part[len(one) :] in _SAID for one in _GLUED)
