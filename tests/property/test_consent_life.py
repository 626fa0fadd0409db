"""One account and its devices over a long life: what holds after every step, whatever happened and in what order.

The machine writes events through the same functions as the services (`apply`, `joined`) and holds the rows against a
fold of the events alone, and the answers against the plainest rule there is: after a stop, no answer is allow without
a grant that came later.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from privacyops.domain.consent.event import ConsentEvent, PurposeRef, event_of, leaf_members
from privacyops.domain.consent.linking import ACCOUNT, DEVICE, fold_life, joined
from privacyops.domain.consent.projection import LIFTED, RowKey, Rows, StateRow, apply
from privacyops.domain.consent.state import GRANTED, STATE_AFTER, ConsentState, EventType, Grade, Method, RowKind
from privacyops.domain.decision import Asked, decide
from privacyops.domain.purpose import Ground, LegalBasis, PurposeFlag, PurposeVersion, Regime
from privacyops.kernel.ids import EventId
from privacyops.ledger.leaf import canonical, parse

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
GROUNDS = [
    Ground(LegalBasis.CONSENT, Regime.OPT_IN),
    Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT, gpc_override=True),
    Ground(LegalBasis.SOFT_OPT_IN, Regime.NONE),
]
PURPOSES = {
    key: PurposeVersion(
        key, 1, {"en": key}, frozenset({"email"}), {"*": GROUNDS[0]},
        flags=frozenset({PurposeFlag.DIRECT_MARKETING, PurposeFlag.GPC_COVERED}),
    )
    for key in ("news", "tips")
}  # fmt: skip
SIDES = st.sampled_from(["account", "one", "two"])
KEYS = st.sampled_from(sorted(PURPOSES))
CONTACT, OTHER = "aa", "bb"
WIDE = [EventType.STOP_ALL, EventType.OBJECTION_MADE, EventType.GPC]
NO = [EventType.REFUSED, EventType.WITHDRAWN, EventType.TERMINATED]


class Side:
    """An account or a device: its events, its rows as they are served, and what crossed at each link."""

    def __init__(self) -> None:
        self.events: list[ConsentEvent] = []
        self.rows: dict[RowKey, StateRow] = {}
        self.others: dict[UUID, Rows] = {}


class LifeMachine(RuleBasedStateMachine):
    """Choices, links, confirmations and suppressions of one person, by one trusted clock."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.count = 0
        self.sides = {name: Side() for name in ("account", "one", "two")}
        self.ties: dict[str, tuple[UUID, UUID]] = {}
        self.stopped: dict[tuple[str, str], datetime] = {}
        self.granted: dict[tuple[str, str], datetime] = {}

    def _event(self, kind: EventType, key: str | None = None, **more: object) -> ConsentEvent:
        self.count += 1
        told = {
            "purpose": PurposeRef(key, 1) if key else None, "channel": "email" if key else None,
            "brand": "a" if key else None, "contact": CONTACT if key else None, "state": STATE_AFTER.get(kind),
        } | more  # fmt: skip
        return ConsentEvent(
            id=EventId(UUID(int=self.count)), type=kind, controller="shop", occurred_at=self.now, recorded_at=self.now,
            method=Method.FORM, actor_kind="api_key", **told,  # type: ignore[arg-type]  # members of the event
        )  # fmt: skip

    def _home(self, name: str) -> str:
        """Who is written to when a device is named: its account while it is tied."""
        return "account" if name in self.ties else name

    def _happen(self, name: str, event: ConsentEvent) -> bool:
        side = self.sides[self._home(name)]
        after = apply(side.rows, event)
        side.rows |= {row.key: row for row in after}
        side.events.append(event)
        return bool(after)

    def _stop(self, name: str, key: str) -> None:
        self.stopped[self._home(name), key] = self.now

    @rule(seconds=st.integers(1, 400_000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(side=SIDES, key=KEYS, lasts=st.sampled_from([None, "P1D", "P6M"]))
    def grant(self, side: str, key: str, lasts: str | None) -> None:
        self.now += timedelta(milliseconds=1)
        self._happen(side, self._event(EventType.GIVEN, key, valid_for=lasts))
        self.granted[self._home(side), key] = self.now

    @rule(side=SIDES, key=KEYS, kind=st.sampled_from(NO))
    def say_no(self, side: str, key: str, kind: EventType) -> None:
        self._happen(side, self._event(kind, key))
        self._stop(side, key)

    @rule(side=SIDES, kind=st.sampled_from(WIDE))
    def say_no_to_all(self, side: str, kind: EventType) -> None:
        self._happen(side, self._event(kind))
        for key in PURPOSES:
            self._stop(side, key)

    @rule(side=SIDES, key=KEYS, days=st.integers(1, 7), confirms=st.booleans(), waits=st.integers(1, 600_000))
    def ask_and_perhaps_confirm(self, side: str, key: str, days: int, confirms: bool, waits: int) -> None:
        self.now += timedelta(milliseconds=1)
        asked = self._event(EventType.REQUESTED, key, confirm_until=self.now + timedelta(days=days))
        self._happen(side, asked)
        asked_at = self.now
        if confirms:
            self.now += timedelta(seconds=waits)
            if self.now < asked_at + timedelta(days=days):
                self._happen(side, self._event(EventType.CONFIRMED, key, causes=asked.id))
                self.granted[self._home(side), key] = self.now

    @rule(side=SIDES, key=KEYS)
    def show_a_prompt(self, side: str, key: str) -> None:
        self._happen(side, self._event(EventType.REQUESTED, key))

    @rule(side=SIDES, key=KEYS)
    def close_a_banner(self, side: str, key: str) -> None:
        self._happen(side, self._event(EventType.DEFERRED, key))

    @rule(side=SIDES, key=KEYS, state=st.sampled_from([ConsentState.GIVEN, ConsentState.UNKNOWN]),
          grade=st.sampled_from(Grade), age=st.integers(1, 10_000))  # fmt: skip
    def import_an_old_record(self, side: str, key: str, state: ConsentState, grade: Grade, age: int) -> None:
        event = self._event(EventType.IMPORT, key, state=state, grade=grade)
        self._happen(side, replace(event, occurred_at=self.now - timedelta(hours=age)))

    @rule(side=SIDES, key=KEYS)
    def establish_a_basis(self, side: str, key: str) -> None:
        self._happen(side, self._event(EventType.BASIS_ESTABLISHED, key, basis=LegalBasis.SOFT_OPT_IN))

    @rule(side=SIDES, why=st.sampled_from(["complaint", "hard_bounce", "legal", "erased_opt_out"]),
          contact=st.sampled_from([CONTACT, OTHER]), lifts=st.booleans())  # fmt: skip
    def suppress(self, side: str, why: str, contact: str, lifts: bool) -> None:
        kind = EventType.SUPPRESSION_LIFTED if lifts else EventType.SUPPRESSION_ADDED
        self._happen(side, self._event(kind, channel="email", contact=contact, scope=why))

    @rule(side=SIDES)
    def sweep(self, side: str) -> None:
        for row in list(self.sides[self._home(side)].rows.values()):
            if row.kind is RowKind.CHOICE and row.state in GRANTED and not row.is_valid_grant(self.now):
                self._happen(side, self._event(EventType.EXPIRED, row.purpose))

    @rule(side=SIDES)
    def change_the_contact(self, side: str) -> None:
        until = self.now + timedelta(days=7)
        self._happen(
            side, self._event(EventType.CONTACT_CHANGED, contact=OTHER, former_contact=CONTACT, confirm_until=until)
        )

    @rule(name=st.sampled_from(["one", "two"]))
    def tie(self, name: str) -> None:
        if name in self.ties:
            return
        account, device = self.sides["account"], self.sides[name]
        mine, theirs = dict(account.rows), dict(device.rows)
        at_account = self._event(EventType.IDENTITY_LINKED, scope=ACCOUNT)
        at_device = self._event(EventType.IDENTITY_LINKED, scope=DEVICE)
        account.others[at_account.id], device.others[at_device.id] = theirs, mine
        account.rows = joined(mine, theirs, self.now, takes_grants=True)
        device.rows = joined(theirs, mine, self.now, takes_grants=False)
        account.events.append(at_account)
        device.events.append(at_device)
        self.ties[name] = at_account.id, at_device.id
        for key in PURPOSES:
            grants = [at for side in ("account", name) if (at := self.granted.get((side, key)))]
            stops = [at for side in ("account", name) if (at := self.stopped.get((side, key)))]
            if grants:
                self.granted["account", key] = max(grants)
            if stops:
                self.stopped["account", key] = max(stops)

    @precondition(lambda self: bool(self.ties))
    @rule()
    def untie(self) -> None:
        name, (linked, linked_device) = self.ties.popitem()
        account, device = self.sides["account"], self.sides[name]
        at_account = self._event(EventType.IDENTITY_UNLINKED, scope=ACCOUNT, causes=linked)
        at_device = self._event(EventType.IDENTITY_UNLINKED, scope=DEVICE, causes=linked_device)
        device.others[at_device.id] = dict(account.rows)
        device.rows = joined(device.rows, account.rows, self.now, takes_grants=False)
        account.events.append(at_account)
        device.events.append(at_device)
        account.rows = fold_life(account.events, account.others)
        for key in PURPOSES:
            if stopped := self.stopped.get(("account", key)):
                self.stopped[name, key] = max(stopped, self.stopped.get((name, key), stopped))

    def _answers(self, name: str, key: str) -> list[bool]:
        rows = self.sides[self._home(name)].rows.values()
        return [decide(rows, Asked(PURPOSES[key], "email", "a", ground), self.now).is_allowed for ground in GROUNDS]

    @invariant()
    def no_answer_is_allow_after_a_stop_without_a_later_grant(self) -> None:
        if not hasattr(self, "stopped"):
            return
        for (name, key), at in self.stopped.items():
            if name in self.ties or self.granted.get((name, key), START) > at:
                continue
            assert not any(self._answers(name, key)), (name, key)

    @invariant()
    def the_rows_are_the_fold_of_the_events(self) -> None:
        if not hasattr(self, "sides"):
            return
        for side in self.sides.values():
            assert fold_life(side.events, side.others) == side.rows

    @invariant()
    def the_fold_of_the_leaves_gives_the_same_rows(self) -> None:
        if not hasattr(self, "sides") or self.count % 5:
            return
        side = self.sides["account"]
        told = [
            replace(
                event_of(parse(canonical(leaf_members(event, {})))), contact=event.contact,
                former_contact=event.former_contact,
            )
            for event in side.events
        ]  # fmt: skip
        assert fold_life(told, side.others) == side.rows

    @invariant()
    def whoever_is_suppressed_by_order_is_never_allowed(self) -> None:
        if not hasattr(self, "sides"):
            return
        for name in ("account", "one", "two"):
            rows = self.sides[self._home(name)].rows.values()
            ordered = any(row.kind is RowKind.SUPPRESSION and row.state not in (LIFTED, "complaint", "erased_opt_out")
                          for row in rows)  # fmt: skip
            if ordered:
                assert not any(any(self._answers(name, key)) for key in PURPOSES)


LifeMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None, print_blob=True)
TestLifeMachine = LifeMachine.TestCase
