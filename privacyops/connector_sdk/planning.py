"""What plans of every kind of store have in common: name, life, the hash that an approver binds, and results."""

import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from privacyops.connector_sdk.connector import Secrets
from privacyops.connector_sdk.effects import act_text
from privacyops.connector_sdk.errors import Misconfigured, Terminal
from privacyops.connector_sdk.plan import Blocker, Keep, Op, OpResult, Outcome, Plan, PlannedOp
from privacyops.connector_sdk.records import Value, canonical

PLAN_LIVES: Final = timedelta(days=7)


def now() -> datetime:
    """The machine's time: when a plan was made and expires is between the host and this process."""
    return datetime.fromtimestamp(time.time(), UTC)


def plan_hash(ops: Sequence[PlannedOp], blockers: Sequence[Blocker] = ()) -> str:
    """Equal for equal operations on equal records; a plan that was altered has another."""
    lines = [
        f"{each.op.id}|{each.op.ref.collection}|{canonical(each.op.ref.key)}|{act_text(each.op.act)}|"
        f"{each.effect}|{each.before}"
        for each in ops
    ]
    lines += [f"{each.op}|{each.code}|{each.collection}|{each.field}" for each in blockers]
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def made_plan(ops: Sequence[PlannedOp], blockers: Sequence[Blocker] = (), warnings: Sequence[str] = ()) -> Plan:
    """The plan of these operations, made now."""
    made, digest = now(), plan_hash(ops, blockers)
    return Plan(
        id=f"{digest[:12]}-{int(made.timestamp() * 1000):x}",
        hash=digest,
        made_at=made,
        expires_at=made + PLAN_LIVES,
        ops=tuple(ops),
        blockers=tuple(blockers),
        warnings=tuple(warnings),
    )


def refuse_stale(plan: Plan) -> None:
    """Raises: Terminal: `plan_altered` since it was hashed, or `plan_expired`."""
    if plan_hash(plan.ops, plan.blockers) != plan.hash:
        raise Terminal("plan_altered")
    if now() >= plan.expires_at:
        raise Terminal("plan_expired")


def stays(op: Op) -> bool:
    """Whether the record is kept and nothing of it is cut: every store takes that, and writes nothing."""
    return isinstance(op.act, Keep) and not op.act.cut


def kept_or(otherwise: Outcome, each: PlannedOp) -> Outcome:
    """How an operation ended that succeeded: KEPT, where its act keeps the record."""
    return Outcome.KEPT if isinstance(each.op.act, Keep) else otherwise


def result_of(
    each: PlannedOp, outcome: Outcome, fields: tuple[str, ...] = (), *, after: str = "", code: str = ""
) -> OpResult:
    """What became of one operation just now."""
    return OpResult(each.op.id, outcome, fields, after, code=code, at=now())


def hash_key(secrets: Secrets) -> bytes:
    """The installation's key for hashes; without one they are hashes under a fixed word, as on a command line."""
    try:
        return secrets.get("hash_key").get_secret_value().encode()
    except Misconfigured:
        return b"privacyops"


def keyed_hash(key: bytes, value: Value) -> str:
    """Of a value or a whole record: a plain hash of a name or a phone number can be guessed."""
    return hmac.digest(key, canonical(value).encode("utf-8", "surrogatepass"), "sha256").hex()
