"""A host's copy whose process is frozen, killed and started again; a reader that is too trusting; tokens of writes."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from privacyops.bootstrap import build, make_checker
from privacyops.domain.subject import IdentifierType
from privacyops.services.consent.checking import Ask, Checker
from privacyops.settings import Settings
from privacyops.store.check_reader import CopyReader
from privacyops.store.check_rows import Raw
from privacyops.store.replica import boot_id
from tests.fault.cluster import Cluster, clustered
from tests.fault.histories import violations
from tests.fault.playing import ABOUT, COPY_BEHIND_S, Door, Line, Play, Told, Unanswered, address

pytestmark = [pytest.mark.fault, pytest.mark.postgres, pytest.mark.long]


@pytest.fixture(scope="module")
def running(migrated_postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One start of all processes for this module; each test leaves them running."""
    with clustered(migrated_postgres, tmp_path_factory.mktemp("cluster")) as made:
        yield made


def repeated(line: Line, path: str, body: Mapping[str, Any]) -> Any:
    """The answer, asked for again under the same key while a busy machine has none. Raises: Unanswered."""
    key, end = uuid4().hex, time.monotonic() + 60
    while True:
        try:
            return line.ask(path, body, key)
        except Unanswered:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def pairs(play: Play, person: int, rounds: int, lines: Sequence[Line], near: Line, wrong: list[str]) -> int:
    """Write over one host or the other, ask the copy with the token at once; how often the copy itself answered."""
    contact = {"type": "email", "value": f"pair{person}@example.com"}
    from_copy, named = 0, {"identifiers": [contact]}
    for turn in range(rounds):
        grants = turn % 2 == 0
        about: dict[str, Any] = {"choices": [{**ABOUT, "choice": "grant"}]} if grants else {"scope": ABOUT}
        body = {"subject": named, "method": "form", **about}
        line = lines[turn // 2 % len(lines)]
        written = repeated(line, "/v1/consents" if grants else "/v1/consents:withdraw", body)
        question = {"identifier": contact, **ABOUT, "mode": "at_least", "token": written["token"]}
        told = repeated(near, "/v1/check", question)
        if told["state_version"] < written["state_version"] or (told["decision"] == "allow") is not grants:
            wrong.append(f"{turn}: {told} after {written}")
        from_copy += told["age_ms"] > 0
    return from_copy


@pytest.mark.parametrize("count", [400, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_copy_asked_with_the_token_of_a_write_shows_that_write(running: Cluster, count: int) -> None:
    """Case 67."""
    play, wrong, copied, callers = running.play, list[str](), list[int](), 4

    def work(person: int) -> None:
        lines = [Line(stand.port, play.key, timeout=60) for stand in (running.near, running.far)]
        copied.append(pairs(play, person, count // callers, lines, lines[0], wrong))
        for line in lines:
            line.close()

    threads = [threading.Thread(target=work, args=(person,)) for person in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(copied) == callers, "a caller has failed"
    assert sum(copied) > count // 4, "the copy answers within the wait, seldom the primary"


class Trusting(CopyReader):
    """A mutant of the reader: it takes its copy for fresh. It is here to be caught."""

    def age_ms(self, raw: Raw) -> int:
        return 1


def test_a_reader_that_takes_a_frozen_copy_for_fresh_is_caught(running: Cluster) -> None:
    play = running.play
    play.over.clear()
    house = build(Settings.model_validate({**running.near.values}))
    honest, seconds = make_checker(house), house.context.clock.boot_seconds
    mutant = Checker(house.context, Trusting(str(running.link), seconds, boot_id()), honest._primary)
    header = b"Bearer " + play.key.encode()

    def answer(people: Sequence[int]) -> list[Told]:
        ask = Ask(header, "newsletter", "email", identifier=(IdentifierType.EMAIL, address(people[0])))
        told = mutant.at_once(ask) or mutant.patiently(ask)
        return [Told(people[0], told.decision.is_allowed, told.state_version)]

    assert running.copier.served is not None
    running.follows()
    running.copier.served.process.send_signal(signal.SIGSTOP)
    began = seconds()
    doors = [Door("copy", COPY_BEHIND_S, play.gate(running.near, 0.0)), Door("mutant", COPY_BEHIND_S, answer)]
    try:
        play.run(doors, lambda: seconds() > began + 3.0, 60)
    finally:
        running.copier.served.process.send_signal(signal.SIGCONT)
        mutant._source.close()
        honest.close()
        house.close()
    found = violations(play.history.writes, play.history.checks)
    assert any("allowed after an acknowledged withdrawal" in one for one in found)
    assert {one.partition(":")[0] for one in found} == {"mutant"}
    assert any(check.door == "copy" for check in play.history.checks), "the honest door answered from the database"


def test_a_killed_replica_makes_its_copy_anew_and_follows_again(running: Cluster) -> None:
    before = running.link.resolve()
    running.copier.kill()
    running.copier.start()
    running.follows()
    assert running.link.resolve() != before
    assert not before.exists()


def test_a_replica_that_was_told_to_stop_goes_on_with_its_copy(running: Cluster) -> None:
    before = running.link.resolve()
    running.copier.stop()
    running.copier.start()
    running.follows()
    assert running.link.resolve() == before


def test_a_second_replica_process_over_the_same_copy_is_refused(running: Cluster, tmp_path: Path) -> None:
    """Two would each believe to be the one that knows how new the copy is."""
    log = tmp_path / "second.log"
    second = type(running.copier)(running.copier.values, "replica", log)
    second.start()
    assert second.served is not None
    assert second.served.process.wait(60) != 0
    assert "Another process keeps this copy" in log.read_text()
