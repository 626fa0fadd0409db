"""The composition root: settings become adapters, adapters a Context. The only file that knows every adapter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from privacyops.adapters.anchor_folder import FolderAnchors
from privacyops.adapters.key_file import WatchedKeyFile, fresh_keys, write_key_file
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.late import late
from privacyops.adapters.mail_message import Sender
from privacyops.adapters.mailer_inbox import InboxMailer
from privacyops.adapters.mailer_smtp import SmtpMailer, SmtpServer, TlsMode
from privacyops.adapters.passwords import ScryptPasswords
from privacyops.adapters.pii.apart import ApartDetection
from privacyops.adapters.signer_ed25519 import Ed25519Signer, read_signing_key, write_signing_key
from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.adapters.tokens_none import NoIssuers
from privacyops.adapters.vault import FolderVault
from privacyops.adapters.webhook_sender import GuardedWebhookSender
from privacyops.domain.account.actor import system
from privacyops.domain.answer import Art15Facts, Recipient, StoragePeriod
from privacyops.domain.controller import ControllerProfile
from privacyops.domain.recipient import KnownRecipient
from privacyops.kernel.clock import Clock
from privacyops.ports.connector_host import ConnectorHost, StoreConfig
from privacyops.ports.letters import LetterWriter
from privacyops.ports.mailer import Inbox, Mailer
from privacyops.ports.package import PackageBuilder
from privacyops.ports.receipts import ReceiptWriter
from privacyops.ports.tokens import TokenVerifier
from privacyops.services import purpose
from privacyops.services.consent.checking import Checker
from privacyops.services.context import Context
from privacyops.services.health import VERSION
from privacyops.services.ports import Ports
from privacyops.settings import Settings
from privacyops.store import check_reader, checkup, engine, schema
from privacyops.store.engine import connect
from privacyops.store.uow import Database

if TYPE_CHECKING:
    from privacyops.connector_sdk.guard import Guard
    from privacyops.store.replica import Replica

WEB_TIMEOUT_S: Final = 5
WORKER_TIMEOUT_S: Final = 60
_MARKETS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL")


@dataclass(frozen=True, slots=True)
class House:
    """One service: its context as the machine sees it, and the demo's inbox where mail is written to a folder."""

    settings: Settings
    context: Context
    inbox: Inbox | None
    telemetry: JsonTelemetry

    def close(self) -> None:
        """Close the database, and end the child that detects."""
        self.context.ports.detection.close()
        self.context.database.engines.dispose()


def build(settings: Settings, clock: Clock | None = None, *, statement_timeout_s: int = WORKER_TIMEOUT_S) -> House:
    """Make the service that `settings` describe. Keys that do not exist yet are made; the database is not touched.

    Raises: KeyFileRefused: a key file is open to others or damaged.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    time = clock or SystemClock()
    telemetry = JsonTelemetry(time)
    signer = _signer(settings)
    keys = _keys(settings)
    keyring = MasterKeyRing(keys.latest(), latest=keys.latest)
    mailer, inbox = _mailer(settings)
    allowed = frozenset(settings.connectors)

    def open_stores(stores: Sequence[StoreConfig]) -> ConnectorHost:
        # What speaks HTTP is loaded by who opens a store, and a web process seldom does
        from privacyops.adapters.connector_host import Connectors  # noqa: PLC0415 - as said

        return Connectors(stores, allowed)

    ports = Ports(
        keyring=keyring,
        vault=FolderVault(settings.data / "vault", keyring),
        signer=signer,
        letters=late(_letters),
        receipts=late(_receipts),
        packages=late(partial(_packages, signer)),
        connectors=open_stores,
        passwords=ScryptPasswords(),
        mailer=mailer,
        webhooks=GuardedWebhookSender(partial(_webhook_guard, settings)),
        tokens=_tokens(settings),
        telemetry=telemetry,
        anchors=FolderAnchors(settings.ledger.anchor_folder),
        detection=ApartDetection(_regions(settings), settings.data / "detection"),
    )
    profile = _profile(settings)
    database = Database(connect(settings.database, statement_timeout_s=statement_timeout_s))
    context = Context(time, database, profile, ports, system(profile.key))
    return House(settings, context, inbox, telemetry)


def schema_fingerprint() -> str:
    """What this release's migrations come to, as a hash: a kept database of another one is not of use to it."""
    return schema.fingerprint()


