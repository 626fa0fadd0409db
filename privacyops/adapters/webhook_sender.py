"""Standard Webhooks 1.0.0: `v1` HMAC-SHA256 and `v1a` Ed25519, sent through the address guard.

Source: github.com/standard-webhooks/standard-webhooks, spec 1.0.0: signed content, headers, key prefixes.
"""

import base64
import hashlib
import hmac
import secrets as random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ssl import SSLContext
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.domain.webhook.subscriber import Scheme
from privacyops.kernel.clock import Instant
from privacyops.ports.webhook_sender import Message, Reply, SigningKey

_SHARED: Final = "whsec_"
_PRIVATE: Final = "whsk_"
_PUBLIC: Final = "whpk_"
_WHOLE_S: Final = 15.0
_STEP_S: Final = 10.0
_LARGEST_ANSWER: Final = 64 * 1024
_LONGEST_WAIT_S: Final = 86_400

if TYPE_CHECKING:
    from privacyops.connector_sdk.guard import Guard


@dataclass(frozen=True, slots=True)
class GuardedWebhookSender:
    """Connects to what the guard permits and to nothing else; no redirect is followed.

    `guard` makes it on first use: what speaks HTTP is not loaded by processes that only serve pages.
    """

    guard: "Callable[[], Guard]"
    tls: SSLContext | None = None

    def new_key(self, scheme: Scheme) -> SigningKey:
        if scheme is Scheme.V1:
            return SigningKey(scheme, _SHARED + base64.b64encode(random.token_bytes(32)).decode())
        private = Ed25519PrivateKey.generate()
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        return SigningKey(scheme, _PRIVATE + base64.b64encode(private.private_bytes_raw()).decode(), _PUBLIC + public)

    def check(self, url: str) -> str | None:
        from privacyops.connector_sdk.guard import AddressRefused  # noqa: PLC0415 - as said of `guard`

        try:
            self.guard().parse(url)
        except AddressRefused as refused:
            return refused.code
        return None

    def send(self, url: str, message: Message, secrets: Sequence[str], now: Instant) -> Reply:
        import httpx  # noqa: PLC0415 - as said of `guard`

        from privacyops.connector_sdk.errors import StoreRefusal  # noqa: PLC0415 - as said of `guard`
        from privacyops.connector_sdk.guard import Caps, guarded_client  # noqa: PLC0415 - as said of `guard`

        stamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "privacyops-webhooks",
            "webhook-id": message.id,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(signature(secret, message.id, stamp, message.body) for secret in secrets),
        }
        try:
            with guarded_client(self.guard(), Caps(_WHOLE_S, _STEP_S, _LARGEST_ANSWER), self.tls) as client:
                answer = client.post(url, content=message.body, headers=headers)
        except StoreRefusal as refused:
            return Reply(None, refused.code)
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            return Reply(None, type(failed).__name__)
        return Reply(
            answer.status_code, f"http_{answer.status_code}", _retry_after(answer.headers.get("Retry-After", ""))
        )


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """One entry of `webhook-signature` over id, time and body."""
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    if secret.startswith(_PRIVATE):
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.removeprefix(_PRIVATE)))
        return "v1a," + base64.b64encode(key.sign(content)).decode()
    shared = base64.b64decode(secret.removeprefix(_SHARED))
    return "v1," + base64.b64encode(hmac.new(shared, content, hashlib.sha256).digest()).decode()


def _retry_after(value: str) -> timedelta | None:
    """What a receiver asked for in whole seconds, at most a day; a date is not read."""
    with suppress(ValueError):
        return timedelta(seconds=min(max(int(value), 0), _LONGEST_WAIT_S))
    return None
