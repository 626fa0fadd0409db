"""A receipt in the older form of the Kantara Initiative, for systems that read nothing newer. Export only.

Source: Kantara Consent Receipt Specification 1.1.0.
"""

from typing import Any, Final

from privacyops.domain.consent.state import IndicatedBy
from privacyops.domain.purpose import LegalBasis, PurposeVersion
from privacyops.domain.receipt.facts import ReceiptFacts

VERSION: Final = "KI-CR-v1.1.0"
_OTHER: Final = "Other"


def receipt(facts: ReceiptFacts, public_key: str) -> dict[str, Any]:
    """`public_key` is the verifier key that the log is checked with."""
    who, event = facts.controller, facts.event
    special = sorted({name for purpose, _ in facts.purposes for name in purpose.handling.special})
    body: dict[str, Any] = {
        "version": VERSION,
        "jurisdiction": facts.jurisdiction,
        "consentTimestamp": int(event.occurred_at.timestamp()),
        "collectionMethod": str(event.method),
        "consentReceiptID": str(event.id),
        "publicKey": public_key,
        "language": facts.language,
        "piiPrincipalId": facts.commitments["subject"],
        "piiControllers": [
            {
                "piiController": who.name,
                "onBehalf": False,
                "contact": who.dpo_contact or who.contact_email,
                "address": {"streetAddress": who.address, "addressCountry": who.country},
                "email": who.contact_email,
                "phone": "",
                "piiControllerUrl": who.base_url,
            }
        ],
        "policyUrl": facts.notice_url or f"{who.base_url}/privacy",
        "services": [
            {"service": facts.brand, "purposes": [_purpose(facts, purpose, basis) for purpose, basis in facts.purposes]}
        ],
        "sensitive": bool(special),
    }
    if special:
        body["spiCat"] = special
    if event.indicated_by is not IndicatedBy.SUBJECT:
        body["onBehalfOf"] = str(event.indicated_by)
    return body


def _purpose(facts: ReceiptFacts, purpose: PurposeVersion, basis: LegalBasis) -> dict[str, Any]:
    explicit = basis in (LegalBasis.CONSENT, LegalBasis.EXPLICIT_CONSENT) and not facts.is_implied
    body: dict[str, Any] = {
        "purpose": facts.title(purpose),
        "purposeCategory": [purpose.dpv.rpartition("#")[2] if purpose.dpv else _OTHER],
        "consentType": "EXPLICIT" if explicit else "IMPLICIT",
        "piiCategory": list(purpose.data_categories),
        "primaryPurpose": purpose.ignores_stops,
        "termination": facts.withdrawal_url,
        "thirdPartyDisclosure": bool(purpose.recipients),
    }
    return body | ({"thirdPartyName": ", ".join(purpose.recipients)} if purpose.recipients else {})
