"""Who asks, and what is asked about."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Role, Scope
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId, ApiKeyId, DsarId, StoreId

NOBODY: Final = UUID(int=0)
"""The id of actors that are not rows: the machine itself, and a visitor who has proved nothing yet."""


class ActorKind(StrEnum):
    STAFF = "staff"
    API_KEY = "api_key"
    SUBJECT = "subject"
    SYSTEM = "system"
    COLLECTION_POINT = "collection_point"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks. Built at the door from a session, a key or a portal cookie, never from request data.

    `controller` is the boundary of isolation. `stores` are those a store owner answers for; `systems` those a key may
    acknowledge for; `request` is the one request a data subject's cookie is bound to; `ends_at` is the end of an
    auditor's engagement.
    """

    kind: ActorKind
    id: UUID
    controller: str
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    stores: frozenset[StoreId] = frozenset()
    request: DsarId | None = None
    step_up_at: Instant | None = None
    is_counsel: bool = False
    ends_at: Instant | None = None
    systems: frozenset[str] = frozenset()


def staff(account: AccountId, controller: str, *roles: Role, step_up_at: Instant | None = None) -> Actor:
    """An account with roles; use `dataclasses.replace` for stores, counsel and end of engagement."""
    return Actor(ActorKind.STAFF, account, controller, frozenset(roles), step_up_at=step_up_at)


def api_key(key: ApiKeyId, controller: str, *scopes: Scope) -> Actor:
    return Actor(ActorKind.API_KEY, key, controller, scopes=frozenset(scopes))


def subject(controller: str, request: DsarId | None = None, subject_id: UUID = NOBODY) -> Actor:
    """A customer or visitor; bound to `request` once a code or token has been accepted for it."""
    return Actor(ActorKind.SUBJECT, subject_id, controller, request=request)


def collection_point(controller: str, point: UUID) -> Actor:
    """A registered form, till or checkout, by its signed token."""
    return Actor(ActorKind.COLLECTION_POINT, point, controller)


def system(controller: str) -> Actor:
    """The machine itself: workflows, sweeps, the relay."""
    return Actor(ActorKind.SYSTEM, NOBODY, controller)


@dataclass(frozen=True, slots=True)
class Target:
    """What the action is done to, as far as the table asks. Leave out what the object does not have."""

    controller: str
    store: StoreId | None = None
    request: DsarId | None = None
    account: AccountId | None = None
