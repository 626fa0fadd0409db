"""Purposes and notices from draft to the page that people read, over HTTP, on both databases."""

import contextlib
import hashlib
import json
import threading
from dataclasses import replace
from html import escape
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.notice import Part
from privacyops.domain.purpose import PurposeVersion
from privacyops.services import drafting, purpose
from privacyops.services.drafting import DraftOvertaken
from tests.house import Walker
from tests.portal_client import Customer, customer
from tests.shop import ShopClient

__all__ = ["customer"]

PARTS = {str(part): f"Words about {part} <b>&</b> more.\n\nÜber {part}." for part in Part}
NOTICE = {"id": "newsletter", "texts": {"en": PARTS, "de-DE": PARTS}, "purposes": ["newsletter"]}
SURVEYS = {
    "key": "surveys",
    "titles": {"en": "Asking what you think", "de": "Fragen, was Sie denken"},
    "channels": ["email"],
    "grounds": {"*": {"basis": "consent", "regime": "opt_in"}},
    "valid_for": "P12M",
    "dpv": "https://w3id.org/dpv#ImproveExistingProductsAndServices",
    "data_categories": ["contact"],
    "recipients": ["survey tool"],
    "retention": "P12M",
}  # fmt: skip
JUDGED = {"judgement": {"material": True, "reason": "a new recipient", "judged_by": "Dora Example"}}


@pytest.fixture
def shop(walker: Walker) -> ShopClient:
    purpose.install_shipped(walker.context)
    return ShopClient(
        walker.context, Scope.CATALOGUE_MANAGE, Scope.CONSENT_CHECK, Scope.CONSENT_WRITE, Scope.CONSENT_READ
    )


def published(shop: ShopClient, kind: str, body: dict[str, Any], judged: dict[str, Any] | None = None) -> Any:
    assert shop.post(f"/v1/{kind}", body).status_code == 201
    key = body.get("key") or body["id"]
    return shop.post(f"/v1/{kind}/{key}:publish", judged or {})


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# --- purposes ---------------------------------------------------------------------------------------------------


def test_a_draft_changes_nothing_and_its_publication_does(shop: ShopClient) -> None:
    assert shop.post("/v1/purposes", SURVEYS).json()["version"] == 1
    asked = {"identifier": {"type": "email", "value": "kim@example.com"}, "purpose": "surveys", "channel": "email"}
    assert problem(shop.post("/v1/check", asked)) == (404, "unknown-purpose")
    assert [one["body"]["key"] for one in shop.get("/v1/purposes").json()["drafts"]] == ["surveys"]
    assert shop.post("/v1/purposes/surveys:publish", {}).json() == {"key": "surveys", "version": 1}
    assert shop.post("/v1/check", asked).json()["reason"] == "NO_CONSENT"
    assert shop.get("/v1/purposes").json()["drafts"] == []


def test_a_later_version_needs_a_persons_judgement_with_its_reason(shop: ShopClient) -> None:
    published(shop, "purposes", SURVEYS)
    assert problem(published(shop, "purposes", SURVEYS)) == (422, "materiality-not-judged")
    for empty in ({"reason": "     "}, {"judged_by": " "}):
        judgement = {"judgement": JUDGED["judgement"] | empty}
        assert shop.post("/v1/purposes/surveys:publish", judgement).status_code == 422
    assert shop.post("/v1/purposes/surveys:publish", JUDGED).json()["version"] == 2
    newest, first = shop.get("/v1/purposes/surveys").json()
    assert (newest["material"], newest["material_reason"], newest["judged_by"]) == (
        True, "a new recipient", "Dora Example",
    )  # fmt: skip
    assert (first["version"], first["judged_by"]) == (1, "")


def test_a_material_version_outdates_older_grants_by_the_purposes_own_policy(shop: ShopClient) -> None:
    published(shop, "purposes", SURVEYS)
    published(shop, "purposes", SURVEYS | {"key": "panel", "on_notice_outdated": "allow"})
    who = {"identifiers": [{"type": "email", "value": "kim@example.com"}]}
    choices = [{"purpose": key, "channel": "email", "choice": "grant"} for key in ("surveys", "panel")]
    assert shop.post("/v1/consents", {"subject": who, "method": "form", "choices": choices}).status_code == 201

    def reason(key: str) -> str:
        asked = {"identifier": who["identifiers"][0], "purpose": key, "channel": "email"}
        answer = shop.post("/v1/check", asked).json()
        return f"{answer['decision']} {answer['reason']}"

    immaterial = {"judgement": JUDGED["judgement"] | {"material": False, "reason": "a typing error"}}
    published(shop, "purposes", SURVEYS, immaterial)
    assert reason("surveys") == "allow GRANTED"
    published(shop, "purposes", SURVEYS, JUDGED)
    published(shop, "purposes", SURVEYS | {"key": "panel", "on_notice_outdated": "allow"}, JUDGED)
    assert reason("surveys") == "deny NOTICE_OUTDATED"
    assert reason("panel").startswith("allow")


