"""Made-up views of the other console pages, and the list of all of them."""

from typing import Any, Final

from tests.e2e.sample_base import DEMO, NOW, View, ago, console, in_, overdue, paused, person, running
from tests.e2e.sample_consent import CONSENT_VIEWS
from tests.e2e.sample_requests import (
    ACCESS,
    ACT,
    ADA,
    CLOCK,
    CUSTOMER,
    HOME,
    HOME_EMPTY,
    QUEUE,
    QUEUE_EMPTY,
    RELEASE,
    RELEASE_BUILDING,
    RELEASE_OWN,
    REQUEST,
    REQUEST_NEW,
    views,
)
from tests.e2e.sample_third_parties import FAILED, THIRD_PARTIES

# ruff: noqa: E501 - a table of samples reads better with one sample a line
# fmt: off

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


SETUP: Final[View] = {
    "action": "/setup",
    "invited": None,
    "values": {"name": "Ada", "mail": "ada@"},
    "errors": [{"field": "mail", "text": "Enter an e-mail address such as name@example.com"}],
    "organisation": "Demo shop",
    "country": "DE",
    "password_length": 12,
}
JOIN: Final[View] = SETUP | {
    "action": "/setup/join",
    "invited": {"name": "Marta", "mail": "marta@shop.example"},
    "values": {},
    "errors": [],
}
PIXEL: Final = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
TOTP_ADD: Final[View] = {
    "stage": "add",
    "action": "/console/second-factor",
    "method": "post",
    "secret": "JBSW Y3DP EHPK 3PXP",
    "uri": "otpauth://totp/privacyops",
    "qr": PIXEL,
    "codes": [],
    "errors": [],
}
TOTP_CODES: Final[View] = TOTP_ADD | {"stage": "codes", "codes": ["4F7K-29QM", "8WJX-C3TR", "N5VD-7HPA"]}
TASK_LIST: Final[View] = {
    "views": views("Mine")[:2],
    "rows": [
        {
            "id": "t1",
            "url": "/console/tasks/1",
            "title": "Search the mailbox by hand",
            "about": "Mailbox",
            "request": {"reference": "PR-2XW9T7", "url": "/console/requests/PR-2XW9T7"},
            "assignee": ADA,
            "clock": running(1),
        },
        {
            "id": "t2",
            "url": "/console/tasks/2",
            "title": "A store could not be scanned",
            "about": "Shop",
            "request": {"reference": "", "url": "/console/tasks"},
            "assignee": None,
            "clock": running(0),
        },
    ],
    "page": {"shown": 2, "total": None, "next_url": None, "first_url": "?"},
}
TASK: Final[View] = {
    "title": "Search the mailbox by hand",
    "question": "Does the mailbox hold anything about this person?",
    "about": "Mailbox",
    "behind": "The machine could not do it, after several attempts.",
    "links": [{"label": "Open the request", "url": "/console/requests/PR-2XW9T7"}],
    "request": {"reference": "PR-2XW9T7", "url": "/console/requests/PR-2XW9T7", "type": ACCESS},
    "facts": [{"label": "E-mail", "value": "c.rossi@example.it"}],
    "how": ["Search the shared mailbox for the address.", "Export what you find.", "Say below what you did."],
    "clock": running(1),
    "claim_url": "/console/tasks/1/claim",
    "step": None,
    "state": "open",
    "done_note": None,
    "note": None,
    "answer": {
        "url": "/done",
        "label": "What you did",
        "hint": "One sentence is enough.",
        "choices": [{"value": "found", "label": "Something was found", "hint": None}, {"value": "none", "label": "Nothing", "hint": None}],
        "more": [{"name": "records", "label": "What was found", "hint": "A table with a heading.", "optional": True}],
    },
    "values": {},
    "errors": [{"field": "outcome", "text": "Say what came of it"}],
    "events": REQUEST["events"],
}
TASK_DONE: Final[View] = TASK | {
    "state": "done",
    "claim_url": None,
    "done_note": "Done by Ada.",
    "note": "Searched by order number; nothing is held",
    "answer": None,
    "errors": [],
    "facts": [],
    "request": {"reference": "", "url": "/console/tasks", "type": {"key": "", "label": "–"}},
}
WEIGH: Final[View] = ACT | {
    "title": "Weigh an objection",
    "crumbs": [{"label": "My tasks", "url": "/console/tasks"}, {"label": "Weigh an objection", "url": None}],
    "facts_title": "The objection",
    "facts": [{"label": "Purpose", "value": "Fraud prevention (fraud)"}, {"label": "Person", "value": "s_4f7k29qm8wjxc3tr"}],
    "notices": [], "list": [], "lists": [], "files": [], "quote": "",
    "question": "Do compelling grounds outweigh it?",
    "fields": [
        {"kind": "choices", "name": "outcome", "label": "What outweighs what?", "hint": None, "options": [{"value": "upheld", "label": "Uphold it", "hint": "The purpose goes on being refused."}, {"value": "rejected", "label": "Reject it", "hint": None}], "optional": False},
        {"kind": "area", "name": "why", "label": "Reason", "hint": None, "options": [], "optional": False},
    ],
    "submit": {"label": "Decide", "tone": "primary"},
    "errors": [{"field": "outcome", "text": "Choose whether the objection is upheld"}],
}
AUDIT: Final[View] = {
    "rows": [
        {
            "seq": 4112,
            "at": ago(minutes=4),
            "actor": "Ada",
            "action": "dsar.finish_review",
            "title": "Review finished",
            "object": {"label": "PR-B6HN3C", "url": "/console/requests/PR-B6HN3C"},
            "detail": "214 records, 2 left out",
            "hash": "9f2c8d1e7a4b60935fd1",
        },
        {"seq": 4111, "at": ago(days=1), "actor": "system", "action": "job.reaped", "title": "", "object": None, "detail": "", "hash": "11aa22bb33cc44dd"},
    ],
    "verified": {"ok": True, "text": "4,112 rows, no gap, head signed", "at": NOW},
    "verify_url": "/console/audit/verify",
    "export_url": "/console/audit.csv",
    "filters": [],
    "form": {"actors": [{"value": "ada", "label": "Ada"}], "actions": [{"value": "dsar", "label": "Requests"}]},
    "values": {},
    "page": {"shown": 2, "total": 4112, "next_url": "?before=4111", "first_url": None},
}
AUDIT_BROKEN: Final[View] = AUDIT | {
    "rows": [],
    "verified": {"ok": False, "text": "row 4,090 does not fit the row before it", "at": NOW},
    "filters": [{"label": "By: Ada", "remove_url": "/console/audit"}],
}


