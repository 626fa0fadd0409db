"""What a shop platform passes on by webhook: a customer wants their data, or wants them gone.

The signature proves that the platform speaks, and the platform knows its customers: the request counts as vouched for,
like one of the shop's own back end. Its clock runs from the moment at which the message came in.
"""

from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import TYPE_RULES, Channel, RequestClass, RequestType
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.domain.dsar.record import Requester
from privacyops.domain.identity.email import normal_email
from privacyops.domain.task import TaskKind
from privacyops.ports.connector_host import Asked
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.intake import Submission, submit_within
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from privacyops.store.subject import SubjectRaced
from privacyops.store.uow import Tx

UNINSTALLED: Final = "uninstalled"
_OPENS: Final = {str(kind): kind for kind, rule in TYPE_RULES.items() if rule.kind is not RequestClass.JUDGE}
ECHO_LIFE: Final = timedelta(days=400)
"""A platform that was asked for an erasure tells all apps of it, ours too, up to half a year after the last order."""


def is_known(asked: Asked) -> bool:
    """Whether anything is done on this word."""
    return asked.what == UNINSTALLED or asked.what in _OPENS


def take(ctx: Context, store: str, event: str, asked: Asked) -> None:
    """Open the request that a platform passes on, or a person's task where that cannot be.

    The same delivery counts once by the sender's number, and the same body once by what it says: the number is not
    signed. Raises: NoLawApplies.
    """
    try:
        _take(ctx, store, event, asked)
    except SubjectRaced:  # two first stops of one address met: the second finds the person
        _take(ctx, store, event, asked)


@use_case(Action.DSAR_INTAKE)
def _take(ctx: Context, tx: Tx, store: str, event: str, asked: Asked) -> None:
    fresh = [erasures.add_event(tx, sealing.bucket(ctx, "store_event", store, event))]
    if asked.delivery:
        fresh.append(erasures.add_event(tx, sealing.bucket(ctx, "store_delivery", store, asked.delivery)))
    if not all(fresh):
        return
    email = normal_email(asked.identifiers.get("email", ""))
    if asked.what == UNINSTALLED:
        _ask_a_person(ctx, tx, store, "dpo", "platform_uninstalled")
    elif email is None:
        _ask_a_person(ctx, tx, store, "analyst", "platform_without_address")
    else:
        _open(ctx, tx, store, asked, email)


def _open(ctx: Context, tx: Tx, store: str, asked: Asked, email: str) -> None:
    type_ = _OPENS[asked.what]
    if type_ is RequestType.ERASURE and _is_echo(ctx, tx, store, email):
        return
    # the platform's own customer number means nothing in another store, where it may be somebody else's
    requester = Requester(email=email, phone=asked.identifiers.get("phone", ""))
    receipt = submit_within(
        ctx, tx,
        Submission(
            type=type_, requester=requester, channel=Channel.PLATFORM, language=ctx.controller.languages[0],
            proven_by=ProofMethod.ASSERTED,
        ),
    )  # fmt: skip
    record(ctx, tx, "dsar.asked_by_platform", "dsar", receipt.id, store=store)


def _is_echo(ctx: Context, tx: Tx, store: str, email: str) -> bool:
    """Whether the platform only passes on what we asked of it; once for each erasure, then it is a new request."""
    before = erasures.find_asked_of(tx, sealing.contact_index(ctx, email), store, tx.now - ECHO_LIFE)
    if before is None or not erasures.add_event(tx, sealing.bucket(ctx, "store_echo", store, str(before))):
        return False
    record(ctx, tx, "dsar.platform_echo", "dsar", before, store=store)
    return True


def _ask_a_person(ctx: Context, tx: Tx, store: str, role: str, code: str) -> None:
    """Nothing of the message is kept: it stands at the platform."""
    task = tasks.add_task(tx, TaskKind.READ_MESSAGE, tx.now.date(), owner_role=role, store=store, code=code)
    record(ctx, tx, "task.open", "task", task, kind=str(TaskKind.READ_MESSAGE), code=code)
