"""Words of a manifest that the two examples do not use: tokens that end, versions, follow-ups, what cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from connectors.rest.writing import RestStore
from privacyops.connector_sdk import (
    Check,
    Constant,
    Delete,
    Expectation,
    Finding,
    Given,
    Misconfigured,
    Null,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    RandomToken,
    RowRef,
    Set,
)
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy
from tests.rest_fake import Asked, FakeClock, FakeService, Told

MANIFEST = """
id: tinydesk
version: 1
checked: 2026-11-22
sources: ["https://docs.tinydesk.example/"]
config: {client_id: {secret: true}, client_secret: {secret: true}}
client:
  base_url: "https://api.tinydesk.example"
  auth:
    oauth2_client:
      {token_url: "https://api.tinydesk.example/token", id: "${secret:client_id}", secret: "${secret:client_secret}"}
test: {read: "GET /me", write: "GET /rights"}
resources:
  person:
    key: id
    fields: {email: {category: email}, name: {category: full_name}, version: {type: integer}, state: {volatile: true}}
locate: {email: {call: "GET /people?email={value}", resource: person, rows: people, match: {email: eq_ci}}}
export: {person: {call: "GET /people/{row.id}"}}
dry_run: [{check: "POST /rehearse", body: {id: "{row.id}"}, must: "would = 1", text: rehearsal_differs, remedy: look}]
act:
  - id: forget
    call: "DELETE /people/{row.id}?version={row.version}"
    each: person
    needs_version: version
    not_found_is: already
    irreversible: true
    then: {call: "POST /tickets/{result.ticket}/close", body: {by: "{row.id}"}}
mask:
  person:
    call: "PATCH /people/{row.id}"
    body: {kind: masked}
    at: data
    fields: {name: "", email: "gone-{r}@invalid.example"}
