"""Mail: one message an EML file, many an MBOX file; with the words of what is attached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import compat32, default
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from connectors.formats.document import MAX_TEXT, Extract, extract_bytes, html_extract
from connectors.formats.encoding import decode
from connectors.formats.shelf import Gap
from privacyops.connector_sdk import Value

MAX_PARTS: Final = 200
_LINE: Final = 1_000_000
_NO_WORDS: Final = frozenset({"image", "audio", "video", "font"})
"""Parts that are not read and are no gap: nearly every mail carries the picture of a logo."""
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_TEXT_SUFFIX: Final = {"text/html": ".html", "application/pdf": ".pdf", "text/xml": ".xml", "application/xml": ".xml"}


@dataclass(frozen=True, repr=False)
class Letter:
    """One message of a file: its bytes, or None if it is larger than the bound; `number` counts from 1."""

    number: int
    data: bytes | None
    size: int


def mbox_letters(file: BinaryIO, limit: int) -> Iterator[Letter]:
    """The messages of an MBOX file, one at a time. A line `From ` after a blank line, or at the start, begins one."""
    file.seek(0)
    number, size = 0, 0
    lines: list[bytes] = []
    is_blank = True
    while line := file.readline(_LINE):
        if line.startswith(b"From ") and is_blank:
            if number:
                yield Letter(number, b"".join(lines) if size <= limit else None, size)
            number, size, lines = number + 1, 0, []
        elif number:
            size += len(line)
            if size <= limit:
                lines.append(line[1:] if line.startswith(b">From ") else line)
            else:
                lines.clear()
        is_blank = line in {b"\n", b"\r\n"}
    if number:
        yield Letter(number, b"".join(lines) if size <= limit else None, size)


def letter_values(
    data: bytes, *, limit: int, encoding: str | None, tick: Callable[[], None]
) -> tuple[dict[str, Value], Gap | None]:
    """The fields of a message, and why a part of it could not be read. A message that no parser takes is its raw
    text.
    """
    try:
        message: Message = BytesParser(policy=default).parsebytes(data)
        head = _head(message)
    except Exception:  # the parser raises many kinds of errors on hostile headers; the old one takes them all
        message = BytesParser(policy=compat32).parsebytes(data)
        head = {"subject": str(message.get("Subject", "")), "text": decode(data[:MAX_TEXT], encoding)}
        return head, Gap.BROKEN
    body, names, attached, gap = _Parts(limit, encoding, tick).read(message)
    return {**head, "text": body, "attachments": names, "attachment_text": attached}, gap


def _head(message: Message) -> dict[str, Value]:
    senders = getaddresses([str(value) for value in message.get_all("From", [])])
    date = _date(str(message.get("Date", "")))
    values: dict[str, Value] = {
        "message_id": str(message.get("Message-ID", "")).strip(),
        "from_name": senders[0][0] if senders else "",
        "from_email": senders[0][1] if senders else "",
        "subject": str(message.get("Subject", "")),
    }
    for field, headers in (("to", ("To",)), ("cc", ("Cc", "Bcc", "Reply-To"))):
        given = [str(value) for header in headers for value in message.get_all(header, [])]
        values[field] = tuple(address for _, address in getaddresses(given) if address)
        values[f"{field}_names"] = tuple(name for name, _ in getaddresses(given) if name)
    return values | ({"date": date} if date else {})


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)


class _Parts:
    """Walks through a message and gathers the words of all its parts."""

    def __init__(self, limit: int, encoding: str | None, tick: Callable[[], None]) -> None:
        self._limit, self._encoding, self._tick = limit, encoding, tick
        self._plain: list[str] = []
        self._pages: list[str] = []
        self._attached: list[str] = []
        self._names: list[str] = []
        self._gap: Gap | None = None

    def read(self, message: Message) -> tuple[str, tuple[str, ...], str, Gap | None]:
        for at, part in enumerate(message.walk()):
            self._tick()
            if at >= MAX_PARTS:
                self._gap = Gap.TEXT_CUT
                break
            if not part.is_multipart():
                self._part(part)
        plain, pages = "\n".join(self._plain), "\n".join(self._pages)
        body = plain if len(plain) * 2 >= len(pages) else f"{plain}\n{pages}".strip()
        return body[:MAX_TEXT], tuple(self._names), "\n".join(self._attached)[:MAX_TEXT], self._gap

    def _part(self, part: Message) -> None:
        name = _file_name(part)
        kind = part.get_content_type()
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if name is None and kind == "text/plain":
            self._plain.append(self._words(part, data))
        elif name is None and kind == "text/html":
            self._pages.append(html_extract(self._words(part, data)).text)
        else:
            self._names.append(name or "")
            if part.get_content_maintype() in _NO_WORDS or kind in _SIGNATURES:
                return
            found = self._attachment(data, PurePosixPath(name or "").suffix.lower() or _TEXT_SUFFIX.get(kind, ""))
            self._attached.append(found.text)
            self._gap = self._gap or found.gap

    def _attachment(self, data: bytes, suffix: str) -> Extract:
        return extract_bytes(data, suffix, limit=self._limit, encoding=self._encoding, tick=self._tick)

    def _words(self, part: Message, data: bytes) -> str:
        stated = part.get_content_charset()
        if stated and not self._encoding:
            try:
                return data.decode(stated)
            except (LookupError, ValueError):
                pass  # stated wrongly; the bytes decide
        return decode(data, self._encoding).strip("\ufeff")


def _file_name(part: Message) -> str | None:
    try:
        name = part.get_filename()
        is_attached = isinstance(part, EmailMessage) and part.is_attachment()
    except Exception:  # a hostile Content-Disposition
        return ""
    return name if name else "" if is_attached else None
