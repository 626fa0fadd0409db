"""The pure rules of detection: whole words, several sources, long texts, single values."""

import pytest

from privacyops.domain.classification.values import (
    is_bic,
    is_birth_date,
    is_card,
    is_email,
    is_iban,
    is_ip,
    is_ssn,
    is_vin,
    structured_type,
)
from privacyops.domain.detection.cutting import pieces, whole
from privacyops.domain.detection.entity import BASE, entities_of, least_score
from privacyops.domain.detection.merging import best, union
from privacyops.domain.detection.span import Profile, Source, Span
from privacyops.domain.detection.whole_words import joined, whole_words

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL")
NAMED = frozenset({"PERSON", "LOCATION"})


def span(start: int, end: int, kind: str = "PERSON", score: float = 0.9, source: Source = Source.NAMES) -> Span:
    return Span(start, end, kind, score, "test", f"why {source}", source)


def test_a_piece_of_a_word_becomes_the_whole_word() -> None:
    [found] = whole_words("Mrs Dubois, Lyon", [span(4, 7)])
    assert (found.start, found.end) == (4, 10)


def test_blanks_and_commas_at_the_ends_belong_to_no_span() -> None:
    [found] = whole_words("to Dubois, Lyon", [span(2, 10)])
    assert (found.start, found.end) == (3, 9)


def test_a_span_of_nothing_but_separators_is_dropped() -> None:
    assert whole_words("a , b", [span(1, 4)]) == []


def test_first_name_and_surname_become_one_span_that_keeps_both_reasons() -> None:
    text = "Anna Weber wrote"
    one, two = span(0, 4, source=Source.RAMPART), span(5, 10, source=Source.NAMES)
    [found] = joined(text, [one, two], NAMED)
    assert (found.start, found.end) == (0, 10)
    assert found.why == "why rampart + why names"


def test_two_people_with_words_between_stay_two() -> None:
    assert len(joined("Anna and Peter", [span(0, 4), span(9, 14)], NAMED)) == 2


def test_two_mail_addresses_beside_one_another_stay_two() -> None:
    spans = [span(0, 5, "EMAIL_ADDRESS"), span(6, 11, "EMAIL_ADDRESS")]
    assert len(joined("a@b.c d@e.f", spans, NAMED)) == 2


def test_a_checksum_outranks_a_model_for_searching() -> None:
    card, name = span(0, 16, "CREDIT_CARD", 1.0, Source.CHECKED), span(0, 20, "PERSON", 0.99, Source.RAMPART)
    assert best([name, card]) == [card]


def test_for_redacting_everything_that_anybody_found_is_covered() -> None:
    found = union([span(0, 10, source=Source.RAMPART), span(5, 15, "LOCATION", 0.8), span(20, 25)])
    assert [(one.start, one.end, one.type) for one in found] == [(0, 15, "PERSON"), (20, 25, "PERSON")]
    assert "why names" in found[0].why


def test_a_long_text_is_cut_at_a_paragraph_and_the_pieces_overlap() -> None:
    text = "a" * 700 + "\n\n" + "b" * 700
    cut = list(pieces(text, longest=1000, overlap=50))
    assert [begin for begin, _ in cut] == [0, 652]
    assert all(text[begin : begin + len(piece)] == piece for begin, piece in cut)
    assert all(len(piece) <= 1000 for _, piece in cut)


def test_what_two_pieces_saw_stands_once_by_the_offsets_of_the_whole() -> None:
    assert whole([(0, [span(660, 670)]), (652, [span(8, 18), span(100, 104)])]) == [span(660, 670), span(752, 756)]


@pytest.mark.parametrize(
    "value",
    [
        "100042",
        "327732623",
        "ORD-2025-893962",
        "ORD-000042",
        "2025-000123",
        "4594947552683",
        "4006381333931",
        "1730332857",
        "1707353705600",
        "1730332857.123",
        "476.32",
        "1.234,56",
        "1,234.56",
        "12.345.678",
        "-19.00",
        "EUR 12.50",
        "2025-08-14",
        "2024-03-02 03:19:50",
        "14.08.2025",
        "9a57e142-ee52-18f2-95ce-7cddb4986967",
        "SHO-BLK-5552",
        "1ZFT5H3F1KM71B25DR",
        "00340434301627526520",
        "4.16.95",
        "0.368 kg",
        "paid",
        "",
        " ",
        "x" * 5_000,
    ],
)
def test_order_numbers_codes_moments_and_prices_have_no_type_of_their_own(value: str) -> None:
    assert structured_type(value, REGIONS) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("anna.weber@example.com", "EMAIL_ADDRESS"), ("DE89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("4111 1111 1111 1111", "CREDIT_CARD"), ("192.0.2.17", "IP_ADDRESS"), ("2001:db8::a5e4", "IP_ADDRESS"),
        ("+49 30 901820", "PHONE_NUMBER"), ("(202) 555-0123", "PHONE_NUMBER"), ("030 901820", "PHONE_NUMBER"),
        ("06 58 71 36 35", "PHONE_NUMBER"),
    ],
)  # fmt: skip
def test_a_value_that_says_itself_what_it_is_is_typed(value: str, kind: str) -> None:
    found = structured_type(value, REGIONS)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (is_email, "a@example.com", "a@example"),
        (is_iban, "NL91ABNA0417164300", "NL91ABNA0417164301"),
        (is_card, "4111111111111111", "4111111111111112"),
        (is_ip, "198.51.100.7", "198.51.100.256"),
        (is_ssn, "123-45-6789", "666-45-6789"),
        (is_bic, "DEUTDEFF500", "DEUTZZFF500"),
        (is_vin, "1M8GDM9AXKP042788", "1M8GDM9AXKP042789"),
        (is_birth_date, "1975-11-26", "1975-13-26"),
    ],
)
def test_a_check_digit_or_a_range_tells_a_number_from_one_that_looks_like_it(check, good: str, bad: str) -> None:  # type: ignore[no-untyped-def]  # any check
    assert check(good)
    assert not check(bad)


def test_a_card_needs_fourteen_digits_for_an_ean_has_thirteen() -> None:
    assert not is_card("4000000000006")


def test_a_profile_lists_what_it_looks_for_and_plain_asks_for_all() -> None:
    assert entities_of(Profile.SEARCH, ("DE", "ES")) == (*BASE, "DE_TAX_ID", "ES_NIF", "ES_NIE")
    assert entities_of(Profile.PLAIN, ("DE",)) == ()
    assert "PERSON" not in entities_of(Profile.STRUCTURED, ())


def test_no_type_counts_from_nothing() -> None:
    assert min(least_score(name) for name in (*BASE, "UK_NHS")) >= 0.35
