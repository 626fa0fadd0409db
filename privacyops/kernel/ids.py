"""Identifiers: UUIDv7 keys that sort by time, and the short references people read aloud.

Source: RFC 9562 section 5.7; Crockford's base 32 alphabet for references.
"""

import os
import secrets
import threading
from typing import Final, NewType
from uuid import UUID

from privacyops.kernel.clock import Instant

AccountId = NewType("AccountId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
AuditId = NewType("AuditId", UUID)
DsarId = NewType("DsarId", UUID)
EventId = NewType("EventId", UUID)
FindingId = NewType("FindingId", UUID)
JobId = NewType("JobId", UUID)
LetterId = NewType("LetterId", UUID)
OutboxId = NewType("OutboxId", UUID)
PackageId = NewType("PackageId", UUID)
RunId = NewType("RunId", UUID)
SessionId = NewType("SessionId", UUID)
StoreId = NewType("StoreId", UUID)
SubjectId = NewType("SubjectId", UUID)
TaskId = NewType("TaskId", UUID)

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
_REFERENCE_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0 and 1, which people misread
_RANDOM: Final = (1 << 62) - 1
_lock = threading.Lock()
_last = 0


def uuid7(at: Instant) -> UUID:
    """A version 7 UUID for the moment `at`.

    Ids made in one process are strictly increasing, also within one millisecond and when the clock
    steps back, so that ordering by id is ordering by creation.
    """
    global _last  # noqa: PLW0603 - one counter a process is what makes the order total
    random = int.from_bytes(os.urandom(10), "big")  # one call of the system for both parts
    stamp = (int(at.timestamp() * 1000) << 12) | random >> 69
    with _lock:
        _last = stamp if stamp > _last else _last + 1
        stamp = _last
    unix_ms, counter = stamp >> 12, stamp & 0xFFF
    value = (unix_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random & _RANDOM
    return UUID(int=value)


def reference(prefix: str, letters: int = 6) -> str:
    """A random reference such as `PR-7MK4Q2`: not serial, so it tells nothing about volume; never digits alone, for the
    mails that name it have a code of six digits to be typed.
    """
    while True:
        text = "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(letters))
        if not text.isdecimal():
            return f"{prefix}-{text}"


def base32(value: bytes) -> str:
    """`value` in Crockford's alphabet, without padding."""
    number, size = int.from_bytes(value, "big"), (len(value) * 8 + 4) // 5
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in range(5 * size - 10, -1, -10)]
    return "".join(pairs) if size % 2 == 0 else "".join(pairs) + _CROCKFORD[number & 31]
