"""Which rows of person collections are the subject: roots, candidates, or a doubt."""

from privacyops.domain.finding.model import Doubt, PersonHit
from privacyops.domain.finding.settle import Settled, settle
from privacyops.domain.finding.subject import Rule
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.record import RowRef

EMAIL = Identifier(IdentifierKind.EMAIL, "ann@example.org")
PHONE = Identifier(IdentifierKind.PHONE, "+1 202-555-0143")
TYPED_PHONE = Identifier(IdentifierKind.PHONE, "+1 202-555-0143", Tier.PROBABLE)
NAME = Identifier(IdentifierKind.NAME, "Ann Lee")
NUMBER = Identifier(IdentifierKind.CUSTOMER_ID, "7")
DESK = Identifier(IdentifierKind.EMAIL, "info@example.org")


def hit(
    key: int, *rules: tuple[int, Rule], other_email: bool = False, agrees: bool = False, named: bool = True,
    table: str = "customers",
) -> PersonHit:  # fmt: skip
    ref = RowRef("shop", table, (("id", key),))
    return PersonHit(ref, tuple((at, rule.value, "field") for at, rule in rules), other_email, named, agrees)


def settled(given: tuple[Identifier, ...], *hits: PersonHit) -> Settled:
    return settle({one.ref.id: one for one in hits}, given)


def keys(names: tuple[str, ...], *hits: PersonHit) -> set[object]:
    return {one.ref.key[0][1] for one in hits if one.ref.id in names}


def test_a_verified_address_in_its_column_makes_a_root() -> None:
    one = hit(1, (0, Rule.EQUAL))
    assert settled((EMAIL,), one).roots == (one.ref.id,)


def test_two_accounts_under_one_verified_address_are_both_hers() -> None:
    both = hit(1, (0, Rule.EQUAL)), hit(2, (0, Rule.EQUAL))
    assert keys(settled((EMAIL,), *both).roots, *both) == {1, 2}


def test_a_phone_that_two_people_have_is_a_doubt() -> None:
    assert settled((PHONE,), hit(1, (0, Rule.PHONE)), hit(2, (0, Rule.PHONE))).doubt is Doubt.TWO_ROOTS


def test_a_shared_phone_with_the_name_of_one_of_them_is_none() -> None:
    both = hit(1, (0, Rule.PHONE), agrees=True), hit(2, (0, Rule.PHONE))
    assert keys(settled((PHONE, NAME), *both).roots, *both) == {1}


def test_a_shared_phone_beside_a_verified_address_touches_nobody_else() -> None:
    both = hit(1, (0, Rule.EQUAL), (1, Rule.PHONE)), hit(2, (1, Rule.PHONE), other_email=True)
    found = settled((EMAIL, PHONE), *both)
    assert keys(found.roots, *both) == {1}
    assert found.candidates == ()
    assert found.shared_phones == {"12025550143"}


def test_the_same_phone_and_name_under_another_address_is_a_candidate() -> None:
    both = hit(1, (0, Rule.EQUAL), agrees=True), hit(2, (1, Rule.PHONE), other_email=True, agrees=True)
    found = settled((EMAIL, PHONE, NAME), *both)
    assert keys(found.candidates, *both) == {2}


def test_a_phone_that_was_only_typed_never_makes_a_root() -> None:
    one = hit(1, (1, Rule.PHONE), agrees=True)
    found = settled((EMAIL, TYPED_PHONE, NAME), one)
    assert found.roots == ()
    assert found.candidates == (one.ref.id,)


def test_a_phone_of_somebody_with_another_name_makes_nothing() -> None:
    found = settled((PHONE, NAME), hit(1, (0, Rule.PHONE)))
    assert found == Settled()


def test_an_address_and_a_number_of_different_people_are_a_doubt() -> None:
    found = settled((EMAIL, NUMBER), hit(1, (0, Rule.EQUAL)), hit(7, (1, Rule.TYPED), other_email=True))
    assert found.doubt is Doubt.IDENTIFIERS_DISAGREE


def test_an_address_and_a_number_of_one_row_agree() -> None:
    one = hit(7, (0, Rule.EQUAL), (1, Rule.TYPED))
    assert settled((EMAIL, NUMBER), one).roots == (one.ref.id,)


def test_a_bare_number_that_fits_customers_and_staff_is_a_doubt() -> None:
    found = settled((NUMBER,), hit(7, (0, Rule.TYPED)), hit(7, (0, Rule.TYPED), table="staff"))
    assert found.doubt is Doubt.TWO_ROOTS


def test_a_bare_number_counts_where_the_name_agrees() -> None:
    both = hit(7, (0, Rule.TYPED), agrees=True), hit(7, (0, Rule.TYPED), table="staff")
    found = settled((NUMBER, NAME), *both)
    assert found.roots == (both[0].ref.id,)


def test_a_tagged_address_needs_the_name() -> None:
    with_name, without = hit(1, (0, Rule.TAGGED), agrees=True), hit(2, (0, Rule.TAGGED))
    found = settled((EMAIL, NAME), with_name, without)
    assert found.roots == (with_name.ref.id,)
    assert found.candidates == (without.ref.id,)


def test_googles_dots_make_a_candidate() -> None:
    one = hit(1, (0, Rule.GOOGLE), agrees=True)
    assert settled((EMAIL, NAME), one).candidates == (one.ref.id,)


def test_a_desk_that_several_share_is_a_doubt() -> None:
    assert settled((DESK,), hit(1, (0, Rule.EQUAL)), hit(2, (0, Rule.EQUAL))).doubt is Doubt.TWO_ROOTS


def test_more_accounts_than_one_person_can_have_are_a_doubt() -> None:
    many = [hit(key, (0, Rule.EQUAL)) for key in range(21)]
    assert settled((EMAIL,), *many).doubt is Doubt.TOO_MANY_ACCOUNTS
