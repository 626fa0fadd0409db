"""Public keys of token issuers: pasted into the settings, or fetched from the issuer's JWK set address.

Only JWK is read, never PEM or DER: a key in another form is how a verifier is talked into using a public key as
a shared secret. Sources: RFC 7517, RFC 7518 section 6.
"""

import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ssl import SSLContext
from typing import Any, Final, Protocol, TypeAlias

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from privacyops.connector_sdk.errors import StoreRefusal
from privacyops.connector_sdk.guard import Caps, Guard, guarded_client
from privacyops.kernel.clock import Instant

ALGORITHMS: Final = {"ES256": "EC", "RS256": "RSA"}
"""Algorithm to key type; python-jose has neither EdDSA nor PSS."""

LARGEST_SET_BYTES: Final = 64 * 1024
MOST_KEYS: Final = 20
REFETCH_PAUSE: Final = timedelta(seconds=60)
FRESH_FOR: Final = timedelta(hours=1)
HARD_AGE: Final = timedelta(hours=24)
_PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_RSA_BITS: Final = range(2048, 8193)

PublicJwk: TypeAlias = Mapping[str, str]
"""`kty` and the public numbers, checked; nothing else of the issuer's document survives."""


class JwkSetRefused(ValueError):
    """The key set cannot be used. The message names the fact, not the key."""


class KeyNotKnown(LookupError):
    """No usable key has this id now."""


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    def key(self, kid: str, now: Instant) -> PublicJwk:
        """Raises: KeyNotKnown."""
        ...


@dataclass(frozen=True, slots=True)
class PastedKeys:
    """A key set that the operator pasted into the settings."""

    keys: Mapping[str, PublicJwk]

    @classmethod
    def read(cls, text: str | bytes, algorithm: str) -> "PastedKeys":
        """Every key of the set must fit, so that a mistake shows at start and not at the first customer.

        Raises: JwkSetRefused.
        """
        found = _members(text)
        return cls({_kid(member): _public(member, algorithm) for member in _with_distinct_ids(found)})

    def key(self, kid: str, now: Instant) -> PublicJwk:
        if kid not in self.keys:
            raise KeyNotKnown
        return self.keys[kid]


def read_published_set(text: str | bytes, algorithm: str) -> Mapping[str, PublicJwk]:
    """The usable keys of a published set; keys for other purposes are normal there and are left out.

    Raises: JwkSetRefused: not a set, too many keys, twin ids, or nothing usable in it.
    """
    usable = {}
    for member in _with_distinct_ids(_members(text)):
        try:
            usable[_kid(member)] = _public(member, algorithm)
        except JwkSetRefused:
            continue
    if not usable:
        raise JwkSetRefused(f"no key of the set fits {algorithm}")
    return usable


def _members(text: str | bytes) -> Sequence[Mapping[str, Any]]:
    if len(text) > LARGEST_SET_BYTES:
        raise JwkSetRefused("the set is larger than 64 KiB")
    try:
        members = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise JwkSetRefused('the text is not a JSON object with "keys"') from None
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise JwkSetRefused('"keys" is not a list of objects')
    if not 1 <= len(members) <= MOST_KEYS:
        raise JwkSetRefused(f"a set holds 1 to {MOST_KEYS} keys")
    return members


def _with_distinct_ids(members: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    ids = [member["kid"] for member in members if isinstance(member.get("kid"), str)]
    if len(set(ids)) != len(ids):
        raise JwkSetRefused("two keys have the same kid")
    return iter(members)


def _kid(member: Mapping[str, Any]) -> str:
    kid = member.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= 256:
        raise JwkSetRefused("a key has no kid")
    return kid


def _public(member: Mapping[str, Any], algorithm: str) -> PublicJwk:
    kty = ALGORITHMS[algorithm]
    if _PRIVATE & set(member):
        raise JwkSetRefused("a key holds private members; publish public keys only and replace this one")
    if member.get("kty") != kty or member.get("alg", algorithm) != algorithm:
        raise JwkSetRefused(f"a key is not for {algorithm}")
    if member.get("use", "sig") != "sig" or member.get("key_ops", ["verify"]) != ["verify"]:
        raise JwkSetRefused("a key is not for signatures")
    if "use" not in member and "alg" not in member:
        raise JwkSetRefused("a key says neither use nor alg")
    try:
        return _elliptic(member) if kty == "EC" else _rsa(member)
    except (KeyError, TypeError, ValueError):
        raise JwkSetRefused("the numbers of a key are no valid public key") from None


def _elliptic(member: Mapping[str, Any]) -> PublicJwk:
    if member["crv"] != "P-256":
        raise ValueError
    EllipticCurvePublicNumbers(_number(member["x"]), _number(member["y"]), SECP256R1()).public_key()
    return {"kty": "EC", "crv": "P-256", "x": member["x"], "y": member["y"]}


def _rsa(member: Mapping[str, Any]) -> PublicJwk:
    modulus, exponent = _number(member["n"]), _number(member["e"])
    if modulus.bit_length() not in _RSA_BITS or exponent < 65537:
        raise ValueError
    RSAPublicNumbers(exponent, modulus).public_key()
    return {"kty": "RSA", "n": member["n"], "e": member["e"]}


def _number(text: str) -> int:
    return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), "big")


@dataclass
class FetchedKeys:
    """A key set behind an HTTPS address: cached, refetched when old or for an unknown kid, kept on failure.

    At most one fetch every 60 s, whatever tokens arrive; while one runs, other callers use the old set. After
    24 h without a good answer no key is known any more, so that a key withdrawn by its issuer ends here too.
    """

    url: str
    algorithm: str
    guard: Guard
    tls: SSLContext | None = None
    failure: str | None = field(default=None, init=False)
    """Why the last fetch failed, as a code for the doctor; None after a good one."""

    def __post_init__(self) -> None:
        self.guard.parse(self.url)  # a mistyped address shows at start
        self._keys: Mapping[str, PublicJwk] = {}
        self._good_at: Instant | None = None
        self._tried_at: Instant | None = None
        self._fetching = threading.Lock()

    def key(self, kid: str, now: Instant) -> PublicJwk:
        if (kid not in self._keys or not _is_within(self._good_at, now, FRESH_FOR)) and self._may_try(now):
            self._refetch(now)
        if kid not in self._keys or not _is_within(self._good_at, now, HARD_AGE):
            raise KeyNotKnown
        return self._keys[kid]

    def _may_try(self, now: Instant) -> bool:
        return not _is_within(self._tried_at, now, REFETCH_PAUSE)

    def _refetch(self, now: Instant) -> None:
        if not self._fetching.acquire(blocking=not self._keys):
            return
        try:
            if self._may_try(now):
                self._tried_at = now
                self._keys, self._good_at, self.failure = self._fetched(), now, None
        except StoreRefusal as refused:
            self.failure = refused.code
        except (httpx.HTTPError, httpx.InvalidURL, JwkSetRefused) as failed:
            self.failure = type(failed).__name__
        finally:
            self._fetching.release()

    def _fetched(self) -> Mapping[str, PublicJwk]:
        caps = Caps(seconds=5.0, step_seconds=3.0, answer_bytes=LARGEST_SET_BYTES)
        with guarded_client(self.guard, caps, self.tls) as client:
            answer = client.get(self.url, headers={"Accept": "application/jwk-set+json, application/json"})
        if answer.status_code != httpx.codes.OK:
            raise JwkSetRefused("the address does not answer 200")
        return read_published_set(answer.content, self.algorithm)


def _is_within(then: Instant | None, now: Instant, span: timedelta) -> bool:
    return then is not None and timedelta(0) <= now - then < span
