"""A key that may take people's contacts out in clear is granted by two: one makes it, an officer confirms."""

from dataclasses import replace
from datetime import timedelta

import pytest

from privacyops.console.app import create_console
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.four_eyes import ApprovedMatterChanged, SamePerson, SingleOperatorTooEarly
from privacyops.domain.account.grant import key_matter
from privacyops.domain.account.record import ApiKey
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.kernel.errors import Forbidden, StaleState
from privacyops.services import account, apikey
from privacyops.services.apikey import MakerBlocked, ScopesDecided
from privacyops.services.context import Context
from tests.consoles import PAGES, Office, words_of
from tests.house import Walker

STEP_UP_OVER = timedelta(minutes=6)
CLEAR = frozenset({Scope.CONSENT_EXPORT, Scope.CONSENT_EXPORT_CLEAR})


@pytest.fixture
def olga(walker: Walker) -> Context:
    """An administrator of a house with an officer and an analyst."""
    walker.as_staff("Dora", Role.DPO)
    walker.as_staff("Nele", Role.ANALYST)
    return walker.as_staff("Olga", Role.ADMIN)


def made(ctx: Context, scopes: frozenset[Scope] = CLEAR) -> tuple[str, ApiKey]:
    text = apikey.create(ctx, "warehouse", scopes)
    return text, apikey.all_keys(ctx)[0]


def holds(walker: Walker, text: str) -> frozenset[Scope]:
    return frozenset(apikey.acting(walker.context, text).actor.scopes)


def test_the_scope_waits_and_the_rest_of_the_key_works(walker: Walker, olga: Context) -> None:
    text, key = made(olga)
    assert (key.scopes, key.waiting) == ({Scope.CONSENT_EXPORT}, {Scope.CONSENT_EXPORT_CLEAR})
    assert holds(walker, text) == {Scope.CONSENT_EXPORT}
    after = apikey.confirm(walker.as_staff("Dora", Role.DPO), key.id, key_matter(key).sha256)
    assert (after.scopes, after.waiting) == (CLEAR, frozenset())
    assert holds(walker, text) == CLEAR
    with pytest.raises(ScopesDecided):
        apikey.confirm(walker.as_staff("Dora", Role.DPO), key.id, key_matter(key).sha256)


def test_a_key_without_it_waits_for_nobody(walker: Walker, olga: Context) -> None:
    text, key = made(olga, frozenset({Scope.CONSENT_CHECK}))
    assert key.waiting == frozenset()
    assert holds(walker, text) == {Scope.CONSENT_CHECK}


@pytest.mark.parametrize(("name", "role"), [("Otto", Role.ADMIN), ("Nele", Role.ANALYST), ("Ines", Role.AUDITOR)])
def test_only_an_officer_confirms(walker: Walker, olga: Context, name: str, role: Role) -> None:
    _, key = made(olga)
    with pytest.raises(Forbidden):
        apikey.confirm(walker.as_staff(name, role), key.id, key_matter(key).sha256)


def test_who_is_both_does_not_confirm_a_key_of_their_own(walker: Walker, olga: Context) -> None:
    both = walker.as_staff("Berta", Role.ADMIN, Role.DPO)
    _, key = made(both)
    with pytest.raises(SamePerson):
        apikey.confirm(both, key.id, key_matter(key).sha256)


def test_it_takes_a_fresh_factor_and_what_was_seen(walker: Walker, olga: Context) -> None:
    _, key = made(olga)
    dora = walker.as_staff("Dora", Role.DPO)
    with pytest.raises(ApprovedMatterChanged):
        apikey.confirm(dora, key.id, "another")
    walker.clock.advance(STEP_UP_OVER)
    with pytest.raises(StepUpNeeded):
        apikey.confirm(dora, key.id, key_matter(key).sha256)


def test_declined_ended_or_orphaned_it_never_holds(walker: Walker, olga: Context) -> None:
    dora = walker.as_staff("Dora", Role.DPO)
    text, key = made(olga)
    apikey.decline(dora, key.id)
    assert holds(walker, text) == {Scope.CONSENT_EXPORT}
    _, key = made(olga)
    apikey.revoke(olga, key.id)
    with pytest.raises(ScopesDecided):
        apikey.confirm(dora, key.id, key_matter(key).sha256)
    otto = walker.as_staff("Otto", Role.ADMIN)
    _, key = made(otto)
    account.disable(olga, otto.actor.id)
    with pytest.raises(MakerBlocked):
        apikey.confirm(dora, key.id, key_matter(key).sha256)
    with pytest.raises(StaleState):
        apikey.revoke(olga, apikey.all_keys(olga)[1].id)


