"""One connection to one database: opened when first needed, each round of commands bounded by the call and counted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as NotConnected,
)
from redis.exceptions import (
    TimeoutError as TookTooLong,
)
from redis.retry import Retry

from connectors.formats.plain_text import refuse_plain_text
from connectors.redis.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, StoreRefusal, Terminal

CONNECT_SECONDS: Final = 4.0
ANSWER_SECONDS: Final = 4.0
"""Between two pieces of an answer. A deadline cannot shorten it, so it is as long as the host is patient."""
_SETTING: Final = {"NOAUTH": "url", "WRONGPASS": "url", "NOPERM": "url", "DENIED": "url", "ERR DB index": "database"}
_LATER: Final = (
    "LOADING",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "UNBLOCKED",
)


class Session:
    """Lazily connected. No retries, no word in any log."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings, self._secrets = settings, secrets
        self._client: redis.Redis | None = None
        logging.getLogger("redis").setLevel(logging.CRITICAL)

    def _connected(self) -> redis.Redis:
        if self._client is None:
            try:
                client = redis.Redis.from_url(
                    self._address(),
                    socket_timeout=ANSWER_SECONDS,
                    socket_connect_timeout=CONNECT_SECONDS,
                    retry=Retry(NoBackoff(), 0),
                    decode_responses=False,
                    protocol=2,
                    max_connections=2,
                )
                given = client.connection_pool.connection_kwargs
                if self._settings.database is not None:  # it goes before the one in the address
                    given["db"] = self._settings.database
            except (ValueError, TypeError, RedisError):
                raise Misconfigured("url", "malformed") from None
            if given.get("ssl_cert_reqs", "required") != "required" or not given.get("ssl_check_hostname", True):
                raise Misconfigured("url", "certificate_not_checked")
            if issubclass(client.connection_pool.connection_class, redis.Connection) and not issubclass(
                client.connection_pool.connection_class, redis.SSLConnection
            ):
                refuse_plain_text("url", [given.get("host", "localhost")], self._settings.networks)
            self._client = client
        return self._client

    def _address(self) -> str:
        if self._settings.write:
            with suppress(Misconfigured):  # one address may serve both roles
                return self._secrets.get("write_url").get_secret_value()
        return self._secrets.get("url").get_secret_value()

    @contextmanager
    def asking(self, call: Call) -> Iterator[redis.Redis]:
        """One round of commands. Raises: StoreRefusal: for whatever the driver raises."""
        call.check()
        call.spend(requests=1)
        client = self._connected()
        try:
            yield client
        except RedisError as error:
            raise refusal_of(error) from None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client.connection_pool.disconnect()
            self._client = None


def refusal_of(error: RedisError) -> StoreRefusal:
    """The class of what went wrong; never its text."""
    if isinstance(error, AuthenticationError | NoPermissionError):
        return Misconfigured("url", "credentials" if isinstance(error, AuthenticationError) else "denied")
    text = str(error)
    for beginning, setting in _SETTING.items():
        if text.startswith((beginning, beginning.removeprefix("ERR "))):
            return Misconfigured(setting, "refused")
    if isinstance(error, TookTooLong | NotConnected) or text.startswith(_LATER):
        return Retriable(None, "connection")
    if text.startswith("READONLY"):
        return Terminal("read_only")
    return Terminal("refused" if isinstance(error, ResponseError) else "driver")
