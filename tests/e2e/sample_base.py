"""What the sample views share: a moment, clocks, the frames of console and portal. Nobody here is real."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from privacyops.ports.pages import Scene

NOW: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SCENE: Final = Scene(now=NOW, locale="en", zone="Europe/Berlin")
GERMAN: Final = Scene(now=NOW, locale="de", zone="Europe/Berlin")
RULE: Final = "GDPR Art. 12(3)"

View = dict[str, Any]


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def in_(**parts: float) -> datetime:
    return NOW + timedelta(**parts)


def running(left: int, legal: int | None = None) -> View:
    """A clock with `left` days to the safe date and `legal` days to the limit."""
    safe = in_(days=left)
    due = in_(days=left if legal is None else legal)
    return {
        "state": "running",
        "due": due,
        "safe_due": safe,
        "paused_since": None,
        "kept_days": None,
        "rule": RULE,
    }


def overdue(days: int) -> View:
    return running(-days - 2, -days)


def paused(kept: int) -> View:
    return running(kept) | {"state": "paused", "paused_since": ago(days=3), "kept_days": kept}


CSRF: Final = "c2FtcGxlLXRva2Vu"
DEMO: Final[View] = {
    "users": [
        {"id": "ada", "name": "Ada", "initials": "AD", "role": "analyst", "current": True},
        {"id": "marta", "name": "Marta", "initials": "MA", "role": "approver", "current": False},
    ],
    "switch_url": "/demo/switch",
    "inbox_url": "/demo/inbox",
    "portal_url": "/privacy",
    "remove_url": "/demo/remove",
}


def console(active: str = "", **changes: Any) -> View:
    return {
        "theme": "auto",
        "csrf": CSRF,
        "correlation_id": "7f3a9c1e",
        "version": "0.1.0",
        "organisation": "Demo shop",
        "active": active,
        "here": "/console/requests",
        "counts": {"requests": 12, "tasks": 3},
        "account": {"name": "Ada", "initials": "AD", "role": "analyst", "masked": False, "keys": True},
        "may": {
            "audit": True,
            "stores": True,
            "settings": True,
            "new_request": True,
            "requests": True,
            "tasks": True,
            "consent": "/console/consent",
        },
        "flash": [],
        "demo": None,
    } | changes


def portal(locale: str = "en") -> View:
    return {
        "theme": "auto",
        "csrf": CSRF,
        "correlation_id": "7f3a9c1e",
        "organisation": "Northwind Shop",
        "languages": [
            {"tag": "en", "url": "?lang=en", "current": locale == "en"},
            {"tag": "de", "url": "?lang=de", "current": locale == "de"},
        ],
        "policy_url": "https://shop.example/privacy-policy",
        "contact": "privacy@shop.example",
        "demo": None,
    }


def person(name: str, contact: str, masked: bool = False) -> View:
    return {"name": name, "contact": contact, "is_masked": masked, "reveal_url": "/reveal"}
