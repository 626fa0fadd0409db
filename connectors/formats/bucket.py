"""A bucket as a shelf: objects by key, exchanged only if they are in the state that was read, and with them whatever
the service still keeps of earlier states.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, Protocol, cast

from connectors.formats.ranged import ObjectFile
from connectors.formats.shelf import Changed, Entry, Gap, Stamp, Unreadable, split_version, version_path
from privacyops.connector_sdk import Call, Terminal

MAX_OBJECTS: Final = 200_000
IN_MEMORY: Final = 16_000_000
"""Bytes of a new content that wait in memory; a longer one waits in a temporary file without a name."""


@dataclass(frozen=True)
class State:
    """One state of one object. `tag` differs for different contents; `version` names the state among all of its key.

    A marker says that the object was deleted while its earlier states stay. What is packed is stored in an encoding of
    its own, such as gzip, and is not read.
    """

    key: str
    size: int
    modified: datetime
    tag: str
    version: str = ""
    is_latest: bool = True
    is_marker: bool = False
    is_archived: bool = False
    is_packed: bool = False

    @property
    def stamp(self) -> Stamp:
        number = int.from_bytes(blake2b(self.tag.encode(), digest_size=7).digest(), "big")
        return Stamp(self.size, int(self.modified.timestamp()) * 1_000_000_000, number)


class Objects(Protocol):
    """What a service of buckets has to offer. Every method may raise Retriable and Misconfigured."""

    def serve(self, call: Call) -> None:
        """The call on whose behalf everything is asked from now on; each request is checked and counted by it."""
        ...

    def check(self) -> None:
        """Raises: Misconfigured: no such bucket, or no right to list it."""
        ...

    def present(self) -> Iterator[State]:
        """Every object below the configured prefix, in its present state."""
        ...

    def state(self, key: str, version: str = "") -> State | None:
        """One state of a key, the present one unless a version is named. Raises: Unreadable: `denied`."""
        ...

    def read(self, state: State, start: int, length: int) -> bytes:
        """Bytes of this very state. Raises: Unreadable; Retriable: `file_changed`."""
        ...

    def lingers(self, key: str) -> bool:
        """Whether the service keeps a deleted content of the key for a time, out of reach and not to be removed."""
        ...

    def put(self, state: State, content: BinaryIO) -> None:
        """New content in the place of this state, all else that is known of the object as it was.

        Raises: Changed, NotWritten: nothing was written.
        """
        ...

    def delete(self, state: State) -> None:
        """Raises: Changed, NotWritten."""
        ...

    def keeps_versions(self) -> bool:
        """Whether the bucket keeps earlier states, or once did."""
        ...

    def states(self, key: str | None = None) -> Iterator[State]:
        """Every state of a key, or of every key below the prefix, markers too. Raises: Unreadable: `denied`."""
        ...

    def delete_state(self, state: State) -> None:
        """This state for good. Gone already is fine. Raises: NotWritten: a lock or a hold keeps it."""
        ...

    def close(self) -> None:
        """Frees every connection; the next request makes new ones. May be called twice."""
        ...


class Bucket:
    """Objects of one bucket below one prefix, by their keys."""

    attempts = 5

    def __init__(self, objects: Objects, ignore: tuple[str, ...]) -> None:
        self.objects = objects
        self._ignore = ignore
        self._call: Call | None = None
        self._listed: list[Entry] | None = None

    def serve(self, call: Call) -> None:
        """Within one call the bucket is listed once."""
        if call is not self._call:
            self._call, self._listed = call, None
        self.objects.serve(call)

    def check(self) -> None:
        self.objects.check()

    def entries(self) -> list[Entry]:
        if self._listed is None:
            found: list[Entry] = []
            for state in self.objects.present():
                if self.is_ours(state.key):
                    found.append(Entry(state.key, state.stamp, Gap.ARCHIVED if state.is_archived else None))
                if len(found) > MAX_OBJECTS:
                    raise Terminal("too_many_files")
            self._listed = sorted(found)
        return self._listed

    def is_ours(self, key: str) -> bool:
        """Whether the key is one that is read: no folder's placeholder, and not ignored."""
        name = key.rpartition("/")[2]
        return bool(name) and not any(fnmatchcase(name, each) or fnmatchcase(key, each) for each in self._ignore)

    def entry(self, path: str) -> Entry | None:
        try:
            state = self._state(path)
        except Unreadable as error:
            return Entry(path, gap=error.gap)
        if state is None:
            return None
        return Entry(path, state.stamp, Gap.ARCHIVED if state.is_archived else None)

    def _state(self, path: str) -> State | None:
        state = self.objects.state(*split_version(path))
        return None if state is None or state.is_marker else state

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        state = self._state(path)
        if state is None:
            raise Unreadable(Gap.VANISHED)
        if state.is_archived:
            raise Unreadable(Gap.ARCHIVED)
        if state.is_packed:
            raise Unreadable(Gap.UNKNOWN_FORMAT)
        with ObjectFile(state.stamp, lambda start, length: self.objects.read(state, start, length)) as file:
            yield file

    def stamp_of(self, file: BinaryIO) -> Stamp:
        """An open object is one state of it, whatever happens meanwhile."""
        return cast("ObjectFile", file).stamp

    # --- writing ----------------------------------------------------------------------------------------------

    def may_write(self) -> bool:
        """What the credential may do shows when it is used: nothing is tried out."""
        return True

    def exclusive(self, call: Call, path: str) -> AbstractContextManager[None]:
        """No lock is needed: the service itself exchanges an object only if it is the one that was read."""
        del call, path
        return nullcontext()

    def replace(self, call: Call, path: str, seen: Stamp, write: Callable[[BinaryIO], None]) -> None:
        state = self._seen(path, seen)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            write(cast("BinaryIO", file))
            file.seek(0)
            call.check()
            self.objects.put(state, cast("BinaryIO", file))
        self._listed = None

    def remove(self, call: Call, path: str, seen: Stamp) -> None:
        state = self._seen(path, seen)
        call.check()
        key, version = split_version(path)
        self._listed = None
        if not version:
            self.objects.delete(state)
            return
        self.objects.delete_state(state)
        left = list(self.objects.states(key))
        if all(each.is_marker for each in left):  # a marker with nothing behind it is a name and no more
            self._delete_all(call, left)

    def _seen(self, path: str, seen: Stamp) -> State:
        state = self._state(path)
        if state is None or state.stamp != seen:
            raise Changed
        return state

    def settle(self, call: Call, path: str) -> bool:
        """Every earlier state of the key goes. A marker goes last: without it the newest of them would be back."""
        if split_version(path)[1] or not self.objects.keeps_versions():
            return False
        states = list(self.objects.states(path))
        earlier = [each for each in states if not each.is_latest]
        earlier += [each for each in states if each.is_latest and each.is_marker]
        self._delete_all(call, earlier)
        return bool(earlier)

    def _delete_all(self, call: Call, states: list[State]) -> None:
        for each in states:
            call.check()
            self.objects.delete_state(each)

    def keeps_older(self, path: str) -> bool:
        if split_version(path)[1]:
            return self.objects.lingers(split_version(path)[0])
        if self.objects.lingers(path):
            return True
        if not self.objects.keeps_versions():
            return False
        return any(not each.is_latest or each.is_marker for each in self.objects.states(path))

    def older(self) -> list[tuple[Entry, State]]:
        """Earlier states with a content, of every key, by key and version."""
        found = [each for each in self.objects.states() if self._is_older(each)]
        if len(found) > MAX_OBJECTS:
            raise Terminal("too_many_files")
        named = [(Entry(version_path(each.key, each.version), each.stamp), each) for each in found]
        return sorted(named, key=lambda pair: pair[0].path)

    def _is_older(self, state: State) -> bool:
        return not state.is_latest and not state.is_marker and self.is_ours(state.key)
