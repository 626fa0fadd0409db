"""The one place that sends: bounded, rated, allow-listed, behind the address guard. Nothing of it is ever logged.

Requests go to the transport itself and not through an HTTP client, since clients log addresses, and addresses hold
identifiers.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx

from connectors.rest.calls import Exchange
from connectors.rest.forbidden import forbidden_of, joined
from connectors.rest.manifests import shipped_rules
from connectors.rest.naming import secret_references
from connectors.rest.rates import Clocks, Rates, pause_of
from connectors.rest.refusals import Answer, judged
from connectors.rest.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, Terminal
from privacyops.connector_sdk.declarative import OAuth2
from privacyops.connector_sdk.guard import Caps, Guard, GuardedTransport

MOST_BYTES: Final = 32_000_000
WAITS: Final = 5.0
"""Seconds that a call waits for its turn; longer pauses are the host's."""
_TOLD: Final = re.compile(r"\$\{secret:([a-z_]+)\}|\{([a-z][a-z0-9_]*)\}")
Transport = Callable[[Settings], httpx.BaseTransport]


def guarded(settings: Settings) -> httpx.BaseTransport:
    """The transport of real life: one host name, checked and pinned at each connection."""
    seconds = settings.manifest.client.timeout.total_seconds()
    return GuardedTransport(_guard(settings), Caps(seconds, seconds, MOST_BYTES))


def _guard(settings: Settings) -> Guard:
    parts = urlsplit(settings.base_url)
    schemes = frozenset({"https", "http"} if settings.networks else {"https"})
    ports = {443, parts.port or (443 if parts.scheme == "https" else 80)}
    return Guard(schemes, frozenset(ports), settings.networks)


