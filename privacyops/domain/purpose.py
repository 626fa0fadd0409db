"""Purposes: what something is done for, by which right, over which channels, for how long.

A published version never changes; a new wording, channel or basis is a new version.

Source: GDPR Art. 5(1)(b), 6, 9; Directive 2002/58/EC Art. 5(3), 13(2); W3C DPV for the category names.
"""

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from privacyops.domain.handling import Handling, HandlingMalformed
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

ANYWHERE: Final = "*"
CHANNELS: Final = ("email", "sms", "phone", "push", "post", "messenger", "web")
"""The channels every installation has; `web` is storing or reading on the device. Others are configured."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PERIOD: Final = re.compile(r"P(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")


class PurposeMalformed(Unprocessable):
    type = "/problems/purpose-malformed"
    title = "This is not a purpose; the detail names the rule"


class LegalBasis(StrEnum):
    """Why the processing is lawful."""

    CONSENT = "consent"
    EXPLICIT_CONSENT = "explicit_consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"
    SOFT_OPT_IN = "soft_opt_in"
    STRICTLY_NECESSARY = "strictly_necessary"


BASIS_CODE: Final[Mapping[LegalBasis, str]] = {
    LegalBasis.CONSENT: "A6-1-a",
    LegalBasis.EXPLICIT_CONSENT: "A9-2-a",
    LegalBasis.CONTRACT: "A6-1-b",
    LegalBasis.LEGAL_OBLIGATION: "A6-1-c",
    LegalBasis.VITAL_INTERESTS: "A6-1-d",
    LegalBasis.PUBLIC_TASK: "A6-1-e",
    LegalBasis.LEGITIMATE_INTERESTS: "A6-1-f",
    LegalBasis.SOFT_OPT_IN: "ePrivacy-13-2",
    LegalBasis.STRICTLY_NECESSARY: "ePrivacy-5-3",
}
"""The short form that a leaf holds."""


class Regime(StrEnum):
    """What silence means: no, yes, or nothing, because the basis is not consent."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NONE = "none"


class PurposeScope(StrEnum):
    """Whether a choice counts for one storefront or for all of the controller's."""

    BRAND = "brand"
    CONTROLLER = "controller"


class OutdatedPolicy(StrEnum):
    """What the check answers to a grant given under an older notice, once a material change was published."""

    DENY = "deny"
    ALLOW = "allow"


class PurposeFlag(StrEnum):
    DIRECT_MARKETING = "direct_marketing"
    GPC_COVERED = "gpc_covered"
    SPECIAL_CATEGORY = "special_category"
    SERVICE_MESSAGE = "service_message"
    STRICTLY_NECESSARY = "strictly_necessary"


@dataclass(frozen=True, slots=True)
class Ground:
    """By which right, and what silence means, in one jurisdiction.

    `gpc_override`: an explicit opt-in after an opt-out signal is permitted here (needs counsel).
    """

    basis: LegalBasis
    regime: Regime
    gpc_override: bool = False


UNKNOWN_GROUND: Final = Ground(LegalBasis.CONSENT, Regime.OPT_IN)
"""Where the catalogue says nothing, silence is a no."""
UNKNOWN_SPECIAL: Final = Ground(LegalBasis.EXPLICIT_CONSENT, Regime.OPT_IN)
"""The same for special categories of data, for which no other consent counts."""


