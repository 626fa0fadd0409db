"""What decides over people's data, a role or the scope of a key, is granted by two: one proposes, another confirms."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from privacyops.domain.account.action import SENIOR_ROLES, Role
from privacyops.domain.account.four_eyes import Matter
from privacyops.domain.account.record import ApiKey
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId


class GrantState(StrEnum):
    """PROPOSED waits; CONFIRMED holds; DECLINED by a second person or taken back; REPLACED by a later proposal."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """Senior roles that an administrator wants an account to have, besides those it has."""

    id: UUID
    account_id: AccountId
    roles: frozenset[Role]
    proposed_by: AccountId
    proposed_at: Instant
    state: GrantState

    @property
    def sha256(self) -> str:
        """What a second person has seen: whom, which roles, proposed by whom."""
        seen = [str(self.id), str(self.account_id), sorted(self.roles), str(self.proposed_by)]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()

    def matter(self) -> Matter:
        """This grant as it is laid before a second person: neither who proposed it nor who gains by it."""
        return Matter(str(self.id), self.sha256, frozenset({self.proposed_by, self.account_id}), self.proposed_at)


def key_matter(key: ApiKey) -> Matter:
    """What of a key waits, as it is laid before a second person: not before whoever made the key."""
    seen = [str(key.id), key.name, sorted(key.waiting), sorted(key.scopes), str(key.made_by)]
    digest = hashlib.sha256(json.dumps(seen).encode()).hexdigest()
    return Matter(str(key.id), digest, frozenset({key.made_by} if key.made_by else ()), key.created_at)


def to_confirm(wanted: frozenset[Role], held: frozenset[Role]) -> frozenset[Role]:
    """Which of the wanted roles another person confirms first: senior ones that the account does not have yet."""
    return (wanted & SENIOR_ROLES) - held


def nobody_else(accounts: int) -> bool:
    """Whether an installation with so many accounts, blocked ones included, has nobody who could confirm.

    Whoever proposes and whoever gains are out, so it takes a third. Accounts are never deleted: once there were
    three, no blocking brings this exception back.
    """
    return accounts <= 2
