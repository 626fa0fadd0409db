"""The connector's card, its configuration, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.files.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.files.store import FilesStore


class FilesConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="files",
            title="Folder of files",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("hash_key",),
            extra="files",
            docs="docs/connectors/files.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "FilesStore":
        """A store that looks at the folder on its first call.

        Raises: Misconfigured: the configuration cannot be right.
        """
        from connectors.files.store import FilesStore  # noqa: PLC0415 - the parsers are loaded on the first open

        return FilesStore(read_settings(config), secrets)
