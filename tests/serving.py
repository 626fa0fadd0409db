"""A request that stands before one step of its way, and the real service as processes that go on with it.

`Stage` is a data folder and a database in which exactly one thing waits for a worker. `Served` is `privacyops serve`
as a process, which a test may kill, freeze, or arm to die at a named point.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from privacyops.bootstrap import House, build
from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff, subject
from privacyops.domain.account.record import Account
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Dsar, Requester, Run
from privacyops.domain.dsar.state import DsarState
from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.kinds import job_kinds
from privacyops.kernel.ids import AccountId, DsarId, uuid7
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import audit, stores
from privacyops.services.context import Context
from privacyops.services.dsar import answer, identity, intake, listing, review
from privacyops.settings import Controller, Settings
from privacyops.store import account as account_store
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import redaction as redactions
from privacyops.store import task as task_store
from privacyops.store.tables.base import table_of
from privacyops.store.tables.letter import PackageRow

PACKAGE = table_of(PackageRow)
ROOT = Path(__file__).parents[1]
ADDRESS = "mia.brandt@example.com"
MIA = Requester(email=ADDRESS, name="Mia Brandt", order_number="LS-1002")
KILLED_AT_A_POINT = 9
START_SECONDS = 60.0


def until(holds: Callable[[], bool], seconds: float = 60) -> float:
    """Wait until something holds; how long that took. Raises: AssertionError: not in time."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "this did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass
class Stage:
    """One service's data, seen from the test through its own services."""

    values: dict[str, Any]
    dsar_id: DsarId | None = None
    people: dict[str, Account] = field(default_factory=dict)
    _house: House | None = None

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(self.values)

    @property
    def house(self) -> House:
        if self._house is None:
            self._house = build(self.settings)
        return self._house

    @property
    def context(self) -> Context:
        return self.house.context

    def close(self) -> None:
        if self._house is not None:
            self._house.close()
            self._house = None

    def as_staff(self, name: str, *roles: Role) -> Context:
        now = self.context.clock.now()
        account = self.people.get(name)
        if account is None:
            account = Account(
                id=AccountId(uuid7(now)), controller="shop", email=f"{name.lower()}@shop.example", name=name,
                roles=frozenset(roles), password_hash="unused", totp_sealed=None, totp_last_step=None, is_demo=False,
                masks_people=True, created_at=now, disabled_at=None,
            )  # fmt: skip
            with self.context.database.transaction("shop", now) as tx:
                account_store.add_account(tx, account)
            self.people[name] = account
        return self.context.acting_as(staff(account.id, "shop", *account.roles, step_up_at=now - timedelta(seconds=1)))

    def as_customer(self) -> Context:
        """The customer, bound to the request."""
        return self.context.acting_as(subject("shop", self.dsar_id))

    def runs(self) -> Sequence[Run]:
        assert self.dsar_id is not None
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            return findings.list_runs(tx, self.dsar_id)

    def drive(self) -> None:
        """Do what waits, in this process, without the engine."""
        drive_waiting(self.context, job_kinds())

    @property
    def dsar(self) -> Dsar:
        assert self.dsar_id is not None
        return listing.status_of(self.as_staff("Dora", Role.DPO), self.dsar_id)

    def is_in(self, state: DsarState) -> Callable[[], bool]:
        return lambda: self.dsar.state is state

    def jobs(self) -> Mapping[str, int]:
        """How many jobs have not ended, by state."""
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            return job_store.count_open_jobs(tx)

    def found(self) -> list[tuple[str, str, str, str]]:
        """Each finding: store, collection, which row, and what the rule proposes."""
        assert self.dsar_id is not None
        rows = []
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            for group in findings.count_findings(tx, self.dsar_id):
                page = findings.list_findings(tx, self.dsar_id, group.store, group.collection, None, 200)
                rows += [(group.store, group.collection, one.row_ref.hex(), str(one.decision)) for one in page.items]
        return sorted(rows)

    def packages(self) -> list[Any]:
        assert self.dsar_id is not None
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            return list(tx.run(PACKAGE.select().where(PACKAGE.c.dsar_id == self.dsar_id)))

    def tasks(self) -> list[str]:
        assert self.dsar_id is not None
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            return [str(task.kind) for task in task_store.list_tasks_of(tx, self.dsar_id)]

    def audit_holds(self) -> bool:
        """Whether every audit row is in the log, and the log is what its checkpoints signed."""
        verdict = audit.verify_log(self.as_staff("Dora", Role.DPO))
        assert verdict.is_good, verdict.flaws
        return not verdict.is_waiting

    # --- the way of a request, a leg at a time ---------------------------------------------------------------

    def connect(self, shop: Path) -> None:
        self.settings.data.mkdir(mode=0o700, exist_ok=True)
        secret = self.settings.data / "shop.url"
        secret.write_text(f"sqlite:///{shop}")
        owner = self.as_staff("Olga", Role.ADMIN)
        stores.connect(owner, "Shop", StoreConfig("shop", "sql", {"url": f"file:{secret}"}))

    def submit(self) -> None:
        visitor = self.context.acting_as(subject("shop"))
        self.dsar_id = intake.submit(
            visitor, intake.Submission(type=RequestType.ACCESS, requester=MIA, channel=Channel.FORM)
        ).id

    def confirm(self) -> None:
        assert self.dsar_id is not None
        code = self.code()
        identity.prove_by_code(self.as_customer(), self.dsar_id, code)

    def code(self) -> str:
        assert self.house.inbox is not None
        for mail in self.house.inbox.newest(20):
            found = re.search(r"\b(\d{6})\b", mail.text)
            if found and mail.to.casefold() == ADDRESS:
                return found[1]
        raise AssertionError("no code was mailed")

    def is_read(self) -> bool:
        """Whether a worker has read the texts that were found for other people."""
        assert self.dsar_id is not None
        with self.context.database.reading("shop", self.context.clock.now()) as tx:
            read = redactions.load_reading(tx, self.dsar_id)
        return read is not None and read.is_over

    def finish_review(self) -> None:
        assert self.dsar_id is not None
        until(self.is_read)
        review.finish_review(self.as_staff("Ada", Role.ANALYST), self.dsar_id)

    def release(self) -> None:
        assert self.dsar_id is not None
        marta = self.as_staff("Marta", Role.APPROVER)
        sha256 = answer.package_hash(marta, self.dsar_id)
        answer.release(marta, self.dsar_id, seen_sha256=sha256, typed_reference=self.dsar.reference)


