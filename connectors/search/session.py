"""Requests to one cluster: each bounded by the call, counted, its refusal classed. No retries, no word in any log."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from opensearchpy import OpenSearch, exceptions

from connectors.formats.plain_text import refuse_plain_text
from connectors.search.settings import Settings
from privacyops.connector_sdk import Call, Json, Misconfigured, Retriable, Secrets, StoreRefusal, Terminal

LONGEST_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
_TALKERS: Final = ("opensearch", "opensearchpy.trace", "opensearchpy", "urllib3")


class Absent(Exception):
    """No such document."""


class Outdated(Exception):
    """The document is not in the state that the write was about."""


class Session:
    """Lazily made; the driver connects with each request or keeps a connection."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings, self._secrets = settings, secrets
        self._client: OpenSearch | None = None
        for name in _TALKERS:  # they tell requests with their bodies
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _made(self) -> OpenSearch:
        if self._client is None:
            address = self._address()
            if not address.startswith(("http://", "https://")):
                raise Misconfigured("url", "malformed")
            if address.startswith("http://"):
                refuse_plain_text("url", [_host_of(address)], self._settings.networks)
            given: dict[str, Any] = {"ca_certs": str(self._settings.ca_file)} if self._settings.ca_file else {}
            try:
                self._client = OpenSearch(
                    hosts=[address], max_retries=0, retry_on_timeout=False, http_compress=True, pool_maxsize=2, **given
                )
            except (ValueError, TypeError, OSError, exceptions.OpenSearchException):
                raise Misconfigured("url", "malformed") from None
        return self._client

    def _address(self) -> str:
        if self._settings.write:
            with suppress(Misconfigured):  # one address may serve both roles
                return self._secrets.get("write_url").get_secret_value()
        return self._secrets.get("url").get_secret_value()

    def ask(self, call: Call, method: str, path: tuple[str, ...], body: Json = None, **options: str | int) -> Any:
        """One request; parts of the path are escaped.

        Raises: Absent, Outdated; StoreRefusal: for whatever else the driver raises.
        """
        call.check()
        call.spend(requests=1)
        client = self._made()
        seconds = max(0.01, min(call.remaining(), LONGEST_SECONDS))
        address = "/" + "/".join(quote(part, safe="*,") for part in path)
        try:
            answer = client.transport.perform_request(
                method, address, params={**options, "request_timeout": seconds}, body=body
            )
        except exceptions.OpenSearchException as error:
            raise refusal_of(error) from None
        if not isinstance(answer, dict | list):  # its head was cut, so that nobody took it for JSON
            raise Retriable(None, "cut_short")
        return answer

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        raise Misconfigured("url", "malformed") from None


def refusal_of(
    error: exceptions.OpenSearchException,
) -> StoreRefusal | Absent | Outdated:
    """The class of what went wrong; never its text, which quotes documents."""
    if isinstance(error, exceptions.SSLError):
        return Misconfigured("ca_file", "certificate")
    if isinstance(error, exceptions.ConnectionError):
        return Retriable(None, "connection")
    if not isinstance(error, exceptions.TransportError):
        is_set_wrongly = isinstance(error, exceptions.ImproperlyConfigured)
        return Misconfigured("url", "malformed") if is_set_wrongly else Terminal("driver")
    status, kind = error.status_code, str(error.error)
    if status in {404, 409}:
        return (
            Outdated() if status == 409 else Terminal("unknown_collection") if "index_not_found" in kind else Absent()
        )
    if status == 401:
        return Misconfigured("url", "credentials")
    if status == 403:
        return Terminal("index_read_only") if "cluster_block" in kind else Misconfigured("url", "denied")
    if status == 429 or (isinstance(status, int) and status >= 500):
        return Retriable(timedelta(seconds=5) if status == 429 else None, "busy")
    return Terminal("unsorted" if _cannot_sort(error) else "refused")


def _cannot_sort(error: exceptions.TransportError) -> bool:
    """Whether the cluster refuses to sort by the field: `_id` may be closed for that."""
    info: object = error.info
    said = str(info.get("error", "")) if isinstance(info, Mapping) else ""
    return "fielddata" in said.lower() or "No mapping found" in said
