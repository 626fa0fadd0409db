"""The second factor: time-based one-time codes for authenticator apps, and recovery codes for a lost phone.

Sources: RFC 6238, RFC 4226, RFC 4648 section 6; the otpauth form that authenticator apps read. SHA-1, six digits
and 30 seconds are what every such app supports; HMAC-SHA-1 is not weakened by collisions.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from privacyops.domain.secret import RandomBytes
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import base32

STEP_S: Final = 30
DIGITS: Final = 6
WINDOW_STEPS: Final = 1
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 8
_TYPED: Final = re.compile(r"[0-9]{6}", re.ASCII)
_MISREAD: Final = str.maketrans("ILO", "110")


def mint_totp_secret(random: RandomBytes = secrets.token_bytes) -> bytes:
    """160 bits, as RFC 4226 section 4 recommends. Store it sealed."""
    return random(SECRET_BYTES)


def step_at(now: Instant) -> int:
    """The number of the 30-second step that `now` lies in."""
    return int(now.timestamp()) // STEP_S


def totp_code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def accepted_step(secret: bytes, typed: str, now: Instant, last_step: int | None) -> int | None:
    """The step whose code was typed, to be stored as the new `last_step`; None: refuse.

    The neighbouring steps count too, for phones whose clock is off. A step at or before `last_step` never counts
    again. All candidates are compared, so the time taken does not tell which one fitted.
    """
    code = re.sub(r"\s", "", typed)
    if not _TYPED.fullmatch(code):
        return None
    found: int | None = None
    for step in range(step_at(now) - WINDOW_STEPS, step_at(now) + WINDOW_STEPS + 1):
        fits = hmac.compare_digest(totp_code(secret, step).encode(), code.encode())
        if fits and (last_step is None or step > last_step):
            found = step
    return found


def otpauth_uri(secret: bytes, issuer: str, account: str) -> str:
    """The link that an authenticator app opens; `account` is shown in the app."""
    label = quote(f"{issuer}:{account}", safe="")
    query = urlencode(
        {
            "secret": _spelled(secret),
            "issuer": issuer,
            "algorithm": "SHA1",
            "digits": DIGITS,
            "period": STEP_S,
        },
        quote_via=quote,
    )
    return f"otpauth://totp/{label}?{query}"


def secret_in_groups(secret: bytes) -> str:
    """The secret for typing by hand, in groups of four letters."""
    text = _spelled(secret)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _spelled(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def mint_recovery_codes(random: RandomBytes = secrets.token_bytes) -> tuple[str, ...]:
    """Ten codes of 60 bits, as `ABCDEF-GHJKMN`. Show them once; store keyed hashes; each works once."""
    return tuple(_recovery_code(random(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES))


def _recovery_code(entropy: bytes) -> str:
    letters = base32(entropy)[-12:]
    return f"{letters[:6]}-{letters[6:]}"


def typed_recovery_code(text: str) -> str:
    """What a person typed in the spelling that was hashed: upper case, I and L as 1, O as 0, one hyphen."""
    letters = re.sub(r"[\s-]", "", text).upper().translate(_MISREAD)
    return f"{letters[:6]}-{letters[6:]}"
