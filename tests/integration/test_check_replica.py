"""A host's own copy of PostgreSQL: what it takes over, what it answers, and when it is not to be asked."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.decision import Reason
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey, ledger, purpose
from privacyops.services.consent import copying, erasing, linking, suppressing, writing
from privacyops.services.consent.answering import CheckAnswer
from privacyops.services.consent.checking import Ask, Checker
from privacyops.services.consent.freshness import DecisionUnavailable, Mode
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Written
from privacyops.services.consent.terms import Scope as Stop
from privacyops.services.consent.token import token_of
from privacyops.services.context import Context
from privacyops.store.check_reader import UNKNOWN_AGE_MS, CopyReader, ServerReader, SourceUnreadable, Wanted
from privacyops.store.check_rows import Raw
from privacyops.store.engine import connect
from privacyops.store.replica import CopyInUse, PrimaryUnreachable, Replica, boot_id
from privacyops.store.uow import Database
from tests.small_service import small_service
from tests.world import clone

pytestmark = [pytest.mark.postgres]
KIM, LEE = "kim@example.com", "lee@example.com"


class Cable:
    """The primary as a checker reaches it. A double of the wire alone: while it is cut nothing can be read."""

    is_primary = True

    def __init__(self, url: str) -> None:
        self._reader = ServerReader("postgresql://" + url.partition("://")[2])
        self.is_cut = False
        self.reads = 0

    def age_ms(self, raw: Raw) -> int:
        return 0

    def at_once(self, wanted: Wanted) -> Raw | None:
        return None

    def patiently(self, wanted: Wanted) -> Raw:
        if self.is_cut:
            raise SourceUnreadable
        self.reads += 1
        return self._reader.patiently(wanted)

    def warm_up(self) -> None:
        self._reader.warm_up()

    def close(self) -> None:
        self._reader.close()


@dataclass
class Host:
    """One check host and the primary. Its clock since boot runs only when told."""

    ctx: Context
    url: str
    link: Path
    boot_s: float = 1_000.0
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        now = self.ctx.clock.now() - timedelta(seconds=1)
        self.admin = self.ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=now))
        self.dpo = self.ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=now))
        self.key = apikey.create(self.admin, "checks", frozenset({Scope.CONSENT_CHECK}))
        self.primary = Cable(self.url)
        self.copy = CopyReader(str(self.link), self.seconds, boot_id())
        self.checker = Checker(self.ctx, self.copy, self.primary)
        self.start()

    def seconds(self) -> float:
        return self.boot_s

    def start(self) -> Replica:
        self.replicas.append(Replica(self.url, self.link, "shop-group", self.seconds, copying.unsealing(self.ctx)))
        return self.replica

    @property
    def replica(self) -> Replica:
        return self.replicas[-1]

    def ask(self, address: str = KIM, about: str = "newsletter", channel: str = "email", **how: Any) -> CheckAnswer:
        ask = Ask(
            b"Bearer " + self.key.encode(), about, channel, identifier=(IdentifierType.EMAIL, address),
            jurisdiction="DE", **how,
        )  # fmt: skip
        return self.checker.at_once(ask) or self.checker.patiently(ask)

    def grant(self, address: str = KIM) -> Written:
        choice = Choice("newsletter", "email", ChoiceAnswer.GRANT)
        how = Circumstances(Method.FORM, jurisdiction="DE")
        return writing.record_choices(self.ctx, self.whom(address), [choice], how)

    def withdraw(self, address: str = KIM) -> Written:
        return writing.withdraw(self.ctx, self.whom(address), Stop("newsletter", "email"), Circumstances(Method.FORM))

    def whom(self, address: str) -> Whom:
        return Whom.of(self.ctx, None, [(IdentifierType.EMAIL, address)])

    def number_all(self) -> None:
        while ledger.turn(self.ctx, "here"):
            pass

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect("postgresql://" + self.url.partition("://")[2], autocommit=True) as line:
            cursor = line.execute(query)
            return cursor.fetchall() if cursor.description else []

    def held(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.link}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture
def host(migrated_postgres: str, tmp_path: Path) -> Iterator[Host]:
    url = clone(migrated_postgres, f"r{uuid4().hex}")
    engines = connect(url)
    ctx = small_service(Database(engines), SystemClock())
    purpose.install_shipped(ctx)
    made = Host(ctx, url, tmp_path / "check.db")
    yield made
    made.checker.close()
    for replica in made.replicas:
        replica.close()
    engines.dispose()


@pytest.fixture
def following(host: Host) -> Host:
    """With a copy, and with everything in memory that the checker may keep."""
    host.grant()
    host.replica.poll()
    host.ask()
    host.primary.reads = 0
    return host


# --- what it answers ----------------------------------------------------------------------------------------------


def test_a_fresh_copy_answers_without_the_primary(following: Host) -> None:
    following.primary.is_cut = True
    answer = following.ask()
    assert answer.decision.is_allowed
    assert not answer.is_stale
    assert answer.age_ms == 0


def test_the_age_counts_from_when_the_poll_was_sent(following: Host) -> None:
    following.boot_s += 0.4
    assert following.ask().age_ms == 400
    following.replica.poll()
    assert following.ask().age_ms == 0


def test_a_withdrawal_reaches_the_copy_with_the_next_poll_though_nobody_numbers(following: Host) -> None:
    following.withdraw()
    assert following.ask().decision.is_allowed, "within the bound the copy may be behind"
    following.replica.poll()
    assert not following.ask().decision.is_allowed
    assert following.primary.reads == 0
    assert following.replica.copies == 1


def test_a_numbered_write_reaches_the_copy_as_well(following: Host) -> None:
    following.withdraw()
    following.number_all()
    following.replica.poll()
    assert not following.ask().decision.is_allowed
    mark = following.replica.mark()
    assert mark is not None
    assert mark.seq == following.sql("SELECT max(seq) FROM consent_change")[0][0]


def test_an_old_copy_is_not_believed_and_the_primary_answers(following: Host) -> None:
    following.withdraw()
    following.boot_s += 1.1
    answer = following.ask()
    assert answer.decision.reason == Reason.WITHDRAWN
    assert following.primary.reads == 1
    assert answer.age_ms == 0


def test_a_replica_cut_off_for_a_second_answers_stale_and_never_allow(following: Host) -> None:
    following.withdraw()
    following.boot_s += 1.1
    following.primary.is_cut = True
    answer = following.ask()
    assert (answer.decision.reason, answer.is_stale) == (Reason.STALE, True)
    assert not answer.decision.is_allowed


def test_what_is_strictly_necessary_may_be_allowed_when_stale_and_says_so(following: Host) -> None:
    about = {"about": "strictly_necessary", "channel": "web"}
    fresh = following.ask(**about)
    assert fresh.decision.is_allowed
    assert not fresh.is_stale
    following.boot_s += 60
    following.primary.is_cut = True
    answer = following.ask(**about)
    assert answer.decision.is_allowed
    assert answer.is_stale


def test_a_wider_bound_lets_an_older_copy_answer(following: Host) -> None:
    following.boot_s += 5
    following.primary.is_cut = True
    assert following.ask(bound_ms=6_000).decision.is_allowed
    assert following.ask(bound_ms=4_000).decision.reason == Reason.STALE


def test_strict_always_asks_the_primary_and_fails_without_it(following: Host) -> None:
    following.withdraw()
    assert not following.ask(mode=Mode.STRICT).decision.is_allowed
    assert following.primary.reads == 1
    following.primary.is_cut = True
    with pytest.raises(DecisionUnavailable):
        following.ask(mode=Mode.STRICT)


def test_at_least_shows_the_write_of_its_token_right_after_it_many_times_over(following: Host) -> None:
    for turn in range(100):
        address = f"p{turn % 7}@example.com"
        written = (
            following.grant(address)
            if turn % 2
            else following.withdraw(address)
            if turn > 7
            else following.grant(address)
        )
        if turn % 3 == 0:
            following.replica.poll()
        answer = following.ask(address, mode=Mode.AT_LEAST, token=token(following, address, written))
        assert answer.state_version >= written.state_version
        assert answer.decision.is_allowed == (turn % 2 == 1 or turn <= 7)
    assert 0 < following.primary.reads < 100, "both the copy and the primary have answered"


def test_at_least_without_the_primary_says_stale_until_the_copy_shows_the_write(following: Host) -> None:
    written = following.withdraw()
    claim = {"mode": Mode.AT_LEAST, "token": token(following, KIM, written)}
    following.primary.is_cut = True
    assert following.ask(**claim).decision.reason == Reason.STALE
    following.replica.poll()
    assert following.ask(**claim).decision.reason == Reason.WITHDRAWN


def test_a_token_of_another_person_is_for_the_primary(following: Host) -> None:
    written = following.grant(LEE)
    following.replica.poll()
    assert following.ask(mode=Mode.AT_LEAST, token=token(following, LEE, written)).decision.is_allowed
    assert following.primary.reads == 1


def test_once_anything_published_has_changed_the_copy_waits_for_it_too(following: Host) -> None:
    following.sql("UPDATE control SET ver = ver + 1")
    following.checker.warm_up()
    assert following.ask().decision.is_allowed
    assert following.primary.reads == 1, "the copy still has the number before"
    following.replica.poll()
    assert following.ask().decision.is_allowed
    assert following.primary.reads == 1


def token(host: Host, address: str, written: Written) -> str:
    no = host.sql("SELECT max(p.no) FROM subject p WHERE p.public_id = '%s'" % written.subject_id)[0][0]  # noqa: UP031, S608 - made in this file
    return token_of(host.ctx.ports.keyring, "shop-group", no, written.state_version)


# --- what it takes over ----------------------------------------------------------------------------------------------


def test_an_erased_person_vanishes_from_the_copy(following: Host) -> None:
    written = following.grant(LEE)
    following.replica.poll()
    assert len(following.held("SELECT no FROM subject")) == 2
    erasing.erase(following.ctx, written.subject_id)
    following.replica.poll()
    assert not following.ask(LEE).decision.is_allowed
    left = following.sql("SELECT no FROM subject")
    for table, column in (("subject", "no"), ("subject_identifier", "subject_no"), ("consent_state", "subject_no")):
        assert set(following.held(f"SELECT {column} FROM {table}")) == set(left)  # noqa: S608 - names in this file
    assert following.replica.copies == 1


def test_a_suppression_comes_and_goes(following: Host) -> None:
    contact = SubjectIdentifier.of(IdentifierType.EMAIL, "nobody@example.com", "DE")
    reason = SuppressionReason.COMPLAINT
    suppressing.suppress(following.ctx, contact, reason)
    following.replica.poll()
    assert following.held("SELECT count(*) FROM suppression") == [(1,)]
    suppressing.lift(following.dpo, contact, reason, "asked for by phone")
    following.replica.poll()
    assert following.held("SELECT count(*) FROM suppression") == [(0,)]
    assert following.replica.copies == 1


def test_a_device_that_is_tied_leads_to_its_person_and_back_again(following: Host) -> None:
    person = following.grant().subject_id
    device = SubjectIdentifier.of(IdentifierType.DEVICE_ID, "dev-1", "DE")
    choice = Choice("newsletter", "email", ChoiceAnswer.REFUSE)
    whom = Whom.of(following.ctx, None, [(IdentifierType.DEVICE_ID, "dev-1")])
    writing.record_choices(following.ctx, whom, [choice], Circumstances(Method.FORM, jurisdiction="DE"))
    following.replica.poll()
    tied = linking.link(following.ctx, person, [device])
    following.replica.poll()
    demand_equal(following)
    assert not following.ask().decision.is_allowed, "the device's refusal counts for the person"
    linking.unlink(following.ctx, person, tied.device_id)
    following.replica.poll()
    demand_equal(following)
    assert following.replica.copies == 1


def test_after_many_writes_the_copy_holds_what_the_primary_holds(following: Host) -> None:
    for turn in range(60):
        address = f"p{turn % 9}@example.com"
        (following.grant if turn % 3 else following.withdraw)(address)
        if turn % 4 == 0:
            following.number_all()
        if turn % 5 == 0:
            following.replica.poll()
    following.replica.poll()
    demand_equal(following)
    assert following.replica.copies == 1


def demand_equal(host: Host) -> None:
    columns = (
        "subject_no",
        "purpose_no",
        "channel_no",
        "brand_no",
        "kind",
        "state",
        "state_version",
        "order_t",
        "contact",
    )
    for query in (
        "SELECT no, public_id, jurisdiction FROM subject ORDER BY no",
        "SELECT ref, subject_no FROM subject_identifier ORDER BY ref",
        "SELECT ref, reason, purpose_no, brand_no, order_t FROM suppression ORDER BY ref, reason",
        f"SELECT {', '.join(columns)} FROM consent_state ORDER BY 1, 2, 3, 4, 5",  # noqa: S608 - names in this file
        "SELECT ver FROM control",
    ):
        assert host.held(query) == host.sql(query)


# --- lives and deaths ----------------------------------------------------------------------------------------------


def test_a_copy_that_was_closed_in_order_is_gone_on_with(following: Host) -> None:
    following.replica.close()
    following.withdraw()
    following.number_all()
    again = following.start()
    again.poll()
    assert again.copies == 0
    assert not following.ask().decision.is_allowed
    demand_equal(following)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param("UPDATE copy SET is_open = 1", id="not closed in order"),
        pytest.param("UPDATE copy SET boot = 'another'", id="of another boot"),
        pytest.param("UPDATE copy SET seq = 0", id="behind the week that is kept"),
        pytest.param("UPDATE copy SET seq = 999999", id="ahead of the primary"),
        pytest.param("UPDATE copy SET tree = '2019-r1'", id="of another tree"),
        pytest.param("UPDATE copy SET controller = 'another'", id="of another controller"),
        pytest.param("UPDATE consent_state SET state_version = 99 WHERE kind = 'head'", id="of another history"),
        pytest.param("PRAGMA user_version = 0", id="of another format"),
    ],
)
def test_a_copy_that_cannot_be_gone_on_with_is_made_anew(following: Host, spoil: str) -> None:
    following.number_all()
    following.replica.poll()
    following.replica.close()
    following.withdraw()
    following.number_all()
    if "seq = 0" in spoil:
        following.sql("DELETE FROM consent_change WHERE seq < (SELECT max(seq) FROM consent_change)")
    connection = sqlite3.connect(following.link.resolve())
    connection.execute(spoil)
    connection.commit()
    connection.close()
    again = following.start()
    again.poll()
    assert again.copies == 1
    following.boot_s += 1.5  # after a second a reader looks whether the link leads elsewhere
    again.poll()
    following.primary.is_cut = True
    assert following.ask().decision.reason == Reason.WITHDRAWN
    demand_equal(following)
    assert len([path for path in following.link.parent.glob("check.db.*") if path.suffix not in {".lock"}]) <= 3


def test_who_still_reads_a_replaced_file_sees_it_grow_old(following: Host) -> None:
    following.replica.close()
    old = CopyReader(str(following.link.resolve()), following.seconds, boot_id())
    wanted = Wanted([b"x"], [], 1, 1, 1)
    old.patiently(wanted)
    connection = sqlite3.connect(following.link.resolve())
    connection.execute("UPDATE copy SET is_open = 1")
    connection.commit()
    connection.close()
    following.start().poll()
    following.boot_s += 2
    following.replica.poll()
    raw = old.at_once(wanted)
    assert raw is None or old.age_ms(raw) >= 2_000
    old.close()


def test_a_moment_of_another_boot_or_from_the_future_is_no_moment(following: Host) -> None:
    wanted = Wanted([b"x"], [], 1, 1, 1)
    other = CopyReader(str(following.link), following.seconds, "another boot")
    assert other.age_ms(other.patiently(wanted)) == UNKNOWN_AGE_MS
    early = CopyReader(str(following.link), lambda: 10.0, boot_id())
    assert early.age_ms(early.patiently(wanted)) == UNKNOWN_AGE_MS
    other.close()
    early.close()


def test_before_there_is_a_copy_the_primary_answers(host: Host) -> None:
    host.grant()
    assert host.ask().decision.is_allowed
    assert host.primary.reads > 0


def test_two_processes_never_keep_one_copy(following: Host) -> None:
    with pytest.raises(CopyInUse):
        Replica(following.url, following.link, "shop-group", following.seconds, lambda _event, _sealed: "")


def test_a_full_page_does_not_make_the_copy_younger(following: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    following.number_all()
    following.replica.poll()
    monkeypatch.setattr("privacyops.store.replica.PAGE", 5)
    for turn in range(12):
        following.grant(f"p{turn}@example.com")
    following.number_all()
    following.boot_s += 0.5
    assert not following.replica.poll()
    assert following.ask().age_ms == 500
    polls = 1
    while not following.replica.poll():
        polls += 1
    assert polls == 2
    assert following.ask().age_ms == 0
    demand_equal(following)


def test_a_primary_that_is_gone_is_told_and_the_copy_goes_on_afterwards(following: Host) -> None:
    ends: Callable[[], Any] = lambda: following.sql(  # noqa: E731 - said once
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'privacyops-replica'"
        " AND datname = current_database()"
    )
    ends()
    following.withdraw()
    with pytest.raises(PrimaryUnreachable):
        following.replica.poll()
    following.replica.poll()
    assert not following.ask().decision.is_allowed
    assert following.replica.copies == 1
