"""Asks a privacyops service whether something may be done to a person, and never says yes by accident."""

from privacyops_client.aio import AsyncClient
from privacyops_client.answer import Answer, Decision, Reason, Source
from privacyops_client.calls import Choice, Confirmed, HistoryPage, Notice, Receipt, Scrubbed, Written
from privacyops_client.client import Client
from privacyops_client.local import CopyReport, CopyState
from privacyops_client.person import Identifier, Person, customer, device, email, phone
from privacyops_client.problems import Refused, ScrubIncomplete, SubjectMalformed, Unreachable
from privacyops_client.webhook import WebhookRejected, WebhookVerifier

__version__ = "0.1.0"
__all__ = [
    "Answer", "AsyncClient", "Choice", "Client", "Confirmed", "CopyReport", "CopyState", "Decision", "HistoryPage",
    "Identifier", "Notice", "Person", "Reason", "Receipt", "Refused", "ScrubIncomplete", "Scrubbed", "Source",
    "SubjectMalformed", "Unreachable", "WebhookRejected", "WebhookVerifier", "Written", "customer", "device", "email",
    "phone",
]  # fmt: skip
