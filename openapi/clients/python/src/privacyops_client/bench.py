"""What a check from the copy costs in this process: `python -m privacyops_client.bench [--people N] [--json]`.

Made-up people, no service and no network: the copy alone. Beside it, a plain dict lookup in the same run.
With `--follow URL` instead how long after a withdrawal was acknowledged the copy of another client knows of it; the key
of the service, which may check, write and follow the feed, stands in PRIVACYOPS_CLIENT_KEY.
"""

import argparse
import base64
import itertools
import json
import math
import os
import sys
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from privacyops_client.answer import Source
from privacyops_client.calls import Choice
from privacyops_client.client import Client
from privacyops_client.local import Copy
from privacyops_client.person import email
from privacyops_client.table import SnapshotReader

_SLOTS: Final = [
    {"purpose": purpose, "channel": channel, "brand": "shop", "default": "deny"}
    for purpose in ("newsletter", "offers", "recommendations", "analytics")
    for channel in ("email", "web")
]
_AS_OF: Final = "2026-11-22T10:00:00.000Z"
_ASKED: Final = 20_000
_STRETCH: Final = 2_000
_LONGEST_S: Final = 30.0
_LOOK_S: Final = 0.0005
_ENDS: Final = ("2027-05-01T00:00:00.000Z", "2028-11-22T10:00:00.000Z", None)


def measure(people: int = 200_000, rounds: int = 15) -> Mapping[str, float]:
    """Nanoseconds a call, the loop around it included: the best of the rounds, since whatever else runs on the machine
    only adds. Bytes a person as counted by the interpreter."""
    names = [f"s_{number:024d}" for number in range(people)]
    tracemalloc.start()
    copy = Copy(math.inf)
    text = _snapshot(copy, names)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    known = names[: min(_ASKED, people)]
    table, plain = copy._table, dict.fromkeys(names, 1)  # noqa: SLF001 - a bench looks inside
    client = _client_over(copy)
    calls: Mapping[str, Callable[..., object]] = {
        "loop_ns": lambda name, purpose, channel, brand: None,
        "dict_ns": lambda name, purpose, channel, brand: plain.get(name),
        "check_ns": client.allowed,
        "hash_ns": lambda name, purpose, channel, brand: table.key_of(name),
    }
    found: dict[str, float] = {}
    for name, call in calls.items():
        found[name] = min(_each(call, known) for _ in range(rounds))
    colds = []
    for _ in range(rounds):
        table.keys.clear()
        colds.append(_each(client.allowed, known))
    tokens = {f"ct1.{name}": table.key_of(name) for name in known}
    table.tokens |= tokens
    by_token = dict(zip(known, tokens, strict=True))
    found |= {
        "check_hashing_ns": min(colds),
        "check_with_token_ns": min(
            _each(lambda name, *about: client.allowed(name, *about, at_least=by_token[name]), known)
            for _ in range(rounds)
        ),
        "delta_ns": min(_each_delta(copy, known) for _ in range(rounds)),
        "bytes_a_person": held / people,
        "snapshot_bytes_a_person": text / people,
    }
    return found


def follow(url: str, key: str, rounds: int) -> Mapping[str, float]:
    """Milliseconds from an acknowledged withdrawal to the first no of a client that was not told by the writer.

    Raises: TimeoutError: the copy does not follow.
    """
    waits = []
    with Client(url, key, timeout=10) as writer, Client(url, key, local=True, timeout=10) as reader:
        for _ in range(rounds):
            who = email(f"{uuid.uuid4().hex}@example.com")
            person = writer.record(who, [Choice("newsletter", "sms", "grant")], method="form").subject_id
            _until(lambda who=person: reader.allowed(who, "newsletter", "sms").source is Source.COPY)  # type: ignore[misc]  # bound at once
            writer.withdraw(person, method="form", purpose="newsletter", channel="sms")
            began = time.perf_counter()
            _until(lambda who=person: not reader.allowed(who, "newsletter", "sms"))  # type: ignore[misc]  # bound at once
            waits.append((time.perf_counter() - began) * 1000)
    waits.sort()
    return {"known_p50_ms": waits[rounds // 2], "known_p99_ms": waits[rounds * 99 // 100]}


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONGEST_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(_LOOK_S)


def _client_over(copy: Copy) -> Client:
    client = Client("http://127.0.0.1", "none")
    client._copy = copy  # noqa: SLF001 - the public call over a copy that no service keeps up
    return client


def _snapshot(copy: Copy, names: list[str]) -> int:
    """Fill the copy as the wire would; the number of bytes that came over it."""
    head = {"high_water": 0, "as_of": _AS_OF, "slots": _SLOTS, "hash_key": base64.urlsafe_b64encode(bytes(32)).decode()}
    _take(copy, [{"snapshot": head}, {"end": {"rows": 0}}])  # first an empty one, which knows the key
    rows = ({"ref": _ref(copy, name), "allow": f"{number * 7 % 256:x}", "until": _ENDS[number % 3]}
            for number, name in enumerate(names))  # fmt: skip
    return _take(copy, itertools.chain([{"snapshot": head}], rows, [{"end": {"rows": len(names)}}]))


def _take(copy: Copy, rows: Iterable[Mapping[str, Any]]) -> int:
    reader, size = SnapshotReader(), 0
    for row in rows:
        line = json.dumps(row, separators=(",", ":"))
        size += len(line) + 1
        reader.line(line)
    copy.take(reader, time.monotonic())
    return size


def _each(call: Callable[..., object], names: list[str]) -> float:
    """The best of stretches of two thousand, each shorter than what a scheduler gives at a time."""
    taken = []
    for start in range(0, len(names), _STRETCH):
        stretch = names[start : start + _STRETCH]
        began = time.perf_counter_ns()
        for name in stretch:
            call(name, "newsletter", "email", "shop")
        taken.append((time.perf_counter_ns() - began) / len(stretch))
    return min(taken)


def _each_delta(copy: Copy, names: list[str]) -> float:
    """One event of the feed, from its parsed form to the row."""
    items: list[dict[str, Any]] = []
    for number, name in enumerate(names, copy.seq + 1):
        items.append({"seq": number, "type": "consent.withdrawn", "subject_ref": _ref(copy, name), "state_version": 2,
                      "purpose": "newsletter", "channel": "email", "brand": "shop"})  # fmt: skip
    page = {"items": items, "high_water": copy.seq + len(items), "as_of": _AS_OF}
    began = time.perf_counter_ns()
    copy.apply(page, time.monotonic())
    return (time.perf_counter_ns() - began) / len(items)


def _ref(copy: Copy, name: str) -> str:
    key = copy._table.key_of(name)  # noqa: SLF001 - the made-up service names people as the client does
    return "r_" + base64.b32encode(key.to_bytes(8, "big")).decode().rstrip("=").lower()


def main() -> None:
    words = argparse.ArgumentParser(prog="privacyops_client.bench", description=__doc__)
    words.add_argument("--people", type=int, default=200_000)
    words.add_argument("--rounds", type=int, default=15)
    words.add_argument("--json", action="store_true")
    words.add_argument("--follow", metavar="URL")
    asked = words.parse_args()
    if asked.follow is not None:
        found = follow(asked.follow, os.environ["PRIVACYOPS_CLIENT_KEY"], asked.rounds)
    else:
        found = measure(asked.people, asked.rounds)
    lines = [json.dumps(found)] if asked.json else [f"{name:26} {value:10.0f}" for name, value in found.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
