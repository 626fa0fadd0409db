"""A database with as many people as asked for, each with one choice: written by bulk inserts, for measuring reads.

The projection is whole: every row the check reads is as the service writes it. The log behind it is not: these
choices have no events, so nothing but reading is to be measured on such a database.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.ports.keyring import KeyRing, MacLabel

_BATCH: Final = 50_000
_VALID_MS: Final = 730 * 86_400_000


def address(number: int) -> str:
    """The mail address of a made-up person."""
    return f"p{number}@example.com"


def subject_id(number: int) -> str:
    """The public id of a made-up person."""
    return f"s_{number:026d}"


def fill(path: Path, keyring: KeyRing, controller: str, people: int, now: Instant) -> None:
    """Add `people` with an address, an id and one valid choice for the newsletter by mail; every tenth refused it."""
    ms = int(now.timestamp() * 1000)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        file.execute("BEGIN IMMEDIATE")
        where = {"controller": controller, "key": "newsletter"}
        purpose = file.execute("SELECT no FROM purpose WHERE controller = :controller AND key = :key", where).fetchone()
        where["key"] = "email"
        channel = file.execute("SELECT no FROM channel WHERE controller = :controller AND key = :key", where).fetchone()
        brand = file.execute("SELECT no FROM brand WHERE controller = ? LIMIT 1", (controller,)).fetchone()
        first = file.execute("SELECT coalesce(max(no), 0) + 1 FROM subject").fetchone()[0]
        numbers = range(first, first + people)
        _insert(file, "subject", _subjects(numbers, controller, now))
        _insert(file, "subject_identifier", _identifiers(numbers, first, keyring, controller, now))
        at = purpose[0], channel[0], brand[0]
        contact = _contact_of(keyring, controller)
        _insert(file, "consent_state", _states(numbers, first, at, ms, contact))
        file.execute("COMMIT")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(file: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    head = next(rows)
    names = ", ".join(head)
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(head))})"
    file.execute(statement, tuple(head.values()))
    file.executemany(statement, (tuple(row.values()) for row in rows))


def _subjects(numbers: range, controller: str, now: Instant) -> Iterator[dict[str, Any]]:
    for count, number in enumerate(numbers):
        yield {
            "no": number, "controller": controller, "public_id": subject_id(count), "kind": "known",
            "jurisdiction": "DE", "created_at": now.strftime("%Y-%m-%d %H:%M:%S.%f"),
        }  # fmt: skip


def _identifiers(
    numbers: range, first: int, keyring: KeyRing, controller: str, now: Instant
) -> Iterator[dict[str, Any]]:
    """In the order of their hashes, so that the file is built from left to right."""

    def ref(label: MacLabel, text: str) -> bytes:
        return keyring.mac(label, controller, text.encode()).digest

    own = [(ref(MacLabel.INDEX_SUBJECT, subject_id(number - first)), number, "subject") for number in numbers]
    own += [(ref(MacLabel.INDEX_EMAIL, address(number - first)), number, "email") for number in numbers]
    for digest, number, kind in sorted(own):
        yield {
            "ref": digest, "subject_no": number, "type": kind, "sealed": None,
            "created_at": now.strftime("%Y-%m-%d %H:%M:%S.%f"),
        }  # fmt: skip


def _contact_of(keyring: KeyRing, controller: str) -> Callable[[int], bytes]:
    return lambda count: keyring.mac(MacLabel.INDEX_EMAIL, controller, address(count).encode()).digest


def _states(
    numbers: range, first: int, at: tuple[int, int, int], ms: int, contact: Callable[[int], bytes]
) -> Iterator[dict[str, Any]]:
    purpose, channel, brand = at
    for number in numbers:
        count = number - first
        refused = count % 10 == 9
        row: dict[str, Any] = dict.fromkeys(
            ("prior_state", "prior_t", "valid_until", "confirm_until", "notice_id", "notice_version", "notice_locale",
             "notice_sha256", "purpose_version", "regime", "jurisdiction", "contact", "strength", "grade", "basis")
        )  # fmt: skip
        yield {
            "subject_no": number, "purpose_no": 0, "channel_no": 0, "brand_no": 0, "kind": "head", "state_version": 1,
            "state": "head", "order_t": 0, "since": 0, "event_id": None, **row,
        }  # fmt: skip
        choice = row | {
            "purpose_version": 1, "regime": "opt_in", "jurisdiction": "DE", "contact": contact(count),
            "strength": "expressed", "basis": "consent", "notice_id": "newsletter", "notice_version": 1,
            "notice_locale": "de-DE", "notice_sha256": f"{count:064x}", "valid_until": ms + _VALID_MS,
        }  # fmt: skip
        yield {
            "subject_no": number, "purpose_no": purpose, "channel_no": channel, "brand_no": brand, "kind": "choice",
            "state_version": 1, "state": "ConsentRefused" if refused else "ConsentGiven", "order_t": ms, "since": ms,
            "event_id": UUID(int=number).hex, **choice,
        }  # fmt: skip
