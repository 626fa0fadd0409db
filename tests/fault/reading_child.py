"""A process for test_reading_kills.py: reads the texts of a request, one record a page, until it is killed."""

import json
import sys
from dataclasses import replace
from uuid import UUID

from privacyops.bootstrap import build
from privacyops.jobs.inline import drive, drive_waiting
from privacyops.jobs.workflows.reading import ReadingKind
from privacyops.kernel.ids import JobId
from privacyops.services.dsar import reading
from privacyops.settings import Settings
from tests.redacting import KnownNames


def main(settings: str, job: str) -> None:
    """Do the reading that waits; with a job's id, take over what a dead process left."""
    reading._PAGE = 1  # type: ignore[misc]  # so that there is something between two pages
    house = build(Settings.model_validate(json.loads(settings)))
    ctx = replace(house.context, ports=replace(house.context.ports, detection=KnownNames()))
    kind = ReadingKind()
    ended = drive(ctx, kind, JobId(UUID(job))) if job else drive_waiting(ctx, {kind.name: kind})
    sys.stdout.write(f"{ended}\n")
    house.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
