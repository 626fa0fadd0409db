"""The check at speed: what is published and proven stands in memory, one read tells the rest, the rule decides.

Nothing here is older than the read: it returns the control number, which grows with every change of a purpose, notice,
brand, channel or key. Where that is not the number under which something is held, it is loaded anew and the question is
judged again. And a refusal is never given from memory: whatever is refused at once is looked at again by the thread.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.record import ApiKey
from privacyops.domain.account.rule import refused
from privacyops.domain.decision import Asked, decide, of_nobody, when_stale
from privacyops.domain.purpose import Ground
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, IdentityConflict, SubjectIdentifier
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Forbidden, Problem, RateLimited, Unauthenticated
from privacyops.ports.keyring import MacLabel
from privacyops.services import apikey
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.answering import CheckAnswer
from privacyops.services.consent.freshness import DEFAULT, DecisionUnavailable, Freshness, Mode, Read, freshness_of
from privacyops.services.consent.terms import brand_named, purpose_named
from privacyops.services.context import Context
from privacyops.store.check_reader import Source, SourceUnreadable, Wanted
from privacyops.store.check_rows import Numbers, Raw, found_in
from privacyops.store.purpose import Brand, Catalogue, KnownPurpose
from privacyops.store.uow import DatabaseFull, DatabaseUnavailable

WAIT_S: Final = 0.05
_LOOK_S: Final = 0.005
_TRIES: Final = 4
_MOST_HELD: Final = 10_000
_MOST_GROUNDS: Final = 256  # a question; there are many questions
_BELOW_MS: Final = tuple(timedelta(microseconds=number) for number in range(1000))
"""What an instant of whole milliseconds leaves out; to take it away costs less than to make the instant anew."""


class TooManyChecks(RateLimited):
    type = "/problems/rate-limited"
    title = "This key asks more often than it may"


@dataclass(slots=True)
class Ask:
    """One call as it came over the wire, its form already checked. Exactly one of `subject` and `identifier`."""

    authorization: bytes
    purpose: str
    channel: str
    subject: str | None = None
    identifier: tuple[IdentifierType, str] | None = None
    brand: str | None = None
    jurisdiction: str | None = None
    mode: Mode | None = None
    token: str | None = None
    bound_ms: int | None = None
    is_counted: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said about how fresh the answer must be."""
        return self.mode is None and self.token is None and self.bound_ms is None


@dataclass(slots=True)
class _Question:
    """What the words of a question stand for. `grounds` by the place that is named and the person's own."""

    known: KnownPurpose
    brand: Brand
    numbers: tuple[int, int, int]
    grounds: dict[tuple[str | None, str | None], tuple[Ground, str | None]] = field(default_factory=dict)


@dataclass(slots=True)
class _Held:
    """What is known as of one control number. `proven` are keys by a keyed hash of the header that showed them."""

    names: Catalogue
    numbers: Numbers
    proven: dict[bytes, "_Proven"] = field(default_factory=dict)
    questions: dict[tuple[str, str, str | None], _Question] = field(default_factory=dict)

    def question(self, ask: Ask) -> _Question:
        """Raises: UnknownPurpose, UnknownChannel, UnknownBrand."""
        words = (ask.purpose, ask.channel, ask.brand)
        found = self.questions.get(words)
        if found is None:
            names = self.names
            known = purpose_named(names, ask.purpose, ask.channel)
            brand = names.brands[brand_named(names, ask.brand)]
            found = self.questions[words] = _Question(known, brand, (known.no, names.channels[ask.channel], brand.no))
        return found


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Proven:
    """A key that was shown, what it is told if it may not ask, and its bucket."""

    key: ApiKey
    refusal: Forbidden | None
    bucket: _Bucket


