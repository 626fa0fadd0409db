"""Single documents: read, changed and deleted, each write tied to the state that was read."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from connectors.mongodb.as_read import as_read, is_name, is_same
from connectors.mongodb.session import Document, Session, refusal_of
from connectors.mongodb.settings import Settings
from connectors.mongodb.values import SMALLEST, native, natives_of, row_of
from privacyops.connector_sdk import Call, Field, RowRef, Terminal
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.predicate import split_path
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field, cell_of

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
        if path not in held.values and any(not is_name(step) for step in (column, *steps)):
            raise NotPossible("path", "redact_or_delete")
        return a_field(path, cell_of(held.values, path))

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        """Raises: NotPossible: a validator, a unique index, a name that the server takes for something else, or a
        server that cannot compare the document.
        """
        change: dict[str, dict[str, Any]] = {}
        for path, value in edit.sets.items():
            change.setdefault("$set", {})[_dotted(held, path)] = native(value)
        for path, steps in edit.drops:
            change.setdefault("$set", {})[_dotted(held, path)] = _without(held.state[path], steps)
        try:
            return self._only_as_read(call, held, lambda found, meant: found.update_one(meant, change).matched_count)
        finally:
            self._indexed.pop(held.ref.collection, None)

    def delete(self, call: Call, held: Held) -> bool:
        """Raises: NotPossible: the server refuses, or cannot compare the document."""
        return self._only_as_read(call, held, lambda found, meant: found.delete_one(meant).deleted_count)

    def _only_as_read(self, call: Call, held: Held, act: Callable[[Collection[Document], Document], int]) -> bool:
        """One request that finds and changes the document while it is as it was read; False: it is not.

        A server that does not know the comparison would say the same for ever, or refuse it; so the document is read
        once more: only one that did change is a conflict. Raises: NotPossible.
        """
        code = "not_comparable"
        with self._session.asking(call) as database:
            try:
                if act(database[held.ref.collection], as_read(held.state)) == 1:
                    return True
            except OperationFailure as error:
                refusal = refusal_of(error)
                if not isinstance(refusal, Terminal):
                    raise refusal from None
                code = refusal.code
        now = self.document(call, held.ref)
        if now is not None and is_same(now, held.state):
            raise NotPossible(code, "task")
        return False


def _dotted(held: Held, path: str) -> str:
    if path in held.values:
        if not is_name(path):
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
