"""The token of a write: which version of whose state a later check has to show at least.

`ct1.` and a signed text of controller, keyed hash of the person's number, and `state_version`. It names the version,
which is known at the commit, and not a sequence number, which is given later. It holds nothing about the person and
opens nothing: a forged one could only ask for an answer that is too new.
"""

from dataclasses import dataclass
from typing import Final

from privacyops.domain.secret import SecretMalformed, SignedKind, sign_text, signed_payload
from privacyops.kernel.errors import Unprocessable
from privacyops.ports.keyring import KeyRing, Mac, MacLabel

_REF_BYTES: Final = 12
_MAC_BYTES: Final = 16
_PERSON: Final = b"subject"


class TokenMalformed(Unprocessable):
    type = "/problems/consistency-token-malformed"
    title = "This is not the `token` of an earlier answer of this service"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says: the state of the person behind `ref` stands at `state_version` or later."""

    ref: bytes
    state_version: int


def token_of(keyring: KeyRing, controller: str, subject_no: int, state_version: int) -> str:
    """The token of a write that left the person's state at `state_version`."""

    def sign(message: bytes) -> tuple[int, bytes]:
        mac = keyring.mac(MacLabel.CONSISTENCY, controller, message)
        return mac.version, mac.digest[:_MAC_BYTES]

    ref = ref_of(keyring, controller, subject_no)
    payload = b"%s\n%s\n%d" % (controller.encode(), ref.hex().encode(), state_version)
    return sign_text(SignedKind.CONSISTENCY, payload, sign)


def claim_of(keyring: KeyRing, controller: str, text: str) -> Claim:
    """What the token says. Raises: TokenMalformed: not one of this service, or of another controller's."""

    def is_signed(version: int, mac: bytes, message: bytes) -> bool:
        made = [one for one in keyring.macs(MacLabel.CONSISTENCY, controller, message) if one.version == version]
        return bool(made) and keyring.is_mac(_completed(made[0], mac), MacLabel.CONSISTENCY, controller, message)

    try:
        told, ref, version = signed_payload(SignedKind.CONSISTENCY, text, is_signed).split(b"\n")
    except (SecretMalformed, ValueError):
        raise TokenMalformed from None
    if told != controller.encode():
        raise TokenMalformed
    return Claim(bytes.fromhex(ref.decode()), int(version))


def ref_of(keyring: KeyRing, controller: str, subject_no: int) -> bytes:
    """How a token names the person: nobody who holds two tokens learns more than whether they are of one person."""
    mac = keyring.mac(MacLabel.CONSISTENCY, controller, _PERSON, str(subject_no).encode())
    return mac.digest[:_REF_BYTES]


def refs_of(keyring: KeyRing, controller: str, subject_no: int) -> frozenset[bytes]:
    """Every name that a token made with a live key may use for the person."""
    macs = keyring.macs(MacLabel.CONSISTENCY, controller, _PERSON, str(subject_no).encode())
    return frozenset(mac.digest[:_REF_BYTES] for mac in macs)


def _completed(made: Mac, given: bytes) -> Mac:
    """A truncated hash beside the rest of the true one, so that the key ring compares it in constant time."""
    return Mac(made.version, given + made.digest[_MAC_BYTES:])