def test_a_purpose_that_breaks_a_rule_is_refused_by_name(shop: ShopClient) -> None:
    wrong = SURVEYS | {"grounds": {"*": {"basis": "consent", "regime": "none"}}}
    assert problem(shop.post("/v1/purposes", wrong)) == (422, "purpose-malformed")
    assert problem(shop.post("/v1/purposes", SURVEYS | {"surprise": 1})) == (422, "invalid-request")
    assert problem(shop.post("/v1/purposes", SURVEYS | {"valid_for": "soon"})) == (422, "purpose-malformed")


def test_a_purpose_with_health_data_is_not_even_drafted_on_plain_consent(shop: ShopClient) -> None:
    health = SURVEYS | {"key": "allergies", "flags": ["special_category"]}
    refused = shop.post("/v1/purposes", health)
    assert problem(refused) == (422, "purpose-malformed")
    assert "explicit_consent" in refused.json()["detail"]
    grounds = {"*": {"basis": "explicit_consent", "regime": "opt_in"}}
    assert published(shop, "purposes", health | {"grounds": grounds}).status_code == 200


@pytest.mark.parametrize(
    ("method", "status"), [("banner", 422), ("checkout_checkbox", 422), ("api", 422), ("form", 201)]
)
def test_a_yes_to_health_data_needs_a_statement_of_its_own(shop: ShopClient, method: str, status: int) -> None:
    grounds = {"*": {"basis": "explicit_consent", "regime": "opt_in"}}
    published(shop, "purposes", SURVEYS | {"key": "allergies", "flags": ["special_category"], "grounds": grounds})
    kim = {"type": "email", "value": "kim@example.com"}
    yes = {"purpose": "allergies", "channel": "email", "choice": "grant"}
    body = {"subject": {"identifiers": [kim]}, "method": method, "choices": [yes]}
    answer = shop.post("/v1/consents", body)
    assert answer.status_code == status
    checked = shop.post("/v1/check", {"identifier": kim, "purpose": "allergies", "channel": "email"}).json()
    assert checked["decision"] == ("allow" if status == 201 else "deny")
    if status == 422:
        assert problem(answer) == (422, "explicit-method-needed")
        refusal = body | {"choices": [yes | {"choice": "refuse"}]}
        assert shop.post("/v1/consents", refusal).status_code == 201


def test_a_second_click_on_publish_publishes_once(shop: ShopClient) -> None:
    shop.post("/v1/purposes", SURVEYS)
    answers = [shop.post("/v1/purposes/surveys:publish", {}, key="once").json() for _ in range(2)]
    assert answers == [{"key": "surveys", "version": 1}] * 2
    assert problem(shop.post("/v1/purposes/surveys:publish", {})) == (404, "draft-unknown")


def test_a_key_that_may_only_check_sees_and_changes_nothing(walker: Walker, shop: ShopClient) -> None:
    other = ShopClient(walker.context, Scope.CONSENT_CHECK)
    assert problem(other.get("/v1/purposes")) == (403, "forbidden")
    assert problem(other.post("/v1/purposes", SURVEYS)) == (403, "forbidden")
    reader = ShopClient(walker.context, Scope.CONSENT_READ)
    assert reader.get("/v1/purposes").status_code == 200
    assert problem(reader.post("/v1/notices", NOTICE)) == (403, "forbidden")


# --- notices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", list(Part))
def test_a_notice_that_lacks_a_part_in_one_locale_is_not_published(shop: ShopClient, part: Part) -> None:
    """Case 75."""
    broken = NOTICE | {"texts": {"en": PARTS, "de-DE": PARTS | {str(part): "  "}}}
    drafted = shop.post("/v1/notices", broken).json()
    assert [finding["code"] for finding in drafted["findings"]] == ["part-empty"]
    answer = shop.post("/v1/notices/newsletter:publish", {})
    assert problem(answer) == (422, "notice-lint-failed")
    assert answer.json()["findings"] == drafted["findings"]
    assert f" {part}" in answer.json()["findings"][0]["place"]
    assert shop.get("/v1/notices").json()["items"] == []


def test_a_notice_that_lacks_a_language_of_the_shop_is_not_published(shop: ShopClient) -> None:
    """Case 75."""
    shop.post("/v1/notices", NOTICE | {"texts": {"en": PARTS}})
    assert shop.post("/v1/notices/newsletter:lint", {}).json() == [{"code": "locale-missing", "place": "de"}]
    assert problem(shop.post("/v1/notices/newsletter:publish", {})) == (422, "notice-lint-failed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purposes": ["absent"]}, "purpose-unpublished"),
        ({"purposes": ["newsletter", "strictly_necessary"], "bundles": [["newsletter", "strictly_necessary"]]},
         "optional-bundled-with-necessary"),
        ({"preselected": ["newsletter"]}, "preselected-under-opt-in"),
    ],
)  # fmt: skip
def test_what_a_notice_may_not_do_keeps_it_unpublished(shop: ShopClient, change: dict[str, Any], code: str) -> None:
    shop.post("/v1/notices", NOTICE | change)
    answer = shop.post("/v1/notices/newsletter:publish", {})
    assert {finding["code"] for finding in answer.json()["findings"]} == {code}


