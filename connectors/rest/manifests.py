"""From a file to a manifest that may be run: strict YAML, the models of the SDK, and that all it names exists."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from connectors.rest.forbidden import Forbidden, forbidden_of
from connectors.rest.paths import PathMalformed
from connectors.rest.soundness import problems
from connectors.rest.strict_yaml import YamlRefused, parse_strict
from privacyops.connector_sdk.declarative import Manifest

SHIPPED: Final = "connectors.rest.services"


class ManifestRefused(ValueError):
    """The manifest cannot be used; the message says where and why, on one line."""


def service_names() -> tuple[str, ...]:
    """The services a manifest is shipped for."""
    found = files("connectors.rest").joinpath("services").iterdir()
    return tuple(sorted(each.name.removesuffix(".yaml") for each in found if each.name.endswith(".yaml")))


@lru_cache(maxsize=64)
def shipped(service: str) -> Manifest:
    """Raises: ManifestRefused: none is shipped under that name."""
    if service not in service_names():
        raise ManifestRefused("no manifest of this name is shipped")
    file = files("connectors.rest").joinpath("services", f"{service}.yaml")
    return read_manifest(file.read_text(encoding="utf-8"))


def manifest_at(path: Path) -> Manifest:
    """The manifest in an operator's file. Raises: ManifestRefused."""
    try:
        return read_manifest(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ManifestRefused("the file cannot be read") from None


def read_manifest(text: str) -> Manifest:
    """The manifest that a text writes down. Raises: ManifestRefused: the first thing that is wrong, and where."""
    try:
        written = parse_strict(text)
    except YamlRefused as wrong:
        raise ManifestRefused(str(wrong)) from None
    if not isinstance(written, Mapping):
        raise ManifestRefused("a manifest is a mapping")
    try:
        manifest = Manifest.model_validate(written)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise ManifestRefused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    try:
        for where, problem in problems(manifest):
            raise ManifestRefused(f"{where}: {problem}")
    except PathMalformed as wrong:
        raise ManifestRefused(str(wrong)) from None
    return manifest


def shipped_rules(manifest: Manifest) -> Forbidden:
    """What the shipped manifest of the same service forbids: an edited copy does not get round it."""
    if manifest.id not in service_names():
        return forbidden_of(())
    return forbidden_of((shipped(manifest.id).forbid,))
