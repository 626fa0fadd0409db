"""Statistics of consent: how many people stand where. Small groups are withheld, because they point at people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.consent.state import ConsentState
from privacyops.kernel.clock import Instant
from privacyops.services import purpose as published
from privacyops.services.context import Context, reading
from privacyops.store import consent_statistics
from privacyops.store.check_rows import Numbers
from privacyops.store.uow import Tx

SMALLEST: Final = 20


@dataclass(frozen=True, slots=True)
class Group:
    """One purpose, channel and brand (None: all). `people` None: fewer than 20, and withheld.

    `kind` is `choice`, or the stop over many that is counted. Grants that have run out count as expired.
    """

    purpose: str | None
    channel: str | None
    brand: str | None
    kind: str
    state: str
    people: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The groups as they stand. A group that is withheld takes the smallest of its neighbours with it."""

    as_of: Instant
    groups: Sequence[Group]


@reading(Action.CONSENT_READ)
def statistics(ctx: Context, tx: Tx) -> Statistics:
    """Every group of choices and stops.

    Where exactly one state of a purpose, channel and brand is too small, the next smallest is withheld too: else who
    knows the number of all people would subtract.
    """
    numbers = Numbers.of(published.catalogue(ctx, tx))
    told: dict[tuple[str | None, str | None, str | None, str], Counter[str]] = {}
    for one in consent_statistics.count_states(tx, int(tx.now.timestamp() * 1000)):
        if one.purpose_no not in numbers.purposes:
            continue
        about = numbers.purposes[one.purpose_no], numbers.channels.get(one.channel_no), numbers.brands.get(one.brand_no)
        states = told.setdefault((*about, one.kind), Counter())
        states[one.state] += one.people - one.ended
        states[str(ConsentState.EXPIRED)] += one.ended
    groups = [
        Group(purpose, channel, brand, kind, state, people)
        for (purpose, channel, brand, kind), states in told.items()
        for state, people in _withheld(+states).items()
    ]
    return Statistics(tx.now, groups)


def _withheld(states: Mapping[str, int]) -> Mapping[str, int | None]:
    small = {state for state, people in states.items() if people < SMALLEST}
    others = [state for state in states if state not in small]
    if len(small) == 1 and others:
        small.add(min(others, key=lambda state: states[state]))
    return {state: None if state in small else people for state, people in states.items()}
