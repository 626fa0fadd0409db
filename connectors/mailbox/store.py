"""The reading half: folders as collections, messages as rows, read without marking them as seen."""

import secrets as random_source
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from io import BytesIO
from typing import BinaryIO, Final

from imap_tools import BaseMailBox

from connectors.mailbox.message import (
    BODY,
    FIELDS,
    FILES,
    HEADERS,
    KEY,
    attachments,
    body_text,
    file_name,
    file_words,
    header_values,
    parsed,
    payload,
)
from connectors.mailbox.session import Fetched, Session, fetch, folders, select, uids_after
from connectors.mailbox.settings import Settings
from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    Call,
    Capabilities,
    Certainty,
    Collection,
    CollectionKind,
    ConditionalWrite,
    Count,
    Cursor,
    Field,
    FieldType,
    Health,
    HealthState,
    Hit,
    Mark,
    Page,
    Predicate,
    PredicateOp,
    Rate,
    Right,
    Row,
    RowRef,
    Sampling,
    Secrets,
    Terminal,
    TextSearch,
    TransactionScope,
    Value,
    WriteAct,
    matched,
    matches,
)
from privacyops.connector_sdk.delivering import catalogued
from privacyops.connector_sdk.predicate import leaves, split_path
from privacyops.connector_sdk.records import MAX_VALUE_BYTES

HEADERS_AT_ONCE: Final = 500
MESSAGES_AT_ONCE: Final = 200
BATCH_BYTES: Final = 8_000_000
"""Whole messages are asked for in batches of at most so many bytes, one at least."""
MARK_SECONDS: Final = 0.5


class Depth(IntEnum):
    """How much of a message is read: its header, its body, the files in it."""

    HEAD = 0
    BODY = 1
    FILES = 2


@dataclass(frozen=True, repr=False)
class Letter:
    """One message as a row; what lies deeper than it was read is missing."""

    uid: int
    size: int
    values: Mapping[str, Value]
    depth: Depth


