"""One connection to one database: opened when first needed, each request bounded by the call and counted."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pymongo
from pymongo import errors
from pymongo.database import Database

from connectors.formats.plain_text import refuse_plain_text
from connectors.mongodb.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, StoreRefusal, Terminal

Document = dict[str, Any]
CONNECT_SECONDS: Final = 4.0
LONGEST_SECONDS: Final = 60.0
_UNCHECKED: Final = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")
"""Options with which the driver would talk to whoever answers."""
_CREDENTIALS: Final = frozenset({18, 31, 33, 11})
"""Authentication failed; no such role, authentication mechanism, or user."""
_DENIED: Final = frozenset({13, 8000})
_TIMES_OUT: Final = frozenset({50, 24, 112, 89, 91, 189, 11600, 11602, 10107, 13435, 13436, 262})
"""Over its time, lock, write conflict, network, shutting down or stepping down."""
_INVALID: Final = frozenset({121, 11000, 66, 10003})
"""Validator, unique index, immutable field, capped collection."""


class Session:
    """Lazily connected. No retries, no word in any log."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings, self._secrets = settings, secrets
        self._client: pymongo.MongoClient[Document] | None = None
        self._is_reached = False
        logging.getLogger("pymongo").setLevel(logging.CRITICAL)  # it tells commands and replies

    def database(self) -> Database[Document]:
        """Raises: Misconfigured: the address cannot be one."""
        if self._client is None:
            try:
                address = self._address()
                options = {name.lower(): value for name, value in parse_qsl(urlsplit(address).query)}
                if any(options.get(name, "false").lower() != "false" for name in _UNCHECKED):
                    raise Misconfigured("url", "certificate_not_checked")
                if not _is_encrypted(address, options):
                    refuse_plain_text("url", _hosts(address), self._settings.networks)
                self._client = pymongo.MongoClient(
                    address,
                    serverSelectionTimeoutMS=int(CONNECT_SECONDS * 1000),
                    connectTimeoutMS=int(CONNECT_SECONDS * 1000),
                    socketTimeoutMS=int(LONGEST_SECONDS * 1000),
                    uuidRepresentation="standard",
                    tz_aware=True,
                    retryReads=False,
                    retryWrites=False,
                    maxPoolSize=2,
                    appname="privacyops",
                    unicode_decode_error_handler="replace",
                )
            except (errors.PyMongoError, ValueError, TypeError):
                raise Misconfigured("url", "malformed") from None
        return self._client[self._settings.database]

    def _address(self) -> str:
        if self._settings.write:
            with suppress(Misconfigured):  # one address may serve both roles
                return self._secrets.get("write_url").get_secret_value()
        return self._secrets.get("url").get_secret_value()

    @contextmanager
    def asking(self, call: Call) -> Iterator[Database[Document]]:
        """One request. Raises: StoreRefusal: for whatever the driver raises."""
        call.check()
        call.spend(requests=1)
        database = self.database()
        try:
            if not self._is_reached:  # a server that is not there should not take the whole time of a long call
                with pymongo.timeout(max(0.001, min(call.remaining(), CONNECT_SECONDS))):
                    database.command("ping")
                self._is_reached = True
            with pymongo.timeout(max(0.001, min(call.remaining(), LONGEST_SECONDS))):
                yield database
        except errors.PyMongoError as error:
            raise refusal_of(error) from None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client, self._is_reached = None, False


def _is_encrypted(address: str, options: Mapping[str, str]) -> bool:
    usual = "true" if address.startswith("mongodb+srv:") else "false"
    said = [options[name] for name in ("tls", "ssl") if name in options] or [usual]
    return all(one.lower() == "true" for one in said)


def _hosts(address: str) -> list[str]:
    """The hosts of an address without TLS. A path of a socket, always escaped, is this machine."""
    places = urlsplit(address).netloc.rpartition("@")[2].split(",")
    return ["localhost" if "%2f" in place.lower() else urlsplit(f"//{place}").hostname or "" for place in places]


def refusal_of(error: errors.PyMongoError) -> StoreRefusal:
    """The class of what went wrong; never its text, which quotes documents."""
    if isinstance(error, errors.OperationFailure):
        code = error.code or 0
        if code in _CREDENTIALS:
            return Misconfigured("url", "credentials")
        if code in _DENIED:
            return Misconfigured("url", "denied")
        if code in _TIMES_OUT or error.timeout:
            return Retriable(None, "busy")
        return Terminal("invalid" if code in _INVALID else "refused")
    if isinstance(error, errors.ConfigurationError | errors.InvalidURI):
        return Misconfigured("url", "malformed")
    if isinstance(error, errors.ConnectionFailure) or error.timeout:
        return Retriable(None, "connection")
    return Terminal("refused")
