"""The console's pages about consent, on both engines: objections, suppressions, people, systems."""

import re
from datetime import timedelta
from typing import Any

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.decision import Reason
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.purpose import Ground, LegalBasis, PurposeVersion, Regime
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.domain.task import Task, TaskKind
from privacyops.services import ledger, objection, purpose, task
from privacyops.services.consent import answering, erasing, suppressing, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.store.task import add_task
from tests.consoles import ORIGIN, Browser, Office, words_of
from tests.house import Walker

KIM = "kim@example.com"


@pytest.fixture
def office(walker: Walker) -> Office:
    """A console over a service whose purposes are published."""
    ground = {"*": Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.NONE)}
    told: Any = {"grounds": ground, "channels": frozenset({"email"})}
    purpose.install_shipped(walker.context)
    purpose.publish_purpose(
        walker.context, PurposeVersion(key="fraud", version=1, titles={"en": "Fraud prevention"}, **told)
    )
    return Office.open(walker)


def person(office: Office, email: str = KIM) -> Whom:
    return Whom.of(office.walker.context, None, [(IdentifierType.EMAIL, email)])


def reason(office: Office, about: str = "newsletter", channel: str = "email", email: str = KIM) -> Reason:
    question = Question(person(office, email), about, channel)
    return answering.check(office.walker.context, question).decision.reason


def audit_rows(office: Office, action: str) -> int:
    page = office.at_desk("Dora", Role.DPO).read(f"/console/audit?action={action.partition('.')[0]}")
    return len(re.findall(rf"\b{re.escape(action)}\b", page))


# --- an objection is weighed -------------------------------------------------------------------------------------


def _objected(office: Office, whom: Whom | None = None) -> str:
    objection.object_to(office.walker.context, whom or person(office), "fraud", Circumstances(Method.PHONE))
    return f"/console/tasks/{_task(office).id}"


def _task(office: Office) -> Task:
    dora = office.walker.as_staff("Dora", Role.DPO)
    return next(one for one in task.list_open(dora) if one.kind is TaskKind.WEIGH_OBJECTION)


def test_the_task_leads_the_officer_to_the_page_that_weighs(office: Office) -> None:
    url = _objected(office)
    page = office.at_desk("Dora", Role.DPO).read(url)
    assert f'href="{url}/weigh"' in page
    assert "Mark done" not in page


def test_the_page_says_what_was_objected_to_and_names_nobody(office: Office) -> None:
    page = words_of(office.at_desk("Dora", Role.DPO).read(_objected(office) + "/weigh"))
    assert "Fraud prevention (fraud)" in page
    assert "legitimate interests" in page
    assert KIM not in page


def test_an_objection_that_is_upheld_goes_on_denying(office: Office) -> None:
    url, dora = _objected(office), office.at_desk("Dora", Role.DPO)
    dora.read(url + "/weigh")
    page = dora.send(url + "/weigh", outcome="upheld", why="no ground weighs more")
    assert "Done by Dora." in words_of(page)
    assert reason(office, "fraud") is Reason.OBJECTED


@pytest.mark.parametrize("known_by", [(IdentifierType.EMAIL, KIM), (IdentifierType.CUSTOMER_ID, "4711")])
def test_how_an_objection_was_weighed_is_kept_for_whoever_may_weigh(
    office: Office, known_by: tuple[IdentifierType, str]
) -> None:
    whom = Whom.of(office.walker.context, None, [known_by])
    url, dora = _objected(office, whom), office.at_desk("Dora", Role.DPO)
    dora.read(url + "/weigh")
    assert "no ground weighs more" in words_of(dora.send(url + "/weigh", outcome="upheld", why="no ground weighs more"))
    assert "no ground weighs more" not in words_of(office.at_desk("Ada", Role.ANALYST).read(url))


