"""Each day a checkpoint leaves the house; later it shows what was done to the log since. On both engines."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.adapters.anchor_folder import FolderAnchors
from privacyops.bootstrap import build, prepare_database
from privacyops.cli.ledger.commands import app
from privacyops.domain.log import Log
from privacyops.kernel.clock import ManualClock
from privacyops.ports.anchors import AnchorContradicted
from privacyops.services import anchor, ledger, mail, purpose
from privacyops.services.context import Context
from privacyops.settings import Ledger, Settings
from privacyops.store.tables.base import table_of
from privacyops.store.tables.letter import MailRow
from privacyops.store.uow import Database
from tests.small_service import small_service

DAY = timedelta(days=1)


class Told:
    """What was said to telemetry; a double."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def failure(self, name: str, error: BaseException, **fields: Any) -> None:
        self.failures.append(name)

    def count(self, *labels: Any, by: int = 1) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = tmp_path / "kept"
    kept.mkdir()
    return kept


@pytest.fixture
def ctx(database: Database, clock: ManualClock, folder: Path) -> Context:
    ctx = small_service(database, clock, anchors=FolderAnchors(folder), telemetry=Told())
    ctx = replace(ctx, controller=replace(ctx.controller, auditor_email="auditor@example.org"))
    purpose.install_shipped(ctx)
    ledger.drain(ctx, "a")
    return ctx


def grow(ctx: Context) -> None:
    purpose.add_brand(ctx, f"b{ctx.clock.now():%m%d%H}", "Another", None)
    ledger.drain(ctx, "a")


def mails(ctx: Context) -> list[Any]:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return list(tx.run(table_of(MailRow).select().where(table_of(MailRow).c.kind == anchor.KIND)))


def test_each_log_is_given_out_once_a_day_while_it_grows(ctx: Context, clock: ManualClock, folder: Path) -> None:
    assert anchor.anchor_daily(ctx) == 2
    clock.advance(DAY / 2)
    grow(ctx)
    assert anchor.anchor_daily(ctx) == 0
    clock.advance(DAY / 2)
    assert anchor.anchor_daily(ctx) == 1  # nothing was published: only the audit log grew
    names = sorted(file.name for file in folder.iterdir())
    assert [name.rpartition("-")[0] for name in names] == [
        "shop-group-audit-2026", "shop-group-audit-2026", "shop-group-ledger-2026"
    ]  # fmt: skip
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o444}


def test_the_auditor_gets_the_signed_note_by_mail(ctx: Context, folder: Path) -> None:
    anchor.anchor_daily(ctx)
    (first, second) = mails(ctx)
    sent = mail.to_deliver(ctx, first.id)
    assert sent is not None
    assert sent.to == "auditor@example.org"
    note = next(file.read_text() for file in folder.iterdir() if "audit" in file.name)
    other = mail.to_deliver(ctx, second.id)
    assert other is not None
    assert any(text.endswith(note) for text in (sent.text, other.text))


def test_a_place_that_is_away_is_tried_again_and_raises_the_alarm(ctx: Context, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "away")
    assert anchor.anchor_daily(ctx) == 0
    assert ctx.ports.telemetry.failures == ["anchor.not_kept"] * 2  # type: ignore[attr-defined]  # the double
    assert mails(ctx) == []
    (tmp_path / "away").rename(folder)
    assert anchor.anchor_daily(ctx) == 2


def test_without_a_place_outside_nothing_is_noted(database: Database, clock: ManualClock) -> None:
    bare = small_service(database, clock, anchors=FolderAnchors(None))
    purpose.install_shipped(bare)
    ledger.drain(bare, "a")
    assert anchor.anchor_daily(bare) == 0
    ledger.drain(bare, "a")
    assert anchor.anchor_daily(bare) == 0


def test_a_kept_note_is_never_replaced(folder: Path) -> None:
    place = FolderAnchors(folder)
    assert place.keep("a-ledger-2026-1", "one")
    assert place.keep("a-ledger-2026-1", "one")
    with pytest.raises(AnchorContradicted):
        place.keep("a-ledger-2026-1", "two")
    assert place.kept() == ["one"]
    assert len(list(folder.iterdir())) == 1


def test_verification_finds_a_copy_from_before_by_the_kept_notes_without_being_told(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner of the machine puts yesterday's data folder back, checkpoints and all."""
    import shutil

    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("PRIVACYOPS_LEDGER__ANCHOR_FOLDER", str(folder))
    settings = Settings(data=tmp_path / "data", ledger=Ledger(anchor_folder=folder))
    house = build(settings)
    prepare_database(house)
    ledger.drain(house.context, "a")
    house.close()
    shutil.copytree(tmp_path / "data", tmp_path / "yesterday")
    house = build(settings)
    purpose.add_brand(house.context, "b", "Another", None)
    ledger.drain(house.context, "a")
    assert anchor.anchor_daily(house.context) == 2
    house.close()
    cli = CliRunner()
    assert cli.invoke(app, ["verify"]).exit_code == 0
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "yesterday", tmp_path / "data")
    answer = cli.invoke(app, ["verify", "--log", str(Log.AUDIT), "--json"])
    found = [one["flaw"] for one in json.loads(answer.output)["logs"][0]["trees"][0]["mismatches"]]
    assert (answer.exit_code, found) == (1, ["truncated"])
