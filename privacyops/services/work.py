"""Proof of work for public forms, in the shape of ALTCHA v1: it slows bulk abuse, nothing more.

The challenge says which number to look for: SHA-256(salt + number) = challenge. Expiry stands in the salt, which ends
in `&` so that its digits cannot be moved into the number; salt and challenge are signed together.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.kernel.errors import Unprocessable
from privacyops.ports.keyring import MacLabel
from privacyops.services.context import Context, use_case
from privacyops.store import token as tokens
from privacyops.store.uow import Tx

ALGORITHM: Final = "SHA-256"
DIFFICULTY: Final = 15_000
LIFE: Final = timedelta(minutes=20)
_LONGEST: Final = 200


class WorkRefused(Unprocessable):
    """Never says whether it was wrong, expired, forged or used before."""

    type = "/problems/work-refused"
    title = "Fetch a new challenge and try again"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a browser has to solve: find the number from 0 to `maxnumber`."""

    salt: str
    challenge: str
    signature: str
    maxnumber: int = DIFFICULTY
    algorithm: str = ALGORITHM


@dataclass(frozen=True, slots=True)
class Solution:
    """A challenge sent back with its number."""

    salt: str
    challenge: str
    signature: str
    number: int
    algorithm: str


def new_challenge(ctx: Context) -> Challenge:
    """A fresh challenge; nothing is stored before it is solved."""
    expires = int((ctx.clock.now() + LIFE).timestamp())
    salt = f"{secrets.token_hex(12)}?expires={expires}&"
    challenge = _digest(salt, secrets.randbelow(DIFFICULTY + 1))
    mac = ctx.ports.keyring.mac(MacLabel.CHALLENGE, ctx.controller.key, salt.encode(), challenge.encode())
    return Challenge(salt, challenge, mac.digest.hex())


@use_case(Action.DSAR_INTAKE)
def spend_work(ctx: Context, tx: Tx, solution: Solution) -> None:
    """Accept a solution, once. Raises: WorkRefused."""
    texts = (solution.salt, solution.challenge, solution.signature)
    if solution.algorithm != ALGORITHM or any(len(text) > _LONGEST or not text.isascii() for text in texts):
        raise WorkRefused
    macs = ctx.ports.keyring.macs(
        MacLabel.CHALLENGE, ctx.controller.key, solution.salt.encode(), solution.challenge.encode()
    )
    if not any(hmac.compare_digest(mac.digest.hex(), solution.signature) for mac in macs):
        raise WorkRefused
    if not hmac.compare_digest(_digest(solution.salt, solution.number), solution.challenge):
        raise WorkRefused
    expires = int(solution.salt.partition("?expires=")[2].rstrip("&"))  # signed, so it has this form
    if tx.now.timestamp() > expires:
        raise WorkRefused
    name = hashlib.sha256(solution.salt.encode()).hexdigest()
    if not tokens.see_token(tx, "work", name, tx.now + LIFE):
        raise WorkRefused


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
