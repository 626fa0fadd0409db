"""Is a package complete and unchanged? Reads an archive with a public key and names every fault and its file.

It trusts nothing in the archive: names, sizes and the manifest itself are checked before they are used.
"""

import base64
import binascii
import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacyops.domain.package.manifest import FORMAT, MANIFEST, SIGNATURE, SIGNED_PREFIX
from privacyops.domain.package.names import is_safe_path

_CHUNK: Final = 1024 * 1024
_LARGEST_MANIFEST: Final = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class PackageFault:
    """What is wrong, and with which file; `file` is empty where the fault is the archive's."""

    fault: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result: no faults means that every byte is the one that was signed."""

    faults: tuple[PackageFault, ...]
    files: int
    key_id: str = ""
    manifest_sha256: str = ""

    @property
    def is_genuine(self) -> bool:
        """True if the signature is valid and every file is present, once, and unchanged."""
        return not self.faults


def verify_package(archive: BinaryIO, public_key: bytes) -> Verification:
    """Check signature, hashes, names and completeness of the package in `archive`, which must be seekable.

    `public_key` are the 32 raw bytes of the Ed25519 key, obtained from somewhere other than the package.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            return _verify(packed, public_key)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, zlib.error):
        return Verification((PackageFault("archive_unreadable"),), 0)


def _verify(packed: zipfile.ZipFile, public_key: bytes) -> Verification:
    names = packed.namelist()
    faults = [PackageFault("unsafe_name", name) for name in names if not is_safe_path(name)]
    folders = {name.partition("/")[0] for name in names}
    if len(folders) != 1 or len({name.casefold() for name in names}) != len(names):
        return Verification((*faults, PackageFault("names_not_one_folder_or_twice")), len(names))
    folder = folders.pop()
    body, sealed = (_small(packed, f"{folder}/{name}") for name in (MANIFEST, SIGNATURE))
    if body is None or sealed is None:
        return Verification((*faults, PackageFault("manifest_or_signature_missing")), len(names))
    key_id, signature = _signature(sealed)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, SIGNED_PREFIX + body)
    except InvalidSignature:
        # Nothing the manifest says can be believed now, so no file is compared with it.
        return Verification((*faults, PackageFault("signature_wrong", MANIFEST)), len(names), key_id)
    stated = _stated(body)
    present = {name.removeprefix(f"{folder}/") for name in names} - {MANIFEST, SIGNATURE}
    faults += [PackageFault("file_missing", path) for path in sorted(stated.keys() - present)]
    faults += [PackageFault("file_not_in_manifest", path) for path in sorted(present - stated.keys())]
    for path in sorted(stated.keys() & present):
        if not _is_unchanged(packed, f"{folder}/{path}", stated[path]):
            faults.append(PackageFault("file_changed", path))
    return Verification(tuple(faults), len(names), key_id, hashlib.sha256(body).hexdigest())


def _small(packed: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        with packed.open(name) as file:
            data = file.read(_LARGEST_MANIFEST + 1)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError):
        return None
    return data if len(data) <= _LARGEST_MANIFEST else None


def _signature(sealed: bytes) -> tuple[str, bytes]:
    try:
        envelope = json.loads(sealed)
        if envelope["algorithm"] != "Ed25519":
            return "", b""
        return str(envelope["key_id"]), base64.b64decode(envelope["signature"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return "", b""


def _stated(body: bytes) -> dict[str, dict[str, Any]]:
    content = json.loads(body)
    if content["format"] != FORMAT:
        raise ValueError("a manifest of another format")
    files: dict[str, dict[str, Any]] = content["files"]
    return files


def _is_unchanged(packed: zipfile.ZipFile, name: str, stated: dict[str, Any]) -> bool:
    digest, left = hashlib.sha256(), int(stated["bytes"])
    try:
        with packed.open(name) as file:
            while chunk := file.read(_CHUNK):
                left -= len(chunk)
                if left < 0:  # longer than stated: stop before a bomb unpacks
                    return False
                digest.update(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return False
    return left == 0 and digest.hexdigest() == stated["sha256"]
