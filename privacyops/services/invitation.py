"""A colleague joins: an account that opens nothing until its owner sets a password, through a one-time link."""

import secrets
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action, Role
from privacyops.domain.account.record import Account
from privacyops.domain.secret import LINK_LIFE, LinkKind, SecretMalformed, link_digest, mint_link
from privacyops.kernel.errors import Gone
from privacyops.kernel.ids import AccountId
from privacyops.services import account as account_cases
from privacyops.services.account import SignedIn, checked_password, open_session
from privacyops.services.context import Context, record, use_case
from privacyops.store import account as accounts
from privacyops.store import token as tokens
from privacyops.store.uow import Tx

_KIND: Final = "invite"


class InvitationOver(Gone):
    type = "/problems/invitation-over"
    title = "This invitation has expired or was used; ask an administrator for a new one"


def invite(ctx: Context, name: str, email: str, roles: frozenset[Role]) -> tuple[Account, str]:
    """A new account, and the link through which its owner sets a password: shown once, valid for a day.

    Until then the password is one that nobody has seen. Raises: AddressTaken, Unprocessable: name, address.
    """
    account = account_cases.invite(ctx, name, email, roles, secrets.token_urlsafe(48))
    return account, renew_invitation(ctx, account.id)


@use_case(Action.ACCOUNT_MANAGE)
def renew_invitation(ctx: Context, tx: Tx, account_id: AccountId) -> str:
    """A new link for an account without a second factor yet; the one before stops working.

    Raises: InvitationOver: the account is in use or blocked. NotFound.
    """
    account = accounts.load_account(tx, account_id)
    if account.totp_sealed is not None or account.disabled_at is not None:
        raise InvitationOver("this account is in use already, or blocked")
    link = mint_link(LinkKind.INVITE)
    tokens.spend_links(tx, _KIND, str(account_id))
    tokens.add_link(tx, link.digest, _KIND, str(account_id), LINK_LIFE[LinkKind.INVITE])
    record(ctx, tx, "account.invitation_link", "account", account_id)
    return f"{ctx.controller.base_url.rstrip('/')}/setup/join?t={link.text}"


def invited(ctx: Context, token: str) -> Account:
    """Whom an invitation is for, without using it. Raises: InvitationOver."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        found = tokens.find_link(tx, _digest(token), _KIND)
        if found is None:
            raise InvitationOver
        return accounts.load_account(tx, _account_id(found))


def accept(ctx: Context, token: str, password: str) -> SignedIn:
    """The owner sets the password and is signed in; the second factor comes next.

    Raises: InvitationOver, PasswordTooWeak, HashingBusy.
    """
    who = invited(ctx, token)
    hashed = checked_password(ctx, password, who.name, who.email)
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        if not tokens.use_link(tx, _digest(token), _KIND):
            raise InvitationOver
        account = accounts.load_account(tx, who.id)
        if account.totp_sealed is not None or account.disabled_at is not None:
            raise InvitationOver
        accounts.save_account(tx, account.id, password_hash=hashed)
        accounts.end_sessions(tx, account.id)
        record(ctx, tx, "account.joined", "account", account.id)
        return open_session(tx, account)


def _digest(token: str) -> bytes:
    try:
        return link_digest(LinkKind.INVITE, token)
    except SecretMalformed:
        raise InvitationOver from None


def _account_id(text: str) -> AccountId:
    return AccountId(UUID(text))
