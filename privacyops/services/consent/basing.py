"""Soft opt-in: one's own similar products advertised to who bought, once the sale and the opt-out are on record.

Source: Directive 2002/58/EC Art. 13(2); in Germany UWG s. 7(3) (needs counsel).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import ConsentEvent, PurposeRef
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import EventType
from privacyops.domain.purpose import LegalBasis, PurposeScope
from privacyops.kernel.errors import Unprocessable
from privacyops.kernel.ids import EventId, uuid7
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import begin_write, blank_event, settled, with_clock, write_events
from privacyops.services.consent.promising import promised
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Circumstances, Written, brand_named, purpose_named, require_offered
from privacyops.services.context import Context, use_case
from privacyops.services.idempotency import Call
from privacyops.store.uow import Tx

PROOF: Final = ("sale", "similar_products", "opt_out_offered")
"""What the evidence names: the sale, that the products are one's own and similar, and where the opt-out was offered."""


class SoftOptInUnproved(Unprocessable):
    """`missing` names the members of the evidence that are not there."""

    type = "/problems/soft-opt-in-unproved"
    title = "A soft opt-in names the sale, the similar products, and where the opt-out was offered"


class BasisNotOffered(Unprocessable):
    type = "/problems/basis-not-offered"
    title = "The purpose does not rest on a soft opt-in in this jurisdiction"


def establish(
    ctx: Context, whom: Whom, purpose: str, channel: str, how: Circumstances, call: Call | None = None
) -> Written:
    """Put the ground of a soft opt-in on record. It lifts no stop.

    Raises: SoftOptInUnproved, BasisNotOffered, UnknownPurpose, PurposeRetired, UnknownChannel, UnknownBrand,
    IdentityConflict.
    """
    return promised(ctx, settled(lambda: _establish(ctx, whom, purpose, channel, how, call)))


@use_case(Action.CONSENT_WRITE)
def _establish(
    ctx: Context, tx: Tx, whom: Whom, purpose: str, channel: str, how: Circumstances, call: Call | None
) -> Written:
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return before
    known = purpose_named(names, purpose, channel).current
    require_offered(names, purpose)
    brand = brand_named(names, how.brand)
    missing = [name for name in PROOF if not str((how.evidence or {}).get(name, "")).strip()]
    if missing:
        raise SoftOptInUnproved(missing=missing)
    how = with_clock(ctx, tx, how)
    opened = subjects.find_or_prepare(ctx, tx, whom, how.jurisdiction, names)
    ground, place = known.ground_in(how.jurisdiction, opened.subject.jurisdiction, names.brands[brand].jurisdiction)
    if ground.basis is not LegalBasis.SOFT_OPT_IN:
        raise BasisNotOffered
    contact = subjects.bound_contact(ctx, whom, opened, channel)

    def events(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        yield replace(
            blank_event(ctx, tx, how), id=EventId(uuid7(tx.now)), type=EventType.BASIS_ESTABLISHED,
            purpose=PurposeRef(known.key, known.version), channel=channel,
            brand=brand if known.scope is PurposeScope.BRAND else None, basis=ground.basis, regime=ground.regime,
            jurisdiction=place, contact=contact.hex() if contact else None,
        )  # fmt: skip

    return write_events(ctx, tx, names, opened, events, how, call, "basis.established")
