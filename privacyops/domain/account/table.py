"""The table: which role, key scope or kind of actor may take which action. Everything not listed is refused.

Source: ISO/IEC 27701 access control; segregation of duties between preparing, approving and administering.
"""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.account.action import Action, Extent, Scope

WIDEST_FIRST: Final = tuple(Extent)
_C = Extent.CLEAR
_R = Extent.REASONED
_S = Extent.SUMMARY
_M = Extent.MASKED
_O = Extent.OWN
_N = None

STAFF: Final[Mapping[Action, tuple[Extent | None, ...]]] = {
    # columns in the order of Role: admin, dpo, analyst, approver, store owner, auditor
    Action.SETTINGS_SEE: (_C, _C, _N, _N, _N, _C),
    Action.SETTINGS_CHANGE: (_C, _N, _N, _N, _N, _N),
    Action.STORE_SEE: (_C, _C, _N, _N, _N, _C),
    Action.STORE_MANAGE: (_C, _N, _N, _N, _N, _N),
    Action.STORE_GRANT_WRITE: (_C, _C, _N, _N, _N, _N),
    Action.WEBHOOK_SEE: (_C, _C, _N, _N, _N, _C),
    Action.WEBHOOK_MANAGE: (_C, _N, _N, _N, _N, _N),
    Action.APIKEY_SEE: (_C, _C, _N, _N, _N, _C),
    Action.APIKEY_MANAGE: (_C, _N, _N, _N, _N, _N),
    Action.APIKEY_CONFIRM: (_N, _C, _N, _N, _N, _N),
    Action.KEY_ROTATE: (_C, _N, _N, _N, _N, _N),
    Action.KEY_DESTROY: (_C, _N, _N, _N, _N, _N),
    Action.ACCOUNT_SEE: (_C, _C, _N, _N, _N, _N),
    Action.ACCOUNT_MANAGE: (_C, _N, _N, _N, _N, _N),
    Action.ACCOUNT_CONFIRM: (_C, _C, _N, _N, _N, _N),
    Action.ACCOUNT_SELF: (_C, _C, _C, _C, _C, _C),
    Action.DSAR_LIST: (_M, _C, _C, _C, _N, _M),
    Action.DSAR_OPEN: (_N, _C, _C, _S, _N, _M),
    Action.DSAR_INTAKE: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_ASSIGN: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_IDENTITY: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_SEARCH: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_REVIEW: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_REDACT: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_LETTER: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_SUBMIT: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_APPROVE: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_RETURN: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_RELEASE: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_ANSWER: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_ASK: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_EXTEND: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_REFUSE: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_REFUSE_PROPOSE: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_REFUSE_SIGN: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_COUNTERSIGN: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_JUDGE: (_N, _C, _N, _C, _N, _N),
    Action.DSAR_DISMISS: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_MERGE: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_TRANSFER: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_CORRECT: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_HALT: (_N, _C, _C, _C, _N, _N),
    Action.DSAR_REOPEN: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_CLOSE: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_WITHDRAW: (_N, _C, _C, _N, _N, _N),
    Action.DSAR_STATUS: (_M, _C, _C, _C, _N, _M),
    Action.DSAR_MESSAGE: (_N, _C, _C, _N, _N, _N),
    Action.TASK_LIST: (_N, _C, _C, _N, _O, _M),
    Action.TASK_ASSIGN: (_N, _C, _C, _N, _N, _N),
    Action.TASK_ANSWER: (_N, _C, _C, _N, _O, _N),
    Action.HOLD_SEE: (_N, _C, _C, _C, _N, _M),
    Action.HOLD_PROPOSE: (_N, _C, _C, _N, _N, _N),
    Action.HOLD_SET: (_N, _C, _N, _N, _N, _N),
    Action.HOLD_LIFT: (_N, _C, _N, _N, _N, _N),
    Action.CONSENT_CHECK: (_N, _C, _C, _N, _N, _N),
    Action.CONSENT_WRITE: (_N, _C, _C, _N, _N, _N),
    Action.CONSENT_READ: (_N, _C, _R, _N, _N, _N),
    Action.CONSENT_PROOF: (_N, _C, _C, _N, _N, _C),
    Action.CONSENT_IMPORT: (_N, _C, _N, _N, _N, _N),
    Action.SUPPRESSION_LIFT: (_N, _C, _C, _N, _N, _N),
    Action.OBJECTION_DECIDE: (_N, _C, _N, _N, _N, _N),
    Action.SUBJECT_ERASE: (_N, _C, _N, _N, _N, _N),
    Action.CONSENT_EXPORT: (_N, _C, _N, _N, _N, _N),
    Action.CONSENT_EXPORT_CLEAR: (_N, _R, _N, _N, _N, _N),
    Action.RING_OPEN: (_N, _R, _N, _N, _N, _N),
    Action.LEDGER_SEE: (_C, _C, _N, _N, _N, _C),
    Action.INCIDENT_REPORT: (_C, _C, _C, _C, _C, _C),
    Action.INCIDENT_SEE: (_N, _C, _C, _N, _N, _C),
    Action.INCIDENT_DRAFT: (_N, _C, _C, _N, _N, _N),
    Action.INCIDENT_DECIDE: (_N, _C, _N, _N, _N, _N),
    Action.COMPLAINT_CREATE: (_N, _C, _C, _N, _N, _N),
    Action.COMPLAINT_SEE: (_M, _C, _C, _N, _N, _M),
    Action.COMPLAINT_ANSWER: (_N, _C, _C, _N, _N, _N),
    Action.NOTICE_SEE: (_N, _C, _C, _N, _N, _C),
    Action.NOTICE_DRAFT: (_N, _C, _C, _N, _N, _N),
    Action.NOTICE_CHANGE: (_N, _C, _N, _N, _N, _N),
    Action.PURPOSE_SEE: (_N, _C, _C, _N, _N, _C),
    Action.PURPOSE_DRAFT: (_N, _C, _C, _N, _N, _N),
    Action.PURPOSE_CHANGE: (_N, _C, _N, _N, _N, _N),
    Action.COLLECTION_SEE: (_N, _C, _C, _N, _N, _C),
    Action.COLLECTION_MANAGE: (_N, _C, _N, _N, _N, _N),
    Action.RETENTION_SEE: (_N, _C, _C, _N, _N, _C),
    Action.RETENTION_DRAFT: (_N, _C, _C, _N, _N, _N),
    Action.RETENTION_CHANGE: (_N, _C, _N, _N, _N, _N),
    Action.RETENTION_SHORTEN: (_N, _C, _N, _N, _N, _N),
    Action.DATAMAP_SEE: (_C, _C, _C, _N, _N, _C),
    Action.DATAMAP_CHANGE: (_C, _C, _N, _N, _N, _N),
    Action.AUDIT_SEE: (_C, _C, _N, _N, _N, _C),
    Action.EVIDENCE_SEE: (_C, _C, _N, _N, _N, _C),
    Action.EVIDENCE_BUILD: (_N, _C, _N, _N, _N, _C),
    Action.KPI_SEE: (_C, _C, _C, _N, _N, _C),
}

