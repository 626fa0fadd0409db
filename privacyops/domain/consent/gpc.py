"""Global Privacy Control: what counts as the signal, and when nobody may be asked for a yes after it.

Source: W3C Global Privacy Control (`Sec-GPC`); Cal. Code Regs. tit. 11 ss. 7025, 7026, 7028 (needs counsel).
"""

from collections.abc import Iterable
from typing import Final

from privacyops.domain.catalog.signals import signal_duties
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import ConsentState, RowKind
from privacyops.domain.purpose import Period, PurposeFlag, PurposeVersion
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict

HEADER: Final = "sec-gpc"
LABEL: Final = "Opt-Out Request Honored"
"""The words that California expects beside an honoured signal."""
_OPTED_OUT: Final = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})


class ReaskBlocked(Conflict):
    """`until` as a member: the instant from which the person may be asked again."""

    type = "/problems/reask-blocked"
    title = "This person opted out less than twelve months ago and is not asked again yet; their own choice is taken"


def is_signal(values: Iterable[str]) -> bool:
    """Whether a request carries the signal: one field that is exactly `1`. `true`, `0` and the rest say nothing."""
    return any(value == "1" for value in values)


def is_duty(jurisdiction: str | None) -> bool:
    """Whether the law of the jurisdiction makes honouring the signal a duty. It is honoured everywhere."""
    return jurisdiction in signal_duties().duty


def asked_again_from(
    rows: Iterable[StateRow], purpose: PurposeVersion, jurisdiction: str | None, now: Instant
) -> Instant | None:
    """The instant before which the person is not asked for a yes to `purpose`; None: they may be asked now.

    Counts from the latest opt-out: the signal, a refusal or withdrawal of this purpose, an unsubscribe-all, an
    objection. Only where the jurisdiction's law asks for the pause, and only for what the signal covers.
    """
    months = signal_duties().pause_months.get(jurisdiction or "")
    if months is None or not purpose.has(PurposeFlag.GPC_COVERED):
        return None
    latest = max((row.t for row in rows if _opts_out(row, purpose.key)), default=None)
    until = Period(months, 0).after(latest) if latest is not None else None
    return until if until is not None and now < until else None


def _opts_out(row: StateRow, purpose: str) -> bool:
    if row.kind is RowKind.CHOICE:
        return row.purpose == purpose and row.state in _OPTED_OUT
    return row.state != LIFTED and row.purpose in (None, purpose)
