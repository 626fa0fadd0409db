"""Which laws a request falls under, and whose holidays count under each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from privacyops.domain.catalog.deadlines import PLACE, RegimeRow
from privacyops.domain.deadline.book import RuleBook, request_types, rule_book
from privacyops.domain.deadline.holiday_calendar import WEEKENDS_ONLY, HolidayCalendar, UnknownCalendar
from privacyops.domain.deadline.rule import DeadlineRule, RuleNotInForce
from privacyops.kernel.errors import Unprocessable

# Codes that people write and ISO 3166 does not have.
_MISTAKEN: Final = {"UK": "GB", "EL": "GR"}
_UNITED_STATES: Final = "US"


class UnknownPlace(Unprocessable):
    type = "/problems/unknown-place"
    title = "This is no ISO 3166 code of a country or subdivision"


class RegimeReason(StrEnum):
    """Why a law applies. general_term: it lists no such right, and the request is answered under its main term."""

    ESTABLISHMENT = "establishment"
    ACTING_ESTABLISHMENT = "acting_establishment"
    RESIDENCE = "residence"
    VOLUNTARY = "voluntary"
    GENERAL_TERM = "general_term"


@dataclass(frozen=True, slots=True)
class Place:
    """A country and, where known, a part of it: `Place.parse("US-CA")`."""

    country: str
    subdivision: str | None = None

    @classmethod
    def parse(cls, code: str) -> "Place":
        """Raises: UnknownPlace: not of the form DE or US-CA, or a code that ISO does not have (UK, EL)."""
        if PLACE.fullmatch(code) is None:
            raise UnknownPlace(f"{code!r} is not of the form DE or US-CA")
        country, _, subdivision = code.partition("-")
        if country in _MISTAKEN:
            raise UnknownPlace(f"{country} is {_MISTAKEN[country]} in ISO 3166")
        return cls(country, subdivision or None)

    @property
    def code(self) -> str:
        return self.country if self.subdivision is None else f"{self.country}-{self.subdivision}"

    def lies_in(self, applies: Iterable[str]) -> bool:
        return any(code in (self.country, self.code) for code in applies)


@dataclass(frozen=True, slots=True)
class RegimeChoice:
    """One clock to run. `rule.request_type` is what this law calls the request."""

    rule: DeadlineRule
    calendar: HolidayCalendar
    reasons: tuple[RegimeReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """The inputs of the choice. `residence` None: not known, and not demanded either.

    `acting`: the establishment that does the act, if it is not the main one. `voluntary`: ids of rules that the
    shop follows for everybody. `roles`: kinds of business that switch special duties on (data_broker).
    `accepted`: keys of low-confidence rules (`cn_pipl@1`) that an administrator accepted by name.
    """

    establishment: Place
    residence: Place | None = None
    acting: Place | None = None
    voluntary: tuple[str, ...] = ()
    roles: frozenset[str] = field(default_factory=frozenset)
    accepted: frozenset[str] = field(default_factory=frozenset)


def select_regimes(
    request_type: str, received: date, where: Jurisdiction, book: RuleBook | None = None
) -> tuple[RegimeChoice, ...]:
    """Every law that gives this request a term, one choice each, in the order of the catalog.

    The law of the establishment and that of the residence apply side by side. States of the United States look
    at the residence alone. A law that does not know the type is read for the same right under its other name;
    only if no law is left, the general term of those that apply is taken. Empty where no law applies: follow a
    voluntary one (for example `us_state_common`).

    Raises: RuleUnknown: a voluntary rule that does not exist. UnknownCalendar: a place without holidays.
    """
    book = book or rule_book()
    applying = _applying(received, where, book)
    choices = []
    for row, reasons in applying:
        rule = _rule_of_same_right(row, request_type, received, book)
        if rule is not None:
            choices.append(_choice(row, rule, reasons, where, book))
    if choices:
        return tuple(choices)
    return tuple(
        _choice(
            row,
            book.general_rule(row.id, request_type, row.version),
            (*reasons, RegimeReason.GENERAL_TERM),
            where,
            book,
        )
        for row, reasons in applying
    )


def _applying(received: date, where: Jurisdiction, book: RuleBook) -> list[tuple[RegimeRow, tuple[RegimeReason, ...]]]:
    for rule_id in where.voluntary:
        book.versions(rule_id)
    found = []
    for rule_id in book.ids:
        try:
            row = book.row_in_force(rule_id, received)
        except RuleNotInForce:
            continue
        reasons = _reasons(row, where)
        if reasons and not row.cycles:
            found.append((row, reasons))
    return found


def _reasons(row: RegimeRow, where: Jurisdiction) -> tuple[RegimeReason, ...]:
    reasons: list[RegimeReason] = []
    if row.role and row.role not in where.roles:
        return ()
    by_residence_only = any(code.startswith(f"{_UNITED_STATES}-") for code in row.applies)
    if not by_residence_only and where.establishment.lies_in(row.applies):
        reasons.append(RegimeReason.ESTABLISHMENT)
    if not by_residence_only and where.acting is not None and where.acting.lies_in(row.applies):
        reasons.append(RegimeReason.ACTING_ESTABLISHMENT)
    if where.residence is not None and where.residence.lies_in(row.applies):
        reasons.append(RegimeReason.RESIDENCE)
    if row.id in where.voluntary:
        reasons.append(RegimeReason.VOLUNTARY)
    return tuple(reasons)


def _rule_of_same_right(row: RegimeRow, request_type: str, received: date, book: RuleBook) -> DeadlineRule | None:
    listed = request_types(row)
    for name in book.same_rights(request_type):
        if name not in listed:
            continue
        rule = book.rule(row.id, name, row.version)
        if rule.valid_from is None or rule.valid_from <= received:
            return rule
    return None


def _choice(
    row: RegimeRow,
    rule: DeadlineRule,
    reasons: Sequence[RegimeReason],
    where: Jurisdiction,
    book: RuleBook,
) -> RegimeChoice:
    chosen = rule.accepted() if rule.key in where.accepted else rule
    return RegimeChoice(chosen, calendar_of(row, where, book), tuple(reasons))


def calendar_of(row: RegimeRow, where: Jurisdiction, book: RuleBook) -> HolidayCalendar:
    """Whose holidays count under a law.

    The place of the act counts; a law whose last day rolls honours only holidays of its own territory, so that
    an establishment outside of it has weekends alone.

    Raises: UnknownCalendar: the library knows no such place.
    """
    entry = book.catalog.calendars[row.calendar]
    place = where.acting or where.establishment
    if entry.country is None:
        rolls = row.respond is not None and row.respond.rolls
        return WEEKENDS_ONLY if rolls and not place.lies_in(row.applies) else _of(place)
    if entry.by_part and place.country == entry.country:
        return _of(place)
    return HolidayCalendar.of(entry.country, entry.subdivision)


def _of(place: Place) -> HolidayCalendar:
    """Holidays of a place; those of the country where its part has none of its own."""
    try:
        return HolidayCalendar.of(place.country, place.subdivision)
    except UnknownCalendar:
        if place.subdivision is None:
            raise
        return HolidayCalendar.of(place.country)
