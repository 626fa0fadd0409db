"""One made-up view for every template: what a page's code hands over, in the shape that the template's head names.

Nobody here is real; addresses are in example domains. `PAGES` maps a path to (template, values).
"""

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
        "may": {"audit": True, "stores": True, "settings": True, "new_request": True},
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


ACCESS: Final = {"key": "access", "label": "Access"}
ERASURE: Final = {"key": "erasure", "label": "Erasure"}
ADA: Final = {"name": "Ada", "initials": "AD"}
MARTA: Final = {"name": "Marta", "initials": "MA"}


def person(name: str, contact: str, masked: bool = False) -> View:
    return {"name": name, "contact": contact, "is_masked": masked, "reveal_url": "/reveal"}


def _row(number: str, who: View, kind: View, step: str, note: str, clock: View, by: View | None) -> View:
    return {
        "id": f"0193{number.lower()}",
        "url": f"/console/requests/PR-{number}",
        "reference": f"PR-{number}",
        "law": "CCPA" if kind["key"].startswith("opt_out") else "GDPR",
        "person": who,
        "type": kind,
        "step": {"label": step, "note": note, "failed": "failed" in note},
        "clock": clock,
        "assignee": by,
        "assign_url": f"/console/requests/PR-{number}/assign",
    }


def _rows() -> list[View]:
    kinds = {
        "portability": "Portability",
        "opt_out_sale_share": "Opt-out of sale",
        "rectification": "Rectification",
        "objection": "Objection",
    }
    port, opt, rect, obj = ({"key": key, "label": label} for key, label in kinds.items())
    review, new = "Review", "New"
    return [
        _row("7MK4Q2", person("Jonas Weber", "jonas@example.de"), ACCESS, review, "2 third parties to redact", overdue(1), ADA),
        _row("2XW9T7", person("Chiara Rossi", "c.rossi@example.it"), ACCESS, "Data found", "search ran, 1 store failed", running(2, 4), MARTA),
        _row("Q83DFA", person("Luc Martin", "luc@example.fr"), ERASURE, "Approve", "second approver missing", running(3, 5), None),
        _row("B6HN3C", person("Anna Kowalska", "anna@example.pl"), ERASURE, review, "6 stores, 214 records", running(24, 26), MARTA),
        _row("V4R8KD", person("Eva Novák", "eva@example.cz"), port, "Identity", "code sent, no answer", paused(9), None),
        _row("J5T2PE", person("Sam Lee", "sam@example.com"), opt, "Carry out", "running in 4 stores", running(8), ADA),
        _row("K9WZ4X", person("Mia Jensen", "mia@example.dk"), rect, new, "from chat, needs typing", running(29, 31), None),
        _row("C3NQ7Y", person("N••• B•••", "n•••@e•••", True), obj, new, "direct marketing: act at once", running(30), None),
    ]  # fmt: skip


def _views(current: str) -> list[View]:
    counts = {
        "All open": 12,
        "Mine": 4,
        "Due in 7 days": 3,
        "Waiting on identity": 3,
        "Needs 2nd approver": 1,
        "Failed": 1,
        "Unverified": 27,
        "Closed": None,
    }
    return [
        {
            "label": label,
            "count": count,
            "url": f"?view={label.lower().replace(' ', '-')}",
            "current": label == current,
        }
        for label, count in counts.items()
    ]


QUEUE: Final[View] = {
    "views": _views("All open"),
    "filters": [
        {"label": "State: open", "remove_url": "?type=access"},
        {"label": "Type: access, erasure", "remove_url": "?state=open"},
    ],
    "clear_url": "/console/requests",
    "sorted_by": "Sorted by safe date, soonest first",
    "search": "",
    "rows": _rows(),
    "page": {"shown": 8, "total": 12, "next_url": "?after=x", "first_url": None},
    "bulk": {
        "url": "/console/requests/bulk",
        "actions": [
            {"label": "Assign to me", "value": "assign", "tone": "plain"},
            {"label": "Remind owners", "value": "remind", "tone": "plain"},
            {"label": "Export", "value": "export", "tone": "plain"},
        ],
    },
    "empty": {"title": "", "text": "", "action": None},
    "as_of": None,
}
QUEUE_EMPTY: Final[View] = QUEUE | {
    "views": _views("Failed"),
    "filters": [],
    "clear_url": None,
    "rows": [],
    "as_of": ago(minutes=7),
    "empty": {
        "title": "No request has a failed store",
        "text": "When a store does not answer, its request shows up here with what was tried.",
        "action": {"label": "Show all open requests", "url": "/console/requests"},
    },
}


def _action(label: str, url: str = "/do", method: str = "post", **more: Any) -> View:
    return {"label": label, "url": url, "method": method} | more


