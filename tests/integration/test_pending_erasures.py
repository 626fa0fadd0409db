"""A store that accepts an erasure and does it later: asked until it has ended, told by its webhook, read back, and
never called done before.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.rest.card import RestConnector
from connectors.rest.rates import Clocks
from privacyops.api.app import create_api
from privacyops.connector_sdk.testing.faults import HttpFault
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import OPEN_TASKS, Task
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import job as jobs
from privacyops.services import stores
from privacyops.services.dsar import erasing_work, erasure_plan, giving_up, identity, intake, opening, pending
from privacyops.store import task as tasks
from tests.consoles import Office
from tests.contract.rest_bench import MANIFESTS, Examplepay
from tests.house import Walker
from tests.integration.test_erasure_journey import Stopped, approved, only, receipts
from tests.rest_fake import Line
from tests.shop import ShopClient

ONE = Requester(email="person1@example.com", name="Person 1")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SECRET = "a-signing-secret-of-this-test"


class Unlinking(Examplepay):
    """Its charges lose the customer as well, as the plan wants it."""

    def redact(self, ids: Sequence[str]) -> None:
        super().redact(ids)
        for charge in self.charges.values():
            charge["customer"] = None if charge["customer"] in ids else charge["customer"]


@dataclass
class Pay:
    """The double of a payment service, connected, and one request for erasure that it has accepted."""

    walker: Walker
    service: Examplepay
    door: TestClient
    dsar_id: DsarId | None = None

    def ask(self) -> DsarId:
        """From the form to the approved plan, and the store's answer to it."""
        walker = self.walker
        submission = intake.Submission(
            type=RequestType.ERASURE, requester=ONE, channel=Channel.FORM, prefix="203.0.113.0/24"
        )
        receipt = intake.submit(walker.as_subject(), submission)
        walker.settle()
        identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(ONE.email))
        walker.settle()
        erasure_plan.plan(walker.as_staff("Ada", Role.ANALYST), receipt.id)
        walker.settle()
        approved(walker, receipt.id)
        self.dsar_id = receipt.id
        return receipt.id

    def pass_(self, by: timedelta, times: int = 1) -> None:
        """The clock's minute strikes after so long, so many times."""
        for _ in range(times):
            self.walker.clock.advance(by)
            pending.poll_due(self.walker.context)
            self.walker.settle()

    @property
    def state(self) -> ErasingState:
        assert self.dsar_id is not None
        state: ErasingState = only(self.walker, self.dsar_id).state
        return state

    @property
    def request(self) -> DsarState:
        assert self.dsar_id is not None
        return self.walker.dsar(self.dsar_id).state

    def open_tasks(self) -> list[Task]:
        assert self.dsar_id is not None
        with self.walker.context.database.reading("shop", self.walker.clock.now()) as tx:
            return [
                one for one in tasks.list_tasks_of(tx, self.dsar_id) if one.store == "pay" and one.state in OPEN_TASKS
            ]

    def receipts(self) -> list[dict[str, Any]]:
        assert self.dsar_id is not None
        return receipts(self.walker, self.dsar_id)


def connected(walker: Walker, monkeypatch: pytest.MonkeyPatch, manifest: Path) -> Pay:
    service = Unlinking()
    started = walker.clock.now()
    clocks = Clocks(
        walker.clock.now, lambda: (walker.clock.now() - started).total_seconds() + 1000.0, lambda seconds: None
    )
    monkeypatch.setattr("connectors.rest.connector", RestConnector(lambda settings: Line(service), clocks))
    secrets = walker.house.settings.data
    (secrets / "key").write_text("a-key-of-this-test")
    (secrets / "signing").write_text(SECRET)
    config: dict[str, Any] = {"manifest": str(manifest), "key": f"file:{secrets / 'key'}"}
    if "signing_secret" in manifest.read_text():
        config["signing_secret"] = f"file:{secrets / 'signing'}"
    stores.connect(walker.as_staff("Olga", Role.ADMIN), "Examplepay", StoreConfig("pay", "rest", config))
    return Pay(walker, service, TestClient(create_api(walker.context), raise_server_exceptions=False))


