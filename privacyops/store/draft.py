"""Drafts of purposes and notices: one a key, replaced as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.draft import DraftKind
from privacyops.kernel.clock import Instant
from privacyops.store.tables.account import AccountRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.draft import DraftRow
from privacyops.store.uow import Tx

_DRAFT = table_of(DraftRow)
_ACCOUNT = table_of(AccountRow)
_SELECT = select(_DRAFT, _ACCOUNT.c.name.label("saver")).outerjoin(_ACCOUNT, _ACCOUNT.c.id == _DRAFT.c.saved_by)


@dataclass(frozen=True, slots=True)
class Draft:
    """The next version as far as it is written."""

    kind: DraftKind
    key: str
    body: Mapping[str, Any]
    saved_at: Instant
    saver: str | None
    """The name of the colleague who saved it last; None: a back end did, or the command line."""


def save_draft(tx: Tx, kind: DraftKind, key: str, body: Mapping[str, Any], by: UUID | None) -> None:
    """Write the draft, in place of the one before."""
    fresh, values = _fresh(tx, kind, key, body, by)
    tx.run(fresh.on_conflict_do_update(index_elements=[_DRAFT.c.controller, _DRAFT.c.kind, _DRAFT.c.key], set_=values))


def add_draft(tx: Tx, kind: DraftKind, key: str, body: Mapping[str, Any], by: UUID | None) -> bool:
    """Write the first draft of a version; False: somebody was quicker, and theirs stays."""
    fresh, _ = _fresh(tx, kind, key, body, by)
    return tx.run(fresh.on_conflict_do_nothing().returning(_DRAFT.c.key)).first() is not None


def _fresh(tx: Tx, kind: DraftKind, key: str, body: Mapping[str, Any], by: UUID | None) -> tuple[Any, dict[str, Any]]:
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {"body": dict(body), "saved_at": tx.now, "saved_by": by}
    return dialect.insert(_DRAFT).values(controller=tx.controller, kind=kind, key=key, **values), values


def find_draft(tx: Tx, kind: DraftKind, key: str, *, is_locked: bool = False) -> Draft | None:
    """The draft of a key, if there is one; `is_locked`: nobody else saves it until the transaction ends."""
    query = _SELECT.where(*_is(tx, kind, key))
    row = tx.run(query.with_for_update(of=_DRAFT) if is_locked else query).first()
    return Draft(kind, row.key, row.body, row.saved_at, row.saver) if row else None


def list_drafts(tx: Tx, kind: DraftKind) -> list[Draft]:
    """Every draft of a kind, by key."""
    query = _SELECT.where(_DRAFT.c.controller == tx.controller, _DRAFT.c.kind == kind).order_by(_DRAFT.c.key)
    return [Draft(kind, row.key, row.body, row.saved_at, row.saver) for row in tx.run(query)]


def drop_draft(tx: Tx, kind: DraftKind, key: str) -> bool:
    """Throw the draft away; False: there was none."""
    return tx.run(delete(_DRAFT).where(*_is(tx, kind, key))).rowcount == 1


def _is(tx: Tx, kind: DraftKind, key: str) -> tuple[Any, ...]:
    return _DRAFT.c.controller == tx.controller, _DRAFT.c.kind == kind, _DRAFT.c.key == key
