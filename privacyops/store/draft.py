"""Drafts of purposes and notices: one a key, replaced as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.draft import DraftKind
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import table_of
from privacyops.store.tables.draft import DraftRow
from privacyops.store.uow import Tx

_DRAFT = table_of(DraftRow)


@dataclass(frozen=True, slots=True)
class Draft:
    """The next version as far as it is written."""

    kind: DraftKind
    key: str
    body: Mapping[str, Any]
    saved_at: Instant


def save_draft(tx: Tx, kind: DraftKind, key: str, body: Mapping[str, Any], by: UUID | None) -> None:
    """Write the draft, in place of the one before."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {"body": dict(body), "saved_at": tx.now, "saved_by": by}
    fresh = dialect.insert(_DRAFT).values(controller=tx.controller, kind=kind, key=key, **values)
    tx.run(fresh.on_conflict_do_update(index_elements=[_DRAFT.c.controller, _DRAFT.c.kind, _DRAFT.c.key], set_=values))


def find_draft(tx: Tx, kind: DraftKind, key: str) -> Draft | None:
    """The draft of a key, if there is one."""
    row = tx.run(select(_DRAFT).where(*_is(tx, kind, key))).first()
    return Draft(kind, row.key, row.body, row.saved_at) if row else None


def list_drafts(tx: Tx, kind: DraftKind) -> list[Draft]:
    """Every draft of a kind, by key."""
    query = select(_DRAFT).where(_DRAFT.c.controller == tx.controller, _DRAFT.c.kind == kind).order_by(_DRAFT.c.key)
    return [Draft(kind, row.key, row.body, row.saved_at) for row in tx.run(query)]


def drop_draft(tx: Tx, kind: DraftKind, key: str) -> bool:
    """Throw the draft away; False: there was none."""
    return tx.run(delete(_DRAFT).where(*_is(tx, kind, key))).rowcount == 1


def _is(tx: Tx, kind: DraftKind, key: str) -> tuple[Any, ...]:
    return _DRAFT.c.controller == tx.controller, _DRAFT.c.kind == kind, _DRAFT.c.key == key
