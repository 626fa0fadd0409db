"""Signed tokens where no issuer is trusted: each is refused, and no cryptography is loaded for it."""

from typing import NoReturn

from privacyops.kernel.clock import Instant
from privacyops.ports.tokens import Seen, TokenRefused


class NoIssuers:
    """TokenVerifier that knows nobody."""

    def shop_session(self, raw: bytes, now: Instant, seen: Seen) -> NoReturn:
        raise TokenRefused

    def staff_identity(self, raw: bytes, now: Instant, nonce: str, access_token: str | None = None) -> NoReturn:
        raise TokenRefused