def _steps(now: int, labels: list[str], **notes: str) -> list[View]:
    return [
        {
            "label": label,
            "state": "past" if at < now else "now" if at == now else "next",
            "note": notes.get(f"n{at}"),
            "at": None,
        }
        for at, label in enumerate(labels)
    ]


CLOCK: Final[View] = running(24, 26) | {
    "received": ago(days=4),
    "days_used": 4,
    "days_total": 30,
    "events": [
        {"text": "Resumed, identity proven", "at": ago(days=2)},
        {"text": "Paused, identity in doubt", "at": ago(days=3, hours=18)},
    ],
    "extension": "One extension of up to two months is possible until 18 Dec; the customer must be told why.",
    "extend": _action("Extend…", "/console/requests/x/extend", "get"),
    "pause": None,
}
CUSTOMER: Final[View] = {
    "person": person("Anna Kowalska", "anna@example.pl"),
    "facts": [{"label": "Shop id", "value": "cus_48213"}, {"label": "Language", "value": "pl"}],
    "identity": {"text": "Mail code, 20 Nov", "tone": "ok", "at": ago(days=2)},
    "level_needed": 2,
    "level_proven": 2,
    "holds": ["Open return RMA-771"],
    "linked": [{"label": "older account", "url": "/console/requests/y"}],
}
REASONS: Final = [
    {"value": "third_party", "label": "Rights of another person"},
    {"value": "trade_secret", "label": "Trade secret"},
    {"value": "not_about", "label": "Not about this person"},
]


def _group(number: int, name: str, records: int, decision: tuple[str, str] | None, reason: str, third: int = 0) -> View:  # fmt: skip
    store, kind, collection = name.split(".")
    return {
        "id": f"g{number}",
        "store": store,
        "kind": kind,
        "collection": collection,
        "records": records,
        "decision": {"label": decision[0], "tone": decision[1]} if decision else None,
        "reason": reason,
        "third_parties": third,
        "open_url": f"?open=g{number}",
        "is_open": number == 3,
    }


