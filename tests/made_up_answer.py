"""A made-up person's answer, friendly or hostile, for the tests of packages and letters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.domain.answer import (
    Art15Facts,
    Authority,
    Controller,
    Exclusion,
    Recipient,
    Regime,
    Right,
    SearchedStore,
    StoragePeriod,
    StoreOutcome,
    UnreachedStore,
)
from privacyops.domain.letter import LetterKind, variables
from privacyops.domain.package.contents import (
    Attachment,
    Collection,
    Column,
    ConsentEntry,
    Element,
    FieldKind,
    PackageContents,
    PackageKind,
    Record,
    Redaction,
    Store,
)

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CONTROLLER = Controller(
    "Feldblume Versand GmbH",
    ("Lindenweg 4", "10115 Berlin"),
    "privacy@shop.example",
    "Dr. Jana Beispiel, dpo@shop.example",
)
AUTHORITY = Authority("Data Protection Authority of Example", "Example Square 1, 10555 Berlin", "https://dpa.example")
FACTS = Art15Facts(
    purposes=("Deliver your orders", "Answer your questions"),
    categories=("Contact data", "Orders and payments"),
    recipients=(
        Recipient("Paketdienst Nord GmbH", "delivery", "Germany"),
        Recipient("Mailwerk Inc.", "newsletter", "USA", "standard contractual clauses, module 2"),
    ),
    storage=(StoragePeriod("Orders and invoices", "8 years after the end of the year"),),
)
SEARCHED = (
    SearchedStore("shop", "Shop database", ("e-mail address", "customer number"), 4, AT),
    SearchedStore("news", "Newsletter tool", ("e-mail address",), 0, AT),
)
UNREACHED = (UnreachedStore("archive", "Order archive", "It was being moved.", date(2026, 12, 10)),)
EXCLUSIONS = (
    Exclusion(
        "Parts of one message", "THIRD_PARTY_RIGHTS", "They name your neighbour.", "Art. 15(4) GDPR", "Support desk"
    ),
)
PASSWORD_HASH = "$2b$12$Nosecretatallbutlookslikeone.abcdefghijklmnopqrstuvwx"
NEIGHBOUR = "Maria Nowak"
HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }}{% for a in b %}",
    '=HYPERLINK("http://evil.example","click")',
    "\u202egnp.exe\u2066 and \u200bhidden",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 family \u2764\ufe0f",
    "\x00=1+1",
    "a;=1+1;b\nsecond line\t@SUM(1)",
    "lone \ud83d surrogate",
    "x" * 10_050,
    "]]></style><style>*{display:none}</style>",
    "line one\r\n=2+3\r\n- item",
)


@dataclass(frozen=True)
class TestKey:
    """A real Ed25519 key with a fixed seed, so that signatures repeat."""

    __test__ = False
    key_id: str = "test-key"
    seed: bytes = b"\x07" * 32

    def sign(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    @property
    def public(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()


def account() -> Collection:
    """One customer with a password hash and an address."""
    columns = (
        Column("customer_id", "Customer number", FieldKind.NUMBER),
        Column("first_name", "First name", provided=True, term="givenName"),
        Column("email", "E-mail", provided=True, term="email"),
        Column("phone", "Phone", provided=True),
        Column("password_hash", "Password", element=Element.PASSWORD),
        Column("birthday", "Birthday", FieldKind.DAY, provided=True, term="birthDate"),
        Column("segment", "Group", meaning="Computed from your orders", codes={"B": "Regular customer"}),
        Column("created", "Customer since", FieldKind.MOMENT),
        Column("settings", "Settings", FieldKind.NESTED),
    )
    values: dict[str, Any] = {
        "customer_id": 48213,
        "first_name": "Anna",
        "email": "anna@example.com",
        "phone": "+49 30 5550123",
        "password_hash": PASSWORD_HASH,
        "birthday": date(1988, 4, 2),
        "segment": "B",
        "created": datetime(2021, 3, 1, 10, tzinfo=UTC),
        "settings": {"theme": "dark", "lists": [1, Decimal("2.50"), None]},
    }
    return Collection("customers", "Your customer account", columns, (Record("48213", values),), term="Person")


def tickets() -> Collection:
    """One message that names a third party, whose name and phone number were redacted."""
    text = f"My parcel went to {NEIGHBOUR}, phone 0151 5550123, please change it."
    start = text.index(NEIGHBOUR)
    phone = text.index("0151")
    return Collection(
        "tickets",
        "Your messages to our support",
        (Column("id", "Number"), Column("text", "Text", provided=True)),
        (
            Record(
                "88213",
                {"id": "88213", "text": text},
                (
                    Redaction("text", "[Person B]", "THIRD_PARTY_RIGHTS", start, start + len(NEIGHBOUR)),
                    Redaction("text", "[phone of Person B]", "THIRD_PARTY_RIGHTS", phone, phone + 12),
                ),
            ),
        ),
    )


def hostile() -> Collection:
    """Texts that somebody planted, one a record, and a column whose name is hostile too."""
    return Collection(
        '../<b>Order "Items"',
        '<img src=x> & "friends"',
        (Column("=cmd()", "<i>Label</i>", provided=True), Column("amount", "Amount", FieldKind.NUMBER)),
        tuple(
            Record(str(place), {"=cmd()": text, "amount": Decimal("-12.30")})
            for place, text in enumerate(HOSTILE_TEXTS)
        ),
        term="Review",
    )


class Many:
    """Records made while they are read: `count` of them, never all in memory, the same at each reading."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[Record]:
        for number in range(self.count):
            yield Record(
                str(number),
                {"order_no": f"A-{number}", "total": Decimal(number) / 100, "note": f"Leave it at door {number}"},
            )


