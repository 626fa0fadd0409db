"""The write of consent in few round trips: open it, find the person, read what stands, store everything.

Each function is one statement on PostgreSQL, however many choices the call holds. SQLite has no round trips, and no
statement that writes several tables; there the last step is one call a table. The SQL is written by hand: the
statements are the same for every write, and building them anew would cost more than running them.
"""

import functools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from privacyops.domain.audit import AuditEntry
from privacyops.domain.consent.confirmation import ConfirmationState
from privacyops.domain.consent.projection import RowKey, StateRow
from privacyops.domain.log import Log
from privacyops.domain.subject import IdentityConflict
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import canonical
from privacyops.ledger.merkle import leaf_hash
from privacyops.store.consent import EVENT_AT, WrittenEvent, head_values, state_row_of, state_values
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import NewIdentifier, Subject, SubjectRaced
from privacyops.store.suppression import SHARED, shared_locks
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import HEAD, ConsentStateRow
from privacyops.store.uow import Tx

STATE_COLUMNS: Final = tuple(column.name for column in table_of(ConsentStateRow).columns)
_KEYS: Final = ("subject_no", "purpose_no", "channel_no", "brand_no", "kind")
_BYTES: Final = {"contact"}
_UUIDS: Final = {"event_id"}
_TEXTS: Final = {
    "kind", "state", "prior_state", "notice_id", "notice_locale", "notice_sha256", "regime", "jurisdiction",
    "strength", "grade", "basis",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known before the person is looked for. `call` is (hash, status, answer) of a call with this key."""

    ver: int
    call: tuple[bytes, int | None, bytes | None] | None
    client_answer: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Locked:
    """The person, locked until the commit on PostgreSQL, with their wrapped key and the version of their state."""

    subject: Subject
    wrapped: bytes | None
    state_version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands when a write begins; `held` are the person's identifiers (hash to type), oldest first.

    `may_wait`: whether somebody may have been asked to confirm and has not answered.
    """

    state_version: int
    rows: Mapping[RowKey, StateRow]
    previous: bytes | None
    held: Mapping[bytes, str]
    may_wait: bool = True


@dataclass(frozen=True, slots=True)
class NewWrite:
    """Everything one call writes. `key` is the wrapped key of a person who is new."""

    subject_no: int
    events: Sequence[WrittenEvent]
    rows: Mapping[StateRow, int]
    state_version: int
    audit: AuditEntry
    identifiers: Sequence[NewIdentifier] = ()
    key: bytes | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    call: tuple[str, str] | None = None
    client_event: tuple[str, str] | None = None


def open_write(tx: Tx, account: str, call: str | None, body_hash: bytes | None, client_event: str | None) -> Opening:
    """Reserve the call's key and read what was answered before, and how new the catalogue is.

    `account` is the caller, who is also the point whose `client_event` ids are unique.
    """
    wanted = {
        "controller": tx.controller, "account": account, "call": call, "hash": body_hash, "now": stored_at(tx, tx.now),
        "client_event": client_event,
    }  # fmt: skip
    if tx.dialect == "sqlite":
        ver, answer, *before = tx.raw(_OPEN_SQLITE, wanted)[0]
        if call is not None and before[0] is None:
            tx.raw(_CLAIM, wanted)
        known = (before[0], before[1], before[2]) if before[0] is not None else None
        return Opening(ver or 0, known, json.loads(answer) if answer else None)
    mine, ver, answer = tx.raw(_OPEN_POSTGRESQL if call is None else _OPEN_AND_CLAIM, wanted)[0]
    if mine:
        return Opening(ver or 0, None, answer)
    hashed, status, given = tx.raw(_CALL_BEFORE, wanted)[0]
    return Opening(ver or 0, (hashed, status, given), answer)


_CLAIM: Final = """INSERT INTO idempotency (account, key, request_hash, created_at)
    VALUES (:account, :call, :hash, :now) ON CONFLICT DO NOTHING"""
_VER: Final = "(SELECT ver FROM control WHERE id = 1)"
_ANSWERED: Final = """(SELECT answer FROM client_event
    WHERE controller = :controller AND point = :account AND key = :client_event)"""
_OPEN_POSTGRESQL: Final = f"SELECT 1, {_VER}, {_ANSWERED}"
_OPEN_AND_CLAIM: Final = f"""WITH mine AS ({_CLAIM} RETURNING 1)
    SELECT (SELECT count(*) FROM mine), {_VER}, {_ANSWERED}"""  # noqa: S608 - constant parts
_OPEN_SQLITE: Final = f"""SELECT {_VER}, {_ANSWERED}, i.request_hash, i.status, i.answer
    FROM (SELECT 1) LEFT JOIN idempotency i ON i.account = :account AND i.key = :call"""  # noqa: S608 - constant parts
_CALL_BEFORE: Final = "SELECT request_hash, status, answer FROM idempotency WHERE account = :account AND key = :call"


def lock_person(tx: Tx, refs: Sequence[bytes]) -> Locked | None:
    """The person behind any of the keyed hashes. Raises: IdentityConflict: they name different people."""
    names = {f"r{place}": ref for place, ref in enumerate(refs)}
    rows = tx.raw(_lock_statement(len(refs), tx.dialect), {"controller": tx.controller, **names})
    if not rows:
        return None
    if len({row[0] for row in rows}) > 1:
        raise IdentityConflict
    number, public_id, home, wrapped, version = rows[0]
    return Locked(Subject(number, public_id, home), wrapped, version)


@functools.cache
def _lock_statement(refs: int, dialect: str) -> str:
    places = ", ".join(f":r{place}" for place in range(refs))
    lock = " FOR UPDATE OF h" if dialect == "postgresql" else ""
    return f"""SELECT s.no, s.public_id, s.jurisdiction, k.wrapped, h.state_version
        FROM subject_identifier i JOIN subject s ON s.no = i.subject_no
        LEFT JOIN subject_key k ON k.subject_no = s.no
        JOIN consent_state h ON h.subject_no = s.no AND h.purpose_no = 0 AND h.channel_no = 0 AND h.brand_no = 0
            AND h.kind = '{HEAD}'
        WHERE i.ref IN ({places}) AND s.controller = :controller ORDER BY s.no{lock}"""  # noqa: S608 - names of parameters


def load_standing(tx: Tx, locked: Locked, names: Catalogue, contacts: Sequence[bytes] = ()) -> Standing:
    """The person's rows, newest leaf and identifiers, as they stand behind the lock.

    `contacts`: what the person may be given, as in `suppression.give`.
    """
    about = {
        "no": locked.subject.no, "version": locked.state_version, "head": HEAD, "contacts": shared_locks(contacts)
    }  # fmt: skip
    rows = tx.raw(_STANDING_SQLITE if tx.dialect == "sqlite" else _STANDING_POSTGRESQL, about)
    leaf, held, waiting = rows[0][len(STATE_COLUMNS) : len(STATE_COLUMNS) + 3]
    found: dict[RowKey, StateRow] = {}
    for row in rows:
        values = dict(zip(STATE_COLUMNS, row, strict=False))
        if values["kind"] != HEAD:
            one = state_row_of(values, names)
            if one is not None:
                found[one.key] = one
    parts = [entry.split(":") for entry in (held or "").split(",") if entry]
    return Standing(
        locked.state_version,
        found,
        leaf_hash(bytes(leaf)) if leaf is not None else None,
        {bytes.fromhex(ref): type_ for _, ref, type_ in sorted(parts)},
        may_wait=bool(waiting),
    )


def _standing(held: str, more: str = "") -> str:
    columns = ", ".join(f"c.{name}" for name in STATE_COLUMNS)
    return f"""SELECT {columns},
        (SELECT e.leaf FROM event_private p JOIN consent_event e ON e.id = p.event_id
            WHERE p.subject_no = :no AND p.state_version = :version),
        (SELECT {held} FROM subject_identifier i WHERE i.subject_no = :no),
        (SELECT count(*) FROM confirmation f WHERE f.subject_no = :no AND f.state = '{ConfirmationState.REQUESTED}')
        {more} FROM consent_state c WHERE c.subject_no = :no"""  # noqa: S608 - column names of our own table


_STANDING_SQLITE: Final = _standing(
    "group_concat(replace(i.created_at, ':', '.') || ':' || hex(i.ref) || ':' || i.type)"
)
_STANDING_POSTGRESQL: Final = _standing(
    "string_agg(to_char(i.created_at, 'YYYY-MM-DD HH24.MI.SS.US') || ':' || encode(i.ref, 'hex') || ':' || i.type,"
    " ',')",
    f", {SHARED}",
)


def add_person(tx: Tx, public_id: str, kind: str, jurisdiction: str | None, contacts: Sequence[bytes] = ()) -> Locked:
    """A number for a new person; key, identifiers and rows are stored with the first write.

    `contacts`: what the person is given, as in `suppression.give`.
    """
    row = {
        "controller": tx.controller, "public_id": public_id, "kind": kind, "jurisdiction": jurisdiction,
        "now": stored_at(tx, tx.now), "contacts": shared_locks(contacts),
    }  # fmt: skip
    number = tx.raw(_ADD_PERSON_POSTGRESQL if tx.dialect == "postgresql" else _ADD_PERSON, row)[0][0]
    return Locked(Subject(number, public_id, jurisdiction), None, 0)


_ADD_PERSON: Final = """INSERT INTO subject (controller, public_id, kind, jurisdiction, created_at)
    VALUES (:controller, :public_id, :kind, :jurisdiction, :now) RETURNING no"""
_ADD_PERSON_POSTGRESQL: Final = f"{_ADD_PERSON}, {SHARED}"


def add_write(tx: Tx, write: NewWrite, names: Catalogue) -> None:
    """Store all of it. Raises: SubjectRaced: an identifier or client event was taken meanwhile; begin again."""
    states = [state_values(write.subject_no, row, version, names) for row, version in write.rows.items()]
    states.append(head_values(write.subject_no, write.state_version))
    answer = json.dumps(write.answer) if write.call is not None or write.client_event is not None else ""
    if tx.dialect == "sqlite":
        _add_on_sqlite(tx, write, states, answer)
    else:
        _add_on_postgresql(tx, write, states, answer)


def plain_states(tx: Tx, states: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Rows of `state_values` for SAVE_STATE, as the driver takes them."""
    if tx.dialect != "sqlite":
        return states
    return [
        row if row[EVENT_AT] is None else (*row[:EVENT_AT], row[EVENT_AT].hex, *row[EVENT_AT + 1 :]) for row in states
    ]


def _add_on_sqlite(tx: Tx, write: NewWrite, states: Sequence[tuple[Any, ...]], answer: str) -> None:
    number, now = write.subject_no, stored_at(tx, tx.now)
    if write.key is not None:
        tx.raw_each(ADD_KEY, [(number, write.key)])
    try:
        tx.raw_each(ADD_IDENTIFIER, [(one.ref, number, one.type, one.sealed, now) for one in write.identifiers])
    except sqlite3.IntegrityError as taken:
        raise SubjectRaced from taken
    tx.raw_each(ADD_EVENT, [(event.id.hex, tx.controller, event.leaf) for event in write.events])
    tx.raw_each(ADD_PRIVATE, [private_values(tx, number, event) for event in write.events])
    tx.raw_each(ADD_PENDING, [(log, tx.controller, entry.hex, hashed) for log, entry, hashed in _leaves(write)])
    tx.raw_each(SAVE_STATE, plain_states(tx, states))
    tx.raw(_ADD_AUDIT, (write.audit.id.hex, *_audit_values(tx, write.audit)[1:]))
    if write.call is not None:
        tx.raw(_ANSWER_CALL, (answer.encode(), write.answer.get("subject_id"), *write.call))
    if write.client_event is not None and not tx.raw(
        _KEEP_CLIENT_EVENT, (tx.controller, *write.client_event, number, answer, now)
    ):
        raise SubjectRaced


def private_values(tx: Tx, subject_no: int, event: WrittenEvent) -> tuple[Any, ...]:
    """The row of ADD_PRIVATE."""
    return (
        plain_in(tx, event.id), subject_no, event.state_version, event.applied, event.contact, event.former_contact,
        event.sealed,
    )  # fmt: skip


ADD_KEY: Final = "INSERT INTO subject_key (subject_no, wrapped) VALUES (?, ?)"
ADD_EVENT: Final = "INSERT INTO consent_event (id, controller, leaf) VALUES (?, ?, ?)"
ADD_PRIVATE: Final = (
    "INSERT INTO event_private (event_id, subject_no, state_version, applied, contact, former_contact, sealed) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
ADD_PENDING: Final = "INSERT INTO ledger_pending (log, controller, entry_id, leaf_hash) VALUES (?, ?, ?, ?)"
_ANSWER_CALL: Final = "UPDATE idempotency SET status = 200, answer = ?, subject_id = ? WHERE account = ? AND key = ?"
ADD_IDENTIFIER: Final = (
    "INSERT INTO subject_identifier (ref, subject_no, type, sealed, created_at) VALUES (?, ?, ?, ?, ?)"
)
_KEEP_CLIENT_EVENT: Final = """INSERT INTO client_event (controller, point, key, subject_no, answer, at)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"""
_CHANGED: Final = ", ".join(f"{name} = excluded.{name}" for name in STATE_COLUMNS if name not in _KEYS)
_SAVED: Final = f"ON CONFLICT ({', '.join(_KEYS)}) DO UPDATE SET {_CHANGED}"
SAVE_STATE: Final = (
    f"INSERT INTO consent_state ({', '.join(STATE_COLUMNS)}) VALUES ({', '.join('?' for _ in STATE_COLUMNS)}) {_SAVED}"  # noqa: S608 - column names of our own table
)
_AUDIT_COLUMNS: Final = (
    "id", "controller", "at", "actor_kind", "actor_id", "action", "object_kind", "object_id", "detail", "request_id",
)  # fmt: skip
_ADD_AUDIT: Final = f"INSERT INTO audit ({', '.join(_AUDIT_COLUMNS)}) VALUES ({', '.join('?' for _ in _AUDIT_COLUMNS)})"  # noqa: S608 - as above


def _add_on_postgresql(tx: Tx, write: NewWrite, states: Sequence[tuple[Any, ...]], answer: str) -> None:
    leaves = list(_leaves(write))
    values: dict[str, Any] = {
        "controller": tx.controller, "no": write.subject_no, "now": tx.now,
        "e_id": [event.id for event in write.events], "e_leaf": [event.leaf for event in write.events],
        "e_version": [event.state_version for event in write.events],
        "e_applied": [event.applied for event in write.events],
        "e_contact": [event.contact for event in write.events],
        "e_former": [event.former_contact for event in write.events],
        "e_sealed": [event.sealed for event in write.events],
        "l_log": [log for log, _, _ in leaves], "l_entry": [entry for _, entry, _ in leaves],
        "l_hash": [hashed for _, _, hashed in leaves],
        **{f"s_{name}": list(values) for name, values in zip(STATE_COLUMNS, zip(*states, strict=True), strict=True)},
        **{f"a_{name}": value for name, value in zip(_AUDIT_COLUMNS, _audit_values(tx, write.audit), strict=True)},
        "i_ref": [one.ref for one in write.identifiers], "i_type": [one.type for one in write.identifiers],
        "i_sealed": [one.sealed for one in write.identifiers], "wrapped": write.key,
    }  # fmt: skip
    if write.call is not None:
        values |= {"account": write.call[0], "call": write.call[1], "answer": answer.encode()}
        values["named"] = write.answer.get("subject_id")
    if write.client_event is not None:
        values |= {"point": write.client_event[0], "client": write.client_event[1], "told": answer}
    statement = _write_statement(
        is_new=write.key is not None, keeps=bool(write.identifiers), has_call=write.call is not None,
        has_client_event=write.client_event is not None,
    )  # fmt: skip
    kept, noted = tx.raw(statement, values)[0]
    if kept != len(write.identifiers) or noted != (write.client_event is not None):
        raise SubjectRaced


@functools.cache
def _write_statement(*, is_new: bool, keeps: bool, has_call: bool, has_client_event: bool) -> str:
    """One statement that writes all tables. Those a call does not touch are left out, so that it stays small."""
    parts = [_ADD_EVENTS, _ADD_PRIVATE, _ADD_PENDING, _ADD_STATES, _ADD_AUDIT_ROW]
    if is_new:
        parts.append("keyed AS (INSERT INTO subject_key (subject_no, wrapped) VALUES (:no, :wrapped))")
    if keeps:
        parts.append(_ADD_IDENTIFIERS)
    if has_call:
        parts.append(_ADD_ANSWER)
    if has_client_event:
        parts.append(_ADD_CLIENT_EVENT)
    kept = "(SELECT count(*) FROM kept)" if keeps else "0"
    noted = "(SELECT count(*) = 1 FROM noted)" if has_client_event else "false"
    return f"WITH {', '.join(parts)} SELECT {kept}, {noted}"


def _type_of(column: str) -> str:
    if column in _TEXTS:
        return "text"
    return "bytea" if column in _BYTES else "uuid" if column in _UUIDS else "bigint"


_ADD_EVENTS: Final = """events AS (INSERT INTO consent_event (id, controller, leaf)
    SELECT e.id, :controller, e.leaf FROM unnest(:e_id::uuid[], :e_leaf::bytea[]) AS e(id, leaf))"""
_ADD_PRIVATE: Final = """private AS (INSERT INTO event_private
    (event_id, subject_no, state_version, applied, contact, former_contact, sealed)
    SELECT e.id, :no, e.version, e.applied, e.contact, e.former, e.sealed
    FROM unnest(:e_id::uuid[], :e_version::bigint[], :e_applied::boolean[], :e_contact::bytea[], :e_former::bytea[],
    :e_sealed::bytea[]) AS e(id, version, applied, contact, former, sealed))"""
_ADD_PENDING: Final = """pending AS (INSERT INTO ledger_pending (log, controller, entry_id, leaf_hash)
    SELECT l.log, :controller, l.entry, l.hash FROM unnest(:l_log::text[], :l_entry::uuid[], :l_hash::bytea[])
    WITH ORDINALITY AS l(log, entry, hash, place) ORDER BY l.place)"""
_ADD_STATES: Final = f"""states AS (INSERT INTO consent_state ({", ".join(STATE_COLUMNS)})
    SELECT * FROM unnest({", ".join(f":s_{name}::{_type_of(name)}[]" for name in STATE_COLUMNS)}) {_SAVED})"""  # noqa: S608 - as above
_ADD_AUDIT_ROW: Final = f"""told AS (INSERT INTO audit ({", ".join(_AUDIT_COLUMNS)})
    VALUES ({", ".join(f":a_{name}" + ("::jsonb" if name == "detail" else "") for name in _AUDIT_COLUMNS)}))"""  # noqa: S608 - as above
_ADD_IDENTIFIERS: Final = """kept AS (INSERT INTO subject_identifier (ref, subject_no, type, sealed, created_at)
    SELECT i.ref, :no, i.type, i.sealed, :now FROM unnest(:i_ref::bytea[], :i_type::text[], :i_sealed::bytea[])
    AS i(ref, type, sealed) ORDER BY i.ref ON CONFLICT DO NOTHING RETURNING 1)"""
_ADD_ANSWER: Final = """answered AS (UPDATE idempotency SET status = 200, answer = :answer, subject_id = :named
    WHERE account = :account AND key = :call)"""
_ADD_CLIENT_EVENT: Final = """noted AS (INSERT INTO client_event (controller, point, key, subject_no, answer, at)
    VALUES (:controller, :point, :client, :no, :told::jsonb, :now) ON CONFLICT DO NOTHING RETURNING 1)"""


def _leaves(write: NewWrite) -> Iterator[tuple[str, UUID, bytes]]:
    """What the sequencer is to number: the audit row's leaf, then the events'."""
    yield str(Log.AUDIT), write.audit.id, leaf_hash(canonical(write.audit.leaf()))
    for event in write.events:
        yield str(Log.CONSENT), event.id, leaf_hash(event.leaf)


def _audit_values(tx: Tx, entry: AuditEntry) -> tuple[Any, ...]:
    """The row by _AUDIT_COLUMNS."""
    return (
        entry.id, entry.controller, stored_at(tx, entry.at), entry.actor_kind, str(entry.actor_id), entry.action,
        entry.object_kind, entry.object_id, json.dumps(dict(entry.detail)), entry.request_id,
    )  # fmt: skip


def plain_in(tx: Tx, value: Any) -> Any:
    """A value as the driver takes it: on SQLite a UUID is 32 hexadecimal digits."""
    return value.hex if isinstance(value, UUID) and tx.dialect == "sqlite" else value


def stored_at(tx: Tx, at: Instant) -> Any:
    """As UtcDateTime keeps it."""
    if tx.dialect == "sqlite":
        return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:-6]
    return at
