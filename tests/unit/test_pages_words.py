"""How pages write dates, due dates, sizes and untrusted text."""

from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters import pages_words as words
from privacyops.ports.pages import Scene

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BERLIN = Scene(now=NOW, zone="Europe/Berlin")
GERMAN = Scene(now=NOW, locale="de", zone="Europe/Berlin")


def clock(**changes: Any) -> dict[str, Any]:
    base = {"state": "running", "due": None, "safe_due": None, "paused_since": None, "kept_days": None}
    return base | {"rule": "GDPR Art. 12(3)"} | changes


def tag(scene: Scene = BERLIN, **changes: Any) -> dict[str, str]:
    return words.due_tag(clock(**changes), scene, NullTranslations())


def in_days(days: float) -> datetime:
    return NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "tone", "text"),
    [
        (0, "bad", "due today"),
        (3, "bad", "in 3 days"),
        (4, "warn", "in 4 days"),
        (10, "warn", "in 10 days"),
        (11, "ok", "in 11 days"),
    ],
)
def test_the_due_tag_turns_with_the_days_to_the_safe_date(days: int, tone: str, text: str) -> None:
    found = tag(safe_due=in_days(days), due=in_days(days + 2))
    assert (found["tone"], found["text"]) == (tone, text)


def test_the_due_tag_counts_days_of_the_calendar_not_of_24_hours() -> None:
    almost_midnight = datetime(2026, 11, 22, 22, 59, tzinfo=UTC)  # 23:59 in Berlin
    scene = Scene(now=almost_midnight, zone="Europe/Berlin")
    due = almost_midnight + timedelta(minutes=5)
    assert tag(scene, safe_due=due, due=due)["text"] == "in 1 day"


def test_a_safe_date_that_has_passed_is_not_called_overdue() -> None:
    found = tag(safe_due=in_days(-1), due=in_days(2))
    assert (found["text"], found["icon"]) == ("limit in 2 days", "clock")


def test_a_limit_that_has_passed_is_called_overdue() -> None:
    found = tag(safe_due=in_days(-4), due=in_days(-1))
    assert (found["text"], found["icon"], found["tone"]) == ("1 day late", "alert-triangle", "bad")


def test_a_limit_that_passed_an_hour_ago_is_overdue_today() -> None:
    assert tag(safe_due=in_days(-2), due=NOW - timedelta(hours=1))["text"] == "late since today"


@pytest.mark.parametrize(("days", "text"), [(-2, "2 days late"), (0, "today"), (1, "in 1 day"), (30, "in 30 days")])
def test_a_day_says_how_far_off_it_is(days: int, text: str) -> None:
    assert words.distance(in_days(days).date(), BERLIN, NullTranslations()) == text


def test_a_paused_clock_says_since_when_and_what_is_kept() -> None:
    found = tag(state="paused", due=in_days(9), safe_due=in_days(9), paused_since=in_days(-3), kept_days=9)
    assert (found["text"], found["line"], found["tone"]) == ("Paused · 9 days kept", "paused since 19 Nov", "inf")


def test_the_title_names_both_dates_and_the_rule_where_they_differ() -> None:
    both = tag(safe_due=in_days(24), due=in_days(26))["title"]
    assert both == "Answer by Wed 16 Dec 2026; legal limit Fri 18 Dec 2026 (GDPR Art. 12(3))"
    assert tag(safe_due=in_days(24), due=in_days(24))["title"] == "Due Wed 16 Dec 2026 (GDPR Art. 12(3))"


def test_a_request_without_a_due_date_says_so() -> None:
    assert tag(state="none")["text"] == tag()["text"] == "no due date"


def test_a_moment_of_today_is_an_hour_and_any_other_has_its_day() -> None:
    assert words.moment(NOW, BERLIN) == "10:30"
    assert words.moment(NOW - timedelta(days=2), BERLIN) == "20 Nov 10:30"
    assert words.moment(NOW - timedelta(days=400), BERLIN) == "18 Oct 2025 11:30"


def test_today_is_the_day_of_the_reader_not_of_utc() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # 00:30 on the 22nd in Berlin
    assert words.moment(late, BERLIN) == "00:30"
    assert words.moment(late, Scene(now=NOW)) == "21 Nov 23:30"


def test_dates_follow_the_language() -> None:
    assert words.day(date(2026, 12, 16), BERLIN) == "Wed 16 Dec 2026"
    assert words.day(date(2026, 12, 16), GERMAN) == "Mi. 16. Dez. 2026"
    assert words.number(1234.5, GERMAN) == "1.234,5"


def test_a_long_moment_leaves_nothing_to_guess() -> None:
    assert words.moment_long(NOW, BERLIN) == "Sun 22 Nov 2026 10:30 CET"


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (2_450_000, "2.4 MB"), (186_400_000, "186 MB")],
)
def test_sizes_are_decimal_and_short(size: int, shown: str) -> None:
    assert words.size(size, BERLIN) == shown


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\ufeff", "\x00", "\x1b", "\u2028", "\u00ad", "\U000e0041"])
def test_a_character_that_hides_itself_is_shown_by_its_code_point(hidden: str) -> None:
    assert str(words.visible(f"a{hidden}b")) == f'a<span class="ctl">U+{ord(hidden):04X}</span>b'


def test_untrusted_text_is_escaped_and_keeps_its_lines() -> None:
    assert str(words.visible("<b>&'\"\n\tx")) == "&lt;b&gt;&amp;&#39;&#34;\n\tx"


def test_a_value_that_is_too_long_is_cut_and_says_by_how_much() -> None:
    shown = str(words.visible("x" * 10_007))
    assert shown == "x" * 10_000 + '<span class="ctl">… 7 more characters</span>'


@given(st.text())
def test_no_text_ever_opens_a_tag_of_its_own(text: str) -> None:
    shown = str(words.visible(text)).replace('<span class="ctl">', "").replace("</span>", "")
    assert not set("<>\"'") & set(shown)
