"""Every text of the customer pages and of the kit has a translation in every shipped language."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT: Final = Path(__file__).parents[2] / "privacyops"
LANGUAGES: Final = sorted(folder.name for folder in (ROOT / "ui" / "locale").iterdir() if folder.is_dir())
Message = str | tuple[str, ...]


def texts() -> Iterator[Message]:
    """The msgids of the templates, of the customers' door, and of the module that words dates."""
    options = {"newstyle_gettext": "true", "trimmed": "true"}
    for file in [*(ROOT / "ui" / "templates").rglob("*.html"), *(ROOT / "portal" / "templates").rglob("*.html")]:
        for _, message, _, _ in extract_from_file("jinja2.ext:babel_extract", file, options=options):
            yield message
    for file in [ROOT / "adapters" / "pages_words.py", *(ROOT / "portal").rglob("*.py")]:
        for _, message, _, _ in extract_from_file("python", file):
            yield message


def catalogue(language: str) -> Catalog:
    path = ROOT / "ui" / "locale" / language / "LC_MESSAGES" / "privacyops.po"
    with path.open("rb") as source:
        return read_po(source, locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_without_a_translation(language: str) -> None:
    known = catalogue(language)
    wanted = set(texts())
    assert len(wanted) > 100
    missing = [it for it in wanted if not (found := known.get(it)) or not found.string or not all(found.string)]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_or_doubtful(language: str) -> None:
    wanted = {it if isinstance(it, str) else it[0] for it in texts()}
    kept = [message for message in catalogue(language) if message.id]
    assert [m.id for m in kept if (m.id if isinstance(m.id, str) else m.id[0]) not in wanted] == []
    assert [m.id for m in kept if m.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_uses_the_same_placeholders(language: str) -> None:
    def placeholders(text: Message) -> set[str]:
        return {
            name for part in ([text] if isinstance(text, str) else text) for name in re.findall(r"%\((\w+)\)s", part)
        }

    for message in catalogue(language):
        if message.id:
            assert placeholders(message.string) <= placeholders(message.id)
            assert isinstance(message.id, tuple) or placeholders(message.string) == placeholders(message.id)
