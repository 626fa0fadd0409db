"""What the team does with a request beside its content: take it on, start it, end it unread, call its answer back."""

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import Outcome, RequestClass
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import TaskKind
from privacyops.kernel.errors import Conflict, TransitionRefused, Unprocessable
from privacyops.kernel.ids import AccountId, DsarId
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.lifecycle import ask_for_review, end, move
from privacyops.services.dsar.reply import seal_message
from privacyops.services.dsar.search import begin_search
from privacyops.store import account as accounts
from privacyops.store import dsar as dsars
from privacyops.store import mail as mails
from privacyops.store import package as packages
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx


class DismissalNeedsSecond(Conflict):
    type = "/problems/dismissal-needs-second-person"
    title = "This customer has proved who they are; such a request is answered, not dismissed"


class AlreadyReleased(Conflict):
    type = "/problems/already-released"
    title = "The answer has been released already and cannot be called back"


class NoStoreConnected(Conflict):
    type = "/problems/no-store-connected"
    title = "No store is connected; connect one before the search"


@use_case(Action.DSAR_ASSIGN)
def assign(ctx: Context, tx: Tx, dsar_id: DsarId, account: AccountId | None) -> Dsar:
    """Give a request to a colleague, or to nobody. The same assignment again changes nothing.

    Raises: NotFound: no such account. Unprocessable: the account is blocked.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    if account is not None and accounts.load_account(tx, account).disabled_at is not None:
        raise Unprocessable("this account is blocked")
    if dsar.assignee_id == account:
        return dsar
    after = dsars.save_dsar(tx, dsar, assignee_id=account)
    record(ctx, tx, "dsar.assign", "dsar", dsar_id, assignee=str(account or ""))
    return after


@use_case(Action.DSAR_SEARCH)
def start_search(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """Search for a request that waited for a store or for a person's decision on identity.

    Raises: TransitionRefused: not received, or its identity is not proven. NoStoreConnected.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    if dsar.rule.kind is not RequestClass.FIND or not dsar.is_proven:
        raise TransitionRefused("the search begins once the identity is proven")
    if dsar.state is DsarState.RECEIVED and not stores.list_stores(tx, only_enabled=True):
        raise NoStoreConnected
    tasks.cancel_tasks_of(tx, dsar_id, "search_started", TaskKind.MANUAL_STORE)
    return begin_search(ctx, tx, dsar)


@use_case(Action.DSAR_DISMISS)
def dismiss(ctx: Context, tx: Tx, dsar_id: DsarId, reason: str) -> Dsar:
    """End what is spam, misdirected or a test. The reason is kept, sealed, as a note of the team.

    Raises: Unprocessable: no reason. DismissalNeedsSecond: the subject is proven. TransitionRefused.
    """
    if not reason.strip():
        raise Unprocessable("say why this is no request")
    dsar = dsars.load_dsar(tx, dsar_id)
    if dsar.is_verified and dsar.proven_level > 0:
        raise DismissalNeedsSecond
    seal_message(ctx, tx, dsar_id, "note", reason)
    return end(ctx, tx, dsar, DsarEvent.DISMISS, Outcome.NOT_A_REQUEST)


@use_case(Action.DSAR_RETURN)
def recall(ctx: Context, tx: Tx, dsar_id: DsarId, reason: str) -> Dsar:
    """A second person sends the finished answer back to review instead of releasing it; its package is void.

    Raises: Unprocessable: no reason. AlreadyReleased. TransitionRefused.
    """
    if not reason.strip():
        raise Unprocessable("say what should be changed")
    dsar = dsars.load_dsar(tx, dsar_id)
    package = packages.newest_package(tx, dsar_id)
    if mails.has_answer(tx, dsar_id) or (package is not None and package.state == "released"):
        raise AlreadyReleased
    after = move(ctx, tx, dsar, DsarEvent.RECALL, prepared_by=None, plan_hash=None)
    if package is not None and package.state != "destroyed":
        packages.move_package(tx, package.id, package.state, "destroyed", destroyed_at=tx.now, vault_ref=None)
    tasks.void_approvals(tx, dsar_id)
    seal_message(ctx, tx, dsar_id, "note", reason)
    ask_for_review(tx, dsar)
    return after