def test_where_nobody_could_confirm_it_holds_at_once_and_the_log_says_so(walker: Walker) -> None:
    alone = walker.as_staff("Olga", Role.ADMIN)
    text, key = made(alone)
    assert key.waiting == frozenset()
    assert holds(walker, text) == CLEAR


def test_a_lone_operator_waits_a_day(walker: Walker, olga: Context) -> None:
    both = walker.as_staff("Berta", Role.ADMIN, Role.DPO)
    lone = replace(both, controller=replace(both.controller, single_operator=True))
    _, key = made(lone)
    with pytest.raises(SingleOperatorTooEarly):
        apikey.confirm(lone, key.id, key_matter(key).sha256)


def test_in_the_console(walker: Walker, olga: Context) -> None:
    made(olga)
    office = Office.open(walker)
    page = office.at_desk("Olga", Role.ADMIN).read("/console/settings/keys")
    assert "waits for an officer consent:export_clear" in words_of(page)
    assert "/confirm" not in page
    dora = office.at_desk("Dora", Role.DPO)
    dora.read("/console/settings/keys")
    key = apikey.all_keys(olga)[0]
    for said in ("Confirmed.", "decided already"):
        page = dora.send(f"/console/settings/keys/{key.id}/confirm", seen=key_matter(key).sha256)
        assert said in words_of(page)
    assert "waits for an officer" not in page


HOME_LINE = "A key waits for an officer"


def test_an_officer_hears_of_it_at_home_until_it_is_decided(walker: Walker, olga: Context) -> None:
    office = Office.open(walker)
    dora, desk = office.at_desk("Dora", Role.DPO), office.at_desk("Olga", Role.ADMIN)
    assert HOME_LINE not in words_of(dora.read("/console"))
    desk.read("/console/settings/keys")
    scopes = [str(one) for one in CLEAR]
    page = desk.send("/console/settings/keys", name="warehouse", scopes=scopes, once=desk.hidden("once"))
    assert "An officer confirms consent:export_clear; until then the key does without it." in words_of(page)
    assert HOME_LINE not in words_of(desk.read("/console"))
    assert HOME_LINE in words_of(dora.read("/console"))
    dora.read("/console/settings/keys")
    dora.send(f"/console/settings/keys/{apikey.all_keys(olga)[0].id}/decline")
    assert HOME_LINE not in words_of(dora.read("/console"))


def test_a_key_of_somebody_blocked_has_no_buttons_and_says_why(walker: Walker, olga: Context) -> None:
    otto = walker.as_staff("Otto", Role.ADMIN)
    _, key = made(otto)
    office = Office.open(walker)
    dora = office.at_desk("Dora", Role.DPO)
    assert "/confirm" in dora.read("/console/settings/keys")
    account.disable(olga, otto.actor.id)
    said = "Whoever made this key is blocked; revoke it and make another one."
    for verb in ("confirm", "decline"):  # from the page as it was drawn before
        page = dora.send(f"/console/settings/keys/{key.id}/{verb}", seen=key_matter(key).sha256)
        assert words_of(page).count(said) == 2
        assert f"{key.id}/" not in page
    assert HOME_LINE not in words_of(dora.read("/console"))


def test_a_lone_operator_gets_the_button_after_a_day(walker: Walker, olga: Context) -> None:
    lone = replace(walker.context, controller=replace(walker.context.controller, single_operator=True))
    _, key = made(walker.as_staff("Berta", Role.ADMIN, Role.DPO))
    berta = Office(walker, create_console(lone, PAGES, "test")).at_desk("Berta", Role.ADMIN, Role.DPO)
    page = berta.read("/console/settings/keys")
    assert "a lone operator confirms it 24 hours later, from" in words_of(page)
    assert (f"{key.id}/confirm" in page, f"{key.id}/decline" in page) == (False, True)
    assert HOME_LINE not in words_of(berta.read("/console"))
    walker.clock.advance(timedelta(hours=24))
    berta = Office(walker, create_console(lone, PAGES, "test")).at_desk("Berta", Role.ADMIN, Role.DPO)
    assert HOME_LINE in words_of(berta.read("/console"))
    berta.read("/console/settings/keys")
    page = berta.send(f"/console/settings/keys/{key.id}/confirm", seen=key_matter(key).sha256)
    assert "Confirmed." in words_of(page)