SCOPES: Final[Mapping[Scope, Mapping[Action, Extent]]] = {
    Scope.CONSENT_CHECK: {Action.CONSENT_CHECK: _C},
    Scope.CONSENT_WRITE: {Action.CONSENT_WRITE: _C, Action.COLLECTION_TOKEN: _C},
    Scope.CONSENT_BACKDATE: {Action.CONSENT_BACKDATE: _C},
    Scope.CONSENT_READ: {
        Action.CONSENT_READ: _C,
        Action.CONSENT_PROOF: _C,
        Action.PURPOSE_SEE: _C,
        Action.NOTICE_SEE: _C,
    },
    Scope.CONSENT_IMPORT: {Action.CONSENT_IMPORT: _C},
    Scope.CONSENT_EXPORT: {Action.CONSENT_EXPORT: _C},
    Scope.CONSENT_EXPORT_CLEAR: {Action.CONSENT_EXPORT: _C, Action.CONSENT_EXPORT_CLEAR: _R},
    Scope.CATALOGUE_MANAGE: {
        Action.PURPOSE_SEE: _C,
        Action.PURPOSE_DRAFT: _C,
        Action.PURPOSE_CHANGE: _C,
        Action.COLLECTION_SEE: _C,
        Action.COLLECTION_MANAGE: _C,
        Action.COLLECTION_TOKEN: _C,
        Action.NOTICE_SEE: _C,
        Action.NOTICE_DRAFT: _C,
        Action.NOTICE_CHANGE: _C,
    },
    Scope.FEED_READ: {Action.FEED_READ: _C},
    Scope.LEDGER_READ: {Action.LEDGER_SEE: _C, Action.CONSENT_PROOF: _C},
    Scope.DSAR_CREATE: {Action.DSAR_INTAKE: _C},
    Scope.DSAR_READ: {Action.DSAR_LIST: _M, Action.DSAR_STATUS: _M},
    Scope.DSAR_REDACT: {Action.DSAR_STATUS: _M, Action.DSAR_REDACT: _C},
    Scope.TASK_ANSWER: {Action.TASK_LIST: _C, Action.TASK_ANSWER: _C},
    Scope.WEBHOOK_MANAGE: {Action.WEBHOOK_SEE: _C, Action.WEBHOOK_MANAGE: _C},
    Scope.DATAMAP_READ: {Action.DATAMAP_SEE: _C},
    Scope.DATAMAP_MANAGE: {Action.DATAMAP_SEE: _C, Action.DATAMAP_CHANGE: _C},
    Scope.EVIDENCE_READ: {Action.EVIDENCE_SEE: _C},
    Scope.KPI_WRITE: {Action.KPI_WRITE: _C},
    Scope.EVENT_WRITE: {Action.EVENT_WRITE: _C},
    Scope.INCIDENT_REPORT: {Action.INCIDENT_REPORT: _C},
    Scope.COMPLAINT_CREATE: {Action.COMPLAINT_CREATE: _C},
}

