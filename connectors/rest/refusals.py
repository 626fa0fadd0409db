"""What an answer means: the manifest's own rules first, then what the status says by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from connectors.rest.paths import every
from privacyops.connector_sdk import Misconfigured, NothingHeld, Retriable, StoreRefusal, Terminal
from privacyops.connector_sdk.declarative_acting import ErrorRule

_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_USUAL: Final = (
    "error.code", "error.type", "error", "code", "errors[*].code", "errors[*].extensions.code", "type", "category",
    "status",
)  # fmt: skip
"""Where services put the code of an error."""


@dataclass(frozen=True, repr=False)
class Answer:
    """What came back. `said` is an outcome that the manifest reads into it: already, conflict, blocked."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    said: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300 and not self.said


def judged(answer: Answer, rules: Sequence[ErrorRule], pause: timedelta | None, credential: str) -> Answer:
    """The answer, if the caller can go on with it: done, not there (404, 410), or a conflict (409, 412).

    Raises: Retriable, Misconfigured, NothingHeld, Terminal.
    """
    for rule in rules:
        if _applies(rule, answer):
            if rule.becomes in {"already", "conflict", "blocked"}:
                return Answer(answer.status, answer.body, answer.headers, rule.becomes)
            raise _refusal(rule, pause, credential)
    status = answer.status
    if 200 <= status < 300 or status in {404, 409, 410, 412}:
        return answer
    if status in _LATER:
        raise Retriable(pause, "too_many_requests" if status == 429 else f"status_{status}")
    if status == 401:
        raise Misconfigured(credential, "refused")
    if status == 403:
        raise Misconfigured("scopes", "not_allowed")
    if 300 <= status < 400:
        raise Misconfigured("address", "redirected")
    raise Terminal(f"status_{status}")


def _applies(rule: ErrorRule, answer: Answer) -> bool:
    if rule.status is not None and rule.status != answer.status:
        return False
    if rule.code is None and rule.path is None:
        return True
    if rule.code is None:
        return any(value not in (None, "", False, [], {}) for value in every(rule.path or "", answer.body))
    if rule.path is None and rule.status is None and 200 <= answer.status < 300:
        # the usual places are full of plain data in an answer that went well
        return rule.code in _codes(answer.body, ("error.code", "error", "errors[*].code", "errors[*].extensions.code"))
    return rule.code in _codes(answer.body, (rule.path,) if rule.path else _USUAL)


def _codes(body: Any, paths: Sequence[str]) -> Iterator[str]:
    return (str(value) for path in paths for value in every(path, body) if isinstance(value, str | int))


def _refusal(rule: ErrorRule, pause: timedelta | None, credential: str) -> StoreRefusal:
    code = rule.code or f"status_{rule.status}" if rule.code or rule.status else "error_in_answer"
    if rule.becomes == "Retriable":
        return Retriable(pause or rule.after, code)
    if rule.becomes == "Misconfigured":
        return Misconfigured(rule.setting or credential, code)
    return NothingHeld() if rule.becomes == "NothingHeld" else Terminal(code)
