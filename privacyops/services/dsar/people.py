"""Whom a request is about, as far as the reader may see it: in clear, or masked to first letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.rule import extent
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.mask import masked_email, masked_name
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.sealing import RequestEmptied
from privacyops.store import queue
from privacyops.store.uow import Tx

MOST_FOUND: Final = 50


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's name and address to show. Both empty: the data of the request was destroyed."""

    name: str
    contact: str
    is_masked: bool


@reading(Action.DSAR_LIST)
def people_of(ctx: Context, tx: Tx, dsars: Sequence[Dsar], *, masks: bool) -> Mapping[DsarId, Person]:
    """The people behind a page of requests. Roles that see no content get them masked, whatever `masks` says."""
    hides = masks or extent(ctx.actor, Action.DSAR_LIST) is not Extent.CLEAR
    return {dsar.id: person_of(ctx, tx, dsar, masks=hides) for dsar in dsars}


@use_case(Action.DSAR_LIST)
def find_by_address(ctx: Context, tx: Tx, email: str) -> Sequence[Dsar]:
    """The requests of one address, the newest first; that somebody looked is recorded, the address is not."""
    normal = normal_email(email)
    if normal is None or extent(ctx.actor, Action.DSAR_LIST) is not Extent.CLEAR:
        return ()
    found = queue.list_by_contact(tx, sealing.contact_index(ctx, normal), MOST_FOUND)
    record(ctx, tx, "dsar.find_person", "dsar", "queue", found=len(found))
    return found


def person_of(ctx: Context, tx: Tx, dsar: Dsar, *, masks: bool) -> Person:
    """One person, inside a transaction that is open already."""
    try:
        return shown(sealing.requester_of(ctx, tx, dsar), masks=masks)
    except RequestEmptied:
        return Person("", "", is_masked=False)


def shown(requester: Requester, *, masks: bool) -> Person:
    """The person as a list or title shows them."""
    if masks:
        return Person(masked_name(requester.name), masked_email(requester.email), is_masked=True)
    return Person(requester.name, requester.email, is_masked=False)
