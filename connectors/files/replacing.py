"""Changing the folder: a file is exchanged whole, or removed, and never half of it.

The new content is written beside the old one, flushed to the disk, and moved into its place. A process that is
killed leaves either file; what it left beside has a name of its own for each target, so that the repeated
operation takes it away. Should the file have changed since it was read, nothing is exchanged.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import blake2b
from typing import BinaryIO, Final

from connectors.formats.shelf import Changed, Stamp
from privacyops.connector_sdk import Call

_WAIT: Final = 0.01


@contextmanager
def exclusive(call: Call, directory_of: Callable[[], AbstractContextManager[tuple[int, str]]]) -> Iterator[None]:
    """Nobody else of ours changes a file of that directory meanwhile, in this process or another.

    Raises: Retriable: the call's time is over before the others are done.
    """
    import fcntl  # noqa: PLC0415 - not on Windows, where nothing is written

    with directory_of() as (directory, _):
        while True:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                call.check()
                time.sleep(_WAIT)
            except OSError:  # a file system without locks; the comparison before the exchange remains
                break
        yield


def replace(call: Call, directory: int, name: str, seen: Stamp, write: Callable[[BinaryIO], None]) -> None:
    """Exchange the file's content for what `write` writes; mode and owner stay.

    Raises: Changed: another state than `seen`. Cancelled, Retriable: from the call, right before the exchange.
    OSError: no space, no right; the old file stands. Unreadable: it lies behind a link.
    """
    beside = f".privacyops-{blake2b(name.encode(), digest_size=8).hexdigest()}"
    with suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(beside, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            _take_over(directory, name, file.fileno())
            os.fsync(file.fileno())
        call.check()
        _compare(directory, name, seen)
        os.replace(beside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=directory)
        raise
    os.fsync(directory)


def remove(call: Call, directory: int, name: str, seen: Stamp) -> None:
    """Take the file away. Raises: as `replace`."""
    call.check()
    _compare(directory, name, seen)
    os.unlink(name, dir_fd=directory)
    os.fsync(directory)


def _compare(directory: int, name: str, seen: Stamp) -> None:
    try:
        now = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        raise Changed from None
    if not stat.S_ISREG(now.st_mode) or Stamp(now.st_size, now.st_mtime_ns, now.st_ino) != seen:
        raise Changed


def _take_over(directory: int, name: str, descriptor: int) -> None:
    old = os.stat(name, dir_fd=directory, follow_symlinks=False)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    with suppress(PermissionError):  # only root gives files away; the owner stays the one who runs this
        os.fchown(descriptor, old.st_uid, old.st_gid)
