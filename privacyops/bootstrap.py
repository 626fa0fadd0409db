"""The composition root: settings become adapters, adapters a Context. The only file that knows every adapter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.adapters.connector_host import Connectors
from privacyops.adapters.key_file import MasterKeys, fresh_keys, read_key_file, write_key_file
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.letters.writer import TemplateLetterWriter
from privacyops.adapters.mail_message import Sender
from privacyops.adapters.mailer_inbox import InboxMailer
from privacyops.adapters.mailer_smtp import SmtpMailer, SmtpServer, TlsMode
from privacyops.adapters.package.build import ZipPackageBuilder
from privacyops.adapters.passwords import ScryptPasswords
from privacyops.adapters.signer_ed25519 import Ed25519Signer, read_signing_key, write_signing_key
from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.adapters.token_keys import FetchedKeys, KeySource, PastedKeys
from privacyops.adapters.tokens_jose import Issuer, IssuerMisconfigured, IssuerUse, JoseTokens
from privacyops.adapters.vault import FolderVault
from privacyops.connector_sdk.guard import Guard
from privacyops.domain.account.actor import system
from privacyops.domain.answer import Art15Facts, Recipient, StoragePeriod
from privacyops.domain.controller import ControllerProfile
from privacyops.kernel.clock import Clock
from privacyops.ports.connector_host import ConnectorHost, StoreConfig
from privacyops.ports.mailer import Inbox, Mailer
from privacyops.services import purpose
from privacyops.services.context import Context
from privacyops.services.health import VERSION
from privacyops.services.ports import Ports
from privacyops.settings import Issuer as IssuerSetting
from privacyops.settings import Settings
from privacyops.store import checkup, engine, schema
from privacyops.store.engine import connect
from privacyops.store.uow import Database

WEB_TIMEOUT_S: Final = 5
WORKER_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class House:
    """One service: its context as the machine sees it, and the demo's inbox where mail is written to a folder."""

    settings: Settings
    context: Context
    inbox: Inbox | None
    telemetry: JsonTelemetry

    def close(self) -> None:
        """Close the database."""
        self.context.database.engines.dispose()


def build(settings: Settings, clock: Clock | None = None, *, statement_timeout_s: int = WORKER_TIMEOUT_S) -> House:
    """Make the service that `settings` describe. Keys that do not exist yet are made; the database is not touched.

    Raises: KeyFileRefused: a key file is open to others or damaged.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    time = clock or SystemClock()
    telemetry = JsonTelemetry(time)
    signer = _signer(settings)
    keyring = MasterKeyRing(_keys(settings))
    mailer, inbox = _mailer(settings)
    allowed = frozenset(settings.connectors)

    def open_stores(stores: Sequence[StoreConfig]) -> ConnectorHost:
        return Connectors(stores, allowed)

    ports = Ports(
        keyring=keyring,
        vault=FolderVault(settings.data / "vault", keyring),
        signer=signer,
        letters=TemplateLetterWriter(),
        packages=ZipPackageBuilder(signer, f"privacyops {VERSION}"),
        connectors=open_stores,
        passwords=ScryptPasswords(),
        mailer=mailer,
        tokens=JoseTokens(_issuer(settings, one) for one in settings.shop_issuers),
        telemetry=telemetry,
    )
    profile = _profile(settings)
    database = Database(connect(settings.database, statement_timeout_s=statement_timeout_s))
    context = Context(time, database, profile, ports, system(profile.key))
    return House(settings, context, inbox, telemetry)


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
        is_demo=settings.demo, facts=facts,
    )  # fmt: skip


def _keys(settings: Settings) -> MasterKeys:
    path = settings.keys_file or settings.data / "keys"
    if not path.exists():
        _closed_folder(path.parent)
        write_key_file(path, fresh_keys())
    return read_key_file(path)


def _signer(settings: Settings) -> Ed25519Signer:
    path = settings.signing_key_file or settings.data / "signing-key.pem"
    if not path.exists():
        _closed_folder(path.parent)
        return write_signing_key(path)
    return read_signing_key(path)


def _issuer(settings: Settings, one: IssuerSetting) -> Issuer:
    """A shop whose customers' sessions are taken as a first proof. Raises: JwkSetRefused, IssuerMisconfigured."""
    if one.jwks_file is not None:
        keys: KeySource = PastedKeys.read(one.jwks_file.read_bytes(), one.algorithm)
    elif one.jwks_url is not None:
        keys = FetchedKeys(one.jwks_url, one.algorithm, Guard())
    else:
        raise IssuerMisconfigured(f"shop_issuers: {one.name}: set jwks_file or jwks_url")
    return Issuer(one.name, IssuerUse.SHOP, one.audience, one.algorithm, keys, settings.controller.key)


def _closed_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


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
