"""Normal forms and what agrees with what."""

import hashlib

import pytest

from privacyops.domain.identity.digest import DigestShape, digest_shape, email_digests
from privacyops.domain.identity.email import (
    SameMailbox,
    is_role_mailbox,
    mailbox,
    normal_email,
    same_mailbox,
    spellings,
)
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.identity.person_name import fold_name, name_agrees, name_spans, search_fragment
from privacyops.domain.identity.phone import e164, is_phone, same_phone, search_tail


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Mailto:MARY.Smith@SakuraShop.EXAMPLE ", "mary.smith@sakurashop.example"),
        ("Jürgen@Müller.example", "jürgen@xn--mller-kva.example"),
        ("Mary Smith <Mary@Example.org>", "mary@example.org"),
        ("mary\u200b@example.org", "mary@example.org"),
        ("ｍａｒｙ@example.org", "mary@example.org"),
        ("mary@example.org.", "mary@example.org"),
        ("mailto:mary@example.org?subject=Hi", "mary@example.org"),
    ],
)
def test_an_address_has_one_normal_form(written: str, normal: str) -> None:
    assert normal_email(written) == normal


@pytest.mark.parametrize(
    "text", ["", "mary", "mary@", "@example.org", "a b@example.org", "mary@example", "x@-a.example"]
)
def test_what_is_no_address_has_no_normal_form(text: str) -> None:
    assert normal_email(text) is None


def test_a_plus_tag_is_the_same_mailbox() -> None:
    assert same_mailbox("mary@example.org", "mary+deals@example.org") is SameMailbox.TAGGED


def test_dots_matter() -> None:
    assert same_mailbox("mary.smith@example.org", "marysmith@example.org") is SameMailbox.NO


def test_dots_do_not_matter_at_google_alone() -> None:
    assert same_mailbox("mary.smith@gmail.com", "marysmith@googlemail.com") is SameMailbox.GOOGLE


def test_equal_addresses_are_equal() -> None:
    assert same_mailbox("mary@example.org", "mary@example.org") is SameMailbox.EQUAL


def test_the_mailbox_drops_the_tag_and_keeps_the_dots() -> None:
    assert mailbox("mary.smith+x@example.org") == "mary.smith@example.org"


@pytest.mark.parametrize("address", ["info@example.org", "orders+1@example.org", "no-reply@example.org"])
def test_a_desk_is_not_a_person(address: str) -> None:
    assert is_role_mailbox(address)


def test_a_person_is_not_a_desk() -> None:
    assert not is_role_mailbox("informatik.hans@example.org")


def test_spellings_hold_both_forms_of_an_international_domain() -> None:
    forms = spellings(["jürgen@müller.example"])
    assert {"jürgen@müller.example", "jürgen@xn--mller-kva.example"} <= set(forms)


def test_the_digest_of_every_spelling_met_so_far_is_known() -> None:
    digests = email_digests(["LuisG@Shop.example"], DigestShape("sha256", "hex"))
    for form in ("luisg@shop.example", "LuisG@Shop.example", "LuisG@shop.example"):
        assert hashlib.sha256(form.encode()).hexdigest() in digests


def test_a_salt_is_tried_before_and_after() -> None:
    digests = email_digests(["a@example.org"], DigestShape("md5", "hex"), ["pepper"])
    assert hashlib.md5(b"peppera@example.org", usedforsecurity=False).hexdigest() in digests
    assert hashlib.md5(b"a@example.orgpepper", usedforsecurity=False).hexdigest() in digests


def test_the_length_gives_the_algorithm_away() -> None:
    assert digest_shape("a" * 40) == DigestShape("sha1", "hex")


@pytest.mark.parametrize("text", ["1" * 32, "hello", "z" * 64, "a" * 33])
def test_a_number_or_a_word_is_no_digest(text: str) -> None:
    assert digest_shape(text) is None


@pytest.mark.parametrize("text", ["551239235555", "+55 12 3923 5555", "+55-12-3923-5555", "(12) 3923-5555"])
def test_a_number_is_the_same_however_it_is_written(text: str) -> None:
    assert same_phone("+55 (12) 3923-5555", text)


def test_a_trunk_zero_changes_nothing() -> None:
    assert same_phone("+49 711 5550101", "0711 / 555 01 01", "DE")


def test_equal_local_numbers_of_two_countries_are_two() -> None:
    assert not same_phone("+44 20 7946 0018", "+49 20 7946 0018")


def test_another_last_digit_is_another_number() -> None:
    assert not same_phone("+1 202-555-0143", "202-555-0144")


@pytest.mark.parametrize("text", ["2024-01-05", "12.50", "Room 5550143", "12345", "10.0.0.1"])
def test_a_date_a_price_and_a_word_are_no_phone(text: str) -> None:
    assert not is_phone(text)


def test_a_short_number_is_never_searched_for() -> None:
    assert search_tail("12345") is None


def test_the_region_of_the_store_reads_a_bare_number() -> None:
    assert e164("0711 5550101", "DE") == "+497115550101"


@pytest.mark.parametrize(
    "other", ["luis goncalves", "Gonçalves, Luís", "L. Gonçalves", "LUÍS GONÇALVES", "Luis  Gonçalves"]
)
def test_a_name_agrees_across_accents_order_and_initials(other: str) -> None:
    assert name_agrees("Luís Gonçalves", other)


@pytest.mark.parametrize("other", ["Luis Gomes", "Gonçalves", "Luís", "Maria Gonçalves", "M. Gonçalves", ""])
def test_a_surname_or_a_given_name_alone_agrees_with_nothing(other: str) -> None:
    assert not name_agrees("Luís Gonçalves", other)


def test_an_umlaut_may_be_spelled_out() -> None:
    assert name_agrees("Jürgen Köhler", "Juergen Koehler")


def test_a_turned_name_is_one_name() -> None:
    assert fold_name("O'Brien, Ana") == ("ana", "obrien")


def test_a_name_is_found_in_a_text_with_its_span() -> None:
    text = "Hello, this is LUIS GONCALVES."
    (span,) = name_spans("Luís Gonçalves", text)
    assert text[span.start : span.end] == "LUIS GONCALVES"


@pytest.mark.parametrize("text", ["Aaron Copland wrote it. Regards, Mitchell", "Mitchell alone", "Aaron and Mitchell"])
def test_words_that_do_not_stand_together_are_no_name(text: str) -> None:
    assert name_spans("Aaron Mitchell", text) == ()


def test_a_text_is_searched_by_letters_that_accents_cannot_change() -> None:
    assert search_fragment("Gonçalves") == "alves"


def test_a_name_in_another_script_is_searched_as_it_is() -> None:
    assert search_fragment("Иванов") == "иванов"


def test_no_identifier_shows_its_value() -> None:
    assert "mary" not in repr(Identifier(IdentifierKind.EMAIL, "mary@example.org"))
