"""E-mail addresses: one normal form, mailboxes with tags, shared mailboxes, and the spellings worth asking for.

Stored case is irrelevant, so everything is lower-cased; ready-made normalisers lower-case the domain alone.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

_ADDRESS: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\]{1,253}")
_SHORT: Final = 254
_LABEL: Final = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_PLAIN: Final = re.compile(
    r"[a-z0-9._+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_IN_BRACKETS: Final = re.compile(r"<([^<>]*)>\s*$")
_GOOGLE: Final = frozenset({"gmail.com", "googlemail.com"})
ROLE_MAILBOXES: Final = frozenset(
    [
        "abuse",
        "accounting",
        "accounts",
        "admin",
        "administrator",
        "billing",
        "bestellung",
        "bestellungen",
        "booking",
        "bookings",
        "buchhaltung",
        "careers",
        "compta",
        "contact",
        "contabilidad",
        "contacto",
        "customercare",
        "customerservice",
        "enquiries",
        "everyone",
        "feedback",
        "finance",
        "help",
        "helpdesk",
        "hello",
        "hostmaster",
        "hr",
        "info",
        "infos",
        "inquiry",
        "invoice",
        "invoices",
        "jobs",
        "kontakt",
        "kundenservice",
        "legal",
        "mail",
        "mailer-daemon",
        "marketing",
        "media",
        "news",
        "newsletter",
        "no-reply",
        "noreply",
        "office",
        "order",
        "orders",
        "postmaster",
        "press",
        "privacy",
        "rechnung",
        "rechnungen",
        "sales",
        "security",
        "service",
        "shop",
        "staff",
        "store",
        "support",
        "team",
        "vertrieb",
        "webmaster",
    ]
)
"""Local parts that stand for a desk and not for a person: they are never expanded to other addresses or rows."""


class SameMailbox(StrEnum):
    """How two addresses relate. TAGGED: they differ by a plus tag. GOOGLE: by dots or domain of one provider."""

    EQUAL = "equal"
    TAGGED = "tagged"
    GOOGLE = "google"
    NO = "no"


def normal_email(text: str) -> str | None:
    """The `normal_v1` form of one address, or None where `text` is no address.

    NFKC, zero-width signs, `mailto:` and a display name off, all lower case, the domain as A-labels.
    """
    if len(text) <= _SHORT and _PLAIN.fullmatch(text) is not None:
        return text  # as nearly every address is written: nothing below would change it
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf").strip()
    bracketed = _IN_BRACKETS.search(plain)
    if bracketed is not None:
        plain = bracketed.group(1).strip()
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0].strip()
    plain = plain.rstrip(".").lower()
    if _ADDRESS.fullmatch(plain) is None:
        return None
    local, _, domain = plain.rpartition("@")
    ascii_domain = to_a_labels(domain)
    return f"{local}@{ascii_domain}" if ascii_domain else None


def to_a_labels(domain: str) -> str | None:
    """The domain in ASCII (RFC 5891), or None where it is no domain of at least two labels."""
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None


def to_u_labels(domain: str) -> str:
    """The domain as people write it; itself where it has no other form."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def mailbox(normal: str) -> str:
    """A normal address without its plus tag; for Google's domains also without dots, under one domain."""
    local, _, domain = normal.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GOOGLE:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def same_mailbox(one: str, other: str) -> SameMailbox:
    """How two normal addresses relate. Dots matter everywhere but at Google."""
    if one == other:
        return SameMailbox.EQUAL
    if mailbox(one) != mailbox(other):
        return SameMailbox.NO
    plain = [address.rpartition("@")[0].partition("+")[0] + address[address.rfind("@") :] for address in (one, other)]
    return SameMailbox.TAGGED if plain[0] == plain[1] else SameMailbox.GOOGLE


def is_role_mailbox(normal: str) -> bool:
    """Whether the address belongs to a desk (info@, orders@), which many people read and write from."""
    return normal.rpartition("@")[0].partition("+")[0] in ROLE_MAILBOXES


def spellings(addresses: Iterable[str]) -> tuple[str, ...]:
    """Every form to compare with, case aside: as met, normal, with the domain in letters, without the tag."""
    forms: set[str] = set()
    for address in addresses:
        normal = normal_email(address)
        if normal is None:
            continue
        local, _, domain = normal.rpartition("@")
        forms |= {normal, f"{local}@{to_u_labels(domain)}", f"mailto:{normal}"}
        box = mailbox(normal)
        forms |= {box, box.replace("@gmail.com", "@googlemail.com")}
        plain = local.partition("+")[0] or local
        forms.add(f"{plain}@{domain}")
    return tuple(sorted(forms))


def case_forms(addresses: Iterable[str]) -> tuple[str, ...]:
    """The spellings that somebody may have hashed: as met, with a lower-cased domain, and normal."""
    forms: set[str] = set()
    for address in addresses:
        raw = address.strip()
        normal = normal_email(raw)
        if normal is None:
            continue
        local, _, domain = raw.rpartition("@")
        forms |= {raw, normal, f"{local}@{domain.lower()}", raw.upper()}
    return tuple(sorted(forms))
