"""What an erasure decides by itself: retention, documents of others, what counts as done, and the plan on its way."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field, FieldType, Shape
from privacyops.domain.datamap.link import Link, LinkKind, Ownership
from privacyops.domain.erasure.codec import PlanUnreadable, from_json, to_json
from privacyops.domain.erasure.deciding import Rules, decide
from privacyops.domain.erasure.intent import Intent, Stance, operations
from privacyops.domain.erasure.operation import (
    Act,
    Constant,
    Delete,
    DropPath,
    Keep,
    Null,
    Op,
    OpResult,
    Outcome,
    PlannedOp,
    RandomToken,
    Read,
    RedactSpan,
    Set,
    StorePlan,
    Unlink,
    Verdict,
)
from privacyops.domain.erasure.policy import PolicyMalformed, kept_until, read_policy
from privacyops.domain.erasure.report import OpReport, Standing, StoreReport, kept_items
from privacyops.domain.finding.model import Finding, FindingTier, Match, TextSpan, begin
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.record import RowRef, Value

LAW = refusals_retention()
ADA = Identifier(IdentifierKind.EMAIL, "ada@example.org")


def text(path: str, category: Category | None = None, **more: Any) -> Field:
    return Field(path, FieldType.TEXT, category=category, **more)


PEOPLE = Collection(
    "people", key=("id",), cls=CollectionClass.PERSON,
    fields=(Field("id", FieldType.INTEGER, nullable=False), text("email", Category.EMAIL, nullable=False, unique=True),
            text("name", Category.FULL_NAME), Field("active", FieldType.BOOLEAN), Field("left_at", FieldType.INSTANT)),
    soft_delete="left_at",
)  # fmt: skip
EVENTS = Collection(
    "events", key=("id",), cls=CollectionClass.LOG,
    fields=(Field("id", FieldType.INTEGER, nullable=False), Field("payload", FieldType.JSON), text("note")),
)  # fmt: skip
MAP = DataMap("shop", (PEOPLE, EVENTS), ())


def ref(name: str, number: int = 1) -> RowRef:
    return RowRef("shop", name, (("id", number),))


def decided(finding: Finding, **rules: Any) -> Any:
    return decide([finding], MAP, begin("shop", (ADA,)), Rules(LAW, **rules))


def test_an_invoice_is_kept_to_the_end_of_the_year_that_the_law_of_its_country_names() -> None:
    said = {"invoice": {"keep": ["id", "issued"], "until": "rule:invoice"}}
    rule = read_policy(said, LAW, "DE")["invoice"]
    assert kept_until("invoice", rule, {"id": 1, "issued": date(2024, 5, 2)}, LAW) == date(2032, 12, 31)
    assert kept_until("invoice", read_policy(said, LAW, "FR")["invoice"], {"issued": "2024-05-02"}, LAW) == date(
        2034, 12, 31
    )


def test_an_invoice_without_a_readable_date_is_kept_open() -> None:
    rule = read_policy({"invoice": {"keep": ["id"], "until": "rule:invoice"}}, LAW, "DE")["invoice"]
    assert kept_until("invoice", rule, {"id": 1, "issued": "last spring"}, LAW) is None


@pytest.mark.parametrize(
    "said",
    [{"keep": "id"}, {"keep": ["id"], "code": "NO_DATA"}, {"keep": ["id"], "code": "BECAUSE"},
     {"keep": ["id"], "until": "rule:moon"}, {"keep": ["id"], "until": "soon"}, {"keep": ["id"], "forever": True},
     {"keep": ["id"], "until": "rule:invoice", "country": "ZZ"}],
)  # fmt: skip
def test_a_policy_that_no_law_knows_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(PolicyMalformed):
        read_policy({"invoice": said}, LAW, "DE")


ORDERS = Collection(
    "orders", key=("id",), cls=CollectionClass.ACTIVITY, retain="invoice",
    fields=(Field("id", FieldType.INTEGER, nullable=False), text("email", Category.EMAIL), text("state"),
            Field("total", FieldType.NUMBER, category=Category.AMOUNT), Field("placed_on", FieldType.DATE),
            Field("born_on", FieldType.DATE, category=Category.BIRTH_DATE)),
)  # fmt: skip
ORDER: dict[str, Value] = {
    "id": 7, "email": "ada@example.org", "state": "paid", "total": 19.9, "placed_on": date(2024, 5, 2),
    "born_on": date(2025, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("region", "until"), [("DE", date(2032, 12, 31)), ("de", date(2032, 12, 31)), ("ZZ", None), (None, None)]
)
def test_a_row_that_the_map_retains_stays_without_the_person_as_long_as_the_law_says(
    region: str | None, until: date | None
) -> None:
    finding = Finding(ref("orders"), FindingTier.OWNED, Match.LINKED, (), (), ORDER)
    drawn = DataMap("shop", (PEOPLE, ORDERS), ())
    (intent,) = decide([finding], drawn, begin("shop", (ADA,)), Rules(LAW, region=region)).intents
    (op,) = operations([intent], drawn)
    assert isinstance(op.act, Keep)
    assert (op.act.code, op.act.until, set(op.act.cut)) == ("LEGAL_OBLIGATION", until, {"email", "born_on"})


BOUGHT = Collection(
    "bought", key=("id",), cls=CollectionClass.ACTIVITY, retain="invoice",
    fields=(Field("id", FieldType.INTEGER, nullable=False), text("order_status"), text("currency", nullable=False),
            text("vat_id"), text("license_plate", nullable=False), text("gift_recipient_name", Category.LABEL),
            Field("tax_number", FieldType.INTEGER), Field("tax_total", FieldType.NUMBER, category=Category.AMOUNT),
            Field("issued_on", FieldType.DATE), Field("warranty_until", FieldType.DATE),
            Field("valid_to", FieldType.DATE), text("kind", enum=("a", "b")), text("am", shape=Shape.DATE),
            text("geb", Category.BIRTH_DATE, shape=Shape.DATE), text("lives_at")),
)  # fmt: skip


def test_of_a_row_that_the_map_retains_only_what_is_known_to_be_no_persons_stays() -> None:
    drawn = DataMap("shop", (PEOPLE, BOUGHT), ())
    row: dict[str, Value] = {
        "id": 7, "order_status": "paid", "currency": "EUR", "vat_id": "XX1", "license_plate": "XX-1", "kind": "a",
        "gift_recipient_name": "Tom", "tax_number": 5, "tax_total": 3, "issued_on": date(2024, 5, 2),
        "warranty_until": date(2060, 1, 1), "valid_to": date(9999, 12, 31), "am": "2024-04-30T10:00:00Z",
        "geb": "1990-01-01", "lives_at": "Am Wehr 1",
    }  # fmt: skip
    finding = Finding(ref("bought"), FindingTier.OWNED, Match.LINKED, (), (), row)
    (intent,) = decide([finding], drawn, begin("shop", (ADA,)), Rules(LAW, region="DE")).intents
    (op,) = operations([intent], drawn)
    assert isinstance(op.act, Keep)
    assert set(op.act.cut) == {
        "vat_id", "license_plate", "gift_recipient_name", "tax_number", "lives_at", "geb",
    }  # fmt: skip
    assert op.act.until == date(2032, 12, 31)


LINES = Collection(
    "lines", key=("id",), cls=CollectionClass.DETAIL,
    fields=(Field("id", FieldType.INTEGER, nullable=False), Field("order_id", FieldType.INTEGER),
            Field("people_id", FieldType.INTEGER), text("artikel", shape=Shape.FREE_TEXT),
            text("item_name", Category.LABEL, shape=Shape.FREE_TEXT), text("engraving", shape=Shape.FREE_TEXT),
            text("gift_name", Category.LABEL, shape=Shape.FREE_TEXT)),
)  # fmt: skip


def lines_cut(lines: Collection, order_id: int) -> set[str] | None:
    """What goes of a line beside the kept order 7; None: the whole line."""
    links = tuple(
        Link("lines", (path,), to, ("id",), LinkKind.CONFIGURED, Ownership.OWNED, confidence=1.0)
        for path, to in (("order_id", "orders"), ("people_id", "people"))
    )
    row: dict[str, Value] = {
        "id": 1, "order_id": order_id, "people_id": 1, "artikel": "Soap with herbs", "item_name": "Soap, 200 g, red",
        "engraving": "For Mia from Tom", "gift_name": "Tom A. Brandt",
    }  # fmt: skip
    findings = [
        Finding(ref(name), FindingTier.OWNED, Match.LINKED, (), (), values)
        for name, values in (("orders", ORDER), ("lines", row))
    ]
    drawn = DataMap("shop", (PEOPLE, lines, ORDERS), links)
    decided = decide(findings, drawn, begin("shop", (ADA,)), Rules(LAW, region="DE"))
    act = next(op.act for op in operations(decided.intents, drawn) if op.ref.collection == "lines")
    return set(act.cut) if isinstance(act, Keep) else None


def test_a_line_of_a_kept_order_keeps_its_tie_and_its_goods_and_loses_the_person() -> None:
    assert lines_cut(LINES, 7) == {"people_id", "engraving", "gift_name"}
    assert lines_cut(LINES, 8) is None


def test_a_kept_line_is_tied_to_a_kept_order_only() -> None:
    retained = replace(LINES, retain="invoice")
    assert lines_cut(retained, 7) == {"people_id", "engraving", "gift_name"}
    assert lines_cut(retained, 8) == {"people_id", "engraving", "gift_name", "order_id"}


def test_a_date_that_stands_for_ever_is_no_date_of_a_row() -> None:
    rule = read_policy({"invoice": {"keep": ["ends"], "until": "rule:invoice"}}, LAW, "DE")["invoice"]
    assert kept_until("invoice", rule, {"ends": date(9999, 12, 31)}, LAW) is None


def test_the_operators_policy_outranks_the_term_of_the_map() -> None:
    finding = Finding(ref("orders"), FindingTier.OWNED, Match.LINKED, (), (), ORDER)
    drawn = DataMap("shop", (PEOPLE, ORDERS), ())
    policy = read_policy({"orders": {"keep": ["id", "total"], "until": "2030-01-31"}}, LAW, "DE")
    (intent,) = decide([finding], drawn, begin("shop", (ADA,)), Rules(LAW, policy=policy, region="DE")).intents
    (op,) = operations([intent], drawn)
    assert isinstance(op.act, Keep)
    assert (op.act.until, set(op.act.cut)) == (date(2030, 1, 31), {"email", "state", "placed_on", "born_on"})


def test_a_row_that_stays_loses_the_person_and_keeps_flag_key_and_the_mark_of_deletion() -> None:
    values: dict[str, Value] = {
        "id": 1,
        "email": "ada@example.org",
        "name": "Ada",
        "active": True,
        "left_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    (op,) = operations([Intent(ref("people"), Stance.STAY, values)], MAP)
    assert op.act == Set({"email": RandomToken("erased-{r}@invalid.example"), "name": Null()})


def test_of_another_persons_document_the_one_leaf_goes() -> None:
    payload: Value = {"from": "bo@example.org", "to": ("cy@example.org", "Ada@Example.org"), "n": 3}
    finding = Finding(
        ref("events"), FindingTier.POINTER, Match.TEXT, ("events.payload",), ("payload",), {"payload": payload},
        spans=(TextSpan("payload", 0, 0),),
    )  # fmt: skip
    (intent,) = decided(finding, accept_text=True).intents
    assert intent.ways == {"payload": (DropPath("payload", "$.to[1]"),)}


def test_a_person_who_stands_twice_in_a_document_goes_twice_in_one_act() -> None:
    payload: Value = {"cc": ("ada@example.org",), "note": "ask Ada at ada@example.org"}
    finding = Finding(
        ref("events"), FindingTier.POINTER, Match.TEXT, ("events.payload",), ("payload",), {"payload": payload},
        spans=(TextSpan("payload", 0, 0),),
    )  # fmt: skip
    (intent,) = decided(finding, accept_text=True).intents
    assert intent.ways == {"payload": (Set({"payload": Constant({"cc": ()})}),)}


def test_another_persons_text_loses_its_spans_alone() -> None:
    note = "Please tell ada@example.org and nobody else"
    finding = Finding(
        ref("events"), FindingTier.POINTER, Match.TEXT, ("events.note",), ("note",), {"note": note},
        spans=(TextSpan("note", 12, 27),),
    )  # fmt: skip
    (intent,) = decided(finding, accept_text=True).intents
    assert intent.ways == {"note": (RedactSpan("note", ((12, 27),)),)}


def test_a_row_about_nobody_that_names_the_person_loses_those_words_alone() -> None:
    goods = Collection(
        "goods", key=("id",), cls=CollectionClass.LOOKUP,
        fields=(Field("id", FieldType.INTEGER), text("title", Category.LABEL), text("blurb", Category.TEXT)),
    )  # fmt: skip
    values: dict[str, Value] = {"id": 1, "title": "Cup", "blurb": "Thrown by ada@example.org herself"}
    finding = Finding(
        ref("goods"), FindingTier.OWNED, Match.TEXT, ("goods.blurb",), ("id", "title", "blurb"), values,
        spans=(TextSpan("blurb", 10, 25),),
    )  # fmt: skip
    drawn = DataMap("shop", (goods,), ())
    (intent,) = decide([finding], drawn, begin("shop", (ADA,)), Rules(LAW, accept_text=True)).intents
    assert intent.ways == {"blurb": (RedactSpan("blurb", ((10, 25),)),)}


def test_text_and_candidates_wait_for_a_person_and_an_excluded_row_stays_as_it_is() -> None:
    said = Finding(ref("events"), FindingTier.OWNED, Match.TEXT, ("events.note",), ("note",), {"note": "x"})
    assert [one.code for one in decided(said).undecided] == ["text_undecided"]
    weak = Finding(ref("events"), FindingTier.CANDIDATE, Match.ATTRIBUTE, (), ("note",), {"note": "x"}, reason="phone")
    assert [one.code for one in decided(weak).undecided] == ["phone"]
    (kept,) = decided(weak, excluded={weak.ref.id: "LEGAL_CLAIMS"}).intents
    assert operations([kept], MAP)[0].act == Keep("LEGAL_CLAIMS", None, {})
    assert [one.stance for one in decided(weak, accepted=frozenset({weak.ref.id})).intents] == [Stance.DELETE]


def report(act: Any, outcome: Outcome, read: Read | None = None, **more: Any) -> OpReport:
    op = Op("1", ref("people"), act)
    return OpReport(op, 0, OpResult("1", outcome), None if read is None else Verdict("1", read), **more)


@pytest.mark.parametrize(
    ("one", "standing"),
    [
        (report(Delete(), Outcome.DONE, Read.GONE), Standing.SETTLED),
        (report(Delete(), Outcome.ALREADY, Read.GONE), Standing.SETTLED),
        (report(Keep("LEGAL_CLAIMS"), Outcome.KEPT), Standing.SETTLED),
        (report(Delete(), Outcome.DONE), Standing.UNKNOWN),
        (report(Delete(), Outcome.DONE, Read.UNKNOWN), Standing.UNKNOWN),
        (report(Delete(), Outcome.DONE, Read.STILL_THERE), Standing.RESIDUAL),
        (report(Set({"name": Null()}), Outcome.DONE, Read.CHANGED, left={"email": "unique"}), Standing.RESIDUAL),
        (report(Delete(), Outcome.CONFLICT), Standing.OPEN),
        (report(Delete(), Outcome.PLANNED), Standing.OPEN),
        (report(Delete(), Outcome.PENDING), Standing.WAITING),
        (report(Delete(), Outcome.REQUESTED), Standing.WAITING),
    ],
)
def test_only_what_was_done_and_read_back_is_settled(one: OpReport, standing: Standing) -> None:
    assert one.standing is standing
    assert StoreReport("shop", ops=(one,)).is_whole is (standing is Standing.SETTLED)


def test_kept_rows_are_told_with_code_and_date_and_rows_without_a_person_are_not() -> None:
    ops = (
        report(Keep("LEGAL_OBLIGATION", date(2032, 12, 31)), Outcome.KEPT),
        report(Keep("needed_by_another"), Outcome.KEPT),
    )
    (item,) = kept_items([StoreReport("shop", ops=ops)])
    assert (item.code, item.until, item.rows) == ("LEGAL_OBLIGATION", date(2032, 12, 31), 1)


def test_a_plan_comes_back_from_its_json_as_it_was() -> None:
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    acts: tuple[Act, ...] = (
        Delete(), Set({"a": Null(), "b": Constant(b"x"), "c": RandomToken()}), Unlink("a", 0),
        RedactSpan("a", ((1, 2), (4, 9))), DropPath("a", "$.b[0]"),
        Keep("LEGAL_CLAIMS", date(2030, 1, 1), {"a": Null()}),
    )  # fmt: skip
    ops = tuple(
        PlannedOp(Op(str(at), ref("people", at), act, "by_default"), at, ("0",), "{}", "effect", "text", True)
        for at, act in enumerate(acts)
    )
    plan = StorePlan("p", "h", moment, moment, ops, warnings=("trigger_writes:x",))
    intent = Intent(
        ref("people"), Stance.POINT, {"at": moment, "n": 3}, ways={"a": (Unlink("a"),)}, left={"b": "check"}
    )
    assert from_json(to_json(plan)) == plan
    assert from_json(to_json((intent,))) == (intent,)
    with pytest.raises(PlanUnreadable):
        from_json({"$": "Nothing", "v": {}})


def test_a_line_of_no_order_is_not_kept_with_a_kept_one_that_has_no_number_either() -> None:
    number = text("number")
    orders = Collection(
        "orders", key=("id",), cls=CollectionClass.ACTIVITY, fields=(Field("id", FieldType.INTEGER), number)
    )
    lines = Collection(
        "lines", key=("id",), cls=CollectionClass.DETAIL,
        fields=(Field("id", FieldType.INTEGER), text("order_number"), text("gift_note")),
    )  # fmt: skip
    link = Link(
        "lines", ("order_number",), "orders", ("number",), LinkKind.DECLARED_FK, Ownership.OWNED, confidence=1.0
    )
    drawn = DataMap("shop", (orders, lines), (link,))
    rules = Rules(LAW, policy=read_policy({"orders": {"keep": ["id", "number"]}}, LAW, "DE"))

    def stances(held: str | None) -> list[Stance]:
        found = [
            Finding(ref(name), FindingTier.OWNED, Match.LINKED, (), tuple(values), values)
            for name, values in (("orders", {"id": 1, "number": held}), ("lines", {"id": 1, "order_number": held}))
        ]
        return [one.stance for one in decide(found, drawn, begin("shop", (ADA,)), rules).intents]

    assert stances("LS-1") == [Stance.KEEP, Stance.KEEP]
    assert stances(None) == [Stance.KEEP, Stance.DELETE]
