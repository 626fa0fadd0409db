"""Log lines as JSON, metrics by prometheus_client; neither can be made to say a name.

Nothing free passes: keys come from a closed list, texts must be codes, and an exception is told by its class, its
code and the frames in our own files. Messages of exceptions and of other libraries' log records are never read,
since drivers quote the row that offended them and clients the URL they called.
"""

import contextlib
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO
from uuid import UUID

import prometheus_client

from privacyops.kernel.clock import Clock
from privacyops.ports.telemetry import (
    COUNTER_LABELS,
    GAUGE_LABELS,
    LOG_KEYS,
    TIMER_LABELS,
    Counter,
    Field,
    Gauge,
    Timer,
)

WITHHELD: Final = "withheld"
_LEVELS: Final = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
_CODE: Final = re.compile(r"[A-Za-z0-9_.:/+{}-]{0,128}", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9_.:/{}-]{1,64}", re.ASCII)
_OWN: Final = ("privacyops", "connectors")
_DEEPEST_CAUSE: Final = 4
_MOST_FRAMES: Final = 12
_MOST_LABEL_SETS: Final = 500
_FURTHER: Final = "further"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
_SPOKEN_LOGGERS: Final = frozenset({"uvicorn.error"})
"""Loggers whose templates (never their values) are printed: they say when the server came up and went down."""


class JsonTelemetry:
    """Telemetry to one stream of JSON lines and one registry of metrics."""

    def __init__(self, clock: Clock, stream: TextIO | None = None, level: int = logging.INFO) -> None:
        self._clock = clock
        self._registry = prometheus_client.CollectorRegistry()
        self._counters = {
            name: prometheus_client.Counter(name.removesuffix("_total"), name.name, labels, registry=self._registry)
            for name, labels in COUNTER_LABELS.items()
        }
        self._timers = {
            name: prometheus_client.Histogram(name, name.name, labels, registry=self._registry, buckets=_BUCKETS)
            for name, labels in TIMER_LABELS.items()
        }
        self._gauges = {
            name: prometheus_client.Gauge(name, name.name, labels, registry=self._registry)
            for name, labels in GAUGE_LABELS.items()
        }
        self._label_sets: dict[str, set[tuple[str, ...]]] = {}
        self._stream = stream or sys.stderr
        self._level = level
        self._writing = threading.Lock()

    def event(self, name: str, **fields: Field) -> None:
        self._say(logging.INFO, name, fields)

    def warning(self, name: str, **fields: Field) -> None:
        self._say(logging.WARNING, name, fields)

    def failure(self, name: str, error: BaseException, **fields: Field) -> None:
        self._say(logging.ERROR, name, {**fields, **told(error)})

    def _say(self, level: int, name: str, fields: Mapping[str, Any]) -> None:
        """One line, with known keys and codes only; what is left out is counted, not shown."""
        if level < self._level:
            return
        at = self._clock.now().isoformat(timespec="milliseconds")
        line = {**self._closed({**fields, "event": name}), "level": _LEVELS[level], "at": at}
        text = json.dumps(line, sort_keys=True)
        # A full disk or a closed pipe under the log must not fail the work that is logged
        with contextlib.suppress(OSError, ValueError), self._writing:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def count(self, counter: Counter, *labels: str, by: int = 1) -> None:
        metric = self._counters[counter]
        (metric.labels(*self._bounded(counter, labels)) if labels else metric).inc(by)

    def observe(self, timer: Timer, seconds: float, *labels: str) -> None:
        metric = self._timers[timer]
        (metric.labels(*self._bounded(timer, labels)) if labels else metric).observe(seconds)

    def level(self, gauge: Gauge, value: float, *labels: str) -> None:
        metric = self._gauges[gauge]
        (metric.labels(*self._bounded(gauge, labels)) if labels else metric).set(value)

    def metrics(self) -> bytes:
        return prometheus_client.generate_latest(self._registry)

    def take_over(self) -> None:
        """Route what others say through here: log records, warnings, and crashes of this process and its threads.

        Called once by the entry points; a library never does this.
        """
        handler = _ForeignRecords(self)
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
        for spoken in _SPOKEN_LOGGERS:
            logging.getLogger(spoken).setLevel(logging.INFO)
        logging.captureWarnings(capture=True)
        sys.excepthook = self._crashed
        threading.excepthook = lambda crash: self._crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)

    def _crashed(
        self, kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None = None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt | SystemExit):
            self.failure("process.crashed", error or kind())

    def _closed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in fields.items():
            if key not in LOG_KEYS and key != "event":
                self.count(Counter.DROPPED_LOG_KEYS)
                continue
            kept[key] = _told_value(value)
            if kept[key] == WITHHELD or (isinstance(kept[key], list) and WITHHELD in kept[key]):
                self.count(Counter.WITHHELD_LOG_VALUES)
        return kept

    def _bounded(self, metric: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        """`labels` as codes. A metric holds 500 sets of them; later ones are counted together."""
        told_labels = tuple(label if _LABEL.fullmatch(label) else WITHHELD for label in labels)
        known = self._label_sets.setdefault(metric, set())
        if told_labels not in known:
            if len(known) >= _MOST_LABEL_SETS:
                return (_FURTHER,) * len(labels)
            known.add(told_labels)
        return told_labels


def _told_value(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case UUID() | datetime():
            return str(value).replace(" ", "T")
        case str():
            return str(value) if _CODE.fullmatch(value) else WITHHELD
        case list():
            return [_told_value(item) for item in value]
        case _:
            return WITHHELD


def told(error: BaseException) -> dict[str, Any]:
    """What may be said of an exception: class and code of it and of its causes, and our own frames."""
    fields: dict[str, Any] = {"error": [_name(cause) for cause in _causes(error)], "frames": _own_frames(error)}
    codes = (getattr(error, name, None) for name in ("code", "sqlstate", "type"))
    fields["code"] = next((code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)), None)
    return fields


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".replace("<locals>", "local")


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if at is None:
            return
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _own_frames(error: BaseException) -> list[str]:
    """`file:line:function` of frames in our packages, the innermost last."""
    found = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        parts = Path(frame.f_code.co_filename).parts
        own = next((parts.index(name) for name in _OWN if name in parts), None)
        if own is not None:
            found.append(f"{'/'.join(parts[own:])}:{line}:{frame.f_code.co_name.strip('<>')}")
    return found[-_MOST_FRAMES:]


class _ForeignRecords(logging.Handler):
    """Other libraries' log records: where and how serious, not what they say."""

    def __init__(self, telemetry: JsonTelemetry) -> None:
        super().__init__()
        self._telemetry = telemetry

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Field] = {"logger": record.name, "where": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            self._telemetry.failure("library.failed", record.exc_info[1], **fields)
        elif record.levelno >= logging.WARNING:
            self._telemetry.warning("library.warned", **fields)
        elif record.name in _SPOKEN_LOGGERS and isinstance(record.msg, str):
            self._telemetry.event("library.said", **fields, state=_as_code(record.msg))


def _as_code(template: str) -> str:
    """A template such as `Started server process [%d]` as `started_server_process`: its words, never its values."""
    return "_".join(re.findall(r"[a-z]+", re.sub(r"%\W*\w", "", template).lower()))[:64]
