"""The gate in front of the application: answers the consent check without a framework, hands on everything else.

A call in the documented form is answered here, on the event loop where the read does not wait, else on a thread. One
that is not in that form goes to the documented route (check.py), which says what is wrong with it. What middleware
would do for others is done here: limits on size and time, the key, the bucket, the request's id, policy headers,
problem documents, counts and times. No log line and no metric says about whom a question was.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from privacyops.api.app import POLICY_HEADERS
from privacyops.api.body import announced_length, replayed
from privacyops.api.check_wire import ask_of_body, ask_of_query, body_of
from privacyops.api.problems import MEDIA_TYPE
from privacyops.kernel.clock import Clock
from privacyops.kernel.errors import BadRequest, Problem, TooLarge
from privacyops.ports.telemetry import Counter, Telemetry, Timer
from privacyops.services.consent.answering import CheckAnswer
from privacyops.services.consent.checking import Ask, Checker
from privacyops.services.consent.freshness import Mode

PATH: Final = "/v1/check"
MAX_BODY: Final = 4096
READ_S: Final = 2.0
THREADS: Final = 8
TELL_EVERY_S: Final = 1.0
_TELL_AFTER: Final = 4096
_JSON: Final = b"application/json"
_Headers = Iterable[tuple[bytes, bytes]]


class BodyTooLarge(TooLarge):
    type = "/problems/body-too-large"
    title = "The body of a check holds at most 4 KiB"


class BodyTooSlow(BadRequest):
    type = "/problems/request-timeout"
    title = "The body of the call did not arrive in time"
    status = 408


class MethodNotAllowed(BadRequest):
    type = "/problems/method-not-allowed"
    title = "Method Not Allowed"
    status = 405


@dataclass(slots=True)
class Answer:
    """What goes back. `headers` come after those of every answer."""

    status: int
    body: bytes
    request_id: bytes
    media_type: bytes = _JSON
    more: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def every(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers that do not depend on the call."""
        return EVERY

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-length", b"%d" % len(self.body)), (b"content-type", self.media_type),
            (b"x-request-id", self.request_id), *EVERY, *self.more,
        ]  # fmt: skip


EVERY: Final = ((b"cache-control", b"no-store"), *POLICY_HEADERS)
"""Headers of every answer of the gate."""


class CheckDoor:
    """The check without a transport: a call's parts in, its answer out."""

    def __init__(self, checker: Checker, clock: Clock, telemetry: Telemetry) -> None:
        self._checker, self._clock = checker, clock
        self._tally = _Tally(clock, telemetry)
        self._ids, self._prefix = count(1), secrets.token_hex(8)

    def ask_of(self, method: str, query: bytes, headers: _Headers, body: bytes) -> Ask | None:
        """The question; None: for the documented route to answer. Raises: MemberTwice."""
        authorization = kind = None
        for name, value in headers:
            if name == b"authorization":
                authorization = authorization or value
            elif name == b"content-type":
                kind = kind or value
        if authorization is None:
            return None
        if method == "GET":
            return ask_of_query(query, authorization)
        if kind is None or (kind != _JSON and not kind.lower().startswith(_JSON + b";")):
            return None
        return ask_of_body(body, authorization)

    def at_once(self, method: str, query: bytes, headers: _Headers, body: bytes) -> Answer | None:
        """The answer where it needs no thread, no documented route and no word of refusal; else None."""
        began = self._clock.boot_seconds()
        try:
            ask = self.ask_of(method, query, headers, body)
            answer = None if ask is None else self._checker.at_once(ask)
        except Problem:
            return None
        if ask is None or answer is None:
            return None
        return self.granted(ask, answer, began)

    def granted(self, ask: Ask, answer: CheckAnswer, began: float) -> Answer:
        """A 200, for a yes and a no alike."""
        self._tally.decided(answer.decision.reason, ask.mode or Mode.BOUNDED, self._clock.boot_seconds() - began)
        return Answer(200, body_of(answer), self.next_id().encode())

    def refused(self, problem: Problem) -> Answer:
        """The problem document of a refusal."""
        request_id = self.next_id()
        body: dict[str, Any] = {**problem.members, "type": problem.type, "title": problem.title}
        body["status"] = problem.status
        if problem.detail:
            body["detail"] = problem.detail
        body["instance"], body["request_id"] = PATH, request_id
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._tally.refused(problem, request_id)
        return Answer(problem.status, text.encode(), request_id.encode(), MEDIA_TYPE.encode(), _more(problem))

    def next_id(self) -> str:
        """The call's id: unpredictable to others, unique, and cheaper than a random one each time."""
        return f"{self._prefix}{next(self._ids):016x}"

    def patiently(self, ask: Ask) -> CheckAnswer:
        """For a thread."""
        return self._checker.patiently(ask)

    def quickly(self, ask: Ask) -> CheckAnswer | None:
        """For the event loop."""
        return self._checker.at_once(ask)

    def now(self) -> float:
        return self._clock.boot_seconds()

    def tell(self) -> None:
        """Tell the operator now what was counted since the last time."""
        self._tally.tell()


