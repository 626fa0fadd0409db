"""Closed requests that still hold what has to go, and the emptying of them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, or_, select, update

from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId
from privacyops.store.dsar import DSAR, as_dsar, destroy_request_key
from privacyops.store.tables.base import table_of
from privacyops.store.tables.correction import CorrectedStoreRow, CorrectionRow
from privacyops.store.tables.dsar import DsarCodeRow, DsarMessageRow, DsarProofRow, RequestKeyRow
from privacyops.store.tables.finding import FindingRow, RunRow
from privacyops.store.tables.redaction import ReadingRow
from privacyops.store.tables.store_erasure import StoreErasureRow
from privacyops.store.uow import Tx

_CODE = table_of(DsarCodeRow)
_CORRECTED = table_of(CorrectedStoreRow)
_CORRECTION = table_of(CorrectionRow)
_ERASURE = table_of(StoreErasureRow)
_FINDING = table_of(FindingRow)
_KEY = table_of(RequestKeyRow)
_MESSAGE = table_of(DsarMessageRow)
_PROOF = table_of(DsarProofRow)
_RUN = table_of(RunRow)
_READING = table_of(ReadingRow)
EMPTY_INDEX = b""
"""In place of the keyed hash of a contact: a hash under a living key still finds the person."""


def list_with_values(tx: Tx, closed_before: Instant, limit: int = 20) -> Sequence[DsarId]:
    """Requests closed before then whose findings still hold values."""
    holding = or_(
        exists().where(_FINDING.c.dsar_id == DSAR.c.id, _FINDING.c.sealed.is_not(None)),
        exists().where(_RUN.c.dsar_id == DSAR.c.id, _RUN.c.state_sealed.is_not(None)),
        exists().where(_PROOF.c.dsar_id == DSAR.c.id, _PROOF.c.sealed.is_not(None)),
        exists().where(_CORRECTION.c.dsar_id == DSAR.c.id),
        exists().where(_CORRECTED.c.dsar_id == DSAR.c.id, _CORRECTED.c.sealed.is_not(None)),
    )
    query = select(DSAR.c.id).where(*_closed(tx), DSAR.c.closed_at <= closed_before, holding).limit(limit)
    return [DsarId(row.id) for row in tx.run(query)]


def list_with_key(tx: Tx, regime: str, closed_before: Instant, limit: int = 20) -> Sequence[Dsar]:
    """Requests under a regime that were closed before then and can still be opened, the oldest first."""
    keyed = exists().where(_KEY.c.dsar_id == DSAR.c.id)
    query = select(DSAR).where(*_closed(tx), DSAR.c.regime == regime, DSAR.c.closed_at <= closed_before, keyed)
    return [as_dsar(row) for row in tx.run(query.order_by(DSAR.c.closed_at).limit(limit))]


def list_regimes(tx: Tx) -> Sequence[str]:
    """The regimes under which requests were closed."""
    return [row.regime for row in tx.run(select(DSAR.c.regime).where(*_closed(tx)).distinct())]


def drop_values(tx: Tx, dsar_id: DsarId) -> None:
    """Take the found values, where the searches stood, what was planned and corrected with them, and the evidence of
    identity; counts and decisions stay.
    """
    tx.run(update(_FINDING).where(_FINDING.c.dsar_id == dsar_id).values(sealed=None))
    tx.run(update(_RUN).where(_RUN.c.dsar_id == dsar_id).values(state_sealed=None))
    tx.run(update(_READING).where(_READING.c.dsar_id == dsar_id).values(labels_sealed=None))
    tx.run(update(_PROOF).where(_PROOF.c.dsar_id == dsar_id).values(sealed=None))
    tx.run(delete(_CORRECTION).where(_CORRECTION.c.dsar_id == dsar_id))
    tx.run(update(_CORRECTED).where(_CORRECTED.c.dsar_id == dsar_id).values(sealed=None))
    planned = (_ERASURE.c.dsar_id == dsar_id, _ERASURE.c.poll_at.is_(None))  # a store at work is still read back by it
    tx.run(update(_ERASURE).where(*planned).values(plan_sealed=None, results_sealed=None))
    tx.run(delete(_CODE).where(_CODE.c.dsar_id == dsar_id))


def empty_record(tx: Tx, dsar_id: DsarId) -> None:
    """Take who asked and what was said, and the key of both; dates, type and outcome stay."""
    destroy_request_key(tx, dsar_id)
    tx.run(update(_MESSAGE).where(_MESSAGE.c.dsar_id == dsar_id).values(sealed=None))
    tx.run(update(DSAR).where(DSAR.c.id == dsar_id).values(sealed=None, contact_index=EMPTY_INDEX, residence=None))


def _closed(tx: Tx) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return DSAR.c.controller == tx.controller, DSAR.c.state == DsarState.CLOSED
