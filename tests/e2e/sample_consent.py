"""Made-up views of the console's pages about consent."""

from typing import Any, Final

from tests.e2e.sample_base import View, ago, in_

# ruff: noqa: E501 - a table of samples reads better with one sample a line
# fmt: off

def _tabs(current: str) -> list[View]:
    return [{"label": label, "url": f"/console/consent/{label}", "current": label == current, "count": None} for label in ("People", "Suppressions", "Purposes", "Notices", "Collection points", "Systems", "Kept evidence")]


SUPPRESSIONS: Final[View] = {
    "tabs": _tabs("Suppressions"),
    "search": {"url": "/look", "types": [{"value": "email", "label": "E-mail address"}, {"value": "phone", "label": "Phone number"}], "reason": True},
    "asked": {"type": "email", "value": "kim@example.com", "reason": "a call"},
    "entries": [
        {"against": "complaint", "title": "Its owner complained", "text": "Advertising stops.", "reach": "all its reason covers", "purpose": "", "brand": "", "needs_two": False, "field": "why-complaint-all-all"},
        {"against": "legal", "title": "An order", "text": "Two people lift it.", "reach": "newsletter", "purpose": "newsletter", "brand": "", "needs_two": True, "field": "why-legal-newsletter-all"},
    ],
    "lift_url": "/lift",
    "waiting": [
        {"title": "An order", "family": "email", "by": "Dora", "at": ago(hours=2), "why": "the court lifted it", "why_not": None, "url": "/decide"},
        {"title": "An order", "family": "phone", "by": "Ada", "at": ago(hours=9), "why": "a wrong number", "why_not": "You proposed it; another person decides.", "url": "/decide"},
    ],
    "values": {"type": "email", "value": "kim@example.com", "reason": "a call of today"},
    "errors": [{"field": "why-complaint-all-all", "text": "Say in a sentence why"}],
}
PEOPLE: Final[View] = {
    "tabs": _tabs("People"),
    "search": {"url": "/console/consent", "types": [{"value": "email", "label": "E-mail address"}], "reason": True},
    "asked": {"type": "email", "value": "kim@example.com", "reason": "a call"},
    "subject": "s_4f7k29qm8wjxc3tr",
    "choices": [
        {"purpose": "Newsletter", "channel": "email", "brand": "main", "state": "consent given", "since": ago(days=9), "until": None, "answer": "allow", "tone": "ok", "why": "granted", "event": "e1"},
        {"purpose": "Newsletter", "channel": "sms", "brand": None, "state": "consent withdrawn", "since": ago(days=1), "until": ago(days=-30), "answer": "deny", "tone": "bad", "why": "withdrawn", "event": "e2"},
        {"purpose": "all purposes", "channel": "all channels", "brand": None, "state": "Objected", "since": ago(hours=1), "until": None, "answer": None, "tone": "neutral", "why": "", "event": "e3"},
    ],
    "history": [
        {"type": "consent.withdrawn", "said": "Withdrawn", "notice": None, "about": "Newsletter · sms", "at": ago(days=1), "how": "preference centre", "by": "api key", "applied": True, "seq": None, "url": "/r2"},
        {"type": "consent.given", "said": "Given", "notice": {"label": "newsletter, version 7", "url": "/notices/newsletter/7/de"}, "about": "Newsletter · email", "at": ago(days=9), "how": "checkout checkbox", "by": "api key", "applied": False, "seq": 4112, "url": "/r1"},
    ],
    "older": "7",
    "check": {"url": "/check", "purposes": [{"value": "newsletter", "label": "Newsletter"}], "channels": [{"value": "email", "label": "email"}], "brands": [{"value": "main", "label": "Shop"}]},
    "suppressions_url": "/console/consent/suppressions",
    "answer": {"about": "Newsletter", "channel": "email", "allowed": False, "reason": "WITHDRAWN", "why": "withdrawn", "state": "consent withdrawn", "place": "DE"},
    "values": {"type": "email", "value": "kim@example.com"},
    "errors": [],
}
SYSTEMS: Final[View] = {
    "tabs": _tabs("Systems"),
    "rows": [
        {"name": "mail-tool", "url": "/s1", "address": "https://mail.shop.example/hooks/privacy", "is_on": True, "by_hand": False, "open": 3, "overdue": 1, "failed": 2, "last": ago(hours=30)},
        {"name": "crm", "url": "/s2", "address": None, "is_on": True, "by_hand": False, "open": 0, "overdue": 0, "failed": 0, "last": ago(minutes=3)},
        {"name": "old-shop", "url": "/s3", "address": "https://old.shop.example/", "is_on": False, "by_hand": False, "open": 0, "overdue": 0, "failed": 0, "last": None},
        {"name": "till", "url": "/s4", "address": "https://till.shop.example/", "is_on": False, "by_hand": True, "open": 0, "overdue": 0, "failed": 0, "last": None},
    ],
    "new_url": "/new",
}
_POST: Final = {"label": "Switch off", "url": "/off", "method": "post", "tone": "bad"}
SYSTEM: Final[View] = {
    "name": "mail-tool", "crumbs_url": "/console/consent/systems", "is_on": True, "by_hand": False, "code": "", "address": "https://mail.shop.example/hooks/privacy",
    "types": ["consent.*", "stop.all"], "scheme": "with a key pair (Ed25519)", "public_key": "whpk_c2FtcGxlLXB1YmxpYy1rZXk=", "previous_until": in_(hours=3), "since": ago(days=40), "cursor": 4112,
    "others": [{"label": "New signing key", "url": "/rotate", "method": "get"}, _POST],
    "made": {"secret": "whsec_c2FtcGxlLXNlY3JldC1vZi1ub2JvZHk=", "is_public": False},
    "views": [{"label": "All", "url": "/all", "current": True, "count": None}, {"label": "Not confirmed", "url": "/open", "current": False, "count": 3}],
    "is_open": False, "overdue": 1, "is_cut": True,
    "rows": [
        {"seq": 4112, "type": "consent.withdrawn", "since": ago(hours=30), "state": "waiting", "tries": 7, "why": "http 503", "acknowledged_at": None, "due_at": ago(hours=6), "limit_at": None, "rule": "GDPR Art. 7(3)", "is_late": True, "again_url": None},
        {"seq": 4100, "type": "stop.all", "since": ago(days=4), "state": "failed", "tries": 20, "why": "connection refused", "acknowledged_at": None, "due_at": ago(days=3), "limit_at": in_(days=9), "rule": "CAN-SPAM", "is_late": True, "again_url": "/again"},
        {"seq": 4090, "type": "consent.given", "since": ago(days=5), "state": "acknowledged", "tries": 1, "why": "", "acknowledged_at": ago(days=5), "due_at": None, "limit_at": None, "rule": "", "is_late": False, "again_url": "/again"},
        {"seq": None, "type": "sms.confirmation", "since": ago(days=5), "state": "waiting", "tries": 0, "why": "", "acknowledged_at": None, "due_at": None, "limit_at": None, "rule": "", "is_late": False, "again_url": None},
    ],
}
_POINT: Final[View] = {"key": "checkout-de", "url": "/p1", "kind": "checkout", "brand": "shop", "origins": ["https://shop.example", "https://www.shop.example"], "purposes": ["Newsletter", "Profiling"], "notice": "newsletter v6", "is_on": True, "is_behind": True}
POINTS: Final[View] = {
    "tabs": _tabs("Collection points"),
    "rows": [_POINT, _POINT | {"key": "till-3", "url": "/p2", "kind": "till", "origins": [], "is_on": False, "is_behind": False}],
    "new_url": "/new",
}
POINT: Final[View] = _POINT | {
    "crumbs_url": "/console/consent/points", "version": 3, "since": ago(days=70), "clock": "the visitor's", "is_anonymous": False, "base_url": "https://privacy.shop.example", "example": {"purpose": "newsletter", "channel": "email"}, "notice_url": "/notice",
    "others": [{"label": "Change", "url": "/change", "method": "get"}, _POST],
}
KEPT: Final[View] = {
    "tabs": _tabs("Kept evidence"), "url": "/console/consent/kept", "needs_code": True, "policy": "P5Y", "events": 41, "people": 7, "next_end": in_(days=300),
    "opened": {"facts": [{"label": "Type", "value": "consent.given"}, {"label": "Purpose", "value": "newsletter v3"}], "evidence": [{"label": "url", "value": "https://shop.example/checkout"}]},
    "values": {"event": "019c3b2e-7d10-7c44-9a51-2f6f0c1d8e90"}, "errors": [{"field": "reason", "text": "Say why you open it"}],
}
PURPOSES: Final[View] = {
    "tabs": _tabs("Purposes"), "new_url": "/new",
    "rows": [
        {"key": "newsletter", "url": "/p1", "title": "Newsletter", "version": 3, "channels": ["email", "sms"], "bases": "Consent", "flags": ["direct marketing"], "valid_for": "P24M", "has_draft": True, "is_new": False, "is_retired": False},
        {"key": "surveys", "url": "/p2", "title": "Surveys", "version": 1, "channels": ["email"], "bases": "Consent", "flags": [], "valid_for": None, "has_draft": True, "is_new": True, "is_retired": False},
        {"key": "prizes", "url": "/p3", "title": "Prize draws", "version": 2, "channels": ["email"], "bases": "Consent", "flags": [], "valid_for": None, "has_draft": False, "is_new": False, "is_retired": True},
    ],
}
_GET: Final = {"label": "Go on with the draft", "url": "/draft", "method": "get"}
_PUBLISH: Final = {"label": "Publish…", "url": "/publish", "method": "get", "tone": "primary"}
PURPOSE: Final[View] = {
    "title": "Newsletter", "key": "newsletter", "crumbs_url": "/console/consent/purposes", "is_new": False, "is_retired": False, "others": [_GET, {"label": "Throw the draft away", "url": "/x", "method": "post", "tone": "bad"}, _PUBLISH],
    "facts": [{"label": "Key", "value": "newsletter"}, {"label": "Channels", "value": "email, sms"}, {"label": "Consent lasts", "value": "P24M"}],
    "grounds": [{"place": "US", "basis": "Consent", "silence": "yes (opt-out)", "override": True}, {"place": "elsewhere", "basis": "Consent", "silence": "no (opt-in)", "override": False}],
    "draft": {"version": 4, "lines": [{"change": "removed", "text": "recipients: –"}, {"change": "added", "text": "recipients: Example Mailer"}]},
    "versions": [{"version": 3, "material": True, "reason": "a second recipient", "by": "Dora"}, {"version": 2, "material": False, "reason": "a typing error", "by": "Dora"}, {"version": 1, "material": True, "reason": "", "by": ""}],
}
OVERTAKEN: Final[View] = {"by": "Ada", "at": ago(minutes=4), "url": "/draft", "lines": [{"change": "removed", "text": "valid_for: 24 months"}, {"change": "added", "text": "valid_for: 12 months"}]}
PURPOSE_FORM: Final[View] = {
    "title": "Newsletter, next version", "crumbs": [{"label": "Purposes", "url": "/purposes"}, {"label": "Newsletter", "url": "/p1"}], "url": "/draft", "back": "/p1", "is_new": False, "scope_fixed": True, "scope": "brand",
    "languages": ["en", "de"], "channels": [{"value": key, "label": key, "checked": key == "email"} for key in ("email", "sms", "web")],
    "flags": [{"value": "direct_marketing", "label": "Direct marketing", "hint": "An objection to advertising ends it at once.", "checked": True}],
    "rows": [0, 1], "bases": [{"value": "consent", "label": "Consent"}, {"value": "contract", "label": "Contract"}], "regimes": [{"value": "opt_in", "label": "no (opt-in)"}, {"value": "none", "label": "nothing: it is not asked"}],
    "seen": "5f2c", "overtaken": None,
    "kept": True, "values": {"title-en": "Newsletter", "place-0": "*", "basis-0": "consent", "regime-0": "opt_in", "on_notice_outdated": "deny"}, "errors": [],
}
NOTICES: Final[View] = {
    "tabs": _tabs("Notices"), "new_url": "/new",
    "rows": [
        {"id": "newsletter", "url": "/n1", "version": 7, "at": ago(days=90), "locales": ["de", "en"], "purposes": ["Newsletter"], "has_draft": True, "findings": 2},
        {"id": "signup", "url": "/n2", "version": None, "at": None, "locales": ["en"], "purposes": ["Newsletter", "Profiling"], "has_draft": True, "findings": 0},
    ],
}
_CODES: Final = ("locale-missing", "purpose-missing", "purpose-unpublished", "optional-bundled-with-necessary", "preselected-under-opt-in")
NOTICE: Final[View] = {
    "id": "newsletter", "crumbs_url": "/console/consent/notices", "others": [_GET, _PUBLISH],
    "draft": {
        "version": 8, "purposes": ["Newsletter"], "texts": [{"locale": "de", "filled": 13, "all": 14, "url": "/de"}, {"locale": "en", "filled": 14, "all": 14, "url": None}],
        "findings": [{"code": "part-empty", "locale": "de", "part": "risks", "section": "5.3.16", "about": "de/5.3.16 risks", "url": "/de#f-risks"}, {"code": "locale-missing", "locale": "*", "part": "", "section": "", "about": "*", "url": "/draft"}, *({"code": code, "locale": "fr", "part": "", "section": "", "about": "fr", "url": None} for code in _CODES)],
    },
    "versions": [
        {"version": 2, "at": ago(days=90), "material": True, "reason": "a second recipient", "by": "Dora", "purposes": ["Newsletter"], "texts": [{"locale": "de", "sha256": "9f2c" * 16, "url": "/notices/newsletter/2/de"}, {"locale": "en", "sha256": "41ac" * 16, "url": "/notices/newsletter/2/en"}]},
        {"version": 1, "at": ago(days=400), "material": True, "reason": "", "by": "", "purposes": ["Newsletter"], "texts": [{"locale": "en", "sha256": "77ac" * 16, "url": "/notices/newsletter/1/en"}]},
    ],
}
NOTICE_TERMS: Final[View] = {
    "title": "newsletter, next version", "crumbs": [{"label": "Notices", "url": "/notices"}], "url": "/draft", "back": "/n1", "is_new": False,
    "purposes": [{"value": "newsletter", "label": "Newsletter", "checked": True, "ticked": False}, {"value": "profiling", "label": "Profiling", "checked": False, "ticked": True}],
    "seen": "5f2c", "overtaken": None,
    "values": {"locales": "de, en"}, "errors": [{"field": "purposes", "text": "Choose at least one purpose"}],
}
NOTICE_TEXT: Final[View] = {
    "id": "newsletter", "locale": "de", "url": "/draft/de", "back": "/n1", "crumbs": [{"label": "Notices", "url": "/notices"}, {"label": "newsletter", "url": "/n1"}],
    "parts": [{"key": key, "section": f"5.3.{number}"} for number, key in enumerate(("purposes", "controller", "data", "collection", "time_and_place", "use", "storage", "transfer", "retention", "rights_and_withdrawal", "complaint", "choices", "basis", "risks"), 2)],
    "seen": "5f2c", "overtaken": None,
    "other": "en", "beside": {"purposes": "A letter with offers, twice a month."}, "values": {"purposes": "Ein Brief mit Angeboten"}, "errors": [{"field": "risks", "text": "Shorten this part to 20,000 characters"}],
}
CONSENT_VIEWS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "consent-people": ("consent_people", "consent", PEOPLE),
    "consent-people-none": ("consent_people", "consent", PEOPLE | {"subject": None, "choices": [], "history": [], "answer": None, "errors": [{"field": "value", "text": "Enter an address"}]}),
    "consent-systems": ("consent_systems", "consent", SYSTEMS),
    "consent-systems-none": ("consent_systems", "consent", SYSTEMS | {"rows": []}),
    "consent-system": ("consent_system", "consent", SYSTEM),
    "consent-system-off": ("consent_system", "consent", SYSTEM | {"is_on": False, "code": "http 410", "made": {"secret": "whpk_c2FtcGxlLXB1YmxpYy1rZXk=", "is_public": True}, "rows": [], "overdue": 0, "address": None, "types": [], "scheme": None, "is_cut": False}),
    "consent-system-still": ("consent_system", "consent", SYSTEM | {"is_on": False, "by_hand": True, "made": None, "rows": [], "is_open": True, "overdue": 0, "is_cut": False}),
    "consent-points": ("consent_points", "consent", POINTS),
    "consent-points-none": ("consent_points", "consent", POINTS | {"rows": []}),
    "consent-point": ("consent_point", "consent", POINT),
    "consent-point-till": ("consent_point", "consent", POINT | {"kind": "till", "origins": [], "is_on": False, "is_behind": False, "notice_url": None}),
    "consent-point-banner": ("consent_point", "consent", POINT | {"kind": "banner", "is_anonymous": True, "others": []}),
    "consent-kept": ("consent_kept", "consent", KEPT),
    "consent-kept-none": ("consent_kept", "consent", KEPT | {"policy": None, "events": 0, "opened": None, "errors": []}),
    "consent-kept-empty": ("consent_kept", "consent", KEPT | {"events": 0, "opened": {"facts": [], "evidence": []}, "needs_code": False}),
    "consent-purposes": ("consent_purposes", "consent", PURPOSES),
    "consent-purposes-none": ("consent_purposes", "consent", PURPOSES | {"rows": []}),
    "consent-purpose": ("consent_purpose", "consent", PURPOSE),
    "consent-purpose-retired": ("consent_purpose", "consent", PURPOSE | {"is_retired": True}),
    "consent-purpose-new": ("consent_purpose", "consent", PURPOSE | {"is_new": True, "versions": []}),
    "consent-purpose-same": ("consent_purpose", "consent", PURPOSE | {"draft": {"version": 4, "lines": []}}),
    "consent-purpose-form": ("consent_purpose_form", "consent", PURPOSE_FORM),
    "consent-purpose-form-overtaken": ("consent_purpose_form", "consent", PURPOSE_FORM | {"overtaken": OVERTAKEN}),
    "consent-purpose-form-new": ("consent_purpose_form", "consent", PURPOSE_FORM | {"is_new": True, "scope_fixed": False, "kept": False, "errors": [{"field": "channels", "text": "Choose at least one channel"}, {"field": "place-0", "text": "Name the legal basis"}]}),
    "consent-notices": ("consent_notices", "consent", NOTICES),
    "consent-notices-none": ("consent_notices", "consent", NOTICES | {"rows": []}),
    "consent-notice": ("consent_notice", "consent", NOTICE),
    "consent-notice-complete": ("consent_notice", "consent", NOTICE | {"draft": NOTICE["draft"] | {"findings": []}, "versions": []}),
    "consent-notice-terms": ("consent_notice_terms", "consent", NOTICE_TERMS),
    "consent-notice-terms-overtaken": ("consent_notice_terms", "consent", NOTICE_TERMS | {"errors": [], "overtaken": OVERTAKEN | {"by": None, "at": None}}),
    "consent-notice-terms-new": ("consent_notice_terms", "consent", NOTICE_TERMS | {"is_new": True, "errors": []}),
    "consent-notice-text": ("consent_notice_text", "consent", NOTICE_TEXT),
    "consent-people-start": ("consent_people", "consent", PEOPLE | {"asked": None, "subject": None}),
    "consent-suppressions": ("consent_suppressions", "consent", SUPPRESSIONS),
    "consent-suppressions-none": ("consent_suppressions", "consent", SUPPRESSIONS | {"entries": [], "waiting": [], "errors": [{"field": "value", "text": "Enter an address"}]}),
}
ALIKE: Final = frozenset(
    {"consent-systems-none", "consent-points-none", "consent-purposes-none", "consent-system-still", "consent-purpose-same", "consent-purpose-new", "consent-notice-complete", "consent-notice-terms-new", "consent-point-banner", "consent-kept-empty"}
)
"""Samples that draw other words in the same parts as another one: linted with all, and not opened in a browser."""
