"""Data maps and the answers about their links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.codec import map_from_json, map_to_json
from privacyops.domain.datamap.deciding import Answer, Decision
from privacyops.domain.datamap.drift import Drift, DriftKind
from privacyops.domain.datamap.link import Ownership
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.datamap import DataMapRow, LinkDecisionRow
from privacyops.store.uow import Tx

MOST_DRIFT: Final = 1000
"""Changes that are kept; a store that was exchanged has changed in all."""
_MAP = table_of(DataMapRow)
_DECISION = table_of(LinkDecisionRow)


@dataclass(frozen=True, slots=True)
class ScannedMap:
    """A map as it was scanned, without anybody's answers."""

    drawn: DataMap
    scan: int
    scanned_at: Instant
    drift: tuple[Drift, ...] = ()


def find_map(tx: Tx, store: str) -> ScannedMap | None:
    """The last scan of a store. Raises: MapUnreadable: another version wrote it."""
    row = tx.run(select(_MAP).where(_MAP.c.controller == tx.controller, _MAP.c.store == store)).one_or_none()
    return None if row is None else _scanned(row)


def _scanned(row: Row[Any]) -> ScannedMap:
    changes = tuple(Drift(DriftKind(kind), what, is_personal) for kind, what, is_personal in row.drift)
    return ScannedMap(map_from_json(row.drawn), row.scan, row.scanned_at, changes)


def save_map(tx: Tx, drawn: DataMap, before: ScannedMap | None, changes: Sequence[Drift]) -> int:
    """Keep a new scan in place of `before`, and return its number. Raises: StaleState: another scan came between."""
    told = [[one.kind.value, one.what, one.is_personal] for one in changes[:MOST_DRIFT]]
    values = {"drawn": map_to_json(drawn), "drift": told, "scanned_at": tx.now}
    if before is None:
        # one that no release can read any more stands in the way of the first that can be
        tx.run(delete(_MAP).where(_MAP.c.controller == tx.controller, _MAP.c.store == drawn.store))
        tx.run(
            insert(_MAP), {"id": uuid7(tx.now), "controller": tx.controller, "store": drawn.store, "scan": 1, **values}
        )
        return 1
    here = (_MAP.c.controller == tx.controller, _MAP.c.store == drawn.store, _MAP.c.scan == before.scan)
    tx.move(update(_MAP).where(*here).values(scan=before.scan + 1, **values))
    return before.scan + 1


def list_decisions(tx: Tx, store: str) -> tuple[Decision, ...]:
    """The answers that stand, by link."""
    query = select(_DECISION).where(_DECISION.c.controller == tx.controller, _DECISION.c.store == store)
    return tuple(
        Decision(
            link=row.link, answer=Answer(row.answer), ownership=Ownership(row.ownership) if row.ownership else None,
            decided_by=row.decided_by, decided_at=row.decided_at,
        )
        for row in tx.run(query.order_by(_DECISION.c.link).limit(10_000))
    )  # fmt: skip


def save_decision(tx: Tx, store: str, link: str, answer: Answer, ownership: Ownership | None, decided_by: UUID) -> None:
    """The answer that stands from now on, in place of an earlier one."""
    values = {
        "answer": answer, "ownership": ownership.value if ownership else None, "decided_by": decided_by,
        "decided_at": tx.now,
    }  # fmt: skip
    here = (_DECISION.c.controller == tx.controller, _DECISION.c.store == store, _DECISION.c.link == link)
    if tx.run(update(_DECISION).where(*here).values(**values)).rowcount:
        return
    tx.run(
        insert(_DECISION),
        {"id": uuid7(tx.now), "controller": tx.controller, "store": store, "link": link, **values},
    )
