"""Made-up views of home, queue, request and release, in the shape that each template's head names."""

from typing import Any, Final

from tests.e2e.sample_base import View, ago, overdue, paused, person, running

# ruff: noqa: E501 - a table of samples reads better with one sample a line
# fmt: off

ACCESS: Final = {"key": "access", "label": "Access"}
ERASURE: Final = {"key": "erasure", "label": "Erasure"}
ADA: Final = {"name": "Ada", "initials": "AD"}
MARTA: Final = {"name": "Marta", "initials": "MA"}


def row(number: str, who: View, kind: View, step: str, note: str, clock: View, by: View | None) -> View:
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


def rows() -> list[View]:
    kinds = {
        "portability": "Portability",
        "opt_out_sale_share": "Opt-out of sale",
        "rectification": "Rectification",
        "objection": "Objection",
    }
    port, opt, rect, obj = ({"key": key, "label": label} for key, label in kinds.items())
    review, new = "Review", "New"
    return [
        row("7MK4Q2", person("Jonas Weber", "jonas@example.de"), ACCESS, review, "2 third parties to redact", overdue(1), ADA),
        row("2XW9T7", person("Chiara Rossi", "c.rossi@example.it"), ACCESS, "Data found", "search ran, 1 store failed", running(2, 4), MARTA),
        row("Q83DFA", person("Luc Martin", "luc@example.fr"), ERASURE, "Approve", "second approver missing", running(3, 5), None),
        row("B6HN3C", person("Anna Kowalska", "anna@example.pl"), ERASURE, review, "6 stores, 214 records", running(24, 26), MARTA),
        row("V4R8KD", person("Eva Novák", "eva@example.cz"), port, "Identity", "code sent, no answer", paused(9), None),
        row("J5T2PE", person("Sam Lee", "sam@example.com"), opt, "Carry out", "running in 4 stores", running(8), ADA),
        row("K9WZ4X", person("Mia Jensen", "mia@example.dk"), rect, new, "from chat, needs typing", running(29, 31), None),
        row("C3NQ7Y", person("N••• B•••", "n•••@e•••", True), obj, new, "direct marketing: act at once", running(30), None),
    ]


