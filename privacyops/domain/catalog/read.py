"""Reads the catalog of this package into frozen records: checked once, kept for the life of the process.

A file that does not fit its records is a fault of the release, so it fails loudly, with the file and the place.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from privacyops.domain.catalog.deadlines import Deadlines
from privacyops.domain.catalog.incidents import Incidents
from privacyops.domain.catalog.plain_yaml import TextMalformed, parse_plain_yaml
from privacyops.domain.catalog.refusals_retention import RefusalsRetention
from privacyops.domain.catalog.registers_interop import RegistersInterop

SCHEMA_VERSION: Final = 1
R = TypeVar("R")


class CatalogBroken(ValueError):
    """A file of the catalog does not hold what its records need; the message names the file and the place."""


@lru_cache(maxsize=1)
def deadlines() -> Deadlines:
    """Terms of every law, deadlines.yaml. Raises: CatalogBroken."""
    return _load(Deadlines, "deadlines.yaml")


@lru_cache(maxsize=1)
def refusals_retention() -> RefusalsRetention:
    """Outcomes, refusal codes, retention, identity ladder, letters. Raises: CatalogBroken."""
    return _load(RefusalsRetention, "refusals_retention.yaml")


@lru_cache(maxsize=1)
def incidents() -> Incidents:
    """Clocks, contents and severity of breaches, incidents.yaml. Raises: CatalogBroken."""
    return _load(Incidents, "incidents.yaml")


@lru_cache(maxsize=1)
def registers_interop() -> RegistersInterop:
    """Fields of registers, protocols, maps of status. Raises: CatalogBroken."""
    return _load(RegistersInterop, "registers_interop.yaml")


def _load(cls: type[R], name: str) -> R:
    text = files("privacyops.domain.catalog").joinpath(name).read_text(encoding="utf-8")
    return parse_catalog(cls, text, name)


def parse_catalog(cls: type[R], text: str, name: str) -> R:
    """The record `cls` written down in `text`; `name` stands in messages.

    Raises: CatalogBroken: not YAML, another schema version, an unknown or missing member, a wrong type or value.
    """
    try:
        document = parse_plain_yaml(text)
    except TextMalformed as wrong:
        raise CatalogBroken(f"{name}: {wrong}") from None
    if not isinstance(document, Mapping):
        raise CatalogBroken(f"{name}: the file is no map")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise CatalogBroken(f"{name}: schema_version is {version!r}, this program reads {SCHEMA_VERSION}")
    body = {key: value for key, value in document.items() if key != "schema_version"}
    record: R = _record(cls, body, name)
    return record


def _record(cls: Any, value: object, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise CatalogBroken(f"{where}: a map is needed")
    hints = _hints(cls)
    unknown = [key for key in value if key not in hints]
    if unknown:
        raise CatalogBroken(f"{where}: unknown member {unknown[0]!r}")
    needed = (f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
    missing = [name for name in needed if name not in value]
    if missing:
        raise CatalogBroken(f"{where}: member {missing[0]!r} is missing")
    members = {key: _value(hints[key], item, f"{where}.{key}") for key, item in value.items()}
    try:
        return cls(**members)
    except ValueError as wrong:
        raise CatalogBroken(f"{where}: {wrong}") from None


@lru_cache(maxsize=256)
def _hints(cls: Any) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _value(hint: Any, value: object, where: str) -> Any:
    """`value` as the type that a field asks for; a number is no text, and true is no number."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return _frozen(value)
    if origin in (Union, UnionType):
        return _one_of(args, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise CatalogBroken(f"{where}: a list is needed")
        return tuple(_value(args[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise CatalogBroken(f"{where}: a map is needed")
        return MappingProxyType({key: _value(args[1], item, f"{where}.{key}") for key, item in value.items()})
    if is_dataclass(hint):
        return _record(hint, value, where)
    return _scalar(hint, value, where)


def _one_of(hints: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None:
        if type(None) in hints:
            return None
        raise CatalogBroken(f"{where}: a value is needed")
    choices = [hint for hint in hints if hint is not type(None)]
    for hint in choices[:-1]:
        try:
            return _value(hint, value, where)
        except CatalogBroken:
            continue
    return _value(choices[-1], value, where)


def _scalar(hint: Any, value: object, where: str) -> Any:
    parse: Callable[[Any], Any] | None = None
    if hint is date:
        parse = date.fromisoformat
    elif issubclass(hint, StrEnum):
        parse = hint
    if parse is not None:
        try:
            return parse(value)
        except (TypeError, ValueError):
            raise CatalogBroken(f"{where}: {value!r} is no {hint.__name__}") from None
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise CatalogBroken(f"{where}: {value!r} is no {hint.__name__}")
    return value


def _frozen(value: object) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
