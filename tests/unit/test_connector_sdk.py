"""The SDK's own words: predicates, errors, references, replacements."""

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from privacyops.connector_sdk import (
    All,
    Any,
    BlobRef,
    Cursor,
    DropPath,
    Field,
    FieldType,
    Generalise,
    GeneralKind,
    Leaf,
    Misconfigured,
    NothingHeld,
    Null,
    PredicateOp,
    RandomToken,
    RedactSpan,
    RemoveElement,
    Retriable,
    RowRef,
    Set,
    Terminal,
    Value,
    canonical,
    matched,
    matches,
)
from privacyops.connector_sdk.effects import NotPossible, Token, act_text, new_value
from privacyops.connector_sdk.predicate import digits_pattern, join_path, split_path
from privacyops.connector_sdk.records import CursorTooLong

P = PredicateOp
TEXT = Field("v", FieldType.TEXT)


@pytest.mark.parametrize(
    ("op", "wanted", "held", "fits"),
    [
        (P.EQ, "Anna", "Anna", True),
        (P.EQ, "anna", "Anna", False),
        (P.EQ, 17, "17", True),
        (P.EQ, 17, "017", False),
        (P.EQ, 17, Decimal("17.00"), True),
        (P.EQ, 17, True, False),
        (P.EQ, 1, True, True),
        (P.EQ, "2026-01-02", date(2026, 1, 2), True),
        (P.EQ, "x", None, False),
        (P.EQ_CI, "ÄNNA", "änna", True),
        (P.EQ_CI, "Anna", "Änna", False),
        (P.EQ_CI, "Anna", "Anna ", False),
        (P.EQ_CI, "ΣΊΣΥΦΟΣ", "σίσυφος", True),
        (P.IN, ("a", 17), 17, True),
        (P.IN_CI, ("A", "B"), "b", True),
        (P.PREFIX_CI, "anna ", "Anna Weber", True),
        (P.CONTAINS_CI, "%", "100%", True),
        (P.CONTAINS_CI, "_", "abc", False),
        (P.DIGITS_END, "551239235555", "+55 (12) 3923-5555", True),
        (P.DIGITS_END, "39235555", "call +55 (12) 3923-5555 before 9", True),
        (P.DIGITS_END, "39235555", "+55 (12) 3923-55551", False),
        (P.DIGITS_END, "555", "555", False),
        (P.BETWEEN, (1, 3), Decimal("2.5"), True),
        (P.BETWEEN, ("2026-01-01", "2026-02-01"), date(2026, 1, 31), True),
        (P.BETWEEN, (1, 3), float("nan"), False),
        (P.JSON_ANY, "a@example.com", '{"x": [{"y": "A@example.com"}]}', True),
        (P.JSON_ANY, 17, [{"y": "17"}], True),
        (P.ARRAY_HAS, 32, "[17, 32]", True),
        (P.ARRAY_HAS, 32, "[[32]]", False),
        (P.JSON_ANY, "x", "{broken", False),
    ],
)
def test_an_operator_means_one_thing(op: PredicateOp, wanted: Value, held: Value, fits: bool) -> None:
    assert matches(Leaf("x", "v", op, wanted), {"v": held}) is fits


def test_a_path_leads_into_a_document() -> None:
    row: dict[str, Value] = {"p": '{"customer": {"id": 17}, "items": [{"sku": "a"}, {"sku": "B"}]}'}
    assert matches(Leaf("x", "p$.customer.id", P.JSON_EQ, 17), row)
    assert matches(Leaf("x", "p$.items[*].sku", P.JSON_EQ, "b"), row)
    assert not matches(Leaf("x", "p$.items[0].sku", P.JSON_EQ, "b"), row)
    assert not matches(Leaf("x", "q$.a", P.JSON_EQ, "b"), row)


def test_a_path_is_read_and_written_alike() -> None:
    for path in ("p$.a[*].b", "p$[0]", 'p$."a.b"', "plain", "p$.x"):
        assert join_path(*split_path(path)) == path
    assert split_path("price$") == ("price$", ())


def test_every_fitting_leaf_is_named_in_order() -> None:
    one, two, three = Leaf("1", "a", P.EQ, 1), Leaf("2", "a", P.EQ, 2), Leaf("3", "a", P.IN, (1, 2))
    assert matched(Any((one, two, three)), {"a": 1}) == ("1", "3")
    assert matches(All(()), {})
    assert not matches(Any(()), {})


