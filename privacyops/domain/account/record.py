"""People who work here, their sessions, and the keys of shop back ends, as the services see them."""

from dataclasses import dataclass

from privacyops.domain.account.action import Role, Scope
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId, ApiKeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A staff account. `totp_sealed` opens with the keyring; None: the second factor is not set up yet."""

    id: AccountId
    controller: str
    email: str
    name: str
    roles: frozenset[Role]
    password_hash: str
    totp_sealed: bytes | None
    totp_last_step: int | None
    is_demo: bool
    masks_people: bool
    created_at: Instant
    disabled_at: Instant | None

    @property
    def initials(self) -> str:
        """Two letters for a small mark beside the name."""
        words = self.name.split()
        return ("".join(word[0] for word in words[:2]) if len(words) > 1 else self.name[:2]).upper()


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `second_factor_at` is the last time the second factor was shown."""

    token_hash: bytes
    account_id: AccountId
    created_at: Instant
    seen_at: Instant
    expires_at: Instant
    second_factor_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A back end's key without its secret. `systems` are those, by name, for which it may confirm what they did.

    `waiting` are scopes that it has once a second person confirms them; `made_by` is whoever asked for them.
    """

    id: ApiKeyId
    controller: str
    public_id: str
    name: str
    scopes: frozenset[Scope]
    secret_hmac: bytes
    is_live: bool
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    systems: frozenset[str] = frozenset()
    waiting: frozenset[Scope] = frozenset()
    made_by: AccountId | None = None
