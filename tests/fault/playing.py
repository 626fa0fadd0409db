"""Plays for the never-stale tests: services as processes, people who choose, and callers at every door.

Writers send one choice at a time of each person, over any of the services, and again under the same key until one has
acknowledged it. Callers ask at every door and in every freshness mode. What they saw is recorded; histories.py judges.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from privacyops_client import Client

from privacyops.bootstrap import House, build, prepare_database
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey
from privacyops.settings import Controller, Settings
from tests.fault.histories import Check, History, Write
from tests.servers import free_port
from tests.serving import Served, start_service, until

BUSY, CALM = range(8), range(8, 20)
"""People whose choices change all the time, and people whose choices change seldom enough for a door that lags."""
PEOPLE = (*BUSY, *CALM)
ABOUT = {"purpose": "newsletter", "channel": "email"}
COPY_BEHIND_S = 1.0
CLIENT_BEHIND_S = 2.6
_SCOPES = frozenset({Scope.CONSENT_CHECK, Scope.CONSENT_WRITE, Scope.FEED_READ})


def address(person: int) -> str:
    return f"p{person}@example.com"


class Unanswered(Exception):
    """The service did not answer, or said that it cannot."""


@dataclass
class Line:
    """A caller's connection to one service."""

    port: int
    key: str
    timeout: float = 10.0
    _held: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: bytes | None, kind: str = "application/json", key: str = "") -> bytes:
        """The body of a good answer. Raises: Unanswered."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind, "Idempotency-Key": key or uuid4().hex}
        if self._held is None:
            self._held = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            self._held.request(method, path, body, headers)
            answer = self._held.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered from error
        if answer.status >= 500 or answer.status == 409:
            raise Unanswered(told)
        assert answer.status < 300, (path, answer.status, told)
        return told

    def ask(self, path: str, body: Mapping[str, Any], key: str = "", kind: str = "application/json") -> Any:
        return json.loads(self.call("POST", path, json.dumps(body).encode(), kind, key))

    def close(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


@dataclass
class Stand:
    """One process of the service, which can be killed and started again at the same address."""

    values: Mapping[str, Any]
    role: str
    log: Path
    port: int = field(default_factory=free_port)
    served: Served | None = None

    def start(self) -> None:
        self.served = start_service(self.values, self.port, self.log, role=self.role)

    def wait(self) -> None:
        assert self.served is not None
        until(self.served.answers, 300)

    def kill(self) -> None:
        assert self.served is not None
        self.served.kill()

    def stop(self) -> None:
        if self.served is not None:
            self.served.stop()


@dataclass(frozen=True, slots=True)
class Told:
    """What a door said about somebody."""

    person: int
    allowed: bool
    version: int | None = None
    claimed: int = 0


@dataclass(frozen=True, slots=True)
class Door:
    """`answer` asks about some people; one with no answer about somebody leaves them out. `pause_s` between two."""

    name: str
    behind: float
    answer: Callable[[Sequence[int]], list[Told]]
    people: Sequence[int] = PEOPLE
    at_once: int = 1
    pause_s: float = 0.004


@dataclass
class Play:
    """Services over one database, and what happened to those who used them."""

    key: str
    house: House
    writers_use: list[Stand] = field(default_factory=list)
    history: History = field(default_factory=History)
    ids: dict[int, str] = field(default_factory=dict)
    tokens: dict[int, tuple[str, int]] = field(default_factory=dict)
    broken: list[BaseException] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def line(self, stand: Stand) -> Line:
        """A connection that is closed when the play is over."""
        self.lines.append(Line(stand.port, self.key))
        return self.lines[-1]

    # --- the hands ---------------------------------------------------------------------------------------------

    def meet_everybody(self) -> None:
        """Each person's first choice, a yes of every other one, so that everybody has an id to be asked about."""
        line = self.line(self.writers_use[0])
        for person in PEOPLE:
            self._choose([line], person, random.Random(person), grants=person % 4 < 2)

    def write(self, people: Sequence[int], pause_s: float, dice: random.Random) -> None:
        """Choices of these people, one at a time; one without an answer is sent again until it has one."""
        lines = [self.line(stand) for stand in self.writers_use]
        turn = 0
        while not self.over.is_set():
            person, turn = people[turn % len(people)], turn + 1
            dice.shuffle(lines)
            self._choose(lines, person, dice, grants=dice.random() < 0.5)
            self.over.wait(pause_s)

    def _choose(self, lines: Sequence[Line], person: int, dice: random.Random, *, grants: bool) -> None:
        named = {"identifiers": [{"type": "email", "value": address(person)}]}
        if grants:
            path, body = "/v1/consents", {"subject": named, "method": "form", "choices": [{**ABOUT, "choice": "grant"}]}
        else:
            scope: Any = "all" if dice.random() < 0.1 else ABOUT
            path, body = "/v1/consents:withdraw", {"subject": named, "method": "form", "scope": scope}
        began = time.monotonic()
        told = self._insisted(lines, path, body)
        before = next((one for one in reversed(self.history.writes) if one.person == person), None)
        applied = any(event["applied"] for event in told["events"])
        allows = grants if applied else before is not None and before.allows
        self.ids[person] = told["subject_id"]
        self.history.writes.append(Write(person, began, time.monotonic(), allows, told["state_version"]))
        self.tokens[person] = told["token"], told["state_version"]

    def _insisted(self, lines: Sequence[Line], path: str, body: Mapping[str, Any]) -> Any:
        key, end = uuid4().hex, time.monotonic() + 300
        while True:
            for line in lines:
                with suppress(Unanswered):
                    return line.ask(path, body, key)
            assert time.monotonic() < end, "no service came back"
            time.sleep(0.05)

    def ask(self, door: Door, dice: random.Random) -> None:
        """Ask about random people until it is over; no answer at all is a no that proves nothing."""
        while not self.over.is_set():
            people, began = dice.sample(door.people, door.at_once), time.monotonic()
            try:
                told = door.answer(people)
            except Unanswered:
                told = []
                self.over.wait(0.05)
            ended = time.monotonic()
            for one in told:
                check = Check(one.person, began, ended, one.allowed, one.version, door.name, door.behind, one.claimed)
                self.history.checks.append(check)
            self.history.silences[door.name] += len(people) - len(told)
            if door.pause_s:
                self.over.wait(door.pause_s)

    # --- the doors ---------------------------------------------------------------------------------------------

    def gate(self, stand: Stand, behind: float, **how: Any) -> Callable[[Sequence[int]], list[Told]]:
        """The check; `how` says how fresh. With `mode="at_least"` the token of the person's last write goes along."""
        line, kind = self.line(stand), how.pop("kind", "application/json")

        def answer(people: Sequence[int]) -> list[Told]:
            person = people[0]
            body: dict[str, Any] = {"identifier": {"type": "email", "value": address(person)}, **ABOUT, **how}
            claimed = 0
            if how.get("mode") == "at_least":
                body["token"], claimed = self.tokens[person]
            told = line.ask("/v1/check", body, kind=kind)
            if told["stale"]:
                assert told["decision"] == "deny"
                return []
            return [Told(person, told["decision"] == "allow", told["state_version"], claimed)]

        return answer

    def by_id(self, stand: Stand) -> Callable[[Sequence[int]], list[Told]]:
        line = self.line(stand)

        def answer(people: Sequence[int]) -> list[Told]:
            path = f"/v1/check?subject={self.ids[people[0]]}&purpose=newsletter&channel=email"
            told = json.loads(line.call("GET", path, None))
            return [] if told["stale"] else [Told(people[0], told["decision"] == "allow", told["state_version"])]

        return answer

    def batch(self, stand: Stand) -> Callable[[Sequence[int]], list[Told]]:
        line = self.line(stand)

        def answer(people: Sequence[int]) -> list[Told]:
            items = [
                {"ref": str(one), "identifier": {"type": "email", "value": address(one)}, **ABOUT} for one in people
            ]
            told = line.ask("/v1/check:batch", {"items": items})["items"]
            return [Told(int(one["ref"]), one["decision"] == "allow") for one in told]

        return answer

    def scrub(self, stand: Stand) -> Callable[[Sequence[int]], list[Told]]:
        line = self.line(stand)
        path = "/v1/scrub?purpose=newsletter&channel=email&emit=all"

        def answer(people: Sequence[int]) -> list[Told]:
            rows = "\n".join(json.dumps({"row": str(one), "email": address(one)}) for one in people)
            lines = line.call("POST", path, rows.encode(), "application/x-ndjson").splitlines()
            if b'"summary"' not in lines[-1]:
                return []
            told = [json.loads(one) for one in lines[:-1]]
            return [Told(int(one["row"]), one["decision"] == "allow") for one in told]

        return answer

    def by_client(self, client: Client, *, with_token: bool = False) -> Callable[[Sequence[int]], list[Told]]:
        """The client library, in this process, with its own copy fed by the service."""

        def answer(people: Sequence[int]) -> list[Told]:
            person = people[0]
            token, claimed = self.tokens[person] if with_token else (None, 0)
            told = client.allowed(self.ids[person], "newsletter", "email", at_least=token)
            if not told and told.reason in {"UNAVAILABLE", "STALE"}:
                return []
            return [Told(person, bool(told), told.state_version, claimed)]

        return answer

    # --- the play ----------------------------------------------------------------------------------------------

    def run(self, doors: Sequence[Door], is_over: Callable[[], bool], longest_s: float) -> None:
        """Let everybody act until it is over. Raises: AssertionError: it is not over in time, or somebody failed."""
        parts: list[Callable[[], None]] = [
            lambda: self.write(BUSY[::2], 0.0, random.Random(1)),
            lambda: self.write(BUSY[1::2], 0.0, random.Random(2)),
            lambda: self.write(CALM, 0.35, random.Random(3)),
        ]
        for number, door in enumerate(doors):
            parts.append(lambda d=door, n=number: self.ask(d, random.Random(100 + n)))  # type: ignore[misc]  # bound
        threads = [threading.Thread(target=self.guarded, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        try:
            until(lambda: bool(self.broken) or is_over(), longest_s)
        finally:
            self.over.set()
            for thread in threads:
                thread.join(310)
            for line in self.lines:
                line.close()
        assert not self.broken, self.broken
        assert not any(thread.is_alive() for thread in threads)

    def guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # told by `run`
            self.broken.append(error)


def embedded_doors(play: Play, stand: Stand, client: Client) -> list[Door]:
    """Every door of a service whose file is the one that is written to: none of them may be behind."""
    return [
        Door("gate", 0.0, play.gate(stand, 0.0)),
        Door("gate strict", 0.0, play.gate(stand, 0.0, mode="strict")),
        Door("gate at_least", 0.0, play.gate(stand, 0.0, mode="at_least")),
        Door("gate by id", 0.0, play.by_id(stand)),
        Door("documented route", 0.0, play.gate(stand, 0.0, kind="application/vnd.shop+json")),
        Door("batch", 0.0, play.batch(stand), at_once=6),
        Door("scrub", 0.0, play.scrub(stand), at_once=len(PEOPLE), pause_s=0.3),
        Door("client", CLIENT_BEHIND_S, play.by_client(client), CALM, pause_s=0.02),
        Door("client at_least", CLIENT_BEHIND_S, play.by_client(client, with_token=True), CALM, pause_s=0.02),
    ]


@contextmanager
def staged(values: Mapping[str, Any]) -> Iterator[Play]:
    """A migrated database with a key for whoever plays."""
    house = build(Settings.model_validate(dict(values)))
    prepare_database(house)
    ctx = house.context
    just_now = ctx.clock.now() - timedelta(seconds=1)
    admin = ctx.acting_as(staff(AccountId(uuid4()), "shop", Role.ADMIN, step_up_at=just_now))
    play = Play(apikey.create(admin, "play", _SCOPES), house)
    try:
        yield play
    finally:
        play.over.set()
        for line in play.lines:
            line.close()
        for stand in play.writers_use:
            stand.stop()
        house.close()


def shop() -> Controller:
    """Who answers for the processing in a play."""
    return Controller(key="shop", country="DE")
