"""Lifting suppressions: taking one off the list, and the proposals that wait for a second person.

On PostgreSQL whoever gives a contact to somebody and whoever changes what stands against it do not see each other's
row before it is committed. So the first shares a lock named after the contact, and the second holds it alone: one of
them is behind the other and sees what it did. SQLite writes one at a time and needs none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, tuple_, update

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import uuid7
from privacyops.store.consent import instant_at
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import SuppressionRow
from privacyops.store.tables.suppression import SuppressionLiftRow
from privacyops.store.types import uuid_of
from privacyops.store.uow import Tx

_SUPPRESSION = table_of(SuppressionRow)
_LIFT = table_of(SuppressionLiftRow)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of the list, by numbers; 0 stands for all. `at` is its place in the order of what happened."""

    ref: bytes
    reason: str
    purpose_no: int
    brand_no: int
    event_id: UUID
    at: Instant


@dataclass(frozen=True, slots=True)
class LiftProposal:
    """A wish to lift an entry that needs a second person. `family` is the kind of contact."""

    id: UUID
    entry: Suppression
    family: str
    why: str
    proposed_by: UUID
    proposed_at: Instant


def shared_locks(refs: Iterable[bytes]) -> list[int]:
    """The names of the locks that belong to contacts, by their keyed hashes on the list."""
    return [int.from_bytes(ref[:8], "big", signed=True) for ref in refs]


def give(tx: Tx, refs: Sequence[bytes]) -> None:
    """Somebody is given these contacts: until the commit nobody changes what stands against them."""
    if refs and tx.dialect == "postgresql":
        tx.raw(f"SELECT {SHARED}", {"contacts": shared_locks(refs)})


def give_many(tx: Tx) -> None:
    """As `give`, for any contacts: one lock for a list of any length."""
    if tx.dialect == "postgresql":
        tx.raw(f"SELECT {SHARED}", {"contacts": [_ALL]})


def hold_alone(tx: Tx, refs: Sequence[bytes]) -> None:
    """What stands against this contact changes: until the commit nobody is given it, and what is read now is true."""
    if tx.dialect == "postgresql":
        tx.raw(_ALONE, {"contacts": [_ALL, *sorted(shared_locks(refs))]})


_ALL: Final = 0
_NAMES: Final = "unnest(:contacts::bigint[]) AS c(name)"
SHARED: Final = f"(SELECT count(pg_advisory_xact_lock_shared(c.name)) FROM {_NAMES})"  # noqa: S608 - constant parts
"""A column that takes the locks of `:contacts` to share; what a later statement reads is then true until the commit."""
_ALONE: Final = f"SELECT count(pg_advisory_xact_lock(c.name)) FROM {_NAMES}"  # noqa: S608 - constant parts


def list_entries(tx: Tx, refs: Iterable[bytes]) -> Sequence[Suppression]:
    """What stands on the list for one contact, under any of its keyed hashes. Every write of consent asks it."""
    named = {f"r{place}": ref for place, ref in enumerate(refs)}
    if not named:
        return []
    rows = tx.raw(
        "SELECT ref, reason, purpose_no, brand_no, event_id, order_t FROM suppression "  # noqa: S608 - names of parameters
        f"WHERE ref IN ({', '.join(f':{name}' for name in named)}) AND controller = :controller ORDER BY reason",
        {**named, "controller": tx.controller},
    )
    return [
        Suppression(ref, reason, purpose_no, brand_no, uuid_of(event_id), instant_at(order_t))
        for ref, reason, purpose_no, brand_no, event_id, order_t in rows
    ]


def list_all(tx: Tx, page: int = 1_000) -> Iterator[Suppression]:
    """Every entry of the list, read in pages."""
    order = (_SUPPRESSION.c.ref, _SUPPRESSION.c.reason, _SUPPRESSION.c.purpose_no, _SUPPRESSION.c.brand_no)
    query = select(_SUPPRESSION).where(_SUPPRESSION.c.controller == tx.controller).order_by(*order).limit(page)
    found = tx.run(query).all()
    while found:
        yield from (_entry(row, row.event_id, instant_at(row.order_t)) for row in found)
        last = found[-1]
        found = tx.run(query.where(tuple_(*order) > (last.ref, last.reason, last.purpose_no, last.brand_no))).all()


def find_entry(tx: Tx, refs: Iterable[bytes], reason: str, purpose_no: int, brand_no: int) -> Suppression | None:
    """The entry of exactly this reason and reach."""
    return next(
        (
            one
            for one in list_entries(tx, refs)
            if (one.reason, one.purpose_no, one.brand_no) == (reason, purpose_no, brand_no)
        ),
        None,
    )


def remove_entry(tx: Tx, one: Suppression) -> None:
    """Take an entry off the list. Raises: StaleState: somebody else did."""
    tx.move(
        delete(_SUPPRESSION).where(
            _SUPPRESSION.c.ref == one.ref,
            _SUPPRESSION.c.reason == one.reason,
            _SUPPRESSION.c.purpose_no == one.purpose_no,
            _SUPPRESSION.c.brand_no == one.brand_no,
            _SUPPRESSION.c.event_id == one.event_id,
        )
    )


def add_proposal(tx: Tx, one: Suppression, family: str, why: str, by: UUID) -> UUID:
    """Ask a second person."""
    key = uuid7(tx.now)
    tx.run(
        insert(_LIFT),
        {
            "id": key, "controller": tx.controller, "ref": one.ref, "reason": one.reason,
            "purpose_no": one.purpose_no, "brand_no": one.brand_no, "family": family, "state": "proposed",
            "why": why, "proposed_by": by, "proposed_at": tx.now,
        },
    )  # fmt: skip
    return key


def find_proposal(tx: Tx, one: Suppression) -> UUID | None:
    """The proposal about an entry that waits already."""
    query = select(_LIFT.c.id).where(
        _LIFT.c.controller == tx.controller,
        _LIFT.c.state == "proposed",
        _LIFT.c.ref == one.ref,
        _LIFT.c.reason == one.reason,
        _LIFT.c.purpose_no == one.purpose_no,
        _LIFT.c.brand_no == one.brand_no,
    )
    found: UUID | None = tx.run(query).scalar()
    return found


def load_proposal(tx: Tx, key: UUID) -> LiftProposal:
    """A proposal that waits. Raises: NotFound."""
    query = select(_LIFT).where(_LIFT.c.id == key, _LIFT.c.controller == tx.controller, _LIFT.c.state == "proposed")
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return _proposal(row)


def list_proposals(tx: Tx) -> Sequence[LiftProposal]:
    """What waits for a second person, oldest first."""
    query = select(_LIFT).where(_LIFT.c.controller == tx.controller, _LIFT.c.state == "proposed")
    return [_proposal(row) for row in tx.run(query.order_by(_LIFT.c.id).limit(200))]


def decide_proposal(tx: Tx, key: UUID, by: UUID, *, lifted: bool) -> None:
    """Compare-and-set. Raises: StaleState."""
    changed = {"state": "lifted" if lifted else "returned", "decided_by": by, "decided_at": tx.now}
    tx.move(update(_LIFT).where(_LIFT.c.id == key, _LIFT.c.state == "proposed").values(changed))


def _entry(row: Row[Any], event_id: UUID, at: Instant) -> Suppression:
    return Suppression(row.ref, row.reason, row.purpose_no, row.brand_no, event_id, at)


def _proposal(row: Row[Any]) -> LiftProposal:
    entry = _entry(row, UUID(int=0), row.proposed_at)  # of what is proposed only the key is kept
    return LiftProposal(row.id, entry, row.family, row.why, row.proposed_by, row.proposed_at)