def test_a_phone_pattern_needs_four_digits() -> None:
    assert digits_pattern("12-3") is None
    assert digits_pattern("12-34") is not None


def test_what_drivers_quote_never_becomes_a_code() -> None:
    assert Terminal("Key (email)=(a@example.com) already exists").code == "unclassified"
    assert "example" not in repr(Misconfigured("postgresql://u:secret@db.example.com/x"))
    assert Retriable(None, "lock").code == "lock"


def test_refusals_survive_a_process_border() -> None:
    for refusal in (
        Retriable(timedelta(seconds=3), "lock"),
        NothingHeld(),
        Misconfigured("url", "host"),
        Terminal("x"),
    ):
        copy = pickle.loads(pickle.dumps(refusal))  # noqa: S301 - our own bytes
        assert type(copy) is type(refusal)
        assert vars(copy) == vars(refusal)


def test_a_reference_shows_no_value() -> None:
    ref = RowRef("shop", "person", {"email": "a@example.com"})
    blob = BlobRef(ref, "photo", "a@example.com.png", "image/png", 10)
    leaf = Leaf("x", "email", P.EQ, "a@example.com")
    assert "example" not in f"{ref!r} {blob!r} {leaf!r} {Cursor('a@example.com')!r}"


def test_equal_keys_make_equal_references() -> None:
    assert hash(RowRef("s", "c", {"a": 1, "b": 2})) == hash(RowRef("s", "c", {"b": 2, "a": 1}))
    assert RowRef("s", "c", {"a": 1}) == RowRef("s", "c", {"a": 1.0})
    assert hash(RowRef("s", "c", {"a": 1})) == hash(RowRef("s", "c", {"a": Decimal("1.0")}))


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical(17) == canonical(17.0) == canonical(Decimal("17.00"))
    assert canonical(17) != canonical("17")
    assert canonical(Decimal("1E+3")) == canonical(1000)
    assert canonical(True) != canonical(1)


def test_a_cursor_over_one_kibibyte_is_refused() -> None:
    with pytest.raises(CursorTooLong):
        Cursor("x" * 1025)


def test_a_token_is_shortened_to_its_column_and_never_below_six_letters() -> None:
    drawn = new_value(Set({"v": RandomToken("e-{r}", 16)}), Field("v", FieldType.TEXT, max_length=10), "old")
    assert isinstance(drawn, Token)
    assert len(drawn.draw()) == 10
    assert drawn.fits(drawn.draw())
    assert not drawn.fits("e-ABCDEFGH")
    with pytest.raises(NotPossible, match="too_long"):
        new_value(Set({"v": RandomToken("e-{r}", 16)}), Field("v", FieldType.TEXT, max_length=7), "old")
    assert drawn.draw() != drawn.draw()


def test_making_a_value_coarse_twice_changes_nothing_more() -> None:
    moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    for kind, held in (
        (GeneralKind.BIRTH_YEAR, date(1984, 7, 21)),
        (GeneralKind.DAY, moment),
        (GeneralKind.POSTCODE_PREFIX, "10115"),
        (GeneralKind.IP_PREFIX, "2001:db8:1:2::3"),
    ):
        act = Set({"v": Generalise(kind)})
        once = new_value(act, TEXT, held)
        assert not isinstance(once, Token)
        assert once != held
        assert new_value(act, TEXT, once) == once
    assert new_value(Set({"v": Generalise(GeneralKind.IP_PREFIX)}), TEXT, None) is None
    with pytest.raises(NotPossible, match="type"):
        new_value(Set({"v": Generalise(GeneralKind.IP_PREFIX)}), TEXT, "no address")


def test_a_span_a_path_and_an_element_go_alone() -> None:
    assert new_value(RedactSpan("v", ((4, 8),)), TEXT, "Ask Anna now") == "Ask **** now"
    assert new_value(DropPath("v", "$.a.b"), TEXT, '{"a":{"b":1,"c":2}}') == '{"a":{"c":2}}'
    assert new_value(RemoveElement("v", 1), TEXT, [17, 32]) == [17]
    for act, held in ((RemoveElement("v", 2), [17, 32]), (DropPath("v", "$.a"), "no document")):
        with pytest.raises(NotPossible):
            new_value(act, TEXT, held)


def test_two_different_acts_have_two_texts() -> None:
    texts = {act_text(Set({"a": Null()})), act_text(Set({"b": Null()})), act_text(Set({"a": RandomToken()}))}
    assert len(texts) == 3