ON_OWN_REQUEST: Final = frozenset(
    {
        Action.DSAR_STATUS,
        Action.DSAR_MESSAGE,
        Action.DSAR_IDENTITY,
        Action.DSAR_WITHDRAW,
        Action.DSAR_DOWNLOAD,
        Action.DSAR_HALT,
    }
)
SUBJECT: Final = ON_OWN_REQUEST | {
    Action.DSAR_INTAKE, Action.CONSENT_WRITE, Action.COMPLAINT_CREATE, Action.NOTICE_SEE,
}  # fmt: skip

SYSTEM: Final = frozenset(
    {
        Action.DSAR_INTAKE,
        Action.DSAR_IDENTITY,
        Action.DSAR_ASK,
        Action.DSAR_SEARCH,
        Action.DSAR_RUN,
        Action.JOB_RUN,
        Action.DSAR_ANSWER,
        Action.DSAR_CLOSE,
        Action.TASK_ASSIGN,
        Action.CONSENT_CHECK,
        Action.CONSENT_WRITE,
        Action.SUBJECT_ERASE,
        Action.CONSENT_IMPORT,
        Action.CONSENT_EXPORT,
        Action.CONSENT_PROOF,
        Action.LEDGER_SEE,
        Action.PURPOSE_SEE,
        Action.PURPOSE_DRAFT,
        Action.PURPOSE_CHANGE,
        Action.NOTICE_SEE,
        Action.NOTICE_DRAFT,
        Action.NOTICE_CHANGE,
        Action.WEBHOOK_SEE,
        Action.WEBHOOK_MANAGE,
        Action.STORE_SEE,
        Action.STORE_MANAGE,
        Action.DATAMAP_SEE,
        Action.DATAMAP_CHANGE,
        Action.KPI_WRITE,
        Action.EVENT_WRITE,
        Action.INCIDENT_REPORT,
    }
)

STEP_UP: Final = frozenset(
    {
        Action.ACCOUNT_CONFIRM,
        Action.ACCOUNT_MANAGE,
        Action.APIKEY_CONFIRM,
        Action.APIKEY_MANAGE,
        Action.CONSENT_EXPORT_CLEAR,
        Action.DSAR_APPROVE,
        Action.DSAR_COUNTERSIGN,
        Action.DSAR_REFUSE_SIGN,
        Action.DSAR_RELEASE,
        Action.HOLD_LIFT,
        Action.KEY_DESTROY,
        Action.KEY_ROTATE,
        Action.RETENTION_SHORTEN,
        Action.RING_OPEN,
        Action.STORE_GRANT_WRITE,
    }
)
"""What needs a second factor within the last five minutes."""

BY_KEY_ALONE: Final = frozenset({Action.CONSENT_EXPORT_CLEAR})
"""What of it a key may do although a key has no second factor: no more than this, whatever scopes are added.

A step-up answers whether the person whose session this is still sits before it; behind a key sits nobody. What stands
for it: the key was made by an administrator and this very scope of it confirmed by an officer, each with a fresh
factor; it ends after a year at most and at once when it is revoked; the order gives a reason, and order and fetch are
audited under the key's id. Everything else in STEP_UP decides, releases or changes keys, which no key may (SCOPES
gives none of it).
"""

FOUR_EYES: Final = STEP_UP - {Action.APIKEY_MANAGE, Action.CONSENT_EXPORT_CLEAR, Action.RING_OPEN}
"""What needs a second person: the service calls `second_person` after `require`."""
