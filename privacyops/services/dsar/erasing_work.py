"""The long part of an erasure, outside any transaction: a request's records become a run, the run a plan, the plan
what was done.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.dsar.erasing import StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import StoredFinding
from privacyops.domain.dsar.run import Decision
from privacyops.domain.erasure.deciding import Rules
from privacyops.domain.erasure.operation import OpResult, Outcome
from privacyops.domain.erasure.policy import PolicyMalformed, read_policy
from privacyops.domain.erasure.rectifying import Correction
from privacyops.domain.erasure.report import Gap, StoreReport
from privacyops.domain.finding.codec import state_from_json
from privacyops.domain.finding.model import Finding, FindingTier, Match, TextSpan
from privacyops.domain.record import RowRef, decode
from privacyops.kernel.crash_point import crash_point
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreConfig, StoreMisconfigured, StoreRefused
from privacyops.ports.keyring import DataKey
from privacyops.services import datamap, sealing, stores
from privacyops.services.context import Context
from privacyops.services.dsar.corrections import corrections_of
from privacyops.services.dsar.erasing import open_plan
from privacyops.services.dsar.erasure_plan import decided_hash, every_finding
from privacyops.services.dsar.pending import Waiting
from privacyops.services.erasure.again import begun_again, known_after, unseen, without_phones
from privacyops.services.erasure.applying import Applied
from privacyops.services.erasure.erase import MAX_PASSES, Erasure, erase_stores
from privacyops.services.erasure.planning import Planned, plan_store
from privacyops.services.erasure.rectify import carry_out, plan_rectification
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import StoreRun, search_store
from privacyops.services.finding.several import Drawn
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import store_erasure as erasures

POLL_SECONDS: Final = 60.0


def plan_one(ctx: Context, erasure_id: UUID) -> tuple[Planned, str]:
    """The dry run in one store, and the decisions it was made from. Reads only. Raises: StoreProblem."""
    erasure = _load(ctx, erasure_id)
    with _opened(ctx, erasure.store) as (config, host):
        drawn = datamap.answered(ctx, draw_map(host, erasure.store))
        if erasure_of_a_correction(ctx, erasure):
            wanted, given, decided = _to_correct(ctx, erasure, drawn)
            return plan_rectification(host, given, drawn, wanted, str(erasure.dsar_id)), decided
        run, held, decided = _run(ctx, erasure, drawn)
        return plan_store(host, run, _rules(config, host, held), str(erasure.dsar_id)), decided


def erase_one(
    ctx: Context, erasure: StoreErasure, record: Callable[[Mapping[str, OpResult]], None], *, applies: bool = True
) -> StoreReport:
    """Carries out what was approved in one store, reads it back and searches again. `applies` False: the store has
    ended what it accepted, and nothing is asked of it once more. Raises: StoreProblem.
    """
    with _opened(ctx, erasure.store) as (config, host):
        drawn = datamap.answered(ctx, draw_map(host, erasure.store))
        planned, results = open_plan(ctx, erasure, drawn)
        every = dict(results)

        def noted(store: str, fresh: Mapping[str, OpResult]) -> None:
            every.update(fresh)
            record(every)

        if erasure_of_a_correction(ctx, erasure):
            return carry_out(
                host, lambda: ctx.ports.connectors([config]), Applied(planned, dict(results)), str(erasure.dsar_id),
                partial(noted, erasure.store), applies=applies,
            )  # fmt: skip
        run, held, _ = _run(ctx, erasure, drawn)
        work = Erasure(
            lambda: ctx.ports.connectors([config]), ctx.clock.boot_seconds, str(erasure.dsar_id), record=noted,
            applies=applies, passes=MAX_PASSES if applies else 1,
        )  # fmt: skip
        begun = {erasure.store: Applied(planned, dict(results))}
        rules = {erasure.store: _rules(config, host, held)}
        (report,) = erase_stores(host, [Drawn(erasure.store, drawn)], [run], rules, work, begun)
        return report


def ask_after(ctx: Context, waiting: Waiting, answered: Callable[[OpResult], None]) -> timedelta:
    """Asks the store how each of its jobs stands that wants to be asked; how long after their end it may be read back.

    `answered` hears of each answer before the next question. Raises: StoreProblem: it could not be asked.
    """
    now = ctx.clock.now()
    with _opened(ctx, waiting.erasure.store) as (_, host):
        for op, ticket in waiting.tickets.items():
            if ticket.poll_after > now:
                continue
            try:
                result = host.poll(waiting.erasure.store, ticket, Bounds(str(waiting.erasure.dsar_id), POLL_SECONDS))
            except StoreRefused as refused:
                result = OpResult(op, Outcome.FAILED, code=refused.code, at=now)
            crash_point("erasure.after_poll_before_record")
            answered(result)
        return host.traits(waiting.erasure.store, Bounds(str(waiting.erasure.dsar_id), POLL_SECONDS)).read_after


def look_again(ctx: Context, erasure_id: UUID) -> tuple[int, tuple[Gap, ...]]:
    """How many rows about the person the store holds again, and what the search could not see.

    Raises: StoreProblem.
    """
    erasure = _load(ctx, erasure_id)
    with _opened(ctx, erasure.store) as (_, host):
        drawn = datamap.answered(ctx, draw_map(host, erasure.store))
        run, _, _ = _run(ctx, erasure, drawn)
        planned, _ = open_plan(ctx, erasure, drawn)
        known = known_after(run.state)
        start = begun_again(run.state, planned.intents, known)
        again = search_store(host, drawn, known, ctx.clock.boot_seconds, state=start)
        sure = without_phones(known)
        if again.state.doubt is not None and sure:
            start = replace(start, identifiers=sure)
            again = search_store(host, drawn, sure, ctx.clock.boot_seconds, state=start)
        if again.problem is not None:
            raise again.problem
    kept = {one.ref.id for one in planned.intents if one.stance.value == "keep"}
    kept |= {one.ref.id for one in planned.undecided}
    left = sum(
        1
        for one in again.findings
        if one.ref.id not in kept
        and (one.tier is FindingTier.OWNED or (one.tier is FindingTier.POINTER and one.match is not Match.LINKED))
    )
    return left, tuple(unseen(again))


# --- inside -------------------------------------------------------------------------------------------------------


def _load(ctx: Context, erasure_id: UUID) -> StoreErasure:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return erasures.load_erasure(tx, erasure_id)


@contextmanager
def _opened(ctx: Context, store: str) -> Iterator[tuple[StoreConfig, ConnectorHost]]:
    config = stores.config_of(ctx, store)
    host = ctx.ports.connectors([config])
    try:
        yield config, host
    finally:
        host.close()


def _run(ctx: Context, erasure: StoreErasure, drawn: DataMap) -> tuple[StoreRun, tuple[StoredFinding, ...], str]:
    """The search as it ended, with the records that the review kept. Raises: RequestEmptied."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        key = sealing.key_of(ctx, tx, erasure.dsar_id)
        run = next(one for one in findings.list_runs(tx, erasure.dsar_id) if one.store == erasure.store)
        held = tuple(every_finding(tx, erasure.dsar_id, erasure.store))
        decided = decided_hash(tx, erasure.dsar_id, erasure.store)
    assert run.state_sealed is not None  # noqa: S101 - a run that succeeded keeps where it ended
    state = state_from_json(
        json.loads(key.open(run.state_sealed, sealing.place(ctx, "dsar_run", "state_sealed", run.id)))
    )
    found = tuple(_finding(ctx, key, one) for one in held)
    return StoreRun(erasure.store, drawn, state, found), held, decided


