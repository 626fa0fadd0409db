"""Which rows are papers by amounts among named values, what of these values stays, and what waits for a person."""

from dataclasses import replace

import pytest

from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import AMOUNTS, Collection, CollectionClass, Field, FieldType, Shape
from privacyops.domain.datamap.codec import map_from_json, map_to_json
from privacyops.domain.datamap.configured import MapMalformed, apply_map
from privacyops.domain.datamap.link import Link, LinkKind, Ownership
from privacyops.domain.erasure.deciding import Decided, Rules, decide
from privacyops.domain.erasure.intent import Stance
from privacyops.domain.erasure.named import AMOUNT_UNSEEN, described_dealings, says_nothing
from privacyops.domain.finding.model import Finding, FindingTier, Match, begin
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.record import RowRef, Value

LAW = refusals_retention()
ADA = Identifier(IdentifierKind.EMAIL, "ada@example.org")
KEY = Field("id", FieldType.INTEGER, nullable=False)
POSTS = Collection(
    "posts", key=("id",), cls=CollectionClass.ACTIVITY, retain="invoice", retain_if=AMOUNTS,
    fields=(KEY, Field("title", FieldType.TEXT)),
)  # fmt: skip
META = Collection(
    "meta", key=("id",), cls=CollectionClass.DETAIL, named=("meta_key", "meta_value"),
    fields=(KEY, Field("post_id", FieldType.INTEGER), Field("meta_key", FieldType.TEXT),
            Field("meta_value", FieldType.TEXT, shape=Shape.FREE_TEXT)),
)  # fmt: skip
LINES = Collection("lines", key=("id",), cls=CollectionClass.DETAIL, fields=(KEY, Field("post_id", FieldType.INTEGER)))
LINKS = tuple(
    Link(name, ("post_id",), "posts", ("id",), LinkKind.CONFIGURED, Ownership.OWNED, confidence=1.0)
    for name in ("meta", "lines")
)
MAP = DataMap("shop", (POSTS, META, LINES), LINKS)


def found(name: str, tier: FindingTier = FindingTier.OWNED, **row: Value) -> Finding:
    return Finding(RowRef("shop", name, {"id": row["id"]}), tier, Match.LINKED, (), (), row)


def decided(*findings: Finding, drawn: DataMap = MAP) -> Decided:
    return decide(findings, drawn, begin("shop", (ADA,)), Rules(LAW, region="DE"))


POST = found("posts", id=7, title="Order")
LINE = found("lines", id=1, post_id=7)
TOTAL: dict[str, Value] = {"id": 3, "post_id": 7, "meta_key": "_order_total", "meta_value": "9.50"}


def test_a_row_with_an_amount_is_kept_with_its_lines_and_one_without_goes() -> None:
    assert {one.stance for one in decided(POST, LINE, found("meta", **TOTAL)).intents} == {Stance.KEEP}
    assert {one.stance for one in decided(POST, LINE).intents} == {Stance.DELETE}
    named_so = found("meta", **{**TOTAL, "meta_key": "colour"})
    assert {one.stance for one in decided(POST, LINE, named_so).intents} == {Stance.DELETE}
    anothers = found("meta", **{**TOTAL, "post_id": 8})
    assert next(one for one in decided(POST, anothers).intents if one.ref == POST.ref).stance is Stance.DELETE


@pytest.mark.parametrize("drawn", [MAP, DataMap("shop", (POSTS, replace(META, named=()), LINES), LINKS)])
def test_what_may_be_a_paper_waits_for_a_person_with_its_lines(drawn: DataMap) -> None:
    tier = FindingTier.CANDIDATE if drawn is MAP else FindingTier.OWNED
    after = decided(POST, LINE, found("meta", tier, **TOTAL), drawn=drawn)
    waiting = {(one.ref.collection, one.code) for one in after.undecided}
    assert {("posts", AMOUNT_UNSEEN), ("lines", AMOUNT_UNSEEN)} <= waiting
    assert not after.intents


def test_amounts_that_go_with_what_they_describe_are_told() -> None:
    drawn = DataMap("shop", (replace(POSTS, retain="", retain_if=""), META, LINES), LINKS)
    after = decided(POST, found("meta", **TOTAL), drawn=drawn)
    assert set(described_dealings(after.intents, drawn)) == {"posts"}
    assert not set(described_dealings(decided(POST, drawn=drawn).intents, drawn))


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("_order_total", "9.50", True), ("_order_tax", "1,90", True), ("_order_currency", "EUR", True),
        ("_payment_method", "cod", True), ("_order_key", "wc_order_1", True), ("_qty", "2", True),
        ("_date_paid", "1767348000", True), ("_paid_date", "2026-01-02 10:00:00", True), ("_tax_exempt", "no", True),
        ("_product_id", "77", True), ("_line_tax_data", 'a:1:{s:5:"total";s:3:"1.2";}', True),
        ("_line_tax_data", "of Ada", False), ("_billing_email", "x", False), ("_phone", "5", False),
        ("_customer_user", "5", False), ("_birthday", "1990-01-01", False), ("_vat_number", "123456789", False),
        ("_billing_state", "CA", False), ("_billing_title", "Ms", False), ("_gsm", "12025550143", False),
        ("_gsm", "+1", False), ("_engraving", "for Tom", False), ("", "9.50", False),
        ("_customer_ip", "1.2.3.4", False),
    ],
)  # fmt: skip
def test_a_named_value_stays_where_a_column_of_that_name_would(name: str, value: str, *, stays: bool) -> None:
    assert says_nothing(META, {"meta_key": name, "meta_value": value}) is stays


def test_a_value_that_repeats_the_person_goes_whatever_its_name() -> None:
    row = replace(found("meta", **{**TOTAL, "meta_key": "_currency"}), repeats=("meta_value",))
    after = decided(POST, found("meta", **{**TOTAL, "id": 4}), row)
    kept = next(one for one in after.intents if one.ref == row.ref).kept
    assert kept is not None
    assert "meta_key" in kept
    assert "meta_value" not in kept


def test_a_map_says_which_rows_are_retained_and_comes_back_from_its_json() -> None:
    said = apply_map(MAP, {"collections": {"posts": {"retain": "invoice", "retain_if": "amounts"}}})
    assert said.collection("posts").retain_if == AMOUNTS
    assert map_from_json(map_to_json(said)).collection("meta").named == META.named
    every = apply_map(MAP, {"collections": {"posts": {"retain": "invoice"}}})
    assert every.collection("posts").retain_if == ""
    for wrong in ({"retain_if": "sums"}, {"retain": "", "retain_if": "amounts"}):
        with pytest.raises(MapMalformed):
            apply_map(MAP, {"collections": {"posts": wrong}})
