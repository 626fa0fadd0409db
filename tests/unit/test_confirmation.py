"""Double opt-in as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from privacyops.domain.consent.confirmation import (
    TRANSITIONS,
    ConfirmationEvent,
    ConfirmationState,
    ResendRefused,
    admit_resend,
    advance,
)
from privacyops.kernel.errors import TransitionRefused

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_every_state_is_reached_and_the_open_one_has_ways_out() -> None:
    reached = {ConfirmationState.NONE, *TRANSITIONS.values()}
    assert reached == set(ConfirmationState)
    out = {after for (state, _), after in TRANSITIONS.items() if state is ConfirmationState.REQUESTED}
    assert out == {ConfirmationState.REQUESTED, ConfirmationState.CONFIRMED, ConfirmationState.CANCELLED,
                   ConfirmationState.LAPSED}  # fmt: skip


def test_the_same_token_confirms_once_and_shows_the_page_again() -> None:
    confirmed = advance(ConfirmationState.REQUESTED, ConfirmationEvent.CONFIRM)
    assert advance(confirmed, ConfirmationEvent.CONFIRM) is ConfirmationState.CONFIRMED


@pytest.mark.parametrize("state", [ConfirmationState.CANCELLED, ConfirmationState.LAPSED, ConfirmationState.NONE])
def test_what_is_not_asked_for_cannot_be_confirmed(state: ConfirmationState) -> None:
    with pytest.raises(TransitionRefused) as refusal:
        advance(state, ConfirmationEvent.CONFIRM)
    assert refusal.value.members["allowed"] == ["ask"]


def test_two_further_mails_are_sent_ten_minutes_apart() -> None:
    ten = timedelta(minutes=10)
    admit_resend([TEN], TEN + ten)
    admit_resend([TEN, TEN + ten], TEN + 2 * ten)
    with pytest.raises(ResendRefused):
        admit_resend([TEN], TEN + ten - timedelta(seconds=1))
    with pytest.raises(ResendRefused):
        admit_resend([TEN, TEN + ten, TEN + 2 * ten], TEN + 9 * ten)
