"""`privacyops deadlines compute` on files that are wrong: status 2, and the vector that is to blame."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.cli.deadlines import app

RUN = CliRunner()
GOOD: dict[str, Any] = {
    "id": "V-1",
    "kind": "month",
    "tz": "Europe/Berlin",
    "calendar": {"country": "DE"},
    "received_at": "2026-05-04T09:00:00+02:00",
    "expect": {"due": None},
}
DAYS: dict[str, Any] = {**GOOD, "kind": "days", "rule": {"days": 30}}
BREACH: dict[str, Any] = {
    "id": "V-1",
    "kind": "breach72",
    "tz": "Europe/Berlin",
    "aware_at": "2026-06-12T17:20:00+02:00",
    "expect": {"strict": None},
}


def write(folder: Path, *vectors: object) -> str:
    path = folder / "vectors.yaml"
    path.write_text(json.dumps({"vectors": vectors}), encoding="utf-8")
    return str(path)


def test_a_good_vector_is_computed(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["compute", "--vectors", write(tmp_path, GOOD), "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [{"id": "V-1", "due": "2026-06-04"}])


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ({**GOOD, "kind": "weeks"}, "weeks"),
        ({**GOOD, "kind": None}, "kind"),
        ({**GOOD, "kind": ["month"]}, "kind"),
        ({**GOOD, "expect": {"dew": None}}, "dew"),
        ({**GOOD, "expect": {"strict": None}}, "strict"),
        ({**GOOD, "expect": {"ack_due": None}}, "ack_due"),
        ({**GOOD, "expect": ["due"]}, "expect"),
        ({**GOOD, "colour": "red"}, "colour"),
        ({**GOOD, "tz": "Europe/Atlantis"}, "Atlantis"),
        ({**GOOD, "tz": None}, "tz"),
        ({**GOOD, "calendar": {"country": "XX"}}, "XX"),
        ({**GOOD, "calendar": {"country": "DE", "subdiv": "QQ"}}, "DE-QQ"),
        ({**GOOD, "calendar": {"country": "DE", "city": "Ulm"}}, "city"),
        ({**GOOD, "calendar": {"country": False}}, "country"),
        ({**GOOD, "calendar": None}, "calendar"),
        ({**GOOD, "received_at": "2026-05-04T09:00:00"}, "offset"),
        ({**GOOD, "received_at": "2026-13-04T09:00:00+02:00"}, "instant"),
        ({**GOOD, "received_at": "9999-12-31T23:59:59+02:00"}, "9999"),
        ({**GOOD, "received_at": None}, "received_at"),
        ({**GOOD, "events": [{"type": "party"}]}, "party"),
        ({**GOOD, "events": [{"type": ["note"]}]}, "event"),
        ({**GOOD, "events": "none"}, "events"),
        ({**GOOD, "events": ["note"]}, "events"),
        ({**GOOD, "events": [{"type": "restart", "date": "2026-02-30"}]}, "date"),
        ({**GOOD, "events": [{"type": "restart", "day": "2026-05-05"}]}, "day"),
        (
            {**GOOD, "events": [{"type": "pause", "method": "stop", "from": "2026-05-05", "to": "2026-05-06"}]},
            "stop",
        ),
        (
            {
                **GOOD,
                "events": [{"type": "pause", "method": "shift_exclusive", "from": "2026-05-07", "to": "2026-05-06"}],
            },
            "ends before it begins",
        ),
        ({**DAYS, "rule": {}}, "days"),
        ({**DAYS, "rule": {"weeks": 3}}, "weeks"),
        ({**DAYS, "rule": {"days": "30"}}, "days"),
        ({**DAYS, "rule": {"days": True}}, "days"),
        ({**DAYS, "rule": {"days": -1}}, "days"),
        ({**DAYS, "rule": {"days": 10**12}}, "days"),
        ({**DAYS, "rule": {"days": 30, "safe": "exclude"}}, "exclude"),
        ({**DAYS, "rule": {"days": 30, "roll": "maybe"}}, "roll"),
        ({**DAYS, "rule": 30}, "rule"),
        ({**BREACH, "tz": "Europe"}, "Europe"),
        ({**BREACH, "aware_at": "2026-06-12"}, "offset"),
        ({**BREACH, "expect": {"due": None}}, "due"),
    ],
)
def test_a_wrong_vector_is_named_on_standard_error(tmp_path: Path, vector: object, said: str) -> None:
    good = {**GOOD, "id": "V-0"}
    result = RUN.invoke(app, ["compute", "--vectors", write(tmp_path, good, vector), "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("V-1: ")
    assert said in result.stderr


def test_a_vector_without_an_id_is_named_by_its_number(tmp_path: Path) -> None:
    nameless = {key: value for key, value in GOOD.items() if key != "id"}
    result = RUN.invoke(app, ["compute", "--vectors", write(tmp_path, GOOD, nameless), "--json"])
    assert result.exit_code == 2
    assert "number 2" in result.stderr


def test_an_id_occurs_once(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["compute", "--vectors", write(tmp_path, GOOD, GOOD)])
    assert result.exit_code == 2
    assert "V-1" in result.stderr


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"vectors: text", b"vectors: [", b"\xff\xfe\x00", b"vectors: [5]", b"a: 1\na: 2"]
)
def test_a_file_that_holds_no_vectors_is_refused_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    result = RUN.invoke(app, ["compute", "--vectors", str(path), "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert RUN.invoke(app, ["compute", "--vectors", str(tmp_path / "none.yaml")]).exit_code == 2


def test_an_unquoted_norway_is_a_country(tmp_path: Path) -> None:
    path = tmp_path / "norway.yaml"
    path.write_text(
        "vectors:\n"
        "- {id: N, kind: month, tz: Europe/Oslo, calendar: {country: NO},"
        " received_at: 2026-04-17T09:00:00+02:00, expect: {due: }}\n",
        encoding="utf-8",
    )
    result = RUN.invoke(app, ["compute", "--vectors", str(path), "--json"])
    assert json.loads(result.stdout) == [{"id": "N", "due": "2026-05-18"}]


def test_the_table_shows_what_was_computed(tmp_path: Path) -> None:
    vector = {**GOOD, "expect": {"due": "1999-01-01", "extension_valid": None}}
    result = RUN.invoke(app, ["compute", "--vectors", write(tmp_path, vector)])
    assert "2026-06-04" in result.stdout
    assert "1999-01-01" not in result.stdout


class TestRules:
    def test_every_rule_is_listed_with_how_sure_it_is(self) -> None:
        rows = json.loads(RUN.invoke(app, ["rules", "--json"]).stdout)
        sure = {row["key"]: row["confidence"] for row in rows}
        assert (sure["eu_gdpr@1"], sure["us_ct@1"], sure["cn_pipl@1"]) == ("high", "medium", "low")
        assert len(sure) == len(rows) >= 48

    def test_a_rule_that_is_not_sure_says_what_counsel_looks_at(self) -> None:
        rows = json.loads(RUN.invoke(app, ["rules", "--json"]).stdout)
        doubtful = [row for row in rows if row["confidence"] != "high"]
        assert doubtful
        assert all(row["note"].startswith("needs counsel") for row in doubtful)

    def test_the_table_names_the_terms(self) -> None:
        shown = RUN.invoke(app, ["rules"], env={"COLUMNS": "160"}).stdout
        assert "45 calendar days" in shown
        assert "named in the notice" in shown
