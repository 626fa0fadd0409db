"""An older key-encryption key is taken away: what it wrapped is wrapped anew first, and everything still opens."""

import base64
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from privacyops.adapters.key_file import MasterKeys, changing_keys, read_key_file, with_next_kek, write_key_file
from privacyops.adapters.keyring import LOOKS_AGAIN_S, MasterKeyRing
from privacyops.adapters.vault import FolderVault
from privacyops.cli import keys as keys_command
from privacyops.cli.keys import app
from privacyops.domain.account.action import Role
from privacyops.domain.consent.state import Method
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.subject import IdentifierType
from privacyops.domain.task import TaskKind
from privacyops.domain.totp import step_at, totp_code
from privacyops.domain.webhook.subscriber import Scheme
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import Place, kek_of
from privacyops.ports.vault import RequestKeyDestroyed, VaultRef
from privacyops.services import account as accounts
from privacyops.services import purpose, rewrapping, sealing, task
from privacyops.services.consent import disclosing, erasing, writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from privacyops.services.dsar import intake
from privacyops.services.webhook import subscribing
from privacyops.settings import Settings
from privacyops.store import rewrap as store
from privacyops.store import task as tasks
from tests.house import PASSWORD, Walker

LOOKS_LATER = timedelta(minutes=1)
ADVICE = "Nothing hangs on key 1: privacyops keys retire 1 --to FILE"
KIM, LEE = "kim@example.com", "lee@example.com"


def grant(ctx: Context, email: str) -> tuple[str, UUID]:
    """A choice with evidence; the person's id and the event's."""
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, email)])
    told = Circumstances(Method.FORM, evidence={"url": "https://shop.example/checkout"})
    written = writing.record_choices(ctx, whom, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], told)
    return written.subject_id, UUID(str(written.events[0]["event_id"]))


def by_ring(ctx: Context) -> dict[tuple[str, str], dict[int, int]]:
    """What hangs on which version, but for what nothing was sealed in."""
    return {(one.table, one.column): dict(one.by_version) for one in rewrapping.uses(ctx)}


def everything_opens(ctx: Context) -> int:
    """Open each value of each column that hangs on the ring; how many."""
    opened = 0
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        for one in store.ring_columns():
            for held in store.list_old(tx, one, 0xFFFF, None, 10_000):
                ctx.ports.keyring.open(held.sealed, Place(tx.controller, *one.place, held.row))
                opened += 1
    return opened


