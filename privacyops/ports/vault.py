"""Where answer packages and evidence lie: encrypted blobs, one key a request, gone when the request's key is gone."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Gone, NotFound, Unavailable
from privacyops.kernel.ids import DsarId


class VaultFull(Unavailable):
    """The disk took no more; nothing of the blob is left behind."""

    type = "/problems/vault-full"
    title = "The file store is full; nothing was stored"


class BlobBroken(Unavailable):
    """A blob was cut, altered or exchanged. Whoever catches this raises an alarm."""

    type = "/problems/blob-broken"
    title = "A stored file is damaged"


class BlobMissing(NotFound):
    type = "/problems/blob-missing"
    title = "This file is not in the store"


class RequestKeyDestroyed(Gone):
    type = "/problems/request-key-destroyed"
    title = "The files of this request were destroyed"


@dataclass(frozen=True, slots=True)
class VaultRef:
    """One stored blob: enough to find it and to know it; no name, no personal data."""

    controller: str
    request: DsarId
    blob: UUID
    size: int
    sha256: str


class Vault(Protocol):
    """Stores blobs wholly or not at all, and reads back only what was stored."""

    def put(self, controller: str, request: DsarId, content: Iterable[bytes]) -> VaultRef:
        """Store `content` under the request's key, made on first use; on the disk before this returns.

        Raises: VaultFull, RequestKeyDestroyed; what `content` raises passes through, and nothing is stored.
        """
        ...

    def open(self, ref: VaultRef) -> Iterator[bytes]:
        """The content in pieces, each authenticated before it is handed out.

        A cut shows at the end: treat what came as void when the iterator raises.

        Raises: BlobMissing, RequestKeyDestroyed, SealBroken at once; BlobBroken while reading.
        """
        ...

    def verify(self, ref: VaultRef) -> None:
        """Read all of it and compare size and hash: before a release. Raises: as `open`, all at once."""
        ...

    def destroy(self, request: DsarId) -> None:
        """Make every blob of the request unreadable for good, key first. Repeatable, and final for this request."""
        ...

    def sweep(self, known: Collection[UUID], older_than: Instant) -> int:
        """Delete what no row refers to: pieces of interrupted writes, blobs outside `known`, folders without a key.

        Only what was last touched before `older_than`, since a fresh blob may still wait for its row. Returns
        the number of files deleted.
        """
        ...

    def rewrap(self) -> int:
        """Wrap every request key anew by the newest key-encryption key; how many were. Repeatable at any point."""
        ...

    def kek_uses(self) -> Mapping[int, int]:
        """How many request keys each version of the key-encryption key wraps."""
        ...
