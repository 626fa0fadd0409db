"""Persons and devices: found by keyed hash, known by a random number, readable only with their own key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.subject import IdentityConflict, SubjectIdentifier
from privacyops.kernel.errors import StaleState
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentStateRow, SubjectIdentifierRow, SubjectKeyRow, SubjectRow
from privacyops.store.uow import Tx

_IDENTIFIER = table_of(SubjectIdentifierRow)
_KEY = table_of(SubjectKeyRow)
_STATE = table_of(ConsentStateRow)
_SUBJECT = table_of(SubjectRow)
OWN_ID: Final = "subject"
"""The type under which a person's own id stands among the identifiers."""


class SubjectRaced(StaleState):
    """Two first writes met over one identifier: run the use case again, the person exists now."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person or device by number and public id."""

    no: int
    public_id: str
    jurisdiction: str | None


@dataclass(frozen=True, slots=True)
class NewIdentifier:
    """An identifier to be kept: found by `ref`, sealed under the person's key.

    `contact` is the same in clear, where it can be written to: for as long as the write that attaches it lasts.
    """

    ref: bytes
    type: str
    sealed: bytes | None
    contact: SubjectIdentifier | None = None


def find_subject(tx: Tx, refs: Iterable[bytes]) -> Subject | None:
    """The person behind any of the keyed hashes. Raises: IdentityConflict: they name different people."""
    query = (
        select(_SUBJECT.c.no, _SUBJECT.c.public_id, _SUBJECT.c.jurisdiction)
        .join(_IDENTIFIER, _IDENTIFIER.c.subject_no == _SUBJECT.c.no)
        .where(_IDENTIFIER.c.ref.in_(list(refs)), _SUBJECT.c.controller == tx.controller)
        .distinct()
        .limit(2)
    )
    rows = tx.run(query).all()
    if len(rows) > 1:
        raise IdentityConflict
    return Subject(rows[0].no, rows[0].public_id, rows[0].jurisdiction) if rows else None


def load_subject(tx: Tx, subject_no: int) -> Subject:
    """The person or device of a number that another row names."""
    query = select(_SUBJECT.c.no, _SUBJECT.c.public_id, _SUBJECT.c.jurisdiction).where(_SUBJECT.c.no == subject_no)
    row = tx.run(query).one()
    return Subject(row.no, row.public_id, row.jurisdiction)


def load_sealed(tx: Tx, subject_no: int, ref: bytes) -> bytes | None:
    """The sealed value of one of the person's identifiers."""
    query = select(_IDENTIFIER.c.sealed).where(_IDENTIFIER.c.subject_no == subject_no, _IDENTIFIER.c.ref == ref)
    sealed: bytes | None = tx.run(query).scalar()
    return sealed


def known_refs(tx: Tx, subject_no: int, refs: Iterable[bytes]) -> frozenset[bytes]:
    """Those of `refs` that this person is already known by."""
    query = select(_IDENTIFIER.c.ref).where(_IDENTIFIER.c.subject_no == subject_no, _IDENTIFIER.c.ref.in_(list(refs)))
    return frozenset(tx.run(query).scalars())


def add_key(tx: Tx, subject_no: int, wrapped: bytes) -> None:
    """The person's key; it exists before the first event that needs it."""
    tx.run(insert(_KEY), {"subject_no": subject_no, "wrapped": wrapped})


def load_key(tx: Tx, subject_no: int) -> bytes | None:
    """The wrapped key; None once it was destroyed."""
    wrapped: bytes | None = tx.run(select(_KEY.c.wrapped).where(_KEY.c.subject_no == subject_no)).scalar()
    return wrapped


def add_identifiers(tx: Tx, subject_no: int, identifiers: Sequence[NewIdentifier]) -> None:
    """Raises: SubjectRaced: somebody else was given one of them in the meantime."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    for one in sorted(identifiers, key=lambda identifier: identifier.ref):
        row = {"ref": one.ref, "subject_no": subject_no, "type": one.type, "sealed": one.sealed, "created_at": tx.now}
        fresh = dialect.insert(_IDENTIFIER).values(**row).on_conflict_do_nothing()
        if tx.run(fresh.returning(_IDENTIFIER.c.ref)).first() is None:
            raise SubjectRaced


def remove_identifier(tx: Tx, subject_no: int, ref: bytes) -> None:
    """An address or number that is the person's no longer."""
    tx.run(delete(_IDENTIFIER).where(_IDENTIFIER.c.subject_no == subject_no, _IDENTIFIER.c.ref == ref))


def list_subjects(tx: Tx, after: int, limit: int) -> Sequence[Subject]:
    """People with a key, in the order of their numbers, from the one after `after` on."""
    query = (
        select(_SUBJECT.c.no, _SUBJECT.c.public_id, _SUBJECT.c.jurisdiction)
        .join(_KEY, _KEY.c.subject_no == _SUBJECT.c.no)
        .where(_SUBJECT.c.controller == tx.controller, _SUBJECT.c.no > after)
        .order_by(_SUBJECT.c.no)
        .limit(limit)
    )
    return [Subject(row.no, row.public_id, row.jurisdiction) for row in tx.run(query)]
