"""A message as a row: addresses, subject, the text people read, and attachments as handles."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Final

from connectors.formats.document import extract_bytes
from connectors.formats.letter_head import LETTER_HEAD
from privacyops.connector_sdk import Field, FieldType, Value

BODY: Final = frozenset({"text", "attachment_names", "attachments", "attachment_text", "problem"})
"""Fields for which the whole message has to be read."""
FILES: Final = frozenset({"attachment_text", "problem"})
"""Fields for which what is attached has to be read as well."""
_SILENT_KINDS: Final = frozenset({"image", "audio", "video", "font"})
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_SUFFIX: Final = {"application/pdf": ".pdf", "text/html": ".html", "text/xml": ".xml", "application/xml": ".xml"}
HEADERS: Final = ("Message-ID", "Date", "From", "To", "Cc", "Bcc", "Reply-To", "Subject")
KEY: Final = ("uidvalidity", "uid")
FIELDS: Final = (
    Field("uidvalidity", FieldType.INTEGER, "of the folder", nullable=False),
    Field("uid", FieldType.INTEGER, "of the message", nullable=False, indexed=True),
    Field("size", FieldType.INTEGER, "bytes"),
    *LETTER_HEAD,
    Field("text", FieldType.TEXT, "body, HTML without its tags"),
    Field("attachment_names", FieldType.ARRAY, "file names", element=FieldType.TEXT),
    Field("attachments", FieldType.ARRAY, "files", element=FieldType.BINARY),
    Field("attachment_text", FieldType.TEXT, "words of the files"),
    Field("problem", FieldType.TEXT, "why a file could not be read, or not all of it"),
    Field("message", FieldType.BINARY, "the message itself"),
)
_FOLDED: Final = re.compile(r"\r?\n(?=[ \t])")
_BREAKS: Final = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table"})
_SILENT: Final = frozenset({"script", "style"})
"""Not `head`: its end may be left out, and then it would swallow the letter."""


def parsed(data: bytes) -> Message:
    """Header lines or a whole message; whatever the bytes are, there is a result."""
    try:
        return message_from_bytes(data)
    except RecursionError:  # parts in parts beyond what anybody sends in earnest: its words as they stand
        message = BytesHeaderParser().parsebytes(data)
        del message["Content-Type"], message["Content-Transfer-Encoding"]
        return message


def header_values(message: Message, extra: Mapping[str, str]) -> dict[str, Value]:
    """What stands in the header, decoded; `extra` are the operator's fields."""
    sender = _people(message, "From")
    to, copies = _people(message, "To"), _people(message, "Cc", "Bcc", "Reply-To")
    found: dict[str, Value] = {
        "message_id": _header(message, "Message-ID"),
        "date": _date(message),
        "from_name": sender[0][0] if sender else None,
        "from_email": sender[0][1] if sender else None,
        "to": tuple(address for _, address in to),
        "to_names": tuple(name for name, _ in to if name),
        "cc": tuple(address for _, address in copies),
        "cc_names": tuple(name for name, _ in copies if name),
        "subject": _header(message, "Subject"),
    }
    return found | {name: _header(message, header) for name, header in extra.items()}


def body_text(message: Message) -> str:
    """The text parts, and HTML parts as the words they show; both, since they need not say the same."""
    words = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and not is_attachment(part):
            text = _part_text(part)
            if kind == "text/html":
                reader = _Words()
                reader.feed(text)
                reader.close()
                text = " ".join(["".join(reader.words), *reader.addresses])
            words.append(text)
    return "\n".join(part.strip("\ufeff") for part in words if part.strip()).replace("\r\n", "\n")


def attachments(message: Message) -> list[Message]:
    """Everything that is neither the text nor a container, in the order of the message."""
    return [part for part in message.walk() if is_attachment(part)]


def is_attachment(part: Message) -> bool:
    """A file, by its name or because it is no text; a forwarded message is walked through instead."""
    if part.is_multipart():
        return False
    return _named(part) is not None or part.get_content_type() not in {"text/plain", "text/html"}


def file_name(part: Message) -> str:
    """As the sender wrote it; empty where there is none."""
    return _decoded(_named(part) or "")


def payload(part: Message) -> bytes:
    """The file's bytes. A transfer encoding that is broken gives what can be read of it."""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def file_words(message: Message, limit: int, tick: Callable[[], None]) -> tuple[str, str | None]:
    """The words of all attached files, and why one of them was not or not wholly read. Pictures and signatures have
    none and are no gap.

    Raises: what `tick` raises; Misconfigured: the extra for a format is missing.
    """
    words, problem = [], None
    for part in attachments(message):
        if part.get_content_maintype() in _SILENT_KINDS or part.get_content_type() in _SIGNATURES:
            continue
        suffix = PurePosixPath(file_name(part)).suffix.lower() or _SUFFIX.get(part.get_content_type(), "")
        found = extract_bytes(payload(part), suffix, limit=limit, encoding=None, tick=tick)
        words.append(found.text)
        problem = problem or (found.gap.value if found.gap is not None else None)
    return "\n".join(each for each in words if each), problem


def _named(part: Message) -> str | None:
    try:
        name = part.get_filename()
        is_file = part.get_content_disposition() == "attachment"
    except Exception:  # a hostile Content-Disposition breaks the parser in many ways
        return ""
    return name or ("" if is_file else None)


def _part_text(part: Message) -> str:
    data, stated = payload(part), part.get_content_charset()
    for charset in (stated, "utf-8"):
        try:
            return data.decode(charset or "utf-8")
        except (LookupError, ValueError):
            continue  # stated wrongly, or not UTF-8 either
    return data.decode("cp1252", "replace")


def _header(message: Message, name: str) -> str | None:
    raw = message.get(name)
    return None if raw is None else _decoded(str(raw))


def _decoded(raw: str) -> str:
    text = _FOLDED.sub("", raw)
    if "=?" not in text:
        return text.encode("ascii", "surrogateescape").decode("utf-8", "replace") if not text.isascii() else text
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(part if isinstance(part, str) else _bytes_as_text(part, charset) for part, charset in parts)


def _bytes_as_text(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # unknown, or one that decodes nothing
        return data.decode("latin-1")


def _people(message: Message, *names: str) -> list[tuple[str, str]]:
    """(name, address) of everybody in these headers. The names are decoded after the addresses were told apart, so
    that a comma inside an encoded name makes no second person.
    """
    raw = [_FOLDED.sub("", str(each)) for name in names for each in message.get_all(name, [])]
    return [(_decoded(name), address) for name, address in _addresses(raw) if address]


def _addresses(raw: Iterable[str]) -> list[tuple[str, str]]:
    lines = list(raw)
    found = [pair for pair in getaddresses(lines) if pair != ("", "")]
    if found or not lines:
        return found
    # a header that does not parse still names somebody: every word with an @ counts
    return [("", word.strip("<>,;\"'()")) for line in lines for word in line.split() if "@" in word]


def _date(message: Message) -> datetime | None:
    raw = message.get("Date")
    try:
        moment = parsedate_to_datetime(str(raw)) if raw else None
    except (ValueError, TypeError, OverflowError):
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Words(HTMLParser):
    """The words that a page shows, and the addresses its links lead to."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.addresses: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.words.append("\n")
        target = dict(attrs).get("href") or ""
        if target.startswith("mailto:"):
            self.addresses.append(target.removeprefix("mailto:"))

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
