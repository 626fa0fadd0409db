"""Requests over the JSON door: handed in once, read without content, refused in problem documents."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.services import apikey
from tests.house import Walker

BODY = {"type": "access", "requester": {"email": "kim@example.com", "name": "Kim"}, "channel": "api"}


@pytest.fixture
def client(walker: Walker) -> Iterator[TestClient]:
    """The API, called by a back end that may hand in and read requests."""
    key = apikey.create(walker.as_staff("Olga", Role.ADMIN), "shop", frozenset({Scope.DSAR_CREATE, Scope.DSAR_READ}))
    with TestClient(create_api(walker.context), headers={"Authorization": f"Bearer {key}"}) as opened:
        yield opened


def test_the_same_key_and_body_give_one_request(client: TestClient) -> None:
    first = client.post("/v1/dsars", json=BODY, headers={"Idempotency-Key": "a"})
    second = client.post("/v1/dsars", json=BODY, headers={"Idempotency-Key": "a"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/v1/dsars").json()["items"]) == 1


def test_the_same_key_with_another_body_is_refused(client: TestClient) -> None:
    client.post("/v1/dsars", json=BODY, headers={"Idempotency-Key": "a"})
    other = client.post("/v1/dsars", json={**BODY, "type": "erasure"}, headers={"Idempotency-Key": "a"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_a_call_without_a_key_for_repeats_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/dsars", json=BODY)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")


def test_what_is_read_holds_no_personal_data(client: TestClient) -> None:
    made = client.post("/v1/dsars", json=BODY, headers={"Idempotency-Key": "a"}).json()
    text = client.get(f"/v1/dsars/{made['id']}").text + client.get("/v1/dsars").text
    assert "kim" not in text.lower()


def test_without_a_valid_key_nothing_is_told(walker: Walker) -> None:
    with TestClient(create_api(walker.context)) as nobody:
        answer = nobody.get("/v1/dsars", headers={"Authorization": "Bearer po_live_nonsense"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_from_the_next_call_on(walker: Walker, client: TestClient) -> None:
    olga = walker.as_staff("Olga", Role.ADMIN)
    assert client.get("/v1/dsars").status_code == 200
    apikey.revoke(olga, apikey.all_keys(olga)[0].id)
    assert client.get("/v1/dsars").status_code == 401


def test_a_scope_that_is_not_held_is_refused(walker: Walker) -> None:
    key = apikey.create(walker.as_staff("Olga", Role.ADMIN), "mail", frozenset({Scope.CONSENT_CHECK}))
    with TestClient(create_api(walker.context), headers={"Authorization": f"Bearer {key}"}) as mailer:
        assert mailer.get("/v1/dsars").status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**BODY, "type": "everything"}, 422),
        ({**BODY, "requester": {"email": "no address"}}, 422),
        ({**BODY, "surprise": 1}, 422),
        ({**BODY, "received_at": "2099-01-01T00:00:00Z"}, 422),
        ({**BODY, "residence": "Germany"}, 422),
    ],
)
def test_a_wrong_body_is_a_problem_that_quotes_no_value(
    client: TestClient, body: dict[str, object], status: int
) -> None:
    answer = client.post("/v1/dsars", json=body, headers={"Idempotency-Key": "a"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no address" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_body_over_a_megabyte_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/v1/dsars", content=b'{"a":"' + b"x" * 1_100_000 + b'"}',
        headers={"Idempotency-Key": "a", "Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 413


def test_an_unknown_view_or_cursor_is_named_not_guessed(client: TestClient) -> None:
    assert client.get("/v1/dsars", params={"view": "nonsense"}).json()["type"] == "/problems/unknown-view"
    assert client.get("/v1/dsars", params={"after": "nonsense"}).status_code == 400


def test_pages_follow_one_another_without_a_repeat(client: TestClient) -> None:
    for number in range(5):
        body = {**BODY, "requester": {"email": f"kim{number}@example.com"}}
        client.post("/v1/dsars", json=body, headers={"Idempotency-Key": str(number)})
    seen: list[str] = []
    after: str | None = None
    while True:
        page = client.get("/v1/dsars", params={"limit": 2, **({"after": after} if after else {})}).json()
        seen += [one["id"] for one in page["items"]]
        if (after := page["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5
