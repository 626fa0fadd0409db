"""The REST engine on the two fictitious services: jobs, batches, pages, rates, refusals, and what is never sent."""

import contextlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.rest import __file__ as connector_file
from connectors.rest import connector
from connectors.rest.writing import RestStore
from privacyops.connector_sdk import (
    BlobRef,
    Check,
    Constant,
    Delete,
    Expectation,
    Finding,
    Hit,
    Keep,
    Leaf,
    Misconfigured,
    Op,
    OpId,
    OpResult,
    Outcome,
    Page,
    Plan,
    PredicateOp,
    Retriable,
    RowRef,
    Set,
    Terminal,
    Ticket,
)
from privacyops.connector_sdk.guard import AddressRefused
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from privacyops.connector_sdk.testing.faults import HttpFault
from tests.contract.rest_bench import MANIFESTS, Examplepay, Postbird, PostbirdBench
from tests.rest_fake import FakeClock, Served, Told
from tests.rest_services.desk import HubSpot

SECRETS = GivenSecrets({"key": "a-key-of-this-test", "token": "a-token-of-this-test", "hash_key": "k"})
PAY = {"name": "pay", "manifest": str(MANIFESTS / "examplepay.yaml"), "write": True}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pay() -> Examplepay:
    return Examplepay()


@pytest.fixture
def store(pay: Examplepay, clock: FakeClock) -> RestStore:
    return pay.connector(clock).open(PAY, SECRETS)


def redacting(store: RestStore, *numbers: int) -> Plan:
    """The plan for these customers."""
    return store.plan(Spy().call(), [_delete("pay", "customer", f"cus_{at}") for at in numbers])


def _delete(name: str, collection: str, key: Any) -> Op:
    return Op(OpId(f"{collection}-{key}"), RowRef(name, collection, {"id": key}), Delete())


def applied(store: RestStore, plan: Plan) -> dict[str, OpResult]:
    return {str(one.op): one for one in store.apply(Spy().call(), plan, (), "page")}


def ticket_of(result: OpResult) -> Ticket:
    assert result.ticket is not None
    return result.ticket


def ended(store: RestStore, result: OpResult, clock: FakeClock, looks: int = 6) -> OpResult:
    """The job asked after until it ends, at most so many times."""
    for _ in range(looks):
        if result.outcome is not Outcome.PENDING:
            break
        clock.pass_(60)
        result = store.poll(Spy().call(), ticket_of(result))
    return result


# --- jobs ---------------------------------------------------------------------------------------------------------


def test_a_job_is_validated_then_run_then_read_back(pay: Examplepay, store: RestStore, clock: FakeClock) -> None:
    plan = redacting(store, 1)
    assert plan.warnings[0] == "payments_cannot_be_refunded_afterwards"
    [first] = applied(store, plan).values()
    assert first.outcome is Outcome.PENDING
    assert ended(store, first, clock).outcome is Outcome.DONE
    assert [call for call in pay.calls("POST") if call.endswith("/run")] == [
        "POST /v1/privacy/redaction_jobs/prj_1/run"
    ]
    check = Check(plan.ops[0].op.ref, Expectation.GONE, (), plan.ops[0].before)
    assert [verdict.outcome for verdict in store.verify(Spy().call(), [check])] == [Finding.CHANGED]
    assert applied(store, plan)["customer-cus_1"].outcome is Outcome.ALREADY


def test_ten_customers_go_into_one_job_and_the_eleventh_into_another(pay: Examplepay, store: RestStore) -> None:
    results = applied(store, redacting(store, *range(1, 13)))
    assert {one.outcome for one in results.values()} == {Outcome.PENDING}
    assert [len(job["ids"]) for job in pay.jobs.values()] == [10, 2]


def test_one_customer_that_spoils_a_batch_fails_alone(pay: Examplepay, store: RestStore) -> None:
    pay.spoils = {"cus_2"}
    results = applied(store, redacting(store, 1, 2, 3))
    assert results["customer-cus_2"].outcome is Outcome.FAILED
    assert results["customer-cus_2"].code == "invalid_state"
    assert {results[f"customer-cus_{at}"].outcome for at in (1, 3)} == {Outcome.PENDING}


