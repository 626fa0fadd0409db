"""Hold the answers against the log: fold each person's events anew and compare with the rows that are served.

No proof over a log shows that an answer was changed; only folding does. The same pass walks each person's chain,
whose commitments name the leaf in front: an event that was taken away together with its leaf leaves a gap there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.consent.projection import BETWEEN_PEOPLE
from privacyops.ledger.leaf import LeafNotCanonical, parse
from privacyops.ledger.merkle import leaf_hash
from privacyops.services import purpose as published
from privacyops.services.consent import life, suppressed
from privacyops.services.consent.subjects import opened
from privacyops.services.context import Context, reading
from privacyops.store import consent as consents
from privacyops.store import subject as people
from privacyops.store.consent import PastEvent
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import Subject
from privacyops.store.uow import Tx

PAGE: Final = 500
MAX_FINDINGS: Final = 1_000
_BETWEEN: Final = frozenset(str(kind) for kind in BETWEEN_PEOPLE)


class Difference(StrEnum):
    """ROW: an answer is not what the events say. CHAIN: an event is missing or out of its place. LEAF: unreadable.

    SUPPRESSION: the list of suppressed contacts says more or less than the events.
    """

    ROW = "row"
    CHAIN = "chain"
    LEAF = "leaf"
    SUPPRESSION = "suppression"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree; `at` names the row's key or the record."""

    difference: Difference
    subject_id: str
    at: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What replaying found among `subjects` people; at most 1,000 findings are listed."""

    subjects: int
    findings: Sequence[Finding]

    @property
    def is_good(self) -> bool:
        return not self.findings


@reading(Action.LEDGER_SEE)
def replay(ctx: Context, tx: Tx) -> ReplayReport:
    """Fold everybody's events and compare. People whose key was destroyed have no rows and are passed over."""
    names = published.catalogue(ctx, tx)
    count = 0
    findings: list[Finding] = []
    for subject in _everybody(tx):
        count += 1
        if len(findings) < MAX_FINDINGS:
            findings += list(_differences(ctx, tx, subject, names))
    findings += [Finding(Difference.SUPPRESSION, "the list", at) for at in suppressed.of_nobody(tx, names)]
    return ReplayReport(count, findings[:MAX_FINDINGS])


def _everybody(tx: Tx) -> Iterator[Subject]:
    after = 0
    while page := people.list_subjects(tx, after, PAGE):
        yield from page
        after = page[-1].no


def _differences(ctx: Context, tx: Tx, subject: Subject, names: Catalogue) -> Iterator[Finding]:
    past = list(reversed(consents.list_events(tx, subject.no, None, None)))
    try:
        told = life.rows_of(ctx, tx, subject.no, names)
    except LeafNotCanonical:
        yield Finding(Difference.LEAF, subject.public_id, "an event is no longer a leaf")
        return
    yield from (Finding(Difference.CHAIN, subject.public_id, at) for at in _gaps(ctx, tx, subject, past))
    served = consents.load_rows(tx, subject.no, names)
    for key in sorted(served.keys() | told.keys(), key=str):
        if served.get(key) != told.get(key):
            yield Finding(Difference.ROW, subject.public_id, "/".join(str(part or "*") for part in key))
    for at in suppressed.of_person(ctx, tx, opened(ctx, tx, subject), told.values()):
        yield Finding(Difference.SUPPRESSION, subject.public_id, at)


def _gaps(ctx: Context, tx: Tx, subject: Subject, past: Sequence[PastEvent]) -> Iterator[str]:
    """The records whose commitment does not name the leaf in front of them; and the end, where events are missing."""
    commit = opened(ctx, tx, subject).commit
    previous: bytes | None = None
    version = 0
    for one in past:
        members = parse(one.leaf)
        record_id = str(members.get("id"))
        wanted = commit.chain(record_id=record_id, state_version=one.state_version, previous=previous)
        jumps = members.get("type") in _BETWEEN and one.state_version > version  # a link is later than both its sides
        if (one.state_version != version + 1 and not jumps) or members.get("chain") != wanted:
            yield record_id
            return
        previous, version = leaf_hash(one.leaf), one.state_version
    if consents.load_version(tx, subject.no) != version:
        yield "the newest event"
