"""The only place that knows python-jose: one strict door for signed tokens of shops and identity providers.

The library alone accepts a public key as a shared secret, a missing audience, an expiry in ten years, several
spellings of one token and more. Everything it leaves open is decided here, before or after it checks the
signature; every one of those attacks is a test. Sources: RFC 7519, RFC 8725, OpenID Connect Core section 3.1.3.7.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NoReturn

from jose import jwt  # noqa: TID251 - the one module that may

from privacyops.adapters.token_keys import ALGORITHMS, KeySource
from privacyops.kernel.clock import Instant
from privacyops.ports.tokens import Seen, ShopSession, StaffIdentity, TokenRefused

LARGEST_TOKEN_BYTES: Final = 8192
SHOP_TYPE: Final = "shop-session+jwt"
SHOP_MAX_LIFE: Final = timedelta(minutes=5)
LEEWAY_S: Final = 30
_SHAPE: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SHOP_HEADER: Final = {"alg", "kid", "typ"}
_STAFF_HEADER: Final = _SHOP_HEADER | {"x5t"}
_LONGEST_TEXT: Final = 320  # the longest e-mail address; subjects and token ids are shorter

_SIGNATURE_AND_NAMES: Final = {
    # The library reads the wall clock for these three; `_times` judges them against `now` instead
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require_aud": True,
    "require_iss": True,
    "require_sub": True,
}


class IssuerUse(StrEnum):
    """Which door an issuer's tokens open."""

    SHOP = "shop"
    STAFF = "staff"


class IssuerMisconfigured(ValueError):
    """An entry of the issuer table cannot be used. The message names the setting."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One trusted issuer: what its tokens are for, and everything that is fixed about them.

    `audience` is `privacyops` for shops and the client id for staff. `max_life` is the longest span from `iat`
    to `exp`.
    """

    name: str
    use: IssuerUse
    audience: str
    algorithm: str
    keys: KeySource
    controller: str
    max_life: timedelta = SHOP_MAX_LIFE

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise IssuerMisconfigured("algorithm: ES256 or RS256")
        if not self.name or not self.audience or not self.controller:
            raise IssuerMisconfigured("name, audience, controller: must not be empty")
        if self.use is IssuerUse.SHOP and self.max_life > SHOP_MAX_LIFE:
            raise IssuerMisconfigured("max_life: a shop token lives five minutes at most")


class JoseTokens:
    """TokenVerifier over python-jose."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        listed = list(issuers)
        self._issuers = {issuer.name: issuer for issuer in listed}
        if len(self._issuers) != len(listed):
            raise IssuerMisconfigured("name: an issuer is listed once, for shops or for staff")

    def shop_session(self, raw: bytes, now: Instant, seen: Seen) -> ShopSession:
        try:
            issuer, claims = self._verified(raw, IssuerUse.SHOP, now, None)
            issued_at, expires_at = _times(claims, issuer, now)
            session = ShopSession(
                issuer=issuer.name,
                controller=issuer.controller,
                subject=_text(claims["sub"]),
                email=_text(claims["email"]) if "email" in claims else None,
                email_verified=_flag(claims.get("email_verified", False)),
                issued_at=issued_at,
                expires_at=expires_at,
            )
            fingerprint = hashlib.sha256(f"{issuer.name}\n{_text(claims['jti'])}".encode()).hexdigest()
        except Exception:  # noqa: BLE001, RUF100 - the library lets OverflowError, TypeError and others out
            raise TokenRefused from None
        if seen(fingerprint, expires_at + timedelta(seconds=LEEWAY_S)):
            raise TokenRefused
        return session

    def staff_identity(self, raw: bytes, now: Instant, nonce: str, access_token: str | None = None) -> StaffIdentity:
        try:
            issuer, claims = self._verified(raw, IssuerUse.STAFF, now, access_token)
            issued_at, expires_at = _times(claims, issuer, now)
            if not nonce or not hmac.compare_digest(_text(claims["nonce"]).encode(), nonce.encode()):
                _refuse()
            if claims.get("azp", issuer.audience) != issuer.audience:
                _refuse()
            return StaffIdentity(
                issuer=issuer.name,
                subject=_text(claims["sub"]),
                email=_text(claims["email"]) if "email" in claims else None,
                groups=_texts(claims.get("groups", [])),
                acr=_text(claims["acr"]) if "acr" in claims else None,
                amr=_texts(claims.get("amr", [])),
                issued_at=issued_at,
                expires_at=expires_at,
            )
        except Exception:  # noqa: BLE001, RUF100 - as above
            raise TokenRefused from None

    def _verified(
        self, raw: bytes, use: IssuerUse, now: Instant, access_token: str | None
    ) -> tuple[Issuer, Mapping[str, Any]]:
        """Form, header, signature and names; raises anything."""
        if len(raw) > LARGEST_TOKEN_BYTES or not _SHAPE.fullmatch(raw):
            _refuse()
        parts = raw.split(b".")
        header, claims = _strict_json(_decoded(parts[0])), _strict_json(_decoded(parts[1]))
        _decoded(parts[2])
        issuer = self._issuers[claims["iss"]]
        if issuer.use is not use or not _header_fits(header, issuer):
            _refuse()
        options = dict(_SIGNATURE_AND_NAMES, verify_at_hash=access_token is not None)
        jwt.decode(
            raw,
            issuer.keys.key(_text(header["kid"]), now),
            algorithms=[issuer.algorithm],
            options=options,
            audience=issuer.audience,
            issuer=issuer.name,
            access_token=access_token,
        )
        if claims["aud"] not in (issuer.audience, [issuer.audience]):
            _refuse()
        return issuer, claims


def _refuse() -> NoReturn:
    raise TokenRefused


def _header_fits(header: Mapping[str, Any], issuer: Issuer) -> bool:
    """Exactly what is expected: an unknown member (`crit`, `jku`, `x5u`, `jwk`, `b64`) could change the meaning."""
    if header["alg"] != issuer.algorithm:
        return False
    if issuer.use is IssuerUse.SHOP:
        return set(header) == _SHOP_HEADER and header["typ"] == SHOP_TYPE
    return set(header) <= _STAFF_HEADER and header.get("typ", "JWT") == "JWT"


def _decoded(part: bytes) -> bytes:
    """base64url without padding, in its one spelling: stray bits in the last letter are refused."""
    value = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(value).rstrip(b"=") != part:
        _refuse()
    return value


def _strict_json(text: bytes) -> Mapping[str, Any]:
    """A JSON object without twin members, NaN or Infinity."""
    value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant)
    if not isinstance(value, dict):
        _refuse()
    return value


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse()
    return members


def _no_constant(_name: str) -> NoReturn:
    _refuse()


def _times(claims: Mapping[str, Any], issuer: Issuer, now: Instant) -> tuple[Instant, Instant]:
    """`iat` and `exp` as instants, if they are whole seconds that fit one another, the issuer and `now`."""
    issued, expires, starts = claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])
    if any(type(value) is not int for value in (issued, expires, starts)):
        _refuse()
    at = int(now.timestamp())
    if not (
        issued <= at + LEEWAY_S
        and starts <= at + LEEWAY_S
        and expires > at - LEEWAY_S
        and 0 < expires - issued <= issuer.max_life.total_seconds()
    ):
        _refuse()
    return datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)


def _text(value: object) -> str:
    """A text that can be stored and shown: not empty, no control characters, no lone surrogates."""
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TEXT or not value.isprintable():
        _refuse()
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        _refuse()
    return tuple(_text(item) for item in value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        _refuse()
    return value
