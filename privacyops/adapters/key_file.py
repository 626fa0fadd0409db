"""The file of master keys: who may read it, what stands in it, how a version is added.

One line a key: `kek 1 <base64url of 32 bytes>` or `root 1 <...>`. `kek` keys wrap and are rotated yearly; `root`
keys feed blind indexes, peppers and token keys, whose stored values would all change with them. The highest
version of each kind is the one in use. The same text may come from an environment variable.
"""

import base64
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from privacyops.adapters.whole_file import write_whole

KEY_BYTES: Final = 32
_KINDS: Final = ("kek", "root")
_LINE: Final = re.compile(r"(kek|root) ([0-9]{1,5}) ([A-Za-z0-9_-]{43}=)", re.ASCII)
_LAST_VERSION: Final = 0xFFFF
_LARGEST_BYTES: Final = 64 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFileRefused(ValueError):
    """The master keys cannot be used. The message names the fact and the remedy, never a key."""


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Key-encryption keys and root keys by version."""

    keks: Mapping[int, bytes] = field(repr=False)
    roots: Mapping[int, bytes] = field(repr=False)

    def text(self) -> str:
        """The content of the file, oldest versions first."""
        rows = [("kek", n, key) for n, key in sorted(self.keks.items())]
        rows += [("root", n, key) for n, key in sorted(self.roots.items())]
        return "".join(f"{kind} {n} {base64.urlsafe_b64encode(key).decode()}\n" for kind, n, key in rows)


def fresh_keys() -> MasterKeys:
    """Version 1 of both kinds from the operating system's random source."""
    return MasterKeys({1: secrets.token_bytes(KEY_BYTES)}, {1: secrets.token_bytes(KEY_BYTES)})


def with_next_kek(keys: MasterKeys) -> MasterKeys:
    """One more key-encryption key. The older ones go once nothing is wrapped by them any more."""
    return MasterKeys({**keys.keks, max(keys.keks) + 1: secrets.token_bytes(KEY_BYTES)}, keys.roots)


def parse_keys(text: str) -> MasterKeys:
    """Raises: KeyFileRefused: a line is not understood, a version stands twice, or a kind is missing."""
    found: dict[str, dict[int, bytes]] = {kind: {} for kind in _KINDS}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, version, key = _parsed_line(line, number)
        if version in found[kind]:
            raise KeyFileRefused(f"line {number}: {kind} {version} stands twice")
        found[kind][version] = key
    if not all(found.values()):
        raise KeyFileRefused("the key file needs at least one kek and one root line")
    if len({key for keys in found.values() for key in keys.values()}) != sum(map(len, found.values())):
        raise KeyFileRefused("two lines hold the same key")
    return MasterKeys(found["kek"], found["root"])


def _parsed_line(line: str, number: int) -> tuple[str, int, bytes]:
    match = _LINE.fullmatch(line.strip())
    if match is None or not 1 <= int(match[2]) <= _LAST_VERSION:
        raise KeyFileRefused(f"line {number} is not `kek|root <1-{_LAST_VERSION}> <base64url of 32 bytes>`")
    return match[1], int(match[2]), base64.urlsafe_b64decode(match[3])


def read_key_file(path: Path) -> MasterKeys:
    """The keys in `path`, if nobody but its owner can touch it and the owner is this process or root.

    Raises: KeyFileRefused.
    """
    return parse_keys(read_closed_file(path).decode("ascii", "replace"))


class WatchedKeyFile:
    """A key file that may change while the process runs."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, _stamp(path)
        self._keys = read_key_file(path)

    def latest(self) -> MasterKeys:
        """The keys as they stand in the file now; while it cannot be used, those before.

        An administrator may be in the middle of writing it: the next look sees the rest.
        """
        try:
            now = _stamp(self._path)
            if now != self._seen:
                self._keys = read_key_file(self._path)
                self._seen = now  # after the keys: another thread that finds it finds them
        except KeyFileRefused:
            pass
        return self._keys


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes with the content: inode, time of the last change, size."""
    try:
        state = path.stat()
    except OSError as failed:
        raise KeyFileRefused(f"the key file cannot be opened ({os.strerror(failed.errno or 0)})") from None
    return state.st_ino, state.st_mtime_ns, state.st_size


@contextmanager
def changing_keys(path: Path) -> Iterator[MasterKeys]:
    """The keys in `path`, while nobody else changes them by this way: two changes at once would lose a key.

    Raises: KeyFileRefused: the file cannot be used, or another change of it is under way.
    """
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KeyFileRefused("another command is changing the key file; wait for it and try again") from None
        yield read_key_file(path)
    finally:
        os.close(lock)


def write_key_file(path: Path, keys: MasterKeys, *, replace: bool = False) -> None:
    """Write `keys` with mode 0400, wholly or not at all. Without `replace` an existing file stays.

    Raises: KeyFileRefused: the file exists already.
    """
    write_closed_file(path, keys.text().encode(), replace=replace)


def read_closed_file(path: Path) -> bytes:
    """The content of a small secret file. Judged by the open file, so nobody exchanges it between look and read.

    Raises: KeyFileRefused: missing, no regular file, open to others, or of another user.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failed:
        raise KeyFileRefused(f"the key file cannot be opened ({os.strerror(failed.errno or 0)})") from None
    try:
        _require_closed(os.fstat(descriptor))
        return os.read(descriptor, _LARGEST_BYTES)
    finally:
        os.close(descriptor)


def _require_closed(state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise KeyFileRefused("the key file is not a regular file")
    if state.st_mode & _OTHERS:
        raise KeyFileRefused("the key file can be read by others; set its mode to 0400")
    if state.st_uid not in (os.geteuid(), 0):
        raise KeyFileRefused("the key file belongs to another user")


def write_closed_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a small secret file with mode 0400, wholly or not at all.

    Raises: KeyFileRefused: it exists already and is not to be replaced.
    """
    try:
        write_whole(path, content, mode=0o400, replace=replace)
    except FileExistsError:
        raise KeyFileRefused("a key file exists already; it is not replaced") from None
