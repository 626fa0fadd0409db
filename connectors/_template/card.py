"""The template's connector. Copy the folder, rename it, replace memory.py by your store."""

from collections.abc import Mapping
from typing import Final

from connectors._template.store import TemplateStore
from connectors._template.writing import WritingStore
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets
from privacyops.connector_sdk.configuration import Configuration, config_schema

CONFIG_SCHEMA: Final = config_schema({"server": {"type": "string", "minLength": 1, "title": "Server in this process"}})
"""What an operator may set: shown to people, checked by `Configuration`, and quoted where a value is refused."""


class TemplateConnector:
    """Stateless: `open` checks what it is given and connects to nothing."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="template",
            title="In-memory store",
            version="1.0",
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("password", "hash_key"),
            docs="docs/connectors/writing-one.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> TemplateStore:
        """Raises: Misconfigured: an unknown setting or a value of the wrong type."""
        given = Configuration(config, CONFIG_SCHEMA)
        return WritingStore(
            given.text("name", "template"), given.text("server", ""), secrets, write=given.flag("write")
        )
