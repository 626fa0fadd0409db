"""The connector's card, its configuration, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.mailbox.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.mailbox.writing import MailboxStore


class MailboxConnector:
    """Stateless; every store it opens has a connection of its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="mailbox",
            title="Mailbox (IMAP)",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("password", "hash_key"),
            extra="mailbox",
            docs="docs/connectors/mailbox.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "MailboxStore":
        """A store that signs in on its first call.

        Raises: Misconfigured: the configuration cannot be right.
        """
        from connectors.mailbox.writing import MailboxStore  # noqa: PLC0415 - the driver is loaded on the first open

        return MailboxStore(read_settings(config), secrets)
