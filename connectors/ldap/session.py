"""One connection to the directory, and what its refusals mean. A call that does not end well ends the connection."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import ldap3
from ldap3.core import exceptions as problems
from ldap3.core.results import RESULT_REFERRAL, RESULT_SIZE_LIMIT_EXCEEDED, RESULT_TIME_LIMIT_EXCEEDED
from ldap3.utils.conv import escape_filter_chars

from connectors.ldap.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, Terminal

LONGEST_STEP: Final = 60.0
"""Seconds that one answer of the server may take, within the call's own deadline."""
ENTRIES_AT_ONCE: Final = 500
_PAGED: Final = "1.2.840.113556.1.4.319"
_CREDENTIALS: Final = (
    problems.LDAPInvalidCredentialsResult,
    problems.LDAPInappropriateAuthenticationResult,
    problems.LDAPInvalidDNSyntaxResult,
)
_LATER: Final = (
    problems.LDAPCommunicationError,
    problems.LDAPBusyResult,
    problems.LDAPUnavailableResult,
    problems.LDAPTimeLimitExceededResult,
    problems.LDAPResponseTimeoutError,
    problems.LDAPSessionTerminatedByServerError,
)


@dataclass(frozen=True, repr=False)
class Entry:
    """One entry as the server sent it: attribute names as spelt there, values as bytes."""

    dn: str
    held: dict[str, list[bytes]]


class Session:
    """Binds on first use."""

    def __init__(self, settings: Settings, secrets: Secrets, *, write: bool = False) -> None:
        self._settings = settings
        self._secrets = secrets
        self._write = write
        self._connection: Any = None  # ldap3 has no types
        self._schema: Any = None
        self.controls: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Session({self._settings.server.host!r})"

    @contextmanager
    def bound(self, call: Call) -> Iterator[Any]:
        """The connection. Raises: Misconfigured, Retriable, Terminal."""
        try:
            call.check()
            with _classed():
                if self._connection is None:
                    self._connect(min(LONGEST_STEP, max(0.1, call.remaining())))
                self.give_time(call)
                yield self._connection
        except BaseException:
            self.close()  # also when the caller stops reading: an answer may still be under way
            raise

    def give_time(self, call: Call) -> None:
        """Before each request of a long call. Raises: Cancelled, Retriable: see `Call.check`."""
        call.check()
        call.spend(requests=1)
        if self._connection is not None and self._connection.socket is not None:
            self._connection.socket.settimeout(max(0.1, min(LONGEST_STEP, call.remaining())))

    @property
    def connection(self) -> Any:
        """The bound connection, inside `bound`."""
        return self._connection

    def schema(self, call: Call) -> Any:
        """Object classes and attribute types as the server publishes them; read once."""
        if self._schema is None:
            with self.bound(call):
                pass
        return self._schema

    def close(self) -> None:
        """May be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.socket is not None:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                connection.socket.close()

    def search(
        self,
        call: Call,
        where: str,
        attributes: Sequence[str],
        *,
        base: str | None = None,
        at_most: int | None = None,
    ) -> Iterator[list[Entry]]:
        """Entries page by page, in the server's order; below the configured base unless told otherwise.

        Raises: Terminal: `size_limit`: the server does not let this account read everything.
        """
        cookie: bytes | None = None
        size = ENTRIES_AT_ONCE if at_most is None else max(1, min(at_most, ENTRIES_AT_ONCE))
        left = at_most
        while True:
            self.give_time(call)
            connection = self._connection
            connection.search(
                base or self._settings.base,
                where,
                search_scope=ldap3.SUBTREE,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                paged_size=size,
                paged_criticality=True,
                paged_cookie=cookie,
            )
            _refuse_if_cut(connection.result)
            found = entries_of(connection.response)
            yield found if left is None else found[:left]
            left = None if left is None else left - len(found)
            cookie = _cookie_of(connection.result)
            if not cookie or (left is not None and left <= 0):
                return

    def read(self, call: Call, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One entry, or None: it is not there."""
        self.give_time(call)
        connection = self._connection
        try:
            connection.search(
                dn,
                "(objectClass=*)",
                search_scope=ldap3.BASE,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
            )
        except (problems.LDAPNoSuchObjectResult, problems.LDAPInvalidDNSyntaxResult):
            return None
        return next(iter(entries_of(connection.response)), None)

    def read_all(self, call: Call, dns: Sequence[str], attributes: Sequence[str]) -> dict[str, Entry]:
        """Several entries by name, as far as they are there; in one request where the server finds names by filter."""
        if "entryDN" not in self.schema(call).attribute_types:
            found = (self.read(call, dn, attributes) for dn in dns)
            return {each.dn: each for each in found if each is not None}
        where = "".join(f"(entryDN={escape_filter_chars(dn)})" for dn in dns)
        pages = self.search(call, f"(|{where})", attributes)
        return {each.dn: each for entries in pages for each in entries}

    # --- inside ---------------------------------------------------------------------------------------------

    def _connect(self, seconds: float) -> None:
        at = self._settings.server
        password = self._secrets.get("password").get_secret_value()
        if not password:
            raise Misconfigured("password", "empty")  # an empty one would bind as nobody, and succeed
        at.refuse_plain_text()
        try:
            socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)
        except OSError:
            raise Misconfigured("host", "unknown_host") from None
        server = ldap3.Server(
            at.host,
            at.port,
            use_ssl=at.tls == "implicit",
            tls=self._tls(),
            get_info=ldap3.NONE if self._schema is not None else ldap3.ALL,
            connect_timeout=seconds,
        )
        connection = ldap3.Connection(
            server,
            user=at.user,
            password=password,
            client_strategy=ldap3.SYNC,
            auto_referrals=False,
            check_names=False,
            raise_exceptions=True,
            read_only=not self._write,
            receive_timeout=max(1, round(seconds)),
            return_empty_attributes=False,
        )
        self._connection = connection
        if at.tls == "starttls":
            connection.open(read_server_info=False)
            connection.start_tls(read_server_info=False)
        connection.bind()
        if self._schema is None:
            if server.schema is None:
                raise Misconfigured("user", "schema_not_readable")
            self._schema = server.schema
            self.controls = frozenset(str(each[0]) for each in (server.info.supported_controls if server.info else ()))
        # values are taken as bytes and decoded here; with a schema the driver would decode each of them too
        server.attach_schema_info(None)

    def _tls(self) -> ldap3.Tls | None:
        at = self._settings.server
        if at.tls == "none":
            return None
        if at.ca_file is not None and not at.ca_file.is_file():
            raise Misconfigured("ca_file", "missing")
        ca_file = None if at.ca_file is None else str(at.ca_file)
        return ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file, valid_names=[at.host])


