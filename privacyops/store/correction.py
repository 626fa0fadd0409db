"""What a request for rectification corrects, and what was written in each store."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.correction import CorrectedStoreRow, CorrectionRow
from privacyops.store.uow import Tx

_CORRECTION = table_of(CorrectionRow)
_CORRECTED = table_of(CorrectedStoreRow)


@dataclass(frozen=True, slots=True)
class StoredCorrections:
    """The pairs of one request, sealed. `id` changes whenever they do."""

    id: UUID
    pairs: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class CorrectedStore:
    """What one correction wrote in a store. `sealed` None: its values have been destroyed, as their term was over."""

    id: UUID
    dsar_id: DsarId
    collections: tuple[str, ...]
    sealed: bytes | None


def find_corrections(tx: Tx, dsar_id: DsarId) -> StoredCorrections | None:
    """None: nobody wrote any."""
    mine = (_CORRECTION.c.dsar_id == dsar_id, _CORRECTION.c.controller == tx.controller)
    row = tx.run(select(_CORRECTION).where(*mine)).one_or_none()
    return None if row is None else StoredCorrections(row.id, row.pairs, row.sealed)


def replace_corrections(tx: Tx, dsar_id: DsarId, pairs: int, sealed: bytes) -> None:
    """Write all pairs anew."""
    drop_corrections(tx, dsar_id)
    tx.run(
        insert(_CORRECTION),
        {"dsar_id": dsar_id, "controller": tx.controller, "id": uuid7(tx.now), "pairs": pairs, "sealed": sealed,
         "written_at": tx.now},
    )  # fmt: skip


def drop_corrections(tx: Tx, dsar_id: DsarId) -> None:
    """Take them away."""
    tx.run(delete(_CORRECTION).where(_CORRECTION.c.dsar_id == dsar_id, _CORRECTION.c.controller == tx.controller))


def add_corrected(tx: Tx, dsar_id: DsarId, key: UUID, store: str, collections: Sequence[str], sealed: bytes) -> None:
    """Note what was written in a store; `key` is the row's own, under which `sealed` opens."""
    tx.run(
        insert(_CORRECTED),
        {"id": key, "dsar_id": dsar_id, "controller": tx.controller, "store": store,
         "collections": list(collections), "sealed": sealed, "done_at": tx.now},
    )  # fmt: skip


def list_corrected(tx: Tx, store: str, since: Instant) -> Sequence[CorrectedStore]:
    """What was corrected in a store since an instant, oldest first."""
    mine = (_CORRECTED.c.controller == tx.controller, _CORRECTED.c.store == store, _CORRECTED.c.done_at >= since)
    return [
        CorrectedStore(row.id, DsarId(row.dsar_id), tuple(row.collections), row.sealed)
        for row in tx.run(select(_CORRECTED).where(*mine).order_by(_CORRECTED.c.done_at, _CORRECTED.c.id))
    ]
