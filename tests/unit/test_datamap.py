"""Classes, ownership, inference and evidence, without any store."""

import pytest

from privacyops.domain.classification.columns import TableWord, category_of, link_role, role_of, table_words
from privacyops.domain.datamap.advice import missing_indexes
from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.build import DataMap, build, prepare
from privacyops.domain.datamap.catalogue import (
    Category,
    Collection,
    CollectionClass,
    CollectionKind,
    DeclaredLink,
    Field,
    FieldType,
    Role,
    Shape,
)
from privacyops.domain.datamap.codec import MapUnreadable, map_from_json, map_to_json
from privacyops.domain.datamap.configured import MapMalformed, apply_map
from privacyops.domain.datamap.link import Evidence, Link, LinkKind, LinkState, Outward, Ownership, combined
from privacyops.domain.record import Value

TYPES = {"i": FieldType.INTEGER, "t": FieldType.TEXT, "j": FieldType.JSON, "n": FieldType.NUMBER, "a": FieldType.ARRAY}


def table(name: str, columns: str, *links: str, key: str = "id", rows: int = 10) -> Collection:
    """`columns`: "id:i email:t"; a link: "customer_id>customers.id"."""
    fields = tuple(
        Field(path, TYPES[kind], element=FieldType.INTEGER if kind == "a" else None)
        for path, _, kind in (part.partition(":") for part in columns.split())
    )
    declared = []
    for text in links:
        start, _, end = text.partition(">")
        to, _, to_field = end.partition(".")
        declared.append(DeclaredLink(text, (start,), to, (to_field,)))
    return Collection(name, fields=fields, key=(key,) if key else (), no_key=not key, links=tuple(declared), rows=rows)


def drawn(*tables: Collection, **samples: Sample) -> DataMap:
    draft = prepare("shop", tables, samples)
    answers: dict[tuple[str, str], list[dict[str, Value]]] = {}
    for lookup in draft.lookups:
        held = [dict(row) for row in samples.get(lookup.collection, ())]
        wanted = {str(value) for value in lookup.values}
        answers[lookup.collection, lookup.field] = [row for row in held if str(row[lookup.field]) in wanted]
    return build(draft, answers)


def link(of: DataMap, start: str) -> Link:
    return next(one for one in of.links if one.start == start and not one.by_value)


CUSTOMERS = table("customers", "id:i first_name:t last_name:t email:t")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customer_orders", {TableWord.ACTIVITY}),
        ("kundenadressen", {TableWord.SATELLITE}),
        ("audit_log", {TableWord.LOG}),
        ("users", {TableWord.PERSON}),
        ("orders_archive", {TableWord.ACTIVITY, TableWord.COPY}),
        ("gadgets", set()),
    ],
)
def test_the_last_telling_word_of_a_table_says_what_it_is(name: str, words: set[TableWord]) -> None:
    assert table_words(name) == words


@pytest.mark.parametrize(
    ("column", "category"),
    [
        ("eMail", Category.EMAIL), ("billing_email", Category.EMAIL), ("email_verified", None), ("address_id", None),
        ("Vorname", Category.FIRST_NAME), ("lieferstrasse", Category.STREET), ("telefon_privat", Category.PHONE),
        ("phone_type", None), ("email_sha256", Category.EMAIL_DIGEST), ("order_number", Category.ORDER_NUMBER),
    ],
)  # fmt: skip
def test_a_columns_name_says_what_it_holds(column: str, category: Category | None) -> None:
    assert category_of("t", column, FieldType.TEXT) is category


@pytest.mark.parametrize(
    ("column", "target", "role"),
    [
        ("customer_id", "customers", Role.OWN), ("support_agent_id", "employees", Role.POINT),
        ("employee_id", "employees", Role.STAFF), ("created_by", "users", Role.POINT),
        ("from_user_id", "users", Role.OWN), ("to_user_id", "users", Role.POINT), ("folk_id", "folk", Role.NEUTRAL),
    ],
)  # fmt: skip
def test_a_key_columns_name_says_whose_row_it_stands_in(column: str, target: str, role: Role) -> None:
    assert link_role(column, target) is role


def test_a_recipients_address_points_and_a_buyers_owns() -> None:
    assert (role_of("orders", "gift_recipient_email"), role_of("orders", "buyer_email")) == (Role.POINT, Role.OWN)


def test_a_word_that_the_table_is_named_after_makes_no_pointer_of_its_own_columns() -> None:
    assert role_of("Orders", "EmployeeID") is Role.POINT
    assert role_of("Employees", "EmployeeID") is Role.NEUTRAL
    assert role_of("staff", "staff_email") is Role.NEUTRAL