def _refuse_if_cut(result: Any) -> None:
    """The driver takes these codes for an answer; they are one that was cut."""
    code = result.get("result")
    if code == RESULT_SIZE_LIMIT_EXCEEDED:
        raise Terminal("size_limit")
    if code == RESULT_TIME_LIMIT_EXCEEDED:
        raise Retriable(None, "time_limit")
    if code == RESULT_REFERRAL:
        raise Misconfigured("base", "leads_to_another_server")


def entries_of(response: Sequence[Any] | None) -> list[Entry]:
    """The entries of an answer; references to other servers are not entries."""
    return [
        Entry(each["dn"], {name: list(values) for name, values in each["raw_attributes"].items()})
        for each in response or ()
        if each.get("type") == "searchResEntry"
    ]


def _cookie_of(result: Any) -> bytes | None:
    controls = result.get("controls") or {}
    return controls.get(_PAGED, {}).get("value", {}).get("cookie") or None


@contextmanager
def _classed() -> Iterator[None]:
    """The driver's exceptions by what the host does next; their texts quote entries, so they go no further."""
    try:
        yield
    except _CREDENTIALS:
        raise Misconfigured("password", "credentials") from None
    except (problems.LDAPSocketOpenError, problems.LDAPStartTLSError, problems.LDAPSSLConfigurationError) as refusal:
        if any(word in str(refusal).lower() for word in ("certificate", "ssl", "tls")):
            raise Misconfigured("tls", "certificate_or_protocol") from None
        raise Retriable(None, "connection_refused") from None
    except problems.LDAPProtocolErrorResult:
        raise Misconfigured("tls", "not_offered") from None
    except _LATER:
        raise Retriable(None, "connection_lost") from None
    except OSError:
        raise Retriable(None, "connection_lost") from None
    except problems.LDAPSizeLimitExceededResult:
        raise Terminal("size_limit") from None
    except problems.LDAPAdminLimitExceededResult:
        raise Terminal("size_limit") from None
    except (problems.LDAPInsufficientAccessRightsResult, problems.LDAPNoSuchObjectResult):
        raise Misconfigured("base", "no_such_entry_or_no_access") from None
    except problems.LDAPExceptionError:
        raise Terminal("refused_by_server") from None
