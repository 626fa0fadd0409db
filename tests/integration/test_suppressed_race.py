"""A contact is suppressed in the moment in which somebody is given it: whoever commits first, the stop is seen.

PostgreSQL alone has the race: two transactions, neither of which sees the other's row. SQLite writes one at a time.
"""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.decision import Reason
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.clock import Instant, ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import purpose
from privacyops.services.consent import answering, contacts, importing, replaying, subjects, suppressing, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.contacts import ContactChange
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from privacyops.store import suppression as suppressions
from privacyops.store.engine import Engines, connect
from privacyops.store.uow import Database, Tx
from tests.small_service import small_service
from tests.world import clone

pytestmark = pytest.mark.postgres
KIM = SubjectIdentifier.of(IdentifierType.EMAIL, "kim@example.com", "DE")
CUSTOMER = SubjectIdentifier.of(IdentifierType.CUSTOMER_ID, "4711", "DE")
HOW = Circumstances(Method.FORM, jurisdiction="DE")


class Halting(Database):
    """A double of a slow disk: a transaction of the thread `first` that has given or suppressed waits to commit."""

    def __init__(self, engines: Engines) -> None:
        super().__init__(engines)
        self.is_about_to_commit, self.may_commit = threading.Event(), threading.Event()
        self.has_happened: Callable[[Tx], bool] = lambda tx: False

    @contextmanager
    def transaction(self, controller: str, now: Instant) -> Iterator[Tx]:
        with super().transaction(controller, now) as tx:
            yield tx
            if threading.current_thread().name == "first" and self.has_happened(tx):
                self.is_about_to_commit.set()
                assert self.may_commit.wait(20)


@pytest.fixture
def database(migrated_postgres: str) -> Iterator[Halting]:
    engines = connect(clone(migrated_postgres, f"s{uuid4().hex}"))
    yield Halting(engines)
    engines.dispose()


@pytest.fixture
def ctx(database: Halting, clock: ManualClock) -> Context:
    """A service with one customer who has no address yet and was granted something."""
    made = small_service(database, clock)
    purpose.install_shipped(made)
    grant(made, CUSTOMER)
    refs = suppressing.refs_of_contact(made, KIM)

    def happened(tx: Tx) -> bool:
        return bool(suppressions.list_entries(tx, refs)) or subjects.find(made, tx, Whom(None, (KIM,))) is not None

    database.has_happened = happened
    return made


def grant(ctx: Context, *who: SubjectIdentifier) -> str:
    choice = Choice("newsletter", "email", ChoiceAnswer.GRANT)
    return writing.record_choices(ctx, Whom(None, who), [choice], HOW).subject_id


# --- how somebody is given the address ---------------------------------------------------------------------------


def to_somebody_new(ctx: Context) -> None:
    grant(ctx, KIM)


def to_a_customer_with_a_choice(ctx: Context) -> None:
    grant(ctx, CUSTOMER, KIM)


def to_a_customer_as_their_new_address(ctx: Context) -> None:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        person = subjects.find(ctx, tx, Whom(None, (CUSTOMER,)))
    assert person is not None
    contacts.change_contact(ctx, person.public_id, ContactChange(KIM), HOW)


def by_an_import(ctx: Context) -> None:
    told = b"email,choice,occurred_at,source,wording,method\nkim@example.com,yes,2026-01-05,list,v1,form\n"
    importer = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=ctx.clock.now()))
    source, defaults = io.BytesIO(told), Defaults("newsletter", "email", jurisdiction="DE")
    report = importing.dry_run(importer, source, defaults)
    importing.run(importer, source, defaults, report.digest)


GIVINGS = [to_somebody_new, to_a_customer_with_a_choice, to_a_customer_as_their_new_address, by_an_import]


def suppress(ctx: Context) -> None:
    suppressing.suppress(ctx, KIM, SuppressionReason.HARD_BOUNCE)


def in_turn(ctx: Context, first: Callable[[Context], object], second: Callable[[Context], object]) -> None:
    """`first` does its work, and before it commits `second` begins; both end."""
    database, failed = ctx.database, list[BaseException]()
    assert isinstance(database, Halting)

    def guarded(act: Callable[[Context], object]) -> None:
        try:
            act(ctx)
        except BaseException as error:  # told below
            failed.append(error)

    one, other = (
        threading.Thread(target=guarded, args=(act,), name=name) for act, name in ((first, "first"), (second, "other"))
    )
    one.start()
    assert database.is_about_to_commit.wait(20), failed
    other.start()
    other.join(0.4)
    database.may_commit.set()
    for thread in (one, other):
        thread.join(20)
        assert not thread.is_alive()
    assert failed == []


def demand_stopped(ctx: Context) -> None:
    """Whoever asks, by the address or by the person who has it, hears of the suppression; and the log says the same."""
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        person = subjects.find(ctx, tx, Whom(None, (KIM,)))
    assert person is not None
    for whom in (Whom(None, (KIM,)), Whom(person.public_id)):
        assert answering.check(ctx, Question(whom, "newsletter", "email")).decision.reason is Reason.SUPPRESSED
    assert replaying.replay(ctx).is_good


@pytest.mark.parametrize("give", GIVINGS)
def test_an_address_that_is_suppressed_while_it_is_being_given_is_suppressed_for_its_owner(
    ctx: Context, give: Callable[[Context], None]
) -> None:
    in_turn(ctx, give, suppress)
    demand_stopped(ctx)


@pytest.mark.parametrize("give", GIVINGS)
def test_an_address_that_is_given_while_it_is_being_suppressed_is_suppressed_for_its_owner(
    ctx: Context, give: Callable[[Context], None]
) -> None:
    in_turn(ctx, suppress, give)
    demand_stopped(ctx)


@pytest.mark.parametrize("give", GIVINGS)
def test_an_address_that_is_given_while_its_suppression_is_being_lifted_is_free_or_can_be_freed(
    ctx: Context, give: Callable[[Context], None]
) -> None:
    """Never one that its owner is told is suppressed, while there is no entry left to lift."""
    suppress(ctx)
    officer = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=ctx.clock.now()))
    in_turn(ctx, give, lambda _: suppressing.lift(officer, KIM, SuppressionReason.HARD_BOUNCE, "asked for by phone"))
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        person = subjects.find(ctx, tx, Whom(None, (KIM,)))
    assert person is not None
    found = answering.check(ctx, Question(Whom(person.public_id), "newsletter", "email")).decision.reason
    assert found is not Reason.SUPPRESSED
    assert replaying.replay(ctx).is_good
