"""Calls that change something can be sent again: the same key and body get the same answer, another body is refused."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacyops.kernel.errors import BadRequest, Conflict, Unprocessable
from privacyops.services.context import Context
from privacyops.store import token as tokens
from privacyops.store.uow import Tx


class IdempotencyKeyMissing(BadRequest):
    type = "/problems/idempotency-key-missing"
    title = "Send an Idempotency-Key header, so that a repeated call does nothing twice"


class IdempotencyKeyReused(Unprocessable):
    type = "/problems/idempotency-key-reused"
    title = "This Idempotency-Key was used for another body"


class IdempotencyInProgress(Conflict):
    type = "/problems/idempotency-in-progress"
    title = "The first call with this Idempotency-Key is still running"


@dataclass(frozen=True, slots=True)
class Call:
    """One call by its key and the hash of its body."""

    key: str
    body_hash: bytes

    @classmethod
    def of(cls, key: str | None, body: bytes) -> "Call":
        """Raises: IdempotencyKeyMissing: no key, or a blank one."""
        if not key or not key.strip():
            raise IdempotencyKeyMissing
        return cls(key.strip(), hashlib.sha256(body).digest())


def begin_call(ctx: Context, tx: Tx, call: Call) -> Mapping[str, Any] | None:
    """Reserve the key in the use case's transaction. None: it is new. Else the answer that was given.

    Raises: IdempotencyKeyReused, IdempotencyInProgress.
    """
    return answer_given(call, tokens.claim_call(tx, str(ctx.actor.id), call.key, call.body_hash))


def answer_given(call: Call, before: tuple[bytes, int | None, bytes | None] | None) -> Mapping[str, Any] | None:
    """What a call with this key was answered, given what was kept of it: hash, status, answer.

    Raises: IdempotencyKeyReused, IdempotencyInProgress.
    """
    if before is None:
        return None
    body_hash, status, answer = before
    if body_hash != call.body_hash:
        raise IdempotencyKeyReused
    if status is None or answer is None:
        raise IdempotencyInProgress
    stored: Mapping[str, Any] = json.loads(answer)
    return stored


def end_call(ctx: Context, tx: Tx, call: Call, answer: Mapping[str, Any]) -> None:
    """Keep the answer with the effect, in one transaction; an erasure of the person whom it names empties it."""
    subject_id = answer.get("subject_id") or None
    tokens.answer_call(tx, str(ctx.actor.id), call.key, 200, json.dumps(answer).encode(), subject_id)
