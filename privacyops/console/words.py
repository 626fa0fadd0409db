"""What the console calls things: codes of the domain in the words of the people who work with them."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.consent.state import EventType
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.domain.dsar.state import DsarState

TYPES: Final[Mapping[RequestType, str]] = {
    RequestType.ACCESS: "Access",
    RequestType.KNOW_SPECIFIC: "Know: specific pieces",
    RequestType.KNOW_CATEGORIES: "Know: categories",
    RequestType.PORTABILITY: "Portability",
    RequestType.THIRD_PARTY_LIST: "List of recipients",
    RequestType.RECTIFICATION: "Rectification",
    RequestType.ERASURE: "Erasure",
    RequestType.RESTRICTION: "Restriction",
    RequestType.OBJECTION: "Objection",
    RequestType.ADM_REVIEW: "Human review",
    RequestType.OBJECTION_DIRECT_MARKETING: "Stop advertising",
    RequestType.CONSENT_WITHDRAWAL: "Consent withdrawn",
    RequestType.OPT_OUT_SALE_SHARE: "Opt-out of sale",
    RequestType.OPT_OUT_TARGETED_ADS: "Opt-out of targeted ads",
    RequestType.OPT_OUT_PROFILING: "Opt-out of profiling",
    RequestType.LIMIT_SENSITIVE: "Limit sensitive data",
    RequestType.APPEAL: "Appeal",
    RequestType.GRIEVANCE: "Grievance",
}
HEADINGS: Final[Mapping[RequestType, str]] = {
    RequestType.ACCESS: "Copy of all data",
    RequestType.PORTABILITY: "Data to take along",
    RequestType.ERASURE: "Erasure of all data",
    RequestType.RECTIFICATION: "Correction of data",
}
CAME_BY: Final[Mapping[Channel, str]] = {
    Channel.FORM: "the form of the privacy page", Channel.WIDGET: "the form in the shop",
    Channel.SHOP_SESSION: "the shop, signed in", Channel.PREFERENCES: "the page of choices",
    Channel.API: "the shop's back end", Channel.PLATFORM: "the shop platform", Channel.EMAIL: "e-mail",
    Channel.LETTER: "a letter", Channel.PHONE: "phone", Channel.CHAT: "chat", Channel.COUNTER: "a visit",
}  # fmt: skip
"""How a request reached the team, after the words "came by"."""
CHANNELS: Final[Mapping[Channel, str]] = {
    Channel.FORM: "form", Channel.WIDGET: "widget", Channel.SHOP_SESSION: "shop account",
    Channel.PREFERENCES: "preference centre", Channel.API: "shop back end", Channel.PLATFORM: "shop platform",
    Channel.EMAIL: "e-mail", Channel.LETTER: "letter", Channel.PHONE: "phone", Channel.CHAT: "chat",
    Channel.COUNTER: "in person",
}  # fmt: skip
TYPED_CHANNELS: Final = (Channel.EMAIL, Channel.LETTER, Channel.PHONE, Channel.CHAT, Channel.COUNTER)
"""What a person types in; everything else comes by itself."""
CONNECTORS: Final[Mapping[str, str]] = {
    "sql": "SQL", "files": "Files", "rest": "Web service", "manual": "By hand", "s3": "S3 bucket",
    "mongodb": "MongoDB", "redis": "Redis", "search": "Search index", "gcs": "Google Cloud Storage",
    "mailbox": "Mailbox (IMAP)", "ldap": "Directory (LDAP)", "duckdb": "DuckDB",
}  # fmt: skip
"""What a store is, by the name of its connector; another's keeps its own name."""
STATES: Final[Mapping[DsarState, tuple[str, str]]] = {
    DsarState.RECEIVED: ("New", "waits for the next step"),
    DsarState.AWAITING_IDENTITY: ("Identity", "waits for the customer's proof"),
    DsarState.AWAITING_CLARIFICATION: ("Clarify", "waits for the customer's answer"),
    DsarState.AWAITING_FEE: ("Fee", "waits for the customer's payment"),
    DsarState.SEARCHING: ("Search", "the stores are being searched"),
    DsarState.IN_REVIEW: ("Review", "waits for decisions"),
    DsarState.AWAITING_APPROVAL: ("Approve", "waits for a second person"),
    DsarState.EXECUTING: ("Carry out", "the stores are being changed"),
    DsarState.ANSWERING: ("Release", "waits for a second person"),
    DsarState.ANSWERED: ("Answered", "can be closed"),
    DsarState.CLOSED: ("Closed", ""),
}
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.FULFILLED: "fulfilled", Outcome.FULFILLED_PARTIAL: "fulfilled in part", Outcome.REFUSED: "refused",
    Outcome.NO_DATA_FOUND: "no data found", Outcome.WITHDRAWN: "withdrawn", Outcome.MERGED: "merged",
    Outcome.NOT_A_REQUEST: "no request", Outcome.NOT_IDENTIFIED: "not identified",
    Outcome.TRANSFERRED: "passed on",
}  # fmt: skip
ROLES: Final[Mapping[Role, str]] = {
    Role.ADMIN: "administrator", Role.DPO: "data protection officer", Role.ANALYST: "analyst",
    Role.APPROVER: "approver", Role.STORE_OWNER: "store owner", Role.AUDITOR: "auditor",
}  # fmt: skip
SCOPES: Final[Mapping[Scope, str]] = {
    Scope.CONSENT_CHECK: "ask whether a purpose is allowed", Scope.CONSENT_WRITE: "record choices",
    Scope.CONSENT_BACKDATE: "record choices of the past", Scope.CONSENT_READ: "read a person's choices",
    Scope.CONSENT_IMPORT: "bring in old lists", Scope.CONSENT_EXPORT: "take choices out, contacts hashed",
    Scope.CONSENT_EXPORT_CLEAR: "take contacts out in clear; an officer confirms it",
    Scope.CATALOGUE_MANAGE: "write purposes, notices and collection points",
    Scope.FEED_READ: "read changes and confirm them",
    Scope.LEDGER_READ: "read the logs and their proofs", Scope.DSAR_CREATE: "file requests",
    Scope.DSAR_READ: "read requests, without their content", Scope.DSAR_REDACT: "decide on passages about others",
    Scope.TASK_ANSWER: "answer tasks", Scope.WEBHOOK_MANAGE: "connect systems",
    Scope.DATAMAP_READ: "read the data map", Scope.DATAMAP_MANAGE: "scan stores and answer for them",
}  # fmt: skip
"""What a key with the scope may do; one that nothing asks for yet is left out."""
PROOFS: Final[Mapping[str, str]] = {
    ProofMethod.SHOP_TOKEN: "signed in at the shop", ProofMethod.MAIL_CODE: "code from the mailbox",
    ProofMethod.ORDER_FACT: "order number matched",
    ProofMethod.ASSERTED: "vouched for by the shop", ProofMethod.STAFF: "accepted by a person",
}  # fmt: skip
SUPPRESSIONS: Final[Mapping[SuppressionReason, tuple[str, str]]] = {
    SuppressionReason.HARD_BOUNCE: (
        "The mailbox is dead",
        "Mail came back for good; nothing is sent there.",
    ),
    SuppressionReason.COMPLAINT: ("Its owner complained", "Advertising was reported as unwanted. Advertising stops."),
    SuppressionReason.ERASED_OPT_OUT: ("Stopped before an erasure", "What its owner had refused stays refused."),
    SuppressionReason.STOP_KEYWORD: ("STOP by text message", "Advertising over text message and phone stops."),
    SuppressionReason.LEGAL: ("An order", "A court or an authority forbids it. Two people lift it."),
}
CONSENT_EVENTS: Final[Mapping[EventType, str]] = {
    EventType.REQUESTED: "Asked, not confirmed yet", EventType.DEFERRED: "Closed without choosing",
    EventType.GIVEN: "Given", EventType.CONFIRMED: "Confirmed", EventType.RENEWED: "Given anew",
    EventType.REFUSED: "Refused", EventType.WITHDRAWN: "Withdrawn", EventType.EXPIRED: "Ended by its time",
    EventType.TERMINATED: "Ended by us", EventType.INVALIDATED: "Declared invalid",
    EventType.BASIS_ESTABLISHED: "Existing customer: basis recorded", EventType.OBJECTION_MADE: "Objected",
    EventType.OBJECTION_LIFTED: "Objection lifted", EventType.GPC: "Signal of the browser",
    EventType.STOP_ALL: "Stopped everything", EventType.SUPPRESSION_ADDED: "Contact suppressed",
    EventType.SUPPRESSION_LIFTED: "Suppression lifted", EventType.IDENTITY_LINKED: "Device tied to the person",
    EventType.IDENTITY_UNLINKED: "Device untied", EventType.CONTACT_CHANGED: "Contact changed",
    EventType.IMPORT: "Brought in from an old list", EventType.STATE_CARRIED: "Carried over",
}  # fmt: skip
ACTORS: Final[Mapping[str, str]] = {
    ActorKind.STAFF: "a colleague", ActorKind.API_KEY: "the shop's back end", ActorKind.SUBJECT: "the person",
    ActorKind.SYSTEM: "the service", ActorKind.COLLECTION_POINT: "a collection point",
}  # fmt: skip
LAWS: Final[Mapping[str, str]] = {
    "eu_gdpr": "GDPR", "uk_gdpr": "UK GDPR", "us_ca_ccpa": "CCPA", "us_ca_delete_act": "Delete Act",
    "us_state_common": "US state law", "br_lgpd": "LGPD", "ch_fadp": "FADP",
}  # fmt: skip
LANGUAGES: Final[Mapping[str, str]] = {
    "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fi": "Finnish", "fr": "French", "ga": "Irish", "hr": "Croatian", "hu": "Hungarian",
    "it": "Italian", "lt": "Lithuanian", "lv": "Latvian", "mt": "Maltese", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "sk": "Slovak", "sl": "Slovenian", "sv": "Swedish",
}  # fmt: skip
VIEWS: Final[Mapping[str, tuple[str, str, str]]] = {
    "all": ("All open", "No request is open", "New ones appear here by themselves."),
    "mine": ("Mine", "Nothing is assigned to you", "Take a request with “Assign me”."),
    "soon": ("Due in 7 days", "Nothing is due within a week", "What comes near appears here and on Home."),
    "identity": ("Waiting on identity", "No request waits for proof", "Requests wait here until the customer answers."),
    "approval": ("Needs 2nd approver", "Nothing waits for a second person", "Plans and packages wait here."),
    "failed": ("Failed", "No request has a failed store", "A store that does not answer shows up here."),
    "unverified": ("Unverified", "Nothing unverified", "Submissions whose address nobody confirmed stand here alone."),
    "closed": ("Closed", "No request is closed yet", "What is done stays here until it is deleted by rule."),
}
WITHHOLDING: Final[Mapping[str, str]] = {
    "THIRD_PARTY_RIGHTS": "Rights of other people",
    "TRADE_SECRET_IP": "Trade secret",
    "LEGAL_PRIVILEGE": "Confidential with lawyers",
    "LEGAL_CLAIMS": "Needed for legal claims",
    "LEGAL_OBLIGATION": "A law obliges us to keep it",
    "CONTRACT_NEEDED": "Needed for a contract",
    "FREEDOM_EXPRESSION": "Freedom of expression",
    "PUBLIC_INTEREST_RESEARCH": "Research in the public interest",
    "SECURITY_FRAUD": "Security and fraud",
    "DATA_ACCURATE": "The data is accurate",
    "NOT_PORTABLE": "Not data to take along",
    "SENSITIVE_ELEMENT_WITHHELD": "Held, but never sent",
    "DISPROPORTIONATE_EFFORT": "Effort out of all proportion",
}
CHECKS: Final[Mapping[str, str]] = {
    "no_undecided_finding": "Everything is decided",
    "no_third_party_open": "Third parties are decided",
    "files_inside": "All files are inside",
    "no_secrets": "No secrets",
    "csv_safe": "Tables open without formulas",
    "opens_offline": "Opens offline",
    "names_safe": "File names are safe",
    "size": "Size",
}
EVENTS: Final[Mapping[str, tuple[str, str | None]]] = {
    "dsar.submit": ("Received", None),
    "dsar.ask_identity": ("Proof asked for", None),
    "dsar.identity_proved": ("Identity proven", "ok"),
    "dsar.identity_accepted": ("Identity accepted by a colleague", "ok"),
    "dsar.order_fact_met": ("Order number found in the customer's records", "ok"),
    "dsar.code_mailed": ("New code mailed", None),
    "dsar.start_search": ("Search started", None),
    "dsar.search_settled": ("Search finished", "ok"),
    "dsar.search_again": ("Search begun again", None),
    "dsar.run_failed": ("A store failed", "bad"),
    "run.settled": ("Store searched", None),
    "run.retry": ("Store searched again", None),
    "run.done_by_hand": ("Store searched by hand", None),
    "run.answered_without": ("Answer goes without a store", "warn"),
    "dsar.decide": ("Decision on records", None),
    "dsar.texts_read": ("Texts read for other people", "ok"),
    "dsar.texts_unread": ("Texts could not be read by the machine", "bad"),
    "dsar.read_again": ("Texts read once more", None),
    "dsar.redact": ("Decision on a passage about others", None),
    "dsar.texts_seen": ("Texts read by a colleague", None),
    "dsar.text_unseen": ("A text has to be read after all", None),
    "dsar.texts_vouched": ("All texts read by a colleague", "ok"),
    "dsar.passages_dropped": ("Decisions lost with a changed text", "warn"),
    "dsar.finish_review": ("Review finished", "ok"),
    "dsar.submit_for_approval": ("Sent to a second person", None),
    "dsar.approve_answer": ("Approved", "ok"),
    "dsar.return": ("Sent back to review", "warn"),
    "dsar.recall": ("Package sent back to review", "warn"),
    "dsar.package_built": ("Package built", None),
    "dsar.release": ("Package released", "ok"),
    "dsar.answer_sent": ("Answer announced to the customer", "ok"),
    "dsar.download": ("Package downloaded", None),
    "dsar.package_destroyed": ("Package destroyed after its time", None),
    "dsar.ask_clarification": ("Customer asked what is meant", None),
    "dsar.clarification_received": ("Customer answered", "ok"),
    "dsar.demand_fee": ("Fee demanded", "warn"),
    "dsar.fee_settled": ("Fee settled", "ok"),
    "dsar.start_execution": ("Carrying out begun", None),
    "dsar.approve_plan": ("Plan approved", "ok"),
    "dsar.extend": ("Time extended, customer told", "warn"),
    "dsar.assign": ("Assigned", None),
    "dsar.message": ("Message", None),
    "dsar.apply_stop": ("Stopped at once", "ok"),
    "dsar.execution_settled": ("Carried out", "ok"),
    "dsar.open": ("Request opened", None),
    "dsar.view_findings": ("Records looked at", None),
    "dsar.find_person": ("Person looked up", None),
    "dsar.download_refused": ("Download refused", "warn"),
    "dsar.values_dropped": ("Found values deleted after their time", None),
    "dsar.emptied": ("Content deleted after its time", None),
    "dsar.plan_erasure": ("Erasure being planned", None),
    "erasure.planned": ("Erasure planned", None),
    "erasure.by_hand": ("A person erases here", "warn"),
    "erasure.ended": ("Erased", "ok"),
    "erasure.handed_over": ("Erasure handed to a person", "bad"),
    "erasure.receipt": ("Receipt signed", "ok"),
    "erasure.swept": ("Looked at again", None),
    "dsar.corrections": ("Written what is corrected", None),
    "dsar.plan_rectification": ("Correction being planned", None),
    "rectification.planned": ("Correction planned", None),
    "rectification.by_hand": ("A person corrects here", "warn"),
    "rectification.ended": ("Corrected", "ok"),
    "rectification.handed_over": ("Correction handed to a person", "bad"),
    "rectification.receipt": ("Receipt signed", "ok"),
    "dsar.dismiss": ("Dismissed", None),
    "dsar.withdraw": ("Withdrawn by the customer", None),
    "dsar.expire_unverified": ("Ended: the address was never confirmed", None),
    "dsar.close": ("Closed", "ok"),
    "dsar.asked_by_platform": ("Asked for by the shop platform", None),
    "dsar.platform_echo": ("The shop platform passed the erasure on to us", None),
    "dsar.recipients": ("Recipients have to be told", None),
    "recipient.told": ("A recipient was told", None),
    "recipient.confirmed": ("A recipient confirmed", "ok"),
    "recipient.not_disclosed": ("A recipient got no data of this person", None),
    "recipient.proposed": ("Proposed that a recipient is not told", "warn"),
    "recipient.excused": ("Agreed that a recipient is not told", "ok"),
    "recipient.sent_back": ("A recipient has to be told after all", None),
    "deadline.fired": ("Reminder", "warn"),
}
"""Title and tone of an audit action on a request's timeline."""
_VERBS: Final[Mapping[RequestType, tuple[str, str]]] = {
    RequestType.ERASURE: ("Erase", "Keep"),
    RequestType.RECTIFICATION: ("Correct", "Leave as is"),
    RequestType.RESTRICTION: ("Restrict", "Leave as is"),
}
_DECIDED: Final[Mapping[RequestType, tuple[str, str]]] = {
    RequestType.ERASURE: ("to be erased", "to be kept"),
    RequestType.RECTIFICATION: ("to be corrected", "to be left as is"),
    RequestType.RESTRICTION: ("to be restricted", "to be left as is"),
}
_UNITS: Final = ("year", "month", "week", "day")
_PERIOD: Final = re.compile("P" + "".join(f"(?:([0-9]{{1,5}}){unit[0].upper()})?" for unit in _UNITS))
_PERIOD_WORDS: Final = re.compile(r"[\s,]*".join(rf"(?:([0-9]{{1,5}})\s*{unit}s?)?" for unit in _UNITS))
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")


