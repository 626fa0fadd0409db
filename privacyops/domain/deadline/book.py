"""The rules of the catalog, by id, version and type of request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from privacyops.domain.catalog import read
from privacyops.domain.catalog.deadlines import (
    Deadlines,
    ExtendRow,
    PauseRow,
    RegimeRow,
    SpecialRow,
    StateRow,
    TermRow,
)
from privacyops.domain.deadline.event import PauseReason
from privacyops.domain.deadline.reckoning import Term, Unit
from privacyops.domain.deadline.rule import (
    DeadlineRule,
    Duty,
    Extension,
    PauseMethod,
    PausePolicy,
    RuleNotInForce,
    RuleUnknown,
)

STATE_MODEL: Final = "us_state_common"


class RuleBook:
    """Every version of every regime. Build it once; `rule_book()` gives the one of the installed catalog."""

    def __init__(self, catalog: Deadlines) -> None:
        self.catalog = catalog
        rows: dict[str, list[RegimeRow]] = {}
        for row in catalog.regimes:
            rows.setdefault(row.id, []).append(row)
        for state in catalog.us_states:
            rows.setdefault(state.id, []).append(_state_as_regime(state, rows[STATE_MODEL][-1]))
        self._rows: Mapping[str, Sequence[RegimeRow]] = {
            rule_id: sorted(versions, key=lambda row: row.version) for rule_id, versions in rows.items()
        }

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def versions(self, rule_id: str) -> Sequence[RegimeRow]:
        """All versions of a regime, the oldest first. Raises: RuleUnknown."""
        try:
            return self._rows[rule_id]
        except KeyError:
            raise RuleUnknown(f"no rule is called {rule_id!r}") from None

    def row(self, rule_id: str, version: int) -> RegimeRow:
        """One version of a regime. Raises: RuleUnknown."""
        for row in self.versions(rule_id):
            if row.version == version:
                return row
        raise RuleUnknown(f"{rule_id} has no version {version}")

    def row_in_force(self, rule_id: str, received: date) -> RegimeRow:
        """The version in force on the day of receipt. Raises: RuleUnknown, RuleNotInForce."""
        in_force = [row for row in self.versions(rule_id) if row.valid_from is None or row.valid_from <= received]
        if not in_force:
            raise RuleNotInForce(f"{rule_id} was not in force on {received.isoformat()}", rule=rule_id)
        return in_force[-1]

    def rule(self, rule_id: str, request_type: str, version: int | None = None) -> DeadlineRule:
        """The rule for a type of request; the newest version unless one is named.

        Raises: RuleUnknown: no such regime or version, or the regime has no term for this type.
        """
        row = self.versions(rule_id)[-1] if version is None else self.row(rule_id, version)
        if request_type not in request_types(row):
            raise RuleUnknown(f"{rule_id} knows no request of type {request_type!r}")
        return self._resolved(row, request_type)

    def general_rule(self, rule_id: str, request_type: str, version: int) -> DeadlineRule:
        """The general term of a regime, for a request that it does not list and that is answered all the same.

        Raises: RuleUnknown: no such regime or version, or a type that no regime has.
        """
        if request_type not in self.catalog.request_types:
            raise RuleUnknown(f"no law has a request of type {request_type!r}")
        return self._resolved(self.row(rule_id, version), request_type)

    def same_rights(self, request_type: str) -> tuple[str, ...]:
        """The type itself, then what other laws call the same right."""
        return (request_type, *self.catalog.same_right.get(request_type, ()))

    def _resolved(self, row: RegimeRow, request_type: str) -> DeadlineRule:
        special = next((each for each in row.special if request_type in each.requests), None)
        own = special if special is not None and special.value is not None else None
        respond = _respond(row, own)
        duty = Duty.ANSWER if special is None else Duty(special.duty)
        acknowledge, is_required = self._acknowledge(row, request_type, duty, respond)
        extension = _extension(row, special)
        ask_within = _term(self.catalog.product_defaults.ask_within)
        return DeadlineRule(
            id=row.id,
            version=row.version,
            request_type=request_type,
            law=row.law,
            article=_article(row, special),
            valid_from=max((day for day in (row.valid_from, special and special.valid_from) if day), default=None),
            duty=duty,
            respond=respond,
            safe_count_includes_start=_safe_count(row, own),
            acknowledge=acknowledge,
            acknowledge_required=is_required,
            pauses={
                PauseReason(reason): _pause(pause, ask_within)
                for reason, pause in row.pause.items()
                if not pause.only_for or request_type in pause.only_for
            },
            extension=extension,
            target=None if special is None or special.target_hours is None else timedelta(hours=special.target_hours),
            calendar=row.calendar,
            confidence=row.confidence,
            notes=_notes(row, special),
        )

    def _acknowledge(
        self, row: RegimeRow, request_type: str, duty: Duty, respond: Term | None
    ) -> tuple[Term | None, bool]:
        """The term for confirming the receipt, and whether the law sets it."""
        if duty is Duty.ACKNOWLEDGE:
            return respond, True
        legal = row.acknowledge
        if legal is not None and (not legal.only_for or request_type in legal.only_for):
            return Term(legal.value, Unit(legal.unit)), True
        return _term(self.catalog.product_defaults.acknowledge), False


@lru_cache(maxsize=1)
def rule_book() -> RuleBook:
    """The rules of the installed catalog. Raises: CatalogBroken."""
    return RuleBook(read.deadlines())


def request_types(row: RegimeRow) -> tuple[str, ...]:
    """The types of request that a regime lists."""
    return tuple(row.requests)


def _state_as_regime(state: StateRow, model: RegimeRow) -> RegimeRow:
    """A state of the United States as a regime of its own: the common shape with the state's numbers."""
    requests = [*model.requests, *state.extra_requests]
    special: list[SpecialRow] = []
    if state.appeal_days is None:
        requests.remove("appeal")
    else:
        extra = state.appeal_extend_days
        total = None if extra is None else state.appeal_days + extra
        special.append(SpecialRow(("appeal",), state.appeal_days, Unit.CALENDAR_DAY, extend_total=total))
    if state.consent_revocation_days is not None:
        requests.append("consent_withdrawal")
        special.append(SpecialRow(("consent_withdrawal",), state.consent_revocation_days, Unit.CALENDAR_DAY))
    extend = model.extend or ExtendRow(None, Unit.CALENDAR_DAY)
    respond = model.respond or TermRow(state.respond_days, Unit.CALENDAR_DAY)
    return replace(
        model,
        id=state.id,
        version=state.version,
        law=state.law,
        applies=(state.applies,),
        valid_from=state.valid_from,
        requests=tuple(requests),
        respond=replace(respond, value=state.respond_days, article=state.law),
        extend=replace(extend, total=state.respond_days + state.extend_days, article=state.law),
        special=tuple(special),
        never_disclose=state.never_disclose,
        confidence=state.confidence,
        note=state.note,
    )


