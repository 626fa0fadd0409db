"""What both clients do, without doing it: each method yields the steps that a thread or an event loop carries out."""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from privacyops_client import calls
from privacyops_client.answer import Answer, unavailable
from privacyops_client.calls import Choice, Confirmed, HistoryPage, Notice, Receipt, Scrubbed, Written
from privacyops_client.clock import Clock, boottime
from privacyops_client.local import Copy, CopyReport
from privacyops_client.person import Identifier, Person
from privacyops_client.problems import FeedBroken, Refused, Unreachable
from privacyops_client.table import SnapshotReader
from privacyops_client.wire import Pause, Request, Steps, json_of, require_good

_log = logging.getLogger("privacyops_client")
_PAGE: Final = 1_000
_LONGEST_WAIT: Final = 25
_SNAPSHOT_PATIENCE: Final = 600.0
_LONGEST_PAUSE: Final = 2.0
_REFUSED_PAUSE: Final = 5.0
_BREATH: Final = 0.02
"""Between two polls of a busy feed, so that a stream of single writes is not a stream of single polls."""
_SPREAD: Final = secrets.SystemRandom()
"""Not the process's own generator: whoever seeded that counts on it, and forked workers would pause alike."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a client behaves. `timeout` and `max_age` are seconds; `brand` is asked for where a call names none."""

    timeout: float = 2.0
    max_age: float = 5.0
    brand: str | None = None
    unknown: Literal["ask", "regime"] = "ask"


