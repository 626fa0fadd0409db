"""Telling other systems: one signed message, one answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from privacyops.domain.webhook.subscriber import Scheme
from privacyops.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`secret` signs and is shown once; `public` lets others verify, where the scheme has such a key."""

    scheme: Scheme
    secret: str = field(repr=False)
    public: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `id` stays the same over all tries, so that a receiver knows a repeated one."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `status` None: nothing did, and `code` says why. `after`: what a busy receiver asked for."""

    status: int | None
    code: str
    after: timedelta | None = None

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants nothing more, ever."""
        return self.status == 410


class WebhookSender(Protocol):
    """Signs by Standard Webhooks 1.0.0 and sends through the address guard."""

    def new_key(self, scheme: Scheme) -> SigningKey:
        """A fresh signing key."""
        ...

    def check(self, url: str) -> str | None:
        """Why this address will not be connected to, as a code; None: its form is fine."""
        ...

    def send(self, url: str, message: Message, secrets: Sequence[str], now: Instant) -> Reply:
        """One try. Signed with each of `secrets`, so that a receiver may hold the old or the new one. Never raises."""
        ...