def _letters() -> LetterWriter:
    from privacyops.adapters.letters.writer import TemplateLetterWriter  # noqa: PLC0415 - see `late`

    return TemplateLetterWriter()


def _receipts() -> ReceiptWriter:
    from privacyops.adapters.receipts.writer import TemplateReceiptWriter  # noqa: PLC0415 - see `late`

    return TemplateReceiptWriter()


def _packages(signer: Ed25519Signer) -> PackageBuilder:
    from privacyops.adapters.package.build import ZipPackageBuilder  # noqa: PLC0415 - see `late`

    return ZipPackageBuilder(signer, f"privacyops {VERSION}")


def prepare_database(house: House) -> None:
    """Bring an embedded database to this release's schema; on PostgreSQL only check it (`privacyops migrate` does).

    A controller without purposes of consent is given those that are shipped.

    Raises: SchemaOutdated, WriteGuardMissing.
    """
    engines = house.context.database.engines
    if not house.settings.is_cluster:
        schema.migrate(engines)
        checkup.prefer_wal(house.settings.engine)
    schema.check(engines)
    purpose.install_shipped(house.context)


def make_checker(house: House) -> Checker:
    """What answers consent checks: over the file that is written to, or over PostgreSQL in threads; over this host's
    copy where it has one, and PostgreSQL where that is too old.
    """
    settings, seconds = house.settings, house.context.clock.boot_seconds
    primary = check_reader.source_for(settings.database, seconds)
    rate = settings.web.checks_per_second
    if settings.check_replica is None:
        return Checker(house.context, primary, checks_per_second=rate)
    from privacyops.store.replica import boot_id  # noqa: PLC0415 - only where there is a copy

    copy = check_reader.CopyReader(str(settings.check_replica), seconds, boot_id())
    return Checker(house.context, copy, primary, checks_per_second=rate)


def make_replica(house: House) -> "Replica":
    """What keeps this host's copy for its checks. Raises: CopyInUse, BootUnknown; ValueError: no path is set."""
    from privacyops.services.consent import copying  # noqa: PLC0415 - only where there is a copy
    from privacyops.store.replica import Replica  # noqa: PLC0415 - only where there is a copy

    settings, context = house.settings, house.context
    if settings.check_replica is None:
        raise ValueError("check_replica is not set")
    return Replica(
        settings.database, settings.check_replica, context.controller.key, context.clock.boot_seconds,
        copying.unsealing(context),
    )  # fmt: skip


def count_statements(house: House) -> Callable[[], int]:
    """Count the statements on the house's own database from now on; the returned function tells how many."""
    return engine.count_statements(house.context.database.engines)


def _profile(settings: Settings) -> ControllerProfile:
    me = settings.controller
    told = me.processing
    facts = None
    if told.purposes:
        facts = Art15Facts(
            purposes=told.purposes,
            categories=told.categories,
            recipients=tuple(Recipient(one.name, one.purpose, one.country, one.safeguard) for one in told.recipients),
            storage=tuple(StoragePeriod(one.what, one.period) for one in told.storage),
            sources=told.sources,
            automated=told.automated,
        )
    return ControllerProfile(
        key=me.key, name=me.name, address=me.address, contact_email=me.contact_email, country=me.country,
        zone=me.zone, base_url=settings.base_url, subdivision=me.subdivision, dpo_contact=me.dpo_contact,
        authority_name=me.authority_name, authority_url=me.authority_url, languages=me.languages,
        policies=me.policies, phone_region=me.phone_region, single_operator=me.single_operator,
        is_demo=settings.demo, facts=facts, organisation=me.organisation, auditor_email=settings.ledger.anchor_mail,
        consent_proof=me.consent_proof, consent_renewal_days=me.consent_renewal_days, gpc_since=me.gpc_since,
        consent_mode={str(signal): key for signal, key in me.consent_mode.items()},
        recipients=tuple(
            KnownRecipient(one.name, one.purpose, one.country, one.store, one.contact) for one in told.recipients
        ),
    )  # fmt: skip


