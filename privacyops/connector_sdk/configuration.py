"""A store's configuration, read against the schema on its connector's card.

The schema is the one place that says what may be set: it is shown to people, checked here, and quoted where a value is
refused. A refusal names the setting and a code, and never holds the value: somebody may have pasted a password there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, overload

from privacyops.connector_sdk.connector import ConnectorSpec, Json, JsonSchema
from privacyops.connector_sdk.errors import Misconfigured

_GIVEN_BY_HOST: Final[Mapping[str, Json]] = {
    "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
    "write": {"type": "boolean", "title": "Open with the writing role"},
}
_SAYS_NOTHING: Final = frozenset({"title", "description", "default", "examples"})
_CHECKED: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"type", "enum", "minLength", "maxLength"}),
    "boolean": frozenset({"type"}),
    "integer": frozenset({"type", "minimum", "maximum"}),
    "number": frozenset({"type", "minimum", "maximum", "exclusiveMinimum"}),
    "array": frozenset({"type", "items", "maxItems"}),
    "object": frozenset({"type", "additionalProperties"}),
}
"""The words of JSON Schema that are checked here, by type. Any other is a bug of the card: nobody would check it."""


def config_schema(properties: Mapping[str, Json], *, required: Sequence[str] = ()) -> JsonSchema:
    """`ConnectorSpec.config_schema` of these settings and what the host gives every store; all others are unknown."""
    together = {**_GIVEN_BY_HOST, **properties}
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": together}


class Configuration:
    """What was given to `Connector.open`, whole and sound. A setting that is null counts as not given.

    Raises: Misconfigured: `unknown_setting`, `wrong_type`, `unknown_value` (not of an `enum`) or `missing`, for the
    first setting that is wrong.
    """

    def __init__(self, config: Mapping[str, Json], schema: JsonSchema) -> None:
        self._properties = _properties(schema)
        self._given = {setting: value for setting, value in config.items() if value is not None}
        for setting in config:
            if setting not in self._properties:
                raise Misconfigured(setting, "unknown_setting")
        for setting, value in self._given.items():
            wanted = self._properties[setting]
            if not _fits(wanted, value):
                raise Misconfigured(setting, "wrong_type")
            if "enum" in wanted and value not in wanted["enum"]:
                raise Misconfigured(setting, "unknown_value")
        for setting in _listed(schema.get("required")):
            if setting not in self._given:
                raise Misconfigured(setting, "missing")

    @overload
    def text(self, setting: str, default: str) -> str: ...
    @overload
    def text(self, setting: str) -> str | None: ...
    def text(self, setting: str, default: str | None = None) -> str | None:
        """A text; where the schema has an `enum`, one of these."""
        value: str | None = self._value(setting, "string", default)
        return value

    def required(self, setting: str) -> str:
        """A text that the schema lists under `required`."""
        value = self.text(setting)
        if value is None:
            raise Misconfigured(setting, "missing")
        return value

    @overload
    def number(self, setting: str, default: int) -> int: ...
    @overload
    def number(self, setting: str) -> int | None: ...
    def number(self, setting: str, default: int | None = None) -> int | None:
        """A whole number."""
        value: int | None = self._value(setting, "integer", default)
        return value

    def flag(self, setting: str, *, default: bool = False) -> bool:
        value: bool = self._value(setting, "boolean", default)
        return value

    def texts(self, setting: str) -> tuple[str, ...]:
        """A list of texts; empty, if it is not given."""
        return tuple(self._value(setting, "array", ()))

    def pairs(self, setting: str) -> dict[str, str]:
        """Texts by name; empty, if they are not given."""
        return dict(self._value(setting, "object", {}))

    def path(self, setting: str) -> Path | None:
        """A path, absolute or from where the process runs. Raises: Misconfigured: none can look like this."""
        text = self.text(setting)
        if text is not None and "\0" in text:
            raise Misconfigured(setting, "wrong_type")
        return None if text is None else Path(text)

    def absolute_path(self, setting: str) -> Path | None:
        """Raises: Misconfigured: `not_absolute`."""
        text = self.text(setting)
        if text is not None and ("\0" in text or not Path(text).is_absolute()):
            raise Misconfigured(setting, "not_absolute")
        return None if text is None else Path(text)

    def _value(self, setting: str, kind: str, default: object) -> Any:
        if self._properties[setting]["type"] != kind:
            raise TypeError(f"the schema's {setting} is no {kind}")
        return self._given.get(setting, default)


def allowed(spec: ConnectorSpec, setting: str) -> str:
    """What may stand under a setting, in words of the card alone; for one that it does not have, those it has."""
    wanted = _properties(spec.config_schema).get(setting)
    if wanted is not None:
        return _in_words(wanted)
    return ", ".join(sorted({*_properties(spec.config_schema), *spec.secret_fields} - {*_GIVEN_BY_HOST, "hash_key"}))


def _properties(schema: JsonSchema) -> dict[str, Mapping[str, Any]]:
    found = schema.get("properties", {})
    listed = found.items() if isinstance(found, Mapping) else ()
    return {setting: wanted for setting, wanted in listed if isinstance(wanted, Mapping)}


def _listed(names: Json) -> tuple[str, ...]:
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def _fits(wanted: Mapping[str, Any], value: Json) -> bool:
    kind = wanted["type"]
    unchecked = set(wanted) - _CHECKED[kind] - _SAYS_NOTHING
    if unchecked:
        raise TypeError(f"the schema says {sorted(unchecked)} of a {kind}, which is not checked")
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if isinstance(value, str):
        return kind == "string" and _is_within(len(value), wanted.get("minLength"), wanted.get("maxLength"))
    if isinstance(value, int | float):
        is_kind = kind == "number" or (kind == "integer" and isinstance(value, int))
        above = wanted.get("exclusiveMinimum")
        is_above = above is None or value > above
        return is_kind and is_above and _is_within(value, wanted.get("minimum"), wanted.get("maximum"))
    if isinstance(value, Mapping):
        return kind == "object" and all(_fits_part(wanted.get("additionalProperties"), each) for each in value.values())
    if isinstance(value, list | tuple):
        is_short = _is_within(len(value), None, wanted.get("maxItems"))
        return kind == "array" and is_short and all(_fits_part(wanted.get("items"), each) for each in value)
    return False


def _fits_part(wanted: Mapping[str, Any] | None, value: Json) -> bool:
    return wanted is None or _fits(wanted, value)


def _is_within(number: float, least: float | None, most: float | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _in_words(wanted: Mapping[str, Any]) -> str:
    kind = wanted.get("type")
    if "enum" in wanted:
        return f"one of {', '.join(map(str, wanted['enum']))}"
    if kind in {"integer", "number"}:
        name = "a whole number" if kind == "integer" else "a number"
        if "minimum" in wanted and "maximum" not in wanted:
            return f"{name} of {wanted['minimum']} or more"
        bounds = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))
        return name + "".join(f" {word} {wanted[bound]}" for bound, word in bounds if bound in wanted)
    if kind == "array":
        most = wanted.get("maxItems")
        return f"a list of texts{f', {most} at most' if most else ''}"
    if kind == "string":
        least, most = wanted.get("minLength", 0), wanted.get("maxLength")
        not_empty = " that is not empty" if least == 1 else f" of {least} signs or more" if least > 1 else ""
        return f"a text{not_empty}{f', {most} signs at most' if most else ''}"
    return {"boolean": "true or false", "object": "a table of names and texts"}.get(str(kind), "")
