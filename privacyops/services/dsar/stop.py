"""Requests that take effect at once: objection to advertising, withdrawal of consent, opt-outs. Nothing is asked."""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.consent.state import Method
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.domain.dsar.state import DsarEvent
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.domain.task import TaskKind
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Circumstances, Scope
from privacyops.services.consent.writing import withdraw_within
from privacyops.services.context import Context
from privacyops.services.dsar.confirming import confirm_stop
from privacyops.services.dsar.lifecycle import move
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

_STOPS_ALL: Final = frozenset({RequestType.OBJECTION_DIRECT_MARKETING, RequestType.CONSENT_WITHDRAWAL})
_METHOD: Final[Mapping[Channel, Method]] = {Channel.PHONE: Method.PHONE, Channel.COUNTER: Method.IN_PERSON}


def apply_stop(ctx: Context, tx: Tx, dsar: Dsar, requester: Requester) -> Dsar:
    """Stop, settle and confirm, in the transaction of the request itself; it cannot be refused.

    An objection to advertising and a withdrawal of consent stop every purpose that a stop may reach for the address,
    from the next check on. Other opt-outs become a task, and are confirmed when it is done.
    Raises: SubjectRaced: run the use case again.
    """
    dsar = move(ctx, tx, dsar, DsarEvent.APPLY_STOP)
    if dsar.type not in _STOPS_ALL:
        return _by_hand(tx, dsar)
    whom = Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, requester.email),))
    withdraw_within(ctx, tx, whom, Scope(), Circumstances(_METHOD.get(dsar.channel, Method.FORM)))
    dsar = move(ctx, tx, dsar, DsarEvent.EXECUTION_SETTLED)
    return confirm_stop(ctx, tx, dsar, requester)


def _by_hand(tx: Tx, dsar: Dsar) -> Dsar:
    """An opt-out from sale, targeted advertising or profiling: a person carries it out, and only then is it said so."""
    tasks.add_task(
        tx, TaskKind.MANUAL_STORE, dsar.safe_due_on, owner_role="analyst", dsar_id=dsar.id, code=f"apply:{dsar.type}"
    )
    return dsar