PREVIEW: Final[View] = {
    "group_id": "g3",
    "title": "support.tickets",
    "via": "Found by: tickets.requester_id points to users.id, whose e-mail is the proven one.",
    "decide_url": "/console/requests/x/decide",
    "reasons": REASONS,
    "records": [
        {
            "id": "f1",
            "key": "ticket 88213",
            "match": "linked",
            "via": "tickets.requester_id → users.id, e-mail matched",
            "decision": {"key": "include", "label": "Give", "tone": "ok", "reason": None},
            "fields": [
                {"label": "Subject", "value": "Parcel", "category": None, "is_masked": False},
                {
                    "label": "Text",
                    "value": "My parcel went to my neighbour [Person B], phone [third party].\nPlease change the address.",
                    "category": "free text",
                    "is_masked": False,
                },
                {"label": "Card", "value": "•••• 4242", "category": "payment", "is_masked": True},
            ],
            "third_parties": ["[Person B] in text"],
        },
        {
            "id": "f2",
            "key": "ticket 90417",
            "match": "free text",
            "via": "the text names the proven e-mail",
            "decision": None,
            "fields": [
                {"label": "Text", "value": "A hidden \u202eturn\u200b here", "category": None, "is_masked": False}
            ],  # fmt: skip
            "third_parties": [],
        },
        {
            "id": "f3",
            "key": "ticket 90500",
            "match": "linked",
            "via": "tickets.requester_id → users.id, e-mail matched",
            "decision": {
                "key": "exclude",
                "label": "Left out",
                "tone": "inf",
                "reason": "Rights of another person",
            },
            "fields": [{"label": "Subject", "value": "Invoice", "category": None, "is_masked": False}],
            "third_parties": [],
        },
    ],
    "page": {"shown": 3, "total": 4, "next_url": "?open=g3&after=f3", "first_url": None},
}
REQUEST: Final[View] = {
    "reference": "PR-B6HN3C",
    "law": "GDPR",
    "type": ACCESS,
    "heading": "Copy of all data",
    "person": person("Anna Kowalska", "anna@example.pl"),
    "steps": _steps(
        3,
        ["Received", "Identity proven", "Data found", "Review", "Approve", "Answer sent"],
        n4="by a second person",
    ),
    "primary": _action("Finish review", icon="check", key="mod+enter"),
    "secondary": [_action("Search again", icon="refresh"), _action("Write letter", "/letter", "get", key="l")],
    "notices": [
        {
            "tone": "warn",
            "title": "1 record has no decision",
            "text": "An answer goes out only when every record is given or left out with a reason.",
        }
    ],
    "clock": CLOCK,
    "customer": CUSTOMER,
    "approvals": [
        {"name": "Marta K.", "initials": "MK", "text": "reviewed", "tone": "ok"},
        {"name": "Second person", "initials": "?", "text": "waiting", "tone": "neutral"},
    ],
    "approvals_note": "Whoever reviews a request cannot release its package.",
    "found": {
        "searched": True,
        "stores": 3,
        "records": 214,
        "undecided": 1,
        "planned": [],
        "groups": [
            _group(1, "shop.PostgreSQL.customers", 1, ("Give", "ok"), ""),
            _group(2, "shop.PostgreSQL.orders", 18, ("Give", "ok"), ""),
            _group(3, "support.MariaDB.tickets", 4, None, "", 1),
            _group(4, "shop.PostgreSQL.fraud_scores", 2, ("Left out", "inf"), "trade secret"),
            _group(5, "archive.Files.invoices", 189, ("Give", "ok"), ""),
        ],
        "runs": [
            {
                "id": "r1",
                "store": "mailbox",
                "kind": "IMAP",
                "state": "failed",
                "note": "connection refused, 3 attempts",
                "at": ago(minutes=16),
                "retry_url": "/retry",
                "by_hand_url": "/hand",
                "without_url": "/without",
            },
            {
                "id": "r2",
                "store": "wiki",
                "kind": "Files",
                "state": "none",
                "note": "nothing held about this person",
                "at": ago(minutes=20),
                "retry_url": None,
                "by_hand_url": None,
                "without_url": None,
            },
        ],
    },
    "preview": PREVIEW,
    "events": [
        {
            "title": "Search finished",
            "text": "in 5 stores, 1 failed",
            "at": ago(minutes=16),
            "actor": None,
            "tone": "warn",
        },
        {
            "title": "Clock resumed",
            "text": "after 2 days, identity proven by mail code",
            "at": ago(days=2),
            "actor": None,
            "tone": None,
        },
        {
            "title": "Clock paused",
            "text": "identity in doubt, code sent",
            "at": ago(days=3, hours=18),
            "actor": "Ada",
            "tone": None,
        },
        {"title": "Received", "text": "by the form", "at": ago(days=4), "actor": None, "tone": None},
    ],
    "messages": [
        {
            "from": "Demo shop",
            "at": ago(days=2),
            "text": "Thank you. We are searching now.",
            "outgoing": True,
        },
        {
            "from": "Customer",
            "at": ago(days=1),
            "text": "Please do not forget my old account.",
            "outgoing": False,
        },
    ],
    "reply_url": "/console/requests/x/message",
    "values": {},
    "errors": [],
    "related": [{"label": "PR-2XW9T7, same customer", "url": "/console/requests/PR-2XW9T7"}],
}
REQUEST_NEW: Final[View] = REQUEST | {
    "heading": "Erasure of all data",
    "type": ERASURE,
    "person": person("A•••• K•••••••", "a•••@e•••", True),
    "steps": _steps(0, ["Received", "Identity proven", "Data found", "Review", "Approve", "Carry out", "Answer sent"]),
    "primary": _action("Start search", key="mod+enter", why_not="Identity level 2 is needed, 1 is proven"),
    "secondary": [],
    "notices": [],
    "customer": CUSTOMER | {"person": person("A•••• K•••••••", "a•••@e•••", True), "identity": None, "holds": [], "linked": []},
    "clock": CLOCK | {"events": [], "extend": _action("Extend…", "/x", why_not="Its notice date has passed")},
    "approvals": [],
    "found": {"searched": False, "stores": 0, "records": 0, "undecided": 0, "planned": [{"store": "shop", "what": "PostgreSQL, by e-mail and customer number"}, {"store": "support", "what": "MariaDB, by e-mail"}], "groups": [], "runs": []},
    "preview": None,
    "events": REQUEST["events"][-1:],
    "messages": [],
    "related": [],
}  # fmt: skip

