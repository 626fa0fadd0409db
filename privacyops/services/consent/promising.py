"""What a caller holds of a write before it can be proved: our signature under what was committed."""

from dataclasses import replace

from privacyops.domain.log import Log
from privacyops.ledger.leaf import instant_of, instant_text
from privacyops.services.consent.terms import Written
from privacyops.services.context import Context
from privacyops.services.promise import LIFE, promise


def promised(ctx: Context, written: Written) -> Written:
    """`written` with its promise. Call it after the commit: nothing is promised that could still be rolled back."""
    if not written.events:
        return written
    entries = [(str(event["event_id"]), str(event["leaf_hash"])) for event in written.events]
    by = instant_text(instant_of(written.recorded_at) + LIFE)
    return replace(written, promise=promise(ctx, Log.CONSENT, entries, written.recorded_at, by))
