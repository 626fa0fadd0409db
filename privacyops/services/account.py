"""People who work here: the first account, signing in with two factors, sessions that end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action, Role
from privacyops.domain.account.actor import Actor, staff
from privacyops.domain.account.record import Account, Session
from privacyops.domain.account.rule import require_step_up
from privacyops.domain.identity.email import normal_email
from privacyops.domain.password import require_strong
from privacyops.domain.secret import LINK_LIFE, LinkKind, link_digest, mint_link, mint_session_id, session_digest
from privacyops.domain.totp import (
    accepted_step,
    mint_recovery_codes,
    mint_totp_secret,
    otpauth_uri,
    secret_in_groups,
    typed_recovery_code,
)
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Forbidden, Gone, RateLimited, Unauthenticated, Unprocessable
from privacyops.kernel.ids import AccountId, uuid7
from privacyops.ports.keyring import MacLabel
from privacyops.services import role, sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import account as accounts
from privacyops.store import role_grant as role_grants
from privacyops.store import token as tokens
from privacyops.store.uow import Tx

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
TOUCH_EVERY: Final = timedelta(minutes=1)
TRIES_PER_ACCOUNT: Final = 10
TRIES_PER_PREFIX: Final = 40
_WINDOW: Final = timedelta(minutes=10)


class SignInFailed(Unauthenticated):
    """The same words for an unknown address, a wrong password and a disabled account."""

    type = "/problems/sign-in-failed"
    title = "Address or password is wrong"


class FactorWrong(Unauthenticated):
    type = "/problems/second-factor-wrong"
    title = "This code is not valid, or it was used already; wait for the next one"


class SetupClosed(Gone):
    type = "/problems/setup-closed"
    title = "This setup link has expired or was used; `privacyops account setup-link` prints a new one"


class AddressTaken(Conflict):
    type = "/problems/address-taken"
    title = "There is an account with this address already"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's session. `needs_factor`: nothing but the second factor may be shown yet."""

    account: Account
    session: Session
    cookie: str | None = None

    @property
    def needs_factor(self) -> bool:
        return self.session.second_factor_at is None

    @property
    def needs_enrolment(self) -> bool:
        return self.account.totp_sealed is None

    def actor(self) -> Actor:
        """Who acts in this session."""
        me = self.account
        return staff(me.id, me.controller, *me.roles, step_up_at=self.session.second_factor_at)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor being set up: shown once."""

    secret: str
    uri: str


def setup_link(ctx: Context) -> str | None:
    """A new one-time link for the first account, valid for an hour; None: there is an account already."""
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        if accounts.count_accounts(tx) > 0:
            return None
        link = mint_link(LinkKind.SETUP)
        tokens.spend_links(tx, "setup", "first")
        tokens.add_link(tx, link.digest, "setup", "first", LINK_LIFE[LinkKind.SETUP])
        record(ctx, tx, "account.setup_link", "account", "first")
        return f"{ctx.controller.base_url.rstrip('/')}/setup?t={link.text}"


def setup_is_open(ctx: Context, token: str) -> bool:
    """Whether this link still makes the first account."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        found = tokens.find_link(tx, link_digest(LinkKind.SETUP, token), "setup")
        return found is not None and accounts.count_accounts(tx) == 0


def set_up(ctx: Context, token: str, name: str, email: str, password: str) -> SignedIn:
    """Make the first account, an administrator who is also DPO, and sign it in.

    Raises: SetupClosed, PasswordTooWeak, Unprocessable: address or name.
    """
    hashed = checked_password(ctx, password, name, email)
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        if accounts.count_accounts(tx) > 0 or not tokens.use_link(tx, link_digest(LinkKind.SETUP, token), "setup"):
            raise SetupClosed
        account = _new_account(tx, name, email, hashed, frozenset({Role.ADMIN, Role.DPO}))
        record(ctx, tx, "account.set_up", "account", account.id)
        return open_session(tx, account)


@use_case(Action.ACCOUNT_MANAGE)
def invite(
    ctx: Context, tx: Tx, name: str, email: str, roles: frozenset[Role], password: str, *, is_demo: bool = False
) -> Account:
    """Add an account; what of its roles a second person has to confirm, it gets later.

    Raises: AddressTaken, PasswordTooWeak, Unprocessable.
    """
    normal = normal_email(email)
    if normal is not None and accounts.find_account(tx, normal) is not None:
        raise AddressTaken
    hashed = checked_password(ctx, password, name, email)
    waits = role.roles_to_confirm(tx, roles, frozenset(), joining=1)
    account = _new_account(tx, name, email, hashed, roles - waits, is_demo=is_demo)
    record(ctx, tx, "account.invite", "account", account.id, **role.told(account.roles, frozenset()))
    role.propose(ctx, tx, account.id, waits)
    return account