def many(count: int) -> Collection:
    """A long collection."""
    columns = (
        Column("order_no", "Order"),
        Column("total", "Total", FieldKind.NUMBER),
        Column("note", "Your note", provided=True),
    )
    return Collection("orders", "Your orders", columns, Many(count), term="Order")


def contents(**changes: Any) -> PackageContents:
    """An access package in English over the shop, the support desk and the planted texts; `changes` replace parts."""
    given: dict[str, Any] = {
        "reference": "PR-Q83D",
        "kind": PackageKind.ACCESS,
        "subject": "Anna Kowalska",
        "language": "en",
        "controller": CONTROLLER,
        "authority": AUTHORITY,
        "received_on": date(2026, 11, 18),
        "created_at": datetime(2026, 11, 22, 10, tzinfo=UTC),
        "zone": "Europe/Berlin",
        "stores": (
            Store("shop", "Shop database", (account(), hostile()), "Accounts and orders"),
            Store("SHOP", "Support desk", (tickets(),)),
        ),
        "searched": SEARCHED,
        "unreached": UNREACHED,
        "exclusions": EXCLUSIONS,
        "facts": FACTS,
        "attachments": (
            Attachment("../../etc/invoice.pdf", "application/pdf", "shop", _chunks(b"%PDF-1.4\n")),
            Attachment("page.html", "text/html", "SHOP", _chunks(b"<script>alert(1)</script>")),
        ),
        "consents": (ConsentEntry("e1", "Newsletter", "allowed", AT, "checkout", "version 3", "Yes, send me news."),),
    }
    return PackageContents(**{**given, **changes})


def _chunks(data: bytes) -> Callable[[], list[bytes]]:
    return lambda: [data[:4], data[4:]]


_SAMPLES: Mapping[str, Any] = {
    "controller": CONTROLLER,
    "authority": AUTHORITY,
    "regime": Regime.EU,
    "right": Right.ACCESS,
    "facts": FACTS,
    "reference": "PR-Q83D",
    "recipient": "Anna Kowalska",
    "recipient_address": ("ul. Polna 3", "00-625 Warszawa"),
    "status_url": "https://privacy.shop.example/privacy/status",
    "code": "482913",
}
_BY_TYPE: Mapping[type, Any] = {
    SearchedStore: SEARCHED,
    UnreachedStore: UNREACHED,
    Exclusion: EXCLUSIONS,
    StoreOutcome: (StoreOutcome("Shop database", "4 records, all of them in the package"),),
}


def letter_values(kind: LetterKind, **changes: Any) -> dict[str, Any]:
    """Values for every variable of `kind`, also those it need not have; a change to None leaves one out."""
    values: dict[str, Any] = {}
    for name, variable in variables(kind).items():
        if name in _SAMPLES:
            values[name] = _SAMPLES[name]
        elif variable.of in _BY_TYPE:
            values[name] = _BY_TYPE[variable.of]
        elif variable.of is date:
            values[name] = date(2026, 12, 16)
        elif variable.of is bool:
            values[name] = True
        elif variable.of is int:
            values[name] = 5
        elif name.endswith("url") or name == "link":
            values[name] = f"https://privacy.shop.example/{name}"
        else:
            values[name] = (f"words for {name}",) if variable.many else f"words for {name}"
    return {name: value for name, value in {**values, **changes}.items() if value is not None}
