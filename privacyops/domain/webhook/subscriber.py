"""Systems that are told of choices, and how what they are told is signed."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

ROTATION: Final = timedelta(hours=24)
"""How long the secret before signs beside the new one."""
_LONGEST_URL: Final = 500


class Scheme(StrEnum):
    """Standard Webhooks: `v1` HMAC-SHA256 with a shared secret, `v1a` Ed25519."""

    V1 = "v1"
    V1A = "v1a"


class SubscriberState(StrEnum):
    """DISABLED: by a person, or because the address answered 410; nothing is sent, the feed goes on."""

    ACTIVE = "active"
    DISABLED = "disabled"


class SubscriberMalformed(Unprocessable):
    type = "/problems/subscriber-malformed"
    title = "A system has a short name, and an https address or none"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A system as it is shown: without its secret. `types` empty: every type; a type may end in `.*`."""

    id: UUID
    name: str
    url: str | None
    types: tuple[str, ...]
    scheme: Scheme
    public_key: str | None
    state: SubscriberState
    code: str | None
    cursor: int
    created_at: Instant
    previous_until: Instant | None = None

    def wants(self, type_: str) -> bool:
        """Whether events of this type go there."""
        return not self.types or any(
            type_ == one or (one.endswith(".*") and type_.startswith(one[:-1])) for one in self.types
        )


def require_address(name: str, url: str | None) -> None:
    """Raises: SubscriberMalformed. Where the address leads is judged when it is opened."""
    if not name.strip() or len(name) > 63:
        raise SubscriberMalformed
    if url is not None and (len(url) > _LONGEST_URL or not url.startswith(("https://", "http://")) or "@" in url):
        raise SubscriberMalformed
