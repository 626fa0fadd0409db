"""GPP strings of the IAB Global Privacy Platform: the header, the US national section and the older US string.

Sections of other states are kept as they came and decide nothing. A section that cannot be read makes the whole
string undecodable: half a string must not look like a whole one.

Source: IAB Tech Lab, Global Privacy Platform (header, Fibonacci coding); US National section, version 1; US Privacy
String version 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from privacyops.domain.signals.bits import LONGEST, Bits, ConsentStringUndecodable
from privacyops.domain.signals.tcf import TcString, decode_tcf
from privacyops.ledger.leaf import Json

SECTION_NAMES: Final[Mapping[int, str]] = {
    2: "tcfeuv2", 5: "tcfcav1", 6: "uspv1", 7: "usnat", 8: "usca", 9: "usva", 10: "usco", 11: "usut", 12: "usct",
}  # fmt: skip
"""Section ids with a name of their own here; others are called by their number."""
_MOST_SECTIONS: Final = 64
_GPC_SEGMENT: Final = 1


class OptOut(IntEnum):
    """What a field of an opt-out says."""

    NOT_APPLICABLE = 0
    OPTED_OUT = 1
    DID_NOT_OPT_OUT = 2


@dataclass(frozen=True, slots=True)
class UsNational:
    """The US national section. `gpc` None: it has no such segment; notices: 1 given, 2 not given, 0 not applicable."""

    version: int
    notices: tuple[int, ...]
    sale: OptOut
    sharing: OptOut
    targeted_ads: OptOut
    sensitive_data: tuple[int, ...]
    known_child: tuple[int, ...]
    personal_data: int
    mspa: tuple[int, ...]
    gpc: bool | None

    @property
    def is_opted_out(self) -> bool:
        """Whether anything in it is a no to sale, sharing or targeted advertising; a browser's signal is one too."""
        return self.gpc is True or OptOut.OPTED_OUT in (self.sale, self.sharing, self.targeted_ads)

    def summary(self) -> Mapping[str, Json]:
        return {
            "version": self.version,
            "notices": list[Json](self.notices),
            "sale": self.sale.name.lower(),
            "sharing": self.sharing.name.lower(),
            "targeted_ads": self.targeted_ads.name.lower(),
            "sensitive_data": list[Json](self.sensitive_data),
            "known_child": list[Json](self.known_child),
            "personal_data": self.personal_data,
            "mspa": list[Json](self.mspa),
            "gpc": "absent" if self.gpc is None else "yes" if self.gpc else "no",
        }


@dataclass(frozen=True, slots=True)
class UsPrivacy:
    """The older four-letter string: version, then notice given, sale opted out, LSPA transaction as Y, N or -."""

    notice: str
    opted_out: str
    covered: str

    def summary(self) -> Mapping[str, Json]:
        return {"notice": self.notice, "opted_out": self.opted_out, "lspa": self.covered}


@dataclass(frozen=True, slots=True)
class GppString:
    """The sections by id, each decoded or as it came (`raw`)."""

    sections: tuple[int, ...]
    raw: Mapping[int, str]
    us_national: UsNational | None = None
    us_privacy: UsPrivacy | None = None
    tcf: TcString | None = None

    @property
    def is_opted_out(self) -> bool:
        """Whether a section that is read here says no to sale, sharing or targeted advertising."""
        national = self.us_national is not None and self.us_national.is_opted_out
        return national or (self.us_privacy is not None and self.us_privacy.opted_out == "Y")

    def summary(self) -> Mapping[str, Json]:
        """What is kept beside the string as evidence."""
        decoded: dict[str, Json] = {}
        for name, section in (("usnat", self.us_national), ("uspv1", self.us_privacy), ("tcfeuv2", self.tcf)):
            if section is not None:
                decoded[name] = dict(section.summary())
        names: list[Json] = [SECTION_NAMES.get(section, str(section)) for section in self.sections]
        return {"sections": names, "decoded": decoded, "opted_out": "yes" if self.is_opted_out else "no"}


def decode_gpp(text: str) -> GppString:
    """Read a GPP string. Raises: ConsentStringUndecodable."""
    if len(text) > LONGEST:
        raise ConsentStringUndecodable("too_long")
    header, *bodies = text.split("~")
    sections = _header(Bits(header))
    if len(sections) != len(bodies):
        raise ConsentStringUndecodable("sections_do_not_fit_header")
    raw = dict(zip(sections, bodies, strict=True))
    return GppString(
        sections,
        raw,
        us_national=_us_national(raw[7]) if 7 in raw else None,
        us_privacy=_us_privacy(raw[6]) if 6 in raw else None,
        tcf=decode_tcf(raw[2]) if 2 in raw else None,
    )


def _header(bits: Bits) -> tuple[int, ...]:
    if bits.integer(6) != 3:
        raise ConsentStringUndecodable("not_gpp")
    if bits.integer(6) != 1:
        raise ConsentStringUndecodable("version_unknown")
    found: list[int] = []
    last = 0
    for _ in range(bits.integer(12)):
        is_range = bits.flag()
        first = last + bits.fibonacci()
        last = first + (bits.fibonacci() if is_range else 0)
        if len(found) + last - first >= _MOST_SECTIONS:
            raise ConsentStringUndecodable("too_many_sections")
        found += range(first, last + 1)
    return tuple(found)


def _us_national(text: str) -> UsNational:
    core, *segments = text.split(".")
    bits = Bits(core)
    version = bits.integer(6)
    if version != 1:
        raise ConsentStringUndecodable("section_version_unknown")
    notices = bits.pairs(6)
    sale, sharing, targeted = (_opt_out(value) for value in bits.pairs(3))
    sensitive, child, (personal,), mspa = bits.pairs(12), bits.pairs(2), bits.pairs(1), bits.pairs(3)
    gpc: bool | None = None
    for part in segments:
        segment = Bits(part)
        if segment.integer(2) != _GPC_SEGMENT or gpc is not None:
            raise ConsentStringUndecodable("segment_unknown")
        gpc = segment.flag()
    return UsNational(version, notices, sale, sharing, targeted, sensitive, child, personal, mspa, gpc)


def _opt_out(value: int) -> OptOut:
    if value > OptOut.DID_NOT_OPT_OUT:
        raise ConsentStringUndecodable("value_undefined")
    return OptOut(value)


def _us_privacy(text: str) -> UsPrivacy:
    if len(text) != 4 or text[0] != "1" or not set(text[1:]) <= set("YN-"):
        raise ConsentStringUndecodable("not_us_privacy")
    return UsPrivacy(*text[1:])
