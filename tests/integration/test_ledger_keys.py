"""The signing key is replaced: for thirty days both sign, whoever knows either one verifies. On both engines."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from privacyops.adapters.signer_ed25519 import Ed25519Signer, read_signing_key, rotate_signing_key, write_signing_key
from privacyops.bootstrap import build, prepare_database
from privacyops.cli.ledger.commands import app
from privacyops.domain.log import Log
from privacyops.kernel.clock import ManualClock
from privacyops.ledger.checkpoint import SignatureRefused, VerifierKey, open_checkpoint
from privacyops.services import ledger, proof, purpose
from privacyops.services.context import Context
from privacyops.settings import Settings
from privacyops.store.uow import Database
from tests.small_service import small_service

ORIGIN = "privacy.shop.example/audit/shop-group/2026"
OLD = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
NEW = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"\x02" * 32), (OLD,))
DAY = timedelta(days=1)


def service(database: Database, clock: ManualClock, signer: Ed25519Signer) -> Context:
    return small_service(database, clock, signer=signer)


def newest(ctx: Context) -> str:
    purpose.add_brand(ctx, f"b{ctx.clock.now():%m%d}", "Another", None)
    ledger.drain(ctx, "a")
    return proof.newest_checkpoint(ctx, Log.AUDIT, "shop-group", "2026")


def opens(note: str, signer: Ed25519Signer) -> bool:
    try:
        open_checkpoint(note, [VerifierKey(ORIGIN, signer.public_key)])
    except SignatureRefused:
        return False
    return True


def test_both_keys_sign_for_thirty_days_and_then_the_new_one_alone(database: Database, clock: ManualClock) -> None:
    before = newest(service(database, clock, OLD))
    assert (opens(before, OLD), opens(before, NEW)) == (True, False)
    clock.advance(DAY)
    rotated = service(database, clock, NEW)
    during = newest(rotated)
    assert (opens(during, OLD), opens(during, NEW)) == (True, True)
    clock.advance(29 * DAY)
    assert opens(newest(rotated), OLD)
    clock.advance(2 * DAY)
    after = newest(rotated)
    assert (opens(after, OLD), opens(after, NEW)) == (False, True)
    assert ledger.verify(rotated, Log.AUDIT).is_good


def test_both_keys_are_published(database: Database, clock: ManualClock) -> None:
    newest(service(database, clock, OLD))
    rotated = service(database, clock, NEW)
    newest(rotated)
    published = {VerifierKey.parse(line).public for line in proof.published_keys(rotated, Log.AUDIT)}
    assert published == {OLD.public_key, NEW.public_key}


def test_a_second_change_waits_until_the_first_is_over(database: Database, clock: ManualClock) -> None:
    first = service(database, clock, OLD)
    newest(first)
    assert ledger.may_change_key(first)
    rotated = service(database, clock, NEW)
    newest(rotated)
    assert not ledger.may_change_key(rotated)
    clock.advance(30 * DAY)
    assert ledger.may_change_key(rotated)


def test_a_replaced_key_lies_beside_the_new_one_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "signing-key.pem"
    old = write_signing_key(path)
    new = rotate_signing_key(path)
    again = read_signing_key(path)
    assert again.public_key == new.public_key != old.public_key
    assert [key.public_key for key in again.former] == [old.public_key]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o400}


def test_a_rotation_cut_short_leaves_the_key_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "signing-key.pem"
    old = write_signing_key(path)
    (tmp_path / "signing-key.former.pem").write_bytes(path.read_bytes())
    (tmp_path / "signing-key.former.pem").chmod(0o400)
    read = read_signing_key(path)
    assert (read.public_key, list(read.former)) == (old.public_key, [])


def test_the_command_replaces_the_key_once_and_says_so_in_the_audit_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    settings = Settings(data=tmp_path / "data")
    house = build(settings)
    prepare_database(house)
    ledger.drain(house.context, "a")
    house.close()
    cli = CliRunner()
    assert cli.invoke(app, ["rotate-key"]).exit_code == 0
    house = build(settings)
    ledger.drain(house.context, "a")
    assert ledger.verify(house.context, Log.AUDIT).is_good
    house.close()
    again = cli.invoke(app, ["rotate-key"])
    assert again.exit_code == 2
    assert "30 days" in again.output
