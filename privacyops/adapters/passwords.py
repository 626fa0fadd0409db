"""scrypt from the standard library: N = 2^15, r = 8, p = 3, at most two hashings at once.

One hashing takes 32 MiB; a flood of sign-ins must not take the machine's memory with it. Source: RFC 7914; the
parameters are one of the equivalent choices of the OWASP password storage sheet.
"""

import base64
import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from typing import Final

from privacyops.ports.passwords import HashingBusy

AT_ONCE: Final = 2
WAIT_S: Final = 10.0
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_FORM: Final = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)", re.ASCII
)
_LARGEST_LN: Final = 20


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """2^ln blocks of 128 r bytes, p times."""

    ln: int = 15
    r: int = 8
    p: int = 3


class StoredHashRefused(ValueError):
    """A stored hash is not one of ours: the row was damaged or written by something else."""


class ScryptPasswords:
    """Passwords over scrypt."""

    def __init__(self, cost: Cost | None = None) -> None:
        self._cost = cost or Cost()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        # What unknown accounts are compared with: same work, no password fits but one nobody knows
        self._nobody = _text(self._cost, secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_HASH_BYTES))

    def hashed(self, password: str) -> str:
        salt = secrets.token_bytes(_SALT_BYTES)
        return _text(self._cost, salt, self._digest(password, self._cost, salt))

    def fits(self, stored: str | None, password: str) -> bool:
        cost, salt, expected = _parts(self._nobody if stored is None else stored)
        return hmac.compare_digest(self._digest(password, cost, salt), expected) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        return _parts(stored)[0] != self._cost

    def _digest(self, password: str, cost: Cost, salt: bytes) -> bytes:
        # NFKC, since keyboards of different systems compose the same letters differently
        text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        if not self._slots.acquire(timeout=WAIT_S):
            raise HashingBusy
        try:
            return hashlib.scrypt(
                text,
                salt=salt,
                n=1 << cost.ln,
                r=cost.r,
                p=cost.p,
                maxmem=256 * cost.r * (1 << cost.ln),
                dklen=_HASH_BYTES,
            )
        finally:
            self._slots.release()


def _text(cost: Cost, salt: bytes, digest: bytes) -> str:
    return f"$scrypt$ln={cost.ln},r={cost.r},p={cost.p}${_b64(salt)}${_b64(digest)}"


def _parts(stored: str) -> tuple[Cost, bytes, bytes]:
    match = _FORM.fullmatch(stored)
    if match is None:
        raise StoredHashRefused("a stored password hash has another form")
    cost = Cost(int(match[1]), int(match[2]), int(match[3]))
    if not (1 <= cost.ln <= _LARGEST_LN and 1 <= cost.r <= 16 and 1 <= cost.p <= 16):
        raise StoredHashRefused("a stored password hash asks for more work than this house does")
    return cost, _unb64(match[4]), _unb64(match[5])


def _b64(value: bytes) -> str:
    return base64.b64encode(value).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
