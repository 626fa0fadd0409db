"""Mail by SMTP with the standard library: TLS modes, sign-in, time limits, and replies sorted by what to do next.

Sources: RFC 5321 section 4.2 (reply codes), RFC 3207 (STARTTLS), RFC 4954 (sign-in), RFC 8314 (implicit TLS).
"""

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from privacyops.adapters.mail_message import Sender, message, wire_address
from privacyops.kernel.clock import Instant
from privacyops.ports.mailer import Mail, MailDelayed, MailerMisconfigured, MailProblem, MailRefused

_READY: Final = 220


class TlsMode(StrEnum):
    """NONE is for a relay on this machine or in the same private network; it never carries a sign-in."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `step_seconds` bounds each reply, `seconds` the whole hand-over."""

    host: str
    port: int
    tls: TlsMode = TlsMode.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    step_seconds: float = 15.0
    seconds: float = 60.0


class SmtpMailer:
    """Mailer over one relay, a connection a mail.

    `context` replaces the system's trusted authorities, for a relay with a private one; checks are never off.
    """

    def __init__(self, server: SmtpServer, sender: Sender, context: ssl.SSLContext | None = None) -> None:
        if server.username is not None and server.tls is TlsMode.NONE:
            raise MailerMisconfigured("credentials_without_tls")
        self._server, self._sender = server, sender
        self._context = context or ssl.create_default_context()
        self._envelope_sender = wire_address(sender.address)

    def send(self, mail: Mail, now: Instant) -> None:
        recipient = wire_address(mail.to)
        wire = message(mail, self._sender, now).as_bytes()
        with _sorted_by_what_to_do(), self._connected() as relay:
            options = []
            if not recipient.isascii() or not self._envelope_sender.isascii():
                if not relay.has_extn("smtputf8"):
                    raise MailRefused("smtputf8_not_offered")
                options = ["SMTPUTF8"]
            relay.sendmail(self._envelope_sender, [recipient], wire, mail_options=options)

    def check(self) -> None:
        """Connect, secure and sign in without sending: for the doctor.

        Raises: MailDelayed, MailerMisconfigured.
        """
        with _sorted_by_what_to_do(), self._connected() as relay:
            relay.noop()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        relay = self._relay()
        # A relay that drips one letter a second keeps every single read within its limit; this ends the whole
        end = threading.Timer(self._server.seconds, _hang_up, [relay])
        end.daemon = True
        end.start()
        try:
            reply, words = relay.connect(self._server.host, self._server.port)
            if reply != _READY:
                raise smtplib.SMTPConnectError(reply, words)
            relay.ehlo_or_helo_if_needed()
            if self._server.tls is TlsMode.STARTTLS:
                relay.starttls(context=self._context)
                relay.ehlo()
            if self._server.username is not None:
                relay.login(self._server.username, self._server.password or "")
            yield relay
            with contextlib.suppress(smtplib.SMTPException, OSError):
                relay.quit()  # the mail is handed over; how the farewell goes does not matter
        finally:
            end.cancel()
            relay.close()

    def _relay(self) -> smtplib.SMTP:
        # The own name is given, since the library would look this machine up in DNS
        name, limit = self._sender.domain, self._server.step_seconds
        if self._server.tls is TlsMode.IMPLICIT:
            relay: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=name, timeout=limit, context=self._context)
        else:
            relay = smtplib.SMTP(local_hostname=name, timeout=limit)
        relay._host = self._server.host  # type: ignore[attr-defined]  # noqa: SLF001 - the name TLS checks; set by the constructor only if it also connects at once
        return relay


def _hang_up(relay: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError, AttributeError):
        relay.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # None before the connection: nothing to end


@contextlib.contextmanager
def _sorted_by_what_to_do() -> Iterator[None]:
    try:
        yield
    except MailProblem:
        raise
    except (smtplib.SMTPException, OSError) as failed:
        raise _sorted(failed) from None


_REPLIES: Final[Sequence[tuple[type[smtplib.SMTPResponseException], type[MailProblem], str]]] = (
    (smtplib.SMTPSenderRefused, MailerMisconfigured, "sender"),
    (smtplib.SMTPAuthenticationError, MailerMisconfigured, "credentials"),
    (smtplib.SMTPDataError, MailRefused, "content"),
    (smtplib.SMTPResponseException, MailerMisconfigured, "greeting"),  # and HELO, STARTTLS
)
_FAILURES: Final[Sequence[tuple[type[Exception], type[MailProblem], str]]] = (
    (smtplib.SMTPNotSupportedError, MailerMisconfigured, "extension_not_offered"),
    (ssl.SSLCertVerificationError, MailerMisconfigured, "certificate"),
    (ssl.SSLEOFError, MailDelayed, "connection_lost"),
    (ssl.SSLZeroReturnError, MailDelayed, "connection_lost"),
    (ssl.SSLError, MailerMisconfigured, "tls"),
    (socket.gaierror, MailerMisconfigured, "host_unknown"),
    (smtplib.SMTPServerDisconnected, MailDelayed, "connection_lost"),
    (ConnectionError, MailDelayed, "connection_lost"),
    (TimeoutError, MailDelayed, "timed_out"),
)


def _sorted(failed: Exception) -> MailProblem:
    if isinstance(failed, smtplib.SMTPRecipientsRefused):
        return _by_reply(next(iter(failed.recipients.values()))[0], MailRefused, "recipient")
    for reply, lasting, stage in _REPLIES:
        if isinstance(failed, reply):
            return _by_reply(failed.smtp_code, lasting, stage)
    if isinstance(failed, socket.gaierror) and failed.errno == socket.EAI_AGAIN:
        return MailDelayed("host_not_resolved")
    return next(
        (kind(code) for type_, kind, code in _FAILURES if isinstance(failed, type_)), MailDelayed("unreachable")
    )


def _by_reply(reply: int, lasting: type[MailProblem], stage: str) -> MailProblem:
    """4xx passes by itself, 5xx does not; anything else is no SMTP and may be a proxy's bad day."""
    code = f"{stage}_{reply}"
    return lasting(code) if 500 <= reply <= 599 else MailDelayed(code)
