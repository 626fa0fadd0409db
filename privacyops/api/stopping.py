"""Doors that stop: the header pair of a mail, and text messages that come in."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.consent import SubjectIn
from privacyops.domain.account.action import Action
from privacyops.domain.consent.sms import StopReading
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.ledger.leaf import instant_text
from privacyops.services import texting
from privacyops.services.consent import unsubscribing
from privacyops.services.consent.subjects import Whom
from privacyops.services.idempotency import Call
from privacyops.services.texting import InboundText

router = APIRouter(prefix="/v1", tags=["consent"])


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MailHeadersIn(_Wire):
    """Whom a message goes to, and for which purpose."""

    subject: SubjectIn
    purpose: Annotated[str, Field(min_length=1, max_length=63)]
    channel: Annotated[str, Field(min_length=1, max_length=63)] = "email"


class MailHeadersOut(BaseModel):
    """Put both headers into the message, under its DKIM signature; `url` may stand in its text as well."""

    headers: Annotated[
        dict[str, str],
        Field(
            examples=[
                {
                    "List-Unsubscribe": "<https://privacy.shop.example/u/pou_…>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                }
            ]
        ),
    ]
    url: str


class InboundSmsIn(_Wire):
    """A message as the gateway got it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, populate_by_name=True)

    number: Annotated[str, Field(alias="from", min_length=3, max_length=32, examples=["+49 30 1234567"])]
    text: Annotated[str, Field(max_length=2000)]
    message_id: Annotated[str, Field(pattern=r"^[!-~]{1,128}$", description="The gateway's own id of the message")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    brand: Annotated[str | None, Field(min_length=1, max_length=63)] = None


class InboundSmsOut(BaseModel):
    """`reading`: whole, part or none. `reply` is to be sent once, before `reply_before`; null: nothing is."""

    stopped: bool
    reading: StopReading
    event_id: UUID | None
    reply: str | None
    reply_before: str | None


@router.post("/mail-headers", summary="Unsubscribe headers of a message", **action(Action.CONSENT_WRITE))
def mail_headers(ctx: Caller, body: MailHeadersIn) -> MailHeadersOut:
    """The header pair of RFC 8058. A repeated call makes another link that stops the same; links live two years."""
    named = [(one.type, one.value) for one in body.subject.identifiers]
    found = unsubscribing.mail_headers(ctx, Whom.of(ctx, body.subject.id, named), body.purpose, body.channel)
    headers = {"List-Unsubscribe": found.list_unsubscribe, "List-Unsubscribe-Post": found.list_unsubscribe_post}
    return MailHeadersOut(headers=headers, url=found.url)


@router.post("/inbound/sms", summary="A text message came in", **action(Action.CONSENT_WRITE))
def inbound_sms(ctx: Caller, body: InboundSmsIn, idempotency_key: IdempotencyKey = None) -> InboundSmsOut:
    """STOP and its like stop advertising to the number at once. Where more is said, a person reads it too."""
    call = Call.of(idempotency_key, json.dumps(body.model_dump(), sort_keys=True).encode())
    number = SubjectIdentifier.of(IdentifierType.PHONE, body.number, ctx.controller.phone_region)
    answer = texting.take_text(ctx, InboundText(number, body.text, body.message_id, body.language, body.brand), call)
    return InboundSmsOut(
        stopped=answer.reading is not StopReading.NONE, reading=answer.reading, event_id=answer.event_id,
        reply=answer.reply, reply_before=instant_text(answer.reply_before) if answer.reply_before else None,
    )  # fmt: skip
