"""Small files that are there wholly or not at all, whatever happens while they are written."""

import errno
import os
import secrets
from pathlib import Path
from typing import Final

_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""What mounted buckets say to the wish to sync a folder; there is nothing more to do."""


def write_whole(path: Path, content: bytes, *, mode: int = 0o600, replace: bool = False) -> None:
    """By way of a `.part` file beside it, which a crash may leave. Synced, and so is the folder.

    Raises: FileExistsError: without `replace`, there is one already; it stays.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            _put(part, path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """So that a crash does not take back a name in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as refusal:
        if refusal.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def _put(part: Path, path: Path) -> None:
    """Under its name all at once. Buckets that are mounted know no hard links; there a rename has to do."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        part.rename(path)
