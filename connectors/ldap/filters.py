"""What of a predicate the directory may answer: a filter that lets everything through that could match."""

from ldap3.utils.conv import escape_filter_chars

from connectors.ldap.schema import Directory
from privacyops.connector_sdk import All, Leaf, Predicate, PredicateOp

_FOLDED = frozenset(
    {
        PredicateOp.EQ,
        PredicateOp.IN,
        PredicateOp.EQ_CI,
        PredicateOp.IN_CI,
        PredicateOp.JSON_EQ,
        PredicateOp.ARRAY_HAS,
    }
)
_SAME_CASE = frozenset({PredicateOp.EQ, PredicateOp.IN})


def widened(where: Predicate, directory: Directory) -> str | None:
    """A filter that every matching entry fits; None: no narrower one than all entries.

    The directory's own comparison is wider than ours (blanks and case are folded), so what comes back is judged
    again. Only texts are asked for: other values have spellings that a matching rule does not know.
    """
    if isinstance(where, Leaf):
        return _leaf(where, directory)
    parts = [widened(part, directory) for part in where.parts]
    known = [part for part in parts if part is not None]
    if isinstance(where, All):
        return f"(&{''.join(known)})" if known else None
    return f"(|{''.join(known)})" if known and len(known) == len(parts) else None


def _leaf(leaf: Leaf, directory: Directory) -> str | None:
    attribute = directory.attribute_of(leaf.field)
    if attribute is None:
        return None
    folds = directory.folds(attribute)
    if folds is None or leaf.op not in (_FOLDED if folds else _SAME_CASE):
        return None
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if not values or any(not isinstance(each, str) or not each.strip() for each in values):
        return None
    return f"(|{''.join(f'({attribute}={escape_filter_chars(str(each))})' for each in values)})"
