"""The JSON routes for pages of the shop: exact origins, proof of work, constant answers, problems else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from altcha import ChallengeV1, solve_challenge_v1
from httpx import Response

from privacyops.domain.account.action import Role
from privacyops.services.dsar import listing
from tests.house import Walker
from tests.portal_client import MIA, Customer, customer

__all__ = ["customer"]

SHOP = "https://shop.example"


def solved(customer: Customer) -> dict[str, Any]:
    """A challenge, solved by the library that browsers' widgets are made for."""
    given = customer.http.get("/v1/public/challenge", headers={"Origin": SHOP}).json()
    task = ChallengeV1(given["algorithm"], given["challenge"], given["maxnumber"], given["salt"], given["signature"])
    solution = solve_challenge_v1(task)
    assert solution is not None
    return {name: given[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": solution.number}


def hand_in(customer: Customer, work: dict[str, Any], headers: dict[str, str] | None = None, **body: Any) -> Response:
    """Hand a request in from a page of the shop."""
    sent = {"type": "access", "email": MIA, "work": work, **body}
    return customer.http.post("/v1/public/requests", json=sent, headers=headers or {"Origin": SHOP})


def count(walker: Walker) -> int:
    return len(listing.list_view(walker.as_staff("Ada", Role.ANALYST), "unverified").items)


def test_a_solved_challenge_lets_a_request_in(customer: Customer, walker: Walker) -> None:
    sent = hand_in(customer, solved(customer), order_number="LS-1002")
    assert sent.status_code == 202
    assert sent.json()["next"] == "check_mail"
    assert sent.json()["reference"].startswith("PR-")
    walker.settle()
    assert len(walker.code_for(MIA)) == 6


def test_the_answer_lets_the_listed_origin_read_and_no_cookie_come(customer: Customer) -> None:
    sent = hand_in(customer, solved(customer))
    assert sent.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in sent.headers
    assert "set-cookie" not in sent.headers


def test_known_and_unknown_addresses_get_the_same_answer(customer: Customer) -> None:
    """A1."""
    answers = set()
    for address in (MIA, "nobody.known@example.org"):
        sent = hand_in(customer, solved(customer), email=address)
        answers.add((sent.status_code, sent.json()["next"], tuple(sent.headers.items())))
    assert len(answers) == 1


def test_a_solution_works_once(customer: Customer, walker: Walker) -> None:
    """A6."""
    work = solved(customer)
    assert hand_in(customer, work).status_code == 202
    again = hand_in(customer, work, type="erasure")
    assert (again.status_code, again.json()["type"]) == (422, "/problems/work-refused")
    assert count(walker) == 1


def test_a_solution_ends_after_twenty_minutes(customer: Customer, walker: Walker) -> None:
    """A6."""
    work = solved(customer)
    walker.clock.advance(timedelta(minutes=20, seconds=1))
    assert hand_in(customer, work).status_code == 422


@pytest.mark.parametrize("member", ["challenge", "salt", "signature", "number", "algorithm"])
def test_a_forged_solution_is_refused_in_the_same_words(customer: Customer, member: str) -> None:
    """A6."""
    work = solved(customer)
    forged = "00" if not str(work[member]).endswith("00") else "11"
    work[member] = work[member] + 1 if member == "number" else work[member][:-2] + forged
    sent = hand_in(customer, work)
    assert (sent.status_code, sent.json()["type"]) == (422, "/problems/work-refused")
    assert set(sent.json()) == {"type", "title", "status", "request_id"}


def test_digits_cannot_move_from_the_number_into_the_expiry(customer: Customer) -> None:
    work = solved(customer)
    work["salt"], work["number"] = work["salt"].rstrip("&") + str(work["number"])[0], int(str(work["number"])[1:] or 0)
    assert hand_in(customer, work).status_code == 422


@pytest.mark.parametrize(
    "origin", ["https://shop.example.evil.example", "http://shop.example", "null", "https://shop.example:444", ""]
)
def test_other_origins_are_refused(customer: Customer, walker: Walker, origin: str) -> None:
    work = solved(customer)
    sent = hand_in(customer, work, {"Origin": origin})
    assert (sent.status_code, sent.json()["type"]) == (403, "/problems/origin-not-listed")
    assert "access-control-allow-origin" not in sent.headers
    assert count(walker) == 0


def test_a_preflight_is_answered_for_listed_origins_alone(customer: Customer) -> None:
    listed = customer.http.options("/v1/public/requests", headers={"Origin": SHOP})
    other = customer.http.options("/v1/public/requests", headers={"Origin": "https://evil.example"})
    assert (listed.status_code, listed.headers["access-control-allow-headers"]) == (204, "Content-Type")
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "not-json"),
        (b"[]", 400, "not-json"),
        (b"[" * 10_000, 400, "not-json"),
        (b'{"type": "access", "type": "erasure"}', 400, "not-json"),
        (b'{"type": NaN}', 400, "not-json"),
        (b"\xff", 400, "not-json"),
        (b"{}", 422, "invalid-request"),
        (b'{"type": "access", "email": 7, "work": {}, "extra": 1}', 422, "invalid-request"),
        (b'{"a": "' + b"x" * 20_000 + b'"}', 413, "too-large"),
    ],
)
def test_a_body_that_is_no_request_is_a_problem_document(
    customer: Customer, body: bytes, status: int, kind: str
) -> None:
    """A53."""
    headers = {"Origin": SHOP, "Content-Type": "application/json"}
    sent = customer.http.post("/v1/public/requests", content=body, headers=headers)
    assert (sent.status_code, sent.json()["type"]) == (status, f"/problems/{kind}")
    assert sent.headers["content-type"] == "application/problem+json"


def test_a_refused_value_is_not_repeated(customer: Customer) -> None:
    sent = hand_in(customer, solved(customer), email=["mia@example.com"], language="<script>")
    assert sent.status_code == 422
    assert "mia@" not in sent.text
    assert "script" not in sent.text


def test_what_is_no_address_is_a_problem(customer: Customer) -> None:
    sent = hand_in(customer, solved(customer), email="nobody at all")
    assert (sent.status_code, sent.json()["type"]) == (422, "/problems/email-malformed")


def test_a_right_that_is_not_offered_is_a_problem(customer: Customer) -> None:
    assert hand_in(customer, solved(customer), type="appeal").status_code == 422


def test_another_media_type_is_refused(customer: Customer) -> None:
    sent = customer.http.post("/v1/public/requests", data={"type": "access"}, headers={"Origin": SHOP})
    assert sent.status_code == 415


def test_challenges_are_limited_by_network(customer: Customer) -> None:
    answers = [customer.http.get("/v1/public/challenge") for _ in range(61)]
    assert [answer.status_code for answer in answers[:60]] == [200] * 60
    assert answers[60].status_code == 429
    assert json.loads(answers[60].text)["type"] == "/problems/rate-limited"
    assert int(answers[60].headers["retry-after"]) > 0


def test_forwarded_addresses_count_from_trusted_proxies_alone(customer: Customer) -> None:
    for number in range(60):
        headers = {"X-Forwarded-For": f"198.51.{number}.1"}
        assert customer.http.get("/v1/public/challenge", headers=headers).status_code == 200
    assert customer.http.get("/v1/public/challenge", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
