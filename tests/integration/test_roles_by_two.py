"""A role that decides is proposed by one and confirmed by another, on both databases, by console and on the server."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.account.four_eyes import ApprovedMatterChanged, SamePerson, SingleOperatorTooEarly
from privacyops.domain.account.record import Account
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.kernel.errors import Forbidden, NotFound
from privacyops.services import account, invitation, role
from privacyops.services.context import Context
from privacyops.services.role import GrantDecided
from privacyops.settings import Settings
from privacyops.store import audit as audit_store
from tests.consoles import Office, words_of
from tests.house import Walker

ANALYST, APPROVER, ADMIN, DPO = Role.ANALYST, Role.APPROVER, Role.ADMIN, Role.DPO


@pytest.fixture
def olga(walker: Walker) -> Context:
    """An administrator in a team of three, so that there is somebody to confirm."""
    walker.as_staff("Ada", ANALYST)
    walker.as_staff("Dora", DPO)
    return walker.as_staff("Olga", ADMIN)


def held(walker: Walker, name: str) -> frozenset[Role]:
    """The roles that hold for a colleague now."""
    found = next(one for one in account.all_accounts(walker.as_staff("Olga", ADMIN)) if one.name == name)
    return found.roles


def ada_as(walker: Walker, olga: Context, *roles: Role) -> frozenset[Role]:
    """Olga wants Ada to have these roles; which of them wait."""
    return role.set_roles(olga, walker.staff_accounts["Ada"].id, frozenset(roles))


def proposal(olga: Context) -> tuple[UUID, str]:
    """The one that waits, and what is seen of it."""
    (grant,) = role.open_grants(olga)
    return grant.id, grant.sha256


def trail(walker: Walker) -> Iterator[tuple[str, object, object]]:
    """What the audit log says of roles: action, roles, eyes."""
    with walker.context.database.reading(walker.context.controller.key, walker.clock.now()) as tx:
        for row in reversed(audit_store.list_audit(tx, limit=50).items):
            if row.action.startswith("account.roles"):
                yield row.action, row.detail.get("roles"), row.detail.get("eyes")


@pytest.mark.parametrize("senior", [ADMIN, APPROVER, DPO])
def test_a_senior_role_waits_and_the_others_hold_at_once(walker: Walker, olga: Context, senior: Role) -> None:
    assert ada_as(walker, olga, Role.STORE_OWNER, senior) == {senior}
    assert held(walker, "Ada") == {Role.STORE_OWNER}


def test_another_person_confirms_and_the_role_holds(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    role.confirm(walker.as_staff("Dora"), *proposal(olga))
    assert held(walker, "Ada") == {ANALYST, APPROVER}
    assert role.open_grants(olga) == ()
    assert list(trail(walker)) == [
        ("account.roles_proposed", ["approver"], None), ("account.roles_confirmed", ["approver"], "four"),
    ]  # fmt: skip


def test_whoever_proposed_it_cannot_confirm_it(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    with pytest.raises(SamePerson):
        role.confirm(olga, *proposal(olga))
    assert held(walker, "Ada") == {ANALYST}


def test_nobody_confirms_a_role_of_their_own(walker: Walker, olga: Context) -> None:
    dora = walker.as_staff("Dora")
    role.set_roles(olga, walker.staff_accounts["Dora"].id, frozenset({DPO, ADMIN}))
    with pytest.raises(SamePerson):
        role.confirm(dora, *proposal(olga))


def test_an_analyst_or_approver_cannot_confirm(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    for name, one in (("Kim", ANALYST), ("Marta", APPROVER)):
        with pytest.raises(Forbidden):
            role.confirm(walker.as_staff(name, one), *proposal(olga))


def test_confirming_wants_a_fresh_second_factor(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    dora, seen = walker.as_staff("Dora"), proposal(olga)
    walker.clock.advance(timedelta(minutes=6))
    with pytest.raises(StepUpNeeded):
        role.confirm(dora, *seen)


def test_what_changed_after_it_was_seen_is_not_confirmed(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    first, seen = proposal(olga)
    ada_as(walker, olga, ANALYST, APPROVER, ADMIN)
    with pytest.raises(GrantDecided):
        role.confirm(walker.as_staff("Dora"), first, seen)
    with pytest.raises(ApprovedMatterChanged):
        role.confirm(walker.as_staff("Dora"), proposal(olga)[0], seen)
    assert held(walker, "Ada") == {ANALYST}


def test_the_same_proposal_twice_is_one(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    first = proposal(olga)
    assert ada_as(walker, olga, ANALYST, APPROVER) == {APPROVER}
    assert proposal(olga) == first
    assert len(list(trail(walker))) == 1


def test_a_proposal_that_is_not_wanted_any_more_is_off(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    assert ada_as(walker, olga, ANALYST) == frozenset()
    assert role.open_grants(olga) == ()


def test_a_declined_proposal_gives_nothing_and_cannot_be_confirmed_later(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    seen = proposal(olga)
    role.decline(walker.as_staff("Dora"), seen[0])
    with pytest.raises(GrantDecided):
        role.confirm(walker.as_staff("Dora"), *seen)
    assert held(walker, "Ada") == {ANALYST}


def test_taking_a_senior_role_away_needs_nobody_else(walker: Walker, olga: Context) -> None:
    role.set_roles(olga, walker.staff_accounts["Dora"].id, frozenset({Role.AUDITOR}))
    assert held(walker, "Dora") == {Role.AUDITOR}


def test_a_blocked_colleague_neither_gains_nor_proposes(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    chief = walker.as_staff("Chief", ADMIN)
    account.disable(chief, walker.staff_accounts["Olga"].id)
    assert role.open_grants(chief) == ()


def test_an_unknown_proposal_is_not_found(walker: Walker, olga: Context) -> None:
    with pytest.raises(NotFound):
        role.confirm(walker.as_staff("Dora"), uuid4(), "ab" * 32)


def test_an_invited_approver_has_no_role_until_somebody_else_confirms(walker: Walker, olga: Context) -> None:
    added, _ = invitation.invite(olga, "Nele", "nele@shop.example", frozenset({APPROVER}))
    assert added.roles == frozenset()
    confirmed: Account = role.confirm(walker.as_staff("Dora"), *proposal(olga))
    assert confirmed.roles == {APPROVER}


def test_the_founder_makes_the_first_colleague_alone_and_the_log_says_so(walker: Walker) -> None:
    founder = walker.as_staff("Olga", ADMIN, DPO)
    added, _ = invitation.invite(founder, "Nele", "nele@shop.example", frozenset({DPO}))
    assert added.roles == {DPO}
    with walker.context.database.reading(walker.context.controller.key, walker.clock.now()) as tx:
        rows = [row for row in audit_store.list_audit(tx, limit=50).items if row.action == "account.invite"]
    assert [row.detail["eyes"] for row in rows] == ["two"]


def test_blocking_everybody_else_does_not_bring_the_founders_freedom_back(walker: Walker, olga: Context) -> None:
    for name in ("Ada", "Dora"):
        account.disable(olga, walker.staff_accounts[name].id)
    added, _ = invitation.invite(olga, "Nele", "nele@shop.example", frozenset({APPROVER}))
    assert added.roles == frozenset()


def test_whoever_has_the_server_confirms_where_nobody_else_may(walker: Walker, olga: Context) -> None:
    ada_as(walker, olga, ANALYST, APPROVER)
    assert role.confirm_on_server(walker.context, "ADA@shop.example ").roles == {ANALYST, APPROVER}
    assert list(trail(walker))[-1] == ("account.roles_confirmed", ["approver"], "server")
    with pytest.raises(NotFound):
        role.confirm_on_server(walker.context, "ada@shop.example")
    with pytest.raises(NotFound):
        role.confirm_on_server(walker.context, "nobody@shop.example")


class TestLoneOperator:
    """A controller of one person, who said so in the settings."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """The shop's settings with the exception on."""
        lone = settings.controller.model_copy(update={"single_operator": True})
        return settings.model_copy(update={"controller": lone})

    def test_a_lone_operator_confirms_after_a_day_and_the_log_says_so(self, walker: Walker, olga: Context) -> None:
        ada_as(walker, olga, ANALYST, APPROVER)
        with pytest.raises(SingleOperatorTooEarly):
            role.confirm(olga, *proposal(olga))
        walker.clock.advance(timedelta(hours=24))
        role.confirm(walker.as_staff("Olga", ADMIN), *proposal(olga))
        assert list(trail(walker))[-1] == ("account.roles_confirmed", ["approver"], "two")

    def test_even_there_nobody_confirms_a_role_of_their_own(self, walker: Walker, olga: Context) -> None:
        role.set_roles(olga, walker.staff_accounts["Dora"].id, frozenset({DPO, ADMIN}))
        walker.clock.advance(timedelta(hours=25))
        with pytest.raises(SamePerson):
            role.confirm(walker.as_staff("Dora"), *proposal(olga))


