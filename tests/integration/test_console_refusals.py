"""What the console refuses, and how: forms of strangers, foreign ids, wrong roles, bugs; and whom it never shows."""

import re
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from privacyops.console.app import POLICY
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.webhook.subscriber import Scheme
from privacyops.services import apikey, ledger
from privacyops.services.dsar import intake, opening
from privacyops.services.webhook import subscribing
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker

NAMES = ("Chiara", "Rossi", "c.rossi", "example.it", "Anna", "Kowalska")


@pytest.fixture
def office(walker: Walker, tmp_path: Path) -> Office:
    """A console with two requests of people who have names."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE)")
    walker.connect("shop", path)
    for name, email in (("Chiara Rossi", "c.rossi@example.it"), ("Anna Kowalska", "anna@example.com")):
        intake.submit(
            walker.as_staff("Ada", Role.ANALYST),
            intake.Submission(
                type=RequestType.ACCESS, channel=Channel.PHONE, requester=Requester(email=email, name=name)
            ),
        )
    return Office.open(walker)


def _number(browser: Browser) -> str:
    found = re.search(r"/console/requests/(PR-[0-9A-Z]{6})\"", browser.read("/console/requests"))
    assert found is not None
    return found[1]


def _assign(browser: Browser) -> tuple[str, dict[str, str]]:
    number = _number(browser)
    return f"/console/requests/{number}/assign", {"csrf": browser.token}


# --- forms must be ours ------------------------------------------------------------------------------------------


def test_a_form_of_ours_is_taken(office: Office) -> None:
    path, fields = _assign(office.at_desk("Ada", Role.ANALYST))
    assert office.at_desk("Ada").post(path, fields, Origin=ORIGIN).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(office: Office, headers: dict[str, str]) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, fields = _assign(ada)
    assert ada.post(path, fields, **headers).status_code == 403


def test_a_browser_that_hides_its_origin_is_believed_where_it_names_the_site(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, fields = _assign(ada)
    assert ada.post(path, fields, **{"Sec-Fetch-Site": "same-origin", "Origin": "null"}).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_a_form_without_its_token_is_refused(office: Office, token: str) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, _ = _assign(ada)
    assert ada.post(path, {"csrf": token}, Origin=ORIGIN).status_code == 403


def test_the_token_travels_in_a_header_too(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, fields = _assign(ada)
    assert ada.post(path, {}, Origin=ORIGIN, **{"X-CSRF-Token": fields["csrf"]}).status_code == 303


def test_the_token_of_a_colleague_fits_no_other_account(office: Office) -> None:
    ada, dora = office.at_desk("Ada", Role.ANALYST), office.at_desk("Dora", Role.DPO)
    path, _ = _assign(ada)
    assert ada.post(path, {"csrf": dora.token}, Origin=ORIGIN).status_code == 403


def test_a_planted_form_cookie_does_not_make_a_stolen_token_fit(office: Office) -> None:
    ada, evil = office.at_desk("Ada", Role.ANALYST), office.stranger()
    evil.read("/console/sign-in")
    path, _ = _assign(ada)
    ada.client.cookies.set("po_form", evil.client.cookies["po_form"])
    assert ada.post(path, {"csrf": evil.token}, Origin=ORIGIN).status_code == 403


def test_every_route_that_changes_something_refuses_a_form_of_strangers(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO, Role.ADMIN, Role.ANALYST, Role.APPROVER)
    number, known = _number(dora), str(uuid4())
    tried = 0
    for route in _routes(office):
        if "POST" in route.methods:
            path = re.sub(r"\{[a-z_]*(id|run)\}", known, route.path).replace("{reference}", number)
            path = path.replace("{name}", "shop")
            answer = dora.post(path, {"csrf": dora.token}, Origin="https://evil.example")
            assert answer.status_code == 403, path
            tried += 1
    assert tried > 30


def _routes(office: Office) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in office.app.routes:
        inner = getattr(getattr(route, "original_router", None), "routes", [route])
        found += [one for one in inner if isinstance(one, APIRoute)]
    return found


@pytest.mark.parametrize("media", ["application/json", "text/plain", ""])
def test_only_forms_are_forms(office: Office, media: str) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, _ = _assign(ada)
    headers = {"Origin": ORIGIN, "Content-Type": media}
    answer = ada.client.post(path, content=b'{"csrf": "x"}', headers=headers, follow_redirects=False)
    assert answer.status_code == 400


def test_a_form_of_a_megabyte_is_refused(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, fields = _assign(ada)
    assert ada.post(path, {**fields, "x": "y" * 1_000_000}, Origin=ORIGIN).status_code == 413


def test_a_form_of_a_thousand_fields_is_refused(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    path, fields = _assign(ada)
    many: dict[str, Any] = {**fields, "chosen": [str(at) for at in range(1000)]}
    assert ada.post(path, many, Origin=ORIGIN).status_code == 413


# --- every answer carries the policy -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/console", "/console/sign-in", "/console/nothing", "/setup", "/static/none.css"])
def test_every_answer_has_the_policy_and_is_not_stored(office: Office, path: str) -> None:
    answer = office.stranger().client.get(path, follow_redirects=False)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


def test_static_files_are_kept_for_ever(office: Office) -> None:
    browser = office.stranger()
    found = re.search(r'href="(/static/[^"]+\.css)"', browser.read("/console/sign-in"))
    assert found is not None
    answer = browser.client.get(found[1])
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


# --- errors are pages, or fragments ------------------------------------------------------------------------------


def test_an_unknown_address_is_a_page_with_an_id(office: Office) -> None:
    page = office.at_desk("Ada", Role.ANALYST).read("/console/nothing", 404)
    assert "<h1>Nothing is known under this address</h1>" in page
    assert re.search(r"Page id <code>[0-9a-f]{16}</code>", page)


def test_an_error_for_htmx_is_a_fragment_and_never_a_page(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    part = ada.read("/console/requests/PR-NOSUCH", 404, **{"HX-Request": "true"})
    assert "<html" not in part
    assert "Nothing is known" not in part or "notice" in part
    assert 'class="notice' in part


def test_a_session_that_ended_sends_htmx_to_sign_in(office: Office) -> None:
    answer = office.stranger().client.get("/console/requests", headers={"HX-Request": "true"})
    assert answer.headers["hx-redirect"].startswith("/console/sign-in")


def test_a_bug_is_a_page_with_an_id_the_policy_and_no_trace(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("c.rossi@example.it")

    ada = office.at_desk("Ada", Role.ANALYST)
    number = _number(ada)
    monkeypatch.setattr(opening, "open_request", broken)
    answer = ada.client.get(f"/console/requests/{number}")
    assert answer.status_code == 500
    assert "The fault is ours" in answer.text
    assert "rossi" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-request-id"] in answer.text


def test_malformed_numbers_and_cursors_are_no_bugs(office: Office) -> None:
    ada, dora = office.at_desk("Ada", Role.ANALYST), office.at_desk("Dora", Role.DPO)
    ada.read("/console/requests?after=nonsense", 400)
    ada.read("/console/requests?view=nonsense", 400)
    ada.read("/console/tasks/nonsense", 404)
    dora.read("/console/audit?before=nonsense", 400)
    dora.read("/console/audit?since=nonsense&actor=nonsense&action=%25")
    ada.read(f"/console/requests/{_number(ada)}?open=nonsense&after=nonsense")
    ada.read("/console/requests/%00", 404)


# --- who may what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.ADMIN, "/console/requests", 200), (Role.ADMIN, "/console/requests/new", 403),
        (Role.ANALYST, "/console/audit", 403), (Role.ANALYST, "/console/stores", 403),
        (Role.ANALYST, "/console/settings/accounts", 403), (Role.ANALYST, "/console/settings/keys", 403),
        (Role.APPROVER, "/console/tasks", 403), (Role.AUDITOR, "/console/audit", 200),
        (Role.AUDITOR, "/console/settings/keys", 200), (Role.STORE_OWNER, "/console/requests", 403),
        (Role.STORE_OWNER, "/console/tasks", 200), (Role.STORE_OWNER, "/console", 200),
    ],
)  # fmt: skip
def test_pages_open_for_those_roles_that_the_table_lists(office: Office, role: Role, path: str, status: int) -> None:
    office.at_desk("Rita", role).read(path, status)


def test_an_administrator_opens_no_request(office: Office) -> None:
    number = _number(office.at_desk("Ada", Role.ANALYST))
    office.at_desk("Olga", Role.ADMIN).read(f"/console/requests/{number}", 403)


def test_an_approver_sees_the_summary_and_no_records_or_messages(office: Office) -> None:
    number = _number(office.at_desk("Ada", Role.ANALYST))
    page = office.at_desk("Marta", Role.APPROVER).read(f"/console/requests/{number}")
    assert "Your role sees a summary" in page
    assert 'name="message"' not in page


def test_a_request_of_another_controller_does_not_exist(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    number = _number(ada)
    with office.walker.context.database.transaction("shop", office.walker.clock.now()) as tx:
        tx.connection.exec_driver_sql("UPDATE dsar SET controller = 'other'")
    ada.read(f"/console/requests/{number}", 404)
    ada.send(f"/console/requests/{number}/assign", 404)
    assert number not in ada.read("/console/requests")


def test_a_task_that_is_not_the_owners_does_not_exist_for_them(office: Office) -> None:
    office.at_desk("Sven", Role.STORE_OWNER).read(f"/console/tasks/{uuid4()}", 404)


# --- people are masked -------------------------------------------------------------------------------------------


def test_lists_and_titles_show_no_name_while_masking_is_on(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    number = _number(ada)
    for path in ("/console", "/console/requests", f"/console/requests/{number}", "/console/tasks?view=all"):
        page = ada.read(path)
        assert not [name for name in NAMES if name in page], path


def test_a_role_that_sees_lists_masked_cannot_switch_it_off(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read("/console/requests")
    olga.send("/console/masking", masked="no", back="/console/requests")
    assert not [name for name in NAMES if name in olga.read("/console/requests")]


def test_the_switch_shows_names_and_hides_them_again(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests")
    assert "Chiara Rossi" in ada.send("/console/masking", masked="no", back="/console/requests")
    assert "Chiara" not in ada.send("/console/masking", masked="yes", back="/console/requests")


def test_one_person_is_shown_once_by_a_click_that_is_recorded(office: Office) -> None:
    ada, dora = office.at_desk("Ada", Role.ANALYST), office.at_desk("Dora", Role.DPO)
    number = _number(ada)
    ada.read(f"/console/requests/{number}")
    page = ada.send(f"/console/requests/{number}/show-person")
    assert [name for name in ("Chiara Rossi", "Anna Kowalska") if name in page]
    assert not [name for name in NAMES if name in ada.read(f"/console/requests/{number}")]
    assert "person clear" in dora.read("/console/audit")


def test_a_search_for_a_person_leaves_no_trace_in_an_address(office: Office) -> None:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests")
    ada.send("/console/requests/search", q="C.Rossi@Example.it")
    assert re.fullmatch(r"/console/requests/PR-[0-9A-Z]{6}", ada.path)
    ada.read("/console/requests")
    assert "Nothing found" in ada.send("/console/requests/search", q="nobody@example.net")


def test_hostile_text_of_a_customer_is_text(office: Office) -> None:
    intake.submit(
        office.walker.as_staff("Ada", Role.ANALYST),
        intake.Submission(
            type=RequestType.ACCESS, channel=Channel.PHONE,
            requester=Requester(email="x@example.org", name="<script>alert(1)</script>\u202e", message="{{ 7*7 }}"),
        ),
    )  # fmt: skip
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests")
    page = ada.send("/console/masking", masked="no", back="/console/requests")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "U+202E" in page


# --- settings ----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_opens_what_it_says(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read("/console/settings/keys")
    given = {"csrf": olga.token, "once": olga.hidden("once"), "name": "shop", "scopes": ["dsar:create"]}
    page = olga.post("/console/settings/keys", given, Origin=ORIGIN).text
    text = re.search(r"po_live_\w{8}_\w{49}", page)
    assert text is not None
    assert apikey.acting(office.walker.context, text[0]).actor.scopes == {"dsar:create"}
    assert olga.post("/console/settings/keys", given, Origin=ORIGIN).status_code == 303
    page = olga.read("/console/settings/keys")
    assert text[0] not in page
    assert page.count("po_live_") == 1


def test_a_key_confirms_for_the_systems_that_were_ticked(office: Office) -> None:
    ctx, olga = office.walker.context, office.at_desk("Olga", Role.ADMIN)
    assert "Confirms for" not in olga.read("/console/settings/keys")
    subscribing.subscribe(ctx, "call-centre", None, [], Scheme.V1)
    subscribing.subscribe(ctx, "mail-tool", None, [], Scheme.V1)
    assert "Confirms for" in olga.read("/console/settings/keys")
    given = {"name": "feed", "scopes": ["feed:read"], "systems": ["call-centre"], "once": olga.hidden("once")}
    text = re.search(r"po_live_\w{8}_\w{49}", olga.send("/console/settings/keys", **given))
    assert text is not None
    assert apikey.acting(ctx, text[0]).actor.systems == {"call-centre"}
    given |= {"scopes": ["dsar:create"], "once": "another"}
    assert "feed:read" in words_of(olga.send("/console/settings/keys", 422, **given))


def test_a_revoked_key_stays_revoked_at_the_second_click(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read("/console/settings/keys")
    page = olga.send("/console/settings/keys", name="shop", scopes=["dsar:create"], once=olga.hidden("once"))
    revoke = re.search(r'action="(/console/settings/keys/[^"]+/revoke)"', page)
    assert revoke is not None
    olga.send(revoke[1])
    assert "opens nothing" in words_of(olga.send(revoke[1]))
    olga.send(f"/console/settings/keys/{uuid4()}/revoke", 404)


def test_nobody_changes_their_own_roles(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read("/console/settings/accounts")
    own = office.walker.staff_accounts["Olga"].id
    olga.send(f"/console/settings/accounts/{own}", 403, roles=["dpo"])
    olga.send(f"/console/settings/accounts/{own}/block", 403)


def test_a_blocked_account_is_out_at_once(office: Office) -> None:
    ada, olga = office.at_desk("Ada", Role.ANALYST), office.at_desk("Olga", Role.ADMIN)
    key = office.walker.staff_accounts["Ada"].id
    olga.read("/console/settings/accounts")
    olga.send(f"/console/settings/accounts/{key}/block")
    ada.read("/console")
    assert ada.path == "/console/sign-in"


def test_the_audit_log_verifies_and_names_a_row_that_was_changed(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    ledger.drain(office.walker.context, "test")
    dora.read("/console/audit")
    assert "The chain is whole" in dora.send("/console/audit/verify")


def test_a_store_is_looked_at_again(office: Office, tmp_path: Path) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    assert "never tried" in olga.read("/console/stores")
    assert "answered" in words_of(olga.send("/console/stores/shop/look"))
    office.walker.connect("gone", tmp_path / "missing" / "gone.db")
    assert "did not answer" in words_of(olga.send("/console/stores/gone/look"))
    olga.send("/console/stores/unknown/look", 404)
