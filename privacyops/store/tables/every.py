"""Imports each table module once, so that the metadata is whole: for migrations and the start-up checks."""

from typing import Final

from privacyops.store.tables import account, audit, base, consent, deadline, dsar, finding, job, ledger, letter, task

MODULES: Final = (account, audit, consent, deadline, dsar, finding, job, ledger, letter, task)
TABLES: Final = tuple(sorted(base.metadata.tables))
