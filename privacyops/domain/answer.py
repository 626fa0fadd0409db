"""What an answer states: who answers, what was searched, what is withheld, and the facts of Art. 15(1) and (2).

The letter says these facts, the package lists them, the manifest seals them; so all three read them from here.
Every text is already in the answer's language.

Source: GDPR Art. 12(4), 15(1)(a)-(h), 15(2), 77, 79; refusal codes of the law catalogue.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from privacyops.kernel.clock import Instant


class Regime(StrEnum):
    """Which law the answer is given under: it selects the locked paragraphs on remedies."""

    EU = "eu"
    UK = "uk"
    US_CA = "us_ca"
    US_STATE = "us_state"


class Right(StrEnum):
    """The right as the person is told it was understood; stop rights are done at once."""

    ACCESS = "access"
    PORTABILITY = "portability"
    THIRD_PARTY_LIST = "third_party_list"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    ADM_REVIEW = "adm_review"
    OBJECTION_DIRECT_MARKETING = "objection_direct_marketing"
    CONSENT_WITHDRAWAL = "consent_withdrawal"
    OPT_OUT_SALE_SHARE = "opt_out_sale_share"
    OPT_OUT_TARGETED_ADS = "opt_out_targeted_ads"
    OPT_OUT_PROFILING = "opt_out_profiling"
    LIMIT_SENSITIVE = "limit_sensitive"


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers. `contact` is where a person is reached; `dpo` may be empty where none is appointed."""

    name: str
    address: tuple[str, ...]
    contact: str
    dpo: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """Where the person can complain: Art. 77, or the office that the state names."""

    name: str
    address: str
    url: str


@dataclass(frozen=True, slots=True)
class SearchedStore:
    """One system that was searched, with which kinds of identifier, and how many records it gave."""

    key: str
    label: str
    identifiers: tuple[str, ...]
    found: int
    at: Instant


@dataclass(frozen=True, slots=True)
class UnreachedStore:
    """A system that did not answer in time: named, with the reason in words and when the rest follows."""

    key: str
    label: str
    reason: str
    follows_on: date | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is withheld or kept: code of the law catalogue, the law, and the reason in words.

    `store` is empty where the exclusion is not about one system; `until` is the end date of kept data, of several
    records the last, and `first_until` the first where it is another.
    """

    what: str
    code: str
    reason: str
    law: str
    store: str = ""
    until: date | None = None
    first_until: date | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who received the data (CJEU C-154/21: by name where known); `safeguard` belongs to Art. 15(2)."""

    name: str
    purpose: str
    country: str
    safeguard: str = ""


@dataclass(frozen=True, slots=True)
class StoragePeriod:
    """Art. 15(1)(d): how long one kind of data is kept, or the criteria for it."""

    what: str
    period: str


@dataclass(frozen=True, slots=True)
class Art15Facts:
    """Art. 15(1)(a) purposes, (b) categories, (c) recipients, (d) storage, (g) source, (h) automated decisions.

    (e) and (f), the rights and the authority, are locked paragraphs of the letter and need no value. An empty
    `automated` says that no such decision is taken; an empty `sources` that all data came from the person.
    """

    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    storage: tuple[StoragePeriod, ...]
    sources: tuple[str, ...] = ()
    automated: tuple[str, ...] = ()

    @property
    def transfers(self) -> tuple[Recipient, ...]:
        """Recipients that are protected by a safeguard of Art. 46 (Art. 15(2))."""
        return tuple(one for one in self.recipients if one.safeguard)


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    """What was done in one system, in words: "128 records, all of them in the package"."""

    label: str
    done: str
