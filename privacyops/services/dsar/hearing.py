"""What a shop's service tells by webhook: how erasures ended that it works on, and what people ask for there.

Who speaks is proven over the raw body before a word of it is read. Nobody learns here which stores, jobs or people
there are: everything that is not proven gets one answer, and everything that is gets another.
"""

from collections.abc import Mapping

from privacyops.kernel.errors import NotFound, Unauthenticated, Unprocessable
from privacyops.ports.connector_host import Bounds, StoreProblem
from privacyops.services import stores
from privacyops.services.context import Context
from privacyops.services.dsar import pending, shop_platform

SECONDS = 10.0
_PROVEN = frozenset({"unknown_topic", "garbled"})


class HookNotProven(Unauthenticated):
    type = "/problems/hook-not-proven"
    title = "No store of this name is told anything, or the signature is not its own"


class HookNotTaken(Unprocessable):
    type = "/problems/hook-not-taken"
    title = "This message is proven; it says neither how an erasure ended nor what somebody asks for"


def hear(ctx: Context, store: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take in one call of a store's service. The same word twice counts once.

    Raises: HookNotProven: a wrong or missing signature, an unknown store, or one that is told nothing: all alike.
    HookNotTaken: proven, and about something else.
    """
    try:
        config = stores.config_of(ctx, store)
    except NotFound:
        raise HookNotProven from None
    waiting = pending.waiting_at(ctx, store)
    of_ticket = {ticket.id: each.erasure.id for each in waiting for ticket in each.tickets.values()}
    tickets = [ticket for each in waiting for ticket in each.tickets.values()]
    host = ctx.ports.connectors([config])
    try:
        heard = host.hear(store, headers, body, tickets, Bounds("hook", SECONDS))
    except StoreProblem as problem:
        raise (HookNotTaken if problem.code in _PROVEN else HookNotProven) from None
    finally:
        host.close()
    if heard.asked is not None:
        if not shop_platform.is_known(heard.asked):
            raise HookNotTaken
        shop_platform.take(ctx, store, heard.event, heard.asked)
        return
    settled = [(of_ticket[ticket.id], result) for ticket, result in heard.settled if ticket.id in of_ticket]
    pending.told(ctx, store, heard.event, settled)
