"""What the pages about consent share: their tabs, the choice of an identifier, and how it is read from a form."""

from typing import Any, Final

from fastapi import Response

from privacyops.console import shape
from privacyops.console.deps import Visit
from privacyops.console.forms import Refused
from privacyops.domain.account.action import Action, Extent
from privacyops.domain.subject import IdentifierMalformed, IdentifierType, SubjectIdentifier

CONSENT: Final = "/console/consent"
SUPPRESSIONS: Final = f"{CONSENT}/suppressions"
PURPOSES: Final = f"{CONSENT}/purposes"
NOTICES: Final = f"{CONSENT}/notices"
POINTS: Final = f"{CONSENT}/points"
SYSTEMS: Final = f"{CONSENT}/systems"
RING: Final = f"{CONSENT}/kept"
TYPES: Final = {
    IdentifierType.EMAIL: "E-mail address", IdentifierType.PHONE: "Phone number",
    IdentifierType.CUSTOMER_ID: "Customer number", IdentifierType.DEVICE_ID: "Device",
    IdentifierType.PUSH_TOKEN: "Push token",
}  # fmt: skip
_TABS: Final = (
    ("people", "People", CONSENT, Action.CONSENT_READ),
    ("suppressions", "Suppressions", SUPPRESSIONS, Action.CONSENT_READ),
    ("purposes", "Purposes", PURPOSES, Action.PURPOSE_SEE),
    ("notices", "Notices", NOTICES, Action.NOTICE_SEE),
    ("points", "Collection points", POINTS, Action.COLLECTION_SEE),
    ("systems", "Systems", SYSTEMS, Action.WEBHOOK_SEE),
    ("kept", "Kept evidence", RING, Action.RING_OPEN),
)


def consent_page(desk: Visit, template: str, tab: str, status: int = 200, **view: Any) -> Response:
    """A page under the entry \"Consent\", with the tabs that the account may open."""
    tabs = [
        {"label": label, "url": url, "current": key == tab, "count": None}
        for key, label, url, needed in _TABS if desk.may(needed)
    ]  # fmt: skip
    return desk.page(template, {"tabs": tabs, **view}, "consent", status)


def type_options(*but: IdentifierType) -> list[dict[str, str]]:
    """The kinds of identifier to choose from."""
    return shape.options({type_: label for type_, label in TYPES.items() if type_ not in but})


def owes_reason(desk: Visit) -> bool:
    """Whether this account gives a reason with every look at a person."""
    return desk.reach(Action.CONSENT_READ) is Extent.REASONED


def identifier_of(desk: Visit) -> SubjectIdentifier:
    """The identifier that was typed. Raises: Refused."""
    form, region = desk.form, desk.context.controller.phone_region
    try:
        type_ = IdentifierType(form.get("type"))
    except ValueError:
        raise Refused(("type", "Choose what you look for")) from None
    try:
        return SubjectIdentifier.of(type_, form.get("value"), region)
    except IdentifierMalformed:
        raise Refused(("value", _HOW[type_])) from None


_HOW: Final = {
    IdentifierType.EMAIL: "Enter an e-mail address such as name@example.com",
    IdentifierType.PHONE: "Enter a number with its country code, such as +49 30 5550101",
    IdentifierType.CUSTOMER_ID: "Enter the customer number as the shop knows it",
    IdentifierType.DEVICE_ID: "Enter the device's id",
    IdentifierType.PUSH_TOKEN: "Enter the push token",
}