@dataclass(frozen=True, slots=True)
class Period:
    """A length in calendar months and days, as ISO 8601 writes it (`P24M`, `P1Y6M`, `P90D`)."""

    months: int
    days: int

    @staticmethod
    @lru_cache(maxsize=256)  # each grant asks for that of its purpose
    def parse(text: str) -> "Period":
        """Raises: PurposeMalformed: not a period of whole years, months, weeks and days, or of no length."""
        found = _PERIOD.fullmatch(text)
        years, months, weeks, days = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
        period = Period(12 * years + months, 7 * weeks + days)
        if period == Period(0, 0):
            raise PurposeMalformed("a period is written as in P24M and is not empty")
        return period

    def after(self, start: Instant) -> Instant:
        """`start` plus the period in UTC; a missing day becomes the month's last."""
        month = start.month - 1 + self.months
        year, month = start.year + month // 12, month % 12 + 1
        day = min(start.day, calendar.monthrange(year, month)[1])
        return start.replace(year=year, month=month, day=day) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class PurposeVersion:
    """One published version. Jurisdictions are ISO 3166 codes (`DE`, `US-CA`) or `*`.

    `confirmed_in` says where a channel needs double opt-in. `is_material` and its reason are a person's
    judgement on whether older grants still cover this version; `judged_by` names that person.
    `is_retired`: nothing is done for this purpose any more and nobody is asked, until a later version says otherwise.

    Raises: PurposeMalformed: see `_broken_rule`.
    """

    key: str
    version: int
    titles: Mapping[str, str]
    channels: frozenset[str]
    grounds: Mapping[str, Ground]
    scope: PurposeScope = PurposeScope.BRAND
    flags: frozenset[PurposeFlag] = frozenset()
    confirmed_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    valid_for: str | None = None
    on_notice_outdated: OutdatedPolicy = OutdatedPolicy.DENY
    dpv: str | None = None
    data_categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    retention: str | None = None
    handling: Handling = field(default_factory=Handling)
    is_material: bool = True
    material_reason: str = ""
    judged_by: str = ""
    is_retired: bool = False

    def __post_init__(self) -> None:
        broken = _broken_rule(self)
        if broken:
            raise PurposeMalformed(broken)
        if self.valid_for is not None:
            Period.parse(self.valid_for)

    def ground_in(self, *jurisdictions: str | None) -> tuple[Ground, str | None]:
        """The ground in the first jurisdiction that is known, and that jurisdiction.

        Pass those of the check, the subject and the brand, in this order. `US-CA` falls back to `US`; where none
        is named, `*` answers; where that is missing too, silence is a no.
        """
        named = next((code for code in jurisdictions if code), None)
        for code in (named, named.partition("-")[0] if named else None, ANYWHERE):
            if code and code in self.grounds:
                return self.grounds[code], named
        return (UNKNOWN_SPECIAL if self.has(PurposeFlag.SPECIAL_CATEGORY) else UNKNOWN_GROUND), named

    def needs_confirmation(self, channel: str, jurisdiction: str | None) -> bool:
        """Whether a grant over `channel` counts only after the contact's owner confirmed it."""
        places = self.confirmed_in.get(channel, frozenset())
        codes = (jurisdiction, jurisdiction.partition("-")[0] if jurisdiction else None, ANYWHERE)
        return any(code in places for code in codes if code)

    def valid_until(self, occurred_at: Instant) -> Instant | None:
        """When a grant of this moment ends; None: it does not end by itself."""
        return Period.parse(self.valid_for).after(occurred_at) if self.valid_for else None

    def has(self, flag: PurposeFlag) -> bool:
        return flag in self.flags

    @property
    def ignores_stops(self) -> bool:
        """Whether a marketing stop leaves this purpose alone: messages the contract needs, storage without which
        the service asked for does not work."""
        return bool(self.flags & {PurposeFlag.SERVICE_MESSAGE, PurposeFlag.STRICTLY_NECESSARY})

    def to_json(self) -> dict[str, Any]:
        """Strings, integers and lists only, so that a digest over it has one form."""
        body: dict[str, Any] = {
            "key": self.key,
            "version": self.version,
            "titles": dict(self.titles),
            "channels": sorted(self.channels),
            "grounds": {
                place: {
                    "basis": str(ground.basis),
                    "regime": str(ground.regime),
                    "gpc_override": "yes" if ground.gpc_override else "no",
                }
                for place, ground in self.grounds.items()
            },
            "scope": str(self.scope),
            "flags": sorted(self.flags),
            "confirmed_in": {channel: sorted(places) for channel, places in self.confirmed_in.items()},
            "on_notice_outdated": str(self.on_notice_outdated),
            "data_categories": list(self.data_categories),
            "recipients": list(self.recipients),
            "material": "yes" if self.is_material else "no",
            "material_reason": self.material_reason,
        }
        optional = {
            "valid_for": self.valid_for,
            "dpv": self.dpv,
            "retention": self.retention,
            "handling": self.handling.to_json() or None,
            "judged_by": self.judged_by or None,
            "retired": "yes" if self.is_retired else None,
        }
        return body | {name: value for name, value in optional.items() if value is not None}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "PurposeVersion":
        """The version that `to_json` or a catalogue file wrote. Raises: PurposeMalformed."""
        try:
            return cls(
                key=body["key"],
                version=body["version"],
                titles=dict(body["titles"]),
                channels=frozenset(body["channels"]),
                grounds={place: _ground(ground) for place, ground in body["grounds"].items()},
                scope=PurposeScope(body.get("scope", "brand")),
                flags=frozenset(PurposeFlag(flag) for flag in body.get("flags", ())),
                confirmed_in={channel: frozenset(at) for channel, at in body.get("confirmed_in", {}).items()},
                valid_for=body.get("valid_for"),
                on_notice_outdated=OutdatedPolicy(body.get("on_notice_outdated", "deny")),
                dpv=body.get("dpv"),
                data_categories=tuple(body.get("data_categories", ())),
                recipients=tuple(body.get("recipients", ())),
                retention=body.get("retention"),
                handling=Handling.of_json(body.get("handling", {})),
                is_material=body.get("material", "yes") == "yes",
                material_reason=body.get("material_reason", ""),
                judged_by=body.get("judged_by", ""),
                is_retired=body.get("retired", "no") == "yes",
            )
        except KeyError as missing:
            raise PurposeMalformed(f"the member {missing} is missing") from None
        except HandlingMalformed as refusal:
            raise PurposeMalformed(str(refusal)) from None
        except (TypeError, ValueError, AttributeError):
            raise PurposeMalformed("a member has a value that is not allowed there") from None


