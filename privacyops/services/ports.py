"""The ports a use case may call, gathered once by bootstrap."""

from dataclasses import dataclass

from privacyops.ports.anchors import Anchors
from privacyops.ports.connector_host import OpensStores
from privacyops.ports.keyring import KeyRing
from privacyops.ports.letters import LetterWriter
from privacyops.ports.mailer import Mailer
from privacyops.ports.package import PackageBuilder
from privacyops.ports.passwords import Passwords
from privacyops.ports.pii import TextDetection
from privacyops.ports.receipts import ReceiptWriter
from privacyops.ports.signer import Signer
from privacyops.ports.telemetry import Telemetry
from privacyops.ports.tokens import TokenVerifier
from privacyops.ports.vault import Vault
from privacyops.ports.webhook_sender import WebhookSender


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside the database that services need, behind its Protocol (privacyops/ports)."""

    keyring: KeyRing
    vault: Vault
    signer: Signer
    letters: LetterWriter
    receipts: ReceiptWriter
    packages: PackageBuilder
    connectors: OpensStores
    passwords: Passwords
    mailer: Mailer
    tokens: TokenVerifier
    telemetry: Telemetry
    anchors: Anchors
    webhooks: WebhookSender
    detection: TextDetection
