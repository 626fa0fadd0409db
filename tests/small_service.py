"""A service with real keys, a real signer and a real database; what a test does not need is not there."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.adapters.key_file import MasterKeys
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.letters.writer import TemplateLetterWriter
from privacyops.adapters.receipts.writer import TemplateReceiptWriter
from privacyops.adapters.signer_ed25519 import Ed25519Signer
from privacyops.domain.account.actor import Actor, system
from privacyops.domain.controller import ControllerProfile
from privacyops.kernel.clock import Clock
from privacyops.services.context import Context
from privacyops.services.ports import Ports
from privacyops.store.uow import Database

CONTROLLER = ControllerProfile(
    key="shop-group", name="Shop Group", address="1 Example Street", contact_email="privacy@shop.example",
    country="DE", zone="Europe/Berlin", base_url="https://privacy.shop.example", phone_region="DE",
)  # fmt: skip
KEYS = MasterKeys({1: bytes(range(32))}, {1: bytes(range(32, 64))})
PRIVATE = bytes(range(64, 96))


class Absent:
    """Stands where a port is not part of the test: touching it fails."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"this test does not reach {name}")


def small_service(
    database: Database, clock: Clock, actor: Actor | None = None, private: bytes = PRIVATE, **changes: Any
) -> Context:
    """A context over `database`, acting as the machine unless told otherwise."""
    names = Ports.__dataclass_fields__
    real: dict[str, Any] = {
        "keyring": MasterKeyRing(KEYS),
        "letters": TemplateLetterWriter(),
        "receipts": TemplateReceiptWriter(),
        "signer": Ed25519Signer(Ed25519PrivateKey.from_private_bytes(private)),
    }
    ports = Ports(**{name: (real | changes).get(name, Absent()) for name in names})
    return Context(clock, database, CONTROLLER, ports, actor or system(CONTROLLER.key))
