"""What the subject's own rows teach: other spellings, names, numbers. Each identifier keeps where it came from.

An address that is not the subject's mailbox is only probable: it is listed and not searched for until a person
confirms it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Role
from privacyops.domain.finding.model import Finding, FindingTier, Match
from privacyops.domain.finding.subject import is_subjects, names_of
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.identity.phone import is_phone
from privacyops.domain.record import spelled

MIN_ORDER_NUMBER = 5


def learnt(findings: Iterable[Finding], drawn: DataMap, identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """The identifiers with those that owned rows add, without repeats. Text matches teach nothing."""
    known = {_mark(one) for one in identifiers}
    new: list[Identifier] = []
    for finding in findings:
        if finding.tier is not FindingTier.OWNED or finding.match is Match.TEXT:
            continue
        for one in _of_row(drawn.collection(finding.collection), finding, identifiers):
            if _mark(one) not in known:
                known.add(_mark(one))
                new.append(one)
    return (*identifiers, *new)


def not_asked(identifiers: Iterable[Identifier]) -> Mapping[str, int]:
    """How many addresses each column of the subject's rows holds that may be the subject's too and were not searched
    for: an old one, or somebody else's. `orders.email`: 1.
    """
    return Counter(one.origin for one in identifiers if one.kind is IdentifierKind.EMAIL and one.tier is Tier.PROBABLE)


def _of_row(one: Collection, finding: Finding, known: tuple[Identifier, ...]) -> Iterator[Identifier]:
    row = finding.values
    person = one.cls is CollectionClass.PERSON
    for field in one.fields:
        if field.role is Role.POINT or field.category is None:
            continue
        origin = f"{one.name}.{field.path}"
        for value in values_at(field.path, row):
            text = spelled(value)
            if field.category is Category.EMAIL and (normal := normal_email(text)):
                tier = Tier.STRONG if is_subjects(normal, known) else Tier.PROBABLE
                yield Identifier(IdentifierKind.EMAIL, text, tier, origin)
            elif field.category is Category.PHONE and is_phone(text):
                # a fax or a household's number: it may be others' too, so it is followed only where it stands alone
                yield Identifier(IdentifierKind.PHONE, text, Tier.PROBABLE, origin)
            elif field.category is Category.ORDER_NUMBER and _is_telling(text):
                yield Identifier(IdentifierKind.ORDER_NUMBER, text, Tier.STRONG, origin)
    if person:
        for name in names_of(one, row):
            yield Identifier(IdentifierKind.NAME, name, Tier.STRONG, one.name)
        for part, value in finding.key:
            yield Identifier(IdentifierKind.CUSTOMER_ID, spelled(value), Tier.STRONG, f"{one.name}.{part}")


def _is_telling(text: str) -> bool:
    """Whether a number is written so that it can be searched for in texts: five signs, letters and digits."""
    letters = any(sign.isalpha() for sign in text)
    return len(text) >= MIN_ORDER_NUMBER and letters and any(sign.isdigit() for sign in text) and " " not in text


def _mark(one: Identifier) -> tuple[str, str, str]:
    """What makes two identifiers one: the spelling of an address counts, for it may have been hashed as it is."""
    value = one.value.strip() if one.kind is IdentifierKind.EMAIL else one.normal
    return one.kind.value, value, one.at
