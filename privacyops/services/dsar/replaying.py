"""After a restore: the records that were erased since the backup are found by their keyed hashes and erased again, and
what was corrected is corrected again (services/dsar/restored).

No clear value is kept: the restored copy is read key by key, hashed, and compared with the ledger of erased records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Collection, CollectionClass
from privacyops.domain.erasure.cells import choices
from privacyops.domain.erasure.deciding import Decided
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.operation import OpResult, Outcome, Set
from privacyops.domain.erasure.remedy import given_up
from privacyops.domain.erasure.report import OpReport, Standing
from privacyops.domain.finding.subject import own_emails
from privacyops.domain.predicate import All
from privacyops.domain.record import Row, canonical
from privacyops.kernel.clock import Instant
from privacyops.ports.connector_host import Bounds, ConnectorHost
from privacyops.ports.keyring import MacLabel
from privacyops.services import datamap, stores
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.restored import LeftToPerson, Listed, ask_people, list_corrected, named, plan_again
from privacyops.services.erasure.applying import Applied, apply_store, read_back
from privacyops.services.erasure.planning import Planned, plan_intents
from privacyops.services.finding.scan import draw_map
from privacyops.store import store_erasure as erasures
from privacyops.store.store_erasure import ErasedRecord
from privacyops.store.uow import Tx

PAGE: Final = 1000
Ledger: TypeAlias = dict[str, dict[bytes, list[ErasedRecord]]]
_WHOLE_CELLS: Final = frozenset({"set", "unlink", "keep"})
"""Acts that can be done again without the person's identifiers; a span or an element cannot."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a restored copy held again. `ops` as planned or done; `needs_search`: records of others that named the
    person in a text or a list; `other_person`: a key that somebody else has now; `unread`: the collection, once a
    listed record, where the store does not show it, so that nobody knows whether the records are there again.
    `corrections`: how many were listed; `corrected` as `ops`; `by_hand`: what a person does again.
    """

    listed: int
    ops: tuple[OpReport, ...]
    needs_search: tuple[str, ...] = ()
    other_person: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    corrections: int = 0
    corrected: tuple[OpReport, ...] = ()
    by_hand: tuple[LeftToPerson, ...] = ()

    @property
    def is_left(self) -> bool:
        """Whether anything waits for a person."""
        return bool(self.needs_search or self.other_person or self.unread or self.by_hand)

    @property
    def is_whole(self) -> bool:
        """Whether everything that is listed and there again was erased or corrected, and read back."""
        return not self.is_left and all(one.standing is Standing.SETTLED for one in (*self.ops, *self.corrected))


def replay(ctx: Context, store: str, since: Instant, *, apply: bool) -> Replayed:
    """Erase and correct again what was since `since`, the moment of the backup; without `apply`, say what it would be.
    What no machine corrects again becomes a task.

    Raises: NotFound: no such store. StoreProblem.
    """
    config = stores.config_of(ctx, store)
    erased = _listed(ctx, store, since)
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        corrected = list_corrected(ctx, tx, store, since)
    if not erased and not corrected.done:
        return _ended(ctx, store, since, Replayed(0, (), by_hand=named(ctx, corrected.left)), apply=apply)
    host = ctx.ports.connectors([config])
    try:
        drawn = datamap.answered(ctx, draw_map(host, store))
        result = _again_in(ctx, host, drawn, erased, corrected, apply=apply)
    finally:
        host.close()
    return _ended(ctx, store, since, result, apply=apply)


def _again_in(
    ctx: Context, host: ConnectorHost, drawn: DataMap, erased: Ledger, corrected: Listed, *, apply: bool
) -> Replayed:
    """Erases first: what goes is not corrected before. Raises: StoreProblem."""
    request = f"replay:{drawn.store}"
    shown = {name: entries for name, entries in erased.items() if name in drawn.by_name}
    unread = tuple(name for name in sorted(erased.keys() - shown.keys()) for _ in erased[name])
    intents, texts, others = _again(ctx, host, drawn, shown)
    gone = _carried_out(host, plan_intents(host, drawn, Decided(tuple(intents)), request), request, apply=apply)
    planned, left = plan_again(host, drawn, corrected, _emptied(intents), request)
    right = _carried_out(host, planned, request, apply=apply)
    listed = sum(map(len, erased.values()))
    return Replayed(
        listed, _reports(gone), tuple(texts), tuple(others), unread, sum(len(one) for _, one in corrected.done),
        _reports(right), named(ctx, left),
    )  # fmt: skip


def _carried_out(host: ConnectorHost, planned: Planned, request: str, *, apply: bool) -> Applied:
    done = Applied(planned)
    if apply:
        apply_store(host, planned, request, done=done)
        read_back(host, done, request)
    return done


def _emptied(intents: Iterable[Intent]) -> dict[str, frozenset[str] | None]:
    return {one.ref.id: None if one.stance is Stance.DELETE else frozenset(one.ways) for one in intents}


def _ended(ctx: Context, store: str, since: Instant, result: Replayed, *, apply: bool) -> Replayed:
    if apply and (result.listed or result.corrections or result.by_hand):
        _noted(ctx, store, since, result)
    return result


@use_case(Action.JOB_RUN)
def _noted(ctx: Context, tx: Tx, store: str, since: Instant, result: Replayed) -> None:
    asked = ask_people(tx, store, result.by_hand)
    record(
        ctx, tx, "erasure.replayed", "store", store, since=since.isoformat(), listed=result.listed,
        erased=len(result.ops), corrections=result.corrections, corrected=len(result.corrected), asked=asked,
        whole=1 if result.is_whole else 0,
    )  # fmt: skip


def _listed(ctx: Context, store: str, since: Instant) -> Ledger:
    """The ledger's entries of the store by collection and record: a record may have lost cells in several acts."""
    found: dict[str, dict[bytes, list[ErasedRecord]]] = {}
    after: UUID | None = None
    while True:
        with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
            page, after = erasures.page_of_erased(tx, store, since, after, PAGE)
        for one in page:
            found.setdefault(one.collection, {}).setdefault(one.row_mac, []).append(one)
        if after is None:
            return found


