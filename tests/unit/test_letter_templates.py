"""The shipped templates, the sandbox, and the text twin."""

import re
import tomllib
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from privacyops.adapters.letters.plain import plain_text
from privacyops.adapters.letters.writer import LANGUAGES, TemplateLetterWriter
from privacyops.domain.answer import Exclusion, Regime, Right
from privacyops.domain.letter import (
    BY_REGIME,
    LOCKED,
    LanguageNotReviewed,
    LetterIncomplete,
    LetterKind,
    Locked,
    TemplateRefused,
)
from tests.made_up_answer import AUTHORITY, HOSTILE_TEXTS, letter_values

WRITER = TemplateLetterWriter()
BOTH = sorted(LANGUAGES)


class Tags(HTMLParser):
    """Every element and attribute of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_is_written_in_every_reviewed_language(kind: LetterKind, language: str) -> None:
    letter = WRITER.write(kind, language, letter_values(kind))
    assert letter.language == language
    assert "PR-Q83D" in letter.text
    assert "\n" not in letter.subject
    assert letter.template == f"{kind}/{language}/1"
    assert not re.search(r"\bNone\b|\{\{|\}\}|\{%|Undefined", letter.text + letter.subject)
    for page in (letter.html, letter.page):
        assert f'<html lang="{language}">' in page
        assert Tags(page).open == []


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("kind", LOCKED)
def test_the_locked_sections_of_every_law_exist(kind: LetterKind, regime: Regime, language: str) -> None:
    changes = {"regime": regime} if "regime" in letter_values(kind) else {}
    letter = WRITER.write(kind, language, letter_values(kind, **changes))
    wanted = [f"{one}_{regime}" if one in BY_REGIME else str(one) for one in LOCKED[kind]]
    assert [one.partition("/")[0] for one in letter.paragraphs] == wanted
    if Locked.REMEDIES in LOCKED[kind]:
        assert AUTHORITY.name in letter.text
        assert AUTHORITY.url in letter.html


def test_the_two_languages_have_the_same_files_and_words() -> None:
    home = files("privacyops.adapters.letters") / "templates"
    listed = {language: sorted(one.name for one in (home / language).iterdir()) for language in BOTH}
    assert listed["de"] == listed["en"]

    def shape(words: dict[str, Any]) -> dict[str, Any]:
        """The tree of words without the words: what one language says, the other says as well, with the same dates."""
        return {
            key: shape(value) if isinstance(value, dict) else (sorted(re.findall(r"\{\w+\}", value)), bool(value))
            for key, value in words.items()
        }

    words = {one: shape(tomllib.loads((home / one / "words.toml").read_text("utf-8"))) for one in BOTH}
    assert words["de"] == words["en"]


@pytest.mark.parametrize(
    ("language", "heading", "ends"),
    [
        ("en", "What we keep, and why", "This ends between Sunday, 31 December 2028 and Wednesday, 31 December 2031"),
        ("de", "Was wir aufbewahren, und warum", "Das endet zwischen Sonntag, 31. Dezember 2028 und Mittwoch, 31."),
    ],
)
def test_a_letter_about_an_erasure_speaks_of_keeping_and_not_of_getting(language: str, heading: str, ends: str) -> None:
    kept = Exclusion(
        what="3 records of Orders", code="LEGAL_OBLIGATION", reason="A law.", law="Art. 17(3)(b)",
        first_until=date(2028, 12, 31), until=date(2031, 12, 31),
    )  # fmt: skip
    values = letter_values(LetterKind.ANSWER_PARTIAL, right=Right.ERASURE, withheld=(kept,))
    letter = WRITER.write(LetterKind.ANSWER_PARTIAL, language, values)
    said = " ".join(letter.text.split())
    assert heading in said
    assert ends in said
    assert "Art. 17(3)(b) · LEGAL_OBLIGATION" in said
    assert "what we can give" not in letter.subject
    assert "was wir geben" not in letter.subject


def test_mail_html_is_simple_and_loads_nothing() -> None:
    for kind in LetterKind:
        tags = Tags(WRITER.write(kind, "en", letter_values(kind)).html)
        assert tags.seen.isdisjoint({"script", "style", "img", "link", "iframe", "form", "svg"})
        assert tags.attributes <= {"lang", "charset", "name", "content", "href", "scope", "class"}


def test_the_code_mail_says_code_and_link_and_no_name_where_none_is_proven() -> None:
    letter = WRITER.write(LetterKind.CODE, "en", letter_values(LetterKind.CODE, recipient=None))
    assert "482913" in letter.text
    assert "https://privacy.shop.example/link" in letter.text
    assert letter.text.count("Hello,") == 1
    assert "482913" not in letter.subject


def test_a_region_is_served_by_its_language() -> None:
    assert WRITER.write(LetterKind.CODE, "de-AT", letter_values(LetterKind.CODE)).language == "de"


def test_a_language_without_reviewed_letters_is_refused() -> None:
    with pytest.raises(LanguageNotReviewed):
        WRITER.write(LetterKind.CODE, "fr", letter_values(LetterKind.CODE))


def test_an_incomplete_letter_is_not_written() -> None:
    with pytest.raises(LetterIncomplete):
        WRITER.write(LetterKind.ANSWER_FULL, "en", letter_values(LetterKind.ANSWER_FULL, authority=None))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_planted_text_stays_text(text: str) -> None:
    withheld = (Exclusion(text, text, text, text, text),)
    values = letter_values(LetterKind.ANSWER_PARTIAL, recipient=text, withheld=withheld)
    letter = WRITER.write(LetterKind.ANSWER_PARTIAL, "en", values)
    for page in (letter.html, letter.page):
        tags = Tags(page)
        assert tags.seen.isdisjoint({"script", "img", "i"})
        assert not any(name.startswith("on") for name in tags.attributes)
        assert page.count("<style>") == (1 if page is letter.page else 0)
    assert not re.search("[\x00\u202e\u200b]", letter.text + letter.page)


def test_dates_name_their_weekday_in_the_language() -> None:
    assert "Wednesday, 16 December 2026" in WRITER.write(LetterKind.ACK, "en", letter_values(LetterKind.ACK)).text
    assert "Mittwoch, 16. Dezember 2026" in WRITER.write(LetterKind.ACK, "de", letter_values(LetterKind.ACK)).text


def test_an_edited_body_replaces_the_body_and_the_locked_sections_stay() -> None:
    body = "<p>We say it our way: {{ right|right }}.</p>{% for one in reasons %}<p>{{ one.what }}</p>{% endfor %}"
    letter = WRITER.write(LetterKind.REFUSAL, "en", letter_values(LetterKind.REFUSAL), body=body)
    assert "our way: a copy of your data." in letter.text
    assert AUTHORITY.name in letter.text
    assert letter.template.startswith("refusal/en/1+")


@pytest.mark.parametrize(
    "body",
    [
        "{{ reference.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ reference|attr('__class__') }}",
        "{{ reference.format(reference) }}",
        "{{ reference|safe }}",
        "{{ range(9) }}",
        "{{ lipsum }}",
        "{{ cycler }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ reference[0] }}",
        "{% include 'ack.html' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro a() %}{% endmacro %}",
        "{% set a = 1 %}",
        "{% for a in needed %}{% for b in needed %}{% for c in needed %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ secret }}",
        "{{ reference",
        "<script>alert(1)</script>",
        '<img src="https://tracker.example/x.png">',
        '<p style="display:none">x</p>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="https://x.example/?{{ reference }}">x</a>',
        "<p {{ reference }}>x</p>",
        "<p onclick=x>",
        "x" * 20_001,
    ],
)
def test_a_template_that_does_more_than_print_choose_and_repeat_is_refused(body: str) -> None:
    with pytest.raises(TemplateRefused):
        WRITER.check(LetterKind.IDENTITY_REQUEST, body)
    with pytest.raises(TemplateRefused):
        WRITER.write(LetterKind.IDENTITY_REQUEST, "en", letter_values(LetterKind.IDENTITY_REQUEST), body=body)


def test_a_template_that_prints_chooses_and_repeats_is_taken() -> None:
    WRITER.check(
        LetterKind.IDENTITY_REQUEST,
        "<p>{{ why }}</p><ul>{% for one in needed %}<li>{{ one }}</li>{% endfor %}</ul>"
        '{% if clock_waits and not recipient %}<a href="{{ answer_url }}">x</a>{% endif %}{{ answer_until|day }}',
    )


def test_the_shipped_bodies_obey_the_rules_for_edited_ones() -> None:
    home = files("privacyops.adapters.letters") / "templates"
    for language in BOTH:
        for kind in LetterKind:
            WRITER.check(kind, (home / language / f"{kind}.html").read_text("utf-8"))


def test_the_text_twin_has_lists_links_and_headings() -> None:
    html = '<h2>Head</h2><p>See <a href="https://x.example">here</a>.</p><ol><li>one<li>two</ol><p>a<br>b</p>'
    assert plain_text(html) == "Head\n----\n\nSee here (https://x.example).\n\n1. one\n2. two\n\na\nb\n"


def test_the_text_twin_never_breaks_an_address() -> None:
    address = "https://privacy.shop.example/" + "a-b/" * 40
    assert address in plain_text(f'<p>See it <a href="{address}">{address}</a></p>')
