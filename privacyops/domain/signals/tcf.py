"""TC strings of the IAB Transparency and Consent Framework, versions 2.0 to 2.3, read and never written.

Source: IAB Tech Lab, Consent string and vendor list formats v2 (core string and segments); TCF Policies version 5
(disclosed vendors are mandatory in strings written from 28 February 2026 on).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from privacyops.domain.signals.bits import LONGEST, Bits, ConsentStringUndecodable
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import Json, instant_text

DISCLOSURE_SINCE: Final = datetime(2026, 2, 28, tzinfo=UTC)
_PURPOSES: Final = 24
_FEATURES: Final = 12


class Restriction(IntEnum):
    """What a publisher does to a purpose of some vendors."""

    NOT_ALLOWED = 0
    REQUIRE_CONSENT = 1
    REQUIRE_LEGITIMATE_INTEREST = 2
    UNDEFINED = 3


class Segment(IntEnum):
    CORE = 0
    DISCLOSED_VENDORS = 1
    ALLOWED_VENDORS = 2
    PUBLISHER_TC = 3


@dataclass(frozen=True, slots=True)
class Vendors:
    """Vendor ids as the bits of one number: a string may name 65,535 of them in a few letters."""

    mask: int = 0

    def __contains__(self, vendor: int) -> bool:
        return vendor > 0 and bool(self.mask >> vendor & 1)

    def __len__(self) -> int:
        return self.mask.bit_count()

    def ids(self) -> Sequence[int]:
        """The ids, ascending."""
        return [vendor for vendor in range(1, self.mask.bit_length()) if self.mask >> vendor & 1]


@dataclass(frozen=True, slots=True)
class PublisherRestriction:
    purpose: int
    restriction: Restriction
    vendors: Vendors


@dataclass(frozen=True, slots=True)
class PublisherChoices:
    """The segment of the publisher's own purposes; `custom` ones are numbered from 1 by the publisher."""

    consents: frozenset[int]
    legitimate_interests: frozenset[int]
    custom_consents: frozenset[int]
    custom_legitimate_interests: frozenset[int]


@dataclass(frozen=True, slots=True)
class TcString:
    """What a TC string says. Purposes, features and vendors are numbered as in the vendor list.

    `disclosed` and `allowed` None: the string has no such segment.
    """

    version: int
    created: Instant
    last_updated: Instant
    cmp_id: int
    cmp_version: int
    consent_screen: int
    language: str
    vendor_list_version: int
    policy_version: int
    is_service_specific: bool
    uses_non_standard_texts: bool
    special_features: frozenset[int]
    purpose_consents: frozenset[int]
    purpose_legitimate_interests: frozenset[int]
    purpose_one_treatment: bool
    publisher_country: str
    vendor_consents: Vendors
    vendor_legitimate_interests: Vendors
    restrictions: tuple[PublisherRestriction, ...]
    disclosed: Vendors | None = None
    allowed: Vendors | None = None
    publisher: PublisherChoices | None = None

    @property
    def lacks_disclosure(self) -> bool:
        """Whether the segment of disclosed vendors is missing where it is mandatory: such a string is not valid."""
        return self.disclosed is None and self.last_updated >= DISCLOSURE_SINCE

    def consents_to(self, purpose: int, vendor: int) -> bool:
        """Whether the person consented to this purpose of this vendor. False for whatever the string leaves open."""
        if self.lacks_disclosure or (self.disclosed is not None and vendor not in self.disclosed):
            return False
        barred = any(
            one.purpose == purpose and vendor in one.vendors and one.restriction is not Restriction.REQUIRE_CONSENT
            for one in self.restrictions
        )
        return not barred and purpose in self.purpose_consents and vendor in self.vendor_consents

    def summary(self) -> Mapping[str, Json]:
        """What is kept beside the string as evidence, readable without a decoder; vendors are counted, not listed."""
        return {
            "version": self.version,
            "created": instant_text(self.created),
            "last_updated": instant_text(self.last_updated),
            "cmp": self.cmp_id,
            "language": self.language,
            "vendor_list": self.vendor_list_version,
            "policy": self.policy_version,
            "service_specific": "yes" if self.is_service_specific else "no",
            "publisher_country": self.publisher_country,
            "special_features": list[Json](sorted(self.special_features)),
            "purpose_consents": list[Json](sorted(self.purpose_consents)),
            "purpose_legitimate_interests": list[Json](sorted(self.purpose_legitimate_interests)),
            "vendor_consents": len(self.vendor_consents),
            "vendor_legitimate_interests": len(self.vendor_legitimate_interests),
            "restrictions": len(self.restrictions),
            "disclosed_vendors": "none" if self.disclosed is None else len(self.disclosed),
            "valid": "no" if self.lacks_disclosure else "yes",
        }


