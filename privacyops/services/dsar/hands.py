"""Who had a hand in what a second person is to approve: nobody of them approves it."""

from uuid import UUID

from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import Decision
from privacyops.services.dsar.erasure_plan import every_finding, is_planned_by_machine
from privacyops.store import audit as audits
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store.uow import Tx

_POINTING = "pointer"


def hands_of(tx: Tx, dsar: Dsar) -> frozenset[UUID]:
    """Whoever changed what the answer says; of an erasure or a correction by plan also whoever answered, since the
    request was filed, about a link by which the plan reaches its records: a yes there decides on rows like a decision.
    """
    hands = audits.list_hands(tx, dsar.id)
    if not is_planned_by_machine(tx, dsar):
        return hands
    planned = {one.store: one for one in erasures.list_erasures(tx, dsar.id)}
    for store in stores.list_stores(tx):
        if store.name not in planned:
            continue
        answers = audits.list_link_hands(tx, store.id, dsar.recorded_at)
        if not answers:
            continue
        steps = _steps(tx, dsar, store.name)
        # rows that point at the person are looked up for the plan, and are no records of the search
        others = {row["collection"] for row in planned[store.name].plan.get("rows", ()) if row["why"] == _POINTING}
        for link, people in answers.items():
            start = _start(link)
            if start in steps or any(start.startswith(f"{name}.") for name in others):
                hands |= people
    return hands


def _steps(tx: Tx, dsar: Dsar, store: str) -> set[str]:
    """The pointing ends of all links on the ways to records that are not left as they are."""
    held = every_finding(tx, dsar.id, store)
    return {step for one in held if one.decision is not Decision.EXCLUDE for step in one.via}


def _start(link: str) -> str:
    """`orders.kind_id` of `orders.kind_id[kind=customer]>customers.id`."""
    return link.partition(">")[0].partition("[")[0]
