"""The address guard: no address typed by anybody reaches an internal service through this house.

Parse strictly -> resolve once -> every answer must pass -> connect to exactly that answer with the original Host
and SNI. No redirects, no proxy from the environment, caps on size and time. For webhooks, key sets of token
issuers, HTTP connectors and object stores alike.

The check sits in the network backend, below HTTP: what is checked is what is connected to, each time. The name is
resolved by the operating system, whose own time limit applies to that step.
Sources: RFC 6890 and the IANA special-purpose registries; RFC 3986; RFC 6052 (NAT64).
"""

import contextlib
import re
import socket
import ssl
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

import httpcore
import httpx

from privacyops.connector_sdk.errors import Misconfigured, Terminal

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host and port in, textual addresses out; OSError where the name is unknown."""

_URL: Final = re.compile(r"(https?)://([^/?#\\]+)(?:[/?#].*)?", re.ASCII | re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@%]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LONGEST_URL: Final = 2048
_MOST_ANSWERS: Final = 3
_STANDARD_PORT: Final = {"https": 443, "http": 80}

_NEVER: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        # IPv4: the special-purpose registry, and the host service of a large cloud, which looks public
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        # IPv6 inside 2000::/3: protocol assignments with Teredo, documentation, 6to4
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(Misconfigured):
    """The address is not one that this house connects to. `code` says which rule; the address is not repeated.

    Codes: url_malformed, url_too_long, scheme, user_info, port, host_malformed, host_ambiguous, unresolvable,
    not_public.
    """

    def __init__(self, code: str) -> None:
        super().__init__("address", code)

    def __reduce__(self) -> tuple[type["AddressRefused"], tuple[str]]:
        return (AddressRefused, (self.code,))


class AnswerTooLarge(Terminal):
    """The peer sent more than the cap, or an encoding that was not asked for and could hide more."""

    def __init__(self, code: str = "answer_too_large") -> None:
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL's authority after strict parsing; `host` is lower-case ASCII or a literal address."""

    scheme: str
    host: str
    port: int


def _by_operating_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(answer[4][0]) for answer in found]


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be connected to.

    `allow` opens networks that are otherwise closed, such as the private one a store lives on; it comes from the
    operator's settings file only. `deny` closes networks that are otherwise open. Multicast stays closed.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    resolver: Resolver = field(default=_by_operating_system)

    def parse(self, url: str) -> Endpoint:
        """Scheme, host and port of `url` if its form is beyond doubt; no name is resolved.

        Raises: AddressRefused.
        """
        if len(url) > _LONGEST_URL:
            raise AddressRefused("url_too_long")
        match = _URL.fullmatch(url) if url.isprintable() and " " not in url else None
        if match is None:
            raise AddressRefused("url_malformed")
        scheme, authority = match[1].lower(), match[2]
        if scheme not in self.schemes:
            raise AddressRefused("scheme")
        if "@" in authority:
            raise AddressRefused("user_info")
        parts = _AUTHORITY.fullmatch(authority)
        if parts is None:
            raise AddressRefused("host_malformed")
        port = int(parts[2]) if parts[2] else _STANDARD_PORT[scheme]
        if port not in self.ports:
            raise AddressRefused("port")
        return Endpoint(scheme, ascii_host(parts[1]), port)

    def passes(self, address: Address) -> bool:
        """Whether `address` may be connected to. IPv4 hidden in IPv6 is judged as what it is."""
        hidden = _hidden_ipv4(address)
        if hidden is not None:
            return self.passes(hidden)
        if address.is_multicast or _in(address, self.deny):
            return False
        return _in(address, self.allow) or (
            address.is_global
            and not _in(address, _NEVER)
            and (isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST)
        )

    def addresses(self, host: str, port: int) -> list[Address]:
        """Every address of `host`, resolved once; at least one, and all of them pass.

        One closed answer among open ones refuses the whole name: whoever mixes them is up to something.

        Raises: AddressRefused.
        """
        try:
            is_literal = ":" in host or host.rpartition(".")[2].isdecimal()  # ascii_host lets no other number pass
            answers = [host] if is_literal else self.resolver(host, port)
            found = list(dict.fromkeys(_judged_form(ip_address(answer.partition("%")[0])) for answer in answers))
        except (OSError, ValueError, UnicodeError):
            raise AddressRefused("unresolvable") from None
        if not found:
            raise AddressRefused("unresolvable")
        if not all(self.passes(address) for address in found):
            raise AddressRefused("not_public")
        return found

    def check(self, url: str) -> Endpoint:
        """Parse and resolve without connecting: for the form in which somebody types an address.

        A pass here is no licence: the name may answer otherwise later, so each connection checks again.

        Raises: AddressRefused.
        """
        endpoint = self.parse(url)
        self.addresses(endpoint.host, endpoint.port)
        return endpoint


def ascii_host(host: str) -> str:
    """`host` as it is looked up: NFKC, IDNA, lower case; literal addresses in their canonical form.

    Raises: AddressRefused: no valid name, or a number that systems read in different ways (`127.1`, `0x7f.1`).
    """
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except ValueError:
            raise AddressRefused("host_malformed") from None
    try:
        # NFKC turns circled digits and full-width dots into what resolvers would make of them
        folded = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
        name = folded.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressRefused("host_malformed") from None
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("host_malformed")
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        try:
            return str(IPv4Address(name))  # refuses short, octal, hexadecimal and decimal spellings
        except ValueError:
            raise AddressRefused("host_ambiguous") from None
    return name


