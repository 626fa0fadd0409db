"""Ed25519 signatures over `cryptography`: the signing key's file, compact JWS with EdDSA, key ids.

python-jose knows no EdDSA, and the rules of tokens_jose.py are for tokens of others; this is for our own words.
Sources: RFC 8032, RFC 7515, RFC 7638, RFC 8037.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privacyops.adapters.key_file import KeyFileRefused, read_closed_file, write_closed_file
from privacyops.ports.signer import SignatureNotValid

PUBLIC_BYTES: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{86}", re.ASCII)


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _b64(value) != text:
        raise SignatureNotValid("the token has more than one spelling")
    return value


def _json(members: Mapping[str, str]) -> bytes:
    return json.dumps(members, separators=(",", ":"), sort_keys=True).encode()


def public_jwk(public_key: bytes) -> Mapping[str, str]:
    """The public key as JWK with its thumbprint as `kid`."""
    bare = {"crv": "Ed25519", "kty": "OKP", "x": _b64(public_key)}
    kid = _b64(hashlib.sha256(_json(bare)).digest())
    return {**bare, "alg": "EdDSA", "use": "sig", "kid": kid}


class Ed25519Signer:
    """Signer with the private key in memory."""

    def __init__(self, key: Ed25519PrivateKey, former: Sequence["Ed25519Signer"] = ()) -> None:
        self._key = key
        self._former = tuple(former)
        self._public = key.public_key().public_bytes_raw()
        self._jwk = public_jwk(self._public)
        self._heads: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.key_id})"

    @property
    def key_id(self) -> str:
        return self._jwk["kid"]

    @property
    def public_key(self) -> bytes:
        return self._public

    @property
    def former(self) -> Sequence["Ed25519Signer"]:
        return self._former

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def jws(self, payload: bytes, kind: str) -> str:
        head = self._heads.get(kind)
        if head is None:
            head = self._heads[kind] = _b64(_json({"alg": "EdDSA", "kid": self.key_id, "typ": kind}))
        text = f"{head}.{_b64(payload)}"
        return f"{text}.{_b64(self.sign(text.encode()))}"

    def published(self) -> Mapping[str, str]:
        return self._jwk


def require_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raises: SignatureNotValid."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureNotValid("the signature does not fit") from None


def payload_of_jws(token: str, kind: str, keys: Mapping[str, bytes]) -> bytes:
    """What one of `keys` (by key id) signed as `kind`. The header must be exactly alg, kid and typ.

    Raises: SignatureNotValid.
    """
    if not _SHAPE.fullmatch(token):
        raise SignatureNotValid("the token is not a compact JWS")
    head, body, signature = token.split(".")
    try:
        header = json.loads(_unb64(head))
        public_key = keys[header["kid"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SignatureNotValid("the header is not understood or names an unknown key") from None
    if header != {"alg": "EdDSA", "kid": header["kid"], "typ": kind} or _unb64(head) != _json(header):
        raise SignatureNotValid("the header says something else")
    require_signature(public_key, f"{head}.{body}".encode(), _unb64(signature))
    return _unb64(body)


def read_signing_key(path: Path) -> Ed25519Signer:
    """The signer whose PKCS#8 PEM file lies at `path`, closed to others as the master keys' file.

    A key that it replaced lies beside it and still signs. Raises: KeyFileRefused.
    """
    key, old = _read(path), former_path(path)
    if not old.exists():
        return Ed25519Signer(key)
    replaced = Ed25519Signer(_read(old))
    # a rotation that was cut short leaves the same key twice
    same = replaced.public_key == key.public_key().public_bytes_raw()
    return Ed25519Signer(key, () if same else (replaced,))


def write_signing_key(path: Path) -> Ed25519Signer:
    """Make a signing key and store it with mode 0400. Raises: KeyFileRefused: a file exists already."""
    key = Ed25519PrivateKey.generate()
    write_closed_file(path, _pem(key))
    return Ed25519Signer(key)


def rotate_signing_key(path: Path) -> Ed25519Signer:
    """Replace the key at `path` and keep the old one beside it, to sign as well for a while.

    At every moment the file at `path` is a whole key. A key that was replaced earlier is gone afterwards.
    Raises: KeyFileRefused.
    """
    old = _read(path)
    write_closed_file(former_path(path), _pem(old), replace=True)
    key = Ed25519PrivateKey.generate()
    write_closed_file(path, _pem(key), replace=True)
    return Ed25519Signer(key, (Ed25519Signer(old),))


def former_path(path: Path) -> Path:
    """Where the key lies that the one at `path` replaced."""
    return path.with_name(f"{path.stem}.former{path.suffix}")


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(read_closed_file(path), password=None)
    except (ValueError, TypeError):
        raise KeyFileRefused("the signing key is not an unencrypted PKCS#8 PEM file") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileRefused("the signing key is not an Ed25519 key")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
