"""A purpose is given up: no check allows it, nobody is asked, what people said stays, and it can come back."""

import io
import re
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.decision import Reason
from privacyops.domain.draft import MaterialityNotJudged
from privacyops.domain.notice import LintFinding, NoticeVersion, Part, lint
from privacyops.domain.purpose import LegalBasis, PurposeVersion, Regime
from privacyops.kernel.clock import ManualClock
from privacyops.services import purpose, retiring
from privacyops.services.consent import confirming, importing, mode, sweeping
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.consent.terms import PurposeRetired
from privacyops.services.consent.terms import Scope as Reach
from privacyops.store.uow import Database
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.ledger_shop import ASK, DAY, DEFER, GRANT, REFUSE, LedgerShop
from tests.shop import ShopClient

WHY = {"reason": "the newsletter ends", "by": "Dora Example"}


@pytest.fixture
def shop(database: Database, clock: ManualClock) -> LedgerShop:
    return LedgerShop.open(database, clock)


def retire(shop: LedgerShop, key: str = "newsletter") -> int:
    return retiring.retire(shop.as_staff(Role.DPO), key, WHY["reason"], WHY["by"])


def test_a_grant_that_stands_allows_nothing_until_the_purpose_comes_back(shop: LedgerShop) -> None:
    shop.choose()
    assert shop.reason() is Reason.GRANTED
    assert (retire(shop), retire(shop)) == (2, 2)
    decision = shop.check()
    assert (decision.reason, decision.is_allowed) == (Reason.RETIRED, False)
    shop.change_purpose(is_retired=False)
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_nothing_is_asked_and_a_no_is_taken(shop: LedgerShop) -> None:
    retire(shop)
    for answer in (GRANT, ASK):
        with pytest.raises(PurposeRetired) as refused:
            shop.choose(answer)
        assert refused.value.members == {"purposes": ["newsletter"]}
    shop.choose(DEFER)
    shop.choose(REFUSE)
    shop.stop(Reach("newsletter", "email"))
    shop.stop()
    shop.change_purpose(is_retired=False)
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_no_basis_outlives_it(shop: LedgerShop) -> None:
    shop.add_purpose("orders", LegalBasis.CONTRACT, Regime.NONE)
    assert shop.reason("orders") is Reason.BASIS_CONTRACT
    retire(shop, "orders")
    assert shop.reason("orders") is Reason.RETIRED


def test_a_link_that_was_mailed_before_confirms_nothing_and_does_after_it_came_back(shop: LedgerShop) -> None:
    shop.with_double_opt_in()
    shop.choose()
    link = re.search(r"/c/(\S+)", shop.mails()[-1][1])
    assert link is not None
    retire(shop)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.ctx, link[1])
    with pytest.raises(PurposeRetired):
        confirming.resend(shop.ctx, shop.whom(), "newsletter", "email")
    shop.change_purpose(is_retired=False)
    assert confirming.confirm(shop.ctx, link[1]).state == "ConsentGiven"


def test_nobody_is_asked_to_renew_it(shop: LedgerShop) -> None:
    shop.change_purpose(valid_for="P2M")
    shop.choose()
    shop.clock.advance(40 * DAY)
    retire(shop)
    assert sweeping.offer_renewals(shop.machine) == 0
    shop.change_purpose(is_retired=False)
    assert sweeping.offer_renewals(shop.machine) == 1


def test_an_older_list_brings_its_stops_and_no_grants(shop: LedgerShop) -> None:
    retire(shop)
    head = "email,choice,purpose,channel,occurred_at,source,wording,method\n"
    rest = "newsletter,email,2025-01-01T00:00:00Z,shop,n7,form\n"
    text = head + f"a@example.com,granted,{rest}b@example.com,withdrawn,{rest}c@example.com,unknown,{rest}"
    tally = importing.dry_run(shop.machine, io.BytesIO(text.encode()), Defaults("newsletter", "email")).tally
    assert (tally["stored"], tally["stops"], tally["refused"]) == (1, 1, {"purpose-retired": 2})


