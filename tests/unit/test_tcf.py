"""TC strings against an independent decoder, and by themselves where that decoder is too lenient."""

from datetime import UTC, datetime
from typing import Any

import iab_tcf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from privacyops.domain.signals.bits import LONGEST, ConsentStringUndecodable
from privacyops.domain.signals.tcf import Restriction, TcString, decode_tcf
from privacyops.kernel.clock import require_utc
from tests.consent_strings import TcFields, bitfield, letters, made_up, number, ranges, web_safe

AGREED = TcFields(
    purposes={1, 3}, vendors={2, 7, 900}, disclosed={2, 7, 8}, restrictions=[(3, 0, {7})], features={1},
)  # fmt: skip


def _ids_of(entries: Any, max_id: int) -> list[int]:
    """Vendors as the oracle keeps them: a dictionary for bit fields, pairs for ranges."""
    if isinstance(entries, dict):
        return [vendor for vendor, is_set in entries.items() if is_set]
    return sorted({vendor for first, last in entries for vendor in range(first, last + 1) if vendor <= max_id})


def _set_of(field: dict[int, bool]) -> set[int]:
    return {place for place, is_set in field.items() if is_set}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
@pytest.mark.parametrize("seed", range(200))
def test_a_reference_string_reads_as_the_independent_decoder_reads_it(seed: int) -> None:
    made = made_up(seed)
    ours, theirs = decode_tcf(made.text()), iab_tcf.decode_v2(made.text())
    assert _core_facts(ours) == (
        theirs.version, theirs.created.replace(tzinfo=UTC), theirs.last_updated.replace(tzinfo=UTC), theirs.cmp_id,
        theirs.cmp_version, theirs.consent_screen, theirs.consent_language.decode(), theirs.vendor_list_version,
        theirs.tcf_policy_version, bool(theirs.is_service_specific), bool(theirs.use_non_standard_stacks),
        bool(theirs.purpose_one_treatment), theirs.publisher_cc.decode(),
    )  # fmt: skip
    assert ours.special_features == _set_of(theirs.special_features_optin)
    assert ours.purpose_consents == _set_of(theirs.purposes_consent)
    assert ours.purpose_legitimate_interests == _set_of(theirs.purposes_legitimate_interests)
    consented = theirs.consented_vendors_range if theirs.is_consent_range_encoding else theirs.consented_vendors
    assert ours.vendor_consents.ids() == _ids_of(consented, theirs.max_consent_vendor_id)
    interests = theirs.interests_vendors_range if theirs.is_interests_range_encoding else theirs.interests_vendors
    assert ours.vendor_legitimate_interests.ids() == _ids_of(interests, theirs.max_interests_vendor_id)
    assert [(one.purpose, one.restriction, one.vendors.ids()) for one in ours.restrictions] == [
        (one.purpose_id, one.restriction_type, _ids_of(one.restrictions_range, 65_535))
        for one in theirs.pub_restriction_entries
    ]


