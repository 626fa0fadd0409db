"""Keeps a server busy over a number of kept-alive connections, and tells how it answered.

Runs as a process of its own (`python -m privacyops.bench.load`), so that what it costs is not the server's. Where
`wrk` is installed that is used instead: it costs less and leaves more of a small machine to the server.
"""

import asyncio
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SCRIPT: Final = """
local texts = {}
for line in io.lines(os.getenv("BENCH_REQUESTS")) do
  local unescaped = line:gsub("\\\\r\\\\n", "\\r\\n")
  texts[#texts + 1] = unescaped
end
math.randomseed(20261122)
request = function() return texts[math.random(#texts)] end
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a load met: answers a second, how long they took, and how many were not a 200."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int


def drive(port: int, requests: Path, connections: int, seconds: float) -> Answered:
    """Send the requests of the file, in random order, for so long."""
    if shutil.which("wrk") and seconds >= 1:
        return _by_wrk(port, requests, connections, seconds)
    command = [sys.executable, "-m", "privacyops.bench.load", str(port), str(requests), str(connections), str(seconds)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return Answered(**json.loads(ended.stdout))


def _by_wrk(port: int, requests: Path, connections: int, seconds: float) -> Answered:
    script = requests.with_suffix(".lua")
    script.write_text(_SCRIPT)
    wrk = shutil.which("wrk") or "wrk"
    ended = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{round(seconds)}", "--latency", "-s", str(script),
         f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True, timeout=seconds + 60, env={"BENCH_REQUESTS": str(requests)},
    )  # fmt: skip
    said = ended.stdout
    count = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    wrong = [int(number) for line in re.findall(r"Non-2xx[^\n]*|Socket errors[^\n]*", said) for number in
             re.findall(r"\d+", line.partition(":")[2])]  # fmt: skip
    assert count is not None, said  # noqa: S101 - wrk's own words
    return Answered(
        int(count[1]), float(count[2]) / (1000 if count[3] == "ms" else 1), _ms(said, "50%"), _ms(said, "99%"),
        sum(wrong),
    )  # fmt: skip


def _ms(said: str, at: str) -> float:
    found = re.search(rf"{at}\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said  # noqa: S101 - wrk's own words
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


class _Caller(asyncio.Protocol):
    """One connection that asks again as soon as it was answered. Answers have a length and fit the buffer."""

    def __init__(self, texts: Sequence[bytes], times: list[float], end: float, errors: list[int]) -> None:
        self._texts, self._times, self._end, self._errors = texts, times, end, errors
        self.done = asyncio.get_running_loop().create_future()
        self._got = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a TCP connection
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        if not blank:
            return
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None]):
            return
        now = time.perf_counter()
        self._times.append(now - self._began)
        self._errors[0] += not self._got.startswith(b"HTTP/1.1 200")
        self._got = b""
        if now < self._end:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._errors[0] += exc is not None
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(random.choice(self._texts))


async def _run(port: int, texts: Sequence[bytes], connections: int, seconds: float) -> Answered:
    loop, times, errors = asyncio.get_running_loop(), list[float](), [0]
    began = time.perf_counter()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: _Caller(texts, times, began + seconds, errors), "127.0.0.1", port
        )
        callers.append(caller.done)
    await asyncio.gather(*callers)
    whole = time.perf_counter() - began
    times.sort()
    return Answered(
        len(times), whole, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, errors[0]
    )  # fmt: skip


def main(port: str, requests: str, connections: str, seconds: str) -> None:
    """Print one JSON object with the members of `Answered`."""
    texts = [
        line.replace("\\r\\n", "\r\n").encode() for line in Path(requests).read_text().splitlines()
    ]  # fmt: skip
    answered = asyncio.run(_run(int(port), texts, int(connections), float(seconds)))
    print(json.dumps({name: getattr(answered, name) for name in Answered.__slots__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