class Rotation:
    """A service in which every column that hangs on the ring holds something, and its key file."""

    def __init__(self, walker: Walker) -> None:
        self.walker, self.path = walker, walker.house.settings.data / "keys"
        controller = replace(walker.context.controller, consent_proof="P5Y")
        self.ctx = replace(walker.context, controller=controller)
        purpose.install_shipped(self.ctx)
        self.lee, _ = grant(self.ctx, LEE)
        kim, self.event = grant(self.ctx, KIM)
        erasing.erase(self.ctx, kim)
        self.admin = walker.as_staff("Olga", Role.ADMIN)
        self.signed_in = self._enrolled()
        self.system, _ = subscribing.subscribe(self.admin, "mail-tool", "https://198.51.100.7/", (), Scheme.V1)
        subscribing.rotate(self.admin, self.system.id)
        self.dsar = self._asked("mia.brandt@example.com")
        self._answered()
        self.blob = self.ctx.ports.vault.put(self.ctx.controller.key, self.dsar, [b"the answer"])

    def _asked(self, email: str) -> DsarId:
        asks = Requester(email=email, name="Mia Brandt", order_number="LS-1002")
        told = intake.Submission(type=RequestType.ACCESS, requester=asks, channel=Channel.FORM, prefix="203.0.113.0/24")
        return intake.submit(self.walker.as_subject(), told).id

    def _enrolled(self) -> accounts.SignedIn:
        signed_in = accounts.sign_in(self.ctx, "olga@shop.example", PASSWORD, "203.0.113.0/24")
        shown = accounts.begin_enrolment(self.ctx, signed_in).secret.replace(" ", "")
        self.secret = base64.b32decode(shown + "=" * (-len(shown) % 8))
        return accounts.finish_enrolment(self.ctx, signed_in, self._code())[0]

    def _code(self) -> str:
        return totp_code(self.secret, step_at(self.ctx.clock.now()))

    def _answered(self) -> None:
        with self.ctx.database.transaction(self.ctx.controller.key, self.ctx.clock.now()) as tx:
            made = tasks.add_task(tx, TaskKind.STORE_DRIFT, self.ctx.clock.now().date(), owner_role="admin")
        task.answer(self.walker.as_staff("Dora", Role.DPO), made, "looked at it")

    def rotate(self) -> None:
        """Add a key, as an administrator does, and let the running ring look again."""
        write_key_file(self.path, with_next_kek(read_key_file(self.path)), replace=True)
        self.restart()

    def take_old_away(self) -> None:
        """Leave the newest key-encryption key alone in the file."""
        keys = read_key_file(self.path)
        last = max(keys.keks)
        write_key_file(self.path, MasterKeys({last: keys.keks[last]}, keys.roots), replace=True)
        self.restart()

    def restart(self) -> None:
        """The ring and the vault as a fresh process makes them."""
        ring = MasterKeyRing(read_key_file(self.path))
        vault = FolderVault(self.walker.house.settings.data / "vault", ring)
        self.ctx = replace(self.ctx, ports=replace(self.ctx.ports, keyring=ring, vault=vault))

    def works(self) -> None:
        """What people do with what was sealed."""
        dpo = self.ctx.acting_as(self.walker.as_staff("Dora", Role.DPO).actor)
        kept = erasing.open_kept(dpo, self.event, "claim 7 C 12/28")
        assert kept.evidence == {"url": "https://shop.example/checkout"}
        assert "shop.example/checkout" in disclosing.disclose(self.ctx, self.lee)
        self.walker.clock.advance(LOOKS_LATER)
        accounts.show_factor(self.ctx, self.signed_in, self._code())
        with self.ctx.database.reading(self.ctx.controller.key, self.ctx.clock.now()) as tx:
            key = sealing.key_of(self.ctx, tx, self.dsar)
            assert key.derived("seal")
        assert b"".join(self.ctx.ports.vault.open(self.blob)) == b"the answer"


@pytest.fixture
def rotation(walker: Walker) -> Rotation:
    return Rotation(walker)


def test_after_a_rewrap_the_old_key_is_taken_away_and_everything_opens(rotation: Rotation) -> None:
    before = by_ring(rotation.ctx)
    assert set(before) == {(one.table, one.column) for one in store.ring_columns()} | {("vault", "key")}
    assert all(set(versions) == {1} for versions in before.values()), before
    held = everything_opens(rotation.ctx)
    rotation.rotate()
    outcome = rewrapping.rewrap(rotation.ctx, batch=2)
    assert (outcome.is_whole, outcome.unopened, outcome.done) == (True, (), held + 1)
    assert by_ring(rotation.ctx) == {place: {2: n} for place, versions in before.items() for n in versions.values()}
    rotation.take_old_away()
    assert everything_opens(rotation.ctx) == held
    rotation.works()
    assert rewrapping.rewrap(rotation.ctx).done == 0


def test_a_value_that_no_key_opens_stays_is_named_and_holds_nothing_up(rotation: Rotation) -> None:
    with rotation.ctx.database.transaction("shop", rotation.ctx.clock.now()) as tx:
        one = next(one for one in store.ring_columns() if one.table == "subject_key")
        held = store.list_old(tx, one, 0xFFFF, None, 1)[0]
        assert store.exchange(tx, one, held, held.sealed[:-1] + bytes([held.sealed[-1] ^ 1]))
    rotation.rotate()
    outcome = rewrapping.rewrap(rotation.ctx)
    assert [(bad.table, bad.row) for bad in outcome.unopened] == [("subject_key", held.row)]
    assert (outcome.is_whole, sum(one.older_than(2) for one in outcome.left)) == (False, 1)
    with pytest.raises(rewrapping.KeyStillUsed):
        rewrapping.require_unused(rotation.ctx, 1)


