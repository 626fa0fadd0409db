"""The logs over HTTP, as an auditor and a stranger with the public key meet them. On both engines."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from privacyops.adapters.signer_ed25519 import payload_of_jws, public_jwk
from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.domain.log import Log
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.ledger.checkpoint import Checkpoint, LogProof, SignedNote, VerifierKey, open_checkpoint
from privacyops.ledger.fsck import BundleSource, fsck
from privacyops.ledger.merkle import consistency_holds, leaf_hash
from privacyops.services import apikey, ledger, promise, purpose
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

GRANT = {
    "subject": {"identifiers": [{"type": "email", "value": "kim@example.com"}]}, "method": "checkout_checkbox",
    "jurisdiction": "DE", "choices": [{"purpose": "newsletter", "channel": "email", "choice": "grant"},
                                      {"purpose": "newsletter", "channel": "sms", "choice": "refuse"}],
}  # fmt: skip
CHECKPOINT = "/ledger/shop-group/2026/checkpoint"
TILES = "/ledger/shop-group/2026/tile"


class Told:
    """What was said to telemetry; a double."""

    def __init__(self) -> None:
        self.warnings: list[tuple[str, dict[str, Any]]] = []
        self.counted: list[tuple[Any, ...]] = []

    def warning(self, name: str, **fields: Any) -> None:
        self.warnings.append((name, fields))

    def count(self, *labels: Any, by: int = 1) -> None:
        self.counted.append((*labels, by))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def service(database: Database, clock: ManualClock, told: Told) -> Context:
    ctx = small_service(database, clock, telemetry=told)
    purpose.install_shipped(ctx)
    return ctx


class Caller:
    """A back end with a key, or a stranger without one."""

    def __init__(self, service: Context, *scopes: Scope) -> None:
        self._http = TestClient(create_api(service), raise_server_exceptions=False)
        self._headers: dict[str, str] = {}
        if scopes:
            admin = staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now())
            key = apikey.create(service.acting_as(admin), "shop", frozenset(scopes))
            self._headers = {"Authorization": f"Bearer {key}"}

    def record(self) -> dict[str, Any]:
        answer = self._http.post("/v1/consents", json=GRANT, headers=self._headers | {"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query, headers=self._headers)


@pytest.fixture
def shop(service: Context) -> Caller:
    return Caller(service, Scope.CONSENT_WRITE, Scope.CONSENT_READ)


@pytest.fixture
def auditor(service: Context) -> Caller:
    return Caller(service, Scope.LEDGER_READ)


@pytest.fixture
def stranger(service: Context) -> Caller:
    return Caller(service)


def keys_of(stranger: Caller, path: str = "/ledger/vkeys") -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in stranger.get(path).text.splitlines()]


def promised(token: str, keys: list[VerifierKey]) -> dict[str, Any]:
    known = {public_jwk(key.public)["kid"]: key.public for key in keys}
    body: dict[str, Any] = json.loads(payload_of_jws(token, promise.KIND, known))
    return body


def test_a_write_is_answered_with_a_promise_that_the_public_key_verifies(
    service: Context, shop: Caller, stranger: Caller
) -> None:
    written = shop.record()
    ledger.drain(service, "a")
    told = promised(written["promise"], keys_of(stranger))
    assert told == {
        "controller": "shop-group", "log": "consent", "recorded_at": written["recorded_at"],
        "events": [{"event_id": one["event_id"], "leaf_hash": one["leaf_hash"]} for one in written["events"]],
        "include_by": "2026-11-22T10:01:00.000Z",
    }  # fmt: skip
    assert written["recorded_at"] == "2026-11-22T10:00:00.000Z"


def test_a_record_is_first_promised_and_then_proved_with_the_public_key_alone(
    service: Context, shop: Caller, stranger: Caller
) -> None:
    (event, _) = shop.record()["events"]
    path = f"/v1/ledger/proof/{event['event_id']}"
    waiting = shop.get(path)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "1")
    ledger.drain(service, "a")
    keys = keys_of(stranger)
    told = promised(waiting.json()["promise"], keys)
    assert told["events"] == [{"event_id": event["event_id"], "leaf_hash": event["leaf_hash"]}]
    answer = shop.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    leaf = ledger.leaf_of(service, Log.CONSENT, UUID(event["event_id"]))
    assert leaf_hash(leaf).hex() == event["leaf_hash"]
    found = LogProof.parse(answer.text)
    assert found.proves(leaf, keys, origin="privacy.shop.example/ledger/shop-group/2026")
    assert not found.proves(leaf.replace(b"newsletter", b"newsletteR"), keys)


def test_a_record_that_nobody_wrote_has_no_proof(shop: Caller) -> None:
    answer = shop.get(f"/v1/ledger/proof/{uuid4()}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/record-not-in-log")


def test_the_checkpoint_and_its_keys_are_public_and_signed_under_their_own_address(
    service: Context, shop: Caller, stranger: Caller
) -> None:
    assert stranger.get(CHECKPOINT).status_code == 404
    shop.record()
    ledger.drain(service, "a")
    for log, path in (("ledger", CHECKPOINT), ("audit", CHECKPOINT.replace("ledger", "audit", 1))):
        note = stranger.get(path)
        assert note.status_code == 200
        opened = open_checkpoint(note.text, keys_of(stranger, f"/{log}/vkeys"))
        assert f"https://{opened.origin}/checkpoint" == f"https://privacy.shop.example{path}"


def test_an_auditor_verifies_the_whole_log_from_what_is_served(
    service: Context, shop: Caller, auditor: Caller, stranger: Caller
) -> None:
    for _ in range(130):
        shop.record()
    ledger.drain(service, "a")
    note = stranger.get(CHECKPOINT).text
    signed = Checkpoint.parse(SignedNote.parse(note).text)

    def read(path: str) -> bytes | None:
        answer = auditor.get(f"/ledger/shop-group/2026/{path}")
        return answer.content if answer.status_code == 200 else None

    report = fsck(BundleSource(read, signed.size), [note], keys_of(stranger), origin=signed.origin)
    assert signed.size > 256
    assert (report.is_good, report.covered) == (True, signed.size)
    assert "immutable" in auditor.get(f"{TILES}/entries/000").headers["cache-control"]


def test_tiles_are_for_who_may_read_the_ledger(service: Context, shop: Caller, stranger: Caller) -> None:
    shop.record()
    ledger.drain(service, "a")
    assert stranger.get(f"{TILES}/0/000.p/1").status_code == 401
    assert shop.get(f"{TILES}/0/000.p/1").status_code == 403
    assert shop.get("/v1/ledger/consistency", tree="2026", **{"from": 1}, log="audit").status_code == 403
    assert shop.get(f"/v1/ledger/proof/{uuid4()}", log="audit").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [("0/000", 404), ("0/001.p/1", 404), ("1/000.p/1", 404), ("entries/000.p/0", 400), ("entries/../x", 400),
     ("0/0", 400), ("0/000.p/256", 400), ("64/000", 400), ("0/x000/000", 400), ("%00/000", 400),
     ("0/" + "x999/" * 200 + "000", 400)],
)  # fmt: skip
def test_what_is_no_tile_is_a_clear_refusal(
    service: Context, shop: Caller, auditor: Caller, path: str, status: int
) -> None:
    shop.record()
    ledger.drain(service, "a")
    assert auditor.get(f"{TILES}/{path}").status_code == status


def test_another_controllers_log_does_not_exist_here(service: Context, shop: Caller, auditor: Caller) -> None:
    shop.record()
    ledger.drain(service, "a")
    assert auditor.get("/ledger/other/2026/checkpoint").json()["type"] == "/problems/tree-unknown"
    assert auditor.get("/ledger/other/2026/tile/0/000.p/1").status_code == 404
    assert auditor.get("/ledger/shop-group/1999/checkpoint").status_code == 404


def test_a_kept_checkpoint_is_shown_to_be_a_beginning_of_the_newest(
    service: Context, shop: Caller, stranger: Caller
) -> None:
    shop.record()
    ledger.drain(service, "a")
    kept = open_checkpoint(stranger.get(CHECKPOINT).text, keys_of(stranger))
    shop.record()
    ledger.drain(service, "a")
    answer = shop.get("/v1/ledger/consistency", tree="2026", **{"from": kept.size}).json()
    now = open_checkpoint(answer["checkpoint"], keys_of(stranger))
    path = [base64.b64decode(step) for step in answer["hashes"]]
    assert (answer["from"], answer["to"]) == (kept.size, now.size)
    assert consistency_holds(old=kept.size, old_root=kept.root, new=now.size, new_root=now.root, path=path)
    assert not consistency_holds(old=kept.size, old_root=bytes(32), new=now.size, new_root=now.root, path=path)


def test_a_consistency_proof_leads_to_a_signed_size_from_a_smaller_one(service: Context, shop: Caller) -> None:
    shop.record()
    ledger.drain(service, "a")
    ask = "/v1/ledger/consistency"
    assert shop.get(ask, tree="2026", **{"from": 1, "to": 3}).json()["type"] == "/problems/tree-unknown"
    assert shop.get(ask, tree="2026", **{"from": 99}).json()["type"] == "/problems/consistency-impossible"
    assert shop.get(ask, tree="1999", **{"from": 1}).status_code == 404
    assert shop.get(ask, tree="2026", **{"from": 0}).status_code == 422


def test_a_promise_is_kept_within_its_minute_and_a_broken_one_is_an_alarm(
    service: Context, shop: Caller, clock: ManualClock, told: Told
) -> None:
    shop.record()
    clock.advance(promise.LIFE)
    assert promise.watch(service) == 0
    clock.advance(promise.LIFE / 60)
    assert promise.watch(service) > 0
    assert told.warnings[0][0] == "promise.broken"
    ledger.number(service, Log.CONSENT, "a")
    ledger.number(service, Log.AUDIT, "a")
    assert promise.watch(service) > 0
    ledger.drain(service, "a")
    assert promise.watch(service) == 0
