"""What a correction wrote in a store is kept sealed with its request, as long as the request's other values, so that a
restored copy can be corrected again (services/dsar/restored).
"""

import json
from collections.abc import Iterable

from privacyops.domain.dsar.erasing import StoreErasure
from privacyops.domain.erasure.codec import from_json, to_json
from privacyops.domain.erasure.intent import Intent
from privacyops.domain.erasure.operation import Op, touched
from privacyops.domain.erasure.recorrecting import written
from privacyops.kernel.ids import uuid7
from privacyops.services import sealing
from privacyops.services.context import Context
from privacyops.services.dsar.erasure_plan import place_of
from privacyops.store import correction as corrections
from privacyops.store.uow import Tx


def note_corrected(ctx: Context, tx: Tx, erasure: StoreErasure, done: Iterable[Op]) -> None:
    """Keep which cells were written, with the old and the new value, sealed. Raises: RequestEmptied."""
    cells: dict[str, set[str]] = {}
    for op in done:
        cells.setdefault(op.ref.id, set()).update(touched(op.act))
    if not cells or erasure.plan_sealed is None:
        return
    key = sealing.key_of(ctx, tx, erasure.dsar_id)
    planned: tuple[Intent, ...] = from_json(
        json.loads(key.open(erasure.plan_sealed, place_of(ctx, erasure.id, "plan_sealed")))["intents"]
    )
    mine = tuple(written(one, frozenset(cells[one.ref.id])) for one in planned if one.ref.id in cells)
    row = uuid7(tx.now)
    sealed = key.seal(json.dumps(to_json(mine)).encode(), sealing.place(ctx, "corrected_store", "sealed", row))
    names = sorted({one.ref.collection for one in mine})
    corrections.add_corrected(tx, erasure.dsar_id, row, erasure.store, names, sealed)
