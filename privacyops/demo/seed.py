"""Fills an empty demo: staff, stores, and open requests, one in each state in which somebody waits for something.

Everything is written through the services with a clock that is set to the day on which it would have happened, so every
seeded fact has its audit row, its clock events and its true deadline. Nothing is copied into tables.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from privacyops.demo.consent import fill_consent
from privacyops.demo.shop.build import DemoPerson, DemoShop
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff, subject
from privacyops.domain.account.record import Account
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.run import Decision
from privacyops.domain.fee import FURTHER_COPIES
from privacyops.domain.redaction.suggest import Decision as Redaction
from privacyops.kernel.clock import Clock, ManualClock
from privacyops.kernel.ids import AccountId, DsarId, uuid7
from privacyops.ports.connector_host import StoreConfig
from privacyops.ports.mailer import Inbox
from privacyops.services import apikey, datamap, stores
from privacyops.services.context import Context
from privacyops.services.dsar import (
    answer,
    ask,
    corrections,
    erasure_plan,
    handling,
    identity,
    intake,
    listing,
    review,
    third_parties,
)
from privacyops.services.dsar.corrections import WrittenPair
from privacyops.store.account import add_account

TITLES: Final = {"shop": "Shop database", "archive": "Order archive", "documents": "Documents", "mailbox": "Mailbox"}
USERS: Final = (
    ("Ada Jansen", "ada@halmwicke.example", (Role.ADMIN, Role.DPO, Role.ANALYST)),
    ("Marta Ruiz", "marta@halmwicke.example", (Role.DPO, Role.APPROVER)),
)
_DOUBTFUL: Final = "THIRD_PARTY_RIGHTS"
"""What only a text points at is left out: it may be about a person of the same name."""
SCOPES: Final = frozenset(
    {
        Scope.DSAR_CREATE, Scope.DSAR_READ, Scope.DSAR_REDACT, Scope.CONSENT_CHECK, Scope.CONSENT_WRITE,
        Scope.CONSENT_READ, Scope.CONSENT_IMPORT, Scope.CONSENT_EXPORT, Scope.CONSENT_EXPORT_CLEAR,
        Scope.CATALOGUE_MANAGE, Scope.FEED_READ, Scope.LEDGER_READ, Scope.WEBHOOK_MANAGE, Scope.DATAMAP_READ,
        Scope.DATAMAP_MANAGE, Scope.TASK_ANSWER,
    }
)  # fmt: skip
"""Every scope that the documentation uses, so that its examples can be tried here."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """Who may be switched to, and a key for trying the API."""

    users: tuple[Account, ...]
    api_key: str
    requests: int


class Seeder:
    """Walks requests to where they shall stand. `settle` does the worker's work up to that moment."""

    def __init__(self, ctx: Context, shop: DemoShop, inbox: Inbox, settle: Callable[[Context], object]) -> None:
        self._today = ctx.clock.now().replace(microsecond=0)
        self._clock = ManualClock(self._today)
        clock: Clock = self._clock
        self._ctx, self._live = replace(ctx, clock=clock), ctx
        self._shop = shop
        self._inbox = inbox
        self._settle_with = settle
        self._ada, self._marta = self._hire(*USERS[0]), self._hire(*USERS[1])

    def fill(self, configs: Sequence[StoreConfig], *, with_requests: bool = True) -> Seeded:
        """Connect the stores and write the requests, oldest first."""
        self._at(days=60)
        for config in configs:
            stores.connect(self._as(self._ada), TITLES.get(config.name, config.name), config)
            datamap.scan(self._as(self._ada), config.name)
        key = apikey.create(self._as(self._ada), "Demo back end", SCOPES, timedelta(days=364), is_live=False)
        walks = self._walks() if with_requests else ()
        for walk in walks:
            walk()
        self._clock.set(self._today)
        if with_requests:
            ada = self._live.acting_as(self._as(self._ada).actor)
            fill_consent(self._live, ada, self._shop, apikey.all_keys(ada)[0].id)
        return Seeded((self._ada, self._marta), key, len(walks))

    def _walks(self) -> tuple[Callable[[], object], ...]:
        """The requests in the order of their receipt, and where each comes to stand."""
        person = self._shop.person
        return (
            lambda: self._reviewing(person("bastian"), days=34),  # overdue by some days
            lambda: self._answered(person("cormac"), days=26),
            lambda: self._awaiting_approval(person("maeve"), days=24),
            lambda: self._ready_for_release(person("jonas"), days=21),
            lambda: self._erased(person("rasmus"), days=20),
            lambda: self._reviewing(person("luc"), days=18),  # his tickets name a neighbour and a courier
            lambda: self._by_letter(person("wiktor"), days=12),
            lambda: self._unclear(person("oona"), days=10),
            lambda: self._fee(person("jonas_namesake"), days=9),
            lambda: self._corrected(person("stijn"), days=8),
            lambda: self._to_be_erased(person("ines"), days=7),
            lambda: self._reviewing(person("klara"), days=6),
            lambda: self._reviewing(person("femke"), RequestType.PORTABILITY, days=4),
            lambda: self._to_search(person("freja"), days=1),
            lambda: self._asked(person("giulia"), days=3),
            lambda: self._unverified(person("elisa"), days=2),
        )

    def team(self, configs: Sequence[StoreConfig]) -> tuple[Context, Context]:
        """Connect the stores and write no request; the service as Ada and as Marta see it. For benchmarks."""
        for config in configs:
            stores.connect(self._as(self._ada), TITLES.get(config.name, config.name), config)
        return self._as(self._ada), self._as(self._marta)

    def _reviewing(self, person: DemoPerson, type_: RequestType = RequestType.ACCESS, *, days: int) -> DsarId:
        """Form, code, search: a reviewer looks at it now."""
        dsar_id = self._confirmed(person, type_, days=days)
        self._settle()
        return dsar_id

    def _confirmed(self, person: DemoPerson, type_: RequestType, *, days: int) -> DsarId:
        dsar_id = self._submit(person, type_, days=days)
        self._settle()
        self._clock.advance(timedelta(minutes=4))
        mine = self._ctx.acting_as(subject(self._ctx.controller.key, dsar_id))
        identity.prove_by_code(mine, dsar_id, self._code(person))
        return dsar_id

    def _to_search(self, person: DemoPerson, *, days: int) -> None:
        """The search is queued; the worker takes it up when the demo starts."""
        self._confirmed(person, RequestType.ACCESS, days=days)

    def _finished(self, person: DemoPerson, *, days: int) -> DsarId:
        dsar_id = self._reviewing(person, days=days)
        self._clock.advance(timedelta(days=2))
        self._decide_the_rest(dsar_id)
        review.finish_review(self._as(self._ada), dsar_id)
        self._settle()
        return dsar_id

    def _ready_for_release(self, person: DemoPerson, *, days: int) -> None:
        """Reviewed by Ada; the package waits for Marta."""
        self._finished(person, days=days)

    def _answered(self, person: DemoPerson, *, days: int) -> None:
        """Released and announced; it waits to be fetched and closed."""
        dsar_id = self._finished(person, days=days)
        self._clock.advance(timedelta(hours=3))
        sha256 = answer.package_hash(self._as(self._marta), dsar_id)
        answer.release(self._as(self._marta), dsar_id, seen_sha256=sha256, typed_reference=self._reference(dsar_id))
        self._settle()

    def _awaiting_approval(self, person: DemoPerson, *, days: int) -> None:
        """Ada wants to withhold something that the law lets nobody withhold alone."""
        dsar_id = self._reviewing(person, days=days)
        self._clock.advance(timedelta(days=3))
        ada = self._as(self._ada)
        self._decide_the_rest(dsar_id)
        review.decide(ada, dsar_id, Decision.EXCLUDE, store="mailbox", reason="TRADE_SECRET_IP")
        review.submit_for_approval(ada, dsar_id)

    def _to_be_erased(self, person: DemoPerson, *, days: int) -> DsarId:
        """Planned in every store by a dry run; Marta has to agree to the plan. An invoice has to be kept."""
        dsar_id = self._reviewing(person, RequestType.ERASURE, days=days)
        self._clock.advance(timedelta(hours=4))
        self._decide_the_rest(dsar_id)
        erasure_plan.plan(self._as(self._ada), dsar_id)
        self._settle()
        review.submit_for_approval(self._as(self._ada), dsar_id)
        return dsar_id

    def _erased(self, person: DemoPerson, *, days: int) -> None:
        """Agreed to, carried out in the shop's stores, read back; the letter waits to be released."""
        dsar_id = self._to_be_erased(person, days=days)
        self._clock.advance(timedelta(hours=2))
        self._approve(dsar_id)

    def _approve(self, dsar_id: DsarId) -> None:
        marta = self._as(self._marta)
        seen = listing.status_of(marta, dsar_id)
        review.approve_answer(marta, dsar_id, seen_plan=seen.plan_hash or "", typed_reference=seen.reference)
        self._settle()

    def _by_letter(self, person: DemoPerson, *, days: int) -> None:
        """Came by post and was typed five days later; nobody has asked for identity yet."""
        self._at(days=days - 5)
        requester = Requester(email=person.email, name=person.name, message="Please send me everything you hold.")
        received = self._today - timedelta(days=days)
        intake.submit(
            self._as(self._ada),
            intake.Submission(
                type=RequestType.ACCESS, requester=requester, channel=Channel.LETTER, language=person.language,
                received_at=received,
            ),
        )  # fmt: skip

    def _unclear(self, person: DemoPerson, *, days: int) -> None:
        """Ada asked what is meant; the customer has not answered."""
        dsar_id = self._reviewing(person, days=days)
        self._clock.advance(timedelta(days=1))
        question = "Do you mean your orders, or also what our service team noted about your calls?"
        ask.ask_clarification(self._as(self._ada), dsar_id, question)
        self._settle()

    def _fee(self, person: DemoPerson, *, days: int) -> None:
        """The fourth copy within a month: a fee was demanded, prepared by Ada and signed by Marta."""
        dsar_id = self._reviewing(person, days=days)
        self._clock.advance(timedelta(days=1))
        handling.assign(self._as(self._ada), dsar_id, self._ada.id)
        ask.demand_fee(
            self._as(self._marta), dsar_id, code=FURTHER_COPIES, ground="further copies, Art. 15(3)",
            amount="12.50 EUR", calculation="print and postage of 250 pages", typed_reference=self._reference(dsar_id),
        )  # fmt: skip
        self._settle()

    def _corrected(self, person: DemoPerson, *, days: int) -> None:
        """A misspelt street: planned by Ada, agreed to by Marta, corrected and read back. What was issued or logged
        with it tells truly what was sent out, and stays; a letter in the mailbox is left to a person.
        """
        dsar_id = self._reviewing(person, RequestType.RECTIFICATION, days=days)
        self._clock.advance(timedelta(days=1))
        self._decide_the_rest(dsar_id)
        for store, collection in (("shop", "invoices"), ("shop", "change_log"), ("archive", "beleg")):
            review.decide(
                self._as(self._ada), dsar_id, Decision.EXCLUDE, store=store, collection=collection,
                reason="DATA_ACCURATE",
            )  # fmt: skip
        corrections.write(self._as(self._ada), dsar_id, WrittenPair("street", "15 rue Haulte", "15 rue Haute"))
        erasure_plan.plan(self._as(self._ada), dsar_id)
        self._settle()
        review.submit_for_approval(self._as(self._ada), dsar_id)
        self._clock.advance(timedelta(hours=2))
        self._approve(dsar_id)

    def _asked(self, person: DemoPerson, *, days: int) -> None:
        """Known by mail, but an order fact is missing: identity was asked again."""
        dsar_id = self._reviewing(replace(person, order_no=""), days=days)
        self._clock.advance(timedelta(hours=5))
        identity.ask_identity(self._as(self._ada), dsar_id)
        self._settle()

    def _unverified(self, person: DemoPerson, *, days: int) -> None:
        """Sent by form, never confirmed: stands in the view of its own."""
        self._submit(person, RequestType.ERASURE, days=days)
        self._settle()

    def _submit(self, person: DemoPerson, type_: RequestType, *, days: int) -> DsarId:
        self._at(days=days)
        requester = Requester(email=person.email, name=person.name, order_number=person.order_no)
        visitor = self._ctx.acting_as(subject(self._ctx.controller.key))
        submission = intake.Submission(type=type_, requester=requester, channel=Channel.FORM, language=person.language)
        return intake.submit(visitor, submission).id

    def _decide_the_rest(self, dsar_id: DsarId) -> None:
        ada = self._as(self._ada)
        for config in stores.all_stores(ada):
            review.decide(ada, dsar_id, Decision.EXCLUDE, store=config.name, reason=_DOUBTFUL, only_undecided=True)
        while texts := third_parties.open_texts(ada, dsar_id, limit=100, only_open=True).texts.items:
            for label in dict.fromkeys(one.label for text in texts for one in text.passages):
                third_parties.decide_alike(ada, dsar_id, label, Redaction.ACCEPTED)
            third_parties.texts_seen(ada, dsar_id, [text.stored.id for text in texts if text.stored])

    def _code(self, person: DemoPerson) -> str:
        for mail in self._inbox.newest(20):
            found = re.search(r"\b(\d{6})\b", mail.text)
            if mail.to == person.email and found:
                return found[1]
        raise LookupError("the demo's inbox holds no code for this person")

    def _reference(self, dsar_id: DsarId) -> str:
        return listing.status_of(self._as(self._ada), dsar_id).reference

    def _settle(self) -> None:
        self._settle_with(self._ctx)

    def _at(self, *, days: int) -> None:
        """Some days ago, within working hours."""
        self._clock.set((self._today - timedelta(days=days)).replace(hour=9, minute=12))

    def _as(self, account: Account) -> Context:
        roles = sorted(account.roles)
        return self._ctx.acting_as(staff(account.id, account.controller, *roles, step_up_at=self._clock.now()))

    def _hire(self, name: str, email: str, roles: tuple[Role, ...]) -> Account:
        now = self._today
        nobody_knows = self._ctx.ports.passwords.hashed(secrets.token_urlsafe(32))
        account = Account(
            id=AccountId(uuid7(now)), controller=self._ctx.controller.key, email=email, name=name,
            roles=frozenset(roles), password_hash=nobody_knows, totp_sealed=None, totp_last_step=None, is_demo=True,
            masks_people=False, created_at=now, disabled_at=None,
        )  # fmt: skip
        with self._ctx.database.transaction(self._ctx.controller.key, now) as tx:
            add_account(tx, account)
        return account
