"""The service's database for one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from privacyops.bootstrap import House, build, prepare_database
from privacyops.cli.service import lock
from privacyops.cli.settings import read


@contextmanager
def holding() -> Iterator[House]:
    """The house for as long as a command runs, alone where the database is embedded.

    Raises: FolderInUse: the embedded one is being served. SchemaOutdated, WriteGuardMissing.
    """
    settings = read()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = None if settings.is_cluster else lock(settings.data)
    try:
        house = build(settings)
        try:
            prepare_database(house)
            yield house
        finally:
            house.close()
    finally:
        if held is not None:
            held.close()
