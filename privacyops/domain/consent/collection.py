"""A collection point: a registered form, till, checkout or banner, and what may be written through it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.consent.state import Method
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

MOST_PURPOSES: Final = 20
MOST_ORIGINS: Final = 20
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ORIGIN: Final = re.compile(
    r"https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?|http://(localhost|127\.0\.0\.1)(:[1-9][0-9]{0,4})?"
)


class CollectionPointMalformed(Unprocessable):
    type = "/problems/collection-point-malformed"
    title = "This is not a collection point; the detail names the rule"


class PointKind(StrEnum):
    """What it is. BANNER keeps anonymous proof: a random consent id and the choices, nothing else of the visitor."""

    FORM = "form"
    CHECKOUT = "checkout"
    TILL = "till"
    BANNER = "banner"


METHOD_OF: Final = {
    PointKind.FORM: Method.FORM,
    PointKind.CHECKOUT: Method.CHECKOUT_CHECKBOX,
    PointKind.TILL: Method.IN_PERSON,
    PointKind.BANNER: Method.BANNER,
}
"""How a choice made there was expressed: said by the registration, never by the page."""


class PointClock(StrEnum):
    """Whose clock a claimed time comes from: one that is kept right, a visitor's, or that of a device which hands its
    records over later (grants up to 30 days old)."""

    TRUSTED = "trusted"
    CLIENT = "client"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class PointTerms:
    """What a point may write, as its owner registers it. `origins` are exact (`https://shop.example`); a point without
    one is a device or a server, and no page may use it.

    Raises: CollectionPointMalformed.
    """

    kind: PointKind
    brand: str
    origins: tuple[str, ...]
    purposes: tuple[str, ...]
    notice_id: str
    notice_version: int
    clock: PointClock = PointClock.CLIENT

    def __post_init__(self) -> None:
        broken = _broken_rule(self)
        if broken:
            raise CollectionPointMalformed(broken)

    @property
    def method(self) -> Method:
        return METHOD_OF[self.kind]

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing but a random consent id is kept of the visitor."""
        return self.kind is PointKind.BANNER


@dataclass(frozen=True, slots=True)
class CollectionPoint:
    """A registered point. `version` grows with each change of its terms; tokens of an older one have ended.

    It is disabled, never deleted: its ids of events stay used for ever.
    """

    id: UUID
    key: str
    terms: PointTerms
    is_enabled: bool
    version: int
    created_at: Instant

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise CollectionPointMalformed("a key is small letters, digits, dashes and underscores")


def _broken_rule(terms: PointTerms) -> str | None:
    if not 1 <= len(set(terms.purposes)) == len(terms.purposes) <= MOST_PURPOSES:
        return f"a point names 1 to {MOST_PURPOSES} purposes, each once"
    if len(set(terms.origins)) != len(terms.origins) or len(terms.origins) > MOST_ORIGINS:
        return f"a point names at most {MOST_ORIGINS} origins, each once"
    if not all(_ORIGIN.fullmatch(origin) for origin in terms.origins):
        return "an origin is https://host or https://host:port in small letters, without a path"
    if terms.kind is PointKind.BANNER and not terms.origins:
        return "a banner stands on a page: name its origins"
    if terms.origins and terms.clock is PointClock.TRUSTED:
        return "the clock of a page is its visitor's: trusted is for devices and servers without an origin"
    return None
