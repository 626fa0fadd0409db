"""The controller: the legal entity that answers for the processing, and the facts its letters and clocks need."""

from dataclasses import dataclass

from privacyops.domain.answer import Art15Facts


@dataclass(frozen=True, slots=True)
class ControllerProfile:
    """`key` is the boundary of isolation in every table; the rest is what people read and rules count with.

    `country` (ISO 3166) and `subdivision` choose the holiday calendar, `zone` (IANA) the local date of receipt.
    `policies` are regimes the controller applies voluntarily; `phone_region` reads numbers without a prefix.
    `facts` are what every answer states of the processing (Art. 15(1) and (2)).
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
