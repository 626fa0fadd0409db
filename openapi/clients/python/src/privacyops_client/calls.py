"""Every call of the API as steps: what is sent, and what its answer means. No socket, no thread, no event loop."""

import hashlib
import json
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from privacyops_client.answer import Answer, Decision, Source, unavailable
from privacyops_client.person import Identifier, Person, asked_about, require_id, written_about
from privacyops_client.problems import Refused, ScrubIncomplete, Unreachable
from privacyops_client.wire import NO_REPLY, Pause, Reply, Request, Steps, instant_of, json_of, post, require_good

BATCH: Final = 1_000
_ATTEMPTS: Final = 3
_IN_PROGRESS: Final = "/problems/idempotency-in-progress"
_SCRUB_PATIENCE: Final = 600.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one purpose over one channel: `grant`, `refuse` or `defer`."""

    purpose: str
    channel: str
    choice: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The text that the person saw, as it was published."""

    id: str
    version: int
    locale: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left behind. `token`: pass it as `at_least` to a later check, also in another process.

    An event with `applied: false` was recorded, but something later stands against it.
    """

    subject_id: str
    state_version: int
    events: Sequence[Mapping[str, Any]]
    recorded_at: str
    token: str | None
    promise: str | None
    is_replayed: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A double opt-in that was confirmed, now or before."""

    event_id: str
    state: str
    already_confirmed: bool
    token: str | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A person's events, newest first; `next` is `before` of the next page."""

    items: Sequence[Mapping[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt in the form that was asked for."""

    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A list that came back whole. Rows are as the service wrote them; use them before `use_before` (seconds since
    1970)."""

    rows: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    use_before: float

    @property
    def allowed(self) -> Sequence[str]:
        """The `row` of each recipient who may be written to."""
        return [str(one["row"]) for one in self.rows if one.get("decision") == Decision.ALLOW]


def check(
    person: Person,
    purpose: str,
    channel: str,
    brand: str | None,
    jurisdiction: str | None,
    at_least: str | None,
    *,
    strict: bool = False,
) -> Steps[Answer]:
    """Ask the service. Everything but a well-formed 200 about this very question is a no.

    Raises: SubjectMalformed.
    """
    body = {**asked_about(person), **_about(purpose, channel, brand, jurisdiction)}
    if at_least is not None:
        body |= {"mode": "at_least", "token": at_least}
    elif strict:
        body["mode"] = "strict"
    try:
        facts = json_of((yield post("/v1/check", body)))
    except Refused as refused:
        return unavailable(refused.type)
    except Unreachable:
        return unavailable()
    about = (facts.get("purpose"), facts.get("channel"))
    is_about = about == (purpose, channel) and (brand is None or facts.get("brand") in (brand, None))
    return _answer_of(facts) if is_about and isinstance(facts.get("state_version"), int) else unavailable()


def check_many(questions: Sequence[Mapping[str, Any]]) -> Steps[list[Answer]]:
    """Ask up to a thousand at a time; what is not answered is a no."""
    answers: list[Answer] = []
    for start in range(0, len(questions), BATCH):
        part = questions[start : start + BATCH]
        items = [{"ref": str(number), **one} for number, one in enumerate(part)]
        try:
            told = json_of((yield post("/v1/check:batch", {"items": items}))).get("items")
            by_ref = {one["ref"]: one for one in told} if isinstance(told, list) else {}
            answers += [_answer_of(by_ref.get(str(number), {})) for number in range(len(part))]
        except (Unreachable, KeyError, TypeError):
            answers += [unavailable()] * len(part)
        except Refused as refused:
            answers += [unavailable(refused.type)] * len(part)
    return answers


def question(person: Person, purpose: str, channel: str, brand: str | None = None) -> Mapping[str, Any]:
    """One item of `check_many`. Raises: SubjectMalformed."""
    return {**asked_about(person), **_about(purpose, channel, brand, None)}


def _about(purpose: str, channel: str, brand: str | None, jurisdiction: str | None) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "channel": channel,
        **({"brand": brand} if brand is not None else {}),
        **({"jurisdiction": jurisdiction} if jurisdiction is not None else {}),
    }


def _answer_of(facts: Mapping[str, Any]) -> Answer:
    problem = facts.get("problem")
    if isinstance(problem, Mapping):
        return unavailable(str(problem.get("type")))
    decision, reason = facts.get("decision"), facts.get("reason")
    if decision not in ("allow", "deny") or not isinstance(reason, str):
        return unavailable()
    expires_at = facts.get("expires_at")
    if expires_at is not None:
        try:
            instant_of(expires_at)
        except Unreachable:
            return unavailable()
    return Answer(Decision(decision), reason, Source.SERVICE, facts.get("stale") is True, None, facts)


def record(
    person: Person | Sequence[Identifier],
    choices: Iterable[Choice],
    circumstances: Mapping[str, Any],
    occurred_at: datetime | None,
    notice: Notice | None,
    idempotency_key: str | None,
) -> Steps[Written]:
    """Raises: SubjectMalformed, Refused, Unreachable."""
    body: dict[str, Any] = {
        "subject": written_about(person),
        "choices": [{"purpose": one.purpose, "channel": one.channel, "choice": one.choice} for one in choices],
        "occurred_at": (occurred_at or datetime.now(UTC)).isoformat(timespec="milliseconds"),
        **circumstances,
    }
    if notice is not None:
        body["notice"] = {
            "id": notice.id, "version": notice.version, "locale": notice.locale, "sha256": notice.sha256,
        }  # fmt: skip
    return _written((yield from _write("/v1/consents", body, idempotency_key)))


def withdraw(
    person: Person | Sequence[Identifier],
    scope: Mapping[str, str],
    circumstances: Mapping[str, Any],
    idempotency_key: str | None,
) -> Steps[Written]:
    """Raises: SubjectMalformed, Refused, Unreachable."""
    body = {"subject": written_about(person), "scope": scope or "all", **circumstances}
    return _written((yield from _write("/v1/consents:withdraw", body, idempotency_key)))


def confirm(token: str) -> Steps[Confirmed]:
    """Raises: Refused, Unreachable."""
    told = json_of((yield from _write("/v1/consents:confirm", {"token": token}, None)))
    try:
        return Confirmed(told["event_id"], told["state"], told["already_confirmed"] is True, told.get("token"))
    except KeyError:
        raise Unreachable("the answer to the confirmation cannot be read") from None


def history(subject: str, before: str | None, limit: int) -> Steps[HistoryPage]:
    """Raises: SubjectMalformed, Refused, Unreachable."""
    query = {"limit": str(limit), **({"before": before} if before is not None else {})}
    page = json_of((yield Request("GET", f"/v1/subjects/{require_id(subject)}/history", query)))
    return HistoryPage(page.get("items", []), page.get("next"))


def receipt(event_id: str, media_type: str) -> Steps[Receipt]:
    """Raises: Refused, Unreachable."""
    reply = yield Request("GET", f"/v1/receipts/{quote(event_id, safe='')}", headers={"accept": media_type})
    require_good(reply)
    found = reply.headers.get("content-type", "").partition(";")[0].strip()
    if found != media_type:
        raise Unreachable("the receipt came in another form than was asked for")
    return Receipt(found, reply.body)


def scrub(
    recipients: Iterable[Mapping[str, str]], purpose: str, channel: str, brand: str | None, emit: str
) -> Steps[Scrubbed]:
    """Raises: ScrubIncomplete, Refused, Unreachable: use nothing."""
    rows: list[Mapping[str, Any]] = []
    sent, digest = 0, hashlib.sha256()

    def upload() -> Generator[bytes, None, None]:
        nonlocal sent
        for recipient in recipients:
            sent += 1
            yield json.dumps(recipient, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def line(text: str) -> None:
        try:
            row = json.loads(text)
        except ValueError:
            raise ScrubIncomplete("a line of the list cannot be read") from None
        if not isinstance(row, dict) or (rows and "summary" in rows[-1]):
            raise ScrubIncomplete("the list goes on after its summary")
        if "summary" not in row:
            digest.update(text.encode() + b"\n")
        rows.append(row)

    query = {**_about(purpose, channel, brand, None), "emit": emit}
    reply = yield Request(
        "POST", "/v1/scrub", query, {"content-type": "application/x-ndjson", "accept": "application/x-ndjson"},
        upload(), _SCRUB_PATIENCE, line,
    )  # fmt: skip
    require_good(reply)
    return _scrubbed(rows, sent, emit, digest.hexdigest())


def _scrubbed(rows: list[Mapping[str, Any]], sent: int, emit: str, sha256: str) -> Scrubbed:
    """The rows, if their summary says that they are all there and none was changed on the way."""
    summary = rows.pop().get("summary") if rows else None
    if not isinstance(summary, dict):
        raise ScrubIncomplete("the list was cut off: it has no summary")
    told, allowed = summary.get("rows"), summary.get("allowed")
    if told != sent or not isinstance(allowed, int) or summary.get("sha256") != sha256:
        raise ScrubIncomplete("the list and its summary do not fit together")
    expected = {"allowed": (allowed, allowed), "denied": (sent - allowed, 0), "all": (sent, allowed)}
    if (len(rows), sum(1 for row in rows if row.get("decision") == Decision.ALLOW)) != expected.get(emit):
        raise ScrubIncomplete("the list and its summary do not add up")
    return Scrubbed(rows, summary, instant_of(summary.get("use_before")))


def _write(path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Steps[Reply]:
    """Send a write, and again with the same key where it may have been lost.

    Raises: Refused. Unreachable: with the key, so that the caller can repeat it later.
    """
    key = idempotency_key or uuid.uuid4().hex
    request = post(path, body, **{"idempotency-key": key})
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            reply = yield request
            json_of(reply)
        except Refused as refused:
            may_pass = refused.status in (429, 503) or refused.type == _IN_PROGRESS
            if not may_pass or attempt == _ATTEMPTS:
                raise
            yield Pause(min(refused.retry_after or 0.2 * attempt, 5.0))
        except Unreachable as unreachable:
            if attempt == _ATTEMPTS:
                raise Unreachable(unreachable.why, key) from None
            yield Pause(0.2 * attempt)
        else:
            return reply
    return NO_REPLY  # the loop returns or raises


def _written(reply: Reply) -> Written:
    told = json_of(reply)
    try:
        return Written(
            told["subject_id"], int(told["state_version"]), told["events"], told["recorded_at"], told.get("token"),
            told.get("promise"), reply.headers.get("idempotency-replayed") == "true",
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise Unreachable("the answer to the write cannot be read") from None
