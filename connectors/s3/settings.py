"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connectors.formats.bucket_settings import BUCKET_PROPERTIES, BucketTerms, read_terms
from connectors.formats.plain_text import NETWORKS, Network, read_networks, refuse_plain_text
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
SECRET_FIELDS: Final = ("access_key", "secret_key", "session_token", "hash_key")

CONFIG_SCHEMA: Final = config_schema(
    {
        **BUCKET_PROPERTIES,
        "region": {"type": "string", "minLength": 1, "title": "Region; default us-east-1"},
        "endpoint": {"type": "string", "minLength": 1, "title": "Address of the service, if it is not Amazon's"},
        "path_style": {"type": "boolean", "title": "Name of the bucket in the path instead of the host"},
        "networks": NETWORKS,
    },
    required=("bucket",),
)
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?/?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The configuration of one bucket."""

    terms: BucketTerms
    region: str = "us-east-1"
    endpoint: str | None = None
    path_style: bool = False
    networks: tuple[Network, ...] = ()

    def refuse_plain_text(self) -> None:
        """Before each client. Raises: Misconfigured: without TLS the service is not where it may be."""
        if self.endpoint is not None and self.endpoint.startswith("http://"):
            refuse_plain_text("endpoint", [urlsplit(self.endpoint).hostname], self.networks)


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing bucket or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    terms = read_terms(given, "s3")
    endpoint = given.text("endpoint")
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        raise Misconfigured("endpoint", "malformed")
    networks = read_networks(given)
    path_style = given.flag("path_style", default=endpoint is not None)
    region = given.text("region", Settings.region)
    if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        raise Misconfigured("region", "malformed")
    found = Settings(terms, region, endpoint, path_style, networks)
    if not networks:
        found.refuse_plain_text()  # without a name being looked up
    return found
