"""Types of identifiers by Presidio's names, which of them a profile looks for, and from which score on."""

from collections.abc import Collection
from typing import Final

from privacyops.domain.detection.span import Profile

PERSON: Final = "PERSON"
LOCATION: Final = "LOCATION"
EMAIL_ADDRESS: Final = "EMAIL_ADDRESS"
PHONE_NUMBER: Final = "PHONE_NUMBER"
CREDIT_CARD: Final = "CREDIT_CARD"
IBAN_CODE: Final = "IBAN_CODE"
IP_ADDRESS: Final = "IP_ADDRESS"
US_SSN: Final = "US_SSN"
US_BANK_NUMBER: Final = "US_BANK_NUMBER"

BASE: Final = (PERSON, LOCATION, EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, IBAN_CODE, IP_ADDRESS, US_SSN)
NAMED: Final = frozenset({PERSON, LOCATION})
"""Types that only a model or a rule about addresses finds: no pattern tells a name from a word."""

NATIONAL_IDS: Final = {
    "US": ("US_ITIN",),
    "GB": ("UK_NINO", "UK_NHS"),
    "ES": ("ES_NIF", "ES_NIE"),
    "IT": ("IT_FISCAL_CODE",),
    "DE": ("DE_TAX_ID",),
    "PL": ("PL_PESEL",),
    "SE": ("SE_PERSONNUMMER",),
    "FI": ("FI_PERSONAL_IDENTITY_CODE",),
}
"""Numbers that states give to people, by the country (ISO 3166-1) whose customers have them."""

STRUCTURED: Final = (EMAIL_ADDRESS, IBAN_CODE, CREDIT_CARD, IP_ADDRESS, PHONE_NUMBER)
"""What a single cell value says of itself; anything else needs the column's name beside it."""

_NATIONAL: Final = 0.35
_FROM: Final = {
    PHONE_NUMBER: 0.35,  # Presidio gives every phone a flat 0.4
    CREDIT_CARD: 0.5,
    IBAN_CODE: 0.5,
    EMAIL_ADDRESS: 0.5,
    IP_ADDRESS: 0.6,
    PERSON: 0.5,
    LOCATION: 0.5,
}


def entities_of(profile: Profile, countries: Collection[str]) -> tuple[str, ...]:
    """The types that a profile looks for where customers live in these countries. PLAIN: empty, which means all."""
    if profile is Profile.PLAIN:
        return ()
    if profile is Profile.STRUCTURED:
        return STRUCTURED
    return BASE + tuple(name for country in sorted(countries) for name in NATIONAL_IDS.get(country, ()))


def least_score(entity: str) -> float:
    """From which score on a span of this type counts. Never 0: Presidio returns hits of 0.01."""
    return _FROM.get(entity, _NATIONAL)
