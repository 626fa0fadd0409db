"""The client's own copy of its answers, how old it is, and what it may still say.

The copy never decides. It repeats what the service answered, until the feed says that something about the person
changed; then it asks. What it holds counts for `max_age` seconds of boot time from the moment at which the poll that
confirmed it was sent.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from privacyops_client.answer import NO_COPIED, NO_STALE, YES_COPIED, YES_STALE, Answer, Decision, Reason
from privacyops_client.clock import Clock, boottime
from privacyops_client.problems import FeedBroken, Unreachable
from privacyops_client.table import PINNED, YES, SnapshotReader, Table, key_of_ref
from privacyops_client.wire import instant_of

_HASHES_HELD: Final = 100_000
_STRANGERS_HELD: Final = 100_000
_NEVER: Final = -1.0
_GIVEN_OUT: Final = "s_"
_HARMLESS: Final = {"void", "ledger.pruned", "suppression.added", "suppression.lifted"}
"""Events that, without a person, change no answer about a person id; any other one makes the copy be taken anew.
An address that nobody has yet may be suppressed: whoever gets it later is named by an event of their own."""
_RENUMBERING: Final = {"subject.erased", "identity.linked", "identity.unlinked"}
"""Events after which a person's `state_version` may be lower than before."""


class CopyState(StrEnum):
    """EMPTY: not taken yet, or to be taken anew. LIVE: answers. STALE: too old. BROKEN: the reader stopped for good."""

    EMPTY = "empty"
    LIVE = "live"
    STALE = "stale"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What the copy says about itself. `age_s`: seconds since it was confirmed; `seq`: the last event it knows."""

    state: CopyState
    age_s: float
    seq: int
    people: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question on its way to the service, and how the copy stood when it left."""

    table: Table
    key: int
    shift: int | None
    moves: int
    was_stale: bool