def test_what_was_destroyed_between_look_and_exchange_does_not_come_back(rotation: Rotation) -> None:
    rotation.rotate()
    with rotation.ctx.database.transaction("shop", rotation.ctx.clock.now()) as tx:
        one = next(one for one in store.ring_columns() if one.table == "kept_key")
        held = store.list_old(tx, one, 2, None, 1)[0]
        tx.run(text("DELETE FROM kept_key"))
        assert not store.exchange(tx, one, held, b"fresh")
        assert store.list_old(tx, one, 2, None, 1) == []


def test_a_request_destroyed_while_its_key_is_wrapped_anew_stays_destroyed(
    rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation.rotate()
    vault, ring = rotation.ctx.ports.vault, rotation.ctx.ports.keyring
    plain = MasterKeyRing.rewrapped

    def slow(self: MasterKeyRing, sealed: bytes, place: Place) -> bytes | None:
        fresh = plain(self, sealed, place)
        folder = rotation.walker.house.settings.data / "vault" / rotation.dsar.hex
        vault.destroy(rotation.dsar)
        folder.mkdir()  # as between the two last steps of the destruction
        return fresh

    monkeypatch.setattr(MasterKeyRing, "rewrapped", slow)
    assert isinstance(ring, MasterKeyRing)
    vault.rewrap()
    assert not (rotation.walker.house.settings.data / "vault" / rotation.dsar.hex).exists()
    with pytest.raises(RequestKeyDestroyed):
        vault.open(VaultRef(*(getattr(rotation.blob, name) for name in VaultRef.__dataclass_fields__)))


def test_beside_a_service_that_records_and_erases_nothing_is_lost(rotation: Rotation) -> None:
    """Its ring is that of the running process, which sees the new key by itself."""
    running, stop = rotation.walker.context, threading.Event()
    people = [grant(rotation.ctx, f"p{n}@example.com") for n in range(30)]
    write_key_file(rotation.path, with_next_kek(read_key_file(rotation.path)), replace=True)
    rotation.restart()
    written: list[str] = []

    def serve() -> None:
        number = 0
        while not stop.is_set():
            written.append(grant(running, f"new{number}@example.com")[0])
            if number < len(people):
                erasing.erase(running, people[number][0])
            number += 1

    service = threading.Thread(target=serve)
    service.start()
    try:
        unopened = [bad for _ in range(6) for bad in rewrapping.rewrap(rotation.ctx, batch=3).unopened]
    finally:
        stop.set()
        service.join()
    assert unopened == []
    assert len(written) > 3
    threading.Event().wait(LOOKS_AGAIN_S)
    grant(running, "last@example.com")
    assert kek_of(running.ports.keyring.seal(b"x", Place("shop", "a", "b", "c"))) == 2
    assert rewrapping.rewrap(rotation.ctx).is_whole
    rotation.take_old_away()
    everything_opens(rotation.ctx)
    for person in [*written, rotation.lee]:
        assert "shop.example/checkout" in disclosing.disclose(rotation.ctx, person)


@pytest.mark.fault
def test_a_run_that_is_killed_goes_on_where_it_was(rotation: Rotation) -> None:
    for number in range(60):
        grant(rotation.ctx, f"p{number}@example.com")
    held = everything_opens(rotation.ctx)
    rotation.rotate()
    settings = rotation.walker.house.settings
    code = (
        "import sys\nfrom privacyops.bootstrap import build\nfrom privacyops.settings import Settings\n"
        "from privacyops.services import rewrapping\n"
        "rewrapping.rewrap(build(Settings()).context, lambda n: print(n, flush=True), batch=4)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], env=environment(settings), stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(5):
        child.stdout.readline()
    child.kill()
    assert child.wait() == -9
    child.stdout.close()
    assert everything_opens(rotation.ctx) == held
    left = sum(one.older_than(2) for one in rewrapping.uses(rotation.ctx))
    assert 0 < left < held
    outcome = rewrapping.rewrap(rotation.ctx)
    assert outcome.is_whole
    assert outcome.done <= left
    rotation.take_old_away()
    assert everything_opens(rotation.ctx) == held
    rotation.works()


# --- the command ------------------------------------------------------------------------------------------------


def environment(settings: Settings) -> dict[str, str]:
    """The settings of the test's service as a process finds them."""
    told = {
        "PRIVACYOPS_DATA": str(settings.data), "PRIVACYOPS_DATABASE_URL": settings.database,
        "PRIVACYOPS_CONTROLLER__KEY": settings.controller.key,
        "PRIVACYOPS_CONFIG": str(settings.data / "none.toml"),
    }  # fmt: skip
    return os.environ | told | ({"PRIVACYOPS_ENGINE_URL": settings.engine} if settings.engine_url else {})


def run(rotation: Rotation, *words: str) -> Result:
    return CliRunner().invoke(app, words, env=environment(rotation.walker.house.settings))


def test_the_command_adds_counts_rewraps_and_retires(rotation: Rotation, tmp_path: Path) -> None:
    assert run(rotation, "add").exit_code == 0
    counted = run(rotation, "rewrap", "--dry-run", "--json")
    told = json.loads(counted.output)
    assert (counted.exit_code, told["newest"], told["rewrapped"], told["whole"]) == (1, 2, 0, False)
    assert {"table": "request_key", "column": "wrapped", "by_key": {"1": 1}} in told["uses"]
    refused = run(rotation, "retire", "1", "--to", str(tmp_path / "old"))
    assert (refused.exit_code, (tmp_path / "old").exists()) == (1, False)
    done = run(rotation, "rewrap", "--json")
    assert (done.exit_code, json.loads(done.output)["rewrapped"]) == (0, told["left"])
    told_last = run(rotation, "rewrap", "--dry-run")
    assert (told_last.exit_code, told_last.stdout.splitlines()[-1]) == (0, ADVICE)
    refused = run(rotation, "retire", "2", "--to", str(tmp_path / "old"))
    assert (refused.exit_code, refused.stderr) == (1, "privacyops: key 2 is the one in use; add another first\n")
    assert run(rotation, "retire", "1", "--to", str(tmp_path / "old")).exit_code == 0
    assert sorted(read_key_file(rotation.path).keks) == [2]
    assert (tmp_path / "old").read_text().startswith("kek 1 ")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o400
    assert run(rotation, "retire", "1", "--to", str(tmp_path / "old")).exit_code == 3
    alone = run(rotation, "rewrap", "--dry-run")
    assert (alone.exit_code, "retire" in alone.stdout) == (0, False)
    rotation.restart()
    rotation.works()


@pytest.mark.parametrize("words", ["add", "retire 1 --to old"])
def test_two_commands_never_change_the_key_file_at_once(rotation: Rotation, tmp_path: Path, words: str) -> None:
    before = rotation.path.read_text()
    with changing_keys(rotation.path):
        refused = run(rotation, *words.replace("old", str(tmp_path / "old")).split())
    assert refused.exit_code == 2
    assert "another command" in refused.stderr
    assert rotation.path.read_text() == before
    assert run(rotation, "add").exit_code == 0


def test_a_key_that_something_came_to_hang_on_while_it_went_is_put_back(
    rotation: Rotation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(rotation, "add").exit_code == 0
    assert run(rotation, "rewrap").exit_code == 0
    before, answers = rotation.path.read_text(), iter(["", "Something still hangs on this key."])
    monkeypatch.setattr(keys_command, "_still_used", lambda _version: next(answers))
    refused = run(rotation, "retire", "1", "--to", str(tmp_path / "old"))
    assert refused.exit_code == 1
    assert "stays" in refused.stderr
    assert rotation.path.read_text() == before


@pytest.mark.parametrize("words", ["add", "rewrap", "retire 1 --to old"])
def test_without_a_service_the_command_says_so(tmp_path: Path, words: str) -> None:
    here = {"PRIVACYOPS_DATA": str(tmp_path), "PRIVACYOPS_CONFIG": "none.toml"}
    told = CliRunner().invoke(app, words.split(), env=here)
    missing = f"privacyops: {tmp_path / 'keys'} is not there; is this the folder of a service?\n"
    assert (told.exit_code, told.stderr) == (3, missing)
