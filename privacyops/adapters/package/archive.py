"""One ZIP archive in a stream: our own names, fixed times, every file hashed and watched while it is written.

Small files are stored with their size known; a file that grows past `_SMALL` becomes a ZIP64 entry. Nothing is
ever read back, so the archive may flow into an encrypting writer that cannot seek.

Source: PKWARE APPNOTE 6.3.10 sections 4.3.9 (data descriptor) and 4.5.3 (ZIP64).
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Generator
from types import TracebackType
from typing import IO, BinaryIO, Final, TypeAlias, TypeVar

from privacyops.adapters.package.watch import Watch
from privacyops.domain.package.manifest import FileFacts

_SMALL: Final = 4 * 1024**2
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time a ZIP can say: the same inputs give the same bytes
_LEVEL: Final = 6
T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
"""Work that pauses after each piece it wrote, so that whoever drives it can take the bytes away; returns a T."""
_LONE: Final = re.compile("[\ud800-\udfff]")


class HashedStream(io.RawIOBase):
    """Passes bytes on to `out`, which need not be seekable, and keeps count and hash of them."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]  # narrower than Buffer
        self._out.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Archive:
    """An archive with one folder. Close it, or leave its `with` block, to write the directory at the end."""

    def __init__(self, out: BinaryIO, folder: str) -> None:
        self.stream = HashedStream(out)
        self.folder = folder
        self.files: list[FileFacts] = []
        self._zip = zipfile.ZipFile(
            self.stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=_LEVEL, strict_timestamps=True
        )

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._zip.close()
        else:
            self._zip.fp = None  # or the library would still write a directory, and a torn package look whole

    def abandon(self) -> None:
        """Send the rest of the open entry nowhere: the stream behind may be the reason for giving up."""
        self._zip.fp = io.BytesIO()

    def entry(self, path: str, media_type: str, watch: Watch | None = None) -> "Entry":
        """A new file at `path` inside the folder; write to it in a `with` block, one file at a time."""
        info = zipfile.ZipInfo(f"{self.folder}/{path}", _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3  # Unix, on every system, or the bytes would differ
        info.external_attr = 0o100644 << 16  # a plain file that is not executable; never a link
        return Entry(self, self._zip, info, path, media_type, watch or Watch(), self.files.append)


class Entry:
    """A file being written. `rows` may be set before it is closed."""

    def __init__(
        self,
        archive: Archive,
        packed: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        path: str,
        media_type: str,
        watch: Watch,
        done: Callable[[FileFacts], None],
    ) -> None:
        self.rows: int | None = None
        self._archive, self._zip, self._info, self._path, self._media_type = archive, packed, info, path, media_type
        self._watch, self._done = watch, done
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = bytearray()
        self._large: IO[bytes] | None = None

    def __enter__(self) -> "Entry":
        return self

    def write_text(self, text: str) -> None:
        """Append `text` as UTF-8; a lone surrogate, which UTF-8 cannot say, becomes U+FFFD.

        A watch sees whole calls, so a CSV is written in whole rows.
        """
        self._watch.see(text)
        self.write(_LONE.sub("\ufffd", text).encode())

    def write(self, data: bytes) -> None:
        """Append bytes that no watch needs to see."""
        self._hash.update(data)
        self._size += len(data)
        if self._large is None and len(self._head) + len(data) <= _SMALL:
            self._head += data
            return
        if self._large is None:
            self._large = self._zip.open(self._info, "w", force_zip64=True)
            self._large.write(self._head)
            self._head.clear()
        self._large.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._archive.abandon()
        if self._large is not None:
            self._large.close()
        elif kind is None:
            self._zip.writestr(self._info, bytes(self._head), compresslevel=_LEVEL)
        if kind is not None:
            return
        self._watch.end()
        self._done(
            FileFacts(
                path=self._path,
                media_type=self._media_type,
                size=self._size,
                sha256=self._hash.hexdigest(),
                rows=self.rows,
                formulas=tuple(sorted(self._watch.formulas)),
                active=tuple(sorted(self._watch.active)),
                links=frozenset(self._watch.links),
                secrets=tuple(sorted(self._watch.secrets)),
            )
        )