def decode_tcf(text: str) -> TcString:
    """Read a TC string with its segments.

    Raises: ConsentStringUndecodable: it is not one, ends too early, or contradicts itself.
    """
    if len(text) > LONGEST:
        raise ConsentStringUndecodable("too_long")
    core, *segments = text.split(".")
    disclosed = allowed = publisher = None
    seen: set[Segment] = set()
    for part in segments:
        bits = Bits(part)
        kind = _segment_of(bits.integer(3))
        if kind in seen:
            raise ConsentStringUndecodable("segment_twice")
        seen.add(kind)
        match kind:
            case Segment.DISCLOSED_VENDORS:
                disclosed = _vendors(bits)
            case Segment.ALLOWED_VENDORS:
                allowed = _vendors(bits)
            case _:
                publisher = _publisher(bits)
    return _core(Bits(core), disclosed, allowed, publisher)


def _segment_of(number: int) -> Segment:
    if number not in (Segment.DISCLOSED_VENDORS, Segment.ALLOWED_VENDORS, Segment.PUBLISHER_TC):
        raise ConsentStringUndecodable("segment_unknown")
    return Segment(number)


def _core(
    bits: Bits, disclosed: Vendors | None, allowed: Vendors | None, publisher: PublisherChoices | None
) -> TcString:
    version = bits.integer(6)
    if version != 2:
        raise ConsentStringUndecodable("version_unknown")
    return TcString(  # read in the order of the fields: keyword arguments are evaluated as they stand
        version=version,
        created=_moment(bits),
        last_updated=_moment(bits),
        cmp_id=bits.integer(12),
        cmp_version=bits.integer(12),
        consent_screen=bits.integer(6),
        language=bits.letters(),
        vendor_list_version=bits.integer(12),
        policy_version=bits.integer(6),
        is_service_specific=bits.flag(),
        uses_non_standard_texts=bits.flag(),
        special_features=bits.members(_FEATURES),
        purpose_consents=bits.members(_PURPOSES),
        purpose_legitimate_interests=bits.members(_PURPOSES),
        purpose_one_treatment=bits.flag(),
        publisher_country=bits.letters(),
        vendor_consents=_vendors(bits),
        vendor_legitimate_interests=_vendors(bits),
        restrictions=tuple(_restriction(bits) for _ in range(bits.integer(12))),
        disclosed=disclosed,
        allowed=allowed,
        publisher=publisher,
    )


def _moment(bits: Bits) -> Instant:
    """36 bits of tenths of a second since 1970."""
    tenths = bits.integer(36)
    return datetime.fromtimestamp(tenths // 10, UTC).replace(microsecond=tenths % 10 * 100_000)


def _vendors(bits: Bits) -> Vendors:
    """The highest id, then either one bit an id or ranges."""
    highest = bits.integer(16)
    if bits.flag():
        found = _ranges(bits)
        if found.mask.bit_length() > highest + 1:
            raise ConsentStringUndecodable("vendor_above_maximum")
        return found
    field = bits.integer(highest)
    # The first bit is vendor 1; in the mask vendor n is bit n.
    return Vendors(int(f"{field:0{highest}b}"[::-1], 2) << 1 if highest else 0)


def _ranges(bits: Bits) -> Vendors:
    mask = 0
    for _ in range(bits.integer(12)):
        is_range = bits.flag()
        first = bits.integer(16)
        last = bits.integer(16) if is_range else first
        if first < 1 or last < first:
            raise ConsentStringUndecodable("range_backwards")
        mask |= ((1 << (last - first + 1)) - 1) << first
    return Vendors(mask)


def _restriction(bits: Bits) -> PublisherRestriction:
    purpose, kind = bits.integer(6), bits.integer(2)
    return PublisherRestriction(purpose, Restriction(kind), _ranges(bits))


def _publisher(bits: Bits) -> PublisherChoices:
    consents, interests = bits.members(_PURPOSES), bits.members(_PURPOSES)
    custom = bits.integer(6)
    return PublisherChoices(consents, interests, bits.members(custom), bits.members(custom))
