"""A whole service for tests, with its real adapters, in a temporary folder; and the means to walk it by hand.

`house` runs once on SQLite and once on PostgreSQL. `Walker.settle` does the worker's work in this process, job by job,
with the same job kinds as the real worker but without its engine, so that a test sees each step; tests/fault/ and
tests/integration/test_worker.py run the real one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops.adapters.passwords import Cost, ScryptPasswords
from privacyops.bootstrap import House, build
from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff, subject
from privacyops.domain.account.record import Account
from privacyops.domain.detection.span import Detected, Profile
from privacyops.domain.dsar.record import Dsar
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.kind import JobKind
from privacyops.jobs.kinds import job_kinds
from privacyops.jobs.workflows.search import SearchKind
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId, DsarId, uuid7
from privacyops.ports.connector_host import StoreConfig
from privacyops.ports.pii import Looked, Text
from privacyops.services import job as jobs
from privacyops.services import stores
from privacyops.services.context import Context
from privacyops.services.dsar import listing
from privacyops.settings import Controller, Settings
from privacyops.store import account as account_store
from privacyops.store import job as job_store

PASSWORD = "a-lantern-over-seven-brooks"


@dataclass
class Walker:
    """A service and everybody who uses it."""

    house: House
    clock: ManualClock
    kinds: Mapping[str, JobKind]
    staff_accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        """The service as the machine sees it."""
        return self.house.context

    def as_subject(self, dsar_id: DsarId | None = None) -> Context:
        """A customer, bound to a request once they have its cookie."""
        return self.context.acting_as(subject(self.context.controller.key, dsar_id))

    def as_staff(self, name: str, *roles: Role) -> Context:
        """A colleague with these roles and a fresh second factor; the same name is the same account."""
        account = self.staff_accounts.get(name) or self._hire(name, roles)
        actor = staff(account.id, self.context.controller.key, *(roles or account.roles), step_up_at=self.clock.now())
        return self.context.acting_as(actor)

    def _hire(self, name: str, roles: Sequence[Role]) -> Account:
        now = self.clock.now()
        account = Account(
            id=AccountId(uuid7(now)), controller=self.context.controller.key, email=f"{name.lower()}@shop.example",
            name=name, roles=frozenset(roles), password_hash=self.context.ports.passwords.hashed(PASSWORD),
            totp_sealed=None, totp_last_step=None, is_demo=False, masks_people=True, created_at=now, disabled_at=None,
        )  # fmt: skip
        with self.context.database.transaction(self.context.controller.key, now) as tx:
            account_store.add_account(tx, account)
        self.staff_accounts[name] = account
        return account

    def connect(
        self, name: str, path: Path, connector: str = "sql", *, written: Mapping[str, Any] | None = None,
        region: str | None = None, **config: Any,
    ) -> None:  # fmt: skip
        """Connect a store of the shop; `written` is its map, `config` are settings of its connector."""
        secret = self.house.settings.data / f"{name}.url"
        secret.write_text(f"sqlite:///{path}")
        settings = {"url": f"file:{secret}"} if connector == "sql" else {"path": str(path)}
        owner = self.as_staff("Olga", Role.ADMIN)
        store = StoreConfig(name, connector, {**settings, **config}, region=region, map=written)
        stores.connect(owner, name.title(), store)

    def settle(self, rounds: int = 200) -> list[tuple[str, str]]:
        """Do every job that waits, until none is left; (kind, result) of each that ended. Waits are skipped over."""
        ended: list[tuple[str, str]] = []
        for _ in range(rounds):
            ended += drive_waiting(self.context, self.kinds)
            if not self._wake():
                return ended
        raise AssertionError("the jobs never came to an end")

    def _wake(self) -> bool:
        """Let time pass for what rests, and hand it over again; False, without a second gone by, if nothing rests."""
        with self.context.database.reading(self.context.controller.key, self.clock.now()) as tx:
            if not job_store.count_open_jobs(tx).get("waiting"):
                return False
        for wait in (timedelta(seconds=5), timedelta(minutes=20)):
            self.clock.advance(wait)
            if jobs.drive_again(self.context):
                return True
        return False

    def mails(self) -> Sequence[Any]:
        """What went out, newest first."""
        assert self.house.inbox is not None
        return self.house.inbox.newest(50)

    def code_for(self, address: str) -> str:
        """The six digits of the newest mail to an address."""
        for mail in self.mails():
            found = re.search(r"\b(\d{6})\b", mail.text)
            if mail.to == address and found:
                return found[1]
        raise AssertionError("no code was mailed")

    def link_for(self, address: str) -> str:
        """The token of the confirmation link in the newest mail to an address."""
        for mail in self.mails():
            found = re.search(r"/privacy/confirm/(pom_[A-Za-z0-9]+)", mail.text)
            if mail.to == address and found:
                return found[1]
        raise AssertionError("no link was mailed")

    def dsar(self, dsar_id: DsarId) -> Dsar:
        """The request as it stands."""
        return listing.status_of(self.as_staff("Dora", Role.DPO), dsar_id)


@dataclass
class NobodyElse:
    """Detection that names nobody, for tests that are about something else; `tests/redacting.py` has real ones."""

    def look(self, texts: Sequence[Text], profile: Profile) -> Looked:
        return Looked(tuple(Detected(()) for _ in texts))

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a shop in Germany, with data in a temporary folder."""
    extra = {"engine_url": f"sqlite:///{tmp_path / 'engine.db'}"} if database_url.startswith("postgresql") else {}
    return Settings.model_validate(
        {
            "data": tmp_path / "data",
            "database_url": database_url,
            "controller": Controller(
                key="shop", name="Lindenhof Seifen", address="Am Brunnen 3\n10115 Berlin",
                contact_email="privacy@lindenhof.example", authority_name="Example Authority",
                authority_url="https://authority.example/",
            ),
            **extra,
        }
    )  # fmt: skip


@pytest.fixture
def house(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The service, its database migrated."""
    cheap = Cost(ln=4, r=1, p=1)
    monkeypatch.setattr("privacyops.bootstrap.ScryptPasswords", lambda: ScryptPasswords(cheap))
    monkeypatch.setattr("privacyops.bootstrap.ApartDetection", lambda *_: NobodyElse())
    built = build(settings, clock)
    yield built
    built.close()


@pytest.fixture
def walker(house: House, clock: ManualClock) -> Iterator[Walker]:
    """The service with somebody to walk it."""
    kinds = job_kinds()
    yield Walker(house, clock, kinds)
    search = kinds["search"]
    assert isinstance(search, SearchKind)
    search.close()