def test_classes_follow_from_people_outward() -> None:
    found = drawn(
        CUSTOMERS,
        table("orders", "id:i customer_id:i total:n", "customer_id>customers.id"),
        table("order_lines", "id:i order_id:i product_id:i", "order_id>orders.id", "product_id>products.id"),
        table("products", "id:i title:t weight:n colour:t size:t maker:t"),
        table("colours", "id:i name:t"),
        table("customer_addresses", "id:i customer_id:i street:t", "customer_id>customers.id"),
    )
    assert {one.name: one.cls for one in found.collections} == {
        "customers": CollectionClass.PERSON, "orders": CollectionClass.ACTIVITY, "order_lines": CollectionClass.DETAIL,
        "products": CollectionClass.CONTEXT, "colours": CollectionClass.LOOKUP,
        "customer_addresses": CollectionClass.SATELLITE,
    }  # fmt: skip


def test_names_of_people_without_contact_data_are_no_persons() -> None:
    found = drawn(table("players", "id:i first_name:t last_name:t"))
    assert found.collection("players").cls is not CollectionClass.PERSON


def test_a_place_name_is_a_lookup_however_few_rows_point_at_it() -> None:
    found = drawn(
        table("customers", "id:i full_name:t email:t town_id:i", "town_id>towns.id"), table("towns", "id:i town:t")
    )
    assert link(found, "customers.town_id").outward is Outward.NO


def test_an_address_behind_a_customer_is_taken_outward() -> None:
    found = drawn(
        table("customers", "id:i full_name:t email:t address_id:i", "address_id>addresses.id"),
        table("addresses", "id:i street:t phone:t"),
    )
    assert link(found, "customers.address_id").outward is Outward.SATELLITE


def test_a_supervisor_is_pointed_at_and_never_owns() -> None:
    found = drawn(table("employees", "id:i full_name:t email:t boss:i", "boss>employees.id"))
    assert link(found, "employees.boss").ownership is Ownership.POINTER


def test_a_link_missing_on_one_partition_is_inherited_from_its_siblings() -> None:
    parent = table("visits", "id:i customer_id:i")
    with_key = table("visits_1", "id:i customer_id:i", "customer_id>customers.id")
    slices = [
        Collection(one.name, CollectionKind.PARTITION, one.fields, one.key, links=one.links, parent="visits")
        for one in (with_key, table("visits_2", "id:i customer_id:i"))
    ]
    found = link(drawn(CUSTOMERS, parent, *slices), "visits.customer_id")
    assert (found.kind, found.confidence, found.ownership) == (LinkKind.INHERITED_PARTITION, 0.98, Ownership.OWNED)


def test_an_empty_collection_is_linked_by_name() -> None:
    found = link(drawn(CUSTOMERS, table("notes", "id:i customer_id:i")), "notes.customer_id")
    assert found.confidence == 0.9
    assert found.is_followed


def people(n: int) -> list[dict[str, Value]]:
    return [
        {"id": 1000 + at, "first_name": f"F{at}", "last_name": "L", "email": f"p{at}@example.org"} for at in range(n)
    ]


def test_orphans_refute_a_link_that_only_the_name_proposes() -> None:
    notes = [{"id": at, "customer_id": 5000 + at} for at in range(10)]
    found = drawn(CUSTOMERS, table("notes", "id:i customer_id:i"), customers=people(10), notes=notes)
    assert link(found, "notes.customer_id").confidence == 0.4


def test_zero_is_nobody_and_no_orphan() -> None:
    notes: list[dict[str, Value]] = [{"id": at, "customer_id": 1000 + at} for at in range(8)]
    notes.append({"id": 9, "customer_id": 0})
    found = drawn(CUSTOMERS, table("notes", "id:i customer_id:i"), customers=people(10), notes=notes)
    assert link(found, "notes.customer_id").is_followed


def test_a_renamed_key_is_believed_when_a_second_attribute_agrees() -> None:
    tickets: list[dict[str, Value]] = [{"id": at, "kd": 1000 + at, "mail": f"p{at}@example.org"} for at in range(6)]
    found = drawn(CUSTOMERS, table("tickets", "id:i kd:i mail:t"), customers=people(10), tickets=tickets)
    assert link(found, "tickets.kd").confidence == 0.9


def test_a_renamed_key_is_refuted_when_a_second_attribute_disagrees() -> None:
    tickets: list[dict[str, Value]] = [{"id": at, "kd": 1000 + at, "mail": f"p{at + 1}@example.org"} for at in range(6)]
    found = drawn(CUSTOMERS, table("tickets", "id:i kd:i mail:t"), customers=people(10), tickets=tickets)
    assert link(found, "tickets.kd").confidence <= 0.4


