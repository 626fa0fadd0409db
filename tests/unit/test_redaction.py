"""Suggestions of what to take out about other people: whose a span is, and labels."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from privacyops.domain.detection.span import Span
from privacyops.domain.redaction.keep import Doubt, KeepList, judge
from privacyops.domain.redaction.suggest import (
    UNNAMED,
    Labels,
    Marked,
    SourceText,
    StaffNames,
    suggest,
)

KEEP = KeepList(
    names=("Anna Maria Weber",), emails=("anna@example.com",), phones=("+49 30 901820",),
    addresses=("Hauptstraße 51, 10115 Berlin",), numbers=("100042",), region="DE",
)  # fmt: skip


def source(
    text: str, *found: tuple[str, str], key: str = "t1", marked: tuple[tuple[str, bool], ...] = ()
) -> SourceText:
    """A text in which each given piece was found with its type."""
    spans = tuple(
        Span(text.index(piece), text.index(piece) + len(piece), kind, 0.9, "test", "model test")
        for piece, kind in found
    )
    stretches = tuple(
        Marked(text.index(piece), text.index(piece) + len(piece), "PERSON", is_staff) for piece, is_staff in marked
    )
    return SourceText(key, text, stretches, spans)


def suggested(text: SourceText, keep: KeepList = KEEP) -> list[tuple[str, str]]:
    return [(text.text[one.start : one.end], one.label) for one in suggest([text], keep, Labels())]


def test_the_subject_s_own_data_stays_however_it_is_written() -> None:
    text = source(
        "Anna Weber, ANNA@example.com, 030/901820, Hauptstraße 51", ("Anna Weber", "PERSON"),
        ("ANNA@example.com", "EMAIL_ADDRESS"), ("030/901820", "PHONE_NUMBER"), ("Hauptstraße 51", "LOCATION"),
    )  # fmt: skip
    assert suggested(text) == []


def test_everybody_else_is_suggested_with_a_label() -> None:
    text = source(
        "Peter Novak, peter@example.org, Lyon",
        ("Peter Novak", "PERSON"),
        ("peter@example.org", "EMAIL_ADDRESS"),
        ("Lyon", "LOCATION"),
    )
    assert suggested(text) == [
        ("Peter Novak", "[Person A]"),
        ("peter@example.org", "[E-mail 1]"),
        ("Lyon", "[Address 1]"),
    ]


def test_one_person_keeps_one_label_over_all_texts_and_by_parts_of_the_name() -> None:
    labels = Labels()
    texts = [
        source("Peter said no", ("Peter", "PERSON"), key="t1"),
        source("ask Peter Novak or Sofia Rossi", ("Peter Novak", "PERSON"), ("Sofia Rossi", "PERSON"), key="t2"),
        source("Mr Novak knows", ("Novak", "PERSON"), key="t3"),
    ]
    by_text = [(one.key, one.label) for one in suggest(texts, KEEP, labels)]
    peter, sofia = by_text[1][1], by_text[2][1]
    assert by_text == [("t1", peter), ("t2", peter), ("t2", sofia), ("t3", peter)]
    assert peter != sofia


def test_a_first_name_that_two_people_have_is_given_to_neither() -> None:
    texts = [
        source("Peter Novak, Peter Rossi", ("Peter Novak", "PERSON"), ("Peter Rossi", "PERSON")),
        source("Peter", ("Peter", "PERSON"), key="t2"),
    ]
    labels = [one.label for one in suggest(texts, KEEP, Labels())]
    assert len(set(labels)) == 3


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("Karl Weber", Doubt.SAME_SURNAME),
        ("Weber", Doubt.SAME_SURNAME),
        ("A. Weber", Doubt.INITIALS),
        ("Anna", Doubt.NICKNAME),
    ],
)
def test_what_may_be_the_subject_or_a_relative_is_put_before_a_person(name: str, doubt: Doubt) -> None:
    [found] = suggest([source(f"told {name} so", (name, "PERSON"))], KEEP, Labels())
    assert found.doubts == (doubt,)


def test_what_the_structure_names_is_certain_and_staff_follow_the_policy() -> None:
    text = source("From: Eva Lind (support)", ("Eva Lind", "PERSON"), marked=(("Eva Lind", True),))
    [labelled] = suggest([text], KEEP, Labels(), StaffNames.LABEL)
    assert (labelled.label, labelled.is_certain, labelled.doubts) == ("[Agent 1]", True, (Doubt.IN_THEIR_ROLE,))
    assert suggest([text], KEEP, Labels(), StaffNames.KEEP) == []
    assert not suggest([text], KEEP, Labels(), StaffNames.ASK)[0].is_certain


def test_a_form_of_address_makes_nobody_another_person() -> None:
    texts = [
        source("Hervé Colombier", ("Hervé Colombier", "PERSON")),
        source("Mr Colombier", ("Mr Colombier", "PERSON"), key="t2"),
    ]
    assert [one.label for one in suggest(texts, KEEP, Labels())] == ["[Person A]"] * 2


def test_a_name_that_a_model_joined_over_a_line_is_two() -> None:
    text = source(
        "Novak Soap\nAnna Weber\n10115 Berlin", ("Novak Soap\nAnna Weber", "PERSON"), ("10115 Berlin", "LOCATION")
    )
    assert suggested(text) == [("Novak Soap", "[Person A]")]


def test_the_shop_s_own_name_is_nobody_s() -> None:
    keep = replace(KEEP, house=("Novak & Daughters",))
    text = source("NOVAK &\nDaughters wrote to Peter Novak", ("NOVAK", "PERSON"), ("Peter Novak", "PERSON"))
    assert suggested(text, keep) == [("Peter Novak", "[Person A]")]


def test_a_part_that_a_model_cut_out_of_the_subject_s_name_is_the_subject_s() -> None:
    text = source("Novak\nAnna Maria Weber\n4", ("Novak\nAnna", "PERSON"), ("Weber\n4", "PERSON"))
    assert suggested(text) == [("Novak", "[Person A]")]


def test_labels_go_on_after_z() -> None:
    labels = Labels()
    given = [labels.label(f"Name{chr(97 + at // 26)}{chr(97 + at % 26)} Other{at}", "PERSON") for at in range(28)]
    assert (given[0], given[25], given[26]) == ("[Person A]", "[Person Z]", "[Person AA]")


def test_of_a_text_full_of_people_only_what_is_kept_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"a{at}@b.example" for at in range(7_000))
    spans = tuple(Span(*one.span(), "EMAIL_ADDRESS", 1.0, "t", "f") for one in re.finditer(r"\S+", text))
    done: Counter[str] = Counter()

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*told: Any) -> Any:
            done[name] += 1
            return work(*told)

        return call

    monkeypatch.setattr("privacyops.domain.redaction.suggest.judge", counted("judged", judge))
    monkeypatch.setattr(Labels, "_key", counted("keyed", Labels._key))
    found = suggest([SourceText("0", text, spans=spans)], KEEP, Labels(), most=501)
    assert (len(found), done) == (501, {"judged": 501, "keyed": 1002})


def test_a_name_is_compared_with_those_that_share_its_words_alone() -> None:
    class Counted(dict[str, str]):
        looked = 0

        def __getitem__(self, key: str) -> str:
            self.looked += 1
            return super().__getitem__(key)

        def values(self) -> Any:
            raise AssertionError("all labels are gone through for one")

    labels = Labels()
    labels.of = Counted()
    for at in range(1_000):
        labels.label(f"Given{at} Family{at}", "PERSON")
        labels.label(f"a{at}@b.example", "EMAIL_ADDRESS")
    assert labels.label("Family7", "PERSON") == labels.label("Dr. Given7 Middle Family7", "PERSON")
    assert labels.of.looked < 10
    assert Labels(dict(labels.of)).label("Given8", "PERSON") == labels.label("given8", "PERSON")
    assert Labels(dict(labels.of)).label("new@b.example", "EMAIL_ADDRESS") == "[E-mail 1001]"


def test_beyond_the_most_labels_nobody_is_told_apart_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacyops.domain.redaction.suggest.MOST_LABELS", 2)
    labels = Labels()
    for name in ("Peter Novak", "Sofia Rossi"):
        assert labels.label(name, "PERSON") != UNNAMED
    assert labels.label("Tom Brandt", "PERSON") == UNNAMED
    assert labels.label("Peter", "PERSON") == "[Person A]"
    assert len(labels.of) == 2
