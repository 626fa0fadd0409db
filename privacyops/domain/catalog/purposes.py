"""The purposes that a first start installs, from purposes.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from privacyops.domain.catalog.plain_yaml import parse_plain_yaml
from privacyops.domain.purpose import PurposeVersion


@dataclass(frozen=True, slots=True)
class ShippedCatalogue:
    """What a controller starts with: channels, one brand, purposes in their first version."""

    channels: Sequence[str]
    brand: str
    brand_title: str
    purposes: Sequence[PurposeVersion]


@cache
def shipped_catalogue() -> ShippedCatalogue:
    """Raises: PurposeMalformed, TextMalformed: the file that is shipped is broken."""
    body = parse_plain_yaml(files("privacyops.domain.catalog").joinpath("purposes.yaml").read_text(encoding="utf-8"))
    return ShippedCatalogue(
        channels=tuple(body["channels"]),
        brand=body["brand"]["key"],
        brand_title=body["brand"]["title"],
        purposes=tuple(PurposeVersion.of_json(purpose) for purpose in body["purposes"]),
    )
