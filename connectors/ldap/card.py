"""The connector's card, its configuration, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.ldap.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.ldap.writing import DirectoryStore


class LdapConnector:
    """Stateless; every store it opens has a connection of its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="ldap",
            title="Directory (LDAP)",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("password", "hash_key"),
            extra="ldap",
            docs="docs/connectors/ldap.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "DirectoryStore":
        """A store that binds on its first call.

        Raises: Misconfigured: the configuration cannot be right.
        """
        from connectors.ldap.writing import DirectoryStore  # noqa: PLC0415 - the driver is loaded on the first open

        return DirectoryStore(read_settings(config), secrets)
