"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.formats.bucket_settings import BUCKET_PROPERTIES, BucketTerms, read_terms, text_setting
from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["bucket"],
    "properties": {
        **BUCKET_PROPERTIES,
        "endpoint": {"type": "string", "minLength": 1, "title": "Address of the service, if it is not Google's"},
        "anonymous": {"type": "boolean", "title": "Ask without credentials: public buckets and emulators"},
    },
}
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The configuration of one bucket."""

    terms: BucketTerms
    endpoint: str | None = None
    anonymous: bool = False


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing bucket or a value of the wrong type; names the key only."""
    terms = read_terms(config, CONFIG_SCHEMA, "gcs")
    endpoint, anonymous = text_setting(config, "endpoint"), config.get("anonymous", False)
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        raise Misconfigured("endpoint", "malformed")
    if not isinstance(anonymous, bool):
        raise Misconfigured("anonymous", "wrong_type")
    return Settings(terms, endpoint, anonymous)