class Core:
    """The calls of one client, and its copy where it holds one."""

    def __init__(self, terms: Terms, *, local: bool, clock: Clock = boottime) -> None:
        self.terms = terms
        self.clock = clock
        self.copy = Copy(terms.max_age, unknown_by_regime=terms.unknown == "regime", clock=clock) if local else None

    # --- asking ------------------------------------------------------------------------------------------------

    def allowed(
        self,
        person: Person,
        purpose: str,
        channel: str,
        brand: str | None = None,
        *,
        jurisdiction: str | None = None,
        at_least: str | None = None,
    ) -> Steps[Answer]:
        """Ask the service, and keep the answer in the copy."""
        brand = brand if brand is not None else self.terms.brand
        asked = None
        if self.copy is not None and isinstance(person, str):
            asked = self.copy.question(person, purpose, channel, brand)
        answer = yield from calls.check(
            person, purpose, channel, brand, jurisdiction, at_least, strict=asked is not None
        )
        if self.copy is None or asked is None:
            return answer
        return self.copy.settled(asked, answer, at_least, keep=jurisdiction is None)

    def why(
        self,
        person: Person,
        purpose: str,
        channel: str,
        brand: str | None = None,
        *,
        jurisdiction: str | None = None,
        at_least: str | None = None,
    ) -> Steps[Answer]:
        """The service's own answer with its reason and facts, past the copy."""
        brand = brand if brand is not None else self.terms.brand
        return calls.check(person, purpose, channel, brand, jurisdiction, at_least, strict=at_least is None)

    def allowed_many(
        self, people: Sequence[Person], purpose: str, channel: str, brand: str | None = None
    ) -> Steps[list[Answer]]:
        """One answer for each, in their order; from the copy what it knows, the others in batches of a thousand."""
        brand = brand if brand is not None else self.terms.brand
        answers: list[Answer] = [unavailable()] * len(people)
        left: list[int] = []
        for number, person in enumerate(people):
            found = None
            if self.copy is not None and isinstance(person, str):
                found = self.copy.look(person, purpose, channel, brand, None)
            if found is None:
                left.append(number)
            else:
                answers[number] = found
        told = yield from calls.check_many([calls.question(people[one], purpose, channel, brand) for one in left])
        for number, answer in zip(left, told, strict=True):
            answers[number] = answer
        return answers

    def scrub(
        self,
        recipients: Iterable[Mapping[str, str]],
        purpose: str,
        channel: str,
        brand: str | None = None,
        *,
        emit: Literal["allowed", "denied", "all"] = "allowed",
    ) -> Steps[Scrubbed]:
        """Reduce a list to those who may be written to. A recipient is `{"row": "1", "email": "kim@example.com"}`.

        Raises: ScrubIncomplete, Refused, Unreachable: then use nothing of the list.
        """
        return calls.scrub(recipients, purpose, channel, brand if brand is not None else self.terms.brand, emit)

    # --- writing -----------------------------------------------------------------------------------------------

    def record(
        self,
        person: Person | Sequence[Identifier],
        choices: Iterable[Choice],
        *,
        method: str,
        brand: str | None = None,
        jurisdiction: str | None = None,
        indicated_by: str = "subject",
        occurred_at: datetime | None = None,
        notice: Notice | None = None,
        evidence: Mapping[str, str | int] | None = None,
        client_event_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[Written]:
        """Write down what a person chose, also a no. The moment is that of this call where none is given.

        Raises: SubjectMalformed. Refused. Unreachable: it may have happened; repeat it with its `idempotency_key`
        and `occurred_at`.
        """
        circumstances = self._circumstances(method, brand, jurisdiction, indicated_by, evidence, client_event_id)
        written = yield from calls.record(person, choices, circumstances, occurred_at, notice, idempotency_key)
        return self._wrote(written)

    def withdraw(
        self,
        person: Person | Sequence[Identifier],
        *,
        method: str,
        purpose: str | None = None,
        channel: str | None = None,
        brand: str | None = None,
        jurisdiction: str | None = None,
        indicated_by: str = "subject",
        evidence: Mapping[str, str | int] | None = None,
        client_event_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[Written]:
        """Stop a purpose, a channel, one over the other, or, where neither is named, everything.

        A brand has to be named here to stop for it alone; the client's default brand does not narrow a stop.
        Raises: SubjectMalformed. Refused. Unreachable: repeat it with its `idempotency_key`.
        """
        named = {"purpose": purpose, "channel": channel}
        scope = {name: value for name, value in named.items() if value is not None}
        about = self._circumstances(method, brand, jurisdiction, indicated_by, evidence, client_event_id)
        if brand is None:
            about.pop("brand", None)
        return self._wrote((yield from calls.withdraw(person, scope, about, idempotency_key)))

    def confirm(self, token: str) -> Steps[Confirmed]:
        """Confirm a double opt-in with the token of its mail. Raises: Refused, Unreachable."""
        return calls.confirm(token)

    def history(self, subject: str, *, before: str | None = None, limit: int = 50) -> Steps[HistoryPage]:
        """A person's events, newest first. Raises: SubjectMalformed, Refused, Unreachable."""
        return calls.history(subject, before, limit)

    def receipt(self, event_id: str, media_type: str = "application/jose") -> Steps[Receipt]:
        """The receipt of one event, in the form named by its media type. Raises: Refused, Unreachable."""
        return calls.receipt(event_id, media_type)

    def _circumstances(
        self,
        method: str,
        brand: str | None,
        jurisdiction: str | None,
        indicated_by: str,
        evidence: Mapping[str, str | int] | None,
        client_event_id: str | None,
    ) -> dict[str, Any]:
        given: dict[str, Any] = {
            "method": method, "brand": brand if brand is not None else self.terms.brand, "jurisdiction": jurisdiction,
            "indicated_by": indicated_by, "evidence": evidence, "client_event_id": client_event_id,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def _wrote(self, written: Written) -> Written:
        if self.copy is not None:
            self.copy.wrote(written.subject_id, written.state_version, written.token)
        return written

    # --- keeping the copy --------------------------------------------------------------------------------------

    def report(self) -> CopyReport | None:
        """How the copy stands; None: this client holds none."""
        return self.copy.report() if self.copy is not None else None

    def follow(self, is_wanted: Callable[[], bool]) -> Steps[None]:
        """Take the snapshot and follow the feed while this is wanted; ends by itself only where the feed is broken."""
        copy, failures = self.copy, 0
        while copy is not None and is_wanted():
            try:
                if copy.needs_snapshot:
                    yield from self._take(copy)
                yield from self._poll(copy)
                failures = 0
            except FeedBroken as broken:
                copy.stop(str(broken))
                _log.error("the change feed is broken, every check goes to the service from now on: %s", broken)
                return
            except Refused as refused:
                if refused.status == 410 and not copy.needs_snapshot:
                    copy.discard("the feed no longer reaches back to where this copy stands")
                    failures += 1
                    if failures > 1:
                        yield Pause(_pause_after(failures))
                    continue
                copy.trouble = refused.type
                _log.warning("the change feed is refused: %s", refused)
                yield Pause(max(refused.retry_after or 0.0, _REFUSED_PAUSE))
            except Unreachable as unreachable:
                failures += 1
                copy.trouble = unreachable.why
                yield Pause(_pause_after(failures))

    def _take(self, copy: Copy) -> Steps[None]:
        snapshot = SnapshotReader()
        copy.snapshot_begins()
        sent = self.clock()
        reply = yield Request(
            "GET", "/v1/changes/snapshot", patience=_SNAPSHOT_PATIENCE, lines=snapshot.line,
            headers={"accept": "application/x-ndjson"},
        )  # fmt: skip
        require_good(reply)
        copy.take(snapshot, sent)

    def _poll(self, copy: Copy) -> Steps[None]:
        """One page. A poll rests at the service for less than half of what the copy may be old, so that an idle feed
        never makes it stale."""
        rest = min(int(self.terms.max_age * 0.4), _LONGEST_WAIT)
        query = {"after": str(copy.seq), "limit": str(_PAGE), "wait": str(rest)}
        if copy.key_id is not None:
            query["key_id"] = copy.key_id  # the service says 410 where the hashes of this copy are no longer its own
        sent, before = self.clock(), copy.seq
        page = json_of((yield Request("GET", "/v1/changes", query, patience=float(rest))))
        is_last = copy.apply(page, sent)
        took = self.clock() - sent
        if is_last and (rest == 0 or (copy.seq == before and took < rest / 2)):
            yield Pause(min(self.terms.max_age * 0.2, 0.2))
        elif is_last and took < _BREATH:
            yield Pause(_BREATH)


def _pause_after(failures: int) -> float:
    """Longer with each failure, up to two seconds, and a little different for each client."""
    ceiling = min(0.05 * 2.0 ** min(failures, 8), _LONGEST_PAUSE)
    return ceiling * _SPREAD.uniform(0.5, 1.0)
