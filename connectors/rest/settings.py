"""What an operator may set for a service, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connectors.rest.manifests import ManifestRefused, manifest_at, shipped
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.declarative import Manifest
from privacyops.connector_sdk.declarative import Setting as Wanted

_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """One service, as it was set up. `region` holds what choices stand for; `networks` opens private addresses.

    `base_urls` are the service's further addresses. `scan`: the service may be listed to its end for what it cannot
    be asked, which costs many calls.
    """

    manifest: Manifest
    name: str
    base_url: str
    config: Mapping[str, str | int] = field(default_factory=dict)
    region: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    write: bool = False
    scan: bool = False
    base_urls: Mapping[str, str] = field(default_factory=dict)

    def address(self, via: str) -> str:
        """The address a call goes to."""
        return self.base_urls[via] if via else self.base_url


def read_settings(config: Mapping[str, Json], known: Mapping[str, object]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value that cannot be right; names the setting, never the value."""
    for key in config:
        if key not in known:
            raise Misconfigured(key, "unknown_setting")
    manifest = _manifest(config)
    given = config.get("settings", {})
    if not isinstance(given, Mapping):
        raise Misconfigured("settings", "wrong_type")
    plain = {name: wanted for name, wanted in manifest.config.items() if not wanted.secret}
    for name in given:
        if name not in plain:
            raise Misconfigured(name, "unknown_setting")
    values = {name: _value(name, wanted, given.get(name), manifest) for name, wanted in plain.items()}
    region = {
        name: hosts[str(values[name])] for name, hosts in manifest.region.items() if str(values.get(name)) in hosts
    }
    write, scan = config.get("write", False), config.get("scan", False)
    for flag, said in (("write", write), ("scan", scan)):
        if not isinstance(said, bool):
            raise Misconfigured(flag, "wrong_type")
    called = config.get("name", manifest.id)
    if not isinstance(called, str) or not called:
        raise Misconfigured("name", "wrong_type")
    chosen = {**values, **region}
    further = {each: _base_url(manifest, client.base_url, chosen) for each, client in manifest.clients.items()}
    base = _base_url(manifest, manifest.client.base_url, chosen)
    return Settings(manifest, called, base, values, region, _networks(config), write is True, scan is True, further)


def _manifest(config: Mapping[str, Json]) -> Manifest:
    service, file = config.get("service"), config.get("manifest")
    if (service is None) == (file is None):
        raise Misconfigured("service", "one_of_service_and_manifest")
    try:
        if isinstance(service, str):
            return shipped(service)
        if isinstance(file, str) and Path(file).is_absolute():
            return manifest_at(Path(file))
    except ManifestRefused:
        raise Misconfigured("service" if service is not None else "manifest", "manifest_refused") from None
    raise Misconfigured("service" if service is not None else "manifest", "wrong_type")


def _value(name: str, wanted: Wanted, given: Json, manifest: Manifest) -> str | int:
    value = given if given is not None else wanted.default
    if value is None:
        raise Misconfigured(name, "missing")
    if wanted.type == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misconfigured(name, "wrong_type")
        return value
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 500:
        raise Misconfigured(name, "wrong_type")
    choices = wanted.choices or tuple(manifest.region.get(name, ()))
    if wanted.type == "choice" and value not in choices:
        raise Misconfigured(name, "not_a_choice")
    if wanted.type == "url":
        _refuse_url(name, value)
        return value.rstrip("/")
    return value


def _refuse_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"https", "http"} and parts.hostname and not parts.query and not parts.fragment
        fits = fits and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise Misconfigured(name, "not_an_address")


def _base_url(manifest: Manifest, template: str, values: Mapping[str, str | int]) -> str:
    """The address with the operator's choices; what stands inside a host name is one label and nothing else."""

    def put(hole: "re.Match[str]") -> str:
        name = hole[1]
        if name not in values:
            raise Misconfigured("manifest", "base_url")
        text, wanted = str(values[name]), manifest.config.get(name)
        whole = wanted is not None and wanted.type == "url"
        if not whole and not all(_LABEL.fullmatch(label) for label in text.split(".")):
            raise Misconfigured(name, "not_a_host")
        if not whole and "." in text and name not in manifest.region:
            raise Misconfigured(name, "not_a_host")
        return text

    return re.sub(r"\{([a-z][a-z0-9_]*)\}", put, template).rstrip("/")


def _networks(config: Mapping[str, Json]) -> tuple[IPv4Network | IPv6Network, ...]:
    listed = config.get("networks", ())
    if not isinstance(listed, list | tuple):
        raise Misconfigured("networks", "wrong_type")
    try:
        return tuple(ip_network(str(text)) for text in listed)
    except ValueError:
        raise Misconfigured("networks", "not_a_network") from None
