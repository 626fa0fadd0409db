"""Any text survives in JSON and computes nothing in CSV; any redaction leaves nothing of its span."""

import csv
import io
import json
import re
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from privacyops.adapters.package.archive import Archive
from privacyops.adapters.package.tables import Pass, write_csv
from privacyops.adapters.package.values import exact, json_text, plain
from privacyops.domain.package.contents import Cell, Column, Redaction, ShownRecord, redacted
from privacyops.domain.package.hostile_text import formula_safe, starts_formula, visible
from privacyops.domain.package.names import is_safe_path, safe_names

ANY_TEXT = st.text(st.characters(), max_size=200)  # lone surrogates too
NASTY = st.text(st.sampled_from("=+-@＝＋－＠;,\t\r\n\x00'\"“ \u00a0\u200b\u202eab1"), max_size=30)
TEXTS = ANY_TEXT | NASTY


@given(TEXTS)
def test_any_text_round_trips_through_json(text: str) -> None:
    assert json.loads(json_text(text).encode()) == text


SIMPLE = st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | TEXTS | st.binary()
VALUES = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_any_value_becomes_json_without_an_error(value: object) -> None:
    json.loads(json_text(exact(value)).encode())  # type: ignore[arg-type]  # the strategy makes Values
    plain(value)  # type: ignore[arg-type]  # as above


@given(TEXTS)
def test_any_text_is_formula_safe_in_csv(text: str) -> None:
    safe = formula_safe(text)
    assert not starts_formula(safe) or re.fullmatch(r"[+-]?\d.*", text)
    assert "\x00" not in safe
    assert safe.replace("'", "").replace("\u2400", "\x00") == text.replace("'", "").replace("\u2400", "\x00")


@given(TEXTS)
def test_a_strict_reader_gets_the_guarded_text_back_from_the_file(text: str) -> None:
    column = Column("note", "Note")
    out = io.BytesIO()
    with Archive(out, "f") as archive:
        for _ in write_csv(
            archive, "csv/a/b.csv", (column,), Pass([ShownRecord("1", ((column, Cell(text)),))]), "held"
        ):
            pass
        assert archive.files[0].formulas == ()
    data = zipfile.ZipFile(out).read("f/csv/a/b.csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    assert rows[1:] == [[re.sub("[\ud800-\udfff]", "\ufffd", formula_safe(text))]]


@given(TEXTS)
def test_a_shown_text_hides_no_control_or_direction_sign(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]", visible(text))


@given(st.lists(TEXTS, max_size=12))
def test_any_names_become_safe_and_different(given_names: list[str]) -> None:
    names = safe_names(given_names)
    assert len(set(names)) == len(given_names)
    assert all(is_safe_path(f"f/json/schema/{name}.json") for name in names)


@st.composite
def redactions(draw: st.DrawFn) -> tuple[str, list[Redaction]]:
    """A text of small letters and spans in it, which may overlap."""
    text = draw(st.text("abcdefgh", min_size=1, max_size=40))
    spans = draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 10)), max_size=5))
    return text, [
        Redaction("t", f"[{number}]", "C", start, min(start + size, len(text)))
        for number, (start, size) in enumerate(spans)
    ]


@settings(max_examples=300)
@given(redactions())
def test_exactly_the_characters_outside_all_spans_stay_in_order(case: tuple[str, list[Redaction]]) -> None:
    text, spans = case
    gone = {place for one in spans for place in range(one.start, one.end or 0)}
    left = re.sub(r"\[\d\]", "", str(redacted(text, spans)))
    assert left == "".join(sign for place, sign in enumerate(text) if place not in gone)