def _again(
    ctx: Context, host: ConnectorHost, drawn: DataMap, listed: Mapping[str, Mapping[bytes, Sequence[ErasedRecord]]]
) -> tuple[list[Intent], list[str], list[str]]:
    """What is there again and has to go; the collections of what needs a search, or belongs to somebody else."""
    intents: list[Intent] = []
    texts: list[str] = []
    others: list[str] = []
    for name, entries in sorted(listed.items()):
        one = drawn.by_name[name]
        for row in _rows(host, drawn.store, one):
            known = [entry for mac in _row_macs(ctx, row) for entry in entries.get(mac, ())]  # each key version's
            mine = [entry for entry in known if not _is_somebody_else(ctx, one, row, entry)]
            cells = {path for entry in mine if entry.act in _WHOLE_CELLS for path in entry.columns}
            if len(mine) < len(known):
                others.append(name)
            if any(entry.act == "delete" for entry in mine):
                intents.append(Intent(row.ref, Stance.DELETE, row.values, "replayed"))
                continue
            if cells:
                intents.append(_cells_again(one, row, cells))
            if any(entry.act not in _WHOLE_CELLS for entry in mine):
                texts.append(name)
    return intents, texts, others


def _rows(host: ConnectorHost, store: str, one: Collection) -> Iterator[Row]:
    fields = tuple(field.path for field in one.fields if not field.virtual and field.type.value != "binary")
    after: str | None = None
    while True:
        page = host.find(store, one.name, All(()), fields, PAGE, after, Bounds(seconds=120.0))
        yield from page.rows
        if page.after is None:
            return
        after = page.after


def _row_macs(ctx: Context, row: Row) -> Sequence[bytes]:
    ref = row.ref
    parts = [part.encode() for part in ("row", ref.store, ref.collection, canonical(tuple(sorted(ref.key))))]
    return [mac.digest for mac in ctx.ports.keyring.macs(MacLabel.ERASED, ctx.controller.key, *parts)]


def _is_somebody_else(ctx: Context, one: Collection, row: Row, entry: ErasedRecord) -> bool:
    """Whether a person's row has an address that is not the one that was erased: its key was given out anew."""
    if one.cls is not CollectionClass.PERSON or entry.act not in {"delete", "set", "keep"}:
        return False
    held = [normal for _, normal in own_emails(one, row.values)]
    return bool(held) and not any(
        mac.digest == entry.person_mac
        for normal in held
        for mac in ctx.ports.keyring.macs(MacLabel.ERASED, ctx.controller.key, b"person", normal.encode())
    )


def _cells_again(one: Collection, row: Row, columns: Iterable[str]) -> Intent:
    """The cells that were emptied then, emptied again."""
    ways = {
        path: tuple(Set({path: choice}) for choice in choices(cell))
        for path in sorted(columns)
        if (cell := one.field(path)) is not None and row.values.get(path) is not None
    }
    return Intent(row.ref, Stance.POINT, row.values, "replayed", ways=ways)


def _reports(done: Applied) -> tuple[OpReport, ...]:
    waiting = {each.op.id: OpResult(each.op.id, Outcome.PLANNED) for each in done.planned_ops()}
    blocked = {one.op: one.code for one in done.planned.open if one.op}
    for name, code in blocked.items():
        waiting[name] = OpResult(name, Outcome.BLOCKED, code=code)
    found = [
        OpReport(each.op, each.order, done.results.get(each.op.id, waiting[each.op.id]), done.verdicts.get(each.op.id))
        for each in done.planned_ops()
    ]
    refused = given_up(done.planned.intents)
    found += [OpReport(op, len(found), OpResult(op.id, Outcome.BLOCKED, code=code)) for op, code in refused]
    return tuple(found)
