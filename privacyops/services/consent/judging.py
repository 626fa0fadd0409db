"""Many checks in one read: a batch of questions, or one question about a whole list.

Every answer comes from `decide`, with the same rows and the same question as the single check.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from privacyops.domain.account.action import Action
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.decision import Asked, Decision, decide, of_nobody
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentityConflict
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Problem, TooLarge
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import brand_named, purpose_named
from privacyops.services.context import Context, reading
from privacyops.store.check_rows import Found, Numbers
from privacyops.store.consent_bulk import load_people, load_suppressed
from privacyops.store.purpose import Brand, Catalogue, KnownPurpose
from privacyops.store.uow import Tx

MOST: Final = 1_000
T = TypeVar("T")


class BatchTooLarge(TooLarge):
    type = "/problems/batch-too-large"
    title = "A batch holds at most 1,000 items; a longer list goes through scrub"


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a batch; `ref` is the caller's own mark. `whom` may already be a refusal."""

    ref: str
    whom: Whom | Problem
    purpose: str
    channel: str
    brand: str | None = None
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to one item: a decision, or why there is none. Never an allow without a decision."""

    ref: str
    result: Decision | Problem


@dataclass(frozen=True, slots=True)
class Judge:
    """One question, prepared once for many people: purpose, channel, brand and place."""

    names: Catalogue
    known: KnownPurpose
    channel: str
    brand: Brand
    jurisdiction: str | None
    _questions: dict[str | None, Asked] = field(default_factory=dict)
    """By the place where the person is at home; without contacts."""
    _of_nobody: dict[Instant, Decision] = field(default_factory=dict)
    """What is said of somebody without a row."""

    @classmethod
    def of(cls, names: Catalogue, purpose: str, channel: str, brand: str | None, jurisdiction: str | None) -> "Judge":
        """Raises: UnknownPurpose, UnknownChannel, UnknownBrand."""
        known = purpose_named(names, purpose, channel)
        return cls(names, known, channel, names.brands[brand_named(names, brand)], jurisdiction)

    def decide(
        self, found: Found | None, suppressed: Sequence[StateRow], contacts: frozenset[str], now: Instant
    ) -> Decision:
        """The decision on one person; None: nobody is known."""
        if found is None and not suppressed:
            answer = self._of_nobody.get(now)
            if answer is None:
                answer = self._of_nobody[now] = decide((), self._asked(None, frozenset()), now)
            return answer
        home, rows = (found.home, found.rows) if found else (None, [])
        return decide([*rows, *suppressed] if suppressed else rows, self._asked(home, contacts), now)

    def _asked(self, home: str | None, contacts: frozenset[str]) -> Asked:
        asked = self._questions.get(home)
        if asked is None:
            ground = self.known.current.ground_in(self.jurisdiction, home, self.brand.jurisdiction)[0]
            asked = self._questions[home] = Asked(
                self.known.current, self.channel, self.brand.key, ground, self.known.material,
                self.names.material_notices,
            )  # fmt: skip
        return asked if not contacts else asked.about(contacts)


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keyed hashes of one person in one question."""

    refs: Sequence[bytes]
    contacts: frozenset[str]
    suppressions: Sequence[bytes]


@reading(Action.CONSENT_CHECK)
def check_many(ctx: Context, tx: Tx, items: Sequence[Item]) -> tuple[Instant, Sequence[Judged]]:
    """The answer to each item, in their order, and the moment they hold for. Reads what writes go to: always strict.

    Raises: BatchTooLarge.
    """
    if len(items) > MOST:
        raise BatchTooLarge
    names = published.catalogue(ctx, tx)
    answers: dict[int, Decision | Problem] = {}
    judges: dict[tuple[str, str, str | None, str | None], Judge | Problem] = {}
    asked: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        about = (item.purpose, item.channel, item.brand, item.jurisdiction)
        if about not in judges:
            judges[about] = _judge_or_problem(names, *about)
        judge = judges[about]
        refusal = next((one for one in (judge, item.whom) if isinstance(one, Problem)), None)
        if refusal is not None:
            answers[place] = refusal
        else:
            asked.setdefault(item.purpose, []).append(place)
    for places in asked.values():
        pairs = [(judges[_about(items[place])], items[place].whom) for place in places]
        sure = [(judge, whom) for judge, whom in pairs if isinstance(judge, Judge) and isinstance(whom, Whom)]
        answers |= zip(places, judge_all(ctx, tx, sure), strict=True)
    return tx.now, [Judged(item.ref, answers[place]) for place, item in enumerate(items)]


def judge_all(ctx: Context, tx: Tx, pairs: Sequence[tuple[Judge, Whom]]) -> Iterator[Decision | Problem]:
    """The decisions on many people about one purpose, in two statements."""
    if not pairs:
        return
    judge = pairs[0][0]
    keys = [_keys(ctx, whom, one.channel) for one, whom in pairs]
    numbers = Numbers.of(judge.names)
    people = load_people(tx, (ref for key in keys for ref in key.refs), judge.known.no, numbers)
    stopped = load_suppressed(tx, (ref for key in keys for ref in key.suppressions), judge.names)
    for (one, whom), key in zip(pairs, keys, strict=True):
        try:
            found = _one_of(people, key.refs)
        except IdentityConflict as conflict:
            yield conflict
            continue
        suppressed = [row for ref in key.suppressions for row in stopped.get(ref, ())] if stopped else ()
        decision = one.decide(found, suppressed, key.contacts, tx.now)
        yield of_nobody(decision) if found is None and subjects.is_own_id(whom.subject_id) else decision


def in_pages(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows in lists of at most `size`."""
    source = iter(rows)
    while page := list(islice(source, size)):
        yield page


def _about(item: Item) -> tuple[str, str, str | None, str | None]:
    return item.purpose, item.channel, item.brand, item.jurisdiction


def _judge_or_problem(
    names: Catalogue, purpose: str, channel: str, brand: str | None, jurisdiction: str | None
) -> Judge | Problem:
    try:
        return Judge.of(names, purpose, channel, brand, jurisdiction)
    except Problem as problem:
        return problem


def _keys(ctx: Context, whom: Whom, channel: str) -> _Keys:
    """As the single check makes them, each identifier hashed once."""
    if len(whom.identifiers) != 1 or whom.subject_id is not None:
        return _Keys(
            subjects.refs_of_whom(ctx, whom),
            subjects.contacts_of_whom(ctx, whom, channel),
            subjects.suppression_refs(ctx, whom, channel),
        )
    identifier = whom.identifiers[0]
    refs = subjects.refs_of(ctx, identifier)
    if identifier.type is not CONTACT_OF_CHANNEL.get(channel):
        return _Keys(refs, frozenset(), ())
    return _Keys(refs, frozenset([ref.hex() for ref in refs]), subjects.contact_refs(ctx, identifier))


def _one_of(people: Mapping[bytes, Found], refs: Sequence[bytes]) -> Found | None:
    found = [people[ref] for ref in refs if ref in people]
    if not found:
        return None
    if found[0].is_torn or len({one.subject_no for one in found}) > 1:
        raise IdentityConflict
    return found[0]
