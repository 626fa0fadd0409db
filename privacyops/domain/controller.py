"""The controller: the legal entity that answers for the processing, and the facts its letters and clocks need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from privacyops.domain.answer import Art15Facts
from privacyops.domain.recipient import KnownRecipient


@dataclass(frozen=True, slots=True)
class ControllerProfile:
    """`key` is the boundary of isolation in every table; the rest is what people read and rules count with.

    `country` (ISO 3166) and `subdivision` choose the holiday calendar, `zone` (IANA) the local date of receipt.
    `policies` are regimes the controller applies voluntarily; `phone_region` reads numbers without a prefix.
    `consent_mode` maps signals of Google Consent Mode to purposes, where they differ from the usual ones.
    `consent_proof` says what becomes of the proof of an erased person: `at_once` destroys it, a period (`P5Y`) keeps
    it in a restricted ring. Consents that end within `consent_renewal_days` are offered for renewal.
    `gpc_since` (ISO 8601 date) is when the controller said that it knows the browser's opt-out signal.
    `facts` are what every answer states of the processing (Art. 15(1) and (2)). `organisation` is DPV's name for the
    kind of entity, as records of consent state it; `auditor_email` gets the logs' checkpoints each day.
    `recipients` got data from the house and are told when such data are erased, corrected or restricted.
    """

    key: str
    name: str
    address: str
    contact_email: str
    country: str
    zone: str
    base_url: str
    subdivision: str | None = None
    dpo_contact: str | None = None
    authority_name: str | None = None
    authority_url: str | None = None
    languages: tuple[str, ...] = ("en", "de")
    policies: tuple[str, ...] = ()
    phone_region: str | None = None
    single_operator: bool = False
    is_demo: bool = False
    facts: Art15Facts | None = None
    recipients: tuple[KnownRecipient, ...] = ()
    organisation: str = "Organisation"
    auditor_email: str | None = None
    consent_proof: str = "at_once"
    consent_renewal_days: int = 30
    gpc_since: str | None = None
    consent_mode: Mapping[str, str] = field(default_factory=dict)