class Wire:
    """Sends for one open store. Safe for one thread at a time, as the host asks."""

    def __init__(self, settings: Settings, secrets: Secrets, transport: Transport, clocks: Clocks) -> None:
        manifest = settings.manifest
        self._settings, self._secrets, self._transport, self._clocks = settings, secrets, transport, clocks
        self._open: httpx.BaseTransport | None = None
        rules = manifest.rate if isinstance(manifest.rate, tuple) else (manifest.rate,)
        self._rates = Rates.of(rules, clocks)
        self._forbidden = joined(forbidden_of((manifest.forbid,)), shipped_rules(manifest))
        self._credential = next(iter(secret_references(manifest)), "secret")
        self._token: tuple[str, float] | None = None

    def send(self, call: Call, exchange: Exchange) -> Answer:
        """One exchange, judged. Raises: every class of `connector_sdk.errors`."""
        answer = self._sent(call, exchange)
        if answer.status == 401 and self._token is not None:
            self._token = None  # it ended early: a new one is fetched once
            answer = self._sent(call, exchange)
        pause = pause_of(answer.headers.get("retry-after", ""), answer.headers.get("date", ""), self._clocks.wall())
        if answer.status in {429, 503} and pause is not None:
            self._rates.hold(exchange.bucket, pause)
        return judged(answer, self._settings.manifest.errors, pause, self._credential)

    def download(self, call: Call, address: str) -> bytes:
        """A file at an address the service named: on its own host, or on one the manifest lists.

        Raises: Terminal: another host, or no address at all.
        """
        try:
            url = self._absolute(address)
            host = (urlsplit(url).hostname or "").lower()
            own = _origin(url) == _origin(self._settings.base_url)
            if not own and host not in self._settings.manifest.client.file_hosts:
                raise Terminal("other_host")
            request = httpx.Request("GET", url, headers=self._headers(call) if own else {})
        except (ValueError, httpx.InvalidURL):
            raise Terminal("bad_address") from None
        with self._exchanged(call, request, "default") as response:
            judged(Answer(response.status_code), (), None, self._credential)
            if response.status_code != 200:
                raise Terminal("file_gone")
            return response.content

    def close(self) -> None:
        """Frees every socket. May be called twice."""
        if self._open is not None:
            self._open.close()
        self._open = None

    # --- inside ---------------------------------------------------------------------------------------------

    def _sent(self, call: Call, exchange: Exchange) -> Answer:
        names = [name for name, _ in exchange.query]
        if self._forbidden.in_request(exchange.path, names, exchange.body):
            raise Terminal("forbidden")
        url = self._settings.address(exchange.via) + exchange.path
        if exchange.query:
            url += "?" + urlencode(exchange.query, quote_via=quote)
        content, kind = self._content(exchange.body)
        headers = {**self._headers(call, exchange.via), **dict(exchange.headers), **kind}
        request = httpx.Request(exchange.method, url, headers=headers, content=content)
        with self._exchanged(call, request, exchange.bucket) as response:
            return Answer(response.status_code, _parsed(response), _plain_headers(response))

    def _content(self, body: Any) -> tuple[bytes | None, dict[str, str]]:
        if body is None:
            return None, {}
        if self._settings.manifest.client.encoding == "form":
            return urlencode(_pairs(body)).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}

    @contextmanager
    def _exchanged(self, call: Call, request: httpx.Request, bucket: str) -> Iterator[httpx.Response]:
        call.check()
        self._take_turn(call, bucket)
        call.check()
        call.spend(requests=1)
        if self._open is None:
            self._open = self._transport(self._settings)
        response: httpx.Response | None = None
        try:
            response = self._open.handle_request(request)
            response.read()
            call.spend(bytes=len(response.content))
            yield response
        except httpx.TimeoutException:
            raise Retriable(None, "timeout") from None
        except httpx.HTTPError:
            raise Retriable(None, "connection") from None
        finally:
            if response is not None:
                response.close()

    def _take_turn(self, call: Call, bucket: str) -> None:
        waited = 0.0
        while (wait := self._rates.wait_time(bucket)) > 0:
            waited += wait
            if waited > min(WAITS, call.remaining()):
                raise Retriable(timedelta(seconds=wait), "rate")
            self._clocks.sleep(wait)

    def _headers(self, call: Call, via: str = "") -> dict[str, str]:
        manifest = self._settings.manifest
        client = manifest.clients[via] if via else manifest.client
        auth = client.auth
        found = {name: self._told(text) for name, text in client.headers.items()}
        if auth.bearer is not None:
            found["Authorization"] = f"Bearer {self._told(auth.bearer)}"
        elif auth.basic is not None:
            pair = httpx.BasicAuth(self._told(auth.basic.user), self._told(auth.basic.password))
            found["Authorization"] = next(pair.auth_flow(httpx.Request("GET", "https://none.invalid"))).headers[
                "Authorization"
            ]
        elif auth.header is not None:
            found[auth.header.name] = self._told(auth.header.value)
        else:
            found["Authorization"] = f"Bearer {self._access_token(call, auth.oauth2_client)}"
        return {"Accept": "application/json", "User-Agent": "privacyops", **found}

    def _access_token(self, call: Call, auth: OAuth2 | None) -> str:
        now = self._clocks.steady()
        if self._token is not None and now < self._token[1]:
            return self._token[0]
        if auth is None:
            raise Misconfigured("manifest", "auth")
        form = {
            "grant_type": "client_credentials",
            "client_id": self._told(auth.id),
            "client_secret": self._told(auth.secret),
        }
        if auth.scope:
            form["scope"] = auth.scope
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = httpx.Request("POST", self._told(auth.token_url), headers=headers, content=urlencode(form).encode())
        with self._exchanged(call, request, "default") as response:
            answer = Answer(response.status_code, _parsed(response))
        if answer.status in {400, 401, 403}:
            raise Misconfigured(self._credential, "refused")
        judged(answer, (), None, self._credential)
        token, lives = answer.body.get("access_token"), answer.body.get("expires_in", 300)
        if not isinstance(token, str) or not isinstance(lives, int | float):
            raise Terminal("no_token")
        self._token = (token, now + max(0.0, float(lives) - 30.0))
        return token

    def _told(self, text: str) -> str:
        """A text of the manifest with secrets and settings in their places."""
        settings = self._settings

        def put(hole: "re.Match[str]") -> str:
            if hole[1]:
                return self._secrets.get(hole[1]).get_secret_value()
            return str(settings.region.get(hole[2], settings.config.get(hole[2], hole[0])))

        told = _TOLD.sub(put, text)
        if not told.isascii() or not told.isprintable():
            raise Misconfigured(self._credential, "not_ascii")
        return told

    def _absolute(self, address: str) -> str:
        parts = urlsplit(self._settings.base_url)
        return f"{parts.scheme}://{parts.netloc}{address}" if address.startswith("/") else address


def _parsed(response: httpx.Response) -> Any:
    """The JSON of an answer; None where there is none. Raises: Retriable: it was cut, or is something else."""
    if not response.content.strip():
        return None
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        if response.status_code >= 300:
            return None
        raise Retriable(None, "garbled") from None


def _plain_headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _pairs(body: Any, inside: str = "") -> list[tuple[str, str]]:
    """A body as a form: lists repeat their name, members of members stand in brackets."""
    found: list[tuple[str, str]] = []
    for name, part in body.items():
        path = f"{inside}[{name}]" if inside else name
        if isinstance(part, dict):
            found.extend(_pairs(part, path))
        elif isinstance(part, list):
            found.extend((path, _spelled(each)) for each in part)
        else:
            found.append((path, _spelled(part)))
    return found


def _spelled(value: Any) -> str:
    return "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port
