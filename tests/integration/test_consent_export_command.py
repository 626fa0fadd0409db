"""`privacyops consent export`: a whole file or none, and a run that was broken off goes on."""

import hashlib
import json
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

from privacyops.bootstrap import House
from privacyops.cli import consent_export
from privacyops.cli.consent import app
from privacyops.cli.holding import holding
from privacyops.domain.export import ExportFilter, ExportFormat
from privacyops.services import purpose
from privacyops.services.consent import export_page, exporting, importing
from tests.house import Walker

CLI = CliRunner()
NEWS = ["--purpose", "newsletter", "--channel", "email", "--jurisdiction", "DE"]


def run(*arguments: str) -> tuple[int, str]:
    answer = CLI.invoke(app, arguments)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with three people, made once."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIVACYOPS_DATA", str(home / "data"))
        patch.setenv("PRIVACYOPS_CONFIG", str(home / "none.toml"))
        listed = home / "old.csv"
        listed.write_text(
            "email,choice\n" + "".join(f"{one}@example.com,unsubscribed\n" for one in ("kim", "lee", "mo"))
        )
        digest = json.loads(run("import", str(listed), "--dry-run", "--json", *NEWS)[1])["digest"]
        assert run("import", str(listed), "--digest", digest, *NEWS)[0] == 0
    return home


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the service for this test, and where exports go."""
    home = tmp_path / "home"
    shutil.copytree(made, home)
    monkeypatch.setenv("PRIVACYOPS_DATA", str(home / "data"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(home / "none.toml"))
    monkeypatch.setattr(consent_export, "_LOOK_S", 0.01)
    return home


def rows(file: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def breaks_off(monkeypatch: pytest.MonkeyPatch, module: Any, point: str, visit: int) -> None:
    """Ctrl-C while the command is at a point for the n-th time."""
    seen: list[str] = []

    def reached(name: str) -> None:
        seen.append(name)
        if seen.count(point) == visit and name == point:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "crash_point", reached)


def test_the_file_is_whole_and_for_its_owner_alone(folder: Path) -> None:
    file = folder / "out.ndjson"
    status, text = run("export", str(file), "--purpose", "newsletter", "--json")
    told = json.loads(text)
    assert (status, told["state"], told["rows"], len(rows(file))) == (0, "ready", 3, 3)
    assert (told["size"], told["sha256"]) == (file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "kim" not in file.read_text()
    assert sorted(one.name for one in folder.iterdir()) == ["data", "old.csv", "out.ndjson"]


def test_a_file_that_is_there_is_replaced_on_demand_alone(folder: Path) -> None:
    file = folder / "out.csv"
    file.write_text("mine")
    status, text = run("export", str(file), "--format", "csv")
    assert (status, file.read_text(), "--force" in text) == (1, "mine", True)
    assert run("export", str(file), "--format", "csv", "--purpose", "newsletter", "--force")[0] == 0
    assert len(file.read_text().splitlines()) == 4


def test_a_run_that_was_broken_off_goes_on_with_the_same_export(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, about = folder / "out.ndjson", ["--purpose", "newsletter"]
    monkeypatch.setattr(export_page, "PAGE", 1)
    monkeypatch.setattr(export_page, "SCANNED", 1)
    with monkeypatch.context() as patch:
        breaks_off(patch, export_page, "export.after_page", 3)
        status, text = run("export", str(file), *about)
    assert (status, "goes on" in text, file.exists()) == (130, True, False)
    notes = json.loads((folder / "out.ndjson.export").read_text())
    assert run("export", str(file))[0] == 2
    told = json.loads(run("export", str(file), "--json", *about)[1])
    assert told["id"] == notes["id"]
    assert len({row["seq"] for row in rows(file)}) == len(rows(file)) == told["rows"] == 3
    assert not (folder / "out.ndjson.export").exists()


def test_what_became_void_meanwhile_is_exported_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "out.ndjson"
    with monkeypatch.context() as patch:
        breaks_off(patch, export_page, "export.after_page", 1)
        assert run("export", str(file), "--purpose", "newsletter")[0] == 130
    with holding() as house, house.context.database.engines.writer.connect() as database:
        known = database.exec_driver_sql("SELECT public_id FROM subject ORDER BY no").scalars().first()
    assert known is not None
    assert run("erase", str(known), "--yes")[0] == 0
    assert run("export", str(file), "--purpose", "newsletter")[0] == 0
    assert len(rows(file)) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--purpose", "surprises"], 1, "No such purpose"),
        (["--from", "yesterday"], 2, "2026-01-01"),
        (["--format", "xml"], 2, "kantara-1.1"),
        (["--from", "2026-02-01", "--until", "2026-01-01"], 2, "before it begins"),
    ],
)
def test_what_makes_no_sense_is_told_and_leaves_nothing(
    folder: Path, arguments: list[str], status: int, says: str
) -> None:
    found, text = run("export", str(folder / "out.ndjson"), *arguments)
    assert (found, says in text) == (status, True)
    assert sorted(one.name for one in folder.iterdir()) == ["data", "old.csv"]
    assert run("export", str(folder / "missing" / "out.ndjson"))[0] == 2


def test_where_no_worker_runs_the_command_says_so(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    purpose.install_shipped(walker.context)
    export = exporting.request(walker.context, ExportFormat.NDJSON, ExportFilter())
    monkeypatch.setattr(consent_export, "_NO_WORKER_S", -1.0)
    house = cast("House", SimpleNamespace(context=walker.context, settings=SimpleNamespace(is_cluster=True)))
    with pytest.raises(typer.Exit) as ended:
        consent_export._built(house, export, lambda _: None)
    assert ended.value.exit_code == 1


def test_an_import_that_was_broken_off_goes_on_behind_what_is_stored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = folder / "more.csv"
    listed.write_text("email,choice\n" + "".join(f"p{one}@example.com,unsubscribed\n" for one in range(5)))
    digest = json.loads(run("import", str(listed), "--dry-run", "--json", *NEWS)[1])["digest"]
    monkeypatch.setattr(importing, "CHUNK", 2)
    with monkeypatch.context() as patch:
        breaks_off(patch, importing, "import.after_chunk", 2)
        status, text = run("import", str(listed), "--digest", digest, *NEWS)
    assert (status, "goes on" in text) == (130, True)
    told = json.loads(run("import", str(listed), "--digest", digest, "--json", *NEWS)[1])
    assert (told["state"], told["counts"]["stored"], told["counts"]["duplicates"]) == ("done", 5, 0)