@pytest.fixture
def pay(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> Pay:
    return connected(walker, monkeypatch, MANIFESTS / "examplepay.yaml")


@pytest.fixture
def hooked(walker: Walker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pay:
    """The same service, if it told the end by webhook."""
    text = (MANIFESTS / "examplepay.yaml").read_text()
    job = text[text.index("    job:\n") : text.index("retained:")]
    text = text.replace(job, "    job: {id: id, callback: {topic: job.done, match: job.id, timeout: 60d}}\n")
    text = text.replace(
        "config: {key: {secret: true, title: Secret key}}",
        "config: {key: {secret: true, title: Secret key}, signing_secret: {secret: true, title: Signing secret}}",
    )
    text += (
        "inbound:\n  path: /hooks/pay\n  topic_in: type\n  topics: {job.done: job, customer.new: access}\n"
        "  signature:\n"
        "    {scheme: hmac-sha256-hex, header: X-Sign, secret: signing_secret, signs: time.body, time: X-Time}\n"
    )
    manifest = tmp_path / "pay.yaml"
    manifest.write_text(text)
    return connected(walker, monkeypatch, manifest)


def test_a_job_is_asked_after_until_it_is_done_and_only_then_is_the_erasure_whole(pay: Pay) -> None:
    pay.ask()
    assert (pay.state, pay.request) == (ErasingState.PENDING, DsarState.EXECUTING)
    assert not pay.receipts()
    assert len(pay.service.jobs) == 1
    pay.pass_(MINUTE)
    assert pay.state is ErasingState.PENDING
    pay.pass_(MINUTE, times=8)
    assert pay.service.customers["cus_1"]["email"] == "redacted@example.invalid"
    assert (pay.state, pay.request) != (ErasingState.PENDING, DsarState.EXECUTING)
    assert pay.state is ErasingState.VERIFIED
    (receipt,) = pay.receipts()
    assert receipt["whole"] is True
    assert {row["standing"] for row in receipt["stores"][0]["rows"]} == {"settled"}
    assert len(pay.service.jobs) == 1, "what was accepted is not asked for twice"
    heard = len(pay.service.heard)
    pay.pass_(timedelta(hours=1), times=3)
    assert not [call for call in pay.service.calls()[heard:] if "redaction_jobs" in call]


@pytest.mark.long
def test_a_store_that_is_done_is_not_read_back_before_it_shows_what_it_did(pay: Pay) -> None:
    dsar_id = pay.ask()
    while "over" not in only(pay.walker, dsar_id).report:
        assert pay.state is ErasingState.PENDING
        pay.pass_(MINUTE)
    pay.pass_(MINUTE / 2)
    assert pay.state is ErasingState.PENDING, "the manifest says that its read-back is good after a minute"
    pay.pass_(MINUTE / 2)
    assert pay.state is ErasingState.VERIFIED


def test_a_job_that_fails_is_a_task_and_the_receipt_says_so(pay: Pay) -> None:
    pay.service.script = {"validating": "failed"}
    pay.ask()
    pay.pass_(MINUTE, times=3)
    assert pay.state is ErasingState.RESIDUAL
    (receipt,) = pay.receipts()
    assert receipt["whole"] is False
    assert {(row["standing"], row["code"]) for row in receipt["stores"][0]["rows"]} == {("open", "job_failed")}
    assert [one.code for one in pay.open_tasks()] == ["left_after_erasure"]
    assert len(pay.service.jobs) == 1


def test_a_job_that_never_ends_is_told_to_a_person_and_the_request_is_answered_without_it(pay: Pay) -> None:
    pay.service.script = {}
    pay.ask()
    pay.pass_(timedelta(hours=5), times=3)
    assert not pay.open_tasks()
    pay.pass_(timedelta(hours=5), times=4)
    assert [one.code for one in pay.open_tasks()] == ["still_pending"]
    assert (pay.state, pay.request) == (ErasingState.PENDING, DsarState.EXECUTING)
    pay.pass_(2 * DAY, times=5)
    assert len(pay.open_tasks()) == 1, "a person who knows is not told again"
    assert pay.state is ErasingState.RESIDUAL
    (receipt,) = pay.receipts()
    assert receipt["whole"] is False
    assert {(row["standing"], row["code"]) for row in receipt["stores"][0]["rows"]} == {("open", "job_never_ended")}
    heard = len(pay.service.heard)
    pay.pass_(DAY, times=2)
    assert not [call for call in pay.service.calls()[heard:] if "redaction_jobs" in call]


def test_a_request_that_can_wait_no_longer_goes_on_and_its_receipt_is_supplemented(hooked: Pay) -> None:
    dsar_id = hooked.ask()
    safe = hooked.walker.dsar(dsar_id).safe_due_on
    hooked.pass_(DAY, times=2)
    while hooked.walker.clock.now().date() < safe - timedelta(days=8):
        hooked.pass_(4 * DAY)
        assert hooked.request is DsarState.EXECUTING
    hooked.pass_(5 * DAY)
    assert hooked.state is ErasingState.RESIDUAL
    assert hooked.request is not DsarState.EXECUTING
    (first,) = hooked.receipts()
    assert first["whole"] is False
    assert {row["standing"] for row in first["stores"][0]["rows"]} == {"waiting"}
    told(hooked, done=True)
    hooked.pass_(MINUTE, times=3)
    assert hooked.state is ErasingState.VERIFIED
    assert [one["whole"] for one in hooked.receipts()] == [False, True]
    assert not hooked.open_tasks()


@pytest.mark.long
def test_a_service_that_does_not_answer_is_asked_more_and_more_rarely(pay: Pay) -> None:
    pay.ask()
    pay.service.faults.extend([HttpFault(503)] * 400)
    heard = len(pay.service.heard)
    pay.pass_(MINUTE)
    first = only(pay.walker, pay.dsar_id).poll_at  # type: ignore[arg-type]  # asked for above
    assert first - pay.walker.clock.now() == MINUTE
    pay.pass_(MINUTE)
    assert only(pay.walker, pay.dsar_id).poll_at - pay.walker.clock.now() == 2 * MINUTE  # type: ignore[arg-type]  # as above
    assert len(pay.service.heard) == heard
    pay.service.faults.clear()
    pay.pass_(timedelta(minutes=10), times=6)
    assert pay.state is ErasingState.VERIFIED


@pytest.mark.long
def test_a_credential_that_is_refused_meanwhile_is_told_to_the_owner_at_once(pay: Pay) -> None:
    pay.ask()
    pay.service.credential = ("authorization", "another")
    pay.pass_(MINUTE)
    assert [one.kind.value for one in pay.open_tasks()] == ["store_failed"]
    assert pay.state is ErasingState.PENDING
    pay.service.credential = Examplepay.credential
    pay.pass_(timedelta(minutes=10), times=6)
    assert pay.state is ErasingState.VERIFIED


@pytest.mark.parametrize("at", [1, *(pytest.param(at, marks=pytest.mark.long) for at in (2, 3))])
def test_a_worker_that_is_killed_between_the_answer_and_its_record_asks_again(
    pay: Pay, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    pay.ask()
    visits = 0

    def stop(name: str) -> None:
        nonlocal visits
        visits += name == "erasure.after_poll_before_record"
        if name == "erasure.after_poll_before_record" and visits == at:
            raise Stopped

    with monkeypatch.context() as armed:
        armed.setattr(erasing_work, "crash_point", stop)
        with pytest.raises(Stopped):
            pay.pass_(MINUTE, times=10)
    assert pay.state is ErasingState.PENDING
    jobs.drive_again(pay.walker.context, timedelta(0))
    pay.walker.settle()
    pay.pass_(MINUTE, times=20)
    assert pay.state is ErasingState.VERIFIED
    assert [one["whole"] for one in pay.receipts()] == [True]
    assert len(pay.service.jobs) == 1
    assert pay.service.calls("POST").count("POST /v1/privacy/redaction_jobs/prj_1/run") <= 2


# --- the webhook ----------------------------------------------------------------------------------------------------


def signed(walker: Walker, body: bytes, off: float = 0, secret: str = SECRET) -> dict[str, str]:
    time = str(int(walker.clock.now().timestamp() + off))
    digest = hmac.digest(secret.encode(), f"{time}.".encode() + body, "sha256").hex()
    return {"X-Sign": digest, "X-Time": time, "Content-Type": "application/json"}


def event(job: str = "prj_1", topic: str = "job.done") -> bytes:
    return json.dumps({"type": topic, "job": {"id": job}, "email": "person1@example.com"}).encode()


def told(
    pay: Pay,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    store: str = "pay",
    *,
    done: bool = False,
) -> Any:
    if done:
        pay.service.redact(["cus_1"])
    body = event() if body is None else body
    return pay.door.post(f"/hooks/{store}", content=body, headers=headers or signed(pay.walker, body))


def test_a_webhook_that_says_done_is_believed_after_it_was_read_back(hooked: Pay) -> None:
    hooked.ask()
    assert hooked.state is ErasingState.PENDING
    hooked.pass_(DAY)
    assert hooked.state is ErasingState.PENDING
    assert told(hooked, done=True).status_code == 204
    hooked.walker.settle()
    hooked.pass_(MINUTE, times=2)
    assert hooked.state is ErasingState.VERIFIED
    assert [one["whole"] for one in hooked.receipts()] == [True]


@pytest.mark.long
def test_a_webhook_that_says_done_of_what_is_not_makes_a_task(hooked: Pay) -> None:
    hooked.ask()
    told(hooked)
    hooked.walker.settle()
    hooked.pass_(MINUTE, times=2)
    assert hooked.state is ErasingState.RESIDUAL
    assert [one["whole"] for one in hooked.receipts()] == [False]
    assert [one.code for one in hooked.open_tasks()] == ["left_after_erasure"]


def test_a_webhook_that_comes_twice_counts_once_and_is_answered_alike(hooked: Pay) -> None:
    hooked.ask()
    first, again = told(hooked, done=True), told(hooked)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (204, b"")
    hooked.walker.settle()
    hooked.pass_(MINUTE, times=2)
    assert told(hooked).status_code == 204
    hooked.pass_(MINUTE, times=2)
    assert [one["whole"] for one in hooked.receipts()] == [True]


def test_a_webhook_that_is_not_proven_changes_nothing(hooked: Pay) -> None:
    hooked.ask()
    hooked.service.redact(["cus_1"])
    good = signed(hooked.walker, event())
    spoilt = [
        signed(hooked.walker, event(), secret="another"),
        signed(hooked.walker, event() + b" "),
        signed(hooked.walker, event(), off=-301),
        signed(hooked.walker, event(), off=301),
        {**good, "X-Time": "1"},
        {**good, "X-Time": "soon"},
        {**good, "X-Sign": ""},
        {"Content-Type": "application/json"},
    ]
    for headers in spoilt:
        answer = told(hooked, headers=headers)
        assert answer.status_code == 401
        assert "person1" not in answer.text
    hooked.walker.settle()
    assert hooked.state is ErasingState.PENDING
    assert told(hooked, headers=good).status_code == 204


def test_nobody_learns_at_the_door_which_stores_and_jobs_there_are(hooked: Pay) -> None:
    hooked.ask()
    wrong = told(hooked, headers=signed(hooked.walker, event(), secret="another")).json()
    for store in ("nobody", "PAY", "pay2"):
        other = told(hooked, store=store)
        assert other.status_code == 401
        assert {**other.json(), "request_id": "", "instance": ""} == {**wrong, "request_id": "", "instance": ""}
    assert told(hooked, event("prj_77")).status_code == 204
    assert told(hooked, event(topic="customer.gone")).status_code == 422
    body = b"not json"
    assert told(hooked, body).status_code == 422
    assert hooked.state is ErasingState.PENDING


# --- given up by a person -------------------------------------------------------------------------------------------


def test_a_person_stops_waiting_by_a_click_and_the_rest_is_a_task(hooked: Pay) -> None:
    dsar_id = hooked.ask()
    hooked.pass_(DAY + MINUTE)
    assert [one.code for one in hooked.open_tasks()] == ["still_pending"]
    ada = Office.open(hooked.walker).at_desk("Ada", Role.ANALYST)
    url = f"/console/requests/{hooked.walker.dsar(dsar_id).reference}/plan"
    assert "Stop waiting for Examplepay" in ada.read(url)
    assert "Hand over to a person" in ada.read(f"{url}/pay/hand-over")
    ada.read(f"{url}/nobody/hand-over", 404)
    ada.send(f"{url}/pay/hand-over")
    page = ada.send(f"{url}/pay/hand-over")
    assert "handed over: see the task" in page
    assert "Stop waiting" not in page
    assert "nobody waits for its word" in page
    assert "A colleague decided to wait no longer" in ada.read(f"/console/tasks/{hooked.open_tasks()[0].id}")
    assert (hooked.state, hooked.request) == (ErasingState.HANDED_OVER, DsarState.ANSWERING)
    assert [(one.kind.value, one.code) for one in hooked.open_tasks()] == [("store_failed", "given_up")]
    (receipt,) = hooked.receipts()
    assert receipt["whole"] is False
    assert "did not finish" in opening.preview_letter(hooked.walker.as_staff("Ada", Role.ANALYST), dsar_id).text
    assert told(hooked, done=True).status_code == 204
    hooked.pass_(DAY, times=2)
    assert hooked.state is ErasingState.HANDED_OVER, "what the service says later is the person's to find out"
    assert len(hooked.receipts()) == 1
    Office.open(hooked.walker).at_desk("Aude", Role.AUDITOR).send(f"{url}/pay/hand-over", 403)


def test_a_store_that_is_asked_while_a_person_gives_it_up_is_not_asked_again(
    pay: Pay, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsar_id = pay.ask()

    def given_up(name: str) -> None:
        if name == "erasure.after_poll_before_record":
            giving_up.give_up(pay.walker.as_staff("Ada", Role.ANALYST), dsar_id, "pay")

    with monkeypatch.context() as armed:
        armed.setattr(erasing_work, "crash_point", given_up)
        pay.pass_(MINUTE)
    assert pay.state is ErasingState.HANDED_OVER
    assert only(pay.walker, dsar_id).poll_at is None
    heard = len(pay.service.heard)
    pay.pass_(DAY, times=2)
    assert len(pay.service.heard) == heard
    assert [one.code for one in pay.open_tasks()] == ["given_up"]


@pytest.mark.long
def test_a_store_that_the_answer_did_not_wait_for_is_given_up_too(hooked: Pay) -> None:
    dsar_id = hooked.ask()
    safe = hooked.walker.dsar(dsar_id).safe_due_on
    while hooked.walker.clock.now().date() < safe - timedelta(days=2):
        hooked.pass_(4 * DAY)
    assert hooked.state is ErasingState.RESIDUAL
    client = ShopClient(hooked.walker.context, Scope.TASK_ANSWER)
    path = f"/v1/dsars/{dsar_id}/erasure/pay:hand-over"
    assert [client.post(path, {}).json()["changed"] for _ in range(2)] == [True, False]
    assert only(hooked.walker, dsar_id).poll_at is None
    assert [(one.kind.value, one.code) for one in hooked.open_tasks()] == [("residual", "given_up")]


def test_a_back_end_gives_up_once_and_only_what_is_pending(pay: Pay) -> None:
    dsar_id = pay.ask()
    client = ShopClient(pay.walker.context, Scope.TASK_ANSWER)
    path = f"/v1/dsars/{dsar_id}/erasure"
    assert client.post(f"{path}/nobody:hand-over", {}).status_code == 404
    assert ShopClient(pay.walker.context, Scope.DSAR_READ).post(f"{path}/pay:hand-over", {}).status_code == 403
    answers = [client.post(f"{path}/pay:hand-over", {}) for _ in range(2)]
    assert [one.json() for one in answers] == [{"store": "pay", "changed": True}, {"store": "pay", "changed": False}]
    assert len(pay.open_tasks()) == 1


def test_a_store_that_has_ended_is_not_given_up(pay: Pay) -> None:
    dsar_id = pay.ask()
    pay.pass_(MINUTE, times=9)
    assert pay.state is ErasingState.VERIFIED
    with pytest.raises(giving_up.NothingPending):
        giving_up.give_up(pay.walker.as_staff("Ada", Role.ANALYST), dsar_id, "pay")
    assert pay.state is ErasingState.VERIFIED


# --- for back ends --------------------------------------------------------------------------------------------------


def test_a_back_end_reads_plan_and_state_of_an_erasure(pay: Pay) -> None:
    dsar_id = pay.ask()
    client = ShopClient(pay.walker.context, Scope.DSAR_READ)
    found = client.get(f"/v1/dsars/{dsar_id}/erasure").json()
    (store,) = found["stores"]
    assert (found["whole"], found["receipts"]) == (False, [])
    assert (store["store"], store["state"]) == ("pay", "pending")
    assert store["asked_next_at"] is not None
    assert {row["standing"] for row in store["result"]} == {"waiting"}
    assert store["operations"] == sum(row["rows"] for row in store["plan"])
    assert "person1" not in json.dumps(found)
    pay.pass_(MINUTE, times=9)
    found = client.get(f"/v1/dsars/{dsar_id}/erasure").json()
    assert found["whole"] is True
    assert len(found["receipts"]) == 1
    assert client.get("/v1/dsars/0190a000-0000-7000-8000-000000000000/erasure").status_code == 404
    assert ShopClient(pay.walker.context, Scope.CONSENT_READ).get(f"/v1/dsars/{dsar_id}/erasure").status_code == 403
