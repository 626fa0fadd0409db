"""The data map of one store: what it holds of people, and one question a link, answered with yes, no or whose."""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import store_words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.stores import STORES
from privacyops.domain.account.action import Action
from privacyops.domain.classification.kinds import Category
from privacyops.domain.datamap.catalogue import CollectionClass
from privacyops.domain.datamap.deciding import ANSWERABLE, Answer
from privacyops.domain.datamap.drift import Drift, DriftKind
from privacyops.domain.datamap.export import MapFormat
from privacyops.domain.datamap.link import Evidence, Link, LinkKind, Ownership
from privacyops.domain.job import JobState
from privacyops.kernel.errors import NotFound
from privacyops.services import datamap, scanning
from privacyops.services import stores as connected
from privacyops.services.datamap import StoreMap
from privacyops.services.scanning import Scanning

router: Final = APIRouter()
SHOWN: Final = 100
_MAP: Final = f"{STORES}/{{name}}/map"
KINDS: Final = {
    LinkKind.DECLARED_FK: "a constraint of the store",
    LinkKind.INHERITED_PARTITION: "a constraint that the other slices of the table have",
    LinkKind.SHARED_KEY: "a constraint on the key that people share with other entities",
    LinkKind.NAME_VALUE: "the column is named like the key, and its values occur there",
    LinkKind.RENAMED_ID: "the names differ, but the values occur there",
    LinkKind.VALUE: "the column holds an identifier of a person",
    LinkKind.HASH_OF: "the column holds hashes of an identifier",
    LinkKind.POLYMORPHIC: "another column says which table the number belongs to",
    LinkKind.NAMED_VALUE: "another column says what the value is",
    LinkKind.NAMED_VALUE: "another column says which kind of identifier the value is",
    LinkKind.JSON_PATH: "a value inside a document",
    LinkKind.ARRAY_OF: "a list of keys",
    LinkKind.COPY_OF: "the table repeats another one",
    LinkKind.CROSS_STORE: "a number of another store",
    LinkKind.CONFIGURED: "written by the operator",
}
_IDENTIFIERS: Final = {
    "email": "mail address", "phone": "phone number", "name": "full name", "username": "user name",
    "login": "user name", "customer_id": "customer number",
}  # fmt: skip
"""What the far end of a link by value is called; another is called by its own name."""
CLASSES: Final = {
    CollectionClass.PERSON: "people", CollectionClass.SATELLITE: "parts of a person, such as an address",
    CollectionClass.ACTIVITY: "what people did", CollectionClass.DETAIL: "details of what people did",
    CollectionClass.COPY: "copies of other rows", CollectionClass.LOG: "log of changes",
    CollectionClass.LOOKUP: "a list of values, about nobody",
    CollectionClass.CONTEXT: "things of the shop, about nobody",
}  # fmt: skip
CATEGORIES: Final = {
    Category.EMAIL: "mail address", Category.EMAIL_DIGEST: "hashed mail address", Category.PHONE: "phone number",
    Category.FIRST_NAME: "first name", Category.LAST_NAME: "surname", Category.FULL_NAME: "full name",
    Category.LABEL: "name of a thing", Category.LOGIN: "user name", Category.PASSWORD: "password",
    Category.STREET: "street", Category.CITY: "town", Category.STATE: "state", Category.POSTCODE: "postcode",
    Category.COUNTRY: "country", Category.BIRTH_DATE: "date of birth", Category.NATIONAL_ID: "national number",
    Category.BANK: "bank account", Category.IP: "IP address", Category.COMPANY: "company", Category.TEXT: "free text",
    Category.ORDER_NUMBER: "order number", Category.CUSTOMER_NUMBER: "customer number", Category.AMOUNT: "amount",
    Category.QUANTITY: "quantity",
}  # fmt: skip
WHOSE: Final = {
    Ownership.OWNED: "about the person",
    Ownership.POINTER: "another's row that names the person",
    Ownership.SHARED: "about several people",
    Ownership.UNDECIDED: "not clear yet",
    Ownership.CONTEXT: "about nobody",
}
DRIFTS: Final = {
    DriftKind.NEW_COLLECTION: "new table", DriftKind.GONE_COLLECTION: "table is gone",
    DriftKind.NEW_FIELD: "new column", DriftKind.GONE_FIELD: "column is gone",
    DriftKind.VANISHED_LINK: "link is gone", DriftKind.WEAKER_LINK: "link is weaker than before",
}  # fmt: skip
_REASONS: Final = {
    "column named as the key": "the column has the name of the key",
    "column named after the key": "the column's name holds that of the key",
    "column named as a unique column": "the column has the name of a unique column there",
    "columns named as the key": "the columns have the names of the key",
    "column named like the table": "the column is named like the table, with another ending",
    "column may be short for the key": "the column's name may be short for the table's",
    "role word": "the column's name is a word for a role",
    "key of a table named after it": "the table is named after the other, and its keys may be the other's",
    "key of a table named after it, under the same name": "table and key are named after the other's",
    "values only": "the names say nothing",
    "values contained": "its values occur there",
    "texts that no other table has": "they are texts that no other table of the store has for keys",
    "avoids numbers that are missing there": "of the numbers between them that it does not use, missing there too",
    "reaches as far as the keys": "its highest number, of the highest there",
    "no other table of people holds its values": "no other table of people holds its values",
    "another table fits as well": "another table fits as well",
    "reaches few of the keys": "it uses few of the keys, and those of another table throughout",
    "orphans": "its values are missing there",
    "second attribute agrees": "a second attribute agrees, such as the e-mail",
    "second attribute disagrees": "a second attribute disagrees",
    "values look like it": "its values look like it",
    "column named for it": "the column is named for it",
    "type value names the collection": "the type column names the table",
    "proven sibling path": "a path beside it is proven",
}


