"""The feed of changes and the snapshot it continues: what clients need to hold answers of their own.

A person appears as a keyed hash that differs for each API key, so that two shops cannot join what they hold. The feed
is dense: a reader that misses a number has missed a change. Source of the wire format: docs/decisions/0063-clients.md.
"""

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, Final

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import event_of
from privacyops.domain.consent.linking import DEVICE
from privacyops.domain.consent.state import EventType
from privacyops.domain.purpose import PurposeFlag
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Gone
from privacyops.ledger.leaf import instant_text, parse
from privacyops.ports.keyring import MacLabel, Place
from privacyops.services import purpose as published
from privacyops.services.consent.judging import Judge
from privacyops.services.context import Context, reading, use_case
from privacyops.store import change as changes
from privacyops.store.change import Change
from privacyops.store.check_rows import Numbers
from privacyops.store.consent_bulk import Person, list_people
from privacyops.store.identity_link import tied_devices
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

LONGEST_WAIT_S: Final = 25.0
POLL_S: Final = 0.05
PAGE: Final = 500
_WAITERS: Final = BoundedSemaphore(16)
"""Callers that may wait at the same time; each holds a thread of the door. Who comes on top is answered at once."""


class ChangesExpired(Gone):
    type = "/problems/changes-expired"
    title = "The feed no longer goes back that far; take a snapshot and go on from there"


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Items as they go over the wire. `lag_ms`: age of the oldest event that is committed and has no number yet."""

    items: Sequence[Mapping[str, Any]]
    high_water: int
    as_of: Instant
    lag_ms: int

    @property
    def next(self) -> int:
        """What to ask for next; the high water where nothing came."""
        return int(self.items[-1]["seq"]) if self.items else self.high_water


def changes_after(ctx: Context, after: int, limit: int, wait_s: float, key_id: str | None = None) -> ChangePage:
    """The changes behind number `after`; where there are none yet, waits up to `wait_s` seconds for the first.

    `key_id` is that of the snapshot the reader holds. Raises: ChangesExpired: older than a week, from a log that
    has not come that far (a restored one), or hashed with a key that is no longer used.
    """
    deadline = time.monotonic() + min(wait_s, LONGEST_WAIT_S)
    page = _changes_after(ctx, after, limit, key_id)
    if page.items or wait_s <= 0 or not _WAITERS.acquire(blocking=False):
        return page
    try:
        while not page.items and time.monotonic() < deadline:
            time.sleep(POLL_S)
            page = _changes_after(ctx, after, limit, key_id)
        return page
    finally:
        _WAITERS.release()


@reading(Action.FEED_READ)
def _changes_after(ctx: Context, tx: Tx, after: int, limit: int, key_id: str | None) -> ChangePage:
    # Pending first: what is numbered between the two reads then counts as lag, never as nothing
    lag = _lag_ms(tx)
    key = hash_key(ctx)
    held = changes.extent(tx)
    if after > held.last or (held.last and after < held.first - 1) or key_id not in (None, key_id_of(key)):
        raise ChangesExpired
    found = changes.list_changes(tx, after, limit)
    return ChangePage([_item(ctx, key, one) for one in found], held.last, tx.now, lag)


@use_case(Action.JOB_RUN)
def sweep(ctx: Context, tx: Tx) -> int:
    """Drop changes older than a week, and the last trace of who was erased a week ago; how many."""
    return changes.sweep_changes(tx)


def hash_key(ctx: Context) -> bytes:
    """The key under which people appear to this caller: 32 bytes, different for each API key."""
    return ctx.ports.keyring.mac(MacLabel.FEED, ctx.controller.key, str(ctx.actor.id).encode()).digest


def key_id_of(key: bytes) -> str:
    """By which a reader sees that the key has changed."""
    return hashlib.sha256(key).hexdigest()[:16]


def subject_ref(key: bytes, subject_id: str) -> str:
    """How a person appears: `r_` and eight bytes of keyed BLAKE2b in base 32."""
    digest = hashlib.blake2b(subject_id.encode(), digest_size=8, key=key).digest()
    return "r_" + base64.b32encode(digest).decode().rstrip("=").lower()


def tombstone_place(controller: str, event_id: str) -> Place:
    """Where the sealed id of somebody who was erased belongs, until every copy has been told."""
    return Place(controller, "erased_subject", "sealed", event_id)


def _item(ctx: Context, key: bytes, change: Change) -> dict[str, Any]:
    members = parse(change.leaf)
    event = event_of(members)
    if event.type is EventType.SUBJECT_ERASED and change.erased is not None:
        place = tombstone_place(ctx.controller.key, str(change.event_id))
        gone = ctx.ports.keyring.open(change.erased, place).decode()
        return {"seq": change.seq, "type": str(event.type), "subject_ref": subject_ref(key, gone)}
    if "subject" in members and change.subject_id is None:
        return {"seq": change.seq, "type": "void"}
    about: dict[str, Any] = {"seq": change.seq, "event_id": str(change.event_id), "type": str(event.type)}
    if change.subject_id is None:
        return about
    return about | {
        "subject_ref": subject_ref(key, change.subject_id),
        "purpose": event.purpose.key if event.purpose else None,
        "channel": event.channel,
        "brand": event.brand,
        "state": str(event.state) if event.state else None,
        "state_version": change.state_version,
        "valid_until": instant_text(event.valid_until) if event.valid_until else None,
        **({"ask": True} if event.type is EventType.IDENTITY_LINKED and event.scope == DEVICE else {}),
    }


def _lag_ms(tx: Tx) -> int:
    oldest = changes.oldest_pending(tx)
    if oldest is None:
        return 0
    return max(1, int(tx.now.timestamp() * 1000) - (oldest.int >> 80))  # the first 48 bits of a UUIDv7 are its time


# --- snapshot ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """One bit of a person's answers."""

    judge: Judge
    default: str
    is_necessary: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "purpose": self.judge.known.current.key, "channel": self.judge.channel, "brand": self.judge.brand.key,
            "default": self.default, "necessary": self.is_necessary,
        }  # fmt: skip


