"""Roles that wait for a second person, and what became of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update

from privacyops.domain.account.action import Role
from privacyops.domain.account.grant import GrantState, RoleGrant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.role_grant import RoleGrantRow
from privacyops.store.uow import Tx

_GRANT = table_of(RoleGrantRow)


def add_grant(tx: Tx, account: AccountId, roles: frozenset[Role], proposed_by: AccountId) -> UUID:
    """A new proposal. Raises: IntegrityError: one is open for this account."""
    key = uuid7(tx.now)
    tx.run(
        insert(_GRANT),
        {
            "id": key, "controller": tx.controller, "account_id": account, "roles": sorted(roles),
            "proposed_by": proposed_by, "proposed_at": tx.now, "state": GrantState.PROPOSED,
        },
    )  # fmt: skip
    return key


def load_grant(tx: Tx, grant: UUID) -> RoleGrant:
    """Raises: NotFound."""
    row = tx.run(select(_GRANT).where(_GRANT.c.id == grant, _GRANT.c.controller == tx.controller)).one_or_none()
    if row is None:
        raise NotFound
    return _grant(row)


def open_grant(tx: Tx, account: AccountId) -> RoleGrant | None:
    """What waits for one account."""
    query = select(_GRANT).where(_GRANT.c.account_id == account, _GRANT.c.state == GrantState.PROPOSED)
    row = tx.run(query.where(_GRANT.c.controller == tx.controller)).one_or_none()
    return None if row is None else _grant(row)


def list_open_grants(tx: Tx) -> Sequence[RoleGrant]:
    """Everything that waits, the oldest first."""
    query = select(_GRANT).where(_GRANT.c.controller == tx.controller, _GRANT.c.state == GrantState.PROPOSED)
    return [_grant(row) for row in tx.run(query.order_by(_GRANT.c.id).limit(500))]


def decide_grant(tx: Tx, grant: UUID, to: GrantState, by: AccountId | None) -> None:
    """Compare-and-set. Raises: StaleState: it was decided meanwhile."""
    waits = (_GRANT.c.id == grant, _GRANT.c.controller == tx.controller, _GRANT.c.state == GrantState.PROPOSED)
    tx.move(update(_GRANT).where(*waits).values(state=to, decided_by=by, decided_at=tx.now))


def drop_grants(tx: Tx, account: AccountId) -> int:
    """A blocked account neither gains nor proposes anything any more; how many proposals ended with it."""
    touched = or_(_GRANT.c.account_id == account, _GRANT.c.proposed_by == account)
    statement = update(_GRANT).where(touched, _GRANT.c.controller == tx.controller)
    statement = statement.where(_GRANT.c.state == GrantState.PROPOSED)
    return tx.run(statement.values(state=GrantState.REPLACED, decided_at=tx.now)).rowcount


def _grant(row: Row[Any]) -> RoleGrant:
    return RoleGrant(
        id=row.id, account_id=AccountId(row.account_id), roles=frozenset(Role(role) for role in row.roles),
        proposed_by=AccountId(row.proposed_by), proposed_at=row.proposed_at, state=GrantState(row.state),
    )  # fmt: skip
