"""A colleague looks somebody up: recorded each time, with the reason where the role owes one."""

from collections.abc import Sequence
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import require
from privacyops.domain.subject import SubjectIdentifier
from privacyops.services import purpose as published
from privacyops.services.consent import subjects, suppressing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.suppressing import Entry
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

_MOST: Final = 200


@use_case(Action.CONSENT_READ)
def look_up_contact(ctx: Context, tx: Tx, contact: SubjectIdentifier, reason: str) -> Sequence[Entry]:
    """What stands against a contact. The contact itself is not recorded. Raises: ReasonNeeded, NotAContact."""
    require(ctx.actor, Action.CONSENT_READ, tx.now, reason=reason)
    found = suppressing.entries_within(ctx, tx, contact)
    record(ctx, tx, "suppression.looked_up", "suppression", "list", found=len(found), reason=reason.strip()[:_MOST])
    return found


@use_case(Action.CONSENT_READ)
def find_person(ctx: Context, tx: Tx, whom: Whom, reason: str) -> str | None:
    """The public id of a person; None: nobody is known. Also a search that finds nobody is recorded.

    Raises: ReasonNeeded, IdentityConflict.
    """
    require(ctx.actor, Action.CONSENT_READ, tx.now, reason=reason)
    subject = subjects.find(ctx, tx, whom)
    about = subject.public_id if subject else "nobody"
    record(ctx, tx, "consent.looked_up", "subject", about, reason=reason.strip()[:_MOST])
    return subject.public_id if subject else None


@reading(Action.CONSENT_CHECK)
def published_terms(ctx: Context, tx: Tx) -> Catalogue:
    """The purposes, channels and brands that a question can name."""
    return published.catalogue(ctx, tx)