def test_values_outrank_the_name_of_a_column() -> None:
    rows: list[dict[str, Value]] = [{"id": at, "requester": f"p{at}@example.org", "email": "yes"} for at in range(6)]
    found = drawn(table("tickets", "id:i requester:t email:t"), tickets=rows).collection("tickets")
    assert (found.field("requester").category, found.field("email").category) == (Category.EMAIL, None)  # type: ignore[union-attr] # both were given


def test_paths_of_documents_become_fields() -> None:
    rows: list[dict[str, Value]] = [{"id": 1, "doc": {"user": {"mail": "p1@example.org"}, "tags": ["a", "b"]}}]
    found = drawn(table("events", "id:i doc:j"), events=rows).collection("events")
    assert {field.path for field in found.fields if field.virtual} == {"doc$.user.mail", "doc$.tags[*]"}


def test_long_values_are_running_text() -> None:
    rows: list[dict[str, Value]] = [{"id": 1, "x": "Hello, I would like to return my order."}]
    assert drawn(table("t", "id:i x:t"), t=rows).collection("t").field("x").shape is Shape.FREE_TEXT  # type: ignore[union-attr] # it was given


@pytest.mark.parametrize(
    ("text", "is_date"),
    [("2024-05-02", True), ("2024-05-02 18:30:00", True), ("2024-05-02T18:30:00.123+02:00", True),
     ("2024-05-02 met Tom", False), ("9024-05-02", False), ("20240502", False)],
)  # fmt: skip
def test_a_text_column_of_days_is_known_by_its_values(text: str, is_date: bool) -> None:
    rows: list[dict[str, Value]] = [{"id": 1, "am": "2023-01-31"}, {"id": 2, "am": text}]
    field = drawn(table("t", "id:i am:t"), t=rows).collection("t").field("am")
    assert field is not None
    assert (field.shape is Shape.DATE) is is_date


@pytest.mark.parametrize(("column", "is_asked"), [("order_no:t", False), ("parent_order_no:t", True)])
def test_the_number_of_a_row_leads_to_no_other_row_of_its_table(column: str, is_asked: bool) -> None:
    found = drawn(table("orders", f"order_id:i {column}", key="order_id"), orders=[])
    assert any(link.collection == link.to == "orders" for link in found.links) is is_asked


def test_evidence_adds_up_as_one_minus_the_product_of_doubts() -> None:
    assert combined((Evidence("a", 0.5), Evidence("b", 0.8))) == 0.9


def test_a_map_survives_being_written_and_read() -> None:
    found = drawn(
        CUSTOMERS,
        table("orders", "id:i customer_id:i email:t", "customer_id>customers.id"),
        table("files", "id:i owner_type:t owner_id:i"),
        files=[{"id": 1, "owner_type": "customer", "owner_id": 1}, {"id": 2, "owner_type": "order", "owner_id": 2}],
        customers=people(3),
    )
    assert map_from_json(map_to_json(found)) == found


def test_a_map_of_another_version_is_refused() -> None:
    with pytest.raises(MapUnreadable):
        map_from_json({"version": 99})


def test_the_operators_word_outranks_inference() -> None:
    found = drawn(CUSTOMERS, table("orders", "id:i customer_id:i", "customer_id>customers.id"))
    said = {"links": [{"from": "orders.customer_id", "to": "customers.id", "ownership": "pointer"}]}
    changed = link(apply_map(found, said), "orders.customer_id")
    assert (changed.ownership, changed.state) == (Ownership.POINTER, LinkState.CONFIRMED)


@pytest.mark.parametrize(
    "said",
    [
        {"colections": {}},
        {"collections": {"nowhere": {"class": "person"}}},
        {"collections": {"customers": {"class": "god"}}},
        {"collections": {"customers": {"clas": "person"}}},
        {"collections": {"customers": {"retain": "for ever"}}},
        {"collections": {"customers": {"identity": {"email": "nope"}}}},
        {"links": [{"from": "customers.nope", "to": "identity.email"}]},
        {"links": [{"from": "customers.email", "to": "identity.soul"}]},
        {"links": [{"from": "customers.id"}]},
        {"links": [{"from": "customers.id", "to": "customers.id", "ownership": "mine"}]},
    ],
)
def test_a_map_that_does_not_fit_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(MapMalformed):
        apply_map(drawn(CUSTOMERS), said)


def test_advice_names_large_columns_without_an_index_and_nothing_else() -> None:
    found = drawn(
        table("customers", "id:i full_name:t email:t", rows=100_000), table("staff", "id:i full_name:t email:t")
    )
    (only,) = missing_indexes(found)
    assert only.startswith("customers (email)")
