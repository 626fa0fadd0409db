"""Mails that a commit promised."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, update

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId
from privacyops.store.tables.base import table_of
from privacyops.store.tables.letter import MailRow
from privacyops.store.uow import Tx

_MAIL = table_of(MailRow)


@dataclass(frozen=True, slots=True)
class PromisedMail:
    """One mail; `sealed` opens to address and texts, and is emptied once the mail was handed over."""

    id: UUID
    kind: str
    state: str
    dsar_id: DsarId | None
    sealed: bytes | None
    code: str | None
    created_at: Instant
    sent_at: Instant | None


def add_mail(tx: Tx, mail: UUID, kind: str, sealed: bytes, dsar_id: DsarId | None) -> None:
    """Promise a mail in the transaction of its cause."""
    tx.run(
        insert(_MAIL),
        {"id": mail, "controller": tx.controller, "kind": kind, "state": "queued", "dsar_id": dsar_id,
         "sealed": sealed, "created_at": tx.now},
    )  # fmt: skip


def load_mail(tx: Tx, mail: UUID) -> PromisedMail | None:
    """The mail as it stands."""
    row = tx.run(select(_MAIL).where(_MAIL.c.id == mail)).one_or_none()
    if row is None:
        return None
    dsar_id = DsarId(row.dsar_id) if row.dsar_id else None
    return PromisedMail(row.id, row.kind, row.state, dsar_id, row.sealed, row.code, row.created_at, row.sent_at)


def settle_mail(tx: Tx, mail: UUID, state: str, code: str | None = None) -> None:
    """The mail was handed over (`sent`) or is given up (`failed`); its content goes. Repeating changes nothing."""
    tx.run(
        update(_MAIL)
        .where(_MAIL.c.id == mail, _MAIL.c.state == "queued")
        .values(state=state, code=code, sealed=None, sent_at=tx.now)
    )


def has_answer(tx: Tx, dsar_id: DsarId) -> bool:
    """Whether a letter that answers the request waits to leave."""
    kinds = ["answer_full", "answer_partial", "no_data", "refusal"]
    query = select(_MAIL.c.id).where(_MAIL.c.dsar_id == dsar_id, _MAIL.c.kind.in_(kinds), _MAIL.c.state == "queued")
    return tx.run(query.limit(1)).first() is not None


def void_mails(tx: Tx, dsar_id: DsarId, code: str) -> int:
    """What has not left yet stays here; how many."""
    statement = update(_MAIL).where(_MAIL.c.dsar_id == dsar_id, _MAIL.c.state == "queued")
    return tx.run(statement.values(state="failed", code=code, sealed=None, sent_at=tx.now)).rowcount
