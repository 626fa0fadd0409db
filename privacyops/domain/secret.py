"""Secrets that people and programs carry: API keys, one-time links, six-digit codes, signed texts.

One shape a kind, one prefix a parser. What is stored never opens anything: a digest for links (256 random bits
need no slow hash), a keyed hash for API keys and codes, whose key is the key ring's. Entropy comes from
`secrets` unless a caller passes its own source.
"""

import base64
import hashlib
import re
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unauthenticated

RandomBytes: TypeAlias = Callable[[int], bytes]
SignedBy: TypeAlias = Callable[[bytes], tuple[int, bytes]]
"""Message in; version of the root key and 32 bytes of HMAC out."""
IsSigned: TypeAlias = Callable[[int, bytes, bytes], bool]
"""Version, HMAC and message in; whether they belong together, compared in constant time."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_BASE62)}
_SECRET_BYTES: Final = 32
_SECRET_LETTERS: Final = 43
_CRC_LETTERS: Final = 6
_ID_LETTERS: Final = 8
_API_KEY: Final = re.compile(r"po_(live|test)_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)
_LONGEST_SIGNED: Final = 4096


class SecretMalformed(Unauthenticated):
    """Not a secret of this kind: a typo, a cut copy, another kind. Says the same for all."""

    type = "/problems/secret-malformed"
    title = "The link or key is not complete or not for this place"


def base62(value: bytes, letters: int) -> str:
    """`value` as a number in base 62, padded to `letters`; the number must fit."""
    number, found = int.from_bytes(value, "big"), ""
    for _ in range(letters):
        number, rest = divmod(number, 62)
        found = _BASE62[rest] + found
    if number:
        raise OverflowError
    return found


def _from_base62(text: str, size: int) -> bytes:
    number = 0
    for letter in text:
        number = number * 62 + _VALUES[letter]
    try:
        return number.to_bytes(size, "big")
    except OverflowError:
        raise SecretMalformed from None


# --- links: one use, one route ---------------------------------------------------------------------------------


class LinkKind(StrEnum):
    """What a link is for; the value is its prefix."""

    MAGIC = "pom_"
    SETUP = "poi_"
    INVITE = "poj_"
    DOWNLOAD = "pod_"
    PREFERENCE = "pop_"
    CONFIRM = "pok_"  # confirms what one mail asked for, for its address alone
    UNSUBSCRIBE = "pou_"  # stops one purpose over one channel for one person, and can do nothing else
    WAITING = "pow_"  # cookie of a browser that may type the code of one request and see nothing yet
    CHOICES = "pog_"  # cookie of a browser that came by a preference link: sees and changes one address's choices
    PORTAL = "pot_"  # cookie of a browser that has proved the mailbox of one request


LINK_LIFE: Final = {
    LinkKind.MAGIC: timedelta(minutes=30),
    LinkKind.SETUP: timedelta(hours=1),
    LinkKind.INVITE: timedelta(hours=24),
    LinkKind.DOWNLOAD: timedelta(minutes=10),
    LinkKind.PREFERENCE: timedelta(hours=24),
    LinkKind.CONFIRM: timedelta(days=7),
    LinkKind.UNSUBSCRIBE: timedelta(days=730),
    LinkKind.WAITING: timedelta(hours=1),
    LinkKind.CHOICES: timedelta(minutes=30),
    LinkKind.PORTAL: timedelta(minutes=30),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A new link's secret: `text` is sent once and forgotten, `digest` is stored."""

    kind: LinkKind
    text: str = field(repr=False)
    digest: bytes


def mint_link(kind: LinkKind, random: RandomBytes = secrets.token_bytes) -> Link:
    """256 fresh bits behind the kind's prefix."""
    text = kind.value + base62(random(_SECRET_BYTES), _SECRET_LETTERS)
    return Link(kind, text, _digest(text))


def link_digest(kind: LinkKind, text: str) -> bytes:
    """The digest to look up for `text`, which must be a link of this kind.

    Raises: SecretMalformed.
    """
    body = text.removeprefix(kind.value)
    if len(text) != len(kind.value) + _SECRET_LETTERS or len(body) != _SECRET_LETTERS or not set(body) <= set(_BASE62):
        raise SecretMalformed
    _from_base62(body, _SECRET_BYTES)
    return _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


# --- session ids -----------------------------------------------------------------------------------------------


def mint_session_id(random: RandomBytes = secrets.token_bytes) -> tuple[str, bytes]:
    """A session cookie's value, 256 bits, and the SHA-256 to store."""
    text = base62(random(_SECRET_BYTES), _SECRET_LETTERS)
    return text, _digest(text)


