"""What a row says of the subject: which identifiers stand in it, and whether name, phone or address agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from privacyops.domain.classification.words import words
from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.catalogue import Category, Collection, Field, Role
from privacyops.domain.identity.digest import DigestShape, email_digests
from privacyops.domain.identity.email import SameMailbox, normal_email, same_mailbox
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.identity.person_name import name_agrees, name_spans
from privacyops.domain.identity.phone import same_phone
from privacyops.domain.record import Value, spelled


class Rule(StrEnum):
    """How an identifier met a cell, strongest first."""

    EQUAL = "equal"
    DIGEST = "digest"
    TYPED = "typed"
    TAGGED = "tagged"
    GOOGLE = "google"
    PHONE = "phone"


SURE = frozenset({Rule.EQUAL, Rule.DIGEST, Rule.TYPED})


@dataclass(frozen=True, slots=True)
class Meeting:
    """`identifiers[at]` stands in `field`; `alone`: no other value of the kind stands beside it in that field."""

    at: int
    rule: Rule
    field: Field
    alone: bool = True


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What the store's file says of its values: the region of bare phone numbers, salts of digests."""

    region: str | None = None
    salts: tuple[str, ...] = ()


def usable(identifiers: Sequence[Identifier], kind: IdentifierKind) -> tuple[tuple[int, Identifier], ...]:
    """The identifiers of a kind that may be searched with, and their positions: verified and strong ones.

    A phone that was only typed is searched for too, since it yields candidates and never more.
    """
    return tuple(
        (at, one) for at, one in enumerate(identifiers) if one.kind is kind and (one.tier <= Tier.STRONG or _typed(one))
    )


def _typed(one: Identifier) -> bool:
    return one.kind is IdentifierKind.PHONE and one.tier is Tier.PROBABLE and one.origin == "given"


def meetings(
    one: Collection, row: Mapping[str, Value], identifiers: Sequence[Identifier], settings: StoreSettings
) -> tuple[Meeting, ...]:
    """Every identity column of the row that holds an identifier of the subject."""
    return tuple(_meetings(one, row, identifiers, settings))


def _meetings(
    one: Collection, row: Mapping[str, Value], identifiers: Sequence[Identifier], settings: StoreSettings
) -> Iterator[Meeting]:
    emails = usable(identifiers, IdentifierKind.EMAIL)
    phones = usable(identifiers, IdentifierKind.PHONE)
    for field in one.fields:
        if field.category is Category.EMAIL:
            yield from _email_meetings(field, values_at(field.path, row), emails)
        elif field.category is Category.EMAIL_DIGEST:
            yield from _digest_meetings(field, values_at(field.path, row), emails, settings.salts)
        elif field.category is Category.PHONE:
            texts = [spelled(value) for value in values_at(field.path, row)]
            for at, phone in phones:
                if any(same_phone(phone.value, text, settings.region) for text in texts):
                    yield Meeting(at, Rule.PHONE, field)
        yield from _typed_meetings(one, field, row, identifiers)


def _email_meetings(
    field: Field, values: tuple[Value, ...], emails: Iterable[tuple[int, Identifier]]
) -> Iterator[Meeting]:
    normals = [normal for value in values if isinstance(value, str) and (normal := normal_email(value))]
    for at, email in emails:
        kinds = {same_mailbox(email.normal, normal) for normal in normals}
        alone = len(normals) == 1
        for kind, rule in (
            (SameMailbox.EQUAL, Rule.EQUAL),
            (SameMailbox.TAGGED, Rule.TAGGED),
            (SameMailbox.GOOGLE, Rule.GOOGLE),
        ):
            if kind in kinds:
                yield Meeting(at, rule, field, alone)
                break


def _digest_meetings(
    field: Field, values: tuple[Value, ...], emails: tuple[tuple[int, Identifier], ...], salts: tuple[str, ...]
) -> Iterator[Meeting]:
    held = {spelled(value).lower() if len(spelled(value)) % 32 in {0, 8} else spelled(value) for value in values}
    for at, email in emails:
        for code in field.digests:
            if held & digests_of((email.value,), code, salts):
                yield Meeting(at, Rule.DIGEST, field)
                break