def test_consent_mode_says_denied(shop: LedgerShop) -> None:
    shop.choose(about="advertising", channel="web")
    before = mode.consent_mode(shop.ctx, shop.choose(about="analytics", channel="web").subject_id).update
    assert before is not None
    assert before["ad_storage"] == "granted"
    retire(shop, "advertising")
    after = mode.consent_mode(shop.ctx, shop.choose(about="analytics", channel="web").subject_id).update
    assert after is not None
    assert (after["ad_storage"], after["analytics_storage"]) == ("denied", "granted")


def test_a_notice_that_names_it_is_not_published() -> None:
    notice = NoticeVersion.of_json(
        {"id": "n", "version": 1, "texts": {"en": {str(part): "x" for part in Part}}, "purposes": ["surveys"]}
    )
    body: dict[str, Any] = {
        "key": "surveys", "version": 2, "titles": {"en": "S"}, "channels": ["email"], "retired": "yes",
        "grounds": {"*": {"basis": "consent", "regime": "opt_in"}},
    }  # fmt: skip
    one = PurposeVersion.of_json(body)
    assert lint(notice, [one]) == [LintFinding("purpose-retired", "surveys")]
    assert PurposeVersion.of_json(one.to_json()) == one


def test_it_takes_a_reason_and_a_name(shop: LedgerShop) -> None:
    with pytest.raises(MaterialityNotJudged):
        retiring.retire(shop.as_staff(Role.DPO), "newsletter", " ", "Dora Example")
    assert shop.choose().events


# --- the doors --------------------------------------------------------------------------------------------------


def test_over_the_api(walker: Walker) -> None:
    purpose.install_shipped(walker.context)
    shop = ShopClient(walker.context, Scope.CATALOGUE_MANAGE, Scope.CONSENT_CHECK, Scope.CONSENT_WRITE)
    url, body = "/v1/purposes/newsletter:retire", {"reason": "the newsletter ends", "judged_by": "Dora Example"}
    assert shop.post("/v1/purposes/nothing:retire", body).status_code == 404
    assert shop.post(url, body | {"reason": " "}).status_code == 422
    assert [shop.post(url, body).json() for _ in range(2)] == [{"key": "newsletter", "version": 2}] * 2
    kim = {"type": "email", "value": "kim@example.com"}
    asked = {"identifier": kim, "purpose": "newsletter", "channel": "email"}
    answer = shop.post("/v1/check", asked).json()
    assert (answer["decision"], answer["reason"], answer["purpose_version"]) == ("deny", "RETIRED", 2)
    choice = {"purpose": "newsletter", "channel": "email", "choice": "grant"}
    refused = shop.post("/v1/consents", {"subject": {"identifiers": [kim]}, "method": "form", "choices": [choice]})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/purpose-retired")
    draft = {"key": "newsletter", "titles": {"en": "News"}, "channels": ["email"],
             "grounds": {"*": {"basis": "consent", "regime": "opt_in"}}}  # fmt: skip
    assert shop.post("/v1/purposes", draft).json()["version"] == 3
    judged = {"material": False, "reason": "it is sent again", "judged_by": "Dora Example"}
    assert shop.post("/v1/purposes/newsletter:publish", {"judgement": judged}).json()["version"] == 3
    assert shop.post("/v1/check", asked).json()["reason"] == "NO_CONSENT"


def test_in_the_console_with_its_effects_told_before(walker: Walker) -> None:
    purpose.install_shipped(walker.context)
    office, url = Office.open(walker), "/console/consent/purposes/newsletter"
    dora = office.at_desk("Dora", Role.DPO)
    assert "Retire…" in dora.read(url)
    page = words_of(dora.read(f"{url}/retire"))
    assert "People who said yes, and whose yes is valid now 0" in page
    assert "Every check answers no at once" in page
    assert "Say in a few words why" in words_of(dora.send(f"{url}/retire", 422, why=" ", judged_by="Dora"))
    for _ in range(2):
        said = words_of(dora.send(f"{url}/retire", why="the newsletter ends", judged_by="Dora"))
        assert "This purpose is retired" in said
    assert "Retire…" not in dora.page
    assert "retired" in words_of(dora.read("/console/consent/purposes"))
    office.at_desk("Ada", Role.ANALYST).read(f"{url}/retire", 403)
    dora.read(f"{url}/draft")
