"""Purposes and notices on their way to being published: draft, lint, judge, publish. A published version stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from privacyops.domain.account.action import Action
from privacyops.domain.draft import DraftKind, Judgement, MaterialityNotJudged
from privacyops.domain.notice import LintFinding, NoticeVersion, lint
from privacyops.domain.purpose import PurposeVersion
from privacyops.kernel.errors import NotFound
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.purpose import catalogue, fresh_catalogue, put_notice, put_purpose
from privacyops.store import draft as drafts
from privacyops.store.draft import Draft
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

V = TypeVar("V", PurposeVersion, NoticeVersion)


class DraftUnknown(NotFound):
    type = "/problems/draft-unknown"
    title = "There is no draft under this key"


@reading(Action.PURPOSE_SEE)
def published_purposes(ctx: Context, tx: Tx) -> Catalogue:
    """What is published, for whoever may see purposes."""
    return catalogue(ctx, tx)


@reading(Action.NOTICE_SEE)
def published_notices(ctx: Context, tx: Tx) -> Catalogue:
    """What is published, for whoever may see notices."""
    return catalogue(ctx, tx)


@reading(Action.PURPOSE_SEE)
def purpose_drafts(ctx: Context, tx: Tx) -> Sequence[Draft]:
    """The drafts of purposes."""
    return drafts.list_drafts(tx, DraftKind.PURPOSE)


@reading(Action.NOTICE_SEE)
def notice_drafts(ctx: Context, tx: Tx) -> Sequence[Draft]:
    """The drafts of notices."""
    return drafts.list_drafts(tx, DraftKind.NOTICE)


@use_case(Action.PURPOSE_DRAFT)
def draft_purpose(ctx: Context, tx: Tx, body: Mapping[str, Any], call: Call | None = None) -> PurposeVersion:
    """Keep the next version of a purpose as a draft. Its number is the next one, whatever the body says.

    Raises: PurposeMalformed.
    """
    purpose = _numbered_purpose(catalogue(ctx, tx), body)
    if call is not None and begin_call(ctx, tx, call) is not None:
        return purpose
    drafts.save_draft(tx, DraftKind.PURPOSE, purpose.key, purpose.to_json(), ctx.actor.id)
    record(ctx, tx, "purpose.drafted", "purpose", purpose.key)
    if call is not None:
        end_call(ctx, tx, call, {})
    return purpose


@use_case(Action.NOTICE_DRAFT)
def draft_notice(
    ctx: Context, tx: Tx, body: Mapping[str, Any], call: Call | None = None
) -> tuple[NoticeVersion, Sequence[LintFinding]]:
    """Keep the next version of a notice as a draft, and what still forbids publishing it. Raises: NoticeMalformed."""
    known = catalogue(ctx, tx)
    notice = _numbered_notice(known, body)
    findings = _lint(ctx, known, notice)
    if call is not None and begin_call(ctx, tx, call) is not None:
        return notice, findings
    drafts.save_draft(tx, DraftKind.NOTICE, notice.id, notice.to_json(), ctx.actor.id)
    record(ctx, tx, "notice.drafted", "notice", notice.id, findings=len(findings))
    if call is not None:
        end_call(ctx, tx, call, {})
    return notice, findings


@use_case(Action.PURPOSE_DRAFT)
def discard_purpose(ctx: Context, tx: Tx, key: str) -> None:
    """Throw a draft away; where there is none, nothing happens."""
    if drafts.drop_draft(tx, DraftKind.PURPOSE, key):
        record(ctx, tx, "purpose.draft_discarded", "purpose", key)


@use_case(Action.NOTICE_DRAFT)
def discard_notice(ctx: Context, tx: Tx, id_: str) -> None:
    """Throw a draft away; where there is none, nothing happens."""
    if drafts.drop_draft(tx, DraftKind.NOTICE, id_):
        record(ctx, tx, "notice.draft_discarded", "notice", id_)


@reading(Action.NOTICE_SEE)
def lint_notice(ctx: Context, tx: Tx, id_: str) -> Sequence[LintFinding]:
    """What forbids publishing the draft; empty: nothing. Raises: DraftUnknown."""
    known = catalogue(ctx, tx)
    return _lint(ctx, known, _numbered_notice(known, _draft(tx, DraftKind.NOTICE, id_).body))


@use_case(Action.PURPOSE_CHANGE)
def publish_purpose(ctx: Context, tx: Tx, key: str, judged: Judgement | None, call: Call | None = None) -> int:
    """Put the draft in force; the version's number. From the second version on `judged` is needed.

    Raises: DraftUnknown, MaterialityNotJudged, PurposeMalformed.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["version"])
    draft = _draft(tx, DraftKind.PURPOSE, key)
    purpose = with_judgement(_numbered_purpose(fresh_catalogue(tx), draft.body), judged)
    put_purpose(ctx, tx, purpose)
    drafts.drop_draft(tx, DraftKind.PURPOSE, key)
    if call is not None:
        end_call(ctx, tx, call, {"version": purpose.version})
    return purpose.version


@use_case(Action.NOTICE_CHANGE)
def publish_notice(ctx: Context, tx: Tx, id_: str, judged: Judgement | None, call: Call | None = None) -> int:
    """Make the draft readable for ever; the version's number. From the second version on `judged` is needed.

    Raises: DraftUnknown, MaterialityNotJudged, NoticeMalformed, NoticeLintFailed: with `findings`.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["version"])
    draft = _draft(tx, DraftKind.NOTICE, id_)
    notice = with_judgement(_numbered_notice(fresh_catalogue(tx), draft.body), judged)
    put_notice(ctx, tx, notice, ctx.controller.languages)
    drafts.drop_draft(tx, DraftKind.NOTICE, id_)
    if call is not None:
        end_call(ctx, tx, call, {"version": notice.version})
    return notice.version


def with_judgement(version: V, judged: Judgement | None) -> V:
    """The version with what a person decided about it; a first version changes nothing and needs none.

    Raises: MaterialityNotJudged.
    """
    if judged is None and version.version == 1:
        return replace(version, is_material=True)
    if judged is None:
        raise MaterialityNotJudged
    judged.require_whole()
    return replace(version, is_material=judged.is_material, material_reason=judged.reason, judged_by=judged.by)


def _numbered_purpose(known: Catalogue, body: Mapping[str, Any]) -> PurposeVersion:
    before = known.purposes.get(str(body.get("key")))
    body = {name: value for name, value in body.items() if name != "retired"}  # a draft is always for use
    return PurposeVersion.of_json({**body, "version": before.current.version + 1 if before else 1})


def _numbered_notice(known: Catalogue, body: Mapping[str, Any]) -> NoticeVersion:
    before = max((version for id_, version in known.notices if id_ == body.get("id")), default=0)
    return NoticeVersion.of_json({**body, "version": before + 1})


def _lint(ctx: Context, known: Catalogue, notice: NoticeVersion) -> Sequence[LintFinding]:
    return lint(notice, [purpose.current for purpose in known.purposes.values()], ctx.controller.languages)


def _draft(tx: Tx, kind: DraftKind, key: str) -> Draft:
    found = drafts.find_draft(tx, kind, key)
    if found is None:
        raise DraftUnknown
    return found