def sign_in(ctx: Context, email: str, password: str, prefix: str) -> SignedIn:
    """First factor. The same work and the same refusal for known and unknown addresses.

    Ten tries an account and forty a network prefix in ten minutes; nobody can lock a colleague out for longer.
    Raises: SignInFailed, RateLimited, HashingBusy.
    """
    normal = normal_email(email) or email.strip().lower()[:254]
    now = ctx.clock.now()
    with ctx.database.transaction(ctx.controller.key, now) as tx:
        by_account = tokens.count_in_window(tx, "sign_in", sealing.bucket(ctx, "sign_in", normal, prefix), _WINDOW)
        by_prefix = tokens.count_in_window(tx, "sign_in", sealing.bucket(ctx, "sign_in", prefix), _WINDOW)
        account = accounts.find_account(tx, normal)
    if by_account > TRIES_PER_ACCOUNT or by_prefix > TRIES_PER_PREFIX:
        raise RateLimited("too many tries", retry_after_s=int(_WINDOW.total_seconds()))
    fits = ctx.ports.passwords.fits(account.password_hash if account else None, password)
    if account is None or not fits or account.disabled_at is not None:
        _note_failure(ctx, account)
        raise SignInFailed
    renewed = ctx.ports.passwords.hashed(password) if ctx.ports.passwords.is_outdated(account.password_hash) else None
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        if renewed is not None:
            accounts.save_account(tx, account.id, password_hash=renewed)
        record(ctx, tx, "account.sign_in", "account", account.id)
        return open_session(tx, account)


def session_of(ctx: Context, cookie: str | None) -> SignedIn | None:
    """The session behind a cookie; None: none, ended, or idle for more than half an hour."""
    digest = session_digest(cookie) if cookie else None
    if digest is None:
        return None
    now = ctx.clock.now()
    with ctx.database.reading(ctx.controller.key, now) as tx:
        found = accounts.find_session(tx, digest, IDLE)
    if found is None:
        return None
    session, account = found
    if now - session.seen_at > TOUCH_EVERY:
        with ctx.database.transaction(ctx.controller.key, now) as tx:
            accounts.touch_session(tx, digest)
    return SignedIn(account, session)


def begin_enrolment(ctx: Context, signed_in: SignedIn) -> Enrolment:
    """A secret for the authenticator app, derived for this session so that nothing is stored before it works."""
    secret = _pending_secret(ctx, signed_in)
    uri = otpauth_uri(secret, ctx.controller.name or "privacyops", signed_in.account.email)
    return Enrolment(secret_in_groups(secret), uri)


def finish_enrolment(ctx: Context, signed_in: SignedIn, code: str) -> tuple[SignedIn, tuple[str, ...]]:
    """The app shows the right code: the factor is set, and ten recovery codes are shown once. Raises: FactorWrong."""
    secret = _pending_secret(ctx, signed_in)
    codes = mint_recovery_codes()
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        step = accepted_step(secret, code, tx.now, None)
        if step is None or signed_in.account.totp_sealed is not None:
            raise FactorWrong
        me = signed_in.account.id
        sealed = ctx.ports.keyring.seal(secret, sealing.place(ctx, "account", "totp_sealed", me))
        accounts.save_account(tx, me, totp_sealed=sealed, totp_last_step=step)
        accounts.replace_recovery_codes(tx, me, [_recovery_hash(ctx, me, one) for one in codes])
        record(ctx, tx, "account.factor_set", "account", me)
        return _renew(tx, signed_in, accounts.load_account(tx, me)), codes


def show_factor(ctx: Context, signed_in: SignedIn, code: str) -> SignedIn:
    """Second factor, at sign-in and again before what needs a step-up; the session gets a new id.

    Raises: FactorWrong: wrong, or used before. RateLimited.
    """
    me = signed_in.account
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        tries = tokens.count_in_window(tx, "factor", sealing.bucket(ctx, "factor", str(me.id)), _WINDOW)
    if tries > TRIES_PER_ACCOUNT:
        raise RateLimited("too many tries", retry_after_s=int(_WINDOW.total_seconds()))
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        if not _is_factor(ctx, tx, accounts.load_account(tx, me.id), code):
            raise FactorWrong
        record(ctx, tx, "account.factor_shown", "account", me.id)
        return _renew(tx, signed_in, me)


def sign_out(ctx: Context, signed_in: SignedIn, *, everywhere: bool = False) -> None:
    """End this session, or every session of the account."""
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        only = None if everywhere else signed_in.session.token_hash
        accounts.end_sessions(tx, signed_in.account.id, only=only)
        record(ctx, tx, "account.sign_out", "account", signed_in.account.id, everywhere=str(everywhere).lower())


@use_case(Action.ACCOUNT_MANAGE)
def disable(ctx: Context, tx: Tx, account: AccountId) -> None:
    """The account opens nothing any more, and what it proposed or was to get is off. Raises: Forbidden: the own."""
    if account == ctx.actor.id:
        raise Forbidden("another administrator changes this account")
    accounts.save_account(tx, account, disabled_at=tx.now)
    accounts.end_sessions(tx, account)
    role_grants.drop_grants(tx, account)
    record(ctx, tx, "account.disable", "account", account)


@use_case(Action.ACCOUNT_SELF)
def mask_people(ctx: Context, tx: Tx, masks: bool) -> None:
    """Whether lists show this account masked names."""
    accounts.save_account(tx, AccountId(ctx.actor.id), masks_people=masks)
    record(ctx, tx, "account.mask", "account", ctx.actor.id, masks=str(masks).lower())


