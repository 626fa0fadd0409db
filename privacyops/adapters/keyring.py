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
from collections.abc import Callable, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacyops.adapters.key_file import KEY_BYTES, MasterKeys
from privacyops.ports.keyring import Mac, MacLabel, Place, SealBroken

_SALT: Final = b"privacyops/v1"
_BY_KEK: Final = b"\x01"
_BY_DATA_KEY: Final = b"\x02"
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = 3 + _NONCE_BYTES
CACHED_KEYS: Final = 10_000
CACHED_SECONDS: Final = 60.0


def derived_key(secret: bytes, label: str) -> bytes:
    """32 bytes for `label`: HKDF-SHA256 with the house's salt."""
    inner = hmac.digest(_SALT, secret, hashlib.sha256)  # RFC 5869 for one block; a tenth of the time of a HKDF object
    return hmac.digest(inner, label.encode() + b"\x01", hashlib.sha256)


def framed(*parts: bytes) -> bytes:
    """The parts, each behind its length, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _begun(key: bytes) -> tuple[Any, Any]:
    """HMAC-SHA256 up to where the message begins, inside and outside: starting from here takes a third of the time.

    Source: FIPS 198-1 section 4; RFC 2104 section 4 says that this may be kept and has to be guarded like the key.
    """
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def _bound_to(head: bytes, place: Place) -> bytes:
    fields = (place.controller, place.table, place.column, place.row)
    return framed(head, *(field.encode() for field in fields))


def _sealed(key: bytes, head: bytes, plaintext: bytes, place: Place) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, plaintext, _bound_to(head, place))


def _opened(key: bytes, sealed: bytes, place: Place) -> bytes:
    head, nonce, body = sealed[:3], sealed[3:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, body, _bound_to(head, place))
    except (InvalidTag, ValueError):
        raise SealBroken from None


class OpenDataKey:
    """A data key in memory. Its repr shows nothing."""

    __slots__ = ("_derived", "_key", "_sealing")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sealing = derived_key(key, "seal")
        self._derived: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "OpenDataKey()"

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        return _sealed(self._sealing, _BY_DATA_KEY + b"\0\0", plaintext, place)

    def open(self, sealed: bytes, place: Place) -> bytes:
        if sealed[:1] != _BY_DATA_KEY:
            raise SealBroken
        return _opened(self._sealing, sealed, place)

    def derived(self, label: str) -> bytes:
        known = self._derived.get(label)
        if known is None:
            known = self._derived[label] = derived_key(self._key, label)
        return known


class MasterKeyRing:
    """KeyRing over master keys held in memory.

    Open data keys are remembered for a minute, 10,000 at most; `forget` empties that memory after an erasure.
    `seconds` is a clock that never jumps.
    """

    def __init__(self, keys: MasterKeys, seconds: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._seconds = keys, seconds
        self._sealing: dict[tuple[int, str], bytes] = {}
        self._macing: dict[tuple[int, MacLabel, str], tuple[Any, Any]] = {}
        self._newest_first = sorted(keys.roots, reverse=True)
        self._open_keys: OrderedDict[tuple[bytes, Place], tuple[float, OpenDataKey]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"MasterKeyRing(keks={sorted(self._keys.keks)}, roots={sorted(self._keys.roots)})"

    @property
    def kek_versions(self) -> Sequence[int]:
        """Live key-encryption keys, oldest first; new values use the last."""
        return sorted(self._keys.keks)

    @staticmethod
    def version_of(sealed: bytes) -> int:
        """Which key-encryption key wrapped this: for counting what still hangs on an old one."""
        return int.from_bytes(sealed[1:3], "big")

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        version = max(self._keys.keks)
        head = _BY_KEK + version.to_bytes(2, "big")
        return _sealed(self._sealing_key(version, place.controller), head, plaintext, place)

    def open(self, sealed: bytes, place: Place) -> bytes:
        version = self.version_of(sealed)
        if sealed[:1] != _BY_KEK or version not in self._keys.keks:
            raise SealBroken
        return _opened(self._sealing_key(version, place.controller), sealed, place)

    def new_data_key(self, place: Place) -> bytes:
        return self.seal(secrets.token_bytes(KEY_BYTES), place)

    def data_key(self, wrapped: bytes, place: Place) -> OpenDataKey:
        now = self._seconds()
        with self._lock:
            at, known = self._open_keys.get((wrapped, place), (now, None))
            if known is not None and now - at < CACHED_SECONDS:
                return known
        opened = OpenDataKey(self.open(wrapped, place))
        with self._lock:
            self._open_keys[wrapped, place] = (now, opened)
            self._open_keys.move_to_end((wrapped, place))
            while self._open_keys and (
                len(self._open_keys) > CACHED_KEYS or now - next(iter(self._open_keys.values()))[0] >= CACHED_SECONDS
            ):
                self._open_keys.popitem(last=False)
        return opened

    def forget(self) -> None:
        with self._lock:
            self._open_keys.clear()

    def rewrapped(self, sealed: bytes, place: Place) -> bytes | None:
        plaintext = self.open(sealed, place)
        return None if self.version_of(sealed) == max(self._keys.keks) else self.seal(plaintext, place)

    def mac(self, label: MacLabel, controller: str, *parts: bytes) -> Mac:
        return self._mac(max(self._keys.roots), label, controller, parts)

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

    def _sealing_key(self, version: int, controller: str) -> bytes:
        name = (version, controller)
        key = self._sealing.get(name)
        if key is None:
            key = derived_key(self._keys.keks[version], f"wrap\n{controller}")
            self._sealing[name] = key
        return key
