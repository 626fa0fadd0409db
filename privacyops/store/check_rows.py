"""Rows of the hot read as the domain's words: what one statement tells of one person and one question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import ConsentState, Grade, RowKind, Strength
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis
from privacyops.kernel.clock import Instant
from privacyops.store.purpose import Catalogue
from privacyops.store.tables.consent import HEAD
from privacyops.store.types import uuid_of

Raw = Sequence[tuple[Any, ...]]
BEFORE: Final = (
    "c.ver", "u.reason", "u.purpose_no", "u.brand_no", "u.order_t", "u.event_id", "p.no", "p.jurisdiction",
    "h.state_version",
)  # fmt: skip
"""Control number, suppression, person and their version: the columns before those of the state."""
STATE: Final = (
    "kind", "state", "order_t", "since", "event_id", "prior_state", "prior_t", "valid_until", "confirm_until",
    "notice_id", "notice_version", "notice_locale", "notice_sha256", "purpose_version", "contact", "strength", "grade",
    "basis", "purpose_no", "channel_no", "brand_no", "state_version",
)  # fmt: skip
"""What the rule looks at. Regime and jurisdiction of the choice are history: those of the question count."""
JUDGED: Final = STATE[:-1]
"""What is read of a choice; the version is the person's, and stands in the head."""
_FIRST: Final = len(BEFORE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

_KINDS: Final = {str(kind): kind for kind in RowKind}
_STATES: Final = {str(state): state for state in ConsentState}
_STRENGTHS: Final = {str(one): one for one in Strength} | {None: None}
_GRADES: Final = {str(one): one for one in Grade} | {None: None}
_BASES: Final = {str(one): one for one in LegalBasis} | {None: None}


@dataclass(slots=True)
class Found:
    """One read: the control number, the person if known, and the rows that may decide. `is_torn`: several people."""

    ver: int
    subject_no: int | None
    home: str | None
    state_version: int
    rows: list[StateRow]
    is_torn: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """Names by number: what the rows hold, and what an answer says. 0 stands for all."""

    purposes: Mapping[int, str | None]
    channels: Mapping[int, str | None]
    brands: Mapping[int, str | None]

    @classmethod
    def of(cls, names: Catalogue) -> "Numbers":
        return cls(
            {0: None, **{known.no: key for key, known in names.purposes.items()}},
            {0: None, **{no: key for key, no in names.channels.items()}},
            {0: None, **{brand.no: brand.key for brand in names.brands.values()}},
        )


def found_in(raw: Raw, numbers: Numbers) -> Found:
    """What the rows say. They repeat suppressions beside states, since one statement reads both."""
    if not raw:
        return Found(0, None, None, 0, [])
    first = raw[0]
    if len(raw) == 1 and first[1] is None:  # as nearly always: at most one choice, and no suppression
        state = None if first[_FIRST] is None else _state(first[_FIRST:], numbers)
        return Found(first[0], first[6], first[7], first[8] or 0, [] if state is None else [state])
    found = Found(first[0], None, None, 0, [])
    if first[1] is not None:
        found.rows += {row[1:4]: _suppression(row, numbers) for row in raw}.values()
    stop = first[1:4]
    for row in raw:
        if row[6] is None or row[1:4] != stop:  # nobody; or a state that stood beside the first suppression too
            continue
        if found.subject_no is None:
            found.subject_no, found.home, found.state_version = row[6], row[7], row[8] or 0
        elif row[6] != found.subject_no:
            found.is_torn = True
        state = None if row[_FIRST] is None else _state(row[_FIRST:], numbers)
        if state is not None:
            found.rows.append(state)
    return found


def person_in(no: int, home: str | None, rows: Iterable[tuple[Any, ...]], numbers: Numbers) -> Found:
    """One person whose rows, of `STATE`, were read with the head among them; nobody where there is no row."""
    found = Found(0, None, None, 0, [])
    for row in rows:
        if row[0] is None:  # a person who was erased, read with the others
            continue
        found.subject_no, found.home = no, home
        if row[0] == HEAD:
            found.state_version = row[-1]
        else:
            state = _state(row[:-1], numbers)
            if state is not None:
                found.rows.append(state)
    return found


def _suppression(row: tuple[Any, ...], numbers: Numbers) -> StateRow:
    at = _instant(row[4])
    return StateRow(
        RowKind.SUPPRESSION,
        numbers.purposes.get(row[2]),
        None,
        numbers.brands.get(row[3]),
        row[1],
        at,
        at,
        uuid_of(row[5]),
    )


def _state(row: tuple[Any, ...], numbers: Numbers) -> StateRow | None:
    """The domain's row; None where it is about something that is no longer published here."""
    (
        kind_, state, order_t, since, event_id, prior_state, prior_t, valid_until, confirm_until, notice_id,
        notice_version, notice_locale, notice_sha256, purpose_version, contact, strength, grade, basis, purpose_no,
        channel_no, brand_no,
    ) = row  # fmt: skip
    try:
        purpose, channel = numbers.purposes[purpose_no], numbers.channels[channel_no]
        brand = numbers.brands[brand_no]
    except KeyError:
        return None
    kind = _KINDS[kind_]
    t = _EPOCH + _MS * order_t
    return StateRow(
        kind, purpose, channel, brand,
        _STATES[state] if kind is RowKind.CHOICE else state,
        t, t if since == order_t else _instant(since), uuid_of(event_id),
        None if prior_state is None else _STATES[prior_state],
        None if prior_t is None else _instant(prior_t),
        None if valid_until is None else _instant(valid_until),
        None if confirm_until is None else _instant(confirm_until),
        None if notice_id is None else NoticeRef(notice_id, notice_version, notice_locale, notice_sha256),
        purpose_version, None, None, None if contact is None else contact.hex(),
        _STRENGTHS[strength], _GRADES[grade], _BASES[basis],
    )  # fmt: skip


def _instant(ms: int) -> Instant:
    return _EPOCH + _MS * ms  # exact, and a third of the time of a duration made from a number
