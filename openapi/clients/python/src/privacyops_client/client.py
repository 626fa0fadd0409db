"""The client for threads. The one for event loops is `aio.AsyncClient`; both carry out the same steps."""

import functools
import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, Literal, ParamSpec, Self, TypeVar

import httpx

from privacyops_client.answer import Answer
from privacyops_client.core import Core, Terms
from privacyops_client.local import CopyReport
from privacyops_client.person import Person
from privacyops_client.problems import Unreachable
from privacyops_client.wire import NO_REPLY, USER_AGENT, Lines, Pause, Reply, Request, Steps

P = ParamSpec("P")
T = TypeVar("T")


def _carried_out(call: Callable[Concatenate[Core, P], Steps[T]]) -> Callable[Concatenate["Client", P], T]:
    @functools.wraps(call)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._carry_out(call(self._core, *args, **kwargs))

    return method


class Client:
    """Asks, records and withdraws; may be shared by threads. Close it, or use it in a `with` statement.

    `local=True` holds a copy of all answers in memory, kept up by a thread: a check then costs about a microsecond.
    `max_age`: seconds for which the copy may answer without having been confirmed. `unknown`: what the copy does about
    people it has never heard of: `ask` the service, or a no at once, under every `regime`, for an id that leads to
    nobody is one. `timeout`: seconds for one call. `brand`: the storefront where a call names none. `http`: a client of
    httpx with your own TLS or proxy settings; it is left open.
    """

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
        http: httpx.Client | None = None,
    ) -> None:
        self._core = Core(Terms(timeout, max_age, brand, unknown), local=local)
        self._copy = self._core.copy
        self._brand = brand
        self._base = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}", "user-agent": USER_AGENT}
        self._owns_http = http is None
        self._http = http or httpx.Client()
        self._ended = threading.Event()
        self._reader: threading.Thread | None = None
        if local:
            self._start_reader()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=functools.partial(_forked, weakref.ref(self)))

    def allowed(
        self,
        person: Person,
        purpose: str,
        channel: str,
        brand: str | None = None,
        *,
        jurisdiction: str | None = None,
        at_least: str | None = None,
    ) -> Answer:
        """Whether it may be done now. True or false, with the reason; a failure of any kind is a no.

        `at_least`: the token of a write that the answer has to show. Raises: SubjectMalformed.
        """
        copy = self._copy
        if copy is not None and jurisdiction is None and type(person) is str:
            found = copy.look(person, purpose, channel, brand if brand is not None else self._brand, at_least)
            if found is not None:
                return found
            if self._reader is None:
                self._start_reader()
        asked = self._core.allowed(person, purpose, channel, brand, jurisdiction=jurisdiction, at_least=at_least)
        return self._carry_out(asked)

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

    def close(self) -> None:
        """Stop the reader and close the connections. Waits for the poll that is under way."""
        self._ended.set()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join()
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _start_reader(self) -> None:
        steps = self._core.follow(lambda: not self._ended.is_set())
        self._reader = threading.Thread(target=self._carry_out, args=(steps,), name="privacyops-copy", daemon=True)
        self._reader.start()

    def begin_in_child(self) -> None:
        """After a fork: the copy is here, but neither the thread that keeps it up, nor connections of one's own."""
        self._reader, self._ended = None, threading.Event()
        if self._copy is not None:
            self._copy.unlock()
        if self._owns_http:
            self._http = httpx.Client()

    def _carry_out(self, steps: Steps[T]) -> T:
        """Do what a call asks for, step by step, until it has its answer."""
        try:
            step = next(steps)
            while True:
                try:
                    reply = self._do(step)
                except (Unreachable, httpx.HTTPError, httpx.InvalidURL) as failed:
                    step = steps.throw(unreachable(failed))
                else:
                    step = steps.send(reply)
        except StopIteration as answered:
            value: T = answered.value
            return value

    def _do(self, step: Request | Pause) -> Reply:
        if isinstance(step, Pause):
            self._ended.wait(step.seconds)
            return NO_REPLY
        with self._http.stream(
            step.method, self._base + step.path, headers={**self._headers, **step.headers}, params=step.query,
            content=step.body, timeout=self._core.terms.timeout + step.patience,
        ) as response:  # fmt: skip
            headers = dict(response.headers)
            if step.lines is None or response.status_code != 200:
                return Reply(response.status_code, headers, response.read())
            lines = Lines(step.lines)
            for part in response.iter_bytes():
                lines.push(part)
            lines.end()
            return Reply(response.status_code, headers)


def _forked(held: weakref.ref[Client]) -> None:
    client = held()
    if client is not None:
        client.begin_in_child()


def unreachable(failed: Exception) -> Unreachable:
    """The failure by its kind; its text could hold an address."""
    return failed if isinstance(failed, Unreachable) else Unreachable(f"no answer: {type(failed).__name__}")
