"""Receipts over HTTP: every form, held against the standard's fields and verified as its holder would. Both engines."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from privacyops.adapters.signer_ed25519 import payload_of_jws, public_jwk
from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.ledger.checkpoint import LogProof, VerifierKey
from privacyops.ledger.leaf import parse
from privacyops.services import apikey, ledger, promise, purpose, receipt
from privacyops.services.context import Context
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import EventPrivateRow
from privacyops.store.uow import Database
from tests.small_service import small_service

SCHEMA = json.loads(Path("openapi/schemas/consent-receipt-27560.schema.json").read_text())
TEXT = {part: f"What is said about {part}" for part in Part}
NOTICE = NoticeVersion("news", 1, {"en": TEXT, "de": TEXT}, ("newsletter",))
SUBJECT = {"identifiers": [{"type": "email", "value": "kim@example.com"}]}
DPV, KANTARA = "application/ld+json", "application/vnd.privacyops.kantara+json"


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    profile = replace(ctx.controller, authority_name="Example Authority", authority_url="https://authority.example/")
    ctx = replace(ctx, controller=profile)
    purpose.install_shipped(ctx)
    purpose.publish_notice(ctx, NOTICE)
    return ctx


class Shop:
    """A back end that records choices and asks for their receipts."""

    def __init__(self, service: Context) -> None:
        admin = staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now())
        key = apikey.create(
            service.acting_as(admin), "shop", frozenset({Scope.CONSENT_WRITE, Scope.CONSENT_READ, Scope.LEDGER_READ})
        )
        self._http = TestClient(create_api(service), headers={"Authorization": f"Bearer {key}"})

    def record(self, choice: str = "grant", channel: str = "email", **more: Any) -> str:
        body = {
            "subject": SUBJECT, "method": "checkout_checkbox", "jurisdiction": "DE",
            "choices": [{"purpose": "newsletter", "channel": channel, "choice": choice}],
            "notice": {"id": "news", "version": 1, "locale": "en", "sha256": NOTICE.digest("en")},
            "evidence": {"url": "https://shop.example/checkout"}, **more,
        }  # fmt: skip
        answer = self._http.post("/v1/consents", json=body, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["events"][0]["event_id"])

    def stop(self) -> str:
        body = {"subject": SUBJECT, "method": "preference_centre", "scope": "all"}
        answer = self._http.post("/v1/consents:withdraw", json=body, headers={"Idempotency-Key": uuid4().hex})
        return str(answer.json()["events"][0]["event_id"])

    def receipt(self, event: object, accept: str | None = None, **query: str) -> Any:
        headers = {"Accept": accept} if accept is not None else {}
        return self._http.get(f"/v1/receipts/{event}", params=query, headers=headers)

    def keys(self) -> list[VerifierKey]:
        return [VerifierKey.parse(line) for line in self._http.get("/ledger/vkeys").text.splitlines()]


@pytest.fixture
def shop(service: Context) -> Shop:
    return Shop(service)


def opened(token: str, keys: list[VerifierKey], kind: str = receipt.KIND) -> dict[str, Any]:
    known = {public_jwk(key.public)["kid"]: key.public for key in keys}
    body: dict[str, Any] = json.loads(payload_of_jws(token, kind, known))
    return body


def test_the_signed_form_is_verified_with_the_published_key_alone(service: Context, shop: Shop) -> None:
    event = shop.record()
    ledger.drain(service, "a")
    answer = shop.receipt(event, "application/jose")
    assert answer.headers["content-type"] == "application/jose"
    body = opened(answer.text, shop.keys())
    leaf = base64.urlsafe_b64decode(body["leaf"] + "==")
    assert LogProof.parse(body["proof"]).proves(leaf, shop.keys())
    assert parse(leaf)["id"] == event == body["record"]["dct:identifier"]
    assert body["record"]["dpv:hasDataSubject"]["dct:identifier"] == parse(leaf)["subject"]
    assert "kim" not in json.dumps(body) + leaf.decode()


def test_before_the_checkpoint_the_receipt_holds_our_promise(service: Context, shop: Shop) -> None:
    event = shop.record()
    before = shop.receipt(event).text
    ledger.drain(service, "a")
    body = opened(before, shop.keys())
    assert "proof" not in body
    (told,) = opened(body["promise"], shop.keys(), promise.KIND)["events"]
    assert told["event_id"] == event


def test_the_record_holds_every_mandatory_field_of_the_standard_and_of_the_gdpr_profile(
    service: Context, shop: Shop
) -> None:
    schema = jsonschema_rs.validator_for(SCHEMA)
    for event in (shop.record(), shop.record("refuse", "sms"), shop.stop()):
        ledger.drain(service, "a")
        body = shop.receipt(event, DPV).json()
        schema.validate(body)
        assert body["dct:conformsTo"] == [
            "https://w3id.org/dpv/schema/dpv-27560#receipt", "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
        ]  # fmt: skip
        assert body["dpv:hasRecordOfActivity"]["dct:conformsTo"] == [
            "https://w3id.org/dpv/schema/dpv-27560#record", "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
        ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["dct:identifier", "dpv:hasDataSubject/dct:identifier", "dpv:hasProcess/0/dpv:hasNotice",
     "dpv:hasProcess/0/dct:language", "dpv:hasProcess/0/dpv:hasPurpose", "dpv:hasProcess/0/dpv:hasPersonalData",
     "dpv:hasProcess/0/dpv:hasDataController", "dpv:hasProcess/0/dpv:hasStorageCondition/0",
     "dpv:hasProcess/0/dpv:hasStorageCondition/1", "dpv:hasProcess/0/dpv:hasJurisdiction",
     "dpv:hasProcess/0/dpv:hasRecipient", "dpv:hasProcess/0/dpv:hasConsentControl",
     "dpv:hasProcess/0/dpv:hasLegalBasis",
     "dpv:hasProcess/0/dpv:hasProcessing", "dpv:hasProcess/0/dpv:hasProcessingCondition",
     "dpv:hasProcess/0/dpv:hasRule", "dpv:hasProcess/0/dpv:hasRight", "dpv:hasProcess/0/dpv:hasAuthority",
     "dpv:hasProcess/0/dpv:hasPersonalData/0/dpv:hasNecessity", "dpv:hasDataController/dct:identifier",
     "dpv:hasDataController/dpv:hasAddress", "dpv:hasDataController/dpv:hasName",
     "dpv:hasDataController/dpv:hasContact",
     "dpv:hasDataController/@type", "dpv:hasConsentStatus/0/dct:date", "dpv:hasConsentStatus/0/dpv:hasDuration",
     "dpv:hasConsentStatus/0/dpv:isIndicatedBy", "dpv:hasConsentStatus/0/dct:type", "dpv:hasConsentStatus/0/@type"],
)  # fmt: skip
def test_a_record_without_a_mandatory_field_breaks_the_schema(small: Any, path: str) -> None:
    body = json.loads(json.dumps(small))
    *way, last = path.split("/")
    at: Any = body["dpv:hasRecordOfActivity"]
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    del at[int(last) if last.isdigit() else last]
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(body)


@pytest.fixture(scope="module")
def small(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One receipt, made once."""
    import shutil
    from datetime import UTC, datetime

    from privacyops.store.engine import connect

    target = tmp_path_factory.mktemp("one") / "privacyops.db"
    shutil.copyfile(migrated_sqlite, target)
    engines = connect(f"sqlite:///{target}")
    ctx = small_service(Database(engines), ManualClock(datetime(2026, 11, 22, 10, tzinfo=UTC)))
    ctx = replace(ctx, controller=replace(ctx.controller, authority_name="Example Authority"))
    purpose.install_shipped(ctx)
    purpose.publish_notice(ctx, NOTICE)
    shop = Shop(ctx)
    body = shop.receipt(shop.record(), DPV).json()
    engines.dispose()
    assert jsonschema_rs.validator_for(SCHEMA).is_valid(body)
    return body