def test_the_hash_of_a_notice_is_that_of_the_text_that_is_served(shop: ShopClient, customer: Customer) -> None:
    """Case 75."""
    assert published(shop, "notices", NOTICE).json() == {"key": "newsletter", "version": 1}
    told = shop.get("/v1/notices/newsletter/1").json()
    assert [text["locale"] for text in told["texts"]] == ["de-DE", "en"]
    for text in told["texts"]:
        path = "/notices/" + text["url"].split("/notices/")[1]
        served = customer.http.get(path, headers={"Accept": "application/json"})
        assert hashlib.sha256(served.content).hexdigest() == text["sha256"]
        assert json.loads(served.content)["parts"] == PARTS
        assert "immutable" in served.headers["Cache-Control"]
        page = customer.http.get(path, headers={"Accept": "text/html"})
        assert text["sha256"] in page.text
        assert all(escape(line) in page.text for words in PARTS.values() for line in words.split("\n\n"))
        assert "<b>&</b>" not in page.text


def test_a_choice_can_name_the_published_text_and_no_other(shop: ShopClient) -> None:
    published(shop, "notices", NOTICE)
    text = shop.get("/v1/notices/newsletter/1").json()["texts"][1]
    shown = {"id": "newsletter", "version": 1, "locale": "en", "sha256": text["sha256"]}
    grant = {
        "subject": {"identifiers": [{"type": "email", "value": "kim@example.com"}]}, "method": "form",
        "choices": [{"purpose": "newsletter", "channel": "email", "choice": "grant"}],
    }  # fmt: skip
    assert shop.post("/v1/consents", grant | {"notice": shown}).status_code == 201
    forged = grant | {"notice": shown | {"sha256": "0" * 64}}
    assert problem(shop.post("/v1/consents", forged)) == (422, "notice-mismatch")


def test_every_version_stays_readable_and_points_to_the_newest(shop: ShopClient, customer: Customer) -> None:
    published(shop, "notices", NOTICE)
    changed = NOTICE | {"texts": {"en": PARTS | {"use": "Something else."}, "de-DE": PARTS}}
    assert published(shop, "notices", changed, JUDGED).json()["version"] == 2
    first, second = (customer.http.get(f"/notices/newsletter/{version}/en").text for version in (1, 2))
    assert "Words about use" in first
    assert "/notices/newsletter/2/en" in first
    assert "Something else." in second
    assert "A newer version of this text exists" not in second


@pytest.mark.parametrize("path", ["/notices/newsletter/2/en", "/notices/newsletter/1/fr", "/notices/x/1/en"])
def test_a_text_that_was_never_published_is_not_found(shop: ShopClient, customer: Customer, path: str) -> None:
    published(shop, "notices", NOTICE)
    assert customer.http.get(path).status_code == 404


def test_the_page_keeps_the_languages_of_page_and_text_apart(shop: ShopClient, walker: Walker) -> None:
    published(shop, "notices", NOTICE)
    page = Customer(walker, language="de").http.get("/notices/newsletter/1/en").text
    assert '<html lang="de"' in page
    assert '<div class="stack" lang="en">' in page
    assert "Wer wir sind" in page


def test_a_draft_without_a_name_that_fits_is_refused(shop: ShopClient) -> None:
    assert problem(shop.post("/v1/notices", NOTICE | {"id": "News Letter"})) == (422, "invalid-request")
    assert problem(shop.post("/v1/notices", NOTICE | {"texts": {"english": PARTS}})) == (422, "invalid-request")


def test_languages_of_the_shop_decide_what_is_missing(walker: Walker) -> None:
    purpose.install_shipped(walker.context)
    french = replace(walker.context, controller=replace(walker.context.controller, languages=("en", "fr")))
    shop = ShopClient(french, Scope.CATALOGUE_MANAGE)
    assert {"code": "locale-missing", "place": "fr"} in shop.post("/v1/notices", NOTICE).json()["findings"]


def test_of_two_who_begin_a_draft_at_once_one_is_told_and_neither_is_lost(walker: Walker, shop: ShopClient) -> None:
    ctx, at_once, told = walker.as_staff("Dora", Role.DPO), threading.Barrier(2, timeout=10), list[str]()

    def begin(recipient: str) -> None:
        def change(newest: PurposeVersion | None) -> dict[str, Any]:
            if newest is not None:
                raise DraftOvertaken
            with contextlib.suppress(threading.BrokenBarrierError):
                at_once.wait(1)  # on SQLite the second one is let in after the first, and finds its draft
            return SURVEYS | {"recipients": [recipient]}

        try:
            drafting.redraft_purpose(ctx, "surveys", change)
            told.append(recipient)
        except DraftOvertaken:
            told.append("overtaken")

    both = [threading.Thread(target=begin, args=(name,)) for name in ("one", "other")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    (draft,) = drafting.purpose_drafts(ctx)
    assert sorted(told) == sorted([draft.body["recipients"][0], "overtaken"])
    after = drafting.redraft_purpose(ctx, "surveys", lambda newest: newest.to_json() if newest else {})
    assert after.recipients == tuple(draft.body["recipients"])