@lru_cache(maxsize=512)
def digests_of(addresses: tuple[str, ...], code: str, salts: tuple[str, ...]) -> frozenset[str]:
    """The digests of the addresses in one shape, written `sha256:hex`."""
    algorithm, _, encoding = code.partition(":")
    return frozenset(email_digests(addresses, DigestShape(algorithm, encoding), salts))


def _typed_meetings(
    one: Collection, field: Field, row: Mapping[str, Value], identifiers: Sequence[Identifier]
) -> Iterator[Meeting]:
    for at, identifier in enumerate(identifiers):
        if identifier.tier > Tier.STRONG or not is_typed_for(identifier, one, field):
            continue
        if any(spelled(value).lower() == identifier.normal.lower() for value in values_at(field.path, row)):
            yield Meeting(at, Rule.TYPED, field)


def is_typed_for(identifier: Identifier, one: Collection, field: Field) -> bool:
    """Whether the identifier is of the type this column holds: a bare 1 meets keys of customers, never any number."""
    if identifier.kind is IdentifierKind.COLUMN:
        return _names(identifier.at, one.name, field.path)
    if identifier.kind is IdentifierKind.LOGIN:
        return field.category is Category.LOGIN
    if identifier.kind is IdentifierKind.CUSTOMER_ID and identifier.origin == "given":
        return field.category is Category.CUSTOMER_NUMBER or (one.key == (field.path,) and one.cls == "person")
    return False


def _names(at: str, collection: str, path: str) -> bool:
    """Whether `at` (`orders.number` or `number`) means this column; case and underscores aside."""
    table, _, column = at.rpartition(".")
    return words(column) == words(path) and (not table or words(table) == words(collection))


def names_of(one: Collection, row: Mapping[str, Value]) -> tuple[str, ...]:
    """The names of people in a row: full ones, and first and last put together."""
    held: dict[Category, list[str]] = {}
    for field in one.of(Category.FIRST_NAME, Category.LAST_NAME, Category.FULL_NAME):
        if field.role is not Role.POINT and field.category is not None:
            texts = [value for value in values_at(field.path, row) if isinstance(value, str) and value.strip()]
            held.setdefault(field.category, []).extend(texts)
    pairs = zip(held.get(Category.FIRST_NAME, ()), held.get(Category.LAST_NAME, ()), strict=False)
    return (*held.get(Category.FULL_NAME, ()), *(f"{first} {last}" for first, last in pairs))


def known_names(identifiers: Sequence[Identifier]) -> tuple[str, ...]:
    """The subject's names, given or learnt."""
    return tuple(one.value for one in identifiers if one.kind is IdentifierKind.NAME)


def name_verdict(one: Collection, row: Mapping[str, Value], identifiers: Sequence[Identifier]) -> bool | None:
    """Whether the row's name agrees with a known one; None where either is missing.

    A name in a short text (`ship_to`) agrees but never disagrees.
    """
    wanted = known_names(identifiers)
    if not wanted:
        return None
    held = names_of(one, row)
    if any(name_agrees(name, text) for name in wanted for text in held):
        return True
    for value in row.values():
        if isinstance(value, str) and 5 <= len(value) <= 400:
            head = value.partition(",")[0]
            if any(name_agrees(name, head) or name_spans(name, value) for name in wanted):
                return True
    return False if held else None


def phone_agrees(
    one: Collection, row: Mapping[str, Value], identifiers: Sequence[Identifier], settings: StoreSettings
) -> bool:
    """Whether a phone of the row is one of the subject's."""
    phones = [phone.value for _, phone in usable(identifiers, IdentifierKind.PHONE)]
    return any(
        same_phone(phone, spelled(value), settings.region)
        for field in one.of(Category.PHONE)
        for value in values_at(field.path, row)
        for phone in phones
    )


def own_emails(one: Collection, row: Mapping[str, Value]) -> Iterator[tuple[Field, str]]:
    """The normal addresses in columns that speak of the person the row is about."""
    for field in one.of(Category.EMAIL):
        if field.role is not Role.POINT and "[*]" not in field.path:
            for value in values_at(field.path, row):
                normal = normal_email(value) if isinstance(value, str) else None
                if normal:
                    yield field, normal


def is_subjects(normal: str, identifiers: Sequence[Identifier]) -> bool:
    """Whether an address is one of the subject's mailboxes."""
    return any(
        same_mailbox(email.normal, normal) is not SameMailbox.NO
        for _, email in usable(identifiers, IdentifierKind.EMAIL)
    )
