"""One-time links, mailed codes, used shop tokens, rate buckets and answered calls."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.store.tables.account import LinkTokenRow, RateBucketRow, SeenTokenRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.dsar import DsarCodeRow, IdempotencyRow
from privacyops.store.uow import Tx

_LINK = table_of(LinkTokenRow)
_CODE = table_of(DsarCodeRow)
_SEEN = table_of(SeenTokenRow)
_BUCKET = table_of(RateBucketRow)
_CALL = table_of(IdempotencyRow)


@dataclass(frozen=True, slots=True)
class MailedCode:
    """A six-digit code by its keyed hash."""

    id: UUID
    code_hmac: bytes
    tries_left: int
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None


def add_link(tx: Tx, token_hash: bytes, kind: str, object_id: str, life: timedelta) -> None:
    """A link of `kind` that opens `object_id` for `life`."""
    tx.run(
        insert(_LINK),
        {"token_hash": token_hash, "controller": tx.controller, "kind": kind, "object_id": object_id,
         "created_at": tx.now, "expires_at": tx.now + life},
    )  # fmt: skip


def find_link(tx: Tx, token_hash: bytes, kind: str) -> str | None:
    """What a link of `kind` opens; None: unknown, used or expired. Does not use it."""
    query = select(_LINK.c.object_id).where(
        _LINK.c.token_hash == token_hash, _LINK.c.kind == kind, _LINK.c.controller == tx.controller,
        _LINK.c.used_at.is_(None), _LINK.c.expires_at > tx.now,
    )  # fmt: skip
    return tx.run(query).scalar_one_or_none()


def use_link(tx: Tx, token_hash: bytes, kind: str) -> str | None:
    """Spend a link; what it opened, or None as in `find_link`. Of two at once one gets it."""
    statement = (
        update(_LINK)
        .where(_LINK.c.token_hash == token_hash, _LINK.c.kind == kind, _LINK.c.controller == tx.controller)
        .where(_LINK.c.used_at.is_(None), _LINK.c.expires_at > tx.now)
        .values(used_at=tx.now)
        .returning(_LINK.c.object_id)
    )
    return tx.run(statement).scalar_one_or_none()


def spend_links(tx: Tx, kind: str, object_id: str) -> int:
    """Make every open link of a kind to an object useless."""
    statement = update(_LINK).where(_LINK.c.kind == kind, _LINK.c.object_id == object_id, _LINK.c.used_at.is_(None))
    return tx.run(statement.values(used_at=tx.now)).rowcount


def add_code(tx: Tx, dsar_id: DsarId, purpose: str, code_hmac: bytes, life: timedelta, tries: int) -> UUID:
    """A code that was mailed; codes of the same purpose that were mailed before stop working."""
    tx.run(
        update(_CODE)
        .where(_CODE.c.dsar_id == dsar_id, _CODE.c.purpose == purpose, _CODE.c.used_at.is_(None))
        .values(used_at=tx.now)
    )
    key = uuid7(tx.now)
    tx.run(
        insert(_CODE),
        {"id": key, "dsar_id": dsar_id, "purpose": purpose, "code_hmac": code_hmac, "tries_left": tries,
         "created_at": tx.now, "expires_at": tx.now + life},
    )  # fmt: skip
    return key


def newest_code(tx: Tx, dsar_id: DsarId, purpose: str) -> MailedCode | None:
    """The last code that was mailed for this purpose."""
    query = select(_CODE).where(_CODE.c.dsar_id == dsar_id, _CODE.c.purpose == purpose).order_by(_CODE.c.id.desc())
    row = tx.run(query.limit(1)).first()
    if row is None:
        return None
    return MailedCode(row.id, row.code_hmac, row.tries_left, row.created_at, row.expires_at, row.used_at)


def spend_try(tx: Tx, code: UUID) -> bool:
    """Take one try before the code is compared; False: none is left, it is used or expired."""
    statement = (
        update(_CODE)
        .where(_CODE.c.id == code, _CODE.c.tries_left > 0, _CODE.c.used_at.is_(None), _CODE.c.expires_at > tx.now)
        .values(tries_left=_CODE.c.tries_left - 1)
    )
    return tx.run(statement).rowcount == 1


def use_code(tx: Tx, code: UUID) -> bool:
    """Spend a code that was right; False: somebody else did."""
    statement = update(_CODE).where(_CODE.c.id == code, _CODE.c.used_at.is_(None))
    return tx.run(statement.values(used_at=tx.now)).rowcount == 1


def see_token(tx: Tx, issuer: str, jti: str, until: Instant) -> bool:
    """Remember a shop token's id; False: it was used before."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(_SEEN).values(issuer=issuer, jti=jti, until=until).on_conflict_do_nothing()
    return tx.run(statement.returning(_SEEN.c.jti)).first() is not None


def count_in_window(tx: Tx, name: str, subject: bytes, window: timedelta) -> int:
    """Count one more event of `subject` in the present window; the number so far, this one included."""
    seconds = int(window.total_seconds())
    start = tx.now - timedelta(seconds=tx.now.timestamp() % seconds)
    start = start.replace(microsecond=0)
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = (
        dialect.insert(_BUCKET)
        .values(name=name, subject=subject, window_start=start, count=1)
        .on_conflict_do_update(
            index_elements=[_BUCKET.c.name, _BUCKET.c.subject, _BUCKET.c.window_start],
            set_={"count": _BUCKET.c.count + 1},
        )
        .returning(_BUCKET.c.count)
    )
    return int(tx.run(statement).scalar_one())


def claim_call(tx: Tx, account: str, key: str, request_hash: bytes) -> tuple[bytes, int | None, bytes | None] | None:
    """Reserve an idempotency key. None: it is new and now ours; else (hash, status, answer) of the call before."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    fresh = dialect.insert(_CALL).values(account=account, key=key, request_hash=request_hash, created_at=tx.now)
    if tx.run(fresh.on_conflict_do_nothing().returning(_CALL.c.key)).first() is not None:
        return None
    row = tx.run(select(_CALL).where(_CALL.c.account == account, _CALL.c.key == key)).one()
    return row.request_hash, row.status, row.answer


def answer_call(tx: Tx, account: str, key: str, status: int, answer: bytes, subject_id: str | None = None) -> None:
    """Keep the answer for whoever sends the same call again. `subject_id`: whom it names."""
    statement = update(_CALL).where(_CALL.c.account == account, _CALL.c.key == key)
    tx.run(statement.values(status=status, answer=answer, subject_id=subject_id))


def sweep_tokens(tx: Tx) -> int:
    """Delete what has run out: used shop tokens, rate buckets of the past hours, links, answered calls of a week."""
    gone = tx.run(delete(_SEEN).where(_SEEN.c.until < tx.now)).rowcount
    gone += tx.run(delete(_BUCKET).where(_BUCKET.c.window_start < tx.now - timedelta(days=2))).rowcount
    gone += tx.run(delete(_LINK).where(_LINK.c.expires_at < tx.now - timedelta(days=7))).rowcount
    gone += tx.run(delete(_CALL).where(_CALL.c.created_at < tx.now - timedelta(days=7))).rowcount
    return gone
