"""Imports each table module once, so that the metadata is whole: for migrations and the start-up checks."""

from typing import Final

from privacyops.store.tables import (
    account,
    audit,
    base,
    change,
    collection,
    confirmation,
    consent,
    correction,
    datamap,
    deadline,
    draft,
    dsar,
    export,
    finding,
    identity_link,
    job,
    kept_proof,
    ledger,
    letter,
    recipient,
    redaction,
    role_grant,
    store_erasure,
    suppression,
    task,
    webhook,
)

MODULES: Final = (
    account, audit, change, collection, confirmation, consent, correction, datamap, deadline, draft, dsar, export,
    finding, identity_link, job, kept_proof, ledger, letter, recipient, redaction, role_grant, store_erasure,
    suppression, task, webhook,
)  # fmt: skip
TABLES: Final = tuple(sorted(base.metadata.tables))
