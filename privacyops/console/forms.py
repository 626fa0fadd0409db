"""Forms as they arrive: bounded, decoded once, read by name."""

from collections.abc import AsyncGenerator, Iterator
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from privacyops.kernel.errors import BadRequest, TooLarge, Unprocessable

LARGEST_FORM: Final = 64 * 1024
MOST_FIELDS: Final = 300
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


class FormTooLarge(TooLarge):
    type = "/problems/form-too-large"
    title = "This form is too large; shorten the longest text"


class FormMalformed(BadRequest):
    type = "/problems/form-malformed"
    title = "The form could not be read"


class Refused(Unprocessable):
    """A form that comes back filled: what is wrong, field by field; `field` None: the whole form."""

    def __init__(self, *problems: tuple[str | None, str]) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = problems

    @property
    def errors(self) -> list[dict[str, str | None]]:
        """As the templates take them."""
        return [{"field": field, "text": text} for field, text in self.problems]


class Form:
    """Fields by name. A value is trimmed, its line ends are made one kind, and NUL cannot stand in it."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = [(name, _clean(value)) for name, value in pairs]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def get(self, name: str) -> str:
        """The first value of this name; blank if there is none."""
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a repeated field, without blanks."""
        return [value for key, value in self._pairs if key == name and value]

    def values(self, *but: str) -> dict[str, str]:
        """What was typed, to fill the form again; secrets are named in `but`."""
        return {name: value for name, value in reversed(self._pairs) if name not in {"csrf", "once", "password", *but}}


async def read_form(request: Request) -> Form:
    """The form of a request that changes something; empty for others.

    Raises: FormTooLarge: more than 64 KiB or 300 fields. FormMalformed: another media type, or broken.
    """
    if request.method in SAFE_METHODS:
        return Form([])
    body = await _body(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body and not media:
        return Form([])
    if media == _URLENCODED:
        return Form(_urlencoded(body))
    if media == _MULTIPART:
        return Form(await _multipart(request.headers, body))
    raise FormMalformed("this media type is no form")


async def _body(request: Request) -> bytes:
    received = bytearray()
    async for piece in request.stream():
        received += piece
        if len(received) > LARGEST_FORM:
            raise FormTooLarge
    return bytes(received)


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise FormMalformed("its text is not UTF-8") from None
    except ValueError:
        raise FormTooLarge from None


async def _multipart(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = MultiPartParser(headers, once(), max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_FORM)
    try:
        parsed: FormData = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise FormMalformed("it is no form of text fields") from None
    return [(name, value) for name, value in parsed.multi_items() if isinstance(value, str)]


def _clean(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