class Checker:
    """Answers checks. `at_once` never waits and belongs in an event loop; `patiently` belongs on a thread.

    `source` is read first; `primary` where it is too old, None where `source` is the primary itself.
    """

    def __init__(
        self, ctx: Context, source: Source, primary: Source | None = None, *, checks_per_second: int = 50_000
    ) -> None:
        self._ctx, self._source, self._primary = ctx, source, primary
        self._keyring, self._controller = ctx.ports.keyring, ctx.controller
        self._rate = float(checks_per_second)
        self._buckets: dict[UUID, _Bucket] = {}
        self._held: _Held | None = None
        self._salt = secrets.token_bytes(32)

    def warm_up(self) -> None:
        """Load what is published and touch the file, so that the first callers do not wait for either."""
        self._loaded()
        self._source.warm_up()

    def close(self) -> None:
        """Close the connections."""
        for source in (self._source, self._primary):
            if source is not None:
                source.close()

    def at_once(self, ask: Ask) -> CheckAnswer | None:
        """The answer, without waiting for anything; None: it takes a thread, ask `patiently`.

        Raises: TooManyChecks.
        """
        held = self._held
        if held is None or (self._primary is not None and ask.mode is Mode.STRICT):
            return None
        try:
            answer = self._judge(ask, held, self._source, self._source.at_once)
        except TooManyChecks:
            raise
        except Problem:
            return None  # perhaps memory is old
        return None if answer is None or answer.is_stale else answer

    def patiently(self, ask: Ask) -> CheckAnswer:
        """The answer, or the refusal, from what is true now.

        Raises: Unauthenticated, Forbidden, TooManyChecks, IdentifierMalformed, FreshnessMalformed, TokenMalformed,
        UnknownPurpose, UnknownChannel, UnknownBrand, IdentityConflict; DecisionUnavailable: nothing can be read.
        """
        try:
            answer = self._settled(ask, self._source) if self._primary is None else self._of_either(ask, self._primary)
        except (SourceUnreadable, DatabaseUnavailable, DatabaseFull):
            raise DecisionUnavailable from None
        if answer.is_stale and ask.mode is Mode.STRICT:
            raise DecisionUnavailable
        return answer

    def _of_either(self, ask: Ask, primary: Source) -> CheckAnswer:
        """From the copy where it is new enough, else from the primary; where neither can, what is said when stale."""
        answer = None if ask.mode is Mode.STRICT else self._of_copy(ask)
        if answer is not None and not answer.is_stale:
            return answer
        try:
            return self._settled(ask, primary)
        except (SourceUnreadable, DatabaseUnavailable, DatabaseFull):
            if answer is None:
                raise
            return answer

    def _of_copy(self, ask: Ask) -> CheckAnswer | None:
        """From the copy; the next poll may bring what is missing. None: it cannot be told from memory and the copy."""
        end = time.monotonic() + WAIT_S
        answer = self._once(ask, self._source)
        while answer is not None and answer.is_stale and time.monotonic() < end:
            time.sleep(_LOOK_S)
            answer = self._once(ask, self._source)
        return answer

    def _once(self, ask: Ask, source: Source) -> CheckAnswer | None:
        """Judge from memory and what a copy holds; None where that is not enough. No refusal is taken from a copy."""
        held = self._held
        try:
            return None if held is None else self._judge(ask, held, source, source.patiently)
        except TooManyChecks:
            raise
        except Problem:
            return None

    def _settled(self, ask: Ask, source: Source) -> CheckAnswer:
        """Judge from memory; where that refuses, or something has changed, load and judge again until nothing has."""
        held = self._held
        if held is not None:
            try:
                answer = self._judge(ask, held, source, source.patiently)
            except (TooManyChecks, SourceUnreadable):
                raise
            except Problem:
                answer = None  # perhaps memory is old
            if answer is not None:
                return answer
        for _ in range(_TRIES):
            held = self._loaded()
            self._prove(held, ask.authorization)
            answer = self._judge(ask, held, source, source.patiently)
            if answer is not None:
                return answer
        raise DecisionUnavailable

    def _loaded(self) -> _Held:
        """What is published now; what is proven is forgotten when anything changed."""
        ctx, held = self._ctx, self._held
        with ctx.database.reading(self._controller.key, ctx.clock.now()) as tx:
            names = published.catalogue(ctx, tx)
        if held is None or held.names.ver != names.ver:
            held = self._held = _Held(names, Numbers.of(names))
        return held

    def _prove(self, held: _Held, authorization: bytes) -> None:
        """Look the key up and remember it until the next change. Raises: Unauthenticated."""
        key = apikey.proven(self._ctx, apikey.sent_in(authorization))
        if len(held.proven) >= _MOST_HELD:
            held.proven.clear()
        refusal = refused(apikey.actor_of(key), self._controller.key, Action.CONSENT_CHECK)
        held.proven[self._digest(authorization)] = _Proven(key, refusal, self._bucket_of(key.id))

    def _digest(self, authorization: bytes) -> bytes:
        """Keyed, so that what is compared in memory says nothing about the key that is looked for."""
        return hashlib.blake2b(authorization, digest_size=16, key=self._salt).digest()

    def _judge(self, ask: Ask, held: _Held, source: Source, read: Callable[[Wanted], Raw | None]) -> CheckAnswer | None:
        """The answer from what is held and one read; None: not now, or something published has changed."""
        now = self._this_moment()
        proven = held.proven.get(self._digest(ask.authorization))
        if proven is None or now >= proven.key.expires_at:
            raise Unauthenticated
        if not ask.is_counted:
            self._count(proven.bucket)
            ask.is_counted = True
        refs, suppression_refs = self._refs(ask)
        fresh = DEFAULT if ask.is_plain else self._freshness(ask)
        if proven.refusal is not None:
            raise Forbidden(proven.refusal.detail)  # a new one: each raising of the same one would lengthen its trace
        question, names = held.question(ask), held.names
        raw = read(Wanted(refs, suppression_refs, *question.numbers))
        if raw is None:
            return None
        found = found_in(raw, held.numbers)
        if found.ver != names.ver:
            return None
        if found.is_torn:
            raise IdentityConflict
        known = question.known
        ground, place = _ground(question, ask.jurisdiction, found.home)
        asked = Asked(
            known.current, ask.channel, question.brand.key, ground, known.material, names.material_notices,
            _contacts(ask, refs),
        )  # fmt: skip
        decision = decide(found.rows, asked, now)
        if found.subject_no is None and subjects.is_own_id(ask.subject):
            decision = of_nobody(decision)
        age_ms = source.age_ms(raw)
        if source.is_primary and fresh.mode is not Mode.AT_LEAST:
            return CheckAnswer(decision, asked, place, found.state_version, now, age_ms)
        seen = Read(found.subject_no, found.state_version, source.is_primary, age_ms)
        if fresh.is_met(self._keyring, self._controller.key, seen):
            return CheckAnswer(decision, asked, place, found.state_version, now, age_ms)
        decision = when_stale(decision, asked)
        return CheckAnswer(decision, asked, place, found.state_version, now, age_ms, is_stale=True)

    def _refs(self, ask: Ask) -> tuple[list[bytes], list[bytes]]:
        """The keyed hashes to look up. Raises: IdentifierMalformed."""
        controller = self._controller.key
        if ask.subject is not None:
            macs = self._keyring.macs(MacLabel.INDEX_SUBJECT, controller, ask.subject.encode())
            return [mac.digest for mac in macs], []
        assert ask.identifier is not None  # noqa: S101 - the gate's parser has seen to it
        identifier = SubjectIdentifier.of(*ask.identifier, self._controller.phone_region)
        refs = list(subjects.refs_of(self._ctx, identifier))
        if CONTACT_OF_CHANNEL.get(ask.channel) is not identifier.type:
            return refs, []
        kind, value = identifier.type.value.encode(), identifier.value.encode()
        return refs, [mac.digest for mac in self._keyring.macs(MacLabel.SUPPRESSION, controller, kind, value)]

    def _freshness(self, ask: Ask) -> Freshness:
        return freshness_of(self._keyring, self._controller.key, ask.mode, ask.token, ask.bound_ms)

    def _bucket_of(self, key: UUID) -> _Bucket:
        """The key's bucket, which holds a second's worth and outlives what else is held."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MOST_HELD:
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(self._rate, self._ctx.clock.boot_seconds())
        return bucket

    def _count(self, bucket: _Bucket) -> None:
        """Take one from the bucket. Raises: TooManyChecks."""
        now = self._ctx.clock.boot_seconds()
        bucket.tokens = min(self._rate, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < 1:
            raise TooManyChecks(retry_after_s=1)
        bucket.tokens -= 1

    def _this_moment(self) -> Instant:
        now = self._ctx.clock.now()
        return now - _BELOW_MS[now.microsecond % 1000]


def _ground(question: _Question, named: str | None, home: str | None) -> tuple[Ground, str | None]:
    at = (named, home)
    found = question.grounds.get(at)
    if found is None:
        if len(question.grounds) >= _MOST_GROUNDS:
            question.grounds.clear()
        found = question.grounds[at] = question.known.current.ground_in(named, home, question.brand.jurisdiction)
    return found


def _contacts(ask: Ask, refs: list[bytes]) -> frozenset[str]:
    """The contact that is to be used, where the question names one."""
    if ask.identifier is None or CONTACT_OF_CHANNEL.get(ask.channel) is not ask.identifier[0]:
        return frozenset()
    return frozenset([ref.hex() for ref in refs])
