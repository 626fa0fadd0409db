"""Checkpoints: what a log says about itself at one size, signed so that it cannot later say otherwise.

A checkpoint is the text of a signed note: origin, size and root. Keys are Ed25519; other kinds of signature
lines (witnesses, post-quantum cosignatures) are carried along and ignored by a verifier that does not know them.
The private key is not here: whoever signs hands in a function.

Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-proof@v1.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacyops.ledger.merkle import HASH_BYTES, inclusion_holds, leaf_hash

ED25519: Final = 0x01
MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 64
"""The format asks for at least 16; a post-quantum line has nearly 5 kB."""
MAX_PROOF_HASHES: Final = 63
_KEY_ID_BYTES: Final = 4
_PUBLIC_BYTES: Final = 32
_PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


class NoteMalformed(ValueError):
    """The bytes are not a signed note, checkpoint, verifier key or proof; the message names the broken rule."""


class SignatureRefused(ValueError):
    """No known key signed the note, or a line of a known key does not verify."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(sign.isspace() for sign in self.name):
            raise NoteMalformed("a key name is not empty and holds neither spaces nor a plus sign")
        if len(self.public) != _PUBLIC_BYTES:
            raise NoteMalformed("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || public key), first four bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """`name+hex(key id)+base64(0x01 || public key)`, the form in which keys are published."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([ED25519]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Raises: NoteMalformed: not that form, another algorithm, or an id that is not the key's."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _bytes_of(encoded)
        if key[:1] != bytes([ED25519]):
            raise NoteMalformed("only Ed25519 keys are known")
        parsed = cls(name, key[1:])
        if parsed.key_id.hex() != key_id:
            raise NoteMalformed("the key id does not belong to the key")
        return parsed

    def verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature: whose it claims to be, and its bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text that ends in a newline, and the signatures under it."""

    text: str
    lines: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(str(line) for line in self.lines)

    @classmethod
    def parse(cls, note: str) -> "SignedNote":
        """Raises: NoteMalformed: the form of a signed note is not met."""
        if len(note.encode(errors="surrogatepass")) > MAX_NOTE_BYTES:
            raise NoteMalformed("a note of more than a million bytes")
        if any(sign < " " and sign != "\n" for sign in note):
            raise NoteMalformed("a control character in a note")
        text, gap, signatures = note.rpartition("\n\n")
        if not gap or not signatures.endswith("\n"):
            raise NoteMalformed("a note is a text, an empty line and signature lines")
        rows = signatures.removesuffix("\n").split("\n")
        if len(rows) > MAX_SIGNATURES:
            raise NoteMalformed(f"more than {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(_signature_line(row) for row in rows))

    def verified_by(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """The keys among `keys` that signed this note; lines of unknown keys are passed over.

        Raises: SignatureRefused: none of them signed, or a line that names one of them does not verify.
        """
        known = {(key.name, key.key_id): key for key in keys}
        signers: list[VerifierKey] = []
        for line in self.lines:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            if not key.verifies(self.text.encode(), line.signature):
                raise SignatureRefused(f"the signature of {key.name} does not verify")
            if key not in signers:
                signers.append(key)
        if not signers:
            raise SignatureRefused("no known key signed this note")
        return signers


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`origin` had `size` leaves under `root`. Extension lines are kept because they are signed."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The note text; str() of a parsed checkpoint is the text it was parsed from."""
        rows = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        return "\n".join(rows) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Raises: NoteMalformed: fewer than three lines, an empty line, a size or root that is not one."""
        if not text.endswith("\n"):
            raise NoteMalformed("a checkpoint ends in a newline")
        rows = text.removesuffix("\n").split("\n")
        if len(rows) < 3 or not all(rows):
            raise NoteMalformed("a checkpoint is an origin, a size and a root, each on its line")
        root = _bytes_of(rows[2])
        if len(root) != HASH_BYTES:
            raise NoteMalformed("a root has 32 bytes")
        return cls(rows[0], _decimal(rows[1]), root, tuple(rows[3:]))


Sign = Callable[[bytes], bytes]
"""Ed25519 over the message: 64 bytes."""


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[tuple[VerifierKey, Sign]]) -> SignedNote:
    """`checkpoint` with one line a signer; several sign while a key is being replaced."""
    text = str(checkpoint)
    lines = (SignatureLine(key.name, key.key_id, sign(text.encode())) for key, sign in signers)
    return SignedNote(text, tuple(lines))


def open_checkpoint(note: str, keys: Iterable[VerifierKey], *, origin: str | None = None) -> Checkpoint:
    """The checkpoint of a signed note, after its signatures were verified.

    Raises: NoteMalformed: the form, or another origin than `origin`; SignatureRefused.
    """
    signed = SignedNote.parse(note)
    signed.verified_by(keys)
    checkpoint = Checkpoint.parse(signed.text)
    if origin is not None and checkpoint.origin != origin:
        raise NoteMalformed("the checkpoint is of another log")
    return checkpoint


@dataclass(frozen=True, slots=True)
class LogProof:
    """That one leaf is in a log, verifiable with the log's public key and nothing else.

    `extra` is carried unauthenticated; nothing may rest on it.
    """

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    def __str__(self) -> str:
        head = [_PROOF_HEADER]
        if self.extra is not None:
            head.append(f"extra {_base64(self.extra)}")
        head.append(f"index {self.index}")
        return "\n".join([*head, *(_base64(step) for step in self.path), "", self.note])

    @classmethod
    def parse(cls, text: str) -> "LogProof":
        """Raises: NoteMalformed."""
        head, gap, note = text.partition("\n\n")
        rows = head.split("\n")
        if not gap or rows.pop(0) != _PROOF_HEADER:
            raise NoteMalformed("not a proof of the known version")
        extra = _bytes_of(rows.pop(0)[6:]) if rows and rows[0].startswith("extra ") else None
        if not rows or not rows[0].startswith("index "):
            raise NoteMalformed("a proof names the index of its leaf")
        index, path = _decimal(rows[0][6:]), tuple(_bytes_of(row) for row in rows[1:])
        if len(path) > MAX_PROOF_HASHES or any(len(step) != HASH_BYTES for step in path):
            raise NoteMalformed("a path has at most 63 hashes of 32 bytes")
        return cls(index, path, note, extra)

    def proves(self, leaf: bytes, keys: Iterable[VerifierKey], *, origin: str | None = None) -> bool:
        """Whether `leaf` stands at `index` in the log whose checkpoint one of `keys` signed.

        Raises: NoteMalformed, SignatureRefused: the checkpoint itself cannot be trusted.
        """
        checkpoint = open_checkpoint(self.note, keys, origin=origin)
        return inclusion_holds(
            leaf=leaf_hash(leaf), index=self.index, size=checkpoint.size, path=self.path, root=checkpoint.root
        )


def _signature_line(row: str) -> SignatureLine:
    parts = row.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not parts[1]:
        raise NoteMalformed("a signature line is a dash, a name and base64")
    blob = _bytes_of(parts[2])
    if len(blob) <= _KEY_ID_BYTES:
        raise NoteMalformed("a signature line without a signature")
    return SignatureLine(parts[1], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or (text != "0" and text[0] == "0"):
        raise NoteMalformed("a number is decimal, without leading zeroes")
    return int(text)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes_of(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed("not base64") from None
    if _base64(value) != text:  # the decoder lets stray bits of the last sign pass: one value, one spelling
        raise NoteMalformed("not canonical base64")
    return value
