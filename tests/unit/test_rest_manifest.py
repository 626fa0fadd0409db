"""The language of manifests: strict YAML, the models, paths, conditions, placeholders, rates, webhooks."""

import base64
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rest.calls import Binding, bodied, fill
from connectors.rest.card import SECRETS
from connectors.rest.forbidden import forbidden_of
from connectors.rest.inbound import NotProven, read_event, settled_by
from connectors.rest.jobs import Jobs, Work, issued
from connectors.rest.manifests import ManifestRefused, read_manifest, service_names, shipped
from connectors.rest.paths import PathMalformed, condition, every, one
from connectors.rest.rates import pause_of
from connectors.rest.settings import read_settings
from connectors.rest.store import RestReader
from connectors.rest.strict_yaml import YamlRefused, parse_strict
from connectors.rest.wire import guarded
from privacyops.connector_sdk import Misconfigured, OpId, Outcome, Terminal
from privacyops.connector_sdk.declarative import Manifest
from privacyops.connector_sdk.declarative_acting import Forbid
from privacyops.connector_sdk.declarative_words import SECRET_NAMES
from privacyops.connector_sdk.testing.bench import GivenSecrets
from tests.rest_fake import FakeClock

ROOT = Path(__file__).parents[2]
POSTBIRD = ROOT / "tests" / "contract" / "rest_manifests" / "postbird.yaml"
SCHEMA = ROOT / "privacyops" / "connector_sdk" / "declarative.schema.json"


def edited(old: str, new: str) -> str:
    """The example with one change that is really in it."""
    text = POSTBIRD.read_text()
    assert old in text
    return text.replace(old, new, 1)


# --- YAML ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ("", None),
        (".inf", ".inf"),
    ],
)
def test_words_are_read_as_yaml_1_2_reads_them(text: str, value: object) -> None:
    found = parse_strict(f"x: {text}")["x"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: &x 1",
        "a: !!python/object/apply:os.system [x]",
        "a: !!str 1",
        "a: 1\na: 2",
        "1: a",
        "a: 1\n---\nb: 2",
        "a: [",
        "[" * 60 + "]" * 60,
        "a: " + "x" * 300_000,
        "? [a, b]\n: c",
    ],
)
def test_what_yaml_can_do_beyond_data_is_refused(text: str) -> None:
    with pytest.raises(YamlRefused):
        parse_strict(text)


# --- models -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", service_names())
def test_a_shipped_manifest_is_sound_and_fits_the_published_schema(name: str) -> None:
    text = (ROOT / "connectors" / "rest" / "services" / f"{name}.yaml").read_text()
    assert shipped(name).id == name
    assert shipped(name).title
    assert jsonschema_rs.is_valid(json.loads(SCHEMA.read_text()), parse_strict(text))


def test_the_published_schema_is_that_of_the_models() -> None:
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema(by_alias=True)}
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(made))


def test_the_card_names_every_secret_a_manifest_may_have() -> None:
    assert SECRETS == SECRET_NAMES


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 3", "version: 3\nsurprise: 1", "surprise"),
        ("resource: contact\n    rows: data", "resource: contact\n    code: import os\n    rows: data", "code"),
        ("timeout: 20s", "timeout: 20", "duration"),
        ('read: "GET /v2/me"', 'read: "GET v2/me"', "METHOD"),
        ('read: "GET /v2/me"', 'read: "TRACE /v2/me"', "METHOD"),
        ('read: "GET /v2/me"', 'read: "GET /v2/me?t=${secret:token}"', "secret"),
        ('bearer: "${secret:token}"', 'bearer: "${secret:other}"', "no secret other"),
        ("token: {secret: true", "credential: {secret: true", "a secret is named"),
        ("resource: contact\n    rows: data", "resource: person\n    rows: data", "no resource person"),
        ("match: {email: eq_ci}", "match: {mail: eq_ci}", "no field mail"),
        ('"GET /v2/contacts/{row.id}"', '"GET /v2/contacts/{row.number}"', "no placeholder {row.number}"),
        ('"GET /v2/contacts/{row.id}"', '"GET /v2/contacts/{config.token}"', "no placeholder {config.token}"),
        ('email={value}"', 'email={value|eval}"', "no change eval"),
        ("campaigns[state in (sending)]", "len(campaigns) > 0", "no condition"),
        ("campaigns[state in (sending)]", "campaigns[__import__('os')]", "no condition"),
        ("page: {cursor: meta.next, param: after}", "page: {cursor: meta.next, number: page}", "page is one of"),
        ("bucket: delete\n    not_found", "bucket: gone\n    not_found", "no bucket gone"),
        ("kind: sync\n    call", "kind: job\n    call", "kind job goes with job"),
        ("takes: {message: listed}", "takes: {letter: any}", "no resource letter"),
        ("auth: {bearer:", "auth: {basic: {user: x}, bearer:", "auth is one of"),
        ("checked: 2026-11-22", "checked: yesterday", "checked"),
        ('sources: ["https://', 'sources: ["file://', "sources"),
        ("?permanent=true", "?permanent=true&delete_all=1", "forbidden"),
    ],
)
def test_a_manifest_with_a_mistake_says_where(old: str, new: str, said: str) -> None:
    with pytest.raises(ManifestRefused) as refused:
        read_manifest(edited(old, new))
    assert said in str(refused.value)


