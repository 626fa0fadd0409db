"""One made-up view for every customer template and for the demo's inbox."""

from typing import Final

from tests.e2e.sample_base import View, ago, in_, portal, running
from tests.e2e.sample_requests import REQUEST, steps

# ruff: noqa: E501 - a table of samples reads better with one sample a line
# fmt: off

RIGHTS: Final = [
    {"value": "access", "label": "Get a copy of my data", "hint": "We collect what we hold and send you a link."},
    {"value": "erasure", "label": "Erase my data", "hint": "We erase what the law does not make us keep."},
    {"value": "portability", "label": "Move my data", "hint": "A machine-readable file of what you gave us."},
    {"value": "objection", "label": "Stop using my data", "hint": "For example, for advertising."},
]
START: Final[View] = {
    "action": "/privacy",
    "rights": RIGHTS,
    "takes": "We answer within one month.",
    "values": {"type": "access"},
    "errors": [],
    "stamp": "signed",
    "trap": "website",
    "preferences_url": "/privacy/preferences",
    "return_url": "/privacy/return",
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
    "steps": steps(3, CUSTOMER_STEPS),
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
    "recipients": [],
    "object_url": None,
    "authority": {"name": "State Commissioner for Data Protection", "url": "https://authority.example/"},
    "leave_url": "/privacy/leave",
    "preferences_url": "/privacy/preferences",
    "values": {},
    "errors": [],
}
STATUS_ANSWERED: Final[View] = STATUS | {
    "steps": steps(5, CUSTOMER_STEPS),
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
    "recipients": [
        {"name": "Parcel carrier", "text": "was told", "tone": "ok"},
        {"name": "Example Credit", "text": "could not be told", "tone": "warn"},
    ],
}

CONFIRM: Final[View] = {
    "action": "/privacy/confirm",
    "type": "Copy of my data",
    "received": ago(minutes=3),
    "ask_order": True,
    "ask_code": False,
    "values": {"order": "10023"},
    "errors": [{"field": "postcode", "text": "Enter the postcode"}],
    "start_url": "/privacy",
}
DOWNLOAD: Final[View] = {
    "reference": "PR-B6HN3C",
    "state": "ready",
    "status_url": "/privacy/r",
    "contents": [
        {"system": "Shop", "parts": [{"label": "Orders", "count": 18}]},
        {"system": "Support desk", "parts": [{"label": "Tickets", "count": 3}]},
    ],
    "size": 2_400_000,
    "expires_at": in_(days=30),
    "downloads_left": 5,
    "sha256": "9f2c8d1e7a4b60935fd1c2ab88e07744d1b2f0c96a3e5d7b8c9d0e1f2a3b4c5d",
    "action": "/privacy/r/download",
    "again_url": "/privacy",
    "send_url": None,
    "is_sent": False,
    "masked_address": "a•••@e•••",
    "ready_at": None,
    "errors": [],
}
PREFERENCES: Final[View] = {
    "action": "/privacy/preferences",
    "masked_address": "a•••@e•••",
    "purposes": [
        {
            "id": "newsletter",
            "label": "Newsletter",
            "why": "News and offers, about once a week.",
            "if_yes": "you get it on the ways you choose.",
            "if_no": "you get none; orders are not affected.",
            "locked": None,
            "partners": [],
            "channels": [
                {"id": "email", "label": "by e-mail", "granted": True, "pending": False},
                {"id": "sms", "label": "by SMS", "granted": False, "pending": True},
            ],
            "granted": False,
        },
        {
            "id": "profiling",
            "label": "Offers that fit you",
            "why": "We look at what you bought to choose what to show.",
            "if_yes": "the shop shows things that may suit you.",
            "if_no": "the shop shows the same to everybody.",
            "locked": None,
            "partners": ["Example Ads"],
            "channels": [],
            "granted": False,
        },
        {
            "id": "orders",
            "label": "Your orders",
            "why": "Mails about what you bought.",
            "if_yes": "",
            "if_no": "",
            "locked": "Part of our contract with you.",
            "partners": [],
            "channels": [],
            "granted": True,
        },
    ],
    "signal": True,
    "saved": {"text": "Your choices are saved."},
    "errors": [],
    "history": [{"at": ago(days=40), "text": "Newsletter by e-mail: yes", "receipt_url": "/privacy/preferences/receipt/1"}],
    "status_url": "/privacy/status",
}
NO_PREFERENCES: Final[View] = PREFERENCES | {
    "purposes": [],
    "signal": False,
    "saved": None,
    "history": [],
    "masked_address": None,
}
SUBSCRIBE: Final[View] = {"state": "ask", "action": "/c/t", "preferences_url": "/privacy/preferences"}
UNSUBSCRIBE: Final[View] = {"done": False, "action": "/u/t", "preferences_url": "/privacy/preferences"}
NOTICE: Final[View] = {
    "version": 3,
    "locale": "de-DE",
    "published_at": ago(days=40),
    "parts": [
        {"heading": "What we want to use your data for", "paragraphs": ["Neuigkeiten per E-Mail.", "Etwa einmal in der Woche."]},
        {"heading": "Who we are", "paragraphs": ["Lindenhof Seifen, Am Brunnen 3, 10115 Berlin"]},
    ],
    "sha256": "9f2c" * 16,
    "others": [{"locale": "en", "url": "/notices/newsletter/3/en"}],
    "newer_url": "/notices/newsletter/4/de-DE",
}
PREFERENCE_LINK: Final[View] = {
    "state": "ask", "action": "/privacy/preferences/link", "values": {"email": ""}, "errors": [],
    "stop_url": "/privacy?type=objection_direct_marketing",
}  # fmt: skip
DONE: Final[View] = {"masked_address": "a•••@e•••", "start_url": "/privacy"}
RETURN: Final[View] = {
    "action": "/privacy/return",
    "values": {"reference": "PR-", "email": "anna@example.pl"},
    "errors": [{"field": "reference", "text": "Enter the number from our mail, such as PR-7MK4Q2"}],
    "start_url": "/privacy",
}
ERROR: Final[View] = {
    "status": 410,
    "title": "This link has ended",
    "text": "For your protection links work for a limited time. We can send you a new one.",
    "safe": "Your request goes on as before.",
    "actions": [{"label": "Send a new link", "url": "/privacy/link"}],
}
INBOX: Final[View] = {
    "mails": [
        {"id": "1", "url": "/demo/inbox/1", "subject": "Your code", "to": "anna@example.pl", "at": ago(minutes=2), "current": True},
        {"id": "2", "url": "/demo/inbox/2", "subject": "We have your request", "to": "luc@example.fr", "at": ago(days=2), "current": False},
    ],
    "mail": {
        "subject": "Your code",
        "sender": "privacy@shop.example",
        "to": "anna@example.pl",
        "at": ago(minutes=2),
        "text": "Hello,\n\nyour code is 123456.",
        "links": [{"label": "Confirm the request", "url": "/privacy/c/t"}],
        "attachments": [{"name": "letter.pdf", "size": 96_000}],
    },
    "refresh_url": "/demo/inbox",
}

