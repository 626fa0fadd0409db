"""Who may do what, read against the written table of roles."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import uuid4

import pytest

from privacyops.domain.account.action import SENIOR_ROLES, Action, Extent, Role, Scope
from privacyops.domain.account.actor import Actor, Target, api_key, staff, subject, system
from privacyops.domain.account.four_eyes import (
    ApprovedMatterChanged,
    Eyes,
    Matter,
    NumberNotTyped,
    SamePerson,
    SingleOperatorTooEarly,
    second_person,
)
from privacyops.domain.account.rule import ReasonNeeded, StepUpNeeded, extent, may, require, wants_step_up
from privacyops.domain.account.table import BY_KEY_ALONE, FOUR_EYES, SCOPES, STAFF, STEP_UP, SUBJECT, SYSTEM
from privacyops.kernel.errors import Forbidden, NotFound
from privacyops.kernel.ids import AccountId, ApiKeyId, DsarId, StoreId

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SHOP = "shop-group"


def _staff(*roles: Role, stepped_up: bool = True) -> Actor:
    return staff(AccountId(uuid4()), SHOP, *roles, step_up_at=NOW if stepped_up else None)


def test_every_action_is_granted_to_somebody() -> None:
    scoped = set(chain.from_iterable(SCOPES.values()))
    assert set(Action) == set(STAFF) | scoped | SUBJECT | SYSTEM


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (Action.FEED_READ, "This key lacks the scope feed:read"),
        (Action.LEDGER_SEE, "This key lacks the scope ledger:read"),
        (Action.CONSENT_PROOF, "This key lacks the scope consent:read or ledger:read"),
        (Action.ACCOUNT_MANAGE, "No key may do this; a person signs in for it"),
    ],
)
def test_a_key_is_told_which_scope_it_lacks(action: Action, says: str) -> None:
    with pytest.raises(Forbidden) as refused:
        require(api_key(ApiKeyId(uuid4()), SHOP, Scope.CONSENT_CHECK), action, NOW)
    assert refused.value.detail == says


def test_a_person_is_not_told_of_scopes() -> None:
    with pytest.raises(Forbidden) as refused:
        require(_staff(Role.AUDITOR), Action.ACCOUNT_MANAGE, NOW)
    assert refused.value.detail == ""


def test_every_scope_opens_something() -> None:
    assert set(SCOPES) == set(Scope)
    assert all(SCOPES.values())


@pytest.mark.parametrize(
    ("role", "action", "reach"),
    [
        (Role.ADMIN, Action.DSAR_LIST, Extent.MASKED),
        (Role.ADMIN, Action.DSAR_OPEN, None),
        (Role.ADMIN, Action.DSAR_APPROVE, None),
        (Role.ADMIN, Action.CONSENT_READ, None),
        (Role.ADMIN, Action.SETTINGS_CHANGE, Extent.CLEAR),
        (Role.DPO, Action.SETTINGS_CHANGE, None),
        (Role.DPO, Action.SETTINGS_SEE, Extent.CLEAR),
        (Role.DPO, Action.DSAR_RELEASE, Extent.CLEAR),
        (Role.DPO, Action.CONSENT_EXPORT_CLEAR, Extent.REASONED),
        (Role.ANALYST, Action.DSAR_OPEN, Extent.CLEAR),
        (Role.ANALYST, Action.DSAR_RELEASE, None),
        (Role.ANALYST, Action.DSAR_REFUSE, Extent.CLEAR),
        (Role.ANALYST, Action.DSAR_REFUSE_SIGN, None),
        (Role.ANALYST, Action.DSAR_REFUSE_PROPOSE, Extent.CLEAR),
        (Role.ANALYST, Action.HOLD_SET, None),
        (Role.ANALYST, Action.HOLD_PROPOSE, Extent.CLEAR),
        (Role.ANALYST, Action.PURPOSE_CHANGE, None),
        (Role.ANALYST, Action.CONSENT_READ, Extent.REASONED),
        (Role.ANALYST, Action.KPI_SEE, Extent.CLEAR),
        (Role.ANALYST, Action.AUDIT_SEE, None),
        (Role.APPROVER, Action.DSAR_OPEN, Extent.SUMMARY),
        (Role.APPROVER, Action.DSAR_REVIEW, None),
        (Role.APPROVER, Action.DSAR_APPROVE, Extent.CLEAR),
        (Role.STORE_OWNER, Action.TASK_ANSWER, Extent.OWN),
        (Role.STORE_OWNER, Action.DSAR_LIST, None),
        (Role.AUDITOR, Action.DSAR_OPEN, Extent.MASKED),
        (Role.AUDITOR, Action.CONSENT_READ, None),
        (Role.AUDITOR, Action.CONSENT_PROOF, Extent.CLEAR),
        (Role.AUDITOR, Action.ACCOUNT_SEE, None),
        (Role.AUDITOR, Action.SETTINGS_CHANGE, None),
    ],
)
def test_a_role_reaches_exactly_as_far_as_the_table_says(role: Role, action: Action, reach: Extent | None) -> None:
    assert extent(_staff(role), action) == reach


def test_of_two_roles_the_wider_grant_counts() -> None:
    assert extent(_staff(Role.APPROVER, Role.ANALYST), Action.DSAR_OPEN) is Extent.CLEAR


def test_an_auditor_changes_nothing() -> None:
    changing = {a for a in Action if a.value.rpartition(".")[2] not in {"see", "list", "open", "proof", "status"}}
    assert {a for a in changing if may(_staff(Role.AUDITOR), a)} == {
        Action.ACCOUNT_SELF,
        Action.EVIDENCE_BUILD,
        Action.INCIDENT_REPORT,
    }


def test_the_auditors_reach_ends_with_the_engagement() -> None:
    auditor = replace(_staff(Role.AUDITOR), ends_at=NOW)
    with pytest.raises(Forbidden):
        require(auditor, Action.AUDIT_SEE, NOW)


def test_no_key_approves_releases_or_manages_keys_and_accounts() -> None:
    key = api_key(ApiKeyId(uuid4()), SHOP, *Scope)
    barred = FOUR_EYES | {Action.APIKEY_MANAGE, Action.ACCOUNT_MANAGE, Action.SETTINGS_CHANGE, Action.DSAR_OPEN}
    assert not [action for action in barred if may(key, action)]


def test_a_key_does_only_what_its_scope_names() -> None:
    key = api_key(ApiKeyId(uuid4()), SHOP, Scope.CONSENT_CHECK)
    assert [action for action in Action if may(key, action)] == [Action.CONSENT_CHECK]


def test_an_object_of_another_controller_does_not_exist() -> None:
    with pytest.raises(NotFound):
        require(_staff(Role.ANALYST), Action.DSAR_OPEN, NOW, Target("other-shop"))


def test_a_store_owner_answers_a_task_of_the_own_store() -> None:
    own = StoreId(uuid4())
    owner = replace(_staff(Role.STORE_OWNER), stores=frozenset({own}))
    assert require(owner, Action.TASK_ANSWER, NOW, Target(SHOP, store=own)) is Extent.OWN


@pytest.mark.parametrize("store", [None, StoreId(uuid4())])
def test_a_store_owner_finds_no_task_of_another_store(store: StoreId | None) -> None:
    owner = replace(_staff(Role.STORE_OWNER), stores=frozenset({StoreId(uuid4())}))
    with pytest.raises(NotFound):
        require(owner, Action.TASK_ANSWER, NOW, Target(SHOP, store=store))


def test_a_store_owner_without_a_target_is_refused() -> None:
    with pytest.raises(NotFound):
        require(_staff(Role.STORE_OWNER), Action.TASK_ANSWER, NOW)


def test_a_customer_sees_the_request_the_cookie_is_bound_to() -> None:
    mine = DsarId(uuid4())
    require(subject(SHOP, mine), Action.DSAR_STATUS, NOW, Target(SHOP, request=mine))


@pytest.mark.parametrize("bound", [None, DsarId(uuid4())])
def test_a_customer_finds_no_other_request(bound: DsarId | None) -> None:
    with pytest.raises(NotFound):
        require(subject(SHOP, bound), Action.DSAR_DOWNLOAD, NOW, Target(SHOP, request=DsarId(uuid4())))


def test_a_visitor_may_ask_without_a_request() -> None:
    require(subject(SHOP), Action.DSAR_INTAKE, NOW)


def test_the_machine_never_approves_or_releases() -> None:
    assert not [action for action in FOUR_EYES if may(system(SHOP), action)]


def test_an_administrator_does_not_change_the_own_account() -> None:
    admin = _staff(Role.ADMIN)
    with pytest.raises(Forbidden):
        require(admin, Action.ACCOUNT_MANAGE, NOW, Target(SHOP, account=AccountId(admin.id)))


def test_releasing_without_a_second_factor_asks_for_one() -> None:
    with pytest.raises(StepUpNeeded):
        require(_staff(Role.APPROVER, stepped_up=False), Action.DSAR_RELEASE, NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(seconds=-1)])
def test_a_stale_or_future_second_factor_does_not_count(age: timedelta) -> None:
    with pytest.raises(StepUpNeeded):
        require(replace(_staff(Role.APPROVER), step_up_at=NOW - age), Action.DSAR_RELEASE, NOW)


def test_a_second_factor_of_five_minutes_ago_still_counts() -> None:
    approver = replace(_staff(Role.APPROVER), step_up_at=NOW - timedelta(minutes=5))
    assert require(approver, Action.DSAR_RELEASE, NOW) is Extent.CLEAR


def test_a_key_is_let_off_the_second_factor_in_one_thing_only() -> None:
    given = {action for actions in SCOPES.values() for action in actions}
    assert given & STEP_UP == BY_KEY_ALONE == {Action.CONSENT_EXPORT_CLEAR}
    key = api_key(ApiKeyId(uuid4()), SHOP, *Scope)
    assert {action for action in STEP_UP if wants_step_up(key, action)} == STEP_UP - BY_KEY_ALONE


def test_a_key_gives_a_reason_where_a_person_shows_a_factor() -> None:
    key = api_key(ApiKeyId(uuid4()), SHOP, Scope.CONSENT_EXPORT_CLEAR)
    with pytest.raises(ReasonNeeded):
        require(key, Action.CONSENT_EXPORT_CLEAR, NOW)


def test_four_eyes_always_asks_for_the_second_factor() -> None:
    assert FOUR_EYES < STEP_UP


def test_no_key_reaches_what_takes_two_people() -> None:
    assert not FOUR_EYES & set(chain.from_iterable(SCOPES.values()))


def test_a_key_for_identifiers_in_clear_gives_a_reason_instead_of_a_second_factor() -> None:
    key = api_key(ApiKeyId(uuid4()), SHOP, Scope.CONSENT_EXPORT_CLEAR)
    assert require(key, Action.CONSENT_EXPORT_CLEAR, NOW, reason="a move") is Extent.REASONED
    with pytest.raises(ReasonNeeded):
        require(key, Action.CONSENT_EXPORT_CLEAR, NOW)


def test_reading_a_persons_consent_wants_a_reason_from_an_analyst() -> None:
    with pytest.raises(ReasonNeeded):
        require(_staff(Role.ANALYST), Action.CONSENT_READ, NOW, reason="  ")
    assert require(_staff(Role.ANALYST), Action.CONSENT_READ, NOW, reason="call") is Extent.REASONED


def test_only_counsel_judges() -> None:
    assert not may(_staff(Role.DPO), Action.DSAR_JUDGE)
    assert may(replace(_staff(Role.DPO), is_counsel=True), Action.DSAR_JUDGE)
    assert not may(replace(_staff(Role.ANALYST), is_counsel=True), Action.DSAR_JUDGE)


def test_every_role_that_approves_releases_or_confirms_is_senior() -> None:
    deciding = {Action.DSAR_APPROVE, Action.DSAR_RELEASE, Action.ACCOUNT_CONFIRM, Action.ACCOUNT_MANAGE}
    assert {role for role in Role if any(may(_staff(role), which) for which in deciding)} == SENIOR_ROLES


def test_an_account_without_a_role_reaches_itself_and_nothing_else() -> None:
    assert {which for which in Action if may(_staff(), which)} == {Action.ACCOUNT_SELF}


def _matter(*hands: Actor) -> Matter:
    return Matter("PR-7MK4Q2", "ab" * 32, frozenset(actor.id for actor in hands), NOW - timedelta(hours=2))


def test_another_person_who_saw_this_version_approves() -> None:
    preparer, approver = _staff(Role.DPO), _staff(Role.APPROVER)
    assert second_person(approver, _matter(preparer), "ab" * 32, " pr-7mk4q2 ", NOW) is Eyes.FOUR


def test_the_preparer_never_approves() -> None:
    preparer = _staff(Role.DPO)
    with pytest.raises(SamePerson):
        second_person(preparer, _matter(preparer), "ab" * 32, "PR-7MK4Q2", NOW)


def test_whoever_changed_one_decision_never_approves() -> None:
    preparer, editor = _staff(Role.ANALYST), _staff(Role.APPROVER)
    with pytest.raises(SamePerson):
        second_person(editor, _matter(preparer, editor), "ab" * 32, "PR-7MK4Q2", NOW)


def test_a_change_after_looking_voids_the_approval() -> None:
    with pytest.raises(ApprovedMatterChanged):
        second_person(_staff(Role.APPROVER), _matter(), "cd" * 32, "PR-7MK4Q2", NOW)


def test_an_approval_wants_the_number_typed() -> None:
    with pytest.raises(NumberNotTyped):
        second_person(_staff(Role.APPROVER), _matter(), "ab" * 32, "PR-7MK4Q3", NOW)


def test_an_approval_wants_the_second_factor() -> None:
    with pytest.raises(StepUpNeeded):
        second_person(_staff(Role.APPROVER, stepped_up=False), _matter(), "ab" * 32, "PR-7MK4Q2", NOW)


def test_a_machine_is_no_second_person() -> None:
    with pytest.raises(Forbidden):
        second_person(replace(system(SHOP), step_up_at=NOW), _matter(), "ab" * 32, "PR-7MK4Q2", NOW)


def test_a_lone_operator_waits_a_day() -> None:
    lone = _staff(Role.DPO)
    with pytest.raises(SingleOperatorTooEarly):
        second_person(lone, _matter(lone), "ab" * 32, "PR-7MK4Q2", NOW, single_operator=True)


def test_a_lone_operators_approval_is_marked_as_an_exception() -> None:
    lone, later = _staff(Role.DPO), NOW + timedelta(hours=22)
    lone = replace(lone, step_up_at=later)
    assert second_person(lone, _matter(lone), "ab" * 32, "PR-7MK4Q2", later, single_operator=True) is Eyes.TWO
