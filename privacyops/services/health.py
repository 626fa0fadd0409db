"""What an operator's probes ask."""

from typing import Final

from privacyops.kernel.errors import Problem
from privacyops.services import job as jobs
from privacyops.services.context import Context
from privacyops.store import schema

VERSION: Final = "0.1.0"


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
