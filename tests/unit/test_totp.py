"""The second factor, read against RFC 6238 appendix B."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.totp import (
    accepted_step,
    mint_recovery_codes,
    mint_totp_secret,
    otpauth_uri,
    secret_in_groups,
    step_at,
    totp_code,
    typed_recovery_code,
)

RFC_SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 22, 10, 0, 15, tzinfo=UTC)
STEP = step_at(NOW)
SECRET = b"\x01" * 20


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp_code(RFC_SECRET, step_at(datetime.fromtimestamp(seconds, UTC)), digits=8) == code


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_the_neighbouring_steps_are_accepted(off: int) -> None:
    assert accepted_step(SECRET, totp_code(SECRET, STEP + off), NOW, None) == STEP + off


@pytest.mark.parametrize("off", [-2, 2, -1000])
def test_a_step_further_away_is_refused(off: int) -> None:
    assert accepted_step(SECRET, totp_code(SECRET, STEP + off), NOW, None) is None


def test_a_code_never_counts_twice() -> None:
    code = totp_code(SECRET, STEP)
    used = accepted_step(SECRET, code, NOW, None)
    assert accepted_step(SECRET, code, NOW + timedelta(seconds=10), used) is None


def test_an_earlier_step_never_counts_after_a_later_one() -> None:
    assert accepted_step(SECRET, totp_code(SECRET, STEP - 1), NOW, STEP) is None


def test_the_next_step_counts_after_a_used_one() -> None:
    assert accepted_step(SECRET, totp_code(SECRET, STEP + 1), NOW, STEP) == STEP + 1


def test_blanks_inside_a_typed_code_do_not_matter() -> None:
    code = totp_code(SECRET, STEP)
    assert accepted_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, None) == STEP


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\x00", "-12345"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert accepted_step(SECRET, typed, NOW, None) is None


@given(st.text(max_size=20))
def test_any_text_is_accepted_only_if_it_is_one_of_three_codes(typed: str) -> None:
    live = {totp_code(SECRET, STEP + off) for off in (-1, 0, 1)}
    assert (accepted_step(SECRET, typed, NOW, None) is not None) == (re.sub(r"\s", "", typed) in live)


def test_the_link_for_the_app_names_issuer_account_and_secret() -> None:
    link = urlsplit(otpauth_uri(RFC_SECRET, "Shop & Co", "kim+po@example.com"))
    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert link.path == "/Shop%20%26%20Co%3Akim%2Bpo%40example.com"
    assert parse_qs(link.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["Shop & Co"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_the_secret_is_shown_in_groups_of_four() -> None:
    assert secret_in_groups(RFC_SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_a_new_secret_has_160_bits() -> None:
    assert len(mint_totp_secret()) == 20
    assert mint_totp_secret() != mint_totp_secret()


def test_recovery_codes_are_ten_and_all_different() -> None:
    codes = mint_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{6}", code) for code in codes)


def test_a_recovery_code_may_be_typed_carelessly() -> None:
    (code, *_) = mint_recovery_codes(bytes)
    assert typed_recovery_code("oooo oo-00 0o 00 ".lower()) == code


@given(st.binary(min_size=8, max_size=8))
def test_a_recovery_code_is_its_own_typed_form(entropy: bytes) -> None:
    code = mint_recovery_codes(lambda _size: entropy)[0]
    assert typed_recovery_code(code) == code
    assert typed_recovery_code(code.lower().replace("-", " ")) == code
