"""GPP strings: the header, the US sections, and whatever is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.signals.bits import Bits, ConsentStringUndecodable
from privacyops.domain.signals.gpp import OptOut, decode_gpp
from tests.consent_strings import TcFields, fibonacci, gpp, number, web_safe

VECTOR = "DBABLA~BVVVAAAAAgA.YA"


def _national(**fields: int) -> str:
    of = {"sale": 2, "sharing": 2, "ads": 2} | fields
    bits = number(1, 6) + number(1, 2) * 6 + "".join(number(of[name], 2) for name in ("sale", "sharing", "ads"))
    return web_safe(bits + number(0, 2) * 12 + number(0, 2) * 3 + number(1, 2) + number(0, 4), to_octet=False)


def test_the_published_vector_reads_as_us_national_with_a_signal() -> None:
    said = decode_gpp(VECTOR)
    assert said.sections == (7,)
    national = said.us_national
    assert national is not None
    assert national.notices == (1,) * 6
    assert (national.sale, national.sharing, national.targeted_ads) == (OptOut.OPTED_OUT,) * 3
    assert (national.sensitive_data, national.known_child, national.personal_data) == ((0,) * 12, (0, 0), 0)
    assert national.mspa == (2, 0, 0)
    assert national.gpc is True
    assert said.is_opted_out


def test_the_vector_is_what_the_writer_of_the_tests_writes_for_its_header() -> None:
    assert gpp({7: "BVVVAAAAAgA.YA"}) == VECTOR


@given(st.integers(1, 6_000))
def test_a_number_comes_back_from_fibonacci_coding(value: int) -> None:
    assert Bits(web_safe(fibonacci(value))).fibonacci() == value


def test_fibonacci_numbers_are_written_as_the_format_shows_them() -> None:
    assert [fibonacci(value) for value in (1, 2, 3, 4, 7)] == ["11", "011", "0011", "1011", "01011"]


@given(st.sets(st.integers(13, 60), max_size=30), st.booleans())
def test_any_set_of_sections_comes_back_from_the_header(ids: set[int], to_octet: bool) -> None:
    said = decode_gpp(gpp(dict.fromkeys(ids, "BAAA"), to_octet=to_octet))
    assert said.sections == tuple(sorted(ids))
    assert not said.is_opted_out


def test_a_section_that_is_not_read_here_is_kept_as_it_came() -> None:
    said = decode_gpp(gpp({8: "BAAA.QA"}))
    assert said.raw == {8: "BAAA.QA"}
    assert said.summary() == {"sections": ["usca"], "decoded": {}, "opted_out": "no"}


@pytest.mark.parametrize("field", ["sale", "sharing", "ads"])
def test_one_opt_out_is_enough(field: str) -> None:
    assert decode_gpp(gpp({7: _national(**{field: 1})})).is_opted_out


def test_no_opt_out_and_no_signal_is_no_opt_out() -> None:
    said = decode_gpp(gpp({7: _national()}))
    assert not said.is_opted_out
    assert said.us_national is not None
    assert said.us_national.gpc is None


def test_a_signal_alone_is_an_opt_out() -> None:
    assert decode_gpp(gpp({7: _national() + "." + web_safe("011")})).is_opted_out
    assert not decode_gpp(gpp({7: _national() + "." + web_safe("010")})).is_opted_out


@pytest.mark.parametrize(("text", "opted_out"), [("1YNN", False), ("1YYN", True), ("1---", False)])
def test_the_older_us_string_is_read(text: str, opted_out: bool) -> None:
    assert decode_gpp(gpp({6: text})).is_opted_out is opted_out


def test_a_tc_string_inside_is_read_with_its_segments() -> None:
    inside = TcFields(purposes={1}, vendors={2}, disclosed={2})
    said = decode_gpp(gpp({2: inside.text(), 7: _national()}))
    assert said.tcf is not None
    assert said.tcf.consents_to(1, 2)
    decoded = said.summary()["decoded"]
    assert isinstance(decoded, dict)
    assert set(decoded) == {"tcfeuv2", "usnat"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("CBABLA~BVVVAAAAAgA.YA", "not_gpp"),
        ("DCABLA~BVVVAAAAAgA.YA", "version_unknown"),
        ("DBABLA", "sections_do_not_fit_header"),
        (VECTOR + "~1YNN", "sections_do_not_fit_header"),
        ("DBABLA~CVVVAAAAAgA.YA", "section_version_unknown"),
        ("DBABLA~BVVV", "cut_off"),
        ("DBABLA~BVV_AAAAAgA.YA", "value_undefined"),
        ("DBABLA~BVVVAAAAAgA.gA", "segment_unknown"),
        ("DBABLA~BVVVAAAAAgA.YA.YA", "segment_unknown"),
        ("DBABLA~", "empty"),
        (gpp({6: "1YNX"}), "not_us_privacy"),
        (gpp({6: "2YNN"}), "not_us_privacy"),
        (gpp({2: "C"}), "cut_off"),
        ("DBAB", "cut_off"),
        (web_safe(number(3, 6) + number(1, 6) + number(1, 12) + "0" * 40), "number_too_large"),
        (web_safe(number(3, 6) + number(1, 6) + number(1, 12) + "1" + fibonacci(1) + fibonacci(5000)),
         "too_many_sections"),
    ],
)  # fmt: skip
def test_what_is_not_a_gpp_string_is_refused_with_a_code(text: str, code: str) -> None:
    with pytest.raises(ConsentStringUndecodable) as refused:
        decode_gpp(text)
    assert refused.value.code == code


@given(st.text(max_size=200) | st.text(alphabet="DBALVYgCQ01-_.~", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        said = decode_gpp(text)
    except ConsentStringUndecodable:
        return
    assert len(said.sections) == len(said.raw)


@given(st.integers(0, len(VECTOR) - 1), st.sampled_from("AZaz09-_.~="))
def test_the_vector_with_a_changed_letter_is_read_or_refused(at: int, letter: str) -> None:
    try:
        decode_gpp(VECTOR[:at] + letter + VECTOR[at + 1 :])
    except ConsentStringUndecodable as refused:
        assert refused.code  # noqa: PT017 - some changed strings are still readable
