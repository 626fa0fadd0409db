"""A record of consent as ISO/IEC TS 27560 wants it, in JSON-LD with the terms of the W3C Data Privacy Vocabulary.

The context stands in the document, so that a reader needs no network. A field that nobody said anything about is
left out, and the record then claims no conformance: `fields.missing` names what is not there.

Source: ISO/IEC TS 27560:2023; W3C DPV 2 and its guide to 27560.
"""

from typing import Any, Final

from privacyops.domain.consent.state import IndicatedBy
from privacyops.domain.purpose import BASIS_CODE, LegalBasis, PurposeVersion
from privacyops.domain.receipt.facts import ReceiptFacts
from privacyops.domain.receipt.fields import Profile, missing
from privacyops.ledger.leaf import instant_text

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560"
CONTEXT: Final = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_CATEGORY: Final = {
    "contact": "pd:Contact",
    "order": "pd:Transactional",
    "purchase_history": "pd:PurchasesAndSpendingHabit",
    "browsing": "pd:BrowsingBehaviour",
    "device": "pd:DeviceBased",
}
_SPEAKER: Final = {
    IndicatedBy.SUBJECT: "dpv:DataSubject",
    IndicatedBy.GUARDIAN: "dpv:ParentOfDataSubject",
    IndicatedBy.AGENT: "dpv:Representative",
}
_RIGHTS: Final = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A21", "A77")
_UNTIL_WITHDRAWN: Final = "dpv:UntilEventDuration"


def record(facts: ReceiptFacts) -> dict[str, Any]:
    """The record of one event. Strings, integers, lists and objects only."""
    event = facts.event
    body: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{event.id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(event.id),
        "dct:created": _time(instant_text(event.recorded_at)),
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": facts.commitments["subject"]},
        "dpv:hasDataController": _party(facts),
        "dpv:hasProcess": [_process(facts, purpose, basis) for purpose, basis in facts.purposes],
        "dpv:hasConsentStatus": [_status(facts)],
    }
    return body | {"dct:conformsTo": _conforms(body, facts, "record")}


def receipt(facts: ReceiptFacts, receipt_id: str) -> dict[str, Any]:
    """The copy that is handed to the person: the record, and who gave it out."""
    held = record(facts)
    context = held.pop("@context")
    body: dict[str, Any] = {
        "@context": context,
        "@id": f"urn:uuid:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt_id,
        "dct:publisher": {"@id": _party_id(facts)},
        "dpv:hasRecordOfActivity": held,
    }
    if facts.made_at is not None:
        body["dct:created"] = _time(instant_text(facts.made_at))
    return body | {"dct:conformsTo": _conforms(held, facts, "receipt")}


def _conforms(held: dict[str, Any], facts: ReceiptFacts, kind: str) -> list[str]:
    """The profiles whose mandatory fields are all there; an honest record without one claims none."""
    found = [f"{SCHEMA}#{kind}"] if not missing(held, Profile.BASE) else []
    if found and facts.is_european and not missing(held, Profile.EU_GDPR):
        found.append(f"{SCHEMA}#{kind}-eu-gdpr")
    return found


def _party(facts: ReceiptFacts) -> dict[str, Any]:
    who = facts.controller
    body: dict[str, Any] = {
        "@id": _party_id(facts),
        "@type": ["dpv:DataController", f"dpv:{who.organisation}"],
        "dct:identifier": who.key,
        "dpv:hasName": who.name,
        "dpv:hasContact": [who.contact_email, who.base_url],
    }
    if who.address:
        body["dpv:hasAddress"] = who.address
    if who.dpo_contact:
        body["dpv:hasDataProtectionOfficer"] = {"@type": "dpv:DataProtectionOfficer", "dpv:hasContact": who.dpo_contact}
    return body


def _party_id(facts: ReceiptFacts) -> str:
    return f"{facts.controller.base_url}/#{facts.controller.key}"


