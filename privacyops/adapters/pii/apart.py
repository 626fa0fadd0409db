"""Detection in a child process: models are loaded on the first text, leave with the child, and cannot hang a worker.

The child gets no secrets of the environment, and texts through a pipe: nothing is written down.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from privacyops.domain.detection.span import Detected, Profile, Source, Span
from privacyops.ports.pii import DetectionFailed, Looked, Text

START_SECONDS: Final = 60.0
SECONDS_A_THOUSAND: Final = 1.0
"""Over this for each thousand characters the child is held for hanging: ten times what a slow machine needs."""
_KEPT_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "HOME", "XDG_CACHE_HOME")
_ONE_CORE: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ApartDetection:
    """TextDetection in one child process at a time. Threads take turns."""

    def __init__(
        self, regions: Sequence[str], cache: Path | None = None, *, uses_models: bool = True,
        start_seconds: float = START_SECONDS,
    ) -> None:  # fmt: skip
        """`cache`: a folder of the service's own, for the compiled prefilter."""
        self._options = {
            "regions": list(regions), "cache": str(cache) if cache else None, "uses_models": uses_models,
        }  # fmt: skip
        self._start_seconds = start_seconds
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def look(self, texts: Sequence[Text], profile: Profile) -> Looked:
        if not texts:
            return Looked(())
        asked = {"profile": str(profile), "texts": [[one.text, one.language] for one in texts]}
        line = json.dumps(asked).encode() + b"\n"
        seconds = self._start_seconds + SECONDS_A_THOUSAND * len(line) / 1000
        with self._turn:
            was_there = self._child is not None
            answer = self._asked(line, seconds)
            if answer is None and was_there and not self._is_closed:
                answer = self._asked(line, seconds)  # it had ended since, having rested or done its share
            if answer is None:
                raise DetectionFailed
        return Looked(tuple(map(_detected, answer["found"])), tuple(answer["degraded"]))

    def close(self) -> None:
        self._is_closed = True
        child = self._child
        if child is not None:
            child.kill()  # whoever waits for its answer waits no more
        with self._turn:
            self._end()

    def _asked(self, line: bytes, seconds: float) -> dict[str, Any] | None:
        """The child's answer; None: it has ended, or had to be ended."""
        if self._is_closed:
            return None
        child = self._child or self._started()
        self._child = child
        assert child.stdin is not None  # noqa: S101 - both are pipes
        assert child.stdout is not None  # noqa: S101 - as above
        alarm = threading.Timer(seconds, child.kill)
        alarm.daemon = True
        alarm.start()
        try:
            child.stdin.write(line)
            child.stdin.flush()
            answered = child.stdout.readline()
            answer: dict[str, Any] | None = json.loads(answered) if answered.endswith(b"\n") else None
        except (OSError, ValueError):
            answer = None
        finally:
            alarm.cancel()
        if answer is None:
            self._end()
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ} | _ONE_CORE
        command = [sys.executable, "-I", "-m", "privacyops.adapters.pii.child", json.dumps(self._options)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was still to be written has nobody to read it


def _detected(told: dict[str, Any]) -> Detected:
    spans = tuple(Span(**{**one, "source": Source(one["source"])}) for one in told["spans"])
    return Detected(spans, tuple(told["unsearched"]))
