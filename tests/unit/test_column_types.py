"""What a column holds, from its name and a sample of values."""

import pytest

from privacyops.domain.classification.hints import hints
from privacyops.domain.classification.scoring import ColumnType, classify
from privacyops.domain.datamap.platform_columns import told_columns, with_map

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL")


def typed(column: str, values: list[str], table: str = "customers") -> ColumnType:
    return classify(table, column, values, REGIONS)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("order_id", [str(number) for number in range(100_000, 100_060)]),
        ("order_number", [str(327_732_623 + 7 * number) for number in range(60)]),
        ("order_ref", [f"ORD-2025-{number:06}" for number in range(60)]),
        ("ean13", [str(4_006_381_333_931 + 10 * number) for number in range(60)]),
        ("epoch", [str(1_730_332_857 + 977 * number) for number in range(60)]),
        ("epoch_ms", [str(1_707_353_705_600 + 977 * number) for number in range(60)]),
        ("price", [f"{number}.{number:02}" for number in range(60)]),
        ("total", [f"{number},{number:02}" for number in range(60)]),
        ("created_at", [f"2025-08-{day:02}T03:31:42Z" for day in range(1, 29)]),
        ("sku", [f"SHO-BLK-{number:04}" for number in range(60)]),
        ("tracking", [f"003404343016275{number:05}" for number in range(60)]),
        ("uuid", ["9a57e142-ee52-18f2-95ce-7cddb4986967"]),
        ("version", ["4.16.95", "3.0.30", "1.22.333.4"]),
        ("product_name", ["Organic Cotton T-Shirt", "Berlin Desk", "Walnut Bowl"]),
        ("email_type", ["html", "text"]),
        ("address_id", ["17", "18", "19"]),
    ],
)
def test_columns_about_things_have_no_type(column: str, values: list[str]) -> None:
    assert typed(column, values, "orders").type is None


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("contact", ["anna@example.com", "luis@example.org"], "EMAIL_ADDRESS"),
        ("c17", ["DE89370400440532013000", "NL91ABNA0417164300"], "IBAN_CODE"),
        ("telefonnummer", ["030 901820", "+49 30 901820", "030/901822"], "PHONE_NUMBER"),
        ("phone", ["4930901820", "4930901821"], "PHONE_NUMBER"),
        ("vorname", ["Anna", "Jürgen", "Chloé"], "PERSON"),
        ("name", ["Anna Weber", "Luis Gomes"], "PERSON"),
        ("strasse", ["Hauptstraße 51", "Am Markt 3"], "LOCATION"),
        ("plz", ["10115", "20095"], "LOCATION"),
        ("dob", ["1975-11-26", "2003-11-04"], "DATE_TIME"),
        ("age", ["17", "41", "99"], "AGE"),
        ("gender", ["f", "m", "d"], "GENDER"),
        ("client_ip", ["192.0.2.1", "2001:db8::1"], "IP_ADDRESS"),
        ("card_number", ["4111111111111111", "5555555555554444"], "CREDIT_CARD"),
        ("ssn", ["123-45-6789", "219-09-9999"], "US_SSN"),
        ("bic", ["DEUTDEFF500", "ABNANL2A"], "SWIFT_CODE"),
        ("vin", ["1M8GDM9AXKP042788"], "VIN"),
        ("driver_license", ["D592-8353-0187", "N611-003-62-215-0"], "US_DRIVER_LICENSE"),
    ],
)
def test_columns_about_people_are_typed_and_say_why(column: str, values: list[str], kind: str) -> None:
    found = typed(column, values)
    assert found.type == kind
    assert "passed by" in found.why


def test_a_reason_never_repeats_a_value() -> None:
    found = typed("contact", ["anna@example.com"] * 3)
    assert "anna" not in found.why


def test_between_sure_and_nothing_a_person_is_asked() -> None:
    found = typed("phone", ["ask reception", "030 901820", "none", "see notes", "later"])
    assert found.review
    assert 0.4 <= found.score < 0.7


def test_a_column_without_values_is_not_typed_but_asked_about() -> None:
    found = typed("email", [])
    assert found.type is None
    assert found.review
    assert [one.type for one in found.alternatives] == ["EMAIL_ADDRESS"]


def test_sentences_are_free_text_and_not_a_type() -> None:
    found = typed(
        "remark", ["she called twice about the parcel that never came", "he wants the blue one instead of that"]
    )
    assert (found.type, found.category) == (None, "FREE_TEXT")


def test_a_serialised_blob_is_a_document() -> None:
    assert typed("payload", ['a:1:{s:3:"sku";s:8:"TSH-5859";}', '{"sku": 1}']).category == "DOCUMENT"


def test_the_name_of_a_product_is_a_label_and_that_of_a_customer_a_person() -> None:
    assert "PERSON" not in hints("products", "name")
    assert "PERSON" in hints("customers", "name")


def test_an_address_of_mail_is_none_of_a_house() -> None:
    assert set(hints("customers", "email_address")) == {"EMAIL_ADDRESS"}
    assert hints("devices", "mac_address") == {}


WOO = ("wp_wc_orders", "wp_wc_order_addresses", "wp_users")


def test_the_map_of_a_known_platform_outranks_what_a_column_looks_like() -> None:
    told = told_columns(WOO)["wp_users", "display_name"]
    found = with_map(typed("display_name", ["bluebird77", "x"], "wp_users"), told)
    assert (found.type, found.review) == ("PERSON", False)
    assert found.why.startswith("map of WooCommerce")


def test_values_that_contradict_the_map_are_put_before_a_person() -> None:
    told = told_columns(WOO)["wp_users", "display_name"]
    found = with_map(typed("display_name", ["anna@example.com", "luis@example.org"], "wp_users"), told)
    assert (found.type, found.review) == ("PERSON", True)
    assert found.alternatives[0].type == "EMAIL_ADDRESS"


def test_tables_of_no_known_platform_have_no_map() -> None:
    assert told_columns(("customers", "orders")) == {}
