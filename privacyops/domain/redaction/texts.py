"""The texts of a record: which of its values are read for other people, and how each is named without its content."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from privacyops.domain.catalog.word_lists import first_names
from privacyops.domain.classification.columns import category_of
from privacyops.domain.classification.kinds import Category
from privacyops.domain.datamap.catalogue import FieldType
from privacyops.domain.detection.entity import PERSON
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.phone import is_phone
from privacyops.domain.package.contents import Path, Value

LONGEST: Final = 100_000
"""Characters of one text that detection is given; of a longer one the rest is a person's to read."""
LONGEST_NAME: Final = 255
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SENTENCE: Final = re.compile(r"[.!?…。](?:\s|$)|\n")
MEMBER: Final = "member_name"
MEMBER_VALUE: Final = "member_value"
_NAME: Final = re.compile(r"[\w$.:/-]+")
_PARTS: Final = re.compile(r"[^\W\d_]+")
_MONTHS: Final = frozenset({"jan"})
CALLABLE: Final = range(10**6, 10**15)
"""Whole numbers of 7 to 15 digits, with which one can call somebody."""
_FEW: Final = 2
_SOME: Final = 5
_MANY: Final = 12
_OPEN: Final = frozenset({None, Category.TEXT, Category.LABEL})
"""Columns whose name does not say that they hold one single value."""


@dataclass(frozen=True, slots=True)
class RecordText:
    """One string of a record: the one at place `at` among those inside `field`, depth first; `path` leads to it.

    `is_number`: it is kept as a whole number, which goes as a whole or not at all.
    """

    field: str
    at: int
    path: Path
    text: str
    is_number: bool = False

    @property
    def name(self) -> str:
        """The field's name as it can be stored: one that is too long, or no text for a database, as its hash."""
        if len(self.field) <= LONGEST_NAME and self.field.isprintable():
            return self.field
        return "sha256:" + sha256(self.field.encode("utf-8", "surrogatepass")).hexdigest()


def texts_of(values: Mapping[str, Value], skipped: Collection[str] = ()) -> Iterator[RecordText]:
    """Every string of a record, in an order that the same values always give. `skipped`: fields that are files.

    A whole number as long as a phone number counts as one: somebody's number may be kept so.
    """
    for field, value in values.items():
        if field in skipped:
            continue
        for at, (path, text) in enumerate(_strings(value, ())):
            yield RecordText(field, at, path, str(text), is_number=isinstance(text, int))


def text_in(value: bytes) -> str | None:
    """The text that a cell of bytes holds, if it is one: else nobody could read it for other people."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    is_text = _WORD.search(text) and all(sign.isprintable() or sign.isspace() for sign in text)
    return text if is_text else None


def by_members(parts: Mapping[str, Value]) -> Value:
    """An object inside a cell. One whose members are named by more than a word (`{"Jane Doe": ...}`) or after
    somebody (`{"Jane": ...}`) is a list of names and values instead, so that a name can be read, and taken out, like
    any other text.
    """
    if all(_NAME.fullmatch(name) and not names_somebody(name) for name in parts):
        return parts
    return [{MEMBER: name, MEMBER_VALUE: part} for name, part in parts.items()]


def names_somebody(name: str) -> bool:
    """Whether a member is called like a person: by a first name, alone or before another word (`jane.doe`)."""
    words = [word.casefold() for word in _PARTS.findall(name)]
    if not words or len(words) > _FEW or words[0] in _MONTHS or words[0] not in first_names():
        return False
    return len(words) == 1 or category_of("", words[1], FieldType.TEXT) is None


def somebodys(collection: str, one: RecordText) -> str | None:
    """What a text holds of somebody by its place alone, as a type of detection: the name of a member that is called
    like a person; in a document, a number, an address or a name whose member is called so.
    """
    if not one.path:
        return None
    if one.path[-1] == MEMBER:
        return PERSON if names_somebody(one.text) else None
    named = next((step for step in reversed(one.path) if isinstance(step, str)), "")
    category = _category(collection, one.path, named)
    if category is Category.EMAIL and normal_email(one.text) is not None:
        return "EMAIL_ADDRESS"
    if category is Category.PHONE and is_phone(one.text):
        return "PHONE_NUMBER"
    is_name = category is Category.FULL_NAME and len(one.text) <= LONGEST_NAME and len(_WORD.findall(one.text)) >= _FEW
    return PERSON if is_name else None


def _category(collection: str, path: Path, named: str) -> Category | None:
    """What a member holds: `name` says it of somebody only under one who is somebody (`recipient.name`)."""
    above = [step for step in path if isinstance(step, str)]
    whose = "_".join(above[-2:-1])
    category = category_of(collection, named, FieldType.TEXT)
    if category is Category.LABEL and whose:
        return category_of(whose, f"{whose}_{named}", FieldType.TEXT)
    return category


def is_prose(collection: str, one: RecordText) -> bool:
    """Whether it is a text that people wrote, in which others may be named.

    A name, an address or a product's title is no such text: a model would see people in most of them.
    """
    count = sum(1 for _ in _WORD.finditer(one.text, 0, LONGEST))
    if one.path and one.path[-1] in {MEMBER, MEMBER_VALUE}:
        return count >= (1 if one.path[-1] == MEMBER else _FEW)
    named = next((step for step in reversed(one.path) if isinstance(step, str)), one.field)
    category = category_of(collection, named, FieldType.TEXT)
    if category not in _OPEN:
        return False
    if category is Category.TEXT:
        return count >= _FEW
    return count >= _MANY or (count >= _SOME and _SENTENCE.search(one.text) is not None)


def places_of(text: str, words: str, limit: int) -> list[tuple[int, int]]:
    """Where `words` stand in `text`, at most `limit` times: in any case of letters, with any blanks between them."""
    parts = [re.escape(part) for part in words.split()]
    if not parts:
        return []
    found = re.compile(r"\s+".join(parts), re.IGNORECASE).finditer(text)
    return [one.span() for _, one in zip(range(limit), found, strict=False)]


def _strings(value: Value, path: Path) -> Iterator[tuple[Path, str | int]]:
    if isinstance(value, str) or (isinstance(value, int) and value in CALLABLE):
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _strings(part, (*path, name))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for index, part in enumerate(value):
            yield from _strings(part, (*path, index))
