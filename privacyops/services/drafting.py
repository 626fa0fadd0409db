"""Purposes and notices on their way to being published: draft, lint, judge, publish. A published version stays."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from privacyops.domain.account.action import Action
from privacyops.domain.draft import DraftKind, Judgement, MaterialityNotJudged
from privacyops.domain.notice import LintFinding, NoticeVersion, lint
from privacyops.domain.purpose import PurposeVersion
from privacyops.kernel.errors import Conflict, NotFound
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


class DraftOvertaken(Conflict):
    """What was written from is not what stands now. Nothing was changed."""

    type = "/problems/draft-overtaken"
    title = "Somebody else saved this meanwhile; read theirs before yours takes its place"


def mark_of(told: Any) -> str:
    """What a form carries to say what it was filled from; empty where there was nothing."""
    return "" if told is None else sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def require_seen(told: Any, seen: str) -> None:
    """Raises: DraftOvertaken: the form was filled from something else than `told`."""
    if mark_of(told) != seen:
        raise DraftOvertaken


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
def redraft_purpose(
    ctx: Context, tx: Tx, key: str, change: Callable[[PurposeVersion | None], Mapping[str, Any]]
) -> PurposeVersion:
    """Keep as a draft what `change` makes of the newest: of the draft, else of the version in force, else of nothing.

    Nobody else saves between what `change` is given and what it returns; it may raise to leave everything as it is.
    Raises: PurposeMalformed, DraftOvertaken: somebody else began this very draft; whatever `change` raises.
    """
    known, held = fresh_catalogue(tx), drafts.find_draft(tx, DraftKind.PURPOSE, key, is_locked=True)
    in_force = known.purposes.get(key)
    newest = PurposeVersion.of_json(held.body) if held else in_force.current if in_force else None
    purpose = _numbered_purpose(known, {**change(newest), "key": key})
    _keep(ctx, tx, held, DraftKind.PURPOSE, purpose.key, purpose.to_json())
    record(ctx, tx, "purpose.drafted", "purpose", purpose.key)
    return purpose


@use_case(Action.NOTICE_DRAFT)
def redraft_notice(
    ctx: Context, tx: Tx, id_: str, change: Callable[[NoticeVersion | None], Mapping[str, Any]]
) -> NoticeVersion:
    """As `redraft_purpose`, of a notice. Raises: NoticeMalformed, DraftOvertaken; whatever `change` raises."""
    known, held = fresh_catalogue(tx), drafts.find_draft(tx, DraftKind.NOTICE, id_, is_locked=True)
    latest = max((version for one, version in known.notices if one == id_), default=0)
    in_force = known.notices[id_, latest].notice if latest else None
    newest = NoticeVersion.of_json(held.body) if held else in_force
    notice = _numbered_notice(known, {**change(newest), "id": id_})
    _keep(ctx, tx, held, DraftKind.NOTICE, notice.id, notice.to_json())
    record(ctx, tx, "notice.drafted", "notice", notice.id, findings=len(_lint(ctx, known, notice)))
    return notice


def _keep(ctx: Context, tx: Tx, held: Draft | None, kind: DraftKind, key: str, body: Mapping[str, Any]) -> None:
    if held is not None:
        drafts.save_draft(tx, kind, key, body, ctx.actor.id)
    elif not drafts.add_draft(tx, kind, key, body, ctx.actor.id):
        raise DraftOvertaken


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
def publish_purpose(
    ctx: Context, tx: Tx, key: str, judged: Judgement | None, call: Call | None = None, *, seen: str | None = None
) -> int:
    """Put the draft in force; the version's number. From the second version on `judged` is needed.

    `seen` is the mark of the draft that was read; None: whichever stands.
    Raises: DraftOvertaken, DraftUnknown, MaterialityNotJudged, PurposeMalformed.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["version"])
    draft = _draft(tx, DraftKind.PURPOSE, key, seen)
    purpose = with_judgement(_numbered_purpose(fresh_catalogue(tx), draft.body), judged)
    put_purpose(ctx, tx, purpose)
    drafts.drop_draft(tx, DraftKind.PURPOSE, key)
    if call is not None:
        end_call(ctx, tx, call, {"version": purpose.version})
    return purpose.version


@use_case(Action.NOTICE_CHANGE)
def publish_notice(
    ctx: Context, tx: Tx, id_: str, judged: Judgement | None, call: Call | None = None, *, seen: str | None = None
) -> int:
    """Make the draft readable for ever; the version's number. From the second version on `judged` is needed.

    `seen` is the mark of the draft that was read; None: whichever stands.
    Raises: DraftOvertaken, DraftUnknown, MaterialityNotJudged, NoticeMalformed, NoticeLintFailed: with `findings`.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["version"])
    draft = _draft(tx, DraftKind.NOTICE, id_, seen)
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


def _draft(tx: Tx, kind: DraftKind, key: str, seen: str | None = None) -> Draft:
    found = drafts.find_draft(tx, kind, key, is_locked=seen is not None)
    if found is None:
        raise DraftUnknown
    if seen is not None:
        require_seen(found.body, seen)
    return found
