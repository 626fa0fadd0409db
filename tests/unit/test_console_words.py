"""Every code of the domain has words in the console, and no address but our own is ever the next one."""

from datetime import date
from enum import StrEnum
from typing import Any

import pytest

from privacyops.console import words
from privacyops.console.deps import HOME, next_of, own_path
from privacyops.domain.account.action import Role
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.package.release import Check
from privacyops.domain.task import TaskKind
from privacyops.store.queue import VIEWS


@pytest.mark.parametrize(
    ("codes", "spoken"),
    [
        (RequestType, words.TYPES), (Channel, words.CHANNELS), (DsarState, words.STATES), (Outcome, words.OUTCOMES),
        (Role, words.ROLES), (ProofMethod, words.PROOFS), (TaskKind, words.TASKS), (Check, words.CHECKS),
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