def _process(facts: ReceiptFacts, purpose: PurposeVersion, basis: LegalBasis) -> dict[str, Any]:
    handling = purpose.handling
    body: dict[str, Any] = {
        "@type": "dpv:Process",
        "dct:language": facts.language,
        "dpv:hasService": facts.brand,
        "dpv:hasPurpose": {
            "@id": f"{facts.controller.base_url}/#purpose-{purpose.key}-{purpose.version}",
            "@type": purpose.dpv or "dpv:Purpose",
            "dct:identifier": purpose.key,
            "dct:hasVersion": purpose.version,
            "dct:title": [{"@language": language, "@value": title} for language, title in purpose.titles.items()],
        },
        "dpv:hasLegalBasis": _basis(basis),
        "dpv:hasPersonalData": [_category(purpose, name) for name in purpose.data_categories],
        "dpv:hasDataController": {"@id": _party_id(facts)},
        "dpv:hasProcessing": _operations(purpose),
        "dpv:hasStorageCondition": _storage(purpose),
        "dpv:hasProcessingCondition": _places("dpv:ProcessingLocation", handling.processed_in),
        "dpv:hasRule": _places("dpv:Obligation", handling.restricted_to),
        "dpv:hasJurisdiction": f"loc:{facts.jurisdiction}",
        "dpv:hasRecipient": [{"@type": "dpv:ThirdParty", "dpv:hasName": name} for name in purpose.recipients]
        or [{"@id": _party_id(facts)}],
        "dpv:hasConsentControl": [{"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": facts.withdrawal_url}],
        "dpv:hasRight": [f"eu-gdpr:{right}" for right in _RIGHTS] if facts.is_european else [],
        "dpv:hasNotice": _notice(facts),
        "dpv:hasAuthority": _authority(facts),
    }
    return {name: value for name, value in body.items() if value}


def _basis(basis: LegalBasis) -> str | dict[str, str]:
    code = BASIS_CODE[basis]
    return f"eu-gdpr:{code}" if code.startswith("A") else {"@type": "dpv:LegalBasis", "dct:identifier": code}


def _category(purpose: PurposeVersion, name: str) -> dict[str, Any]:
    types = ["dpv:PersonalData"]
    if name in _CATEGORY:
        types.append(_CATEGORY[name])
    if name in purpose.handling.special:
        types.append("dpv:SpecialCategoryPersonalData")
    optional = name in purpose.handling.optional
    return {
        "@type": types,
        "dct:identifier": name,
        "dpv:hasNecessity": "dpv:Optional" if optional else "dpv:Required",
    }


def _operations(purpose: PurposeVersion) -> list[Any]:
    """The operations; the collection says how the data comes in and from whom."""
    found: list[Any] = [f"dpv:{name}" for name in purpose.handling.operations if name != "Collect"]
    if purpose.handling.collected_by:
        collect = {"@type": "dpv:Collect", "dct:description": purpose.handling.collected_by}
        found.insert(0, collect | {"dpv:hasDataSource": "dpv:DataSubject"})
    return found


def _storage(purpose: PurposeVersion) -> list[Any]:
    found: list[Any] = _places("dpv:StorageLocation", purpose.handling.stored_in)
    if purpose.retention:
        found.append({"@type": "dpv:StorageDuration", "dpv:hasDuration": purpose.retention})
    return found


def _places(kind: str, places: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"@type": kind, "dpv:hasLocation": [f"loc:{place}" for place in places]}] if places else []


def _notice(facts: ReceiptFacts) -> dict[str, Any] | None:
    notice = facts.notice
    if notice is None:
        return None
    return {
        "@id": facts.notice_url,
        "@type": "dpv:ConsentNotice",
        "dct:identifier": notice.id,
        "dct:hasVersion": notice.version,
        "dct:language": notice.locale,
        "dct:description": f"sha256:{notice.sha256}",
    }


def _authority(facts: ReceiptFacts) -> dict[str, Any] | None:
    who = facts.controller
    if not who.authority_name:
        return None
    body = {"@type": "dpv:DataProtectionAuthority", "dpv:hasName": who.authority_name}
    return body | ({"dpv:hasContact": who.authority_url} if who.authority_url else {})


def _status(facts: ReceiptFacts) -> dict[str, Any]:
    event = facts.event
    kind = "dpv:ExplicitlyExpressedConsent" if _is_explicit(facts) else "dpv:ExpressedConsent"
    at = _time(instant_text(event.occurred_at))
    body: dict[str, Any] = {
        "@type": f"dpv:{event.state}" if event.state else "dpv:ConsentWithdrawn",
        "dct:type": "dpv:ImpliedConsent" if facts.is_implied else kind,
        "dct:date": at,
        "dpv:isIndicatedAtTime": at,
        "dpv:isIndicatedBy": _SPEAKER[event.indicated_by],
        "dpv:hasIndicationMethod": str(event.method),
        "dpv:hasDuration": event.valid_for or _UNTIL_WITHDRAWN,
    }
    if event.channel is not None:
        body["dct:medium"] = event.channel
    if event.valid_until is not None:
        body["dct:valid"] = _time(instant_text(event.valid_until))
    return body


def _is_explicit(facts: ReceiptFacts) -> bool:
    return any(basis is LegalBasis.EXPLICIT_CONSENT for _, basis in facts.purposes)


def _time(text: str) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": text}
