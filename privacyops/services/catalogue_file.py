"""A catalogue file against what is published: what it would change, and changing it, whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.catalog.file import CatalogueFile, Change, wanted, write_catalogue
from privacyops.domain.draft import Judgement, MaterialityNotJudged
from privacyops.domain.notice import LintFinding, NoticeVersion, lint
from privacyops.domain.purpose import PurposeVersion
from privacyops.services.context import Context, reading, use_case
from privacyops.services.drafting import with_judgement
from privacyops.services.purpose import catalogue, fresh_catalogue, put_notice, put_purpose
from privacyops.store import purpose as purposes
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a file: the version it becomes, and what still forbids it."""

    change: Change
    version: PurposeVersion | NoticeVersion
    findings: Sequence[LintFinding] = ()

    @property
    def kind(self) -> str:
        return "purpose" if isinstance(self.version, PurposeVersion) else "notice"

    @property
    def key(self) -> str:
        return self.version.key if isinstance(self.version, PurposeVersion) else self.version.id


@reading(Action.PURPOSE_SEE)
def compare(ctx: Context, tx: Tx, file: CatalogueFile, by: str) -> Sequence[Step]:
    """What importing the file would do, entry by entry; nothing is changed.

    Raises: PurposeMalformed, NoticeMalformed.
    """
    return _steps(ctx, catalogue(ctx, tx), file, by)


@use_case(Action.PURPOSE_CHANGE)
def bring_in(ctx: Context, tx: Tx, file: CatalogueFile, by: str) -> Sequence[Step]:
    """Publish what the file has and the catalogue has not. Nothing is removed, and nothing published changes.

    Raises: PurposeMalformed, NoticeMalformed, MaterialityNotJudged, NoticeLintFailed: nothing was published.
    """
    if file.brand is not None:
        purposes.add_brand(tx, *file.brand, ctx.controller.country)
    for channel in file.channels:
        purposes.add_channel(tx, channel)
    steps = _steps(ctx, fresh_catalogue(tx), file, by)
    for step in steps:
        if step.change is Change.SAME:
            continue
        version = step.version
        judged = Judgement(version.is_material, version.material_reason, version.judged_by)
        if isinstance(version, PurposeVersion):
            put_purpose(ctx, tx, with_judgement(version, judged if version.version > 1 else None))
        else:
            fit = with_judgement(version, judged if version.version > 1 else None)
            put_notice(ctx, tx, fit, ctx.controller.languages)
    return steps


@reading(Action.PURPOSE_SEE)
def write_out(ctx: Context, tx: Tx) -> str:
    """The catalogue in force as a file; importing it changes nothing."""
    known = catalogue(ctx, tx)
    return write_catalogue(
        sorted(known.channels),
        [one.current for _, one in sorted(known.purposes.items())],
        [notice for _, notice in sorted(_newest(known).items())],
    )


def _steps(ctx: Context, known: Catalogue, file: CatalogueFile, by: str) -> Sequence[Step]:
    current = {key: one.current for key, one in known.purposes.items()}
    steps: list[Step] = []
    for entry in file.purposes:
        change, purpose = wanted(entry, current.get(str(entry.get("key"))), PurposeVersion, by)
        current[purpose.key] = purpose
        steps.append(Step(change, purpose, _unjudged(change, purpose)))
    newest = _newest(known)
    for entry in file.notices:
        change, notice = wanted(entry, newest.get(str(entry.get("id"))), NoticeVersion, by)
        found = [] if change is Change.SAME else lint(notice, current.values(), ctx.controller.languages)
        steps.append(Step(change, notice, [*_unjudged(change, notice), *found]))
    return steps


def _unjudged(change: Change, version: PurposeVersion | NoticeVersion) -> list[LintFinding]:
    if change is not Change.CHANGED:
        return []
    try:
        Judgement(version.is_material, version.material_reason, version.judged_by).require_whole()
    except MaterialityNotJudged:
        return [LintFinding("materiality-not-judged", "*")]
    return []


def _newest(known: Catalogue) -> dict[str, NoticeVersion]:
    found: dict[str, NoticeVersion] = {}
    for (id_, version), one in known.notices.items():
        if id_ not in found or version > found[id_].version:
            found[id_] = one.notice
    return found
