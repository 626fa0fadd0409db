"""Answer packages: where they lie in the vault, until when, how often they may still be fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, DsarId, PackageId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.letter import PackageRow
from privacyops.store.uow import Tx

_PACKAGE = table_of(PackageRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPackage:
    """One built answer. `inputs_hash` binds it to the reviewed findings it was made from."""

    id: PackageId
    dsar_id: DsarId
    state: str
    inputs_hash: str
    vault_ref: str | None
    sha256: str | None
    size: int | None
    contents: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    created_at: Instant
    released_by: AccountId | None
    released_at: Instant | None
    expires_at: Instant | None
    downloads_left: int
    destroyed_at: Instant | None

    @property
    def is_ready(self) -> bool:
        return self.state == "ready" and not self.checks


def add_package(tx: Tx, dsar_id: DsarId, inputs_hash: str) -> PackageId:
    """A package that is being built."""
    package = PackageId(uuid7(tx.now))
    tx.run(
        insert(_PACKAGE),
        {"id": package, "dsar_id": dsar_id, "state": "building", "inputs_hash": inputs_hash, "contents": [],
         "checks": [], "notes": [], "created_at": tx.now, "downloads_left": 5},
    )  # fmt: skip
    return package


def newest_package(tx: Tx, dsar_id: DsarId) -> StoredPackage | None:
    """The last one that was begun, whatever became of it."""
    row = tx.run(select(_PACKAGE).where(_PACKAGE.c.dsar_id == dsar_id).order_by(_PACKAGE.c.id.desc()).limit(1)).first()
    return None if row is None else _package(row)


def load_package(tx: Tx, package: PackageId) -> StoredPackage:
    """Raises: NotFound."""
    row = tx.run(select(_PACKAGE).where(_PACKAGE.c.id == package)).one_or_none()
    if row is None:
        raise NotFound
    return _package(row)


def move_package(tx: Tx, package: PackageId, seen: str, to: str, **changed: Any) -> None:
    """Compare-and-set on the state. Raises: StaleState."""
    tx.move(update(_PACKAGE).where(_PACKAGE.c.id == package, _PACKAGE.c.state == seen).values(state=to, **changed))


def take_download(tx: Tx, package: PackageId) -> bool:
    """Use one of the downloads that are left; False: none is left, it has expired, or it is not released."""
    statement = (
        update(_PACKAGE)
        .where(_PACKAGE.c.id == package, _PACKAGE.c.state == "released")
        .where(_PACKAGE.c.downloads_left > 0, _PACKAGE.c.expires_at > tx.now)
        .values(downloads_left=_PACKAGE.c.downloads_left - 1)
    )
    return tx.run(statement).rowcount == 1


def list_expired(tx: Tx, limit: int = 100) -> Sequence[StoredPackage]:
    """Released packages whose time is over and that still lie in the vault."""
    query = select(_PACKAGE).where(_PACKAGE.c.state == "released", _PACKAGE.c.expires_at <= tx.now).limit(limit)
    return [_package(row) for row in tx.run(query)]


def void_packages(tx: Tx, dsar_id: DsarId) -> int:
    """Nobody may fetch or release them any more; their bytes are destroyed by the next sweep. How many."""
    live = (_PACKAGE.c.dsar_id == dsar_id, _PACKAGE.c.state.in_(["building", "ready", "released"]))
    return tx.run(update(_PACKAGE).where(*live).values(state="destroyed", destroyed_at=tx.now)).rowcount


def list_to_destroy(tx: Tx, limit: int = 100) -> Sequence[StoredPackage]:
    """Ended packages whose bytes still lie in the vault."""
    query = select(_PACKAGE).where(_PACKAGE.c.state == "destroyed", _PACKAGE.c.vault_ref.is_not(None)).limit(limit)
    return [_package(row) for row in tx.run(query)]


def forget_bytes(tx: Tx, package: PackageId) -> None:
    """The vault has destroyed them."""
    tx.run(update(_PACKAGE).where(_PACKAGE.c.id == package).values(vault_ref=None))


def known_blobs(tx: Tx) -> frozenset[UUID]:
    """The blobs that some package refers to; a reference begins with its blob."""
    refs = tx.run(select(_PACKAGE.c.vault_ref).where(_PACKAGE.c.vault_ref.is_not(None))).scalars()
    return frozenset(UUID(ref.partition(":")[0]) for ref in refs)


def _package(row: Row[Any]) -> StoredPackage:
    return StoredPackage(
        id=PackageId(row.id), dsar_id=DsarId(row.dsar_id), state=row.state, inputs_hash=row.inputs_hash,
        vault_ref=row.vault_ref, sha256=row.sha256, size=row.size, contents=row.contents, checks=row.checks,
        notes=row.notes, created_at=row.created_at,
        released_by=AccountId(row.released_by) if row.released_by else None, released_at=row.released_at,
        expires_at=row.expires_at, downloads_left=row.downloads_left, destroyed_at=row.destroyed_at,
    )  # fmt: skip
