"""Office files are ZIP archives of XML: what must be true of one before anything in it is unpacked or parsed."""

import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final
from xml.parsers import expat

from connectors.formats.shelf import Gap, Unreadable

MAX_MEMBERS: Final = 10_000
MAX_UNPACKED: Final = 256_000_000
MAX_MEMBER: Final = 128_000_000
MAX_RATIO: Final = 200
_SMALL: Final = 1_000_000
_CHUNK: Final = 65_536


def open_package(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, if what it says of itself is bearable. zipfile enforces the stated sizes while reading.

    Raises: Unreadable: no archive (`broken`), encrypted members, or members, sizes or ratios beyond the bounds.
    """
    file.seek(0)
    if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unreadable(Gap.ENCRYPTED)  # an encrypted office file is an OLE container instead of an archive
    try:
        package = zipfile.ZipFile(file)
        members = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise Unreadable(Gap.BROKEN) from None
    total = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or total > MAX_UNPACKED:
        raise Unreadable(Gap.BOMB)
    for member in members:
        if member.flag_bits & 1:
            raise Unreadable(Gap.ENCRYPTED)
        if member.file_size > MAX_MEMBER:
            raise Unreadable(Gap.BOMB)
        if member.file_size > _SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise Unreadable(Gap.BOMB)
    return package


def member_chunks(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The unpacked bytes of one member. Raises: Unreadable: it is damaged."""
    try:
        with package.open(name) as member:
            while chunk := member.read(_CHUNK):
                yield chunk
    except (zipfile.BadZipFile, KeyError, NotImplementedError, OSError, EOFError, RuntimeError, ValueError):
        raise Unreadable(Gap.BROKEN) from None
    except Exception as error:
        if type(error).__module__ in {"zlib", "lzma"}:  # their errors derive from Exception alone
            raise Unreadable(Gap.BROKEN) from None
        raise


def refuse_doctypes(package: zipfile.ZipFile) -> None:
    """Raises: Unreadable: some XML member declares a document type, so it may define entities."""
    for name in package.namelist():
        if name.endswith((".xml", ".rels")):
            _Prolog().read(member_chunks(package, name))


class _Prolog:
    """Reads an XML text up to its first element."""

    def __init__(self) -> None:
        self._is_over = False

    def read(self, chunks: Iterator[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._started
        for chunk in chunks:
            try:
                parser.Parse(chunk, False)
            except expat.ExpatError:
                raise Unreadable(Gap.BROKEN) from None
            if self._is_over:
                return

    def _started(self, _name: str, _attributes: dict[str, str]) -> None:
        self._is_over = True


def _refuse_doctype(*_: object) -> None:
    raise Unreadable(Gap.DOCTYPE)


def parse_xml(
    chunks: Iterator[bytes],
    *,
    started: Callable[[str, dict[str, str]], None],
    ended: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Run an XML text through the handlers, in any encoding expat knows, without entities and without a DTD.

    Raises: Unreadable: `has_doctype` or `broken`.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise Unreadable(Gap.BROKEN) from None