CORRECTED: Final[Mapping[str, str]] = {
    "street": "Street", "postcode": "Postcode", "city": "Town", "country": "Country", "name": "Full name",
    "first_name": "First name", "last_name": "Surname", "email": "Mail address", "phone": "Phone number",
    "birth_date": "Date of birth", "column": "A named column",
}  # fmt: skip
"""What may be corrected, in the order of the form."""


def corrected(kind: str) -> str:
    """What a correction is about: a kind, else the column's own name."""
    return CORRECTED.get(kind, kind).lower() if kind in CORRECTED else kind


def records(count: int) -> str:
    """`1 record`, `3 records`."""
    return f"{count} record" if count == 1 else f"{count} records"


def law(rule_id: str) -> str:
    """The law behind a deadline rule, as people say it."""
    return LAWS.get(rule_id, rule_id.replace("_", " ").upper())


def type_of(type_: RequestType) -> dict[str, str]:
    """A request type as the templates take it."""
    return {"key": str(type_), "label": TYPES[type_]}


def language(tag: str) -> str:
    """A language as people call it; a tag that is not known stays as it is."""
    return LANGUAGES.get(tag.partition("-")[0].lower(), tag)


def connector(name: str) -> str:
    """What kind of store it is."""
    return CONNECTORS.get(name, name)