verify: {call: "GET /people/{row.id}", must: {flagged: {state: forgotten}}}
"""
SECRETS = GivenSecrets({"client_id": "id", "client_secret": "the-secret", "hash_key": "k"})


class Tinydesk(FakeService):
    """People with versions; tokens that end; tickets that have to be closed."""

    def set_up(self) -> None:
        self.people: dict[str, dict[str, Any]] = {
            "p1": {"id": "p1", "email": "anna@example.com", "name": "Anna", "version": 3, "state": "active"}
        }
        self.tokens = 0
        self.good = ""
        self.would = 1
        self.may_write = True
        self.closed: list[str] = []
        self.on("POST", "/token", self.token)
        self.on("GET", "/me", lambda asked: {"ok": True})
        self.on("GET", "/rights", lambda asked: {} if self.may_write else Told({}, 403))
        self.on("GET", "/people", lambda asked: {"people": list(self.people.values())})
        self.on("GET", "/people/{}", lambda asked: self.people.get(asked.args[0]) or Told({}, 404))
        self.on("POST", "/rehearse", lambda asked: {"would": self.would})
        self.on("DELETE", "/people/{}", self.forget)
        self.on("PATCH", "/people/{}", self.patch)
        self.on("POST", "/tickets/{}/close", lambda asked: self.closed.append(asked.args[0]) or {})

    def _told(self, asked: Asked) -> Told:
        self.credential = ("accept", "application/json") if asked.path == "/token" else ("authorization", self.good)
        return super()._told(asked)

    def token(self, asked: Asked) -> Any:
        if asked.body["client_secret"] != "the-secret":
            return Told({"error": "invalid_client"}, 401)
        self.tokens += 1
        self.good = f"Bearer t{self.tokens}"
        return {"access_token": f"t{self.tokens}", "expires_in": 600}

    def forget(self, asked: Asked) -> Any:
        if str(self.people[asked.args[0]]["version"]) != asked.query["version"]:
            return Told({"error": "version"}, 409)
        self.people[asked.args[0]]["state"] = "forgotten"
        return {"ticket": "t-9"}

    def patch(self, asked: Asked) -> Any:
        assert asked.body["kind"] == "masked"
        self.people[asked.args[0]].update(asked.body["data"])
        return self.people[asked.args[0]]


@pytest.fixture
def desk() -> Tinydesk:
    return Tinydesk()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def opened(desk: Tinydesk, clock: FakeClock, folder: Path, text: str = MANIFEST) -> RestStore:
    file = folder / "tinydesk.yaml"
    file.write_text(text)
    return desk.connector(clock).open({"name": "desk", "manifest": str(file), "write": True}, SECRETS)


def erasing(store: RestStore) -> Plan:
    return store.plan(Spy().call(), [Op(OpId("o"), RowRef("desk", "person", {"id": "p1"}), Delete())])


def applied(store: RestStore, plan: Plan) -> OpResult:
    [result] = store.apply(Spy().call(), plan, (), "page")
    return result


def test_a_token_is_fetched_once_renewed_before_it_ends_and_after_a_401(
    desk: Tinydesk, clock: FakeClock, tmp_path: Path
) -> None:
    store = opened(desk, clock, tmp_path)
    for _ in range(3):
        store.health(Spy().call())
    assert desk.tokens == 1
    clock.pass_(571)
    store.health(Spy().call())
    assert desk.tokens == 2
    desk.good = "Bearer revoked"
    store.health(Spy().call())
    assert desk.tokens == 3


def test_a_wrong_client_secret_is_the_operators_to_mend(desk: Tinydesk, clock: FakeClock, tmp_path: Path) -> None:
    file = tmp_path / "tinydesk.yaml"
    file.write_text(MANIFEST)
    wrong = GivenSecrets({"client_id": "id", "client_secret": "other"})
    store = desk.connector(clock).open({"manifest": str(file)}, wrong)
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert refused.value.setting in {"client_id", "client_secret"}


def test_a_credential_that_may_only_read_is_told_apart(desk: Tinydesk, clock: FakeClock, tmp_path: Path) -> None:
    desk.may_write = False
    health = opened(desk, clock, tmp_path).health(Spy().call())
    assert ({right.value for right in health.rights}, health.code) == ({"read"}, "no_right_to_write")


def test_a_follow_up_speaks_of_the_first_answer_and_the_flag_proves_it(
    desk: Tinydesk, clock: FakeClock, tmp_path: Path
) -> None:
    store = opened(desk, clock, tmp_path)
    plan = erasing(store)
    assert applied(store, plan).outcome is Outcome.DONE
    assert desk.closed == ["t-9"]
    check = Check(plan.ops[0].op.ref, Expectation.GONE, (), plan.ops[0].before)
    assert [one.outcome for one in store.verify(Spy().call(), [check])] == [Finding.CHANGED]
    desk.people["p1"]["state"] = "active"
    assert [one.outcome for one in store.verify(Spy().call(), [check])] == [Finding.STILL_THERE]


def test_a_version_that_moved_between_reading_and_sending_is_a_conflict(
    desk: Tinydesk, clock: FakeClock, tmp_path: Path
) -> None:
    store = opened(desk, clock, tmp_path)
    plan = erasing(store)
    forget = desk.forget

    def late(asked: Asked) -> Any:
        desk.people["p1"]["version"] = 4  # somebody else was faster than the call
        return forget(asked)

    desk.routes = [each for each in desk.routes if each[0] != "DELETE"]
    desk.on("DELETE", "/people/{}", late)
    result = applied(store, plan)
    assert (result.outcome, result.code) == (Outcome.CONFLICT, "version")
    assert desk.people["p1"]["state"] == "active"


def test_a_rehearsal_that_differs_blocks(desk: Tinydesk, clock: FakeClock, tmp_path: Path) -> None:
    desk.would = 7
    plan = erasing(opened(desk, clock, tmp_path))
    assert [(one.code, one.remedy) for one in plan.blockers] == [("rehearsal_differs", "look")]


def test_what_the_service_insists_on_takes_the_plans_place_and_never_a_correction(
    desk: Tinydesk, clock: FakeClock, tmp_path: Path
) -> None:
    store = opened(desk, clock, tmp_path)
    ref = RowRef("desk", "person", {"id": "p1"})
    masked = Set({"name": Null(), "email": RandomToken("erased-{r}@invalid.example")})
    assert applied(store, store.plan(Spy().call(), [Op(OpId("m"), ref, masked)])).outcome is Outcome.DONE
    assert desk.people["p1"]["name"] == ""
    assert desk.people["p1"]["email"].startswith("gone-")
    right = Set({"name": Given("Anna Maria")})
    assert applied(store, store.plan(Spy().call(), [Op(OpId("r"), ref, right)])).outcome is Outcome.DONE
    assert desk.people["p1"]["name"] == "Anna Maria"
    version = store.plan(Spy().call(), [Op(OpId("v"), ref, Set({"version": Constant(1)}))])
    assert [(one.code, one.field) for one in version.blockers] == [("not_settable", "version")]


def test_what_cannot_be_read_back_is_requested_and_never_done(desk: Tinydesk, clock: FakeClock, tmp_path: Path) -> None:
    text = MANIFEST[: MANIFEST.index("verify:")] + "verify: impossible\n"
    store = opened(desk, clock, tmp_path, text)
    plan = erasing(store)
    assert "cannot_be_read_back" in plan.warnings
    assert applied(store, plan).outcome is Outcome.REQUESTED
    check = Check(plan.ops[0].op.ref, Expectation.GONE, (), plan.ops[0].before)
    [verdict] = store.verify(Spy().call(), [check])
    assert (verdict.outcome, verdict.code) == (Finding.UNKNOWN, "cannot_be_read_back")
