"""Masks tell who is meant to somebody who knows, and nothing to anybody else."""

import pytest

from privacyops.domain.identity.mask import masked_email, masked_name, masked_phone


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Kowalska", "A•••• K••••"),
        ("Anna Maria von Kowalska", "A•••• K••••"),
        ("Björk", "B••••"),
        ("  ", ""),
        ("李 小龍", "李•••• 小••••"),
    ],
)
def test_a_name_keeps_two_letters_at_most(name: str, shown: str) -> None:
    assert masked_name(name) == shown


def test_names_of_every_length_look_alike() -> None:
    assert masked_name("Ada Lovelace") == masked_name("Annabelle Longbottom-Lestrange")


@pytest.mark.parametrize(
    ("email", "shown"), [("anna@example.com", "a••••@e••••"), ("a@b.example", "a••••@b••••"), ("broken", "b••••")]
)
def test_an_address_keeps_one_letter_a_side(email: str, shown: str) -> None:
    assert masked_email(email) == shown


@pytest.mark.parametrize(("phone", "shown"), [("+49 30 23125034", "••••34"), ("0340", "••••40"), ("034", "••••")])
def test_a_number_keeps_its_last_two_digits(phone: str, shown: str) -> None:
    assert masked_phone(phone) == shown
