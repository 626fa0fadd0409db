"""What stands under a key, as a row: read by its type, and changed only while it is as it was read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.exceptions import ResponseError, WatchError

from connectors.redis.patterns import key_of_text, text_of_key
from connectors.redis.session import Session, refusal_of
from connectors.redis.settings import Settings
from privacyops.connector_sdk import Call, Field, FieldType, RowRef, StoreRefusal, Terminal, Value
from privacyops.connector_sdk.effects import NotPossible
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field, cell_of

KEY: Final = "_key"
TYPE: Final = "_type"
ITEMS: Final = "items"
VALUE: Final = "value"
MOST_PARTS: Final = 100_000
"""Members of one key; a longer one is not read, and its collection does not pass for searched."""
MOST_BYTES: Final = 16_000_000
OWN: Final = frozenset({KEY, TYPE})
_SIZES: Final = {
    b"hash": "HLEN",
    b"string": "STRLEN",
    b"list": "LLEN",
    b"set": "SCARD",
    b"zset": "ZCARD",
    b"stream": "XLEN",
}
_READS: Final[Mapping[bytes, Sequence[Any]]] = {
    b"hash": ("HGETALL",),
    b"string": ("GET",),
    b"list": ("LRANGE", 0, -1),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}


@dataclass(frozen=True, repr=False)
class Thing:
    """One key as it was read. `values` is None where it could not be: too large, or of a type that is not known."""

    key: bytes
    kind: bytes
    values: Mapping[str, Value] | None
    raw: Any = None


def read_things(client: redis.Redis, keys: Sequence[bytes]) -> Iterator[Thing]:
    """What stands under these keys, in their order, in three rounds of commands. Keys that went are left out."""
    kinds = _round(client, [("TYPE", key) for key in keys])
    there = [(key, kind) for key, kind in zip(keys, kinds, strict=True) if kind != b"none"]
    known = [(key, kind) for key, kind in there if kind in _SIZES]
    sizes = dict(zip(known, _round(client, [(_SIZES[kind], key) for key, kind in known]), strict=True))
    small = [each for each in known if sizes[each] <= (MOST_BYTES if each[1] == b"string" else MOST_PARTS)]
    commands = [(_READS[kind][0], key, *_READS[kind][1:]) for key, kind in small]
    held = dict(zip(small, _round(client, commands), strict=True))
    for each in there:
        key, kind = each
        raw = held.get(each)
        if each in held and not raw and raw != b"":
            continue  # it went since it was listed
        values = None if each not in held else row_of(key, kind, raw)
        yield Thing(key, kind, values, raw)


def _round(client: redis.Redis, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
    given = list(commands)
    if not given:
        return []
    pipe = client.pipeline(transaction=False)
    for command in given:
        pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # the driver leaves it untyped
    found: list[Any] = pipe.execute(raise_on_error=False)
    for each in found:
        if isinstance(each, Exception) and not str(each).startswith("WRONGTYPE"):  # that one changed its type meanwhile
            raise each
    return [[] if isinstance(each, Exception) else each for each in found]


def row_of(key: bytes, kind: bytes, raw: Any) -> dict[str, Value]:
    """The columns of a row: a hash has its own, all others have few."""
    row: dict[str, Value] = {KEY: text_of_key(key), TYPE: kind.decode()}
    if kind == b"hash":
        pairs = raw.items() if isinstance(raw, Mapping) else zip(raw[::2], raw[1::2], strict=True)
        return row | {_name(name): _cell(value) for name, value in pairs}
    if kind == b"string":
        return row | {VALUE: _cell(raw)}
    if kind == b"zset":
        ranked = raw if isinstance(raw[0], tuple | list) else list(zip(raw[::2], raw[1::2], strict=True))
        return row | {ITEMS: tuple(_cell(member) for member, _ in ranked)}
    if kind == b"stream":
        return row | {"entries": tuple(_entry(each) for each in raw)}
    members = sorted(raw) if kind == b"set" else raw
    return row | {ITEMS: tuple(_cell(member) for member in members)}


def _entry(each: Any) -> Value:
    number, fields = each
    pairs = fields.items() if isinstance(fields, Mapping) else zip(fields[::2], fields[1::2], strict=True)
    return {"_id": number.decode(), **{_name(name): _cell(value) for name, value in pairs}}


def _name(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return f"{text}_" if text in OWN else text


def _cell(value: bytes) -> Value:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


class Records:
    """Single keys for the frame of single writes."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session, self._settings = session, settings

    def held(self, call: Call, ref: RowRef) -> Held | None:
        text = ref.key.get(KEY)
        key = key_of_text(text) if isinstance(text, str) else None
        if key is None:
            raise Terminal("unknown_reference")
        with self._session.asking(call) as client:
            thing = next(read_things(client, [key]), None)
        if thing is None:
            return None
        if thing.values is None:
            raise Terminal("key_not_read")
        return Held(ref, thing.values, thing)

    def field(self, call: Call, held: Held, path: str) -> Field:
        """Cells of hashes, texts of strings, and single members of lists and sets can be changed."""
        del call
        kind = held.state.kind
        if path in OWN:
            raise NotPossible("key", "delete")
        if kind == b"stream":
            raise NotPossible("append_only", "delete")
        if kind == b"hash" and (path in held.values or "$" not in path):
            return a_field(path, cell_of(held.values, path))
        if kind == b"string" and path == VALUE:
            return Field(VALUE, FieldType.TEXT, nullable=False)
        if kind in {b"list", b"set", b"zset"} and path == ITEMS:
            return Field(ITEMS, FieldType.ARRAY, nullable=False)
        raise NotPossible("path", "redact_or_delete")

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        commands = list(_commands(held, edit))
        return self._guarded(call, held, lambda pipe: [pipe.execute_command(*each) for each in commands])

    def delete(self, call: Call, held: Held) -> bool:
        return self._guarded(call, held, lambda pipe: [pipe.execute_command("DEL", held.state.key)])

    def _guarded(self, call: Call, held: Held, write: Callable[[Any], object]) -> bool:
        """One transaction that the server gives up if the key was touched since it was looked at again."""
        with self._session.asking(call) as client, client.pipeline(transaction=True) as pipe:
            try:
                pipe.watch(held.state.key)  # type: ignore[no-untyped-call]  # the driver leaves it untyped
                now = next(read_things(client, [held.state.key]), None)
                if now is None or (now.kind, now.raw) != (held.state.kind, held.state.raw):
                    return False
                call.check()
                pipe.multi()
                write(pipe)
                pipe.execute()
            except WatchError:
                return False
            except ResponseError as error:
                raise _refused(error) from None
        return True


