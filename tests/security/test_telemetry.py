"""Nothing personal gets into a log line or a metric, whatever is thrown at them."""

import io
import json
import logging
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.telemetry import JsonTelemetry, told
from privacyops.connector_sdk.errors import Terminal
from privacyops.domain.password import require_strong
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Problem
from privacyops.ports.telemetry import Counter, Gauge, Timer

CANARY = "kim.canary@example.com"
CLOCK = ManualClock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))


class Line:
    """A telemetry over a text in memory."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.telemetry = JsonTelemetry(CLOCK, self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return found

    @property
    def metrics(self) -> str:
        return self.telemetry.metrics().decode()


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_line_says_what_when_and_how_serious(line: Line) -> None:
    line.telemetry.event("dsar.released", dsar=UUID(int=7), state="answering", count=3, seconds=0.5)
    assert line.last == {
        "event": "dsar.released",
        "level": "info",
        "at": "2026-11-22T10:00:00.000+00:00",
        "dsar": "00000000-0000-0000-0000-000000000007",
        "state": "answering",
        "count": 3,
        "seconds": 0.5,
    }


def test_an_unknown_key_is_dropped_and_counted(line: Line) -> None:
    line.telemetry.event("dsar.received", email=CANARY, state="received")
    assert set(line.last) == {"event", "level", "at", "state"}
    assert "privacyops_log_keys_dropped_total 1.0" in line.metrics


@pytest.mark.parametrize(
    "value", [CANARY, "Kim Canary", "Zürich", "a" * 129, "x\ny", "1.2.3.4 - -", b"bytes", {"a": 1}]
)
def test_a_value_that_is_no_code_is_withheld_and_counted(line: Line, value: Any) -> None:
    line.telemetry.event("dsar.received", state=value)
    assert line.last["state"] == "withheld"
    assert "privacyops_log_values_withheld_total 1.0" in line.metrics


def test_a_name_of_a_line_is_a_code_too(line: Line) -> None:
    line.telemetry.event(f"mail to {CANARY}")
    assert line.last["event"] == "withheld"


@given(key=st.text(min_size=1, max_size=20), value=st.text(max_size=100))
def test_no_text_with_a_blank_or_an_at_sign_reaches_the_log(key: str, value: str) -> None:
    line = Line()
    line.telemetry.event("x", **{"state": f"{value}@{value} ", key if key != "name" else "state": f" {value}"})
    assert set(line.last) <= {"event", "level", "at", "state"} | {key}
    assert line.last["state"] == "withheld"


# --- failures --------------------------------------------------------------------------------------------------


def _integrity_error() -> sqlite3.IntegrityError:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE t (mail TEXT UNIQUE CHECK (mail <> 'x'))")
        database.execute("INSERT INTO t VALUES (?)", (CANARY,))
        database.execute("INSERT INTO t VALUES (?)", (CANARY,))
    except sqlite3.IntegrityError as error:
        return error
    finally:
        database.close()
    raise AssertionError


def test_a_failure_is_told_by_its_class_and_never_by_its_text(line: Line) -> None:
    try:
        try:
            raise _integrity_error()
        except sqlite3.IntegrityError as cause:
            raise LookupError(f"no row for {CANARY}") from cause
    except LookupError as error:
        line.telemetry.failure("dsar.search_failed", error, stage="search")
    assert line.last["error"] == ["builtins.LookupError", "sqlite3.IntegrityError"]
    assert "canary" not in line.text


def test_our_own_problems_and_refusals_say_their_code(line: Line) -> None:
    class Told(Problem):
        type = "/problems/told"

    line.telemetry.failure("x", Told(CANARY))
    assert line.last["code"] == "/problems/told"
    line.telemetry.failure("x", Terminal("no_such_table"))
    assert line.last["code"] == "no_such_table"
    assert "canary" not in line.text


def test_a_code_that_is_none_is_left_out(line: Line) -> None:
    class Odd(Exception):
        code = CANARY

    line.telemetry.failure("x", Odd())
    assert line.last["code"] is None
    assert "canary" not in line.text


def test_only_our_own_frames_are_shown() -> None:
    try:
        require_strong("short")
    except Problem as error:
        fields = told(error)
    assert [frame.rpartition(":")[2] for frame in fields["frames"]] == ["require_strong"]
    assert fields["frames"][0].startswith("privacyops/domain/password.py:")


def test_a_circle_of_causes_ends(line: Line) -> None:
    first, second = ValueError(CANARY), KeyError(CANARY)
    first.__cause__, second.__cause__ = second, first
    line.telemetry.failure("x", first)
    assert len(line.last["error"]) == 4


def test_a_log_that_cannot_be_written_fails_nobodys_work(line: Line) -> None:
    line.stream.close()
    line.telemetry.event("dsar.released")
    line.telemetry.failure("x", ValueError())


# --- what others say -------------------------------------------------------------------------------------------


@pytest.fixture
def taken_over(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)  # a server of another test may have ended that
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level, spoken = root.handlers[:], root.level, logging.getLogger("uvicorn.error").level
    line.telemetry.take_over()
    yield line
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(spoken)
    sys.excepthook, threading.excepthook = hooks


def test_another_librarys_record_is_told_without_its_words(taken_over: Line) -> None:
    logging.getLogger("httpx").warning("GET https://shop.example/?email=%s", CANARY)
    assert (taken_over.last["event"], taken_over.last["logger"]) == ("library.warned", "httpx")
    assert "canary" not in taken_over.text


def test_another_librarys_exception_is_told_without_its_words(taken_over: Line) -> None:
    logging.getLogger("sqlalchemy.pool").error("for %s", CANARY, exc_info=OSError(CANARY))
    assert taken_over.last["error"] == ["builtins.OSError"]
    assert "canary" not in taken_over.text


def test_another_librarys_chatter_is_not_told(taken_over: Line) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://shop.example/?email=%s", CANARY)
    logging.getLogger("sqlalchemy.engine").debug(CANARY)
    assert taken_over.text == ""


def test_the_web_server_says_that_it_started(taken_over: Line) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 4711)
    assert taken_over.last["state"] == "started_server_process"


def test_a_warning_is_told_without_its_words(taken_over: Line) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, stacklevel=1)
    assert taken_over.last["logger"] == "py.warnings"
    assert "canary" not in taken_over.text


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_crash_prints_no_message_and_no_local_variable(where: str) -> None:
    body = {
        "main": f"raise ValueError('{CANARY}')",
        "thread": f"import threading\ndef run(): raise ValueError('{CANARY}')\n"
        "t = threading.Thread(target=run); t.start(); t.join()",
    }[where]
    program = (
        "from privacyops.adapters.telemetry import JsonTelemetry\n"
        "from privacyops.adapters.system_clock import SystemClock\n"
        f"JsonTelemetry(SystemClock()).take_over()\n{body}\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert json.loads(ended.stderr.splitlines()[-1])["error"] == ["builtins.ValueError"]
    assert "canary" not in ended.stderr + ended.stdout


# --- metrics ---------------------------------------------------------------------------------------------------


def test_what_is_counted_timed_and_measured_is_published(line: Line) -> None:
    line.telemetry.count(Counter.MAILS, "code", "sent", by=2)
    line.telemetry.observe(Timer.JOB_STEP, 0.2, "search")
    line.telemetry.level(Gauge.REQUESTS_OPEN, 12)
    assert 'privacyops_mails_total{kind="code",outcome="sent"} 2.0' in line.metrics
    assert 'privacyops_job_step_seconds_bucket{kind="search",le="0.25"} 1.0' in line.metrics
    assert "privacyops_dsar_open 12.0" in line.metrics


def test_a_label_that_is_no_code_is_withheld(line: Line) -> None:
    line.telemetry.count(Counter.MAILS, CANARY, "sent")
    assert "canary" not in line.metrics
    assert 'kind="withheld"' in line.metrics


def test_labels_do_not_grow_without_bound(line: Line) -> None:
    for number in range(2000):
        line.telemetry.count(Counter.PROBLEMS, f"/problems/{number}")
    assert line.metrics.count("privacyops_problems_total{") == 501
    assert 'privacyops_problems_total{problem="further"} 1500.0' in line.metrics


def test_two_telemetries_in_one_process_do_not_share_figures() -> None:
    first, second = Line(), Line()
    first.telemetry.count(Counter.ALARMS, "seal_broken")
    assert "seal_broken" not in second.metrics


# --- the clock -------------------------------------------------------------------------------------------------


def test_the_system_clock_speaks_utc_and_never_runs_back() -> None:
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert first.utcoffset() is not None
    assert first.tzinfo is UTC
    assert first <= second
    assert clock.boot_seconds() <= clock.boot_seconds()