class FoldersStore:
    """Reads one account. Every predicate is answered here: what IMAP servers call a search differs from one to the
    next, and a message that it overlooks would be a person's data not found.
    """

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.secrets = secrets
        self.session = Session(settings, secrets)
        self.fields = (*FIELDS, *(Field(name, FieldType.TEXT, "header") for name in settings.headers))

    def capabilities(self, call: Call) -> Capabilities:
        with self.session.box(call) as box:
            can_write = self.may_write(box)
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            transactions=TransactionScope.NONE,
            writes=frozenset({WriteAct.DELETE}) if can_write else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=500,
            rate=Rate(per_second=20.0, burst=20, concurrency=1),
            sampling=frozenset({Sampling.FIRST, Sampling.RANDOM}),
        )

    def health(self, call: Call) -> Health:
        """DEGRADED with `no_uidplus`: written to, this server would remove other people's deletions too."""
        began = time.monotonic()
        with self.session.box(call) as box:
            self.session.give_time(call)
            box.client.noop()
            can_write = self.may_write(box)
        is_lame = self.settings.write and not can_write
        return Health(
            HealthState.DEGRADED if is_lame else HealthState.OK,
            product="IMAP",
            version=str(box.client.PROTOCOL_VERSION),
            latency=timedelta(seconds=time.monotonic() - began),
            rights=frozenset({Right.READ, Right.WRITE} if can_write else {Right.READ}),
            code="no_uidplus" if is_lame else "",
        )

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        """Folders by name, each followed by its mark."""
        with self.session.box(call) as box:
            self.session.give_time(call)
            names = folders(box, self.settings)

            def described(name: str) -> Collection:
                self.session.give_time(call)
                held = box.folder.status(name, ("MESSAGES",)).get("MESSAGES", 0)
                return Collection(name, CollectionKind.MAILBOX, self.fields, KEY, rows=Count(held))

            yield from catalogued(names, after, described)

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is Sampling.SPREAD:
            raise Terminal("unsupported")
        wanted = self._known(fields)
        with self.session.box(call) as box:
            validity = self._select(call, box, collection)
            uids = self._uids(call, box, 0)
            if how is Sampling.RANDOM and n < len(uids):
                uids = sorted(random_source.SystemRandom().sample(uids, n))
            for letter in self._letters(call, box, uids[:n], depth=_depth(wanted)):
                yield self._row(call, collection, validity, letter, wanted)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        asks = self._asked(where)
        with self.session.box(call) as box:
            self._select(call, box, collection)
            uids = self._uids(call, box, 0)
            if where == EVERY_ROW:
                return Count(len(uids), Certainty.EXACT)
            found = self._letters(call, box, uids, depth=_depth(asks))
            return Count(sum(matches(where, letter.values) for letter in found), Certainty.EXACT)

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """Raises: Terminal: `messages_too_large` where text was asked of messages beyond `max_message_bytes`; all
        hits in the others were yielded before. `folder_renumbered`: the cursor is of an older numbering.
        """
        wanted, asks = self._known(fields), self._asked(where)
        depth = _depth(asks)
        with self.session.box(call) as box:
            validity = self._select(call, box, collection)
            last = _position(page.after, validity)
            uids = self._uids(call, box, last)
            hits = scanned = too_large = unread = 0
            marked = time.monotonic()
            for letters in self._batches(call, box, uids, depth=depth):
                full = self._completed(call, box, [each for each in letters if matches(where, each.values)], wanted)
                for letter in letters:
                    last, scanned = letter.uid, scanned + 1
                    too_large += depth > Depth.HEAD and letter.size > self.settings.max_message_bytes
                    unread += depth is Depth.FILES and letter.values.get("problem") is not None
                    if letter.uid in full:
                        row = self._row(call, collection, validity, full[letter.uid], wanted)
                        yield Hit(row.ref, row.values, matched(where, letter.values))
                        hits += 1
                        if hits >= page.size:
                            break
                    if scanned % 1000 == 0 or time.monotonic() - marked > MARK_SECONDS:
                        yield Mark(_cursor(validity, last), scanned, Count(len(uids)))
                        marked = time.monotonic()
                if hits >= page.size:
                    break
            yield Mark(_cursor(validity, last), scanned, Count(len(uids)))
            if too_large:
                raise Terminal("messages_too_large")
            if unread:
                raise Terminal("unreadable_attachments")

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        wanted = self._known(fields)
        by_folder: dict[str, list[int]] = {}
        for ref in refs:
            by_folder.setdefault(ref.collection, []).append(uid_of(ref))
        numbering = {ref.collection: ref.key.get("uidvalidity") for ref in refs}
        with self.session.box(call) as box:
            for name, uids in by_folder.items():
                validity = self._select(call, box, name)
                if validity != numbering[name]:
                    continue  # numbered anew: what these numbers meant is not there any more
                for letter in self._letters(call, box, sorted(uids), depth=_depth(wanted)):
                    yield self._row(call, name, validity, letter, wanted)

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        """A message, one of its attachments, or a long text in UTF-8. Raises: Terminal: `gone`."""
        with self.session.box(call) as box:
            validity = self._select(call, box, blob.ref.collection)
            self.session.give_time(call)
            is_same = validity == blob.ref.key.get("uidvalidity")
            found = fetch(box, [uid_of(blob.ref)], "") if is_same else []
        if not found:
            raise Terminal("gone")
        yield BytesIO(_bytes_of(found[0], blob))

    def close(self) -> None:
        self.session.close()

    def may_write(self, box: BaseMailBox) -> bool:
        """Whether this role writes and the server can remove single messages (RFC 4315)."""
        return self.settings.write and "UIDPLUS" in box.client.capabilities

    # --- inside ---------------------------------------------------------------------------------------------

    def _select(self, call: Call, box: BaseMailBox, folder: str) -> int:
        self.session.give_time(call)
        return select(box, folder)

    def _uids(self, call: Call, box: BaseMailBox, after: int) -> list[int]:
        self.session.give_time(call)
        return uids_after(box, after)

    def _known(self, fields: Sequence[str]) -> tuple[str, ...]:
        paths = tuple(field.path for field in self.fields)
        if any(path not in paths for path in fields):
            raise Terminal("unknown_field")
        return tuple(fields) or paths

    def _asked(self, where: Predicate) -> set[str]:
        paths = {field.path for field in self.fields}
        asked = {leaf.field if leaf.field in paths else split_path(leaf.field)[0] for leaf in leaves(where)}
        if asked - paths:
            raise Terminal("unknown_field")
        return asked

    def _letters(self, call: Call, box: BaseMailBox, uids: Sequence[int], *, depth: Depth) -> Iterator[Letter]:
        """These messages, as far as they still exist."""
        for letters in self._batches(call, box, uids, depth=depth):
            yield from letters

    def _batches(
        self, call: Call, box: BaseMailBox, uids: Sequence[int], *, depth: Depth
    ) -> Iterator[Sequence[Letter]]:
        """As many messages at a time as are bearable in memory; as deep as asked."""
        names = " ".join([*HEADERS, *self.settings.headers.values()])
        for at in range(0, len(uids), HEADERS_AT_ONCE):
            self.session.give_time(call)
            found = fetch(box, uids[at : at + HEADERS_AT_ONCE], f"HEADER.FIELDS ({names})")
            heads = [self._letter(head, Depth.HEAD, call) for head in found]
            if depth > Depth.HEAD:
                yield from (self._with_bodies(call, box, group, depth) for group in self._groups(heads))
            else:
                yield heads

    def _with_bodies(self, call: Call, box: BaseMailBox, letters: Sequence[Letter], depth: Depth) -> list[Letter]:
        """The same messages, whole, as far as they are not too large."""
        small = [each.uid for each in letters if each.size <= self.settings.max_message_bytes]
        self.session.give_time(call)
        bodies = {each.uid: self._letter(each, depth, call) for each in fetch(box, small, "")}
        call.spend(bytes=sum(each.size for each in bodies.values()))
        return [bodies.get(each.uid, each) for each in letters]

    def _completed(
        self, call: Call, box: BaseMailBox, letters: Sequence[Letter], wanted: Sequence[str]
    ) -> dict[int, Letter]:
        """By number, with the costly fields if they are wanted."""
        depth = _depth(wanted)
        if all(each.depth >= depth for each in letters):
            return {each.uid: each for each in letters}
        groups = self._groups(letters)
        return {each.uid: each for group in groups for each in self._with_bodies(call, box, group, depth)}

    def _groups(self, letters: Sequence[Letter]) -> Iterator[list[Letter]]:
        """Batches of whole messages that are bearable at once."""
        group: list[Letter] = []
        total = 0
        for letter in letters:
            size = 0 if letter.size > self.settings.max_message_bytes else letter.size
            if group and (len(group) >= MESSAGES_AT_ONCE or total + size > BATCH_BYTES):
                yield group
                group, total = [], 0
            group.append(letter)
            total += size
        if group:
            yield group

    def _letter(self, fetched: Fetched, depth: Depth, call: Call) -> Letter:
        message = parsed(fetched.data)
        values: dict[str, Value] = {"uid": fetched.uid, "size": fetched.size}
        values |= header_values(message, self.settings.headers)
        if depth > Depth.HEAD:
            files = attachments(message)
            values["text"] = body_text(message)
            values["attachment_names"] = tuple(file_name(part) for part in files)
            values["attachments"] = tuple(
                # the reference is completed when the row is made; a predicate never looks into a handle
                BlobRef(RowRef("", "", {}), f"attachments[{at}]", file_name(part), part.get_content_type(), size)
                for at, (part, size) in enumerate((part, len(payload(part))) for part in files)
            )
        if depth is Depth.FILES:
            words, problem = file_words(message, self.settings.max_message_bytes, call.check)
            values |= {"attachment_text": words} | ({"problem": problem} if problem else {})
        return Letter(fetched.uid, fetched.size, values, depth)

    def _row(self, call: Call, folder: str, validity: int, letter: Letter, wanted: Sequence[str]) -> Row:
        ref = RowRef(self.settings.name, folder, {"uidvalidity": validity, "uid": letter.uid})
        held = {**letter.values, "uidvalidity": validity}
        held["message"] = BlobRef(ref, "message", f"{letter.uid}.eml", "message/rfc822", letter.size)
        text = held.get("text")
        if isinstance(text, str) and len(text.encode("utf-8", "replace")) > MAX_VALUE_BYTES:
            size = len(text.encode("utf-8", "replace"))
            held["text"] = BlobRef(ref, "text", "text", "text/plain; charset=utf-8", size)
        files = held.get("attachments", ())
        if isinstance(files, tuple):
            held["attachments"] = tuple(
                BlobRef(ref, each.field, each.name, each.media_type, each.bytes)
                for each in files
                if isinstance(each, BlobRef)
            )
        values = {path: held[path] for path in wanted if path in held}
        call.spend(rows=1)
        return Row(ref, values)


