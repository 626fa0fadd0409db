"""Secrets that people and programs carry: one shape a kind, one prefix a parser."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.secret import (
    ApiKey,
    CodeVerdict,
    LinkKind,
    SecretMalformed,
    SignedKind,
    judge_code,
    link_digest,
    mint_api_key,
    mint_code,
    mint_link,
    mint_session_id,
    parse_api_key,
    session_digest,
    sign_text,
    signed_payload,
    typed_code,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
secrets_32 = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_minted_link_is_found_by_its_digest(kind: LinkKind) -> None:
    link = mint_link(kind)
    assert link_digest(kind, link.text) == link.digest == hashlib.sha256(link.text.encode()).digest()


@given(secrets_32)
def test_every_256_bits_give_43_letters_and_another_link(entropy: bytes) -> None:
    link = mint_link(LinkKind.MAGIC, lambda _size: entropy)
    assert len(link.text) == 47
    assert link_digest(LinkKind.MAGIC, link.text) == link.digest


@pytest.mark.parametrize(("minted", "door"), list(permutations(LinkKind, 2)))
def test_a_link_is_refused_at_every_other_door(minted: LinkKind, door: LinkKind) -> None:
    with pytest.raises(SecretMalformed):
        link_digest(door, mint_link(minted).text)


GOOD = mint_link(LinkKind.MAGIC, lambda size: b"\x07" * size).text


@pytest.mark.parametrize(
    "text",
    [
        *("", "pom_", GOOD[:-1], GOOD + "a", GOOD[4:], GOOD.swapcase(), " " + GOOD, GOOD + "\n", "pom_" + "z" * 43),
        *("pom_" + "-" * 43, "pom_" + "é" * 43, "pom_" + "０" * 43, "pom_pom_" + GOOD[8:]),
    ],
)
def test_a_cut_changed_or_invented_link_is_refused(text: str) -> None:
    with pytest.raises(SecretMalformed):
        link_digest(LinkKind.MAGIC, text)


@given(st.text(max_size=60))
def test_any_text_at_any_parser_is_read_or_refused(text: str) -> None:
    for kind in LinkKind:
        with pytest.raises(SecretMalformed):
            link_digest(kind, text)
    with pytest.raises(SecretMalformed):
        parse_api_key(text)
    for signed in SignedKind:
        with pytest.raises(SecretMalformed):
            signed_payload(signed, signed.value + text, lambda _v, _m, _t: False)


def test_a_link_does_not_show_in_a_repr() -> None:
    link = mint_link(LinkKind.DOWNLOAD)
    assert link.text not in repr(link)


def test_a_session_id_is_looked_up_by_its_digest() -> None:
    text, digest = mint_session_id()
    assert session_digest(text) == digest
    assert session_digest(text + "a") is None
    assert session_digest("é" * 43) is None


# --- API keys --------------------------------------------------------------------------------------------------


@given(st.booleans(), secrets_32)
def test_an_api_key_reads_back(is_live: bool, entropy: bytes) -> None:
    key = mint_api_key(is_live=is_live, random=lambda size: entropy[:size])
    assert parse_api_key(key.text) == key
    assert len(key.text) == len("po_live_12345678_") + 43 + 6


def test_live_and_test_keys_are_told_apart() -> None:
    assert mint_api_key(is_live=True).text.startswith("po_live_")
    assert not parse_api_key(mint_api_key(is_live=False).text).is_live


def test_every_single_wrong_letter_is_caught_before_a_lookup() -> None:
    text = ApiKey(True, "aB3dE6gH", b"\x42" * 32).text
    for position, letter in product(range(8, len(text)), "0Az"):
        if text[position] != letter:
            with pytest.raises(SecretMalformed):
                parse_api_key(text[:position] + letter + text[position + 1 :])


def test_two_swapped_neighbours_are_caught_before_a_lookup() -> None:
    text = ApiKey(True, "aB3dE6gH", bytes(range(32))).text
    for position in range(8, len(text) - 1):
        swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
        if swapped != text:
            with pytest.raises(SecretMalformed):
                parse_api_key(swapped)


def test_a_live_key_does_not_become_a_test_key_by_renaming() -> None:
    with pytest.raises(SecretMalformed):
        parse_api_key(mint_api_key(is_live=True).text.replace("po_live_", "po_test_"))


def test_an_api_keys_secret_does_not_show_in_a_repr() -> None:
    key = mint_api_key(is_live=True)
    assert repr(key) == f"ApiKey(is_live=True, id='{key.id}')"


# --- signed texts ----------------------------------------------------------------------------------------------


def _sign(message: bytes) -> tuple[int, bytes]:
    return 1, hmac.digest(b"key of the test", message, "sha256")


def _is_signed(version: int, mac: bytes, message: bytes) -> bool:
    return version == 1 and hmac.compare_digest(mac, _sign(message)[1])


@given(st.binary(max_size=200))
def test_a_signed_text_reads_back(payload: bytes) -> None:
    text = sign_text(SignedKind.CONSISTENCY, payload, _sign)
    assert signed_payload(SignedKind.CONSISTENCY, text, _is_signed) == payload


def test_a_signed_text_of_one_kind_is_none_of_another() -> None:
    text = sign_text(SignedKind.CONSISTENCY, b"x", _sign)
    with pytest.raises(SecretMalformed):
        signed_payload(SignedKind.COLLECTION, "poc_" + text.removeprefix("ct1."), _is_signed)


@given(position=st.integers(0, 200), bit=st.integers(0, 6))
def test_a_signed_text_with_one_flipped_bit_is_refused(position: int, bit: int) -> None:
    text = bytearray(sign_text(SignedKind.CONSISTENCY, b"shop-group/2026/90400", _sign).encode())
    text[position % len(text)] ^= 1 << bit
    with pytest.raises(SecretMalformed):
        signed_payload(SignedKind.CONSISTENCY, text.decode(), _is_signed)


def test_an_endless_signed_text_is_refused_unread() -> None:
    with pytest.raises(SecretMalformed):
        signed_payload(SignedKind.CONSISTENCY, "ct1." + "A" * 5000 + ".1.AA", lambda _v, _m, _t: True)


# --- codes -----------------------------------------------------------------------------------------------------


def test_a_code_has_six_digits_also_when_it_is_small() -> None:
    assert mint_code(lambda _bound: 7) == "000007"
    assert len({mint_code() for _ in range(50)}) > 40


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123-456", "1 2 3 4 5 6", "123\u00a0456"])
def test_a_code_may_be_typed_with_gaps(typed: str) -> None:
    assert typed_code(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "123.456"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert typed_code(typed) is None


@pytest.mark.parametrize(
    ("age", "wrong", "used", "matches", "verdict"),
    [
        (0, 0, False, True, CodeVerdict.ACCEPTED),
        (600, 4, False, True, CodeVerdict.ACCEPTED),
        (0, 0, False, False, CodeVerdict.WRONG),
        (0, 4, False, False, CodeVerdict.WRONG),
        (0, 5, False, True, CodeVerdict.SPENT),
        (0, 0, True, True, CodeVerdict.SPENT),
        (601, 0, False, True, CodeVerdict.EXPIRED),
        (-1, 0, False, True, CodeVerdict.EXPIRED),
    ],
)
def test_a_code_lives_ten_minutes_and_five_tries(
    age: int, wrong: int, used: bool, matches: bool, verdict: CodeVerdict
) -> None:
    sent = NOW - timedelta(seconds=age)
    assert judge_code(sent, wrong, NOW, is_used=used, matches=matches) is verdict