def snapshot(ctx: Context) -> Iterator[Mapping[str, Any]]:
    """Every person's answers as a client keeps them: a head, a line a person, an end.

    The high water is read first and each page on its own: what changes meanwhile comes again in the feed. Two people
    under one key are told to ask, and so is a device that is tied to a person: its answers are that person's, whose
    changes do not name it. Bounded memory but for eight bytes a person.
    """
    key = hash_key(ctx)
    head, slots = _head(ctx, key)
    yield {"snapshot": head}
    rows, after, seen = 0, 0, set[str]()
    while page := _page(ctx, slots, after):
        for no, public_id, line in page:
            after = no
            if public_id is None:
                continue
            ref = subject_ref(key, public_id)
            rows += 1
            yield {"ref": ref, **({"ask": True} if ref in seen else line)}
            seen.add(ref)
    yield {"end": {"rows": rows}}


@reading(Action.FEED_READ)
def _head(ctx: Context, tx: Tx, key: bytes) -> tuple[dict[str, Any], Sequence[Slot]]:
    lag, held = _lag_ms(tx), changes.extent(tx)
    slots = _slots(published.catalogue(ctx, tx), tx.now)
    head = {
        "controller": tx.controller, "high_water": held.last, "as_of": instant_text(tx.now), "lag_ms": lag,
        "hash_key": base64.urlsafe_b64encode(key).decode().rstrip("="), "key_id": key_id_of(key),
        "slots": [slot.to_json() for slot in slots],
    }  # fmt: skip
    return head, slots


def _slots(names: Catalogue, now: Instant) -> Sequence[Slot]:
    slots = []
    for purpose in sorted(names.purposes):
        version = names.purposes[purpose].current
        for channel in sorted(version.channels & set(names.channels)):
            for brand in sorted(names.brands):
                judge = Judge.of(names, purpose, channel, brand, None)
                default = judge.decide(None, (), frozenset(), now).answer
                slots.append(Slot(judge, str(default), version.has(PurposeFlag.STRICTLY_NECESSARY)))
    return slots


@reading(Action.FEED_READ)
def _page(ctx: Context, tx: Tx, slots: Sequence[Slot], after: int) -> Sequence[tuple[int, str | None, dict[str, Any]]]:
    people = list_people(tx, after, PAGE, Numbers.of(published.catalogue(ctx, tx)))
    tied = tied_devices(tx, after, people[-1].no) if people else frozenset()
    return [(one.no, one.public_id, {"ask": True}) if one.no in tied else _line(one, slots, tx.now) for one in people]


def _line(person: Person, slots: Sequence[Slot], now: Instant) -> tuple[int, str | None, dict[str, Any]]:
    """The person's bits, and the first moment at which one of them ends."""
    found = person.found
    if found.subject_no is None:
        return person.no, None, {}
    allow, until = 0, None
    for place, slot in enumerate(slots):
        decision = slot.judge.decide(found, (), frozenset(), now)
        if decision.is_allowed:
            allow |= 1 << place
            ends = decision.choice.valid_until if decision.choice else None
            until = min(filter(None, (until, ends)), default=None)  # the first of those that are set
    line: dict[str, Any] = {"allow": f"{allow:x}"}
    if until is not None:
        line["until"] = instant_text(until)
    return person.no, person.public_id, line
