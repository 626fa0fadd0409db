"""What an operator may set is what the card says, and a refusal says so without the value."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest

from privacyops.connector_sdk import API_VERSION, ConnectorSpec, Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, allowed, config_schema

SCHEMA = config_schema(
    {
        "host": {"type": "string", "minLength": 1, "maxLength": 20},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "size": {"type": "integer", "minimum": 1},
        "wait": {"type": "number", "exclusiveMinimum": 0},
        "tls": {"type": "string", "enum": ["implicit", "none"]},
        "scan": {"type": "boolean"},
        "ignore": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2},
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
        "folder": {"type": "string"},
    },
    required=["host"],
)
SPEC = ConnectorSpec("shelf", "Shelf", "1", API_VERSION, SCHEMA, ("password", "hash_key"))
FIRST_PARTY = ("duckdb", "files", "gcs", "ldap", "mailbox", "manual", "mongodb", "redis", "s3", "search", "_template")


def given(**config: Json) -> Configuration:
    return Configuration({"host": "mail.example", **config}, SCHEMA)


def test_each_setting_comes_as_what_it_is_or_as_its_default() -> None:
    read = given(port=993, tls="none", scan=True, ignore=["a", "b"], names={"mail": "X-Mail"}, folder="/srv")
    assert (read.required("host"), read.number("port"), read.text("tls"), read.flag("scan")) == (
        "mail.example", 993, "none", True,
    )  # fmt: skip
    assert (read.texts("ignore"), read.pairs("names")) == (("a", "b"), {"mail": "X-Mail"})
    assert read.path("folder") == read.absolute_path("folder") == Path("/srv")
    bare = given(port=None)
    assert (bare.number("port"), bare.number("port", 143), bare.text("tls", "implicit"), bare.flag("scan")) == (
        None, 143, "implicit", False,
    )  # fmt: skip
    assert (bare.texts("ignore"), bare.pairs("names"), bare.path("folder")) == ((), {}, None)


@pytest.mark.parametrize(
    ("config", "setting", "code"),
    [
        ({"colour": "red"}, "colour", "unknown_setting"),
        ({"colour": None}, "colour", "unknown_setting"),
        ({"host": None}, "host", "missing"),
        ({"host": ""}, "host", "wrong_type"),
        ({"host": "a" * 21}, "host", "wrong_type"),
        ({"host": 7}, "host", "wrong_type"),
        ({"host": True}, "host", "wrong_type"),
        ({"port": "993"}, "port", "wrong_type"),
        ({"port": True}, "port", "wrong_type"),
        ({"port": 0}, "port", "wrong_type"),
        ({"port": 65536}, "port", "wrong_type"),
        ({"port": 1.5}, "port", "wrong_type"),
        ({"wait": 0}, "wait", "wrong_type"),
        ({"wait": float("nan")}, "wait", "wrong_type"),
        ({"tls": "yes"}, "tls", "unknown_value"),
        ({"scan": "true"}, "scan", "wrong_type"),
        ({"scan": 1}, "scan", "wrong_type"),
        ({"ignore": "a"}, "ignore", "wrong_type"),
        ({"ignore": [""]}, "ignore", "wrong_type"),
        ({"ignore": ["a", 1]}, "ignore", "wrong_type"),
        ({"ignore": ["a", "b", "c"]}, "ignore", "wrong_type"),
        ({"names": ["a"]}, "names", "wrong_type"),
        ({"names": {"a": 1}}, "names", "wrong_type"),
        ({"name": ""}, "name", "wrong_type"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(config: Mapping[str, Json], setting: str, code: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        given(**config)
    assert (refused.value.setting, refused.value.code, refused.value.args) == (setting, code, (setting, code))


@pytest.mark.parametrize("text", ["srv", "", "/srv\0"])
def test_a_path_that_has_to_be_absolute_is(text: str) -> None:
    with pytest.raises(Misconfigured, match="not_absolute"):
        given(folder=text).absolute_path("folder")


def test_what_is_allowed_is_said_in_the_cards_own_words() -> None:
    said = {
        setting: allowed(SPEC, setting)
        for setting in ("host", "port", "size", "wait", "tls", "scan", "ignore", "names")
    }
    assert said == {
        "host": "a text that is not empty, 20 signs at most",
        "port": "a whole number from 1 to 65535",
        "size": "a whole number of 1 or more",
        "wait": "a number above 0",
        "tls": "one of implicit, none",
        "scan": "true or false",
        "ignore": "a list of texts, 2 at most",
        "names": "a table of names and texts",
    }
    assert allowed(SPEC, "colour") == "folder, host, ignore, names, password, port, scan, size, tls, wait"


def test_a_card_that_promises_what_nobody_checks_is_a_bug() -> None:
    card = config_schema({"host": {"type": "string", "pattern": "^a"}})
    with pytest.raises(TypeError, match="pattern"):
        Configuration({"host": "b"}, card)


@pytest.mark.parametrize("name", FIRST_PARTY)
def test_every_connector_reads_its_card_and_says_what_each_setting_takes(name: str) -> None:
    spec = import_module(f"connectors.{name}").connector.spec()
    for setting in spec.config_schema["properties"]:
        assert allowed(spec, setting)
        with pytest.raises(Misconfigured) as refused:
            Configuration({setting: object()}, spec.config_schema)  # type: ignore[dict-item]  # no type of JSON
        assert (refused.value.setting, refused.value.code) == (setting, "wrong_type")
