"""What is published: purposes, notices, channels, brands. Parsed once and kept until the control number moves."""

from collections.abc import Sequence
from uuid import UUID
from weakref import WeakKeyDictionary

from privacyops.domain.account.action import Action
from privacyops.domain.catalog.purposes import shipped_catalogue
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, leaf_members
from privacyops.domain.consent.state import EventType, Method
from privacyops.domain.notice import NoticeVersion, require_publishable
from privacyops.domain.purpose import PurposeVersion
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import Json, canonical
from privacyops.services.context import Context, record, use_case
from privacyops.store import consent as consents
from privacyops.store import purpose as purposes
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Database, Tx

_parsed: WeakKeyDictionary[Database, dict[str, Catalogue]] = WeakKeyDictionary()


class VersionOutOfTurn(Conflict):
    type = "/problems/version-out-of-turn"
    title = "A new version follows the latest one; a published version is never changed"


def catalogue(ctx: Context, tx: Tx) -> Catalogue:
    """What the controller has published, as this transaction sees it."""
    return catalogue_at(ctx, tx, purposes.load_ver(tx))


def catalogue_at(ctx: Context, tx: Tx, ver: int) -> Catalogue:
    """As `catalogue`, for a transaction that has read the control number already."""
    known = _parsed.setdefault(ctx.database, {})
    held = known.get(tx.controller)
    if held is None or held.ver != ver:
        held = purposes.load_catalogue(tx, ver)
        known[tx.controller] = held
    return held


class ScopeChanged(Conflict):
    type = "/problems/scope-changed"
    title = "A purpose keeps its scope: choices made for a brand are not those for all; publish another purpose"


@use_case(Action.PURPOSE_CHANGE)
def publish_purpose(ctx: Context, tx: Tx, purpose: PurposeVersion) -> None:
    """Put a version in force. Whether older grants still cover it is said by `is_material` and its reason.

    Raises: VersionOutOfTurn, ScopeChanged.
    """
    put_purpose(ctx, tx, purpose)


def put_purpose(ctx: Context, tx: Tx, purpose: PurposeVersion) -> None:
    """As `publish_purpose`, in a transaction that does more. Raises: VersionOutOfTurn, ScopeChanged."""
    known = fresh_catalogue(tx).purposes.get(purpose.key)
    if purpose.version != (known.current.version + 1 if known else 1):
        raise VersionOutOfTurn
    if known is not None and purpose.scope is not known.current.scope:
        raise ScopeChanged
    _publish(ctx, tx, purpose)
    record(ctx, tx, "purpose.published", "purpose", purpose.key, version=purpose.version)


@use_case(Action.NOTICE_CHANGE)
def publish_notice(ctx: Context, tx: Tx, notice: NoticeVersion) -> None:
    """Make a notice version readable for ever. Raises: VersionOutOfTurn, NoticeLintFailed."""
    put_notice(ctx, tx, notice)


def put_notice(ctx: Context, tx: Tx, notice: NoticeVersion, languages: Sequence[str] = ()) -> None:
    """As `publish_notice`, in a transaction that does more; `languages` are those that must not be missing."""
    known = fresh_catalogue(tx)
    latest = max((version for id_, version in known.notices if id_ == notice.id), default=0)
    if notice.version != latest + 1:
        raise VersionOutOfTurn
    require_publishable(notice, [purpose.current for purpose in known.purposes.values()], languages)
    purposes.add_notice_version(tx, notice)
    digests = {locale: notice.digest(locale) for locale in notice.texts}
    _log(ctx, tx, EventType.NOTICE_PUBLISHED, None, {"notice": {"id": notice.id, "v": notice.version, **digests}})
    record(ctx, tx, "notice.published", "notice", notice.id, version=notice.version)


@use_case(Action.PURPOSE_CHANGE)
def install_shipped(ctx: Context, tx: Tx) -> bool:
    """Give a controller without purposes the shipped ones; whether that was needed. Safe to repeat."""
    if fresh_catalogue(tx).purposes:
        return False
    shipped = shipped_catalogue()
    purposes.add_brand(tx, shipped.brand, shipped.brand_title, ctx.controller.country)
    if fresh_catalogue(tx).purposes:  # another process was first: its brand was waited for
        return False
    for channel in shipped.channels:
        purposes.add_channel(tx, channel)
    for purpose in shipped.purposes:
        _publish(ctx, tx, purpose)
    record(ctx, tx, "purpose.installed", "purpose", "shipped", purposes=len(shipped.purposes))
    return True


@use_case(Action.PURPOSE_CHANGE)
def add_brand(ctx: Context, tx: Tx, key: str, title: str, jurisdiction: str | None = None) -> None:
    """Another storefront of the same controller."""
    purposes.add_brand(tx, key, title, jurisdiction)
    record(ctx, tx, "brand.added", "brand", key)


def fresh_catalogue(tx: Tx) -> Catalogue:
    """Read past the cache: a transaction that changes the catalogue must not leave its own view behind."""
    return purposes.load_catalogue(tx, purposes.load_ver(tx))


def _publish(ctx: Context, tx: Tx, purpose: PurposeVersion) -> None:
    digest = purposes.add_purpose_version(tx, purpose)
    ref = PurposeRef(purpose.key, purpose.version)
    told: dict[str, Json] = {"sha256": digest, **({"retired": "yes"} if purpose.is_retired else {})}
    _log(ctx, tx, EventType.PURPOSE_PUBLISHED, ref, told)


def _log(ctx: Context, tx: Tx, kind: EventType, purpose: PurposeRef | None, more: dict[str, Json]) -> UUID:
    event = ConsentEvent(
        id=EventId(uuid7(tx.now)), type=kind, controller=tx.controller, occurred_at=tx.now, recorded_at=tx.now,
        method=Method.SYSTEM, actor_kind=str(ctx.actor.kind), purpose=purpose,
    )  # fmt: skip
    consents.add_leaves(tx, [(event.id, canonical({**leaf_members(event, {}), **more}))])
    return event.id
