"""A receipt held against the public key alone: does the proof lead from this leaf to a root that the log signed,
and does the record say what the leaf says. Nothing of ours is asked.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacyops.domain.consent.event import ConsentEvent, event_of
from privacyops.ledger.checkpoint import (
    Checkpoint,
    LogProof,
    NoteMalformed,
    SignatureRefused,
    SignedNote,
    VerifierKey,
)
from privacyops.ledger.leaf import LeafNotCanonical, instant_text, parse
from privacyops.ledger.merkle import leaf_hash

MAX_BYTES: Final = 1_000_000
_ANEW: Final = "fetch the receipt anew, and keep this one as evidence if that one fails too"
_OTHER_KEY: Final = "name the keys that stood at /ledger/vkeys when the choice was made; replaced ones stay listed"
OpenPromise = Callable[[str], bytes]
"""The payload of a promise, its signature verified. Raises: ValueError."""


class ReceiptMalformed(ValueError):
    """The payload is not a receipt; the message names the rule, never a value."""


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """What a receipt shows. `faults` is empty when all of it holds; each says what was found and what to do.

    `origin`, `index` and `size`: the log and the place in it; None while `promised_until` stands in for the proof.
    """

    record_id: str
    type: str
    occurred_at: str
    origin: str | None = None
    index: int | None = None
    size: int | None = None
    promised_until: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.faults


def check(payload: bytes, keys: Sequence[VerifierKey], open_promise: OpenPromise) -> ReceiptCheck:
    """Hold the payload of a signed receipt against the log's keys. Raises: ReceiptMalformed."""
    body = _object(payload)
    leaf = _leaf(body.get("leaf"))
    try:
        members = parse(leaf)
        event = event_of(members)
    except LeafNotCanonical as refusal:
        raise ReceiptMalformed(f"the leaf: {refusal}") from None
    record = body.get("record")
    faults = _differences(record if isinstance(record, dict) else {}, event, members)
    place: dict[str, Any] = {}
    if "proof" in body:
        place, found = _proved(body["proof"], leaf, event, keys)
    else:
        place, found = _promised(body.get("promise"), leaf, event, open_promise)
    return ReceiptCheck(
        str(event.id), str(event.type), instant_text(event.occurred_at), faults=(*faults, *found), **place
    )


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise ReceiptMalformed("more than a million bytes")
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        raise ReceiptMalformed("not JSON") from None
    if not isinstance(body, dict):
        raise ReceiptMalformed("not an object")
    return body


def _leaf(text: object) -> bytes:
    if not isinstance(text, str):
        raise ReceiptMalformed("a receipt holds its leaf")
    try:
        leaf = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ReceiptMalformed("the leaf is not base64url") from None
    if base64.urlsafe_b64encode(leaf).rstrip(b"=").decode() != text:
        raise ReceiptMalformed("the leaf is not canonical base64url")
    return leaf


def _proved(
    text: object, leaf: bytes, event: ConsentEvent, keys: Sequence[VerifierKey]
) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(text, str):
        raise ReceiptMalformed("the proof is not a text")
    try:
        proof = LogProof.parse(text)
        signed = Checkpoint.parse(SignedNote.parse(proof.note).text)
        named = [VerifierKey(signed.origin, key.public) for key in keys]
        holds = proof.proves(leaf, named, origin=signed.origin)
    except SignatureRefused as refusal:
        return {}, [f"the checkpoint: {refusal}; {_OTHER_KEY}"]
    except NoteMalformed as refusal:
        raise ReceiptMalformed(f"the proof: {refusal}") from None
    faults = [] if holds else [f"the proof does not lead from the record to the signed root; {_ANEW}"]
    if f"/ledger/{event.controller}/" not in f"/{signed.origin}":
        faults.append(f"the checkpoint is of another log than the record's; {_ANEW}")
    return {"origin": signed.origin, "index": proof.index, "size": signed.size}, faults


def _promised(
    token: object, leaf: bytes, event: ConsentEvent, open_promise: OpenPromise
) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(token, str):
        raise ReceiptMalformed("a receipt holds a proof or a promise")
    try:
        body = json.loads(open_promise(token))
        entries = {(one["event_id"], one["leaf_hash"]) for one in body["events"]}
        until, controller = str(body["include_by"]), body["controller"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}, [f"the promise is not one of this log's keys; {_OTHER_KEY}"]
    kept = (str(event.id), leaf_hash(leaf).hex()) in entries and controller == event.controller
    return {"promised_until": until}, [] if kept else [f"the promise is about another record; {_ANEW}"]


def _differences(record: Mapping[str, Any], event: ConsentEvent, members: Mapping[str, Any]) -> list[str]:
    """What the readable record says otherwise than the leaf, by the name of the field."""
    status = _first(record.get("dpv:hasConsentStatus"))
    process = _first(record.get("dpv:hasProcess"))
    said: list[tuple[str, object, object]] = [
        ("record_id", record.get("dct:identifier"), str(event.id)),
        ("pii_principal_id", _of(record.get("dpv:hasDataSubject"), "dct:identifier"), members.get("subject")),
        ("event_time", _of(status.get("dct:date"), "@value"), instant_text(event.occurred_at)),
        ("indication_method", status.get("dpv:hasIndicationMethod"), str(event.method)),
        ("channel", status.get("dct:medium"), event.channel),
    ]
    if event.state is not None:
        said.append(("event_state", status.get("@type"), f"dpv:{event.state}"))
    if event.valid_for is not None:
        said.append(("validity_duration", status.get("dpv:hasDuration"), event.valid_for))
    if event.purpose is not None:
        purpose = process.get("dpv:hasPurpose")
        said.append(("purpose", _of(purpose, "dct:identifier"), event.purpose.key))
        said.append(("purpose_version", _of(purpose, "dct:hasVersion"), event.purpose.version))
    if event.notice is not None:
        notice = process.get("dpv:hasNotice")
        said.append(("privacy_notice", _of(notice, "dct:description"), f"sha256:{event.notice.sha256}"))
    wrong = [name for name, shown, logged in said if shown != logged]
    return [f"the record says another {name} than the log; what the log says counts, and {_ANEW}" for name in wrong]


def _first(value: object) -> Mapping[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _of(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