def test_how_an_objection_was_weighed_is_forgotten_with_its_person(office: Office) -> None:
    whom = Whom.of(office.walker.context, None, [(IdentifierType.CUSTOMER_ID, "4711")])
    url, dora = _objected(office, whom), office.at_desk("Dora", Role.DPO)
    officer = office.walker.as_staff("Dora")
    subject = objection.weighing(officer, _task(office).id).subject_id or ""
    dora.read(url + "/weigh")
    dora.send(url + "/weigh", outcome="upheld", why="three chargebacks in a year")
    erasing.erase(officer, subject)
    page = words_of(dora.read(url))
    assert "Done by Dora." in page
    assert "chargebacks" not in page


def test_a_task_that_is_about_nobody_keeps_what_was_noted(office: Office) -> None:
    ctx = office.walker.context
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        made = add_task(tx, TaskKind.ACK_OVERDUE, ctx.clock.now().date(), owner_role="dpo", code="crm")
    dora = office.at_desk("Dora", Role.DPO)
    dora.read(f"/console/tasks/{made}")
    page = dora.send(f"/console/tasks/{made}/answer", answer="The vendor fixed its queue")
    assert "The vendor fixed its queue" in words_of(page)


def test_an_objection_that_is_rejected_is_lifted(office: Office) -> None:
    url, dora = _objected(office), office.at_desk("Dora", Role.DPO)
    dora.read(url + "/weigh")
    page = dora.send(url + "/weigh", outcome="rejected", why="three chargebacks in a year")
    assert "may be carried out for this person again" in words_of(page)
    assert reason(office, "fraud") is Reason.BASIS_LEGITIMATE_INTERESTS


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"outcome": "upheld", "why": " "}, "Say in a sentence how the interests were weighed"),
        ({"why": "no ground"}, "Choose whether the objection is upheld"),
        ({"outcome": "maybe", "why": "no ground"}, "Choose whether the objection is upheld"),
    ],
)
def test_a_decision_needs_an_outcome_and_a_reason(office: Office, form: dict[str, str], said: str) -> None:
    url, dora = _objected(office), office.at_desk("Dora", Role.DPO)
    dora.read(url + "/weigh")
    assert said in words_of(dora.send(url + "/weigh", 422, **form))
    assert reason(office, "fraud") is Reason.OBJECTED


def test_a_second_click_on_the_decision_changes_nothing(office: Office) -> None:
    url, dora = _objected(office), office.at_desk("Dora", Role.DPO)
    dora.read(url + "/weigh")
    dora.send(url + "/weigh", outcome="upheld", why="no ground weighs more")
    page = dora.send(url + "/weigh", outcome="rejected", why="changed my mind")
    assert "Done by Dora." in words_of(page)
    assert reason(office, "fraud") is Reason.OBJECTED
    assert audit_rows(office, "objection.weighed") == 1


def test_an_objection_whose_person_was_erased_ends_with_a_sentence(office: Office) -> None:
    whom = Whom.of(office.walker.context, None, [(IdentifierType.CUSTOMER_ID, "4711")])
    url, dora = _objected(office, whom), office.at_desk("Dora", Role.DPO)
    officer = office.walker.as_staff("Dora")
    erasing.erase(officer, objection.weighing(officer, _task(office).id).subject_id or "")
    assert "stands no more" in words_of(dora.read(url + "/weigh"))
    assert "Done by Dora." in words_of(dora.send(url + "/weigh", why="erased on request"))


def test_an_analyst_reads_who_weighs_and_cannot_note_it_as_done(office: Office) -> None:
    url, ada = _objected(office), office.at_desk("Ada", Role.ANALYST)
    assert "The data protection officer weighs it." in words_of(ada.read(url))
    ada.send(url + "/answer", 422, answer="looks fine to me")
    assert ada.post(url + "/weigh", {"csrf": ada.token, "outcome": "upheld"}, Origin=ORIGIN).status_code == 403


def test_no_other_task_is_weighed(office: Office) -> None:
    office.at_desk("Dora", Role.DPO).read("/console/tasks/00000000-0000-7000-8000-000000000000/weigh", 404)


