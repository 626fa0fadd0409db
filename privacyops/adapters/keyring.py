"""The key ring over a file or environment text of master keys: AES-256-GCM, HKDF-SHA256, HMAC-SHA256.

An envelope is one byte of form, two of key version, twelve of random nonce, then ciphertext and tag. The
associated data is form, version and place, each with its length, so a ciphertext moved to another row, column or
controller does not open. Each controller has its own sealing key below the key-encryption key.
Sources: NIST SP 800-38D, RFC 5869.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacyops.adapters.key_file import KEY_BYTES, MasterKeys
from privacyops.ports.keyring import Mac, MacLabel, Place, SealBroken, kek_head, kek_of

_SALT: Final = b"privacyops/v1"
_BY_DATA_KEY: Final = b"\x02"
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = 3 + _NONCE_BYTES
CACHED_KEYS: Final = 10_000
CACHED_SECONDS: Final = 60.0
LOOKS_AGAIN_S: Final = 1.0
"""How soon after the key file was changed a running process seals with its newest key."""


def derived_key(secret: bytes, label: str) -> bytes:
    """32 bytes for `label`: HKDF-SHA256 with the house's salt."""
    return _expanded(_extracted(secret), label)


def _extracted(secret: bytes) -> bytes:
    return hmac.digest(_SALT, secret, "sha256")  # RFC 5869 for one block; a tenth of the time of a HKDF object


def _expanded(extracted: bytes, label: str) -> bytes:
    return hmac.digest(extracted, label.encode() + b"\x01", "sha256")


