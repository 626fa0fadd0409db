"""Whether what was planned still fits a row that is read again: the cell holds what it held, the row is of the same
person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.erasure.intent import Intent, Stance, link_cells
from privacyops.domain.erasure.operation import Given, Set
from privacyops.domain.finding.subject import own_emails
from privacyops.domain.record import Value, canonical, spelled

CHANGED = "row_changed"


def same_value(one: Value, other: Value) -> bool:
    """Whether a store shows `one` where `other` was written: a date or a number that was written as a text is read as
    what it is.
    """
    if one is None or other is None:
        return one is other
    if canonical(one) == canonical(other) or spelled(one) == spelled(other):
        return True
    if isinstance(one, str) and not isinstance(other, str):
        return _is_read_as(one, other)
    return isinstance(other, str) and not isinstance(one, str) and _is_read_as(other, one)


def _is_read_as(text: str, value: Value) -> bool:
    try:
        if isinstance(value, datetime):
            return datetime.fromisoformat(text).replace(tzinfo=None) == value.replace(tzinfo=None)
        if isinstance(value, date):
            return datetime.fromisoformat(text).date() == value
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return Decimal(text) == Decimal(str(value))
    except (ValueError, InvalidOperation):
        return False
    return False


def still_theirs(
    one: Collection, drawn: DataMap, before: Sequence[Mapping[str, Value]], now: Mapping[str, Value]
) -> bool:
    """Whether a row has an address, and leads to the rows, that it had: a key may have been given out anew, an order
    handed over to another customer. What is empty now says nothing.
    """
    held = {normal for _, normal in own_emails(one, now)}
    known = {normal for values in before for _, normal in own_emails(one, values)}
    if held and known and not held & known:
        return False
    for path in link_cells(one, drawn):
        led = {spelled(values[path]) for values in before if values.get(path) is not None}
        if led and now.get(path) is not None and spelled(now[path]) not in led:
            return False
    return True


def without_changed(intent: Intent, drawn: DataMap, now: Mapping[str, Value]) -> Intent | None:
    """The intent without the cells that hold something else by now; None: the row has become somebody else's."""
    if intent.stance is not Stance.POINT:
        theirs = still_theirs(drawn.collection(intent.ref.collection), drawn, [intent.values], now)
        return intent if theirs else None
    left = {
        path: CHANGED
        for path, ways in intent.ways.items()
        if path in intent.values
        and now.get(path) is not None
        and not same_value(now[path], intent.values[path])
        and not any(same_value(now[path], given_by(act, path)) for act in ways)
    }
    return replace(intent, left={**intent.left, **left}) if left else intent


def given_by(act: object, path: str) -> Value:
    """The right value that an act of a correction writes into a cell; None: it writes none."""
    given = act.fields.get(path) if isinstance(act, Set) else None
    return given.value if isinstance(given, Given) else None
