"""The connector's card, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.search.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured, Secrets

if TYPE_CHECKING:
    from connectors.search.store import SearchStore


class SearchConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="search",
            title="OpenSearch or Elasticsearch",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("url", "write_url", "hash_key"),
            extra="search",
            docs="docs/connectors/search.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "SearchStore":
        """A store that connects on its first call. The writing role uses `write_url`, or `url` if that is not set.

        Raises: Misconfigured: the configuration cannot be right, or the extra is not installed.
        """
        settings = read_settings(config)
        try:
            from connectors.search.store import SearchStore  # noqa: PLC0415 - the driver is loaded on the first open
        except ImportError:
            raise Misconfigured("extra:search", "missing_opensearch") from None
        return SearchStore(settings, secrets)
