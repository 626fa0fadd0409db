"""Texts that a program packed for itself: sessions of PHP, Rails and Django, documents in base64; and texts that stand
in columns for bytes.

An address that stands in them in clear is met by the text search; keys, and everything in base64, are not. So such
columns are named as unread.
"""

import json
import re
from base64 import urlsafe_b64decode
from binascii import Error
from typing import Final

_PHP: Final = re.compile(r'(?:\w{1,64}\|)?(?:a:\d+:\{|O:\d+:"|C:\d+:"|s:\d+:".*";\Z)', re.DOTALL)
"""What `serialize` writes, or a session's `name|` before it."""
_PACKED: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_MARSHAL: Final = (b"\x04\x08", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\x1f\x8b", b"x\x9c")
"""First bytes of Ruby's and Python's dumps, and of compressed ones."""
_READ: Final = 4096
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Signs that stand in no text."""


def is_encoded(text: str) -> bool:
    """Whether a text is serialised, or base64 of a document or of a dump, with a signature behind it or not."""
    if _PHP.match(text):
        return True
    packed = re.split(r":|--|\.", text.strip(), maxsplit=1)[0]
    return _PACKED.fullmatch(packed) is not None and _holds_document(packed)


def _holds_document(packed: str) -> bool:
    whole = len(packed) <= _READ
    head = packed[:_READ].rstrip("=").replace("+", "-").replace("/", "_")
    head = head[: len(head) // 4 * 4] if not whole else head
    try:
        data = urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (Error, ValueError):
        return False
    if data.startswith(_MARSHAL):
        return True
    try:
        inner = data.decode("utf-8", errors="strict" if whole else "ignore")
    except UnicodeDecodeError:
        return False
    inner = re.sub(r"\A[0-9a-f]{40}:", "", inner)  # Django's digest before the document
    if _PHP.match(inner):
        return True
    if inner[:1] not in {"{", "["}:
        return False
    try:
        return isinstance(json.loads(inner), dict | list) if whole else True
    except ValueError:
        return False


def is_packed(data: bytes) -> bool:
    """Whether bytes are a program's dump or compressed, so that nothing in them is read."""
    return data.startswith(_MARSHAL)


def clear_text(data: bytes) -> str | None:
    """The text that bytes spell; None: they spell none (keys, pictures, archives)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
