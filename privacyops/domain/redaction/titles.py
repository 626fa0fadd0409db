"""What a record is called on a page: its collection and its key, without what the key itself says of a person."""

from collections.abc import Mapping

from privacyops.domain.classification.columns import category_of
from privacyops.domain.classification.kinds import Category
from privacyops.domain.datamap.catalogue import FieldType
from privacyops.domain.identity.mask import DOTS, masked_email, masked_name, masked_phone
from privacyops.domain.identity.phone import is_assigned
from privacyops.domain.package.contents import Value

_NAMES = frozenset({Category.FULL_NAME, Category.FIRST_NAME, Category.LAST_NAME})
_HELD_BACK = frozenset({Category.PASSWORD, Category.NATIONAL_ID, Category.BANK})
_SHORTEST = 10**9
"""Of fewer digits than ten no number with its country is told from the number of an order."""


def title_of(collection: str, key: Mapping[str, Value]) -> str:
    """`orders 71`, `customers A•••• K••••`, `calls ••••34`."""
    return " ".join([collection, *(_part(collection, name, value) for name, value in key.items())])


def _part(collection: str, name: str, value: Value) -> str:
    text = str(value)
    category = category_of(collection, name, FieldType.TEXT)
    if category in _HELD_BACK:
        return DOTS
    if category in _NAMES:
        return masked_name(text)
    if category is Category.EMAIL:
        return masked_email(text)
    is_phone = isinstance(value, int) and value >= _SHORTEST and is_assigned(text)
    return masked_phone(text) if category is Category.PHONE or is_phone else text
