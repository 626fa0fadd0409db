"""What files lie on, whatever it is: a folder, a bucket. What the formats need of it, and what it may answer.

A shelf lists its files with their states, opens one for reading, and exchanges or removes one that is still in the
state that was read.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Protocol

from privacyops.connector_sdk import Call, RowRef


class Gap(StrEnum):
    """Why a file, or part of it, could not be read. Values are codes for logs, tasks and the `problem` field."""

    OUTSIDE = "leads_outside"
    NOT_A_FILE = "not_a_file"
    DENIED = "denied"
    VANISHED = "vanished"
    IO = "io"
    TOO_LARGE = "too_large"
    BOMB = "unpacks_too_large"
    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    TEXT_CUT = "text_cut"
    UNKNOWN_FORMAT = "format_not_read"
    DOCTYPE = "has_doctype"
    ARCHIVED = "archived"
    """It lies in a class of storage that has to be thawed first."""


class Unreadable(Exception):
    """A file cannot be read. The rest goes on; `gap` says why."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.value)
        self.gap = gap


class Changed(Exception):
    """The file is not the one that was read."""


class NotWritten(Exception):
    """The shelf refused the exchange or removal; `code` says why. `may_pass`: it may go at the next attempt."""

    def __init__(self, code: str, *, may_pass: bool = False) -> None:
        super().__init__(code)
        self.code, self.may_pass = code, may_pass


@dataclass(frozen=True, order=True)
class Stamp:
    """What tells one state of a file from the next. `inode` is any number that the shelf gives a state."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, order=True)
class Entry:
    """One file by its path on the shelf, with `/` between the parts. `gap`: it cannot even be opened."""

    path: str
    stamp: Stamp = Stamp(0, 0, 0)
    gap: Gap | None = None

    @property
    def name(self) -> str:
        return split_version(self.path)[0].rpartition("/")[2]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


VERSIONS: Final = "versions"
"""The collection of earlier states of files, where a shelf keeps them."""
_BETWEEN: Final = "\0"


def version_path(path: str, version: str) -> str:
    """How an earlier state of a file is asked for. No key or path holds the sign between the two."""
    return f"{path}{_BETWEEN}{version}"


def split_version(path: str) -> tuple[str, str]:
    """Path and version; the version of a present file is empty."""
    head, _, version = path.partition(_BETWEEN)
    return head, version


def paper_path(ref: RowRef) -> str:
    """What to open for a row of `documents`, `mail` or `versions`."""
    path = str(ref.key.get("path"))
    return version_path(path, str(ref.key.get("version"))) if ref.collection == VERSIONS else path


class Terms(Protocol):
    """What is configured for every shelf: the store's name, an encoding for all texts, and the largest document."""

    @property
    def name(self) -> str: ...
    @property
    def write(self) -> bool: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def max_file_bytes(self) -> int: ...


class Shelf(Protocol):
    """Files by path."""

    attempts: int
    """How often a table is read again when it changed before it could be exchanged."""

    def serve(self, call: Call) -> None:
        """The call on whose behalf, and within whose bounds, everything is done from now on."""
        ...

    def check(self) -> None:
        """Raises: Misconfigured, Retriable: the shelf is not there, or may not be read."""
        ...

    def entries(self) -> list[Entry]:
        """Every file that is not ignored, by path. Raises: as `check`; Terminal: too many files."""
        ...

    def entry(self, path: str) -> Entry | None:
        """The file under that path now, or None."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of one state of a file, with any position to go to. Raises: Unreadable."""
        ...

    def stamp_of(self, file: BinaryIO) -> Stamp:
        """The present state of a file that `open` gave."""
        ...

    def may_write(self) -> bool:
        """Whether files can be exchanged and removed at all."""
        ...

    def exclusive(self, call: Call, path: str) -> AbstractContextManager[None]:
        """Nobody else of ours changes the file meanwhile, as far as the shelf can promise that.

        Raises: Retriable: the call's time is over before the others are done.
        """
        ...

    def replace(self, call: Call, path: str, seen: Stamp, write: Callable[[BinaryIO], None]) -> None:
        """Exchange the file's content for what `write` writes; what else is known of the file stays.

        Raises: Changed: another state than `seen`. NotWritten, Unreadable: the old file stands.
        """
        ...

    def remove(self, call: Call, path: str, seen: Stamp) -> None:
        """Take the file away. Raises: as `replace`."""
        ...

    def settle(self, call: Call, path: str) -> bool:
        """Take away what the shelf still keeps of earlier states of the file; whether there was any.

        Raises: NotWritten: they stay.
        """
        ...

    def keeps_older(self, path: str) -> bool:
        """Whether the shelf still keeps earlier states of the file."""
        ...
