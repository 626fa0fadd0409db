"""Every vector, by the command that users run; and by the rules of the catalog where the two must agree."""

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.cli.deadlines import app
from privacyops.domain.catalog.plain_yaml import parse_plain_yaml
from privacyops.domain.deadline.arithmetic import noon_utc, zone_named
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.clock import fold
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar

HERE = Path(__file__).resolve()
OWN = HERE.with_name("deadline_vectors_own.yaml")
SHARED = Path(os.environ.get("PRIVACYOPS_SHARED", HERE.parents[3] / "shared")) / "law" / "deadline_vectors.yaml"
FILES = [
    pytest.param(OWN, id="own"),
    pytest.param(
        SHARED,
        id="shared",
        marks=pytest.mark.skipif(
            not SHARED.is_file(),
            reason="no folder `shared` beside the repository; PRIVACYOPS_SHARED may name one",
        ),
    ),
]

Vector = Mapping[str, Any]


def vectors_of(path: Path) -> list[Vector]:
    found: list[Vector] = parse_plain_yaml(path.read_text(encoding="utf-8"))["vectors"]
    return found


@pytest.mark.parametrize("path", FILES)
def test_the_command_computes_every_vector_right_and_in_order(path: Path) -> None:
    result = CliRunner().invoke(app, ["compute", "--vectors", str(path), "--json"])
    assert result.exit_code == 0, result.stderr
    expected = [{"id": vector["id"], **vector["expect"]} for vector in vectors_of(path)]
    assert json.loads(result.stdout) == expected
    assert len(expected) >= 20


@pytest.mark.parametrize("path", FILES)
def test_the_expected_values_are_not_read(path: Path, tmp_path: Path) -> None:
    vectors = vectors_of(path)
    blank = [{**vector, "expect": dict.fromkeys(vector["expect"])} for vector in vectors]
    asked = tmp_path / "blank.json"  # JSON is YAML
    asked.write_text(json.dumps({"vectors": blank}), encoding="utf-8")
    result = CliRunner().invoke(app, ["compute", "--vectors", str(asked), "--json"])
    assert json.loads(result.stdout) == [{"id": vector["id"], **vector["expect"]} for vector in vectors]


# What a request of that law would have recorded, for the events of a vector.
_EVENTS = {
    ("restart", "identity"): ("identity_asked", "identity_proved"),
    ("pause", "identity"): ("identity_asked", "identity_proved"),
    ("pause", "clarification"): ("clarification_asked", "clarification_received"),
    ("extension_notice", None): ("extension_notice_sent",),
}
_SAME_NAME = ("local_received", "unrolled", "due", "safe_due", "ack_due", "extended_due", "extension_notice_due")


def recorded(vector: Vector) -> list[ClockEvent]:
    zone = zone_named(vector["tz"])
    received = datetime.fromisoformat(vector["received_at"])
    events = [ClockEvent(id="received", kind=ClockEventKind.RECEIVED, at=received)]
    for number, row in enumerate(vector.get("events", [])):
        if row["type"] == "note":
            continue
        kinds = _EVENTS[row["type"], row.get("reason")]
        if row["type"] == "pause":
            moments = [noon_utc(date.fromisoformat(row[end]), zone) for end in ("from", "to")]
        elif row["type"] == "restart":
            moments = [received, noon_utc(date.fromisoformat(row["date"]), zone)]
        else:
            moments = [noon_utc(date.fromisoformat(row["date"]), zone)]
        events += [
            ClockEvent(id=f"{number}.{kind}", kind=ClockEventKind(kind), at=moment)
            for kind, moment in zip(kinds, moments, strict=True)
        ]
    return events


@pytest.mark.parametrize("path", FILES)
def test_a_request_under_the_rules_of_the_catalog_has_the_dates_of_the_vectors(path: Path) -> None:
    book, compared = rule_book(), 0
    for vector in vectors_of(path):
        regime = vector["regime"]
        kind = "know_specific" if regime == "us_ca_ccpa" else "access"
        kind = "opt_out_sale_share" if vector["kind"] == "bdays" and regime == "us_ca_ccpa" else kind
        if regime.endswith("_appeal"):
            regime, kind = regime.removesuffix("_appeal"), "appeal"
        elif regime in ("uk_gdpr_complaint", "in_dpdp_grievance"):
            regime, _, kind = regime.rpartition("_")
        if vector["kind"] == "breach72" or regime not in book.ids or regime == "us_ca_delete_act":
            continue
        place = vector.get("calendar", {"country": "KR"})
        calendar = HolidayCalendar.of(place["country"], place.get("subdiv"))
        rule = book.rule(regime, kind)
        now = noon_utc(date(2029, 1, 1), zone_named(vector["tz"]))
        view = fold(recorded(vector), rule, calendar, zone_named(vector["tz"]), now)
        for key, value in vector["expect"].items():
            if key in _SAME_NAME:
                assert str(getattr(view, key)) == value, (vector["id"], key)
            elif key == "extension_valid":
                assert view.extension_valid is value, vector["id"]
            elif key == "due_excl_utc":
                assert f"{view.due_excl_utc:%Y-%m-%dT%H:%MZ}" == value, vector["id"]
        compared += 1
    assert compared >= 15
