"""The fields of ISO/IEC TS 27560 that a record has to hold, and where in the JSON-LD each of them stands.

Source: ISO/IEC TS 27560:2023 clause 6; the GDPR profile of W3C DPV's guide to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Profile(StrEnum):
    """What a record is held against. EU_GDPR is the base and more."""

    BASE = "base"
    EU_GDPR = "eu_gdpr"


@dataclass(frozen=True, slots=True)
class Field:
    """One field by the standard's name. In `path` a star is each member of a list, a type in brackets picks one."""

    name: str
    path: tuple[str, ...]
    profile: Profile = Profile.BASE


_PROCESS: Final = ("dpv:hasProcess", "*")
_DATA: Final = (*_PROCESS, "dpv:hasPersonalData", "*")
_PARTY: Final = ("dpv:hasDataController",)
_EVENT: Final = ("dpv:hasConsentStatus", "*")
_G: Final = Profile.EU_GDPR

FIELDS: Final[Sequence[Field]] = (
    Field("record_id", ("dct:identifier",)),
    Field("pii_principal_id", ("dpv:hasDataSubject", "dct:identifier")),
    Field("privacy_notice", (*_PROCESS, "dpv:hasNotice", "@id")),
    Field("language", (*_PROCESS, "dct:language")),
    Field("purpose", (*_PROCESS, "dpv:hasPurpose", "dct:identifier")),
    Field("pii_information", (*_DATA, "dct:identifier")),
    Field("pii_controllers", (*_PROCESS, "dpv:hasDataController", "@id")),
    Field("storage_locations", (*_PROCESS, "dpv:hasStorageCondition", "[dpv:StorageLocation]", "dpv:hasLocation")),
    Field("retention_period", (*_PROCESS, "dpv:hasStorageCondition", "[dpv:StorageDuration]", "dpv:hasDuration")),
    Field("jurisdiction", (*_PROCESS, "dpv:hasJurisdiction")),
    Field("recipient_third_parties", (*_PROCESS, "dpv:hasRecipient")),
    Field("withdrawal_method", (*_PROCESS, "dpv:hasConsentControl", "[dpv:WithdrawConsent]", "dpv:isExercisedAt")),
    Field("pii_type", (*_DATA, "@type")),
    Field("party_id", (*_PARTY, "dct:identifier")),
    Field("party_address", (*_PARTY, "dpv:hasAddress")),
    Field("party_name", (*_PARTY, "dpv:hasName")),
    Field("party_contact", (*_PARTY, "dpv:hasContact")),
    Field("party_type", (*_PARTY, "@type")),
    Field("event_time", (*_EVENT, "dct:date", "@value")),
    Field("validity_duration", (*_EVENT, "dpv:hasDuration")),
    Field("entity_id", (*_EVENT, "dpv:isIndicatedBy")),
    Field("event_type", (*_EVENT, "dct:type")),
    Field("event_state", (*_EVENT, "@type")),
    Field("lawful_basis", (*_PROCESS, "dpv:hasLegalBasis"), _G),
    Field("collection_method", (*_PROCESS, "dpv:hasProcessing", "[dpv:Collect]", "dct:description"), _G),
    Field("processing_method", (*_PROCESS, "dpv:hasProcessing"), _G),
    Field(
        "processing_locations",
        (*_PROCESS, "dpv:hasProcessingCondition", "[dpv:ProcessingLocation]", "dpv:hasLocation"),
        _G,
    ),
    Field("geographic_restrictions", (*_PROCESS, "dpv:hasRule", "*", "dpv:hasLocation"), _G),
    Field("privacy_rights", (*_PROCESS, "dpv:hasRight"), _G),
    Field("authority_party", (*_PROCESS, "dpv:hasAuthority", "dpv:hasName"), _G),
    Field("pii_optional", (*_DATA, "dpv:hasNecessity"), _G),
    Field("special_pii_category", (*_DATA, "@type"), _G),
    Field("party_role", (*_PARTY, "@type"), _G),
)
"""schema_version is `dct:conformsTo`, which is written once nothing here is missing."""


def missing(record: Mapping[str, Any], profile: Profile = Profile.EU_GDPR) -> list[str]:
    """The fields of `profile` that the record does not hold, by the standard's names; in every process and status."""
    wanted = [field for field in FIELDS if field.profile is Profile.BASE or profile is Profile.EU_GDPR]
    return [field.name for field in wanted if not _is_there(record, field.path)]


def _is_there(record: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    found = list(_at(record, path))
    return bool(found) and all(bool(value) for value in found)


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Every value at `path`; None where a part of the way is missing."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == "*" or step.startswith("["):
        members = value if isinstance(value, list) else []
        if step != "*":
            members = [one for one in members if isinstance(one, dict) and one.get("@type") == step[1:-1]]
        for one in members:
            yield from _at(one, rest)
        if not members:
            yield None
        return
    yield from _at(value.get(step) if isinstance(value, dict) else None, rest)
