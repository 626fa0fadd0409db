"""The words of permission: roles, scopes of API keys, actions, and how far a grant reaches."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account is for. One account may hold several; the widest grant counts."""

    ADMIN = "admin"
    DPO = "dpo"
    ANALYST = "analyst"
    APPROVER = "approver"
    STORE_OWNER = "store_owner"
    AUDITOR = "auditor"


SENIOR_ROLES: Final = frozenset({Role.ADMIN, Role.APPROVER, Role.DPO})
"""Granting one of these needs a second person. The officer is among them: the role approves, and confirms roles."""


class Scope(StrEnum):
    """What an API key may be given. No scope approves, releases, changes keys or reads another controller."""

    CONSENT_CHECK = "consent:check"
    CONSENT_WRITE = "consent:write"
    CONSENT_BACKDATE = "consent:backdate"
    CONSENT_READ = "consent:read"
    CONSENT_IMPORT = "consent:import"
    CONSENT_EXPORT = "consent:export"
    CONSENT_EXPORT_CLEAR = "consent:export_clear"
    CATALOGUE_MANAGE = "catalogue:manage"
    FEED_READ = "feed:read"
    LEDGER_READ = "ledger:read"
    DSAR_CREATE = "dsar:create"
    DSAR_READ = "dsar:read"
    DSAR_REDACT = "dsar:redact"
    TASK_ANSWER = "task:answer"
    WEBHOOK_MANAGE = "webhook:manage"
    DATAMAP_READ = "datamap:read"
    DATAMAP_MANAGE = "datamap:manage"
    EVIDENCE_READ = "evidence:read"
    KPI_WRITE = "kpi:write"
    EVENT_WRITE = "event:write"
    INCIDENT_REPORT = "incident:report"
    COMPLAINT_CREATE = "complaint:create"


SENIOR_SCOPES: Final = frozenset({Scope.CONSENT_EXPORT_CLEAR})
"""What a key may not be given by one person: an officer confirms it, who may do the same by role."""


class Action(StrEnum):
    """Everything a service may be asked to do, named noun first. Every route declares one of these."""

    SETTINGS_SEE = "settings.see"
    SETTINGS_CHANGE = "settings.change"
    STORE_SEE = "store.see"
    STORE_MANAGE = "store.manage"
    STORE_GRANT_WRITE = "store.grant_write"
    WEBHOOK_SEE = "webhook.see"
    WEBHOOK_MANAGE = "webhook.manage"
    APIKEY_SEE = "apikey.see"
    APIKEY_MANAGE = "apikey.manage"
    APIKEY_CONFIRM = "apikey.confirm"
    KEY_ROTATE = "key.rotate"
    KEY_DESTROY = "key.destroy"
    ACCOUNT_SEE = "account.see"
    ACCOUNT_MANAGE = "account.manage"
    ACCOUNT_CONFIRM = "account.confirm"
    ACCOUNT_SELF = "account.self"

    DSAR_LIST = "dsar.list"
    DSAR_OPEN = "dsar.open"
    DSAR_INTAKE = "dsar.intake"
    DSAR_ASSIGN = "dsar.assign"
    DSAR_IDENTITY = "dsar.identity"
    DSAR_SEARCH = "dsar.search"
    DSAR_REVIEW = "dsar.review"
    DSAR_REDACT = "dsar.redact"
    DSAR_LETTER = "dsar.letter"
    DSAR_SUBMIT = "dsar.submit"
    DSAR_APPROVE = "dsar.approve"
    DSAR_RETURN = "dsar.return"
    DSAR_RELEASE = "dsar.release"
    DSAR_ANSWER = "dsar.answer"
    DSAR_ASK = "dsar.ask"
    DSAR_EXTEND = "dsar.extend"
    DSAR_REFUSE = "dsar.refuse"
    DSAR_REFUSE_PROPOSE = "dsar.refuse_propose"
    DSAR_REFUSE_SIGN = "dsar.refuse_sign"
    DSAR_COUNTERSIGN = "dsar.countersign"
    DSAR_JUDGE = "dsar.judge"
    DSAR_DISMISS = "dsar.dismiss"
    DSAR_MERGE = "dsar.merge"
    DSAR_TRANSFER = "dsar.transfer"
    DSAR_CORRECT = "dsar.correct"
    DSAR_HALT = "dsar.halt"
    DSAR_REOPEN = "dsar.reopen"
    DSAR_CLOSE = "dsar.close"
    DSAR_WITHDRAW = "dsar.withdraw"
    DSAR_STATUS = "dsar.status"
    DSAR_MESSAGE = "dsar.message"
    DSAR_DOWNLOAD = "dsar.download"
    DSAR_RUN = "dsar.run"
    JOB_RUN = "job.run"
    TASK_LIST = "task.list"
    TASK_ASSIGN = "task.assign"
    TASK_ANSWER = "task.answer"
    HOLD_SEE = "hold.see"
    HOLD_PROPOSE = "hold.propose"
    HOLD_SET = "hold.set"
    HOLD_LIFT = "hold.lift"

    CONSENT_CHECK = "consent.check"
    CONSENT_WRITE = "consent.write"
    CONSENT_BACKDATE = "consent.backdate"
    CONSENT_READ = "consent.read"
    CONSENT_PROOF = "consent.proof"
    CONSENT_IMPORT = "consent.import"
    SUPPRESSION_LIFT = "suppression.lift"
    OBJECTION_DECIDE = "objection.decide"
    SUBJECT_ERASE = "subject.erase"
    CONSENT_EXPORT = "consent.export"
    CONSENT_EXPORT_CLEAR = "consent.export_clear"
    RING_OPEN = "ring.open"
    FEED_READ = "feed.read"
    LEDGER_SEE = "ledger.see"

    INCIDENT_REPORT = "incident.report"
    INCIDENT_SEE = "incident.see"
    INCIDENT_DRAFT = "incident.draft"
    INCIDENT_DECIDE = "incident.decide"
    COMPLAINT_CREATE = "complaint.create"
    COMPLAINT_SEE = "complaint.see"
    COMPLAINT_ANSWER = "complaint.answer"
    NOTICE_SEE = "notice.see"
    NOTICE_DRAFT = "notice.draft"
    NOTICE_CHANGE = "notice.change"
    PURPOSE_SEE = "purpose.see"
    PURPOSE_DRAFT = "purpose.draft"
    PURPOSE_CHANGE = "purpose.change"
    COLLECTION_SEE = "collection.see"
    COLLECTION_MANAGE = "collection.manage"
    COLLECTION_TOKEN = "collection.token"  # noqa: S105 - the name of an action
    RETENTION_SEE = "retention.see"
    RETENTION_DRAFT = "retention.draft"
    RETENTION_CHANGE = "retention.change"
    RETENTION_SHORTEN = "retention.shorten"
    DATAMAP_SEE = "datamap.see"
    DATAMAP_CHANGE = "datamap.change"

    AUDIT_SEE = "audit.see"
    EVIDENCE_SEE = "evidence.see"
    EVIDENCE_BUILD = "evidence.build"
    KPI_SEE = "kpi.see"
    KPI_WRITE = "kpi.write"
    EVENT_WRITE = "event.write"


class Extent(StrEnum):
    """How far a grant reaches, widest first. What a service shows or accepts must not go beyond it.

    CLEAR everything; REASONED everything, with a reason that goes to the audit log; SUMMARY plan, summary and
    package; MASKED personal data masked; OWN tasks of the actor's own stores.
    """

    CLEAR = "clear"
    REASONED = "reasoned"
    SUMMARY = "summary"
    MASKED = "masked"
    OWN = "own"
