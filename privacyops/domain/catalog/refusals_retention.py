"""Records of refusals_retention.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from privacyops.domain.catalog.confidence import Confidence, require_note

TERMS: Final = {
    "invoice": "invoices_years",
    "books": "books_years",
    "letters": "business_letters_years",
    "tax": "tax_years",
}
"""Terms of keeping by the name that policies and maps use, and the column of `RetentionRow` that holds the years."""


@dataclass(frozen=True, slots=True)
class RefusalCode:
    """A ground for withholding. `scope` empty: for every type of request. `drp`: status, then reason."""

    code: str
    second_person: bool
    partial: bool
    drp: str
    law: Mapping[str, str]
    scope: tuple[str, ...] = ()
    never_for: tuple[str, ...] = ()
    second_person_for_whole_record: bool = False
    approver: str = ""
    needs: tuple[str, ...] = ()
    burden: str = ""
    action: str = ""
    alternative: str = ""
    must_offer: str = ""
    creates: str = ""
    examples: tuple[str, ...] = ()
    warning: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)

    def applies_to(self, request_type: str) -> bool:
        """Whether the ground can be used against a request of that type at all."""
        return request_type not in self.never_for and (not self.scope or request_type in self.scope)


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """Years for which a country wants records kept. `EU_OSS` stands for sales by the One Stop Shop."""

    country: str
    invoices_years: int | None = None
    books_years: int | None = None
    business_letters_years: int | None = None
    tax_years: int | None = None
    law: str = ""
    extra: str = ""
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class OtherRetention:
    what: str
    term: str
    years: int | None = None
    days: int | None = None
    confidence: Confidence = Confidence.HIGH
    note: str = ""

    def __post_init__(self) -> None:
        require_note(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class LegalHold:
    fields: tuple[str, ...]
    effect: str
    review_every_months: int
    precedence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentityRung:
    """A level of proof. `enough_for`: what it opens without anything else."""

    level: int
    name: str
    how: str = ""
    enough_for: tuple[str, ...] = ()
    is_last_resort: bool = False
    article: str = ""


@dataclass(frozen=True, slots=True)
class RefusalsRetention:
    """The whole of refusals_retention.yaml."""

    as_of: date
    outcomes: tuple[str, ...]
    outcomes_outside_kpi: tuple[str, ...]
    refusal_codes: tuple[RefusalCode, ...]
    never_refused: tuple[str, ...]
    partial_answer_rules: tuple[str, ...]
    retention: tuple[RetentionRow, ...]
    other_retention: tuple[OtherRetention, ...]
    legal_hold: LegalHold
    identity_ladder: tuple[IdentityRung, ...]
    art15_letter: Mapping[str, str]
    art15_letter_plus: tuple[str, ...]
    art15_letter_rule: str
    letters: tuple[str, ...]

    def __post_init__(self) -> None:
        if len({row.code for row in self.refusal_codes}) != len(self.refusal_codes):
            raise ValueError("a refusal code occurs twice")
        if not set(self.outcomes_outside_kpi) <= set(self.outcomes):
            raise ValueError("outcomes_outside_kpi names an outcome that does not exist")
        if [rung.level for rung in self.identity_ladder] != list(range(len(self.identity_ladder))):
            raise ValueError("the levels of the identity ladder do not count up from 0")
        countries = [row.country for row in self.retention]
        if len(set(countries)) != len(countries):
            raise ValueError("a country has two rows of retention")

    def refusal_code(self, code: str) -> RefusalCode:
        """The row of a code. Raises: KeyError: there is none."""
        for row in self.refusal_codes:
            if row.code == code:
                return row
        raise KeyError(code)

    def retention_of(self, country: str) -> RetentionRow | None:
        """The row of a country, None where nothing is laid down."""
        return next((row for row in self.retention if row.country == country), None)

    def years_of(self, country: str, term: str) -> int | None:
        """For how many years a country wants records of a term of `TERMS` kept; None: nothing is laid down."""
        row = self.retention_of(country.upper())
        return getattr(row, TERMS[term]) if row is not None else None
