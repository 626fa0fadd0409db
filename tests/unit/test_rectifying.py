"""Corrections as people write them, and what they make of a cell."""

import pytest

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType
from privacyops.domain.erasure.operation import Given, Set
from privacyops.domain.erasure.rectifying import CORRECTABLE, Correction, CorrectionMalformed, checked, correct
from privacyops.domain.finding.model import Finding, FindingTier, Match
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.record import Blob, RowRef, Value


def cell(path: str, category: Category | None = None, **more: object) -> Field:
    return Field(path, FieldType.TEXT, category=category, **more)  # type: ignore[arg-type]


HOME = Collection(
    "home", fields=(
        cell("id"), cell("name", Category.FULL_NAME), cell("street", Category.STREET, max_length=12),
        cell("phone", Category.PHONE), cell("email", Category.EMAIL), cell("digest", Category.EMAIL_DIGEST),
        cell("label"), cell("scan"),
    ), key=("id",),
)  # fmt: skip
DRAWN = DataMap("shop", (HOME,), ())
STREET = Correction(Category.STREET, "Am Wehr 1", "Am Wehr 12")


def become(
    values: dict[str, Value], *corrections: Correction, tier: FindingTier = FindingTier.OWNED
) -> dict[str, Value]:
    """The cells of one row that change, and what they become."""
    found = correct([row(values, tier)], DRAWN, corrections, StoreSettings("DE", ()))
    acts = [act for one in found.intents for ways in one.ways.values() for act in ways]
    return {
        path: value.value for act in acts if isinstance(act, Set) for path, value in act.fields.items()
        if isinstance(value, Given)
    }  # fmt: skip


def row(values: dict[str, Value], tier: FindingTier = FindingTier.OWNED) -> Finding:
    return Finding(RowRef("shop", "home", (("id", 1),)), tier, Match.EXACT, (), tuple(values), values)


@pytest.mark.parametrize(
    ("kind", "column", "old", "new", "field"),
    [
        ("street", "", "Am Wer 1", " ", "new"), ("street", "", "", "Am Wehr 1", "old"),
        ("street", "", "Am Wehr 1", "Am Wehr 1 ", "new"), ("email", "", "a@example.org", "a@", "new"),
        ("phone", "", "+49 30 5550101", "call me", "new"), ("shoe", "", "42", "43", "kind"),
        ("column", "", "42", "43", "column"), ("column", "two\nlines", "42", "43", "column"),
        ("street", "", "x" * 1001, "y", "old"),
    ],
)  # fmt: skip
def test_what_is_no_correction_is_refused_at_its_field(kind: str, column: str, old: str, new: str, field: str) -> None:
    with pytest.raises(CorrectionMalformed) as refused:
        checked(kind, column, old, new, "DE")
    assert refused.value.members["field"] == field
    assert not old.strip() or old not in str(refused.value)


def test_an_old_value_is_met_as_whole_words_and_never_twice() -> None:
    assert become({"label": "Mia, Am Wehr 1, Berlin"}, STREET) == {"label": "Mia, Am Wehr 12, Berlin"}
    assert become({"label": "Mia, Am Wehr 12, Berlin"}, STREET) == {}
    assert become({"label": "Mia, Am Wehr 11, Berlin"}, STREET) == {}
    longer = Correction(Category.FULL_NAME, "Mia Ohm", "Mia Ohm-Brandt")
    assert become({"label": "Mia Ohm-Brandt or Mia Ohm"}, longer) == {"label": "Mia Ohm-Brandt or Mia Ohm-Brandt"}
    assert become({"street": "am wehr 1"}, Correction(Category.STREET, "am wehr 1", "Am Wehr 1")) == {
        "street": "Am Wehr 1"
    }


def test_several_pairs_meet_in_one_cell_and_each_counts_where_it_hit() -> None:
    name = Correction(Category.FULL_NAME, "Mia Ohm", "Mia Brandt")
    other = Correction(Category.CITY, "Bonn", "Köln")
    values: dict[str, Value] = {"label": "Mia Ohm, Am Wehr 1", "name": "Mia Ohm"}
    assert become(values, name, STREET) == {"label": "Mia Brandt, Am Wehr 12", "name": "Mia Brandt"}
    assert correct([row(values)], DRAWN, [name, STREET, other], StoreSettings("DE", ())).hits == (2, 1, 0)


def test_a_phone_is_met_in_every_spelling_and_a_named_column_alone() -> None:
    phone = Correction(Category.PHONE, "030 5550101", "+49 30 5550102")
    assert become({"phone": "+49 30 555 0101"}, phone) == {"phone": "+49 30 5550102"}
    named = Correction(None, "A1", "B2", "home.label")
    assert become({"label": "a1", "name": "A1"}, named) == {"label": "B2"}
    assert become({"label": "a1"}, Correction(None, "A1", "B2", "other.label")) == {}


def test_rows_of_others_and_what_a_machine_cannot_write_are_left_and_said() -> None:
    assert become({"street": "Am Wehr 1"}, STREET, tier=FindingTier.POINTER) == {}
    mail = Correction(Category.EMAIL, "m@example.org", "mia@example.org")
    long = Correction(Category.STREET, "Am Wehr 1", "Am Wehr 1, Hinterhaus")
    scan = Blob("scan", "letter.pdf", "application/pdf", 900)
    found = correct([row({"street": "Am Wehr 1", "digest": "9f86d0", "scan": scan})], DRAWN, [mail, long],
                    StoreSettings("DE", ()))  # fmt: skip
    assert found.left == (
        ("home", "street", "too_long"),
        ("home", "digest", "digest"),
        ("home", "scan", "inside_a_file"),
    )
    assert found.intents == ()


@pytest.mark.parametrize(
    ("each", "text", "told"),
    [
        (("email", "mia@example.com", "mia@example.org"), "cc anna.mia@example.com, a-mia@example.com", None),
        (("email", "mia@example.com", "mia@example.org"), "mia@example.com.au, mia@example.community", None),
        (("email", "mia@example.com", "mia@example.org"), "To <MIA@example.com>, or mia@example.com.",
         "To <mia@example.org>, or mia@example.org."),
        (("name", "Mia Brandt", "Mia Brand"), "for Mia Brandt-Meyer and Anna-Mia Brandt", None),
        (("name", "Mia Brandt", "Mia Brand"), "Mia Brandt's parcel (Mia Brandt/Ole Brandt)",
         "Mia Brand's parcel (Mia Brand/Ole Brandt)"),
        (("street", "Am Wer 1", "Am Wehr 1"), "Am Wer 1-3, Am Wer 1/2, Am Wer 12", None),
        (("street", "Am Wer 1", "Am Wehr 1"), "Am Wer 1, 10115 Berlin", "Am Wehr 1, 10115 Berlin"),
        (("phone", "030 5550101", "030 5550109"), "030 5550101-22, +030 5550101", None),
        (("phone", "030 5550101", "030 5550109"), "call 030 5550101!", "call 030 5550109!"),
    ],
)  # fmt: skip
def test_a_part_of_another_address_name_or_number_is_not_corrected(
    each: tuple[str, str, str], text: str, told: str | None
) -> None:
    kind, old, new = each
    assert become({"label": text}, Correction(CORRECTABLE[kind], old, new)) == ({"label": told} if told else {})
