"""What the shop has to keep of a person's rows, for which reason and until when.

policy = {invoice = {keep = ["invoice_id", "invoice_date", "total"], code = "LEGAL_OBLIGATION", until = "rule:invoice"}}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from privacyops.domain.catalog.refusals_retention import TERMS, RefusalsRetention
from privacyops.domain.classification.words import words
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass
from privacyops.domain.record import Value
from privacyops.kernel.errors import Unprocessable

DEFAULT_CODE: Final = "LEGAL_OBLIGATION"
_AHEAD: Final = frozenset(
    {
        "until",
        "valid",
        "expires",
        "expiry",
        "expired",
        "warranty",
        "due",
        "end",
        "to",
        "updated",
        "modified",
        "bis",
        "gueltig",
        "fällig",
    }
)
"""Words of dates that say when something ends or was touched, not when the row was booked."""
_NEVER: Final = 9000
"""Years from here on stand for "for ever" in other people's tables."""
_KEYS: Final = frozenset({"keep", "code", "until", "date", "country"})


class PolicyMalformed(Unprocessable):
    """The policy of a store cannot be followed; the text names the collection and what is wrong."""

    type = "/problems/retention-policy-malformed"
    title = "The retention policy cannot be used"


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of each row of one collection. `keep` are the cells that stay; everything else goes now.

    `until` is a date, `rule:NAME` (invoice, books, letters, tax: years by the law of `country`, counted from the end
    of the year of `dated`), or empty: open. `dated` names the column with the row's date.
    """

    keep: frozenset[str]
    code: str = DEFAULT_CODE
    until: str = ""
    dated: str = ""
    country: str = ""


def read_policy(said: Mapping[str, Any], law: RefusalsRetention, region: str | None) -> dict[str, Retention]:
    """The policy of one store by collection. Raises: PolicyMalformed: an unknown key, code, rule or country."""
    codes = {row.code for row in law.refusal_codes if row.partial and row.applies_to("erasure")}
    found = {}
    for name, one in said.items():
        if not isinstance(one, Mapping) or set(one) - _KEYS:
            raise PolicyMalformed(f"{name}: knows {', '.join(sorted(_KEYS))}")
        keep, code, until = one.get("keep", ()), one.get("code", DEFAULT_CODE), one.get("until", "")
        if not isinstance(keep, Sequence) or isinstance(keep, str) or not all(isinstance(path, str) for path in keep):
            raise PolicyMalformed(f"{name}: keep is a list of columns")
        if code not in codes:
            raise PolicyMalformed(f"{name}: code {code} is no ground against an erasure")
        country = one.get("country", region or "")
        rule = Retention(frozenset(keep), code, str(until), str(one.get("date", "")), str(country))
        if rule.until and not rule.until.startswith("rule:"):
            _date(name, rule.until)
        elif rule.until:
            _years(name, rule, law)
        found[name] = rule
    return found


def holds_dealings(one: Collection) -> bool:
    """Whether the rows are somebody's dealings with amounts in them, which books and tax usually want kept."""
    return one.cls is CollectionClass.ACTIVITY and bool(one.of(Category.AMOUNT))


def kept_until(name: str, rule: Retention, row: Mapping[str, Value], law: RefusalsRetention) -> date | None:
    """The last day on which the row is kept; None: open. A row without a readable date is kept open.

    Source: catalog/refusals_retention.yaml: a term begins with the end of the calendar year.
    """
    if not rule.until:
        return None
    if not rule.until.startswith("rule:"):
        return _date(name, rule.until)
    began = _row_date(rule, row)
    return None if began is None else date(began.year + _years(name, rule, law), 12, 31)


def _row_date(rule: Retention, row: Mapping[str, Value]) -> date | None:
    if rule.dated:
        return _as_date(row.get(rule.dated))
    kept = [path for path in sorted(row) if path in rule.keep]
    booked = [path for path in kept if not _AHEAD & set(words(path))] or kept
    dates = [moment for path in booked if (moment := _as_date(row[path])) is not None]
    return max(dates, default=None)


def _as_date(value: Value) -> date | None:
    found = _read_date(value)
    return found if found is not None and found.year < _NEVER else None


def _read_date(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and len(value) >= 10:
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PolicyMalformed(f"{name}: until is a date or rule:NAME") from None


def _years(name: str, rule: Retention, law: RefusalsRetention) -> int:
    term = rule.until.partition(":")[2]
    if term not in TERMS:
        raise PolicyMalformed(f"{name}: until knows {', '.join(f'rule:{one}' for one in sorted(TERMS))}")
    years = law.years_of(rule.country, term)
    if years is None:
        raise PolicyMalformed(f"{name}: no term for {rule.until} in country {rule.country or '(none given)'}")
    return years