RIGHTS: Final = [
    {"value": "access", "label": "Get a copy of my data", "hint": "We collect what we hold and send you a link."},
    {"value": "erasure", "label": "Erase my data", "hint": "We erase what the law does not make us keep."},
    {"value": "portability", "label": "Move my data", "hint": "A machine-readable file of what you gave us."},
    {"value": "objection", "label": "Stop using my data", "hint": "For example, for advertising."},
]  # fmt: skip
START: Final[View] = {
    "action": "/privacy",
    "rights": RIGHTS,
    "takes": "We answer within one month.",
    "values": {"type": "access"},
    "errors": [],
    "stamp": "signed",
    "trap": "website",
    "preferences_url": "/privacy/preferences",
}
START_REFUSED: Final[View] = START | {
    "values": {"type": "erasure", "email": "not an address", "details": "Order 10023"},
    "errors": [{"field": "email", "text": "Enter an e-mail address such as name@example.com"}],
}
CHECK_MAIL: Final[View] = {
    "masked_address": "a•••@e•••",
    "action": "/privacy/check",
    "minutes": 10,
    "errors": [],
    "resend_url": None,
    "resend_at": in_(minutes=10),
    "start_url": "/privacy",
}
CHECK_MAIL_REFUSED: Final[View] = CHECK_MAIL | {
    "errors": [{"field": "code", "text": "This code does not fit, or its time is over. 3 tries are left."}],
    "resend_url": "/privacy/resend",
    "resend_at": None,
}
CUSTOMER_STEPS: Final = ["Received", "Address confirmed", "Searching", "Review", "Answer"]
STATUS: Final[View] = {
    "reference": "PR-B6HN3C",
    "type": "Copy of my data",
    "steps": _steps(3, CUSTOMER_STEPS),
    "now": "We have searched our systems and are checking what we found, so that no other person's data gets into your copy.",
    "clock": running(24, 26),
    "paused": None,
    "primary": None,
    "reply": {
        "url": "/privacy/r/message",
        "label": "Write to us",
        "hint": "We answer here, and a mail tells you so.",
    },
    "withdraw_url": "/privacy/r/withdraw",
    "messages": REQUEST["messages"],
    "outcomes": [],
    "object_url": None,
    "authority": {"name": "State Commissioner for Data Protection", "url": "https://authority.example/"},
    "values": {},
    "errors": [],
}
STATUS_ANSWERED: Final[View] = STATUS | {
    "steps": _steps(5, CUSTOMER_STEPS),
    "now": "Your answer is ready.",
    "clock": None,
    "paused": {"since": ago(days=1), "why": "Please tell us your last order number.", "action": {"label": "Answer", "url": "#messages"}},
    "primary": {"label": "Download my data", "url": "/privacy/r/download"},
    "withdraw_url": None,
    "object_url": "/privacy/r/object",
    "outcomes": [
        {"system": "Shop", "outcome": "given", "tone": "ok", "reason": "Customer record, 18 orders"},
        {"system": "Fraud check", "outcome": "left out", "tone": "inf", "reason": "Trade secret; you may ask a person to look at it"},
    ],
}  # fmt: skip

LONE: Final[View] = console()
SIGN_IN: Final[View] = {"values": {"mail": ""}, "errors": [], "next": "/console", "notice": None}
SIGN_IN_REFUSED: Final[View] = {
    "values": {"mail": "ada@shop.example"},
    "errors": [{"field": None, "text": "The address and the password do not fit together."}],
    "next": "/console",
    "notice": {"tone": "inf", "text": "You have been signed out."},
}
SECOND: Final[View] = {
    "purpose": "sign-in",
    "what": "",
    "action": "/console/sign-in/code",
    "next": "/console",
    "errors": [],
    "recovery": True,
}
STEP_UP: Final[View] = SECOND | {
    "purpose": "step-up",
    "what": "Releasing PR-B6HN3C",
    "errors": [{"field": "code", "text": "This code does not fit."}],
}

PAGES: Final[dict[str, tuple[str, View]]] = {
    "queue": ("console/queue.html", {"shell": console("requests", demo=DEMO), "view": QUEUE}),
    "queue-empty": ("console/queue.html", {"shell": console("requests"), "view": QUEUE_EMPTY}),
    "request": ("console/request.html", {"shell": console("requests"), "view": REQUEST}),
    "request-new": ("console/request.html", {"shell": console("requests"), "view": REQUEST_NEW}),
    "sign-in": ("console/signin.html", {"shell": LONE, "view": SIGN_IN}),
    "sign-in-refused": ("console/signin.html", {"shell": LONE, "view": SIGN_IN_REFUSED}),
    "second-factor": ("console/second_factor.html", {"shell": LONE, "view": SECOND}),
    "step-up": ("console/second_factor.html", {"shell": LONE, "view": STEP_UP}),
    "privacy": ("portal/start.html", {"shell": portal(), "view": START}),
    "privacy-refused": ("portal/start.html", {"shell": portal(), "view": START_REFUSED}),
    "check-mail": ("portal/check_mail.html", {"shell": portal(), "view": CHECK_MAIL}),
    "check-mail-refused": ("portal/check_mail.html", {"shell": portal(), "view": CHECK_MAIL_REFUSED}),
    "status": ("portal/status.html", {"shell": portal(), "view": STATUS}),
    "status-answered": ("portal/status.html", {"shell": portal(), "view": STATUS_ANSWERED}),
}
