"""Earlier states of objects as a collection: one row a state, its words as text, and only to be deleted."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Final

from connectors.formats.bucket import Bucket, State
from connectors.formats.document import extract, media_type
from connectors.formats.mail import letter_values
from connectors.formats.papers import FILE
from connectors.formats.shelf import VERSIONS, Entry, Gap, Terms, Unreadable, version_path
from connectors.formats.source import Item
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Collection,
    CollectionKind,
    Count,
    Field,
    FieldType,
    RowRef,
    Value,
)

_FIELDS: Final = (
    Field("path", FieldType.TEXT, "key of the object", nullable=False),
    Field("version", FieldType.TEXT, "version of the object", nullable=False),
    Field("name", FieldType.TEXT, "last part of the key", nullable=False),
    Field("media_type", FieldType.TEXT, "by the name's ending", nullable=False),
    Field("size", FieldType.INTEGER, "bytes", nullable=False),
    Field("modified", FieldType.INSTANT, "of this state", nullable=False),
    Field("text", FieldType.TEXT, "words of the object"),
    Field("problem", FieldType.TEXT, "why it could not be read, or not all of it"),
    Field(FILE, FieldType.BINARY, "the object itself"),
)
KEPT_CHARS: Final = 8_000_000


class OlderSource:
    """One row an earlier state."""

    name = VERSIONS
    costly: frozenset[str] = frozenset({"text", "problem"})

    def __init__(self, bucket: Bucket, terms: Terms) -> None:
        self._bucket, self._terms = bucket, terms
        self._words: dict[str, tuple[str, Gap | None]] = {}

    def collection(self, call: Call) -> Collection:
        call.check()
        states = self._bucket.older()
        return Collection(
            VERSIONS,
            CollectionKind.FOLDER,
            _FIELDS,
            ("path", "version"),
            rows=Count(len(states)),
            bytes=sum(state.size for _, state in states),
        )

    def items(self, call: Call, after: str) -> Iterator[Item]:
        last = version_path(*json.loads(after)) if after else ""
        for entry, state in self._bucket.older():
            if entry.path > last:
                call.check()
                yield self._item(call, entry, state)

    def has_gaps(self, call: Call) -> bool:
        return any(self._content(call, entry)[1] for entry, _ in self._bucket.older())

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        for key in keys:
            call.check()
            path = version_path(str(key.get("path")), str(key.get("version")))
            state = self._bucket.objects.state(str(key.get("path")), str(key.get("version")))
            if state is not None and not state.is_marker:
                yield key, self._item(call, Entry(path, state.stamp), state)

    def _item(self, call: Call, entry: Entry, state: State) -> Item:
        key: dict[str, Value] = {"path": state.key, "version": state.version}
        handle = BlobRef(
            RowRef(self._terms.name, VERSIONS, key), FILE, entry.name, media_type(entry.suffix), state.size
        )

        def values(costly: bool) -> Mapping[str, Value]:
            about: dict[str, Value] = {
                **key,
                "name": entry.name,
                "media_type": media_type(entry.suffix),
                "size": state.size,
                "modified": state.modified.astimezone(UTC).replace(microsecond=0),
                FILE: handle,
            }
            if costly:
                text, gap = self._content(call, entry)
                about |= {"text": text} if text else {}
                about |= {"problem": gap.value} if gap else {}
            return about

        return Item(lambda: json.dumps([state.key, state.version]), lambda: key, values)

    def _content(self, call: Call, entry: Entry) -> tuple[str, Gap | None]:
        """A version never changes, so what was read once holds."""
        known = self._words.get(entry.path)
        if known is None:
            known = self._read(call, entry)
            while self._words and sum(len(text) for text, _ in self._words.values()) > KEPT_CHARS:
                del self._words[next(iter(self._words))]
            self._words[entry.path] = known
        return known

    def _read(self, call: Call, entry: Entry) -> tuple[str, Gap | None]:
        limit, encoding = self._terms.max_file_bytes, self._terms.encoding
        try:
            with self._bucket.open(entry.path) as file:
                if entry.suffix == ".eml" and entry.stamp.size <= limit:
                    values, gap = letter_values(file.read(), limit=limit, encoding=encoding, tick=call.check)
                    return "\n".join(_plain(value) for value in values.values()), gap
                found = extract(file, entry.suffix, entry.stamp.size, limit=limit, encoding=encoding, tick=call.check)
        except Unreadable as error:
            return "", None if error.gap is Gap.VANISHED else error.gap
        return "\n".join(part for part in (found.title, found.author, found.text) if part), found.gap


def _plain(value: Value) -> str:
    return "\n".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
