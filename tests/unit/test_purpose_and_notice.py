"""Purposes and notices: what may be published, and what a digest covers."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privacyops.domain.consent.explicit import EXPLICIT_METHODS, is_expressed
from privacyops.domain.consent.state import Method
from privacyops.domain.notice import LintFinding, NoticeLintFailed, NoticeVersion, Part, lint, require_publishable
from privacyops.domain.purpose import (
    Ground,
    LegalBasis,
    Period,
    PurposeFlag,
    PurposeMalformed,
    PurposeVersion,
    Regime,
    latest_material,
)

OPT_IN = Ground(LegalBasis.CONSENT, Regime.OPT_IN)
EXPLICIT = Ground(LegalBasis.EXPLICIT_CONSENT, Regime.OPT_IN)
NEWSLETTER = PurposeVersion(
    "newsletter", 3, {"en": "Newsletter", "de": "Rundbrief"}, frozenset({"email", "sms"}),
    {"*": OPT_IN, "US": Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT)},
    confirmed_in={"email": frozenset({"DE", "AT"})}, valid_for="P24M",
)  # fmt: skip
BASKET = PurposeVersion(
    "basket", 1, {"en": "Basket"}, frozenset({"web"}),
    {"*": Ground(LegalBasis.STRICTLY_NECESSARY, Regime.NONE)}, flags=frozenset({PurposeFlag.STRICTLY_NECESSARY}),
)  # fmt: skip
WORDS = {part: f"What is said about {part}" for part in Part}
NOTICE = NoticeVersion("news", 1, {"en": WORDS, "de-DE": WORDS}, ("newsletter",))


@pytest.mark.parametrize(
    ("text", "end"),
    [("P24M", "2028-11-30"), ("P3M", "2027-02-28"), ("P1Y3M", "2028-02-29"), ("P90D", "2027-02-28"),
     ("P2W", "2026-12-14"), ("P1Y", "2027-11-30")],
)  # fmt: skip
def test_a_period_is_counted_by_the_calendar(text: str, end: str) -> None:
    assert Period.parse(text).after(datetime(2026, 11, 30, tzinfo=UTC)).date().isoformat() == end


def test_health_data_rest_on_explicit_consent_or_on_no_consent_at_all() -> None:
    health = replace(
        NEWSLETTER, grounds={"DE": EXPLICIT, "CH": Ground(LegalBasis.LEGAL_OBLIGATION, Regime.NONE)},
        flags=frozenset({PurposeFlag.SPECIAL_CATEGORY}),
    )  # fmt: skip
    assert health.ground_in("FR")[0] == EXPLICIT
    assert health.ground_in("CH")[0].basis is LegalBasis.LEGAL_OBLIGATION


@pytest.mark.parametrize("method", list(Method))
def test_explicit_consent_is_a_statement_of_its_own(method: Method) -> None:
    assert is_expressed(LegalBasis.CONSENT, method)
    assert is_expressed(LegalBasis.EXPLICIT_CONSENT, method) is (method in EXPLICIT_METHODS)


def test_a_banner_or_a_box_on_the_way_is_no_statement() -> None:
    assert EXPLICIT_METHODS.isdisjoint({Method.BANNER, Method.CHECKOUT_CHECKBOX, Method.API, Method.IMPORT})


@pytest.mark.parametrize("text", ["", "P", "P0D", "24M", "PT24H", "P1.5M", "P-1M", "p24m", "P24M ", "P99999999M"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(PurposeMalformed):
        Period.parse(text)


def test_the_ground_comes_from_the_first_place_that_is_named() -> None:
    assert NEWSLETTER.ground_in("US-CA", "DE")[0].regime is Regime.OPT_OUT
    assert NEWSLETTER.ground_in(None, "DE", "US") == (OPT_IN, "DE")
    assert NEWSLETTER.ground_in(None, None) == (OPT_IN, None)
    assert replace(NEWSLETTER, grounds={"US": OPT_IN}).ground_in("FR")[0] == OPT_IN


def test_a_channel_needs_confirmation_where_the_purpose_says_so() -> None:
    assert NEWSLETTER.needs_confirmation("email", "DE")
    assert not NEWSLETTER.needs_confirmation("email", "FR")
    assert not NEWSLETTER.needs_confirmation("sms", "DE")
    assert replace(NEWSLETTER, confirmed_in={"sms": frozenset({"*"})}).needs_confirmation("sms", None)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "News Letter"}, {"version": 0}, {"titles": {}}, {"titles": {"en": ""}}, {"channels": frozenset()},
        {"channels": frozenset({"E-Mail"})}, {"grounds": {}}, {"valid_for": "soon"},
        {"confirmed_in": {"post": frozenset({"DE"})}},
        {"grounds": {"*": Ground(LegalBasis.CONSENT, Regime.NONE)}},
        {"grounds": {"*": Ground(LegalBasis.CONTRACT, Regime.OPT_IN)}},
        {"grounds": {"*": Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT)}},
        {"flags": frozenset({PurposeFlag.SPECIAL_CATEGORY})},
        {"grounds": {"*": EXPLICIT, "FR": OPT_IN}, "flags": frozenset({PurposeFlag.SPECIAL_CATEGORY})},
        {"grounds": {"*": EXPLICIT, "US": Ground(LegalBasis.EXPLICIT_CONSENT, Regime.OPT_OUT)}},
    ],
)  # fmt: skip
def test_a_purpose_that_breaks_a_rule_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PurposeMalformed):
        replace(NEWSLETTER, **change)  # type: ignore[arg-type]  # the wrong values are what is tested


def test_a_purpose_survives_being_written_down() -> None:
    for purpose in (NEWSLETTER, BASKET):
        assert PurposeVersion.of_json(purpose.to_json()) == purpose


@pytest.mark.parametrize(
    "break_it",
    [lambda b: b.pop("key"), lambda b: b.update(grounds=[]), lambda b: b.update(flags=["loud"]),
     lambda b: b.update(channels=7)],
)  # fmt: skip
def test_a_purpose_written_down_wrongly_is_refused(break_it: Callable[[dict[str, object]], object]) -> None:
    body = NEWSLETTER.to_json()
    break_it(body)
    with pytest.raises(PurposeMalformed):
        PurposeVersion.of_json(body)


def test_the_latest_material_version_is_found() -> None:
    versions = [replace(NEWSLETTER, version=n, is_material=n in (1, 3)) for n in (1, 2, 3, 4)]
    assert latest_material(versions) == 3
    assert latest_material(versions[:1]) == 0


def test_a_whole_notice_may_be_published() -> None:
    require_publishable(NOTICE, [NEWSLETTER])


def test_an_empty_part_in_one_language_forbids_publishing() -> None:
    short = replace(NOTICE, texts={"en": WORDS, "de-DE": WORDS | {Part.RIGHTS_AND_WITHDRAWAL: "  "}})
    assert lint(short, [NEWSLETTER]) == [LintFinding("part-empty", "de-DE/5.3.12 rights_and_withdrawal")]
    with pytest.raises(NoticeLintFailed) as refusal:
        require_publishable(short, [NEWSLETTER])
    assert refusal.value.members["findings"] == [{"code": "part-empty", "place": "de-DE/5.3.12 rights_and_withdrawal"}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"texts": {}}, "locale-missing"), ({"purposes": ("newsletter", "absent")}, "purpose-unpublished"),
        ({"purposes": ()}, "purpose-missing"),
        ({"bundles": (("newsletter", "basket"),)}, "optional-bundled-with-necessary"),
        ({"preselected": frozenset({"newsletter"})}, "preselected-under-opt-in"),
    ],
)  # fmt: skip
def test_what_a_notice_may_not_do_is_named(change: dict[str, object], code: str) -> None:
    found = lint(replace(NOTICE, **change), [NEWSLETTER, BASKET])  # type: ignore[arg-type]  # generated values
    assert code in {finding.code for finding in found}


def test_the_digest_covers_language_and_words_but_not_how_accents_are_composed() -> None:
    assert NOTICE.digest("en") != NOTICE.digest("de-DE")
    composed = replace(NOTICE, texts={"en": WORDS | {Part.USE: "für"}})
    decomposed = replace(NOTICE, texts={"en": WORDS | {Part.USE: unicodedata.normalize("NFD", "für")}})
    assert composed.digest("en") == decomposed.digest("en") != NOTICE.digest("en")
    assert NOTICE.ref("en").sha256 == NOTICE.digest("en")


def test_a_notice_survives_being_written_down() -> None:
    assert NoticeVersion.of_json(NOTICE.to_json()) == NOTICE
