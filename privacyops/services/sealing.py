"""What is sealed under a request's own key: who asks, what was found, what was written. Losing the key loses it."""

from uuid import UUID

from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.kernel.errors import Gone
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import DataKey, Mac, MacLabel, Place
from privacyops.services.context import Context
from privacyops.store import dsar as dsars
from privacyops.store.uow import Tx


class RequestEmptied(Gone):
    type = "/problems/request-emptied"
    title = "The personal data of this request has been destroyed; its dates and outcome remain"


def new_key(ctx: Context, tx: Tx, dsar_id: DsarId) -> DataKey:
    """Make and store the key of a new request, after its row."""
    place = _key_place(ctx, dsar_id)
    wrapped = ctx.ports.keyring.new_data_key(place)
    dsars.add_request_key(tx, dsar_id, wrapped)
    return ctx.ports.keyring.data_key(wrapped, place)


def key_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> DataKey:
    """Raises: RequestEmptied: the key was destroyed. SealBroken: somebody exchanged it."""
    wrapped = dsars.load_request_key(tx, dsar_id)
    if wrapped is None:
        raise RequestEmptied
    return ctx.ports.keyring.data_key(wrapped, _key_place(ctx, dsar_id))


def place(ctx: Context, table: str, column: str, row: UUID | str) -> Place:
    """Where a ciphertext belongs; it opens nowhere else."""
    return Place(ctx.controller.key, table, column, str(row))


def requester_of(ctx: Context, tx: Tx, dsar: Dsar) -> Requester:
    """Who asks. Raises: RequestEmptied."""
    if dsar.sealed is None:
        raise RequestEmptied
    opened = key_of(ctx, tx, dsar.id).open(dsar.sealed, place(ctx, "dsar", "sealed", dsar.id))
    return Requester.from_bytes(opened)


def seal_requester(ctx: Context, key: DataKey, dsar_id: DsarId, requester: Requester) -> bytes:
    """The requester for the column `dsar.sealed`."""
    return key.seal(requester.to_bytes(), place(ctx, "dsar", "sealed", dsar_id))


def contact_index(ctx: Context, email: str) -> bytes:
    """The keyed hash under which requests of one address are found again. `email` in its normal form."""
    return ctx.ports.keyring.mac(MacLabel.INDEX_EMAIL, ctx.controller.key, email.encode()).digest


def bucket(ctx: Context, *parts: str) -> bytes:
    """The keyed hash of whatever a rate limit counts by."""
    return ctx.ports.keyring.mac(MacLabel.BUCKET, ctx.controller.key, *[part.encode() for part in parts]).digest


def code_mac(ctx: Context, dsar_id: DsarId, purpose: str, code: str) -> bytes:
    """The keyed hash of a mailed code, bound to its request and purpose; with the key's version in front."""
    mac = ctx.ports.keyring.mac(MacLabel.CODE, ctx.controller.key, *_code_parts(dsar_id, purpose, code))
    return mac.version.to_bytes(2, "big") + mac.digest


def is_code(ctx: Context, stored: bytes, dsar_id: DsarId, purpose: str, code: str) -> bool:
    """Whether `code` is the one behind `stored`, compared in constant time."""
    mac = Mac(int.from_bytes(stored[:2], "big"), stored[2:])
    return ctx.ports.keyring.is_mac(mac, MacLabel.CODE, ctx.controller.key, *_code_parts(dsar_id, purpose, code))


def _code_parts(dsar_id: DsarId, purpose: str, code: str) -> tuple[bytes, bytes, bytes]:
    return dsar_id.bytes, purpose.encode(), code.encode()


def _key_place(ctx: Context, dsar_id: DsarId) -> Place:
    return place(ctx, "request_key", "wrapped", dsar_id)
