"""What `privacyops doctor` looks at inside: the database, its guards, its clock, the engine, the workers."""

from collections.abc import Mapping
from datetime import timedelta

from privacyops.services import job as jobs
from privacyops.services.context import Context
from privacyops.store import checkup, schema


def schema_and_guards(ctx: Context) -> str:
    """What to say when all is well. Raises: SchemaOutdated, WriteGuardMissing, and what the driver raises."""
    schema.check(ctx.database.engines)
    return "as this release wants it, every append-only guard in place"


def durability(ctx: Context) -> Mapping[str, str]:
    """Journal and sync settings of the database, by name."""
    return checkup.durability(ctx.database.engines)


def has_wal_reset_fault(ctx: Context) -> bool:
    """Whether SQLite is in use, in a build with the fault of concurrent checkpoints."""
    return ctx.database.engines.dialect == "sqlite" and checkup.has_wal_reset_fault()


def clock_offset(ctx: Context) -> timedelta:
    """How far the database's clock is from this machine's."""
    return checkup.clock_offset(ctx.database.engines, ctx.clock.now())


def engine_answers(url: str) -> str:
    """What to say when all is well.

    Raises: what the driver raises when the durable engine's database does not answer; FileNotFoundError.
    """
    checkup.answers(url)
    return "answers"


def workers(ctx: Context) -> int:
    """How many workers beat."""
    return jobs.workers_alive(ctx)
