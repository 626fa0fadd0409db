"""Requests and replies as values. Calls are generators that yield requests and are sent replies.

So every call is written once; `client` runs them in threads, `aio` on an event loop.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from privacyops_client.problems import Refused, Unreachable

T = TypeVar("T")
USER_AGENT: Final = "privacyops-client/0.1.0"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `lines`: hand over the body of a 200 line by line instead of keeping it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] | None = None
    patience: float = 0.0
    """Seconds to wait beyond the client's timeout: a long poll, a list."""
    lines: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


NO_REPLY: Final = Reply(0, {})
Steps: TypeAlias = Generator[Request | Pause, Reply, T]


class Lines:
    """Cuts a stream of bytes into lines at line feeds alone, as NDJSON is written."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def push(self, part: bytes) -> None:
        *whole, self._rest = (self._rest + part).split(b"\n")
        for line in whole:
            self._take(_text(line))

    def end(self) -> None:
        if self._rest:
            self._take(_text(self._rest))


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Unreachable("a line of the answer is not UTF-8") from None


def post(path: str, body: Mapping[str, Any], **headers: str) -> Request:
    """A JSON request."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Request("POST", path, headers={"content-type": "application/json", **headers}, body=text)


def json_of(reply: Reply) -> Mapping[str, Any]:
    """The object in a successful reply. Raises: Refused: a problem document. Unreachable: anything else."""
    media = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        document = json.loads(reply.body) if media.endswith("json") else None
    except ValueError:
        document = None
    if 200 <= reply.status < 300 and isinstance(document, dict):
        return document
    require_good(reply, document)
    raise Unreachable(f"the answer ({reply.status}, {media or 'no media type'}) is not one of this service")


def require_good(reply: Reply, document: Any = None) -> None:
    """Raises: Refused: the service answered with a problem. Unreachable: somebody else did, such as a proxy."""
    if 200 <= reply.status < 300:
        return
    if document is None and "json" in reply.headers.get("content-type", ""):
        try:
            document = json.loads(reply.body)
        except ValueError:
            document = None
    if isinstance(document, dict) and "type" in document:
        wait = reply.headers.get("retry-after", "")
        raise Refused(reply.status, document, float(wait) if wait.isdigit() else None)
    raise Unreachable(f"the service answered {reply.status} without saying why")


def instant_of(text: object) -> float:
    """Seconds since 1970 of an instant as the service writes it. Raises: Unreachable: it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Unreachable("an instant in the answer cannot be read") from None
    if moment.tzinfo is None:
        raise Unreachable("an instant in the answer has no time zone")
    return moment.timestamp()
