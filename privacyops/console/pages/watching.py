"""While the stores work on a request its page asks by itself whether they have ended. What was typed there stays: the
page only says that there is more to see, and whoever reads it goes on.
"""

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from privacyops.console import shape
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import erasure_state, listing

router: Final = APIRouter()
_PLANNING: Final = "planning"
_ON: Final = {
    DsarState.SEARCHING: ("The stores are being searched", "This page says when the last one has answered.", 3),
    DsarState.EXECUTING: ("The stores are being changed", "Some take days. This page says when all have ended.", 15),
    _PLANNING: ("The stores are being looked at", "Nothing is changed yet. This page says when the plan is there.", 3),
}
"""By what goes on: how it is called, what to expect, and after how many seconds the page asks again."""
_OVER: Final = {
    DsarState.SEARCHING: ("The search has ended", "See what was found"),
    DsarState.EXECUTING: ("The stores have ended their work", "See what became of it"),
    _PLANNING: ("The plan is there", "See the plan"),
}


@router.get(f"{shape.REQUESTS}/{{reference}}/watch", **action(Action.DSAR_OPEN))
def ask(desk: Desk, reference: str, seen: str = "") -> Response:
    """Nothing while what was seen goes on; afterwards the way to what came of it."""
    dsar = listing.by_reference(desk.context, reference)
    if seen not in _ON or _standing(desk, dsar) == seen:
        return desk.with_cookies(Response(status_code=204))
    title, label = _OVER[seen]
    place = f"{shape.url_of(dsar)}/plan" if seen in {_PLANNING, DsarState.EXECUTING} else shape.url_of(dsar)
    return desk.part("request", "watch", {"watch": {"title": title, "label": label, "to": place, "url": None}})


def watch_of(desk: Visit, dsar: Dsar) -> dict[str, Any] | None:
    """What goes on in the stores, for the page of a request or of its plan; None: nothing."""
    standing = _standing(desk, dsar)
    if standing not in _ON:
        return None
    title, text, seconds = _ON[standing]
    url = f"{shape.url_of(dsar)}/watch?{urlencode({'seen': standing})}"
    return {"title": title, "text": text, "url": url, "seconds": seconds}


def _standing(desk: Visit, dsar: Dsar) -> str:
    """The state of the request, or that its plan is being made."""
    if dsar.state is not DsarState.IN_REVIEW or not desk.may(Action.DSAR_LIST):
        return dsar.state
    stores = erasure_state.state_of(desk.context, dsar.id, dsar.type).stores
    return _PLANNING if any(one.state is ErasingState.PLANNING for one in stores) else dsar.state
