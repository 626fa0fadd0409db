"""A shop's back end over the consent ledger, for tests: its people, its choices, and what holds after each step.

`good` is the end of every acceptance case: the log verifies, and folding everybody's events gives the rows that are
served.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import api_key, staff
from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Decision, Reason
from privacyops.domain.log import Log
from privacyops.domain.purpose import Ground, LegalBasis, PurposeVersion, Regime
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId, ApiKeyId
from privacyops.services import ledger, mail, purpose
from privacyops.services.consent import answering, confirming, replaying, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Written
from privacyops.services.consent.terms import Scope as Reach
from privacyops.services.context import Context
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow, EventPrivateRow
from privacyops.store.tables.letter import MailRow
from privacyops.store.uow import Database
from tests.small_service import small_service

GRANT, REFUSE, DEFER, ASK = ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE, ChoiceAnswer.DEFER, ChoiceAnswer.ASK
SCOPES = (Scope.CONSENT_WRITE, Scope.CONSENT_CHECK, Scope.CONSENT_READ)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
KIM = "kim@example.com"
PHONE = "+491510000000"


@dataclass
class LedgerShop:
    """`machine` is the service itself, `ctx` the shop's back end with its key."""

    machine: Context
    ctx: Context
    clock: ManualClock

    @classmethod
    def open(cls, database: Database, clock: ManualClock, **changes: Any) -> "LedgerShop":
        machine = small_service(database, clock)
        if changes:
            machine = replace(machine, controller=replace(machine.controller, **changes))
        purpose.install_shipped(machine)
        return cls(machine, machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *SCOPES)), clock)

    def whom(self, email: str | None = KIM, **more: str) -> Whom:
        found = [(IdentifierType.EMAIL, email)] if email else []
        found += [(IdentifierType(kind), value) for kind, value in more.items()]
        return Whom.of(self.ctx, None, found)

    def contact(self, value: str = KIM, type_: IdentifierType = IdentifierType.EMAIL) -> SubjectIdentifier:
        return SubjectIdentifier.of(type_, value, "DE")

    def choose(
        self, answer: ChoiceAnswer = GRANT, about: str = "newsletter", channel: str = "email", *,
        whom: Whom | None = None, as_: Context | None = None, **how: Any,
    ) -> Written:  # fmt: skip
        circumstances = Circumstances(**{"method": Method.CHECKOUT_CHECKBOX, **how})
        return writing.record_choices(
            as_ or self.ctx, whom or self.whom(), [Choice(about, channel, answer)], circumstances
        )

    def stop(self, reach: Reach | None = None, *, whom: Whom | None = None, **how: Any) -> Written:
        return writing.withdraw(
            self.ctx, whom or self.whom(), reach or Reach(), Circumstances(Method.PREFERENCE_CENTRE, **how)
        )

    def check(
        self, about: str = "newsletter", channel: str = "email", whom: Whom | None = None, **question: Any
    ) -> Decision:
        return answering.check(self.ctx, Question(whom or self.whom(), about, channel, **question)).decision

    def reason(
        self, about: str = "newsletter", channel: str = "email", whom: Whom | None = None, **more: Any
    ) -> Reason:
        return self.check(about, channel, whom, **more).reason

    def as_staff(self, *roles: Role) -> Context:
        actor = staff(AccountId(uuid4()), "shop-group", *roles, step_up_at=self.clock.now())
        return self.machine.acting_as(actor)

    def change_purpose(self, key: str = "newsletter", **changes: Any) -> PurposeVersion:
        """Publish the next version of a purpose, a change that older grants still cover unless told otherwise."""
        with self.machine.database.reading("shop-group", self.clock.now()) as tx:
            current = purpose.catalogue(self.machine, tx).purposes[key].current
        told = {"is_material": False, "material_reason": "same meaning", **changes}
        after = replace(current, version=current.version + 1, **told)
        purpose.publish_purpose(self.machine, after)
        return after

    def with_double_opt_in(self) -> "LedgerShop":
        self.change_purpose(confirmed_in={"email": frozenset({"*"})})
        return self

    def add_purpose(self, key: str, basis: LegalBasis, regime: Regime, *flags: Any, **more: Any) -> None:
        """A purpose of the test's own, over e-mail."""
        ground = Ground(basis, regime)
        told = {"grounds": {"*": ground}, "channels": frozenset({"email"}), "flags": frozenset(flags), **more}
        purpose.publish_purpose(self.machine, PurposeVersion(key=key, version=1, titles={"en": key}, **told))

    def mails(self) -> list[tuple[str, str]]:
        """Every mail that waits to leave, oldest first: address and text."""
        return list(self._newest_mails())[::-1]

    def _newest_mails(self) -> Iterator[tuple[str, str]]:
        with self.machine.database.reading("shop-group", self.clock.now()) as tx:
            ids = tx.run(select(table_of(MailRow).c.id).order_by(table_of(MailRow).c.id.desc())).scalars().all()
        for one in ids:
            found = mail.to_deliver(self.machine, one)
            if found is not None:
                yield found.to, found.text

    def token(self, address: str = KIM) -> str:
        """The token of the newest link that was mailed to an address."""
        text = next(text for to, text in self._newest_mails() if to == address)
        found = re.search(r"/c/(pok_[0-9A-Za-z]+)", text)
        assert found is not None
        return found[1]

    def confirm(self, address: str = KIM) -> confirming.Confirmed:
        return confirming.confirm(self.machine, self.token(address))

    def events(self) -> int:
        """How many events about people there are."""
        with self.machine.database.reading("shop-group", self.clock.now()) as tx:
            return int(tx.run(select(func.count()).select_from(table_of(EventPrivateRow))).scalar_one())

    def leaves(self) -> list[bytes]:
        with self.machine.database.reading("shop-group", self.clock.now()) as tx:
            return list(tx.run(select(table_of(ConsentEventRow).c.leaf)).scalars())

    def is_good(self) -> bool:
        """Number and sign what waits, verify the log, and hold every answer against it."""
        ledger.drain(self.machine, "acceptance")
        report = ledger.verify(self.machine, Log.CONSENT)
        replayed = replaying.replay(self.machine)
        assert report.is_good, report
        assert replayed.is_good, replayed.findings
        return True