class Copy:
    """Rows of one table at a time. `look` may be called from any thread; one reader calls the rest."""

    def __init__(self, max_age: float, *, unknown_by_regime: bool = False, clock: Clock = boottime) -> None:
        self.max_age = max_age
        self.seq = 0
        self.key_id: str | None = None
        self.trouble: str | None = None
        self.is_broken = False
        self._by_regime = unknown_by_regime
        self._clock = clock
        self._table = Table((), b"")
        self._is_taken = False
        self._confirmed = _NEVER
        self._fresh_until = _NEVER
        self._service_ahead = 0.0
        self._own: dict[str, int] = {}
        self._moves = 0
        self._touched: dict[int, tuple[int, int]] = {}
        self._strangers = 0
        self._lock = threading.Lock()

    # --- answering ---------------------------------------------------------------------------------------------

    def look(self, subject: str, purpose: str, channel: str, brand: str | None, at_least: str | None) -> Answer | None:
        """The answer, if the copy may give one; None: ask the service."""
        now = self._clock()
        if now > self._fresh_until:
            return None
        table = self._table
        shift = table.shifts.get((purpose, channel, brand))
        if shift is None:
            return None
        key = table.keys.get(subject)
        if key is None:
            key = _hashed(table, subject)
        if at_least is not None and table.tokens.get(at_least) != key:
            return None
        row = table.rows.get(key)
        if row is None:
            # The copy knows everybody whom an id was given for: one that it does not know leads to nobody
            return NO_COPIED if self._by_regime and subject.startswith(_GIVEN_OUT) else None
        if row & PINNED:
            return None
        held = row >> shift & 3
        if held != YES:
            return _COPIED[held]
        ends = row >> table.ends_at
        return None if ends and now + self._service_ahead >= ends else YES_COPIED

    def question(self, subject: str, purpose: str, channel: str, brand: str | None) -> Question:
        """Note how things stand before the service is asked."""
        with self._lock:
            table = self._table
            shift = table.shifts.get((purpose, channel, brand))
            stale = self._is_taken and not self.is_broken and self._clock() > self._fresh_until
            return Question(table, table.key_of(subject), shift, self._moves, stale)

    def settled(self, asked: Question, answer: Answer, at_least: str | None, *, keep: bool) -> Answer:
        """The service's answer, unless the feed had already told of something later; kept where that is sound.

        `keep` is false where the answer holds for this question only (another jurisdiction).
        """
        version = answer.state_version
        with self._lock:
            moves, known = self._touched.get(asked.key, (0, 0))
            if answer.reason == Reason.UNAVAILABLE:
                return self._unanswered(asked, answer)
            if version is None or version < known:
                return NO_STALE
            is_current = asked.table is self._table and moves <= asked.moves
            if keep and asked.shift is not None and is_current and not answer.stale:
                self._keep(asked, asked.shift, answer)
                if at_least is not None:
                    _remember(asked.table, at_least, asked.key)
        return answer

    def _unanswered(self, asked: Question, answer: Answer) -> Answer:
        """Nobody answers. Only what is strictly necessary may go on by what was known, and says that it is old."""
        if answer.problem is not None or not asked.was_stale or asked.shift is None:
            return answer
        if asked.table is self._table and asked.table.slots[asked.shift >> 1].necessary:
            row = asked.table.rows.get(asked.key)
            if row is not None and not row & PINNED and row >> asked.shift & 3 == YES:
                return YES_STALE
        return NO_STALE

    def _keep(self, asked: Question, shift: int, answer: Answer) -> None:
        row = asked.table.rows.get(asked.key)
        if row is None:
            if self._strangers >= _STRANGERS_HELD:
                return
            self._strangers += 1
        elif row & PINNED:
            return
        ends = answer.expires_at.timestamp() if answer.expires_at else 0.0
        now = self._clock() + self._service_ahead
        asked.table.keep(asked.key, shift, is_allowed=answer.decision is Decision.ALLOW, ends=ends, now=now)

    def wrote(self, subject: str, version: int, token: str | None) -> None:
        """This client changed a person's state: from here on every answer about them shows it."""
        with self._lock:
            self._own[subject] = version
            key = self._table.key_of(subject)
            self._touch(key, version, self._table.everywhere)
            if token is not None:
                _remember(self._table, token, key)

    # --- reading the feed --------------------------------------------------------------------------------------

    @property
    def needs_snapshot(self) -> bool:
        return not self._is_taken

    def snapshot_begins(self) -> None:
        """A snapshot is about to be asked for: it shows what was written until now, and perhaps no more."""
        with self._lock:
            self._own = {}

    def take(self, snapshot: SnapshotReader, sent: float) -> None:
        """Begin anew from a whole snapshot that was asked for at boot time `sent`. Raises: Unreachable."""
        table = snapshot.table()
        with self._lock:
            self._fresh_until = _NEVER  # nobody reads the new rows with the old ones' age
            self._table, self._touched, self._strangers = table, {}, 0
            for subject, version in self._own.items():
                self._touch(table.key_of(subject), version, table.everywhere)
            self.seq, self.key_id, self.trouble = snapshot.high_water, snapshot.key_id, None
            self._is_taken = True
            self._confirm(snapshot.as_of, snapshot.lag, sent)

    def apply(self, page: Mapping[str, Any], sent: float) -> bool:
        """Take in one page of the feed that was asked for at boot time `sent`; whether it was the last one there is.

        Raises: FeedBroken: a number is missing, repeated, or runs backwards; nothing after it is applied.
        Unreachable: it is not a page.
        """
        try:
            with self._lock:
                high_water = page["high_water"]
                if high_water < self.seq:
                    raise FeedBroken(f"the feed ends at {high_water}, and {self.seq} was read before")
                for item in page["items"]:
                    if item["seq"] != self.seq + 1:
                        raise FeedBroken(f"after {self.seq} the feed goes on with {item['seq']}")
                    self._apply(item)
                    self.seq += 1
                is_last = bool(high_water <= self.seq)
                if is_last and self._is_taken:
                    self._confirm(instant_of(page["as_of"]), page.get("lag_ms", 0) / 1000, sent)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Unreachable("a page of the feed cannot be read") from None
        return is_last

    def _apply(self, item: Mapping[str, Any]) -> None:
        ref = item.get("subject_ref")
        if ref is not None:
            key, version, type_ = key_of_ref(ref), item.get("state_version"), item.get("type")
            if type_ in _RENUMBERING:
                self._touched.pop(key, None)
            known = version if isinstance(version, int) and type_ != "subject.erased" else 0
            self._touch(key, known, self._table.touched_by(item))
            if item.get("ask"):
                self._table.pin(key)
        elif item.get("type") not in _HARMLESS:
            self.discard("what answers mean was changed; the copy is taken anew")

    def _touch(self, key: int, version: int, mask: int) -> None:
        self._moves += 1
        known = self._touched.get(key, (0, 0))[1]
        self._touched[key] = self._moves, max(known, version)
        self._table.ask_for(key, mask)

    def _confirm(self, as_of: float, lag: float, sent: float) -> None:
        self._confirmed = sent - max(lag, 0.0)
        self._service_ahead = as_of - sent
        self._fresh_until = _NEVER if self.is_broken else self._confirmed + self.max_age

    def discard(self, why: str) -> None:
        """Answer nothing until a new snapshot was taken."""
        self._is_taken, self._fresh_until, self.trouble = False, _NEVER, why

    def stop(self, why: str) -> None:
        """The reader stops for good: nothing is answered from this copy any more."""
        with self._lock:
            self.is_broken, self._fresh_until, self.trouble = True, _NEVER, why

    def unlock(self) -> None:
        """In a forked process: whoever held the lock is not here."""
        self._lock = threading.Lock()

    def report(self) -> CopyReport:
        """How the copy stands, for a health page or a metric."""
        now, state = self._clock(), CopyState.LIVE
        if self.is_broken:
            state = CopyState.BROKEN
        elif not self._is_taken:
            state = CopyState.EMPTY
        elif now > self._fresh_until:
            state = CopyState.STALE
        age = now - self._confirmed if self._confirmed != _NEVER else float("inf")
        return CopyReport(state, age, self.seq, len(self._table.rows), self.trouble)


def _hashed(table: Table, subject: str) -> int:
    """The person's key, kept beside the table that it belongs to."""
    key = table.key_of(subject)
    if len(table.keys) >= _HASHES_HELD:
        table.keys = {}
    table.keys[subject] = key
    return key


def _remember(table: Table, token: str, key: int) -> None:
    """From here on the table shows what this token asks for."""
    if len(table.tokens) >= _HASHES_HELD:
        table.tokens.clear()
    table.tokens[token] = key


_COPIED: Final[tuple[Answer | None, ...]] = (NO_COPIED, YES_COPIED, None, None)
"""By what a slot holds: no, yes, ask."""
