"""Older lists by the chunk: who is known already, which lines were stored before, and everything that follows."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update

from privacyops.domain.log import Log
from privacyops.kernel.clock import Instant
from privacyops.ledger.merkle import leaf_hash
from privacyops.store.check_rows import STATE, Numbers, person_in
from privacyops.store.consent import WrittenEvent, head_values, state_values
from privacyops.store.consent_bulk import among, named
from privacyops.store.consent_write import (
    ADD_EVENT,
    ADD_IDENTIFIER,
    ADD_KEY,
    ADD_PENDING,
    ADD_PRIVATE,
    SAVE_STATE,
    Locked,
    Standing,
    plain_in,
    plain_states,
    private_values,
    stored_at,
)
from privacyops.store.purpose import Catalogue
from privacyops.store.server_errors import and_servers
from privacyops.store.subject import NewIdentifier, Subject, SubjectRaced
from privacyops.store.tables.base import table_of
from privacyops.store.tables.change import ImportRow
from privacyops.store.uow import Tx

_IMPORT = table_of(ImportRow)
_FRESH = ("fresh", "running", "done")


@dataclass(frozen=True, slots=True)
class Import:
    """One import; `line` is the last one stored, `report` JSON."""

    id: UUID
    digest: str
    state: str
    line: int
    report: str
    started_at: Instant


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody a chunk meets, with what stands and the hashes among those asked for."""

    locked: Locked
    standing: Standing


@dataclass(frozen=True, slots=True)
class PersonWrite:
    """What a chunk writes about one person; `kind` and `key` for somebody new."""

    subject: Subject
    state_version: int
    events: Sequence[WrittenEvent]
    rows: Mapping[Any, tuple[Any, int]]
    identifiers: Sequence[NewIdentifier]
    kind: str | None = None
    key: bytes | None = None


def load_people(tx: Tx, refs: Iterable[bytes], names: Catalogue) -> Mapping[bytes, KnownPerson]:
    """Who is behind each hash, locked until the commit on PostgreSQL, in ascending order."""
    wanted = sorted(set(refs))
    if not wanted:
        return {}
    lock = " FOR UPDATE OF h" if tx.dialect == "postgresql" else ""
    found = tx.raw(
        f"""SELECT i.ref, i.type, s.no, s.public_id, s.jurisdiction, k.wrapped, h.state_version
        FROM subject_identifier i JOIN subject s ON s.no = i.subject_no
        LEFT JOIN subject_key k ON k.subject_no = s.no
        JOIN consent_state h ON h.subject_no = s.no AND h.purpose_no = 0 AND h.channel_no = 0 AND h.brand_no = 0
            AND h.kind = 'head'
        WHERE i.ref {among(tx.dialect, len(wanted))} AND s.controller = :controller
        ORDER BY s.no{lock}""",  # noqa: S608 - names of parameters
        {"controller": tx.controller, **named(tx, wanted)},
    )
    locked = {row[2]: Locked(Subject(row[2], row[3], row[4]), row[5], row[6]) for row in found}
    held: dict[int, dict[bytes, str]] = {}
    for row in found:
        held.setdefault(row[2], {})[bytes(row[0])] = row[1]
    people = _standing(tx, locked, held, names)
    return {bytes(row[0]): people[row[2]] for row in found}


def _standing(
    tx: Tx, locked: Mapping[int, Locked], held: Mapping[int, Mapping[bytes, str]], names: Catalogue
) -> dict[int, KnownPerson]:
    numbers, listed = Numbers.of(names), ", ".join(str(int(no)) for no in locked)
    if not listed:
        return {}
    columns = ", ".join(f"c.{name}" for name in STATE)
    raw: dict[int, list[tuple[Any, ...]]] = {}
    for no, *row in tx.raw(f"SELECT c.subject_no, {columns} FROM consent_state c WHERE c.subject_no IN ({listed})", {}):  # noqa: S608 - numbers
        raw.setdefault(no, []).append(tuple(row))
    newest = f"""SELECT p.subject_no, e.leaf FROM consent_state h
        JOIN event_private p ON p.subject_no = h.subject_no AND p.state_version = h.state_version
        JOIN consent_event e ON e.id = p.event_id
        WHERE h.subject_no IN ({listed}) AND h.purpose_no = 0 AND h.channel_no = 0 AND h.brand_no = 0
            AND h.kind = 'head'"""  # noqa: S608 - numbers
    leaves = {no: leaf_hash(bytes(leaf)) for no, leaf in tx.raw(newest, {})}
    people = {}
    for no, one in locked.items():
        rows = {row.key: row for row in person_in(no, None, raw.get(no, []), numbers).rows}
        people[no] = KnownPerson(one, Standing(one.state_version, rows, leaves.get(no), held[no]))
    return people


