"""The connector's card, and the opening of a store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.redis.settings import CONFIG_SCHEMA, VERSION, read_settings
from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured, Secrets

if TYPE_CHECKING:
    from connectors.redis.store import RedisStore


class RedisConnector:
    """Stateless; every store it opens is its own."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="redis",
            title="Redis or Valkey",
            version=VERSION,
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            secret_fields=("url", "write_url", "hash_key"),
            extra="redis",
            docs="docs/connectors/redis.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "RedisStore":
        """A store that connects on its first call. The writing role uses `write_url`, or `url` if that is not set.

        Raises: Misconfigured: the configuration cannot be right, or the extra is not installed.
        """
        settings = read_settings(config)
        try:
            from connectors.redis.store import RedisStore  # noqa: PLC0415 - the driver is loaded on the first open
        except ImportError:
            raise Misconfigured("extra:redis", "missing_redis") from None
        return RedisStore(settings, secrets)
