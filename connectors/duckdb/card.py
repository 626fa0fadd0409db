"""The connector's card, its configuration, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.duckdb.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.duckdb.writing import DuckdbStore


class DuckdbConnector:
    """Stateless; every store it opens has a connection of its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="duckdb",
            title="DuckDB and Parquet",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("hash_key",),
            extra="duckdb",
            docs="docs/connectors/duckdb.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "DuckdbStore":
        """A store that opens its file on its first call.

        Raises: Misconfigured: the configuration cannot be right.
        """
        from connectors.duckdb.writing import DuckdbStore  # noqa: PLC0415 - the driver is loaded on the first open

        return DuckdbStore(read_settings(config), secrets)
