"""A request keeps the law, the holidays and the zone that it began with."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import version

import pytest

from privacyops.domain.catalog.read import deadlines
from privacyops.domain.deadline.arithmetic import UnknownZone
from privacyops.domain.deadline.book import RuleBook
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.regime import Jurisdiction, Place, RegimeReason, select_regimes
from privacyops.domain.deadline.rule import RuleNotAccepted, RuleUnknown
from privacyops.domain.deadline.snapshot import ClockSnapshot, SnapshotMalformed

DAY = date(2026, 5, 4)
NOW = datetime(2026, 5, 20, tzinfo=UTC)
RECEIVED = ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=datetime(2026, 5, 4, 8, tzinfo=UTC))


def taken(kind: str = "access", establishment: str = "DE-BY", **more: object) -> ClockSnapshot:
    where = Jurisdiction(establishment=Place.parse(establishment), **more)
    return ClockSnapshot.take(select_regimes(kind, DAY, where)[0], "Europe/Berlin", DAY)


def test_it_names_the_rule_the_calendar_the_library_and_the_reasons() -> None:
    snapshot = taken()
    assert (snapshot.rule_id, snapshot.rule_version, snapshot.calendar_id) == ("eu_gdpr", 1, "DE-BY")
    assert snapshot.library == version("holidays")
    assert snapshot.reasons == (RegimeReason.ESTABLISHMENT,)


@pytest.mark.parametrize("kind", ["access", "nomination"])
def test_it_survives_being_written_down_as_json(kind: str) -> None:
    snapshot = taken(kind)
    again = ClockSnapshot.from_json(json.loads(json.dumps(snapshot.to_json())))
    assert again == snapshot
    assert again.fold([RECEIVED], NOW) == snapshot.fold([RECEIVED], NOW)


def test_the_result_of_a_fold_can_be_stored_as_json() -> None:
    stored = json.loads(json.dumps(taken().fold([RECEIVED], NOW).to_json()))
    assert (stored["due"], stored["due_excl_utc"]) == ("2026-06-05", "2026-06-05T22:00:00+00:00")
    assert stored["explanation"][0] == "Received on 2026-05-04, local date in Europe/Berlin."


def test_holidays_of_another_library_change_no_date_of_a_request_that_has_begun() -> None:
    row = taken().to_json()
    row["library"] = "0.1"
    row["calendar"]["holidays"]["2026"] = {"2026-06-05": "A bridge day that was"}
    before = ClockSnapshot.from_json(row).fold([RECEIVED], NOW)
    assert before.due == date(2026, 6, 4)  # Corpus Christi, which the installed library knows, was unknown
    assert taken().fold([RECEIVED], NOW).due == date(2026, 6, 5)


def test_a_new_version_of_the_law_leaves_a_request_with_its_own() -> None:
    catalog = deadlines()
    eu = next(row for row in catalog.regimes if row.id == "eu_gdpr")
    shorter = replace(eu, version=2, valid_from=date(2026, 6, 1), respond=eu.respond and replace(eu.respond, value=2))
    book = RuleBook(replace(catalog, regimes=(*catalog.regimes, shorter)))
    assert taken().fold([RECEIVED], NOW, book).due == date(2026, 6, 5)
    assert book.row_in_force("eu_gdpr", DAY).version == 1
    assert book.row_in_force("eu_gdpr", date(2026, 6, 1)).version == 2


def test_a_low_rule_refuses_until_the_snapshot_is_accepted() -> None:
    snapshot = taken(establishment="CN")
    with pytest.raises(RuleNotAccepted):
        snapshot.fold([RECEIVED], NOW)
    assert snapshot.accepted().fold([RECEIVED], NOW).rule_id == "cn_pipl"


def test_a_period_of_ones_own_is_remembered_where_the_law_gives_none() -> None:
    received = date(2027, 6, 1)
    choice = select_regimes("access", received, Jurisdiction(establishment=Place.parse("IN")))[0]
    snapshot = ClockSnapshot.take(choice, "Asia/Kolkata", received, own_period_days=30)
    event = ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=datetime(2027, 6, 1, 8, tzinfo=UTC))
    again = ClockSnapshot.from_json(snapshot.to_json())
    assert again.fold([event], datetime(2027, 6, 2, tzinfo=UTC)).due == date(2027, 7, 1)


def test_a_rule_that_the_catalog_lost_is_said_to_be_unknown() -> None:
    with pytest.raises(RuleUnknown):
        replace(taken(), rule_version=7).fold([RECEIVED], NOW)


def test_a_zone_that_does_not_exist_is_refused_at_intake() -> None:
    choice = select_regimes("access", DAY, Jurisdiction(establishment=Place.parse("DE")))[0]
    with pytest.raises(UnknownZone):
        ClockSnapshot.take(choice, "Europe/Atlantis", DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"reasons": ["whim"]},
        {"calendar": {}},
        {"calendar": None},
        {"rule_version": "one"},
        {
            "calendar": {
                "country": "DE",
                "subdivision": None,
                "holidays": {"2026": {"x": "y"}},
                "national": {},
            }
        },
    ],
)
def test_a_row_that_is_no_snapshot_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(SnapshotMalformed):
        ClockSnapshot.from_json({**taken().to_json(), **change})


def test_a_row_that_lost_a_member_is_refused() -> None:
    row = taken().to_json()
    del row["library"]
    with pytest.raises(SnapshotMalformed, match="library"):
        ClockSnapshot.from_json(row)
