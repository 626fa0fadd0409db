"""Keys and their patterns: `cart:4711` belongs to `cart:*`. A pattern is what a table is elsewhere."""

import re
from functools import lru_cache
from typing import Final

HEX: Final = "hex:"
"""How a key is written that is no UTF-8."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.\-{}]{0,23}", re.ASCII)
"""A part of a key that names a kind of thing; all others name a thing."""


def text_of_key(key: bytes) -> str:
    """The key as text."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return HEX + key.hex()
    return HEX + key.hex() if text.startswith(HEX) else text


def key_of_text(text: str) -> bytes | None:
    """The key again; None: the text is none of a key."""
    if not text.startswith(HEX):
        return text.encode("utf-8", "surrogatepass")
    try:
        return bytes.fromhex(text.removeprefix(HEX))
    except ValueError:
        return None


class Patterns:
    """Which pattern a key belongs to: the first of the configured ones that fits, else the one that its words make."""

    def __init__(self, configured: tuple[str, ...], ignored: tuple[str, ...]) -> None:
        self._configured = tuple((pattern, _expression(pattern)) for pattern in configured)
        self._ignored = tuple(_expression(pattern) for pattern in ignored)

    def of(self, key: str) -> str | None:
        """None: the key is not read."""
        if any(each.fullmatch(key) for each in self._ignored):
            return None
        return next((pattern for pattern, each in self._configured if each.fullmatch(key)), None) or by_words(key)

    def is_one(self, name: str) -> bool:
        """Whether any key could belong to a pattern of that name."""
        return any(pattern == name for pattern, _ in self._configured) or by_words(name) == name


def by_words(key: str) -> str:
    """`session:9f3a:cart` gives `session:*:cart`."""
    if key.startswith(HEX):
        return HEX + "*"
    return ":".join(part if _WORD.fullmatch(part) else "*" for part in key.split(":"))


def glob_of(pattern: str) -> str:
    """The pattern as the server's glob, which may select more keys, never fewer."""
    if pattern.startswith(HEX):
        return "*"
    return "".join(each if each == "*" else re.sub(r"([\[\]?\\^])", r"\\\1", each) for each in pattern)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
