"""Receipts of consent as page and PDF: one template, words per language, the sheet that letters have.

The page opens anywhere and loads nothing; values come from the catalogue and the log, none from the person.
"""

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.units import format_unit
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from privacyops.adapters.package.pdf import draw_pdf
from privacyops.domain.consent.state import ConsentState
from privacyops.domain.package.hostile_text import visible
from privacyops.domain.purpose import Period, PurposeMalformed
from privacyops.domain.receipt.facts import ReceiptFacts
from privacyops.domain.receipt.standing import Standing
from privacyops.kernel.clock import Instant

LANGUAGES: Final = frozenset({"de", "en"})
_LOCALES: Final = {"en": "en_GB", "de": "de_DE"}
_HOME: Final = files("privacyops.adapters.receipts") / "templates"
_SHEET: Final = files("privacyops.adapters.letters") / "templates" / "page.css"


class TemplateReceiptWriter:
    """The receipt writer of the product (port `ReceiptWriter`)."""

    @property
    def languages(self) -> frozenset[str]:
        return LANGUAGES

    def page(self, facts: ReceiptFacts, standing: Standing, language: str) -> str:
        tongue = language.replace("_", "-").partition("-")[0].lower()
        if tongue not in LANGUAGES:
            tongue = "en"
        words = _words(tongue)
        return _environment(tongue).from_string(_source()).render(
            language=tongue, w=words, f=facts, s=standing, event=facts.event, answer=_answer(facts, words),
            method=words["methods"].get(str(facts.event.method), str(facts.event.method)),
            bases=words["bases"], purposes=[(purpose, facts.title(purpose, tongue), basis)
                                            for purpose, basis in facts.purposes],
            length=lambda period: _length(period, tongue),
            style=_style(), style_hash=_style_hash(), place=lambda code: _place(code, tongue),
        )  # fmt: skip

    def pdf(self, facts: ReceiptFacts, standing: Standing, language: str) -> bytes:
        return draw_pdf(self.page(facts, standing, language), facts.event.id.bytes)

    def policy(self) -> str:
        closed = "; ".join(f"{what} 'none'" for what in ("default-src", "base-uri", "form-action", "frame-ancestors"))
        return f"{closed}; style-src '{_style_hash()}'"


def _answer(facts: ReceiptFacts, words: Mapping[str, Any]) -> str:
    answers: Mapping[str, str] = words["answers"]
    state = facts.event.state
    return answers[str(state) if state is not None else str(ConsentState.WITHDRAWN)]


def _place(code: str, language: str) -> str:
    country = code.partition("-")[0]
    try:
        name: str | None = Locale.parse(_LOCALES[language]).territories.get(country)
    except UnknownLocaleError:
        name = None
    return name or code


def _length(period: str, language: str) -> str:
    """A period of a purpose in words; what is written otherwise is shown as it is written."""
    try:
        length = Period.parse(period)
    except PurposeMalformed:
        return period
    parts = ((length.months, "duration-month"), (length.days, "duration-day"))
    return ", ".join(format_unit(count, unit, locale=_LOCALES[language]) for count, unit in parts if count)


@cache
def _environment(language: str) -> Environment:
    def moment(value: Instant) -> str:
        """With the zone: a receipt is read where nobody knows the controller's clock."""
        day = format_date(value, "long", locale=_LOCALES[language])
        return f"{day}, {value:%H:%M:%S} UTC"

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["moment"] = moment
    made.finalize = lambda value: visible(value) if type(value) is str else value
    return made


@cache
def _source() -> str:
    return (_HOME / "receipt.html").read_text("utf-8")


@cache
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads((_HOME / f"{language}.toml").read_text("utf-8"))


@cache
def _style() -> Markup:
    # Trusted: our own sheets. Autoescape would break their quotes and child selectors.
    return Markup(_SHEET.read_text("utf-8") + (_HOME / "receipt.css").read_text("utf-8"))  # noqa: S704 - as said


@cache
def _style_hash() -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