def _refused(error: ResponseError) -> StoreRefusal | NotPossible:
    refusal = refusal_of(error)
    return NotPossible(refusal.code, "task") if isinstance(refusal, Terminal) else refusal


def _commands(held: Held, edit: Edit) -> Iterator[tuple[Any, ...]]:
    key, kind = held.state.key, held.state.kind
    for path, value in edit.sets.items():
        if kind == b"hash":
            yield ("HDEL", key, path) if value is None else ("HSET", key, path, _bytes(value))
        elif kind == b"string":
            yield "SET", key, _bytes(value), "KEEPTTL"
        else:
            raise NotPossible("type", "remove_element")
    for path, steps in edit.drops:
        at = steps[0]
        items = held.values.get(path)
        if kind not in {b"list", b"set", b"zset"} or len(steps) > 1 or not isinstance(at, int):
            raise NotPossible("path", "delete")
        assert isinstance(items, tuple)  # noqa: S101 - what lists and sets have, for the type checker
        if kind == b"list":
            mark = b"\0privacyops-removed\0"
            yield "LSET", key, at, mark
            yield "LREM", key, 1, mark
        else:
            yield "SREM" if kind == b"set" else "ZREM", key, _bytes(items[at])


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"1" if value else b"0"
    return ("" if value is None else str(value)).encode()
