"""The connector's card, its configuration, and the opening of a store. No driver is imported before `open`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.sql.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.sql.writing import SqlStore


class SqlConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="sql",
            title="Relational database",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("url", "write_url", "hash_key"),
            extra="mysql",
            docs="docs/connectors/sql.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "SqlStore":
        """A store that connects on its first call. The writing role uses `write_url`, or `url` if that is
        not set.

        Raises: Misconfigured: the configuration or the address cannot be right.
        """
        from connectors.sql.writing import SqlStore  # noqa: PLC0415 - SQLAlchemy is loaded on the first open only

        return SqlStore(read_settings(config), secrets)
