"""What holds whatever happens, in whatever order: the fold against plain definitions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from privacyops.domain.consent.event import ConsentEvent, PurposeRef, event_of, leaf_members
from privacyops.domain.consent.projection import RowKey, StateRow, apply, fold
from privacyops.domain.consent.state import STATE_AFTER, ClockTrust, ConsentState, EventType, Grade, Method
from privacyops.domain.decision import ALLOWING, Asked, Reason, decide
from privacyops.domain.purpose import Ground, LegalBasis, PurposeFlag, PurposeVersion, Regime
from privacyops.kernel.ids import EventId
from privacyops.ledger.leaf import canonical, parse

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
GROUNDS = [
    Ground(LegalBasis.CONSENT, Regime.OPT_IN),
    Ground(LegalBasis.CONSENT, Regime.OPT_IN, gpc_override=True),
    Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT),
    Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.NONE),
    Ground(LegalBasis.SOFT_OPT_IN, Regime.NONE),
]
PURPOSE = PurposeVersion(
    "news", 1, {"en": "News"}, frozenset({"email"}), {"*": GROUNDS[0]},
    flags=frozenset({PurposeFlag.DIRECT_MARKETING, PurposeFlag.GPC_COVERED}),
)  # fmt: skip
WIDE = frozenset({EventType.STOP_ALL, EventType.GPC, EventType.OBJECTION_MADE})
GRANTS = (EventType.GIVEN, EventType.RENEWED)
STOPS = (EventType.REFUSED, EventType.WITHDRAWN, EventType.STOP_ALL)
KINDS = [*GRANTS, *STOPS, EventType.REQUESTED, EventType.DEFERRED, EventType.CONFIRMED, EventType.EXPIRED,
         EventType.TERMINATED, EventType.INVALIDATED, EventType.GPC, EventType.OBJECTION_MADE, EventType.IMPORT,
         EventType.BASIS_ESTABLISHED]  # fmt: skip
IMPORTED = [ConsentState.GIVEN, ConsentState.UNKNOWN, ConsentState.WITHDRAWN, ConsentState.REQUESTED]


@st.composite
def events(draw: st.DrawFn, kinds: Sequence[EventType] = KINDS) -> ConsentEvent:
    kind = draw(st.sampled_from(kinds))
    minute = draw(st.integers(0, 30))
    occurred = START + timedelta(minutes=minute)
    wide = kind in WIDE
    imported = draw(st.sampled_from(IMPORTED)) if kind is EventType.IMPORT else None
    asks = kind is EventType.REQUESTED or imported is ConsentState.REQUESTED
    return ConsentEvent(
        id=EventId(UUID(int=draw(st.integers(1, 2**64)))), type=kind, controller="shop", occurred_at=occurred,
        recorded_at=occurred + timedelta(minutes=draw(st.integers(0, 10))), method=Method.FORM, actor_kind="api_key",
        clock=draw(st.sampled_from(ClockTrust)), brand=None if wide else "a",
        purpose=None if wide else PurposeRef("news", 1), channel=None if wide else "email",
        state=imported or STATE_AFTER.get(kind), valid_for=draw(st.sampled_from([None, "P1D"])),
        confirm_until=occurred + timedelta(minutes=draw(st.integers(1, 40))) if asks else None,
        grade=draw(st.sampled_from(Grade)) if imported else None,
        causes=UUID(int=draw(st.integers(1, 3))) if kind is EventType.CONFIRMED else None,
        basis=LegalBasis.SOFT_OPT_IN if kind is EventType.BASIS_ESTABLISHED else None,
    )  # fmt: skip


MOMENT = st.integers(0, 3_000).map(lambda minute: START + timedelta(minutes=minute))
GROUND = st.sampled_from(GROUNDS)


def reason(rows: dict[RowKey, StateRow], ground: Ground, now: datetime) -> Reason:
    return decide(rows.values(), Asked(PURPOSE, "email", "a", ground), now).reason


@given(st.lists(events(GRANTS + STOPS), max_size=4), GROUND, MOMENT)
@settings(max_examples=200)
def test_the_order_of_arrival_never_decides_what_is_allowed(
    happened: list[ConsentEvent], ground: Ground, now: datetime
) -> None:
    answers = {
        decide(fold(order).values(), Asked(PURPOSE, "email", "a", ground), now).is_allowed
        for order in permutations(happened)
    }
    assert len(answers) == 1


@given(st.lists(events(), max_size=8), events([*STOPS, EventType.TERMINATED]), GROUND, MOMENT)
@settings(max_examples=400)
def test_after_a_stop_later_than_everything_the_answer_is_no(
    happened: list[ConsentEvent], stop: ConsentEvent, ground: Ground, now: datetime
) -> None:
    latest = max([event.t for event in happened], default=START) + timedelta(minutes=1)
    last = ConsentEvent(
        id=stop.id, type=stop.type, controller="shop", occurred_at=latest, recorded_at=latest, method=stop.method,
        actor_kind="subject", brand=stop.brand, purpose=stop.purpose, channel=stop.channel, state=stop.state,
    )  # fmt: skip
    assert reason(fold([*happened, last]), ground, now) not in ALLOWING
    assert reason(fold([last, *happened]), ground, now) not in ALLOWING


@given(st.lists(events(), max_size=8), events(), GROUND, MOMENT)
@settings(max_examples=400)
def test_only_a_grant_can_turn_a_no_into_a_yes(
    happened: list[ConsentEvent], more: ConsentEvent, ground: Ground, now: datetime
) -> None:
    before = fold(happened)
    after = dict(before) | {row.key: row for row in apply(before, more)}
    if reason(before, ground, now) not in ALLOWING and reason(after, ground, now) in ALLOWING:
        grants = {*GRANTS, EventType.CONFIRMED, EventType.BASIS_ESTABLISHED}
        imported = more.type is EventType.IMPORT and more.state in (ConsentState.GIVEN, ConsentState.UNKNOWN)
        assert more.type in grants or imported


@given(st.lists(events(), max_size=8), GROUND, MOMENT, MOMENT)
@settings(max_examples=300)
def test_time_alone_never_lifts_a_stop(
    happened: list[ConsentEvent], ground: Ground, one: datetime, other: datetime
) -> None:
    rows = fold(happened)
    sooner, later = sorted((one, other))
    if reason(rows, ground, sooner) in {Reason.WITHDRAWN, Reason.REFUSED, Reason.TERMINATED, Reason.INVALIDATED}:
        assert reason(rows, ground, later) not in ALLOWING


@given(st.lists(events(), max_size=8))
def test_the_fold_of_the_leaves_is_the_fold_of_the_events(happened: list[ConsentEvent]) -> None:
    told = [event_of(parse(canonical(leaf_members(event, {})))) for event in happened]
    assert fold(told) == fold(happened)


class ConsentMachine(RuleBasedStateMachine):
    """One person, one purpose, one trusted clock: the rows against a model of plain variables."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.log: list[ConsentEvent] = []
        self.rows: dict[RowKey, StateRow] = {}
        self.model: tuple[str, datetime] | None = None
        self.stopped_all: datetime | None = None
        self.ends: datetime | None = None

    def _happen(self, kind: EventType, *, valid_for: str | None = None) -> None:
        wide = kind is EventType.STOP_ALL
        event = ConsentEvent(
            id=EventId(UUID(int=len(self.log) + 1)), type=kind, controller="shop", occurred_at=self.now,
            recorded_at=self.now, method=Method.FORM, actor_kind="api_key", brand=None if wide else "a",
            purpose=None if wide else PurposeRef("news", 1), channel=None if wide else "email",
            state=STATE_AFTER.get(kind), valid_for=valid_for,
        )  # fmt: skip
        for row in apply(self.rows, event):
            self.rows[row.key] = row
        self.log.append(event)

    @rule(minutes=st.integers(0, 3_000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(lasts=st.sampled_from([None, "P1D"]))
    def grant(self, lasts: str | None) -> None:
        self._happen(EventType.GIVEN, valid_for=lasts)
        blocked = self.model is not None and self.model[0] != "granted" and self.model[1] >= self.now
        if not blocked and (self.stopped_all is None or self.stopped_all < self.now):
            self.model = ("granted", self.now)
            self.ends = self.now + timedelta(days=1) if lasts else None

    @rule(kind=st.sampled_from([EventType.REFUSED, EventType.WITHDRAWN]))
    def say_no(self, kind: EventType) -> None:
        self._happen(kind)
        self.model = (kind.value, self.now)

    @rule()
    def unsubscribe_all(self) -> None:
        self._happen(EventType.STOP_ALL)
        self.stopped_all = self.now

    @invariant()
    def the_answer_is_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        allowed = (
            self.model is not None
            and self.model[0] == "granted"
            and (self.stopped_all is None or self.stopped_all < self.model[1])
            and (self.ends is None or self.now < self.ends)
        )
        assert (reason(self.rows, GROUNDS[0], self.now) is Reason.GRANTED) is allowed

    @invariant()
    def the_rows_are_the_fold_of_the_log(self) -> None:
        if hasattr(self, "log"):
            assert fold(self.log) == self.rows


TestConsentMachine = ConsentMachine.TestCase
