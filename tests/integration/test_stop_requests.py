"""Requests that stop something take effect at once, or say honestly that a person has to do it."""

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import TaskKind
from privacyops.services import task
from privacyops.services.dsar import intake
from tests.house import Walker

KIM = Requester(email="kim@example.com")


def _submit(walker: Walker, type_: RequestType) -> intake.Receipt:
    submission = intake.Submission(type=type_, requester=KIM, channel=Channel.FORM, residence="US-CA")
    return intake.submit(walker.as_subject(), submission)


@pytest.mark.parametrize("type_", [RequestType.OBJECTION_DIRECT_MARKETING, RequestType.CONSENT_WITHDRAWAL])
def test_a_stop_is_applied_and_confirmed_without_anybody(walker: Walker, type_: RequestType) -> None:
    receipt = _submit(walker, type_)
    walker.settle()
    dsar = walker.dsar(receipt.id)
    assert (dsar.state, dsar.outcome) == (DsarState.CLOSED, Outcome.FULFILLED)
    assert dsar.answered_at is not None
    assert walker.mails()[0].to == "kim@example.com"


def test_an_opt_out_of_sale_is_not_called_done_before_a_person_did_it(walker: Walker) -> None:
    receipt = _submit(walker, RequestType.OPT_OUT_SALE_SHARE)
    walker.settle()
    assert walker.dsar(receipt.id).state is DsarState.EXECUTING
    open_tasks = task.list_open(walker.as_staff("Ada", Role.ANALYST))
    assert [one.kind for one in open_tasks if one.dsar_id == receipt.id] == [TaskKind.MANUAL_STORE]
    assert walker.mails() == []
