"""The connector's card, and the opening of a service."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Secrets

if TYPE_CHECKING:
    from connectors.rest.rates import Clocks
    from connectors.rest.wire import Transport
    from connectors.rest.writing import RestStore

VERSION: Final = "1.0"
SECRETS: Final = ("token", "api_key", "key", "secret", "password", "client_id", "client_secret", "signing_secret")
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "service": {"type": "string", "minLength": 1, "title": "A service this connector ships a manifest for"},
        "manifest": {"type": "string", "minLength": 1, "title": "A manifest of your own, as an absolute path"},
        "settings": {"type": "object", "title": "What the manifest asks for, secrets aside"},
        "networks": {
            "type": "array",
            "items": {"type": "string"},
            "title": "Private networks the service may lie in; also permits http",
        },
        "scan": {"type": "boolean", "title": "Read lists to their end for what the service cannot be asked"},
    },
}


class RestConnector:
    """Stateless; every store it opens is its own. Transport and clocks are handed in by tests."""

    def __init__(self, transport: "Transport | None" = None, clocks: "Clocks | None" = None) -> None:
        self._transport, self._clocks = transport, clocks

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="rest",
            title="Web service by manifest",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=(*SECRETS, "hash_key"),
            docs="docs/connectors/rest.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "RestStore":
        """A store that calls nothing yet.

        Raises: Misconfigured: an unknown setting, a manifest that is refused, or a value that cannot be right.
        """
        from connectors.rest.rates import Clocks  # noqa: PLC0415 - httpx and YAML are loaded on the first open
        from connectors.rest.settings import read_settings  # noqa: PLC0415 - as above
        from connectors.rest.wire import guarded  # noqa: PLC0415 - as above
        from connectors.rest.writing import RestStore  # noqa: PLC0415 - as above

        known = CONFIG_SCHEMA["properties"]
        settings = read_settings(config, known if isinstance(known, Mapping) else {})
        return RestStore(settings, secrets, self._transport or guarded, self._clocks or Clocks())
