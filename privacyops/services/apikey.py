"""Keys of shop back ends: minted once, shown once, checked on every call."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from privacyops.domain.account.action import SENIOR_SCOPES, Action, Scope
from privacyops.domain.account.actor import Actor, ActorKind
from privacyops.domain.account.four_eyes import SINGLE_OPERATOR_WAIT, Eyes, second_person
from privacyops.domain.account.grant import key_matter, nobody_else
from privacyops.domain.account.record import ApiKey
from privacyops.domain.secret import SecretMalformed, mint_api_key, parse_api_key
from privacyops.kernel.errors import Conflict, Unauthenticated, Unprocessable
from privacyops.kernel.ids import AccountId, ApiKeyId, uuid7
from privacyops.ports.keyring import Mac, MacLabel
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import account as accounts
from privacyops.store import webhook as webhooks
from privacyops.store.purpose import raise_ver
from privacyops.store.uow import Tx

LONGEST_LIFE: Final = timedelta(days=365)


class KeyMadeBefore(Conflict):
    type = "/problems/key-made-before"
    title = "This key was made already; its text was shown once and is stored nowhere"


class ScopesDecided(Conflict):
    type = "/problems/scopes-decided"
    title = "Nothing of this key waits for a second person any more"


class MakerBlocked(Conflict):
    type = "/problems/maker-blocked"
    title = "Whoever made this key is blocked; revoke it and make another one"


class Hindrance(StrEnum):
    """Why somebody does not confirm what of a key waits: OWN, made by them; TOO_EARLY, for a lone operator."""

    MAKER_BLOCKED = "maker_blocked"
    OWN = "own"
    TOO_EARLY = "too_early"


def acting(ctx: Context, text: str) -> Context:
    """The context of the back end that sent this key. Raises: Unauthenticated: unknown, revoked, expired, wrong."""
    return ctx.acting_as(actor_of(proven(ctx, text)))


def proven(ctx: Context, text: str) -> ApiKey:
    """The key that was sent, if it is one of ours and in force. Raises: Unauthenticated, as `acting`."""
    try:
        given = parse_api_key(text)
    except SecretMalformed:
        raise Unauthenticated from None
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        key = accounts.find_api_key(tx, given.id)
    is_for_here = given.is_live or ctx.controller.is_demo
    if key is None or key.is_live is not given.is_live or not is_for_here:
        raise Unauthenticated
    stored = Mac(int.from_bytes(key.secret_hmac[:2], "big"), key.secret_hmac[2:])
    if not ctx.ports.keyring.is_mac(stored, MacLabel.API_KEY, key.controller, given.id.encode(), given.secret):
        raise Unauthenticated
    return key


def sent_in(authorization: bytes) -> str:
    """The text of the key in a header `Authorization: Bearer po_…`. Raises: Unauthenticated: there is none."""
    scheme, _, rest = authorization.decode("latin-1").partition(" ")
    text = rest.strip()  # RFC 6750 allows several blanks
    if scheme.lower() != "bearer" or not text:
        raise Unauthenticated
    return text


def actor_of(key: ApiKey) -> Actor:
    """Who a key stands for."""
    return Actor(ActorKind.API_KEY, key.id, key.controller, scopes=key.scopes, systems=key.systems)


@use_case(Action.APIKEY_MANAGE)
def create(
    ctx: Context,
    tx: Tx,
    name: str,
    scopes: frozenset[Scope],
    life: timedelta = LONGEST_LIFE,
    *,
    systems: frozenset[str] = frozenset(),
    is_live: bool = True,
    call: Call | None = None,
) -> str:
    """A new key; its text is returned here and nowhere else.

    `systems` are the names of systems for which it may confirm what they did; for any other it may not. A senior scope
    waits for an officer; everything else the key may do at once.
    Raises: Unprocessable: no name, no scope, too long, a system that is not connected or without the scope to confirm.
    KeyMadeBefore: the same `call` made one already.
    """
    if not name.strip() or not scopes:
        raise Unprocessable("a key needs a name and at least one scope")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Unprocessable("a key lives at most 365 days")
    if systems and Scope.FEED_READ not in scopes:
        raise Unprocessable(f"a key that confirms for a system needs the scope {Scope.FEED_READ}")
    if any(webhooks.find_subscriber(tx, one) is None for one in systems):
        raise Unprocessable("connect the system first; a key is made for systems that are")
    if call is not None and begin_call(ctx, tx, call) is not None:
        raise KeyMadeBefore
    waits = frozenset() if nobody_else(accounts.count_accounts(tx)) else scopes & SENIOR_SCOPES
    alone = {"eyes": str(Eyes.TWO)} if (scopes - waits) & SENIOR_SCOPES else {}
    minted = mint_api_key(is_live=is_live)
    mac = ctx.ports.keyring.mac(MacLabel.API_KEY, ctx.controller.key, minted.id.encode(), minted.secret)
    key = ApiKey(
        id=ApiKeyId(uuid7(tx.now)), controller=tx.controller, public_id=minted.id, name=name.strip()[:120],
        scopes=scopes - waits, secret_hmac=mac.version.to_bytes(2, "big") + mac.digest, is_live=is_live,
        created_at=tx.now, expires_at=tx.now + life, revoked_at=None, systems=systems, waiting=waits,
        made_by=AccountId(ctx.actor.id),
    )  # fmt: skip
    accounts.add_api_key(tx, key)
    raise_ver(tx)
    told = {"scopes": sorted(key.scopes), "systems": sorted(systems), "waiting": sorted(waits), **alone}
    record(ctx, tx, "apikey.create", "apikey", key.id, **told)
    if call is not None:
        end_call(ctx, tx, call, {"made": str(key.id)})
    return minted.text


@reading(Action.APIKEY_SEE)
def all_keys(ctx: Context, tx: Tx) -> tuple[ApiKey, ...]:
    """Every key without its secret, newest first."""
    return tuple(accounts.list_api_keys(tx))


@reading(Action.APIKEY_SEE)
def waiting(ctx: Context, tx: Tx) -> Mapping[ApiKeyId, Hindrance | None]:
    """The keys of which something waits, and what keeps this person from confirming it: for buttons and hints.

    `confirm` asks again, and asks for the right to confirm too.
    """
    return {
        one.id: _hindrance(ctx, tx, one) for one in accounts.list_api_keys(tx) if one.waiting and not _over(tx, one)
    }


@use_case(Action.APIKEY_CONFIRM)
def confirm(ctx: Context, tx: Tx, key_id: ApiKeyId, seen_sha256: str) -> ApiKey:
    """An officer agrees to exactly what of this key waits; it may do it from the next call on.

    Raises: NotFound, ScopesDecided, MakerBlocked, StepUpNeeded, ApprovedMatterChanged, SamePerson: who made the key,
    SingleOperatorTooEarly.
    """
    key = _waiting(tx, key_id)
    matter = key_matter(key)
    eyes = second_person(
        ctx.actor, matter, seen_sha256, matter.number, tx.now, single_operator=ctx.controller.single_operator
    )
    accounts.settle_scopes(tx, key.id, key.scopes | key.waiting)
    raise_ver(tx)
    record(ctx, tx, "apikey.confirmed", "apikey", key.id, scopes=sorted(key.waiting), eyes=str(eyes))
    return accounts.load_api_key(tx, key.id)


@use_case(Action.APIKEY_CONFIRM)
def decline(ctx: Context, tx: Tx, key_id: ApiKeyId) -> None:
    """An officer says no; the key keeps what it may do already. Raises: NotFound, ScopesDecided, MakerBlocked."""
    key = _waiting(tx, key_id)
    accounts.settle_scopes(tx, key.id, key.scopes)
    record(ctx, tx, "apikey.declined", "apikey", key.id, scopes=sorted(key.waiting))


def _waiting(tx: Tx, key_id: ApiKeyId) -> ApiKey:
    """The key, if something of it still waits and whoever asked for it still works here."""
    key = accounts.load_api_key(tx, key_id)
    if not key.waiting or _over(tx, key):
        raise ScopesDecided
    if _is_orphaned(tx, key):
        raise MakerBlocked
    return key


def _over(tx: Tx, key: ApiKey) -> bool:
    return key.revoked_at is not None or key.expires_at <= tx.now


def _is_orphaned(tx: Tx, key: ApiKey) -> bool:
    return key.made_by is None or accounts.load_account(tx, key.made_by).disabled_at is not None


def _hindrance(ctx: Context, tx: Tx, key: ApiKey) -> Hindrance | None:
    if _is_orphaned(tx, key):
        return Hindrance.MAKER_BLOCKED
    if key.made_by != ctx.actor.id:
        return None
    if not ctx.controller.single_operator:
        return Hindrance.OWN
    return Hindrance.TOO_EARLY if tx.now - key.created_at < SINGLE_OPERATOR_WAIT else None


@use_case(Action.APIKEY_MANAGE)
def revoke(ctx: Context, tx: Tx, key: ApiKeyId) -> None:
    """The key opens nothing from the next call on. Raises: StaleState: unknown or revoked already."""
    accounts.revoke_api_key(tx, key)
    raise_ver(tx)
    record(ctx, tx, "apikey.revoke", "apikey", key)
