"""Signed notes, checkpoints and offline proofs."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.ledger.checkpoint import (
    Checkpoint,
    LogProof,
    NoteMalformed,
    SignatureLine,
    SignatureRefused,
    SignedNote,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)
from privacyops.ledger.merkle import inclusion_proof, leaf_hash, reader_over, root_of

ORIGIN = "privacy.shop.example/ledger/shop-group/2026"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = VerifierKey(ORIGIN, OTHER_PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(ORIGIN, 5_000, bytes(range(32)))
NOTE = str(sign_checkpoint(CHECKPOINT, [(KEY, PRIVATE.sign)]))

# A note and key that other implementations publish in their documentation.
FOREIGN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FOREIGN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_signed_by_another_implementation_verifies() -> None:
    key = VerifierKey.parse(FOREIGN_KEY)
    assert SignedNote.parse(FOREIGN_NOTE).verified_by([key]) == [key]
    assert str(key) == FOREIGN_KEY


def test_a_checkpoint_has_the_form_of_the_standard() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "5000", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_a_signed_checkpoint_opens_with_the_published_key() -> None:
    assert open_checkpoint(NOTE, [VerifierKey.parse(str(KEY))], origin=ORIGIN) == CHECKPOINT


def test_one_changed_sign_of_the_text_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        open_checkpoint(NOTE.replace("5000", "4999"), [KEY])


def test_another_key_of_the_same_name_does_not_open_it() -> None:
    with pytest.raises(SignatureRefused):
        open_checkpoint(NOTE, [OTHER])


def test_the_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(NoteMalformed):
        open_checkpoint(NOTE, [KEY], origin="privacy.shop.example/ledger/other/2026")


def test_while_a_key_is_replaced_either_one_opens_the_note() -> None:
    note = str(sign_checkpoint(CHECKPOINT, [(KEY, PRIVATE.sign), (OTHER, OTHER_PRIVATE.sign)]))
    assert open_checkpoint(note, [KEY]) == open_checkpoint(note, [OTHER]) == CHECKPOINT


def test_sixteen_unknown_signatures_are_passed_over() -> None:
    lines = [SignatureLine(f"witness{number}.example", bytes([number] * 4), bytes(2_420)) for number in range(16)]
    note = NOTE + "".join(str(line) for line in lines)
    assert open_checkpoint(note, [KEY]) == CHECKPOINT


def test_a_false_line_under_a_known_key_spoils_the_note() -> None:
    note = NOTE + str(SignatureLine(OTHER.name, OTHER.key_id, bytes(64)))
    assert open_checkpoint(note, [KEY]) == CHECKPOINT
    with pytest.raises(SignatureRefused):
        open_checkpoint(note, [KEY, OTHER])


def test_extension_lines_are_kept_as_signed() -> None:
    checkpoint = Checkpoint(ORIGIN, 0, bytes(32), ("one", "two"))
    assert open_checkpoint(str(sign_checkpoint(checkpoint, [(KEY, PRIVATE.sign)])), [KEY]) == checkpoint


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\n", "text\n\n— name AAAAAAA=", "text\n\n- name AAAAAAA=\n", "text\n\n— name\n",
     "text\n\n— name AAAA\n", "text\n\n— name AAAAAA==\n", "text\n\n— name AAAAAAB=\n", "text\n\n—  AAAAAAA=\n",
     "te\txt\n\n— name AAAAAAA=\n", "x\n\n" + "— name AAAAAAA=\n" * 65, "x" * 1_000_001 + "\n\n— name AAAAAAA=\n"],
)  # fmt: skip
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMalformed):
        SignedNote.parse(note)


@pytest.mark.parametrize(
    "text",
    ["", "o\n5\n", "o\n05\n{root}\n", "o\n-5\n{root}\n", "o\n٥\n{root}\n", "\n5\n{root}\n", "o\n5\nAAAA\n",
     "o\n5\n{root}\n\nx\n", "o\n5\n{root}", "o\n" + "9" * 19 + "\n{root}\n"],
)  # fmt: skip
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text.replace("{root}", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+c74f20a3", "na me+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
     "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
     "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
)  # fmt: skip
def test_what_is_not_a_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        VerifierKey.parse(text)


def a_proof(size: int = 5_000, index: int = 3_456) -> tuple[LogProof, bytes]:
    leaves = [str(number).encode() for number in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root_of(hashes)), [(KEY, PRIVATE.sign)])
    return LogProof(index, tuple(inclusion_proof(reader_over(hashes), index, size)), str(note)), leaves[index]


def test_a_proof_verifies_with_the_public_key_alone() -> None:
    proof, leaf = a_proof()
    again = LogProof.parse(str(proof))
    assert again == proof
    assert again.proves(leaf, [KEY], origin=ORIGIN)
    assert not again.proves(leaf + b"x", [KEY], origin=ORIGIN)


def test_a_proof_of_a_log_of_5000_is_short() -> None:
    proof, _ = a_proof()
    assert len(proof.path) == 13
    assert len(str(proof)) < 1_000


def test_a_proof_fails_with_another_key() -> None:
    proof, leaf = a_proof(8, 3)
    with pytest.raises(SignatureRefused):
        proof.proves(leaf, [OTHER])


def test_extra_data_travels_with_a_proof() -> None:
    proof, _ = a_proof(1, 0)
    assert LogProof.parse(str(LogProof(0, (), proof.note, b"extra"))).extra == b"extra"


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\n\nx",
     "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
     "c2sp.org/tlog-proof@v1\nindex 0\n" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" * 64 + "\nx"],
)  # fmt: skip
def test_what_is_not_a_proof_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        LogProof.parse(text)
