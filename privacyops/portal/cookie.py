"""The one cookie of the customers' door: a browser that waits for a code, or one that has proved a mailbox.

What waits carries beside its token the masked address and when the last mail was asked for. The page that waits is
drawn from these alone, so that it looks the same whether the token opens a request or not.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from starlette.responses import Response

from privacyops.domain.secret import LINK_LIFE, LinkKind
from privacyops.kernel.clock import Instant

_LONGEST: Final = 256
_LONGEST_MASK: Final = 40


@dataclass(frozen=True, slots=True)
class PortalCookie:
    """`kind` is WAITING or PORTAL; `masked` and `asked_at` belong to WAITING alone."""

    kind: LinkKind
    token: str
    masked: str = ""
    asked_at: Instant | None = None

    @classmethod
    def parse(cls, value: str | None) -> Self | None:
        """The cookie that a browser sent; None where it cannot be ours."""
        if not value or len(value) > _LONGEST:
            return None
        token, *rest = value.split(".")
        if token.startswith(LinkKind.PORTAL.value) and not rest:
            return cls(LinkKind.PORTAL, token)
        if not token.startswith(LinkKind.WAITING.value) or len(rest) != 2:
            return None
        try:
            masked = base64.urlsafe_b64decode(rest[0]).decode()
            asked_at = datetime.fromtimestamp(int(rest[1]), UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return cls(LinkKind.WAITING, token, masked[:_LONGEST_MASK], asked_at)

    @property
    def value(self) -> str:
        """What stands in the cookie."""
        if self.kind is LinkKind.PORTAL or self.asked_at is None:
            return self.token
        masked = base64.urlsafe_b64encode(self.masked.encode()).decode()
        return f"{self.token}.{masked}.{int(self.asked_at.timestamp())}"


def cookie_name(*, is_https: bool) -> str:
    """Browsers take the `__Host-` prefix only over TLS; without it a sibling domain could set the cookie."""
    return "__Host-po_portal" if is_https else "po_portal"


def set_cookie(response: Response, cookie: PortalCookie, *, is_https: bool) -> None:
    """Hand the cookie to the browser for as long as its token lives."""
    response.set_cookie(
        cookie_name(is_https=is_https), cookie.value, max_age=int(LINK_LIFE[cookie.kind].total_seconds()), path="/",
        secure=is_https, httponly=True, samesite="lax",
    )  # fmt: skip


def drop_cookie(response: Response, *, is_https: bool) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(cookie_name(is_https=is_https), path="/", secure=is_https, httponly=True, samesite="lax")
