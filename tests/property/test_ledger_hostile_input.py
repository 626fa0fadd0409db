"""What outsiders hand in, spoilt in every way: a clear refusal or the truth, never a traceback or a false yes."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from privacyops.ledger.checkpoint import (
    Checkpoint,
    LogProof,
    NoteMalformed,
    SignatureRefused,
    VerifierKey,
    sign_checkpoint,
)
from privacyops.ledger.fsck import Row, fsck
from privacyops.ledger.merkle import inclusion_proof, leaf_hash, reader_over, root_of
from privacyops.ledger.person import Disclosure, DisclosureMalformed, walk

ORIGIN = "privacy.shop.example/ledger/shop-group/2026"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
LEAVES = [str(number).encode() for number in range(21)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
NOTE = str(sign_checkpoint(Checkpoint(ORIGIN, 21, root_of(HASHES)), [(KEY, PRIVATE.sign)]))
PROOF = str(LogProof(13, tuple(inclusion_proof(reader_over(HASHES), 13, 21)), NOTE, b"extra"))
KEYS_OF_A_PERSON = dict.fromkeys(("subject", "contact", "evidence", "chain"), "ab" * 32)
HELD = json.dumps({"controller": "c", "subject_id": "s", "keys": KEYS_OF_A_PERSON, "evidence": {}})


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> str:
    """`text` with a piece cut out, doubled, or replaced."""
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    piece = draw(
        st.sampled_from(["", text[start:end] * 2, "\n", "\n\n", "—", "A", "=", "0", "\x00", "９"]) | st.text(max_size=5)
    )
    return text[:start] + piece + text[end:]


@given(spoilt(PROOF))
@example(PROOF)
def test_a_spoilt_proof_proves_nothing_but_the_leaf_it_was_made_for(text: str) -> None:
    try:
        proof = LogProof.parse(text)
        holds = proof.proves(LEAVES[13], [KEY], origin=ORIGIN)
        others = [leaf for leaf in LEAVES if leaf != LEAVES[13] and proof.proves(leaf, [KEY], origin=ORIGIN)]
    except (NoteMalformed, SignatureRefused):
        return
    assert others == []
    # what is not signed and not hashed may differ: the carried extra, the signatures of strangers
    assert holds == ((proof.index, proof.path) == (LogProof.parse(PROOF).index, LogProof.parse(PROOF).path))


@given(spoilt(NOTE))
@example(NOTE)
def test_a_spoilt_checkpoint_is_named_and_never_taken_for_another(note: str) -> None:
    class Whole:
        def rows(self, start: int) -> Any:
            return (Row(leaf, digest) for leaf, digest in zip(LEAVES[start:], HASHES[start:], strict=True))

    report = fsck(Whole(), [note], [KEY], origin=ORIGIN)
    assert report.covered in (0, 21)
    assert report.is_good == (report.covered == 21)


@given(st.text(max_size=120) | spoilt(str(KEY)))
def test_a_verifier_key_is_read_in_its_one_form_or_refused(text: str) -> None:
    try:
        key = VerifierKey.parse(text)
    except NoteMalformed:
        return
    assert str(key) == text.strip()


@given(st.text(max_size=80) | spoilt(HELD))
@example(HELD)
def test_a_disclosure_is_read_or_refused(text: str) -> None:
    try:
        held = Disclosure.parse(text)
    except DisclosureMalformed:
        return
    assert walk([None, b"", b'{"id":1,"subject":"hmac-sha256:"}', *LEAVES], held).records == []


@given(st.lists(st.none() | st.binary(max_size=80).map(lambda tail: b'{"subject":"hmac-sha256:' + tail), max_size=8))
def test_leaves_that_are_none_belong_to_nobody(leaves: list[bytes | None]) -> None:
    assert walk(leaves, Disclosure.parse(HELD)).is_good
