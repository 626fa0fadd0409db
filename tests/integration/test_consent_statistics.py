"""Statistics of consent: right where groups are large, silent where they point at people. On both engines."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import api_key, staff
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Forbidden
from privacyops.kernel.ids import AccountId, ApiKeyId
from privacyops.services import purpose
from privacyops.services.consent import counting, importing
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

ABOUT = Defaults("newsletter", "email", jurisdiction="US-CA")


@pytest.fixture
def machine(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


def people(machine: Context, granted: int, refused: int, withdrawn: int) -> dict[str, int | None]:
    """The counts once so many people have chosen."""
    words = ["granted"] * granted + ["refused"] * refused + ["withdrawn"] * withdrawn
    lines = [f"p{at}@example.com,{word},2026-11-01,text,form,2026-11-01\n" for at, word in enumerate(words)]
    source = io.BytesIO(("email,choice,occurred_at,wording,method,confirmed_at\n" + "".join(lines)).encode())
    ctx = machine.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=machine.clock.now()))
    importing.run(ctx, source, ABOUT, importing.dry_run(ctx, source, ABOUT).digest)
    return counts(ctx)


def counts(ctx: Context) -> dict[str, int | None]:
    return {group.state: group.people for group in counting.statistics(ctx).groups if group.purpose == "newsletter"}


def test_large_groups_are_counted(machine: Context) -> None:
    assert people(machine, 30, 25, 20) == {"ConsentGiven": 30, "ConsentRefused": 25, "ConsentWithdrawn": 20}


def test_a_small_group_is_withheld_and_cannot_be_had_by_subtraction(machine: Context) -> None:
    assert people(machine, 30, 25, 3) == {"ConsentGiven": 30, "ConsentRefused": None, "ConsentWithdrawn": None}


def test_two_small_groups_hide_each_other(machine: Context) -> None:
    assert people(machine, 30, 5, 3) == {"ConsentGiven": 30, "ConsentRefused": None, "ConsentWithdrawn": None}


def test_a_grant_that_has_run_out_counts_as_expired(machine: Context, clock: ManualClock) -> None:
    people(machine, 30, 0, 0)
    clock.advance(timedelta(days=365 * 5))
    admin = machine.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=clock.now()))
    assert counts(admin) == {"ConsentExpired": 30}


def test_who_only_checks_sees_no_statistics(machine: Context) -> None:
    with pytest.raises(Forbidden):
        counting.statistics(machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", Scope.CONSENT_CHECK)))
