"""The checks before release."""

from dataclasses import replace

from privacyops.domain.package.manifest import BuiltPackage, FileFacts
from privacyops.domain.package.release import (
    Check,
    OpenPoint,
    OpenPointKind,
    blocks_release,
    failed_checks,
)

CLEAN = FileFacts("csv/shop/orders.csv", "text/csv", 10, "0" * 64, 1)


def built(*files: FileFacts, size: int = 1000) -> BuiltPackage:
    return BuiltPackage("your-data-PR-Q83D", size, "0" * 64, "0" * 64, "key", files)


def test_a_clean_package_fails_nothing() -> None:
    assert failed_checks(built(CLEAN)) == ()


def test_an_undecided_finding_blocks_and_names_its_file() -> None:
    failed = failed_checks(built(CLEAN), [OpenPoint(OpenPointKind.UNDECIDED, CLEAN.path)])
    assert [(one.check, one.file) for one in failed] == [(Check.NO_UNDECIDED_FINDING, CLEAN.path)]
    assert blocks_release(failed)


def test_an_open_third_party_blocks() -> None:
    failed = failed_checks(built(CLEAN), [OpenPoint(OpenPointKind.THIRD_PARTY, CLEAN.path)])
    assert [one.check for one in failed] == [Check.NO_THIRD_PARTY_OPEN]


def test_a_secret_blocks_until_a_person_clears_that_file_and_field() -> None:
    package = built(replace(CLEAN, secrets=("note:card_number",)))
    assert [one.check for one in failed_checks(package)] == [Check.NO_SECRETS]
    assert failed_checks(package, cleared=frozenset({(CLEAN.path, "note:card_number")})) == ()
    assert failed_checks(package, cleared=frozenset({("csv/shop/other.csv", "note:card_number")})) != ()


def test_a_cell_that_could_be_computed_blocks() -> None:
    assert [one.check for one in failed_checks(built(replace(CLEAN, formulas=("note",))))] == [Check.CSV_SAFE]


def test_a_page_that_loads_something_blocks() -> None:
    page = replace(CLEAN, path="html/shop/orders.html", active=("element_script",))
    assert [one.check for one in failed_checks(built(page))] == [Check.OPENS_OFFLINE]


def test_a_link_to_a_file_that_is_not_there_blocks() -> None:
    page = replace(CLEAN, path="START-HERE.html", links=frozenset({"letter.pdf", CLEAN.path}))
    failed = failed_checks(built(page, CLEAN))
    assert [(one.check, one.fault) for one in failed] == [(Check.OPENS_OFFLINE, "link_leads_nowhere")]


def test_an_unsafe_or_doubled_name_blocks() -> None:
    failed = failed_checks(built(replace(CLEAN, path="../x.csv"), CLEAN, replace(CLEAN, path="CSV/shop/orders.csv")))
    assert [one.fault for one in failed] == ["unsafe_name", "name_twice"]


def test_size_warns_over_500_mb_and_blocks_over_2_gb() -> None:
    assert failed_checks(built(CLEAN, size=499 * 1000**2)) == ()
    warned = failed_checks(built(CLEAN, size=501 * 1000**2))
    assert [one.check for one in warned] == [Check.SIZE]
    assert not blocks_release(warned)
    assert blocks_release(failed_checks(built(CLEAN, size=2001 * 1000**2)))
