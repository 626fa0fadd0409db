"""One frozen Settings, read once: a file, then the environment, then secrets from files.

`privacyops.toml` in the working folder (or PRIVACYOPS_CONFIG) holds sections; `PRIVACYOPS_<SECTION>__<NAME>` wins over
it. A wrong value stops the start and names the setting, what is wrong and an example.
"""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

CONFIG_VARIABLE = "PRIVACYOPS_CONFIG"
CRASH_VARIABLE = "PRIVACYOPS_CRASH_AT"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipient(_Section):
    """Who receives data from the shop (Art. 15(1)(c)), and is told when they are erased or corrected (Art. 19): by the
    connected `store`, or else by a person, at `contact`.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: str
    country: str
    safeguard: str = ""
    store: str = ""
    contact: str = ""


class Storage(_Section):
    """How long one kind of data is kept (Art. 15(1)(d))."""

    what: str
    period: str


class Processing(_Section):
    """What every answer states of the processing. Empty: answers state no such facts and the console reminds."""

    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    storage: tuple[Storage, ...] = ()
    sources: tuple[str, ...] = ()
    automated: tuple[str, ...] = ()


ConsentModeSignal = Literal[
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage",
    "personalization_storage", "security_storage",
]  # fmt: skip


class Controller(_Section):
    """The legal entity that answers."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "main"
    name: str = "My shop"
    address: str = ""
    contact_email: str = "privacy@localhost"
    dpo_contact: str | None = None
    authority_name: str | None = None
    authority_url: str | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "DE"
    subdivision: str | None = None
    zone: str = "Europe/Berlin"
    languages: tuple[str, ...] = ("en", "de")
    policies: tuple[str, ...] = ()
    phone_region: str | None = None
    single_operator: bool = False
    organisation: Literal[
        "Organisation", "ForProfitOrganisation", "NonProfitOrganisation", "GovernmentalOrganisation"
    ] = "Organisation"
    consent_proof: Annotated[str, Field(pattern=r"^(at_once|P[1-9][0-9]?Y)$")] = "at_once"
    consent_renewal_days: Annotated[int, Field(ge=0, le=365)] = 30
    gpc_since: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    processing: Processing = Processing()
    consent_mode: dict[ConsentModeSignal, str] = {}


class Web(_Section):
    """Where the service listens and under which address people reach it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8844
    base_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    widget_origins: tuple[str, ...] = ()
    privacy_policy_url: str | None = None
    metrics_token: SecretStr | None = None
    checks_per_second: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    collects_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 300

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("give the whole address, for example https://privacy.shop.example")
        return value.rstrip("/")


class Mail(_Section):
    """How mail leaves. `transport = "folder"` writes files and is meant for trying out."""

    transport: Literal["smtp", "folder"] = "folder"
    sender: str = "privacy@localhost"
    sender_name: str = "Privacy team"
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None


class Webhooks(_Section):
    """Which addresses systems may have. Private networks and other ports are opened here, never by a form."""

    private_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443,)
    plain_http: bool = False


class Ledger(_Section):
    """Where the logs' checkpoints go each day, out of this service's reach: a folder (a mounted object-lock bucket,
    a working copy), an auditor's address, or both.
    """

    anchor_folder: Path | None = None
    anchor_mail: str | None = None


class Issuer(_Section):
    """A shop whose session tokens are accepted from its signed-in customers."""

    name: str
    audience: str = "privacyops"
    algorithm: Literal["ES256", "RS256"] = "ES256"
    jwks_file: Path | None = None
    jwks_url: str | None = None
    subject_is: Literal["customer_id", "email"] = "customer_id"


class Settings(BaseSettings):
    """Everything an operator can set. Secrets are references or files, never shown by `config show`."""

    model_config = SettingsConfigDict(
        env_prefix="PRIVACYOPS_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    data: Path = Path("var")
    database_url: SecretStr | None = None
    engine_url: SecretStr | None = None
    keys_file: Path | None = None
    signing_key_file: Path | None = None
    connectors: tuple[str, ...] = ("sql", "files", "rest", "manual")
    check_replica: Path | None = None
    check_replica_poll_ms: Annotated[int, Field(ge=5, le=1_000)] = 20
    controller: Controller = Controller()
    web: Web = Web()
    mail: Mail = Mail()
    ledger: Ledger = Ledger()
    webhooks: Webhooks = Webhooks()
    shop_issuers: tuple[Issuer, ...] = ()
    log_format: Literal["json", "console"] = "json"
    demo: bool = False
    allow_root: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = Path(os.environ.get(CONFIG_VARIABLE, "privacyops.toml"))
        file = TomlConfigSettingsSource(settings_cls, toml_file=path)
        return init_settings, env_settings, file

    @model_validator(mode="before")
    @classmethod
    def _without_own_switches(cls, values: Any) -> Any:
        """PRIVACYOPS_CONFIG names the file and PRIVACYOPS_CRASH_AT belongs to tests: neither is a setting."""
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if name not in {"config", "crash_at"}}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.database_url is not None and self.is_cluster and self.engine_url is None:
            raise ValueError("with PostgreSQL set engine_url too: the engine has a database of its own")
        if self.check_replica is not None and not self.is_cluster:
            raise ValueError("check_replica is a copy of PostgreSQL; an embedded service reads its own file")
        return self

    @property
    def is_cluster(self) -> bool:
        """PostgreSQL, several processes; else SQLite and one."""
        return self.database_url is not None and self.database_url.get_secret_value().startswith("postgresql")

    @property
    def database(self) -> str:
        """The URL of the product's own database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data / 'privacyops.db'}"

    @property
    def engine(self) -> str:
        """The URL of the durable engine's database."""
        return self.engine_url.get_secret_value() if self.engine_url else f"sqlite:///{self.data / 'engine.db'}"

    @property
    def base_url(self) -> str:
        """The address under which people reach the service."""
        return self.web.base_url or f"http://{self.web.host}:{self.web.port}"