def _buttons(page: str) -> list[str]:
    return re.findall(r'action="(/console/settings/grants/[^"]+)"', page)


@pytest.fixture
def office(walker: Walker, olga: Context) -> Office:
    """The console of that team."""
    return Office.open(walker)


def test_the_page_offers_confirming_to_the_second_person_alone(office: Office) -> None:
    olga, dora = office.at_desk("Olga"), office.at_desk("Dora")
    key = office.walker.staff_accounts["Ada"].id
    olga.read(f"/console/settings/accounts/{key}")
    page = olga.send(f"/console/settings/accounts/{key}", roles=["analyst", "approver"])
    assert "You proposed it; another person confirms it." in words_of(page)
    assert [one.rpartition("/")[2] for one in _buttons(page)] == ["decline"]
    assert [one.rpartition("/")[2] for one in _buttons(dora.read("/console/settings/accounts"))] == [
        "confirm", "decline",
    ]  # fmt: skip


def test_a_second_click_on_confirm_finds_it_confirmed_and_on_decline_says_what_happened(office: Office) -> None:
    olga, dora = office.at_desk("Olga"), office.at_desk("Dora")
    key = office.walker.staff_accounts["Ada"].id
    olga.read(f"/console/settings/accounts/{key}")
    olga.send(f"/console/settings/accounts/{key}", roles=["analyst", "approver"])
    dora.read("/console/settings/accounts")
    confirm, decline = _buttons(dora.page)
    seen = dora.hidden("seen")
    for _ in range(2):
        assert "The roles hold" in words_of(dora.send(confirm, seen=seen))
    dora.send(decline, 409)
    assert held(office.walker, "Ada") == {ANALYST, APPROVER}


