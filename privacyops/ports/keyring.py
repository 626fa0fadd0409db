"""Keys that never leave their ring: sealing, data keys that can be destroyed, blind indexes and peppers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from privacyops.kernel.errors import Unavailable
from privacyops.kernel.record import record

BY_KEK: Final = b"\x01"
"""The first byte of whatever a key-encryption key sealed; its version follows in two bytes."""


def kek_head(version: int) -> bytes:
    """How everything begins that the key-encryption key of this version sealed."""
    return BY_KEK + version.to_bytes(2, "big")


def kek_of(sealed: bytes) -> int | None:
    """The version of the key-encryption key that sealed this; None: another kind of key did."""
    return int.from_bytes(sealed[1:3], "big") if sealed[:1] == BY_KEK else None


class SealBroken(Unavailable):
    """A ciphertext does not open here: altered, moved to another place, or its key version is gone.

    Whoever catches this raises an alarm; it never happens by itself.
    """

    type = "/problems/seal-broken"
    title = "A stored value cannot be read"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ciphertext belongs. It opens at this place and nowhere else."""

    controller: str
    table: str
    column: str
    row: str


class MacLabel(StrEnum):
    """What a keyed hash is for; each label has a key of its own."""

    INDEX_EMAIL = "index.email"
    INDEX_PHONE = "index.phone"
    INDEX_ORDER = "index.order"
    INDEX_CUSTOMER = "index.customer"
    INDEX_DEVICE = "index.device"
    INDEX_PUSH = "index.push"
    INDEX_SUBJECT = "index.subject"
    SUPPRESSION = "suppression"
    API_KEY = "pepper.api_key"
    CODE = "pepper.code"
    RECOVERY = "pepper.recovery"
    CONSISTENCY = "token.consistency"
    COLLECTION = "token.collection"
    FEED = "feed.subject"
    IMPORT = "import.row"
    EXPORT = "export.subject"
    CHALLENGE = "token.challenge"
    FORM = "token.form"
    CSRF = "token.csrf"
    BUCKET = "bucket"
    ERASED = "erased.record"


@record(frozen=True, slots=True)
class Mac:
    """HMAC-SHA256 and the version of the root key it was made with."""

    version: int
    digest: bytes


class DataKey(Protocol):
    """The open key of one subject or request. Forget it after use; it is nothing but bytes in memory."""

    def seal(self, plaintext: bytes, place: Place) -> bytes: ...

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Raises: SealBroken."""
        ...

    def derived(self, label: str) -> bytes:
        """32 bytes for `label` (HKDF-SHA256): `subject`, `contact`, `evidence`, `chain`, `seal`."""
        ...


class KeyRing(Protocol):
    """The key-encryption keys and the root of all derived keys.

    Several versions live side by side: new values use the newest, old values open with theirs.
    """

    @property
    def kek_versions(self) -> Sequence[int]:
        """Live key-encryption keys, oldest first; new values use the last."""
        ...

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        """`plaintext` under the newest key-encryption key, bound to `place`."""
        ...

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Raises: SealBroken."""
        ...

    def new_data_key(self, place: Place) -> bytes:
        """A fresh key, wrapped. Store it at `place`; deleting every copy of it destroys what it seals."""
        ...

    def made_data_key(self, place: Place) -> tuple[bytes, DataKey]:
        """As `new_data_key`, and the key open: for a write that uses it at once."""
        ...

    def data_key(self, wrapped: bytes, place: Place) -> DataKey:
        """Raises: SealBroken."""
        ...

    def forget(self) -> None:
        """Drop every open data key from this process's memory; called after an erasure destroyed one."""
        ...

    def rewrapped(self, sealed: bytes, place: Place) -> bytes | None:
        """`sealed` or a wrapped key under the newest key; None where it is already. Raises: SealBroken."""
        ...

    def mac(self, label: MacLabel, controller: str, *parts: bytes) -> Mac:
        """The keyed hash to store: newest version. Parts are kept apart, so (`ab`,`c`) is not (`a`,`bc`)."""
        ...

    def macs(self, label: MacLabel, controller: str, *parts: bytes) -> Sequence[Mac]:
        """Every live version, newest first: for looking up what an older version may have stored."""
        ...

    def is_mac(self, mac: Mac, label: MacLabel, controller: str, *parts: bytes) -> bool:
        """Whether `mac` is the keyed hash of `parts`, compared in constant time; False for a retired version."""
        ...
