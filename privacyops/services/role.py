"""Who may do what: roles are changed by an administrator, and those that decide are confirmed by a second person."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from privacyops.domain.account.action import Action, Role
from privacyops.domain.account.actor import Actor
from privacyops.domain.account.four_eyes import Eyes, SamePerson, second_person
from privacyops.domain.account.grant import GrantState, RoleGrant, nobody_else, to_confirm
from privacyops.domain.account.record import Account
from privacyops.domain.identity.email import normal_email
from privacyops.kernel.errors import Conflict, Forbidden, NotFound
from privacyops.kernel.ids import AccountId
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import account as accounts
from privacyops.store import role_grant as grants
from privacyops.store.uow import Tx


class GrantDecided(Conflict):
    """`state` as a member: what became of it."""

    type = "/problems/grant-decided"
    title = "This proposal was decided or replaced meanwhile"


@use_case(Action.ACCOUNT_MANAGE)
def set_roles(ctx: Context, tx: Tx, account: AccountId, roles: frozenset[Role]) -> frozenset[Role]:
    """Change what an account may do; its sessions end. Which of the roles wait for a second person.

    Taking a role away holds at once; so does everything that is not senior. What waited before and is not wanted
    any more is taken back.

    Raises: Forbidden: the own account. NotFound.
    """
    if account == ctx.actor.id:
        raise Forbidden("another administrator changes this account")
    before = accounts.load_account(tx, account)
    waits = roles_to_confirm(tx, roles, before.roles)
    if roles - waits != before.roles:
        accounts.save_account(tx, account, roles=sorted(roles - waits))
        accounts.end_sessions(tx, account)
        record(ctx, tx, "account.roles", "account", account, **told(roles - waits, before.roles))
    propose(ctx, tx, account, waits)
    return waits


def roles_to_confirm(tx: Tx, wanted: frozenset[Role], held: frozenset[Role], *, joining: int = 0) -> frozenset[Role]:
    """Which of the wanted roles wait for a second person; `joining` accounts are about to be added."""
    return frozenset() if nobody_else(accounts.count_accounts(tx) + joining) else to_confirm(wanted, held)


def told(holds: frozenset[Role], held: frozenset[Role]) -> dict[str, Any]:
    """What the audit row says of roles that hold from now on: and whether a senior one had no second person."""
    alone = {"eyes": str(Eyes.TWO)} if to_confirm(holds, held) else {}
    return {"roles": sorted(holds), **alone}


def propose(ctx: Context, tx: Tx, account: AccountId, roles: frozenset[Role]) -> None:
    """Lay senior roles before a second person. The same again changes nothing; another set replaces it."""
    standing = grants.open_grant(tx, account)
    if standing is not None and standing.roles == roles:
        return
    if standing is not None:
        grants.decide_grant(tx, standing.id, GrantState.REPLACED, None)
    if roles:
        grants.add_grant(tx, account, roles, AccountId(ctx.actor.id))
    if roles or standing is not None:
        record(ctx, tx, "account.roles_proposed", "account", account, roles=sorted(roles))


@reading(Action.ACCOUNT_SEE)
def open_grants(ctx: Context, tx: Tx) -> Sequence[RoleGrant]:
    """What waits for a second person, the oldest first."""
    return tuple(grants.list_open_grants(tx))


@use_case(Action.ACCOUNT_CONFIRM)
def confirm(ctx: Context, tx: Tx, grant_id: UUID, seen_sha256: str) -> Account:
    """Another person agrees to exactly this grant; the roles hold, and the account signs in anew.

    Raises: NotFound, GrantDecided, StepUpNeeded, ApprovedMatterChanged, SamePerson: who proposed it or gains by it,
    SingleOperatorTooEarly.
    """
    grant = _standing(tx, grant_id)
    matter = grant.matter()
    if ctx.actor.id == grant.account_id:
        raise SamePerson  # nobody confirms a role of their own, not even a lone operator
    # Nothing is typed: unlike an erasure or an answer, a role can be taken back
    eyes = second_person(
        ctx.actor, matter, seen_sha256, matter.number, tx.now, single_operator=ctx.controller.single_operator
    )
    return _hold(ctx, tx, grant, str(eyes), AccountId(ctx.actor.id))


@use_case(Action.ACCOUNT_CONFIRM)
def decline(ctx: Context, tx: Tx, grant_id: UUID) -> None:
    """A second person says no, or whoever proposed it takes it back. Raises: NotFound, GrantDecided."""
    grant = _standing(tx, grant_id)
    grants.decide_grant(tx, grant.id, GrantState.DECLINED, AccountId(ctx.actor.id))
    record(ctx, tx, "account.roles_declined", "account", grant.account_id, roles=sorted(grant.roles))


def confirm_on_server(ctx: Context, email: str) -> Account:
    """Confirm what waits for one account, by whoever has a shell on the server: the way out where nobody else may.

    Raises: NotFound: no such account, or nothing waits for it.
    """
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        account = accounts.find_account(tx, normal_email(email) or "")
        grant = None if account is None else grants.open_grant(tx, account.id)
        if grant is None:
            raise NotFound
        return _hold(ctx, tx, grant, "server", None)


def may_confirm(actor: Actor, grant: RoleGrant) -> bool:
    """Whether this person is the second one: for a button; `confirm` asks again."""
    return actor.id not in grant.matter().hands


def _standing(tx: Tx, grant_id: UUID) -> RoleGrant:
    grant = grants.load_grant(tx, grant_id)
    if grant.state is not GrantState.PROPOSED:
        raise GrantDecided(state=str(grant.state))
    return grant


def _hold(ctx: Context, tx: Tx, grant: RoleGrant, eyes: str, by: AccountId | None) -> Account:
    account = accounts.load_account(tx, grant.account_id)
    grants.decide_grant(tx, grant.id, GrantState.CONFIRMED, by)
    accounts.save_account(tx, account.id, roles=sorted(account.roles | grant.roles))
    accounts.end_sessions(tx, account.id)
    record(ctx, tx, "account.roles_confirmed", "account", account.id, roles=sorted(grant.roles), eyes=eyes)
    return accounts.load_account(tx, account.id)