@dataclass
class Served:
    """One `privacyops serve` process."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, path: str = "/readyz") -> bool:
        assert self.process.poll() is None, f"the service ended: {self.log.read_text()[-2000:]}"
        try:
            return httpx.get(self.url + path, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def died_at_its_point(self) -> bool:
        ended = self.process.poll()
        assert ended in {None, KILLED_AT_A_POINT}, f"ended with {ended}: {self.log.read_text()[-2000:]}"
        return ended is not None

    def stop(self) -> float:
        """SIGTERM; seconds until the process had ended."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def start_service(
    values: Mapping[str, Any], port: int, log: Path, *, role: str = "all", crash: tuple[str, Path] | None = None
) -> Served:
    """Start the service over these settings. `crash`: die at this point, once, and leave this file as a mark."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIVACYOPS_")}
    environment |= {"PRIVACYOPS_ALLOW_ROOT": "true", "PRIVACYOPS_WEB__PORT": str(port), "PYTHONUNBUFFERED": "1"}
    environment |= dict(_variables(values, "PRIVACYOPS_"))
    if crash is not None:
        environment |= {"PRIVACYOPS_CRASH_AT": f"{crash[0]}!{crash[1]}", "PRIVACYOPS_TEST": "1"}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "privacyops", "serve", "--role", role], cwd=log.parent, env=environment,
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
        )  # fmt: skip
    return Served(process, port, log)


def _variables(values: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Controller):
            rows += _variables(value.model_dump(exclude_defaults=True), f"{prefix}{name.upper()}__")
        elif isinstance(value, Mapping):
            rows += _variables(value, f"{prefix}{name.upper()}__")
        else:
            rows.append((f"{prefix}{name.upper()}", str(value)))
    return rows