# --- suppressions ------------------------------------------------------------------------------------------------

LISTS = "/console/consent/suppressions"


def _suppressed(office: Office, against: SuppressionReason = SuppressionReason.COMPLAINT) -> None:
    contact = SubjectIdentifier.of(IdentifierType.EMAIL, KIM)
    suppressing.suppress(office.walker.context, contact, against)


def _entries(office: Office) -> list[str]:
    dora = office.walker.as_staff("Dora", Role.DPO)
    return [one.reason for one in suppressing.entries(dora, SubjectIdentifier.of(IdentifierType.EMAIL, KIM))]


def _look_up(browser: Browser, status: int = 200, **form: str) -> str:
    browser.read(LISTS)
    return words_of(browser.send(LISTS, status, **{"type": "email", "value": KIM, **form}))


def _lift(browser: Browser, status: int = 200, **form: str) -> str:
    given = {"type": "email", "value": KIM, "against": "complaint", "purpose": "", "brand": "", "why": "she called us"}
    return words_of(browser.send(f"{LISTS}/lift", status, **{**given, **form}))


def test_the_officer_finds_what_stands_against_a_contact(office: Office) -> None:
    _suppressed(office)
    assert "Its owner complained" in _look_up(office.at_desk("Dora", Role.DPO))


def test_a_contact_without_entries_is_said_to_be_on_no_list(office: Office) -> None:
    assert "Nothing stands against this contact" in _look_up(office.at_desk("Dora", Role.DPO))


@pytest.mark.parametrize(("type_", "value"), [("email", "nobody"), ("phone", "12"), ("wish", KIM)])
def test_a_contact_that_is_none_comes_back_with_what_to_enter(office: Office, type_: str, value: str) -> None:
    said = _look_up(office.at_desk("Dora", Role.DPO), 422, type=type_, value=value)
    assert "Enter a" in said or "Choose what you look for" in said


def test_an_analyst_says_why_before_anything_is_shown(office: Office) -> None:
    _suppressed(office)
    ada = office.at_desk("Ada", Role.ANALYST)
    refused = _look_up(ada, 422)
    assert "Say why you look" in refused
    assert "Its owner complained" not in refused
    assert "Its owner complained" in _look_up(ada, reason="a call of today")