_VIEWS: Final[dict[str, tuple[str, View]]] = {
    "privacy": ("portal/start.html", START),
    "privacy-refused": ("portal/start.html", START_REFUSED),
    "check-mail": ("portal/check_mail.html", CHECK_MAIL),
    "check-mail-refused": ("portal/check_mail.html", CHECK_MAIL_REFUSED),
    "confirm": ("portal/confirm.html", CONFIRM),
    "confirm-by-link": ("portal/confirm.html", CONFIRM | {"ask_order": False, "ask_code": True, "errors": []}),
    "done": ("portal/done.html", DONE),
    "return": ("portal/return.html", RETURN),
    "status": ("portal/status.html", STATUS),
    "status-answered": ("portal/status.html", STATUS_ANSWERED),
    "download": ("portal/download.html", DOWNLOAD),
    "download-code": ("portal/download.html", DOWNLOAD | {"state": "need_code", "send_url": "/send"}),
    "download-sent": ("portal/download.html", DOWNLOAD | {"state": "need_code", "is_sent": True}),
    "download-preparing": ("portal/download.html", DOWNLOAD | {"state": "preparing"}),
    "download-expired": ("portal/download.html", DOWNLOAD | {"state": "expired"}),
    "notice": ("portal/notice.html", NOTICE),
    "preference-link": ("portal/preference_link.html", PREFERENCE_LINK),
    "preference-link-sent": ("portal/preference_link.html", PREFERENCE_LINK | {"state": "sent"}),
    "preference-link-open": ("portal/preference_link.html", PREFERENCE_LINK | {"state": "open", "action": "/p/t"}),
    "preferences": ("portal/preferences.html", PREFERENCES),
    "preferences-none": ("portal/preferences.html", NO_PREFERENCES),
    "unsubscribe": ("portal/unsubscribe.html", UNSUBSCRIBE),
    "unsubscribed": ("portal/unsubscribe.html", UNSUBSCRIBE | {"done": True}),
    "confirm-subscription": ("portal/subscribe.html", SUBSCRIBE),
    "subscription-confirmed": ("portal/subscribe.html", SUBSCRIBE | {"state": "done"}),
    "subscription-over": ("portal/subscribe.html", SUBSCRIBE | {"state": "over"}),
    "portal-error": ("portal/error.html", ERROR),
    "inbox": ("demo/inbox.html", INBOX),
    "inbox-empty": ("demo/inbox.html", INBOX | {"mails": [], "mail": None}),
}
_DEMO: Final[View] = {"inbox_url": "/demo/inbox", "console_url": "/console"}
PAGES: Final[dict[str, tuple[str, View]]] = {
    name: (template, {"shell": portal() | {"demo": _DEMO if template.startswith("demo/") else None}, "view": view})
    for name, (template, view) in _VIEWS.items()
}
