"""Keys that were shown before: what a key may do stands in memory, and a write under it says as of when.

Nothing is older than the write: its transaction reads the control number, which grows with every change of a key, and
refuses to go on under a key that was looked up under another one. A refusal is never given from memory.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from privacyops.domain.account.actor import Actor
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Problem
from privacyops.services import apikey
from privacyops.services.context import ActorOutdated, Context
from privacyops.store.purpose import load_ver

_MOST_HELD: Final = 10_000
_TRIES: Final = 3
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor
    ends: Instant
    as_of: int


class ProvenKeys:
    """The callers of one service, by a keyed hash of the header that showed their key."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[bytes, _Known] = {}
        self._salt = secrets.token_bytes(32)

    def act(self, authorization: bytes, request_id: str, write: Callable[[Context], R]) -> R:
        """Do a write that begins with `begin_write`, as whoever sent this header.

        Raises: Unauthenticated, and whatever the write raises; then nothing was written.
        """
        ctx = replace(self._ctx, request_id=request_id)
        digest = hashlib.blake2b(authorization, digest_size=16, key=self._salt).digest()
        for _ in range(_TRIES):
            remembered = self._remembered(digest)
            known = remembered or self._look_up(authorization, digest)
            try:
                return write(replace(ctx, actor=known.actor, as_of=known.as_of))
            except ActorOutdated:
                self._known.pop(digest, None)
            except Problem:
                # perhaps from before the write read the control number: it stands only if the key is still what it was
                if remembered is None or self._proven_anew(authorization, digest).actor == remembered.actor:
                    raise
        return write(apikey.acting(ctx, apikey.sent_in(authorization)))

    def _remembered(self, digest: bytes) -> _Known | None:
        known = self._known.get(digest)
        return known if known is not None and self._ctx.clock.now() < known.ends else None

    def _proven_anew(self, authorization: bytes, digest: bytes) -> _Known:
        """Raises: Unauthenticated: the key opens nothing any more, and is forgotten."""
        self._known.pop(digest, None)
        return self._look_up(authorization, digest)

    def _look_up(self, authorization: bytes, digest: bytes) -> _Known:
        ctx, text = self._ctx, apikey.sent_in(authorization)
        with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
            as_of = load_ver(tx)  # before the key: a change between the two is then seen by the write
        key = apikey.proven(ctx, text)
        if len(self._known) >= _MOST_HELD:
            self._known.clear()
        known = self._known[digest] = _Known(apikey.actor_of(key), key.expires_at, as_of)
        return known
