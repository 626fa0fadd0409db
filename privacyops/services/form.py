"""What public forms carry so that scripts cannot send them blindly: a token against forgery, and when they were filled.

Nothing is stored: both are keyed hashes. They slow abuse; what really guards a request is its mailed code.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

from privacyops.ports.keyring import Mac, MacLabel
from privacyops.services.context import Context

LEAST_FILL: Final = timedelta(seconds=2)
LONGEST_FILL: Final = timedelta(hours=24)
_STAMP: Final = b"stamp"


def form_token(ctx: Context, secret: str) -> str:
    """The token that forms of the browser holding `secret` (its cookie) carry."""
    return _text(ctx.ports.keyring.mac(MacLabel.CSRF, ctx.controller.key, secret.encode()).digest)


def is_form_token(ctx: Context, secret: str, token: str) -> bool:
    """Whether `token` belongs to the browser that holds `secret`, under any live key."""
    macs = ctx.ports.keyring.macs(MacLabel.CSRF, ctx.controller.key, secret.encode())
    return any(hmac.compare_digest(_text(mac.digest).encode(), token.encode()) for mac in macs)


def fill_stamp(ctx: Context) -> str:
    """When a form was handed out, signed: `<milliseconds>.<key version>.<hash>`."""
    at = str(int(ctx.clock.now().timestamp() * 1000))
    mac = ctx.ports.keyring.mac(MacLabel.FORM, ctx.controller.key, _STAMP, at.encode())
    return f"{at}.{mac.version}.{_text(mac.digest)}"


def fill_time(ctx: Context, stamp: str) -> timedelta | None:
    """How long the form was open; None for a stamp that is not ours, or older than a day."""
    parts = stamp.split(".")
    if len(stamp) > 128 or len(parts) != 3 or not all(part.isascii() for part in parts):
        return None
    at, version, digest = parts
    if not at.isdigit() or not version.isdigit() or len(at) > 15 or len(version) > 5:
        return None
    mac = Mac(int(version), _bytes(digest))
    if not ctx.ports.keyring.is_mac(mac, MacLabel.FORM, ctx.controller.key, _STAMP, at.encode()):
        return None
    open_for = ctx.clock.now() - datetime.fromtimestamp(int(at) / 1000, UTC)
    return open_for if timedelta(0) <= open_for <= LONGEST_FILL else None


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
