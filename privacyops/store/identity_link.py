"""Links between a device and a person: who belongs to whom, since which events, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.kernel.ids import uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import SubjectIdentifierRow, SubjectRow
from privacyops.store.tables.identity_link import IdentityLinkRow
from privacyops.store.uow import Tx

_LINK = table_of(IdentityLinkRow)
_IDENTIFIER = table_of(SubjectIdentifierRow)
_SUBJECT = table_of(SubjectRow)


@dataclass(frozen=True, slots=True)
class IdentityLink:
    """A device at a person; the events stand in the chain of the side that they are named after."""

    id: UUID
    account_no: int
    device_no: int
    account_event: UUID
    device_event: UUID
    account_unlink_event: UUID | None
    device_unlink_event: UUID | None

    @property
    def is_live(self) -> bool:
        return self.account_unlink_event is None


def add_link(tx: Tx, account_no: int, device_no: int, account_event: UUID, device_event: UUID) -> bool:
    """Tie a device to a person; False: it is tied already."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    row = {
        "id": uuid7(tx.now), "controller": tx.controller, "account_no": account_no, "device_no": device_no,
        "account_event": account_event, "device_event": device_event, "linked_at": tx.now,
    }  # fmt: skip
    fresh = dialect.insert(_LINK).values(**row).on_conflict_do_nothing()
    return tx.run(fresh.returning(_LINK.c.id)).first() is not None


def end_link(tx: Tx, link: IdentityLink, account_event: UUID, device_event: UUID) -> None:
    """Compare-and-set. Raises: StaleState: it ended already."""
    changed = {"unlinked_at": tx.now, "account_unlink_event": account_event, "device_unlink_event": device_event}
    tx.move(update(_LINK).where(_LINK.c.id == link.id, _LINK.c.unlinked_at.is_(None)).values(changed))


def list_links(tx: Tx, subject_no: int) -> Sequence[IdentityLink]:
    """Every link of one side, ended ones too, oldest first."""
    about = or_(_LINK.c.account_no == subject_no, _LINK.c.device_no == subject_no)
    return [_link(row) for row in tx.run(select(_LINK).where(about).order_by(_LINK.c.linked_at, _LINK.c.id))]


def find_live(tx: Tx, device_no: int) -> IdentityLink | None:
    """The link that ties a device now."""
    row = tx.run(select(_LINK).where(_LINK.c.device_no == device_no, _LINK.c.unlinked_at.is_(None))).one_or_none()
    return _link(row) if row is not None else None


def find_by_public_id(tx: Tx, public_id: str) -> int | None:
    """The number of a side by its own id, also of a device whose id leads to somebody else by now."""
    query = select(_SUBJECT.c.no).where(_SUBJECT.c.public_id == public_id, _SUBJECT.c.controller == tx.controller)
    number: int | None = tx.run(query).scalar()
    return number


def list_types(tx: Tx, subject_no: int) -> frozenset[str]:
    """The kinds of identifiers that lead to a side: those of a device name nobody."""
    query = select(_IDENTIFIER.c.type).where(_IDENTIFIER.c.subject_no == subject_no)
    return frozenset(tx.run(query).scalars())


def lend(tx: Tx, device_no: int, account_no: int) -> None:
    """Let a device's identifiers lead to the person it is tied to."""
    mine = _IDENTIFIER.c.subject_no == device_no
    tx.run(update(_IDENTIFIER).where(mine).values(subject_no=account_no, lent_by=device_no))


def give_back(tx: Tx, device_no: int) -> None:
    """Let a device's identifiers lead to the device again."""
    lent = _IDENTIFIER.c.lent_by == device_no
    tx.run(update(_IDENTIFIER).where(lent).values(subject_no=device_no, lent_by=None))


def find_lender(tx: Tx, refs: Sequence[bytes]) -> int | None:
    """The device that any of the identifiers is lent by."""
    query = select(_IDENTIFIER.c.lent_by).where(_IDENTIFIER.c.ref.in_(list(refs)), _IDENTIFIER.c.lent_by.is_not(None))
    number: int | None = tx.run(query.limit(1)).scalar()
    return number


def tied_devices(tx: Tx, after: int, last: int) -> frozenset[int]:
    """Of the subjects numbered behind `after` and up to `last`, the devices that are tied to somebody now."""
    query = select(_LINK.c.device_no).where(_LINK.c.device_no.between(after + 1, last), _LINK.c.unlinked_at.is_(None))
    return frozenset(tx.run(query).scalars())


def _link(row: Row[Any]) -> IdentityLink:
    return IdentityLink(
        row.id, row.account_no, row.device_no, row.account_event, row.device_event, row.account_unlink_event,
        row.device_unlink_event,
    )  # fmt: skip
