"""Mail handed to real SMTP servers: with TLS, with sign-in, refusing, dropping, dripping, gone."""

import email
import email.policy
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.mail_message import POLICY, Sender, message, wire_address
from privacyops.adapters.mailer_inbox import InboxMailer
from privacyops.adapters.mailer_smtp import SmtpMailer, SmtpServer, TlsMode
from privacyops.kernel.ids import OutboxId
from privacyops.ports.mailer import Mail, MailDelayed, MailerMisconfigured, MailProblem, MailRefused
from tests.servers import free_port
from tests.tls import Authority

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SENDER = Sender("privacy@shop.example", "Shop Grüße", "dpo@shop.example")
ID = OutboxId(UUID("019c3b2e-7d10-7c44-9a51-2f6f0c1d8e90"))
MAIL = Mail(ID, "kim@example.com", "Ihre Anfrage – PR-7MK4Q2", "Code: 123456\n", "<p>Code: <b>123456</b></p>", "de")


class Received:
    """A real server's handler that keeps what arrives, or answers a stage with another reply."""

    def __init__(self, **replies: str) -> None:
        self.replies, self.envelopes = replies, list[Any]()

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - the library's name
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.replies.get("mail", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802 - the library's name
        envelope.rcpt_tos.append(address)
        return self.replies.get("rcpt", "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        self.envelopes.append(envelope)
        return self.replies.get("data", "250 queued")

    def parsed(self) -> EmailMessage:
        return email.message_from_bytes(self.envelopes[-1].content, policy=email.policy.default)


Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(handler, **options)` starts a real SMTP server on a free port and returns the port."""
    started: list[Controller] = []

    def start(handler: Received, **options: Any) -> int:
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        started.append(controller)
        return int(controller.port)

    yield start
    for controller in started:
        controller.stop()


def _server(port: int, tls: TlsMode = TlsMode.NONE, **options: Any) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, tls, step_seconds=1.0, seconds=3.0, **options)


def _mailer(port: int, **options: Any) -> SmtpMailer:
    return SmtpMailer(_server(port, **options), SENDER)


def test_a_mail_arrives_with_text_html_and_its_headers(serve: Serve) -> None:
    handler = Received()
    _mailer(serve(handler)).send(MAIL, NOW)
    mail = handler.parsed()
    assert (handler.envelopes[0].mail_from, handler.envelopes[0].rcpt_tos) == (
        "privacy@shop.example",
        ["kim@example.com"],
    )
    assert (mail["To"], mail["Subject"]) == ("kim@example.com", "Ihre Anfrage – PR-7MK4Q2")
    assert (mail["From"], mail["Reply-To"]) == ("Shop Grüße <privacy@shop.example>", "dpo@shop.example")
    assert (mail["Date"], mail["Auto-Submitted"]) == ("Sun, 22 Nov 2026 10:00:00 +0000", "auto-generated")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Code: 123456"
    assert html.get_content().strip() == "<p>Code: <b>123456</b></p>"


def test_a_repeated_mail_is_recognised_by_its_message_id(serve: Serve) -> None:
    handler = Received()
    mailer = _mailer(serve(handler))
    for _ in range(2):
        mailer.send(MAIL, NOW)
    assert {email.message_from_bytes(envelope.content)["Message-ID"] for envelope in handler.envelopes} == {
        f"<{ID}@shop.example>"
    }


def test_a_mail_with_an_unsubscribe_link_has_the_one_click_headers(serve: Serve) -> None:
    handler = Received()
    _mailer(serve(handler)).send(replace(MAIL, unsubscribe_url="https://shop.example/u/abc"), NOW)
    assert handler.parsed()["List-Unsubscribe"] == "<https://shop.example/u/abc>"
    assert handler.parsed()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_line_with_a_lone_dot_arrives_as_written(serve: Serve) -> None:
    handler = Received()
    _mailer(serve(handler)).send(replace(MAIL, text="one\n.\n..two\n", html=None), NOW)
    assert handler.parsed().get_content().splitlines() == ["one", ".", "..two"]


def test_an_international_domain_is_sent_in_ascii(serve: Serve) -> None:
    handler = Received()
    _mailer(serve(handler)).send(replace(MAIL, to="kim@Täst.example"), NOW)
    assert handler.envelopes[0].rcpt_tos == ["kim@xn--tst-qla.example"]


def test_an_international_local_part_needs_a_server_that_knows_it(serve: Serve) -> None:
    handler = Received()
    mail = replace(MAIL, to="jörg@example.com")
    _mailer(serve(handler, enable_SMTPUTF8=True)).send(mail, NOW)
    assert handler.envelopes[0].rcpt_tos == ["jörg@example.com"]
    with pytest.raises(MailRefused, match="smtputf8_not_offered"):
        _mailer(serve(Received(), enable_SMTPUTF8=False)).send(mail, NOW)


# --- TLS and sign-in -------------------------------------------------------------------------------------------


def _authenticator(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"po", b"right word")
    return AuthResult(success=good, handled=False)


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return authority.trusting()


@pytest.fixture
def certificate(authority: Authority) -> ssl.SSLContext:
    return authority.serving("127.0.0.1")


def test_a_mail_goes_over_implicit_tls(serve: Serve, trust: ssl.SSLContext, certificate: ssl.SSLContext) -> None:
    handler = Received()
    port = serve(handler, ssl_context=certificate)
    SmtpMailer(_server(port, TlsMode.IMPLICIT), SENDER, trust).send(MAIL, NOW)
    assert handler.parsed()["To"] == "kim@example.com"


def test_a_mail_goes_over_starttls_with_sign_in(
    serve: Serve, trust: ssl.SSLContext, certificate: ssl.SSLContext
) -> None:
    handler = Received()
    port = serve(
        handler, tls_context=certificate, require_starttls=True, auth_required=True, authenticator=_authenticator
    )
    server = _server(port, TlsMode.STARTTLS, username="po", password="right word")
    SmtpMailer(server, SENDER, trust).send(MAIL, NOW)
    assert handler.parsed()["To"] == "kim@example.com"


def test_a_wrong_password_is_a_misconfiguration(
    serve: Serve, trust: ssl.SSLContext, certificate: ssl.SSLContext
) -> None:
    port = serve(Received(), tls_context=certificate, authenticator=_authenticator)
    server = _server(port, TlsMode.STARTTLS, username="po", password="wrong word")
    with pytest.raises(MailerMisconfigured, match="credentials_535"):
        SmtpMailer(server, SENDER, trust).send(MAIL, NOW)


def test_a_password_is_never_sent_without_tls() -> None:
    with pytest.raises(MailerMisconfigured, match="credentials_without_tls"):
        _mailer(25, username="po", password="right word")


def test_a_server_that_does_not_offer_starttls_gets_nothing(serve: Serve) -> None:
    handler = Received()
    with pytest.raises(MailerMisconfigured, match="extension_not_offered"):
        SmtpMailer(_server(serve(handler), TlsMode.STARTTLS), SENDER).send(MAIL, NOW)
    assert handler.envelopes == []


@pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
def test_a_certificate_of_an_unknown_authority_is_a_misconfiguration(
    serve: Serve, certificate: ssl.SSLContext, mode: TlsMode
) -> None:
    options = {"ssl_context" if mode is TlsMode.IMPLICIT else "tls_context": certificate}
    handler = Received()
    with pytest.raises(MailerMisconfigured, match="certificate"):
        SmtpMailer(_server(serve(handler, **options), mode), SENDER).send(MAIL, NOW)
    assert handler.envelopes == []


def test_a_certificate_of_another_host_is_a_misconfiguration(
    serve: Serve, authority: Authority, trust: ssl.SSLContext
) -> None:
    port = serve(Received(), ssl_context=authority.serving("other.example"))
    with pytest.raises(MailerMisconfigured, match="certificate"):
        SmtpMailer(_server(port, TlsMode.IMPLICIT), SENDER, trust).send(MAIL, NOW)


def test_a_plain_server_behind_implicit_tls_is_a_misconfiguration(serve: Serve, trust: ssl.SSLContext) -> None:
    with pytest.raises(MailerMisconfigured, match="tls"):
        SmtpMailer(_server(serve(Received()), TlsMode.IMPLICIT), SENDER, trust).send(MAIL, NOW)


def test_the_doctor_can_try_the_relay_without_sending(serve: Serve) -> None:
    handler = Received()
    _mailer(serve(handler)).check()
    assert handler.envelopes == []


# --- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replies", "kind", "code"),
    [
        ({"rcpt": "550 no such user kim@example.com"}, MailRefused, "recipient_550"),
        ({"rcpt": "450 greylisted"}, MailDelayed, "recipient_450"),
        ({"rcpt": "421 shutting down"}, MailDelayed, "recipient_421"),
        ({"mail": "553 sender not allowed"}, MailerMisconfigured, "sender_553"),
        ({"mail": "451 try later"}, MailDelayed, "sender_451"),
        ({"data": "554 looks like spam"}, MailRefused, "content_554"),
        ({"data": "452 disk full"}, MailDelayed, "content_452"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_a_reply_decides_what_happens_next(
    serve: Serve, replies: dict[str, str], kind: type[MailProblem], code: str
) -> None:
    with pytest.raises(kind) as refused:
        _mailer(serve(Received(**replies))).send(MAIL, NOW)
    assert refused.value.code == code


def test_the_words_of_the_server_do_not_travel(serve: Serve) -> None:
    with pytest.raises(MailRefused) as refused:
        _mailer(serve(Received(rcpt="550 no such user kim@example.com"))).send(MAIL, NOW)
    assert "kim" not in repr(refused.value)
    assert refused.value.__cause__ is None


def _scripted(script: Callable[[socket.socket], None]) -> int:
    """A server that is rude in ways a real one is not built to be."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                try:
                    script(connection)
                except OSError:
                    return

    threading.Thread(target=run, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def _drop_after(*replies: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        for reply in replies:
            connection.sendall(reply)
            connection.recv(65536)

    return script


@pytest.mark.parametrize(
    "replies",
    [
        (),
        (b"220 hello\r\n",),
        (b"220 hello\r\n", b"250 OK\r\n"),
        (b"220 hello\r\n", b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n"),
        (b"220 hello\r\n", b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"),
    ],
    ids=["greeting", "EHLO", "MAIL", "DATA", "after the last dot"],
)
def test_a_server_that_hangs_up_delays_the_mail(replies: tuple[bytes, ...]) -> None:
    with pytest.raises(MailDelayed, match="connection_lost"):
        _mailer(_scripted(_drop_after(*replies))).send(MAIL, NOW)


def test_a_server_that_hangs_up_in_the_tls_handshake_delays_the_mail(trust: ssl.SSLContext) -> None:
    port = _scripted(lambda connection: connection.recv(10) and None)
    with pytest.raises(MailDelayed, match="connection_lost"):
        SmtpMailer(_server(port, TlsMode.IMPLICIT), SENDER, trust).send(MAIL, NOW)


def test_a_server_that_hangs_up_after_taking_the_mail_has_taken_it() -> None:
    replies = (b"220 hello\r\n", b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n", b"250 queued\r\n")
    _mailer(_scripted(_drop_after(*replies))).send(MAIL, NOW)


@pytest.mark.parametrize(
    ("greeting", "kind"), [(b"554 no service\r\n", MailerMisconfigured), (b"421 busy\r\n", MailDelayed)]
)
def test_a_greeting_that_is_none_is_sorted_too(greeting: bytes, kind: type[MailProblem]) -> None:
    with pytest.raises(kind):
        _mailer(_scripted(_drop_after(greeting))).send(MAIL, NOW)


def test_a_web_server_on_the_port_delays_the_mail() -> None:
    with pytest.raises(MailProblem):
        _mailer(_scripted(_drop_after(b"HTTP/1.1 400 Bad Request\r\n\r\n"))).send(MAIL, NOW)


def test_a_silent_server_delays_the_mail_after_one_step() -> None:
    began = time.monotonic()
    with pytest.raises(MailDelayed):
        SmtpMailer(replace(_server(_scripted(lambda _c: time.sleep(2))), step_seconds=0.2), SENDER).send(MAIL, NOW)
    assert time.monotonic() - began < 1.5


def test_a_dripping_server_is_cut_off_as_a_whole() -> None:
    def drips(connection: socket.socket) -> None:
        connection.sendall(b"220-")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(MailDelayed):
        SmtpMailer(replace(_server(_scripted(drips)), seconds=0.4), SENDER).send(MAIL, NOW)
    assert time.monotonic() - began < 2


def test_a_port_nobody_listens_on_delays_the_mail() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(MailDelayed, match="connection_lost"):
        _mailer(port).send(MAIL, NOW)


# --- what cannot be said in a header ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: eve@example.net"},
        {"subject": "Hello\nBcc: eve@example.net"},
        {"subject": "Hello\x00"},
        {"subject": "Hello\u2028Bcc: eve@example.net"},
        {"to": "kim@example.com\r\nBcc: eve@example.net"},
        {"to": "kim@example.com, eve@example.net"},
        {"to": "Kim <kim@example.com>"},
        {"to": "kim@example.com>"},
        {"to": "kim@example.com SIZE=1"},
        {"to": "kim@[127.0.0.1]"},
        {"to": '"kim x"@example.com'},
        {"to": "kim@-example.com"},
        {"to": "kim@"},
        {"to": "@example.com"},
        {"to": "kim"},
        {"to": ""},
        {"to": "k" * 65 + "@example.com"},
        {"to": "kim@" + "a." * 130 + "example"},
        {"language": "de\r\nBcc: eve@example.net"},
        {"unsubscribe_url": "https://shop.example/u/a>\r\nBcc: eve@example.net"},
    ],
    ids=str,
)
def test_a_text_that_would_become_another_header_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(MailRefused) as refused:
        message(replace(MAIL, **changes), SENDER, NOW)
    assert refused.value.code in {"address_malformed", "header_malformed"}


def test_an_encoded_word_in_a_subject_is_not_decoded_into_a_header() -> None:
    built = message(replace(MAIL, subject="=?utf-8?q?x=0D=0ABcc:_eve=40example.net?="), SENDER, NOW)
    parsed = email.message_from_bytes(built.as_bytes(), policy=email.policy.default)
    assert parsed["Bcc"] is None
    assert parsed["Subject"].startswith("= ?utf-8")


def _headers_of(mail: Mail, sender: Sender) -> list[str] | None:
    try:
        wire = message(mail, sender, NOW).as_bytes()
    except MailRefused:
        return None
    return email.message_from_bytes(wire, policy=email.policy.compat32).keys()


@given(subject=st.text(max_size=200), name=st.text(max_size=80), text=st.text(max_size=200))
def test_no_text_adds_a_header_or_breaks_a_body(subject: str, name: str, text: str) -> None:
    usual = _headers_of(MAIL, SENDER)
    mail = replace(MAIL, subject=subject, text=text.encode("utf-8", "replace").decode())
    assert _headers_of(mail, replace(SENDER, name=name)) in (None, usual)


@given(st.text(max_size=60))
def test_any_address_is_one_plain_address_or_refused(text: str) -> None:
    for candidate in (text, f"{text}@example.com", f"kim@{text}"):
        try:
            address = wire_address(candidate)
        except MailRefused:
            continue
        assert not set(address) & set('\r\n <>,;:"()[]\\\x00')
        assert address.count("@") == 1


def test_every_line_on_the_wire_is_short_ascii() -> None:
    wire = message(replace(MAIL, text="ü" * 5000, subject="ß" * 300), SENDER, NOW).as_bytes(policy=POLICY)
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998


# --- the demo's inbox ------------------------------------------------------------------------------------------


def test_the_demos_inbox_shows_what_was_sent(tmp_path: Path) -> None:
    inbox = InboxMailer(tmp_path, SENDER)
    inbox.send(MAIL, NOW)
    found = inbox.find(ID)
    assert found is not None
    assert (found.to, found.subject, found.sent_at) == ("kim@example.com", "Ihre Anfrage – PR-7MK4Q2", NOW)
    assert (found.text.strip(), (found.html or "").strip()) == ("Code: 123456", "<p>Code: <b>123456</b></p>")


def test_a_mail_without_html_has_none_in_the_inbox(tmp_path: Path) -> None:
    inbox = InboxMailer(tmp_path, SENDER)
    inbox.send(replace(MAIL, html=None), NOW)
    assert inbox.newest(1)[0].html is None


def test_a_repeated_mail_stands_in_the_inbox_once(tmp_path: Path) -> None:
    inbox = InboxMailer(tmp_path, SENDER)
    for _ in range(2):
        inbox.send(MAIL, NOW)
    assert len(inbox.newest(10)) == 1


def test_the_inbox_lists_the_newest_first_and_no_more_than_asked(tmp_path: Path) -> None:
    inbox = InboxMailer(tmp_path, SENDER)
    ids = [OutboxId(UUID(int=(0x019C3B2E7D10 + number) << 80 | 7 << 76)) for number in range(5)]
    for mail in ids:
        inbox.send(replace(MAIL, id=mail), NOW)
    assert [mail.id for mail in inbox.newest(3)] == ids[:1:-1]


def test_an_unknown_mail_is_not_in_the_inbox(tmp_path: Path) -> None:
    assert InboxMailer(tmp_path, SENDER).find(ID) is None


def test_a_refused_address_is_refused_by_the_inbox_too(tmp_path: Path) -> None:
    with pytest.raises(MailRefused):
        InboxMailer(tmp_path, SENDER).send(replace(MAIL, to="kim"), NOW)


def test_a_mail_does_not_show_in_a_repr() -> None:
    assert repr(MAIL) == f"Mail(id={ID!r}, language='de')"
    assert "right word" not in repr(_server(25, TlsMode.STARTTLS, username="po", password="right word"))
