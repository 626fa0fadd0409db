"""The connector's card, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.gcs.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured, Secrets

if TYPE_CHECKING:
    from connectors.gcs.store import GcsStore


class GcsConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="gcs",
            title="Google Cloud Storage",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("credentials", "hash_key"),
            extra="gcs",
            docs="docs/connectors/gcs.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "GcsStore":
        """A store that asks the service on its first call.

        Raises: Misconfigured: the configuration cannot be right, or the extra is not installed.
        """
        settings = read_settings(config)
        try:
            from connectors.gcs.store import GcsStore  # noqa: PLC0415 - parsers and driver are loaded on the first open
        except ImportError:
            raise Misconfigured("extra:gcs", "missing_google_cloud_storage") from None
        return GcsStore(settings, secrets)
