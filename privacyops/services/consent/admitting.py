"""What a choice has to be before it is written: spoken for by who may speak, asked for when it may be asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from privacyops.domain.catalog.signals import age_of_consent
from privacyops.domain.consent.explicit import is_expressed
from privacyops.domain.consent.gpc import ReaskBlocked, asked_again_from
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import IndicatedBy, RowKind
from privacyops.domain.consent.suppression import REFUSES_GRANTS, ContactSuppressed, SuppressionReason
from privacyops.domain.purpose import Ground, PurposeFlag, PurposeVersion
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent.terms import (
    Choice,
    ChoiceAnswer,
    Circumstances,
    ExplicitMethodNeeded,
    GuardianRequired,
)


def require_of_age(choices: Sequence[Choice], how: Circumstances, place: str | None) -> None:
    """A child may always stop; a grant below the age of consent is a guardian's. Raises: GuardianRequired."""
    if how.age is None or how.indicated_by is IndicatedBy.GUARDIAN:
        return
    grants = any(choice.answer is ChoiceAnswer.GRANT for choice in choices)
    if grants and how.age < age_of_consent(how.jurisdiction or place):
        raise GuardianRequired


def require_explicit(ground: Ground, choice: Choice, how: Circumstances) -> None:
    """Raises: ExplicitMethodNeeded: a yes of this method is no statement of its own, and the basis asks for one."""
    if choice.answer is ChoiceAnswer.GRANT and not is_expressed(ground.basis, how.method):
        raise ExplicitMethodNeeded


def require_askable(
    rows: Mapping[Any, StateRow], purpose: PurposeVersion, jurisdiction: str | None, now: Instant
) -> None:
    """Raises: ReaskBlocked: the person opted out less than the law's pause ago."""
    until = asked_again_from(rows.values(), purpose, jurisdiction, now)
    if until is not None:
        raise ReaskBlocked(until=instant_text(until))


def needs_owner(
    purpose: PurposeVersion,
    channel: str,
    brand: str | None,
    contact: str | None,
    rows: Mapping[Any, StateRow],
    how: Circumstances,
) -> bool:
    """Whether a grant counts only once the contact's owner has confirmed it, whatever the purpose says.

    So it is where somebody else speaks for the person by a mandate, and where the contact is on the list of those
    not to be written to. Raises: ContactSuppressed: for a reason that only a person lifts.
    """
    against = [
        row
        for row in rows.values()
        if row.kind is RowKind.SUPPRESSION
        and row.state != LIFTED
        and row.purpose in (None, purpose.key)
        and row.channel in (None, channel)
        and row.brand in (None, brand)
        and (row.contact is None or contact in (None, row.contact))
    ]
    for row in against:
        advertising = row.state == SuppressionReason.COMPLAINT and not purpose.has(PurposeFlag.DIRECT_MARKETING)
        if row.state in REFUSES_GRANTS and not advertising:
            raise ContactSuppressed
    return how.indicated_by is IndicatedBy.AGENT or (bool(against) and not purpose.ignores_stops)
