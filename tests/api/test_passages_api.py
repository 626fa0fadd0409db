"""Passages about other people over the JSON door: places and decisions, never a text; each step behind its scope."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.redaction.record import ReadingState
from privacyops.kernel.ids import DsarId
from privacyops.services import apikey
from privacyops.services.dsar import third_parties
from privacyops.store import redaction as redactions
from tests.house import Walker
from tests.redacting import NOTE, KnownNames, detects, found, noted_shop

Opens = Callable[[Scope], TestClient]


@pytest.fixture
def dsar_id(walker: Walker, tmp_path: Path) -> DsarId:
    detects(walker, KnownNames())
    return found(walker, noted_shop(tmp_path / "shop.db", NOTE))


@pytest.fixture
def opens(walker: Walker, dsar_id: DsarId) -> Iterator[Opens]:
    """Opens the API with a key of one scope."""
    made: list[TestClient] = []

    def with_scope(scope: Scope) -> TestClient:
        key = apikey.create(walker.as_staff("Olga", Role.ADMIN), "tool", frozenset({scope}))
        client = TestClient(create_api(walker.context), headers={"Authorization": f"Bearer {key}"})
        made.append(client.__enter__())
        return made[-1]

    yield with_scope
    for client in made:
        client.__exit__(None, None, None)


def test_a_tool_decides_and_marks_by_places_alone(opens: Opens, dsar_id: DsarId) -> None:
    client, url = opens(Scope.DSAR_REDACT), f"/v1/dsars/{dsar_id}/passages"
    listed = client.get(url)
    assert "Novak" not in listed.text
    page = listed.json()
    assert page["reading"] == {
        "state": "read", "texts": 1, "files": 0, "open": 2, "unseen": 0, "vouched_at": None, "degraded": [],
    }  # fmt: skip
    first, second = page["items"]
    assert (first["field"], first["at"], first["start"], first["end"]) == ("body", 0, 0, len("Peter Novak"))
    decided = client.post(f"{url}/{first['id']}:decide", json={"decision": "accepted", "seen": "open"})
    assert (decided.status_code, decided.json()["decision"]) == (200, "accepted")
    stale = client.post(f"{url}/{first['id']}:decide", json={"decision": "refused", "seen": "open"})
    assert stale.status_code == 409
    body = {"finding": first["finding"], "field": "body", "start": 12, "end": 13, "kind": "PERSON"}
    made = client.post(url, json=body)
    assert (made.status_code, made.json()["is_by_hand"]) == (201, True)
    assert client.post(url, json=body).json()["id"] == made.json()["id"]
    back = client.post(f"{url}/{made.json()['id']}:decide", json={"decision": "open"})
    assert (back.status_code, back.json()) == (200, None)
    assert client.get(url, params={"limit": 1}).json()["next"] == first["id"]
    assert client.get(url, params={"limit": 1, "after": first["id"]}).json()["items"][0]["id"] == second["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({"start": 5, "end": 5}, 422), ({"start": 0, "end": 10**7}, 422), ({"start": -1, "end": 2}, 422),
     ({"start": 0, "end": 2, "at": 7}, 404), ({"start": 0, "end": 2, "field": "no_such"}, 404),
     ({"start": 0, "end": 2, "finding": "0193c1e0-5b7e-7c1a-9d7e-3f0a1b2c3d4e"}, 404)],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_place_that_is_none_is_refused(opens: Opens, dsar_id: DsarId, body: dict[str, object], status: int) -> None:
    client, url = opens(Scope.DSAR_REDACT), f"/v1/dsars/{dsar_id}/passages"
    finding = client.get(url).json()["items"][0]["finding"]
    answer = client.post(url, json={"finding": finding, "field": "body", "kind": "PERSON", **body})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_tool_sees_that_a_person_vouched(opens: Opens, walker: Walker, dsar_id: DsarId) -> None:
    ada = walker.as_staff("Ada", Role.ANALYST)
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        read = redactions.load_reading(tx, dsar_id)
        assert read is not None
        redactions.save_reading(tx, read, state=ReadingState.FAILED)
    client, url = opens(Scope.DSAR_READ), f"/v1/dsars/{dsar_id}/passages"
    reading = client.get(url).json()["reading"]
    assert (reading["state"], reading["vouched_at"]) == ("failed", None)
    third_parties.vouch(ada, dsar_id)
    assert client.get(url).json()["reading"]["vouched_at"] is not None


def test_who_may_read_may_not_decide(opens: Opens, dsar_id: DsarId) -> None:
    client, url = opens(Scope.DSAR_READ), f"/v1/dsars/{dsar_id}/passages"
    first = client.get(url).json()["items"][0]
    refused = client.post(f"{url}/{first['id']}:decide", json={"decision": "accepted"})
    assert (refused.status_code, "dsar:redact" in refused.text) == (403, True)