def verbs(type_: RequestType) -> tuple[str, str]:
    """What including a record means for this type of request, and what leaving it out means."""
    return _VERBS.get(type_, ("Give", "Leave out"))


def decided(type_: RequestType) -> tuple[str, str]:
    """What was decided about records, after their number: `3 to be erased`, `2 left out`."""
    return _DECIDED.get(type_, ("given", "left out"))


def day(date_: date) -> str:
    """`Wed 16 Dec 2026`, as the templates write it."""
    return f"{_DAYS[date_.weekday()]} {date_.day} {_MONTHS[date_.month - 1]} {date_.year}"


def period(text: str) -> str:
    """`P24M` as `24 months`, `P1Y6M` as `1 year 6 months`; what is no such period stays as it is."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return text
    counts = [int(count or 0) for count in found.groups()]
    told = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in zip(counts, _UNITS, strict=True) if count]
    return " ".join(told) or text


def period_of(text: str) -> str:
    """The other way: `24 months` as `P24M`. What is written otherwise stays as it is, for its rule to judge."""
    found = _PERIOD_WORDS.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        return text.strip()
    return "P" + "".join(f"{count}{unit}" for count, unit in zip(found.groups(), "YMWD", strict=True) if count)


def reason(code: str) -> str:
    """A ground for withholding in words."""
    return WITHHOLDING.get(code, code.replace("_", " ").lower())


def some_days(count: int) -> str:
    """`1 day`, `3 days`."""
    return f"{count} day" if count == 1 else f"{count} days"


def distance(to: date, today: date) -> str:
    """How far off a date is: `in 3 days`, `today`, `2 days late`."""
    left = (to - today).days
    return "today" if not left else f"in {some_days(left)}" if left > 0 else f"{some_days(-left)} late"


def code_text(code: str) -> str:
    """A machine's code as words: `connection_refused` reads `connection refused`."""
    return code.replace("_", " ").replace(":", ": ").strip()
