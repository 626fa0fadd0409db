"""The body of a JSON call: read whole within its limit, and refused where two readers could take it for two things."""

import json
from typing import Any, Final

from starlette.types import Message, Receive, Scope

from privacyops.kernel.errors import BadRequest

_LONGEST_LENGTH: Final = 18
"""Digits of a length that a number of 64 bits holds."""


class MemberTwice(BadRequest):
    type = "/problems/member-twice"
    title = "A member stands twice in the body; two readers could take it for two questions"


def announced_length(scope: Scope, most: int) -> int:
    """The length that the headers announce, 0 where they name none; more than `most` where it is no length at all."""
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if not announced.isdigit() or len(announced) > _LONGEST_LENGTH:
        return most + 1
    return int(announced)


def is_json(scope: Scope) -> bool:
    """Whether the call brings a JSON document."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return kind.partition(b";")[0].strip().lower() == b"application/json"


async def read_whole(receive: Receive, most: int) -> bytes | None:
    """The body; None: it is longer than `most`, or the caller has gone."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that starts with the body that was read already."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MemberTwice
    return members


decode_once: Final = json.JSONDecoder(object_pairs_hook=_once).decode
"""The document of a text. Raises: MemberTwice; ValueError, RecursionError: not JSON."""


def has_member_twice(body: bytes) -> bool:
    """Whether a member stands twice anywhere in it; what is not JSON at all is for others to refuse."""
    try:
        decode_once(body.decode())
    except MemberTwice:
        return True
    except (ValueError, RecursionError):
        return False
    return False
