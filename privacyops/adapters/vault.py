"""The vault on a file system: one folder a request, one wrapped key in it, blobs in authenticated chunks.

    <root>/<request>/key            the request's key, wrapped by the key ring
    <root>/<request>/<blob>.blob    head, then chunks
    <root>/destroyed/<request>      an empty file: this request's key is gone for good

A chunk is AES-256-GCM with the nonce `random prefix (7) | chunk number (4) | last chunk? (1)`: a chunk cannot be
moved, repeated or left out, and a file that was cut has no last chunk. Files appear by rename after fsync, so a
crash or a full disk leaves a `.part` file that `sweep` removes, and never half a blob.
Source: Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance (STREAM), 2015.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacyops.adapters.keyring import framed
from privacyops.adapters.whole_file import sync_folder, write_whole
from privacyops.kernel.clock import Instant
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import KeyRing, Place, kek_of
from privacyops.ports.vault import BlobBroken, BlobMissing, RequestKeyDestroyed, VaultFull, VaultRef

CHUNK_BYTES: Final = 64 * 1024
_MAGIC: Final = b"POV1"
_PREFIX_BYTES: Final = 7
_TAG_BYTES: Final = 16
_MOST_CHUNKS: Final = 2**32
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FolderVault:
    """Vault below one folder of the local file system, readable by this user alone."""

    def __init__(self, root: Path, ring: KeyRing) -> None:
        self._root, self._ring = root, ring
        self._destroyed = root / "destroyed"
        self._destroyed.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, controller: str, request: DsarId, content: Iterable[bytes]) -> VaultRef:
        self._refuse_if_destroyed(request)
        folder, blob = self._folder(request), uuid4()
        part, path = folder / f"{blob.hex}.part", folder / f"{blob.hex}.blob"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            key = self._key(controller, request, make=True)
            size, sha256 = _write(part, key, _about(controller, request, blob), content)
            crash_point("vault.before_rename")
            part.replace(path)
            sync_folder(folder)
        except OSError as failed:
            part.unlink(missing_ok=True)
            if failed.errno in _FULL:
                raise VaultFull from None
            self._refuse_if_destroyed(request)
            raise
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        if self._is_destroyed(request):  # a destruction that ran meanwhile may have missed this file
            self.destroy(request)
            raise RequestKeyDestroyed
        return VaultRef(controller, request, blob, size, sha256)

    def open(self, ref: VaultRef) -> Iterator[bytes]:
        self._refuse_if_destroyed(ref.request)
        key = self._key(ref.controller, ref.request, make=False)
        path = self._folder(ref.request) / f"{ref.blob.hex}.blob"
        if not path.exists():
            raise BlobMissing
        return _read(path, key, _about(ref.controller, ref.request, ref.blob))

    def verify(self, ref: VaultRef) -> None:
        size, digest = 0, hashlib.sha256()
        for piece in self.open(ref):
            size += len(piece)
            digest.update(piece)
        if (size, digest.hexdigest()) != (ref.size, ref.sha256):
            raise BlobBroken

    def destroy(self, request: DsarId) -> None:
        (self._destroyed / request.hex).touch(mode=0o600)
        sync_folder(self._destroyed)
        self._ring.forget()
        crash_point("vault.after_mark")
        folder = self._folder(request)
        with contextlib.suppress(FileNotFoundError):
            _overwrite(folder / "key")
            (folder / "key").unlink()
            sync_folder(folder)
        crash_point("vault.after_key")
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
        sync_folder(self._root)

    def sweep(self, known: Collection[UUID], older_than: Instant) -> int:
        limit, names, gone = older_than.timestamp(), {blob.hex for blob in known}, 0
        for folder in self._folders():
            destroyed = (self._destroyed / folder.name).exists()
            has_key = (folder / "key").exists() and not destroyed
            for path in list(folder.iterdir()):
                wanted = has_key and (path.name == "key" or (path.suffix == ".blob" and path.stem in names))
                if not wanted and path.stat().st_mtime < limit:
                    path.unlink()
                    gone += 1
            with contextlib.suppress(OSError):  # not empty: something in it is wanted or fresh
                folder.rmdir()
        return gone

    def rewrap(self) -> int:
        done = 0
        for folder in self._folders():
            with contextlib.suppress(FileNotFoundError):
                controller, wrapped = _split_key((folder / "key").read_bytes())
                fresh = self._ring.rewrapped(wrapped, _key_place(controller, folder.name))
                if fresh is not None:
                    write_whole(folder / "key", _joined_key(controller, fresh), replace=True)
                    crash_point("vault.after_rewrap")
                    done += 1
                    if (self._destroyed / folder.name).exists():  # meanwhile: its key must not come back
                        self.destroy(DsarId(UUID(folder.name)))
        return done

    def kek_uses(self) -> Mapping[int, int]:
        found: Counter[int] = Counter()
        for folder in self._folders():
            with contextlib.suppress(FileNotFoundError):
                _, wrapped = _split_key((folder / "key").read_bytes())
                found[kek_of(wrapped) or 0] += 1
        return dict(sorted(found.items()))

    def _folder(self, request: DsarId) -> Path:
        return self._root / request.hex

    def _folders(self) -> Iterator[Path]:
        return (path for path in sorted(self._root.iterdir()) if path.is_dir() and path != self._destroyed)

    def _is_destroyed(self, request: DsarId) -> bool:
        return (self._destroyed / request.hex).exists()

    def _refuse_if_destroyed(self, request: DsarId) -> None:
        if self._is_destroyed(request):
            raise RequestKeyDestroyed

    def _key(self, controller: str, request: DsarId, *, make: bool) -> bytes:
        path, place = self._folder(request) / "key", _key_place(controller, request.hex)
        if make and not path.exists():
            with contextlib.suppress(FileExistsError):  # the first writer wins
                write_whole(path, _joined_key(controller, self._ring.new_data_key(place)))
        try:
            _, wrapped = _split_key(path.read_bytes())
        except FileNotFoundError:
            raise BlobMissing from None
        return self._ring.data_key(wrapped, place).derived("vault")


def _key_place(controller: str, request: str) -> Place:
    return Place(controller, "vault", "key", request)


def _joined_key(controller: str, wrapped: bytes) -> bytes:
    return framed(controller.encode()) + wrapped


def _split_key(text: bytes) -> tuple[str, bytes]:
    size = int.from_bytes(text[:4], "big")
    return text[4 : 4 + size].decode(), text[4 + size :]


def _about(controller: str, request: UUID, blob: UUID) -> bytes:
    return framed(controller.encode(), request.bytes, blob.bytes)


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _write(path: Path, key: bytes, about: bytes, content: Iterable[bytes]) -> tuple[int, str]:
    """Size and SHA-256 of what was written, encrypted, to `path`, which is on the disk afterwards."""
    size, digest, cipher, prefix = 0, hashlib.sha256(), AESGCM(key), secrets.token_bytes(_PREFIX_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_MAGIC + prefix)
        for number, (chunk, last) in enumerate(_chunks(content)):
            if number == _MOST_CHUNKS:
                raise VaultFull
            file.write(cipher.encrypt(_nonce(prefix, number, last=last), chunk, about))
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _chunks(content: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces of CHUNK_BYTES and whether each is the last; an empty content is one empty last chunk."""
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) > CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES]), False
            del waiting[:CHUNK_BYTES]
    yield bytes(waiting), True


def _read(path: Path, key: bytes, about: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    with path.open("rb") as file:
        head = file.read(len(_MAGIC) + _PREFIX_BYTES)
        prefix = head[len(_MAGIC) :]
        if not head.startswith(_MAGIC) or len(prefix) != _PREFIX_BYTES:
            raise BlobBroken
        number, sealed = 0, file.read(CHUNK_BYTES + _TAG_BYTES)
        while True:
            after = file.read(CHUNK_BYTES + _TAG_BYTES)
            try:
                yield cipher.decrypt(_nonce(prefix, number, last=not after), sealed, about)
            except (InvalidTag, ValueError):
                raise BlobBroken from None
            if not after:
                return
            number, sealed = number + 1, after


def _overwrite(path: Path) -> None:
    """Zeros over the wrapped key: where the medium writes in place nothing is left to undelete."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
