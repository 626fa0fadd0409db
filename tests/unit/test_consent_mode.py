"""Consent Mode from our purposes, and consent strings in evidence."""

import pytest

from privacyops.domain.catalog.purposes import shipped_catalogue
from privacyops.domain.signals.bits import ConsentStringUndecodable
from privacyops.domain.signals.consent_mode import DEFAULT_MAP, Signal, defaults, states
from privacyops.domain.signals.evidence import with_summaries
from privacyops.ledger.leaf import canonical
from tests.consent_strings import TcFields

PURPOSES = {purpose.key: purpose for purpose in shipped_catalogue().purposes}


def test_all_seven_signals_are_answered_and_only_a_yes_is_granted() -> None:
    said = states(DEFAULT_MAP, {"advertising": True, "analytics": False, "strictly_necessary": True})
    assert set(said) == set(Signal)
    assert len(said) == 7
    granted = {signal for signal, state in said.items() if state == "granted"}
    assert granted == {
        Signal.AD_STORAGE, Signal.AD_USER_DATA, Signal.AD_PERSONALIZATION, Signal.SECURITY_STORAGE,
    }  # fmt: skip


def test_a_signal_without_a_purpose_is_denied() -> None:
    assert set(states({}, {"": True, "advertising": True}).values()) == {"denied"}


def test_before_any_choice_only_what_is_strictly_necessary_is_granted() -> None:
    everywhere, *_ = defaults(DEFAULT_MAP, PURPOSES)
    assert everywhere.regions == ()
    assert {signal for signal, state in everywhere.states.items() if state == "granted"} == {Signal.SECURITY_STORAGE}


def test_where_silence_is_a_yes_a_command_of_its_own_says_so() -> None:
    _, there = defaults(DEFAULT_MAP, PURPOSES)
    assert there.regions == ("US",)
    assert there.states[Signal.AD_STORAGE] == "granted"
    assert there.states[Signal.PERSONALIZATION_STORAGE] == "denied", "no purpose of that name is published"


def test_a_map_to_another_purpose_counts() -> None:
    everywhere, *_ = defaults({**DEFAULT_MAP, Signal.AD_STORAGE: "strictly_necessary"}, PURPOSES)
    assert everywhere.states[Signal.AD_STORAGE] == "granted"


def test_evidence_keeps_the_string_and_what_it_says() -> None:
    text = TcFields(purposes={1}, disclosed={3}).text()
    kept = with_summaries({"tcf": text, "gpp": "DBABLA~BVVVAAAAAgA.YA", "url": "https://shop.example/"}, grants=True)
    assert kept is not None
    assert (kept["tcf"], kept["url"]) == (text, "https://shop.example/")
    assert kept["tcf_summary"]["purpose_consents"] == [1]
    assert kept["gpp_summary"]["opted_out"] == "yes"
    assert canonical(dict(kept)), "it can be sealed and committed to"


def test_evidence_without_such_strings_is_left_alone() -> None:
    assert with_summaries(None, grants=True) is None
    assert with_summaries({"url": "https://shop.example/"}, grants=True) == {"url": "https://shop.example/"}


@pytest.mark.parametrize("text", ["garbage", "", 7])
def test_an_unreadable_string_beside_a_grant_is_refused(text: object) -> None:
    with pytest.raises(ConsentStringUndecodable):
        with_summaries({"tcf": text}, grants=True)


def test_a_no_is_kept_with_an_unreadable_string() -> None:
    assert with_summaries({"gpp": "garbage"}, grants=False) == {
        "gpp": "garbage", "gpp_summary": {"undecodable": "not_gpp"},
    }  # fmt: skip


def test_a_summary_that_the_caller_claims_is_replaced_by_what_was_read() -> None:
    kept = with_summaries({"gpp": "DBABLA~BVVVAAAAAgA.YA", "gpp_summary": {"opted_out": "no"}}, grants=False)
    assert kept is not None
    assert kept["gpp_summary"]["opted_out"] == "yes"
