"""Collection points: registered, changed, switched off and on; never deleted."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.consent.collection import CollectionPoint, PointClock, PointKind, PointTerms
from privacyops.store.tables.base import table_of
from privacyops.store.tables.collection import CollectionPointRow
from privacyops.store.uow import Tx

_POINT = table_of(CollectionPointRow)


def add_point(tx: Tx, point: CollectionPoint) -> bool:
    """A new point; False, and nothing was added, where its key is taken."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {"id": point.id, "controller": tx.controller, "key": point.key, "created_at": point.created_at}
    fresh = dialect.insert(_POINT).values(**values, **_changing(point)).on_conflict_do_nothing()
    return tx.run(fresh.returning(_POINT.c.id)).first() is not None


def save_point(tx: Tx, point: CollectionPoint) -> None:
    """What has changed of a point that was read with `is_locked`."""
    mine = (_POINT.c.controller == tx.controller, _POINT.c.id == point.id)
    tx.run(update(_POINT).where(*mine).values(**_changing(point)))


def find_point(tx: Tx, key: str, *, is_locked: bool = False) -> CollectionPoint | None:
    """The point of a key. `is_locked`: nobody else changes it before this transaction has ended."""
    query = select(_POINT).where(_POINT.c.controller == tx.controller, _POINT.c.key == key)
    row = tx.run(query.with_for_update() if is_locked else query).first()
    return _point(row) if row else None


def list_points(tx: Tx) -> list[CollectionPoint]:
    """Every point, by key."""
    query = select(_POINT).where(_POINT.c.controller == tx.controller).order_by(_POINT.c.key)
    return [_point(row) for row in tx.run(query)]


def _changing(point: CollectionPoint) -> dict[str, Any]:
    terms = point.terms
    return {
        "kind": terms.kind, "brand": terms.brand, "origins": list(terms.origins), "purposes": list(terms.purposes),
        "notice_id": terms.notice_id, "notice_version": terms.notice_version, "clock": terms.clock,
        "is_enabled": point.is_enabled, "version": point.version,
    }  # fmt: skip


def _point(row: Row[Any]) -> CollectionPoint:
    terms = PointTerms(
        PointKind(row.kind), row.brand, tuple(row.origins), tuple(row.purposes), row.notice_id, row.notice_version,
        PointClock(row.clock),
    )  # fmt: skip
    return CollectionPoint(row.id, row.key, terms, row.is_enabled, row.version, row.created_at)