def load_stored(tx: Tx, hashes: Sequence[bytes]) -> frozenset[bytes]:
    """Those lines, by hash, that some import stored before."""
    wanted = sorted(set(hashes))
    rows = tx.raw(
        f"SELECT row_hash FROM consent_imported WHERE row_hash {among(tx.dialect, len(wanted))}"  # noqa: S608 - names of parameters
        " AND controller = :controller",
        {"controller": tx.controller, **named(tx, wanted)},
    )
    return frozenset(bytes(row[0]) for row in rows)


def next_numbers(tx: Tx, count: int) -> Sequence[int]:
    """Numbers for people who are new. SQLite has one writer, so nobody else takes them; PostgreSQL has a sequence."""
    if tx.dialect == "sqlite":
        first = tx.raw("SELECT coalesce(max(no), 0) + 1 FROM subject", {})[0][0]
        return range(first, first + count)
    taken = "SELECT nextval(pg_get_serial_sequence('subject', 'no')) FROM generate_series(1, :count)"
    return [row[0] for row in tx.raw(taken, {"count": count})]


def add_chunk(
    tx: Tx, import_id: UUID, hashes: Sequence[bytes], people: Sequence[PersonWrite], names: Catalogue
) -> None:
    """Store what a chunk holds. Raises: SubjectRaced: somebody else was first with a line or an identifier."""
    try:
        _add_chunk(tx, import_id, hashes, people, names)
    except and_servers("UniqueViolation", sqlite3.IntegrityError) as taken:
        raise SubjectRaced from taken


def _add_chunk(
    tx: Tx, import_id: UUID, hashes: Sequence[bytes], people: Sequence[PersonWrite], names: Catalogue
) -> None:
    now, mark = stored_at(tx, tx.now), plain_in(tx, import_id)
    fresh = [one for one in people if one.key is not None]
    tx.raw_each(_ADD_LINE, [(tx.controller, hashed, mark) for hashed in hashes])
    tx.raw_each(
        _ADD_SUBJECT,
        [
            (one.subject.no, tx.controller, one.subject.public_id, one.kind, one.subject.jurisdiction, now)
            for one in fresh
        ],
    )
    tx.raw_each(ADD_KEY, [(one.subject.no, one.key) for one in fresh])
    tx.raw_each(
        ADD_IDENTIFIER,
        [(id_.ref, one.subject.no, id_.type, id_.sealed, now) for one in people for id_ in one.identifiers],
    )
    told = [(one.subject.no, event) for one in people for event in one.events]
    tx.raw_each(ADD_EVENT, [(plain_in(tx, event.id), tx.controller, event.leaf) for _, event in told])
    tx.raw_each(ADD_PRIVATE, [private_values(tx, no, event) for no, event in told])
    log = str(Log.CONSENT)
    tx.raw_each(ADD_PENDING, [(log, tx.controller, plain_in(tx, event.id), leaf_hash(event.leaf)) for _, event in told])
    states = []
    for one in people:
        states.append(head_values(one.subject.no, one.state_version))
        states += [state_values(one.subject.no, row, version, names) for row, version in one.rows.values()]
    tx.raw_each(SAVE_STATE, plain_states(tx, states))


_ADD_LINE: Final = "INSERT INTO consent_imported (controller, row_hash, import_id) VALUES (?, ?, ?)"
_ADD_SUBJECT: Final = (
    "INSERT INTO subject (no, controller, public_id, kind, jurisdiction, created_at) VALUES (?, ?, ?, ?, ?, ?)"
)


def add_import(tx: Tx, import_id: UUID, digest: str, report: str, started_by: str) -> None:
    """Remember a dry run; the real run names its digest."""
    row = {
        "id": import_id, "controller": tx.controller, "digest": digest, "state": "fresh", "line": 0, "report": report,
        "started_by": started_by, "started_at": tx.now,
    }  # fmt: skip
    tx.run(insert(_IMPORT), row)


def find_import(tx: Tx, digest: str) -> Import | None:
    """The import of this digest that came furthest."""
    found = tx.run(select(_IMPORT).where(_IMPORT.c.controller == tx.controller, _IMPORT.c.digest == digest)).all()
    best = max(found, key=lambda row: (_FRESH.index(row.state), row.line, row.started_at), default=None)
    return None if best is None else _import(best)


def load_import(tx: Tx, import_id: UUID) -> Import | None:
    """One import by its id."""
    row = tx.run(select(_IMPORT).where(_IMPORT.c.controller == tx.controller, _IMPORT.c.id == import_id)).first()
    return None if row is None else _import(row)


def move_import(tx: Tx, import_id: UUID, seen: int, line: int, report: str, *, is_done: bool = False) -> None:
    """Note how far the import came, with what it stored. Raises: StaleState: another process runs the same import."""
    values: dict[str, Any] = {"line": line, "report": report, "state": "done" if is_done else "running"}
    if is_done:
        values["ended_at"] = tx.now
    tx.move(update(_IMPORT).where(_IMPORT.c.id == import_id, _IMPORT.c.line == seen).values(**values))


def _import(row: Any) -> Import:
    return Import(row.id, row.digest, row.state, row.line, row.report, row.started_at)
