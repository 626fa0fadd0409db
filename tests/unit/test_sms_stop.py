"""Which text messages stop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.consent.sms import KEYWORDS, StopReading, read_stop, stop_reply


@pytest.mark.parametrize(
    ("text", "language"),
    [("STOP.", "en"), (" stop ", "en"), ("Stopp", "de"), ("stop", "de-AT"), ("Opt-Out!", "en"), ("QUIT", "fr"),
     ("ＳＴＯＰ", "en"), ("stop\n", "pl"), ("Désabonner", "fr"), ("KÜNDIGEN", "de"), ("opt out", "xx")],
)  # fmt: skip
def test_a_stop_word_alone_stops(text: str, language: str) -> None:
    """Case 42."""
    assert read_stop(text, language) is StopReading.WHOLE


@pytest.mark.parametrize(
    ("text", "language"),
    [("please stop texting me", "en"), ("Bitte abmelden, danke", "de"), ("I want to opt-out now", "en")],
)
def test_a_stop_word_among_others_stops_and_is_read_by_a_person(text: str, language: str) -> None:
    """Case 43."""
    assert read_stop(text, language) is StopReading.PART


@pytest.mark.parametrize("text", ["", "yes", "bus stops here", "stopped by", "weekend", "?!", "nonstop"])
def test_another_message_stops_nothing(text: str) -> None:
    assert read_stop(text, "en") is StopReading.NONE


def test_words_of_one_language_do_not_count_in_another() -> None:
    assert read_stop("fin", "en") is StopReading.NONE
    assert read_stop("fin", "fr") is StopReading.WHOLE


@given(st.sampled_from(sorted(KEYWORDS["de"])), st.text(alphabet=" .,!-_?\t\n", max_size=5))
def test_punctuation_and_case_around_a_stop_word_do_not_matter(word: str, around: str) -> None:
    assert read_stop(around + word.upper() + around, "de") is StopReading.WHOLE


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert read_stop(text, "en") in StopReading


def test_the_confirmation_names_the_sender_and_falls_back_to_english() -> None:
    assert stop_reply("Lindenhof", "de-DE").startswith("Lindenhof: Sie sind abgemeldet")
    assert stop_reply("Lindenhof", "fi").startswith("Lindenhof: You are unsubscribed")
