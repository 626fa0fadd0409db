"""Google Consent Mode: what a page tells its tags before and after a choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.signals.consent_mode import CHANNEL, DEFAULT_MAP, ModeDefault, Signal, defaults, states
from privacyops.services import purpose as published
from privacyops.services.consent import answering
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.context import Context, reading
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class ConsentMode:
    """The `default` commands and, where a person was named, the `update` after their choices."""

    purposes: Mapping[Signal, str]
    defaults: Sequence[ModeDefault]
    update: Mapping[Signal, str] | None


def consent_mode(
    ctx: Context, subject_id: str | None, brand: str | None = None, jurisdiction: str | None = None
) -> ConsentMode:
    """The seven signals for a page. A purpose that is not published, retired, or not over the channel `web`, is a no.

    Raises: UnknownBrand, IdentityConflict.
    """
    purpose_of = {**DEFAULT_MAP, **{Signal(name): key for name, key in ctx.controller.consent_mode.items()}}
    known = _catalogue(ctx).purposes
    purposes = {key: one.current for key, one in known.items() if not one.current.is_retired}
    update: Mapping[Signal, str] | None = None
    if subject_id is not None:
        asked = [key for key in set(purpose_of.values()) if key in purposes and CHANNEL in purposes[key].channels]
        whom = Whom(subject_id)
        allowed = {
            key: answering.check(ctx, Question(whom, key, CHANNEL, brand, jurisdiction)).decision.is_allowed
            for key in asked
        }
        update = states(purpose_of, allowed)
    return ConsentMode(purpose_of, defaults(purpose_of, purposes), update)


@reading(Action.CONSENT_CHECK)
def _catalogue(ctx: Context, tx: Tx) -> Catalogue:
    return published.catalogue(ctx, tx)