def _ground(body: Mapping[str, Any]) -> Ground:
    return Ground(LegalBasis(body["basis"]), Regime(body["regime"]), body.get("gpc_override", "no") == "yes")


def _broken_rule(purpose: PurposeVersion) -> str | None:
    """The first rule that a version breaks, in words; None when it breaks none."""
    if not _KEY.fullmatch(purpose.key) or purpose.version < 1:
        return "a purpose has a key in small letters, digits and underscores, and a version from 1"
    if not purpose.titles or not all(purpose.titles.values()):
        return "a purpose has a title in at least one language"
    if not purpose.channels or not all(_KEY.fullmatch(channel) for channel in purpose.channels):
        return "a purpose names at least one channel"
    if not purpose.grounds:
        return "a purpose names its legal basis, at least for *"
    if not {*purpose.handling.optional, *purpose.handling.special} <= set(purpose.data_categories):
        return "optional and special data are among the data categories of the purpose"
    if not set(purpose.confirmed_in) <= purpose.channels:
        return "double opt-in is asked for a channel that the purpose does not use"
    if purpose.has(PurposeFlag.SPECIAL_CATEGORY) and any(
        ground.basis is LegalBasis.CONSENT for ground in purpose.grounds.values()
    ):
        return "special categories of data need explicit_consent wherever the basis is consent"
    return next(filter(None, (_broken_ground(place, ground) for place, ground in purpose.grounds.items())), None)


def _broken_ground(place: str, ground: Ground) -> str | None:
    asks = ground.basis in (LegalBasis.CONSENT, LegalBasis.EXPLICIT_CONSENT)
    if ground.regime is Regime.NONE and asks:
        return "where the basis is consent, silence means yes or no: the regime cannot be none"
    if ground.regime is Regime.OPT_IN and not asks:
        return "a regime of opt_in means that the basis is consent"
    if ground.regime is Regime.OPT_OUT and ground.basis is LegalBasis.EXPLICIT_CONSENT:
        return "explicit consent is never silence: its regime is opt_in"
    if place == ANYWHERE and ground.regime is Regime.OPT_OUT:
        return "opt_out is named per jurisdiction: in an unknown one silence is a no"
    return None


def latest_material(versions: Iterable[PurposeVersion]) -> int:
    """The highest version that was judged a material change; 0 when there is none after the first."""
    return max((purpose.version for purpose in versions if purpose.is_material and purpose.version > 1), default=0)
