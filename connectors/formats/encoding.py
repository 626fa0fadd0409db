"""Which encoding a text is in. The rule, in this order:

1. the encoding the operator configured;
2. a byte order mark: UTF-8, UTF-16 or UTF-32;
3. UTF-16 without a mark, if at least 30 % of the bytes at even or at odd places among the first 4 KiB are zero
   and hardly any on the other side;
4. UTF-8, if the whole file is valid UTF-8;
5. Windows-1252 otherwise: every byte then has a meaning, so nothing is left out of a search.
"""

import codecs
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 18
_HEAD: Final = 4096


def encoding_of(file: BinaryIO, configured: str | None = None) -> str:
    """The Python name of the file's encoding; the file is read from its start and left there."""
    if configured:
        return configured
    file.seek(0)
    head = file.read(_HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            file.seek(0)
            return name
    found = _without_mark(head) or ("utf-8" if _is_utf8(file, head) else "cp1252")
    file.seek(0)
    return found


def _without_mark(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd / half >= 0.3 and even / half < 0.05:
        return "utf-16-le"
    if even / half >= 0.3 and odd / half < 0.05:
        return "utf-16-be"
    return None


def _is_utf8(file: BinaryIO, head: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        decoder.decode(head)
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def looks_binary(head: bytes) -> bool:
    """Whether these first bytes are no text: zeros without the look of UTF-16, or many control characters."""
    if any(head.startswith(mark) for mark, _ in _MARKS) or _without_mark(head):
        return False
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    return b"\0" in head or controls > len(head) * 0.05


_CODECS: Final = {
    "utf-8-sig": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}


def codec_of(head: bytes, encoding: str) -> tuple[bytes, str, str]:
    """Byte order mark, codec without mark, and error handler with which decoding and encoding is lossless."""
    for mark, codec in _CODECS.get(encoding, ()):
        if head.startswith(mark):
            return mark, codec, "strict"
    wide = encoding.startswith(("utf-16", "utf-32"))
    return b"", encoding, "strict" if wide else "surrogateescape"


def bytes_of(text: str, codec: str) -> int:
    """How many bytes a text took in the file; exact where its bytes were all valid."""
    if text.isascii() and not codec.startswith(("utf-16", "utf-32")):
        return len(text)
    return len(text.encode(codec, "replace"))


def as_text(file: BinaryIO, encoding: str, errors: str = "replace", at: int = 0) -> TextIOWrapper:
    """The file as text from the byte `at` on, line ends untouched. Bytes without a meaning become U+FFFD, or
    surrogates if asked.
    """
    if at:
        file.seek(0)
        encoding = codec_of(file.read(4), encoding)[1]  # behind its start a file has no byte order mark
    file.seek(at)
    return TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def decode(data: bytes, configured: str | None = None) -> str:
    """A text held in memory, by the same rule."""
    return data.decode(encoding_of(BytesIO(data), configured), "replace")