def framed(*parts: bytes) -> bytes:
    """The parts, each behind its length, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _begun(key: bytes) -> tuple[Any, Any]:
    """HMAC-SHA256 up to where the message begins, inside and outside: starting from here takes a third of the time.

    Source: FIPS 198-1 section 4; RFC 2104 section 4 says that this may be kept and has to be guarded like the key.
    """
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def _bound_to(head: bytes, place: Place) -> bytes:
    return framed(
        head, place.controller.encode(), place.table.encode(), place.column.encode(), place.row.encode()
    )  # fmt: skip


def _sealed(cipher: AESGCM, head: bytes, plaintext: bytes, place: Place) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, plaintext, _bound_to(head, place))


def _opened(cipher: AESGCM, sealed: bytes, place: Place) -> bytes:
    head, nonce, body = sealed[:3], sealed[3:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    try:
        return cipher.decrypt(nonce, body, _bound_to(head, place))
    except (InvalidTag, ValueError):
        raise SealBroken from None


class OpenDataKey:
    """A data key in memory. Its repr shows nothing."""

    __slots__ = ("_derived", "_extracted", "_sealing")

    def __init__(self, key: bytes) -> None:
        self._extracted = _extracted(key)  # all that is ever made of the key is made of this
        self._sealing: AESGCM | None = None
        self._derived: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "OpenDataKey()"

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        return _sealed(self._cipher(), _BY_DATA_KEY + b"\0\0", plaintext, place)

    def open(self, sealed: bytes, place: Place) -> bytes:
        if sealed[:1] != _BY_DATA_KEY:
            raise SealBroken
        return _opened(self._cipher(), sealed, place)

    def derived(self, label: str) -> bytes:
        known = self._derived.get(label)
        if known is None:
            known = self._derived[label] = _expanded(self._extracted, label)
        return known

    def _cipher(self) -> AESGCM:
        if self._sealing is None:
            self._sealing = AESGCM(_expanded(self._extracted, "seal"))
        return self._sealing


class MasterKeyRing:
    """KeyRing over master keys held in memory.

    Open data keys are remembered for a minute, 10,000 at most; `forget` empties that memory after an erasure.
    `seconds` is a clock that never jumps. `latest` gives the keys as they stand now, so that a key-encryption key can
    be added and taken away beside a running service. Root keys stay those of the start: what is looked up by them
    must not change between two statements.
    """

    def __init__(
        self,
        keys: MasterKeys,
        seconds: Callable[[], float] = time.monotonic,
        latest: Callable[[], MasterKeys] | None = None,
    ) -> None:
        self._keys, self._seconds, self._latest = keys, seconds, latest or (lambda: keys)
        self._keks, self._looked = keys.keks, seconds()
        self._sealing: dict[tuple[bytes, str], AESGCM] = {}
        self._macing: dict[tuple[int, MacLabel, str], tuple[Any, Any]] = {}
        self._newest_first = sorted(keys.roots, reverse=True)
        self._newest = self._newest_first[0]
        self._open_keys: OrderedDict[tuple[bytes, Place], tuple[float, OpenDataKey]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"MasterKeyRing(keks={sorted(self._keks)}, roots={sorted(self._keys.roots)})"

    @property
    def kek_versions(self) -> Sequence[int]:
        return sorted(self._live())

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        keks = self._live()
        version = max(keks)
        return _sealed(self._cipher(keks, version, place.controller), kek_head(version), plaintext, place)

    def open(self, sealed: bytes, place: Place) -> bytes:
        version = kek_of(sealed)
        keks = self._live(needs=version)
        if version is None or version not in keks:
            raise SealBroken
        return _opened(self._cipher(keks, version, place.controller), sealed, place)

    def new_data_key(self, place: Place) -> bytes:
        return self.seal(secrets.token_bytes(KEY_BYTES), place)

    def made_data_key(self, place: Place) -> tuple[bytes, OpenDataKey]:
        key = secrets.token_bytes(KEY_BYTES)
        wrapped, opened = self.seal(key, place), OpenDataKey(key)
        self._remember(wrapped, place, self._seconds(), opened)
        return wrapped, opened

    def data_key(self, wrapped: bytes, place: Place) -> OpenDataKey:
        now = self._seconds()
        with self._lock:
            at, known = self._open_keys.get((wrapped, place), (now, None))
            if known is not None and now - at < CACHED_SECONDS:
                return known
        opened = OpenDataKey(self.open(wrapped, place))
        self._remember(wrapped, place, now, opened)
        return opened

    def _remember(self, wrapped: bytes, place: Place, now: float, opened: OpenDataKey) -> None:
        with self._lock:
            self._open_keys[wrapped, place] = (now, opened)
            self._open_keys.move_to_end((wrapped, place))
            while self._open_keys and (
                len(self._open_keys) > CACHED_KEYS or now - next(iter(self._open_keys.values()))[0] >= CACHED_SECONDS
            ):
                self._open_keys.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._open_keys.clear()

    def rewrapped(self, sealed: bytes, place: Place) -> bytes | None:
        plaintext = self.open(sealed, place)
        return None if kek_of(sealed) == max(self._live()) else self.seal(plaintext, place)

    def mac(self, label: MacLabel, controller: str, *parts: bytes) -> Mac:
        return self._mac(self._newest, label, controller, parts)

    def macs(self, label: MacLabel, controller: str, *parts: bytes) -> Sequence[Mac]:
        return [self._mac(version, label, controller, parts) for version in self._newest_first]

    def is_mac(self, mac: Mac, label: MacLabel, controller: str, *parts: bytes) -> bool:
        if mac.version not in self._keys.roots:
            return False
        return hmac.compare_digest(mac.digest, self._mac(mac.version, label, controller, parts).digest)

    def _mac(self, version: int, label: MacLabel, controller: str, parts: Sequence[bytes]) -> Mac:
        name = (version, label, controller)
        begun = self._macing.get(name)
        if begun is None:
            begun = _begun(derived_key(self._keys.roots[version], f"{label.value}\n{controller}"))
            self._macing[name] = begun
        inner, outer = begun[0].copy(), begun[1].copy()
        for part in parts:
            inner.update(len(part).to_bytes(4, "big") + part)  # as `framed`
        outer.update(inner.digest())
        return Mac(version, outer.digest())

    def _live(self, needs: int | None = None) -> Mapping[int, bytes]:
        """The key-encryption keys as they stand: looked up each second, and at once for a version that is not known."""
        now = self._seconds()
        if now - self._looked >= LOOKS_AGAIN_S or (needs is not None and needs not in self._keks):
            self._looked = now
            self._keks = self._latest().keks
        return self._keks

    def _cipher(self, keks: Mapping[int, bytes], version: int, controller: str) -> AESGCM:
        name = (keks[version], controller)  # by the key itself: a version may come back as another one
        cipher = self._sealing.get(name)
        if cipher is None:
            cipher = self._sealing[name] = AESGCM(derived_key(keks[version], f"wrap\n{controller}"))
        return cipher
