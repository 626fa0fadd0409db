"""Staff accounts, their sessions and recovery codes, and API keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.record import Account, ApiKey, Session
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, ApiKeyId
from privacyops.store.tables.account import AccountRow, AccountSessionRow, ApiKeyRow, RecoveryCodeRow
from privacyops.store.tables.base import table_of
from privacyops.store.uow import Tx

_ACCOUNT = table_of(AccountRow)
_SESSION = table_of(AccountSessionRow)
_RECOVERY = table_of(RecoveryCodeRow)
_KEY = table_of(ApiKeyRow)


def add_account(tx: Tx, account: Account) -> None:
    """A new account. Raises: IntegrityError: the address is taken."""
    tx.run(
        insert(_ACCOUNT),
        {
            "id": account.id, "controller": tx.controller, "email": account.email, "name": account.name,
            "roles": sorted(account.roles), "password_hash": account.password_hash,
            "totp_sealed": account.totp_sealed, "totp_last_step": account.totp_last_step,
            "is_demo": account.is_demo, "masks_people": account.masks_people, "created_at": account.created_at,
            "disabled_at": account.disabled_at,
        },
    )  # fmt: skip


def load_account(tx: Tx, account: AccountId) -> Account:
    """Raises: NotFound."""
    row = tx.run(select(_ACCOUNT).where(_ACCOUNT.c.id == account, _ACCOUNT.c.controller == tx.controller)).one_or_none()
    if row is None:
        raise NotFound
    return _account(row)


def find_account(tx: Tx, email: str) -> Account | None:
    """The account of this address (lower case), disabled or not."""
    query = select(_ACCOUNT).where(_ACCOUNT.c.email == email, _ACCOUNT.c.controller == tx.controller)
    row = tx.run(query).one_or_none()
    return None if row is None else _account(row)


def list_accounts(tx: Tx) -> Sequence[Account]:
    """Every account of the controller, by name."""
    query = select(_ACCOUNT).where(_ACCOUNT.c.controller == tx.controller).order_by(_ACCOUNT.c.name).limit(500)
    return [_account(row) for row in tx.run(query)]


def count_accounts(tx: Tx, *, is_demo: bool | None = None) -> int:
    """How many accounts there are; 0 means that the setup link still opens."""
    query = select(func.count()).where(_ACCOUNT.c.controller == tx.controller)
    if is_demo is not None:
        query = query.where(_ACCOUNT.c.is_demo == is_demo)
    return int(tx.run(query).scalar_one())


def save_account(tx: Tx, account: AccountId, **changed: Any) -> None:
    """Change some fields. Raises: StaleState: no such account."""
    tx.move(update(_ACCOUNT).where(_ACCOUNT.c.id == account, _ACCOUNT.c.controller == tx.controller).values(**changed))


def use_totp_step(tx: Tx, account: AccountId, step: int) -> bool:
    """Remember the step of an accepted code; False: this step or a later one was used before."""
    statement = update(_ACCOUNT).where(_ACCOUNT.c.id == account, func.coalesce(_ACCOUNT.c.totp_last_step, -1) < step)
    return tx.run(statement.values(totp_last_step=step)).rowcount == 1


def replace_recovery_codes(tx: Tx, account: AccountId, hashes: Iterable[bytes]) -> None:
    """New recovery codes; the old ones stop working."""
    tx.run(_RECOVERY.delete().where(_RECOVERY.c.account_id == account))
    tx.run(insert(_RECOVERY), [{"account_id": account, "code_hash": code} for code in hashes])


def use_recovery_code(tx: Tx, account: AccountId, code_hash: bytes) -> bool:
    """Spend one; False: unknown or spent."""
    statement = update(_RECOVERY).where(
        _RECOVERY.c.account_id == account, _RECOVERY.c.code_hash == code_hash, _RECOVERY.c.used_at.is_(None)
    )
    return tx.run(statement.values(used_at=tx.now)).rowcount == 1


def count_recovery_codes(tx: Tx, account: AccountId) -> int:
    """How many recovery codes are left."""
    query = select(func.count()).where(_RECOVERY.c.account_id == account, _RECOVERY.c.used_at.is_(None))
    return int(tx.run(query).scalar_one())


def last_seen(tx: Tx) -> Mapping[AccountId, Instant]:
    """When each account was last active, as far as sessions remember."""
    query = (
        select(_SESSION.c.account_id, func.max(_SESSION.c.seen_at).label("seen"))
        .join(_ACCOUNT, _ACCOUNT.c.id == _SESSION.c.account_id)
        .where(_ACCOUNT.c.controller == tx.controller)
        .group_by(_SESSION.c.account_id)
    )
    return {AccountId(row.account_id): row.seen for row in tx.run(query)}


def add_session(tx: Tx, session: Session) -> None:
    """A browser has signed in."""
    tx.run(
        insert(_SESSION),
        {
            "token_hash": session.token_hash, "account_id": session.account_id, "created_at": session.created_at,
            "seen_at": session.seen_at, "expires_at": session.expires_at,
            "second_factor_at": session.second_factor_at,
        },
    )  # fmt: skip


def find_session(tx: Tx, token_hash: bytes, idle: timedelta) -> tuple[Session, Account] | None:
    """The live session of a cookie and its account; None: unknown, ended, idle for too long, account disabled."""
    query = (
        select(_SESSION, *[column.label(f"a_{column.name}") for column in _ACCOUNT.c])
        .join(_ACCOUNT, _ACCOUNT.c.id == _SESSION.c.account_id)
        .where(_SESSION.c.token_hash == token_hash, _SESSION.c.ended_at.is_(None), _SESSION.c.expires_at > tx.now)
        .where(_SESSION.c.seen_at > tx.now - idle, _ACCOUNT.c.disabled_at.is_(None))
        .where(_ACCOUNT.c.controller == tx.controller)
    )
    row = tx.run(query).one_or_none()
    if row is None:
        return None
    session = Session(
        row.token_hash, AccountId(row.account_id), row.created_at, row.seen_at, row.expires_at, row.second_factor_at
    )
    return session, _account(row, "a_")


def touch_session(tx: Tx, token_hash: bytes) -> None:
    """It was used just now."""
    tx.run(update(_SESSION).where(_SESSION.c.token_hash == token_hash).values(seen_at=tx.now))


def end_sessions(tx: Tx, account: AccountId, *, but: bytes | None = None, only: bytes | None = None) -> int:
    """Sign out: one browser (`only`), all of them, or all `but` the present one."""
    statement = update(_SESSION).where(_SESSION.c.account_id == account, _SESSION.c.ended_at.is_(None))
    if only is not None:
        statement = statement.where(_SESSION.c.token_hash == only)
    if but is not None:
        statement = statement.where(_SESSION.c.token_hash != but)
    return tx.run(statement.values(ended_at=tx.now)).rowcount


def add_api_key(tx: Tx, key: ApiKey) -> None:
    """A new key; its secret was shown once and is not here."""
    tx.run(
        insert(_KEY),
        {
            "id": key.id, "controller": tx.controller, "public_id": key.public_id, "name": key.name,
            "scopes": sorted(key.scopes), "systems": sorted(key.systems), "waiting": sorted(key.waiting),
            "secret_hmac": key.secret_hmac, "is_live": key.is_live,
            "created_by": key.made_by, "created_at": key.created_at, "expires_at": key.expires_at,
        },
    )  # fmt: skip


def find_api_key(tx: Tx, public_id: str) -> ApiKey | None:
    """The key that is neither revoked nor expired; the caller compares the secret."""
    query = select(_KEY).where(
        _KEY.c.public_id == public_id, _KEY.c.revoked_at.is_(None), _KEY.c.expires_at > tx.now,
        _KEY.c.controller == tx.controller,
    )  # fmt: skip
    row = tx.run(query).one_or_none()
    return None if row is None else _key(row)


def list_api_keys(tx: Tx) -> Sequence[ApiKey]:
    """Every key of the controller, newest first, also revoked ones."""
    query = select(_KEY).where(_KEY.c.controller == tx.controller).order_by(_KEY.c.id.desc()).limit(500)
    return [_key(row) for row in tx.run(query)]


def load_api_key(tx: Tx, key: ApiKeyId) -> ApiKey:
    """The key, over or not, which nobody else changes until the transaction ends. Raises: NotFound."""
    query = select(_KEY).where(_KEY.c.id == key, _KEY.c.controller == tx.controller).with_for_update()
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return _key(row)


def settle_scopes(tx: Tx, key: ApiKeyId, scopes: frozenset[Scope]) -> None:
    """The key has these scopes, and none waits any more."""
    tx.move(update(_KEY).where(_KEY.c.id == key).values(scopes=sorted(scopes), waiting=[]))


def revoke_api_key(tx: Tx, key: ApiKeyId) -> None:
    """It opens nothing from the next call on. Raises: StaleState: unknown or revoked already."""
    live = (_KEY.c.id == key, _KEY.c.controller == tx.controller, _KEY.c.revoked_at.is_(None))
    tx.move(update(_KEY).where(*live).values(revoked_at=tx.now))


def _account(row: Row[Any], prefix: str = "") -> Account:
    def value(name: str) -> Any:
        return getattr(row, prefix + name)

    created: Instant = value("created_at")
    return Account(
        id=AccountId(value("id")), controller=value("controller"), email=value("email"), name=value("name"),
        roles=frozenset(Role(role) for role in value("roles")), password_hash=value("password_hash"),
        totp_sealed=value("totp_sealed"), totp_last_step=value("totp_last_step"), is_demo=value("is_demo"),
        masks_people=value("masks_people"), created_at=created, disabled_at=value("disabled_at"),
    )  # fmt: skip


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.id), controller=row.controller, public_id=row.public_id, name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes), secret_hmac=row.secret_hmac, is_live=row.is_live,
        created_at=row.created_at, expires_at=row.expires_at, revoked_at=row.revoked_at,
        systems=frozenset(row.systems), waiting=frozenset(Scope(scope) for scope in row.waiting),
        made_by=AccountId(row.created_by) if row.created_by else None,
    )  # fmt: skip