def _depth(fields: Iterable[str]) -> Depth:
    named = set(fields)
    return Depth.FILES if named & FILES else Depth.BODY if named & BODY else Depth.HEAD


def uid_of(ref: RowRef) -> int:
    """The message's number. Raises: Terminal: this reference is not ours."""
    uid = ref.key.get("uid")
    if not isinstance(uid, int) or not isinstance(ref.key.get("uidvalidity"), int):
        raise Terminal("unknown_reference")
    return uid


def _cursor(validity: int, uid: int) -> Cursor:
    return Cursor(f"{validity}:{uid}")


def _position(after: Cursor | None, validity: int) -> int:
    if after is None:
        return 0
    numbering, _, uid = str(after).partition(":")
    if numbering != str(validity) or not uid.isdecimal():
        raise Terminal("folder_renumbered")
    return int(uid)


def _bytes_of(fetched: Fetched, blob: BlobRef) -> bytes:
    if blob.field == "message":
        return fetched.data
    message = parsed(fetched.data)
    if blob.field == "text":
        return body_text(message).encode("utf-8", "replace")
    files = attachments(message)
    at = blob.field.removeprefix("attachments[").removesuffix("]")
    if not at.isdecimal() or int(at) >= len(files):
        raise Terminal("gone")
    return payload(files[int(at)])