def _store(name: str, kind: str, state: str, note: str = "") -> View:
    return {
        "id": name,
        "name": name,
        "kind": kind,
        "state": state,
        "note": note,
        "looked_at": None if state == "new" else ago(minutes=9),
        "region": "DE",
        "owner": "Ada" if state == "ok" else None,
        "map_url": f"/console/stores/{name}/map",
        "test_url": f"/console/stores/{name}/test",
        "owner_url": f"/console/stores/{name}/owner",
        "owner_id": "a1",
    }


STORES: Final[View] = {
    "stores": [
        _store("shop", "PostgreSQL", "ok"),
        _store("support", "MariaDB", "slow", "answers in 4.1 s"),
        _store("mailbox", "IMAP", "failed", "Sign-in refused. Set a new password in the settings file."),
        _store("wiki", "Files", "new"),
    ],
    "tested": {
        "name": "mailbox",
        "ok": False,
        "steps": [{"label": "name", "ok": True, "detail": "found"}, {"label": "sign-in", "ok": False, "detail": "refused"}],
    },
    "owners": [{"value": "a1", "label": "Ada"}, {"value": "o1", "label": "Ola"}],
}
STORES_EMPTY: Final[View] = STORES | {"stores": [], "tested": None}
DATAMAP: Final[View] = {
    "crumbs_url": "/console/stores",
    "name": "Shop",
    "url": "/console/stores/shop/map",
    "scanning": {"is_open": True, "is_away": False, "read": 12, "total": 40, "code": ""},
    "scan": 4,
    "scanned_at": ago(hours=3),
    "scan_url": "/console/stores/shop/map/scan",
    "answer_url": "/console/stores/shop/map/answer",
    "ownerships": [
        ["owned", "about the person"],
        ["pointer", "another's row that names the person"],
        ["shared", "about several people"],
        ["context", "about nobody"],
    ],
    "questions": [
        {
            "id": f"{start}>customers.id", "ask": "Does it say to which row of customers the row belongs?", "start": start, "end": "customers.id", "when": when, "rows": rows,
            "kind": "the column is named like the key, and its values occur there", "whose": whose,
            "ownership": ownership, "percent": percent,
            "evidence": ["the column has the name of the key", "its values occur there: 198 of 200"],
        }
        for start, when, rows, whose, ownership, percent in (
            ("orders.customer_id", "", 48_211, "about the person", "owned", 94),
            ("notes.subject_id", "subject_type = customer", 1_802, "not clear yet", "undecided", 71),
        )
    ],
    "more": 3,
    "drift": [
        {"kind": "new column", "what": "customers.birth_date", "is_personal": True},
        {"kind": "new table", "what": "shipping_zones", "is_personal": False},
    ],
    "collections": [
        {"name": "customers", "class": "person", "rows": 9_120, "holds": ["email", "first name", "phone"]},
        {"name": "countries", "class": "lookup", "rows": None, "holds": []},
    ],
    "formats": ["fideslang", "csv", "dpv"],
}  # fmt: skip
DATAMAP_NEW: Final[View] = DATAMAP | {"scan": None, "scanning": None, "questions": [], "drift": [], "collections": []}
SETTINGS: Final[View] = {
    "sections": [
        {"label": "Me", "url": "/console/settings", "current": True, "count": None},
        {"label": "Accounts", "url": "/console/settings/accounts", "current": False, "count": 2},
        {"label": "API keys", "url": "/console/settings/keys", "current": False, "count": 1},
    ],
    "section": "me",
    "me": {
        "name": "Ada",
        "mail": "ada@shop.example",
        "role": "analyst",
        "keys": True,
        "masked": False,
        "second_factor": True,
        "recovery_left": 8,
        "url": "/console/settings/me",
        "codes_url": "/console/settings/recovery-codes",
    },
    "waiting": [
        {"account_id": "2", "name": "Marta", "mail": "marta@shop.example", "roles": "approver", "by": "Olga", "at": ago(hours=2), "seen": "ab12", "why_not": None, "confirm_url": "/confirm", "decline_url": "/decline", "decline": "Decline"},
        {"account_id": "3", "name": "Nele", "mail": "nele@shop.example", "roles": "administrator", "by": "Ada", "at": ago(hours=3), "seen": "cd34", "why_not": "You proposed it; another person confirms it.", "confirm_url": None, "decline_url": "/decline", "decline": "Take back"},
    ],
    "invited": {"name": "Marta", "url": "https://privacy.shop.example/setup/join?t=poj_made-up"},
    "accounts": [
        {"id": "1", "name": "Ada", "initials": "AD", "mail": "ada@shop.example", "role": "analyst", "state": "active", "last_seen": ago(minutes=1), "second_factor": True, "is_me": True, "change_url": None},
        {"id": "2", "name": "Marta", "initials": "MA", "mail": "marta@shop.example", "role": "approver", "state": "active", "last_seen": None, "second_factor": False, "is_me": False, "change_url": "/console/settings/accounts/2"},
    ],
    "invite": {"url": "/invite", "roles": [{"value": "analyst", "label": "Analyst"}]},
    "api_keys": [
        {"id": "k1", "name": "shop back end", "prefix": "po_live_4f7k", "scopes": ["consent:check", "feed:read"], "systems": ["call-centre"], "is_live": True, "is_over": False, "made_at": ago(days=9), "expires_at": in_(days=300), "revoke_url": "/revoke", "waits": None},
        {"id": "k2", "name": "warehouse", "prefix": "po_live_9xk2", "scopes": ["consent:export"], "systems": [], "is_live": True, "is_over": False, "made_at": ago(hours=2), "expires_at": in_(days=360), "revoke_url": None, "waits": {"scopes": ["consent:export_clear"], "seen": "ab12", "why_not": None, "from": None, "confirm_url": "/confirm", "decline_url": "/decline"}},
    ],
    "create": {"url": "/create", "once": "8a1c", "needs_code": True, "scopes": [{"value": "consent:check", "label": "consent:check", "hint": "ask whether a purpose is allowed"}, {"value": "dsar:create", "label": "dsar:create", "hint": "file requests"}], "systems": ["call-centre", "mail-tool"]},
    "made": {"name": "warehouse", "secret": "po_live_9xk2_Qm7vT4cR8sW1zB5nL3pH6dJ0", "waits": "consent:export_clear"},
    "values": {"scopes": ["dsar:create"]},
    "errors": [],
}
ERROR: Final[View] = {
    "status": 404,
    "title": "Nothing is known under this address",
    "text": "The link may be old, or the request belongs to another company.",
    "safe": "Nothing was changed.",
    "actions": [{"label": "Show all requests", "url": "/console/requests"}],
    "problems": [],
}
NEW_REQUEST: Final[View] = {
    "action": "/console/requests/new",
    "sources": [{"value": "phone", "label": "phone"}, {"value": "letter", "label": "letter"}],
    "types": [{"value": "access", "label": "Access"}, {"value": "erasure", "label": "Erasure"}],
    "once": "7c1d",
    "residences": [{"value": "DE", "label": "Germany"}],
    "languages": [{"value": "de", "label": "German"}],
    "today": "2026-11-22",
    "values": {"source": "letter", "received": "2026-11-25"},
    "errors": [{"field": "received", "text": "This day lies in the future"}],
}
KIT: Final[View] = {
    "clocks": [overdue(1), running(-1, 2), running(2, 4), running(0), running(8), running(24, 26), paused(9), running(3) | {"state": "done"}, running(3) | {"state": "none"}],
    "person": person("Anna Kowalska", "anna@example.pl"),
    "masked": person("A•••• K•••••••", "a•••@e•••", True),
    "clock": CLOCK,
    "customer": CUSTOMER,
}

