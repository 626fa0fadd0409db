"""Receipts: one record of a choice in the form that its reader understands, with the proof that it stands in the log.

A receipt names nobody: the person stands in it as a keyed hash. After an erasure there is no receipt any more,
although the record and its proof stay.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import ConsentEvent, event_of
from privacyops.domain.consent.state import EventType
from privacyops.domain.log import Log
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import BASIS_CODE, LegalBasis, PurposeVersion
from privacyops.domain.receipt import dpv, kantara
from privacyops.domain.receipt.facts import ReceiptFacts
from privacyops.domain.receipt.standing import Standing
from privacyops.kernel.errors import NotFound
from privacyops.ledger.checkpoint import Checkpoint, LogProof, SignedNote, VerifierKey
from privacyops.ledger.leaf import parse
from privacyops.ledger.merkle import leaf_hash
from privacyops.services import purpose as published
from privacyops.services.context import Context, reading
from privacyops.services.promise import LIFE, Promise
from privacyops.services.proof import prove_or_promise
from privacyops.store import consent as consents
from privacyops.store import ledger as ledgers
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

KIND: Final = "receipt+jws"
_WILDCARDS: Final = frozenset({EventType.STOP_ALL, EventType.OBJECTION_MADE, EventType.OBJECTION_LIFTED, EventType.GPC})
_COMMITMENTS: Final = ("subject", "contact", "chain", "evidence")
_BASIS_OF: Final = {code: basis for basis, code in BASIS_CODE.items()}


class ReceiptNotThere(NotFound):
    type = "/problems/receipt-not-there"
    title = "No choice of a person is recorded under this id"


class ReceiptForm(StrEnum):
    """The forms of a receipt, by media type; the first is what a reader without a wish gets."""

    JOSE = "application/jose"
    DPV = "application/ld+json"
    KANTARA = "application/vnd.privacyops.kantara+json"
    PAGE = "text/html"
    PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt in one form. `policy` is the Content-Security-Policy of a page."""

    form: ReceiptForm
    body: bytes
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a receipt is made from."""

    facts: ReceiptFacts
    leaf: bytes
    proof: LogProof | Promise
    standing: Standing


def receipt(ctx: Context, event_id: UUID, form: ReceiptForm, language: str | None = None) -> Receipt:
    """The receipt of one event. Drawing a PDF takes a second or two and happens outside the transaction.

    Raises: ReceiptNotThere: unknown, not about a person, or erased. PdfNotDrawn.
    """
    return render(ctx, gather(ctx, event_id), form, language)


@reading(Action.CONSENT_PROOF)
def gather(ctx: Context, tx: Tx, event_id: UUID) -> Gathered:
    """Everything that a receipt says. Raises: ReceiptNotThere."""
    return gather_within(ctx, tx, event_id)


def gather_within(ctx: Context, tx: Tx, event_id: UUID) -> Gathered:
    """As `gather`, in a transaction that reads more."""
    leaf = ledgers.leaf_bytes(tx, Log.CONSENT, event_id)
    if leaf is None or not consents.has_owner(tx, event_id):
        raise ReceiptNotThere
    members = parse(leaf)
    facts = facts_of(ctx, published.catalogue(ctx, tx), members)
    if facts is None:
        raise ReceiptNotThere
    proof = prove_or_promise(ctx, tx, Log.CONSENT, event_id)
    return Gathered(facts, leaf, proof, _standing(ctx, tx, facts.event, leaf, proof))


def facts_of(ctx: Context, names: Catalogue, members: Mapping[str, Any]) -> ReceiptFacts | None:
    """What a leaf and the catalogue say; None where the event is no choice of a person, or of an unknown purpose."""
    event = event_of(members)
    if "subject" not in members or not (event.purpose or event.type in _WILDCARDS):
        return None
    if event.purpose is not None and event.purpose.key not in names.purposes:
        return None
    jurisdiction = event.jurisdiction or _home(names, event) or ctx.controller.country
    purposes = _purposes(names, event, jurisdiction, members.get("basis"))
    return ReceiptFacts(
        event=event,
        commitments={name: str(members[name]) for name in _COMMITMENTS if name in members},
        purposes=purposes,
        controller=ctx.controller,
        brand=_brand(names, event) or ctx.controller.name,
        jurisdiction=jurisdiction,
        notice=event.notice or _newest_notice(ctx, names, event, [purpose.key for purpose, _ in purposes]),
    )


def render(ctx: Context, held: Gathered, form: ReceiptForm, language: str | None = None) -> Receipt:
    """One form of what was gathered. Raises: PdfNotDrawn."""
    tongue = language or held.facts.language
    writer = ctx.ports.receipts
    match form:
        case ReceiptForm.JOSE:
            return Receipt(form, _signed(ctx, held).encode())
        case ReceiptForm.DPV:
            made = replace(held.facts, made_at=ctx.clock.now())
            name = f"{ctx.controller.base_url}/v1/receipts/{held.facts.event.id}"
            return Receipt(form, _json(dpv.receipt(made, str(uuid5(NAMESPACE_URL, name)))))
        case ReceiptForm.KANTARA:
            return Receipt(form, _json(kantara.receipt(held.facts, held.standing.verifier_key)))
        case ReceiptForm.PAGE:
            return Receipt(form, writer.page(held.facts, held.standing, tongue).encode(), writer.policy())
        case ReceiptForm.PDF:
            return Receipt(form, writer.pdf(held.facts, held.standing, tongue))


def _signed(ctx: Context, held: Gathered) -> str:
    """Record, leaf and proof under our signature: to be verified with the public key, without us."""
    body: dict[str, Any] = {
        "record": dpv.record(held.facts),
        "leaf": base64.urlsafe_b64encode(held.leaf).rstrip(b"=").decode(),
    }
    if isinstance(held.proof, Promise):
        body["promise"] = held.proof.token
    else:
        body["proof"] = str(held.proof)
    return ctx.ports.signer.jws(_json(body), KIND)


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _purposes(
    names: Catalogue, event: ConsentEvent, jurisdiction: str, basis: object
) -> Sequence[tuple[PurposeVersion, LegalBasis]]:
    """The purposes that the event covers: the one it names in the version that was shown, or all that it stops."""
    if event.purpose is not None:
        known = names.purposes[event.purpose.key]
        shown = known.versions.get(event.purpose.version, known.current)
        return [(shown, _BASIS_OF.get(str(basis)) or shown.ground_in(jurisdiction)[0].basis)]
    return [
        (known.current, known.current.ground_in(jurisdiction)[0].basis)
        for known in sorted(names.purposes.values(), key=lambda known: known.no)
        if not known.current.ignores_stops and (event.channel is None or event.channel in known.current.channels)
    ]


def _brand(names: Catalogue, event: ConsentEvent) -> str | None:
    found = names.brands.get(event.brand or "")
    return found.title if found is not None else None


def _home(names: Catalogue, event: ConsentEvent) -> str | None:
    found = names.brands.get(event.brand or "")
    return found.jurisdiction if found is not None else None


def _newest_notice(ctx: Context, names: Catalogue, event: ConsentEvent, purposes: Sequence[str]) -> NoticeRef | None:
    """The newest notice that was there when the event was recorded and names one of the purposes."""
    found = [
        one
        for one in names.notices.values()
        if one.published_at <= event.recorded_at and set(one.notice.purposes) & set(purposes)
    ]
    if not found:
        return None
    notice = max(found, key=lambda one: one.published_at).notice
    wanted = [locale for tongue in ctx.controller.languages for locale in notice.texts if locale.startswith(tongue)]
    return notice.ref(wanted[0] if wanted else next(iter(notice.texts)))


def _standing(ctx: Context, tx: Tx, event: ConsentEvent, leaf: bytes, proof: LogProof | Promise) -> Standing:
    digest = leaf_hash(leaf).hex()
    if isinstance(proof, LogProof):
        signed = Checkpoint.parse(SignedNote.parse(proof.note).text)
        key = VerifierKey(signed.origin, ctx.ports.signer.public_key)
        return Standing(signed.origin, digest, str(key), proof.index, signed.size)
    trees = ledgers.list_trees(tx, Log.CONSENT)
    host = ctx.controller.base_url.partition("://")[2]
    origin = trees[-1].origin if trees else f"{host}/ledger/{ctx.controller.key}/{event.recorded_at.year}"
    key = VerifierKey(origin, ctx.ports.signer.public_key)
    return Standing(origin, digest, str(key), include_by=event.recorded_at + LIFE)
