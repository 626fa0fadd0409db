"""Letters from templates: a body that staff may edit, locked sections that nobody drops, a text twin, a sheet.

Templates and words are data of this package. The locked sections have one structure and a set of words a language; the
bodies are written a language each. A language counts as reviewed when its folder is complete, which a test proves.
"""

import base64
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel.dates import format_date
from jinja2 import Template, TemplateError
from markupsafe import Markup

from privacyops.adapters.letters.plain import plain_text
from privacyops.adapters.letters.sandbox import LetterEnvironment
from privacyops.domain.letter import (
    BY_REGIME,
    LOCKED,
    LanguageNotReviewed,
    Letter,
    LetterKind,
    LetterValue,
    TemplateRefused,
    require_complete,
    variables,
)
from privacyops.domain.package.hostile_text import visible

LANGUAGES: Final = frozenset({"de", "en"})
VERSION: Final = "1"
"""Version of the shipped texts: it goes up with every change of a word that a person may rely on."""
_LOCALES: Final = {"en": "en_GB", "de": "de_DE"}
_HOME: Final = files("privacyops.adapters.letters") / "templates"


class TemplateLetterWriter:
    """The letter writer of the product (port `LetterWriter`)."""

    @property
    def languages(self) -> frozenset[str]:
        return LANGUAGES

    def check(self, kind: LetterKind, body: str) -> None:
        _environment("en").require_plain(body, frozenset(variables(kind)))

    def write(
        self, kind: LetterKind, language: str, values: Mapping[str, LetterValue], *, body: str | None = None
    ) -> Letter:
        tongue = language.replace("_", "-").partition("-")[0].lower()
        if tongue not in LANGUAGES:
            raise LanguageNotReviewed(f"no reviewed letters in {tongue[:8]!r}", languages=sorted(LANGUAGES))
        require_complete(kind, values)
        if body is not None:
            self.check(kind, body)
        # A value that was not given reads as "not there", so that a template can ask; a misspelt name still fails.
        known: dict[str, Any] = {**dict.fromkeys(variables(kind)), **values}
        sections, paragraphs = _sections(kind, tongue, known)
        words = _words(tongue)
        pattern = words["partial"].get(known.get("right")) if kind is LetterKind.ANSWER_PARTIAL else None
        subject = _subject(pattern or words["subjects"][kind], known)
        parts = {"body": _render_body(kind, tongue, known, body), "sections": sections, "subject": subject}
        frame = {**known, **parts, "language": tongue, "words": words}
        article = Markup(_template(tongue, "../article.html").render(frame))  # noqa: S704 - made by our own templates
        return Letter(
            kind=kind,
            language=tongue,
            subject=subject,
            text=plain_text(article),
            html=_template(tongue, "../mail.html").render(frame, article=article),
            page=_template(tongue, "../page.html").render(
                frame, article=article, style=_style(), style_hash=_style_hash()
            ),
            template=f"{kind}/{tongue}/{VERSION}" + ("" if body is None else f"+{_digest(body)}"),
            paragraphs=paragraphs,
        )


def _render_body(kind: LetterKind, language: str, values: Mapping[str, object], body: str | None) -> Markup:
    if body is None:
        return Markup(_template(language, f"{kind}.html").render(values))  # noqa: S704 - made by our own templates
    try:
        # The tree was checked node by node and values are escaped; only the editor's own tags stay.
        return Markup(_environment(language).from_string(body).render(values))  # noqa: S704 - reason above
    except (TemplateError, TypeError, ValueError) as broken:
        raise TemplateRefused(f"the template fails with these values: {type(broken).__name__}") from None


def _sections(kind: LetterKind, language: str, values: Mapping[str, object]) -> tuple[Markup, tuple[str, ...]]:
    parts, names = [], []
    words = _section_words(language, values)
    for section in LOCKED.get(kind, ()):
        file = f"{section}_{values['regime']}" if section in BY_REGIME else str(section)
        text = _template(language, f"../sections/{section}.html").render({**values, **words}).strip()
        if text:
            parts.append(text)
            names.append(f"{file}/{language}/{VERSION}")
    return Markup("\n".join(parts)), tuple(names)  # noqa: S704 - made by our own templates


def _section_words(language: str, values: Mapping[str, object]) -> dict[str, Mapping[str, str]]:
    """The words of the locked sections: `say`, some of them by what was asked for, and `law`, those of the regime."""
    words = _words(language)
    say = {**words["sections"], **words["sections_of"].get(values.get("right"), {})}
    return {"say": say, "law": words["laws"].get(values.get("regime"), {})}


def _subject(pattern: str, values: Mapping[str, Any]) -> str:
    line = pattern.format_map({"reference": values["reference"], "controller": values["controller"].name})
    return re.sub(r"\s+", " ", visible(line)).strip()


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "backslashreplace")).hexdigest()[:12]


@cache
def _environment(language: str) -> LetterEnvironment:
    rights: Mapping[str, str] = _words(language)["rights"]

    def day(value: date) -> str:
        """Wednesday 16 December 2026: a date a person can rely on has its weekday."""
        if isinstance(value, datetime):
            raise TypeError("a letter names days, not moments")
        return format_date(value, "full", locale=_LOCALES[language])

    def filled(pattern: str, until: date, first: date | None = None) -> str:
        """A sentence of our own with its one or two dates."""
        return pattern.replace("{day}", day(until)).replace("{first}", day(first) if first else "")

    right: Callable[[str], str] = rights.__getitem__
    environment = LetterEnvironment({"day": day, "filled": filled, "right": right, "visible": visible})
    environment.finalize = lambda value: visible(value) if type(value) is str else value
    return environment


@cache
def _template(language: str, name: str) -> Template:
    source = (_HOME / name.removeprefix("../") if name.startswith("../") else _HOME / language / name).read_text(
        "utf-8"
    )
    return _environment(language).from_string(source)


@cache
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads((_HOME / language / "words.toml").read_text("utf-8"))


@cache
def _style() -> Markup:
    # Trusted: our own sheet. Autoescape would break its quotes and child selectors.
    return Markup((_HOME / "page.css").read_text("utf-8"))  # noqa: S704 - reason above


@cache
def _style_hash() -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
