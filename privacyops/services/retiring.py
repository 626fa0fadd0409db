"""A purpose is given up: nothing is done for it any more, nobody is asked, and what people said of it stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from privacyops.domain.account.action import Action
from privacyops.domain.draft import Judgement
from privacyops.domain.purpose import ANYWHERE, Regime
from privacyops.kernel.errors import NotFound
from privacyops.services.consent.counting import SMALLEST
from privacyops.services.context import Context, reading, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.purpose import catalogue, fresh_catalogue, put_purpose
from privacyops.store import collection as points
from privacyops.store import consent_ending as endings
from privacyops.store.uow import Tx


@dataclass(frozen=True, slots=True)
class Effects:
    """What retiring a purpose would end. `people` None: fewer than 20, of whom the exact number would tell.

    `by_silence`: the places where it is carried out without anybody's yes. `points` and `notices` go on naming it.
    """

    people: int | None
    by_silence: Sequence[str]
    points: Sequence[str]
    notices: Sequence[str]


@reading(Action.PURPOSE_CHANGE)
def effects(ctx: Context, tx: Tx, key: str) -> Effects:
    """What would end with it. Raises: NotFound: no such purpose is published."""
    names = catalogue(ctx, tx)
    known = names.purposes.get(key)
    if known is None:
        raise NotFound
    people = endings.count_granting(tx, known.no)
    newest = dict(sorted(names.notices))
    places = {place: ground for place, ground in known.current.grounds.items() if ground.regime is not Regime.OPT_IN}
    return Effects(
        people if people == 0 or people >= SMALLEST else None,
        sorted("elsewhere" if place == ANYWHERE else place for place in places),
        sorted(one.key for one in points.list_points(tx) if key in one.terms.purposes),
        sorted(id_ for id_, version in newest.items() if key in names.notices[id_, version].notice.purposes),
    )


@use_case(Action.PURPOSE_CHANGE)
def retire(ctx: Context, tx: Tx, key: str, reason: str, by: str, call: Call | None = None) -> int:
    """Publish the version that retires the purpose; its number. One that is retired stays as it is.

    It is undone as everything that is published is changed: by a later version. What people said stands, and counts
    again if that version is judged to be covered by it.
    Raises: NotFound: no such purpose is published. MaterialityNotJudged: no reason, or nobody's.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["version"])
    known = fresh_catalogue(tx).purposes.get(key)
    if known is None:
        raise NotFound
    version = known.current.version
    if not known.current.is_retired:
        Judgement(False, reason, by).require_whole()
        version += 1
        ended = replace(known.current, version=version, is_retired=True)
        put_purpose(ctx, tx, replace(ended, is_material=False, material_reason=reason.strip(), judged_by=by.strip()))
    if call is not None:
        end_call(ctx, tx, call, {"version": version})
    return version