def _keys(settings: Settings) -> WatchedKeyFile:
    path = settings.keys_file or settings.data / "keys"
    if not path.exists():
        _closed_folder(path.parent)
        write_key_file(path, fresh_keys())
    return WatchedKeyFile(path)


def _regions(settings: Settings) -> tuple[str, ...]:
    """The countries whose phone numbers and national ids are looked for: the shop's own first."""
    own = (settings.controller.phone_region, settings.controller.country)
    return tuple(dict.fromkeys([*(one for one in own if one), *_MARKETS]))


def _signer(settings: Settings) -> Ed25519Signer:
    path = settings.signing_key_file or settings.data / "signing-key.pem"
    if not path.exists():
        _closed_folder(path.parent)
        return write_signing_key(path)
    return read_signing_key(path)


def _tokens(settings: Settings) -> TokenVerifier:
    """The shops whose customers' sessions are taken as a first proof. Raises: JwkSetRefused, IssuerMisconfigured."""
    if not settings.shop_issuers:
        return NoIssuers()
    # Their HTTP client and cryptography take longer to load than the rest of the composition; few have an issuer
    from privacyops.adapters.token_keys import FetchedKeys, KeySource, PastedKeys  # noqa: PLC0415 - as said
    from privacyops.adapters.tokens_jose import (  # noqa: PLC0415 - as said
        Issuer,
        IssuerMisconfigured,
        IssuerUse,
        JoseTokens,
    )
    from privacyops.connector_sdk.guard import Guard  # noqa: PLC0415 - as said

    issuers: list[Issuer] = []
    for one in settings.shop_issuers:
        if one.jwks_file is not None:
            keys: KeySource = PastedKeys.read(one.jwks_file.read_bytes(), one.algorithm)
        elif one.jwks_url is not None:
            keys = FetchedKeys(one.jwks_url, one.algorithm, Guard())
        else:
            raise IssuerMisconfigured(f"shop_issuers: {one.name}: set jwks_file or jwks_url")
        issuers.append(Issuer(one.name, IssuerUse.SHOP, one.audience, one.algorithm, keys, settings.controller.key))
    return JoseTokens(issuers)


def _closed_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _webhook_guard(settings: Settings) -> "Guard":
    """Systems on the shop's own network are reached only where the settings open it."""
    from privacyops.connector_sdk.guard import Guard  # noqa: PLC0415 - it loads what speaks HTTP

    told = settings.webhooks
    schemes = {"https", "http"} if told.plain_http else {"https"}
    return Guard(frozenset(schemes), frozenset(told.ports), told.private_networks)


def _mailer(settings: Settings) -> tuple[Mailer, Inbox | None]:
    mail = settings.mail
    sender = Sender(mail.sender, mail.sender_name)
    if mail.transport == "folder":
        inbox = InboxMailer(settings.data / "mail", sender)
        return inbox, inbox
    return mail_server(settings), None


def mail_server(settings: Settings) -> SmtpMailer:
    """The mailer over the relay that the settings name."""
    mail = settings.mail
    password = mail.password.get_secret_value() if mail.password else None
    if mail.password_file is not None:
        password = mail.password_file.read_text().strip()
    server = SmtpServer(mail.host, mail.port, TlsMode(mail.tls), mail.username, password)
    return SmtpMailer(server, Sender(mail.sender, mail.sender_name))