def test_settings_are_checked_against_the_manifest() -> None:
    known = {"name": 1, "manifest": 1, "service": 1, "settings": 1, "networks": 1, "write": 1, "scan": 1}
    for config, setting in (
        ({"manifest": str(POSTBIRD), "settings": {}}, "region"),
        ({"manifest": str(POSTBIRD), "settings": {"region": "eu", "token": "clear"}}, "token"),
        ({"manifest": "relative.yaml"}, "manifest"),
        ({"service": "nobody"}, "service"),
        ({"service": "zendesk", "manifest": str(POSTBIRD)}, "service"),
        ({"service": "zendesk", "settings": {"subdomain": "evil.example/x", "email": "a@example.com"}}, "subdomain"),
        ({"service": "zendesk", "settings": {"subdomain": "a.b", "email": "a@example.com"}}, "subdomain"),
        ({"service": "woocommerce", "settings": {"site": "ftp://shop.example"}}, "site"),
        ({"service": "woocommerce", "settings": {"site": "https://u:p@shop.example"}}, "site"),
        ({"service": "braze", "settings": {"cluster": "EU-99"}}, "cluster"),
        ({"service": "brevo", "networks": ["everywhere"]}, "networks"),
    ):
        with pytest.raises(Misconfigured) as refused:
            read_settings(config, known)
        assert refused.value.setting == setting


# --- paths and conditions -------------------------------------------------------------------------------------------

ORDER = {"data": [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2, "lines": []}], "meta": {"next": None}}


def test_paths_lead_through_members_elements_and_the_last_one() -> None:
    assert every("data[*].lines[*].sku", ORDER) == ["a", "b"]
    assert one("data[-1].id", ORDER) == 2
    assert one("data[9].id", ORDER) is None
    assert one("meta.next", ORDER) is None
    assert every("", ORDER) == [ORDER]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("data[id = 1]", True),
        ("data[id = 3]", False),
        ("data[id > 1 and id < 3]", True),
        ("data[id in (5, 2)]", True),
        ("data[id != 1]", True),
        ("meta.next exists", False),
        ("data exists", True),
        ('data[0].lines[0].sku = "a"', True),
        ("meta.next = null", True),
    ],
)
def test_conditions_hold_as_they_read(text: str, holds: bool) -> None:
    assert condition(text).holds(ORDER) is holds


def test_a_list_that_is_missing_is_not_an_empty_one() -> None:
    assert not condition("subscriptions[status = active]").can_be_told({"id": 1})
    assert condition("subscriptions[status = active]").can_be_told({"subscriptions": []})
    assert not condition("$[status = active]").can_be_told({"error": 1})
    assert condition("$[status = active]").holds([{"status": "active"}])


