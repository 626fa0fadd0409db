"""Letters: their states, and what they must know."""

from datetime import UTC, datetime

import pytest

from privacyops.domain.letter import (
    ENDS,
    LOCKED,
    TRANSITIONS,
    VARIABLES,
    LetterEvent,
    LetterIncomplete,
    LetterKind,
    LetterState,
    LetterValueUnknown,
    Locked,
    advance,
    missing,
    require_complete,
    variables,
)
from privacyops.kernel.errors import TransitionRefused
from tests.made_up_answer import letter_values


def test_a_letter_goes_from_draft_to_delivered() -> None:
    state = LetterState.DRAFT
    for event in (LetterEvent.COMPLETE, LetterEvent.RELEASE, LetterEvent.SEND, LetterEvent.CONFIRM_DELIVERY):
        state = advance(state, event)
    assert state is LetterState.DELIVERED


def test_every_pair_outside_the_table_is_refused_and_names_what_is_allowed() -> None:
    for state in LetterState:
        for event in LetterEvent:
            if (state, event) in TRANSITIONS:
                continue
            with pytest.raises(TransitionRefused) as refused:
                advance(state, event)
            assert refused.value.members["allowed"] == sorted(e for s, e in TRANSITIONS if s is state)


def test_every_state_is_reached_and_every_open_one_has_a_way_out() -> None:
    assert {LetterState.DRAFT, *TRANSITIONS.values()} == set(LetterState)
    assert {state for state, _ in TRANSITIONS} == set(LetterState) - ENDS


def test_a_sent_letter_cannot_be_recalled_or_revised() -> None:
    for event in (LetterEvent.RECALL, LetterEvent.REVISE):
        with pytest.raises(TransitionRefused):
            advance(LetterState.SENT, event)


@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_with_all_its_values_lacks_nothing(kind: LetterKind) -> None:
    assert missing(kind, letter_values(kind)) == ()


@pytest.mark.parametrize("kind", LetterKind)
def test_each_required_value_is_missed_when_absent_blank_or_of_another_type(kind: LetterKind) -> None:
    whole = letter_values(kind)
    for name, variable in variables(kind).items():
        if not variable.required:
            continue
        for wrong in (None, " " if variable.of is str else object(), [] if variable.many else 1.5):
            assert name in missing(kind, {**whole, name: wrong}), (name, wrong)


def test_a_moment_is_not_a_day_and_a_flag_is_not_a_number() -> None:
    values = letter_values(LetterKind.CODE)
    assert missing(LetterKind.CODE, {**values, "code_minutes": True}) == ("code_minutes",)
    values = letter_values(LetterKind.ACK)
    assert missing(LetterKind.ACK, {**values, "due_on": datetime(2026, 12, 16, tzinfo=UTC)}) == ("due_on",)


def test_a_partial_answer_says_what_is_withheld_or_what_is_outstanding() -> None:
    kind = LetterKind.ANSWER_PARTIAL
    assert missing(kind, letter_values(kind, withheld=None, outstanding=None)) == ("withheld", "outstanding")
    assert missing(kind, letter_values(kind, withheld=None)) == ()


def test_an_incomplete_letter_names_what_it_lacks() -> None:
    with pytest.raises(LetterIncomplete) as refused:
        require_complete(LetterKind.REFUSAL, letter_values(LetterKind.REFUSAL, authority=None, evidence="  "))
    assert refused.value.members["missing"] == ["authority", "evidence"]


def test_a_value_that_the_kind_does_not_know_is_refused() -> None:
    with pytest.raises(LetterValueUnknown):
        require_complete(LetterKind.ACK, letter_values(LetterKind.ACK) | {"password": "x"})


def test_every_answer_and_refusal_carries_the_remedies() -> None:
    needs = {
        LetterKind.ANSWER_FULL,
        LetterKind.ANSWER_PARTIAL,
        LetterKind.REFUSAL,
        LetterKind.NO_DATA,
        LetterKind.EXTENSION_NOTICE,
        LetterKind.APPEAL_DECISION,
        LetterKind.UK_COMPLAINT_OUTCOME,
    }
    assert [kind for kind in needs if Locked.REMEDIES not in LOCKED[kind]] == []
    assert [kind for kind in LOCKED if Locked.REMEDIES in LOCKED[kind] and "authority" not in VARIABLES[kind]] == []
