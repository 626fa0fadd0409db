"""Searches one store for one request, a page a step."""

import threading
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.finding.model import Finding
from privacyops.domain.job import Again, Done, Job, Outcome
from privacyops.jobs.kind import StepFailed
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import RunId
from privacyops.ports.connector_host import ConnectorHost, StoreConfig, StoreMisconfigured, StoreProblem
from privacyops.services import datamap, stores
from privacyops.services.context import Context
from privacyops.services.dsar import search
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import Gathered, advance, budget_of

MAP_LIFE_S: Final = 600.0
STEP_SECONDS: Final = 0.5
STEP_ROWS: Final = 5000


@dataclass(frozen=True, slots=True)
class _Open:
    """A store that is open in this worker, and its map as drawn a short while ago."""

    config: StoreConfig
    host: ConnectorHost
    drawn: DataMap
    until: float


class SearchKind:
    """One run a job. Open stores and their maps are kept for `map_life_s`, so that requests share them."""

    name = search.JOB
    queue = "connector"

    def __init__(self, map_life_s: float = MAP_LIFE_S) -> None:
        self._map_life_s = map_life_s
        self._open: dict[str, _Open] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def step(self, ctx: Context, job: Job) -> Outcome:
        run_id = RunId(UUID(str(job.arguments["run"])))
        search.start_run(ctx, job, run_id)
        run, state = search.open_state(ctx, job)
        with self._lock(run.store):
            try:
                store = self._store(ctx, run.store)
                return self._page(ctx, job, run_id, store, state)
            except StoreMisconfigured as wrong:
                self._forget(run.store)
                search.run_failed(ctx, run_id, f"{wrong.setting}:{wrong.code}")
                return Done("handed_over")
            except StoreProblem as problem:
                self._forget(run.store)
                raise StepFailed(problem.code) from None

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        search.run_failed(ctx, RunId(UUID(str(job.arguments["run"]))), code)

    def _page(self, ctx: Context, job: Job, run_id: RunId, store: _Open, state: Any) -> Outcome:
        gathered, began = Gathered(), ctx.clock.boot_seconds()
        budget = budget_of(store.config.budget)
        while not state.is_done:
            step = advance(state, store.drawn, store.host, budget, ctx.clock.boot_seconds, job.object_id)
            if step.problem is not None:
                if gathered.rows:
                    search.save_page(ctx, job, run_id, state, gathered.joined())
                raise step.problem
            gathered.add(step.findings)
            state = step.state
            crash_point("search.after_page")
            if len(gathered.rows) >= STEP_ROWS or ctx.clock.boot_seconds() - began >= STEP_SECONDS:
                break
        found: tuple[Finding, ...] = gathered.joined() if state.doubt is None else ()
        search.save_page(ctx, job, run_id, state, found)
        if not state.is_done:
            return Again()
        crash_point("search.before_end")
        return Done(search.end_run(ctx, job, run_id, state))

    def _store(self, ctx: Context, name: str) -> _Open:
        config = stores.config_of(ctx, name)
        held = self._open.get(name)
        if held is not None and held.config == config and held.until > ctx.clock.boot_seconds():
            return held
        self._forget(name)
        host = ctx.ports.connectors([config])
        try:
            drawn = datamap.answered(ctx, draw_map(host, name))
        except StoreProblem:
            host.close()
            raise
        held = _Open(config, host, drawn, ctx.clock.boot_seconds() + self._map_life_s)
        self._open[name] = held
        return held

    def _forget(self, name: str) -> None:
        held = self._open.pop(name, None)
        if held is not None:
            held.host.close()

    def _lock(self, name: str) -> threading.Lock:
        """A host runs one call a store at a time; requests take turns at a store."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def close(self) -> None:
        """Close every store."""
        for name in list(self._open):
            self._forget(name)
