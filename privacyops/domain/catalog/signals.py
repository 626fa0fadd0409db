"""Opt-out signals and ages of consent by jurisdiction, from signals.yaml and ages.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from privacyops.domain.catalog.plain_yaml import parse_plain_yaml


@dataclass(frozen=True, slots=True)
class SignalDuties:
    """Where a browser's opt-out signal binds by law, and how many months nobody may be asked again after it."""

    duty: frozenset[str]
    pause_months: Mapping[str, int]


@cache
def signal_duties() -> SignalDuties:
    """Raises: TextMalformed: the file that is shipped is broken."""
    body = _read("signals.yaml")
    return SignalDuties(frozenset(body["duty"]), {place: int(months) for place, months in body["pause_months"].items()})


@cache
def ages_of_consent() -> tuple[int, Mapping[str, int]]:
    """The age from which a person consents alone: where nothing is said, and by country, in years."""
    body = _read("ages.yaml")
    return int(body["elsewhere"]), {place: int(age) for place, age in body["limits"].items()}


def age_of_consent(jurisdiction: str | None) -> int:
    """The age in a jurisdiction (`DE`, `US-CA`); the strictest one where it is not known."""
    elsewhere, limits = ages_of_consent()
    return limits.get((jurisdiction or "").partition("-")[0], elsewhere)


def _read(name: str) -> dict[str, Any]:
    text = files("privacyops.domain.catalog").joinpath(name).read_text(encoding="utf-8")
    body: dict[str, Any] = parse_plain_yaml(text)
    return body
