"""A data map in the words of others: fideslang datasets (YAML), a table (CSV), and DPV in JSON-LD.

The vocabularies are names for what leaves this house; nothing here is stored that way.
Source: fideslang 3.1, default data categories; DPV 2.0 with its extension for personal data.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import yaml

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field
from privacyops.domain.datamap.link import Link, LinkState

FIDES: Final[Mapping[Category, str]] = {
    Category.EMAIL: "user.contact.email",
    Category.EMAIL_DIGEST: "user.unique_id",
    Category.PHONE: "user.contact.phone_number",
    Category.FIRST_NAME: "user.name.first",
    Category.LAST_NAME: "user.name.last",
    Category.FULL_NAME: "user.name",
    Category.LOGIN: "user.account.username",
    Category.PASSWORD: "user.authorization.password",
    Category.STREET: "user.contact.address.street",
    Category.CITY: "user.contact.address.city",
    Category.STATE: "user.contact.address.state",
    Category.POSTCODE: "user.contact.address.postal_code",
    Category.COUNTRY: "user.contact.address.country",
    Category.BIRTH_DATE: "user.demographic.date_of_birth",
    Category.NATIONAL_ID: "user.government_id.national_identification_number",
    Category.BANK: "user.financial.bank_account",
    Category.IP: "user.device.ip_address",
    Category.COMPANY: "user.contact",
    Category.TEXT: "user.content",
    Category.CUSTOMER_NUMBER: "user.unique_id",
    Category.ORDER_NUMBER: "user.behavior.purchase_history",
    Category.AMOUNT: "user.behavior.purchase_history",
    Category.QUANTITY: "user.behavior.purchase_history",
}
DPV: Final[Mapping[Category, str]] = {
    Category.EMAIL: "pd:EmailAddress",
    Category.EMAIL_DIGEST: "pd:Identifier",
    Category.PHONE: "pd:TelephoneNumber",
    Category.FIRST_NAME: "pd:Name",
    Category.LAST_NAME: "pd:Name",
    Category.FULL_NAME: "pd:Name",
    Category.LOGIN: "pd:Identifier",
    Category.PASSWORD: "pd:Authenticating",
    Category.STREET: "pd:Street",
    Category.CITY: "pd:City",
    Category.STATE: "pd:Region",
    Category.POSTCODE: "pd:PostalCode",
    Category.COUNTRY: "pd:Country",
    Category.BIRTH_DATE: "pd:BirthDate",
    Category.NATIONAL_ID: "pd:OfficialID",
    Category.BANK: "pd:BankAccount",
    Category.IP: "pd:IPAddress",
    Category.TEXT: "pd:Communication",
    Category.CUSTOMER_NUMBER: "pd:Identifier",
    Category.ORDER_NUMBER: "pd:Purchase",
    Category.AMOUNT: "pd:Purchase",
    Category.QUANTITY: "pd:Purchase",
}
OPERATIONS: Final = "system.operations"
HEADING: Final = (
    "store",
    "collection",
    "class",
    "rows",
    "field",
    "type",
    "category",
    "role",
    "key",
    "points_at",
    "state",
)
_NOBODYS: Final = frozenset({CollectionClass.LOOKUP, CollectionClass.CONTEXT})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class MapFormat(StrEnum):
    """How a map is written out."""

    FIDESLANG = "fideslang"
    CSV = "csv"
    DPV = "dpv"


def written(maps: Sequence[DataMap], form: MapFormat) -> str:
    """The maps as one text. Equal maps give equal texts."""
    if form is MapFormat.FIDESLANG:
        return yaml.safe_dump({"dataset": [fides_dataset(one) for one in maps]}, sort_keys=False, allow_unicode=True)
    if form is MapFormat.CSV:
        return csv_text(maps)
    return json.dumps(dpv_document(maps), ensure_ascii=False, indent=1) + "\n"


def fides_dataset(drawn: DataMap) -> dict[str, Any]:
    """One store as a fideslang dataset; links become references, rejected ones do not."""
    links = _by_field(drawn)
    return {
        "fides_key": _key(drawn.store),
        "name": drawn.store,
        "collections": [
            {
                "name": one.name,
                "fields": [
                    _fides_field(drawn, one, field, links.get((one.name, field.path), ())) for field in _own(one)
                ],
            }
            for one in drawn.searched()
        ],
    }


def _fides_field(drawn: DataMap, one: Collection, field: Field, links: Sequence[Link]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field.path, "data_categories": [_fides_category(one, field)]}
    meta: dict[str, Any] = {}
    if one.key == (field.path,):
        meta["primary_key"] = True
    references = [
        {"dataset": _key(drawn.store), "field": link.end, "direction": "to"} for link in links if not link.by_value
    ]
    if references:
        meta["references"] = references
    if meta:
        told["fides_meta"] = meta
    return told


def _fides_category(one: Collection, field: Field) -> str:
    if field.category is None or field.category not in FIDES or one.cls in _NOBODYS:
        return OPERATIONS
    return FIDES[field.category]


def csv_text(maps: Sequence[DataMap]) -> str:
    """One line a field. Cells that a spreadsheet would compute get an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADING)
    for drawn in maps:
        links = _by_field(drawn)
        for one in drawn.collections:
            for field in one.fields:
                writer.writerow([_harmless(cell) for cell in _cells(drawn, one, field, links)])
    return out.getvalue()


def _cells(
    drawn: DataMap, one: Collection, field: Field, links: Mapping[tuple[str, str], Sequence[Link]]
) -> Iterator[str]:
    found = links.get((one.name, field.path), ())
    yield from (drawn.store, one.name, one.cls.value if one.cls else "", "" if one.rows is None else str(one.rows))
    yield from (field.path, field.type.value, field.category.value if field.category else "", field.role.value)
    yield "yes" if field.path in one.key else ""
    yield " ".join(f"{link.end} ({link.ownership.value})" for link in found)
    yield " ".join(sorted({link.state.value for link in found}))


def dpv_document(maps: Sequence[DataMap]) -> dict[str, Any]:
    """The categories of personal data in each collection, with where they are held."""
    return {
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "pd": "https://w3id.org/dpv/pd#",
            "dct": "http://purl.org/dc/terms/",
            "title": "dct:title",
            "hasPersonalData": {"@id": "dpv:hasPersonalData", "@type": "@id"},
            "hasDataSubject": {"@id": "dpv:hasDataSubject", "@type": "@id"},
        },
        "@graph": [
            {
                "@id": f"urn:privacyops:store:{_key(drawn.store)}:{_key(one.name)}",
                "@type": "dpv:Process",
                "title": f"{drawn.store}: {one.name}",
                "hasPersonalData": categories,
                "hasDataSubject": "dpv:Customer",
            }
            for drawn in maps
            for one in drawn.searched()
            if one.cls not in _NOBODYS and (categories := _dpv_categories(one))
        ],
    }


def _dpv_categories(one: Collection) -> list[str]:
    return sorted({DPV[field.category] for field in one.fields if field.category is not None and field.category in DPV})


def _own(one: Collection) -> tuple[Field, ...]:
    return tuple(field for field in one.fields if not field.virtual)


def _by_field(drawn: DataMap) -> dict[tuple[str, str], list[Link]]:
    found: dict[tuple[str, str], list[Link]] = {}
    for link in drawn.links:
        if link.usable and link.state is not LinkState.REJECTED and len(link.fields) == 1:
            found.setdefault((link.collection, link.fields[0]), []).append(link)
    return found


def _key(name: str) -> str:
    """A name that is a key elsewhere: letters, digits, `_`, `.`, `-`."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_.-") else "_" for sign in name)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
