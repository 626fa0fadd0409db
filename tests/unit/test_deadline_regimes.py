"""Which laws apply, and whose holidays count."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.clock import fold, plan_on
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.holiday_calendar import UnknownCalendar
from privacyops.domain.deadline.reckoning import Term, Unit
from privacyops.domain.deadline.regime import (
    Jurisdiction,
    Place,
    RegimeChoice,
    RegimeReason,
    UnknownPlace,
    select_regimes,
)
from privacyops.domain.deadline.rule import RuleUnknown

DAY = date(2026, 5, 4)
RECEIVED = ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=datetime(2026, 5, 4, 8, tzinfo=UTC))


def chosen(kind: str, establishment: str, residence: str | None = None, **more: object) -> dict[str, RegimeChoice]:
    where = Jurisdiction(
        establishment=Place.parse(establishment),
        residence=None if residence is None else Place.parse(residence),
        **more,
    )
    return {choice.rule.id: choice for choice in select_regimes(kind, DAY, where)}


def test_the_law_of_the_establishment_applies_where_the_residence_is_unknown() -> None:
    choices = chosen("access", "DE")
    assert list(choices) == ["eu_gdpr"]
    assert choices["eu_gdpr"].reasons == (RegimeReason.ESTABLISHMENT,)


def test_a_voluntary_law_applies_to_everybody() -> None:
    assert list(chosen("access", "DE", voluntary=("us_ca_ccpa",))) == ["eu_gdpr", "us_ca_ccpa"]


def test_a_voluntary_law_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RuleUnknown):
        chosen("access", "DE", voluntary=("atlantis",))


def test_establishment_and_residence_give_a_clock_each() -> None:
    assert list(chosen("erasure", "FR", "GB")) == ["eu_gdpr", "uk_gdpr"]


def test_access_is_the_right_to_know_in_california() -> None:
    choices = chosen("access", "FR", "US-CA")
    assert choices["us_ca_ccpa"].rule.request_type == "know_specific"
    assert choices["eu_gdpr"].rule.request_type == "access"


def test_the_right_to_know_is_access_in_europe() -> None:
    assert chosen("know_specific", "FR", "US-CA")["eu_gdpr"].rule.request_type == "access"


def test_states_look_at_the_residence_and_not_at_the_establishment() -> None:
    assert list(chosen("access", "US-CA", "US-CO")) == ["us_co"]


def test_a_right_that_no_applying_law_lists_gets_the_general_term() -> None:
    choice = chosen("nomination", "DE")["eu_gdpr"]
    assert choice.reasons == (RegimeReason.ESTABLISHMENT, RegimeReason.GENERAL_TERM)
    assert choice.rule.respond == Term(1, Unit.MONTH, rolls=True)


def test_a_law_not_yet_in_force_is_left_out() -> None:
    assert list(chosen("access", "DE", "IN")) == ["eu_gdpr"]


def test_duties_of_data_brokers_never_become_a_clock_of_a_request() -> None:
    choices = chosen("erasure", "DE", "US-CA", roles=frozenset({"data_broker"}))
    assert list(choices) == ["eu_gdpr", "us_ca_ccpa"]


def test_a_province_and_its_country_apply_side_by_side() -> None:
    assert list(chosen("access", "CA-QC")) == ["ca_pipeda", "ca_qc"]


def test_acceptance_of_a_low_rule_is_handed_in_by_name() -> None:
    assert chosen("access", "CN")["cn_pipl"].rule.needs_acceptance
    accepted = chosen("access", "CN", accepted=frozenset({"cn_pipl@1"}))
    assert not accepted["cn_pipl"].rule.needs_acceptance


def test_where_no_law_applies_there_is_no_clock() -> None:
    assert chosen("access", "US-WY", "US-WY") == {}


@pytest.mark.parametrize("code", ["UK", "EL", "de", "DEU", "", "DE_BY", "US-", "DE-TOOLONG", "DE\n"])
def test_a_code_that_iso_does_not_have_is_refused(code: str) -> None:
    with pytest.raises(UnknownPlace):
        Place.parse(code)


class TestCalendars:
    def test_holidays_of_the_establishment_count_under_european_law(self) -> None:
        assert chosen("access", "DE-BY")["eu_gdpr"].calendar.id == "DE-BY"

    def test_the_establishment_that_acts_goes_before_the_main_one(self) -> None:
        choices = chosen("access", "US-CA", "FR", acting=Place.parse("IE"))
        assert choices["eu_gdpr"].calendar.id == "IE"
        assert RegimeReason.ACTING_ESTABLISHMENT in choices["eu_gdpr"].reasons

    def test_from_outside_the_union_only_weekends_help(self) -> None:
        assert chosen("access", "US-CA", "FR")["eu_gdpr"].calendar.id == "weekends"

    def test_a_part_without_holidays_of_its_own_has_those_of_the_country(self) -> None:
        assert chosen("access", "FR-75C")["eu_gdpr"].calendar.id == "FR"

    def test_a_country_without_known_holidays_is_said_to_have_none(self) -> None:
        with pytest.raises(UnknownCalendar):
            chosen("access", "XX", voluntary=("br_lgpd", "sg_pdpa"))

    def test_a_part_of_the_kingdom_counts_its_own_bank_holidays(self) -> None:
        assert chosen("access", "GB-SCT")["uk_gdpr"].calendar.id == "GB-SCT"

    def test_from_abroad_only_bank_holidays_common_to_all_parts_help(self) -> None:
        assert chosen("access", "DE", "GB")["uk_gdpr"].calendar.id == "GB"

    def test_california_counts_federal_holidays_alone(self) -> None:
        assert chosen("access", "US-CA", "US-CA")["us_ca_ccpa"].calendar.id == "US"


class TestSeveralClocks:
    def test_the_earliest_safe_date_is_planned_on_and_both_clocks_stay(self) -> None:
        zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 5, 5, tzinfo=UTC)
        views = [
            fold([RECEIVED], choice.rule, choice.calendar, zone, now)
            for choice in chosen("access", "DE", "US-CA").values()
        ]
        assert {view.rule_id: view.safe_due for view in views} == {
            "eu_gdpr": date(2026, 6, 4),
            "us_ca_ccpa": date(2026, 6, 17),
        }
        assert plan_on(views).rule_id == "eu_gdpr"

    def test_what_each_letter_has_to_state_is_found_by_rule(self) -> None:
        stated = {
            rule_id: rule_book().row(rule_id, choice.rule.version).response_must_state
            for rule_id, choice in chosen("access", "DE", "GB").items()
        }
        assert "supervisory_authority_complaint" in stated["eu_gdpr"]
        assert "regulator_ico" in stated["uk_gdpr"]


class TestRules:
    @pytest.mark.parametrize(
        ("rule_id", "kind", "first", "extended"),
        [
            ("us_ia", "access", Term(90, Unit.CALENDAR_DAY), Term(135, Unit.CALENDAR_DAY)),
            ("us_fl", "erasure", Term(45, Unit.CALENDAR_DAY), Term(60, Unit.CALENDAR_DAY)),
            ("us_co", "appeal", Term(45, Unit.CALENDAR_DAY), Term(105, Unit.CALENDAR_DAY)),
            ("us_va", "appeal", Term(60, Unit.CALENDAR_DAY), None),
            ("us_ri", "consent_withdrawal", Term(15, Unit.CALENDAR_DAY), None),
            ("us_or", "third_party_list", Term(45, Unit.CALENDAR_DAY), Term(90, Unit.CALENDAR_DAY)),
            ("tw_pdpa", "access", Term(15, Unit.CALENDAR_DAY), Term(30, Unit.CALENDAR_DAY)),
            ("tw_pdpa", "erasure", Term(30, Unit.CALENDAR_DAY), Term(60, Unit.CALENDAR_DAY)),
            ("ar_pdpl", "rectification", Term(5, Unit.BUSINESS_DAY), None),
            ("ca_bc", "access", Term(30, Unit.BUSINESS_DAY), Term(60, Unit.BUSINESS_DAY)),
            ("in_dpdp", "grievance", Term(90, Unit.CALENDAR_DAY), None),
        ],
    )
    def test_the_terms_of_a_law_are_those_of_the_catalog(
        self, rule_id: str, kind: str, first: Term, extended: Term | None
    ) -> None:
        rule = rule_book().rule(rule_id, kind)
        assert rule.respond == first
        assert (None if rule.extension is None else rule.extension.total) == extended

    def test_every_rule_that_gives_a_number_can_be_reckoned(self) -> None:
        now = datetime(2029, 1, 1, tzinfo=UTC)
        received = ClockEvent(id="1", kind=ClockEventKind.RECEIVED, at=datetime(2028, 6, 1, tzinfo=UTC))
        reckoned = 0
        for rule_id in rule_book().ids:
            for row in rule_book().versions(rule_id):
                where = Jurisdiction(establishment=Place.parse("DE"), voluntary=(rule_id,))
                for kind in row.requests:
                    if row.respond is None and kind != "grievance":
                        continue
                    rule = rule_book().rule(rule_id, kind, row.version).accepted()
                    calendars = {c.rule.id: c.calendar for c in select_regimes(kind, date(2028, 6, 1), where)}
                    view = fold([received], rule, calendars[rule_id], ZoneInfo("Europe/Berlin"), now)
                    assert date(2028, 6, 1) <= view.safe_due <= view.due
                    reckoned += 1
        assert reckoned > 250

    def test_a_state_without_a_confirmed_appeal_has_no_clock_for_it(self) -> None:
        with pytest.raises(RuleUnknown):
            rule_book().rule("us_ut", "appeal")

    @pytest.mark.parametrize(("rule_id", "version"), [("eu_gdpr", 99), ("atlantis", 1)])
    def test_an_unknown_rule_is_said_to_be_unknown(self, rule_id: str, version: int) -> None:
        with pytest.raises(RuleUnknown):
            rule_book().rule(rule_id, "access", version)

    def test_a_type_that_no_law_has_gets_no_general_term_either(self) -> None:
        with pytest.raises(RuleUnknown):
            rule_book().general_rule("eu_gdpr", "applause", 1)

    def test_every_rule_of_the_three_main_laws_is_sure(self) -> None:
        for rule_id in ("eu_gdpr", "uk_gdpr", "us_ca_ccpa"):
            for kind in rule_book().versions(rule_id)[-1].requests:
                assert rule_book().rule(rule_id, kind).confidence is Confidence.HIGH