def _core_facts(ours: TcString) -> tuple[Any, ...]:
    return (
        ours.version, ours.created.replace(microsecond=0), ours.last_updated.replace(microsecond=0), ours.cmp_id,
        ours.cmp_version, ours.consent_screen, ours.language, ours.vendor_list_version, ours.policy_version,
        ours.is_service_specific, ours.uses_non_standard_texts, ours.purpose_one_treatment, ours.publisher_country,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_segments_say_what_was_written_into_them(seed: int) -> None:
    made = made_up(seed)
    ours = decode_tcf(made.text())
    assert (ours.disclosed is None) == (made.disclosed is None)
    assert ours.disclosed is None or set(ours.disclosed.ids()) == made.disclosed
    assert (ours.allowed is None) == (made.allowed is None)
    assert ours.allowed is None or set(ours.allowed.ids()) == made.allowed
    assert (ours.publisher is None) == (made.publisher is None)
    if ours.publisher and made.publisher:
        said = ours.publisher
        kept = [said.consents, said.legitimate_interests, said.custom_consents, said.custom_legitimate_interests]
        assert [set(ids) for ids in kept] == [made.publisher[0], made.publisher[1], *made.publisher[3:]]


def test_a_time_keeps_its_tenth_of_a_second() -> None:
    assert decode_tcf(AGREED.text()).created == datetime.fromtimestamp(1_763_985_600, UTC).replace(microsecond=100_000)


def test_a_vendor_has_consent_for_a_purpose_that_it_and_the_purpose_were_given() -> None:
    said = decode_tcf(AGREED.text())
    assert said.consents_to(1, 2)
    assert not said.consents_to(2, 2), "the purpose was not given"
    assert not said.consents_to(1, 9), "the vendor was not given"
    assert not said.consents_to(1, 0)


def test_a_vendor_that_was_not_disclosed_has_no_consent() -> None:
    assert not decode_tcf(AGREED.text()).consents_to(1, 900)


def test_a_publisher_can_bar_a_vendor_from_a_purpose() -> None:
    said = decode_tcf(AGREED.text())
    assert said.restrictions[0].restriction is Restriction.NOT_ALLOWED
    assert said.consents_to(1, 7)
    assert not said.consents_to(3, 7)


@pytest.mark.parametrize(
    ("day", "lacks"), [(datetime(2026, 2, 27, 23, tzinfo=UTC), False), (datetime(2026, 2, 28, tzinfo=UTC), True)]
)
def test_without_disclosed_vendors_a_string_of_after_february_2026_consents_to_nothing(
    day: datetime, lacks: bool
) -> None:
    said = decode_tcf(TcFields(updated=int(day.timestamp() * 10), purposes={1}, vendors={2}).text())
    assert said.lacks_disclosure is lacks
    assert said.consents_to(1, 2) is not lacks
    assert said.summary()["valid"] == ("no" if lacks else "yes")


def test_the_summary_counts_vendors_and_lists_purposes() -> None:
    summary = decode_tcf(AGREED.text()).summary()
    assert (summary["purpose_consents"], summary["vendor_consents"], summary["disclosed_vendors"]) == ([1, 3], 3, 3)
    assert summary["publisher_country"] == "DE"


CORE = AGREED.text().split(".")[0]
NINE = number(1, 3) + number(9, 16) + "1" + number(1, 12)
"""A segment of disclosed vendors up to 9, with one range to follow."""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (".", "empty"),
        (CORE + ".", "empty"),
        (CORE[:20], "cut_off"),
        ("B" + CORE[1:], "version_unknown"),
        ("é" + CORE, "not_base64"),
        (CORE + "=", "not_base64"),
        (CORE + " ", "not_base64"),
        ("C" * (LONGEST + 1), "too_long"),
        (CORE + "." + web_safe(number(1, 3) + number(0, 17)) * 2, None),
        (CORE + "." + web_safe(number(5, 3) + number(0, 17)), "segment_unknown"),
        (CORE + ("." + web_safe(number(1, 3) + number(0, 17))) * 2, "segment_twice"),
        (CORE + "." + web_safe(NINE + "1" + number(5, 16) + number(4, 16)), "range_backwards"),
        (CORE + "." + web_safe(NINE + "0" + number(0, 16)), "range_backwards"),
        (CORE + "." + web_safe(number(1, 3) + number(3, 16) + "1" + ranges({4})), "vendor_above_maximum"),
        (CORE[:18] + "_" + CORE[19:], "not_letters"),
    ],
)  # fmt: skip
def test_what_is_not_a_tc_string_is_refused_with_a_code(text: str, code: str | None) -> None:
    if code is None:
        assert decode_tcf(text).disclosed is not None, "what follows the last field is padding"
        return
    with pytest.raises(ConsentStringUndecodable) as refused:
        decode_tcf(text)
    assert refused.value.code == code
    assert refused.value.members == {"code": code}


@given(st.text(max_size=300) | st.text(alphabet="CPABcd01-_.~", max_size=300))
@example("C" + "A" * 60)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        said = decode_tcf(text)
    except ConsentStringUndecodable:
        return
    assert require_utc(said.created) == said.created
    assert said.version == 2


@given(st.integers(0, 199), st.data())
def test_a_reference_string_with_a_changed_letter_is_read_or_refused(seed: int, data: st.DataObject) -> None:
    text = made_up(seed).text()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("AZaz09-_.~=")) + text[at + 1 :]
    try:
        decode_tcf(changed)
    except ConsentStringUndecodable as refused:
        assert refused.code  # noqa: PT017 - most changed strings are still readable


def test_a_string_of_the_largest_size_full_of_wide_ranges_is_read_quickly() -> None:
    wide = "1" + number(1, 16) + number(65_535, 16)
    head = CORE + "." + web_safe(number(1, 3) + number(65_535, 16) + "1" + number(2_900, 12) + wide * 2_900)
    assert len(head) <= LONGEST
    said = decode_tcf(head)
    assert said.disclosed is not None
    assert len(said.disclosed) == 65_535


def test_the_writer_of_the_tests_fills_letters_and_fields_as_the_format_says() -> None:
    assert (letters("AZ"), bitfield({1, 3}, 4), number(5, 6)) == ("000000011001", "1010", "000101")
