"""Handing out what proves one person's records: to that person, their lawyer, or an authority that asks.

What is handed out are keys derived from the person's own, not that key: they recognise and connect records, and they
open nothing. The evidence of each record stands beside them in clear, to be held against its commitment.
"""

import json
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.ledger.leaf import parse
from privacyops.ports.keyring import Place
from privacyops.services.consent import subjects
from privacyops.services.consent.subjects import Whom
from privacyops.services.context import Context, record, use_case
from privacyops.store import consent as consents
from privacyops.store.uow import Tx

_LABELS: Final = ("subject", "contact", "evidence", "chain")


@use_case(Action.JOB_RUN)
def disclose(ctx: Context, tx: Tx, subject_id: str) -> str:
    """The disclosure of one person as JSON; the audit log says that it was made.

    Raises: SubjectUnknown. SubjectKeyGone: erased; nobody can prove these records any more. SealBroken.
    """
    subject = subjects.find(ctx, tx, Whom(subject_id))
    assert subject is not None  # noqa: S101 - an unknown id was refused by find
    opened = subjects.opened(ctx, tx, subject)
    evidence: dict[str, Any] = {}
    for past in consents.list_events(tx, subject.no, None, None):
        record_id = str(parse(past.leaf)["id"])
        sealed = consents.load_evidence(tx, UUID(record_id))
        if sealed is not None:
            place = Place(ctx.controller.key, "event_private", "sealed", record_id)
            evidence[record_id] = json.loads(opened.key.open(sealed, place))
    record(ctx, tx, "subject.disclosed", "subject", subject_id, records=len(evidence))
    body = {
        "v": 1,
        "controller": ctx.controller.key,
        "subject_id": subject_id,
        "keys": {label: opened.key.derived(label).hex() for label in _LABELS},
        "evidence": evidence,
    }
    return json.dumps(body, indent=1, ensure_ascii=False)
