"""Log lines and metrics that can hold no personal data: closed lists of keys, codes as values, no free text."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeAlias
from uuid import UUID

Field: TypeAlias = str | int | float | bool | UUID | datetime | None
"""A text must be a code (letters, digits, `_ . : / + - { }`), else it is withheld and counted."""

LOG_KEYS: Final = frozenset(
    {
        *("action", "actor_kind", "attempt", "account", "api_key", "channel", "code", "connector", "controller"),
        *("count", "cursor_step", "deadline", "door", "dsar", "epoch", "error", "event_id", "frames", "grade"),
        *("job", "kind", "language", "lease", "letter", "logger", "mail", "method", "mode", "outbox", "outcome"),
        *("package", "pages", "pid", "port", "problem", "purpose", "queue", "reason", "regime", "request_id"),
        *("role", "route", "rows", "rule", "run", "seconds", "seq", "session", "setting", "size", "stage", "state"),
        *("status", "step", "store", "task", "template", "tree", "version", "warning", "where", "worker"),
    }
)
"""What a log line may say. Add a key here, with the reviewer's eyes on it, before using it."""


class Counter(StrEnum):
    """What is counted. Labels are in COUNTER_LABELS."""

    REQUESTS = "privacyops_http_requests_total"
    DECISIONS = "privacyops_consent_decisions_total"
    PROBLEMS = "privacyops_problems_total"
    REFUSALS = "privacyops_refusals_total"
    DROPPED_LOG_KEYS = "privacyops_log_keys_dropped_total"
    WITHHELD_LOG_VALUES = "privacyops_log_values_withheld_total"
    MAILS = "privacyops_mails_total"
    JOBS = "privacyops_jobs_total"
    STORE_CALLS = "privacyops_store_calls_total"
    ALARMS = "privacyops_alarms_total"


COUNTER_LABELS: Final[Mapping[Counter, tuple[str, ...]]] = {
    Counter.REQUESTS: ("door", "action", "status"),
    Counter.DECISIONS: ("reason", "mode"),
    Counter.PROBLEMS: ("problem",),
    Counter.REFUSALS: ("door", "reason"),
    Counter.DROPPED_LOG_KEYS: (),
    Counter.WITHHELD_LOG_VALUES: (),
    Counter.MAILS: ("kind", "outcome"),
    Counter.JOBS: ("kind", "outcome"),
    Counter.STORE_CALLS: ("connector", "outcome"),
    Counter.ALARMS: ("kind",),
}


class Timer(StrEnum):
    """What is timed, in seconds. Labels are in TIMER_LABELS."""

    REQUEST = "privacyops_http_request_seconds"
    CHECK = "privacyops_consent_check_seconds"
    JOB_STEP = "privacyops_job_step_seconds"
    STORE_CALL = "privacyops_store_call_seconds"


TIMER_LABELS: Final[Mapping[Timer, tuple[str, ...]]] = {
    Timer.REQUEST: ("door", "action"),
    Timer.CHECK: (),
    Timer.JOB_STEP: ("kind",),
    Timer.STORE_CALL: ("connector",),
}


class Gauge(StrEnum):
    """What stands at some height. Labels are in GAUGE_LABELS."""

    OUTBOX = "privacyops_outbox_waiting"
    JOBS_RUNNING = "privacyops_jobs_running"
    REQUESTS_OPEN = "privacyops_dsar_open"
    REQUESTS_OVERDUE = "privacyops_dsar_overdue"
    CLOCK_OFFSET = "privacyops_clock_offset_seconds"


GAUGE_LABELS: Final[Mapping[Gauge, tuple[str, ...]]] = {
    Gauge.OUTBOX: ("queue",),
    Gauge.JOBS_RUNNING: ("kind",),
    Gauge.REQUESTS_OPEN: (),
    Gauge.REQUESTS_OVERDUE: (),
    Gauge.CLOCK_OFFSET: (),
}


class Telemetry(Protocol):
    """Says what happens, to those who run the house. A log that cannot be written fails nobody's work."""

    def event(self, name: str, **fields: Field) -> None:
        """One line: something happened. `name` is a code such as `dsar.released`."""
        ...

    def warning(self, name: str, **fields: Field) -> None:
        """One line: an operator should look at this."""
        ...

    def failure(self, name: str, error: BaseException, **fields: Field) -> None:
        """One line: class and code of `error` and of its causes, and the frames in our own files. Never its text."""
        ...

    def count(self, counter: Counter, *labels: str, by: int = 1) -> None:
        """Labels in the order of COUNTER_LABELS. Raises: ValueError: not as many."""
        ...

    def observe(self, timer: Timer, seconds: float, *labels: str) -> None: ...

    def level(self, gauge: Gauge, value: float, *labels: str) -> None: ...

    def metrics(self) -> bytes:
        """Everything counted so far, in the Prometheus text format."""
        ...
