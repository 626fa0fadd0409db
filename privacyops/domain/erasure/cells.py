"""What a cell may become when its row has to stay: the choices for one field, best first.

Hash, HMAC and encryption are pseudonyms and no choice. What a store insists on and what says nothing of a person (an
amount, a flag, the moment of a booking) is left.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Final

from privacyops.domain.classification.words import words
from privacyops.domain.datamap.catalogue import (
    TELLING_SHAPES,
    Category,
    Collection,
    CollectionClass,
    Field,
    FieldType,
    Shape,
)
from privacyops.domain.erasure.operation import Constant, Null, RandomToken, Replacement

TELLING: Final = frozenset(
    set(Category) - {Category.AMOUNT, Category.QUANTITY, Category.ORDER_NUMBER, Category.LABEL, Category.COUNTRY}
)
"""Categories that say something of a person wherever they stand."""
_OPAQUE: Final = frozenset({FieldType.JSON, FieldType.BINARY, FieldType.ADDRESS})
_WHOLLY: Final = frozenset(
    {CollectionClass.PERSON, CollectionClass.SATELLITE, CollectionClass.COPY, CollectionClass.LOG}
)
"""Classes whose rows are about the person as a whole: every cell that may be empty goes."""
_NEUTRAL: Final = ("unknown", "other", "none", "n/a", "not specified", "u", "x")
_GOODS: Final = frozenset(["article", "artikel", "product", "produkt", "produit", "item", "sku", "ware"])
_OF_PEOPLE: Final = frozenset({
    "recipient", "empfaenger", "empfänger", "receiver", "gift", "engraving", "gravur", "personalisation",
    "personalization", "customer", "kunde", "client", "buyer", "user", "member", "contact", "vendor", "seller",
    "author", "note", "message",
})  # fmt: skip
"""Words that make the name in a line the name of somebody, or a text that somebody wrote."""
_DIGITS: Final = frozenset({Category.PHONE, Category.POSTCODE, Category.NATIONAL_ID, Category.BANK})
_LONG_AGO: Final = date(1900, 1, 1)


def is_wholly_personal(one: Collection) -> bool:
    """Whether every cell of such a row speaks of the person."""
    return one.cls in _WHOLLY


def is_telling(field: Field) -> bool:
    """Whether the field says something of a person by its category, its shape or for being opaque."""
    return field.category in TELLING or field.shape in TELLING_SHAPES or field.type in _OPAQUE


def names_goods(one: Collection, field: Field) -> bool:
    """Whether a text of a line says what was bought; three words of a soap are not yet a text about somebody."""
    parts = words(field.path)
    if one.cls is not CollectionClass.DETAIL or field.shape not in {None, Shape.FREE_TEXT} or not parts:
        return False
    is_named = field.category is Category.LABEL or (field.category is None and parts[-1] in _GOODS)
    return is_named and not _OF_PEOPLE & set(parts)


def choices(field: Field) -> tuple[Replacement, ...]:
    """What the cell may become, best first. Empty: nothing is possible, the cell can only go with its row."""
    found = list(_choices(field))
    return tuple([Null(), *found] if field.nullable else found)


def _choices(field: Field) -> Iterator[Replacement]:
    if field.enum:
        listed = sorted(field.enum, key=lambda word: (word.lower() not in _NEUTRAL, field.enum.index(word)))
        yield from (Constant(word) for word in listed)
    elif field.type is FieldType.TEXT:
        yield from _texts(field)
    elif field.type in {FieldType.INTEGER, FieldType.NUMBER}:
        yield from (Constant(number) for number in (0, 1, -1))
    elif field.type is FieldType.DATE:
        yield Constant(_LONG_AGO)
    elif field.type is FieldType.INSTANT:
        yield Constant(datetime.combine(_LONG_AGO, time(), UTC))
        yield Constant(datetime.combine(_LONG_AGO, time()))  # a column without a zone
    elif field.type is FieldType.JSON:
        yield from (Constant({}), Constant(()))
    elif field.type is FieldType.ARRAY:
        yield Constant(())
    elif field.type is FieldType.BINARY:
        yield Constant(b"")
    elif field.type is FieldType.ADDRESS:
        yield Constant("0.0.0.0")  # noqa: S104 - the address that names nobody; nothing binds to it
    elif field.type is FieldType.OTHER:
        yield Constant("")


def _texts(field: Field) -> Iterator[Replacement]:
    if field.category is Category.EMAIL or field.shape is Shape.EMAIL:
        yield RandomToken("erased-{r}@invalid.example")
        yield RandomToken("{r}@invalid.example", 12)
    yield RandomToken("erased-{r}")
    yield RandomToken("{r}", min(16, field.max_length or 16))
    if field.unique:
        return
    if field.category in _DIGITS:
        length = min(field.max_length or 7, 7)
        yield from (Constant("0" * length), Constant("+" + "0" * 7), Constant("00000"))
    yield from (Constant(""), Constant("-"), Constant("erased"), Constant("XX"), Constant("XXX"), Constant("{}"))


def telling_cells(one: Collection) -> tuple[Field, ...]:
    """The columns of a collection that go when its row has to stay, key and paths inside documents aside.

    Of a row that is wholly personal every column that may be empty, too; flags and the mark of soft deletion stay, for
    a row that was deleted must not come back to life.
    """
    wholly = is_wholly_personal(one)
    return tuple(
        field
        for field in one.fields
        if not field.virtual
        and not field.generated
        and field.path not in one.key
        and field.path != one.soft_delete
        and not names_goods(one, field)
        and (is_telling(field) or (wholly and field.nullable and field.type is not FieldType.BOOLEAN)
             or (wholly and field.type is FieldType.TEXT))
    )  # fmt: skip