@pytest.mark.parametrize(
    "text", ["", "a b c", "a[b", "a[b = ]", "a = (1, 2)", "a in 1", "a exists 1", "f(x) = 1", "a ="]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(PathMalformed):
        condition(text)


# --- placeholders ---------------------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_a_value_stays_one_piece_of_the_path_and_one_value_of_the_query(value: str) -> None:
    binding = Binding(value, ({"id": value},))
    try:
        exchange = fill("GET /v1/people/{row.id}/notes?email={value}&page=1", None, binding)
    except Terminal as refused:
        assert refused.code == "value_unfit"  # noqa: PT017 - the other branch is the point
        assert value in {"", ".", ".."}
        return
    assert exchange.path.count("/") == 4
    assert exchange.path.isascii()
    assert set("?#& ").isdisjoint(exchange.path)
    assert exchange.query == (("email", value), ("page", "1"))


@given(st.text(max_size=40))
def test_a_value_stays_inside_its_quotes(value: str) -> None:
    text = bodied({"q": 'email:"{value|quoted}"'}, Binding(value))["q"]
    assert json.loads(text.removeprefix("email:"), strict=False) == value


def test_bodies_keep_types_repeat_for_batches_and_leave_braces_alone() -> None:
    rows = ({"id": 1}, {"id": 2})
    assert bodied({"ids": ["{row.id}"], "x[]": "{row.id}", "n": "{row.id}"}, Binding(None, rows)) == {
        "ids": [1, 2], "x[]": [1, 2], "n": 1,
    }  # fmt: skip
    assert bodied({"query": "{shop {id}}"}, Binding()) == {"query": "{shop {id}}"}
    with pytest.raises(Terminal, match="value_missing"):
        bodied({"email": "{row.email}"}, Binding(None, ({"email": None},)))


def test_forbidden_names_are_met_in_any_spelling() -> None:
    rules = forbidden_of((Forbid(params=("all",), paths=("/v1/purge",)),))
    assert rules.in_request("/V1//purge/", [], None)
    assert rules.in_request("/v1/%70urge/now", [], None)
    assert not rules.in_request("/v1/purged", [], None)
    assert rules.in_request("/", ["ALL"], None)
    assert rules.in_request("/", ["%61ll[]"], None)
    assert rules.in_request("/", [], {"a": [{"b": {"All": 1}}]})
    assert rules.in_request("/", ["delete_all_contacts"], None)
    assert not rules.in_request("/", ["allowed"], {"ball": 1})


# --- pauses and webhooks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30", 30),
        ("Sun, 22 Nov 2026 09:05:00 GMT", 300),
        ("Sun, 22 Nov 2026 08:00:00 GMT", 0),
        ("99999999", 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_a_pause_is_read_in_seconds_and_as_a_date(said: str, seconds: int | None) -> None:
    wrong_clock = datetime(2020, 1, 1, tzinfo=UTC)  # the answer's own date counts
    found = pause_of(said, "Sun, 22 Nov 2026 09:00:00 GMT", wrong_clock)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_webhook_is_believed_with_the_right_signature_over_the_raw_body_only() -> None:
    manifest, secrets = shipped("shopify"), GivenSecrets({"client_secret": "app-secret"})
    body = b'{"customer": {"id": 207, "email": "anna@example.com", "phone": null}, "orders_to_redact": [1]}'
    signature = base64.b64encode(hmac.digest(b"app-secret", body, "sha256")).decode()
    headers = {"x-shopify-hmac-sha256": signature, "X-Shopify-Topic": "customers/redact"}
    event = read_event(manifest, secrets, headers, body)
    assert (event.asks, event.identifiers) == ("erasure", {"customer_id": "207", "email": "anna@example.com"})
    assert "anna" not in repr(event)
    for wrong, changed in ((headers, body + b" "), ({**headers, "x-shopify-hmac-sha256": ""}, body), ({}, body)):
        with pytest.raises(NotProven):
            read_event(manifest, secrets, wrong, changed)
    with pytest.raises(NotProven):
        read_event(manifest, GivenSecrets({"client_secret": "other"}), headers, body)
    with pytest.raises(Terminal, match="unknown_topic"):
        read_event(manifest, secrets, {**headers, "X-Shopify-Topic": "orders/create"}, body)


def signed_by(signature: str) -> str:
    return POSTBIRD.read_text() + (
        f"inbound: {{path: /hooks/postbird, signature: {signature}, topic_in: type, topics: {{contact.gone: job}}}}\n"
    )


def test_a_signed_id_names_the_event_and_a_signed_time_has_to_be_near() -> None:
    manifest = read_manifest(
        signed_by(
            "{scheme: hmac-sha256-hex, header: S, secret: token, signs: id.time.body, time: T, id: I, prefix: v1=}"
        )
    )
    secrets, now = GivenSecrets({"token": "t"}), FakeClock().now
    time = str(int(now.timestamp()))

    def heard(name: str, body: bytes, **wrong: str) -> str:
        digest = hmac.digest(b"t", f"{name}.{time}.".encode() + body, "sha256").hex()
        return read_event(manifest, secrets, {"S": f"v1={digest}", "T": time, "I": name, **wrong}, body, now).name

    body = b'{"type": "contact.gone"}'
    assert heard("e-1", body) == heard("e-1", b'{"type": "contact.gone", "n": 2}') != heard("e-2", body)
    assert "e-1" not in heard("e-1", body)
    for wrong in ({"I": "e-9"}, {"T": str(int(time) + 1)}, {"T": ""}, {"T": "9" * 40}, {"S": "v1="}):
        with pytest.raises(NotProven):
            heard("e-1", body, **wrong)
    digest = hmac.digest(b"t", f"e-1.{time}.".encode() + body, "sha256").hex()
    given = {"S": f"v1={digest}", "T": time, "I": "e-1"}
    for late in (now + timedelta(seconds=301), now - timedelta(seconds=301), None):
        with pytest.raises(NotProven):
            read_event(manifest, secrets, given, body, late)


@pytest.mark.parametrize(
    "signature",
    [
        "{scheme: hmac-sha256-hex, header: S, secret: token, signs: time.body}",
        "{scheme: hmac-sha256-hex, header: S, secret: token, time: T}",
        "{scheme: hmac-sha256-hex, header: S, secret: token, signs: id.time.body, time: T}",
        "{scheme: equal, header: S, secret: token, signs: time.body, time: T}",
    ],
)
def test_a_signature_names_exactly_the_headers_that_it_signs(signature: str) -> None:
    with pytest.raises(ManifestRefused):
        read_manifest(signed_by(signature))


def test_a_callback_ends_the_job_it_names_and_no_other() -> None:
    text = edited(
        "    takes: {message: listed}",
        "    takes: {message: listed}\n    job: {id: id, callback: {topic: contact.gone, match: contact.job}}",
    ).replace("id: delete\n    kind: sync", "id: delete\n    kind: job")
    text += (
        "inbound: {path: /hooks/postbird, signature: {scheme: equal, header: X-Key, secret: token}, topic_in: type,"
        " topics: {contact.gone: job}}\n"
    )
    manifest, secrets, clock = read_manifest(text), GivenSecrets({"token": "t"}), FakeClock()
    settings = read_settings({"manifest": str(POSTBIRD), "settings": {"region": "eu"}}, {"manifest": 1, "settings": 1})
    settings = type(settings)(manifest, "shop", settings.base_url, settings.config)
    jobs = Jobs(RestReader(settings, secrets, guarded, clock.clocks()))
    step = next(step for step in manifest.act if step.id == "delete")
    assert step.job is not None
    ticket = issued(step.job, Work("delete", OpId("o"), "j-1", "contact", {"id": 1}, ""), clock.now)

    def told(job: str) -> Any:
        body = json.dumps({"type": "contact.gone", "contact": {"job": job}}).encode()
        return settled_by(jobs, ticket, read_event(manifest, secrets, {"X-Key": "t"}, body))

    assert told("j-2") is None
    assert told("j-1").outcome is Outcome.DONE
    work = Work("delete", OpId("o"), "j-1", "contact", {"id": 1}, "")
    assert jobs.waiting(ticket, work, step.job).outcome is Outcome.PENDING
    clock.pass_(31 * 24 * 3600)
    assert jobs.waiting(ticket, work, step.job).outcome is Outcome.FAILED


DOCUMENT = ROOT / "docs" / "connectors" / "rest.md"


def test_the_example_of_the_documents_is_sound() -> None:
    [example] = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    assert read_manifest(example).id == "postbird"


def test_every_service_has_its_line_in_the_documents() -> None:
    told = re.findall(r"^\| `([a-z]+)` \|.*\| (fake|compatible|real) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(name for name, _ in told) == list(service_names())
