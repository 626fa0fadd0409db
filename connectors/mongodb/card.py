"""The connector's card, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.mongodb.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured, Secrets

if TYPE_CHECKING:
    from connectors.mongodb.store import MongoStore


class MongoConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="mongodb",
            title="MongoDB",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("url", "write_url", "hash_key"),
            extra="mongodb",
            docs="docs/connectors/mongodb.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "MongoStore":
        """A store that connects on its first call. The writing role uses `write_url`, or `url` if that is not set.

        Raises: Misconfigured: the configuration cannot be right, or the extra is not installed.
        """
        settings = read_settings(config)
        try:
            from connectors.mongodb.store import MongoStore  # noqa: PLC0415 - the driver is loaded on the first open
        except ImportError:
            raise Misconfigured("extra:mongodb", "missing_pymongo") from None
        return MongoStore(settings, secrets)
