"""The client for event loops; carries out the same steps as `client.Client`."""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar

import httpx

from privacyops_client.answer import Answer
from privacyops_client.client import unreachable
from privacyops_client.core import Core, Terms
from privacyops_client.local import CopyReport
from privacyops_client.person import Person
from privacyops_client.problems import Unreachable
from privacyops_client.wire import NO_REPLY, USER_AGENT, Lines, Pause, Reply, Request, Steps

P = ParamSpec("P")
T = TypeVar("T")


def _carried_out(
    call: Callable[Concatenate[Core, P], Steps[T]],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, T]]:
    @functools.wraps(call)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._carry_out(call(self._core, *args, **kwargs))

    return method


class AsyncClient:
    """As `Client`, for one event loop. With `local=True` the copy is kept up by a task from `async with` (or the first
    question) on."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        local: bool = False,
        brand: str | None = None,
        timeout: float = 2.0,
        max_age: float = 5.0,
        unknown: Literal["ask", "regime"] = "ask",
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._core = Core(Terms(timeout, max_age, brand, unknown), local=local)
        self._copy = self._core.copy
        self._brand = brand
        self._base = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}", "user-agent": USER_AGENT}
        self._owns_http = http is None
        self._http = http or httpx.AsyncClient()
        self._reader: asyncio.Task[None] | None = None
        self._pid = 0

    async def allowed(
        self,
        person: Person,
        purpose: str,
        channel: str,
        brand: str | None = None,
        *,
        jurisdiction: str | None = None,
        at_least: str | None = None,
    ) -> Answer:
        """As `Client.allowed`. What the copy knows is answered without giving up the event loop."""
        copy = self._copy
        if copy is not None and jurisdiction is None and type(person) is str:
            found = copy.look(person, purpose, channel, brand if brand is not None else self._brand, at_least)
            if found is not None:
                return found
            self._start_reader()
        asked = self._core.allowed(person, purpose, channel, brand, jurisdiction=jurisdiction, at_least=at_least)
        return await self._carry_out(asked)

    why = _carried_out(Core.why)
    allowed_many = _carried_out(Core.allowed_many)
    scrub = _carried_out(Core.scrub)
    record = _carried_out(Core.record)
    withdraw = _carried_out(Core.withdraw)
    confirm = _carried_out(Core.confirm)
    history = _carried_out(Core.history)
    receipt = _carried_out(Core.receipt)

    @property
    def copy_report(self) -> CopyReport | None:
        """How the copy stands, for a health page; None: this client holds none."""
        return self._core.report()

    async def close(self) -> None:
        """Stop the reader and close the connections."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        if self._copy is not None:
            self._start_reader()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def _start_reader(self) -> None:
        """Unless one is at work: a forked process, or another loop, has the copy and no task that keeps it up."""
        is_at_work = self._reader is not None and self._pid == os.getpid() and not self._reader.done()
        if not is_at_work and not (self._copy is not None and self._copy.is_broken):
            self._pid = os.getpid()
            self._reader = asyncio.get_running_loop().create_task(
                self._carry_out(self._core.follow(lambda: True)), name="privacyops-copy"
            )

    async def _carry_out(self, steps: Steps[T]) -> T:
        """Do what a call asks for, step by step, until it has its answer."""
        try:
            step = next(steps)
            while True:
                try:
                    reply = await self._do(step)
                except (Unreachable, httpx.HTTPError, httpx.InvalidURL) as failed:
                    step = steps.throw(unreachable(failed))
                else:
                    step = steps.send(reply)
        except StopIteration as answered:
            value: T = answered.value
            return value

    async def _do(self, step: Request | Pause) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return NO_REPLY
        content = step.body if step.body is None or isinstance(step.body, bytes) else _in_turns(step.body)
        async with self._http.stream(
            step.method, self._base + step.path, headers={**self._headers, **step.headers}, params=step.query,
            content=content, timeout=self._core.terms.timeout + step.patience,
        ) as response:  # fmt: skip
            headers = dict(response.headers)
            if step.lines is None or response.status_code != 200:
                return Reply(response.status_code, headers, await response.aread())
            lines = Lines(step.lines)
            async for part in response.aiter_bytes():
                lines.push(part)
            lines.end()
            return Reply(response.status_code, headers)


async def _in_turns(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """An upload that leaves the event loop to others between its parts."""
    for part in parts:
        yield part
        await asyncio.sleep(0)
