"""What a store of single records offers to the frame of single writes, and what that frame knows of their cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from privacyops.connector_sdk.catalogue import Field, FieldType
from privacyops.connector_sdk.connector import Call
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.predicate import split_path, value_at
from privacyops.connector_sdk.records import RowRef, Value


@dataclass(frozen=True, repr=False)
class Held:
    """A record as it was read: every value of it, and whatever the store needs to write only over this state."""

    ref: RowRef
    values: Mapping[str, Value]
    state: Any = None


@dataclass(frozen=True, repr=False)
class Edit:
    """What is to be written to one record: new values by field path, and parts of documents that go.

    A value of None empties the cell: a store without empty cells takes the field away. `drops` are field and steps into
    its value; a step is a name, a position, or `*` for each element.
    """

    sets: Mapping[str, Value]
    drops: tuple[tuple[str, tuple[str | int, ...]], ...] = ()


class Records(Protocol):
    """What a store of records offers to this frame. Each method asks the store at least once, and spends it."""

    def held(self, call: Call, ref: RowRef) -> Held | None:
        """The record as it stands; None: it is gone. Raises: Terminal: a reference or collection that is not ours."""
        ...

    def field(self, call: Call, held: Held, path: str) -> Field:
        """What is known of a cell. Raises: NotPossible: it cannot be written."""
        ...

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        """False: the record is not as it was read, and nothing was written. Raises: NotPossible: the store refuses."""
        ...

    def delete(self, call: Call, held: Held) -> bool:
        """As `write`."""
        ...


def cell_of(values: Mapping[str, Value], path: str) -> Value:
    """The one value at a field path; None: there is none. Raises: NotPossible: several stand there."""
    if path in values:
        return values[path]
    found = value_at(path, values)
    if len(found) > 1 or "*" in split_path(path)[1]:
        raise NotPossible("several_values", "one_element_a_path")
    return found[0] if found else None


def without(value: Value, steps: tuple[str | int, ...], *, missing_is_fine: bool = False) -> Value:
    """The document without what the steps lead to; all else keeps its type. Raises: NotPossible: no such place."""
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping):
        if step not in value:
            if missing_is_fine:
                return value
            raise NotPossible("path")
        name = str(step)
        inner = {} if not rest else {name: without(value[name], rest, missing_is_fine=missing_is_fine)}
        return {each: inner.get(each, part) for each, part in value.items() if each != name or rest}
    if isinstance(value, tuple | list):
        if step == "*":
            return tuple(without(part, rest, missing_is_fine=True) for part in value) if rest else ()
        if isinstance(step, int) and step < len(value):
            part = (without(value[step], rest, missing_is_fine=missing_is_fine),) if rest else ()
            return (*value[:step], *part, *value[step + 1 :])
    if missing_is_fine:
        return value
    raise NotPossible("element" if isinstance(step, int) else "path")


def a_field(path: str, value: Value) -> Field:
    """What is known of a cell of a store without a schema: the type of what it holds. An empty one takes text."""
    if isinstance(value, bool):
        return Field(path, FieldType.BOOLEAN)
    if isinstance(value, int):
        return Field(path, FieldType.INTEGER)
    if isinstance(value, tuple | list | Mapping):
        return Field(path, FieldType.ARRAY if isinstance(value, tuple | list) else FieldType.JSON)
    if isinstance(value, datetime):
        return Field(path, FieldType.INSTANT)
    if isinstance(value, bytes):
        return Field(path, FieldType.BINARY)
    return Field(path, FieldType.TEXT if value is None or isinstance(value, str) else FieldType.NUMBER)