@router.get(_MAP, **action(Action.DATAMAP_SEE))
def show(desk: Desk, name: str) -> Response:
    """Questions first, then what changed, then what the store holds."""
    return _page(desk, name)


@router.post(f"{_MAP}/scan", **action(Action.DATAMAP_CHANGE))
def scan(desk: Desk, name: str) -> Response:
    """Have the store read anew, by a worker; answers that were given stand. A second click changes nothing."""
    scanning.begin(desk.context, name)
    return desk.go(f"{STORES}/{name}/map")


@router.post(f"{_MAP}/answer", **action(Action.DATAMAP_CHANGE))
def answer(desk: Desk, name: str) -> Response:
    """Yes, no, or whose the rows are. A second click changes nothing."""
    form = desk.form
    said = Answer.NO if form.get("answer") == "no" else Answer.YES
    whose = form.get("ownership")
    ownership = Ownership(whose) if said is Answer.YES and whose in {one.value for one in ANSWERABLE} else None
    datamap.answer(desk.context, name, form.get("link"), said, ownership)
    return desk.go(f"{STORES}/{name}/map", "link_told")


def _page(desk: Visit, name: str) -> Response:
    title = next((one.title for one in _stores(desk) if one.name == name), name)
    here = f"{STORES}/{name}/map"
    try:
        found: StoreMap | None = datamap.read(desk.context, name)
    except NotFound:
        connected.config_of(desk.context, name)  # an unknown store is not found, one never scanned can be
        found = None
    changes = desk.may(Action.DATAMAP_CHANGE)
    view: dict[str, Any] = {
        "crumbs_url": STORES, "name": title, "scan_url": f"{here}/scan" if changes else None,
        "answer_url": f"{here}/answer" if changes else None, "url": here, "scan": None,
        "scanning": _scanning(scanning.newest(desk.context, name)),
        "ownerships": [[one.value, WHOSE[one]] for one in ANSWERABLE], "questions": [], "more": 0, "drift": [],
        "collections": [], "formats": [one.value for one in MapFormat],
    }  # fmt: skip
    if found is not None:
        rows = {one.name: one.rows for one in found.drawn.collections}
        view |= {
            "scan": found.scan, "scanned_at": found.scanned_at,
            "questions": [_question(link, rows.get(link.collection)) for link in found.questions[:SHOWN]],
            "more": max(0, len(found.questions) - SHOWN),
            "drift": [_changed(one) for one in found.drift[:SHOWN]],
            "collections": [
                {"name": one.name, "class": CLASSES[one.cls] if one.cls else "", "rows": one.rows,
                 "holds": sorted({CATEGORIES[field.category] for field in one.fields if field.category})}
                for one in found.drawn.searched()
            ],
        }  # fmt: skip
    return desk.part("datamap", "map", view) if desk.is_fragment else desk.page("datamap", view, "stores")


def _scanning(newest: Scanning | None) -> dict[str, Any] | None:
    """What is to be said of the newest scan: it is on its way, or failed. One that went well is the map itself."""
    if newest is None or newest.state is JobState.DONE:
        return None
    return {"is_open": newest.is_open, "is_away": newest.is_away, "read": newest.read, "total": newest.total,
            "code": _first_up(store_words.blamed(newest.code, newest.setting, newest.allowed))}  # fmt: skip


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stores(desk: Visit) -> Any:
    return connected.all_stores(desk.context) if desk.may(Action.STORE_SEE) else ()


def _question(link: Link, rows: int | None) -> dict[str, Any]:
    return {
        "id": link.id, "ask": _asked(link), "start": link.start, "end": link.end, "rows": rows,
        "when": f"{link.condition.field} = {link.condition.value}" if link.condition else "",
        "kind": KINDS[link.kind], "whose": WHOSE[link.ownership], "ownership": link.ownership.value,
        "percent": round(link.confidence * 100), "evidence": [_reason(one) for one in link.evidence],
    }  # fmt: skip


def _asked(link: Link) -> str:
    """The question that yes or no answers, in words; the names of both ends stand below it."""
    if not link.by_value:
        return f"Does it say to which row of {link.to} the row belongs?"
    held = " or ".join(_IDENTIFIERS.get(one, one.replace("_", " ")) for one in link.to_fields)
    hashed = "a hash of " if link.kind is LinkKind.HASH_OF else ""
    return f"Does it hold {hashed}somebody's {held}?"


def _reason(one: Evidence) -> str:
    text = _REASONS.get(one.kind, one.kind)
    return f"{text}: {one.n} of {one.of}" if one.of else text


def _changed(one: Drift) -> dict[str, Any]:
    return {"kind": DRIFTS[one.kind], "what": one.what, "is_personal": one.is_personal}
