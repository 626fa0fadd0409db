"""What an operator's probes ask."""

from typing import Final

from privacyops.kernel.errors import Problem
from privacyops.ports.telemetry import Gauge
from privacyops.services import job as jobs
from privacyops.services.context import Context
from privacyops.services.dsar.wording import local_date
from privacyops.store import checkup, queue, schema
from privacyops.store import job as job_store

VERSION: Final = "0.1.0"


def metrics(ctx: Context) -> bytes:
    """What this process has counted, with the heights of queues as they stand now, as Prometheus text."""
    tell = ctx.ports.telemetry
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        views = queue.count_views(tx, None, local_date(ctx, tx.now))
        overdue = queue.count_overdue(tx, local_date(ctx, tx.now))
        waiting, running = job_store.count_unsent(tx), job_store.count_running_jobs(tx)
    tell.level(Gauge.REQUESTS_OPEN, views["all"])
    tell.level(Gauge.REQUESTS_OVERDUE, overdue)
    tell.level(Gauge.CLOCK_OFFSET, checkup.clock_offset(ctx.database.engines, ctx.clock.now()).total_seconds())
    tell.level(Gauge.OUTBOX, waiting, "all")
    for kind, jobs_running in running.items():
        tell.level(Gauge.JOBS_RUNNING, jobs_running, kind)
    return tell.metrics()


def readiness(ctx: Context) -> dict[str, str]:
    """`database` and `worker`, each `ok` or the code of what is wrong. Never raises."""
    try:
        schema.check(ctx.database.engines)
        workers = jobs.workers_alive(ctx)
    except Problem as problem:
        return {"database": problem.type.removeprefix("/problems/"), "worker": "unknown"}
    except Exception as error:
        return {"database": type(error).__name__, "worker": "unknown"}
    return {"database": "ok", "worker": "ok" if workers else "no_worker_alive"}