def _judged_form(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _hidden_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address a packet to `address` ends at: mapped addresses and the well-known NAT64 prefix.

    Other ways to hide one (compatible, translated, 6to4, Teredo, local NAT64) are closed as a whole.
    """
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@dataclass(frozen=True, slots=True)
class Caps:
    """`seconds` for a whole exchange, `step_seconds` for each connect, read or write, `answer_bytes` of body.

    A peer that drips is cut off after `seconds` plus at most one step.
    """

    seconds: float = 15.0
    step_seconds: float = 5.0
    answer_bytes: int = 1 << 20


_ends_at: ContextVar[float | None] = ContextVar("guard_ends_at", default=None)


def _remaining(timeout: float | None) -> float | None:
    """`timeout`, shortened to what is left of the exchange. Raises: httpcore.ReadTimeout: nothing is left."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the exchange took longer than its cap")
    return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step is cut to what is left of the exchange."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to an address that has just passed; the pool above still speaks to the original host name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if port not in self._guard.ports:
            raise AddressRefused("port")
        last: Exception | None = None
        for address in self._guard.addresses(ascii_host(_bracketed(host)), port)[:_MOST_ANSWERS]:
            try:
                stream = self._system.connect_tcp(
                    str(address), port, _remaining(timeout), local_address, socket_options
                )
                return _TimedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as unreachable:
                last = unreachable
        raise last or httpcore.ConnectError


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _in_words_of_httpx() -> Iterator[None]:
    """Callers know httpx, so the pool's exceptions leave under httpx's names; the messages are dropped."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as raised:
        name = type(raised).__name__
        raise getattr(httpx, name, httpx.TransportError)(name) from None


class _CappedBody(httpx.SyncByteStream):
    def __init__(self, inner: Iterable[bytes], close: Callable[[], None], limit: int, ends_at: float) -> None:
        self._inner, self._close, self._limit, self._ends_at = inner, close, limit, ends_at

    def __iter__(self) -> Iterator[bytes]:
        seen, parts = 0, iter(self._inner)
        while part := self._next(parts):
            seen += len(part)
            if seen > self._limit:
                raise AnswerTooLarge
            yield part

    def _next(self, parts: Iterator[bytes]) -> bytes:
        token = _ends_at.set(self._ends_at)  # the parser may read many times before it has a part
        try:
            with _in_words_of_httpx():
                return next(filter(None, parts), b"")
        finally:
            _ends_at.reset(token)

    def close(self) -> None:
        self._close()


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport that resolves, checks and pins by itself, and caps size and time of the answer.

    Raises from a request: AddressRefused, AnswerTooLarge, and httpx's own exceptions.
    """

    def __init__(self, guard: Guard, caps: Caps, tls: ssl.SSLContext | None = None) -> None:
        self._guard, self._caps = guard, caps
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=10,
            keepalive_expiry=5.0,
            network_backend=_PinnedBackend(guard),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = self._guard.parse(str(request.url))
        ends_at = time.monotonic() + self._caps.seconds
        token = _ends_at.set(ends_at)
        try:
            with _in_words_of_httpx():
                answer = self._pool.handle_request(self._as_core(request, endpoint))
        finally:
            _ends_at.reset(token)
        if self._is_too_large(answer):
            answer.close()
            raise AnswerTooLarge
        assert isinstance(answer.stream, Iterable)  # noqa: S101 - what the synchronous pool promises
        body = _CappedBody(answer.stream, answer.close, self._caps.answer_bytes, ends_at)
        return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    def _as_core(self, request: httpx.Request, endpoint: Endpoint) -> httpcore.Request:
        assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101 - this transport is synchronous
        step = self._caps.step_seconds
        return httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=endpoint.scheme.encode(),
                host=endpoint.host.encode(),
                port=endpoint.port,
                target=request.url.raw_path,
            ),
            headers=[h for h in request.headers.raw if h[0].lower() != b"accept-encoding"]
            + [(b"Accept-Encoding", b"identity")],
            content=request.stream,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), step)},
        )

    def _is_too_large(self, answer: httpcore.Response) -> bool:
        headers = {name.lower(): value for name, value in answer.headers}
        length = headers.get(b"content-length", b"0")
        announced = int(length) if length.isdigit() else 0
        # A compressed answer to "identity" could unpack to any size above the cap
        coded = headers.get(b"content-encoding", b"identity").strip().lower() not in {b"", b"identity"}
        return announced > self._caps.answer_bytes or coded

    def close(self) -> None:
        self._pool.close()


def guarded_client(guard: Guard, caps: Caps | None = None, tls: ssl.SSLContext | None = None) -> httpx.Client:
    """An httpx client behind the guard: follows no redirect, reads no proxy, netrc or certificate variable."""
    return httpx.Client(transport=GuardedTransport(guard, caps or Caps(), tls), trust_env=False, follow_redirects=False)
