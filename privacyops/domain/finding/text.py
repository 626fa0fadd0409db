"""The subject in running text: where, and whether an identifier or only the name says so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.annotate import leaves
from privacyops.domain.datamap.catalogue import Category, Collection
from privacyops.domain.finding.asking import text_fields
from privacyops.domain.finding.model import TextSpan
from privacyops.domain.finding.subject import StoreSettings, known_names, usable
from privacyops.domain.identity.email import SameMailbox, normal_email, same_mailbox
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.identity.person_name import name_spans
from privacyops.domain.identity.phone import phone_digits, search_tail
from privacyops.domain.record import Blob, Value

_ADDRESS: Final = re.compile(r"[^\s@<>\"'(),:;\[\]\\{}]{1,64}@[\w.-]{1,253}[\w]")
_NUMBER: Final = re.compile(r"(?<![\w])[+(]?\d(?:[ ()./\u00a0+-]{0,4}\d){6,16}(?!\d)")


IN_LONG_TEXT: Final = "in_long_text"
"""Why a row is a candidate: the store says that a cell too long to be read at once names the person."""


@dataclass(frozen=True, slots=True)
class TextHit:
    """Where the text names the subject; `sure`: by an identifier that the subject alone holds. Not `read`: the store
    says so, of a cell that is too long to be a value.
    """

    spans: tuple[TextSpan, ...]
    sure: bool
    read: bool = True


def text_hit(
    one: Collection,
    row: Mapping[str, Value],
    identifiers: Sequence[Identifier],
    settings: StoreSettings,
    shared_phones: frozenset[str] = frozenset(),
) -> TextHit | None:
    """Every span of the row's texts that names the subject, or None. A surname alone never counts."""
    spans: list[TextSpan] = []
    sure = False
    fields = text_fields(one)
    for field in fields:
        text = _text_of(row.get(field.path))
        if text is None:
            continue
        strong = list(_identifier_spans(text, identifiers, settings, shared_phones))
        sure = sure or bool(strong)
        named = [(span.start, span.end) for name in known_names(identifiers) for span in name_spans(name, text)]
        typed = [each.value for _, each in usable(identifiers, IdentifierKind.PHONE) if each.tier > Tier.STRONG]
        named.extend(_phone_spans(text, typed, settings))
        found = sorted({*strong, *named}) if isinstance(row[field.path], str) else [(0, 0)] * bool(strong or named)
        spans.extend(TextSpan(field.path, start, end) for start, end in found)
    if not spans:
        unseen = tuple(TextSpan(field.path, 0, 0) for field in fields if isinstance(row.get(field.path), Blob))
        return TextHit(unseen, sure=False, read=False) if unseen else None
    return TextHit(tuple(spans), sure)


def subject_spans(
    text: str,
    identifiers: Sequence[Identifier],
    settings: StoreSettings,
    shared_phones: frozenset[str] = frozenset(),
) -> tuple[tuple[int, int], ...]:
    """Every span of one text that names the subject, by an identifier or by the full name, joined where they meet."""
    named = [(span.start, span.end) for name in known_names(identifiers) for span in name_spans(name, text)]
    found = sorted({*_identifier_spans(text, identifiers, settings, shared_phones), *named})
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def repeated(
    one: Collection, row: Mapping[str, Value], identifiers: Sequence[Identifier], settings: StoreSettings
) -> tuple[str, ...]:
    """The cells of the subject's row that repeat an identifier outside its own column: a display name, a cached
    document, a search vector.
    """
    own = {
        field.path
        for field in one.of(Category.EMAIL, Category.PHONE, Category.FULL_NAME, Category.FIRST_NAME, Category.LAST_NAME)
    }
    found = []
    for name, value in row.items():
        if name in own:
            continue
        text = _text_of(value)
        if text is None or len(text) < 5 or len(text) > 100_000:
            continue
        if any(_identifier_spans(text, identifiers, settings, frozenset())) or any(
            name_spans(known, text) for known in known_names(identifiers)
        ):
            found.append(name)
    return tuple(found)


def _identifier_spans(
    text: str, identifiers: Sequence[Identifier], settings: StoreSettings, shared: frozenset[str]
) -> Iterator[tuple[int, int]]:
    proven = [one for one in identifiers if one.tier <= Tier.STRONG]
    emails = [one.normal for one in proven if one.kind is IdentifierKind.EMAIL]
    if emails and "@" in text:
        for met in _ADDRESS.finditer(text):
            normal = normal_email(met.group())
            if normal and any(same_mailbox(normal, one) in {SameMailbox.EQUAL, SameMailbox.TAGGED} for one in emails):
                yield met.start(), met.end()
    phones = [one.value for one in proven if one.kind is IdentifierKind.PHONE and one.normal not in shared]
    yield from _phone_spans(text, phones, settings)
    for one in proven:
        if one.kind is IdentifierKind.ORDER_NUMBER:
            for met in re.finditer(rf"(?<!\w){re.escape(one.value)}(?!\w)", text, re.IGNORECASE):
                yield met.start(), met.end()


def _phone_spans(text: str, phones: Sequence[str], settings: StoreSettings) -> Iterator[tuple[int, int]]:
    tails = [tail for phone in phones if (tail := search_tail(phone, settings.region)) is not None]
    if tails:
        for met in _NUMBER.finditer(text):
            if any(phone_digits(met.group()).endswith(tail) for tail in tails):
                yield met.start(), met.end()


def _text_of(value: Value) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping | tuple | list):
        return " \u2022 ".join(str(part) for _, part in leaves("$", value) if part is not None)
    return None
