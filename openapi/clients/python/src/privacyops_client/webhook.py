"""Verifies events that the service sends: Standard Webhooks 1.0.0 around a CloudEvent.

A webhook may be lost, repeated or late: what must not be missed is in the change feed.
"""

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

TOLERANCE_S: Final = 300
_IDS_HELD: Final = 100_000


class WebhookRejected(Exception):
    """Not from the service, altered, too old, or seen before; `why` says which and holds nothing of the content."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class WebhookVerifier:
    """Accepts what one of the keys signed: `whsec_...` (HMAC-SHA256) or `whpk_...` (Ed25519, needs the extra
    `ed25519`). Name both keys while one replaces the other.

    An event is accepted once within the tolerance. Several processes share what was seen by passing `is_new`: a
    function that takes an event id and tells whether it was not there before, such as an insert into a table.
    """

    def __init__(
        self,
        keys: str | Iterable[str],
        *,
        tolerance_s: int = TOLERANCE_S,
        is_new: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        named = [keys] if isinstance(keys, str) else list(keys)
        if not named:
            raise ValueError("a verifier needs at least one key")
        self._checks = [_check_of(key) for key in named]
        self._tolerance = tolerance_s
        self._clock = clock
        self._is_new = is_new if is_new is not None else _Seen(clock, 2 * tolerance_s).is_new

    def verify(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        """The CloudEvent in the body, exactly as it was received. Raises: WebhookRejected.

        A repeated delivery is rejected as `repeated`: answer it with 200 and do nothing.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            id_, sent, signatures = (lower[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        except KeyError:
            raise WebhookRejected("a webhook header is missing") from None
        if not (sent.isascii() and sent.isdigit() and len(sent) < 13):
            raise WebhookRejected("the time is not a number of seconds")
        message = f"{id_}.{sent}.".encode() + body
        if not any(check(message, one) for check in self._checks for one in signatures.split()):
            raise WebhookRejected("no signature fits")
        if abs(self._clock() - int(sent)) > self._tolerance:
            raise WebhookRejected("it was sent too long ago, or in the future")
        try:
            event = json.loads(body)
        except ValueError:
            event = None
        if not isinstance(event, dict) or event.get("specversion") != "1.0" or event.get("id") != id_:
            raise WebhookRejected("the body is not the event that its headers name")
        if not self._is_new(id_):
            raise WebhookRejected("repeated")
        return event


class _Seen:
    """Event ids of the last while, in this process."""

    def __init__(self, clock: Callable[[], float], seconds: int) -> None:
        self._clock, self._seconds = clock, seconds
        self._ids: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def is_new(self, id_: str) -> bool:
        now = self._clock()
        with self._lock:
            while self._ids and (len(self._ids) > _IDS_HELD or next(iter(self._ids.values())) < now - self._seconds):
                self._ids.popitem(last=False)
            if id_ in self._ids:
                return False
            self._ids[id_] = now
            return True


def _check_of(key: str) -> Callable[[bytes, str], bool]:
    """A function that tells whether one `version,signature` fits a message."""
    prefix, _, text = key.partition("_")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a webhook key is whsec_ or whpk_ and base 64") from None
    if prefix == "whsec" and len(raw) >= 16:
        return lambda message, given: _fits_hmac(raw, message, given)
    if prefix == "whpk" and len(raw) == 32:
        return _ed25519_check(raw)
    raise ValueError("a webhook key is whsec_ or whpk_ and base 64")


def _fits_hmac(secret: bytes, message: bytes, given: str) -> bool:
    made = base64.b64encode(hmac.new(secret, message, hashlib.sha256).digest())
    version, _, signature = given.partition(",")
    return version == "v1" and hmac.compare_digest(made, signature.encode())


def _ed25519_check(raw: bytes) -> Callable[[bytes, str], bool]:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra, needed with such a key alone
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above

    public = Ed25519PublicKey.from_public_bytes(raw)

    def fits(message: bytes, given: str) -> bool:
        version, _, signature = given.partition(",")
        if version != "v1a":
            return False
        try:
            public.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    return fits