def erasure_of_a_correction(ctx: Context, erasure: StoreErasure) -> bool:
    """Whether this is the correction of a request for rectification in a store."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return dsars.load_dsar(tx, erasure.dsar_id).type is RequestType.RECTIFICATION


def _to_correct(
    ctx: Context, erasure: StoreErasure, drawn: DataMap
) -> tuple[tuple[Correction, ...], tuple[Finding, ...], str]:
    """The pairs, the records that the review did not leave as they are, and the decisions it was planned from.

    Raises: RequestEmptied; StoreRefused: a person handed records in, and no machine finds them again.
    """
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        wanted = tuple(pair for _, pair in corrections_of(ctx, tx, erasure.dsar_id))
        key = sealing.key_of(ctx, tx, erasure.dsar_id)
        given = [one for one in every_finding(tx, erasure.dsar_id, erasure.store) if one.decision is Decision.INCLUDE]
        decided = decided_hash(tx, erasure.dsar_id, erasure.store)
    if any(one.collection not in drawn.by_name for one in given):
        raise StoreRefused(erasure.store, "by_hand")
    return wanted, tuple(_finding(ctx, key, one) for one in given), decided


def _finding(ctx: Context, key: DataKey, one: StoredFinding) -> Finding:
    assert one.sealed is not None  # noqa: S101 - values go with the request's key, and that was there
    body: Mapping[str, Any] = json.loads(
        key.open(one.sealed, sealing.place(ctx, "finding", "sealed", one.row_ref.hex()))
    )
    return Finding(
        RowRef(one.store, one.collection, tuple((name, decode(value)) for name, value in body["key"].items()),
               body.get("version")),
        FindingTier(one.tier), Match(one.match), one.via, one.columns,
        {name: decode(value) for name, value in body["values"].items()},
        reason=body.get("reason", ""), repeats=tuple(body.get("repeats", ())),
        spans=tuple(TextSpan(*span) for span in body.get("spans", ())),
    )  # fmt: skip


def _rules(config: StoreConfig, host: ConnectorHost, held: tuple[StoredFinding, ...]) -> Rules:
    """What decides: the store's policy, and what people decided on its records. Raises: StoreMisconfigured."""
    law = refusals_retention()
    try:
        policy = read_policy(config.policy or {}, law, config.region)
    except PolicyMalformed:
        raise StoreMisconfigured(config.name, "policy", "malformed") from None
    accepted = {one.row_ref.hex() for one in held if one.decision is Decision.INCLUDE and one.decided_by is not None}
    excluded = {one.row_ref.hex(): one.reason or "" for one in held if one.decision is Decision.EXCLUDE}
    settings = host.settings(config.name)
    return Rules(law, settings, policy, accepted=frozenset(accepted), excluded=excluded, region=config.region)
