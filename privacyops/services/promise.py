"""Promises: a signed word that a committed record stands in its log within a minute, good until the proof is there.

A promise that was broken is evidence against the service, signed by the service; `overdue` finds one before its
holder does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import instant_text, parse
from privacyops.ledger.merkle import leaf_hash
from privacyops.ports.telemetry import Counter
from privacyops.services.context import Context, reading
from privacyops.store import ledger as ledgers
from privacyops.store.uow import Tx

LIFE: Final = timedelta(seconds=60)
KIND: Final = "promise+jws"
RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True)
class Promise:
    """The signed word in place of a proof that is not there yet, and when it is worth asking again."""

    token: str
    retry_after_s: int = RETRY_AFTER_S


def promise(ctx: Context, log: Log, entries: Sequence[tuple[str, str]], recorded_at: str, include_by: str) -> str:
    """Compact JWS over records (id and leaf hash in hex) that were committed at `recorded_at`.

    The same records give the same bytes while the key stays.
    """
    body = {
        "controller": ctx.controller.key,
        "log": str(log),
        "events": [{"event_id": event_id, "leaf_hash": digest} for event_id, digest in entries],
        "recorded_at": recorded_at,
        "include_by": include_by,
    }
    return ctx.ports.signer.jws(json.dumps(body, separators=(",", ":")).encode(), KIND)


def promise_for(ctx: Context, log: Log, record_id: UUID, leaf: bytes, recorded_at: Instant) -> Promise:
    """The promise for one record by its leaf."""
    by = instant_text(recorded_at + LIFE)
    entry = (str(record_id), leaf_hash(leaf).hex())
    return Promise(promise(ctx, log, [entry], instant_text(recorded_at), by))


def recorded_in(leaf: bytes) -> str:
    """When the record behind a leaf was written, as the leaf says it. Raises: LeafNotCanonical."""
    members = parse(leaf)
    return str(members.get("recorded_at") or members.get("at"))


def watch(ctx: Context) -> int:
    """Raise the alarm for records that were promised to the log and are not in it; how many. Fired each minute."""
    late = sum(count_overdue(ctx, log) for log in Log)
    if late:
        ctx.ports.telemetry.warning("promise.broken", count=late)
        ctx.ports.telemetry.count(Counter.ALARMS, "promise_broken", by=late)
    return late


@reading(Action.JOB_RUN)
def count_overdue(ctx: Context, tx: Tx, log: Log) -> int:
    """Committed records older than a promise lives that no signed checkpoint covers."""
    return ledgers.count_unsigned(tx, log, tx.now - LIFE)
