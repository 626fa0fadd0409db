"""Which strings of a record are texts, where words stand in them, and the marks that come in place of passages."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.console.pages.third_party_view import pieces
from privacyops.domain.package.contents import Redaction, Value, redacted
from privacyops.domain.redaction.blackout import GROUND, blackout
from privacyops.domain.redaction.own_columns import is_own
from privacyops.domain.redaction.record import StoredRedaction
from privacyops.domain.redaction.suggest import Decision
from privacyops.domain.redaction.texts import (
    MEMBER,
    MEMBER_VALUE,
    RecordText,
    by_members,
    is_prose,
    names_somebody,
    places_of,
    somebodys,
    text_in,
    texts_of,
)
from privacyops.domain.redaction.titles import title_of

NESTED: dict[str, Value] = {"id": 1, "body": "a", "meta": {"x": ["b", {"y": "c"}], "n": 2}, "file": "[image/png]"}


def test_every_string_of_a_record_has_one_place_and_a_path_to_it() -> None:
    found = [(one.field, one.at, one.path, one.text) for one in texts_of(NESTED, {"file"})]
    assert found == [
        ("body", 0, (), "a"),
        ("meta", 0, ("x", 0), "b"),
        ("meta", 1, ("x", 1, "y"), "c"),
    ]


@pytest.mark.parametrize(
    ("table", "field", "text", "wanted"),
    [("ticket_messages", "body", "Call Peter", True), ("ticket_messages", "body", "12345", False),
     ("order_lines", "article", "Table cloth of natural linen", False),
     ("order_lines", "remark", "Please give it to Peter. He is next door.", True),
     ("customers", "name", "Peter and Anna Novak of the house next door, please ring twice", False),
     ("orders", "shipping_address", "Am Brunnen 3, behind the red house, at Novak. Ring twice.", False),
     ("notes", "body", "", False), ("notes", "body", "😀😀 😀", False)],
)  # fmt: skip
def test_what_people_wrote_is_read_and_single_values_are_not(table: str, field: str, text: str, wanted: bool) -> None:
    assert is_prose(table, RecordText(field, 0, (), text)) is wanted


@pytest.mark.parametrize("field", ["x" * 300, "a\0b", "\ud800"])
def test_a_name_that_no_database_takes_is_kept_as_its_hash(field: str) -> None:
    name = RecordText(field, 0, (), "").name
    assert (name[:7], len(name)) == ("sha256:", 71)


def test_words_are_found_in_any_case_over_line_ends_and_by_code_points() -> None:
    assert places_of("😀 Peter\r\nNOVAK, peter novak", "peter  Novak", 9) == [(2, 14), (16, 27)]
    assert places_of("a a a", "a", 2) == [(0, 1), (2, 3)]
    assert places_of("(a|b)", "(a|b)", 9) == [(0, 5)]
    assert places_of("anything", " \n ", 9) == []


@pytest.mark.parametrize(
    ("label", "language", "mark"),
    [("[Person B]", "en", "[redacted: another person, B]"), ("[Person B]", "de-AT", "[geschwärzt: andere Person, B]"),
     ("[E-mail 2]", "fr", "[redacted: another person's e-mail address, 2]"),
     ("odd", "en", "[redacted: another person]"),
     ("[Person <b>]", "de", "[geschwärzt: andere Person]")],
)  # fmt: skip
def test_a_mark_is_in_the_language_of_the_answer_and_holds_nothing_but_the_label(
    label: str, language: str, mark: str
) -> None:
    assert blackout(label, language) == mark


@given(
    text=st.text(min_size=1, max_size=200),
    cuts=st.lists(st.tuples(st.integers(0, 199), st.integers(1, 40), st.sampled_from(list(Decision))), max_size=12),
)
def test_what_the_reviewer_sees_as_gone_is_what_is_gone(text: str, cuts: list[tuple[int, int, Decision]]) -> None:
    """The page and the package cut the same characters, however passages overlap, in any alphabet."""
    passages = [
        _passage(start, min(start + length, len(text)), decision)
        for start, length, decision in cuts
        if start < len(text)
    ]
    shown = pieces(text, passages)
    assert "".join(one["text"] for one in shown) == text
    gone = [one for one in passages if one.decision in {Decision.ACCEPTED, Decision.ADDED}]
    rest = redacted(text, [Redaction("f", "\0", GROUND, one.start, one.end) for one in gone])
    assert str(rest).replace("\0", "") == "".join(one["text"] for one in shown if one["mode"] != "out").replace(
        "\0", ""
    )


def _passage(start: int, end: int, decision: Decision) -> StoredRedaction:
    return StoredRedaction(
        id=UUID(int=1), text_id=UUID(int=2), start=start, end=end, type="PERSON", label="[Person A]", score=1.0,
        why="", is_certain=False, doubts=(), decision=decision, is_by_hand=False, decided_by=None, decided_at=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "column", ["name", "customer_name", "firstName", "surname", "phone", "phone2", "mobile_phone", "billing_street",
               "Rechnungsstrasse", "vorname", "city", "post_code", "display_name", "postal_address"],
)  # fmt: skip
def test_columns_of_the_person_s_own(column: str) -> None:
    assert is_own("customers", column)


@pytest.mark.parametrize(
    "column", ["emergency_contact_name", "emergency_phone", "partner_name", "partner_first_name", "contact_phone",
               "account_manager_name", "gift_recipient_name", "shipping_street", "spouse", "parent_phone",
               "referrer_name", "notfallkontakttelefon", "guardianName", "next_of_kin_phone"],
)  # fmt: skip
def test_columns_of_somebody_else_in_the_person_s_record(column: str) -> None:
    assert not is_own("customers", column)


def test_bytes_that_are_a_text_are_read_as_one() -> None:
    assert text_in("Jürgen wrote\r\n😀".encode()) == "Jürgen wrote\r\n😀"
    assert [text_in(one) for one in (b"", b"\x00Peter", b"\xff\xfePeter", b"12 34")] == [None] * 4


def test_members_named_after_people_are_texts() -> None:
    plain: dict[str, Value] = {"name": "x", "$a.b:c/d-1": 1, "größe": 2}
    assert by_members(plain) is plain
    odd = by_members({"Jane Doe": {"n": "x"}, "jane@example.org": 1})
    assert odd == [{MEMBER: "Jane Doe", MEMBER_VALUE: {"n": "x"}}, {MEMBER: "jane@example.org", MEMBER_VALUE: 1}]
    [name, inner, mail] = texts_of({"data": odd})
    assert (name.text, inner.text, mail.text) == ("Jane Doe", "x", "jane@example.org")
    assert [is_prose("orders", one) for one in (name, inner, mail)] == [True, False, True]
    assert is_prose("orders", RecordText("data", 0, (0, MEMBER_VALUE), "Call Peter"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("Anna", True), ("jürgen", True), ("peter.novak", True), ("Peter_Novak", True), ("anna-maria", True),
     ("name", False), ("anna_email", False), ("jan", False), ("will", False), ("peter_to_paul_and_mary", False),
     ("größe", False), ("12", False), ("", False)],
)  # fmt: skip
def test_a_member_of_one_word_is_called_like_a_person_or_not(name: str, wanted: bool) -> None:
    assert names_somebody(name) is wanted


def test_an_object_with_a_member_called_like_a_person_is_a_list_of_names() -> None:
    assert by_members({"Anna": 1, "total": 2}) == [
        {MEMBER: "Anna", MEMBER_VALUE: 1},
        {MEMBER: "total", MEMBER_VALUE: 2},
    ]


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [(("recipient", "name"), "Peter Novak", None), (("contact", "name"), "Peter Novak", "PERSON"),
     (("customer", "name"), "Peter Novak", "PERSON"), (("product", "name"), "Table cloth", None),
     (("to", 0, "full_name"), "Peter Novak", "PERSON"), (("full_name",), "Peter", None),
     (("email",), "peter@example.org", "EMAIL_ADDRESS"), (("email",), "none", None),
     (("to", "mobile"), "+49 30 23125034", "PHONE_NUMBER"), (("to", "mobile"), "office", None),
     ((0, MEMBER), "Anna", "PERSON"), ((0, MEMBER), "total", None), ((), "Peter Novak", None)],
)  # fmt: skip
def test_a_document_says_by_its_members_what_is_somebody_s(
    path: tuple[str | int, ...], text: str, wanted: str | None
) -> None:
    assert somebodys("orders", RecordText("data", 0, path, text)) == wanted


def test_a_whole_number_that_one_can_call_is_a_text_and_others_are_not() -> None:
    record: dict[str, Value] = {"phone": 493023125034, "id": 71, "on": True, "to": {"mobile": 4930231250}, "x": 10**15}
    assert [(one.field, one.text, one.is_number) for one in texts_of(record)] == [
        ("phone", "493023125034", True),
        ("to", "4930231250", True),
    ]


@pytest.mark.parametrize(
    ("key", "wanted"),
    [({"id": 71}, "calls 71"), ({"id": 10000071}, "calls 10000071"), ({"id": 493023125034}, "calls ••••34"),
     ({"phone": 3023125}, "calls ••••25"), ({"email": "anna@example.com", "n": 2}, "calls a••••@e•••• 2"),
     ({"ssn": "078-05-1120"}, "calls ••••"), ({"full_name": "Anna Novak"}, "calls A•••• N••••"),
     ({"phone": "034"}, "calls ••••")],
)  # fmt: skip
def test_a_record_is_called_by_a_key_that_says_nothing_of_a_person(key: dict[str, Value], wanted: str) -> None:
    assert title_of("calls", key) == wanted