def test_a_proposal_is_taken_back_once_and_again(office: Office) -> None:
    olga = office.at_desk("Olga")
    key = office.walker.staff_accounts["Ada"].id
    olga.read(f"/console/settings/accounts/{key}")
    olga.send(f"/console/settings/accounts/{key}", roles=["analyst", "admin"])
    (take_back,) = _buttons(olga.page)
    for _ in range(2):
        assert "This proposal is off" in words_of(olga.send(take_back))


def test_a_forged_confirmation_of_the_own_proposal_is_refused(office: Office) -> None:
    olga = office.at_desk("Olga")
    key = office.walker.staff_accounts["Ada"].id
    olga.read(f"/console/settings/accounts/{key}")
    page = olga.send(f"/console/settings/accounts/{key}", roles=["analyst", "admin"])
    seen = role.open_grants(office.walker.as_staff("Olga"))[0].sha256
    olga.send(_buttons(page)[0].replace("decline", "confirm"), 403, seen=seen)
    assert held(office.walker, "Ada") == {ANALYST}


def test_a_colleague_whose_only_role_waits_is_told_so_on_home(office: Office) -> None:
    olga = office.at_desk("Olga")
    nele = office.at_desk("Nele", ANALYST)
    key = office.walker.staff_accounts["Nele"].id
    olga.read(f"/console/settings/accounts/{key}")
    olga.send(f"/console/settings/accounts/{key}", roles=["approver"])
    nele.read("/console/sign-in")
    nele.send("/console/sign-in", mail="nele@shop.example", password="a-lantern-over-seven-brooks")
    nele.send("/console/sign-in/code", code=nele.code())
    assert "Your role waits for a second person" in words_of(nele.page)
    nele.read("/console/requests", 403)
