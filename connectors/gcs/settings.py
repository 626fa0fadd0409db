"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.formats.bucket_settings import BUCKET_PROPERTIES, BucketTerms, read_terms
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final = config_schema(
    {
        **BUCKET_PROPERTIES,
        "endpoint": {"type": "string", "minLength": 1, "title": "Address of the service, if it is not Google's"},
        "anonymous": {"type": "boolean", "title": "Ask without credentials: public buckets and emulators"},
    },
    required=("bucket",),
)
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The configuration of one bucket."""

    terms: BucketTerms
    endpoint: str | None = None
    anonymous: bool = False


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing bucket or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    terms = read_terms(given, "gcs")
    endpoint = given.text("endpoint")
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        raise Misconfigured("endpoint", "malformed")
    return Settings(terms, endpoint, given.flag("anonymous"))
