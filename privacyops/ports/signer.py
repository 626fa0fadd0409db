"""Signs with the ledger key: checkpoints, receipts, manifests."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class SignatureNotValid(ValueError):
    """A signature, its form or its key is not what was expected. Says no more than that."""


class Signer(Protocol):
    """An Ed25519 key that signs. The private half stays behind this port.

    Every kind of message carries its own prefix or type, so that no signature of one kind passes as another.
    """

    @property
    def key_id(self) -> str:
        """Name under which the public key is published: its JWK thumbprint (RFC 7638)."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    @property
    def former(self) -> Sequence["Signer"]:
        """Keys that were replaced and still sign beside this one, until everybody who verifies knows the new one."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature under `message`."""
        ...

    def jws(self, payload: bytes, kind: str) -> str:
        """`payload` as compact JWS with `alg` EdDSA, this key's `kid` and `kind` as `typ` (RFC 7515, RFC 8037)."""
        ...

    def published(self) -> Mapping[str, str]:
        """The public key as JWK, for the list of keys that verifiers read."""
        ...
