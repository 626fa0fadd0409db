"""Where the erasure or correction of one request stands: each store's plan, what became of it, and the receipts."""

from collections.abc import Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.recipient import RecipientNotice
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import DsarId
from privacyops.services.context import Context, reading
from privacyops.store import dsar as dsars
from privacyops.store import recipient as recipients
from privacyops.store import store_erasure as erasures
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class ErasureState:
    """`receipts` are (SHA-256, made at), oldest first."""

    stores: Sequence[StoreErasure]
    receipts: Sequence[tuple[str, Instant]]
    recipients: Sequence[RecipientNotice] = ()

    @property
    def is_whole(self) -> bool:
        """Whether a machine did it, read back and found nothing left in every store that was planned."""
        return bool(self.stores) and all(one.state is ErasingState.VERIFIED for one in self.stores)


@reading(Action.DSAR_LIST)
def state_of(ctx: Context, tx: Tx, dsar_id: DsarId, type_: RequestType = RequestType.ERASURE) -> ErasureState:
    """Counts, codes and dates; no value and no key of a record. Empty for another type of request. Raises: NotFound."""
    if dsars.load_dsar(tx, dsar_id).type is not type_:
        return ErasureState((), ())
    made = [(sha256, made_at) for sha256, _, made_at in erasures.list_receipts(tx, dsar_id)]
    return ErasureState(erasures.list_erasures(tx, dsar_id), made, recipients.list_notices(tx, dsar_id))


@reading(Action.DSAR_LIST)
def receipt_file(ctx: Context, tx: Tx, dsar_id: DsarId, sha256: str) -> str:
    """A signed receipt of the request (JWS, compact), by its hash. Raises: NotFound."""
    for known, jws, _ in erasures.list_receipts(tx, dsar_id):
        if known == sha256:
            return jws
    raise NotFound