@use_case(Action.ACCOUNT_SELF)
def renew_recovery_codes(ctx: Context, tx: Tx) -> tuple[str, ...]:
    """Ten new recovery codes, shown once; the old ones stop working. Raises: StepUpNeeded."""
    require_step_up(ctx.actor, tx.now)
    me, codes = AccountId(ctx.actor.id), mint_recovery_codes()
    accounts.replace_recovery_codes(tx, me, [_recovery_hash(ctx, me, one) for one in codes])
    record(ctx, tx, "account.recovery_codes", "account", me)
    return codes


@reading(Action.ACCOUNT_SELF)
def recovery_codes_left(ctx: Context, tx: Tx) -> int:
    """How many of the own recovery codes still work."""
    return accounts.count_recovery_codes(tx, AccountId(ctx.actor.id))


@reading(Action.ACCOUNT_SEE)
def last_seen(ctx: Context, tx: Tx) -> Mapping[AccountId, Instant]:
    """When each account was last active."""
    return accounts.last_seen(tx)


@reading(Action.ACCOUNT_SEE)
def all_accounts(ctx: Context, tx: Tx) -> tuple[Account, ...]:
    """Every account, by name."""
    return tuple(accounts.list_accounts(tx))


def names(ctx: Context) -> dict[AccountId, Account]:
    """Colleagues by id: for initials beside what they did."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return {account.id: account for account in accounts.list_accounts(tx)}


def switch_demo_user(ctx: Context, email: str) -> SignedIn:
    """Sign in as a demo account without factors. Raises: SignInFailed: not a demo, or not a demo account."""
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        account = accounts.find_account(tx, email)
        if not ctx.controller.is_demo or account is None or not account.is_demo:
            raise SignInFailed
        signed_in = open_session(tx, account, second_factor=True)
        record(ctx, tx, "account.demo_switch", "account", account.id)
        return signed_in


def _note_failure(ctx: Context, account: Account | None) -> None:
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        record(ctx, tx, "account.sign_in_failed", "account", account.id if account else "unknown")


def checked_password(ctx: Context, password: str, name: str, email: str) -> str:
    """The hash to store. Raises: PasswordTooWeak, HashingBusy."""
    require_strong(password, name, email, ctx.controller.name)
    return ctx.ports.passwords.hashed(password)


def _new_account(
    tx: Tx, name: str, email: str, hashed: str, roles: frozenset[Role], *, is_demo: bool = False
) -> Account:
    normal = normal_email(email)
    if normal is None or not name.strip():
        raise Unprocessable("an account needs a name and an e-mail address")
    account = Account(
        id=AccountId(uuid7(tx.now)), controller=tx.controller, email=normal, name=name.strip()[:120], roles=roles,
        password_hash=hashed, totp_sealed=None, totp_last_step=None, is_demo=is_demo, masks_people=not is_demo,
        created_at=tx.now, disabled_at=None,
    )  # fmt: skip
    accounts.add_account(tx, account)
    return account


def open_session(tx: Tx, account: Account, *, second_factor: bool = False) -> SignedIn:
    """A new session of the account, with the cookie that only its browser gets."""
    cookie, digest = mint_session_id()
    factor_at = tx.now if second_factor else None
    session = Session(digest, account.id, tx.now, tx.now, tx.now + ABSOLUTE, factor_at)
    accounts.add_session(tx, session)
    return SignedIn(account, session, cookie)


def _renew(tx: Tx, signed_in: SignedIn, account: Account) -> SignedIn:
    """A new id for the session, so that an id known before the second factor is worth nothing after it."""
    cookie, digest = mint_session_id()
    session = Session(digest, account.id, tx.now, tx.now, signed_in.session.expires_at, tx.now)
    accounts.end_sessions(tx, account.id, only=signed_in.session.token_hash)
    accounts.add_session(tx, session)
    return SignedIn(account, session, cookie)


def _is_factor(ctx: Context, tx: Tx, account: Account, code: str) -> bool:
    if account.totp_sealed is None:
        return False
    secret = ctx.ports.keyring.open(account.totp_sealed, sealing.place(ctx, "account", "totp_sealed", account.id))
    step = accepted_step(secret, code, tx.now, account.totp_last_step)
    if step is not None:
        return accounts.use_totp_step(tx, account.id, step)
    return accounts.use_recovery_code(tx, account.id, _recovery_hash(ctx, account.id, code))


def _recovery_hash(ctx: Context, account: AccountId, code: str) -> bytes:
    text = typed_recovery_code(code)
    return ctx.ports.keyring.mac(MacLabel.RECOVERY, ctx.controller.key, account.bytes, text.encode()).digest


def _pending_secret(ctx: Context, signed_in: SignedIn) -> bytes:
    mac = ctx.ports.keyring.mac(MacLabel.FORM, ctx.controller.key, b"totp", signed_in.session.token_hash)
    return hashlib.sha256(mac.digest).digest()[: len(mint_totp_secret())]
