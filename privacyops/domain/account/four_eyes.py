"""The second person: approver is neither the preparer nor anyone who changed what is approved."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.account.actor import Actor, ActorKind
from privacyops.domain.account.rule import require_step_up
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Forbidden, Unprocessable

SINGLE_OPERATOR_WAIT: Final = timedelta(hours=24)


class SamePerson(Forbidden):
    type = "/problems/same-person"
    title = "This needs a second person: whoever prepared or changed it cannot approve it"


class ApprovedMatterChanged(Conflict):
    type = "/problems/approved-matter-changed"
    title = "What you looked at has changed since; look again before you approve"


class NumberNotTyped(Unprocessable):
    type = "/problems/number-not-typed"
    title = "Type the number of the request to approve it"


class SingleOperatorTooEarly(Conflict):
    """`until` as a member: the instant from which a lone operator may approve."""

    type = "/problems/single-operator-too-early"
    title = "A lone operator may approve 24 hours after the preparation"


@dataclass(frozen=True, slots=True)
class Matter:
    """What is laid before a second person: its number, its hash, and everyone who had a hand in it."""

    number: str
    sha256: str
    hands: frozenset[UUID]
    fixed_at: Instant


class Eyes(StrEnum):
    """Under which rule an approval was given; TWO is an exception that the evidence pack lists."""

    FOUR = "four"
    TWO = "two"


def second_person(
    actor: Actor, matter: Matter, seen_sha256: str, typed: str, now: Instant, *, single_operator: bool = False
) -> Eyes:
    """Whether `actor` may decide on what others prepared, having seen exactly this content.

    `typed` is the number as typed; case and outer blanks do not matter. With `single_operator` the
    preparer may approve 24 hours after the matter was fixed, which is returned as Eyes.TWO.

    Raises: StepUpNeeded, ApprovedMatterChanged, NumberNotTyped, SamePerson, SingleOperatorTooEarly;
            Forbidden: not a person.
    """
    if actor.kind is not ActorKind.STAFF:
        raise Forbidden("only a person can be the second person")
    require_step_up(actor, now)
    if seen_sha256 != matter.sha256:
        raise ApprovedMatterChanged
    if typed.strip().casefold() != matter.number.casefold():
        raise NumberNotTyped
    if actor.id not in matter.hands:
        return Eyes.FOUR
    if not single_operator:
        raise SamePerson
    if now - matter.fixed_at < SINGLE_OPERATOR_WAIT:
        raise SingleOperatorTooEarly(until=(matter.fixed_at + SINGLE_OPERATOR_WAIT).isoformat())
    return Eyes.TWO
