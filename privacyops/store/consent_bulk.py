"""Many people in one read: for lists, batches, copies and exports. The same rows as the single check sees."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacyops.domain.consent.projection import StateRow
from privacyops.store.check_rows import STATE, Found, Numbers, person_in
from privacyops.store.consent import suppression_row
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

_COLUMNS: Final = ", ".join(f"c.{name}" for name in STATE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with their rows."""

    no: int
    public_id: str
    found: Found


def load_people(tx: Tx, refs: Iterable[bytes], purpose_no: int, numbers: Numbers) -> Mapping[bytes, Found]:
    """Who is behind each keyed hash, with the rows that may decide on one purpose. Nobody: not in the answer."""
    wanted = sorted(set(refs))
    raw: dict[bytes, tuple[int, str | None, list[tuple[Any, ...]]]] = {}
    for ref, no, home, *row in _asked(tx, _people_statement, wanted, {"purpose": purpose_no}):
        raw.setdefault(bytes(ref), (no, home, []))[2].append(tuple(row))
    return {ref: person_in(no, home, rows, numbers) for ref, (no, home, rows) in raw.items()}


def load_suppressed(tx: Tx, refs: Iterable[bytes], names: Catalogue) -> Mapping[bytes, Sequence[StateRow]]:
    """What keeps each address from being written to."""
    wanted = sorted(set(refs))
    found: dict[bytes, list[StateRow]] = {}
    for ref, reason, purpose, brand, order_t, event in _asked(tx, _suppressed_statement, wanted, {}):
        found.setdefault(bytes(ref), []).append(suppression_row(reason, purpose, brand, order_t, event, names))
    return found


def list_people(tx: Tx, after: int, limit: int, numbers: Numbers) -> Sequence[Person]:
    """The next people by number, with all their rows; who was erased has none, and `found.subject_no` is None."""
    raw = tx.raw(_PAGE, {"controller": tx.controller, "after": after, "limit": limit})
    people: dict[int, tuple[str, str | None, list[tuple[Any, ...]]]] = {}
    for no, public_id, home, *row in raw:
        people.setdefault(no, (public_id, home, []))[2].append(tuple(row))
    return [Person(no, public_id, person_in(no, home, rows, numbers)) for no, (public_id, home, rows) in people.items()]


def _asked(
    tx: Tx, statement: Callable[[str, int], str], refs: Sequence[bytes], first: Mapping[str, Any]
) -> Sequence[Any]:
    """The rows of a statement whose parameters are `first`, then the hashes, then the controller."""
    if not refs:
        return ()
    sql = statement(tx.dialect, len(refs))
    if tx.dialect == "sqlite":  # by place: SQLite looks a name up among a thousand others
        return tx.raw(sql, (*first.values(), *refs, tx.controller))
    return tx.raw(sql, {**first, "refs": list(refs), "controller": tx.controller})


def named(tx: Tx, refs: Sequence[bytes]) -> dict[str, Any]:
    """The parameters of `among`."""
    if tx.dialect == "postgresql":
        return {"refs": list(refs)}
    return {f"r{place}": ref for place, ref in enumerate(refs)}


def among(dialect: str, count: int) -> str:
    """The condition that a hash is one of `count`."""
    if dialect == "postgresql":
        return "= ANY(:refs::bytea[])"
    return f"IN ({', '.join(f':r{place}' for place in range(count))})"


def _mark(dialect: str, name: str) -> str:
    return "?" if dialect == "sqlite" else f":{name}"


def _places(dialect: str, count: int) -> str:
    return f"IN ({', '.join('?' * count)})" if dialect == "sqlite" else among(dialect, count)


@functools.lru_cache(maxsize=64)
def _people_statement(dialect: str, count: int) -> str:
    return f"""SELECT i.ref, s.no, s.jurisdiction, {_COLUMNS}
        FROM subject_identifier i JOIN subject s ON s.no = i.subject_no
        JOIN consent_state c ON c.subject_no = s.no AND c.purpose_no IN (0, {_mark(dialect, "purpose")})
        WHERE i.ref {_places(dialect, count)} AND s.controller = {_mark(dialect, "controller")}"""  # noqa: S608 - marks


@functools.lru_cache(maxsize=64)
def _suppressed_statement(dialect: str, count: int) -> str:
    return f"""SELECT ref, reason, purpose_no, brand_no, order_t, event_id FROM suppression
        WHERE ref {_places(dialect, count)} AND controller = {_mark(dialect, "controller")}"""  # noqa: S608 - marks


_PAGE: Final = f"""SELECT s.no, s.public_id, s.jurisdiction, {_COLUMNS}
    FROM (SELECT no, public_id, jurisdiction FROM subject WHERE controller = :controller AND no > :after
        ORDER BY no LIMIT :limit) s
    LEFT JOIN consent_state c ON c.subject_no = s.no ORDER BY s.no"""  # noqa: S608 - column names of our own table
