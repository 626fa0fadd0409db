"""Which passwords are good enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.password import PasswordTooWeak, Weakness, require_strong, weakness

KNOWN = ("kim.miller@shop.example", "Kim Miller-Sørensen", "Shop Group")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "x7#kQ2!vRz9&",
        "winter-is-cold-here",
        "zürich regen tasse lampe",
        "密码很长的一个而且没有人会猜到",
        "🐙 keeps three umbrellas",
        "gravel-Onion-92-tuba",
    ],
)
def test_a_password_nobody_starts_with_is_good_enough(password: str) -> None:
    assert weakness(password, *KNOWN) is None


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("elevenchars", Weakness.TOO_SHORT),
        ("", Weakness.TOO_SHORT),
        ("gravel onion tuba " * 8, Weakness.TOO_LONG),
        ("gravel\x00onion\ntuba", Weakness.UNPRINTABLE),
        ("aaaaaaaaaaaaaaa", Weakness.REPETITIVE),
        ("abababababab", Weakness.REPETITIVE),
        ("letmeinletmein", Weakness.REPETITIVE),
        ("gravelgravelgra", Weakness.REPETITIVE),
        ("qwertyuiop12", Weakness.SEQUENCE),
        ("123456789012", Weakness.SEQUENCE),
        ("1qaz2wsx3edc4", Weakness.SEQUENCE),
        ("abcdefghijkl!", Weakness.SEQUENCE),
        ("zyxwvutsrqpo", Weakness.SEQUENCE),
        ("password1234", Weakness.COMMON),
        ("P@ssw0rd2026!", Weakness.COMMON),
        ("Passwort-2026", Weakness.COMMON),
        ("$0mm3r2026!!", Weakness.COMMON),
        ("summersunshine1", Weakness.COMMON),
        ("22.11.2026 10:00", Weakness.COMMON),
        ("Admin!Admin!1", Weakness.COMMON),
        ("PrivacyOps-2026", Weakness.PERSONAL),
        ("kimmiller-gravel", Weakness.PERSONAL),
        ("gravel-Miller-9", Weakness.PERSONAL),
        ("gr4vel-M1ll3r-99", Weakness.PERSONAL),
        ("gravel-shop-onion", Weakness.PERSONAL),
    ],
)
def test_a_password_that_is_tried_early_is_refused_with_its_rule(password: str, rule: Weakness) -> None:
    assert weakness(password, *KNOWN) is rule


def test_full_width_letters_are_read_as_what_they_look_like() -> None:
    assert weakness("ｐａｓｓｗｏｒｄ１２３４") is Weakness.COMMON


def test_twelve_and_128_characters_are_within_the_bounds() -> None:
    assert weakness("gravel onion") is None
    assert weakness(("gravel onion tuba lamp " * 9)[:128]) is Weakness.REPETITIVE
    assert weakness("".join(chr(0x4E00 + number) for number in range(128))) is None


def test_the_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        require_strong("P@ssw0rd2026!")
    assert "ssw0rd" not in f"{refused.value!r} {refused.value.members}"
    assert refused.value.members == {"weakness": "common"}


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_gets_a_verdict(password: str, known: list[str]) -> None:
    assert weakness(password, *known) in {None, *Weakness}