def test_looking_a_contact_up_is_recorded_without_the_contact(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    _look_up(dora)
    assert audit_rows(office, "suppression.looked_up") == 1
    assert KIM not in dora.page


def test_a_complaint_is_lifted_with_a_reason(office: Office) -> None:
    _suppressed(office)
    dora = office.at_desk("Dora", Role.DPO)
    _look_up(dora)
    assert "Lifted." in _lift(dora)
    assert _entries(office) == []


def test_nothing_is_lifted_without_a_reason(office: Office) -> None:
    _suppressed(office)
    dora = office.at_desk("Dora", Role.DPO)
    _look_up(dora)
    assert "Say in a sentence why" in _lift(dora, 422, why=" ")
    assert _entries(office) == [SuppressionReason.COMPLAINT]


def test_a_lift_without_a_reason_is_no_way_round_the_reason_for_looking(office: Office) -> None:
    _suppressed(office)
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read(LISTS)
    assert "Its owner complained" not in _lift(ada, 422, why="")


@pytest.mark.parametrize("forged", [{"purpose": "wishes"}, {"brand": "wishes"}, {"against": "wishes"}])
def test_a_forged_reach_lifts_nothing(office: Office, forged: dict[str, str]) -> None:
    _suppressed(office)
    dora = office.at_desk("Dora", Role.DPO)
    _look_up(dora)
    answer = dora.post(f"{LISTS}/lift", {"csrf": dora.token, "type": "email", "value": KIM, "against": "complaint",
                                         "why": "she called", **forged}, Origin=ORIGIN)  # fmt: skip
    assert answer.status_code in {303, 404}
    assert _entries(office) == [SuppressionReason.COMPLAINT]


def test_lifting_twice_is_harmless(office: Office) -> None:
    _suppressed(office)
    dora = office.at_desk("Dora", Role.DPO)
    _look_up(dora)
    _lift(dora)
    assert "decided already" in _lift(dora)


def _proposed(office: Office) -> str:
    _suppressed(office, SuppressionReason.LEGAL)
    ada = office.at_desk("Ada", Role.ANALYST)
    _look_up(ada, reason="the court wrote")
    assert "it waits for the second one" in _lift(ada, against="legal")
    waiting = suppressing.proposals(office.walker.as_staff("Ada", Role.ANALYST))
    return f"{LISTS}/{waiting[0].id}/decide"


def test_an_order_is_lifted_by_a_second_person_with_a_fresh_code(office: Office) -> None:
    url, dora = _proposed(office), office.at_desk("Dora", Role.DPO)
    dora.read(url)
    assert "Lifted." in words_of(dora.send(url, outcome="agree", value=KIM, code=dora.code()))
    assert _entries(office) == []


def test_an_order_is_not_lifted_by_whoever_proposed_it(office: Office) -> None:
    url, ada = _proposed(office), office.at_desk("Ada")
    assert "You proposed it" in words_of(ada.read(url))
    ada.send(url, 403, outcome="agree", value=KIM, code=ada.code())
    assert _entries(office) == [SuppressionReason.LEGAL]


def test_an_order_is_not_lifted_for_another_contact_nor_without_a_choice(office: Office) -> None:
    url, dora = _proposed(office), office.at_desk("Dora", Role.DPO)
    dora.read(url)
    assert "Another contact is meant" in words_of(dora.send(url, 404, outcome="agree", value="lee@example.com"))
    assert "Choose whether you agree" in words_of(dora.send(url, 422, value=KIM))
    assert _entries(office) == [SuppressionReason.LEGAL]


def test_an_order_needs_a_fresh_code(office: Office) -> None:
    url, dora = _proposed(office), office.at_desk("Dora", Role.DPO)
    office.walker.clock.advance(timedelta(minutes=6))
    dora.read(url)
    assert "Enter the code of your authenticator" in words_of(dora.send(url, 403, outcome="agree", value=KIM))
    assert _entries(office) == [SuppressionReason.LEGAL]


def test_an_order_that_is_sent_back_stays_and_the_second_click_changes_nothing(office: Office) -> None:
    url, dora = _proposed(office), office.at_desk("Dora", Role.DPO)
    dora.read(url)
    assert "Sent back." in words_of(dora.send(url, outcome="return", value=KIM))
    assert "decided already" in words_of(dora.send(url, outcome="agree", value=KIM))
    assert _entries(office) == [SuppressionReason.LEGAL]


def test_an_order_proposed_twice_waits_once(office: Office) -> None:
    _proposed(office)
    ada = office.at_desk("Ada")
    _look_up(ada, reason="once more")
    _lift(ada, against="legal")
    assert len(suppressing.proposals(office.walker.as_staff("Ada", Role.ANALYST))) == 1


def test_an_administrator_sees_no_suppressions(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read(LISTS, 403)


# --- the explorer ------------------------------------------------------------------------------------------------

PEOPLE = "/console/consent"


def _chosen(office: Office) -> None:
    how = Circumstances(Method.CHECKOUT_CHECKBOX)
    choices = [Choice("newsletter", "email", ChoiceAnswer.GRANT), Choice("profiling", "web", ChoiceAnswer.REFUSE)]
    writing.record_choices(office.walker.context, person(office), choices, how)


def _find(browser: Browser, status: int = 200, path: str = PEOPLE, **form: str) -> str:
    browser.read(PEOPLE)
    return words_of(browser.send(path, status, **{"type": "email", "value": KIM, **form}))


def test_a_person_is_found_with_the_answer_per_purpose_and_channel(office: Office) -> None:
    _chosen(office)
    said = _find(office.at_desk("Dora", Role.DPO), value="Kim@Example.com")
    assert "consent given yes granted" in said
    assert "consent refused no refused" in said
    assert "Given News and offers by e-mail and text message · email" in said


def test_an_answer_says_what_was_asked_and_history_which_text_was_shown(office: Office) -> None:
    text = NoticeVersion("signup", 1, {"en": {part: f"Words about {part}" for part in Part}}, ("newsletter",))
    purpose.publish_notice(office.walker.context, text)
    how = Circumstances(Method.FORM, notice=text.ref("en"))
    choice = Choice("newsletter", "email", ChoiceAnswer.GRANT)
    writing.record_choices(office.walker.context, person(office), [choice], how)
    dora = office.at_desk("Dora", Role.DPO)
    said = _find(dora, path=f"{PEOPLE}/check", purpose="newsletter", channel="email")
    assert "Yes: granted News and offers by e-mail and text message, over email." in said
    assert 'href="/notices/signup/1/en"' in dora.page


def test_a_stranger_with_a_suppression_leads_to_the_suppressions(office: Office) -> None:
    contact = SubjectIdentifier.of(IdentifierType.EMAIL, KIM)
    suppressing.suppress(office.walker.context, contact, SuppressionReason.COMPLAINT)
    dora = office.at_desk("Dora", Role.DPO)
    assert "Nobody is known by this" in _find(dora)
    assert "Look at suppressions" in words_of(dora.page)


def test_a_look_at_a_person_is_recorded_and_names_nobody(office: Office) -> None:
    _chosen(office)
    dora = office.at_desk("Dora", Role.DPO)
    _find(dora)
    assert dora.path == PEOPLE
    assert audit_rows(office, "consent.looked_up") == 1
    assert KIM not in dora.page


def test_a_stranger_is_said_to_be_unknown(office: Office) -> None:
    assert "Nobody is known by this" in _find(office.at_desk("Dora", Role.DPO))


def test_an_analyst_gives_a_reason_before_a_person_is_shown(office: Office) -> None:
    _chosen(office)
    ada = office.at_desk("Ada", Role.ANALYST)
    refused = _find(ada, 422)
    assert "Say why you look" in refused
    assert "granted" not in refused
    assert "Say why you look" in _find(ada, 422, f"{PEOPLE}/check", purpose="newsletter", channel="email")
    assert "granted" in _find(ada, reason="a call of today")


@pytest.mark.parametrize(
    ("about", "said"), [("newsletter", "Yes: granted"), ("profiling", "No: no consent"), ("wishes", "No such purpose")]
)
def test_may_i_is_answered_as_the_shop_would_hear_it(office: Office, about: str, said: str) -> None:
    _chosen(office)
    dora, status = office.at_desk("Dora", Role.DPO), 422 if about == "wishes" else 200
    assert said in _find(dora, status, f"{PEOPLE}/check", purpose=about, channel="email")


def test_a_cursor_that_is_none_is_refused_in_words(office: Office) -> None:
    _chosen(office)
    assert "cursor" in _find(office.at_desk("Dora", Role.DPO), 422, before="yesterday")


def test_a_receipt_is_a_file_that_names_nobody(office: Office) -> None:
    _chosen(office)
    ledger.drain(office.walker.context, "a")
    dora = office.at_desk("Dora", Role.DPO)
    _find(dora)
    path = re.search(r'href="(/console/consent/receipts/[0-9a-f-]{36})"', dora.page)
    assert path is not None
    answer = dora.client.get(path[1])
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert KIM not in answer.text
    assert "newsletter" in answer.text or "profiling" in answer.text


def test_the_entry_leads_an_administrator_to_the_systems_and_to_nobody(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    assert re.findall(r'href="(/console/consent[^"]*)"', olga.read("/console")) == ["/console/consent/systems"]
    olga.read(PEOPLE, 403)


def test_an_approver_does_not_see_the_entry(office: Office) -> None:
    assert "/console/consent" not in office.at_desk("Marta", Role.APPROVER).read("/console")
