"""Every code of the domain has words in the console, and no address but our own is ever the next one."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import pytest

from privacyops.console import hit_words, task_words, words
from privacyops.console.deps import HOME, next_of, own_path
from privacyops.console.pages import datamap
from privacyops.console.pages.publishing import changes
from privacyops.domain.account.action import Role
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.classification.kinds import Category
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.datamap.catalogue import CollectionClass
from privacyops.domain.datamap.drift import DriftKind
from privacyops.domain.datamap.link import LinkKind, Ownership
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.domain.dsar.record import StoredFinding
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.package.release import Check
from privacyops.domain.task import TaskKind
from privacyops.kernel.ids import DsarId, FindingId
from privacyops.store.queue import VIEWS


@pytest.mark.parametrize(
    ("codes", "spoken"),
    [
        (RequestType, words.TYPES), (Channel, words.CHANNELS), (DsarState, words.STATES), (Outcome, words.OUTCOMES),
        (Role, words.ROLES), (ProofMethod, words.PROOFS), (TaskKind, task_words.TASKS), (Check, words.CHECKS),
        (SuppressionReason, words.SUPPRESSIONS), (Channel, words.CAME_BY), (LinkKind, datamap.KINDS),
        (Ownership, datamap.WHOSE), (DriftKind, datamap.DRIFTS), (CollectionClass, datamap.CLASSES),
        (Category, datamap.CATEGORIES),
    ],
)  # fmt: skip
def test_each_code_has_words(codes: type[StrEnum], spoken: dict[str, Any]) -> None:
    assert set(codes) == set(spoken)


def test_each_view_of_the_queue_has_words() -> None:
    assert tuple(words.VIEWS) == VIEWS


def test_each_ground_for_withholding_a_part_has_words() -> None:
    partial = {code.code for code in refusals_retention().refusal_codes if code.partial}
    assert partial == set(words.WITHHOLDING)


def test_a_day_reads_as_in_the_templates() -> None:
    assert words.day(date(2026, 12, 16)) == "Wed 16 Dec 2026"


@pytest.mark.parametrize("path", ["/console", "/console/requests?view=soon&after=2026-11-22_0193", "/setup"])
def test_paths_of_ours_are_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//x.example",
        "/console//x.example",
        "/\\x.example",
        "https://x.example",
        "/consolex",
        "/console/\n",
        "/v1",
    ],
)
def test_other_addresses_become_home(path: str) -> None:
    assert own_path(path) == HOME


def test_the_next_page_travels_escaped() -> None:
    assert next_of("/console/requests?view=soon") == "?next=/console/requests%3Fview%3Dsoon"


@pytest.mark.parametrize(
    ("iso", "said"),
    [
        ("P6M", "6 months"), ("P24M", "24 months"), ("P1Y6M", "1 year 6 months"), ("P1D", "1 day"), ("P2W", "2 weeks"),
        ("P5Y", "5 years"), ("", ""),
    ],
)  # fmt: skip
def test_a_period_is_told_in_words_and_read_back_as_it_was(iso: str, said: str) -> None:
    assert words.period(iso) == said
    assert words.period_of(said) == iso
    assert words.period_of(iso) == iso


@pytest.mark.parametrize(
    ("typed", "iso"), [(" 2 Years, 3 months ", "P2Y3M"), ("1month", "P1M"), ("two years", "two years"), (",", ",")]
)
def test_a_period_is_read_as_people_type_it_or_left_to_its_rule(typed: str, iso: str) -> None:
    assert words.period_of(typed) == iso


@pytest.mark.parametrize("text", ["P", "P0M", "as long as the contract runs", "PT4H"])
def test_what_is_no_period_of_days_and_longer_is_shown_as_it_stands(text: str) -> None:
    assert words.period(text) == text


def test_a_changed_period_is_told_in_words_on_both_sides() -> None:
    told = changes({"valid_for": "P24M", "retention": None}, {"valid_for": "P6M", "retention": None})
    assert [one["text"] for one in told] == ["valid_for: 24 months", "valid_for: 6 months"]


def test_a_hit_that_proves_nothing_says_why() -> None:
    def told(match: str, tier: str, reason: str | None, *via: str) -> tuple[str, str]:
        at, id_ = datetime(2026, 11, 22, tzinfo=UTC), uuid4()
        found = StoredFinding(
            id=FindingId(id_), dsar_id=DsarId(id_), store="shop", collection="orders", row_ref=b"", tier=tier,
            match=match, columns=(), via=via, persons_mentioned=0, sealed=None, decision=Decision.UNDECIDED,
            reason=reason, decided_by=None, decided_at=None, found_at=at,
        )  # fmt: skip
        return hit_words.match_of(found), hit_words.way_of(found)

    assert told("exact", "owned", None, "orders.email") == ("exact", "orders.email")
    assert told("exact", "owned", "THIRD_PARTY_RIGHTS") == ("exact", "found directly")
    sure, why = told("exact", "candidate", "contradicted", "orders.email")
    assert (sure, "somebody else's: orders.email" in why) == ("exact, unsure", True)
    assert told("text", "owned", None, "a.b") == ("free text", "A text names the person: a.b")
