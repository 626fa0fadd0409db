"""One person's records in a log that names nobody: found, and shown to be complete, with the keys of that person.

Each record's `subject` is a keyed hash that only the person's key reproduces, and its `chain` names the person's
record in front of it. So whoever is handed the keys sees which leaves are this person's, and where one is missing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from privacyops.ledger.leaf import Json, LeafNotCanonical, SubjectKey
from privacyops.ledger.merkle import leaf_hash

_LABELS: Final = ("subject", "contact", "evidence", "chain")
_MARK: Final = b'"subject":"hmac-sha256:'
_JUMPS: Final = frozenset({"identity.linked", "identity.unlinked"})
_FARTHEST: Final = 10_000
"""How many versions a link may skip: the other side's events were counted under its own keys."""


class DisclosureMalformed(ValueError):
    """The text is not what was handed out about a person; the message names the rule, never a value."""


class Fault(StrEnum):
    """GAP: the record in front of this one is missing. EVIDENCE: what was handed out is not what was recorded."""

    GAP = "gap"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What is handed to somebody who may see one person's records: derived keys, and evidence by record id."""

    controller: str
    subject_id: str
    key: SubjectKey = field(repr=False)
    evidence: Mapping[str, Json] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Disclosure":
        """Raises: DisclosureMalformed."""
        try:
            body = json.loads(text)
            keys = {label: bytes.fromhex(body["keys"][label]) for label in _LABELS}
            if any(len(key) != 32 for key in keys.values()):
                raise DisclosureMalformed("a derived key has 32 bytes")
            evidence = dict(body.get("evidence", {}))
            return cls(str(body["controller"]), str(body["subject_id"]), SubjectKey.of(keys.__getitem__), evidence)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as refusal:
            if isinstance(refusal, DisclosureMalformed):
                raise
            raise DisclosureMalformed("not a disclosure of a person's keys") from None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One of the person's records and its index in the log."""

    index: int
    record: str
    type: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class PersonFault:
    """One thing that does not agree, at a record."""

    fault: Fault
    index: int
    record: str


@dataclass(frozen=True, slots=True)
class PersonReport:
    """The person's records in the order of the log, and what is wrong with them."""

    records: Sequence[PersonRecord]
    faults: Sequence[PersonFault]

    @property
    def is_good(self) -> bool:
        return not self.faults


def walk(leaves: Iterable[bytes | None], held: Disclosure) -> PersonReport:
    """Find the person's records among `leaves` (from index 0 on; None where the log holds none) and follow their chain.

    A tail that is missing shows against a checkpoint, not here: nothing follows it. Memory grows with the person's
    records, not with the log.
    """
    records: list[PersonRecord] = []
    faults: list[PersonFault] = []
    previous: bytes | None = None
    version, is_sure = 0, True
    for index, leaf in enumerate(leaves):
        members = _members(leaf, held)
        if leaf is None or members is None:
            continue
        record = str(members["id"])
        type_ = str(members.get("type"))
        records.append(PersonRecord(index, record, type_, str(members.get("recorded_at"))))
        found = _version(held.key, members, record, previous, version)
        if found is None or (found > version + 1 and is_sure and type_ not in _JUMPS):
            faults.append(PersonFault(Fault.GAP, index, record))
        # behind a gap the number of this record is not known; the next one that fits tells it
        previous, version, is_sure = leaf_hash(leaf), found or version + 1, found is not None
        if record in held.evidence and not _is_evidence(held, members, record):
            faults.append(PersonFault(Fault.EVIDENCE, index, record))
    return PersonReport(records, faults)


def _members(leaf: bytes | None, held: Disclosure) -> dict[str, Any] | None:
    """The leaf's members if it is the person's."""
    if leaf is None or _MARK not in leaf:
        return None
    try:
        members = json.loads(leaf)
        record = members["id"]
        wanted = held.key.subject(controller=held.controller, subject_id=held.subject_id, record_id=record)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None  # no leaf: verification of the log names it
    return members if members.get("subject") == wanted else None


def _version(
    key: SubjectKey, members: Mapping[str, Any], record: str, previous: bytes | None, version: int
) -> int | None:
    for candidate in range(version + 1, version + _FARTHEST):
        if members.get("chain") == key.chain(record_id=record, state_version=candidate, previous=previous):
            return candidate
    return None


def _is_evidence(held: Disclosure, members: Mapping[str, Any], record: str) -> bool:
    try:
        wanted = held.key.evidence(record_id=record, evidence=held.evidence[record])
    except LeafNotCanonical:
        return False
    return members.get("evidence") == wanted