def test_a_job_that_fails_is_a_failure(pay: Examplepay, store: RestStore, clock: FakeClock) -> None:
    pay.script = {"validating": "failed"}
    [first] = applied(store, redacting(store, 1)).values()
    last = ended(store, first, clock)
    assert (last.outcome, last.code) == (Outcome.FAILED, "job_failed")


def test_a_job_that_ends_half_is_no_success(pay: Examplepay, store: RestStore, clock: FakeClock) -> None:
    pay.script = {"validating": "partly_redacted"}
    [first] = applied(store, redacting(store, 1)).values()
    last = ended(store, first, clock)
    assert (last.outcome, last.code) == (Outcome.FAILED, "job_ended_partly")


def test_a_job_that_never_ends_is_given_up_when_its_time_is_over(
    pay: Examplepay, store: RestStore, clock: FakeClock
) -> None:
    pay.script = {}
    [result] = applied(store, redacting(store, 1)).values()
    pauses = []
    while result.outcome is Outcome.PENDING:
        ticket = ticket_of(result)
        pauses.append(ticket.poll_after - clock.now)
        clock.pass_((ticket.poll_after - clock.now).total_seconds())
        result = store.poll(Spy().call(), ticket)
        assert len(pauses) < 60
    assert (result.outcome, result.code) == (Outcome.FAILED, "job_never_ended")
    assert pauses[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert max(pauses) == timedelta(days=1)


def test_a_job_can_be_called_off_until_it_is_done(pay: Examplepay, store: RestStore, clock: FakeClock) -> None:
    [first] = applied(store, redacting(store, 1)).values()
    assert store.cancel(Spy().call(), ticket_of(first)).code == "cancelled"
    assert pay.jobs["prj_1"]["status"] == "canceled"
    [second] = applied(store, redacting(store, 2)).values()
    ended(store, second, clock)
    with pytest.raises(Terminal, match="too_late"):
        store.cancel(Spy().call(), ticket_of(second))


def test_a_lost_answer_makes_no_second_job(pay: Examplepay, store: RestStore) -> None:
    plan = redacting(store, 1)
    pay.faults.extend([None, HttpFault(after_effect=True)])
    with pytest.raises(Retriable):
        applied(store, plan)
    assert applied(store, plan)["customer-cus_1"].outcome is Outcome.PENDING
    assert len(pay.jobs) == 1


def test_a_ticket_that_is_not_ours_is_refused(store: RestStore, clock: FakeClock) -> None:
    for text in ("", "[]", '{"a":1}', '["gone","o","j","customer",{},"",0]'):
        with pytest.raises(Terminal, match="unknown_ticket"):
            store.poll(Spy().call(), Ticket(text, clock.now, clock.now, clock.now))


def test_a_ticket_holds_no_value_of_the_person(store: RestStore) -> None:
    [first] = applied(store, redacting(store, 1)).values()
    assert "person1@example.com" not in ticket_of(first).id
    assert "Person 1" not in ticket_of(first).id


# --- what stands in the way ---------------------------------------------------------------------------------------


def test_a_running_subscription_blocks_in_the_plan_and_again_before_the_call(pay: Examplepay, store: RestStore) -> None:
    plan = redacting(store, 1)
    pay.customers["cus_1"]["subscriptions"] = [{"status": "active"}]
    blocked = redacting(store, 1)
    assert [(one.code, one.remedy) for one in blocked.blockers] == [("active_subscription", "end_first")]
    pay.customers["cus_1"]["subscriptions"] = []
    pay.customers["cus_1"]["disputes"] = [{"status": "won"}, {"status": "open"}]
    result = applied(store, plan)["customer-cus_1"]
    assert (result.outcome, result.code) == (Outcome.BLOCKED, "open_dispute")
    assert pay.jobs == {}


def test_a_condition_that_the_answer_does_not_speak_of_blocks(pay: Examplepay, store: RestStore) -> None:
    del pay.customers["cus_1"]["subscriptions"]
    assert [one.code for one in redacting(store, 1).blockers] == ["cannot_be_checked"]


def test_an_import_that_runs_blocks_every_erasure(clock: FakeClock) -> None:
    bench = PostbirdBench()
    bench.service.importing = True
    store = bench.connector().open({**bench.config(), "write": True}, SECRETS)
    assert isinstance(store, RestStore)
    plan = store.plan(Spy().call(), [_delete("shop", "contact", 102), _delete("shop", "message", 1003)])
    assert "import_running" in {one.code for one in plan.blockers}
    assert {one.outcome for one in applied(store, plan).values()} == {Outcome.BLOCKED}
    assert 102 in bench.service.contacts


def test_rows_the_service_keeps_without_the_person_follow_their_parent(
    pay: Examplepay, store: RestStore, clock: FakeClock
) -> None:
    charge = RowRef("pay", "charge", {"id": "ch_1"})
    keep = Op(OpId("keep"), charge, Keep("LEGAL_OBLIGATION", None, {"receipt_email": Constant("")}))
    alone = store.plan(Spy().call(), [keep])
    assert [one.code for one in alone.blockers] == ["needs_parent"]
    plan = store.plan(Spy().call(), [keep, _delete("pay", "customer", "cus_1")])
    assert [str(each.op.id) for each in plan.ops] == ["customer-cus_1", "keep"]
    results = applied(store, plan)
    assert {one.outcome for one in results.values()} == {Outcome.PENDING}
    assert ended(store, results["keep"], clock).outcome is Outcome.DONE
    checks = [Check(charge, Expectation.CHANGED, ("receipt_email",), each.before) for each in plan.ops[1:]]
    assert [verdict.outcome for verdict in store.verify(Spy().call(), checks)] == [Finding.CHANGED]
    removed = store.plan(Spy().call(), [_delete("pay", "charge", "ch_2"), _delete("pay", "customer", "cus_2")])
    assert [(one.code, one.remedy) for one in removed.blockers] == [("stays", "keep")]


def test_what_no_call_can_do_names_the_task_for_a_person(store: RestStore) -> None:
    correct = Op(OpId("x"), RowRef("pay", "customer", {"id": "cus_1"}), Set({"name": Constant("")}))
    [blocker] = store.plan(Spy().call(), [correct]).blockers
    assert blocker.code == "unsupported"
    assert blocker.remedy == "Redact the listed customers in the provider's dashboard"


def test_an_altered_plan_and_an_old_one_are_refused(store: RestStore, clock: FakeClock) -> None:
    plan = redacting(store, 1)
    other = redacting(store, 2)
    with pytest.raises(Terminal, match="plan_altered"):
        applied(store, Plan(plan.id, plan.hash, plan.made_at, plan.expires_at, other.ops))
    clock.pass_(25 * 3600)
    with pytest.raises(Terminal, match="plan_expired"):
        applied(store, plan)


def test_the_reading_role_plans_and_applies_nothing(pay: Examplepay, clock: FakeClock) -> None:
    reader = pay.connector(clock).open({**PAY, "write": False}, SECRETS)
    assert not reader.capabilities(Spy().call()).writes
    with pytest.raises(Terminal, match="unsupported"):
        applied(reader, redacting(reader, 1))
    assert pay.calls("POST") == []


# --- errors, rates, answers ---------------------------------------------------------------------------------------


def test_a_lock_is_waited_for_as_long_as_the_manifest_says(pay: Examplepay, store: RestStore) -> None:
    plan = redacting(store, 1)
    pay.faults.extend([None, HttpFault(400, b'{"error": {"code": "locked_by_other_job"}}')])
    with pytest.raises(Retriable) as refused:
        applied(store, plan)
    assert refused.value.after == timedelta(hours=1)


def test_an_error_inside_an_answer_of_200_is_an_error(clock: FakeClock) -> None:
    bench = PostbirdBench()
    store = bench.open()
    bench.service.faults.append(HttpFault(200, b'{"problem": "quota", "data": [], "meta": {"next": null}}'))
    with pytest.raises(Terminal):
        _contacts(store, "anna.weber@example.com")
    assert len(_contacts(store, "anna.weber@example.com")) == 1


def _contacts(store: Any, email: str) -> list[Hit]:
    where = Leaf("x", "email", PredicateOp.EQ_CI, email)
    return [item for item in store.find(Spy().call(), "contact", where, (), Page(10)) if isinstance(item, Hit)]


def test_a_pause_the_service_asked_for_is_kept_by_the_next_call_too(clock: FakeClock) -> None:
    bench = PostbirdBench()
    store = bench.service.connector(clock).open(bench.config(), GivenSecrets(bench.secrets()))
    bench.service.faults.append(HttpFault(429, retry_after="60"))
    with pytest.raises(Retriable):
        _contacts(store, "anna.weber@example.com")
    heard = len(bench.service.heard)
    with pytest.raises(Retriable) as refused:
        _contacts(store, "anna.weber@example.com")
    assert refused.value.code == "rate"
    assert len(bench.service.heard) == heard, "a call went out during the pause"
    clock.pass_(61)
    assert len(_contacts(store, "anna.weber@example.com")) == 1


def test_the_rate_of_the_manifest_is_kept(pay: Examplepay, clock: FakeClock) -> None:
    store = pay.connector(clock).open(PAY, SECRETS)
    began = clock.seconds
    for _ in range(75):
        store.health(Spy().call())
    assert clock.seconds - began == pytest.approx(2.0, abs=0.1)  # 25 at once, then 25 a second


def test_two_ways_that_lead_to_one_row_give_it_once(clock: FakeClock) -> None:
    bench = PostbirdBench()
    bench.service.contacts[101]["archived"] = True
    assert [hit.values["id"] for hit in _contacts(bench.open(), "ANNA.weber@example.com")] == [101]


def test_a_question_no_call_answers_is_refused_and_never_half_answered(clock: FakeClock) -> None:
    bench = PostbirdBench()
    store = bench.service.connector(clock).open({**bench.config(), "scan": False}, GivenSecrets(bench.secrets()))
    for where in (
        Leaf("x", "name", PredicateOp.EQ, "Anna Weber"),
        Leaf("x", "email", PredicateOp.PREFIX_CI, "anna"),
    ):
        with pytest.raises(Terminal, match="not_askable"):
            list(store.find(Spy().call(), "contact", where, (), Page(10)))


def test_a_file_comes_from_the_service_or_a_listed_host_and_from_nowhere_else() -> None:
    bench = PostbirdBench()
    store = bench.open()
    elsewhere = ("https://elsewhere.example/photo", "//elsewhere.example/photo", "file:///etc/passwd")
    for address in (*elsewhere, "https://[half", "/photo\x7f", "https://elsewhere.example:port/"):
        bench.service.contacts[101]["photo_url"] = address
        shown = bench.service.shown
        bench.service.shown = lambda one, shown=shown, address=address: {**shown(one), "photo_url": address}
        photo = BlobRef(RowRef("shop", "contact", {"id": 101}), "photo", "photo", "image/jpeg", None)
        with pytest.raises((Terminal, Misconfigured)), store.open_blob(Spy().call(), photo):
            pass
        bench.service.shown = shown


def test_a_forbidden_parameter_in_an_edited_manifest_is_refused_when_it_is_read(tmp_path: Path) -> None:
    text = (MANIFESTS / "postbird.yaml").read_text()
    for edit in (
        ("?permanent=true", "?permanent=true&delete_all=true"),
        ("?permanent=true", "?permanent=true&DELETE_ALL=1"),
        ("DELETE /v2/contacts/{row.id}?permanent=true", "DELETE /v2/contacts/purge"),
        ("DELETE /v2/contacts/{row.id}?permanent=true", "DELETE /v2//contacts/%70urge/"),
        ('body: {email: "{row.email}"}', 'body: {email: "{row.email}", options: {delete_all: true}}'),
    ):
        file = tmp_path / "edited.yaml"
        file.write_text(text.replace(*edit))
        assert file.read_text() != text
        with pytest.raises(Misconfigured):
            connector.open({"manifest": str(file), "settings": {"region": "eu"}}, SECRETS)


def test_an_edited_copy_of_a_shipped_manifest_cannot_drop_what_that_forbids(clock: FakeClock, tmp_path: Path) -> None:
    from connectors.rest.manifests import shipped, shipped_rules

    edited = shipped("hubspot").model_copy(update={"forbid": shipped("zendesk").forbid})
    assert shipped_rules(edited).in_request("/crm/v3/objects/contacts/batch/archive", [], None)
    assert shipped_rules(edited).in_request("/x", ["delete_all_contacts"], None)


def test_such_a_copy_sends_nothing_forbidden_even_if_it_could_be_read(tmp_path: Path) -> None:
    service = HubSpot()
    text = (Path(connector_file).parent / "services" / "hubspot.yaml").read_text()
    text = re.sub(r"^forbid:.*$", "forbid: {}", text, flags=re.MULTILINE)
    text = text.replace("POST /crm/v3/objects/contacts/gdpr-delete", "POST /crm/v3/objects/contacts/batch/archive")
    file = tmp_path / "hubspot.yaml"
    file.write_text(text)
    secrets = GivenSecrets({**service.secrets, "hash_key": "k"})
    store = service.connector().open({"name": "svc", "manifest": str(file), "write": True}, secrets)
    plan = store.plan(Spy().call(), [_delete("svc", "contact", "1")])
    [result] = store.apply(Spy().call(), plan, (), "page")
    assert (result.outcome, result.code) == (Outcome.FAILED, "forbidden")
    assert [call for call in service.calls("POST") if "archive" in call] == []


def test_a_value_cannot_leave_its_place_in_the_path(clock: FakeClock) -> None:
    bench = PostbirdBench()
    store = bench.open()
    for value in ("../me", "101/messages", "101?x=1", "101#", "%2e%2e", "..", "101 "):
        ref = RowRef("shop", "contact", {"id": value})
        with contextlib.suppress(Terminal):
            assert list(store.fetch(Spy().call(), [ref], ())) == []
    assert all(call.count("/") == 3 for call in bench.service.calls() if call.startswith("GET /v2/contacts/"))


# --- on a real socket ---------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[tuple[Postbird, Served, dict[str, Any]]]:
    service = Postbird()
    server = Served(service)
    yield (
        service,
        server,
        {"name": "shop", "networks": ["127.0.0.0/8"], "settings": {"site": f"http://127.0.0.1:{server.port}"}},
    )
    server.close()


def _own(tmp_path: Path, timeout: str = "2s") -> str:
    text = (MANIFESTS / "postbird.yaml").read_text()
    text = text.replace("region: {type: choice, title: Region, choices: [eu, us]}", "site: {type: url, title: Site}")
    text = text.replace("https://{region}.api.postbird.example", "{site}").replace(
        "timeout: 20s", f"timeout: {timeout}"
    )
    file = tmp_path / "own.yaml"
    file.write_text(text)
    return str(file)


def test_a_person_is_found_through_the_address_guard(
    served: tuple[Postbird, Served, dict[str, Any]], tmp_path: Path
) -> None:
    _, _, config = served
    store = connector.open({**config, "manifest": _own(tmp_path)}, SECRETS)
    assert store.health(Spy().call()).product == "Postbird"
    assert [hit.values["id"] for hit in _contacts(store, "anna.weber@example.com")] == [101]
    store.close()


def test_an_answer_that_is_cut_or_drips_is_tried_again_later(
    served: tuple[Postbird, Served, dict[str, Any]], tmp_path: Path
) -> None:
    _, server, config = served
    store = connector.open({**config, "manifest": _own(tmp_path, "1s")}, SECRETS)
    for manner, code in (("cut", "connection"), ("drip", "timeout")):
        server.manner = manner
        with pytest.raises(Retriable) as refused:
            _contacts(store, "anna.weber@example.com")
        assert refused.value.code == code
    server.manner = "whole"
    assert len(_contacts(store, "anna.weber@example.com")) == 1
    store.close()


def test_a_redirect_is_not_followed(served: tuple[Postbird, Served, dict[str, Any]], tmp_path: Path) -> None:
    service, _, config = served
    service.routes.insert(
        0, ("GET", service.routes[0][1], lambda asked: Told(None, 302, {"Location": "http://127.0.0.1:1/"}))
    )
    store = connector.open({**config, "manifest": _own(tmp_path)}, SECRETS)
    with pytest.raises(Misconfigured, match="address"):
        store.health(Spy().call())
    store.close()


def test_a_private_address_is_refused_unless_the_operator_opened_its_network(
    served: tuple[Postbird, Served, dict[str, Any]], tmp_path: Path
) -> None:
    service, _, config = served
    for networks in ([], ["10.0.0.0/8"]):
        store = connector.open({**config, "networks": networks, "manifest": _own(tmp_path)}, SECRETS)
        with pytest.raises(AddressRefused):
            store.health(Spy().call())
        store.close()
    assert service.heard == []


def test_nobody_at_the_other_end_is_tried_again_later(tmp_path: Path) -> None:
    config = {"networks": ["127.0.0.0/8"], "settings": {"site": "http://127.0.0.1:9"}, "manifest": _own(tmp_path)}
    store = connector.open(config, SECRETS)
    with pytest.raises(Retriable, match="connection"):
        store.health(Spy().call())
    store.close()
