"""A mail as bytes: headers that cannot be injected, text and HTML, a Message-ID that repeats with the outbox row.

Sources: RFC 5322, RFC 2045, RFC 3834 (Auto-Submitted), RFC 8058 (one-click unsubscribe).
"""

import email.policy
import email.utils
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final

from privacyops.kernel.clock import Instant
from privacyops.ports.mailer import Mail, MailRefused

# 7bit: every body is encoded, so that no relay on the way has to know 8BITMIME
POLICY: Final = email.policy.SMTP.clone(cte_type="7bit")
_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LONGEST_ADDRESS: Final = 254
_LONGEST_LOCAL: Final = 64


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mail comes from. `address` is checked like a recipient's."""

    address: str
    name: str = ""
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        return wire_address(self.address).rpartition("@")[2]


def wire_address(text: str) -> str:
    """`text` as an SMTP envelope address, its domain in ASCII. The local part may be international (RFC 6531).

    Raises: MailRefused: not one plain address. Quoted local parts and address literals are not supported.
    """
    local, _, domain = text.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise MailRefused("address_malformed") from None
    labels = ascii_domain.split(".")
    address = f"{local}@{ascii_domain}"
    if (
        len(address) > _LONGEST_ADDRESS
        or len(local) > _LONGEST_LOCAL
        or not _LOCAL.fullmatch(local)
        or not all(_LABEL.fullmatch(label) for label in labels)
    ):
        raise MailRefused("address_malformed")
    return address


def message_id(mail: Mail, sender: Sender) -> str:
    """The same for every attempt at one outbox row, so that a repeat can be recognised."""
    return f"<{mail.id}@{sender.domain}>"


def message(mail: Mail, sender: Sender, now: Instant) -> EmailMessage:
    """The message, complete.

    Raises: MailRefused: an address or header text would not stay one header.
    """
    is_ascii = mail.to.rpartition("@")[0].isascii() and sender.address.rpartition("@")[0].isascii()
    built = EmailMessage(policy=POLICY if is_ascii else POLICY.clone(utf8=True))
    built.set_content(mail.text)
    if mail.html is not None:
        built.add_alternative(mail.html, subtype="html")
    headers = _headers(mail, sender, now)
    for name, value in headers.items():
        built[name] = value
    _require_headers(built.as_bytes(), list(headers))
    return built


def _headers(mail: Mail, sender: Sender, now: Instant) -> dict[str, str | Address]:
    headers: dict[str, str | Address] = {
        "From": _address(sender.address, _one_line(sender.name)),
        "To": _address(mail.to),
        "Subject": _one_line(mail.subject),
        "Date": email.utils.format_datetime(now),
        "Message-ID": message_id(mail, sender),
        "Content-Language": _one_line(mail.language),
        "Auto-Submitted": "auto-generated",
    }
    if sender.reply_to is not None:
        headers["Reply-To"] = _address(sender.reply_to)
    if mail.unsubscribe_url is not None:
        headers["List-Unsubscribe"] = f"<{_one_line(mail.unsubscribe_url)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _address(text: str, name: str = "") -> Address:
    local, _, domain = wire_address(text).rpartition("@")
    return Address(name, local, domain)


def _one_line(text: str) -> str:
    """`text` if it stays on its line. `=?` is spaced out: the email package would decode it, line breaks and all."""
    if not text.isprintable():
        raise MailRefused("header_malformed")
    return text.replace("=?", "= ?")


def _require_headers(wire: bytes, expected: list[str]) -> None:
    """The last look: the header names on the wire are exactly those that were set, in their order."""
    head = wire.partition(b"\r\n\r\n")[0]
    found = re.findall(rb"^([^\s:]+):", head, re.MULTILINE)
    bodies = {b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"}
    if [name for name in found if name not in bodies] != [name.encode() for name in expected]:
        raise MailRefused("header_malformed")
