"""What a service tells by webhook: proven by its signature over the raw body, then read by the manifest's paths."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from connectors.rest.jobs import Jobs, work_of
from connectors.rest.paths import one
from privacyops.connector_sdk import OpResult, Secrets, Terminal, Ticket
from privacyops.connector_sdk.declarative import Manifest
from privacyops.connector_sdk.declarative_acting import Signature

TOLERANCE: Final = timedelta(minutes=5)
"""How far the time that a sender signed may be from ours."""


class NotProven(Exception):
    """The signature is missing or wrong: answer 401, and believe nothing of it."""


@dataclass(frozen=True, repr=False)
class Event:
    """A topic of the service, what it asks for, and the identifiers that stand in it."""

    topic: str
    asks: str
    identifiers: Mapping[str, str]
    body: Any
    name: str = ""
    """The same for a word that is told twice: the id its sender signed, or else what was said; never a value."""
    delivery: str = ""
    """The same for a message that is delivered twice, where its sender numbers deliveries; unsigned, so no proof."""


def read_event(
    manifest: Manifest, secrets: Secrets, headers: Mapping[str, str], body: bytes, now: datetime | None = None
) -> Event:
    """The event in a webhook's raw body. `now` judges the time a sender signed; without it none is believed.

    Raises: NotProven: no or a wrong signature. Terminal: the manifest takes no webhooks, or not this topic.
    """
    inbound = manifest.inbound
    if inbound is None:
        raise Terminal("unsupported")
    plain = {name.lower(): value for name, value in headers.items()}
    secret = secrets.get(inbound.signature.secret).get_secret_value()
    if not _is_proven(inbound.signature, plain, secret, body) or not _is_of_now(inbound.signature, plain, now):
        raise NotProven
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Terminal("garbled") from None
    where, _, name = inbound.topic_in.partition(" ")
    topic = plain.get(name.lower()) if where == "header" and name else one(inbound.topic_in, told)
    if not isinstance(topic, str) or topic not in inbound.topics:
        raise Terminal("unknown_topic")
    found = {kind: one(path, told) for kind, path in inbound.map.items()}
    known = {kind: str(value) for kind, value in found.items() if isinstance(value, str | int) and value != ""}
    number = plain.get(inbound.delivery.lower(), "") if inbound.delivery else ""
    delivery = sha256(number.encode()).hexdigest() if number else ""
    return Event(topic, inbound.topics[topic], known, told, _name(inbound.signature, plain, body), delivery)


def settled_by(jobs: Jobs, ticket: Ticket, event: Event) -> OpResult | None:
    """How the job of a ticket ended, if this event speaks of it."""
    work = work_of(ticket)
    callback = jobs.job(work).callback
    if callback is None or event.topic != callback.topic or str(one(callback.match, event.body)) != work.job:
        return None
    return jobs.done(work)


def _is_proven(rule: Signature, headers: Mapping[str, str], secret: str, body: bytes) -> bool:
    given = headers.get(rule.header.lower(), "")
    if not secret or not given.startswith(rule.prefix):
        return False
    given = given.removeprefix(rule.prefix)
    told = [headers.get(name.lower(), "") for name in (rule.id, rule.time) if name is not None]
    digest = hmac.digest(secret.encode(), b".".join([*(each.encode() for each in told), body]), sha256)
    expected = {
        "hmac-sha256-base64": base64.b64encode(digest).decode(),
        "hmac-sha256-hex": digest.hex(),
        "equal": secret,
    }[rule.scheme]
    return hmac.compare_digest(given.encode(), expected.encode())


def _is_of_now(rule: Signature, headers: Mapping[str, str], now: datetime | None) -> bool:
    """Whether a signed time is near; who signs none may repeat itself, and is counted once by what it says."""
    if rule.time is None:
        return True
    told = headers.get(rule.time.lower(), "")
    if now is None or not (told.isascii() and told.isdigit()) or len(told) > 12:
        return False
    return abs(now.timestamp() - int(told)) <= TOLERANCE.total_seconds()


def _name(rule: Signature, headers: Mapping[str, str], body: bytes) -> str:
    told = headers.get(rule.id.lower(), "").encode() if rule.id is not None else body
    return sha256(told).hexdigest()
