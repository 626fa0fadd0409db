"""What a request for rectification corrects."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select

from privacyops.kernel.ids import DsarId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.correction import CorrectionRow
from privacyops.store.uow import Tx

_CORRECTION = table_of(CorrectionRow)


@dataclass(frozen=True, slots=True)
class StoredCorrections:
    """The pairs of one request, sealed. `id` changes whenever they do."""

    id: UUID
    pairs: int
    sealed: bytes


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
