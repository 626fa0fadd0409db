"""Every kind of durable work there is, and what the clock fires."""

from collections.abc import Sequence
from typing import Final

from privacyops.jobs.kind import JobKind
from privacyops.jobs.scheduler import Tick
from privacyops.jobs.workflows.erasure import ErasureKind
from privacyops.jobs.workflows.export import ExportKind
from privacyops.jobs.workflows.mail import MailKind
from privacyops.jobs.workflows.package import PackageKind
from privacyops.jobs.workflows.preference_link import PreferenceLinkKind
from privacyops.jobs.workflows.reading import ReadingKind
from privacyops.jobs.workflows.scan import ScanKind
from privacyops.jobs.workflows.search import MAP_LIFE_S, SearchKind
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.services import anchor, promise, scanning
from privacyops.services.consent import exporting, feeding, sweeping
from privacyops.services.dsar import answer, erasing, pending, retention, sweep
from privacyops.services.webhook import acknowledging, telling

TICKS: Final[Sequence[Tick]] = (
    Tick("deadlines", sweep.fire_deadlines),
    Tick("promises", promise.watch),
    Tick("anchors", anchor.anchor_daily),
    Tick("systems", telling.fan_out),
    Tick("acknowledgements", acknowledging.watch),
    Tick("maps", scanning.begin_due),
    Tick("packages", answer.expire_packages, is_destructive=True),
    Tick("erasures", erasing.sweep_due),
    Tick("pending", pending.poll_due),
    Tick("exports", exporting.expire, is_destructive=True),
    Tick("vault", answer.sweep_vault, is_destructive=True),
    Tick("changes", feeding.sweep, is_destructive=True),
    Tick("confirmations", sweeping.lapse),
    Tick("consents", sweeping.nightly, is_destructive=True),
    Tick("requests", retention.empty_closed, is_destructive=True),
    Tick("tokens", sweep.forget_spent_tokens, is_destructive=True),
)


def job_kinds(map_life_s: float = MAP_LIFE_S) -> dict[str, JobKind]:
    """One of each kind, by name; a worker makes them once. `map_life_s`: how long the map of a store is believed."""
    kinds: tuple[JobKind, ...] = (
        SearchKind(map_life_s), ScanKind(), ReadingKind(), ErasureKind(), PackageKind(), ExportKind(), MailKind(),
        PreferenceLinkKind(), WebhookKind(),
    )  # fmt: skip
    return {kind.name: kind for kind in kinds}
