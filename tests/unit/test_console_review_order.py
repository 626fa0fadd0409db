"""Where a reviewer goes on after all records of a group were decided."""

from privacyops.console.pages.request import next_place
from privacyops.console.pages.request_view import group_id
from privacyops.domain.dsar.run import Decision
from privacyops.services.dsar.opening import FoundGroup


def group(name: str, **decisions: int) -> FoundGroup:
    return FoundGroup("shop", name, sum(decisions.values()), {Decision(key): n for key, n in decisions.items()}, {})


GROUPS = [group("a", include=1), group("b", undecided=2), group("c", include=4), group("d", undecided=1)]


def place(name: str) -> str:
    found = next(one for one in GROUPS if one.collection == name)
    return next_place(GROUPS, found, "?open=here&after=x#preview")


def test_the_next_undecided_group_opens_by_itself_and_the_search_begins_again_at_the_top() -> None:
    assert place("b") == f"?open={group_id('shop', 'd')}#preview"
    assert place("d") == f"?open={group_id('shop', 'b')}#preview"


def test_the_list_is_shown_when_nothing_is_left() -> None:
    assert next_place([GROUPS[0], GROUPS[1]], GROUPS[1], "x") == "#found"


def test_whoever_changes_a_decision_stays_where_they_are() -> None:
    assert place("c") == "?open=here&after=x#preview"
