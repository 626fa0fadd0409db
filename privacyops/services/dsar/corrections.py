"""What a request for rectification corrects: pairs of a wrong and a right value, written by the analyst, sealed with
the request's key. Who writes none leaves the correction to people, a task a store.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.erasure.rectifying import COLUMN, CORRECTABLE, Correction, CorrectionMalformed, checked
from privacyops.domain.identity.mask import masked_email, masked_name, masked_phone, masked_value
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.store import correction as corrections
from privacyops.store import dsar as dsars
from privacyops.store import store_erasure as erasures
from privacyops.store.uow import Tx

MOST: Final = 20
_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "email": masked_email, "phone": masked_phone, "name": masked_name, "first_name": masked_name,
    "last_name": masked_name,
}  # fmt: skip
_FRESH: Final = frozenset({ErasingState.PLANNED, ErasingState.BY_HAND})


@dataclass(frozen=True, slots=True, repr=False)
class WrittenPair:
    """One pair as it was typed. `kind` is a word of `CORRECTABLE`, or `column` with the column's name."""

    kind: str
    old: str
    new: str
    column: str = ""


class CorrectionsFixed(Conflict):
    type = "/problems/corrections-fixed"
    title = "What is corrected can be written while a rectification is in review; return the request first"


def is_corrected_by_machine(tx: Tx, dsar: Dsar) -> bool:
    """Whether somebody wrote what is corrected, so that it is planned and carried out like an erasure."""
    return dsar.type is RequestType.RECTIFICATION and corrections.find_corrections(tx, dsar.id) is not None


def corrections_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> tuple[tuple[UUID, Correction], ...]:
    """The pairs in clear, for planning. Raises: RequestEmptied."""
    stored = corrections.find_corrections(tx, dsar_id)
    if stored is None:
        return ()
    key = sealing.key_of(ctx, tx, dsar_id)
    opened = json.loads(key.open(stored.sealed, sealing.place(ctx, "dsar_correction", "sealed", dsar_id)))
    return tuple(
        (UUID(one["id"]), Correction(CORRECTABLE.get(one["kind"]), one["old"], one["new"], one["column"]))
        for one in opened
    )


@use_case(Action.DSAR_REVIEW)
def open_corrections(
    ctx: Context, tx: Tx, dsar_id: DsarId, *, masks: bool = False
) -> tuple[tuple[UUID, Correction], ...]:
    """The pairs for the person who writes them, masked or in clear; an audit row says which. Raises: RequestEmptied."""
    found = corrections_of(ctx, tx, dsar_id)
    if found:
        values = "masked" if masks else "clear"
        record(ctx, tx, "dsar.view_corrections", "dsar", dsar_id, pairs=len(found), values=values)
    return tuple((name, _masked(pair)) for name, pair in found) if masks else found


def _masked(pair: Correction) -> Correction:
    mask = _MASKS.get(pair.kind if pair.category else "", masked_value)
    return replace(pair, old=mask(pair.old), new=mask(pair.new))


@use_case(Action.DSAR_REVIEW)
def write(ctx: Context, tx: Tx, dsar_id: DsarId, new: WrittenPair | None, out: Collection[UUID] = ()) -> int:
    """Take out pairs and add one; how many there are now. The same pair again is the one that is there. A plan that
    was made before is taken back. Without any pair the stores are corrected by people.

    Raises: CorrectionsFixed, CorrectionMalformed.
    """
    dsar = _writable(tx, dsar_id)
    held = corrections_of(ctx, tx, dsar_id)
    staying = tuple(one for one in held if one[0] not in out)
    if new is not None:
        pair = checked(new.kind, new.column, new.old, new.new, ctx.controller.phone_region or ctx.controller.country)
        if pair not in [known for _, known in staying]:
            _fits(pair, [known for _, known in staying])
            staying = (*staying, (uuid4(), pair))
    return len(held) if staying == held else _save(ctx, tx, dsar, staying)


def _fits(pair: Correction, known: Sequence[Correction]) -> None:
    if any((one.category, one.column, one.old) == (pair.category, pair.column, pair.old) for one in known):
        raise CorrectionMalformed("this wrong value has a right one already; take that pair out first", field="old")
    if len(known) >= MOST:
        raise CorrectionMalformed(f"a request has at most {MOST} of these", field="kind")


def _writable(tx: Tx, dsar_id: DsarId) -> Dsar:
    dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)
    if dsar.type is not RequestType.RECTIFICATION or dsar.state is not DsarState.IN_REVIEW:
        raise CorrectionsFixed
    return dsar


def _save(ctx: Context, tx: Tx, dsar: Dsar, pairs: tuple[tuple[UUID, Correction], ...]) -> int:
    body = [
        {"id": str(name), "kind": COLUMN if one.category is None else one.kind, "column": one.column, "old": one.old,
         "new": one.new}
        for name, one in pairs
    ]  # fmt: skip
    if pairs:
        sealed = sealing.key_of(ctx, tx, dsar.id).seal(
            json.dumps(body).encode(), sealing.place(ctx, "dsar_correction", "sealed", dsar.id)
        )
        corrections.replace_corrections(tx, dsar.id, len(pairs), sealed)
    else:
        corrections.drop_corrections(tx, dsar.id)
    for one in erasures.list_erasures(tx, dsar.id):
        if one.state is ErasingState.PLANNING:
            raise CorrectionsFixed("the stores are being looked at; wait for the plan")
        if one.state in _FRESH:
            erasures.drop_erasure(tx, one)
    dsars.save_dsar(tx, dsar, plan_hash=None)
    kinds = sorted({one.kind for _, one in pairs if one.category})
    record(ctx, tx, "dsar.corrections", "dsar", dsar.id, pairs=len(pairs), kinds=" ".join(kinds))
    return len(pairs)