def session_digest(text: str) -> bytes | None:
    """The digest to look up; None where `text` cannot be a session id."""
    return _digest(text) if len(text) == _SECRET_LETTERS and set(text) <= set(_BASE62) else None


# --- API keys --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`po_live_<id>_<secret><check>`. Stored are `id` and the keyed hash of `secret`; `text` is shown once."""

    is_live: bool
    id: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        kind = "live" if self.is_live else "test"
        body = f"po_{kind}_{self.id}_{base62(self.secret, _SECRET_LETTERS)}"
        return body + _check(body)


def mint_api_key(*, is_live: bool, random: RandomBytes = secrets.token_bytes) -> ApiKey:
    """A key for real or for test data."""
    number = int.from_bytes(random(8), "big") % 62**_ID_LETTERS
    return ApiKey(is_live, base62(number.to_bytes(8, "big"), _ID_LETTERS), random(_SECRET_BYTES))


def parse_api_key(text: str) -> ApiKey:
    """The key that `text` spells. The check letters catch typos before anything is looked up; they prove nothing.

    Raises: SecretMalformed.
    """
    match = _API_KEY.fullmatch(text)
    if match is None or _check(text[:-_CRC_LETTERS]) != match[4]:
        raise SecretMalformed
    return ApiKey(match[1] == "live", match[2], _from_base62(match[3], _SECRET_BYTES))


def _check(body: str) -> str:
    return base62(zlib.crc32(body.encode("ascii")).to_bytes(4, "big"), _CRC_LETTERS)


# --- signed texts: nothing is stored ---------------------------------------------------------------------------


class SignedKind(StrEnum):
    """What a signed text is for; the value is its prefix."""

    CONSISTENCY = "ct1."
    COLLECTION = "poc_"


def sign_text(kind: SignedKind, payload: bytes, sign: SignedBy) -> str:
    """`payload` readable by whoever holds the text, and unforgeable. Never put a secret or a person in it."""
    version, mac = sign(kind.value.encode() + payload)
    return f"{kind.value}{_b64(payload)}.{version}.{_b64(mac)}"


def signed_payload(kind: SignedKind, text: str, is_signed: IsSigned) -> bytes:
    """The payload of a text that this house signed as this kind.

    Raises: SecretMalformed: another form, kind or signature.
    """
    parts = text.removeprefix(kind.value).split(".")
    if len(text) > _LONGEST_SIGNED or not text.startswith(kind.value) or len(parts) != 3:
        raise SecretMalformed
    payload, mac = _unb64(parts[0]), _unb64(parts[2])
    if not re.fullmatch(r"[1-9][0-9]{0,4}", parts[1], re.ASCII):
        raise SecretMalformed
    if not is_signed(int(parts[1]), mac, kind.value.encode() + payload):
        raise SecretMalformed
    return payload


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    try:
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise SecretMalformed from None
    if _b64(value) != text:
        raise SecretMalformed
    return value


# --- six-digit codes -------------------------------------------------------------------------------------------

CODE_LIFE: Final = timedelta(minutes=10)
CODE_TRIES: Final = 5
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_AROUND: Final = re.compile(r"[\s-]+")


def mint_code(below: Callable[[int], int] = secrets.randbelow) -> str:
    """Six digits. Store the key ring's hash over request id and code, never the code: a million is soon tried."""
    return f"{below(1_000_000):06d}"


def typed_code(text: str) -> str | None:
    """The six digits a person typed, without blanks and hyphens; None where it cannot be a code."""
    digits = _AROUND.sub("", text)
    return digits if _CODE.fullmatch(digits) else None


class CodeVerdict(StrEnum):
    ACCEPTED = "accepted"
    WRONG = "wrong"
    SPENT = "spent"
    EXPIRED = "expired"


def judge_code(sent_at: Instant, wrong_tries: int, now: Instant, *, is_used: bool, matches: bool) -> CodeVerdict:
    """Whether a typed code counts. `wrong_tries` were made before this one; the caller counts a WRONG one.

    A code that is used, expired or tried five times is over, also for the right digits: a new mail is needed.
    The customer's own request is never locked by it.
    """
    if is_used or wrong_tries >= CODE_TRIES:
        return CodeVerdict.SPENT
    if not timedelta(0) <= now - sent_at <= CODE_LIFE:
        return CodeVerdict.EXPIRED
    return CodeVerdict.ACCEPTED if matches else CodeVerdict.WRONG
