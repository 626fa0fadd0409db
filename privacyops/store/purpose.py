"""Published purposes and notices, channels and brands: the catalogue that every decision is made against."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.notice import NoticeVersion
from privacyops.domain.purpose import PurposeVersion, latest_material
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import canonical
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import (
    BrandRow,
    ChannelRow,
    ControlRow,
    NoticeVersionRow,
    PurposeRow,
    PurposeVersionRow,
)
from privacyops.store.uow import Tx

_BRAND = table_of(BrandRow)
_CHANNEL = table_of(ChannelRow)
_CONTROL = table_of(ControlRow)
_NOTICE = table_of(NoticeVersionRow)
_PURPOSE = table_of(PurposeRow)
_VERSION = table_of(PurposeVersionRow)


@dataclass(frozen=True, slots=True)
class Brand:
    """A storefront and its number."""

    no: int
    key: str
    title: str
    jurisdiction: str | None


@dataclass(frozen=True, slots=True)
class KnownPurpose:
    """A purpose by its number: the version in force, all versions, and the latest that was a material change."""

    no: int
    current: PurposeVersion
    versions: Mapping[int, PurposeVersion]
    material: int


@dataclass(frozen=True, slots=True)
class PublishedNotice:
    """A notice version and when it was published."""

    notice: NoticeVersion
    published_at: Instant


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything published by one controller, as it stood when `control.ver` was `ver`."""

    ver: int
    channels: Mapping[str, int]
    brands: Mapping[str, Brand]
    purposes: Mapping[str, KnownPurpose]
    notices: Mapping[tuple[str, int], PublishedNotice]
    material_notices: Mapping[str, int]

    def channel_of(self, no: int) -> str | None:
        return next((key for key, known in self.channels.items() if known == no), None)

    def brand_of(self, no: int) -> str | None:
        return next((brand.key for brand in self.brands.values() if brand.no == no), None)

    def purpose_of(self, no: int) -> str | None:
        return next((key for key, known in self.purposes.items() if known.no == no), None)


def load_ver(tx: Tx) -> int:
    """The number that grows with every change of what is published; 0 before the first."""
    return tx.run(select(_CONTROL.c.ver).where(_CONTROL.c.id == 1)).scalar() or 0


def load_catalogue(tx: Tx, ver: int) -> Catalogue:
    """What the controller has published."""
    brands = tx.run(select(_BRAND).where(_BRAND.c.controller == tx.controller)).all()
    channels = tx.run(select(_CHANNEL).where(_CHANNEL.c.controller == tx.controller)).all()
    notices = tx.run(select(_NOTICE).where(_NOTICE.c.controller == tx.controller)).all()
    read = {
        (row.id, row.version): PublishedNotice(NoticeVersion.of_json(row.body), row.published_at) for row in notices
    }
    return Catalogue(
        ver=ver,
        channels=MappingProxyType({row.key: row.no for row in channels}),
        brands=MappingProxyType({row.key: Brand(row.no, row.key, row.title, row.jurisdiction) for row in brands}),
        purposes=MappingProxyType(_purposes(tx)),
        notices=MappingProxyType(read),
        material_notices=MappingProxyType(_material_notices(list(read.values()))),
    )


def _purposes(tx: Tx) -> dict[str, KnownPurpose]:
    numbers = tx.run(select(_PURPOSE.c.key, _PURPOSE.c.no).where(_PURPOSE.c.controller == tx.controller)).all()
    found: dict[str, dict[int, PurposeVersion]] = {}
    for row in tx.run(select(_VERSION).where(_VERSION.c.controller == tx.controller)):
        found.setdefault(row.key, {})[row.version] = PurposeVersion.of_json(row.body)
    return {
        row.key: KnownPurpose(
            row.no, found[row.key][max(found[row.key])], found[row.key], latest_material(found[row.key].values())
        )
        for row in numbers
        if row.key in found
    }


def _material_notices(published: list[PublishedNotice]) -> dict[str, int]:
    latest: dict[str, int] = {}
    for one in published:
        if one.notice.is_material and one.notice.version > 1:
            latest[one.notice.id] = max(one.notice.version, latest.get(one.notice.id, 0))
    return latest


def add_purpose_version(tx: Tx, purpose: PurposeVersion) -> str:
    """Publish a version and give its purpose a number if it has none; the digest of what was published."""
    body = purpose.to_json()
    digest = sha256(canonical(body)).hexdigest()
    _once(tx, PurposeRow, key=purpose.key)
    tx.run(
        insert(_VERSION),
        {
            "controller": tx.controller, "key": purpose.key, "version": purpose.version, "body": body,
            "sha256": digest, "is_material": purpose.is_material, "published_at": tx.now,
        },
    )  # fmt: skip
    raise_ver(tx)
    return digest


def add_notice_version(tx: Tx, notice: NoticeVersion) -> None:
    """Publish a notice in all its languages."""
    tx.run(
        insert(_NOTICE),
        {
            "controller": tx.controller, "id": notice.id, "version": notice.version, "body": notice.to_json(),
            "is_material": notice.is_material, "published_at": tx.now,
        },
    )  # fmt: skip
    raise_ver(tx)


def add_channel(tx: Tx, key: str) -> None:
    """A way to reach people; a second time changes nothing."""
    _once(tx, ChannelRow, key=key)
    raise_ver(tx)


def add_brand(tx: Tx, key: str, title: str, jurisdiction: str | None = None) -> None:
    """A storefront; a second time changes nothing."""
    _once(tx, BrandRow, key=key, title=title, jurisdiction=jurisdiction)
    raise_ver(tx)


def _once(tx: Tx, model: type[PurposeRow | ChannelRow | BrandRow], **values: object) -> None:
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    tx.run(dialect.insert(table_of(model)).values(controller=tx.controller, **values).on_conflict_do_nothing())


def raise_ver(tx: Tx) -> None:
    """Say that what checks hold in memory has changed: they read it anew before their next answer."""
    if tx.run(update(_CONTROL).where(_CONTROL.c.id == 1).values(ver=_CONTROL.c.ver + 1)).rowcount == 0:
        tx.run(insert(_CONTROL), {"id": 1, "ver": 1})
