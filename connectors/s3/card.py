"""The connector's card, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.s3.settings import CONFIG_SCHEMA, SECRET_FIELDS, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.s3.store import S3Store


class S3Connector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="s3",
            title="Bucket (S3 protocol)",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=SECRET_FIELDS,
            extra="s3",
            docs="docs/connectors/s3.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "S3Store":
        """A store that asks the service on its first call.

        Raises: Misconfigured: the configuration cannot be right.
        """
        from connectors.s3.store import S3Store  # noqa: PLC0415 - the parsers are loaded on the first open

        return S3Store(read_settings(config), secrets)
