"""Whoever stops after a grant has stopped it, whatever the clocks of machines and callers say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from privacyops.domain.account.action import Scope as KeyScope
from privacyops.domain.account.actor import api_key
from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Reason
from privacyops.domain.purpose import PurposeScope
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import objection, purpose
from privacyops.services.consent import answering, replaying, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope, Written
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

NEWSLETTER = Scope("newsletter", "email")
HOW = Circumstances(Method.CHECKOUT_CHECKBOX)


@pytest.fixture
def machine(database: Database, clock: ManualClock) -> Context:
    service = small_service(database, clock)
    purpose.install_shipped(service)
    return service


@pytest.fixture
def shop(machine: Context) -> Context:
    """A back end that may also say when something happened."""
    scopes = (KeyScope.CONSENT_WRITE, KeyScope.CONSENT_CHECK, KeyScope.CONSENT_READ, KeyScope.CONSENT_BACKDATE)
    return machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *scopes))


def kim(ctx: Context) -> Whom:
    return Whom.of(ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])


def grant(ctx: Context, how: Circumstances = HOW) -> Written:
    return writing.record_choices(ctx, kim(ctx), [Choice("newsletter", "email", ChoiceAnswer.GRANT)], how)


def reason(ctx: Context) -> Reason:
    return answering.check(ctx, Question(kim(ctx), "newsletter", "email")).decision.reason


STOPS: dict[str, tuple[Callable[[Context], object], Reason]] = {
    "withdrawal": (lambda ctx: writing.withdraw(ctx, kim(ctx), NEWSLETTER, HOW), Reason.WITHDRAWN),
    "everything": (lambda ctx: writing.withdraw(ctx, kim(ctx), Scope(), HOW), Reason.WITHDRAWN),
    "objection": (lambda ctx: objection.object_to(ctx, kim(ctx), None, HOW), Reason.OBJECTED),
}


@pytest.mark.parametrize("back", [timedelta(milliseconds=1), timedelta(seconds=2), timedelta(hours=3)], ids=str)
@pytest.mark.parametrize("stop", STOPS)
def test_a_stop_told_by_a_clock_that_was_set_back_stops(
    machine: Context, shop: Context, clock: ManualClock, stop: str, back: timedelta
) -> None:
    say, expected = STOPS[stop]
    grant(shop)
    clock.set(clock.now() - back)
    say(shop)
    clock.advance(back + timedelta(minutes=1))
    assert reason(shop) is expected
    assert replaying.replay(machine).is_good


def test_a_grant_dated_ahead_does_not_outlive_the_withdrawal_that_follows(
    machine: Context, shop: Context, clock: ManualClock
) -> None:
    grant(shop, replace(HOW, occurred_at=clock.now() + timedelta(seconds=250)))
    clock.advance(timedelta(seconds=5))
    writing.withdraw(shop, kim(shop), NEWSLETTER, HOW)
    clock.advance(timedelta(hours=1))
    assert reason(shop) is Reason.WITHDRAWN
    assert replaying.replay(machine).is_good


def test_a_stop_of_a_claimed_past_keeps_its_time(shop: Context, clock: ManualClock) -> None:
    grant(shop)
    yesterday = clock.now() - timedelta(days=1)
    told = writing.withdraw(shop, kim(shop), NEWSLETTER, replace(HOW, occurred_at=yesterday))
    assert told.events[0]["applied"] is False
    assert reason(shop) is Reason.GRANTED


@pytest.mark.parametrize("scope", PurposeScope)
def test_a_purpose_keeps_its_scope(machine: Context, clock: ManualClock, scope: PurposeScope) -> None:
    with machine.database.reading("shop-group", clock.now()) as tx:
        published = purpose.catalogue(machine, tx).purposes
    current = next(one.current for one in published.values() if one.current.scope is not scope)
    changed = replace(current, version=current.version + 1, scope=scope, is_material=False, material_reason="wording")
    with pytest.raises(purpose.ScopeChanged):
        purpose.publish_purpose(machine, changed)
