"""Google Consent Mode v2: seven signals, answered from our purposes. Whatever is not a yes is `denied`.

Source: Google, Consent Mode developer guide: `default` before any tag, `update` after a choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.purpose import ANYWHERE, PurposeFlag, PurposeVersion, Regime

CHANNEL: Final = "web"
WAIT_MS: Final = 500
"""How long tags wait for the choice of a returning visitor before they act on the default."""


class Signal(StrEnum):
    AD_STORAGE = "ad_storage"
    AD_USER_DATA = "ad_user_data"
    AD_PERSONALIZATION = "ad_personalization"
    ANALYTICS_STORAGE = "analytics_storage"
    FUNCTIONALITY_STORAGE = "functionality_storage"
    PERSONALIZATION_STORAGE = "personalization_storage"
    SECURITY_STORAGE = "security_storage"


DEFAULT_MAP: Final[Mapping[Signal, str]] = {
    Signal.AD_STORAGE: "advertising",
    Signal.AD_USER_DATA: "advertising",
    Signal.AD_PERSONALIZATION: "advertising",
    Signal.ANALYTICS_STORAGE: "analytics",
    Signal.FUNCTIONALITY_STORAGE: "personalisation",
    Signal.PERSONALIZATION_STORAGE: "personalisation",
    Signal.SECURITY_STORAGE: "strictly_necessary",
}
"""Signal to purpose, where nothing else is configured."""


@dataclass(frozen=True, slots=True)
class ModeDefault:
    """One `default` command. `regions` empty: everywhere that no other command names."""

    regions: tuple[str, ...]
    states: Mapping[Signal, str]


def states(purpose_of: Mapping[Signal, str], allowed: Mapping[str, bool]) -> Mapping[Signal, str]:
    """Each signal as `granted` or `denied`. A signal without a purpose, or of one that is unknown, is denied."""
    granted = {signal for signal, purpose in purpose_of.items() if allowed.get(purpose, False)}
    return {signal: "granted" if signal in granted else "denied" for signal in Signal}


def defaults(purpose_of: Mapping[Signal, str], purposes: Mapping[str, PurposeVersion]) -> Sequence[ModeDefault]:
    """What holds before anybody chose: one command for everywhere, then one a group of regions that differ from it.

    Regions are those that a purpose's grounds name. Under `opt_out` silence is a yes there.
    """
    used = {key: purposes[key] for key in purpose_of.values() if key in purposes}
    regions = sorted({place for purpose in used.values() for place in purpose.grounds if place != ANYWHERE})
    everywhere = states(purpose_of, _silent(used, None))
    groups: dict[tuple[tuple[Signal, str], ...], list[str]] = {}
    for region in regions:
        there = states(purpose_of, _silent(used, region))
        if there != everywhere:
            groups.setdefault(tuple(there.items()), []).append(region)
    return [
        ModeDefault((), everywhere),
        *(ModeDefault(tuple(places), dict(there)) for there, places in groups.items()),
    ]


def _silent(purposes: Mapping[str, PurposeVersion], region: str | None) -> Mapping[str, bool]:
    """Whether each purpose goes ahead while nobody has said anything."""
    return {
        key: CHANNEL in purpose.channels
        and (purpose.has(PurposeFlag.STRICTLY_NECESSARY) or purpose.ground_in(region)[0].regime is Regime.OPT_OUT)
        for key, purpose in purposes.items()
    }
