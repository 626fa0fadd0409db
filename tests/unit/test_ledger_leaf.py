"""Canonical JSON, times and commitments."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785

from privacyops.ledger.leaf import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_LEAF_BYTES,
    LeafNotCanonical,
    SubjectKey,
    canonical,
    derive_key,
    instant_of,
    instant_text,
    parse,
    to_milliseconds,
)

KEY = SubjectKey.derive(bytes(range(32)))


def test_members_are_ordered_by_utf16_units_as_in_the_rfc() -> None:
    # RFC 8785 section 3.2.3
    names = {
        "€": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\U0001f600": "Emoji: Grinning Face", "\x80": "Control", "ö": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    assert list(json.loads(canonical(names))) == ["\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33"]


def test_control_characters_are_spelled_as_in_the_rfc() -> None:
    assert canonical({"s": '€$\u000f\nA\'B"\\\\"/\x7f'}) == '{"s":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"}'.encode()


def test_the_bytes_are_those_of_an_independent_implementation() -> None:
    leaf = {"z": [1, "two", {"b": 0, "a": -(2**53) + 1}], "ü": "\t\u0001", "\U0001f600": "x", "\ue000": "y"}
    assert canonical(leaf) == rfc8785.dumps(leaf)


@pytest.mark.parametrize("value", [None, True, False, 1.0, float("nan"), b"x", object(), {1, 2}])
def test_only_strings_and_integers_stand_in_a_leaf(value: object) -> None:
    with pytest.raises(LeafNotCanonical):
        canonical({"a": value})  # type: ignore[dict-item]  # the refusal is what is tested


@pytest.mark.parametrize("value", [MAX_INTEGER + 1, -MAX_INTEGER - 1])
def test_an_integer_that_a_double_cannot_hold_is_refused(value: int) -> None:
    assert canonical({"a": MAX_INTEGER}) == b'{"a":9007199254740991}'
    with pytest.raises(LeafNotCanonical):
        canonical({"a": value})


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(LeafNotCanonical):
        canonical({"a": "\ud800"})


def test_a_member_name_that_is_no_string_is_refused() -> None:
    with pytest.raises(LeafNotCanonical):
        canonical({1: "a"})  # type: ignore[dict-item]  # the refusal is what is tested


def test_a_leaf_is_at_most_as_long_as_a_bundle_can_store() -> None:
    frame = len(b'{"a":""}')
    assert len(canonical({"a": "x" * (MAX_LEAF_BYTES - frame)})) == MAX_LEAF_BYTES
    with pytest.raises(LeafNotCanonical):
        canonical({"a": "x" * (MAX_LEAF_BYTES - frame + 1)})


def test_nesting_has_an_end() -> None:
    deep: object = "x"
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert canonical(deep)  # type: ignore[arg-type]  # built in a loop
    with pytest.raises(LeafNotCanonical):
        canonical([deep])  # type: ignore[list-item]  # built in a loop


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}\n', b'{"a":"\\u0041"}', b'{"a":1,"a":1}', b"[1]", b"",
        b'{"a":01}', b'{"a":1.0}', b'{"a":1e2}', b'{"a":-0}', b'{"a":null}', b'{"a":true}', b"\xff", b"[" * 60_000,
        b'{"a":' + b"9" * 5_000 + b"}", b'{"a":"' + b"x" * MAX_LEAF_BYTES + b'"}',
        b'\xef\xbb\xbf{"a":1}', b'{"a":NaN}',
    ],
)  # fmt: skip
def test_another_spelling_is_not_a_leaf(text: bytes) -> None:
    with pytest.raises(LeafNotCanonical):
        parse(text)


def test_a_leaf_parses_to_what_was_written() -> None:
    leaf = {"a": {"b": [1, "ä"]}, "c": 0}
    assert parse(canonical(leaf)) == leaf


def test_a_time_has_one_spelling_with_milliseconds() -> None:
    at = datetime(2026, 11, 22, 12, 0, 0, 120_999, tzinfo=timezone(timedelta(hours=2)))
    assert instant_text(at) == "2026-11-22T10:00:00.120Z"
    assert (
        instant_of("2026-11-22T10:00:00.120Z") == to_milliseconds(at) == datetime(2026, 11, 22, 10, 0, 0, 120_000, UTC)
    )


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.1200Z", "2026-11-22 10:00:00.120Z",
     "2026-11-22T10:00:00.120+00:00", "2026-02-29T10:00:00.120Z", "2026-1-22T10:00:00.120Z", ""],
)  # fmt: skip
def test_another_spelling_of_a_time_is_refused(text: str) -> None:
    with pytest.raises(LeafNotCanonical):
        instant_of(text)


def test_a_subject_commitment_differs_in_every_record() -> None:
    one = KEY.subject(controller="shop", subject_id="s_1", record_id="r1")
    assert one == KEY.subject(controller="shop", subject_id="s_1", record_id="r1")
    assert one != KEY.subject(controller="shop", subject_id="s_1", record_id="r2")
    assert one.startswith("hmac-sha256:")
    assert len(one) == 12 + 64


def test_commitments_of_one_person_use_keys_of_their_own() -> None:
    k_s = bytes(range(32))
    assert len({derive_key(k_s, label) for label in ("subject", "contact", "evidence", "chain", "seal")}) == 5


def test_a_key_that_stays_where_it_is_commits_alike() -> None:
    handed = SubjectKey.of(lambda label: derive_key(bytes(range(32)), label))
    assert handed == KEY


def test_hkdf_is_that_of_rfc_5869_under_our_salt() -> None:
    # computed with hmac alone: extract, then the first block of expand
    import hmac

    secret = bytes(range(32))
    extracted = hmac.digest(b"privacyops/v1", secret, "sha256")
    assert derive_key(secret, "chain") == hmac.digest(extracted, b"chain\x01", "sha256")


def test_the_chain_names_the_previous_leaf_and_its_place() -> None:
    first = KEY.chain(record_id="r1", state_version=1, previous=None)
    assert first != KEY.chain(record_id="r1", state_version=2, previous=None)
    assert first != KEY.chain(record_id="r1", state_version=1, previous=bytes(32))


def test_a_newline_cannot_move_a_part_of_a_commitment() -> None:
    with pytest.raises(ValueError, match="newline"):
        KEY.subject(controller="a\nb", subject_id="c", record_id="d")


def test_evidence_is_committed_in_canonical_form() -> None:
    assert KEY.evidence(record_id="r", evidence={"a": "1", "b": "2"}) == KEY.evidence(
        record_id="r", evidence={"b": "2", "a": "1"}
    )


def test_a_subject_key_does_not_show_itself() -> None:
    assert repr(KEY) == "SubjectKey()"


def test_a_short_secret_is_no_subject_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SubjectKey.derive(b"short")
