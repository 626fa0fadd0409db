"""Every kind of durable work there is, and what the clock fires."""

from collections.abc import Sequence
from typing import Final

from privacyops.jobs.kind import JobKind
from privacyops.jobs.scheduler import Tick
from privacyops.jobs.workflows.mail import MailKind
from privacyops.jobs.workflows.package import PackageKind
from privacyops.jobs.workflows.search import SearchKind
from privacyops.services.dsar import answer, sweep

TICKS: Final[Sequence[Tick]] = (
    Tick("deadlines", sweep.fire_deadlines),
    Tick("packages", answer.expire_packages, is_destructive=True),
    Tick("vault", answer.sweep_vault, is_destructive=True),
    Tick("tokens", sweep.forget_spent_tokens, is_destructive=True),
)


def job_kinds() -> dict[str, JobKind]:
    """One of each kind, by name; a worker makes them once."""
    kinds: tuple[JobKind, ...] = (SearchKind(), PackageKind(), MailKind())
    return {kind.name: kind for kind in kinds}