def test_a_record_that_lacks_a_field_claims_no_conformance(service: Context) -> None:
    bare = replace(service, controller=replace(service.controller, address="", authority_name=None))
    shop = Shop(bare)
    record = shop.receipt(shop.record(), DPV).json()["dpv:hasRecordOfActivity"]
    assert record["dct:conformsTo"] == []
    assert "dpv:hasAddress" not in record["dpv:hasDataController"]


def test_the_record_says_what_was_chosen_in_the_vocabularys_words(shop: Shop) -> None:
    record = shop.receipt(shop.record(), DPV).json()["dpv:hasRecordOfActivity"]
    (status,) = record["dpv:hasConsentStatus"]
    (process,) = record["dpv:hasProcess"]
    assert status["@type"] == "dpv:ConsentGiven"
    assert status["dct:date"]["@value"] == "2026-11-22T10:00:00.000Z"
    assert status["dct:valid"]["@value"] == "2028-11-22T10:00:00.000Z"
    assert status["dpv:hasDuration"] == "P24M"
    assert status["dct:type"] == "dpv:ExpressedConsent"
    assert process["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-a"
    assert process["dpv:hasPurpose"]["@type"] == "https://w3id.org/dpv#DirectMarketing"
    assert process["dpv:hasNotice"]["@id"] == "https://privacy.shop.example/notices/news/1/en"
    assert process["dpv:hasNotice"]["dct:description"] == f"sha256:{NOTICE.digest('en')}"


def test_a_stop_over_everything_names_every_purpose_that_it_stops(shop: Shop) -> None:
    record = shop.receipt(shop.stop(), DPV).json()["dpv:hasRecordOfActivity"]
    stopped = [process["dpv:hasPurpose"]["dct:identifier"] for process in record["dpv:hasProcess"]]
    assert stopped == ["newsletter", "profiling", "analytics", "advertising"]
    assert record["dpv:hasConsentStatus"][0]["@type"] == "dpv:ConsentWithdrawn"


def test_the_older_form_has_the_fields_of_its_specification(shop: Shop) -> None:
    body = shop.receipt(event := shop.record(), KANTARA).json()
    assert body["version"] == "KI-CR-v1.1.0"
    assert body["consentReceiptID"] == event
    assert body["consentTimestamp"] == 1795341600
    assert body["sensitive"] is False
    (bought,) = body["services"][0]["purposes"]
    assert (bought["consentType"], bought["thirdPartyDisclosure"]) == ("EXPLICIT", False)
    assert {"jurisdiction", "collectionMethod", "publicKey", "language", "piiPrincipalId", "piiControllers",
            "policyUrl"} <= body.keys()  # fmt: skip
    assert {"piiController", "contact", "address", "email", "phone"} <= body["piiControllers"][0].keys()


def test_the_page_says_in_words_what_was_chosen_and_how_to_change_it(service: Context, shop: Shop) -> None:
    event = shop.record()
    ledger.drain(service, "a")
    page = shop.receipt(event, "text/html")
    assert "You said yes" in page.text
    assert "https://privacy.shop.example/privacy/preferences" in page.text
    assert "News and offers by e-mail" in page.text
    assert "under a signed checkpoint" in page.text
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert page.headers.get_list("content-security-policy") == [page.headers["content-security-policy"]]
    german = shop.receipt(event, "text/html", language="de").text
    assert "Sie haben Ja gesagt" in german
    assert 'lang="de"' in german


def test_a_page_in_a_language_without_words_is_english(shop: Shop) -> None:
    assert "You said yes" in shop.receipt(shop.record(), "text/html", language="fr").text


@pytest.mark.slow
def test_the_pdf_is_drawn_from_the_same_page(shop: Shop) -> None:
    answer = shop.receipt(shop.record(), "application/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("accept", "form"),
    [(None, "application/jose"), ("*/*", "application/jose"), ("application/*;q=0.5, text/html", "text/html"),
     ("application/pdf;q=0, application/ld+json;q=0.1", DPV), ("text/*", "text/html"), ("image/png", None),
     ("application/jose;q=x", None), ("", None), (",;,", None)],
)  # fmt: skip
def test_the_form_is_what_the_reader_likes_best(shop: Shop, accept: str | None, form: str | None) -> None:
    answer = shop.receipt(shop.record(), accept)
    if form is None:
        assert (answer.status_code, answer.json()["type"]) == (406, "/problems/form-not-offered")
    else:
        assert answer.headers["content-type"].partition(";")[0] == form


def test_an_erased_persons_choice_has_no_receipt_and_keeps_its_proof(service: Context, shop: Shop) -> None:
    event = shop.record()
    ledger.drain(service, "a")
    with service.database.transaction("shop-group", service.clock.now()) as tx:
        tx.run(delete(table_of(EventPrivateRow)))
    assert shop.receipt(event).json()["type"] == "/problems/receipt-not-there"
    assert shop._http.get(f"/v1/ledger/proof/{event}").status_code == 200


def test_what_is_no_choice_has_no_receipt(shop: Shop) -> None:
    assert shop.receipt(uuid4()).status_code == 404
    assert shop.receipt("nonsense").status_code == 422
