"""The template's connector. Copy the folder, rename it, replace memory.py by your store."""

from collections.abc import Mapping
from typing import Final

from connectors._template.store import TemplateStore
from connectors._template.writing import WritingStore
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured, Secrets

SETTINGS: Final[Mapping[str, type]] = {"name": str, "server": str, "write": bool}


class TemplateConnector:
    """Stateless: `open` checks what it is given and connects to nothing."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="template",
            title="In-memory store",
            version="1.0",
            api=API_VERSION,
            config_schema={
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "server": {"type": "string"},
                    "write": {"type": "boolean"},
                },
            },
            secret_fields=("password",),
            docs="docs/connectors/writing-one.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> TemplateStore:
        """Raises: Misconfigured: an unknown setting or a value of the wrong type."""
        for key, value in config.items():
            if key not in SETTINGS:
                raise Misconfigured(key, "unknown_setting")
            if not isinstance(value, SETTINGS[key]):
                raise Misconfigured(key, "wrong_type")
        return WritingStore(str(config.get("name", "template")), str(config.get("server", "")), secrets, config)