def _more(problem: Problem) -> tuple[tuple[bytes, bytes], ...]:
    members: Mapping[str, Any] = problem.members
    if "retry_after_s" in members:
        return ((b"retry-after", str(members["retry_after_s"]).encode()),)
    if problem.status == 401:
        return ((b"www-authenticate", b"Bearer"),)
    if problem.status == 405:
        return ((b"allow", b"GET, POST"),)
    return ()


class Gate:
    """Answers the consent check; hands every other call to the application unchanged."""

    def __init__(self, app: ASGIApp, door: CheckDoor) -> None:
        self._app, self.door = app, door
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="privacyops-check")

    def close(self) -> None:
        """End the threads, after the calls they are at."""
        self._pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        body: bytes | None = b""
        answer: Answer | None
        try:
            body = await _body(scope, receive)
            if body is None:
                return  # the caller has gone
            answer = await self._answer(scope, body)
        except Problem as problem:
            answer = self.door.refused(problem)
        if answer is None:
            await self._app(scope, replayed(body or b"", receive), send)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers()})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, body: bytes) -> Answer | None:
        """The answer; None: the documented route says what is wrong. Raises: Problem."""
        door, began = self.door, self.door.now()
        ask = door.ask_of(scope["method"], scope["query_string"], scope["headers"], body)
        if ask is None:
            return None
        answer = door.quickly(ask)
        if answer is None:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, door.patiently, ask)
        return door.granted(ask, answer, began)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None: the caller has gone. Raises: MethodNotAllowed, BodyTooLarge, BodyTooSlow."""
    if scope["method"] == "GET":
        return b""
    if scope["method"] != "POST":
        raise MethodNotAllowed
    if announced_length(scope, MAX_BODY) > MAX_BODY:
        raise BodyTooLarge
    parts, size = [], 0
    try:
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                part = message.get("body", b"")
                size += len(part)
                if size > MAX_BODY:
                    raise BodyTooLarge
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise BodyTooSlow from None


class _Tally:
    """Counts what was answered and tells it once a second: telling each by itself would cost more than deciding it.

    Refusals are told one by one; they are rare, and each has its id.
    """

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock, self._telemetry = clock, telemetry
        self._decisions: dict[tuple[str, str], int] = {}
        self._seconds: list[float] = []
        self._told = clock.boot_seconds()

    def decided(self, reason: str, mode: str, seconds: float) -> None:
        at = (reason, mode)
        self._decisions[at] = self._decisions.get(at, 0) + 1
        self._seconds.append(seconds)
        if len(self._seconds) == 1:
            self._promise()
        elif len(self._seconds) >= _TELL_AFTER:
            self.tell()

    def refused(self, problem: Problem, request_id: str) -> None:
        self._telemetry.count(Counter.REQUESTS, "api", PATH, str(problem.status))
        self._telemetry.event(
            "check.refused", problem=problem.type, status=problem.status, request_id=request_id, route=PATH
        )

    def tell(self) -> None:
        """Say what has been counted since the last time."""
        decisions, seconds = self._decisions, self._seconds
        self._decisions, self._seconds = {}, []
        if not seconds:
            return
        for (reason, mode), number in decisions.items():
            self._telemetry.count(Counter.DECISIONS, reason, mode, by=number)
            self._telemetry.event("check.answered", reason=reason, mode=mode, count=number, route=PATH, status=200)
        self._telemetry.count(Counter.REQUESTS, "api", PATH, "200", by=len(seconds))
        for one in seconds:
            self._telemetry.observe(Timer.CHECK, one)

    def _promise(self) -> None:
        """Tell within a second, where there is a loop to do it; without one (a test) at the next thousands."""
        try:
            asyncio.get_running_loop().call_later(TELL_EVERY_S, self.tell)
        except RuntimeError:
            self.tell()
