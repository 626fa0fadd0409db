"""Purposes and notices for back ends: read what is published, draft what comes next, lint it, publish it."""

import json
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.catalogue import (
    FindingOut,
    JudgementIn,
    NoticeDraftIn,
    NoticeDraftOut,
    NoticeList,
    NoticeText,
    NoticeVersionOut,
    PublishedOut,
    PublishIn,
    PurposeIn,
    PurposeList,
    PurposeOut,
    RetireIn,
)
from privacyops.domain.account.action import Action
from privacyops.domain.draft import Judgement
from privacyops.domain.notice import NoticeVersion
from privacyops.domain.purpose import PurposeVersion
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.ledger.leaf import instant_text
from privacyops.services import drafting, retiring
from privacyops.services.context import Context
from privacyops.services.idempotency import Call

router = APIRouter(prefix="/v1", tags=["catalogue"])
Key = Annotated[str, Path(min_length=1, max_length=63)]


@router.get("/purposes", summary="Purposes in force", **action(Action.PURPOSE_SEE))
def purposes(ctx: Caller) -> PurposeList:
    """The version in force of every purpose, and the drafts of what follows."""
    known = drafting.published_purposes(ctx)
    return PurposeList(
        items=[_purpose(one.current) for _, one in sorted(known.purposes.items())],
        drafts=[_purpose(PurposeVersion.of_json(draft.body), is_draft=True) for draft in drafting.purpose_drafts(ctx)],
    )


@router.get("/purposes/{key}", summary="All versions of a purpose", **action(Action.PURPOSE_SEE))
def purpose_versions(ctx: Caller, key: Key) -> list[PurposeOut]:
    """Every published version, the newest first."""
    known = drafting.published_purposes(ctx).purposes.get(key)
    if known is None:
        raise NotFound
    return [_purpose(version) for _, version in sorted(known.versions.items(), reverse=True)]


@router.post("/purposes", status_code=201, summary="Draft a purpose", **action(Action.PURPOSE_DRAFT))
def draft_purpose(ctx: Caller, body: PurposeIn, idempotency_key: IdempotencyKey = None) -> PurposeOut:
    """Keep the next version as a draft, in place of an earlier draft. Nothing changes until it is published."""
    return _purpose(drafting.draft_purpose(ctx, body.body(), _call(idempotency_key, body)), is_draft=True)


@router.post("/purposes/{key}:publish", summary="Publish a purpose", **action(Action.PURPOSE_CHANGE))
def publish_purpose(ctx: Caller, key: Key, body: PublishIn, idempotency_key: IdempotencyKey = None) -> PublishedOut:
    """Put the draft in force. A material change outdates older grants, by the purpose's own policy."""
    call = _call(idempotency_key, body, key)
    return PublishedOut(key=key, version=drafting.publish_purpose(ctx, key, _judgement(body.judgement), call))


@router.post("/purposes/{key}:retire", summary="Retire a purpose", **action(Action.PURPOSE_CHANGE))
def retire_purpose(ctx: Caller, key: Key, body: RetireIn, idempotency_key: IdempotencyKey = None) -> PublishedOut:
    """End a purpose by a version of its own: every check answers no (`RETIRED`) and nobody is asked any more.

    A no and a withdrawal are still recorded, histories and receipts stay. A later version brings it back; older grants
    count again where that one is not judged a material change.
    """
    version = retiring.retire(ctx, key, body.reason, body.judged_by, _call(idempotency_key, body, key))
    return PublishedOut(key=key, version=version)


@router.get("/notices", summary="Published notices", **action(Action.NOTICE_SEE))
def notices(ctx: Caller) -> NoticeList:
    """Every version that was ever published, and the drafts with what still forbids publishing them."""
    known = drafting.published_notices(ctx).notices
    order = sorted(known.items(), key=lambda one: (one[0][0], -one[0][1]))
    return NoticeList(
        items=[_notice(ctx, one.notice, one.published_at) for _, one in order],
        drafts=[
            NoticeDraftOut(id=draft.key, version=draft.body["version"], findings=_findings(ctx, draft.key))
            for draft in drafting.notice_drafts(ctx)
        ],
    )


@router.get("/notices/{id}/{version}", summary="One version of a notice", **action(Action.NOTICE_SEE))
def notice_version(ctx: Caller, id: Key, version: Annotated[int, Path(ge=1)]) -> NoticeVersionOut:  # noqa: A002 - the path's own word
    """One version with the address and digest of each of its texts."""
    found = drafting.published_notices(ctx).notices.get((id, version))
    if found is None:
        raise NotFound
    return _notice(ctx, found.notice, found.published_at)


@router.post("/notices", status_code=201, summary="Draft a notice", **action(Action.NOTICE_DRAFT))
def draft_notice(ctx: Caller, body: NoticeDraftIn, idempotency_key: IdempotencyKey = None) -> NoticeDraftOut:
    """Keep the next version as a draft; the answer lists what still forbids publishing it."""
    notice, found = drafting.draft_notice(ctx, body.model_dump(mode="json"), _call(idempotency_key, body))
    findings = [FindingOut(code=one.code, place=one.place) for one in found]
    return NoticeDraftOut(id=notice.id, version=notice.version, findings=findings)


@router.post("/notices/{id}:lint", summary="What a notice lacks", **action(Action.NOTICE_SEE))
def lint_notice(ctx: Caller, id: Key) -> list[FindingOut]:  # noqa: A002 - the path's own word
    """Everything that forbids publishing the draft; empty: nothing. Changes nothing."""
    return _findings(ctx, id)


@router.post("/notices/{id}:publish", summary="Publish a notice", **action(Action.NOTICE_CHANGE))
def publish_notice(
    ctx: Caller,
    id: Key,  # noqa: A002 - the path's own word
    body: PublishIn,
    idempotency_key: IdempotencyKey = None,
) -> PublishedOut:
    """Make the draft readable for ever. A notice that lacks a part is refused, with `findings`."""
    call = _call(idempotency_key, body, id)
    return PublishedOut(key=id, version=drafting.publish_notice(ctx, id, _judgement(body.judgement), call))


def _call(key: str | None, body: BaseModel, about: str = "") -> Call:
    return Call.of(key, json.dumps([about, body.model_dump(mode="json")], sort_keys=True).encode())


def _judgement(judged: JudgementIn | None) -> Judgement | None:
    return Judgement(judged.material, judged.reason, judged.judged_by) if judged else None


def _findings(ctx: Context, id_: str) -> list[FindingOut]:
    return [FindingOut(code=one.code, place=one.place) for one in drafting.lint_notice(ctx, id_)]


def _purpose(purpose: PurposeVersion, *, is_draft: bool = False) -> PurposeOut:
    return PurposeOut(
        version=purpose.version, body=purpose.to_json(), is_draft=is_draft, material=purpose.is_material,
        material_reason=purpose.material_reason, judged_by=purpose.judged_by,
    )  # fmt: skip


def _notice(ctx: Context, notice: NoticeVersion, published_at: Instant) -> NoticeVersionOut:
    base = f"{ctx.controller.base_url}/notices/{notice.id}/{notice.version}"
    texts = [
        NoticeText(locale=locale, sha256=notice.digest(locale), url=f"{base}/{locale}")
        for locale in sorted(notice.texts)
    ]
    return NoticeVersionOut(
        id=notice.id, version=notice.version, purposes=list(notice.purposes), texts=texts,
        published_at=instant_text(published_at), material=notice.is_material,
        material_reason=notice.material_reason, judged_by=notice.judged_by,
    )  # fmt: skip
