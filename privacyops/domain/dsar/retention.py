"""How long what a closed request holds is kept: found values a month, the record as its law says.

What stays for ever says nothing about a person: reference, type, dates, outcome and codes, so that figures over past
years do not change.
"""

from datetime import timedelta
from typing import Final

from privacyops.domain.deadline.book import RuleBook
from privacyops.domain.purpose import Period
from privacyops.kernel.clock import Instant

VALUES_KEPT: Final = timedelta(days=30)
"""After closing; as long as the package could be downloaded."""
SHORTEST_MONTH: Final = timedelta(days=28)
RECORD_MONTHS: Final = 36
"""Where no law sets a term (needs counsel: limitation periods)."""


def record_months(book: RuleBook, regime: str) -> int:
    """For how many months after closing the record of a request under `regime` is kept."""
    if regime not in book.ids:
        return RECORD_MONTHS
    kept = book.versions(regime)[-1].record_retention
    return kept.months if kept is not None else RECORD_MONTHS


def is_record_due(closed_at: Instant, months: int, now: Instant) -> bool:
    """Whether who asked and what was said has to go by now."""
    return Period(months, 0).after(closed_at) <= now
