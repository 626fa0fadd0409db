"""The catalog is read strictly: the files of this release are whole, and a wrong file is refused with its place."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from datetime import date
from importlib.resources import files

import pytest

from privacyops.domain.catalog import read
from privacyops.domain.catalog.confidence import Confidence, least
from privacyops.domain.catalog.deadlines import Deadlines
from privacyops.domain.catalog.incidents import Incidents
from privacyops.domain.catalog.plain_yaml import TextMalformed, parse_plain_yaml
from privacyops.domain.catalog.read import CatalogBroken, parse_catalog
from privacyops.domain.catalog.refusals_retention import RefusalsRetention
from privacyops.domain.catalog.registers_interop import RegistersInterop

FILES = {
    "deadlines.yaml": Deadlines,
    "refusals_retention.yaml": RefusalsRetention,
    "incidents.yaml": Incidents,
    "registers_interop.yaml": RegistersInterop,
}


def text_of(name: str) -> str:
    return files("privacyops.domain.catalog").joinpath(name).read_text(encoding="utf-8")


class TestPlainYaml:
    @pytest.mark.parametrize("word", ["NO", "no", "on", "Yes", "y", "off", "2026-01-01", "12:30", "0o17", "1e3"])
    def test_words_that_yaml_guesses_at_stay_text(self, word: str) -> None:
        assert parse_plain_yaml(f"value: {word}") == {"value": word}

    def test_plain_values_are_what_they_look_like(self) -> None:
        text = "{a: true, b: false, c: null, d: -3, e: 0.25, f: [], g: {}, h: ~, i:  }"
        assert parse_plain_yaml(text) == {
            "a": True,
            "b": False,
            "c": None,
            "d": -3,
            "e": 0.25,
            "f": [],
            "g": {},
            "h": None,
            "i": None,
        }

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("a: 1\na: 2", "line 2"),
            ("a: 1\n1: 2", "line 2"),
            ("a: 1\nb: [", "line"),
            ("a: !!python/object/apply:os.getcwd []", "line 1"),
            ("a: &x 1\nb: *x", "line 2: aliases"),
            ("\x00", "."),
            pytest.param("[" * 500_000, "levels", id="deep"),
            ("a: !!int x", "tag"),
        ],
    )
    def test_what_is_outside_the_plain_subset_is_refused(self, text: str, place: str) -> None:
        with pytest.raises(TextMalformed, match=place):
            parse_plain_yaml(text)


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_release_fits_its_records(name: str) -> None:
    assert parse_catalog(FILES[name], text_of(name), name).as_of == date(2026, 11, 22)


@pytest.mark.parametrize("load", [read.deadlines, read.refusals_retention, read.incidents, read.registers_interop])
def test_a_file_is_read_once(load: Callable[[], object]) -> None:
    assert load() is load()


def test_records_cannot_be_changed() -> None:
    regime = read.deadlines().regimes[0]
    with pytest.raises(FrozenInstanceError):
        regime.version = 2
    with pytest.raises(TypeError):
        regime.pause["identity"] = None


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("deadlines.yaml", "schema_version: 1", "schema_version: 2", "schema_version"),
        ("deadlines.yaml", "- id: eu_gdpr", "- {}\n- id: eu_gdpr", r"regimes\[0\]"),
        ("deadlines.yaml", "role: data_broker", "rolle: data_broker", "rolle"),
        ("deadlines.yaml", "as_of: ", "as_off: ", "as_off"),
        ("deadlines.yaml", 'valid_from: "2018-05-25"', 'valid_from: "2018-05-32"', "2018-05-32"),
        ("deadlines.yaml", "{value: 1, unit: month", '{value: "1", unit: month', "respond.value"),
        ("deadlines.yaml", "{value: 1, unit: month", "{value: true, unit: month", "respond.value"),
        ("deadlines.yaml", "{value: 1, unit: month", "{value: 0, unit: month", "at least one"),
        ("deadlines.yaml", "confidence: medium", "confidence: certain", "certain"),
        ("deadlines.yaml", 'note: "needs counsel', 'note: "ask counsel', "needs counsel"),
        ("deadlines.yaml", "calendar: uk", "calendar: gb", "gb"),
        ("deadlines.yaml", "only_for: [access]", "only_for: [acess]", "acess"),
        ("deadlines.yaml", "sources: [GDPR,", "sources: [GDPPR,", "GDPPR"),
        ("deadlines.yaml", 'applies: ["GB"]', 'applies: ["gb"]', "gb"),
        ("deadlines.yaml", "id: us_co,", "id: us_va,", "twice"),
        ("refusals_retention.yaml", "code: NO_DATA", "code: NOT_CONTROLLER", "twice"),
        ("refusals_retention.yaml", "level: 3", "level: 4", "ladder"),
        ("refusals_retention.yaml", 'country: "AT"', 'country: "DE"', "two rows"),
        ("incidents.yaml", "value: 72, unit: hour", "value: 72", "unit"),
        ("incidents.yaml", 'wording: "without undue delay", threshold', "threshold", "words of the law"),
        ("incidents.yaml", 'states: ["NY"]', 'states: ["CA"]', "two terms"),
        ("incidents.yaml", "id: uk_pecr", "id: eu_gdpr_art33", "twice"),
        ("incidents.yaml", 'very_high: "notify', 'extreme: "notify', "decision aid"),
        ("deadlines.yaml", "value: 15, unit: business_day, article", "value: 15, article", "come together"),
        ("refusals_retention.yaml", "outcomes_outside_kpi: [merged", "outcomes_outside_kpi: [lost", "does not exist"),
        ("incidents.yaml", "level: medium, at_least: 2.0", "level: medium, at_least: 9.0", "rise"),
        ("registers_interop.yaml", "executing: in_progress", "executing: busy", "busy"),
        ("registers_interop.yaml", "certain: [", 'certain: ["US-XX", ', "certain"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(name: str, old: str, new: str, place: str) -> None:
    text = text_of(name)
    assert old in text
    with pytest.raises(CatalogBroken, match=place) as broken:
        parse_catalog(FILES[name], text.replace(old, new, 1), name)
    assert str(broken.value).startswith(name)


@pytest.mark.parametrize("text", ["", "[]", "schema_version: 1", "a: ["])
def test_a_file_that_is_no_catalog_is_refused(text: str) -> None:
    with pytest.raises(CatalogBroken, match=r"x\.yaml"):
        parse_catalog(Deadlines, text, "x.yaml")


def test_a_choice_of_forms_takes_the_one_that_fits() -> None:
    assert read.deadlines().regimes[0].requests["access"] == "15"
    assert "access" in next(row for row in read.deadlines().regimes if row.id == "br_lgpd").requests


class TestFacts:
    def test_a_date_is_as_sure_as_its_least_sure_part(self) -> None:
        assert least() is Confidence.HIGH
        assert least(Confidence.HIGH, Confidence.LOW, Confidence.MEDIUM) is Confidence.LOW

    def test_norway_is_a_member_of_the_area_and_not_a_no(self) -> None:
        assert "NO" in read.deadlines().regimes[0].applies
        assert read.refusals_retention().retention_of("NO") is not None

    def test_objection_to_marketing_has_no_compelling_grounds_against_it(self) -> None:
        catalog = read.refusals_retention()
        grounds = catalog.refusal_code("COMPELLING_GROUNDS")
        assert grounds.applies_to("objection")
        assert not grounds.applies_to("objection_direct_marketing")
        assert catalog.never_refused == ("objection_direct_marketing", "consent_withdrawal")

    def test_an_unknown_refusal_code_is_not_found(self) -> None:
        with pytest.raises(KeyError):
            read.refusals_retention().refusal_code("BECAUSE")

    def test_a_country_without_a_row_has_no_retention(self) -> None:
        assert read.refusals_retention().retention_of("AQ") is None

    def test_the_worked_examples_of_severity_follow_the_formula(self) -> None:
        severity = read.incidents().severity
        for example in severity.examples:
            assert example.dpc * example.ei + example.cb == example.se
            assert severity.level_of(example.se) == example.level

    def test_every_denial_has_a_status_and_a_reason_of_the_protocol(self) -> None:
        status = read.registers_interop().protocols["drp_1_0"].status
        for row in read.refusals_retention().refusal_codes:
            name, _, reason = row.drp.partition("/")
            assert name in status
            assert not reason or reason in status[name]

    def test_every_outcome_has_a_public_status(self) -> None:
        assert set(read.registers_interop().public_status_of_outcome) == set(read.refusals_retention().outcomes)


@dataclass(frozen=True, slots=True)
class _Sample:
    """A record with a fraction and with a choice of forms."""

    number: float
    either: tuple[str, ...] | int | None = None


def test_whole_numbers_are_taken_where_fractions_are_allowed() -> None:
    assert parse_catalog(_Sample, "{schema_version: 1, number: 2}", "x").number == 2.0


@pytest.mark.parametrize("value", ["text", "true", "null", "[1]", "{a: 1}"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(CatalogBroken, match="number"):
        parse_catalog(_Sample, f"{{schema_version: 1, number: {value}}}", "x")


@pytest.mark.parametrize("value", ["text", "true", "[1]", "{a: 1}"])
def test_what_fits_no_form_of_a_choice_is_refused(value: str) -> None:
    with pytest.raises(CatalogBroken, match="either"):
        parse_catalog(_Sample, f"{{schema_version: 1, number: 1.5, either: {value}}}", "x")