_VIEWS: Final[dict[str, tuple[str, str, View]]] = {
    "queue": ("queue", "requests", QUEUE),
    "queue-empty": ("queue", "requests", QUEUE_EMPTY),
    "request": ("request", "requests", REQUEST),
    "request-new": ("request", "requests", REQUEST_NEW),
    "sign-in": ("signin", "", SIGN_IN),
    "sign-in-refused": ("signin", "", SIGN_IN_REFUSED),
    "second-factor": ("second_factor", "", SECOND),
    "step-up": ("second_factor", "", STEP_UP),
    "setup": ("setup", "", SETUP),
    "join": ("setup", "", JOIN),
    "totp-add": ("enrol_totp", "", TOTP_ADD),
    "totp-codes": ("enrol_totp", "", TOTP_CODES),
    "home": ("home", "home", HOME),
    "home-empty": ("home", "home", HOME_EMPTY),
    "release": ("release", "requests", RELEASE),
    "release-own": ("release", "requests", RELEASE_OWN),
    "release-building": ("release", "requests", RELEASE_BUILDING),
    "release-failed": ("release", "requests", RELEASE_OWN | {"state": "failed"}),
    "third-parties": ("third_parties", "requests", THIRD_PARTIES),
    "third-parties-failed": ("third_parties", "requests", FAILED),
    "tasks": ("tasks", "tasks", TASK_LIST),
    "tasks-empty": ("tasks", "tasks", TASK_LIST | {"rows": []}),
    "task": ("task", "tasks", TASK),
    "task-weigh": ("task", "tasks", TASK | {"answer": None, "errors": [], "step": {"label": "Weigh the objection", "url": "/weigh", "method": "get", "tone": "primary"}}),
    "weigh": ("act", "tasks", WEIGH),
    "task-done": ("task", "tasks", TASK_DONE),
    "audit": ("audit", "audit", AUDIT),
    "audit-broken": ("audit", "audit", AUDIT_BROKEN),
    "stores": ("stores", "stores", STORES),
    "datamap": ("datamap", "stores", DATAMAP),
    "datamap-new": ("datamap", "stores", DATAMAP_NEW),
    "stores-empty": ("stores", "stores", STORES_EMPTY),
    "settings": ("settings", "settings", SETTINGS),
    "settings-accounts": ("settings", "settings", SETTINGS | {"section": "accounts"}),
    "settings-keys": ("settings", "settings", SETTINGS | {"section": "keys"}),
    "settings-no-keys": ("settings", "settings", SETTINGS | {"section": "keys", "api_keys": [], "made": None, "create": None}),
    "act": ("act", "requests", ACT),
    "act-refused": ("act", "requests", ACT | {"why_not": "You prepared this plan; another person approves it.", "errors": []}),
    "demo": ("demo", "", {"users": [{"id": "1", "name": "Ada", "initials": "AD", "role": "analyst", "what": "Takes requests in."}], "switch_url": "/console/demo/switch", "portal_url": "/privacy", "inbox_url": "/demo/inbox"}),
    "error": ("error", "", ERROR),
    "new-request": ("new_request", "requests", NEW_REQUEST),
    "kit": ("kit", "kit", KIT),
    **CONSENT_VIEWS,
}
_FLASH: Final = [{"tone": "ok", "text": "The search was started."}]
PAGES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    name: (
        f"console/{template}.html",
        {"shell": console(active, demo=DEMO if name in ("queue", "home") else None, flash=_FLASH if name == "request-new" else []), "view": view},
    )
    for name, (template, active, view) in _VIEWS.items()
}
