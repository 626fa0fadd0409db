"""Single documents: read, changed and deleted, each write tied to the state that was read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from pymongo.errors import OperationFailure

from connectors.mongodb.session import Document, Session, refusal_of
from connectors.mongodb.settings import Settings
from connectors.mongodb.values import SMALLEST, native, natives_of, row_of
from privacyops.connector_sdk import Call, Field, RowRef, Terminal
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.predicate import split_path
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field, cell_of

_COMPARED: Final = (str, bool, int, float, datetime, UUID, ObjectId, Decimal128)
MOST_COMPARED: Final = 100
_ABSENT: Final = object()
_KNOWN: Final = tuple(kind for _, kinds in SMALLEST for kind in kinds)


class Documents:
    """The documents of one database."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session, self._settings = session, settings
        self._indexed: dict[str, frozenset[str]] = {}
        self._key_types: dict[str, frozenset[int]] = {}

    def listed(self, call: Call) -> dict[str, Mapping[str, Any]]:
        """Collections and views by name, without the server's own."""
        with self._session.asking(call) as database:
            found = {each["name"]: each for each in database.list_collections()}
        ours = (name for name in sorted(found) if not name.startswith("system.") and name not in self._settings.ignore)
        return {name: found[name] for name in ours}

    def indexed(self, call: Call, collection: str) -> frozenset[str]:
        """Fields that an index begins with. Raises: Terminal: no such collection."""
        known = self._indexed.get(collection)
        if known is None:
            listed = self.listed(call).get(collection)
            if listed is None:
                raise Terminal("unknown_collection")
            known = frozenset()
            if listed.get("type") != "view":
                with self._session.asking(call) as database:
                    indexes = database[collection].index_information()
                whole = (each for each in indexes.values() if not each.get("partialFilterExpression"))
                known = frozenset(each["key"][0][0] for each in whole if each.get("key") and not each.get("sparse"))
            self._indexed[collection] = known
        return known

    def key_types(self, call: Call, collection: str, *, is_new: bool) -> frozenset[int]:
        """Which of the types of keys occur, looked up anew when a scan begins.

        Raises: Terminal: some `_id` is of a type that cannot be scanned in order (`key_type`), so nothing may pass
        for searched.
        """
        known = self._key_types.get(collection)
        if known is not None and not is_new:
            return known
        with self._session.asking(call) as database:
            keys = database[collection]
            for way in (1, -1):
                outermost = next(iter(keys.find({}, {"_id": 1}).sort("_id", way).limit(1)), None)
                if outermost is not None and not isinstance(outermost["_id"], _KNOWN):
                    raise Terminal("key_type")
            found = {
                at
                for at, (least, _) in enumerate(SMALLEST)
                if next(iter(keys.find({"_id": {"$gte": least}}, {"_id": 1}).limit(1)), None) is not None
            }
        self._key_types[collection] = frozenset(found)
        return self._key_types[collection]

    def document(self, call: Call, ref: RowRef) -> Document | None:
        """The whole document, or None."""
        if ref.collection not in self._indexed:
            self.indexed(call, ref.collection)
        if set(ref.key) != {"_id"}:
            raise Terminal("unknown_reference")
        with self._session.asking(call) as database:
            for each in natives_of(ref.key["_id"]):
                document: Document | None = next(iter(database[ref.collection].find({"_id": each}).limit(1)), None)
                if document is not None:
                    return document
        return None

    # --- for the frame of single writes -----------------------------------------------------------------------

    def held(self, call: Call, ref: RowRef) -> Held | None:
        document = self.document(call, ref)
        return None if document is None else Held(ref, row_of(document), document)

    def field(self, call: Call, held: Held, path: str) -> Field:
        del call
        column, steps = split_path(path)
        if column == "_id":
            raise NotPossible("key", "delete")
        if path not in held.values and any(not _is_name(step) for step in (column, *steps)):
            raise NotPossible("path", "redact_or_delete")
        return a_field(path, cell_of(held.values, path))

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        """Raises: NotPossible: a validator, a unique index, or a name that the server takes for something else."""
        change: dict[str, dict[str, Any]] = {}
        for path, value in edit.sets.items():
            change.setdefault("$set", {})[_dotted(held, path)] = native(value)
        for path, steps in edit.drops:
            change.setdefault("$set", {})[_dotted(held, path)] = _without(held.state[path], steps)
        touched = {_dotted(held, path): _inside(held.state, held, path) for path in edit.sets}
        touched |= {path: held.state[path] for path, _ in edit.drops}
        try:
            with self._session.asking(call) as database:
                try:
                    done = database[held.ref.collection].update_one(_as_read(held.state, touched), change)
                except OperationFailure as error:
                    refusal = refusal_of(error)
                    if isinstance(refusal, Terminal):
                        raise NotPossible(refusal.code, "task") from None
                    raise refusal from None
        finally:
            self._indexed.pop(held.ref.collection, None)
        return done.matched_count == 1

    def delete(self, call: Call, held: Held) -> bool:
        with self._session.asking(call) as database:
            done = database[held.ref.collection].delete_one(_as_read(held.state, _parts(held.state)))
        return done.deleted_count == 1


def _as_read(document: Document, touched: Mapping[str, Any]) -> Document:
    """A filter that meets the document only while its plain cells, and those that are written, are as they were read.

    A cell that is written is compared whole, also if it is a list or a document: the write puts back what was read of
    it, and would undo what somebody else wrote into it meanwhile. One that was not there must still be missing.
    `touched`: by name or dotted path.
    """
    plain = {name: held for name, held in document.items() if isinstance(held, _COMPARED) and _is_name(name)}
    chosen = dict(list(plain.items())[:MOST_COMPARED])
    chosen |= touched
    as_read = {name: {"$exists": False} if held is _ABSENT else {"$eq": held} for name, held in chosen.items()}
    return {**as_read, "_id": document["_id"]}


def _inside(document: Document, held: Held, path: str) -> Any:
    """The driver's own value at a path; `_ABSENT` where there is none."""
    found: Any = document
    for step in (path,) if path in held.values else (split_path(path)[0], *split_path(path)[1]):
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return found


def _parts(document: Document) -> dict[str, Any]:
    """The first of the lists and documents in it."""
    found = [name for name, held in document.items() if isinstance(held, list | Mapping) and _is_name(name)]
    return {name: document[name] for name in found[:MOST_COMPARED]}


def _is_name(step: str | int) -> bool:
    """Whether the server takes the step for a plain name and not for a path or an operator."""
    return isinstance(step, int) or (bool(step) and "." not in step and not step.startswith("$") and "\0" not in step)


def _dotted(held: Held, path: str) -> str:
    if path in held.values:
        if not _is_name(path):
            raise NotPossible("path", "delete")
        return path
    column, steps = split_path(path)
    return ".".join(str(step) for step in (column, *steps))


def _without(value: Any, steps: tuple[str | int, ...]) -> Any:
    """The driver's own value without what the steps lead to; all else as it was."""
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping):
        kept = {name: part for name, part in value.items() if name != step or rest}
        if rest and step in kept:
            kept[str(step)] = _without(value[step], rest)
        return kept
    if isinstance(value, list):
        if step == "*":
            return [_without(part, rest) for part in value] if rest else []
        if isinstance(step, int) and step < len(value):
            part = [_without(value[step], rest)] if rest else []
            return [*value[:step], *part, *value[step + 1 :]]
    return value