def views(current: str) -> list[View]:
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
    "views": views("All open"),
    "filters": [
        {"label": "State: open", "remove_url": "?type=access"},
        {"label": "Type: access, erasure", "remove_url": "?state=open"},
    ],
    "clear_url": "/console/requests",
    "sorted_by": "Sorted by safe date, soonest first",
    "search": "",
    "rows": rows(),
    "page": {"shown": 8, "total": 12, "next_url": "?after=x", "first_url": None},
    "bulk": {
        "url": "/console/requests/bulk",
        "view": "all",
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
    "views": views("Failed"),
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


def action(label: str, url: str = "/do", method: str = "post", **more: Any) -> View:
    return {"label": label, "url": url, "method": method} | more


def steps(now: int, labels: list[str], **notes: str) -> list[View]:
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
    "extend": action("Extend…", "/console/requests/x/extend", "get"),
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


def group(number: int, name: str, records: int, decision: tuple[str, str] | None, reason: str, third: int = 0) -> View:
    store, kind, collection = name.split(".")
    return {
        "id": f"g{number}",
        "store": store,
        "kind": kind,
        "collection": collection,
        "records": records,
        "decision": {"label": decision[0], "tone": decision[1]} if decision else None,
        "reason": reason,
        "third_parties": {"text": f"{third} to decide", "tone": "warn"} if third else {"text": "none found", "tone": None},
        "open_url": f"?open=g{number}",
        "is_open": number == 3,
    }


PREVIEW: Final[View] = {
    "group_id": "g3",
    "give": "Give",
    "leave": "Leave out",
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
                {"label": "Subject", "value": "Parcel", "category": None, "is_masked": False, "mark_url": None},
                {
                    "label": "Text",
                    "value": "My parcel went to my neighbour [Person B], phone [third party].\nPlease change the address.",
                    "category": "free text",
                    "is_masked": False,
                    "mark_url": "/console/requests/x/texts?finding=f1&number=1",
                },
                {"label": "Card", "value": "•••• 4242", "category": "payment", "is_masked": True, "mark_url": None},
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
                {"label": "Text", "value": "A hidden \u202eturn\u200b here", "category": None, "is_masked": False, "mark_url": None}
            ],
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
            "fields": [{"label": "Subject", "value": "Invoice", "category": None, "is_masked": False, "mark_url": None}],
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
    "steps": steps(
        3,
        ["Received", "Identity proven", "Data found", "Review", "Approve", "Answer sent"],
        n4="by a second person",
    ),
    "primary": action("Finish review", icon="check", key="mod+enter"),
    "secondary": [action("Search again", icon="refresh"), action("Write letter", "/letter", "get", key="l")],
    "notices": [
        {
            "tone": "warn",
            "title": "1 record has no decision",
            "text": "An answer goes out only when every record is given or left out with a reason.",
        }
    ],
    "watch": {"title": "The stores are being searched", "text": "This page says when.", "url": "/watch", "seconds": 30},
    "clock": CLOCK,
    "customer": CUSTOMER,
    "approvals": [
        {"name": "Marta K.", "initials": "MK", "text": "reviewed", "tone": "ok"},
        {"name": "Second person", "initials": "?", "text": "waiting", "tone": "neutral"},
    ],
    "approvals_note": "Whoever reviews a request cannot release its package.",
    "found": {
        "searched": True,
        "others": True,
        "stores": 3,
        "records": 214,
        "undecided": 1,
        "planned": [],
        "groups": [
            group(1, "shop.PostgreSQL.customers", 1, ("Give", "ok"), ""),
            group(2, "shop.PostgreSQL.orders", 18, ("Give", "ok"), ""),
            group(3, "support.MariaDB.tickets", 4, None, "", 1),
            group(4, "shop.PostgreSQL.fraud_scores", 2, ("Left out", "inf"), "trade secret"),
            group(5, "archive.Files.invoices", 189, ("Give", "ok"), ""),
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
    "once": "5f0e",
    "values": {},
    "errors": [],
    "tasks": [{"label": "Search a store that failed (mailbox)", "url": "/console/tasks/1", "clock": running(1)}],
    "related": [{"label": "PR-2XW9T7, same customer", "url": "/console/requests/PR-2XW9T7"}],
}
REQUEST_NEW: Final[View] = REQUEST | {
    "heading": "Erasure of all data",
    "type": ERASURE,
    "person": person("A•••• K•••••••", "a•••@e•••", True),
    "steps": steps(0, ["Received", "Identity proven", "Data found", "Review", "Approve", "Carry out", "Answer sent"]),
    "primary": action("Start search", key="mod+enter", why_not="Identity level 2 is needed, 1 is proven"),
    "secondary": [],
    "notices": [],
    "customer": CUSTOMER | {"person": person("A•••• K•••••••", "a•••@e•••", True), "identity": None, "holds": [], "linked": []},
    "clock": CLOCK | {"events": [], "extend": action("Extend…", "/x", why_not="Its notice date has passed")},
    "approvals": [],
    "found": {"searched": False, "others": True, "stores": 0, "records": 0, "undecided": 0, "planned": [{"store": "shop", "what": "PostgreSQL, by e-mail and customer number"}, {"store": "support", "what": "MariaDB, by e-mail"}], "groups": [], "runs": []},
    "preview": None,
    "events": REQUEST["events"][-1:],
    "messages": [],
    "tasks": [],
    "related": [],
}

HOME_TASKS: Final = [
    {"url": "/console/tasks/1", "title": "Search the mailbox by hand", "about": "PR-2XW9T7, Mailbox", "clock": running(1)},
]
HOME: Final[View] = {
    "most_urgent": {"label": "Open PR-7MK4Q2", "url": "/console/requests/PR-7MK4Q2"},
    "needs": [
        {key: row[key] for key in ("url", "reference", "law", "type", "person", "clock")} | {"why": row["step"]["note"]}
        for row in rows()[:3]
    ],
    "next_due": None,
    "tiles": [
        {"label": "Open", "figure": "12", "note": "1 overdue, 2 due in 3 days", "tone": "bad", "url": "/console/requests"},
        {"label": "Waiting on identity", "figure": "3", "note": "oldest 6 days", "tone": "warn", "url": "?view=identity"},
        {"label": "Needs 2nd approver", "figure": "1", "note": "yours", "tone": "inf", "url": "?view=approver"},
        {"label": "Answered this month", "figure": "9", "note": "all in time", "tone": "ok", "url": None},
    ],
    "failed": [{"store": "mailbox", "note": "connection refused, 3 attempts", "at": ago(minutes=16), "url": "/console/stores"}],
    "tasks": HOME_TASKS,
    "more_tasks": 3,
    "checklist": [
        {"label": "First account", "text": "", "done": True, "url": None},
        {"label": "Send mail through your server", "text": "Customers get their codes by mail.", "done": False, "url": "/docs"},
    ],
    "guide": {"title": "Answer your first request", "text": "PR-2XW9T7 is searched already.", "action": {"label": "Begin", "url": "#"}},
    "as_of": None,
}
HOME_EMPTY: Final[View] = HOME | {
    "most_urgent": None,
    "needs": [],
    "next_due": "Next: PR-7MK4Q2 in 29 d.",
    "failed": [],
    "tasks": [],
    "checklist": [],
    "guide": None,
    "as_of": ago(minutes=5),
}
RELEASE: Final[View] = {
    "reference": "PR-B6HN3C",
    "url": "/console/requests/PR-B6HN3C",
    "person": person("Anna Kowalska", "anna@example.pl"),
    "clock": running(24, 26),
    "state": "ready",
    "built_at": ago(minutes=3),
    "released_at": None,
    "expires_at": None,
    "downloads_left": 5,
    "progress": None,
    "index_url": "/index",
    "letter": {"subject": "Answer to your request PR-B6HN3C", "language": "pl", "url": "/letter"},
    "size": 2_400_000,
    "files": [
        {"path": "START-HERE.html", "what": "index", "size": 18_200},
        {"path": "letter.pdf", "what": "the letter", "size": 96_000},
        {"path": "json/shop/orders.json", "what": "18 records", "size": 21_400},
    ],
    "sha256": "9f2c8d1e7a4b60935fd1c2ab88e07744d1b2f0c96a3e5d7b8c9d0e1f2a3b4c5d",
    "contents": [{"store": "shop", "collection": "orders", "records": 18}, {"store": "support", "collection": "tickets", "records": 3}],
    "left_out": [{"what": "fraud_scores, 2 records", "ground": "Trade secret"}],
    "checks": [
        {"label": "Third parties are decided", "state": "ok", "detail": "4 taken out, 1 left in; 14 texts read."},
        {"label": "CSV opens without formulas", "state": "ok", "detail": ""},
        {"label": "Opens offline", "state": "waiting", "detail": "running"},
        {"label": "No secrets", "state": "failed", "detail": "json/shop/orders.json"},
    ],
    "reviewer": "Marta",
    "release": {"url": "/release", "why_not": None, "needs_code": True},
    "send_back": {"url": "/back"},
    "values": {"reference": "PR-B6HN"},
    "errors": [{"field": "reference", "text": "This is not the number of the request"}],
}
RELEASE_OWN: Final[View] = RELEASE | {
    "release": {"url": "/release", "why_not": "You reviewed this request; another person releases it.", "needs_code": True},
    "send_back": None,
    "values": {},
    "errors": [],
}
RELEASE_BUILDING: Final[View] = RELEASE_OWN | {
    "state": "building",
    "built_at": None,
    "progress": {"done": 3, "total": 8, "text": "Writing shop.orders"},
}
ACT: Final[View] = {
    "title": "Extend the time",
    "crumbs": [{"label": "Requests", "url": "/console/requests"}, {"label": "PR-B6HN3C", "url": "/r"}, {"label": "Extend", "url": None}],
    "notices": [{"tone": "warn", "title": "The customer is told by mail", "text": "Once only."}],
    "facts_title": "Dates",
    "facts": [{"label": "Due now", "value": "Wed 16 Dec 2026"}, {"label": "Due after it", "value": "Tue 16 Feb 2027"}],
    "lists": [{
        "title": "Shop", "tag": {"text": "erased and read back", "tone": "ok"}, "link": {"label": "Open the task", "url": "/console/tasks/1"},
        "lines": [{"text": "orders: delete", "note": "done and read back", "tag": {"text": "3 records", "tone": "ok"}}],
    }],
    "files": [{"label": "Download the receipt", "url": "/receipt", "at": ago(minutes=16), "note": "SHA-256 0a1b"}],
    "list_title": "Proofs",
    "list": [{"text": "code from the mailbox", "note": "level 2", "tag": {"text": "20 Nov", "tone": "ok"}}],
    "quote_title": "Extension of your request",
    "quote": "Good day,\n\nwe need more time.",
    "question": "Why does it take longer?",
    "action": "/console/requests/x/extend",
    "hidden": {"seen": "7"},
    "fields": [
        {"kind": "area", "name": "reason", "label": "Reasons", "hint": "The customer reads them.", "options": [], "optional": False},
        {"kind": "date", "name": "until", "label": "New date", "hint": None, "options": [], "optional": True},
        {"kind": "field", "name": "reference", "label": "Number", "hint": None, "options": [], "optional": False},
        {"kind": "code", "name": "code", "label": "Code", "hint": None, "options": [], "optional": False},
        {"kind": "checks", "name": "roles", "label": "Roles", "hint": None, "options": [{"value": "a", "label": "Analyst", "checked": True}], "optional": False},
    ],
    "submit": {"label": "Extend and tell the customer", "tone": "primary"},
    "why_not": None,
    "watch": {"title": "The plan is there", "label": "See the plan", "to": "/plan", "url": None},
    "back": "/console/requests/x",
    "others": [],
    "values": {},
    "errors": [{"field": "reason", "text": "Say why"}],
}
