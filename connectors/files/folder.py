"""The folder itself: which files lie in it, and opening them without ever leaving it.

A path is opened step by step from the folder's own descriptor, and no step may be a symbolic link, so a file
or a directory that is exchanged for a link between listing and opening is refused instead of followed.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Final

from connectors.files import replacing
from connectors.files.settings import Settings
from connectors.formats.shelf import Entry, Gap, NotWritten, Stamp, Unreadable
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Terminal

MAX_FILES: Final = 200_000
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
STEPWISE: Final = os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd
"""Without descriptors of directories (Windows) nothing is written: a link could be swapped in."""


class Folder:
    """Lists and opens the files of one folder."""

    attempts = 1

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.root = settings.folder

    def serve(self, call: Call) -> None:
        """A folder answers at once; there is nothing to bound."""
        del call

    def check(self) -> None:
        """Raises: Misconfigured: there is no such folder, or it may not be read. Retriable: `must_contain` is not
        there, so a share is not mounted and an empty folder would pass for an answer.
        """
        try:
            is_folder = self.root.is_dir()
            with os.scandir(self.root):
                pass
        except (FileNotFoundError, NotADirectoryError):
            raise Misconfigured("folder", "missing") from None
        except PermissionError:
            raise Misconfigured("folder", "denied") from None
        except OSError:
            raise Retriable(None, "io") from None
        if not is_folder:
            raise Misconfigured("folder", "missing")
        if self._settings.must_contain and not (self.root / self._settings.must_contain).exists():
            raise Retriable(None, "not_mounted")

    def entries(self) -> list[Entry]:
        """Every file that is not ignored, by path. Links inside the folder are left out, since their target is
        listed itself; a link that leads outside is listed with its gap.

        Raises: as `check`; Terminal: more than 200,000 files.
        """
        self.check()
        found: list[Entry] = []
        waiting = [""]
        while waiting:
            directory = waiting.pop()
            for entry in self._listed(directory, found):
                path = f"{directory}/{entry.name}" if directory else entry.name
                if any(fnmatchcase(entry.name, each) or fnmatchcase(path, each) for each in self._settings.ignore):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif (one := self._entry(entry, path)) is not None:
                    found.append(one)
            if len(found) > MAX_FILES:
                raise Terminal("too_many_files")
        return sorted(found)

    def _listed(self, directory: str, found: list[Entry]) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / directory) as listed:
                return list(listed)
        except PermissionError:
            found.append(Entry(f"{directory}/", gap=Gap.DENIED))
        except FileNotFoundError:
            pass  # removed since its parent was listed
        except OSError:
            raise Retriable(None, "io") from None
        return []

    def _entry(self, entry: os.DirEntry[str], path: str) -> Entry | None:
        try:
            path.encode()
        except UnicodeEncodeError:  # a name that is not UTF-8 cannot be kept in a key
            return Entry(path.encode(errors="replace").decode(), gap=Gap.IO)
        try:
            if entry.is_symlink():
                inside = Path(os.path.realpath(entry.path)).is_relative_to(os.path.realpath(self.root))
                return None if inside else Entry(path, gap=Gap.OUTSIDE)
            state = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError:
            return Entry(path, gap=Gap.IO)
        if not stat.S_ISREG(state.st_mode):
            return Entry(path, gap=Gap.NOT_A_FILE)
        return Entry(path, _stamp(state))

    def entry(self, path: str) -> Entry | None:
        """The file under that path now, or None. A path that is not one of this folder's is None too."""
        try:
            with self.open(path) as file:
                return Entry(path, stamp_of(file))
        except Unreadable as error:
            return None if error.gap in {Gap.VANISHED, Gap.OUTSIDE, Gap.NOT_A_FILE} else Entry(path, gap=error.gap)

    def stamp_of(self, file: BinaryIO) -> Stamp:
        return stamp_of(file)

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """The bytes of a file.

        Raises: Unreadable: it is gone, may not be read, is no regular file or lies behind a link.
        """
        try:
            descriptor = self._descriptor(path)
        except FileNotFoundError:
            raise Unreadable(Gap.VANISHED) from None
        except PermissionError:
            raise Unreadable(Gap.DENIED) from None
        except (OSError, ValueError):
            raise Unreadable(Gap.OUTSIDE) from None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable(Gap.NOT_A_FILE)
            yield file

    def _descriptor(self, path: str) -> int:
        if not STEPWISE:  # Windows: no descriptors of directories; the resolved path is checked instead
            whole = self.root.joinpath(*_parts(path)).resolve()
            if not whole.is_relative_to(self.root.resolve()):
                raise Unreadable(Gap.OUTSIDE)
            return os.open(whole, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        with self.directory_of(path) as (directory, name):
            return os.open(name, os.O_RDONLY | _NO_FOLLOW, dir_fd=directory)

    @contextmanager
    def directory_of(self, path: str) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory that holds the file, reached without following a link, and the file's name.

        Raises: OSError: a part of the path is missing, no directory, or a link. Unreadable: it leads outside.
        """
        *parents, name = _parts(path)
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parents:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW, dir_fd=here)
                os.close(here)
                here = below
            yield here, name
        finally:
            os.close(here)

    # --- writing ----------------------------------------------------------------------------------------------

    def may_write(self) -> bool:
        """Whether this role and this system let files be exchanged."""
        return STEPWISE and os.access(self.root, os.W_OK)

    def exclusive(self, call: Call, path: str) -> AbstractContextManager[None]:
        return replacing.exclusive(call, lambda: self.directory_of(path))

    def replace(self, call: Call, path: str, seen: Stamp, write: Callable[[BinaryIO], None]) -> None:
        try:
            with self.directory_of(path) as (directory, name):
                replacing.replace(call, directory, name, seen, write)
        except OSError as error:
            raise _refusal(error) from None

    def remove(self, call: Call, path: str, seen: Stamp) -> None:
        try:
            with self.directory_of(path) as (directory, name):
                replacing.remove(call, directory, name, seen)
        except OSError as error:
            raise _refusal(error) from None

    def settle(self, call: Call, path: str) -> bool:
        """A folder keeps one state of each file."""
        del call, path
        return False

    def keeps_older(self, path: str) -> bool:
        del path
        return False


def _refusal(error: OSError) -> NotWritten:
    code = {13: "denied", 1: "denied", 28: "no_space", 122: "no_space", 30: "read_only"}.get(error.errno or 0, "io")
    return NotWritten(code, may_pass=code in {"no_space", "io"})


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or os.sep in part for part in parts):
        raise Unreadable(Gap.OUTSIDE)
    return parts


def _stamp(state: os.stat_result) -> Stamp:
    return Stamp(state.st_size, state.st_mtime_ns, state.st_ino)


def stamp_of(file: BinaryIO) -> Stamp:
    """The present state of an open file."""
    return _stamp(os.fstat(file.fileno()))