def _term(row: TermRow) -> Term:
    return Term(row.value, Unit(row.unit), row.rolls)


def _respond(row: RegimeRow, own: SpecialRow | None) -> Term | None:
    if own is not None and own.value is not None and own.unit is not None:
        return Term(own.value, Unit(own.unit))
    return None if row.respond is None else _term(row.respond)


def _safe_count(row: RegimeRow, own: SpecialRow | None) -> bool:
    if own is not None:
        return own.safe_count_includes_start
    return row.respond is not None and row.respond.safe_count_includes_start


def _extension(row: RegimeRow, special: SpecialRow | None) -> Extension | None:
    """The regime's extension; a special row has one only if it says so."""
    if special is not None and special.extend_total is not None and special.unit is not None:
        return Extension(Term(special.extend_total, Unit(special.unit)), source=_article(row, special))
    if row.extend is None or (special is not None and not special.extends):
        return None
    rolls = row.respond is not None and row.respond.rolls
    total = row.extend.total
    return Extension(
        total=None if total is None else Term(total, Unit(row.extend.unit), rolls),
        conditions=row.extend.conditions,
        notice_contents=row.extend.notice_contents,
        confidence=row.extend.confidence,
        source=row.extend.article or row.law,
    )


def _pause(row: PauseRow, ask_within: Term) -> PausePolicy:
    return PausePolicy(
        method=PauseMethod(row.method),
        confidence=row.confidence,
        safe_due_ignores=row.safe_due_ignores,
        ask_within=ask_within if row.ask_at_once else None,
        statutory_since=row.statutory_since,
        source=row.article,
    )


def _article(row: RegimeRow, special: SpecialRow | None) -> str:
    if special is not None and special.article:
        return special.article
    return row.respond.article if row.respond is not None and row.respond.article else row.law


def _notes(row: RegimeRow, special: SpecialRow | None) -> tuple[str, ...]:
    wording = row.respond.wording if row.respond is not None else ""
    if special is not None and special.wording:
        wording = special.wording
    doubt = "" if special is None else special.day_count_note
    return tuple(text for text in (wording, doubt, row.note) if text)
