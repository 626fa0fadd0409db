"""Signatures with the ledger key: the published vectors, and everything that must not pass."""

import base64
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.key_file import KeyFileRefused
from privacyops.adapters.signer_ed25519 import (
    Ed25519Signer,
    payload_of_jws,
    public_jwk,
    read_signing_key,
    require_signature,
    write_signing_key,
)
from privacyops.ports.signer import SignatureNotValid

SIGNER = Ed25519Signer(Ed25519PrivateKey.generate())
KEYS = {SIGNER.key_id: SIGNER.public_key}
KIND = "receipt+jws"


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_the_signature_is_that_of_rfc_8037_appendix_a() -> None:
    signer = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(_unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")))
    signed = signer.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
    assert _b64(signed) == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


def test_the_key_id_is_the_thumbprint_of_rfc_8037_appendix_a() -> None:
    public = _unb64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert public_jwk(public)["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@given(st.binary(max_size=500))
def test_what_was_signed_verifies(payload: bytes) -> None:
    assert payload_of_jws(SIGNER.jws(payload, KIND), KIND, KEYS) == payload
    require_signature(SIGNER.public_key, payload, SIGNER.sign(payload))


@given(position=st.integers(0, 1000), bit=st.integers(0, 6))
def test_a_token_with_one_flipped_bit_does_not_verify(position: int, bit: int) -> None:
    token = bytearray(SIGNER.jws(b'{"record":1}', KIND).encode())
    token[position % len(token)] ^= 1 << bit
    with pytest.raises(SignatureNotValid):
        payload_of_jws(token.decode(), KIND, KEYS)


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(SignatureNotValid):
        payload_of_jws(text, KIND, KEYS)


def test_a_receipt_is_no_promise() -> None:
    with pytest.raises(SignatureNotValid):
        payload_of_jws(SIGNER.jws(b"{}", KIND), "promise+jws", KEYS)


def test_an_unknown_key_does_not_verify() -> None:
    with pytest.raises(SignatureNotValid):
        payload_of_jws(Ed25519Signer(Ed25519PrivateKey.generate()).jws(b"{}", KIND), KIND, KEYS)


def test_two_live_keys_verify_during_rotation() -> None:
    new = Ed25519Signer(Ed25519PrivateKey.generate())
    live = {**KEYS, new.key_id: new.public_key}
    assert payload_of_jws(new.jws(b"new", KIND), KIND, live) == b"new"
    assert payload_of_jws(SIGNER.jws(b"old", KIND), KIND, live) == b"old"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": SIGNER.key_id, "typ": KIND},
        {"alg": "EdDSA", "kid": SIGNER.key_id, "typ": KIND, "crit": ["x"]},
        {"alg": "EdDSA", "kid": SIGNER.key_id},
        {"alg": "EdDSA", "typ": KIND},
        {"alg": "EdDSA", "kid": [SIGNER.key_id], "typ": KIND},
        [],
        1,
    ],
)
def test_a_header_that_says_more_or_less_is_refused_though_signed(header: object) -> None:
    text = f"{_b64(json.dumps(header, separators=(',', ':'), sort_keys=True).encode())}.{_b64(b'{}')}"
    with pytest.raises(SignatureNotValid):
        payload_of_jws(f"{text}.{_b64(SIGNER.sign(text.encode()))}", KIND, KEYS)


def test_twin_members_in_a_header_are_refused_though_signed() -> None:
    good = SIGNER.jws(b"{}", KIND).partition(".")[0]
    twin = _unb64(good).replace(b"{", b'{"alg":"none",', 1)
    text = f"{_b64(twin)}.{_b64(b'{}')}"
    with pytest.raises(SignatureNotValid):
        payload_of_jws(f"{text}.{_b64(SIGNER.sign(text.encode()))}", KIND, KEYS)


@pytest.mark.parametrize(("public", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), b"")])
def test_malformed_keys_and_signatures_are_refused(public: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureNotValid):
        require_signature(public, b"x", signature)


def test_a_written_key_reads_back_closed_to_others(tmp_path: Path) -> None:
    made = write_signing_key(tmp_path / "signing.pem")
    assert read_signing_key(tmp_path / "signing.pem").key_id == made.key_id
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o400


def test_an_existing_key_is_not_replaced(tmp_path: Path) -> None:
    made = write_signing_key(tmp_path / "signing.pem")
    with pytest.raises(KeyFileRefused):
        write_signing_key(tmp_path / "signing.pem")
    assert read_signing_key(tmp_path / "signing.pem").key_id == made.key_id


def test_a_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    write_signing_key(tmp_path / "signing.pem")
    (tmp_path / "signing.pem").chmod(0o440)
    with pytest.raises(KeyFileRefused):
        read_signing_key(tmp_path / "signing.pem")


def _closed(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def test_another_kind_of_key_or_an_encrypted_one_is_refused(tmp_path: Path) -> None:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(pem, pkcs8, serialization.NoEncryption())
    locked = Ed25519PrivateKey.generate().private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"word"))
    for name, content in (("ec", elliptic), ("locked", locked), ("text", b"no key")):
        with pytest.raises(KeyFileRefused):
            read_signing_key(_closed(tmp_path / name, content))


def test_the_published_key_holds_no_private_member() -> None:
    assert set(SIGNER.published()) == {"kty", "crv", "x", "alg", "use", "kid"}
    assert repr(SIGNER) == f"Ed25519Signer({SIGNER.key_id})"
