"""Every setting stands in the guide, and the guide names none that there is not."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from privacyops.settings import Issuer, Settings

GUIDE = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")


def settings(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, str]]:
    """(section, name) of each setting; sections of a section are told by their own heading alone."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and not section:
            yield from settings(inner, name)
        elif name == "shop_issuers":
            yield from ((name, one) for one in Issuer.model_fields)
        else:
            yield section, name


def told() -> set[tuple[str, str]]:
    """(section, name) of each setting that a row of the guide's table is about."""
    found = set()
    for row in re.findall(r"^\| (.+?) \|", GUIDE, re.MULTILINE):
        section = re.match(r"`\[\[?([a-z_.]+)\]?\]`", row)
        names = re.findall(r"`([a-z_ ]+)`", row[section.end() :] if section else row)
        words = [word for name in names for word in name.split()]
        if section is not None and "." in section[1]:
            found.add(tuple(section[1].split(".", 1)))
        found |= {(section[1] if section else "", word) for word in words}
    return {one for one in found if len(one) == 2}


def test_every_setting_stands_in_the_guide() -> None:
    assert set(settings(Settings)) - told() == set()


def test_the_guide_names_no_setting_that_there_is_not() -> None:
    assert told() - set(settings(Settings)) == set()
