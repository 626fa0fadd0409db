"""Signed tokens of others: the shop's session token for a customer, the identity provider's token for staff."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unauthenticated

Seen: TypeAlias = Callable[[str, Instant], bool]
"""Remembers a token's fingerprint until an instant, in one atomic step; True if it was already there."""


class TokenRefused(Unauthenticated):
    """Never says why: a caller who may know reads the issuer's entry, a caller who forges learns nothing."""

    type = "/problems/token-refused"
    title = "The token is not valid here"


@dataclass(frozen=True, slots=True)
class ShopSession:
    """A customer as the shop's own login vouches for, identity level 1."""

    issuer: str
    controller: str
    subject: str = field(repr=False)
    email: str | None = field(repr=False)
    email_verified: bool
    issued_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class StaffIdentity:
    """A member of staff as the identity provider vouches for; `groups` are mapped to roles by a table."""

    issuer: str
    subject: str = field(repr=False)
    email: str | None = field(repr=False)
    groups: tuple[str, ...]
    acr: str | None
    amr: tuple[str, ...]
    issued_at: Instant
    expires_at: Instant


class TokenVerifier(Protocol):
    """Checks signed tokens. An issuer serves shops or staff, never both."""

    def shop_session(self, raw: bytes, now: Instant, seen: Seen) -> ShopSession:
        """The customer behind a shop session token, accepted once.

        `seen` is asked last and with a fingerprint, never with the token; what it raises passes through.

        Raises: TokenRefused, and nothing else of its own.
        """
        ...

    def staff_identity(self, raw: bytes, now: Instant, nonce: str, access_token: str | None = None) -> StaffIdentity:
        """The member of staff behind an ID token that answers the login which sent `nonce`.

        Raises: TokenRefused, and nothing else.
        """
        ...
